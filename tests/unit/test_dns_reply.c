/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_reply.h"

#include "support/dns.h"
#include "support/unit.h"

static uint8_t out[DNS_MSG_MAX];

/* A query for WWW.Example.org with its buffer. */
struct asked {
	uint8_t buf[512];
	struct dns_query q;
};

static void
ask(struct asked *a, uint16_t flags, bool edns, bool dnssec_ok, uint16_t size)
{
	dns_test_query(&a->q, a->buf, &(struct dns_test_query){ .name = "WWW.Example.org",
	    .type = DNS_TYPE_A, .flags = flags, .edns = edns, .dnssec_ok = dnssec_ok,
	    .udp_size = size });
}

static struct span
reply(size_t len)
{
	return span_of(out, len);
}

static void
a_reply_echoes_id_question_and_letter_case(void)
{
	struct dns_name n = dns_test_name("www.example.org");
	struct asked a;
	struct dns_wr w;
	char text[DNS_TEST_DUMP];

	ask(&a, DNS_FLAG_RD | DNS_FLAG_CD, false, false, 0);
	dns_wr_begin(&w, &a.q, out, 512);
	dns_wr_record(&w, DNS_SECTION_ANSWER, dns_name_span(&n), DNS_TYPE_A, DNS_CLASS_IN, 60,
	    span_str("1234"));
	size_t len = dns_wr_end(&w, DNS_NOERROR, DNS_FLAG_AA, NULL);

	CU_ASSERT_EQUAL(dns_msg_id(reply(len)), 0x1234);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(len)), DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD |
	    DNS_FLAG_RA | DNS_FLAG_CD);
	CU_ASSERT_EQUAL(memcmp(out + 4, a.buf + 4, 2), 0);
	CU_ASSERT_EQUAL(memcmp(out + 12, a.buf + 12, a.q.question_len), 0);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text), "0 WWW.Example.org 60 A 4\n");
	CU_ASSERT_EQUAL(len, 12 + 21u + 16);
}

static void
opt_is_sent_if_and_only_if_the_query_had_one(void)
{
	struct asked a;
	char text[DNS_TEST_DUMP];
	size_t len;

	ask(&a, 0, false, false, 0);
	len = dns_reply_empty(&a.q, DNS_REFUSED, 0, NULL, out, 512);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text), "");
	CU_ASSERT_EQUAL(dns_msg_flags(reply(len)) & DNS_FLAG_RCODE, DNS_REFUSED);
	ask(&a, 0, true, true, 4096);
	len = dns_reply_empty(&a.q, DNS_REFUSED, 0, NULL, out, 512);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text), "opt 1232 00008000 0\n");
	ask(&a, 0, true, false, 4096);
	len = dns_reply_empty(&a.q, DNS_REFUSED, 0, NULL, out, 512);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text), "opt 1232 00000000 0\n");
}

static void
an_rcode_above_15_goes_to_opt_or_becomes_a_failure(void)
{
	struct asked a;
	char text[DNS_TEST_DUMP];
	size_t len;

	ask(&a, 0, true, false, 1232);
	len = dns_reply_empty(&a.q, DNS_BADVERS, 0, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(len)) & DNS_FLAG_RCODE, 0);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text), "opt 1232 01000000 0\n");
	ask(&a, 0, false, false, 0);
	len = dns_reply_empty(&a.q, DNS_BADCOOKIE, 0, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(len)) & DNS_FLAG_RCODE, DNS_SERVFAIL);
}

static void
options_are_written(void)
{
	struct dns_opt opt = { .has_ede = true, .ede = DNS_EDE_BLOCKED, .ede_text = span_str("ads"),
	    .cookie = span_str("0123456789abcdef"), .has_keepalive = true, .keepalive = 100 };
	struct asked a;
	struct dns_walk w;
	struct dns_rr rr;

	ask(&a, 0, true, false, 1232);
	size_t len = dns_reply_empty(&a.q, DNS_NXDOMAIN, 0, &opt, out, 512);

	dns_walk_begin(&w, reply(len));
	CU_ASSERT_TRUE_FATAL(dns_rr_next(&w, &rr));
	CU_ASSERT_TRUE(span_equal(rr.rdata,
	    span_of("\0\17\0\5\0\17ads\0\12\0\20" "0123456789abcdef\0\13\0\2\0\144", 35)));
}

static void
a_long_text_is_cut_between_characters(void)
{
	char words[300];
	struct dns_opt opt = { .has_ede = true, .ede_text = span_of(words, sizeof(words)) };
	struct asked a;
	struct dns_walk w;
	struct dns_rr rr;

	ask(&a, 0, true, false, 1232);
	for (size_t i = 0; i < sizeof(words); i += 3)
		memcpy(words + i, "\xe2\x82\xac", 3);	/* 128 is within one */
	size_t len = dns_reply_empty(&a.q, DNS_NXDOMAIN, 0, &opt, out, 512);

	dns_walk_begin(&w, reply(len));
	CU_ASSERT_TRUE_FATAL(dns_rr_next(&w, &rr));
	CU_ASSERT_EQUAL(rr.rdata.len, 4 + 2 + 126);
}

static void
ad_is_for_those_who_asked_for_it(void)
{
	struct asked a;

	ask(&a, 0, true, false, 1232);
	dns_reply_empty(&a.q, 0, DNS_FLAG_AD, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_AD, 0);
	ask(&a, DNS_FLAG_AD, false, false, 0);
	dns_reply_empty(&a.q, 0, DNS_FLAG_AD, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_AD, DNS_FLAG_AD);
	dns_reply_empty(&a.q, 0, 0, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_AD, 0);
	ask(&a, 0, true, true, 1232);
	dns_reply_empty(&a.q, 0, DNS_FLAG_AD, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_AD, DNS_FLAG_AD);
}

/* A reply with `n` TXT records of 100 bytes under a limit. */
static size_t
reply_txt(const struct dns_query *q, unsigned n, size_t limit, const struct dns_opt *opt)
{
	struct dns_name owner = dns_test_name("www.example.org");
	uint8_t txt[100] = { 99 };
	struct dns_wr w;

	dns_wr_begin(&w, q, out, limit);
	for (unsigned i = 0; i < n; i++)
		dns_wr_record(&w, DNS_SECTION_ANSWER, dns_name_span(&owner), DNS_TYPE_TXT,
		    DNS_CLASS_IN, 60, span_of(txt, sizeof(txt)));
	return dns_wr_end(&w, DNS_NOERROR, 0, opt);
}

static void
what_is_too_long_is_cut_to_the_question_and_marked(void)
{
	struct asked a;
	char text[DNS_TEST_DUMP];
	size_t full = 12 + 21 + 4 * 112 + 11;	/* with OPT */

	ask(&a, 0, true, false, 4096);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 4, 512, NULL), full);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_TC, 0);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, 512, NULL), 12 + 21 + 11);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_TC, DNS_FLAG_TC);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(12 + 21 + 11), text), "opt 1232 00000000 0\n");

	/* The last byte counts, with and without OPT. */
	full = 12 + 21 + 5 * 112;
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full + 11, NULL), full + 11);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full + 10, NULL), 12 + 21 + 11);
	ask(&a, 0, false, false, 0);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full, NULL), full);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full - 1, NULL), 12 + 21);
}

static void
an_ede_yields_before_records_do(void)
{
	struct dns_opt opt = { .has_ede = true, .ede = DNS_EDE_STALE, .ede_text = span_str("old") };
	struct asked a;
	char text[DNS_TEST_DUMP];
	size_t full = 12 + 21 + 5 * 112 + 11;

	ask(&a, 0, true, false, 4096);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full + 9, &opt), full + 9);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full + 8, &opt), full);
	CU_ASSERT_PTR_NOT_NULL(strstr(dns_test_dump(reply(full), text), "opt 1232 00000000 0\n"));
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_TC, 0);
	CU_ASSERT_EQUAL(reply_txt(&a.q, 5, full - 1, &opt), 12 + 21 + 11 + 9);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_TC, DNS_FLAG_TC);
}

static void
the_longest_question_and_options_fit_512_bytes(void)
{
	char name[300] = "";
	uint8_t buf[512];
	uint8_t words[DNS_EDE_TEXT_MAX];
	struct dns_opt opt = { .has_ede = true, .ede_text = span_of(words, sizeof(words)),
	    .cookie = span_of("0123456789012345678901234567890123456789", 40),
	    .has_keepalive = true };
	struct dns_query q;

	memset(words, 'x', sizeof(words));
	for (unsigned i = 0; i < 127; i++)
		strcat(name, "a.");
	dns_test_query(&q, buf, &(struct dns_test_query){ .name = name, .type = 1, .edns = true });
	CU_ASSERT_EQUAL(dns_reply_empty(&q, 0, 0, &opt, out, 512), 12 + 259 + 195);
}

static void
every_verdict_has_its_rcode(void)
{
	CU_ASSERT_EQUAL(dns_verdict_rcode(DNS_QUERY_OK), DNS_NOERROR);
	CU_ASSERT_EQUAL(dns_verdict_rcode(DNS_QUERY_COOKIE), DNS_NOERROR);
	CU_ASSERT_EQUAL(dns_verdict_rcode(DNS_QUERY_FORMERR), DNS_FORMERR);
	CU_ASSERT_EQUAL(dns_verdict_rcode(DNS_QUERY_NOTIMP), DNS_NOTIMP);
	CU_ASSERT_EQUAL(dns_verdict_rcode(DNS_QUERY_BADVERS), DNS_BADVERS);
}

static void
a_query_without_a_readable_question_gets_a_header(void)
{
	static const uint8_t bad[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1";
	struct dns_query q;

	CU_ASSERT_EQUAL(dns_query_parse(&q, span_of(bad, sizeof(bad) - 1)), DNS_QUERY_FORMERR);
	CU_ASSERT_EQUAL(dns_reply_empty(&q, DNS_FORMERR, 0, NULL, out, 512), 12);
	CU_ASSERT_EQUAL(memcmp(out, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", 12), 0);
}

static void
the_z_bit_is_not_echoed_and_the_opcode_is(void)
{
	struct asked a;

	ask(&a, 0, false, false, 0);
	wire_put_u16(a.buf + 2, DNS_FLAG_Z | DNS_FLAG_TC | DNS_FLAG_AA | DNS_FLAG_RA | 4 << 11 | 5);
	CU_ASSERT_EQUAL(dns_query_parse(&a.q, span_of(a.buf, 12 + 21)), DNS_QUERY_NOTIMP);
	dns_reply_empty(&a.q, DNS_NOTIMP, 0, NULL, out, 512);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)), DNS_FLAG_QR | DNS_FLAG_RA | 4 << 11 | DNS_NOTIMP);
}

/* --- ready answers ---------------------------------------------------------------------------- */

/* Two A records behind www.example.org, with TTLs 300 and 60. */
static const uint8_t body[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" "1234"
    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" "5678";
static const uint16_t ttl_at[] = { 12 + 21 + 6, 12 + 21 + 16 + 6 };
static const struct dns_stored two = { .body = body, .body_len = sizeof(body) - 1, .ttl_at = ttl_at,
    .nttl = 2, .answers = 2, .flags = DNS_FLAG_AD, .ttl_cap_s = UINT32_MAX };

static void
a_ready_answer_is_copied_and_patched(void)
{
	struct dns_stored s = two;
	struct asked a;
	char text[DNS_TEST_DUMP];

	ask(&a, DNS_FLAG_RD, true, true, 1232);
	s.age_s = 59;
	size_t len = dns_reply_stored(&s, &a.q, NULL, out, 1232);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text),
	    "0 WWW.Example.org 241 A 4\n0 WWW.Example.org 1 A 4\nopt 1232 00008000 0\n");
	CU_ASSERT_EQUAL(dns_msg_flags(reply(len)), DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA |
	    DNS_FLAG_AD);
	CU_ASSERT_EQUAL(memcmp(out + 12, a.buf + 12, 21), 0);
}

static void
ttls_stop_at_zero_and_at_the_cap(void)
{
	struct dns_stored s = two;
	struct asked a;
	char text[DNS_TEST_DUMP];

	ask(&a, 0, false, false, 0);
	s.age_s = 100;
	size_t len = dns_reply_stored(&s, &a.q, NULL, out, 512);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text),
	    "0 WWW.Example.org 200 A 4\n0 WWW.Example.org 0 A 4\n");
	s.age_s = 0;
	s.ttl_cap_s = 70;
	len = dns_reply_stored(&s, &a.q, NULL, out, 512);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(reply(len), text),
	    "0 WWW.Example.org 70 A 4\n0 WWW.Example.org 60 A 4\n");
}

static void
a_ready_answer_over_the_limit_is_cut(void)
{
	uint8_t big[600] = { 0 };
	struct dns_stored s = { .body = big, .body_len = 512 - 12 - 21 - 11, .answers = 1,
	    .ttl_cap_s = UINT32_MAX };
	struct asked a;

	ask(&a, 0, true, false, 512);
	CU_ASSERT_EQUAL(dns_reply_stored(&s, &a.q, NULL, out, 512), 512);
	s.body_len++;
	CU_ASSERT_EQUAL(dns_reply_stored(&s, &a.q, NULL, out, 512), 12 + 21 + 11);
	CU_ASSERT_EQUAL(dns_msg_flags(reply(12)) & DNS_FLAG_TC, DNS_FLAG_TC);
	CU_ASSERT_EQUAL(memcmp(out + 6, "\0\0\0\0\0\1", 6), 0);
	s.body_len = 600;
	CU_ASSERT_EQUAL(dns_reply_stored(&s, &a.q, NULL, out, 512), 12 + 21 + 11);
}

#define BODY_AT	 33	/* in a message about WWW.Example.org */
#define POINTER	 "\300\14"
#define ALIAS	 POINTER "\0\5\0\1\0\0\0\74\0\4\1b" "\300\20"	/* 16 bytes: b.example.org */
#define A_OF(owner, last) owner "\0\1\0\1\0\0\0\74\0\4\300\0\2" last	/* 16 bytes */

/* The last bytes of the addresses in a reply of n records of 16 bytes, in their order. */
static void
expect_order(const char *records, unsigned n, uint32_t turn, const char *want)
{
	uint16_t at[8];
	struct dns_stored s = { .body = (const uint8_t *)records, .body_len = (uint16_t)(16 * n),
		.ttl_at = at, .nttl = (uint16_t)n, .answers = (uint16_t)n, .turn = turn,
		.age_s = 20, .ttl_cap_s = UINT32_MAX };
	struct asked a;
	char got[9] = "";

	for (unsigned i = 0; i < n; i++)
		at[i] = (uint16_t)(BODY_AT + 16 * i + 6);
	ask(&a, 0, false, false, 0);
	CU_ASSERT_EQUAL(dns_reply_stored(&s, &a.q, NULL, out, 512), BODY_AT + 16 * n);
	for (unsigned i = 0; i < n; i++) {
		got[i] = (char)out[BODY_AT + 16 * i + 15];
		CU_ASSERT_EQUAL(out[at[i] + 3], 40);
	}
	got[n] = '\0';
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void
the_addresses_of_a_name_take_turns(void)
{
	static const char three[] = A_OF(POINTER, "1") A_OF(POINTER, "2") A_OF(POINTER, "3");

	expect_order(three, 3, 0, "123");
	expect_order(three, 3, 1, "231");
	expect_order(three, 3, 2, "312");
	expect_order(three, 3, 3, "123");
	expect_order(three, 3, UINT32_MAX, "123");	/* which is a multiple of 3 */
	expect_order(three, 1, 7, "1");
}

/* Behind an alias, and never over the border of an RRset. */
static void
what_is_no_address_of_the_name_stays_where_it_is(void)
{
	expect_order(ALIAS A_OF("\300\55", "1") A_OF("\300\55", "2"), 3, 1, "\02021");
	expect_order(A_OF(POINTER, "1") A_OF("\300\55", "2"), 2, 1, "12");
	expect_order(A_OF(POINTER, "1") A_OF(POINTER, "2") A_OF("\300\55", "3"), 3, 1, "213");
	expect_order(ALIAS ALIAS, 2, 1, "\020\020");
	/* A record of another length, that an upstream should not have sent. */
	expect_order(A_OF(POINTER, "1") POINTER "\0\1\0\1\0\0\0\74\0\3\300\0\2" "2", 2, 1, "12");
}

UNIT_MAIN("dns_reply", UNIT(a_reply_echoes_id_question_and_letter_case),
    UNIT(opt_is_sent_if_and_only_if_the_query_had_one),
    UNIT(an_rcode_above_15_goes_to_opt_or_becomes_a_failure), UNIT(options_are_written),
    UNIT(a_long_text_is_cut_between_characters), UNIT(ad_is_for_those_who_asked_for_it),
    UNIT(what_is_too_long_is_cut_to_the_question_and_marked),
    UNIT(an_ede_yields_before_records_do), UNIT(the_longest_question_and_options_fit_512_bytes),
    UNIT(every_verdict_has_its_rcode), UNIT(a_query_without_a_readable_question_gets_a_header),
    UNIT(the_z_bit_is_not_echoed_and_the_opcode_is), UNIT(a_ready_answer_is_copied_and_patched),
    UNIT(ttls_stop_at_zero_and_at_the_cap), UNIT(a_ready_answer_over_the_limit_is_cut),
    UNIT(the_addresses_of_a_name_take_turns),
    UNIT(what_is_no_address_of_the_name_stays_where_it_is))
