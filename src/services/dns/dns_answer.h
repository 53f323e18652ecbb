/* SPDX-License-Identifier: MIT */
/*
 * What upstreams say: what is it, how long may it be kept; and the rewritten form that is cached
 * and delivered. That it is genuine, dns_upstream has seen to.
 *
 * Nothing of an upstream's message reaches a client or the cache as it came: dns_answer_pack()
 * writes it anew from the records that belong to the question's own chain. So strays are never
 * harvested, broken names and junk behind the end never passed on, and OPT is left out.
 */
#ifndef SERVICES_DNS_ANSWER_H
#define SERVICES_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_reply.h"
#include "util/err.h"
#include "util/span.h"

/* A question as it was sent. */
struct dns_question {
	struct span name;	/* any letter case */
	uint16_t type;
	uint16_t class;
};

/* --- what does it say? ------------------------------------------------------------------------ */

enum dns_answer_kind {
	DNS_ANSWER_DATA,	/* records of the type asked for (any records for ANY) */
	DNS_ANSWER_NODATA,	/* NOERROR without them; a chain of CNAMEs may lead there */
	DNS_ANSWER_NXDOMAIN,
	DNS_ANSWER_REFERRAL,	/* NOERROR, nothing but NS of somewhere: a lame server */
	DNS_ANSWER_FAILURE,	/* SERVFAIL, REFUSED, NOTIMP, FORMERR and all others */
	DNS_ANSWER_TRUNCATED,	/* TC: ask over TCP */
};

/* The spans are views of the message. */
struct dns_answer {
	enum dns_answer_kind kind;
	uint16_t rcode;		/* 12 bits where there was an OPT record */
	uint16_t flags;		/* as on the wire */
	bool edns;		/* there was an OPT record; the next six are empty without */
	bool dnssec_ok;		/* DO, echoed by servers that understand it */
	uint16_t udp_size;
	bool has_ede;		/* the first one, if there are several */
	uint16_t ede;
	struct span ede_text;
	struct span cookie;	/* our client cookie and the server's */
	bool has_soa;		/* a negative answer says how long it holds */
	/*
	 * How long it may be kept, seconds, not clamped: the least TTL of what is kept; for NODATA
	 * and NXDOMAIN also SOA's MINIMUM (RFC 2308 §5). 0: not at all, as where has_soa is false.
	 */
	uint32_t ttl_s;
	unsigned chain;		/* CNAMEs and DNAMEs followed */
	unsigned strays;	/* answer records outside of the question's chain: left out */
	struct dns_name last;	/* the name at the end of the chain */
	uint64_t keep[DNS_RECORDS_MAX / 64];	/* which records are kept */
};

/*
 * Read an answer to this very question. Kept are the answers reached from the question, with their
 * signatures, and of the authority section SOA (negative answers) and the DNSSEC proof.
 *
 * errors  ERR_FORMAT: malformed, or to another question; ERR_RANGE: more than DNS_RECORDS_MAX
 *	   records, or a chain above DNS_CHAIN_MAX
 */
enum err dns_answer_parse(struct dns_answer *a, struct span msg,
    const struct dns_question *asked) MUST_CHECK;

/* --- the form that is kept -------------------------------------------------------------------- */

/* Bounds on how long answers are kept and what TTL they show, all in seconds. */
struct dns_ttl_limits {
	uint32_t min;		/* answers below it are lifted to it; a TTL of 0 stays 0 */
	uint32_t max;
	uint32_t max_negative;
	uint32_t no_soa;	/* for negative answers without SOA; 0: not kept */
};
#define DNS_TTL_LIMITS_DEFAULT { .min = 0, .max = 86400, .max_negative = 3600, .no_soa = 5 }

/* The result of packing. Large: give it a place of its own, not the stack. */
struct dns_packed {
	struct dns_stored view;	/* points into the buffers; AD in flags is as the upstream set it */
	enum dns_answer_kind kind;
	uint32_t ttl_s;		/* to be kept that long; clamped; 0: not to be kept */
	bool has_ede;
	uint16_t ede;
	uint8_t ede_len;
	uint8_t ede_text[DNS_EDE_TEXT_MAX];
	uint16_t ttl_at[DNS_RECORDS_MAX];
	uint8_t msg[DNS_MSG_MAX];
};

/*
 * Write the kept records of an answer anew.
 *
 * errors  ERR_FORMAT: a record's data is not what its type demands; ERR_FULL: does not fit 65535
 *	   bytes with the names written our way
 */
enum err dns_answer_pack(struct dns_packed *out, const struct dns_answer *a, struct span msg,
    const struct dns_question *asked, const struct dns_ttl_limits *limits) MUST_CHECK;

/*
 * Put NODATA in the place of an answer: SOA, nothing else, and no reason; those who do so say why.
 *
 * ttl  seconds
 */
void dns_answer_deny(struct dns_packed *p, const struct dns_question *asked, uint32_t ttl);

#endif
