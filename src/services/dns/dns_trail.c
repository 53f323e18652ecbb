/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 (Aumasson, Bernstein 2012) over the labels of a name, finished once per label on a
 * copy of the state. libsodium offers it for whole messages only, and hashing every end of a name
 * anew would cost three times as much. The test compares with seal_short_hash().
 */
#include "services/dns/dns_trail.h"

#include <endian.h>
#include <string.h>

#define WORD 8	/* bytes */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static struct sip
sip_begin(const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	uint64_t k[2];

	memcpy(k, key, sizeof(k));
	k[0] = le64toh(k[0]);
	k[1] = le64toh(k[1]);
	return (struct sip){
		.v0 = k[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = k[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = k[1] ^ UINT64_C(0x7465646279746573),
	};
}

/* Give the hash of what was absorbed, `words` of it; the state itself goes on. */
static inline uint64_t
sip_end(struct sip s, unsigned words)
{
	sip_word(&s, (uint64_t)(words * WORD & 0xff) << 56);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* Load up to eight bytes at `at`, the first one lowest, and never look beyond the name. */
static inline uint64_t
load(struct span name, size_t at, size_t n)
{
	size_t left = name.len - at;
	uint64_t v = 0;

	if (left >= WORD) {
		memcpy(&v, name.at + at, WORD);
		v = le64toh(v);
	} else if (name.len >= WORD) {
		memcpy(&v, name.at + name.len - WORD, WORD);
		v = le64toh(v) >> (8 * (WORD - left));
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
	struct sip s = sip_begin(key);
	unsigned labels = 0;
	unsigned words = 0;

	for (size_t at = 0; lower.at[at] != 0; at += (size_t)lower.at[at] + 1)
		start[labels++] = (uint8_t)at;
	t->name = lower;
	t->labels = labels;
	t->count = labels < most ? labels : most;
	for (unsigned i = 0; i < t->count; i++) {
		size_t at = start[labels - 1 - i];
		size_t len = (size_t)lower.at[at] + 1;

		for (size_t done = 0; done < len; done += WORD, words++)
			sip_word(&s, load(lower, at + done, len - done));
		t->at[i] = (uint8_t)at;
		t->hash[i] = sip_end(s, words);
	}
}
