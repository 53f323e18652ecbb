/* SPDX-License-Identifier: MIT */
/* The busiest keys of the last hour or two. */
#include "services/dns/dns_top.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"
#include "util/siphash.h"

#define START seconds(1000)

static const uint8_t secret[16] = { 7 };

static void
count(struct dns_top *t, const char *key, unsigned times, mono_us now)
{
	for (unsigned i = 0; i < times; i++)
		dns_top_count(t, siphash_of(span_str(key), secret), span_str(key), 1,
		    now);
}

/* The list as `key=count key=count`. */
static const char *
told(struct dns_top *t, size_t cap, mono_us now)
{
	static char text[512];
	struct dns_top_line lines[16];
	size_t n = dns_top_list(t, now, lines, cap), at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s=%llu",
		    i != 0 ? " " : "",
		    (int)lines[i].key.len, (const char *)lines[i].key.at,
		    (unsigned long long)lines[i].count);
	return text;
}

static struct dns_top *
top(void)
{
	struct dns_top *t;

	CU_ASSERT_EQUAL_FATAL(dns_top_new(&t, 20, START), OK);
	return t;
}

static void
the_most_frequent_come_first(void)
{
	struct dns_top *t = top();

	CU_ASSERT_STRING_EQUAL(told(t, 3, START), "");
	count(t, "rare", 1, START);
	count(t, "often", 30, START);
	count(t, "now and then", 5, START);
	count(t, "seldom", 2, START);
	CU_ASSERT_STRING_EQUAL(told(t, 3, START), "often=30 now and then=5 seldom=2");
	CU_ASSERT_STRING_EQUAL(told(t, 0, START), "");
	dns_top_clear(t, START);
	CU_ASSERT_STRING_EQUAL(told(t, 3, START), "");
	dns_top_free(t);
	dns_top_free(NULL);
}

static void
what_is_frequent_comes_up_whatever_is_asked_beside_it(void)
{
	struct dns_top *t = top();
	struct dns_top_line line;
	char name[20];

	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "random%u", i);
		count(t, name, 1, START);
		if (i % 50 == 0)
			count(t, "steady", 1, START);
	}
	CU_ASSERT_EQUAL(dns_top_list(t, START, &line, 1), 1);
	CU_ASSERT_TRUE(line.count >= 2000);
	CU_ASSERT_TRUE(span_equal(line.key, span_str("steady")));
	dns_top_free(t);
}

static void
two_hours_are_told_and_the_rest_is_forgotten(void)
{
	struct dns_top *t = top();
	mono_us second = START + DNS_TOP_GENERATION, third = second + DNS_TOP_GENERATION;

	count(t, "old", 10, START);
	count(t, "both", 4, START);
	count(t, "both", 3, second);
	count(t, "new", 1, second);
	CU_ASSERT_STRING_EQUAL(told(t, 9, second), "old=10 both=7 new=1");
	CU_ASSERT_EQUAL(dns_top_since(t), START);
	CU_ASSERT_STRING_EQUAL(told(t, 9, third), "both=3 new=1");
	CU_ASSERT_EQUAL(dns_top_since(t), second);
	count(t, "late", 1, third);
	CU_ASSERT_STRING_EQUAL(told(t, 9, third + 2 * DNS_TOP_GENERATION), "");
	dns_top_free(t);
}

UNIT_MAIN("dns_top", UNIT(the_most_frequent_come_first),
    UNIT(what_is_frequent_comes_up_whatever_is_asked_beside_it),
    UNIT(two_hours_are_told_and_the_rest_is_forgotten))
