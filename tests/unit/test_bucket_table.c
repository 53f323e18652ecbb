/* SPDX-License-Identifier: MIT */
#include "util/bucket_table.h"

#include <stdio.h>

#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 1, 2, 3 };

static bool
take(struct bucket_table *t, const char *from, mono_us now)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, from, 53), OK);
	return bucket_table_take(t, &a, 1, now);
}

static bool
take_number(struct bucket_table *t, uint32_t number, mono_us now)
{
	struct addr a = { .in = { .sin_family = AF_INET, .sin_addr = { htonl(number) } } };

	return bucket_table_take(t, &a, 1, now);
}

static void
each_source_has_its_own_budget(void)
{
	struct bucket_table t;

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 100, 1, 2, 64, key), OK);
	CU_ASSERT_EQUAL(t.cap, 128);
	CU_ASSERT_TRUE(take(&t, "192.0.2.1", 0));
	CU_ASSERT_TRUE(take(&t, "192.0.2.1:999", 0));
	CU_ASSERT_FALSE(take(&t, "192.0.2.1", 0));
	CU_ASSERT_TRUE(take(&t, "192.0.2.2", 0));
	CU_ASSERT_TRUE(take(&t, "192.0.2.1", seconds(1)));
	CU_ASSERT_FALSE(take(&t, "192.0.2.1", seconds(1)));
	CU_ASSERT_EQUAL(t.refused, 2);
	CU_ASSERT_EQUAL(t.used, 2);
	bucket_table_fini(&t);
}

static void
one_ipv6_prefix_is_one_source(void)
{
	struct bucket_table t;

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 100, 0, 1, 64, key), OK);
	CU_ASSERT_TRUE(take(&t, "2001:db8:1:2::1", 0));
	CU_ASSERT_FALSE(take(&t, "2001:db8:1:2:ffff::2", 0));
	CU_ASSERT_TRUE(take(&t, "2001:db8:1:3::1", 0));
	CU_ASSERT_EQUAL(t.used, 2);
	bucket_table_fini(&t);
}

static void
hosts_of_a_link_do_not_share_a_budget(void)
{
	struct bucket_table t;

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 100, 0, 1, 64, key), OK);
	CU_ASSERT_TRUE(take(&t, "fe80::1", 0));
	CU_ASSERT_TRUE(take(&t, "fe80::2", 0));
	CU_ASSERT_FALSE(take(&t, "fe80::2", 0));
	bucket_table_fini(&t);
}

static void
a_mapped_address_is_the_ipv4_one(void)
{
	struct bucket_table t;

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 100, 0, 1, 64, key), OK);
	CU_ASSERT_TRUE(take(&t, "::ffff:192.0.2.1", 0));
	CU_ASSERT_FALSE(take(&t, "192.0.2.1", 0));
	/* The other IPv4 addresses share its /64 in mapped form, but not its budget. */
	CU_ASSERT_TRUE(take(&t, "::ffff:192.0.2.2", 0));
	bucket_table_fini(&t);
}

static void
a_full_table_forgets_those_who_owe_least(void)
{
	struct bucket_table t;

	/* One group: every source competes with every other. */
	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 1, 1, 100, 64, key), OK);
	CU_ASSERT_EQUAL(t.cap, BUCKET_TABLE_WAYS);
	for (uint32_t host = 0; host < BUCKET_TABLE_WAYS; host++)
		for (uint32_t i = 0; i <= 10 + host; i++)
			CU_ASSERT_TRUE(take_number(&t, host, 0));
	CU_ASSERT_EQUAL(t.evicted, 0);

	/* Host 0 owes 11 tokens, the others more. After ten seconds it still owes one. */
	CU_ASSERT_TRUE(take_number(&t, 1000, seconds(10)));
	CU_ASSERT_EQUAL(t.evicted, 1);
	/* One second later the newcomer's one token is back, so it goes without loss. */
	CU_ASSERT_TRUE(take_number(&t, 2000, seconds(11)));
	CU_ASSERT_EQUAL(t.evicted, 1);
	CU_ASSERT_EQUAL(t.used, BUCKET_TABLE_WAYS);
	bucket_table_fini(&t);
}

static void
a_flood_of_sources_does_not_free_the_greedy_one(void)
{
	struct bucket_table t;
	uint64_t random = unit_seed(53);
	unsigned given = 0;

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 256, 1, 20, 64, key), OK);
	for (unsigned i = 0; i < 100000; i++) {
		given += take_number(&t, 0x0a000001, (mono_us)i);
		(void)take_number(&t, 0x0b000000 | (uint32_t)(unit_random(&random) >> 40),
		    (mono_us)i);
	}
	/* In the tenth of a second that this lasts, 20 at once and nothing more. */
	CU_ASSERT_EQUAL(given, 20);
	CU_ASSERT_EQUAL(t.used, t.cap);
	CU_ASSERT_TRUE(t.evicted > 90000);
	bucket_table_fini(&t);
}

static void
without_an_address_the_answer_is_no(void)
{
	struct bucket_table t;
	struct addr none = { 0 };

	CU_ASSERT_EQUAL_FATAL(bucket_table_init(&t, 1, 1, 1, 64, key), OK);
	CU_ASSERT_FALSE(bucket_table_take(&t, &none, 1, 0));
	CU_ASSERT_EQUAL(t.used, 0);
	for (uint32_t host = 0; host < BUCKET_TABLE_WAYS; host++)
		CU_ASSERT_TRUE(take_number(&t, host, 0));
	CU_ASSERT_FALSE(bucket_table_take(&t, &none, 1, 0));
	CU_ASSERT_EQUAL(t.used, BUCKET_TABLE_WAYS);
	bucket_table_fini(&t);
}

static void
sizes_out_of_range_are_refused(void)
{
	struct bucket_table t;

	CU_ASSERT_EQUAL(bucket_table_init(&t, 0, 1, 1, 64, key), ERR_RANGE);
	CU_ASSERT_EQUAL(bucket_table_init(&t, SIZE_MAX, 1, 1, 64, key), ERR_RANGE);
	CU_ASSERT_EQUAL(bucket_table_init(&t, 8, 1, 1, 129, key), ERR_RANGE);
	bucket_table_fini(&t);
	bucket_table_fini(&t);
}

UNIT_MAIN("bucket_table", UNIT(each_source_has_its_own_budget), UNIT(one_ipv6_prefix_is_one_source),
    UNIT(hosts_of_a_link_do_not_share_a_budget), UNIT(a_mapped_address_is_the_ipv4_one),
    UNIT(a_full_table_forgets_those_who_owe_least),
    UNIT(a_flood_of_sources_does_not_free_the_greedy_one),
    UNIT(without_an_address_the_answer_is_no), UNIT(sizes_out_of_range_are_refused))
