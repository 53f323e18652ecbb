/* SPDX-License-Identifier: MIT */
/*
 * Which sequence numbers of one sender have been seen: a window of the last 1024, in any order,
 * as a ring of words that never shifts (RFC 6479). One more word than the window needs, so that
 * all 1024 count, wherever in a word the newest number lies.
 *
 * A number is remembered only after its datagram has authenticated; before that replay_peek()
 * saves the cost of opening a duplicate. All 64-bit numbers are allowed, 0 and the last included.
 */
#ifndef UTIL_REPLAY_H
#define UTIL_REPLAY_H

#include <stdint.h>

#include "util/err.h"

#define REPLAY_WINDOW 1024	/* numbers; announcements lose and reorder at most a few dozen */
#define REPLAY_WORDS (REPLAY_WINDOW / 64 + 1)

/* All zero: nothing seen yet. */
struct replay {
	uint64_t newest;
	uint64_t seen[REPLAY_WORDS];	/* bit seq % 64 of word seq / 64 % REPLAY_WORDS */
};

_Static_assert(sizeof(struct replay) <= 160, "kept for every sender");

/* Forget everything: a new epoch has begun. */
void replay_reset(struct replay *r);

/*
 * Say whether seq is new, and change nothing.
 *
 * errors  ERR_REPLAY: seen; ERR_RANGE: older than the window, nobody can tell
 */
enum err replay_peek(const struct replay *r, uint64_t seq) MUST_CHECK;

/* The same, and remember seq where the answer is OK. */
enum err replay_update(struct replay *r, uint64_t seq) MUST_CHECK;

#endif
