/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_query.h"

#include "support/dns.h"
#include "support/unit.h"

/* A query in the making: what the cases below break is added by hand. */
struct draft {
	uint8_t buf[1024];
	struct wire_wr wr;
};

static void
begin(struct draft *d, uint16_t flags, uint16_t qd, uint16_t ar)
{
	d->wr = wire_wr_of(d->buf, sizeof(d->buf));
	dns_test_header(&d->wr, flags, qd, 0, 0, ar);
	if (qd != 0)
		dns_test_question(&d->wr, "WwW.Example.org", DNS_TYPE_AAAA);
}

static enum dns_verdict
parse(struct draft *d, struct dns_query *q)
{
	CU_ASSERT_FALSE_FATAL(d->wr.bad);
	return dns_query_parse(q, wire_wr_span(&d->wr));
}

static void
a_plain_query_is_read(void)
{
	struct dns_name lower = dns_test_name("www.example.org");
	struct draft d;
	struct dns_query q;

	begin(&d, DNS_FLAG_RD | DNS_FLAG_CD, 1, 0);
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_OK);
	CU_ASSERT_EQUAL(q.id, 0x1234);
	CU_ASSERT_EQUAL(q.flags, DNS_FLAG_RD | DNS_FLAG_CD);
	CU_ASSERT_EQUAL(q.type, DNS_TYPE_AAAA);
	CU_ASSERT_EQUAL(q.class, DNS_CLASS_IN);
	CU_ASSERT_TRUE(span_equal(dns_query_name(&q), dns_name_span(&lower)));
	CU_ASSERT_EQUAL(q.question_len, 17 + 4);
	CU_ASSERT_EQUAL(memcmp(dns_query_question(&q).at, "\3WwW\7Example", 12), 0);
	CU_ASSERT_FALSE(q.edns);
	CU_ASSERT_EQUAL(dns_query_limit(&q, DNS_UDP_SIZE), 512);
}

static void
an_opt_record_is_read(void)
{
	static const uint8_t options[] = "\0\12\0\10abcdefgh\0\10\0\4\0\1\0\0\0\3\0\0"
	    "\0\13\0\0\0\14\0\1x\xfd\xe9\0\2zz";
	struct draft d;
	struct dns_query q;

	begin(&d, DNS_FLAG_RD, 1, 1);
	dns_test_opt(&d.wr, 4096, DNS_EDNS_DO, span_of(options, sizeof(options) - 1));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_OK);
	CU_ASSERT_TRUE(q.edns && q.dnssec_ok && q.nsid && q.keepalive && q.padding);
	CU_ASSERT_TRUE(span_equal(q.cookie, span_str("abcdefgh")));
	CU_ASSERT_EQUAL(q.ecs.len, 4);
	CU_ASSERT_EQUAL(q.udp_size, 4096);
	CU_ASSERT_EQUAL(dns_query_limit(&q, DNS_UDP_SIZE), DNS_UDP_SIZE);
}

static void
a_udp_size_below_512_counts_as_512(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 1, 1);
	dns_test_opt(&d.wr, 0, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_OK);
	CU_ASSERT_EQUAL(q.udp_size, 512);
}

static void
what_is_no_query_is_met_with_silence(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, DNS_FLAG_QR, 1, 0);
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_DROP);
	for (size_t len = 0; len < DNS_HEADER_BYTES; len++)
		CU_ASSERT_EQUAL(dns_query_parse(&q, span_of(d.buf, len)), DNS_QUERY_DROP);
	CU_ASSERT_EQUAL(dns_query_parse(&q, span_of(NULL, 0)), DNS_QUERY_DROP);
}

static void
every_cut_query_is_a_format_error(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, DNS_FLAG_RD, 1, 1);
	dns_test_opt(&d.wr, 1232, 0, span_str("\0\3\0\0"));
	for (size_t len = DNS_HEADER_BYTES; len < wire_wr_len(&d.wr); len++) {
		CU_ASSERT_EQUAL(dns_query_parse(&q, span_of(d.buf, len)), DNS_QUERY_FORMERR);
		CU_ASSERT_EQUAL(q.id, 0x1234);
		CU_ASSERT_TRUE(dns_query_question(&q).len + DNS_HEADER_BYTES <= len);
	}
}

static void
bytes_behind_the_message_are_tolerated(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, DNS_FLAG_RD, 1, 0);
	wire_wr_u64(&d.wr, 0);
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_OK);
}

static void
other_than_one_question_is_a_format_error(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 0, 0);
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
	CU_ASSERT_EQUAL(q.question_len, 0);
	begin(&d, 0, 2, 0);
	dns_test_question(&d.wr, "b.example", DNS_TYPE_A);
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
}

static void
no_question_but_a_cookie_is_legal(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 0, 1);
	dns_test_opt(&d.wr, 1232, 0, span_of("\0\12\0\10abcdefgh", 12));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_COOKIE);
	begin(&d, 0, 0, 1);
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
}

static void
a_compressed_question_is_a_format_error(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 0, 0);
	d.buf[5] = 1;
	wire_wr_bytes(&d.wr, span_of("\1a\xc0\4\0\1\0\1", 8));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
}

static void
other_opcodes_are_not_implemented_whatever_follows(void)
{
	struct draft d;
	struct dns_query q;

	for (uint16_t opcode = 1; opcode < 16; opcode++) {
		begin(&d, (uint16_t)(opcode << 11), 1, 1);
		dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
		CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_NOTIMP);
		CU_ASSERT_TRUE(q.edns);
		begin(&d, (uint16_t)(opcode << 11), 0, 0);
		wire_wr_u32(&d.wr, 0xffffffff);
		CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_NOTIMP);
	}
}

static void
a_later_edns_version_is_told_so_and_its_options_are_not_read(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 1, 1);
	dns_test_opt(&d.wr, 1232, 1u << 16, span_str("junk that is no option"));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_BADVERS);
	CU_ASSERT_TRUE(q.edns);
	CU_ASSERT_EQUAL(q.edns_version, 1);
}

static void
opt_records_that_break_the_rules_are_format_errors(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 1, 2);			/* two */
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
	CU_ASSERT_TRUE(q.edns);

	begin(&d, 0, 1, 2);			/* two, the first of a later version */
	dns_test_opt(&d.wr, 1232, 1u << 16, span_of(NULL, 0));
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);

	begin(&d, 0, 1, 1);			/* with an owner */
	dns_test_record(&d.wr, "x", DNS_TYPE_OPT, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);

	begin(&d, 0, 1, 0);			/* among the answers */
	d.buf[7] = 1;
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);

	begin(&d, 0, 1, 1);			/* an option longer than the record */
	dns_test_opt(&d.wr, 1232, 0, span_of("\0\14\0\5abcd", 8));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_FORMERR);
}

/* A query with `n` options of a code and length each. */
static enum dns_verdict
parse_options(unsigned n, uint16_t code, uint16_t len)
{
	uint8_t options[600];
	struct wire_wr wr = wire_wr_of(options, sizeof(options));
	struct draft d;
	struct dns_query q;

	for (unsigned i = 0; i < n; i++) {
		wire_wr_u16(&wr, code);
		wire_wr_u16(&wr, len);
		for (unsigned j = 0; j < len; j++)
			wire_wr_u8(&wr, 'x');
	}
	CU_ASSERT_FALSE_FATAL(wr.bad);
	begin(&d, 0, 1, 1);
	dns_test_opt(&d.wr, 1232, 0, wire_wr_span(&wr));
	return parse(&d, &q);
}

static void
options_are_capped_and_those_we_read_come_once(void)
{
	static const uint16_t once[] = { DNS_OPTION_COOKIE, DNS_OPTION_ECS, DNS_OPTION_NSID,
	    DNS_OPTION_KEEPALIVE, DNS_OPTION_PADDING };

	CU_ASSERT_EQUAL(parse_options(DNS_OPTIONS_MAX, 65001, 0), DNS_QUERY_OK);
	CU_ASSERT_EQUAL(parse_options(DNS_OPTIONS_MAX + 1, 65001, 0), DNS_QUERY_FORMERR);
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		CU_ASSERT_EQUAL(parse_options(1, once[i], 8), DNS_QUERY_OK);
		CU_ASSERT_EQUAL(parse_options(2, once[i], 8), DNS_QUERY_FORMERR);
	}
}

static void
cookies_have_legal_lengths(void)
{
	for (uint16_t len = 0; len < 50; len++) {
		bool legal = len == 8 || (len >= 16 && len <= 40);

		CU_ASSERT_EQUAL(parse_options(1, DNS_OPTION_COOKIE, len),
		    legal ? DNS_QUERY_OK : DNS_QUERY_FORMERR);
	}
}

static void
other_records_in_a_query_are_stepped_over(void)
{
	struct draft d;
	struct dns_query q;

	begin(&d, 0, 1, 2);
	d.buf[9] = 1;				/* IXFR carries a SOA in the authority section */
	dns_test_soa(&d.wr, "example.org", 1, 1);
	dns_test_opt(&d.wr, 1232, 0, span_of(NULL, 0));
	dns_test_record(&d.wr, "key", 250, 0, span_str("a signature"));
	CU_ASSERT_EQUAL(parse(&d, &q), DNS_QUERY_OK);
	CU_ASSERT_TRUE(q.edns);
}

static void
the_root_can_be_asked_for(void)
{
	uint8_t buf[512];
	struct dns_query q;

	dns_test_query(&q, buf, &(struct dns_test_query){ .name = ".", .type = DNS_TYPE_NS });
	CU_ASSERT_EQUAL(q.name_len, 1);
	CU_ASSERT_EQUAL(q.question_len, 5);
}

static void
what_we_ask_we_can_read(void)
{
	struct dns_name n = dns_test_name("MiXed.example");
	struct dns_ask ask = { .id = 7, .flags = DNS_FLAG_RD | DNS_FLAG_QR | DNS_FLAG_AA,
	    .name = dns_name_span(&n), .type = DNS_TYPE_HTTPS, .class = DNS_CLASS_IN, .edns = true,
	    .dnssec_ok = true, .cookie = span_str("12345678") };
	uint8_t buf[1024];
	struct dns_query q;

	for (uint16_t pad = 0; pad <= DNS_PAD_MAX; pad = (uint16_t)(pad * 2 + 1)) {
		ask.pad = pad;
		size_t len = dns_ask_write(&ask, buf, sizeof(buf));
		CU_ASSERT_EQUAL(dns_query_parse(&q, span_of(buf, len)), DNS_QUERY_OK);
		CU_ASSERT_EQUAL(q.flags, DNS_FLAG_RD);
		CU_ASSERT_EQUAL(memcmp(buf + DNS_HEADER_BYTES, n.wire, n.len), 0);
		CU_ASSERT_TRUE(span_equal(q.cookie, span_str("12345678")));
		CU_ASSERT_EQUAL(q.udp_size, DNS_UDP_SIZE);
		CU_ASSERT_TRUE(q.dnssec_ok);
		if (pad != 0)
			CU_ASSERT_EQUAL(len % pad, 0);
		CU_ASSERT_EQUAL(dns_ask_write(&ask, buf, len - 1), 0);
	}
}

static void
random_bytes_get_a_verdict_and_nothing_outside_is_touched(void)
{
	uint64_t state = unit_seed(8906);

	for (unsigned round = 0; round < 50000; round++) {
		uint8_t buf[80];
		struct dns_query q;
		size_t len = unit_random(&state) % (sizeof(buf) + 1);
		uint8_t *at = buf + sizeof(buf) - len;

		for (size_t i = 0; i < len; i++)
			at[i] = (unit_random(&state) & 3) != 0 ? 0 : (uint8_t)unit_random(&state);
		if (len > 5 && (unit_random(&state) & 1) != 0)
			memcpy(at + 2, "\1\0\0\1", 4);
		enum dns_verdict v = dns_query_parse(&q, span_of(at, len));
		if (v == DNS_QUERY_OK)
			CU_ASSERT_EQUAL(dns_name_at(dns_query_name(&q)).len, q.name_len);
		if (v != DNS_QUERY_DROP)
			CU_ASSERT_TRUE(dns_query_question(&q).len + DNS_HEADER_BYTES <= len);
	}
}

UNIT_MAIN("dns_query", UNIT(a_plain_query_is_read), UNIT(an_opt_record_is_read),
    UNIT(a_udp_size_below_512_counts_as_512), UNIT(what_is_no_query_is_met_with_silence),
    UNIT(every_cut_query_is_a_format_error), UNIT(bytes_behind_the_message_are_tolerated),
    UNIT(other_than_one_question_is_a_format_error), UNIT(no_question_but_a_cookie_is_legal),
    UNIT(a_compressed_question_is_a_format_error),
    UNIT(other_opcodes_are_not_implemented_whatever_follows),
    UNIT(a_later_edns_version_is_told_so_and_its_options_are_not_read),
    UNIT(opt_records_that_break_the_rules_are_format_errors),
    UNIT(options_are_capped_and_those_we_read_come_once), UNIT(cookies_have_legal_lengths),
    UNIT(other_records_in_a_query_are_stepped_over), UNIT(the_root_can_be_asked_for),
    UNIT(what_we_ask_we_can_read), UNIT(random_bytes_get_a_verdict_and_nothing_outside_is_touched))
