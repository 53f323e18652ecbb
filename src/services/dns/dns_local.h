/* SPDX-License-Identifier: MIT */
/*
 * The names of the house: what this server answers by itself, and what it must not ask others.
 *
 * A set is built once, by one thread (it may be a pool thread), and never changed after
 * dns_local_finish(): new data make a new set, which takes the place of the old one in one pointer.
 * Functions that take a set non-const are for building.
 *
 * What beats what, for one name:
 *   1. records of that very name: settings, hosts files, leases, addresses turned into PTR
 *   2. a record of the settings with an owner "*.zone", as RFC 4592 has it
 *   3. the nearest rule for a zone, the name's own included:
 *	an address for all names of the zone, "no such name" for all of them, a zone answered only
 *	here, a zone that is forwarded whatever lies above it, the special-use zones
 *   4. plain names (of one label): no such name
 * A name that exists has no data (NODATA) for the types it lacks, and so does one that only has
 * names below it, where the zone is ours.
 */
#ifndef SERVICES_DNS_LOCAL_H
#define SERVICES_DNS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_reply.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_LOCAL_TTL	       60	/* seconds, for what has no TTL of its own */
#define DNS_LOCAL_NEGATIVE_TTL 30	/* seconds, of NODATA and NXDOMAIN */
#define DNS_LOCAL_TTL_OF_SET   UINT32_MAX	/* for a record that does not say */
#define DNS_LOCAL_RECORDS_MAX  (1u << 21)	/* PTR made from addresses do not count */
#define DNS_LOCAL_PER_TYPE_MAX 128	/* records of one name and type */
#define DNS_LOCAL_SOURCES_MAX  UINT16_MAX
#define DNS_LOCAL_WHY_MAX      512	/* bytes of dns_local_explain() */

struct dns_local;

struct dns_local_options {
	uint32_t ttl;		/* seconds; 0: DNS_LOCAL_TTL */
	uint32_t negative_ttl;	/* seconds; 0: DNS_LOCAL_NEGATIVE_TTL */
	struct span domain;	/* wire form; appended to names of one label; empty: none */
	bool forward_plain;	/* names of one label that are not known here are forwarded */
	bool forward_special;	/* leave out the special-use zones, localhost excepted */
	bool firefox_canary;	/* deny use-application-dns.net: Firefox leaves DNS to us */
	bool icloud_canary;	/* deny mask.icloud.com: Apple's devices leave DNS to us */
	bool all_addresses;	/* do not look where the asker is */
};

struct dns_local_stats {
	size_t names;		/* with data of their own */
	size_t records;
	size_t bytes;		/* of memory */
	uint64_t dropped;	/* beyond DNS_LOCAL_RECORDS_MAX or DNS_LOCAL_PER_TYPE_MAX */
	uint64_t shadowed;	/* leases whose name stands in a hosts file or the settings */
	uint64_t refused;	/* leases with a name that no client may have */
};

/* --- building --------------------------------------------------------------------------------- */

/*
 * opts  copied, domain too
 * key   for the hash of names; fresh from the CSPRNG, as guests choose names
 */
enum err dns_local_new(struct dns_local **out, const struct dns_local_options *opts,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
/* NULL is fine. */
void dns_local_free(struct dns_local *s);

/*
 * Note where data come from, as dns_local_explain() will say it: "hosts file /etc/hosts". Gives
 * the number to add with; beyond DNS_LOCAL_SOURCES_MAX sources share the last one's text.
 */
uint16_t dns_local_source(struct dns_local *s, const char *text);

/* Where one thing comes from. */
struct dns_local_origin {
	uint16_t source;
	uint32_t line;		/* 0: the source's text says it all */
};

/*
 * The order of adding is the order of rank: records, hosts, leases. All names in wire form, any
 * letter case. Where memory runs out, dns_local_finish() says so.
 */

/*
 * ttl may be DNS_LOCAL_TTL_OF_SET. rdata in wire form, uncompressed, checked; an address gets its
 * PTR.
 */
void dns_local_add_record(struct dns_local *s, struct span owner, uint16_t type, uint32_t ttl,
    struct span rdata, struct dns_local_origin from);

/*
 * A name of a hosts file, addr of 4 or 16 bytes. The first canonical name of an address gets its
 * PTR. A name of one label is added with the domain as well. Addresses of loopback are told only
 * to askers on this machine: a "127.0.1.1 nas" of /etc/hosts helps nobody else.
 */
void dns_local_add_host(struct dns_local *s, struct span name, struct span addr, bool canonical,
    struct dns_local_origin from);

/*
 * Take over what another set has from a hosts file that cannot be read any more. old_source is
 * what dns_local_source() gave there.
 */
void dns_local_add_hosts_of(struct dns_local *s, const struct dns_local *old, uint16_t old_source,
    uint16_t source);

/*
 * A lease. name is text and was chosen by a guest: only its first label counts, unless the name
 * lies in the domain or in a zone of dns_local_add_zone(). Names that others trust (localhost,
 * wpad, isatap) are refused, and what stands in records or hosts is not touched.
 */
void dns_local_add_lease(struct dns_local *s, struct span name, struct span addr,
    struct dns_local_origin from);

/*
 * An address for a zone: its name and all below it, where they have no records. Empty addr: no
 * such names. Types other than addresses: NODATA.
 */
void dns_local_add_address(struct dns_local *s, struct span zone, struct span addr,
    struct dns_local_origin from);

enum dns_local_zone {
	DNS_LOCAL_ONLY,		/* names not known here do not exist */
	DNS_LOCAL_FORWARD,	/* ask the upstreams, whatever holds for zones above */
};
void dns_local_add_zone(struct dns_local *s, struct span zone, enum dns_local_zone kind,
    struct dns_local_origin from);

/* Add what is known without being told and give back spare memory. Errors: ERR_NOMEM. */
enum err dns_local_finish(struct dns_local *s) MUST_CHECK;

/* --- asking ----------------------------------------------------------------------------------- */

enum dns_local_verdict {
	DNS_LOCAL_NOT_OURS,	/* go on: lists, cache, upstreams */
	DNS_LOCAL_ANSWER,
	DNS_LOCAL_NODATA,
	DNS_LOCAL_NXDOMAIN,
	DNS_LOCAL_CNAME_OUT,	/* an alias for `target`, which must be resolved elsewhere */
	DNS_LOCAL_LOOP,		/* aliases in a circle, or more than DNS_CHAIN_MAX: SERVFAIL */
};

/* Who asks. All zero: nobody in particular, every address is told. */
struct dns_local_asker {
	const struct addr *addr;	/* NULL: unknown */
	const struct prefix *nets;	/* the directly connected networks */
	size_t net_count;
};

/* What was found. Views of the set and of the name asked for; copy nothing, keep nothing. */
struct dns_local_found {
	enum dns_local_verdict verdict;
	/*
	 * NOT_OURS only: names below it are known here. Where an upstream says NXDOMAIN, the
	 * truth is NODATA.
	 */
	bool names_below;
	struct span target;	/* CNAME_OUT: lower case */

	/* Kept by dns_local.c. */
	const struct dns_local *set;
	struct span name;	/* asked for, or the last alias of the chain */
	struct span zone;	/* owner of the SOA */
	uint16_t type;		/* of the records to write; ANY has become one of them */
	uint8_t kind;
	uint8_t aliases;
	uint32_t node;
	uint32_t rule;		/* record that explains it */
	uint32_t alias[DNS_CHAIN_MAX];
	struct prefix near;	/* addresses in it are preferred */
	bool on_host;		/* addresses of loopback are told */
};

/*
 * Look a name of class IN up: one probe of the hash table for each label that is known, and one
 * more. Never allocates.
 *
 * name  lower case, as struct dns_query has it; must outlive *out
 * who   may be NULL
 */
enum dns_local_verdict dns_local_find(const struct dns_local *s, struct span name, uint16_t type,
    const struct dns_local_asker *who, struct dns_local_found *out);

/*
 * Write the records of a verdict: aliases and answers, or aliases and SOA. For CNAME_OUT the
 * aliases alone. Not for NOT_OURS. The caller ends the reply with dns_local_rcode() and
 * DNS_FLAG_AA.
 */
void dns_local_write(const struct dns_local_found *f, struct dns_wr *w);
uint16_t dns_local_rcode(const struct dns_local_found *f);

/*
 * Say which rule decided: "hosts file /etc/hosts:12"; "no rule" for NOT_OURS without one. Gives
 * buf.
 */
const char *dns_local_explain(const struct dns_local_found *f, char *buf, size_t cap);

const struct dns_local_stats *dns_local_stats(const struct dns_local *s);

#endif
