/* SPDX-License-Identifier: MIT */
/*
 * Records as people write them: one line of a zone file, "nas.home.arpa. 60 IN A 192.168.1.5".
 *
 * Names need no closing dot and are never relative. TTL and class may be left out or change places;
 * a TTL may have units (1h30m). The class is IN. Every type can be written as RFC 3597 has it
 * (TYPE65280 \# 3 abcdef); those of the house also in their own way: A, AAAA, AFSDB, CAA, CNAME,
 * DNAME, DS, HINFO, HTTPS, KX, MX, NAPTR, NS, PTR, RP, SMIMEA, SOA, SPF, SRV, SSHFP, SVCB, TLSA,
 * TXT, URI.
 */
#ifndef SERVICES_DNS_RECORD_H
#define SERVICES_DNS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_name.h"
#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define DNS_RECORD_DATA_MAX 4096	/* bytes of one record's data */

struct dns_record {
	struct dns_name owner;	/* letter case as written; may begin with the label "*" */
	uint16_t type;
	bool has_ttl;
	bool plain;	/* a name in it has no dot at all: "nas", not "nas." */
	uint32_t ttl_s;
	uint16_t len;
	uint8_t data[DNS_RECORD_DATA_MAX];	/* wire form, uncompressed, checked */
};

static inline struct span
dns_record_data(const struct dns_record *r)
{
	return span_of(r->data, r->len);
}

/*
 * Read a record.
 *
 * why	   gets what is wrong, a few words in static storage
 * errors  ERR_FORMAT; ERR_RANGE (a number, name or the data too large); ERR_UNSUPPORTED (another
 *	   class, or a type that needs the form of RFC 3597)
 */
enum err dns_record_parse(struct dns_record *out, struct span line, const char **why) MUST_CHECK;

/*
 * What the data of a type is made of, one letter a field: a IPv4 address, A IPv6 address, n name,
 * b h l numbers of 8, 16 and 32 bits, d duration, s character string, t tag, r raw text (without a
 * length). The last may be one of those that take all that is left: S strings, X hexadecimal
 * digits, P service parameters. NULL for a type that is not known.
 */
const char *dns_record_fields(uint16_t type);

/*
 * Write a record's data as dns_record_parse() reads it, names with their closing dot.
 *
 * msg    what the data lies in; its names may be compressed
 * rdata  a view of msg
 * out    bad afterwards where it does not fit; DNS_RECORD_TEXT_MAX bytes always do
 */
void dns_record_write(uint16_t type, struct span msg, struct span rdata, struct wire_wr *out);

#define DNS_RECORD_TEXT_MAX (4 * 65536 + 64)	/* every byte as \DDD, and quotes */

#endif
