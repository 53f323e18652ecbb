/* SPDX-License-Identifier: MIT */
/*
 * How a set of local names lies in memory; for dns_local*.c alone.
 *
 * A tree of labels: a node knows its parent and its label, and one hash table finds the child of a
 * node by label. So a name costs its own label only, every name on the way to another one exists
 * without being told, and a look-up that walks from the top ends at the first label that nobody
 * has: for most names of the Internet, the first or second.
 */
#ifndef SERVICES_DNS_LOCAL_IMPL_H
#define SERVICES_DNS_LOCAL_IMPL_H

#include "services/dns/dns_local.h"

#define LOCAL_ROOT 0		/* node of the root; as a child it means: there is none */
#define LOCAL_NONE UINT32_MAX	/* no record */

/* A rule for a zone. The greater one holds where there are several for one name. */
enum local_rule {
	RULE_NONE,
	RULE_SPECIAL,	/* answered here, by default */
	RULE_FORWARD,
	RULE_ONLY,	/* answered here, as told */
	RULE_NO_NAMES,	/* an `address` without address */
	RULE_ADDRESS,
};

enum local_flag {
	NODE_DATA = 1,	/* has records of its own */
	NODE_STAR = 2,	/* has a child "*" with records */
};

struct local_node {
	uint32_t parent;
	uint32_t label;		/* offset in bytes of length byte and label, lower case */
	uint32_t first;		/* record, or LOCAL_NONE */
	uint8_t rule;		/* enum local_rule */
	uint8_t flags;		/* enum local_flag */
};

enum local_kind {
	KIND_DATA,	/* data is the offset in bytes of the rdata */
	KIND_PTR,	/* made from an address: data is the node that it points to */
	KIND_ADDRESS,	/* for the whole zone; data as with KIND_DATA */
	KIND_RULE,	/* says where the node's rule comes from */
};

enum local_rank {	/* who may add to a name that has records already */
	RANK_RECORD,
	RANK_HOST,
	RANK_LEASE,
};

struct local_rr {
	uint32_t next;		/* of the same node, in the order of adding */
	uint32_t data;
	uint32_t ttl;
	uint32_t line;
	uint16_t type;
	uint16_t len;
	uint16_t source;
	uint8_t kind;		/* enum local_kind */
	uint8_t rank;		/* enum local_rank */
};

struct dns_local {
	struct local_node *nodes;
	size_t node_count, node_cap;
	struct local_rr *rrs;
	size_t rr_count, rr_cap;
	uint8_t *bytes;
	size_t byte_count, byte_cap;
	uint32_t *slots;	/* nodes by parent and label, open addressing; 0: free */
	size_t slot_count;	/* a power of 2, at least twice node_count */
	char **sources;
	size_t source_count, source_cap;
	struct dns_local_options opts;
	struct dns_name domain;	/* lower case; len 0: none */
	struct dns_local_stats stats;
	size_t told;		/* records, those not counted that were made from others */
	bool failed;		/* memory ran out while building */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
};

static inline struct span
local_label(const struct dns_local *s, const struct local_node *n)
{
	return span_of(s->bytes + n->label + 1, s->bytes[n->label]);
}

static inline struct span
local_rdata(const struct dns_local *s, const struct local_rr *rr)
{
	return span_of(s->bytes + rr->data, rr->len);
}

/* The child of a node, or LOCAL_ROOT where it has none of that label (lower case). */
uint32_t local_child(const struct dns_local *s, uint32_t parent, struct span label);

/* How far down the tree a name leads. Offsets are places in the name where a suffix begins. */
struct local_walk {
	uint32_t node;		/* the deepest that exists: of the name itself, or above it */
	bool exact;		/* of the name itself */
	uint8_t labels;		/* of the name */
	uint32_t zone;		/* the deepest on the way that has a rule, or LOCAL_ROOT */
	size_t zone_at;
};
void local_walk(const struct dns_local *s, struct span name, struct local_walk *w);

/* The node of a name (lower case), made where there is none. LOCAL_NONE: memory ran out. */
uint32_t local_intern(struct dns_local *s, struct span name);

/* Write the name of a node. */
void local_name(const struct dns_local *s, uint32_t node, struct dns_name *out);

/*
 * Append a record to a node unless the same is there. data is copied for all kinds but KIND_PTR,
 * which takes it as is. Gives its number, or LOCAL_NONE.
 */
uint32_t local_append(struct dns_local *s, uint32_t node, const struct local_rr *rr,
    struct span data);

/* Set a node's rule where it is not below the one that is there. */
void local_set_rule(struct dns_local *s, uint32_t node, enum local_rule rule,
    struct dns_local_origin from);

/* The name that is asked for to learn the name of an address of 4 or 16 bytes. */
void local_reverse(struct dns_name *out, struct span addr);

/* Give an address its name, where it has none. */
void local_add_ptr(struct dns_local *s, struct span addr, uint32_t node,
    struct dns_local_origin from);

/* The special-use zones and localhost. */
void local_add_special(struct dns_local *s);

#endif
