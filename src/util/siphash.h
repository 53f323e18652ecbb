/* SPDX-License-Identifier: MIT */
/*
 * SipHash-1-3 in pieces of eight bytes: the hash for tables on the hot path whose keys strangers
 * choose. Half the work of SipHash-2-4 (seal_short_hash()) and inlined; with a secret random key
 * nobody outside can aim at one bucket. Not for anything that authenticates.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef UTIL_SIPHASH_H
#define UTIL_SIPHASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/span.h"

#define SIPHASH_KEY_BYTES 16	/* as SEAL_SHORT_KEY_BYTES */
#define SIPHASH_WORD	  8	/* bytes */

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
siphash_rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void
siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = siphash_rotate(s->v2, 32);
}

/* Load eight bytes, the first one lowest. */
static inline uint64_t
siphash_load(const uint8_t at[static SIPHASH_WORD])
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return le64toh(v);
}

static inline struct siphash
siphash_begin(const uint8_t key[static SIPHASH_KEY_BYTES])
{
	uint64_t k0 = siphash_load(key);
	uint64_t k1 = siphash_load(key + SIPHASH_WORD);

	return (struct siphash){
		.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = k1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline void
siphash_word(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_round(s);
	s->v0 ^= word;
}

/*
 * Give the hash of what was taken in; the caller's state goes on. last holds up to seven more
 * bytes, the first one lowest; len is the number of all bytes.
 */
static inline uint64_t
siphash_end(struct siphash s, uint64_t last, size_t len)
{
	siphash_word(&s, last | (uint64_t)(len & 0xff) << 56);
	s.v2 ^= 0xff;
	siphash_round(&s);
	siphash_round(&s);
	siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* Up to seven bytes, the first one lowest. Parts that are loaded twice agree. */
static inline uint64_t
siphash_tail(const uint8_t *at, size_t n)
{
	uint32_t low, high;

	if (n == 0)
		return 0;
	if (n < sizeof(low))
		return at[0] | (uint64_t)at[n / 2] << (8 * (n / 2)) |
		    (uint64_t)at[n - 1] << (8 * (n - 1));
	memcpy(&low, at, sizeof(low));
	memcpy(&high, at + n - sizeof(high), sizeof(high));
	return le32toh(low) | (uint64_t)le32toh(high) << (8 * (n - sizeof(high)));
}

/* The same of bytes in one go. */
static inline uint64_t
siphash_of(struct span bytes, const uint8_t key[static SIPHASH_KEY_BYTES])
{
	struct siphash s = siphash_begin(key);
	size_t at = 0;

	for (; bytes.len - at >= SIPHASH_WORD; at += SIPHASH_WORD)
		siphash_word(&s, siphash_load(bytes.at + at));
	return siphash_end(s, siphash_tail(bytes.at + at, bytes.len - at), bytes.len);
}

#endif
