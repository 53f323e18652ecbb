/* SPDX-License-Identifier: MIT */
/*
 * Replies to clients. Two makers: dns_wr puts a reply together record by record (local data,
 * errors), dns_reply_stored() copies a ready answer and patches what differs between clients.
 *
 * Both echo the question in the client's letter case, copy RD and CD, set RA, answer with an OPT
 * record if and only if the query had one (RFC 6891 §6.1.1), and cut a reply that is too long down
 * to header, question and OPT with TC set. Every limit below is in bytes of the whole message:
 * dns_query_limit() for UDP, DNS_MSG_MAX for TCP; at least DNS_UDP_PLAIN.
 */
#ifndef SERVICES_DNS_REPLY_H
#define SERVICES_DNS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_compress.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_query.h"
#include "util/span.h"

#define DNS_EDE_TEXT_MAX    128	/* bytes of EXTRA-TEXT we send; longer is cut */

/* What our OPT record says beside size, version, DO and the upper rcode bits. Zeroed: nothing. */
struct dns_opt {
	bool has_ede;
	uint16_t ede;		/* enum dns_ede */
	struct span ede_text;	/* UTF-8, may be empty */
	struct span cookie;	/* the client's, with the server's behind it; empty: none */
	bool has_keepalive;
	uint16_t keepalive;	/* units of 100 ms, RFC 7828; TCP only */
};

/* How many bytes of an EXTRA-TEXT fit DNS_EDE_TEXT_MAX, cut between characters. */
size_t dns_ede_text_fit(struct span text);

/* --- record by record ------------------------------------------------------------------------- */

/* A reply in the making. Records come in the order of the sections. */
struct dns_wr {
	struct dns_compress c;
	const struct dns_query *q;
	size_t limit;
	uint16_t count[3];	/* records by section */
};

/* Begin with header and question. q must outlive w; out has room for limit bytes. */
void dns_wr_begin(struct dns_wr *w, const struct dns_query *q, uint8_t *out, size_t limit);

/*
 * Add a record. rdata is uncompressed and what its type demands; the names in those types that RFC
 * 1035 knows get compressed. Where it does not fit, dns_wr_end() gives a truncated reply. An owner
 * equal to the question is written as a pointer to it and so takes the client's letter case.
 */
void dns_wr_record(struct dns_wr *w, enum dns_section section, struct span owner, uint16_t type,
    uint16_t class, uint32_t ttl, struct span rdata);

/* Add a record that lies in another message, its names compressed there as they may be. */
void dns_wr_copy(struct dns_wr *w, const struct dns_rr *rr, struct span msg);

#define DNS_SOA_DATA_MAX (2 * DNS_NAME_MAX + 20)

/*
 * The data of the SOA record of a zone that nobody else answers; gives a view of buf. Values as RFC
 * 6303 §3 has them.
 *
 * ttl  seconds: how long a "no" holds (RFC 2308 §4); the TTL of the record, too
 */
struct span dns_soa_data(uint8_t buf[static DNS_SOA_DATA_MAX], struct span zone, uint32_t ttl);
void dns_wr_soa(struct dns_wr *w, enum dns_section section, struct span zone, uint32_t ttl);

/*
 * Finish: rcode, flags and OPT. Gives the length of the reply, never 0.
 *
 * rcode  12 bits; what needs an OPT record and has none becomes SERVFAIL
 * flags  DNS_FLAG_AA, DNS_FLAG_AD, DNS_FLAG_TC; AD goes only to those who set AD or DO (RFC 6840
 *	  §5.8)
 * opt	  may be NULL
 */
size_t dns_wr_end(struct dns_wr *w, uint16_t rcode, uint16_t flags, const struct dns_opt *opt);

/* A reply without records in one call. */
size_t dns_reply_empty(const struct dns_query *q, uint16_t rcode, uint16_t flags,
    const struct dns_opt *opt, uint8_t *out, size_t limit);

/* The rcode for a verdict. Not for DROP, which has none. */
uint16_t dns_verdict_rcode(enum dns_verdict v);

/* --- a ready answer --------------------------------------------------------------------------- */

/*
 * An answer without header, question and OPT: what follows the question in the message. Compression
 * pointers and ttl_at count from the start of the message, so body fits behind any question of the
 * same name.
 */
struct dns_stored {
	const uint8_t *body;
	const uint16_t *ttl_at;	/* offset in the message of each record's TTL */
	uint16_t body_len;
	uint16_t nttl;
	uint16_t answers;	/* records in the answer section */
	uint16_t authority;	/* and in the authority section; there are no additional ones */
	uint16_t rcode;
	uint16_t flags;		/* DNS_FLAG_AD where the upstream said so and is trusted */
	uint32_t age_s;		/* taken off every TTL, which stops at 0 */
	uint32_t ttl_cap_s;	/* no TTL above it; UINT32_MAX: none */
	uint32_t turn;		/* of several addresses, this one modulo their number comes first */
};

/* Give the length of the reply, never 0. The body must stem from the same question. */
size_t dns_reply_stored(const struct dns_stored *s, const struct dns_query *q,
    const struct dns_opt *opt, uint8_t *out, size_t limit);

#endif
