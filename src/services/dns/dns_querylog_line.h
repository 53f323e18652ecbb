/* SPDX-License-Identifier: MIT */
/* One line of the query log: what is told of a query, and what is kept back. */
#ifndef SERVICES_DNS_QUERYLOG_LINE_H
#define SERVICES_DNS_QUERYLOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/mono.h"
#include "util/span.h"

#define DNS_QUERYLOG_LINE_MAX 4096	/* bytes with the newline; no line is longer */

enum dns_privacy {
	DNS_PRIVACY_FULL,	/* all is told */
	DNS_PRIVACY_NO_CLIENT,	/* of the client its network alone: /24, /48 */
	DNS_PRIVACY_NO_NAMES,	/* no names, and no reasons, which hold names */
	DNS_PRIVACY_ANONYMOUS,	/* neither */
};

enum dns_querylog_format {
	DNS_QUERYLOG_JSON,
	DNS_QUERYLOG_TEXT,
};

/* What became of one query. Spans and texts are the caller's. */
struct dns_querylog_entry {
	const struct addr *client;
	bool tcp;
	struct span name;	/* wire form, any letter case; empty: it was not read */
	uint16_t type;
	const char *verdict;	/* one word: "cached" */
	struct span reason;	/* any bytes; empty: none */
	const char *server;	/* the upstream that answered; NULL: none did */
	usec took;
	bool answered;		/* false: the client got nothing, and rcode means nothing */
	uint16_t rcode;
};

/* The client as far as it may be told; gives buf. */
const char *dns_querylog_client(const struct addr *client, enum dns_privacy privacy,
    char buf[static ADDR_TEXT_MAX]);

static inline bool
dns_querylog_hides_names(enum dns_privacy privacy)
{
	return privacy == DNS_PRIVACY_NO_NAMES || privacy == DNS_PRIVACY_ANONYMOUS;
}

/*
 * Write a line with its newline; gives its length. A reason that would make it too long is cut.
 *
 *   {"time":1763690000123,"client":"192.168.1.4","proto":"udp","name":"example.org","type":"A",
 *    "verdict":"forwarded","rcode":"NOERROR","ms":12.345,"upstream":"9.9.9.9:53"}
 *   2025-11-21T01:53:20.123Z 192.168.1.4 udp example.org A forwarded NOERROR 12.345ms 9.9.9.9:53
 *
 * wall_ms  milliseconds since 1970
 */
size_t dns_querylog_compose(const struct dns_querylog_entry *e, enum dns_querylog_format format,
    enum dns_privacy privacy, int64_t wall_ms, char out[static DNS_QUERYLOG_LINE_MAX]);

#endif
