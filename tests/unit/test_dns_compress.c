/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_compress.h"

#include "support/dns.h"
#include "support/unit.h"

static uint8_t out[DNS_MSG_MAX];

static void
begin(struct dns_compress *c, const char *name)
{
	uint8_t question[300];
	struct wire_wr wr = wire_wr_of(question, sizeof(question));

	dns_test_question(&wr, name, DNS_TYPE_A);
	dns_compress_begin(c, out, sizeof(out), wire_wr_span(&wr));
}

static enum err
add(struct dns_compress *c, const char *owner, uint16_t type, struct span rdata)
{
	struct dns_name n = dns_test_name(owner);
	struct dns_compress_rr rr = { .owner = dns_name_span(&n), .type = type,
	    .class = DNS_CLASS_IN, .ttl = 60, .msg = rdata, .rdata = rdata };

	return dns_compress_record(c, &rr, NULL);
}

/* Set the counts and read everything back. */
static const char *
dump(struct dns_compress *c, uint16_t answers, char text[static DNS_TEST_DUMP])
{
	wire_put_u16(out + 4, 1);
	wire_put_u16(out + 6, answers);
	return dns_test_dump(wire_wr_span(&c->wr), text);
}

static void
a_name_written_before_becomes_a_pointer(void)
{
	struct dns_compress c;
	struct dns_name n = dns_test_name("www.EXAMPLE.org");
	size_t at;

	begin(&c, "www.example.org");
	at = wire_wr_len(&c.wr);
	dns_compress_name(&c, dns_name_span(&n));
	CU_ASSERT_EQUAL(wire_wr_len(&c.wr) - at, 2);
	CU_ASSERT_EQUAL(memcmp(out + at, "\xc0\x0c", 2), 0);
}

static void
a_tail_written_before_becomes_a_pointer(void)
{
	struct dns_compress c;
	struct dns_name n = dns_test_name("mail.example.org");
	size_t at;

	begin(&c, "www.example.org");
	at = wire_wr_len(&c.wr);
	dns_compress_name(&c, dns_name_span(&n));
	CU_ASSERT_EQUAL(wire_wr_len(&c.wr) - at, 7);
	CU_ASSERT_EQUAL(memcmp(out + at, "\4mail\xc0\x10", 7), 0);
	at = wire_wr_len(&c.wr);
	dns_compress_name(&c, dns_name_span(&n));	/* the new one can be pointed to as well */
	CU_ASSERT_EQUAL(wire_wr_len(&c.wr) - at, 2);
	CU_ASSERT_TRUE(dns_name_is_at(wire_wr_span(&c.wr), at, dns_name_span(&n)));
}

static void
names_in_old_types_are_compressed_and_in_new_ones_not(void)
{
	struct dns_name n = dns_test_name("www.example.org");
	uint8_t data[100];
	struct wire_wr srv = wire_wr_of(data, sizeof(data));
	struct dns_compress c;
	char text[DNS_TEST_DUMP];

	begin(&c, "www.example.org");
	CU_ASSERT_EQUAL(add(&c, "www.example.org", DNS_TYPE_CNAME, dns_name_span(&n)), OK);
	CU_ASSERT_EQUAL(add(&c, "www.example.org", DNS_TYPE_DNAME, dns_name_span(&n)), OK);
	wire_wr_bytes(&srv, span_str("prwepo"));
	wire_wr_bytes(&srv, dns_name_span(&n));
	CU_ASSERT_EQUAL(add(&c, "www.example.org", DNS_TYPE_SRV, wire_wr_span(&srv)), OK);
	CU_ASSERT_EQUAL(add(&c, "www.example.org", 65280, wire_wr_span(&srv)), OK);
	CU_ASSERT_STRING_EQUAL(dump(&c, 4, text),
	    "0 www.example.org 60 CNAME 2\n0 www.example.org 60 DNAME 17\n"
	    "0 www.example.org 60 SRV 23\n0 www.example.org 60 TYPE65280 23\n");
}

static void
compressed_data_is_moved_to_another_message(void)
{
	/* A message whose SOA points all over the place. */
	uint8_t from[200];
	struct wire_wr wr = wire_wr_of(from, sizeof(from));
	struct dns_compress c;

	wire_wr_bytes(&wr, span_of("\2ns\7example\3org", 16));	/* at 0, the root's zero included */
	size_t rdata_at = wire_wr_len(&wr);
	wire_wr_bytes(&wr, span_of("\xc0\0\4mail\xc0\3", 9));	/* ns. and mail.example.org */
	for (uint32_t i = 1; i <= 5; i++)
		wire_wr_u32(&wr, i);

	struct dns_name owner = dns_test_name("org");
	struct dns_compress_rr rr = { .owner = dns_name_span(&owner), .type = DNS_TYPE_SOA,
	    .class = DNS_CLASS_IN, .ttl = 60, .msg = wire_wr_span(&wr),
	    .rdata = span_of(from + rdata_at, wire_wr_len(&wr) - rdata_at) };
	size_t ttl_at = 0;

	begin(&c, "x.org");
	CU_ASSERT_EQUAL_FATAL(dns_compress_record(&c, &rr, &ttl_at), OK);
	CU_ASSERT_EQUAL(memcmp(out + ttl_at, "\0\0\0\x3c", 4), 0);

	struct wire_rd rd = wire_rd_of(wire_wr_span(&c.wr));
	struct dns_name n;
	char text[DNS_NAME_TEXT_MAX];

	wire_rd_skip(&rd, ttl_at + 6);
	CU_ASSERT_TRUE(dns_name_expand(&n, &rd));
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&n), text), "ns.example.org");
	CU_ASSERT_TRUE(dns_name_expand(&n, &rd));
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&n), text), "mail.example.org");
	for (uint32_t i = 1; i <= 5; i++)
		CU_ASSERT_EQUAL(wire_rd_u32(&rd), i);
	CU_ASSERT_EQUAL(wire_rd_finish(&rd), OK);
}

static void
data_of_the_wrong_shape_is_refused(void)
{
	static const struct {
		uint16_t type;
		struct span rdata;
	} bad[] = {
		{ DNS_TYPE_A, { (const uint8_t *)"123", 3 } },
		{ DNS_TYPE_A, { (const uint8_t *)"12345", 5 } },
		{ DNS_TYPE_A, { NULL, 0 } },
		{ DNS_TYPE_AAAA, { (const uint8_t *)"123456789012345", 15 } },
		{ DNS_TYPE_CNAME, { (const uint8_t *)"", 0 } },
		{ DNS_TYPE_CNAME, { (const uint8_t *)"\1a", 2 } },
		{ DNS_TYPE_CNAME, { (const uint8_t *)"\1a\0x", 4 } },
		{ DNS_TYPE_CNAME, { (const uint8_t *)"\xc0\0", 2 } },
		{ DNS_TYPE_MX, { (const uint8_t *)"\0", 1 } },
		{ DNS_TYPE_SOA, { (const uint8_t *)"\0\0" "12345678901234567890x", 23 } },
		{ DNS_TYPE_SRV, { (const uint8_t *)"12345\0", 6 } },
		{ DNS_TYPE_NAPTR, { (const uint8_t *)"1234\1a\1b\2c\0", 11 } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dns_compress c;

		begin(&c, "a");
		CU_ASSERT_EQUAL(add(&c, "a", bad[i].type, bad[i].rdata), ERR_FORMAT);
	}
}

static void
addresses_of_other_classes_may_have_any_shape(void)
{
	struct dns_name n = dns_test_name("a");
	struct dns_compress_rr rr = { .owner = dns_name_span(&n), .type = DNS_TYPE_A,
	    .class = DNS_CLASS_CH, .msg = span_str("12345"), .rdata = span_str("12345") };
	struct dns_compress c;

	begin(&c, "a");
	CU_ASSERT_EQUAL(dns_compress_record(&c, &rr, NULL), OK);
}

static void
what_does_not_fit_is_full(void)
{
	struct dns_compress c;
	uint8_t small[100];

	dns_compress_begin(&c, small, sizeof(small), span_of("\1a\0\0\1\0\1", 7));
	CU_ASSERT_EQUAL(add(&c, "a", 99, span_of(out, 69)), OK);
	CU_ASSERT_EQUAL(wire_wr_len(&c.wr), 100);
	CU_ASSERT_EQUAL(add(&c, "a", 99, span_of(out, 0)), ERR_FULL);

	dns_compress_begin(&c, small, sizeof(small), span_of("\1a\0\0\1\0\1", 7));
	CU_ASSERT_EQUAL(add(&c, "a", 99, span_of(out, 70)), ERR_FULL);
	CU_ASSERT_EQUAL(add(&c, "a", 99, span_of(out, 0)), ERR_FULL);
}

static void
more_names_than_targets_get_longer_but_stay_right(void)
{
	struct dns_compress c;
	char text[DNS_TEST_DUMP];

	begin(&c, "x.example");
	for (unsigned i = 0; i < 2 * DNS_COMPRESS_MAX; i++) {
		char owner[32];

		snprintf(owner, sizeof(owner), "n%u.example", i);
		CU_ASSERT_EQUAL(add(&c, owner, 99, span_of(NULL, 0)), OK);
		CU_ASSERT_EQUAL(add(&c, owner, 99, span_of(NULL, 0)), OK);
	}
	CU_ASSERT_EQUAL(c.ntargets, DNS_COMPRESS_MAX);

	const char *lines = dump(&c, 4 * DNS_COMPRESS_MAX, text);

	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "0 n99.example 60 SPF 0\n"));
	CU_ASSERT_PTR_NULL(strstr(lines, "bad"));
}

static void
the_work_on_compression_is_bounded(void)
{
	struct dns_compress c;
	struct dns_name n;
	char text[256] = "";

	for (unsigned i = 0; i < 120; i++)
		strcat(text, "a.");
	begin(&c, text);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		n = dns_test_name(text);
		dns_compress_name(&c, dns_name_span(&n));
	}
	CU_ASSERT_EQUAL(c.budget, 0);
	CU_ASSERT_FALSE(c.wr.bad);
}

static void
names_beyond_the_reach_of_a_pointer_are_not_pointed_to(void)
{
	struct dns_name n = dns_test_name("far.away");
	struct dns_compress c;

	begin(&c, "a");
	CU_ASSERT_EQUAL(add(&c, "a", 99, span_of(out + 40000, 16400)), OK);
	size_t at = wire_wr_len(&c.wr);
	dns_compress_name(&c, dns_name_span(&n));
	dns_compress_name(&c, dns_name_span(&n));
	CU_ASSERT_EQUAL(wire_wr_len(&c.wr) - at, 2u * n.len);
}

UNIT_MAIN("dns_compress", UNIT(a_name_written_before_becomes_a_pointer),
    UNIT(a_tail_written_before_becomes_a_pointer),
    UNIT(names_in_old_types_are_compressed_and_in_new_ones_not),
    UNIT(compressed_data_is_moved_to_another_message), UNIT(data_of_the_wrong_shape_is_refused),
    UNIT(addresses_of_other_classes_may_have_any_shape), UNIT(what_does_not_fit_is_full),
    UNIT(more_names_than_targets_get_longer_but_stay_right),
    UNIT(the_work_on_compression_is_bounded),
    UNIT(names_beyond_the_reach_of_a_pointer_are_not_pointed_to))
