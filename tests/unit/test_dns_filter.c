/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_filter.h"

#include "services/dns/dns_listfile.h"
#include "services/dns/dns_regex.h"
#include "support/dns.h"
#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";
static const char *const sources[] = { "first.txt", "second.txt" };

#define ALL UINT32_MAX

static struct addr
address(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 0), OK);
	return a;
}

static struct dns_list *
list_of(const char *text)
{
	static struct dns_listfile file;
	struct dns_list_builder *b;
	struct dns_list *l;

	CU_ASSERT_EQUAL_FATAL(dns_list_builder_new(&b, 1000), OK);
	dns_listfile_begin(&file, b, 1, false);
	CU_ASSERT_EQUAL(dns_listfile_feed(&file, span_str(text)), OK);
	CU_ASSERT_EQUAL(dns_listfile_end(&file), OK);
	CU_ASSERT_EQUAL_FATAL(dns_list_finish(&l, b, key), OK);
	dns_list_builder_free(b);
	return l;
}

static struct dns_filter *
filter_of(const struct dns_filter_block *blocks, size_t count)
{
	struct dns_filter *f;

	CU_ASSERT_EQUAL_FATAL(dns_filter_new(&f, blocks, count, key), OK);
	return f;
}

/* A filter of one block for everybody, its set read from a text. */
static struct dns_filter *
one_block(enum dns_filter_action action, const char *text)
{
	struct dns_filter_block b = { .title = "ads", .action = action, .sources = sources,
		.source_count = 2 };
	struct dns_filter *f = filter_of(&b, 1);

	CU_ASSERT_PTR_NULL(dns_filter_swap(f, 0, list_of(text)));
	return f;
}

static uint32_t
mask_of(const struct dns_filter *f, const struct addr *client, const uint8_t *mac)
{
	return dns_filter_mask(f, &(struct dns_filter_client){ .addr = client, .mac = mac });
}

static enum dns_filter_verdict
judge(struct dns_filter *f, uint32_t mask, const char *text, struct dns_filter_hit *hit)
{
	struct dns_name n = dns_test_name(text);

	return dns_filter_name(f, mask & mask_of(f, &(struct addr){ 0 }, NULL), dns_name_span(&n),
	    hit);
}

#define JUDGE(f, name, want)                                                                       \
	do {                                                                                       \
		struct dns_filter_hit hit_;                                                        \
		CU_ASSERT_EQUAL(judge(f, ALL, name, &hit_), want);                                 \
	} while (0)

static void
names_of_a_block_are_blocked_and_others_pass(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "ads.example\n@@||ok.ads.example^\n");

	JUDGE(f, "ads.example", DNS_FILTER_BLOCKED);
	JUDGE(f, "x.ads.example", DNS_FILTER_BLOCKED);
	JUDGE(f, "ok.ads.example", DNS_FILTER_ALLOWED);
	JUDGE(f, "example", DNS_FILTER_PASS);
	JUDGE(f, ".", DNS_FILTER_PASS);
	dns_filter_free(f);
}

static void
a_block_without_a_set_costs_nothing(void)
{
	struct dns_filter_block b = { .title = "ads" };
	struct dns_filter *f = filter_of(&b, 1);
	struct addr client = address("192.168.1.4");
	struct dns_list *l;

	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 0);
	CU_ASSERT_PTR_NULL(dns_filter_swap(f, 0, list_of("a.example")));
	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 1);
	l = dns_filter_swap(f, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL(l);
	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 0);
	dns_list_free(l);
	dns_filter_free(f);
	dns_filter_free(NULL);
}

static void
names_of_the_settings_are_allowed_whatever_blocks_say(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "example\n||org^\n");
	struct dns_list *allowed = list_of("@@||good.org^");

	CU_ASSERT_PTR_NULL(dns_filter_swap_allowed(f, allowed));
	JUDGE(f, "www.good.org", DNS_FILTER_ALLOWED);
	JUDGE(f, "bad.org", DNS_FILTER_BLOCKED);
	CU_ASSERT_PTR_EQUAL(dns_filter_swap_allowed(f, NULL), allowed);
	JUDGE(f, "www.good.org", DNS_FILTER_BLOCKED);
	dns_list_free(allowed);
	dns_filter_free(f);
}

static void
what_allows_a_name_is_told(void)
{
	struct dns_filter_block blocks[] = {
		{ .title = "ads", .sources = sources, .source_count = 2 },
		{ .title = "fine", .action = DNS_FILTER_ALLOW, .sources = sources,
		.source_count = 2 },
	};
	struct dns_filter *f = filter_of(blocks, 2);
	struct dns_list *allowed = list_of("@@||shop.example^");
	char why[DNS_FILTER_WHY_MAX];
	struct dns_filter_hit hit;

	dns_filter_swap(f, 0, list_of("||example^\n@@||own.example^"));
	dns_filter_swap(f, 1, list_of("good.example"));
	dns_filter_swap_allowed(f, allowed);
	CU_ASSERT_EQUAL(judge(f, 3, "a.own.example", &hit), DNS_FILTER_ALLOWED);
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why),
	    "ads: example (second.txt); allowed by ads: own.example (second.txt)");
	CU_ASSERT_EQUAL(judge(f, 3, "good.example", &hit), DNS_FILTER_ALLOWED);
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why),
	    "ads: example (second.txt); allowed by fine: good.example (second.txt)");
	CU_ASSERT_EQUAL(judge(f, 3, "a.shop.example", &hit), DNS_FILTER_ALLOWED);
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why),
	    "ads: example (second.txt); allowed by allow-names: shop.example");
	CU_ASSERT_EQUAL(judge(f, 3, "bad.example", &hit), DNS_FILTER_BLOCKED);
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why), "ads: example (second.txt)");
	dns_filter_swap_allowed(f, NULL);
	dns_list_free(allowed);
	dns_filter_free(f);
}

static void
a_block_that_allows_beats_the_others(void)
{
	struct dns_filter_block blocks[] = {
		{ .title = "ads", .sources = sources, .source_count = 2 },
		{ .title = "fine", .action = DNS_FILTER_ALLOW, .sources = sources,
		.source_count = 2 },
	};
	struct dns_filter *f = filter_of(blocks, 2);
	struct dns_filter_hit hit;

	dns_filter_swap(f, 0, list_of("ads.example"));
	dns_filter_swap(f, 1, list_of("good.ads.example\n@@||not.good.ads.example^"));
	JUDGE(f, "good.ads.example", DNS_FILTER_ALLOWED);
	JUDGE(f, "not.good.ads.example", DNS_FILTER_BLOCKED);
	JUDGE(f, "ads.example", DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(judge(f, 1, "good.ads.example", &hit), DNS_FILTER_BLOCKED);
	dns_filter_free(f);
}

static void
an_exception_holds_within_its_own_block(void)
{
	struct dns_filter_block blocks[] = {
		{ .title = "ads", .sources = sources, .source_count = 2 },
		{ .title = "kids", .sources = sources, .source_count = 2 },
	};
	struct dns_filter *f = filter_of(blocks, 2);
	struct dns_filter_hit hit;

	dns_filter_swap(f, 0, list_of("||example^\n@@||game.example^"));
	dns_filter_swap(f, 1, list_of("game.example"));
	CU_ASSERT_EQUAL(judge(f, ALL, "game.example", &hit), DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(hit.block, 1);
	CU_ASSERT_EQUAL(judge(f, 1, "game.example", &hit), DNS_FILTER_ALLOWED);
	CU_ASSERT_EQUAL(judge(f, ALL, "x.example", &hit), DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(hit.block, 0);
	dns_filter_free(f);
}

static void
blocks_hold_for_their_clients(void)
{
	struct prefix nets[2];
	struct dns_filter_block blocks[] = {
		{ .title = "all" },
		{ .title = "kids", .clients = nets, .client_count = 2 },
	};
	struct addr kid = address("192.168.2.7"), phone = address("2001:db8:7::1"),
		    other = address("192.168.1.7");
	struct dns_filter *f;

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&nets[0], "192.168.2.0/24"), OK);
	CU_ASSERT_EQUAL_FATAL(prefix_parse(&nets[1], "2001:db8:7::/48"), OK);
	f = filter_of(blocks, 2);
	dns_filter_swap(f, 0, list_of("a.example"));
	dns_filter_swap(f, 1, list_of("b.example"));
	CU_ASSERT_EQUAL(mask_of(f, &kid, NULL), 3);
	CU_ASSERT_EQUAL(mask_of(f, &phone, NULL), 3);
	CU_ASSERT_EQUAL(mask_of(f, &other, NULL), 1);
	dns_filter_free(f);
}

static void
blocks_hold_for_mac_addresses(void)
{
	static const struct dns_filter_mac macs[] = { { { 2, 0, 0, 0, 0, 1 } },
		{ { 2, 0, 0, 0, 0, 2 } } };
	struct prefix net;
	struct dns_filter_block blocks[] = {
		{ .title = "all" },
		{ .title = "kids", .clients = &net, .client_count = 1, .macs = macs,
		.mac_count = 2 },
		{ .title = "tv", .macs = macs, .mac_count = 1 },
	};
	struct addr kid = address("192.168.2.7"), other = address("192.168.1.7");
	const uint8_t stranger[] = { 2, 0, 0, 0, 0, 3 };
	struct dns_filter *f;
	char why[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&net, "192.168.2.0/24"), OK);
	f = filter_of(blocks, 3);
	CU_ASSERT_FALSE(dns_filter_wants_mac(f, 0));	/* no set is there yet */
	for (size_t i = 0; i < 3; i++)
		dns_filter_swap(f, i, list_of("a.example"));
	CU_ASSERT_EQUAL(mask_of(f, &kid, NULL), 3);
	CU_ASSERT_EQUAL(mask_of(f, &other, NULL), 1);
	CU_ASSERT_EQUAL(mask_of(f, &other, stranger), 1);
	CU_ASSERT_EQUAL(mask_of(f, &other, macs[0].bytes), 7);
	CU_ASSERT_EQUAL(mask_of(f, &other, macs[1].bytes), 3);
	CU_ASSERT_TRUE(dns_filter_wants_mac(f, 1));
	CU_ASSERT_FALSE(dns_filter_wants_mac(f, 7));	/* it would change nothing */

	struct dns_filter_client who = { .addr = &kid, .mac = macs[0].bytes };

	CU_ASSERT_STRING_EQUAL(dns_filter_member(f, 0, &who, why), "everyone");
	CU_ASSERT_STRING_EQUAL(dns_filter_member(f, 1, &who, why), "192.168.2.0/24");
	CU_ASSERT_STRING_EQUAL(dns_filter_member(f, 2, &who, why), "02:00:00:00:00:01");
	who.mac = stranger;
	CU_ASSERT_PTR_NULL(dns_filter_member(f, 2, &who, why));
	dns_filter_free(f);
}

static void
no_mac_address_is_wanted_where_no_block_names_one(void)
{
	struct prefix net;
	struct dns_filter_block b = { .title = "kids", .clients = &net, .client_count = 1 };
	struct dns_filter *f;

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&net, "192.168.2.0/24"), OK);
	f = filter_of(&b, 1);
	dns_filter_swap(f, 0, list_of("a.example"));
	CU_ASSERT_FALSE(dns_filter_wants_mac(f, 0));
	dns_filter_free(f);
}

static void
blocks_hold_at_their_times(void)
{
	struct dns_schedule night;
	struct dns_filter_block b = { .title = "night", .times = &night, .time_count = 1 };
	struct addr client = address("192.168.2.7");
	struct dns_filter *f;

	CU_ASSERT_EQUAL_FATAL(dns_schedule_parse(&night, "mon-fri 21:00-06:00"), OK);
	f = filter_of(&b, 1);
	CU_ASSERT_TRUE(dns_filter_has_times(f));
	dns_filter_swap(f, 0, list_of("a.example"));
	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 0);
	dns_filter_set_time(f, (struct dns_moment){ .day = 0, .minute = 21 * 60 });
	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 1);
	dns_filter_set_time(f, (struct dns_moment){ .day = 1, .minute = 6 * 60 });
	CU_ASSERT_EQUAL(mask_of(f, &client, NULL), 0);
	dns_filter_free(f);
}

static void
patterns_are_tried_once_per_name_and_set(void)
{
	struct dns_regex *rx = NULL;
	struct dns_filter *f;
	struct dns_filter_hit hit;

	if (dns_regex_new(&rx, SPAN("x")) == ERR_UNSUPPORTED)
		return;
	dns_regex_free(rx);
	f = one_block(DNS_FILTER_NXDOMAIN, "/^ad[0-9]+\\./\n@@/\\.good$/\n/^(a+)+$/\n");
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(judge(f, ALL, "ad7.example", &hit), DNS_FILTER_BLOCKED);
		CU_ASSERT_TRUE(span_equal(hit.match.pattern, SPAN("^ad[0-9]+\\.")));
		JUDGE(f, "ad7.good", DNS_FILTER_ALLOWED);
		JUDGE(f, "mad7.example", DNS_FILTER_PASS);
		JUDGE(f, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		    DNS_FILTER_PASS);
		CU_ASSERT_EQUAL(dns_filter_stats(f, 0)->gave_up, 1);
	}
	dns_list_free(dns_filter_swap(f, 0, list_of("/mad/\n")));
	JUDGE(f, "ad7.example", DNS_FILTER_PASS);
	JUDGE(f, "mad7.example", DNS_FILTER_BLOCKED);
	dns_filter_free(f);
}

/* --- what is said instead --------------------------------------------------------------------- */

struct answer {
	uint8_t query[512];
	struct dns_query q;
	uint8_t msg[1232];
	size_t len;
	char why[DNS_FILTER_WHY_MAX];
	char text[DNS_TEST_DUMP];
};

/* Ask for a name that is blocked; the reply as text is in a->text. */
static void
ask_blocked(struct dns_filter *f, struct answer *a, uint16_t type)
{
	struct dns_test_query want = { .name = "Ads.example", .type = type, .flags = DNS_FLAG_RD,
		.edns = true, .udp_size = 1232 };
	struct dns_filter_hit hit;
	struct dns_opt opt = { 0 };
	struct dns_wr w;
	uint16_t rcode;

	dns_test_query(&a->q, a->query, &want);
	CU_ASSERT_EQUAL_FATAL(dns_filter_name(f, 1, dns_query_name(&a->q), &hit),
	    DNS_FILTER_BLOCKED);
	dns_wr_begin(&w, &a->q, a->msg, sizeof(a->msg));
	rcode = dns_filter_write(f, &hit, &w);
	dns_filter_ede(f, &hit, &opt, a->why);
	a->len = dns_wr_end(&w, rcode, 0, &opt);
	dns_test_dump(span_of(a->msg, a->len), a->text);
}

static unsigned
rcode_of(const struct answer *a)
{
	return dns_msg_flags(span_of(a->msg, a->len)) & DNS_FLAG_RCODE;
}

static void
nxdomain_and_nodata_come_with_soa(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "ads.example");
	struct answer a;

	ask_blocked(f, &a, DNS_TYPE_A);
	CU_ASSERT_EQUAL(rcode_of(&a), DNS_NXDOMAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, " SOA "));
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "1 Ads.example 10 SOA"));
	dns_filter_free(f);
	f = one_block(DNS_FILTER_NODATA, "ads.example");
	ask_blocked(f, &a, DNS_TYPE_HTTPS);
	CU_ASSERT_EQUAL(rcode_of(&a), DNS_NOERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "1 Ads.example 10 SOA"));
	dns_filter_free(f);
}

static void
zero_addresses_answer_the_types_that_have_some(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_ZERO, "ads.example");
	struct answer a;

	ask_blocked(f, &a, DNS_TYPE_A);
	CU_ASSERT_EQUAL(rcode_of(&a), DNS_NOERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "0 Ads.example 10 A 4\n"));
	ask_blocked(f, &a, DNS_TYPE_AAAA);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "0 Ads.example 10 AAAA 16\n"));
	ask_blocked(f, &a, DNS_TYPE_HTTPS);
	CU_ASSERT_EQUAL(rcode_of(&a), DNS_NOERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "SOA"));
	dns_filter_free(f);
}

static void
given_addresses_answer_their_family(void)
{
	struct addr addrs[] = { address("192.0.2.1"), address("192.0.2.2") };
	struct dns_filter_block b = { .title = "ads", .action = DNS_FILTER_ADDRESS, .addrs = addrs,
		.addr_count = 2, .sources = sources, .source_count = 2 };
	struct dns_filter *f = filter_of(&b, 1);
	struct answer a;

	dns_filter_swap(f, 0, list_of("ads.example"));
	ask_blocked(f, &a, DNS_TYPE_A);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "0 Ads.example 10 A 4\n0 Ads.example 10 A 4\n"));
	ask_blocked(f, &a, DNS_TYPE_AAAA);
	CU_ASSERT_EQUAL(rcode_of(&a), DNS_NOERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "SOA"));
	dns_filter_free(f);
}

static void
the_reason_names_block_rule_and_file(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "example.org\nads.example\n");
	struct answer a;
	struct dns_opt opt;
	struct dns_filter_hit hit;
	char why[DNS_FILTER_WHY_MAX];

	ask_blocked(f, &a, DNS_TYPE_A);
	CU_ASSERT_STRING_EQUAL(a.why, "ads: ads.example (second.txt)");
	CU_ASSERT_EQUAL(judge(f, ALL, "www.example.org", &hit), DNS_FILTER_BLOCKED);
	dns_filter_ede(f, &hit, &opt, why);
	CU_ASSERT_EQUAL(opt.ede, DNS_EDE_BLOCKED);
	CU_ASSERT_STRING_EQUAL(why, "ads: example.org (second.txt)");
	hit.match = (struct dns_list_match){ .source = 0, .pattern = SPAN("a\xff\n") };
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why), "ads: /a\\xff\\n/ (first.txt)");
	dns_filter_free(f);
}

static void
for_some_clients_the_reason_is_another_one(void)
{
	struct prefix net;
	struct dns_filter_block b = { .title = "kids", .clients = &net, .client_count = 1 };
	struct dns_filter *f;
	struct dns_filter_hit hit = { .match.name = SPAN("\1x\0") };
	struct dns_opt opt;
	char why[DNS_FILTER_WHY_MAX];

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&net, "10.0.0.0/8"), OK);
	f = filter_of(&b, 1);
	dns_filter_ede(f, &hit, &opt, why);
	CU_ASSERT_EQUAL(opt.ede, DNS_EDE_FILTERED);
	dns_filter_free(f);
}

static void
queries_are_counted_by_block_and_file(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "ads.example");
	struct dns_filter_hit hit;

	CU_ASSERT_EQUAL(judge(f, ALL, "ads.example", &hit), DNS_FILTER_BLOCKED);
	dns_filter_count(f, &hit, true);
	hit.alias = true;
	dns_filter_count(f, &hit, true);
	dns_filter_count(f, &hit, false);
	CU_ASSERT_EQUAL(dns_filter_stats(f, 0)->blocked, 2);
	CU_ASSERT_EQUAL(dns_filter_stats(f, 0)->aliases, 1);
	CU_ASSERT_EQUAL(dns_filter_stats(f, 0)->allowed, 1);
	CU_ASSERT_EQUAL(dns_filter_hits(f, 0, 1), 2);
	CU_ASSERT_EQUAL(dns_filter_hits(f, 0, 0), 0);
	dns_filter_free(f);
}

/* --- aliases ---------------------------------------------------------------------------------- */

/* A reply for shop.example that leads to `target` by a record of that type. */
static size_t
leading_reply(uint8_t *msg, size_t cap, uint16_t type, const char *target)
{
	struct wire_wr wr = wire_wr_of(msg, cap);
	struct dns_name n = dns_test_name(target);
	uint8_t data[DNS_NAME_MAX + 2] = { 0, 1 };

	memcpy(data + 2, n.wire, n.len);
	dns_test_header(&wr, DNS_FLAG_QR, 1, 2, 0, 0);
	dns_test_question(&wr, "shop.example", DNS_TYPE_A);
	if (type == DNS_TYPE_HTTPS)
		dns_test_record(&wr, "shop.example", type, 60, span_of(data, 2u + n.len));
	else
		dns_test_record(&wr, "shop.example", type, 60, dns_name_span(&n));
	dns_test_a(&wr, target, 60, 1);
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), OK);
	return wire_wr_len(&wr);
}

static enum dns_filter_verdict
judge_reply(struct dns_filter *f, uint16_t type, const char *target, struct dns_filter_hit *hit)
{
	struct dns_name asked = dns_test_name("shop.example");
	uint8_t msg[1000];
	size_t len = leading_reply(msg, sizeof(msg), type, target);

	return dns_filter_answer(f, 1, dns_name_span(&asked), span_of(msg, len), hit);
}

static void
what_an_answer_leads_to_is_judged_as_well(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN,
	    "track.example\n@@||fine.track.example^\n");
	struct dns_filter_hit hit;
	char why[DNS_FILTER_WHY_MAX];

	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_CNAME, "X.Track.example", &hit),
	    DNS_FILTER_BLOCKED);
	CU_ASSERT_TRUE(hit.alias);
	CU_ASSERT_STRING_EQUAL(dns_filter_explain(f, &hit, why),
	    "ads: track.example (an alias; second.txt)");
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_HTTPS, "x.track.example", &hit),
	    DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_HTTPS, ".", &hit), DNS_FILTER_PASS);
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_DNAME, "track.example", &hit), DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_CNAME, "fine.track.example", &hit),
	    DNS_FILTER_PASS);
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_CNAME, "cdn.example", &hit), DNS_FILTER_PASS);
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_NS, "track.example", &hit), DNS_FILTER_PASS);
	dns_filter_free(f);
}

static void
a_name_that_is_allowed_takes_its_aliases_along(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "track.example\n");
	struct dns_filter_hit hit;

	dns_filter_swap_allowed(f, list_of("@@||shop.example^"));
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_CNAME, "track.example", &hit), DNS_FILTER_ALLOWED);
	dns_filter_free(f);
	f = one_block(DNS_FILTER_NXDOMAIN, "track.example\n@@||shop.example^\n");
	CU_ASSERT_EQUAL(judge_reply(f, DNS_TYPE_CNAME, "track.example", &hit), DNS_FILTER_ALLOWED);
	dns_filter_free(f);
}

static void
torn_replies_are_judged_as_far_as_they_go(void)
{
	struct dns_filter *f = one_block(DNS_FILTER_NXDOMAIN, "track.example\n");
	struct dns_name asked = dns_test_name("shop.example");
	uint8_t msg[1000];
	size_t len = leading_reply(msg, sizeof(msg), DNS_TYPE_CNAME, "track.example");
	struct dns_filter_hit hit;

	for (size_t n = 0; n < len; n++)
		(void)dns_filter_answer(f, 1, dns_name_span(&asked), span_of(msg, n), &hit);
	CU_ASSERT_EQUAL(dns_filter_answer(f, 1, dns_name_span(&asked), span_of(msg, len), &hit),
	    DNS_FILTER_BLOCKED);
	dns_filter_free(f);
}

static bool
leads_on(uint16_t owner, uint16_t type, uint16_t answers)
{
	uint8_t msg[DNS_HEADER_BYTES + 20] = { 0 };

	wire_put_u16(msg + 6, answers);
	wire_put_u16(msg + DNS_HEADER_BYTES + 10, owner);
	wire_put_u16(msg + DNS_HEADER_BYTES + 12, type);
	return dns_filter_leads_on(span_of(msg, sizeof(msg)), 10);
}

static void
answers_that_lead_nowhere_are_told_at_a_glance(void)
{
	CU_ASSERT_FALSE(leads_on(0xc00c, DNS_TYPE_A, 1));
	CU_ASSERT_FALSE(leads_on(0xc00c, DNS_TYPE_AAAA, 4));
	CU_ASSERT_FALSE(leads_on(0xc00c, DNS_TYPE_SOA, 0));
	CU_ASSERT_TRUE(leads_on(0xc00c, DNS_TYPE_CNAME, 2));
	CU_ASSERT_TRUE(leads_on(0xc00c, DNS_TYPE_HTTPS, 1));
	CU_ASSERT_TRUE(leads_on(0xc00c, DNS_TYPE_RRSIG, 2));
	CU_ASSERT_TRUE(leads_on(0xc010, DNS_TYPE_A, 2));
	CU_ASSERT_TRUE(leads_on(0x0161, DNS_TYPE_A, 2));
	CU_ASSERT_FALSE(dns_filter_leads_on(SPAN("\0\0\0\0\0\0\0\1\0\0\0\0"), 0));
}

UNIT_MAIN("dns_filter",
    UNIT(names_of_a_block_are_blocked_and_others_pass),
    UNIT(a_block_without_a_set_costs_nothing),
    UNIT(names_of_the_settings_are_allowed_whatever_blocks_say),
    UNIT(a_block_that_allows_beats_the_others), UNIT(what_allows_a_name_is_told),
    UNIT(an_exception_holds_within_its_own_block),
    UNIT(blocks_hold_for_their_clients),
    UNIT(blocks_hold_for_mac_addresses),
    UNIT(no_mac_address_is_wanted_where_no_block_names_one), UNIT(blocks_hold_at_their_times),
    UNIT(patterns_are_tried_once_per_name_and_set),
    UNIT(nxdomain_and_nodata_come_with_soa),
    UNIT(zero_addresses_answer_the_types_that_have_some),
    UNIT(given_addresses_answer_their_family),
    UNIT(the_reason_names_block_rule_and_file),
    UNIT(for_some_clients_the_reason_is_another_one),
    UNIT(queries_are_counted_by_block_and_file),
    UNIT(what_an_answer_leads_to_is_judged_as_well),
    UNIT(a_name_that_is_allowed_takes_its_aliases_along),
    UNIT(torn_replies_are_judged_as_far_as_they_go),
    UNIT(answers_that_lead_nowhere_are_told_at_a_glance))
