/* SPDX-License-Identifier: MIT */
/* Upstream servers that the settings give by name, and the addresses in an answer about one. */
#ifndef SERVICES_DNS_NAMED_H
#define SERVICES_DNS_NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_answer.h"
#include "services/dns/dns_name.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/span.h"

#define DNS_NAMED_PORT	   53	/* where a text names none */
#define DNS_NAMED_TLS_PORT 853	/* with "tls://", RFC 7858 §3.1 */

enum dns_transport {	/* how messages travel; datagrams fall back to TCP where they have to */
	DNS_TRANSPORT_UDP,
	DNS_TRANSPORT_TCP,
	DNS_TRANSPORT_TLS,
};

struct dns_named {
	struct dns_name name;	/* in lower case */
	uint16_t port;
	enum dns_transport transport;
};

/*
 * Take "udp://", "tcp://" or "tls://" off the front of a text. Where there is none of these it is
 * UDP and the text stays; another scheme stays as well, and is neither an address nor a name.
 */
enum dns_transport dns_named_scheme(const char **text);

/*
 * Read "dns.quad9.net", "dns.quad9.net:5353", "tcp://dns.quad9.net" or "tls://dns.quad9.net". What
 * could be an address that was mistyped is no name: the last label of one is never a number
 * (RFC 3696 §2).
 *
 * errors  ERR_FORMAT: not a name; ERR_RANGE: a name with a port that cannot be
 */
enum err dns_named_parse(struct dns_named *out, const char *spec) MUST_CHECK;

/*
 * Take the addresses out of an answer that dns_answer_parse() has read, those alone that a server
 * can have, with that port. Gives how many there are, which may be more than fit out.
 */
size_t dns_named_addrs(const struct dns_answer *a, struct span msg, uint16_t type, uint16_t port,
    struct addr *out, size_t cap);

/* One of them is a, whatever the ports. */
bool dns_named_among(const struct addr *addrs, size_t count, const struct addr *a);

#endif
