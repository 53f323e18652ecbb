/* SPDX-License-Identifier: MIT */
#include "core/conf_tree.h"

#include "support/unit.h"

static void
sizes_have_units(void)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} fine[] = { { "0", 0 }, { "65536", 65536 }, { "64KiB", 65536 }, { "64k", 65536 },
		{ "64KB", 65536 }, { "32MiB", 32 << 20 }, { "32 MiB", 32 << 20 },
		{ "32m", 32 << 20 },
		{ "1.5GiB", 3 << 29 }, { "2G", INT64_C(2) << 30 }, { "1T", INT64_C(1) << 40 },
		{ "7B", 7 }, { "0.5", 0 }, { "1.9999999999999", 1 } };
	static const char *const broken[] = { "", "MiB", "32 parsecs", "-1", "+1", "1.", ".5",
		"1..5", "1e6", "0x10", "32MiBx", " 1", "1 2", "inf", "nan" };
	int64_t n;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		CU_ASSERT_EQUAL(conf_parse_size(fine[i].text, &n), OK);
		CU_ASSERT_EQUAL(n, fine[i].bytes);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		CU_ASSERT_EQUAL(conf_parse_size(broken[i], &n), ERR_FORMAT);
	CU_ASSERT_EQUAL(conf_parse_size("9223372036854775807", &n), OK);
	CU_ASSERT_EQUAL(n, INT64_MAX);
	CU_ASSERT_EQUAL(conf_parse_size("9223372036854775808", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(conf_parse_size("8388608TiB", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(conf_parse_size("99999999999999999999999999", &n), ERR_RANGE);
}

static void
durations_have_units(void)
{
	static const struct {
		const char *text;
		usec us;
	} fine[] = { { "0", 0 }, { "5", 5000000 }, { "0.25", 250000 }, { "20ms", 20000 },
		{ "1.8s", 1800000 }, { "5m", 300000000 }, { "5min", 300000000 },
		{ "2h", INT64_C(7200000000) }, { "1d", INT64_C(86400000000) },
		{ "1w", INT64_C(604800000000) }, { "7us", 7 }, { "1.5 h", INT64_C(5400000000) },
		{ "0.000001", 1 }, { "0.0000001", 0 } };
	static const char *const broken[] = { "", "s", "-1s", "1,8s", "1h30m", "5 minutes", "1.s" };
	usec n;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		CU_ASSERT_EQUAL(conf_parse_duration(fine[i].text, &n), OK);
		CU_ASSERT_EQUAL(n, fine[i].us);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		CU_ASSERT_EQUAL(conf_parse_duration(broken[i], &n), ERR_FORMAT);
	CU_ASSERT_EQUAL(conf_parse_duration("9223372036855", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(conf_parse_duration("106751991168d", &n), ERR_RANGE);
}

static void
distance_counts_edits_up_to_two(void)
{
	CU_ASSERT_EQUAL(conf_distance("stale", "stale"), 0);
	CU_ASSERT_EQUAL(conf_distance("stael", "stale"), 1);
	CU_ASSERT_EQUAL(conf_distance("stal", "stale"), 1);
	CU_ASSERT_EQUAL(conf_distance("sstale", "stale"), 1);
	CU_ASSERT_EQUAL(conf_distance("cash-size", "cache-size"), 2);
	CU_ASSERT_EQUAL(conf_distance("", "ab"), 2);
	CU_ASSERT(conf_distance("abc", "xyz") > 2);
	CU_ASSERT(conf_distance("", "abcdef") > 2);
	CU_ASSERT(conf_distance("a name that is much longer than any key of any table is",
	    "a name that is much longer than any key of any table is") > 2);
}

UNIT_MAIN("conf_value", UNIT(sizes_have_units), UNIT(durations_have_units),
    UNIT(distance_counts_edits_up_to_two))
