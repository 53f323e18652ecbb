/* SPDX-License-Identifier: MIT */
#include "util/seq.h"

#include "support/unit.h"

static struct seq16
s16(unsigned v)
{
	return (struct seq16){ (uint16_t)v };
}

static struct seq32
s32(uint32_t v)
{
	return (struct seq32){ v };
}

/* RFC 1982 §5.2: the examples for 8 bits, at the same places of the circle. */
static void
order_goes_round_the_circle(void)
{
	CU_ASSERT_TRUE(seq16_before(s16(0), s16(1)));
	CU_ASSERT_FALSE(seq16_before(s16(1), s16(0)));
	CU_ASSERT_TRUE(seq16_before(s16(0), s16(0x7fff)));
	CU_ASSERT_TRUE(seq16_before(s16(0xffff), s16(0)));
	CU_ASSERT_TRUE(seq16_before(s16(0xff00), s16(0x00ff)));
	CU_ASSERT_FALSE(seq16_before(s16(0x00ff), s16(0xff00)));
	CU_ASSERT_TRUE(seq32_before(s32(0xffffffff), s32(0)));
	CU_ASSERT_TRUE(seq32_before(s32(0), s32(0x7fffffff)));
	CU_ASSERT_FALSE(seq32_before(s32(0x7fffffff), s32(0)));
	CU_ASSERT_TRUE(seq32_before(s32(0xffff0000), s32(0x0000ffff)));
}

static void
a_number_is_not_before_itself(void)
{
	for (unsigned v = 0; v < 65536; v += 255)
		CU_ASSERT_FALSE(seq16_before(s16(v), s16(v)));
	CU_ASSERT_FALSE(seq32_before(s32(0x80000000), s32(0x80000000)));
}

static void
half_a_circle_apart_there_is_no_order(void)
{
	for (unsigned v = 0; v < 65536; v += 4095) {
		CU_ASSERT_FALSE(seq16_before(s16(v), s16(v + 0x8000)));
		CU_ASSERT_FALSE(seq16_before(s16(v + 0x8000), s16(v)));
	}
	CU_ASSERT_FALSE(seq32_before(s32(7), s32(0x80000007)));
	CU_ASSERT_FALSE(seq32_before(s32(0x80000007), s32(7)));
}

/* Of two different numbers that are not half a circle apart exactly one comes first. */
static void
one_of_two_comes_first(void)
{
	uint64_t random = unit_seed(1982);

	for (unsigned i = 0; i < 100000; i++) {
		uint64_t dice = unit_random(&random);
		struct seq16 a = s16(dice & 0xffff), b = s16(dice >> 16 & 0xffff);
		uint16_t apart = (uint16_t)(a.v - b.v);

		if (apart != 0 && apart != 0x8000)
			CU_ASSERT_NOT_EQUAL(seq16_before(a, b), seq16_before(b, a));
	}
}

static void
expansion_gives_the_nearest_number(void)
{
	CU_ASSERT_EQUAL(seq16_expand(100, s16(101)), 101);
	CU_ASSERT_EQUAL(seq16_expand(100, s16(99)), 99);
	CU_ASSERT_EQUAL(seq16_expand(65535, s16(0)), 65536);
	CU_ASSERT_EQUAL(seq16_expand(65536, s16(65535)), 65535);
	CU_ASSERT_EQUAL(seq16_expand(10 * 65536 + 7, s16(8)), 10 * 65536 + 8);
	CU_ASSERT_EQUAL(seq16_expand(40000, s16(40000 + 32767)), 40000 + 32767);
	CU_ASSERT_EQUAL(seq16_expand(40000, s16(40000 - 32768)), 40000 - 32768);
	CU_ASSERT_EQUAL(seq32_expand(UINT64_C(0x1ffffffff), s32(0)), UINT64_C(0x200000000));
	CU_ASSERT_EQUAL(seq32_expand(UINT64_C(0x200000000), s32(0xffffffff)),
	    UINT64_C(0x1ffffffff));
}

static void
expansion_never_goes_below_zero(void)
{
	CU_ASSERT_EQUAL(seq16_expand(0, s16(65535)), 65535);
	CU_ASSERT_EQUAL(seq16_expand(0, s16(32768)), 32768);
	CU_ASSERT_EQUAL(seq16_expand(10, s16(11 + 32768)), 11 + 32768);
	CU_ASSERT_EQUAL(seq16_expand(32767, s16(65535)), 65535);
	CU_ASSERT_EQUAL(seq16_expand(32768, s16(0)), 0);
	CU_ASSERT_EQUAL(seq32_expand(0, s32(0xffffffff)), 0xffffffff);
	CU_ASSERT_EQUAL(seq32_expand(1, s32(0)), 0);
}

static void
expansion_keeps_the_low_bits_and_the_distance(void)
{
	uint64_t random = unit_seed(1350);

	for (unsigned i = 0; i < 100000; i++) {
		uint64_t dice = unit_random(&random);
		uint64_t ref = 65536 + unit_random(&random) % (UINT64_C(1) << 40);
		uint64_t got = seq16_expand(ref, s16(dice & 0xffff));
		uint64_t apart = got > ref ? got - ref : ref - got;

		CU_ASSERT_EQUAL(got & 0xffff, dice & 0xffff);
		CU_ASSERT_TRUE(got > ref ? apart <= 32767 : apart <= 32768);

		ref += UINT64_C(1) << 32;
		got = seq32_expand(ref, s32((uint32_t)(dice >> 32)));
		apart = got > ref ? got - ref : ref - got;
		CU_ASSERT_EQUAL(got & 0xffffffff, dice >> 32);
		CU_ASSERT_TRUE(got > ref ? apart <= 0x7fffffff : apart <= 0x80000000);
	}
}

static void
no_number_is_used_before_the_disk_covers_it(void)
{
	struct seq_floor f;
	uint64_t limit = 0, seq = 0;

	seq_floor_init(&f, 1, 100);
	CU_ASSERT_FALSE(seq_floor_take(&f, &seq));
	CU_ASSERT_TRUE(seq_floor_wants(&f, &limit));
	CU_ASSERT_EQUAL(limit, 101);
	CU_ASSERT_FALSE(seq_floor_take(&f, &seq));
	seq_floor_stored(&f, limit);
	for (uint64_t want = 1; want < 101; want++) {
		CU_ASSERT_TRUE(seq_floor_take(&f, &seq));
		CU_ASSERT_EQUAL(seq, want);
		CU_ASSERT_EQUAL(seq_floor_wants(&f, &limit), want >= 50);
	}
	CU_ASSERT_EQUAL(limit, 201);
	CU_ASSERT_FALSE(seq_floor_take(&f, &seq));
	CU_ASSERT_EQUAL(seq, 100);
}

/* Crash at any moment: what the disk holds then is the start of the next life. */
static void
a_number_is_never_used_twice_over_many_crashes(void)
{
	uint64_t random = unit_seed(7);
	uint64_t disk = 1, highest = 0;

	for (unsigned life = 0; life < 2000; life++) {
		struct seq_floor f;
		uint64_t writing = 0;
		bool busy = false;

		seq_floor_init(&f, disk, 1 + unit_random(&random) % 20);
		for (uint64_t left = unit_random(&random) % 100; left > 0; left--) {
			uint64_t seq;

			if (!busy)
				busy = seq_floor_wants(&f, &writing);
			/* The write reaches the disk, and later we hear of it. */
			if (busy && unit_random(&random) % 3 == 0)
				disk = writing;
			if (busy && disk == writing && unit_random(&random) % 2 == 0) {
				seq_floor_stored(&f, writing);
				busy = false;
			}
			if (seq_floor_take(&f, &seq)) {
				CU_ASSERT_TRUE(seq > highest);
				highest = seq;
			}
		}
	}
	CU_ASSERT_TRUE(highest > 2000);
}

static void
the_limit_never_goes_back(void)
{
	struct seq_floor f;
	uint64_t limit;

	seq_floor_init(&f, 50, 10);
	seq_floor_stored(&f, 60);
	seq_floor_stored(&f, 55);
	CU_ASSERT_EQUAL(f.limit, 60);
	CU_ASSERT_FALSE(seq_floor_wants(&f, &limit));
}

static void
the_row_ends_at_the_last_number(void)
{
	struct seq_floor f;
	uint64_t limit = 0, seq = 0;

	seq_floor_init(&f, UINT64_MAX - 3, 10);
	CU_ASSERT_TRUE(seq_floor_wants(&f, &limit));
	CU_ASSERT_EQUAL(limit, UINT64_MAX);
	seq_floor_stored(&f, limit);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(seq_floor_take(&f, &seq));
	CU_ASSERT_EQUAL(seq, UINT64_MAX - 1);
	CU_ASSERT_FALSE(seq_floor_wants(&f, &limit));
	CU_ASSERT_FALSE(seq_floor_take(&f, &seq));
}

static void
an_epoch_is_later_than_the_one_before_even_with_the_clock_set_back(void)
{
	CU_ASSERT_EQUAL(seq_epoch(0, 1700000000000), 1700000000000);
	CU_ASSERT_EQUAL(seq_epoch(1700000000000, 1700000000001), 1700000000001);
	CU_ASSERT_EQUAL(seq_epoch(1700000000000, 1700000000000), 1700000000001);
	CU_ASSERT_EQUAL(seq_epoch(1700000000000, 0), 1700000000001);
	CU_ASSERT_EQUAL(seq_epoch(UINT64_MAX, 5), UINT64_MAX);
}

UNIT_MAIN("seq", UNIT(order_goes_round_the_circle), UNIT(a_number_is_not_before_itself),
    UNIT(half_a_circle_apart_there_is_no_order), UNIT(one_of_two_comes_first),
    UNIT(expansion_gives_the_nearest_number), UNIT(expansion_never_goes_below_zero),
    UNIT(expansion_keeps_the_low_bits_and_the_distance),
    UNIT(no_number_is_used_before_the_disk_covers_it),
    UNIT(a_number_is_never_used_twice_over_many_crashes), UNIT(the_limit_never_goes_back),
    UNIT(the_row_ends_at_the_last_number),
    UNIT(an_epoch_is_later_than_the_one_before_even_with_the_clock_set_back))
