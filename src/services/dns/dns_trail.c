/* SPDX-License-Identifier: MIT */
/*
 * SipHash-1-3 over the labels of a name, finished once per label on a copy of the state: hashing
 * every end of a name anew would cost three times as much.
 */
#include "services/dns/dns_trail.h"

#include "util/siphash.h"

#define WORD SIPHASH_WORD

/* Load up to eight bytes at `at`, the first one lowest, and never look beyond the name. */
static inline uint64_t
load(struct span name, size_t at, size_t n)
{
	size_t left = name.len - at;
	uint64_t v = 0;

	if (left >= WORD) {
		v = siphash_load(name.at + at);
	} else if (name.len >= WORD) {
		v = siphash_load(name.at + name.len - WORD) >> (8 * (WORD - left));
	} else {
		for (size_t i = 0; i < left; i++)
			v |= (uint64_t)name.at[at + i] << (8 * i);
	}
	return n >= WORD ? v : v & ((UINT64_C(1) << (8 * n)) - 1);
}

void
dns_trail_of(struct dns_trail *t, struct span lower, unsigned most,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	uint8_t start[DNS_LABELS_MAX];
	struct siphash s = siphash_begin(key);
	unsigned labels = 0;
	size_t words = 0;

	for (size_t at = 0; lower.at[at] != 0; at += (size_t)lower.at[at] + 1)
		start[labels++] = (uint8_t)at;
	t->name = lower;
	t->labels = labels;
	t->count = labels < most ? labels : most;
	for (unsigned i = 0; i < t->count; i++) {
		size_t at = start[labels - 1 - i];
		size_t len = (size_t)lower.at[at] + 1;

		for (size_t done = 0; done < len; done += WORD, words++)
			siphash_word(&s, load(lower, at + done, len - done));
		t->at[i] = (uint8_t)at;
		t->hash[i] = siphash_end(s, 0, words * WORD);
	}
}
