/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_msg.h"

#include "support/dns.h"
#include "support/unit.h"

static void
records_are_walked_in_their_sections(void)
{
	uint8_t buf[512];
	char text[DNS_TEST_DUMP];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	dns_test_header(&wr, DNS_FLAG_QR, 1, 2, 1, 1);
	dns_test_question(&wr, "a.example", DNS_TYPE_A);
	dns_test_a(&wr, "a.example", 60, 1);
	dns_test_a(&wr, "a.example", 61, 2);
	dns_test_soa(&wr, "example", 5, 6);
	dns_test_opt(&wr, 1232, DNS_EDNS_DO, span_of(NULL, 0));
	CU_ASSERT_STRING_EQUAL(dns_test_dump(wire_wr_span(&wr), text),
	    "0 a.example 60 A 4\n0 a.example 61 A 4\n1 example 5 SOA 46\nopt 1232 00008000 0\n");
}

static void
a_record_is_described_where_it_lies(void)
{
	uint8_t buf[512];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct dns_walk w;
	struct dns_rr rr;

	dns_test_header(&wr, DNS_FLAG_QR, 1, 1, 0, 0);
	dns_test_question(&wr, "a.example", DNS_TYPE_A);
	size_t owner_at = wire_wr_len(&wr);
	dns_test_a(&wr, "a.example", 0x01020304, 9);
	dns_walk_begin(&w, wire_wr_span(&wr));
	CU_ASSERT_EQUAL(w.questions, 1);
	CU_ASSERT_TRUE_FATAL(dns_rr_next(&w, &rr));
	CU_ASSERT_EQUAL(rr.owner_at, owner_at);
	CU_ASSERT_EQUAL(rr.ttl_at, owner_at + 11 + 4);
	CU_ASSERT_EQUAL(buf[rr.ttl_at], 1);
	CU_ASSERT_EQUAL(rr.rdata.len, 4);
	CU_ASSERT_PTR_EQUAL(rr.rdata.at, buf + rr.ttl_at + 6);
	CU_ASSERT_FALSE(dns_rr_next(&w, &rr));
	CU_ASSERT_FALSE(w.bad);
}

static void
counts_are_claims(void)
{
	uint8_t buf[512];
	char text[DNS_TEST_DUMP];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	dns_test_header(&wr, DNS_FLAG_QR, 1, 65535, 0, 0);
	dns_test_question(&wr, "a.example", DNS_TYPE_A);
	dns_test_a(&wr, "a.example", 60, 1);
	CU_ASSERT_STRING_EQUAL(dns_test_dump(wire_wr_span(&wr), text), "0 a.example 60 A 4\nbad\n");

	/* Every cut is noticed, and none is read past. */
	for (size_t len = 0; len < wire_wr_len(&wr); len++) {
		uint8_t cut[512];
		struct dns_walk w;
		struct dns_rr rr;

		memcpy(cut + sizeof(cut) - len, buf, len);
		dns_walk_begin(&w, span_of(cut + sizeof(cut) - len, len));
		while (dns_rr_next(&w, &rr))
			;
		CU_ASSERT_TRUE(w.bad);
	}
}

static void
questions_beyond_the_end_are_bad(void)
{
	uint8_t buf[64];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct dns_walk w;

	dns_test_header(&wr, DNS_FLAG_QR, 65535, 0, 0, 0);
	dns_test_question(&wr, "a.example", DNS_TYPE_A);
	dns_walk_begin(&w, wire_wr_span(&wr));
	CU_ASSERT_TRUE(w.bad);
}

static void
no_more_records_than_the_cap_are_walked(void)
{
	static uint8_t buf[DNS_MSG_MAX];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct dns_walk w;
	struct dns_rr rr;
	unsigned n = 0;

	dns_test_header(&wr, DNS_FLAG_QR, 0, 5000, 0, 0);
	for (unsigned i = 0; i < 5000; i++)
		dns_test_record(&wr, ".", 99, 0, span_of(NULL, 0));
	dns_walk_begin(&w, wire_wr_span(&wr));
	while (dns_rr_next(&w, &rr))
		n++;
	CU_ASSERT_EQUAL(n, DNS_RECORDS_MAX);
	CU_ASSERT_TRUE(w.bad);
}

static void
options_are_stepped_through(void)
{
	uint8_t buf[64];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	uint8_t *length_at = dns_opt_open(&wr, 1232, 1, true);

	dns_opt_option(&wr, DNS_OPTION_COOKIE, span_str("12345678"));
	dns_opt_option(&wr, DNS_OPTION_PADDING, span_of(NULL, 0));
	dns_opt_close(&wr, length_at);

	struct wire_rd rd = wire_rd_of(wire_wr_span(&wr));
	struct dns_rr rr;
	struct span data;
	uint16_t code;

	CU_ASSERT_TRUE_FATAL(dns_rr_read(&rd, &rr));
	CU_ASSERT_EQUAL(rr.ttl, 1u << 24 | DNS_EDNS_DO);
	rd = wire_rd_of(rr.rdata);
	CU_ASSERT_TRUE(dns_opt_next(&rd, &code, &data));
	CU_ASSERT_EQUAL(code, DNS_OPTION_COOKIE);
	CU_ASSERT_TRUE(span_equal(data, span_str("12345678")));
	CU_ASSERT_TRUE(dns_opt_next(&rd, &code, &data));
	CU_ASSERT_EQUAL(code, DNS_OPTION_PADDING);
	CU_ASSERT_EQUAL(data.len, 0);
	CU_ASSERT_FALSE(dns_opt_next(&rd, &code, &data));
	CU_ASSERT_FALSE(rd.bad);
	rd = wire_rd_of(span_of(rr.rdata.at, rr.rdata.len - 1));
	CU_ASSERT_TRUE(dns_opt_next(&rd, &code, &data));
	CU_ASSERT_FALSE(dns_opt_next(&rd, &code, &data));
	CU_ASSERT_TRUE(rd.bad);
}

static void
types_have_words_or_numbers(void)
{
	char buf[DNS_TYPE_TEXT_MAX];
	uint16_t type;

	CU_ASSERT_STRING_EQUAL(dns_type_format(DNS_TYPE_AAAA, buf), "AAAA");
	CU_ASSERT_STRING_EQUAL(dns_type_format(65534, buf), "TYPE65534");
	CU_ASSERT_STRING_EQUAL(dns_class_format(DNS_CLASS_CH, buf), "CH");
	CU_ASSERT_STRING_EQUAL(dns_class_format(4660, buf), "CLASS4660");
	CU_ASSERT_STRING_EQUAL(dns_rcode_format(DNS_NXDOMAIN, buf), "NXDOMAIN");
	CU_ASSERT_STRING_EQUAL(dns_rcode_format(4095, buf), "RCODE4095");
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("https")), OK);
	CU_ASSERT_EQUAL(type, DNS_TYPE_HTTPS);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("type65535")), OK);
	CU_ASSERT_EQUAL(type, 65535);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("28")), OK);
	CU_ASSERT_EQUAL(type, DNS_TYPE_AAAA);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("TYPE65536")), ERR_RANGE);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("9999999999")), ERR_RANGE);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("TYPE")), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("AAAB")), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_type_parse(&type, span_str("")), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_class_parse(&type, span_str("in")), OK);
	CU_ASSERT_EQUAL(type, DNS_CLASS_IN);
}

static void
every_type_with_a_word_is_read_back(void)
{
	for (unsigned i = 0; i <= UINT16_MAX; i++) {
		char buf[DNS_TYPE_TEXT_MAX];
		uint16_t type = 0;

		dns_type_format((uint16_t)i, buf);
		CU_ASSERT_EQUAL(dns_type_parse(&type, span_str(buf)), OK);
		CU_ASSERT_EQUAL(type, i);
	}
}

static void
extended_errors_have_the_registrys_words(void)
{
	CU_ASSERT_STRING_EQUAL(dns_ede_text(DNS_EDE_STALE), "Stale Answer");
	CU_ASSERT_STRING_EQUAL(dns_ede_text(DNS_EDE_NETWORK_ERROR), "Network Error");
	CU_ASSERT_STRING_EQUAL(dns_ede_text(9999), "Unassigned");
}

UNIT_MAIN("dns_msg", UNIT(records_are_walked_in_their_sections),
    UNIT(a_record_is_described_where_it_lies), UNIT(counts_are_claims),
    UNIT(questions_beyond_the_end_are_bad), UNIT(no_more_records_than_the_cap_are_walked),
    UNIT(options_are_stepped_through), UNIT(types_have_words_or_numbers),
    UNIT(every_type_with_a_word_is_read_back), UNIT(extended_errors_have_the_registrys_words))
