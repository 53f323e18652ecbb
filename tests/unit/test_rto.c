/* SPDX-License-Identifier: MIT */
#include "util/rto.h"

#include "support/unit.h"

static struct rto
fresh(void)
{
	struct rto r;

	rto_init(&r, seconds(1), millis(200), seconds(60));
	return r;
}

static void
the_first_time_out_is_the_initial_one(void)
{
	struct rto r = fresh();

	CU_ASSERT_EQUAL(rto_current(&r), seconds(1));
}

/* RFC 6298 §2.2 and §2.3, worked out by hand. */
static void
samples_follow_the_rfc(void)
{
	struct rto r = fresh();

	rto_sample(&r, millis(400));
	CU_ASSERT_EQUAL(r.srtt, millis(400));
	CU_ASSERT_EQUAL(r.rttvar, millis(200));
	CU_ASSERT_EQUAL(rto_current(&r), millis(1200));

	/* rttvar 3/4 * 200 + 1/4 * |400 - 800|, with the old srtt; srtt 7/8 * 400 + 1/8 * 800 */
	rto_sample(&r, millis(800));
	CU_ASSERT_EQUAL(r.rttvar, millis(250));
	CU_ASSERT_EQUAL(r.srtt, millis(450));
	CU_ASSERT_EQUAL(rto_current(&r), millis(1450));

	rto_sample(&r, millis(50));
	CU_ASSERT_EQUAL(r.rttvar, micros(287500));
	CU_ASSERT_EQUAL(r.srtt, millis(400));
	CU_ASSERT_EQUAL(rto_current(&r), millis(1550));
}

static void
a_steady_path_keeps_a_margin_of_the_timers_granularity(void)
{
	struct rto r;

	rto_init(&r, seconds(1), micros(1), seconds(60));
	for (unsigned i = 0; i < 200; i++)
		rto_sample(&r, millis(10));
	CU_ASSERT_EQUAL(rto_current(&r), millis(10) + RTO_GRANULARITY);
}

static void
the_estimate_settles_on_the_round_trip(void)
{
	struct rto r = fresh();

	rto_sample(&r, seconds(10));
	for (unsigned i = 0; i < 200; i++)
		rto_sample(&r, millis(300));
	CU_ASSERT_TRUE(r.srtt >= millis(300) && r.srtt < millis(300) + 8);
	CU_ASSERT_TRUE(rto_current(&r) < millis(302));
}

static void
floor_and_ceiling_hold(void)
{
	struct rto r = fresh();

	rto_sample(&r, micros(150));
	CU_ASSERT_EQUAL(rto_current(&r), millis(200));
	rto_sample(&r, seconds(100));
	CU_ASSERT_EQUAL(rto_current(&r), seconds(60));
}

static void
samples_that_cannot_be_do_no_harm(void)
{
	struct rto r = fresh();

	rto_sample(&r, -5);
	CU_ASSERT_EQUAL(r.srtt, 0);
	CU_ASSERT_EQUAL(rto_current(&r), millis(200));
	rto_sample(&r, INT64_MAX);
	rto_sample(&r, INT64_MIN);
	rto_sample(&r, INT64_MAX);
	CU_ASSERT_TRUE(rto_current(&r) >= millis(200) && rto_current(&r) <= seconds(60));
	CU_ASSERT_TRUE(r.srtt >= 0 && r.srtt <= seconds(60));
}

static void
each_back_off_doubles_up_to_the_ceiling(void)
{
	struct rto r = fresh();
	usec want = seconds(1);

	for (unsigned i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(rto_current(&r), want);
		rto_backoff(&r);
		want = want * 2 < seconds(60) ? want * 2 : seconds(60);
	}
	CU_ASSERT_TRUE(r.doublings < 10);
}

static void
a_sample_ends_the_back_off(void)
{
	struct rto r = fresh();

	rto_backoff(&r);
	rto_backoff(&r);
	rto_sample(&r, millis(100));
	CU_ASSERT_EQUAL(rto_current(&r), millis(300));
}

static void
progress_goes_back_to_the_estimate(void)
{
	struct rto r = fresh();

	rto_sample(&r, millis(100));
	rto_backoff(&r);
	CU_ASSERT_EQUAL(rto_current(&r), millis(600));
	rto_reset_backoff(&r);
	CU_ASSERT_EQUAL(rto_current(&r), millis(300));
}

static void
jitter_spreads_over_a_tenth_to_each_side(void)
{
	struct rto r = fresh();

	CU_ASSERT_EQUAL(rto_jittered(&r, 0), millis(900));
	CU_ASSERT_EQUAL(rto_jittered(&r, UINT32_C(1) << 31), millis(1000));
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) >= millis(1099));
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) < millis(1100));
}

static void
jitter_stays_between_floor_and_ceiling(void)
{
	struct rto r;

	rto_init(&r, millis(200), millis(200), millis(1000));
	CU_ASSERT_EQUAL(rto_jittered(&r, 0), millis(200));
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) > millis(219));
	for (unsigned i = 0; i < 5; i++)
		rto_backoff(&r);
	CU_ASSERT_EQUAL(rto_jittered(&r, 0), millis(900));
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) <= millis(1000));

	/* The widest range there is does not overflow. */
	rto_init(&r, RTO_CEILING_MAX / 2, 1, RTO_CEILING_MAX);
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) <= RTO_CEILING_MAX / 2 / 10 * 11);
	CU_ASSERT_TRUE(rto_jittered(&r, UINT32_MAX) > RTO_CEILING_MAX / 2 / 10 * 10);

	/* A time-out that was agreed on is kept to the microsecond. */
	rto_init(&r, seconds(3), seconds(3), seconds(3));
	CU_ASSERT_EQUAL(rto_jittered(&r, 0), seconds(3));
	CU_ASSERT_EQUAL(rto_jittered(&r, UINT32_MAX), seconds(3));
}

UNIT_MAIN("rto", UNIT(the_first_time_out_is_the_initial_one), UNIT(samples_follow_the_rfc),
    UNIT(a_steady_path_keeps_a_margin_of_the_timers_granularity),
    UNIT(the_estimate_settles_on_the_round_trip), UNIT(floor_and_ceiling_hold),
    UNIT(samples_that_cannot_be_do_no_harm), UNIT(each_back_off_doubles_up_to_the_ceiling),
    UNIT(a_sample_ends_the_back_off), UNIT(progress_goes_back_to_the_estimate),
    UNIT(jitter_spreads_over_a_tenth_to_each_side), UNIT(jitter_stays_between_floor_and_ceiling))
