/* SPDX-License-Identifier: MIT */
/*
 * RFC 6479 §2. Invariant: the words hold the numbers from 64 * (newest / 64 - REPLAY_WORDS + 1)
 * up to the end of newest's own word; bits above newest are zero.
 */
#include "util/replay.h"

#include <string.h>

static uint64_t
bit_of(uint64_t seq)
{
	return UINT64_C(1) << seq % 64;
}

void
replay_reset(struct replay *r)
{
	memset(r, 0, sizeof(*r));
}

enum err
replay_peek(const struct replay *r, uint64_t seq)
{
	if (seq > r->newest)
		return OK;
	if (r->newest - seq >= REPLAY_WINDOW)
		return ERR_RANGE;
	return (r->seen[seq / 64 % REPLAY_WORDS] & bit_of(seq)) == 0 ? OK : ERR_REPLAY;
}

/* Clear the words between that of newest and that of seq, which come into use again. */
static void
advance(struct replay *r, uint64_t seq)
{
	uint64_t steps = seq / 64 - r->newest / 64;

	if (steps > REPLAY_WORDS)
		steps = REPLAY_WORDS;
	for (uint64_t i = 0; i < steps; i++)
		r->seen[(seq / 64 - i) % REPLAY_WORDS] = 0;
	r->newest = seq;
}

enum err
replay_update(struct replay *r, uint64_t seq)
{
	enum err e = replay_peek(r, seq);

	if (e != OK)
		return e;
	if (seq > r->newest)
		advance(r, seq);
	r->seen[seq / 64 % REPLAY_WORDS] |= bit_of(seq);
	return OK;
}
