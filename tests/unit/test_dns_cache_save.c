/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "services/dns/dns_cache.h"

#include "support/dns_cache.h"
#include "support/unit.h"

#define START seconds(1000)
#define WALL  INT64_C(1750000000)	/* the wall clock at START */

static const uint8_t key_before[SEAL_SHORT_KEY_BYTES] = "before";
static const uint8_t key_after[SEAL_SHORT_KEY_BYTES] = "after";
static uint8_t file[1 << 20];
static uint8_t out[DNS_MSG_MAX];
static char text[DNS_TEST_DUMP];

static struct dns_cache *
cache_of(const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct dns_cache *c;

	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&c, &cf, key), OK);
	return c;
}

/* Save everything in one go. */
static struct span
save(const struct dns_cache *c, mono_us now)
{
	struct dns_snapshot s = { .now = now, .wall_s = WALL + (now - START) / seconds(1),
	    .routes = 42 };
	struct wire_wr wr = wire_wr_of(file, sizeof(file));
	uint32_t cursor = 0;

	dns_cache_save_begin(&s, &wr);
	CU_ASSERT_FALSE(dns_cache_save_some(c, &s, &cursor, &wr));
	CU_ASSERT_FALSE(wr.bad);
	return wire_wr_span(&wr);
}

/* Load in a run whose monotonic clock says `now` when the wall clock says `wall_s`. */
static enum err
load(struct dns_cache *c, struct span bytes, mono_us now, int64_t wall_s, uint64_t routes)
{
	struct dns_snapshot s = { .now = now, .wall_s = wall_s, .routes = routes };
	struct wire_rd rd = wire_rd_of(bytes);
	struct dns_load l;
	size_t taken = 0;
	enum err e = dns_cache_load_begin(&l, &s, &rd);

	while (e == OK && wire_rd_left(&rd) != 0)
		e = dns_cache_load_some(c, &l, &rd, 3, &taken);
	if (e == OK)	/* damage can give two entries one name */
		CU_ASSERT_TRUE(dns_test_stats(c).entries <= taken);
	return e;
}

static const char *
reply(struct dns_cache *c, const char *name, uint16_t type, mono_us now,
    enum dns_cache_state state)
{
	struct dns_test_key k;
	const struct dns_entry *e;

	dns_test_key(&k, c, name, type);
	CU_ASSERT_EQUAL(dns_cache_find(c, &k.key, now, &e), state);
	if (e == NULL)
		return "";
	return dns_test_dump(span_of(out,
	    dns_cache_write(c, e, &k.q, now, NULL, out, DNS_UDP_SIZE)), text);
}

static void
put(struct dns_cache *c, const char *name, uint16_t type, const struct dns_test_says *says,
    unsigned flags)
{
	struct dns_test_key k;

	dns_test_key(&k, c, name, type);
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(c, &k.key, dns_test_says(name, type, says), flags,
	    START));
}

static void
a_later_run_has_the_same_answers_with_the_right_ttls(void)
{
	struct dns_cache *c = cache_of(key_before);

	put(c, "a.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 300, .last = 9,
	    .flags = DNS_FLAG_AD, .ede = span_of("\0\21why", 5) }, 0);
	put(c, "t.example", DNS_TYPE_TXT, &(struct dns_test_says){ .ttl = 100, .len = 700 }, 0);
	put(c, "no.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 200, .negative = true,
	    .rcode = DNS_NXDOMAIN }, 0);

	struct span bytes = save(c, START + seconds(20));

	dns_cache_free(c);
	c = cache_of(key_after);
	/* Saved at an age of 20 s, down for 30 s; the new run's clock starts at 5 s. */
	CU_ASSERT_EQUAL(load(c, bytes, seconds(5), WALL + 50, 42), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 3);
	CU_ASSERT_EQUAL(dns_test_stats(c).negative_entries, 1);
	CU_ASSERT_STRING_EQUAL(reply(c, "a.example", DNS_TYPE_A, seconds(5), DNS_CACHE_FRESH),
	    "0 a.example 250 A 4\nopt 1232 00000000 9\n");
	CU_ASSERT_EQUAL(out[12 + 15 + 15], 9);
	CU_ASSERT_EQUAL(dns_msg_flags(span_of(out, 12)) & DNS_FLAG_AD, DNS_FLAG_AD);
	CU_ASSERT_STRING_EQUAL(reply(c, "t.example", DNS_TYPE_TXT, seconds(25), DNS_CACHE_FRESH),
	    "0 t.example 30 TXT 700\nopt 1232 00000000 0\n");
	CU_ASSERT_STRING_EQUAL(reply(c, "no.example", DNS_TYPE_A, seconds(5), DNS_CACHE_FRESH),
	    "1 . 150 SOA 32\nopt 1232 00000000 0\n");
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_NXDOMAIN);
	reply(c, "no.example", DNS_TYPE_MX, seconds(5), DNS_CACHE_FRESH);	/* for all types */
	dns_cache_free(c);
}

static void
what_ran_out_meanwhile_is_stale_or_left_behind(void)
{
	struct dns_cache *c = cache_of(key_before);
	struct span bytes;

	put(c, "a.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 60 }, 0);
	put(c, "b.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 60 }, DNS_PUT_NO_STALE);
	bytes = save(c, START);
	dns_cache_free(c);

	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL + 59, 42), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 2);
	reply(c, "b.example", DNS_TYPE_A, START + seconds(1), DNS_CACHE_MISS);
	reply(c, "a.example", DNS_TYPE_A, START + seconds(1), DNS_CACHE_STALE);
	dns_cache_free(c);

	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL + 60, 42), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 1);
	dns_cache_free(c);

	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL + 60 + 86400, 42), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 0);
	dns_cache_free(c);
}

static void
failures_are_not_saved(void)
{
	struct dns_cache *c = cache_of(key_before);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put_failure(c, &k.key, &(struct dns_failure){ 0 }, START);
	CU_ASSERT_EQUAL(save(c, START).len, 24);
	dns_cache_free(c);
}

static void
routes_that_changed_their_meaning_are_left_behind(void)
{
	struct dns_cache *c = cache_of(key_before);
	struct dns_test_key k;
	struct span bytes;

	put(c, "a.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 60 }, 0);
	dns_test_key(&k, c, "b.example", DNS_TYPE_A);
	k.key.route = 3;
	dns_cache_put(c, &k.key, dns_test_address("b.example", 60, 1), 0, START);
	bytes = save(c, START);
	dns_cache_free(c);
	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL, 43), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 1);
	dns_cache_free(c);
	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL, 42), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 2);
	dns_cache_free(c);
}

static void
do_and_cd_are_saved_with_the_answer(void)
{
	struct dns_cache *c = cache_of(key_before);
	struct dns_test_key k;
	const struct dns_entry *e;
	struct span bytes;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	k.key.dnssec_ok = true;
	k.key.checking_disabled = true;
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	bytes = save(c, START);
	dns_cache_free(c);
	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL, 42), OK);
	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	CU_ASSERT_EQUAL(dns_cache_find(c, &k.key, START, &e), DNS_CACHE_MISS);
	k.key.dnssec_ok = true;
	k.key.checking_disabled = true;
	CU_ASSERT_EQUAL(dns_cache_find(c, &k.key, START, &e), DNS_CACHE_FRESH);
	dns_cache_free(c);
}

static void
a_snapshot_can_be_written_in_slices(void)
{
	struct dns_snapshot s = { .now = START, .wall_s = WALL };
	struct dns_cache *c = cache_of(key_before);
	uint8_t slice[1200];
	uint32_t cursor = 0;
	unsigned slices = 0;
	struct wire_wr whole = wire_wr_of(file, sizeof(file));
	bool more = true;

	for (unsigned i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example", i);
		put(c, name, DNS_TYPE_A, &(struct dns_test_says){ .ttl = 60 }, 0);
	}
	dns_cache_save_begin(&s, &whole);
	while (more) {
		struct wire_wr wr = wire_wr_of(slice, sizeof(slice));

		more = dns_cache_save_some(c, &s, &cursor, &wr);
		CU_ASSERT_TRUE_FATAL(wire_wr_len(&wr) != 0 || !more);
		wire_wr_bytes(&whole, wire_wr_span(&wr));
		slices++;
	}
	CU_ASSERT_TRUE(slices > 5);
	dns_cache_free(c);
	c = cache_of(key_after);
	CU_ASSERT_EQUAL(load(c, wire_wr_span(&whole), START, WALL, 0), OK);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 200);
	dns_cache_free(c);
}

static void
other_files_and_other_times_are_refused(void)
{
	struct dns_cache *c = cache_of(key_before);
	struct span bytes;

	put(c, "a.example", DNS_TYPE_A, &(struct dns_test_says){ .ttl = 60 }, 0);
	bytes = save(c, START);
	CU_ASSERT_EQUAL(load(c, span_of(NULL, 0), START, WALL, 42), ERR_SHORT);
	CU_ASSERT_EQUAL(load(c, span_of(file, 23), START, WALL, 42), ERR_SHORT);
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL - 1, 42), ERR_RANGE);
	file[7]++;
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL, 42), ERR_UNSUPPORTED);
	file[0]++;
	CU_ASSERT_EQUAL(load(c, bytes, START, WALL, 42), ERR_FORMAT);
	dns_cache_free(c);
}

static void
a_damaged_snapshot_does_no_harm(void)
{
	struct dns_cache *c = cache_of(key_before);
	uint64_t random = unit_seed(99);
	struct span bytes;
	static uint8_t copy[65536];
	unsigned refused = 0;

	for (unsigned i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example", i);
		put(c, name, DNS_TYPE_A,
		    &(struct dns_test_says){ .ttl = 60, .negative = i % 2 == 0 }, 0);
	}
	bytes = save(c, START);
	dns_cache_free(c);
	for (size_t len = 24; len < bytes.len; len++) {
		enum err e;

		c = cache_of(key_after);
		e = load(c, span_of(bytes.at, len), START, WALL, 42);
		CU_ASSERT_TRUE(e == OK || e == ERR_SHORT);
		dns_cache_free(c);
	}
	for (unsigned round = 0; round < 2000; round++) {
		memcpy(copy, bytes.at, bytes.len);
		for (unsigned i = 0; i < 3; i++)
			copy[24 + unit_random(&random) % (bytes.len - 24)] ^=
			    (uint8_t)(1u << unit_random(&random) % 8);
		c = cache_of(key_after);
		refused += load(c, span_of(copy, bytes.len), START, WALL, 42) != OK;
		dns_cache_free(c);
	}
	CU_ASSERT_TRUE(refused > 100);
}

UNIT_MAIN("dns_cache_save", UNIT(a_later_run_has_the_same_answers_with_the_right_ttls),
    UNIT(what_ran_out_meanwhile_is_stale_or_left_behind), UNIT(failures_are_not_saved),
    UNIT(routes_that_changed_their_meaning_are_left_behind),
    UNIT(do_and_cd_are_saved_with_the_answer), UNIT(a_snapshot_can_be_written_in_slices),
    UNIT(other_files_and_other_times_are_refused), UNIT(a_damaged_snapshot_does_no_harm))
