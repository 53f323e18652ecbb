/* SPDX-License-Identifier: MIT */
/* Messages for the tests of services/dns, put together and taken apart in few words. */
#ifndef TESTS_SUPPORT_DNS_H
#define TESTS_SUPPORT_DNS_H

#include <stdint.h>
#include <stdio.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_query.h"
#include "support/unit.h"
#include "util/wire.h"

/* A name that is known to be good. */
static inline struct dns_name
dns_test_name(const char *text)
{
	struct dns_name n;

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&n, span_str(text)), OK);
	return n;
}

static inline void
dns_test_put_name(struct wire_wr *wr, const char *text)
{
	struct dns_name n = dns_test_name(text);

	wire_wr_bytes(wr, dns_name_span(&n));
}

static inline void
dns_test_header(struct wire_wr *wr, uint16_t flags, uint16_t qd, uint16_t an, uint16_t ns,
    uint16_t ar)
{
	wire_wr_u16(wr, 0x1234);
	wire_wr_u16(wr, flags);
	wire_wr_u16(wr, qd);
	wire_wr_u16(wr, an);
	wire_wr_u16(wr, ns);
	wire_wr_u16(wr, ar);
}

static inline void
dns_test_question(struct wire_wr *wr, const char *name, uint16_t type)
{
	dns_test_put_name(wr, name);
	wire_wr_u16(wr, type);
	wire_wr_u16(wr, DNS_CLASS_IN);
}

/* A record whose owner is spelled out. */
static inline void
dns_test_record(struct wire_wr *wr, const char *owner, uint16_t type, uint32_t ttl,
    struct span rdata)
{
	dns_test_put_name(wr, owner);
	wire_wr_u16(wr, type);
	wire_wr_u16(wr, DNS_CLASS_IN);
	wire_wr_u32(wr, ttl);
	wire_wr_u16(wr, (uint16_t)rdata.len);
	wire_wr_bytes(wr, rdata);
}

static inline void
dns_test_record_name(struct wire_wr *wr, const char *owner, uint16_t type, uint32_t ttl,
    const char *target)
{
	struct dns_name n = dns_test_name(target);

	dns_test_record(wr, owner, type, ttl, dns_name_span(&n));
}

static inline void
dns_test_a(struct wire_wr *wr, const char *owner, uint32_t ttl, uint8_t last)
{
	uint8_t address[4] = { 192, 0, 2, last };

	dns_test_record(wr, owner, DNS_TYPE_A, ttl, span_of(address, 4));
}

static inline void
dns_test_soa(struct wire_wr *wr, const char *owner, uint32_t ttl, uint32_t minimum)
{
	uint8_t buf[600];
	struct wire_wr data = wire_wr_of(buf, sizeof(buf));

	dns_test_put_name(&data, "ns.example");
	dns_test_put_name(&data, "mail.example");
	for (unsigned i = 0; i < 4; i++)
		wire_wr_u32(&data, 1000);
	wire_wr_u32(&data, minimum);
	dns_test_record(wr, owner, DNS_TYPE_SOA, ttl, wire_wr_span(&data));
}

static inline void
dns_test_opt(struct wire_wr *wr, uint16_t size, uint32_t ttl, struct span options)
{
	wire_wr_u8(wr, 0);
	wire_wr_u16(wr, DNS_TYPE_OPT);
	wire_wr_u16(wr, size);
	wire_wr_u32(wr, ttl);
	wire_wr_u16(wr, (uint16_t)options.len);
	wire_wr_bytes(wr, options);
}

/* A query into buf, read into q; both must live as long as q is used. */
struct dns_test_query {
	const char *name;
	uint16_t type;
	uint16_t flags;
	bool edns;
	bool dnssec_ok;
	uint16_t udp_size;
};

static inline void
dns_test_query(struct dns_query *q, uint8_t buf[static 512], const struct dns_test_query *want)
{
	struct dns_name n = dns_test_name(want->name);
	struct dns_ask ask = { .id = 0x1234, .flags = want->flags, .name = dns_name_span(&n),
	    .type = want->type, .class = DNS_CLASS_IN, .edns = want->edns,
	    .dnssec_ok = want->dnssec_ok, .udp_size = want->udp_size };
	size_t len = dns_ask_write(&ask, buf, 512);

	CU_ASSERT_EQUAL_FATAL(dns_query_parse(q, span_of(buf, len)), DNS_QUERY_OK);
}

#define DNS_TEST_DUMP 16384

/*
 * Write a message as one line a record into text: "section owner ttl type data-length", OPT as
 * "opt SIZE TTL-FIELD LENGTH"; "bad" at its end where it is malformed or goes on too long.
 */
static inline const char *
dns_test_dump(struct span msg, char text[static DNS_TEST_DUMP])
{
	struct dns_walk w;
	struct dns_rr rr;
	size_t at = 0;

	text[0] = '\0';
	dns_walk_begin(&w, msg);
	while (dns_rr_next(&w, &rr) && at < DNS_TEST_DUMP - 2 * DNS_NAME_TEXT_MAX) {
		struct wire_rd rd = wire_rd_of(msg);
		struct dns_name owner;
		char name[DNS_NAME_TEXT_MAX];
		char type[DNS_TYPE_TEXT_MAX];

		wire_rd_skip(&rd, rr.owner_at);
		CU_ASSERT_TRUE_FATAL(dns_name_expand(&owner, &rd));
		int n;

		if (rr.type == DNS_TYPE_OPT)
			n = snprintf(text + at, DNS_NAME_TEXT_MAX, "opt %u %08x %zu\n", rr.class,
			    rr.ttl, rr.rdata.len);
		else
			n = snprintf(text + at, 2 * DNS_NAME_TEXT_MAX, "%d %s %u %s %zu\n",
			    (int)rr.section, dns_name_format(dns_name_span(&owner), name), rr.ttl,
			    dns_type_format(rr.type, type), rr.rdata.len);
		at += (size_t)n;
	}
	if (w.bad || wire_rd_left(&w.rd) != 0)
		snprintf(text + at, DNS_TEST_DUMP - at, "bad\n");
	return text;
}

#endif
