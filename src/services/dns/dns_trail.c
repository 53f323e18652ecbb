/* SPDX-License-Identifier: MIT */
/*
 * SipHash-1-3 over the labels of a name, finished once per label on a copy of the state: hashing
 * every end of a name anew would cost three times as much.
 */
#include "services/dns/dns_trail.h"

#include <string.h>

#define WORD SIPHASH_WORD

/* Up to eight bytes, the first one lowest. */
static inline uint64_t
load(const uint8_t *at, size_t n)
{
	uint64_t v = siphash_load(at);

	return n >= WORD ? v : v & ((UINT64_C(1) << (8 * n)) - 1);
}

void
dns_trail_of(struct dns_trail *t, struct span lower, bool tops,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	unsigned labels = 0;

	for (size_t at = 0; lower.at[at] != 0; at += (size_t)lower.at[at] + 1)
		t->start[labels++] = (uint8_t)at;
	memcpy(t->bytes, lower.at, lower.len);
	t->name = lower;
	t->labels = labels;
	t->tops = tops;
	t->count = 0;
	t->state = siphash_begin(key);
	t->words = 0;
}

void
dns_trail_extend(struct dns_trail *t, unsigned i)
{
	struct siphash s = t->state;

	for (; t->count <= i; t->count++) {
		const uint8_t *label = t->bytes + t->start[t->labels - 1 - t->count];
		size_t len = (size_t)label[0] + 1;

		for (size_t done = 0; done < len; done += WORD, t->words++)
			siphash_word(&s, load(label + done, len - done));
		if (t->count != 0 || t->tops)
			t->hash[t->count] = siphash_end(s, 0, t->words * WORD);
	}
	t->state = s;
}
