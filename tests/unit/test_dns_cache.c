/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_cache.h"

#include <malloc.h>
#include <stdlib.h>

#include "support/dns_cache.h"
#include "support/unit.h"

#define START seconds(1000)

static const uint8_t hash_key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";
static uint8_t out[DNS_MSG_MAX];
static char text[DNS_TEST_DUMP];

static struct dns_cache *
cache_of(size_t bytes)
{
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct dns_cache *c;

	cf.bytes = bytes;
	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&c, &cf, hash_key), OK);
	return c;
}

/* Look up and check the state; gives the entry. */
static const struct dns_entry *
expect(struct dns_cache *c, const struct dns_test_key *k, mono_us now, enum dns_cache_state state)
{
	const struct dns_entry *e;

	CU_ASSERT_EQUAL(dns_cache_find(c, &k->key, now, &e), state);
	CU_ASSERT_EQUAL(e == NULL, state == DNS_CACHE_MISS);
	return e;
}

/* The reply that an entry gives, as text. */
static const char *
reply(const struct dns_cache *c, const struct dns_entry *e, const struct dns_test_key *k,
    mono_us now)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	return dns_test_dump(span_of(out,
	    dns_cache_write(c, e, &k->q, now, NULL, out, DNS_UDP_SIZE)), text);
}

/* --- finding and writing ---------------------------------------------------------------------- */

static void
an_answer_is_found_and_its_ttl_counts_down(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;

	dns_test_key(&k, c, "WWW.Example.org", DNS_TYPE_A);
	expect(c, &k, START, DNS_CACHE_MISS);
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(c, &k.key, dns_test_address("www.example.org", 60, 7),
	    0, START));
	for (uint32_t s = 0; s < 60; s++) {
		char want[100];
		mono_us now = START + seconds(s) + millis(s * 16);

		const struct dns_entry *e = expect(c, &k, now, DNS_CACHE_FRESH);

		snprintf(want, sizeof(want), "0 WWW.Example.org %u A 4\nopt 1232 00000000 0\n",
		    60 - s);
		CU_ASSERT_STRING_EQUAL(reply(c, e, &k, now), want);
	}
	CU_ASSERT_EQUAL(memcmp(out + 12, k.packet + 12, k.q.question_len), 0);
	CU_ASSERT_EQUAL(dns_msg_id(span_of(out, 12)), 0x1234);
	expect(c, &k, START + seconds(60) - 1, DNS_CACHE_FRESH);
	expect(c, &k, START + seconds(60), DNS_CACHE_STALE);

	struct dns_cache_stats s = dns_test_stats(c);

	CU_ASSERT_EQUAL(s.hits, 61);
	CU_ASSERT_EQUAL(s.misses, 1);
	CU_ASSERT_EQUAL(s.stale_hits, 1);
	CU_ASSERT_EQUAL(s.inserts, 1);
	CU_ASSERT_EQUAL(s.entries, 1);
	dns_cache_free(c);
}

static void
every_part_of_the_key_counts(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	struct dns_test_key other;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	expect(c, &k, START, DNS_CACHE_FRESH);
	dns_test_key(&other, c, "b.example", DNS_TYPE_A);
	expect(c, &other, START, DNS_CACHE_MISS);
	other.key.name_hash = k.key.name_hash;		/* not even when the hash is the same */
	expect(c, &other, START, DNS_CACHE_MISS);
	dns_test_key(&other, c, "a.example", DNS_TYPE_AAAA);
	expect(c, &other, START, DNS_CACHE_MISS);

	struct dns_key key = k.key;
	const struct dns_entry *e;

	key.class = DNS_CLASS_CH;
	CU_ASSERT_EQUAL(dns_cache_find(c, &key, START, &e), DNS_CACHE_MISS);
	key = k.key;
	key.route = 1;
	CU_ASSERT_EQUAL(dns_cache_find(c, &key, START, &e), DNS_CACHE_MISS);
	key = k.key;
	key.dnssec_ok = true;
	CU_ASSERT_EQUAL(dns_cache_find(c, &key, START, &e), DNS_CACHE_MISS);
	key = k.key;
	key.checking_disabled = true;
	CU_ASSERT_EQUAL(dns_cache_find(c, &key, START, &e), DNS_CACHE_MISS);
	dns_cache_free(c);
}

static void
a_client_without_edns_gets_no_opt_and_512_bytes(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	const struct dns_packed *txt = dns_test_says("big.example", DNS_TYPE_TXT,
	    &(struct dns_test_says){ .ttl = 60, .len = 600 });

	dns_test_key(&k, c, "big.example", DNS_TYPE_TXT);

	const struct dns_entry *e = dns_cache_put(c, &k.key, txt, 0, START);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	dns_test_query(&k.q, k.packet, &(struct dns_test_query){ .name = "big.example",
	    .type = DNS_TYPE_TXT });
	CU_ASSERT_EQUAL(dns_cache_write(c, e, &k.q, START, NULL, out, 512), 12 + 17);
	CU_ASSERT_EQUAL(dns_msg_flags(span_of(out, 12)) & DNS_FLAG_TC, DNS_FLAG_TC);
	CU_ASSERT_EQUAL(dns_cache_write(c, e, &k.q, START, NULL, out, DNS_MSG_MAX), 12 + 17 + 612);
	dns_cache_free(c);
}

static void
an_upstreams_ede_is_passed_on_unless_ours_comes_first(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	struct dns_opt opt = { .has_ede = true, .ede = DNS_EDE_FORGED };
	const struct dns_packed *p = dns_test_says("a.example", DNS_TYPE_A,
	    &(struct dns_test_says){ .ttl = 60, .ede = span_of("\0\21why", 5) });

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);

	const struct dns_entry *e = dns_cache_put(c, &k.key, p, 0, START);

	CU_ASSERT_STRING_EQUAL(reply(c, e, &k, START), "0 a.example 60 A 4\nopt 1232 00000000 9\n");
	CU_ASSERT_EQUAL(memcmp(out + 12 + 15 + 16 + 11, "\0\17\0\5\0\21why", 9), 0);
	dns_cache_write(c, e, &k.q, START, &opt, out, DNS_UDP_SIZE);
	CU_ASSERT_EQUAL(memcmp(out + 12 + 15 + 16 + 11, "\0\17\0\2\0\4", 6), 0);
	opt = (struct dns_opt){ .has_keepalive = true };	/* something else of ours: both */
	dns_test_dump(span_of(out, dns_cache_write(c, e, &k.q, START, &opt, out, DNS_UDP_SIZE)),
	    text);
	CU_ASSERT_STRING_EQUAL(text, "0 a.example 60 A 4\nopt 1232 00000000 15\n");
	dns_cache_free(c);
}

static void
no_such_name_holds_for_every_type(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key a;
	struct dns_test_key aaaa;

	dns_test_key(&a, c, "a.example", DNS_TYPE_A);
	dns_test_key(&aaaa, c, "a.example", DNS_TYPE_AAAA);
	dns_cache_put(c, &a.key, dns_test_nxdomain("a.example", 60), 0, START);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &aaaa, START, DNS_CACHE_FRESH), &aaaa, START),
	    "1 . 60 SOA 32\nopt 1232 00000000 0\n");
	CU_ASSERT_EQUAL(memcmp(out + 12, aaaa.packet + 12, aaaa.q.question_len), 0);
	aaaa.key.dnssec_ok = true;			/* another answer: with proof */
	expect(c, &aaaa, START, DNS_CACHE_MISS);
	aaaa.key.dnssec_ok = false;
	/* Now it exists, if only for another type: all of them have to be asked for again. */
	dns_cache_put(c, &aaaa.key, dns_test_says("a.example", DNS_TYPE_AAAA,
	    &(struct dns_test_says){ .ttl = 60, .len = 16 }), 0, START);
	expect(c, &aaaa, START, DNS_CACHE_FRESH);
	expect(c, &a, START, DNS_CACHE_MISS);
	dns_cache_free(c);
}

static void
a_fresh_no_such_name_beats_a_stale_answer_but_not_a_fresh_one(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key a;
	struct dns_test_key aaaa;
	mono_us later = START + seconds(60);

	dns_test_key(&a, c, "a.example", DNS_TYPE_A);
	dns_test_key(&aaaa, c, "a.example", DNS_TYPE_AAAA);
	dns_cache_put(c, &a.key, dns_test_address("a.example", 60, 1), 0, START);
	dns_cache_put(c, &aaaa.key, dns_test_nxdomain("a.example", 100), 0, START);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 2);
	reply(c, expect(c, &a, START, DNS_CACHE_FRESH), &a, START);
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_NOERROR);
	reply(c, expect(c, &a, later, DNS_CACHE_FRESH), &a, later);
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_NXDOMAIN);
	later += seconds(40);				/* both stale: the one of the type */
	reply(c, expect(c, &a, later, DNS_CACHE_STALE), &a, later);
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_NOERROR);
	expect(c, &aaaa, later, DNS_CACHE_STALE);
	dns_cache_put_failure(c, &aaaa.key, &(struct dns_failure){ 0 }, later);
	expect(c, &aaaa, later, DNS_CACHE_STALE_HELD);
	dns_cache_free(c);
}

static void
no_such_name_behind_an_alias_holds_for_its_type_only(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	struct dns_packed *p = malloc(sizeof(*p));

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	*p = *dns_test_nxdomain("a.example", 60);
	p->view.answers = 1;	/* as if there were a CNAME; nobody looks at the records */
	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, p, 0, START);
	expect(c, &k, START, DNS_CACHE_FRESH);
	dns_test_key(&k, c, "a.example", DNS_TYPE_AAAA);
	expect(c, &k, START, DNS_CACHE_MISS);
	free(p);
	dns_cache_free(c);
}

/* --- stale ------------------------------------------------------------------------------------ */

static void
a_stale_answer_says_so_and_shows_a_short_ttl(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	mono_us later = START + seconds(1000);
	const struct dns_packed *p = dns_test_says("a.example", DNS_TYPE_A,
	    &(struct dns_test_says){ .ttl = 100, .flags = DNS_FLAG_AD });
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, p, 0, START);
	reply(c, expect(c, &k, START, DNS_CACHE_FRESH), &k, START);
	CU_ASSERT_EQUAL(dns_msg_flags(span_of(out, 12)) & DNS_FLAG_AD, DNS_FLAG_AD);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &k, later, DNS_CACHE_STALE), &k, later),
	    "0 a.example 30 A 4\nopt 1232 00000000 6\n");
	CU_ASSERT_EQUAL(memcmp(out + 12 + 15 + 16 + 11, "\0\17\0\2\0\3", 6), 0);
	CU_ASSERT_EQUAL(dns_msg_flags(span_of(out, 12)) & DNS_FLAG_AD, 0);

	dns_cache_put(c, &k.key, dns_test_address("a.example", 20, 1), 0, START);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &k, later, DNS_CACHE_STALE), &k, later),
	    "0 a.example 20 A 4\nopt 1232 00000000 6\n");

	dns_cache_put(c, &k.key, dns_test_nxdomain("a.example", 100), 0, START);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &k, later, DNS_CACHE_STALE), &k, later),
	    "1 . 30 SOA 32\nopt 1232 00000000 6\n");
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_NXDOMAIN);
	CU_ASSERT_EQUAL(out[12 + 15 + 11 + 32 + 11 + 5], DNS_EDE_STALE_NXDOMAIN);
	dns_cache_free(c);
}

static void
a_second_look_finds_the_same_and_counts_nothing(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	mono_us later = START + seconds(1000);
	struct dns_cache_stats before, after;
	const struct dns_entry *e;
	struct dns_test_key k, none;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_test_key(&none, c, "b.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 100, 1), 0, START);
	expect(c, &k, later, DNS_CACHE_STALE);
	dns_cache_stats(c, &before);
	CU_ASSERT_EQUAL(dns_cache_peek(c, &k.key, later, &e), DNS_CACHE_STALE);
	CU_ASSERT_PTR_EQUAL(e, expect(c, &k, later, DNS_CACHE_STALE));
	CU_ASSERT_EQUAL(dns_cache_peek(c, &none.key, later, &e), DNS_CACHE_MISS);
	CU_ASSERT_PTR_NULL(e);
	dns_cache_stats(c, &after);
	CU_ASSERT_EQUAL(after.stale_hits, before.stale_hits + 1);	/* expect() alone */
	CU_ASSERT_EQUAL(after.misses, before.misses);
	dns_cache_free(c);
}

static void
staleness_ends_with_its_window_and_can_be_switched_off(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	mono_us end = START + seconds(60) + seconds(86400);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	expect(c, &k, end - 1, DNS_CACHE_STALE);
	expect(c, &k, end, DNS_CACHE_MISS);
	cf.stale_window_s = 0;
	dns_cache_configure(c, &cf);
	expect(c, &k, START + seconds(60) - 1, DNS_CACHE_FRESH);
	expect(c, &k, START + seconds(60), DNS_CACHE_MISS);
	cf.stale_window_s = 86400;
	dns_cache_configure(c, &cf);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), DNS_PUT_NO_STALE, START);
	expect(c, &k, START + seconds(60) - 1, DNS_CACHE_FRESH);
	expect(c, &k, START + seconds(60), DNS_CACHE_MISS);
	dns_cache_free(c);
}

/* --- failures --------------------------------------------------------------------------------- */

static void
a_failure_is_held_longer_each_time(void)
{
	static const int holds[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_failure f = { 0 };
	struct dns_test_key k;
	mono_us now = START;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		CU_ASSERT_PTR_NOT_NULL(dns_cache_put_failure(c, &k.key, &f, now));
		expect(c, &k, now, DNS_CACHE_FAILED);
		now += seconds(holds[i]);
		expect(c, &k, now - 1, DNS_CACHE_FAILED);
		expect(c, &k, now, DNS_CACHE_MISS);
		now += seconds(5);
	}
	now += seconds(60);		/* long ago: starts anew */
	dns_cache_put_failure(c, &k.key, &f, now);
	expect(c, &k, now + seconds(1), DNS_CACHE_MISS);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 1);
	CU_ASSERT_EQUAL(dns_test_stats(c).negative_entries, 1);
	dns_cache_free(c);
}

static void
a_failure_says_why(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_failure f = { 0 };
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);

	const struct dns_entry *e = dns_cache_put_failure(c, &k.key, &f, START);

	CU_ASSERT_STRING_EQUAL(reply(c, e, &k, START), "opt 1232 00000000 6\n");
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_SERVFAIL);
	CU_ASSERT_EQUAL(out[12 + 15 + 11 + 5], DNS_EDE_CACHED_ERROR);
	f = (struct dns_failure){ .rcode = DNS_REFUSED, .has_ede = true, .ede = DNS_EDE_PROHIBITED,
	    .ede_text = span_str("no") };
	e = dns_cache_put_failure(c, &k.key, &f, START);
	CU_ASSERT_STRING_EQUAL(reply(c, e, &k, START), "opt 1232 00000000 8\n");
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, DNS_REFUSED);
	CU_ASSERT_EQUAL(memcmp(out + 12 + 15 + 11 + 4, "\0\22no", 4), 0);
	dns_cache_free(c);
}

static void
an_answer_ends_a_failure_and_a_failure_does_not_end_an_answer(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_failure f = { 0 };
	struct dns_test_key k;
	mono_us later = START + seconds(100);

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put_failure(c, &k.key, &f, START);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	expect(c, &k, START, DNS_CACHE_FRESH);
	dns_cache_put_failure(c, &k.key, &f, START);	/* a prefetch that failed */
	expect(c, &k, START, DNS_CACHE_FRESH);
	expect(c, &k, later, DNS_CACHE_STALE);
	dns_cache_put_failure(c, &k.key, &f, later);
	expect(c, &k, later, DNS_CACHE_STALE_HELD);
	expect(c, &k, later + seconds(30) - 1, DNS_CACHE_STALE_HELD);
	expect(c, &k, later + seconds(30), DNS_CACHE_STALE);
	later += seconds(90000);	/* the stale window is over: now it counts */
	dns_cache_put_failure(c, &k.key, &f, later);
	expect(c, &k, later, DNS_CACHE_FAILED);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 1);
	dns_cache_free(c);
}

/* --- storing ---------------------------------------------------------------------------------- */

static void
a_ttl_of_zero_is_never_kept_and_ends_what_was(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	CU_ASSERT_PTR_NULL(dns_cache_put(c, &k.key, dns_test_address("a.example", 0, 1), 0, START));
	expect(c, &k, START, DNS_CACHE_MISS);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	CU_ASSERT_PTR_NULL(dns_cache_put(c, &k.key, dns_test_address("a.example", 0, 2), 0, START));
	expect(c, &k, START, DNS_CACHE_MISS);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 0);
	dns_cache_free(c);
}

static void
a_failed_answer_is_not_kept_as_an_answer(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	const struct dns_packed *p;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	p = dns_test_says("a.example", DNS_TYPE_A,
	    &(struct dns_test_says){ .rcode = DNS_SERVFAIL });
	CU_ASSERT_PTR_NULL(dns_cache_put(c, &k.key, p, 0, START));
	expect(c, &k, START, DNS_CACHE_FRESH);
	dns_cache_free(c);
}

static void
a_newer_answer_takes_the_place_of_the_older(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	dns_cache_put(c, &k.key, dns_test_nxdomain("a.example", 60), 0, START);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &k, START, DNS_CACHE_FRESH), &k, START),
	    "1 . 60 SOA 32\nopt 1232 00000000 0\n");
	CU_ASSERT_EQUAL(dns_test_stats(c).negative_entries, 1);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 50, 1), 0, START);
	CU_ASSERT_STRING_EQUAL(reply(c, expect(c, &k, START, DNS_CACHE_FRESH), &k, START),
	    "0 a.example 50 A 4\nopt 1232 00000000 0\n");

	struct dns_cache_stats s = dns_test_stats(c);

	CU_ASSERT_EQUAL(s.entries, 1);
	CU_ASSERT_EQUAL(s.negative_entries, 0);
	CU_ASSERT_EQUAL(s.negative_bytes, 0);
	CU_ASSERT_EQUAL(s.replaced, 2);
	CU_ASSERT_EQUAL(s.inserts, 3);
	dns_cache_free(c);
}

static void
a_popular_answer_is_refreshed_once_before_its_end(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;
	mono_us due = START + seconds(90);
	const struct dns_entry *e = NULL;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 100, 1), 0, START);
	for (unsigned i = 0; i < DNS_CACHE_PREFETCH_HITS - 1; i++)
		e = expect(c, &k, START, DNS_CACHE_FRESH);
	CU_ASSERT_FALSE(dns_cache_prefetch_due(c, e, due));
	e = expect(c, &k, START, DNS_CACHE_FRESH);
	CU_ASSERT_FALSE(dns_cache_prefetch_due(c, e, due - 1));
	CU_ASSERT_FALSE(dns_cache_prefetch_due(c, e, START + seconds(100)));
	CU_ASSERT_TRUE(dns_cache_prefetch_due(c, e, due));
	CU_ASSERT_FALSE(dns_cache_prefetch_due(c, e, due));
	CU_ASSERT_EQUAL(dns_test_stats(c).prefetches, 1);
	dns_cache_free(c);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void
put_numbered(struct dns_cache *c, const char *stem, unsigned n, bool negative, mono_us now)
{
	struct dns_test_key k;
	char name[64];

	snprintf(name, sizeof(name), "%s%u.example", stem, n);
	dns_test_key(&k, c, name, DNS_TYPE_A);
	dns_cache_put(c, &k.key, negative ? dns_test_nxdomain(name, 3600) :
	    dns_test_address(name, 3600, 1), 0, now);
}

static void
bytes_are_bounded_and_negatives_get_a_quarter(void)
{
	struct dns_cache *c = cache_of(256 << 10);
	struct dns_cache_stats s;

	for (unsigned i = 0; i < 3000; i++)
		put_numbered(c, "good", i, false, START);
	s = dns_test_stats(c);
	CU_ASSERT_TRUE(s.bytes <= 256 << 10);
	CU_ASSERT_TRUE(s.bytes > 200 << 10);
	CU_ASSERT_TRUE(s.evictions > 0);

	size_t good = s.entries;

	for (unsigned i = 0; i < 20000; i++)
		put_numbered(c, "bad", i, true, START);
	s = dns_test_stats(c);
	CU_ASSERT_TRUE(s.bytes <= 256 << 10);
	CU_ASSERT_TRUE(s.negative_bytes <= 64 << 10);
	CU_ASSERT_TRUE(s.entries - s.negative_entries >= good / 2);
	dns_cache_free(c);
}

static void
what_is_used_survives_what_is_not(void)
{
	struct dns_cache *c = cache_of(128 << 10);
	struct dns_test_key hot[50];
	unsigned left = 0;

	for (unsigned i = 0; i < 50; i++) {
		char name[64];

		snprintf(name, sizeof(name), "hot%u.example", i);
		dns_test_key(&hot[i], c, name, DNS_TYPE_A);
		dns_cache_put(c, &hot[i].key, dns_test_address(name, 3600, 1), 0, START);
	}
	for (unsigned i = 0; i < 5000; i++) {
		const struct dns_entry *e;

		put_numbered(c, "once", i, false, START);
		dns_cache_find(c, &hot[i % 50].key, START, &e);
	}
	for (unsigned i = 0; i < 50; i++) {
		const struct dns_entry *e;

		left += dns_cache_find(c, &hot[i].key, START, &e) == DNS_CACHE_FRESH;
	}
	CU_ASSERT_EQUAL(left, 50);
	dns_cache_free(c);
}

static void
what_is_past_all_use_goes_first(void)
{
	struct dns_cache *c = cache_of(128 << 10);
	mono_us later = START + seconds(3600) + seconds(86400) + seconds(61);

	for (unsigned i = 0; i < 300; i++)
		put_numbered(c, "old", i, false, START);
	CU_ASSERT_EQUAL(dns_test_stats(c).evictions, 0);
	for (unsigned i = 0; i < 1500; i++)
		put_numbered(c, "new", i, false, later);

	struct dns_cache_stats s = dns_test_stats(c);

	CU_ASSERT_EQUAL(s.expired, 300);
	dns_cache_free(c);
}

static void
a_huge_answer_is_refused_by_a_small_cache(void)
{
	struct dns_cache *c = cache_of(64 << 10);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_TXT);
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(c, &k.key, dns_test_says("a.example", DNS_TYPE_TXT,
	    &(struct dns_test_says){ .ttl = 60, .len = 8000 }), 0, START));
	CU_ASSERT_PTR_NULL(dns_cache_put(c, &k.key, dns_test_says("a.example", DNS_TYPE_TXT,
	    &(struct dns_test_says){ .ttl = 60, .len = 8192 }), 0, START));
	CU_ASSERT_EQUAL(dns_test_stats(c).too_big, 1);
	dns_cache_free(c);
	c = cache_of(DNS_CACHE_BYTES_DEFAULT);
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(c, &k.key, dns_test_says("a.example", DNS_TYPE_TXT,
	    &(struct dns_test_says){ .ttl = 60, .len = 65000 }), 0, START));
	dns_cache_free(c);
}

static void
another_size_keeps_the_content_that_fits(void)
{
	struct dns_cache *c = cache_of(4 << 20);
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	unsigned found = 0;

	for (unsigned i = 0; i < 20000; i++)
		put_numbered(c, "n", i, i % 10 == 0, START);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 20000);
	cf.bytes = 16 << 20;
	dns_cache_configure(c, &cf);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 20000);
	cf.bytes = 512 << 10;
	dns_cache_configure(c, &cf);

	struct dns_cache_stats s = dns_test_stats(c);

	CU_ASSERT_TRUE(s.bytes <= 512 << 10);
	CU_ASSERT_TRUE(s.entries > 3000);
	CU_ASSERT_TRUE(s.negative_bytes <= 128 << 10);
	for (unsigned i = 0; i < 20000; i++) {
		struct dns_test_key k;
		char name[64];
		const struct dns_entry *e;

		snprintf(name, sizeof(name), "n%u.example", i);
		dns_test_key(&k, c, name, DNS_TYPE_A);
		found += dns_cache_find(c, &k.key, START, &e) == DNS_CACHE_FRESH;
	}
	CU_ASSERT_EQUAL(found, s.entries);
	put_numbered(c, "one-more", 1, false, START);
	CU_ASSERT_TRUE(dns_test_stats(c).bytes <= 512 << 10);
	dns_cache_free(c);
}

static void
ten_thousand_names_take_little_and_the_count_is_honest(void)
{
	struct mallinfo2 before = mallinfo2();
	struct dns_cache *c = cache_of(DNS_CACHE_BYTES_DEFAULT);

	for (unsigned i = 0; i < 10000; i++)
		put_numbered(c, "a-longer-name.of-host", i, false, START);

	struct mallinfo2 after = mallinfo2();
	struct dns_cache_stats s = dns_test_stats(c);
	size_t used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;

	CU_ASSERT_EQUAL(s.entries, 10000);
	CU_ASSERT_TRUE(s.bytes < 2500 << 10);
	printf("%zu bytes counted, %zu taken\n", s.bytes, used);
	if (after.uordblks != 0) {	/* not with the sanitizers' malloc */
		CU_ASSERT_TRUE(used < s.bytes + s.bytes / 50);
		CU_ASSERT_TRUE(used > s.bytes - s.bytes / 50);
	}
	dns_cache_free(c);
}

/* --- looking and flushing --------------------------------------------------------------------- */

/* a.example A and AAAA, b.a.example A, c.example NXDOMAIN, d.example failed. */
static struct dns_cache *
small_zoo(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_test_key k;

	dns_test_key(&k, c, "a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("a.example", 60, 1), 0, START);
	dns_test_key(&k, c, "a.example", DNS_TYPE_AAAA);
	k.key.route = 7;
	dns_cache_put(c, &k.key, dns_test_says("a.example", DNS_TYPE_AAAA,
	    &(struct dns_test_says){ .ttl = 60, .len = 16 }), 0, START);
	dns_test_key(&k, c, "b.a.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address("b.a.example", 60, 1), 0, START);
	dns_test_key(&k, c, "c.example", DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_nxdomain("c.example", 60), 0, START);
	dns_test_key(&k, c, "d.example", DNS_TYPE_A);
	dns_cache_put_failure(c, &k.key, &(struct dns_failure){ 0 }, START);
	return c;
}

static unsigned
count_of(const struct dns_cache *c, const char *name)
{
	struct dns_name n = dns_test_name(name);
	uint32_t cursor = 0;
	unsigned count = 0;

	while (dns_cache_next_of(c, dns_name_span(&n), &cursor) != NULL)
		count++;
	return count;
}

static size_t
flush_name(struct dns_cache *c, enum dns_flush_what what, const char *name, uint16_t type)
{
	return dns_cache_flush(c, &(struct dns_flush){ .what = what, .name = dns_test_name(name),
	    .type = type });
}

static size_t
flush(struct dns_cache *c, enum dns_flush_what what)
{
	return dns_cache_flush(c, &(struct dns_flush){ .what = what, .now = START, .route = 7 });
}

static void
parts_of_the_cache_can_be_flushed(void)
{
	struct dns_cache *c = small_zoo();

	CU_ASSERT_EQUAL(flush_name(c, DNS_FLUSH_NAME, "A.example", 0), 2);
	CU_ASSERT_EQUAL(count_of(c, "a.example"), 0);
	CU_ASSERT_EQUAL(count_of(c, "b.a.example"), 1);
	CU_ASSERT_EQUAL(dns_test_stats(c).flushed, 2);
	dns_cache_free(c);

	c = small_zoo();
	CU_ASSERT_EQUAL(flush_name(c, DNS_FLUSH_TYPE, "A.example", DNS_TYPE_AAAA), 1);
	CU_ASSERT_EQUAL(count_of(c, "a.example"), 1);
	CU_ASSERT_EQUAL(flush_name(c, DNS_FLUSH_BELOW, "A.example", 0), 2);
	CU_ASSERT_EQUAL(count_of(c, "c.example"), 1);
	CU_ASSERT_EQUAL(flush_name(c, DNS_FLUSH_BELOW, "EXAMPLE", 0), 2);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 0);
	dns_cache_free(c);

	c = small_zoo();
	CU_ASSERT_EQUAL(flush_name(c, DNS_FLUSH_TYPE, "c.example", DNS_TYPE_MX), 1);
	dns_cache_free(c);

	c = small_zoo();
	CU_ASSERT_EQUAL(flush(c, DNS_FLUSH_ROUTE), 1);
	CU_ASSERT_EQUAL(flush(c, DNS_FLUSH_NEGATIVE), 2);
	CU_ASSERT_EQUAL(dns_test_stats(c).negative_entries, 0);
	CU_ASSERT_EQUAL(flush(c, DNS_FLUSH_ALL), 2);
	CU_ASSERT_EQUAL(flush(c, DNS_FLUSH_ALL), 0);
	dns_cache_free(c);
}

static void
what_is_past_its_ttl_can_be_flushed(void)
{
	struct dns_cache *c = cache_of(1 << 20);
	struct dns_flush f = { .what = DNS_FLUSH_STALE, .now = START + seconds(100) };
	struct dns_flush later = { .what = DNS_FLUSH_STALE, .now = START + seconds(3700) };

	put_numbered(c, "n", 1, false, START);			/* of an hour */
	put_numbered(c, "n", 2, true, START);			/* does not exist */
	put_numbered(c, "n", 3, false, START + seconds(300));
	put_numbered(c, "n", 4, false, START - seconds(90000));	/* not even stale any more */
	CU_ASSERT_EQUAL(dns_cache_flush(c, &f), 1);
	CU_ASSERT_EQUAL(count_of(c, "n4.example"), 0);
	CU_ASSERT_EQUAL(dns_cache_flush(c, &later), 2);
	CU_ASSERT_EQUAL(count_of(c, "n3.example"), 1);
	dns_cache_free(c);
}

static void
a_flush_takes_as_many_steps_as_it_may(void)
{
	struct dns_cache *c = cache_of(16 << 20);
	struct dns_flush f = { .what = DNS_FLUSH_NEGATIVE };
	unsigned steps = 1;

	for (unsigned i = 0; i < 1000; i++)
		put_numbered(c, "n", i, i % 2 != 0, START);
	while (dns_cache_flush_some(c, &f, 64)) {
		CU_ASSERT(f.gone <= 32 * steps);
		/* What has come meanwhile is in nobody's way. */
		put_numbered(c, "late", steps++, false, START);
	}
	CU_ASSERT(steps >= 1000 / 64);
	CU_ASSERT_EQUAL(f.gone, 500);
	CU_ASSERT_EQUAL(dns_test_stats(c).negative_entries, 0);
	CU_ASSERT_EQUAL(dns_test_stats(c).flushed, 500);
	dns_cache_free(c);
}

static void
flushing_a_large_cache_gives_its_tables_back(void)
{
	struct dns_cache *c = cache_of(16 << 20);

	for (unsigned i = 0; i < 5000; i++)
		put_numbered(c, "n", i, false, START);
	CU_ASSERT_EQUAL(flush(c, DNS_FLUSH_ALL), 5000);
	CU_ASSERT_TRUE(dns_test_stats(c).bytes < 4096);
	put_numbered(c, "n", 1, false, START);
	CU_ASSERT_EQUAL(dns_test_stats(c).entries, 1);
	dns_cache_free(c);
}

static void
an_entry_tells_what_it_is(void)
{
	struct dns_cache *c = small_zoo();
	struct dns_name a = dns_test_name("a.EXAMPLE");
	struct dns_name d = dns_test_name("d.example");
	struct dns_name lower = dns_test_name("a.example");
	struct dns_entry_info info;
	uint32_t cursor = 0;
	const struct dns_entry *e = dns_cache_next_of(c, dns_name_span(&a), &cursor);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	dns_entry_info(c, e, START + millis(10500), &info);
	CU_ASSERT_TRUE(span_equal(info.key.name, dns_name_span(&lower)));
	CU_ASSERT_EQUAL(info.key.type, DNS_TYPE_A);
	CU_ASSERT_EQUAL(info.key.class, DNS_CLASS_IN);
	CU_ASSERT_EQUAL(info.state, DNS_CACHE_FRESH);
	CU_ASSERT_EQUAL(info.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(info.answer.answers, 1);
	CU_ASSERT_EQUAL(info.ttl_s, 49);
	CU_ASSERT_EQUAL(info.life_s, 60);
	CU_ASSERT_EQUAL(info.age_s, 10);
	dns_entry_info(c, e, START + millis(60500), &info);
	CU_ASSERT_EQUAL(info.state, DNS_CACHE_STALE);
	CU_ASSERT_EQUAL(info.ttl_s, -1);
	e = dns_cache_next_of(c, dns_name_span(&a), &cursor);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	dns_entry_info(c, e, START, &info);
	CU_ASSERT_EQUAL(info.key.route, 7);
	cursor = 0;
	e = dns_cache_next_of(c, dns_name_span(&d), &cursor);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	dns_entry_info(c, e, START, &info);
	CU_ASSERT_EQUAL(info.state, DNS_CACHE_FAILED);
	CU_ASSERT_EQUAL(info.kind, DNS_ANSWER_FAILURE);
	CU_ASSERT_EQUAL(info.failures, 1);
	CU_ASSERT_FALSE(info.any_type);
	CU_ASSERT_EQUAL(info.held_s, 1);
	CU_ASSERT_EQUAL(info.answer.body_len, 0);
	dns_cache_free(c);
}

static void
a_walk_sees_what_stays_exactly_once_whatever_happens(void)
{
	enum { N = 300 };
	struct dns_cache *c = cache_of(4 << 20);
	uint64_t state = unit_seed(17);
	unsigned char seen[N] = { 0 };
	uint32_t cursor = 0;
	const struct dns_entry *e;
	unsigned extra = 0;

	for (unsigned i = 0; i < N; i++)
		put_numbered(c, "n", i, false, START);
	while ((e = dns_cache_next(c, &cursor)) != NULL) {
		struct dns_entry_info info;
		char name[DNS_NAME_TEXT_MAX];
		unsigned n;

		dns_entry_info(c, e, START, &info);
		if (sscanf(dns_name_format(info.key.name, name), "n%u", &n) == 1)
			seen[n]++;
		/* In the middle of it: replace, add, remove what was added. */
		put_numbered(c, "n", (unsigned)(unit_random(&state) % N), false, START);
		put_numbered(c, "n", (unsigned)(unit_random(&state) % N), true, START);
		if (extra < 1000)
			put_numbered(c, "x", extra++, false, START);
		(void)flush_name(c, DNS_FLUSH_NAME, "x0.example", 0);
	}
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	dns_cache_free(c);
}

UNIT_MAIN("dns_cache", UNIT(an_answer_is_found_and_its_ttl_counts_down),
    UNIT(every_part_of_the_key_counts), UNIT(a_client_without_edns_gets_no_opt_and_512_bytes),
    UNIT(no_such_name_holds_for_every_type),
    UNIT(a_fresh_no_such_name_beats_a_stale_answer_but_not_a_fresh_one),
    UNIT(no_such_name_behind_an_alias_holds_for_its_type_only),
    UNIT(an_upstreams_ede_is_passed_on_unless_ours_comes_first),
    UNIT(a_stale_answer_says_so_and_shows_a_short_ttl),
    UNIT(a_second_look_finds_the_same_and_counts_nothing),
    UNIT(staleness_ends_with_its_window_and_can_be_switched_off),
    UNIT(a_failure_is_held_longer_each_time), UNIT(a_failure_says_why),
    UNIT(an_answer_ends_a_failure_and_a_failure_does_not_end_an_answer),
    UNIT(a_ttl_of_zero_is_never_kept_and_ends_what_was),
    UNIT(a_failed_answer_is_not_kept_as_an_answer),
    UNIT(a_newer_answer_takes_the_place_of_the_older),
    UNIT(a_popular_answer_is_refreshed_once_before_its_end),
    UNIT(bytes_are_bounded_and_negatives_get_a_quarter), UNIT(what_is_used_survives_what_is_not),
    UNIT(what_is_past_all_use_goes_first), UNIT(a_huge_answer_is_refused_by_a_small_cache),
    UNIT(another_size_keeps_the_content_that_fits),
    UNIT(ten_thousand_names_take_little_and_the_count_is_honest),
    UNIT(parts_of_the_cache_can_be_flushed),
    UNIT(what_is_past_its_ttl_can_be_flushed), UNIT(a_flush_takes_as_many_steps_as_it_may),
    UNIT(flushing_a_large_cache_gives_its_tables_back),
    UNIT(an_entry_tells_what_it_is), UNIT(a_walk_sees_what_stays_exactly_once_whatever_happens))
