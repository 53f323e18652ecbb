/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_record.h"

#include "services/dns/dns_msg.h"
#include "services/dns/dns_token.h"
#include "support/unit.h"

#include <stdio.h>

static struct dns_record rec;

/* What is read and written again is the same. */
static void
comes_back(const char *line)
{
	static uint8_t text[DNS_RECORD_TEXT_MAX];
	static struct dns_record again;
	struct wire_wr out = wire_wr_of(text, sizeof(text));
	char type[DNS_TYPE_TEXT_MAX];
	const char *why = NULL;

	dns_token_put(&out, "x ");
	dns_token_put(&out, dns_type_format(rec.type, type));
	dns_token_put(&out, " ");
	dns_record_write(rec.type, dns_record_data(&rec), dns_record_data(&rec), &out);
	CU_ASSERT_FALSE(out.bad);

	enum err e = dns_record_parse(&again, wire_wr_span(&out), &why);

	if (e != OK || !span_equal(dns_record_data(&rec), dns_record_data(&again)))
		printf("%s comes back as \"%.*s\": %s\n", line, (int)wire_wr_len(&out),
		    (const char *)text, why != NULL ? why : "other data");
	CU_ASSERT_EQUAL(e, OK);
	CU_ASSERT_TRUE(span_equal(dns_record_data(&rec), dns_record_data(&again)));
}

/* Parse a line that is good; a failure says why it is not. */
static void
good(const char *line)
{
	const char *why = NULL;
	enum err e = dns_record_parse(&rec, span_str(line), &why);

	if (e != OK)
		printf("%s: %s\n", line, why);
	CU_ASSERT_EQUAL(e, OK);
	CU_ASSERT_PTR_NULL(why);
	comes_back(line);
}

/* Type and data of a line, the data as hexadecimal digits. */
static void
check(const char *line, uint16_t type, const char *hex)
{
	char text[2 * DNS_RECORD_DATA_MAX + 1] = "";

	good(line);
	CU_ASSERT_EQUAL(rec.type, type);
	for (size_t i = 0; i < rec.len; i++)
		snprintf(text + 2 * i, 3, "%02x", rec.data[i]);
	if (strcmp(text, hex) != 0)
		printf("%s: %s\n", line, text);
	CU_ASSERT_STRING_EQUAL(text, hex);
}

static void
bad(const char *line, enum err expect)
{
	const char *why = NULL;
	enum err e = dns_record_parse(&rec, span_str(line), &why);

	if (e != expect)
		printf("%s: %s\n", line, why != NULL ? why : "fine");
	CU_ASSERT_EQUAL(e, expect);
	CU_ASSERT_PTR_NOT_NULL(why);
}

static void
owner_ttl_and_class_are_read_in_any_order(void)
{
	char buf[DNS_NAME_TEXT_MAX];

	good("nas.home.arpa. 60 IN A 192.168.1.5");
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&rec.owner), buf), "nas.home.arpa");
	CU_ASSERT_TRUE(rec.has_ttl);
	CU_ASSERT_EQUAL(rec.ttl_s, 60);
	good("NAS.home.arpa IN 1h30m a 192.168.1.5");
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&rec.owner), buf), "NAS.home.arpa");
	CU_ASSERT_EQUAL(rec.ttl_s, 5400);
	good("*.apps.home.arpa A 192.168.1.5");
	CU_ASSERT_FALSE(rec.has_ttl);
	CU_ASSERT_EQUAL(rec.owner.wire[1], '*');
	good("\t x  1w  A ( 192.168.1.5 ) ; the printer");
	CU_ASSERT_EQUAL(rec.ttl_s, 604800);
	good(". 0 A 192.168.1.5");
	CU_ASSERT_TRUE(rec.has_ttl);
	CU_ASSERT_EQUAL(rec.ttl_s, 0);
}

static void
every_type_of_the_house_is_read(void)
{
	check("x A 192.0.2.1", DNS_TYPE_A, "c0000201");
	check("x AAAA 2001:db8::1", DNS_TYPE_AAAA, "20010db8000000000000000000000001");
	check("x CNAME a.b.", DNS_TYPE_CNAME, "0161016200");
	check("1.2.0.192.in-addr.arpa PTR x", DNS_TYPE_PTR, "017800");
	check("x NS ns.x", DNS_TYPE_NS, "026e73017800");
	check("x DNAME y", DNS_TYPE_DNAME, "017900");
	check("x MX 10 mail", DNS_TYPE_MX, "000a046d61696c00");
	check("x SRV 0 5 8080 h", DNS_TYPE_SRV, "000000051f90016800");
	check("x SOA a b 1 1h 15m 1w 60", DNS_TYPE_SOA,
	    "01610001620000000001" "00000e10" "00000384" "00093a80" "0000003c");
	check("x CAA 0 issue \"ca.example; policy=ev\"", DNS_TYPE_CAA,
	    "0005697373756563612e6578616d706c653b20706f6c6963793d6576");
	check("x SSHFP 4 2 0123 abCD", DNS_TYPE_SSHFP, "04020123abcd");
	check("_443._tcp.x TLSA 3 1 1 00ff", DNS_TYPE_TLSA, "03010100ff");
	check("x DS 60485 5 1 2bb1", DNS_TYPE_DS, "ec4505012bb1");
	check("x NAPTR 100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .", DNS_TYPE_NAPTR,
	    "0064000a01750745" "32552b7369700e215e2e2a24217369703a614062" "2100");
	check("x HINFO \"PC\" Linux", DNS_TYPE_HINFO, "0250" "43054c696e7578");
	check("x RP a b", 17, "016100016200");
	check("x URI 1 2 \"http://x/\"", 256, "00010002687474703a2f2f782f");
}

static void
texts_are_read_with_quotes_and_escapes(void)
{
	check("x TXT plain", DNS_TYPE_TXT, "05706c61696e");
	check("x TXT \"two words\" and three", DNS_TYPE_TXT,
	    "0974776f20776f72647303616e64057468726565");
	check("x TXT \"\"", DNS_TYPE_TXT, "00");
	check("x TXT \"a\\\"b\\\\c\\000\\255\"", DNS_TYPE_TXT, "076122625c6300ff");
	check("x TXT \"semi;colon\" ; comment", DNS_TYPE_TXT, "0a73656d693b636f6c6f6e");
	check("x TXT v=spf1\\;x", DNS_TYPE_TXT, "08763d737066313b78");
	bad("x TXT", ERR_FORMAT);
	bad("x TXT \"open", ERR_FORMAT);
	bad("x TXT a \"open", ERR_FORMAT);
	bad("x TXT \\300", ERR_FORMAT);
	bad("x TXT a\\", ERR_FORMAT);
}

static void
a_text_has_255_bytes_and_the_data_4096(void)
{
	char line[9000];
	size_t at;

	snprintf(line, sizeof(line), "x TXT %0255d", 0);
	good(line);
	CU_ASSERT_EQUAL(rec.len, 256);
	snprintf(line, sizeof(line), "x TXT %0256d", 0);
	bad(line, ERR_RANGE);
	at = (size_t)snprintf(line, sizeof(line), "x TXT");
	for (unsigned i = 0; i < 16; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %0255d", 0);
	good(line);
	CU_ASSERT_EQUAL(rec.len, 4096);
	snprintf(line + at, sizeof(line) - at, " a");
	bad(line, ERR_RANGE);
}

static void
service_parameters_are_sorted_by_key(void)
{
	check("x HTTPS 0 other", DNS_TYPE_HTTPS, "0000" "056f7468657200");
	check("x HTTPS 1 .", DNS_TYPE_HTTPS, "000100");
	check("x HTTPS 1 . port=8443 alpn=\"h2,h3\"", DNS_TYPE_HTTPS,
	    "000100" "00010006" "026832026833" "00030002" "20fb");
	check("x HTTPS 1 . alpn=h2 no-default-alpn", DNS_TYPE_HTTPS,
	    "000100" "00010003" "026832" "00020000");
	check("x SVCB 1 . ipv6hint=2001:db8::1 ipv4hint=192.0.2.1,192.0.2.2", DNS_TYPE_SVCB,
	    "000100" "00040008" "c0000201c0000202" "00060010" "20010db8000000000000000000000001");
	check("x SVCB 1 . mandatory=port,alpn alpn=h2 port=1", DNS_TYPE_SVCB,
	    "000100" "00000004" "00010003" "00010003" "026832" "00030002" "0001");
	check("x SVCB 1 . key65400=\"a\\001b\" key7=/q{?dns}", DNS_TYPE_SVCB,
	    "000100" "00070008" "2f717b3f646e737d" "ff780003" "610162");
	check("x SVCB 1 . dohpath=/q{?dns} ohttp", DNS_TYPE_SVCB,
	    "000100" "00070008" "2f717b3f646e737d" "00080000");
	/* RFC 9460, appendix D.2: a comma within an item is escaped twice. */
	check("x SVCB 16 f. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", DNS_TYPE_SVCB,
	    "0010" "016600" "0001000c" "08665c6f6f2c626172" "026832");
	check("x SVCB 16 f. alpn=f\\\\\\092oo\\092,bar,h2", DNS_TYPE_SVCB,
	    "0010" "016600" "0001000c" "08665c6f6f2c626172" "026832");
}

static void
bad_service_parameters_are_refused(void)
{
	static const char *const lines[] = {
		"x HTTPS 1 . alpn", "x HTTPS 1 . alpn=", "x HTTPS 1 . alpn=h2,,h3",
		"x HTTPS 1 . port=70000", "x HTTPS 1 . port", "x HTTPS 1 . port=1,2",
		"x HTTPS 1 . ipv4hint=1.2.3", "x HTTPS 1 . ipv4hint=",
		"x HTTPS 1 . ipv6hint=1.2.3.4",
		"x HTTPS 1 . no-default-alpn=x", "x HTTPS 1 . speed=fast", "x HTTPS 1 . key65536=a",
		"x HTTPS 1 . mandatory=mandatory", "x HTTPS 1 . mandatory=",
		"x HTTPS 1 . alpn=\"h2",
		"x HTTPS 1 . ech=AAAA", "x HTTPS 1 . key=a",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		bad(lines[i], ERR_FORMAT);
	bad("x HTTPS 1 . port=1 port=2", ERR_EXISTS);
	bad("x HTTPS 1 . port=1 key3=a", ERR_EXISTS);
}

static void
any_type_can_be_written_as_bytes(void)
{
	check("x TYPE65280 \\# 3 abcdef", 65280, "abcdef");
	check("x TYPE65280 \\# 3 ab cd EF", 65280, "abcdef");
	check("x TYPE65280 \\# 0", 65280, "");
	check("x A \\# 4 c0000201", DNS_TYPE_A, "c0000201");
	check("x TYPE1 192.0.2.1", DNS_TYPE_A, "c0000201");
	check("x DNSKEY \\# 4 01010307", DNS_TYPE_DNSKEY, "01010307");
	bad("x TYPE65280 \\# 3 abcd", ERR_FORMAT);
	bad("x TYPE65280 \\# 1 abcd", ERR_FORMAT);
	bad("x TYPE65280 \\# 2 abc", ERR_FORMAT);
	bad("x TYPE65280 \\# 2 abcg", ERR_FORMAT);
	bad("x TYPE65280 \\#", ERR_FORMAT);
	bad("x TYPE65280 \\# 99999", ERR_RANGE);
	bad("x TYPE65280 abcd", ERR_UNSUPPORTED);
	bad("x A \\# 3 c00002", ERR_FORMAT);		/* not what an A record looks like */
	bad("x CNAME \\# 2 c000", ERR_FORMAT);
	bad("x DNSKEY 257 3 13 abcd", ERR_UNSUPPORTED);
}

static void
bad_lines_are_refused_with_a_reason(void)
{
	bad("", ERR_FORMAT);
	bad("x", ERR_FORMAT);
	bad("x 60", ERR_FORMAT);
	bad("x 60 IN", ERR_FORMAT);
	bad("x A", ERR_FORMAT);
	bad("; only a comment", ERR_FORMAT);
	bad("\"x\" A 192.0.2.1", ERR_FORMAT);
	bad("a..b A 192.0.2.1", ERR_FORMAT);
	bad("x A 192.0.2.256", ERR_FORMAT);
	bad("x A 192.0.2.1 192.0.2.2", ERR_FORMAT);
	bad("x A ::1", ERR_FORMAT);
	bad("x AAAA 192.0.2.1", ERR_FORMAT);
	bad("x IN IN A 192.0.2.1", ERR_UNSUPPORTED);
	bad("x CH A 192.0.2.1", ERR_UNSUPPORTED);
	bad("x 99999999999 A 192.0.2.1", ERR_RANGE);
	bad("x 1y A 192.0.2.1", ERR_RANGE);
	bad("x 60 60 A 192.0.2.1", ERR_RANGE);
	bad("x FOO 192.0.2.1", ERR_FORMAT);
	bad("x ANY 192.0.2.1", ERR_UNSUPPORTED);
	bad("x TYPE41 \\# 0", ERR_UNSUPPORTED);
	bad("x MX 65536 y", ERR_RANGE);
	bad("x MX y 10", ERR_RANGE);
	bad("x CAA 0 is-sue y", ERR_FORMAT);
	bad("x SSHFP 1 1 abc", ERR_FORMAT);
	bad("x SOA a b 1 1 1 1", ERR_FORMAT);
	bad("x SRV 1 1 1 a..b", ERR_FORMAT);
}

/* The data of a line is written like this. */
static void
writes(const char *line, const char *want)
{
	static uint8_t text[DNS_RECORD_TEXT_MAX];
	struct wire_wr out = wire_wr_of(text, sizeof(text) - 1);

	good(line);
	dns_record_write(rec.type, dns_record_data(&rec), dns_record_data(&rec), &out);
	*out.at = '\0';
	CU_ASSERT_STRING_EQUAL((const char *)text, want);
	if (strcmp((const char *)text, want) != 0)
		printf("%s: %s\n", line, (const char *)text);
}

static void
data_is_written_as_people_do(void)
{
	writes("x A 192.0.2.1", "192.0.2.1");
	writes("x AAAA 2001:db8::1", "2001:db8::1");
	writes("x CNAME www.example", "www.example.");
	writes("x NS .", ".");
	writes("x MX 10 mail.example.", "10 mail.example.");
	writes("x SRV 1 2 443 a.example", "1 2 443 a.example.");
	writes("x TXT plain \"two words\" \"q\\\"b\\\\\" \\007", "\"plain\" \"two words\" "
	    "\"q\\\"b\\\\\" \"\\007\"");
	writes("x SOA ns.example. root.example. 1 2h 3 4 5",
	    "ns.example. root.example. 1 7200 3 4 5");
	writes("x CAA 0 issue letsencrypt.org", "0 issue \"letsencrypt.org\"");
	writes("x SSHFP 1 1 AB cd", "1 1 abcd");
	writes("x HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 "
	    "no-default-alpn mandatory=alpn,port key65400=\"\\001b\"",
	    "1 . mandatory=alpn,port alpn=h2,h3 no-default-alpn port=8443 "
	    "ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key65400=\"\\001b\"");
	writes("x TYPE65280 \\# 3 abcdef", "\\# 3 abcdef");
	writes("x TYPE65280 \\# 0", "\\# 0");
}

/* Nothing that a message may hold is beyond it. */
static void
data_that_is_not_of_its_type_is_written_as_bytes(void)
{
	uint8_t text[64];
	struct wire_wr out = wire_wr_of(text, sizeof(text));
	struct span data = span_of("\1\2\3", 3);

	dns_record_write(DNS_TYPE_A, data, data, &out);
	CU_ASSERT_TRUE(span_equal(wire_wr_span(&out), span_str("\\# 3 010203")));
	out = wire_wr_of(text, sizeof(text));
	dns_record_write(DNS_TYPE_HTTPS, data, data, &out);
	CU_ASSERT_TRUE(span_equal(wire_wr_span(&out), span_str("\\# 3 010203")));
	out = wire_wr_of(text, 4);
	dns_record_write(DNS_TYPE_HTTPS, data, data, &out);
	CU_ASSERT_TRUE(out.bad);
}

UNIT_MAIN("dns_record", UNIT(data_that_is_not_of_its_type_is_written_as_bytes),
    UNIT(data_is_written_as_people_do), UNIT(owner_ttl_and_class_are_read_in_any_order),
    UNIT(every_type_of_the_house_is_read), UNIT(texts_are_read_with_quotes_and_escapes),
    UNIT(a_text_has_255_bytes_and_the_data_4096), UNIT(service_parameters_are_sorted_by_key),
    UNIT(bad_service_parameters_are_refused), UNIT(any_type_can_be_written_as_bytes),
    UNIT(bad_lines_are_refused_with_a_reason))
