/* SPDX-License-Identifier: MIT */
#include "core/report.h"

#include "core/report_json.h"
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Compare with JSON as it would be printed; frees the report. */
static void
assert_json(struct report *r, const char *want)
{
	char *text = json_dumps(report_json(r), JSON_COMPACT | JSON_REAL_PRECISION(6));

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
	report_free(r);
}

static void
values_keep_their_type_and_order(void)
{
	struct report *r = report_new();
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, "192.0.2.1:53", 0), OK);
	report_u64(r, "hits", 12);
	report_i64(r, "offset", -3);
	report_real(r, "ratio", 0.25);
	report_bool(r, "stale", true);
	report_str(r, "mode", "single");
	report_addr(r, "peer", &a);
	assert_json(r, "{\"hits\":12,\"offset\":-3,\"ratio\":0.25,\"stale\":true,"
	    "\"mode\":\"single\",\"peer\":\"192.0.2.1:53\"}");
}

static void
objects_and_lists_nest(void)
{
	struct report *r = report_new();
	struct report *cache = report_object(r, "cache");
	struct report *list = report_list(r, "upstreams");

	for (uint64_t i = 0; i < 2; i++) {
		struct report *one = report_object(list, NULL);

		report_u64(one, "n", i);
		report_str(report_list(one, "names"), NULL, "x");
	}
	report_u64(cache, "hits", 7);
	assert_json(r, "{\"cache\":{\"hits\":7},\"upstreams\":[{\"n\":0,\"names\":[\"x\"]},"
	    "{\"n\":1,\"names\":[\"x\"]}]}");
}

static void
bytes_of_strangers_are_escaped(void)
{
	struct report *r = report_new();

	report_span(r, "name", span_of("a\0\xff\n\xc3\xbc\\", 7));
	report_str(r, "path", "bad\xff");
	report_str(r, "none", NULL);
	report_span(r, "empty", span_of("", 0));
	assert_json(r, "{\"name\":\"a\\\\x00\\\\xff\\\\n\xc3\xbc\\\\\\\\\",\"path\":\"bad\\\\xff\","
	    "\"none\":null,\"empty\":\"\"}");
}

static void
numbers_that_json_lacks_do_no_harm(void)
{
	struct report *r = report_new();

	report_u64(r, "huge", UINT64_MAX);
	report_real(r, "nan", (double)NAN);
	report_real(r, "inf", (double)INFINITY);
	assert_json(r, "{\"huge\":9223372036854775807,\"nan\":null,\"inf\":null}");
}

static void
no_memory_means_no_values_and_no_crash(void)
{
	struct addr none = { 0 };

	report_u64(NULL, "a", 1);
	report_i64(NULL, "a", 1);
	report_real(NULL, "a", 1);
	report_bool(NULL, "a", true);
	report_str(NULL, "a", "b");
	report_span(NULL, "a", span_str("b"));
	report_addr(NULL, "a", &none);
	CU_ASSERT_PTR_NULL(report_object(NULL, "a"));
	CU_ASSERT_PTR_NULL(report_list(NULL, "a"));
	CU_ASSERT_PTR_NULL(report_json(NULL));
	report_free(NULL);
}

static void
a_key_set_twice_keeps_the_last_and_old_handles_stay_safe(void)
{
	struct report *r = report_new();
	struct report *first = report_object(r, "x");
	struct report *second = report_object(r, "x");

	report_u64(first, "n", 1);
	report_u64(second, "n", 2);
	report_u64(r, NULL, 3);
	assert_json(r, "{\"x\":{\"n\":2}}");
}

UNIT_MAIN("report", UNIT(values_keep_their_type_and_order), UNIT(objects_and_lists_nest),
    UNIT(bytes_of_strangers_are_escaped), UNIT(numbers_that_json_lacks_do_no_harm),
    UNIT(no_memory_means_no_values_and_no_crash),
    UNIT(a_key_set_twice_keeps_the_last_and_old_handles_stay_safe))
