/* SPDX-License-Identifier: MIT */
/*
 * Writes records behind a question, with names compressed as RFC 1035 §4.1.4 describes and the
 * work bounded: so many places to point to, so many comparisons. What is beyond gets longer, not
 * wrong. Names in data are compressed in the types of RFC 1035 alone (RFC 3597 §4).
 */
#ifndef SERVICES_DNS_COMPRESS_H
#define SERVICES_DNS_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_msg.h"
#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define DNS_COMPRESS_MAX    64		/* places of a message that later names may point to */
#define DNS_COMPRESS_BUDGET 16384	/* comparisons in one message */

struct dns_compress {
	struct wire_wr wr;
	unsigned budget;
	unsigned ntargets;
	struct {
		uint16_t at;	/* offset of a name or of its tail */
		uint8_t len;	/* what it takes uncompressed */
	} target[DNS_COMPRESS_MAX];
};

/*
 * Begin a message of up to cap (at most DNS_MSG_MAX) bytes: a zeroed header, then the question as
 * given: name, type and class; or nothing.
 */
void dns_compress_begin(struct dns_compress *c, uint8_t *out, size_t cap, struct span question);

/* Write a name, as a pointer where it or a tail of it was written before. */
void dns_compress_name(struct dns_compress *c, struct span name);

/* A record to write: its data may lie in a message and hold names compressed in there. */
struct dns_compress_rr {
	struct span owner;	/* a name; empty: that of the question */
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	struct span msg;	/* what pointers in rdata refer to */
	struct span rdata;	/* lies within msg */
};

/*
 * Write a record. *ttl_at, where not NULL, is the offset of its TTL.
 *
 * errors  ERR_FORMAT: the data is not what its type demands; ERR_FULL: does not fit. The message
 *	   is spoilt after either
 */
enum err dns_compress_record(struct dns_compress *c, const struct dns_compress_rr *rr,
    size_t *ttl_at) MUST_CHECK;

#endif
