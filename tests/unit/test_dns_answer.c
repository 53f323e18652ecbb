/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_answer.h"

#include "support/dns.h"
#include "support/unit.h"

/* An answer in the making, and what came of it. */
struct trial {
	uint8_t buf[8192];
	struct wire_wr wr;
	struct dns_name name;
	struct dns_question asked;
	struct dns_answer a;
};

static struct dns_packed packed;
static const struct dns_ttl_limits defaults = DNS_TTL_LIMITS_DEFAULT;

/* Begin an answer to "name type"; counts are set by done(). */
static void
begin(struct trial *t, const char *name, uint16_t type, uint16_t flags)
{
	t->wr = wire_wr_of(t->buf, sizeof(t->buf));
	t->name = dns_test_name(name);
	t->asked = (struct dns_question){ .name = dns_name_span(&t->name), .type = type,
	    .class = DNS_CLASS_IN };
	dns_test_header(&t->wr, (uint16_t)(DNS_FLAG_QR | flags), 1, 0, 0, 0);
	dns_test_question(&t->wr, name, type);
}

static struct span
message(const struct trial *t)
{
	CU_ASSERT_FALSE_FATAL(t->wr.bad);
	return wire_wr_span(&t->wr);
}

static enum err
parse(struct trial *t, uint16_t an, uint16_t ns, uint16_t ar)
{
	wire_put_u16(t->buf + 6, an);
	wire_put_u16(t->buf + 8, ns);
	wire_put_u16(t->buf + 10, ar);
	return dns_answer_parse(&t->a, message(t), &t->asked);
}

/* Pack with limits and write down what a client would get. */
static const char *
pack(struct trial *t, const struct dns_ttl_limits *limits)
{
	static char text[DNS_TEST_DUMP];
	static uint8_t out[DNS_MSG_MAX];
	char name[DNS_NAME_TEXT_MAX];
	uint8_t query[512];
	struct dns_query q;

	CU_ASSERT_EQUAL_FATAL(dns_answer_pack(&packed, &t->a, message(t), &t->asked, limits), OK);
	dns_name_format(dns_name_span(&t->name), name);
	dns_test_query(&q, query,
	    &(struct dns_test_query){ .name = name, .type = t->asked.type, .edns = false });
	return dns_test_dump(span_of(out,
	    dns_reply_stored(&packed.view, &q, NULL, out, DNS_MSG_MAX)), text);
}

/* --- the question ----------------------------------------------------------------------------- */

static void
only_the_question_asked_counts(void)
{
	struct trial t;

	begin(&t, "a.Example", DNS_TYPE_A, 0);
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), OK);
	t.asked.type = DNS_TYPE_AAAA;
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
	t.asked.type = DNS_TYPE_A;
	t.asked.class = DNS_CLASS_CH;
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
	t.asked.class = DNS_CLASS_IN;
	t.name.wire[1] = 'b';
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
	t.name.wire[1] = 'A';
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), OK);
}

static void
queries_and_other_opcodes_are_no_answers(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 4 << 11);
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
	begin(&t, "a.example", DNS_TYPE_A, 0);
	t.buf[2] = 0;
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
}

static void
no_question_and_two_questions_are_refused(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	wire_put_u16(t.buf + 4, 0);
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
	dns_test_question(&t.wr, "b.example", DNS_TYPE_A);
	wire_put_u16(t.buf + 4, 2);
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 0), ERR_FORMAT);
}

/* --- meaning ---------------------------------------------------------------------------------- */

static void
addresses_are_data_and_the_least_ttl_counts(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_FLAG_AD);
	dns_test_a(&t.wr, "a.example", 300, 1);
	dns_test_a(&t.wr, "A.EXAMPLE", 60, 2);
	CU_ASSERT_EQUAL(parse(&t, 2, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(t.a.ttl_s, 60);
	CU_ASSERT_EQUAL(t.a.strays, 0);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "0 a.example 300 A 4\n0 a.example 60 A 4\n");
	CU_ASSERT_EQUAL(packed.ttl_s, 60);
	CU_ASSERT_EQUAL(packed.view.flags, DNS_FLAG_AD);
	CU_ASSERT_EQUAL(packed.view.body_len, 32);	/* both owners became pointers */
}

static void
a_chain_is_followed_to_its_end(void)
{
	struct dns_name last = dns_test_name("c.other");
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 100, "b.example");
	dns_test_record_name(&t.wr, "b.example", DNS_TYPE_CNAME, 90, "C.other");
	dns_test_a(&t.wr, "c.other", 80, 1);
	CU_ASSERT_EQUAL(parse(&t, 3, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(t.a.chain, 2);
	CU_ASSERT_EQUAL(t.a.ttl_s, 80);
	CU_ASSERT_TRUE(span_equal(dns_name_span(&t.a.last), dns_name_span(&last)));
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "0 a.example 100 CNAME 4\n"
	    "0 b.example 90 CNAME 9\n0 C.other 80 A 4\n");
}

static void
a_chain_out_of_order_is_found_too(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_a(&t.wr, "c.example", 80, 1);
	dns_test_record_name(&t.wr, "b.example", DNS_TYPE_CNAME, 90, "c.example");
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 100, "b.example");
	CU_ASSERT_EQUAL(parse(&t, 3, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(t.a.chain, 2);
	CU_ASSERT_EQUAL(t.a.strays, 0);
}

static void
records_outside_of_the_chain_are_left_out(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_a(&t.wr, "victim.example", 1, 66);
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 100, "b.example");
	dns_test_a(&t.wr, "a.example", 1, 66);		/* beside a CNAME: nonsense */
	dns_test_a(&t.wr, "b.example", 80, 1);
	dns_test_record(&t.wr, "b.example", DNS_TYPE_TXT, 1, span_str("\3abc"));
	dns_test_record_name(&t.wr, "b.example", DNS_TYPE_CNAME, 1, "victim.example");
	dns_test_record_name(&t.wr, "example", DNS_TYPE_NS, 1, "ns.evil");
	dns_test_a(&t.wr, "ns.evil", 1, 66);
	CU_ASSERT_EQUAL(parse(&t, 6, 1, 1), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(t.a.strays, 4);
	CU_ASSERT_EQUAL(t.a.ttl_s, 80);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults),
	    "0 a.example 100 CNAME 4\n0 b.example 80 A 4\n");
}

static void
records_of_another_class_are_strays(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_a(&t.wr, "a.example", 60, 1);
	t.buf[wire_wr_len(&t.wr) - 11] = DNS_CLASS_CH;
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_NODATA);
	CU_ASSERT_EQUAL(t.a.strays, 1);
}

/* An answer with `n` CNAMEs from n0 to the address of the last. */
static enum err
parse_chain(struct trial *t, unsigned n)
{
	char from[32];
	char to[32];

	begin(t, "n0", DNS_TYPE_A, 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "n%u", i);
		snprintf(to, sizeof(to), "n%u", i + 1);
		dns_test_record_name(&t->wr, from, DNS_TYPE_CNAME, 60, to);
	}
	snprintf(to, sizeof(to), "n%u", n);
	dns_test_a(&t->wr, to, 60, 1);
	return parse(t, (uint16_t)(n + 1), 0, 0);
}

static void
a_chain_has_a_longest_length(void)
{
	struct trial t;

	CU_ASSERT_EQUAL(parse_chain(&t, DNS_CHAIN_MAX), OK);
	CU_ASSERT_EQUAL(t.a.chain, DNS_CHAIN_MAX);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(parse_chain(&t, DNS_CHAIN_MAX + 1), ERR_RANGE);
}

static void
a_chain_in_a_circle_ends(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 60, "b.example");
	dns_test_record_name(&t.wr, "b.example", DNS_TYPE_CNAME, 60, "a.example");
	CU_ASSERT_EQUAL(parse(&t, 2, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_NODATA);
	CU_ASSERT_EQUAL(t.a.ttl_s, 0);
}

static void
a_dname_above_the_question_belongs(void)
{
	struct trial t;

	begin(&t, "www.old.example", DNS_TYPE_A, 0);
	dns_test_record_name(&t.wr, "old.example", DNS_TYPE_DNAME, 50, "new.example");
	dns_test_record_name(&t.wr, "www.old.example", DNS_TYPE_CNAME, 60, "www.new.example");
	dns_test_a(&t.wr, "www.new.example", 60, 1);
	dns_test_record_name(&t.wr, "old.example", DNS_TYPE_DNAME, 50, "evil.example");
	dns_test_record_name(&t.wr, "unrelated.example", DNS_TYPE_DNAME, 50, "evil.example");
	CU_ASSERT_EQUAL(parse(&t, 5, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_DATA);
	CU_ASSERT_EQUAL(t.a.ttl_s, 50);
	CU_ASSERT_EQUAL(t.a.strays, 2);
}

static void
any_number_of_dnames_is_harmless(void)
{
	struct trial t;
	char name[200] = "x";
	uint16_t n = 1;

	begin(&t, "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.x", DNS_TYPE_A, 0);
	for (; n < 28; n++) {
		dns_test_record_name(&t.wr, name, DNS_TYPE_DNAME, 50, "y");
		memmove(name + 2, name, strlen(name) + 1);
		memcpy(name, "a.", 2);
	}
	memmove(name + 2, name, strlen(name) + 1);
	memcpy(name, "a.", 2);
	dns_test_record_name(&t.wr, name, DNS_TYPE_CNAME, 50, "z");
	CU_ASSERT_EQUAL(parse(&t, n, 0, 0), ERR_RANGE);
}

static struct span
rrsig(uint16_t covered, uint8_t data[static 32])
{
	memset(data, 0, 32);
	wire_put_u16(data, covered);
	return span_of(data, 32);
}

static void
signatures_of_the_chain_are_kept_and_others_not(void)
{
	struct trial t;
	uint8_t sig[32];

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_record(&t.wr, "a.example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_CNAME, sig));
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 60, "b.example");
	dns_test_record(&t.wr, "b.example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_A, sig));
	dns_test_a(&t.wr, "b.example", 60, 1);
	dns_test_record(&t.wr, "b.example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_TXT, sig));
	dns_test_record(&t.wr, "c.example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_A, sig));
	dns_test_record(&t.wr, "b.example", DNS_TYPE_NSEC, 60, span_str("proof"));
	dns_test_record(&t.wr, "b.example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_NSEC, sig));
	dns_test_soa(&t.wr, "example", 60, 60);
	dns_test_record(&t.wr, "example", DNS_TYPE_RRSIG, 60, rrsig(DNS_TYPE_SOA, sig));
	CU_ASSERT_EQUAL(parse(&t, 6, 4, 0), OK);
	CU_ASSERT_EQUAL(t.a.strays, 2);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "0 a.example 60 RRSIG 32\n"
	    "0 a.example 60 CNAME 4\n0 b.example 60 RRSIG 32\n0 b.example 60 A 4\n"
	    "1 b.example 60 NSEC 5\n1 b.example 60 RRSIG 32\n");
}

static void
no_such_name_lives_as_long_as_soa_says(void)
{
	struct trial t;
	uint8_t sig[32];

	begin(&t, "no.example", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_test_soa(&t.wr, "example", 900, 60);
	dns_test_record(&t.wr, "example", DNS_TYPE_RRSIG, 900, rrsig(DNS_TYPE_SOA, sig));
	CU_ASSERT_EQUAL(parse(&t, 0, 2, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_NXDOMAIN);
	CU_ASSERT_TRUE(t.a.has_soa);
	CU_ASSERT_EQUAL(t.a.ttl_s, 60);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults),
	    "1 example 60 SOA 32\n1 example 900 RRSIG 32\n");
	CU_ASSERT_EQUAL(packed.ttl_s, 60);
	CU_ASSERT_EQUAL(packed.view.rcode, DNS_NXDOMAIN);

	begin(&t, "no.example", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_test_soa(&t.wr, "example", 30, 60);
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_EQUAL(t.a.ttl_s, 30);
}

static void
no_data_is_told_from_no_name_and_from_a_referral(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_AAAA, 0);
	dns_test_soa(&t.wr, "example", 900, 60);
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_NODATA);
	CU_ASSERT_EQUAL(t.a.ttl_s, 60);

	begin(&t, "a.example", DNS_TYPE_AAAA, 0);
	dns_test_record_name(&t.wr, "example", DNS_TYPE_NS, 60, "ns.example");
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_REFERRAL);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "");
	CU_ASSERT_EQUAL(packed.ttl_s, 0);
}

static void
a_chain_that_leads_nowhere_is_negative(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 40, "no.other");
	dns_test_soa(&t.wr, "other", 900, 60);
	CU_ASSERT_EQUAL(parse(&t, 1, 1, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_NXDOMAIN);
	CU_ASSERT_EQUAL(t.a.ttl_s, 40);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "0 a.example 40 CNAME 10\n1 other 60 SOA 32\n");
}

static void
a_soa_of_somebody_else_does_not_count(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_test_soa(&t.wr, "elsewhere", 900, 600);
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_FALSE(t.a.has_soa);
	CU_ASSERT_EQUAL(t.a.ttl_s, 0);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "");
	CU_ASSERT_EQUAL(packed.ttl_s, defaults.no_soa);
}

static void
failures_have_no_records(void)
{
	static const uint16_t rcodes[] = { DNS_SERVFAIL, DNS_REFUSED, DNS_NOTIMP, DNS_FORMERR, 9 };
	struct trial t;

	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		begin(&t, "a.example", DNS_TYPE_A, rcodes[i]);
		dns_test_a(&t.wr, "a.example", 60, 1);
		CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
		CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_FAILURE);
		CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "");
		CU_ASSERT_EQUAL(packed.view.rcode, rcodes[i]);
		CU_ASSERT_EQUAL(packed.ttl_s, 0);
	}
}

static void
a_truncated_answer_is_not_read_further(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_FLAG_TC);
	wire_wr_u16(&t.wr, 0xc00c);
	CU_ASSERT_EQUAL(parse(&t, 5, 0, 0), OK);
	CU_ASSERT_EQUAL(t.a.kind, DNS_ANSWER_TRUNCATED);
}

static void
opt_gives_the_upper_bits_cookie_and_error(void)
{
	static const uint8_t options[] = "\0\12\0\10abcdefgh\0\17\0\5\0\17why\0\17\0\2\0\26";
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 7);
	dns_test_opt(&t.wr, 1400, 1u << 24 | DNS_EDNS_DO, span_of(options, sizeof(options) - 1));
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 1), OK);
	CU_ASSERT_EQUAL(t.a.rcode, DNS_BADCOOKIE);
	CU_ASSERT_TRUE(t.a.edns && t.a.dnssec_ok && t.a.has_ede);
	CU_ASSERT_EQUAL(t.a.udp_size, 1400);
	CU_ASSERT_EQUAL(t.a.ede, DNS_EDE_BLOCKED);
	CU_ASSERT_TRUE(span_equal(t.a.ede_text, span_str("why")));
	CU_ASSERT_TRUE(span_equal(t.a.cookie, span_str("abcdefgh")));
	pack(&t, &defaults);
	CU_ASSERT_EQUAL(packed.ede, DNS_EDE_BLOCKED);
	CU_ASSERT_TRUE(span_equal(span_of(packed.ede_text, packed.ede_len), span_str("why")));
}

static void
a_text_that_is_not_utf8_is_not_passed_on(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_SERVFAIL);
	dns_test_opt(&t.wr, 1232, 0, span_of("\0\17\0\4\0\6\xff\xfe", 8));
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 1), OK);
	pack(&t, &defaults);
	CU_ASSERT_TRUE(packed.has_ede);
	CU_ASSERT_EQUAL(packed.ede, 6);
	CU_ASSERT_EQUAL(packed.ede_len, 0);
}

static void
malformed_answers_are_refused(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);		/* two OPT records */
	dns_test_opt(&t.wr, 1232, 0, span_of(NULL, 0));
	dns_test_opt(&t.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&t, 0, 0, 2), ERR_FORMAT);

	begin(&t, "a.example", DNS_TYPE_A, 0);		/* fewer records than promised */
	dns_test_a(&t.wr, "a.example", 60, 1);
	CU_ASSERT_EQUAL(parse(&t, 2, 0, 0), ERR_FORMAT);

	begin(&t, "a.example", DNS_TYPE_A, 0);		/* a CNAME without a name */
	dns_test_record(&t.wr, "a.example", DNS_TYPE_CNAME, 60, span_of("\xc0\xff", 2));
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), ERR_FORMAT);

	begin(&t, "a.example", DNS_TYPE_A, 0);		/* an address of five bytes */
	dns_test_record(&t.wr, "a.example", DNS_TYPE_A, 60, span_str("12345"));
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
	CU_ASSERT_EQUAL(dns_answer_pack(&packed, &t.a, message(&t), &t.asked, &defaults),
	    ERR_FORMAT);

	begin(&t, "a.example", DNS_TYPE_A, DNS_NXDOMAIN);	/* a SOA too short */
	dns_test_record(&t.wr, "example", DNS_TYPE_SOA, 60, span_str("123"));
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_EQUAL(dns_answer_pack(&packed, &t.a, message(&t), &t.asked, &defaults),
	    ERR_FORMAT);
}

static void
every_cut_answer_is_refused(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_record_name(&t.wr, "a.example", DNS_TYPE_CNAME, 100, "b.example");
	dns_test_a(&t.wr, "b.example", 60, 1);
	dns_test_opt(&t.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&t, 2, 0, 1), OK);
	for (size_t len = 0; len < message(&t).len; len++)
		CU_ASSERT_EQUAL(dns_answer_parse(&t.a, span_of(t.buf, len), &t.asked), ERR_FORMAT);
}

/* --- lifetimes -------------------------------------------------------------------------------- */

static void
check_ttl(const struct dns_ttl_limits *limits, uint32_t ttl, uint32_t expect)
{
	struct trial t;
	char line[64];

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_a(&t.wr, "a.example", ttl, 1);
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
	snprintf(line, sizeof(line), "0 a.example %u A 4\n", expect);
	CU_ASSERT_STRING_EQUAL(pack(&t, limits), line);
	CU_ASSERT_EQUAL(packed.ttl_s, expect);
}

static void
ttls_are_clamped(void)
{
	static const struct dns_ttl_limits tight = { .min = 30, .max = 100, .max_negative = 10 };

	check_ttl(&defaults, 1, 1);
	check_ttl(&defaults, 86400, 86400);
	check_ttl(&defaults, 86401, 86400);
	check_ttl(&defaults, DNS_TTL_MAX, 86400);
	check_ttl(&tight, 29, 30);
	check_ttl(&tight, 101, 100);
	check_ttl(&tight, 0, 0);		/* zero stays zero: do not keep */
	check_ttl(&defaults, 0x80000000, 0);	/* RFC 2181 §8 */
	check_ttl(&defaults, 0xffffffff, 0);
}

static void
negative_ttls_have_their_own_clamp(void)
{
	struct dns_ttl_limits limits = { .min = 30, .max = 100, .max_negative = 10 };
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, DNS_NXDOMAIN);
	dns_test_soa(&t.wr, "example", 900, 600);
	CU_ASSERT_EQUAL(parse(&t, 0, 1, 0), OK);
	CU_ASSERT_STRING_EQUAL(pack(&t, &limits), "1 example 10 SOA 32\n");
	CU_ASSERT_EQUAL(packed.ttl_s, 10);
	limits.max_negative = 10000;
	pack(&t, &limits);
	CU_ASSERT_EQUAL(packed.ttl_s, 600);
}

/* --- the packed form -------------------------------------------------------------------------- */

static void
unknown_types_pass_byte_by_byte(void)
{
	static uint8_t data[4000];
	struct trial t;
	struct dns_walk w;
	struct dns_rr rr;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(0xc0 + i);
	begin(&t, "a.example", 65280, 0);
	dns_test_record(&t.wr, "a.example", 65280, 60, span_of(data, sizeof(data)));
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
	CU_ASSERT_STRING_EQUAL(pack(&t, &defaults), "0 a.example 60 TYPE65280 4000\n");
	wire_put_u16(packed.msg + 4, 1);
	wire_put_u16(packed.msg + 6, 1);
	dns_walk_begin(&w, span_of(packed.msg, DNS_HEADER_BYTES + t.name.len + 4u +
	    packed.view.body_len));
	CU_ASSERT_TRUE(dns_rr_next(&w, &rr));
	CU_ASSERT_TRUE(span_equal(rr.rdata, span_of(data, sizeof(data))));
}

static void
junk_behind_the_answer_is_not_kept(void)
{
	struct trial t;

	begin(&t, "a.example", DNS_TYPE_A, 0);
	dns_test_a(&t.wr, "a.example", 60, 1);
	wire_wr_bytes(&t.wr, span_str("and so on"));
	CU_ASSERT_EQUAL(parse(&t, 1, 0, 0), OK);
	pack(&t, &defaults);
	CU_ASSERT_EQUAL(packed.view.body_len, 16);
}

static void
what_grows_beyond_a_message_is_refused(void)
{
	static uint8_t buf[DNS_MSG_MAX];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct trial t;
	char name[256];
	uint16_t n = 0;

	/* RP holds names that may come compressed but are not sent so: 6 bytes become 500. */
	begin(&t, "a", 17, 0);
	memset(name, 'x', 249);
	for (size_t i = 49; i < 249; i += 50)
		name[i] = '.';
	name[249] = '\0';
	dns_test_header(&wr, DNS_FLAG_QR, 1, 0, 0, 0);
	dns_test_question(&wr, "a", 17);
	size_t long_at = wire_wr_len(&wr) + 3 + 10;
	dns_test_record_name(&wr, "a", 99, 60, name);
	for (; n < 300; n++) {
		uint8_t rdata[4] = { 0xc0, (uint8_t)long_at, 0xc0, (uint8_t)long_at };

		dns_test_record(&wr, "a", 17, 60, span_of(rdata, 4));
	}
	wire_put_u16(buf + 6, (uint16_t)(n + 1));
	CU_ASSERT_EQUAL(dns_answer_parse(&t.a, wire_wr_span(&wr), &t.asked), OK);
	CU_ASSERT_EQUAL(dns_answer_pack(&packed, &t.a, wire_wr_span(&wr), &t.asked, &defaults),
	    ERR_FULL);
}

UNIT_MAIN("dns_answer", UNIT(only_the_question_asked_counts),
    UNIT(queries_and_other_opcodes_are_no_answers),
    UNIT(no_question_and_two_questions_are_refused),
    UNIT(addresses_are_data_and_the_least_ttl_counts), UNIT(a_chain_is_followed_to_its_end),
    UNIT(a_chain_out_of_order_is_found_too), UNIT(records_outside_of_the_chain_are_left_out),
    UNIT(records_of_another_class_are_strays), UNIT(a_chain_has_a_longest_length),
    UNIT(a_chain_in_a_circle_ends), UNIT(a_dname_above_the_question_belongs),
    UNIT(any_number_of_dnames_is_harmless), UNIT(signatures_of_the_chain_are_kept_and_others_not),
    UNIT(no_such_name_lives_as_long_as_soa_says),
    UNIT(no_data_is_told_from_no_name_and_from_a_referral),
    UNIT(a_chain_that_leads_nowhere_is_negative), UNIT(a_soa_of_somebody_else_does_not_count),
    UNIT(failures_have_no_records), UNIT(a_truncated_answer_is_not_read_further),
    UNIT(opt_gives_the_upper_bits_cookie_and_error),
    UNIT(a_text_that_is_not_utf8_is_not_passed_on), UNIT(malformed_answers_are_refused),
    UNIT(every_cut_answer_is_refused), UNIT(ttls_are_clamped),
    UNIT(negative_ttls_have_their_own_clamp), UNIT(unknown_types_pass_byte_by_byte),
    UNIT(junk_behind_the_answer_is_not_kept), UNIT(what_grows_beyond_a_message_is_refused))
