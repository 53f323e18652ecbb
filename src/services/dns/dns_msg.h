/* SPDX-License-Identifier: MIT */
/*
 * DNS messages, what is common to all of them: numbers, header fields, the walk over the records.
 * Queries: dns_query.h. Replies to clients: dns_reply.h. Answers of upstreams: dns_answer.h.
 */
#ifndef SERVICES_DNS_MSG_H
#define SERVICES_DNS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define DNS_HEADER_BYTES 12
#define DNS_MSG_MAX	 65535	/* bytes: what the length before a TCP message can say */
#define DNS_UDP_PLAIN	 512	/* bytes: the limit without EDNS, RFC 1035 §2.3.4 */
#define DNS_UDP_SIZE	 1232	/* bytes: what we announce and the most we send; fits every path */
#define DNS_RECORDS_MAX	 4096	/* in one message; more is taken as malformed */
#define DNS_CHAIN_MAX	 11	/* CNAMEs in a row, as unbound */
#define DNS_TTL_MAX	 0x7fffffff	/* above it counts as 0, RFC 2181 §8 */

enum dns_type {		/* an open set: any 16-bit number may come */
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_HINFO = 13,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_NAPTR = 35,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_SSHFP = 44,
	DNS_TYPE_RRSIG = 46,
	DNS_TYPE_NSEC = 47,
	DNS_TYPE_DNSKEY = 48,
	DNS_TYPE_NSEC3 = 50,
	DNS_TYPE_TLSA = 52,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
	DNS_TYPE_CAA = 257,
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_ANY = 255,
};

enum dns_rcode {	/* 12 bits; those above 15 need an OPT record */
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
	DNS_BADCOOKIE = 23,
};

#define DNS_OPCODE_QUERY 0

/* The 16 bits behind the id. */
#define DNS_FLAG_QR	0x8000
#define DNS_FLAG_AA	0x0400
#define DNS_FLAG_TC	0x0200
#define DNS_FLAG_RD	0x0100
#define DNS_FLAG_RA	0x0080
#define DNS_FLAG_Z	0x0040
#define DNS_FLAG_AD	0x0020
#define DNS_FLAG_CD	0x0010
#define DNS_FLAG_OPCODE 0x7800
#define DNS_FLAG_RCODE	0x000f

#define DNS_OPT_BYTES 11	/* of an OPT record without options */
#define DNS_EDNS_DO 0x8000	/* in the low 16 bits of OPT's TTL */

enum dns_option {	/* EDNS option codes */
	DNS_OPTION_NSID = 3,
	DNS_OPTION_ECS = 8,
	DNS_OPTION_COOKIE = 10,
	DNS_OPTION_KEEPALIVE = 11,
	DNS_OPTION_PADDING = 12,
	DNS_OPTION_EDE = 15,
};

enum dns_ede {		/* RFC 8914 §4 */
	DNS_EDE_OTHER = 0,
	DNS_EDE_STALE = 3,
	DNS_EDE_FORGED = 4,
	DNS_EDE_CACHED_ERROR = 13,
	DNS_EDE_NOT_READY = 14,
	DNS_EDE_BLOCKED = 15,
	DNS_EDE_CENSORED = 16,
	DNS_EDE_FILTERED = 17,
	DNS_EDE_PROHIBITED = 18,
	DNS_EDE_STALE_NXDOMAIN = 19,
	DNS_EDE_NOT_SUPPORTED = 21,
	DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
	DNS_EDE_NETWORK_ERROR = 23,
	DNS_EDE_INVALID_DATA = 24,
};

enum dns_section {
	DNS_SECTION_ANSWER,
	DNS_SECTION_AUTHORITY,
	DNS_SECTION_ADDITIONAL,
};

/* Header fields of a message of at least DNS_HEADER_BYTES. */
static inline uint16_t
dns_msg_u16(struct span msg, size_t at)
{
	return (uint16_t)(msg.at[at] << 8 | msg.at[at + 1]);
}

static inline uint16_t
dns_msg_id(struct span msg)
{
	return dns_msg_u16(msg, 0);
}

static inline uint16_t
dns_msg_flags(struct span msg)
{
	return dns_msg_u16(msg, 2);
}

/* --- walking over records --------------------------------------------------------------------- */

/* One record, as it lies in its message. */
struct dns_rr {
	enum dns_section section;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;		/* as on the wire */
	size_t owner_at;	/* offset in the message of the owner, which may be compressed */
	size_t ttl_at;		/* offset of the TTL's four bytes */
	struct span rdata;	/* a view of the message; its names may be compressed */
};

/*
 * Read one record, wherever in a message the reader is; rr->section is left alone. False, and a bad
 * reader, where none is there.
 */
bool dns_rr_read(struct wire_rd *rd, struct dns_rr *rr);

/* Steps through the records of a message. The counts of the header are claims, never trusted. */
struct dns_walk {
	struct wire_rd rd;
	uint16_t questions;	/* as the header claims */
	uint16_t left[3];	/* claimed records still to come, by section */
	enum dns_section section;
	unsigned seen;
	bool bad;		/* the message is not what its header says; sticky */
};

/* Begin behind the questions, which are skipped. A message that is too short is bad. */
void dns_walk_begin(struct dns_walk *w, struct span msg);

/* Give the next record; false at the end or where the message is bad, see w->bad. */
bool dns_rr_next(struct dns_walk *w, struct dns_rr *rr);

/* --- the OPT record --------------------------------------------------------------------------- */

/*
 * Write an OPT record without options. Gives where its length stands, for dns_opt_close(); NULL and
 * a bad writer where it does not fit.
 *
 * upper  the upper 8 of the 12 bits of an rcode
 */
uint8_t *dns_opt_open(struct wire_wr *wr, uint16_t udp_size, uint8_t upper, bool dnssec_ok);
void dns_opt_option(struct wire_wr *wr, enum dns_option code, struct span data);
/* Enter the length of the options written since. NULL is fine. */
void dns_opt_close(struct wire_wr *wr, uint8_t *length_at);

/* Steps through the options of an OPT record; rd is over its data. False at the end or when bad. */
bool dns_opt_next(struct wire_rd *rd, uint16_t *code, struct span *data);

/* --- words ------------------------------------------------------------------------------------ */

#define DNS_TYPE_TEXT_MAX 12	/* "TYPE65535" and more */

/* "AAAA", or "TYPE65534" for those without a name (RFC 3597 §5); gives buf. */
const char *dns_type_format(uint16_t type, char buf[static DNS_TYPE_TEXT_MAX]);
/* Either spelling, any letter case; a bare number too. Errors: ERR_FORMAT, ERR_RANGE. */
enum err dns_type_parse(uint16_t *out, struct span text) MUST_CHECK;

/* "IN", "CH", "CLASS42"; gives buf. */
const char *dns_class_format(uint16_t class, char buf[static DNS_TYPE_TEXT_MAX]);
enum err dns_class_parse(uint16_t *out, struct span text) MUST_CHECK;

/* "NOERROR", "RCODE14"; gives buf. */
const char *dns_rcode_format(uint16_t rcode, char buf[static DNS_TYPE_TEXT_MAX]);

/* The registry's words for an EDE code ("Stale Answer"), or "Unassigned". Static storage. */
const char *dns_ede_text(uint16_t code);

#endif
