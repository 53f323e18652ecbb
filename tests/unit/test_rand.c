/* SPDX-License-Identifier: MIT */
/*
 * The numbers come from a CSPRNG, so no test can be sure of them. The bounds are so wide that a
 * sound generator misses one of them less than once in 10^9 runs, and a broken one at once.
 */
#include "core/rand.h"

#include <stdbool.h>
#include <string.h>

#include "support/unit.h"
#include "util/seal.h"

#define BINS 256
#define DRAWS (BINS * 400)

/*
 * Chi-square of 256 equally likely bins has mean 255 and deviation 22.6; 420 is seven deviations
 * above. Suspiciously even counts, below 120, are no better.
 */
static bool
looks_uniform(const unsigned counts[static BINS])
{
	double chi = 0;

	for (unsigned i = 0; i < BINS; i++) {
		double off = (double)counts[i] - DRAWS / BINS;

		chi += off * off / (DRAWS / BINS);
	}
	return chi > 120 && chi < 420;
}

static void
each_part_of_a_number_is_uniform(void)
{
	struct rand r;
	unsigned low16[BINS] = { 0 }, high16[BINS] = { 0 }, high32[BINS] = { 0 },
		 middle64[BINS] = { 0 };

	rand_init(&r);
	for (unsigned i = 0; i < DRAWS; i++) {
		uint16_t v = rand_u16(&r);

		low16[v & 0xff]++;
		high16[v >> 8]++;
		high32[rand_u32(&r) >> 24]++;
		middle64[rand_u64(&r) >> 32 & 0xff]++;
	}
	CU_ASSERT_TRUE(looks_uniform(low16));
	CU_ASSERT_TRUE(looks_uniform(high16));
	CU_ASSERT_TRUE(looks_uniform(high32));
	CU_ASSERT_TRUE(looks_uniform(middle64));
	rand_fini(&r);
}

static void
a_bounded_number_is_uniform_and_below_its_bound(void)
{
	/* With 3/4 of 2^32 as bound, a plain remainder gives the low third twice as often. */
	uint32_t bound = UINT32_C(3) << 30;
	unsigned counts[BINS] = { 0 };
	struct rand r;

	rand_init(&r);
	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t v = rand_below(&r, bound);

		CU_ASSERT_TRUE_FATAL(v < bound);
		counts[v / (bound / BINS)]++;
	}
	CU_ASSERT_TRUE(looks_uniform(counts));
	for (unsigned i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(rand_below(&r, 1), 0);
		CU_ASSERT_TRUE(rand_below(&r, 2) < 2);
		CU_ASSERT_TRUE(rand_below(&r, 0xffff) < 0xffff);
	}
	rand_fini(&r);
}

static void
no_byte_of_the_pool_is_given_twice(void)
{
	struct rand r;
	uint64_t drawn[2000];

	/* Past several refills, leaving odd rests. 2000 of 2^64: no pair by chance. */
	rand_init(&r);
	for (size_t i = 0; i < 2000; i++) {
		uint8_t odd[5];

		rand_bytes(&r, odd, i % sizeof(odd));
		drawn[i] = rand_u64(&r);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(drawn[i], drawn[j]);
	}
	rand_fini(&r);
}

static bool
all_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static void
what_was_given_is_wiped_from_the_pool(void)
{
	struct rand r;
	uint8_t big[RAND_BATCH];

	rand_init(&r);
	for (unsigned i = 0; i < 300; i++) {
		(void)rand_u32(&r);
		CU_ASSERT_TRUE(all_zero(r.pool, r.used));
	}
	CU_ASSERT_FALSE(all_zero(r.pool, sizeof(r.pool)));
	memset(big, 0, sizeof(big));
	rand_bytes(&r, big, sizeof(big));
	CU_ASSERT_FALSE(all_zero(big + sizeof(big) - 16, 16));
	rand_bytes(&r, big, 0);
	rand_fini(&r);
	CU_ASSERT_TRUE(all_zero(r.pool, sizeof(r.pool)));
	CU_ASSERT_NOT_EQUAL(rand_u64(&r), 0);
	rand_fini(&r);
}

static void
the_library_is_ready(void)
{
	CU_ASSERT_EQUAL(seal_init(), OK);
}

UNIT_MAIN("rand", UNIT(the_library_is_ready), UNIT(each_part_of_a_number_is_uniform),
    UNIT(a_bounded_number_is_uniform_and_below_its_bound), UNIT(no_byte_of_the_pool_is_given_twice),
    UNIT(what_was_given_is_wiped_from_the_pool))
