/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_rebind.h"

#include "support/dns.h"
#include "support/unit.h"

static struct addr
address(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 0), OK);
	return a;
}

static bool
inside(const char *text)
{
	struct addr a = address(text);
	const uint8_t *bytes;
	size_t len = addr_bytes(&a, &bytes);

	return dns_rebind_is_inside(span_of(bytes, len));
}

static void
addresses_of_houses_are_known_in_every_wrapping(void)
{
	static const char *const in[] = {
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.8.8.8",
		"169.254.1.1", "100.64.0.1", "0.1.2.3", "255.255.255.255", "::1", "fe80::1",
		"fd00::1",
		"fc00::1", "fec0::1", "::ffff:192.168.1.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
		"::192.168.1.1",
	};
	static const char *const out[] = {
		"0.0.0.0", "::", "8.8.8.8", "172.32.0.1", "192.0.2.1", "198.51.100.1",
		"100.128.0.1",
		"2001:db8::1", "2606:4700::1111", "::ffff:8.8.8.8", "::ffff:0.0.0.0",
		"64:ff9b::8.8.8.8",
		"::8.8.8.8",
	};

	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		CU_ASSERT_TRUE(inside(in[i]));
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		CU_ASSERT_FALSE(inside(out[i]));
	CU_ASSERT_FALSE(dns_rebind_is_inside(SPAN("\x7f\0\0")));
	CU_ASSERT_FALSE(dns_rebind_is_inside(SPAN("")));
}

static void
names_that_no_stranger_can_own_are_known(void)
{
	static const char *const own[] = { "nas.home.arpa", "x.internal", "nas.lan", "LAN",
	    "a.b.corp" };
	static const char *const strange[] = { "home.arpa.example", "lan.example", "xlan", "box",
	    "arpa" };

	for (size_t i = 0; i < 5; i++) {
		struct dns_name a = dns_test_name(own[i]), b = dns_test_name(strange[i]);

		CU_ASSERT_TRUE(dns_rebind_is_house_name(dns_name_span(&a)));
		CU_ASSERT_FALSE(dns_rebind_is_house_name(dns_name_span(&b)));
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

/* An answer of an upstream for evil.example, as it is packed for the cache. */
struct fixture {
	uint8_t msg[2000];
	struct wire_wr wr;
	struct dns_name name;
	struct dns_question asked;
	struct dns_answer answer;
	struct dns_packed packed;
};

static struct fixture *
begin(uint16_t type, uint16_t answers)
{
	static struct fixture f;

	f.wr = wire_wr_of(f.msg, sizeof(f.msg));
	f.name = dns_test_name("evil.example");
	f.asked = (struct dns_question){ .name = dns_name_span(&f.name), .type = type,
		.class = DNS_CLASS_IN };
	dns_test_header(&f.wr, DNS_FLAG_QR, 1, answers, 0, 0);
	dns_test_question(&f.wr, "evil.example", type);
	return &f;
}

static void
record(struct fixture *f, const char *owner, uint16_t type, struct span data)
{
	dns_test_record(&f->wr, owner, type, 300, data);
}

/* Pack it and look: the address that was found, "-" for none. */
static const char *
finding(struct fixture *f)
{
	static const struct dns_ttl_limits limits = DNS_TTL_LIMITS_DEFAULT;
	static char text[ADDR_TEXT_MAX];
	struct span msg = wire_wr_span(&f->wr);
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(dns_answer_parse(&f->answer, msg, &f->asked), OK);
	CU_ASSERT_EQUAL_FATAL(dns_answer_pack(&f->packed, &f->answer, msg, &f->asked, &limits), OK);
	return dns_rebind_find(&f->packed, &a) ? addr_format_host(&a, text) : "-";
}

static void
addresses_are_found_behind_others_and_behind_aliases(void)
{
	struct fixture *f = begin(DNS_TYPE_A, 3);

	dns_test_record_name(&f->wr, "evil.example", DNS_TYPE_CNAME, 300, "x.example");
	dns_test_a(&f->wr, "x.example", 300, 1);
	record(f, "x.example", DNS_TYPE_A, SPAN("\xc0\xa8\x01\x05"));
	CU_ASSERT_STRING_EQUAL(finding(f), "192.168.1.5");
	f = begin(DNS_TYPE_AAAA, 1);
	record(f, "evil.example", DNS_TYPE_AAAA, SPAN("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
	CU_ASSERT_STRING_EQUAL(finding(f), "fe80::1");
	f = begin(DNS_TYPE_A, 1);
	dns_test_a(&f->wr, "evil.example", 300, 1);
	CU_ASSERT_STRING_EQUAL(finding(f), "-");
	f = begin(DNS_TYPE_A, 1);
	record(f, "evil.example", DNS_TYPE_A, SPAN("\0\0\0\0"));
	CU_ASSERT_STRING_EQUAL(finding(f), "-");
	f = begin(DNS_TYPE_TXT, 1);
	record(f, "evil.example", DNS_TYPE_TXT, SPAN("\4\xc0\xa8\x01\x05"));
	CU_ASSERT_STRING_EQUAL(finding(f), "-");
}

static void
hints_are_addresses_too(void)
{
	struct fixture *f = begin(DNS_TYPE_HTTPS, 1);

	record(f, "evil.example", DNS_TYPE_HTTPS,
	    SPAN("\0\1\0" "\0\1\0\3\2h2" "\0\4\0\x08\xc0\0\2\1\x0a\0\0\1"));
	CU_ASSERT_STRING_EQUAL(finding(f), "10.0.0.1");
	f = begin(DNS_TYPE_SVCB, 1);
	record(f, "evil.example", DNS_TYPE_SVCB,
	    SPAN("\0\1\3cdn\7example\0" "\0\6\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
	CU_ASSERT_STRING_EQUAL(finding(f), "::1");
	f = begin(DNS_TYPE_HTTPS, 1);
	record(f, "evil.example", DNS_TYPE_HTTPS, SPAN("\0\1\0" "\0\4\0\4\xc0\0\2\1"));
	CU_ASSERT_STRING_EQUAL(finding(f), "-");
}

static void
torn_hints_are_read_as_far_as_they_go(void)
{
	static const char data[] = "\0\1\0\0\4\0\x08\xc0\0\2\1\x0a\0\0\1";

	for (size_t n = 0; n + 1 < sizeof(data) - 1; n++) {
		struct fixture *f = begin(DNS_TYPE_HTTPS, 1);

		record(f, "evil.example", DNS_TYPE_HTTPS, span_of(data, n));
		CU_ASSERT_STRING_EQUAL(finding(f), "-");
	}
}

static void
a_refused_answer_is_nodata_with_soa_and_reason(void)
{
	struct fixture *f = begin(DNS_TYPE_A, 1);
	struct dns_test_query want = { .name = "Evil.example", .type = DNS_TYPE_A, .edns = true };
	char text[DNS_TEST_DUMP];
	uint8_t query[512], reply[1232];
	struct dns_query q;
	struct addr a;
	size_t len;

	record(f, "evil.example", DNS_TYPE_A, SPAN("\xc0\xa8\x01\x05"));
	(void)finding(f);
	CU_ASSERT_TRUE_FATAL(dns_rebind_find(&f->packed, &a));
	dns_rebind_refuse(&f->packed, &f->asked, &a);
	CU_ASSERT_EQUAL(f->packed.kind, DNS_ANSWER_NODATA);
	CU_ASSERT_EQUAL(f->packed.ttl_s, DNS_REBIND_TTL);
	CU_ASSERT_EQUAL(f->packed.ede, DNS_EDE_BLOCKED);
	CU_ASSERT_TRUE(span_equal(span_of(f->packed.ede_text, f->packed.ede_len),
	    SPAN("rebinding: 192.168.1.5 is an address inside of the house")));
	CU_ASSERT_FALSE(dns_rebind_find(&f->packed, &a));
	dns_test_query(&q, query, &want);
	len = dns_reply_stored(&f->packed.view, &q, NULL, reply, sizeof(reply));
	CU_ASSERT_STRING_EQUAL(dns_test_dump(span_of(reply, len), text),
	    "1 Evil.example 10 SOA 38\nopt 1232 00000000 0\n");
}

UNIT_MAIN("dns_rebind",
    UNIT(addresses_of_houses_are_known_in_every_wrapping),
    UNIT(names_that_no_stranger_can_own_are_known),
    UNIT(addresses_are_found_behind_others_and_behind_aliases),
    UNIT(hints_are_addresses_too),
    UNIT(torn_hints_are_read_as_far_as_they_go),
    UNIT(a_refused_answer_is_nodata_with_soa_and_reason))
