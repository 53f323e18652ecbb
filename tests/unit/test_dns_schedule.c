/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_schedule.h"

#include "support/unit.h"

enum { MON, TUE, WED, THU, FRI, SAT, SUN };

static bool
holds(const char *text, unsigned day, unsigned hour, unsigned minute)
{
	struct dns_schedule s;
	struct dns_moment at = { .day = day, .minute = hour * 60 + minute };

	CU_ASSERT_EQUAL_FATAL(dns_schedule_parse(&s, text), OK);
	CU_ASSERT_PTR_NULL(dns_schedule_check(text));
	return dns_schedule_holds(&s, at);
}

static void
times_hold_from_their_first_minute_to_before_their_last(void)
{
	CU_ASSERT_FALSE(holds("12:00-13:30", WED, 11, 59));
	CU_ASSERT_TRUE(holds("12:00-13:30", WED, 12, 0));
	CU_ASSERT_TRUE(holds("12:00-13:30", WED, 13, 29));
	CU_ASSERT_FALSE(holds("12:00-13:30", WED, 13, 30));
	CU_ASSERT_TRUE(holds("22:00-24:00", SUN, 23, 59));
	CU_ASSERT_FALSE(holds("22:00-24:00", MON, 0, 0));
}

static void
a_night_belongs_to_the_day_it_begins_on(void)
{
	static const char night[] = "mon-fri 21:00-06:00";

	CU_ASSERT_FALSE(holds(night, MON, 5, 0));	/* Sunday's night */
	CU_ASSERT_TRUE(holds(night, MON, 21, 0));
	CU_ASSERT_TRUE(holds(night, TUE, 5, 59));
	CU_ASSERT_FALSE(holds(night, TUE, 6, 0));
	CU_ASSERT_TRUE(holds(night, SAT, 5, 59));
	CU_ASSERT_FALSE(holds(night, SAT, 21, 0));
	CU_ASSERT_FALSE(holds(night, SUN, 3, 0));
	CU_ASSERT_TRUE(holds("sun 23:00-01:00", MON, 0, 30));
}

static void
days_are_ranges_and_lists(void)
{
	CU_ASSERT_TRUE(holds("sat,sun", SAT, 0, 0));
	CU_ASSERT_TRUE(holds("Sat,SUN", SUN, 23, 59));
	CU_ASSERT_FALSE(holds("sat,sun", MON, 0, 0));
	CU_ASSERT_TRUE(holds("fri-mon 08:00-09:00", SUN, 8, 30));
	CU_ASSERT_TRUE(holds("fri-mon 08:00-09:00", MON, 8, 30));
	CU_ASSERT_FALSE(holds("fri-mon 08:00-09:00", TUE, 8, 30));
	CU_ASSERT_TRUE(holds("mon,wed-thu", THU, 12, 0));
	CU_ASSERT_FALSE(holds("mon,wed-thu", TUE, 12, 0));
}

static void
equal_times_are_a_whole_day(void)
{
	CU_ASSERT_TRUE(holds("mon 06:00-06:00", MON, 6, 0));
	CU_ASSERT_TRUE(holds("mon 06:00-06:00", TUE, 5, 59));
	CU_ASSERT_FALSE(holds("mon 06:00-06:00", TUE, 6, 0));
	CU_ASSERT_FALSE(holds("mon 06:00-06:00", MON, 5, 59));
}

static void
other_texts_are_refused(void)
{
	static const char *const bad[] = {
		"", " ", "someday", "mon-", "-mon", "mon--tue", "mon 21", "21:00", "21:00-",
		"24:00-01:00",
		"21:00-24:01", "21:60-22:00", "2100-2200", "mon tue", "mon 10:00-11:00 x",
		"mon,,tue",
		"10:00-11:00 mon", "123:00-12:00",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dns_schedule s;

		CU_ASSERT_EQUAL(dns_schedule_parse(&s, bad[i]), ERR_FORMAT);
		CU_ASSERT_PTR_NOT_NULL(dns_schedule_check(bad[i]));
	}
}

UNIT_MAIN("dns_schedule",
    UNIT(times_hold_from_their_first_minute_to_before_their_last),
    UNIT(a_night_belongs_to_the_day_it_begins_on),
    UNIT(days_are_ranges_and_lists),
    UNIT(equal_times_are_a_whole_day),
    UNIT(other_texts_are_refused))
