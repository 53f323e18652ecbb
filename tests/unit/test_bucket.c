/* SPDX-License-Identifier: MIT */
#include "util/bucket.h"

#include "support/unit.h"

static void
it_starts_full_and_gives_no_more_than_its_burst(void)
{
	struct bucket b;

	bucket_init(&b, 10, 5, 1000);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(bucket_take(&b, 1, 1000));
	CU_ASSERT_FALSE(bucket_take(&b, 1, 1000));
}

static void
it_refills_at_its_rate_to_the_microsecond(void)
{
	struct bucket b;

	bucket_init(&b, 10, 5, 0);
	CU_ASSERT_TRUE(bucket_take(&b, 5, 0));
	CU_ASSERT_FALSE(bucket_take(&b, 1, millis(100) - 1));
	CU_ASSERT_TRUE(bucket_take(&b, 1, millis(100)));
	CU_ASSERT_FALSE(bucket_take(&b, 1, millis(200) - 1));
	CU_ASSERT_TRUE(bucket_take(&b, 1, millis(200)));
}

static void
it_gives_all_or_nothing(void)
{
	struct bucket b;

	bucket_init(&b, 1, 10, 0);
	CU_ASSERT_FALSE(bucket_take(&b, 11, 0));
	CU_ASSERT_TRUE(bucket_take(&b, 10, 0));
	CU_ASSERT_FALSE(bucket_take(&b, 3, seconds(2)));
	CU_ASSERT_TRUE(bucket_take(&b, 2, seconds(2)));
	CU_ASSERT_TRUE(bucket_take(&b, 0, seconds(2)));
}

static void
it_never_holds_more_than_its_burst(void)
{
	struct bucket b;

	bucket_init(&b, 1000, 5, 0);
	CU_ASSERT_TRUE(bucket_take(&b, 5, 0));
	CU_ASSERT_FALSE(bucket_take(&b, 6, seconds(3600)));
	CU_ASSERT_TRUE(bucket_take(&b, 5, seconds(3600)));
	CU_ASSERT_FALSE(bucket_take(&b, 1, seconds(3600)));
}

/* Asked every few microseconds or once: the same number of tokens, to the last one. */
static void
nothing_drifts_however_often_it_is_asked(void)
{
	static const uint32_t rates[] = { 1, 3, 7, 333, 999983 };
	uint64_t random = unit_seed(99);

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bucket b;
		uint64_t given = 0;
		mono_us now = 0;

		bucket_init(&b, rates[i], UINT32_MAX, now);
		CU_ASSERT_TRUE(bucket_take(&b, UINT32_MAX, now));
		while (now < seconds(5)) {
			now += (int64_t)(unit_random(&random) % 997);
			while (bucket_take(&b, 1, now))
				given++;
		}
		CU_ASSERT_EQUAL(given, (uint64_t)now * rates[i] / 1000000);
	}
}

static void
a_clock_that_goes_back_refills_nothing(void)
{
	struct bucket b;

	bucket_init(&b, 10, 1, seconds(100));
	CU_ASSERT_TRUE(bucket_take(&b, 1, seconds(100)));
	CU_ASSERT_FALSE(bucket_take(&b, 1, seconds(1)));
	CU_ASSERT_FALSE(bucket_take(&b, 1, seconds(100) + millis(99)));
	CU_ASSERT_FALSE(bucket_take(&b, 1, 0));
	CU_ASSERT_TRUE(bucket_take(&b, 1, seconds(100) + millis(100)));
}

static void
extremes_do_not_overflow(void)
{
	struct bucket b;

	bucket_init(&b, UINT32_MAX, UINT32_MAX, INT64_MIN);
	CU_ASSERT_TRUE(bucket_take(&b, UINT32_MAX, INT64_MIN));
	CU_ASSERT_FALSE(bucket_take(&b, 1, INT64_MIN));
	CU_ASSERT_TRUE(bucket_take(&b, UINT32_MAX, INT64_MAX));

	bucket_init(&b, 1, UINT32_MAX, 0);
	CU_ASSERT_TRUE(bucket_take(&b, UINT32_MAX, 0));
	CU_ASSERT_TRUE(bucket_take(&b, UINT32_MAX, INT64_MAX));
}

static void
without_a_rate_it_empties_for_good_and_without_a_burst_it_is_empty(void)
{
	struct bucket b;

	bucket_init(&b, 0, 2, 0);
	CU_ASSERT_TRUE(bucket_take(&b, 2, 0));
	CU_ASSERT_FALSE(bucket_take(&b, 1, INT64_MAX));
	bucket_init(&b, 100, 0, 0);
	CU_ASSERT_FALSE(bucket_take(&b, 1, seconds(10)));
}

static void
what_is_missing_falls_to_zero(void)
{
	struct bucket b;

	bucket_init(&b, 2, 4, 0);
	CU_ASSERT_EQUAL(bucket_missing(&b, 0), 0);
	CU_ASSERT_TRUE(bucket_take(&b, 3, 0));
	CU_ASSERT_EQUAL(bucket_missing(&b, 0), 3000000);
	CU_ASSERT_EQUAL(bucket_missing(&b, seconds(1)), 1000000);
	CU_ASSERT_EQUAL(bucket_missing(&b, millis(1500)), 0);
}

UNIT_MAIN("bucket", UNIT(it_starts_full_and_gives_no_more_than_its_burst),
    UNIT(it_refills_at_its_rate_to_the_microsecond), UNIT(it_gives_all_or_nothing),
    UNIT(it_never_holds_more_than_its_burst), UNIT(nothing_drifts_however_often_it_is_asked),
    UNIT(a_clock_that_goes_back_refills_nothing), UNIT(extremes_do_not_overflow),
    UNIT(without_a_rate_it_empties_for_good_and_without_a_burst_it_is_empty),
    UNIT(what_is_missing_falls_to_zero))
