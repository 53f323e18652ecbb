/* SPDX-License-Identifier: MIT */
/* Reports as metrics of Prometheus, text format 0.0.4. */
#include "core/http_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

/* What a status in JSON comes to. */
static void
expect(const char *status, const char *want)
{
	json_t *json = json_loads(status, 0, NULL);
	size_t len;
	char *got;

	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	got = http_metrics(json, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_STRING_EQUAL(got, want);
	CU_ASSERT_EQUAL(len, strlen(want));
	if (strcmp(got, want) != 0)
		fprintf(stderr, "got:\n%swant:\n%s", got, want);
	free(got);
	json_decref(json);
}

static void
numbers_have_the_words_on_the_way_to_them_for_a_name(void)
{
	expect("{\"dns\": {\"queries\": 12, \"cache\": {\"hits\": 3}}, \"up\": true, \"bad\": false}",
	    "hearth_bad 0\nhearth_dns_cache_hits 3\nhearth_dns_queries 12\nhearth_up 1\n");
	expect("{\"a-b C\": 1.5, \"n\": -7}", "hearth_a_b_c 1.5\nhearth_n -7\n");
	expect("{\"big\": 9223372036854775807}", "hearth_big 9223372036854775807\n");
}

static void
texts_and_nothing_are_no_metrics(void)
{
	expect("{\"version\": \"0.1\", \"none\": null, \"names\": [\"a\", \"b\"], \"no\": {}, \"l\": []}", "");
}

static void
what_stands_in_a_list_is_told_apart_by_its_first_text(void)
{
	expect("{\"servers\": [{\"server\": \"b\", \"sent\": 1, \"lost\": 2},"
	       " {\"server\": \"a\", \"sent\": 3, \"lost\": 4}]}",
	    "hearth_servers_lost{server=\"b\"} 2\nhearth_servers_lost{server=\"a\"} 4\n"
	    "hearth_servers_sent{server=\"b\"} 1\nhearth_servers_sent{server=\"a\"} 3\n");
	expect("{\"lists\": [{\"block\": \"ads\", \"files\": [{\"file\": \"/a\", \"names\": 5}]}]}",
	    "hearth_lists_files_names{block=\"ads\",file=\"/a\"} 5\n");
	expect("{\"threads\": [{\"n\": 1}, {\"n\": 2}]}",
	    "hearth_threads_n{index=\"0\"} 1\nhearth_threads_n{index=\"1\"} 2\n");
}

static void
a_state_is_told_as_a_label(void)
{
	expect("{\"servers\": [{\"server\": \"a\", \"state\": \"up\"}]}",
	    "hearth_servers_state{server=\"a\",state=\"up\"} 1\n");
}

/* The lines of one metric stand together, whatever other names begin like it. */
static void
lines_of_a_metric_are_one_group(void)
{
	expect("{\"l\": [{\"k\": \"a\", \"n\": 1, \"n_max\": 2}, {\"k\": \"b\", \"n\": 3, \"n_max\": 4}]}",
	    "hearth_l_n{k=\"a\"} 1\nhearth_l_n{k=\"b\"} 3\n"
	    "hearth_l_n_max{k=\"a\"} 2\nhearth_l_n_max{k=\"b\"} 4\n");
}

static void
labels_are_escaped_and_bounded(void)
{
	char status[8192], big[4096];

	expect("{\"l\": [{\"k\": \"a\\\"b\\\\c\\nd\", \"n\": 1}]}",
	    "hearth_l_n{k=\"a\\\"b\\\\c\\nd\"} 1\n");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	snprintf(status, sizeof(status), "{\"l\": [{\"k\": \"%s\", \"n\": 1}]}", big);
	expect(status, "hearth_l_n 1\n");
}

static void
a_status_that_is_none_is_nothing(void)
{
	size_t len;
	char *got = http_metrics(NULL, &len);

	CU_ASSERT_STRING_EQUAL(got, "");
	free(got);
}

UNIT_MAIN("http_metrics", UNIT(numbers_have_the_words_on_the_way_to_them_for_a_name),
    UNIT(texts_and_nothing_are_no_metrics),
    UNIT(what_stands_in_a_list_is_told_apart_by_its_first_text),
    UNIT(a_state_is_told_as_a_label), UNIT(lines_of_a_metric_are_one_group),
    UNIT(labels_are_escaped_and_bounded), UNIT(a_status_that_is_none_is_nothing))
