/* SPDX-License-Identifier: MIT */
/* A pool of CSPRNG bytes (libsodium), refilled when empty; what was handed out is wiped. */
#include "core/rand.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

void
rand_init(struct rand *r)
{
	r->used = RAND_BATCH;
}

void
rand_fini(struct rand *r)
{
	sodium_memzero(r->pool, sizeof(r->pool));
	r->used = RAND_BATCH;
}

void
rand_bytes(struct rand *r, void *out, size_t len)
{
	if (len > RAND_BATCH / 4) {
		randombytes_buf(out, len);
		return;
	}
	if (len > RAND_BATCH - r->used) {
		randombytes_buf(r->pool, sizeof(r->pool));
		r->used = 0;
	}
	memcpy(out, r->pool + r->used, len);
	memset(r->pool + r->used, 0, len);
	r->used += len;
}

uint16_t
rand_u16(struct rand *r)
{
	uint16_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

uint32_t
rand_u32(struct rand *r)
{
	uint32_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

uint64_t
rand_u64(struct rand *r)
{
	uint64_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

uint32_t
rand_below(struct rand *r, uint32_t bound)
{
	assert(bound > 0);

	/* The first 2^32 mod bound numbers would make the low results more likely: draw again. */
	uint32_t reject = (uint32_t)-bound % bound;

	for (;;) {
		uint32_t v = rand_u32(r);

		if (v >= reject)
			return v % bound;
	}
}
