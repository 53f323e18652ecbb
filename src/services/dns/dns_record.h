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

#define DNS_RECORD_DATA_MAX 4096	/* bytes of one record's data */

struct dns_record {
	struct dns_name owner;	/* letter case as written; may begin with the label "*" */
	uint16_t type;
	bool has_ttl;
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

#endif
