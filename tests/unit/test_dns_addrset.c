/* SPDX-License-Identifier: MIT */
/* Which addresses go into which sets, when, and for how long. */
#include "services/dns/dns_addrset.h"

#include <string.h>

#include "support/dns.h"
#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 3, 1, 4 };

static struct dns_list *
names(const char *one, const char *two)
{
	const char *const all[] = { one, two };
	struct dns_list_builder *b;
	struct dns_list *l;

	CU_ASSERT_EQUAL_FATAL(dns_list_builder_new(&b, 10), OK);
	for (size_t i = 0; i < 2; i++) {
		struct dns_name n = dns_test_name(all[i]);

		CU_ASSERT_EQUAL(dns_list_add(b, (struct dns_list_rule){ .kind = DNS_LIST_BLOCK },
		    dns_name_span(&n)), OK);
	}
	CU_ASSERT_EQUAL_FATAL(dns_list_finish(&l, b, key), OK);
	dns_list_builder_free(b);
	return l;
}

/* Two sets: of IPv4 and of IPv6, for other names. */
static struct dns_addrset *
two_sets(void)
{
	struct dns_addrset_set sets[2] = {
		{ .names = names("video.example", "both.example"), .timeout_min_s = 60,
		.ttl = true },
		{ .names = names("both.example", "top"), .timeout_min_s = 60 },
	};
	struct dns_addrset *as;

	CU_ASSERT_EQUAL(addrset_id_parse(&sets[0].id, ADDRSET_NFT, "inet home v4"), OK);
	CU_ASSERT_EQUAL(addrset_id_parse(&sets[1].id, ADDRSET_NFT, "inet home v6"), OK);
	CU_ASSERT_EQUAL_FATAL(dns_addrset_new(&as, sets, 2, key), OK);
	dns_addrset_allow(as, 0, 4, true);
	dns_addrset_allow(as, 1, 16, false);
	return as;
}

/* An answer with an alias, so many addresses of IPv4 and one of IPv6. */
static uint64_t
note(struct dns_addrset *as, const char *asked, uint32_t ttl, unsigned count, mono_us now)
{
	static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	struct dns_name lower = dns_test_name(asked);
	uint8_t buf[8192];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	dns_test_header(&wr, DNS_FLAG_QR, 1, (uint16_t)(count + 2), 0, 1);
	dns_test_question(&wr, asked, DNS_TYPE_A);
	dns_test_record_name(&wr, asked, DNS_TYPE_CNAME, ttl, "real.example");
	for (unsigned i = 0; i < count; i++)
		dns_test_a(&wr, "real.example", ttl, (uint8_t)i);
	dns_test_record(&wr, "real.example", DNS_TYPE_AAAA, ttl, span_of(v6, sizeof(v6)));
	dns_test_a(&wr, "glue.example", ttl, 99);	/* in the additional section */
	CU_ASSERT_FALSE_FATAL(wr.bad);
	return dns_addrset_note(as, dns_name_span(&lower), wire_wr_span(&wr), now);
}

/* What is taken out of the queue: its set and number, and the first one's time. */
static size_t
take(struct dns_addrset *as, size_t want_set, uint32_t *timeout_s)
{
	struct addrset_element e[ADDRSET_BATCH_MAX];
	size_t set = 99, count = dns_addrset_take(as, &set, e);

	if (count == 0)
		return 0;
	CU_ASSERT_EQUAL(set, want_set);
	*timeout_s = e[0].timeout_s;
	dns_addrset_settle(as, count);
	return count;
}

static void
addresses_go_to_the_sets_of_the_name_and_of_their_size(void)
{
	struct dns_addrset *as = two_sets();
	uint32_t timeout;

	CU_ASSERT_EQUAL(note(as, "other.example", 300, 2, seconds(100)), 0);
	CU_ASSERT_EQUAL(note(as, "notvideo.example", 300, 2, seconds(100)), 0);
	CU_ASSERT_EQUAL(note(as, "www.video.example", 300, 2, seconds(100)), 2);
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	CU_ASSERT_EQUAL(timeout, 300);
	CU_ASSERT_EQUAL(note(as, "any.top", 300, 1, seconds(100)), 3);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	CU_ASSERT_EQUAL(timeout, 0);	/* as the set says */
	CU_ASSERT_EQUAL(note(as, "both.example", 300, 4, seconds(100)), 5);	/* two are new */
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	CU_ASSERT_FALSE(dns_addrset_waiting(as));
	dns_addrset_free(as);
}

static void
a_set_may_have_every_name(void)
{
	struct dns_addrset_set set = { .names = names("video.example", "both.example"),
		.all = true };
	struct dns_addrset *as;

	CU_ASSERT_EQUAL(addrset_id_parse(&set.id, ADDRSET_IPSET, "seen"), OK);
	CU_ASSERT_EQUAL_FATAL(dns_addrset_new(&as, &set, 1, key), OK);
	dns_addrset_allow(as, 0, 4, false);
	CU_ASSERT_EQUAL(note(as, "other.example", 300, 2, seconds(100)), 2);
	CU_ASSERT_EQUAL(note(as, "top", 300, 3, seconds(100)), 3);
	dns_addrset_free(as);
}

static void
what_is_there_long_enough_is_not_added_again(void)
{
	struct dns_addrset *as = two_sets();
	uint32_t timeout;

	CU_ASSERT_EQUAL(note(as, "video.example", 300, 1, seconds(100)), 1);
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 1);
	/* The same answer out of the cache, with what is left of its TTL. */
	CU_ASSERT_EQUAL(note(as, "video.example", 200, 1, seconds(200)), 0);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 1, seconds(101)), 0);
	/* A fresh one lasts longer. */
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 1, seconds(200)), 2);
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 1);
	/* A short one is there for a minute. */
	CU_ASSERT_EQUAL(note(as, "video.example", 5, 2, seconds(500)), 4);
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	CU_ASSERT_EQUAL(timeout, 60);
	CU_ASSERT_EQUAL(note(as, "video.example", 5, 2, seconds(550)), 0);
	/* For ever is for ever. */
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 0, seconds(100)), 5);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 0, seconds(1000000)), 0);
	dns_addrset_free(as);
}

static void
who_asks_while_an_address_is_under_way_waits_as_well(void)
{
	struct dns_addrset *as = two_sets();
	struct addrset_element e[ADDRSET_BATCH_MAX];
	size_t set;

	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 2, seconds(100)), 2);
	CU_ASSERT_EQUAL(dns_addrset_take(as, &set, e), 3);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	CU_ASSERT_EQUAL(dns_addrset_settled(as), 0);
	dns_addrset_settle(as, 3);
	CU_ASSERT_EQUAL(dns_addrset_settled(as), 3);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 0);
	dns_addrset_free(as);
}

static void
what_the_kernel_refused_is_tried_by_the_next_answer(void)
{
	struct dns_addrset *as = two_sets();
	struct addrset_element e[ADDRSET_BATCH_MAX];
	size_t set;

	(void)note(as, "video.example", 300, 3, seconds(100));
	CU_ASSERT_EQUAL(dns_addrset_take(as, &set, e), 3);
	dns_addrset_forget(as, set, e + 1, 1);
	dns_addrset_settle(as, 3);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(101)), 4);
	CU_ASSERT_EQUAL(dns_addrset_take(as, &set, e), 1);
	CU_ASSERT_EQUAL(e[0].bytes[3], 1);
	dns_addrset_free(as);
}

static void
a_set_that_is_made_anew_gets_all_that_still_holds(void)
{
	struct dns_addrset *as = two_sets();
	uint32_t timeout;

	(void)note(as, "video.example", 300, 2, seconds(100));
	(void)note(as, "x.top", 300, 0, seconds(100));
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	dns_addrset_again(as, 0, seconds(350));
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	CU_ASSERT_EQUAL(timeout, 51);
	CU_ASSERT_FALSE(dns_addrset_waiting(as));
	dns_addrset_again(as, 0, seconds(400));
	CU_ASSERT_FALSE(dns_addrset_waiting(as));
	dns_addrset_again(as, 1, seconds(4000));
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	CU_ASSERT_EQUAL(timeout, 0);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->again, 3);
	dns_addrset_free(as);
}

static void
a_set_that_is_not_there_gets_nothing(void)
{
	struct dns_addrset *as = two_sets();

	dns_addrset_allow(as, 0, 0, false);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 0);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->absent, 4);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->other_family, 0);
	dns_addrset_allow(as, 0, 4, true);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->absent, 4);
	dns_addrset_free(as);
}

static void
addresses_of_another_family_than_the_sets_are_passed_over_and_counted(void)
{
	struct dns_addrset *as = two_sets();

	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->other_family, 1);
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 3, seconds(100)), 4);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->other_family, 4);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->queued, 4);
	dns_addrset_free(as);
}

static void
a_set_that_was_emptied_gets_what_had_got_there(void)
{
	struct dns_addrset *as = two_sets();
	uint32_t timeout;

	(void)note(as, "video.example", 300, 2, seconds(100));
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 2);
	/* Another one is on its way: it gets there by itself. */
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 3, seconds(100)), 3);
	dns_addrset_emptied(as, 0, seconds(200));
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->again, 2);
	CU_ASSERT_EQUAL(take(as, 0, &timeout), 3);
	/* In a set whose own time it is the elements may have ended, as they should. */
	(void)note(as, "x.top", 300, 0, seconds(200));
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	dns_addrset_emptied(as, 1, seconds(200));
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	dns_addrset_allow(as, 1, 16, true);
	dns_addrset_emptied(as, 1, seconds(200));
	CU_ASSERT_FALSE(dns_addrset_waiting(as));
	dns_addrset_free(as);
}

static void
a_set_that_forgets_by_itself_gets_an_address_with_each_fresh_record(void)
{
	struct dns_addrset *as = two_sets();
	uint32_t timeout;

	/* Known for ever at first; then the set is made anew, with a timeout. */
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 0, seconds(10)), 1);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	dns_addrset_allow(as, 1, 16, true);
	dns_addrset_again(as, 1, seconds(20));
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 0, seconds(100)), 3);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	CU_ASSERT_EQUAL(timeout, 0);
	CU_ASSERT_EQUAL(note(as, "x.top", 200, 0, seconds(200)), 0);
	CU_ASSERT_EQUAL(note(as, "x.top", 300, 0, seconds(400)), 4);
	CU_ASSERT_EQUAL(take(as, 1, &timeout), 1);
	dns_addrset_free(as);
}

static void
an_element_keeps_its_length_where_the_set_changes_its_kind(void)
{
	struct dns_addrset *as = two_sets();
	struct addrset_element e[ADDRSET_BATCH_MAX];
	size_t set;

	(void)note(as, "video.example", 300, 1, seconds(100));
	dns_addrset_allow(as, 0, 16, true);
	CU_ASSERT_EQUAL(dns_addrset_take(as, &set, e), 1);
	CU_ASSERT_EQUAL(e[0].len, 4);
	dns_addrset_forget(as, set, e, 1);
	dns_addrset_settle(as, 1);
	/* It was forgotten as what it was, so it is added to the set of before that comes back. */
	dns_addrset_allow(as, 0, 4, true);
	CU_ASSERT_EQUAL(note(as, "video.example", 300, 1, seconds(100)), 2);
	dns_addrset_free(as);
}

static void
a_full_queue_drops_and_counts(void)
{
	struct dns_addrset *as = two_sets();
	struct addrset_element e[ADDRSET_BATCH_MAX];
	size_t set, taken = 0, n;
	char name[64];

	/* Each name's answer has the same addresses, so their time has to run out in between. */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%u.video.example", i);
		(void)note(as, name, 60, 100, seconds(100 + 100 * (int64_t)i));
	}
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->queued, DNS_ADDRSET_QUEUE_MAX);
	CU_ASSERT_EQUAL(dns_addrset_stats(as)->dropped, 2000 - DNS_ADDRSET_QUEUE_MAX);
	while ((n = dns_addrset_take(as, &set, e)) != 0)
		taken += n;
	CU_ASSERT_EQUAL(taken, DNS_ADDRSET_QUEUE_MAX);
	/* What found no place is not taken for known. */
	CU_ASSERT_NOT_EQUAL(note(as, "video.example", 60, 100, seconds(2001)), 0);
	CU_ASSERT_TRUE(dns_addrset_waiting(as));
	dns_addrset_free(as);
}

UNIT_MAIN("dns_addrset", UNIT(addresses_go_to_the_sets_of_the_name_and_of_their_size),
    UNIT(a_set_may_have_every_name),
    UNIT(what_is_there_long_enough_is_not_added_again),
    UNIT(who_asks_while_an_address_is_under_way_waits_as_well),
    UNIT(what_the_kernel_refused_is_tried_by_the_next_answer),
    UNIT(a_set_that_is_made_anew_gets_all_that_still_holds),
    UNIT(a_set_that_is_not_there_gets_nothing),
    UNIT(addresses_of_another_family_than_the_sets_are_passed_over_and_counted),
    UNIT(a_set_that_was_emptied_gets_what_had_got_there),
    UNIT(a_set_that_forgets_by_itself_gets_an_address_with_each_fresh_record),
    UNIT(an_element_keeps_its_length_where_the_set_changes_its_kind),
    UNIT(a_full_queue_drops_and_counts))
