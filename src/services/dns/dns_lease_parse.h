/* SPDX-License-Identifier: MIT */
/* What the parsers of lease files share; for dns_lease*.c alone. */
#ifndef SERVICES_DNS_LEASE_PARSE_H
#define SERVICES_DNS_LEASE_PARSE_H

#include "services/dns/dns_lease.h"

/* An entry as its parser collects it. The spans are views of the text. */
struct dns_lease_entry {
	struct span addr;
	struct span name;	/* without a closing dot; empty, "-" and "*": none */
	struct span client;
	int64_t expires;
	uint32_t line;
	uint16_t source;
};

/* Append an entry; one without a good address is counted as bad. Errors: ERR_NOMEM. */
enum err dns_lease_add(struct dns_leases *ls, const struct dns_lease_entry *e) MUST_CHECK;

void dns_lease_bad(struct dns_leases *ls, uint32_t line);

/* Expiry as these files have it: a decimal number of seconds. False where it is none. */
bool dns_lease_time(struct span text, int64_t *out);

enum err dns_lease_parse_dnsmasq(struct dns_leases *ls, struct span text,
    uint16_t source) MUST_CHECK;
enum err dns_lease_parse_kea(struct dns_leases *ls, struct span text,
    uint16_t source) MUST_CHECK;
enum err dns_lease_parse_odhcpd(struct dns_leases *ls, struct span text,
    uint16_t source) MUST_CHECK;
enum err dns_lease_parse_isc(struct dns_leases *ls, struct span text,
    uint16_t source) MUST_CHECK;
enum err dns_lease_parse_networkd(struct dns_leases *ls, struct span text,
    uint16_t source) MUST_CHECK;

/* The line is one of those that odhcpd writes its leases to. */
bool dns_lease_is_odhcpd(struct span line);

#endif
