/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_v6.h"

#include <stdio.h>

#include "support/dns.h"
#include "support/unit.h"

static struct prefix
prefix(const char *text)
{
	struct prefix p;

	CU_ASSERT_EQUAL_FATAL(dns_v6_prefix_parse(&p, text), OK);
	return p;
}

/* Where an address of IPv4 goes within a prefix; "-" where it must not go there. */
static const char *
mapped(const char *prefix_text, const char *v4)
{
	static char text[ADDR_TEXT_MAX];
	struct prefix p = prefix(prefix_text);
	struct addr from, to = { .in6.sin6_family = AF_INET6 };
	const uint8_t *bytes;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&from, v4, 0), OK);
	CU_ASSERT_EQUAL(addr_bytes(&from, &bytes), 4);
	if (!dns_v6_map(&p, span_of(bytes, 4), to.in6.sin6_addr.s6_addr))
		return "-";
	return addr_format_host(&to, text);
}

static void
addresses_are_mapped_as_rfc_6052_shows(void)
{
	/* The table of RFC 6052 §2.4. */
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8::/32", "192.0.2.33"), "2001:db8:c000:221::");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:100::/40", "192.0.2.33"), "2001:db8:1c0:2:21::");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:122::/48", "192.0.2.33"),
	    "2001:db8:122:c000:2:2100::");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:122:300::/56", "192.0.2.33"),
	    "2001:db8:122:3c0:0:221::");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:122:344::/64", "192.0.2.33"),
	    "2001:db8:122:344:c0:2:2100:0");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:122:344::/96", "192.0.2.33"),
	    "2001:db8:122:344::c000:221");
	CU_ASSERT_STRING_EQUAL(mapped("64:ff9b::/96", "192.0.2.33"), "64:ff9b::c000:221");
}

static void
the_well_known_prefix_is_for_the_internet_alone(void)
{
	CU_ASSERT_STRING_EQUAL(mapped("64:ff9b::/96", "192.168.1.1"), "-");
	CU_ASSERT_STRING_EQUAL(mapped("64:ff9b::/96", "127.0.0.1"), "-");
	CU_ASSERT_STRING_EQUAL(mapped("2001:db8:1::/96", "192.168.1.1"), "2001:db8:1::c0a8:101");
}

/* The name to ask for instead of a reverse name; "-" where there is none. */
static const char *
reversed(const char *prefix_text, const char *v6)
{
	static char text[DNS_NAME_TEXT_MAX];
	struct prefix p = prefix(prefix_text);
	struct dns_name target, name;
	struct addr a;
	size_t at = 0;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, v6, 0), OK);
	for (size_t i = 16; i-- > 0;)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%x.%x.",
		    a.in6.sin6_addr.s6_addr[i] & 15, a.in6.sin6_addr.s6_addr[i] >> 4);
	snprintf(text + at, sizeof(text) - at, "ip6.arpa");
	name = dns_test_name(text);
	if (!dns_v6_reverse(&p, dns_name_span(&name), &target))
		return "-";
	return dns_name_format(dns_name_span(&target), text);
}

static void
reverse_names_lead_back_to_ipv4(void)
{
	static const char *const prefixes[] = { "2001:db8::/32", "2001:db8:100::/40",
		"2001:db8:122::/48", "2001:db8:122:300::/56", "2001:db8:122:344::/64",
		"2001:db8:122:344::/96", "64:ff9b::/96" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		CU_ASSERT_STRING_EQUAL(reversed(prefixes[i], mapped(prefixes[i], "192.0.2.33")),
		    "33.2.0.192.in-addr.arpa");
	/* Another prefix, bits that no address of ours has, addresses that are not mapped. */
	CU_ASSERT_STRING_EQUAL(reversed("64:ff9b::/96", "64:ff9c::c000:221"), "-");
	CU_ASSERT_STRING_EQUAL(reversed("2001:db8::/32", "2001:db8:c000:221::1"), "-");
	CU_ASSERT_STRING_EQUAL(reversed("2001:db8:122:344::/64", "2001:db8:122:344:1c0:2:2100:0"),
	    "-");
	CU_ASSERT_STRING_EQUAL(reversed("64:ff9b::/96", "64:ff9b::c0a8:101"), "-");
}

static void
names_that_are_no_whole_address_are_left_alone(void)
{
	static const char *const names[] = { "ip6.arpa", "1.0.ip6.arpa", "33.2.0.192.in-addr.arpa",
		"1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.test",
		"x.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa",
		"12.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.a.ip6.arpa" };
	struct prefix p = prefix("64:ff9b::/96");
	struct dns_name target;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dns_name n = dns_test_name(names[i]);

		CU_ASSERT_FALSE(dns_v6_reverse(&p, dns_name_span(&n), &target));
	}
}

/* An answer section with these addresses of IPv6. */
static bool
excluded(const char *one, const char *two)
{
	const char *const texts[] = { one, two };
	struct dns_stored s = { 0 };
	uint8_t buf[512];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	dns_test_record_name(&wr, "alias.example", DNS_TYPE_CNAME, 60, "host.example");
	s.answers++;
	for (size_t i = 0; i < 2; i++) {
		struct addr a;

		if (texts[i] == NULL)
			continue;
		CU_ASSERT_EQUAL_FATAL(addr_parse(&a, texts[i], 0), OK);
		dns_test_record(&wr, "host.example", DNS_TYPE_AAAA, 60,
		    span_of(a.in6.sin6_addr.s6_addr, 16));
		s.answers++;
	}
	s.body = buf;
	s.body_len = (uint16_t)wire_wr_span(&wr).len;
	return dns_v6_is_excluded(&s);
}

static void
addresses_that_only_wrap_ipv4_count_as_none(void)
{
	CU_ASSERT_TRUE(excluded("::ffff:192.0.2.1", NULL));
	CU_ASSERT_TRUE(excluded("::ffff:192.0.2.1", "::ffff:10.0.0.1"));
	CU_ASSERT_FALSE(excluded("::ffff:192.0.2.1", "2001:db8::1"));
	CU_ASSERT_FALSE(excluded("2001:db8::1", NULL));
	CU_ASSERT_FALSE(excluded(NULL, NULL));
}

static void
other_prefixes_are_refused(void)
{
	static const char *const bad[] = {
		"64:ff9b::/95", "64:ff9b::/128", "2001:db8::/33", "10.0.0.0/8", "x", "2001:db8::",
		"2001:db8:0:0:ff00::/96",
	};

	CU_ASSERT_PTR_NULL(dns_v6_prefix_check(""));
	CU_ASSERT_PTR_NULL(dns_v6_prefix_check("64:ff9b::/96"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(dns_v6_prefix_check(bad[i]));
}

/* --- answers ---------------------------------------------------------------------------------- */

struct fixture {
	uint8_t msg[2000];
	struct wire_wr wr;
	uint8_t query[512];
	struct dns_query q;
	struct dns_wr out;
	uint8_t reply[4096];
	size_t len;
	char text[DNS_TEST_DUMP];
};

static struct fixture f;

/* An answer in the making, and a client's query for the reply made of it. */
static void
begin(uint16_t type, uint16_t asked_by_client, uint16_t answers, uint16_t authority)
{
	struct dns_test_query want = { .name = "www.example", .type = asked_by_client };

	f.wr = wire_wr_of(f.msg, sizeof(f.msg));
	dns_test_header(&f.wr, DNS_FLAG_QR, 1, answers, authority, 0);
	dns_test_question(&f.wr, "www.example", type);
	dns_test_query(&f.q, f.query, &want);
	dns_wr_begin(&f.out, &f.q, f.reply, sizeof(f.reply));
}

/* The reply as text. */
static const char *
reply(void)
{
	f.len = dns_wr_end(&f.out, 0, 0, NULL);
	return dns_test_dump(span_of(f.reply, f.len), f.text);
}

static unsigned
strip(void)
{
	return dns_v6_write_stripped(&f.out, f.msg, wire_wr_len(&f.wr));
}

static void
aaaa_records_are_left_out(void)
{
	begin(DNS_TYPE_AAAA, DNS_TYPE_AAAA, 2, 0);
	dns_test_record_name(&f.wr, "www.example", DNS_TYPE_CNAME, 300, "cdn.example");
	dns_test_record(&f.wr, "cdn.example", DNS_TYPE_AAAA, 60, SPAN("0123456789abcdef"));
	CU_ASSERT_EQUAL(strip(), 1);
	CU_ASSERT_STRING_EQUAL(reply(), "0 www.example 300 CNAME 6\n");
}

static void
the_hint_goes_and_all_else_stays(void)
{
	static const char data[] = "\0\1\3cdn\7example\0" "\0\1\0\3\2h2" "\0\4\0\4\xc0\0\2\1"
				   "\0\6\0\x10" "0123456789abcdef" "\0\7\0\2zz";
	static const char want[] = "\0\1\3cdn\7example\0" "\0\1\0\3\2h2" "\0\4\0\4\xc0\0\2\1"
				   "\0\7\0\2zz";
	struct dns_walk w;
	struct dns_rr rr;

	begin(DNS_TYPE_HTTPS, DNS_TYPE_HTTPS, 3, 1);
	dns_test_record_name(&f.wr, "www.example", DNS_TYPE_CNAME, 300, "web.example");
	dns_test_record(&f.wr, "web.example", DNS_TYPE_HTTPS, 60, SPAN(data));
	dns_test_record(&f.wr, "web.example", DNS_TYPE_HTTPS, 60,
	    SPAN("\0\2\0\0\6\0\x10" "0123456789abcdef"));
	dns_test_soa(&f.wr, "example", 300, 60);
	CU_ASSERT_EQUAL(strip(), 0);
	CU_ASSERT_STRING_EQUAL(reply(), "0 www.example 300 CNAME 6\n0 web.example 60 HTTPS 36\n"
	    "0 web.example 60 HTTPS 3\n1 example 300 SOA 32\n");
	dns_walk_begin(&w, span_of(f.reply, f.len));
	CU_ASSERT_TRUE(dns_rr_next(&w, &rr) && dns_rr_next(&w, &rr));
	CU_ASSERT_TRUE(span_equal(rr.rdata, SPAN(want)));
}

static void
torn_hints_stay_as_they_are(void)
{
	static const char data[] = "\0\1\0\0\6\0\x10" "0123456789abcde";

	for (size_t n = 0; n < sizeof(data) - 1; n++) {
		char want[64];

		begin(DNS_TYPE_HTTPS, DNS_TYPE_HTTPS, 1, 0);
		dns_test_record(&f.wr, "www.example", DNS_TYPE_HTTPS, 60, span_of(data, n));
		CU_ASSERT_EQUAL(strip(), 0);
		snprintf(want, sizeof(want), "0 www.example 60 HTTPS %zu\n", n);
		CU_ASSERT_STRING_EQUAL(reply(), want);
	}
}

static void
an_answer_for_a_is_written_as_one_for_aaaa(void)
{
	struct prefix p = prefix("64:ff9b::/96");

	begin(DNS_TYPE_A, DNS_TYPE_AAAA, 4, 0);
	dns_test_record_name(&f.wr, "www.example", DNS_TYPE_CNAME, 3000, "cdn.example");
	dns_test_a(&f.wr, "cdn.example", 3000, 1);
	dns_test_record(&f.wr, "cdn.example", DNS_TYPE_A, 60, SPAN("\xc0\xa8\1\1"));
	dns_test_a(&f.wr, "cdn.example", 60, 2);
	dns_v6_write_mapped(&p, &f.out, wire_wr_span(&f.wr));
	CU_ASSERT_STRING_EQUAL(reply(),
	    "0 www.example 3000 CNAME 6\n0 cdn.example 600 AAAA 16\n0 cdn.example 60 AAAA 16\n");
}

static void
a_name_without_a_stays_without(void)
{
	struct prefix p = prefix("64:ff9b::/96");

	begin(DNS_TYPE_A, DNS_TYPE_AAAA, 0, 1);
	dns_test_soa(&f.wr, "example", 300, 60);
	dns_v6_write_mapped(&p, &f.out, wire_wr_span(&f.wr));
	CU_ASSERT_STRING_EQUAL(reply(), "1 example 300 SOA 32\n");
}

UNIT_MAIN("dns_v6",
    UNIT(addresses_are_mapped_as_rfc_6052_shows),
    UNIT(the_well_known_prefix_is_for_the_internet_alone),
    UNIT(reverse_names_lead_back_to_ipv4),
    UNIT(names_that_are_no_whole_address_are_left_alone),
    UNIT(addresses_that_only_wrap_ipv4_count_as_none), UNIT(other_prefixes_are_refused),
    UNIT(aaaa_records_are_left_out),
    UNIT(the_hint_goes_and_all_else_stays),
    UNIT(torn_hints_stay_as_they_are),
    UNIT(an_answer_for_a_is_written_as_one_for_aaaa),
    UNIT(a_name_without_a_stays_without))
