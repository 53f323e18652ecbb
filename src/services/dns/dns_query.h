/* SPDX-License-Identifier: MIT */
/*
 * Queries: read from clients, written to upstreams.
 *
 * Whatever a client sends is answered, but for what is no query at all (RFC 8906): junk shorter
 * than a header and messages with QR set are met with silence, or two servers could be made to
 * talk to each other for ever.
 */
#ifndef SERVICES_DNS_QUERY_H
#define SERVICES_DNS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_OPTIONS_MAX 32	/* EDNS options in one query; more is FORMERR */
#define DNS_PAD_MAX	512	/* bytes */

enum dns_verdict {
	DNS_QUERY_OK,		/* a question to answer */
	DNS_QUERY_COOKIE,	/* no question, but a COOKIE option: RFC 7873 §5.4 */
	DNS_QUERY_DROP,		/* no query: silence */
	DNS_QUERY_FORMERR,
	DNS_QUERY_NOTIMP,	/* an opcode other than QUERY */
	DNS_QUERY_BADVERS,	/* EDNS above version 0 */
};

/*
 * A query. The spans are views of the packet and live as long as it. Whatever the verdict but DROP,
 * what a reply needs is set: id, flags, question_len (0 where no question could be read), edns.
 */
struct dns_query {
	struct span packet;
	uint16_t id;
	uint16_t flags;		/* as on the wire: DNS_FLAG_RD, _AD, _CD, _Z, opcode */
	uint16_t type;
	uint16_t class;
	uint16_t question_len;	/* bytes from the end of the header: name, type and class */
	uint16_t udp_size;	/* the client's limit: 512 or what its OPT says, at least 512 */
	bool edns;		/* there was an OPT record; the next six are empty without */
	bool dnssec_ok;		/* DO */
	uint8_t edns_version;
	bool nsid;		/* options: wanted, */
	bool keepalive;		/* ditto, RFC 7828, */
	bool padding;		/* was there */
	struct span cookie;	/* the data of COOKIE (8, or 16 to 40 bytes) and */
	struct span ecs;	/* of the client subnet option; at is NULL where there was none */
	uint64_t name_hash;	/* dns_query_hash() sets it */
	uint8_t name_len;
	uint8_t name[DNS_NAME_MAX];	/* in lower case */
};

/*
 * Read a query. Bytes behind the last record are tolerated: some devices send their whole buffer,
 * and nothing of the packet but question and options is ever used. Records besides OPT are skipped.
 *
 * errors  FORMERR for what breaks the grammar: other than one question, a compressed or broken
 *	   name, two OPT records, an OPT with an owner, more than DNS_OPTIONS_MAX options or one of
 *	   those we read twice, a COOKIE of impossible length
 */
enum dns_verdict dns_query_parse(struct dns_query *q, struct span packet);

static inline struct span
dns_query_name(const struct dns_query *q)
{
	return span_of(q->name, q->name_len);
}

/* Compute name_hash, once per query. */
static inline void
dns_query_hash(struct dns_query *q, const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	q->name_hash = dns_name_hash(dns_query_name(q), key);
}

/* The longest UDP reply the client takes: its udp_size, at most `most` (DNS_UDP_SIZE as a rule). */
static inline size_t
dns_query_limit(const struct dns_query *q, size_t most)
{
	return q->udp_size < most ? q->udp_size : most;
}

/* The question as the client spelled it: name, type and class. Empty where there was none. */
static inline struct span
dns_query_question(const struct dns_query *q)
{
	return span_of(q->packet.at + DNS_HEADER_BYTES, q->question_len);
}

/* --- towards upstreams ------------------------------------------------------------------------ */

/* What to ask. Zeroed: RD off, no EDNS. */
struct dns_ask {
	uint16_t id;
	uint16_t flags;		/* DNS_FLAG_RD, _AD, _CD */
	struct span name;	/* letter case as it shall appear on the wire */
	uint16_t type;
	uint16_t class;
	bool edns;		/* with an OPT record: */
	bool dnssec_ok;
	uint16_t udp_size;	/* announced; 0: DNS_UDP_SIZE */
	struct span cookie;	/* client cookie, and the server's behind it; empty: none */
	uint16_t pad;		/* to a multiple of it, up to DNS_PAD_MAX (RFC 8467: 128) */
};

/* Give the number of bytes written; 0 where cap is too small. 340 will do, and the padding. */
size_t dns_ask_write(const struct dns_ask *a, uint8_t *out, size_t cap);

#endif
