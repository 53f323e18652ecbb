/* SPDX-License-Identifier: MIT */
/*
 * The path of a query: parse, access, cache, questions in flight, upstream, cache, reply. Owns the
 * cache, the table of flights and the upstream servers; has no sockets towards clients.
 */
#ifndef SERVICES_DNS_RESOLVER_H
#define SERVICES_DNS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/acl.h"
#include "core/report.h"
#include "services/dns/dns_cache.h"
#include "services/dns/dns_forward.h"
#include "services/dns/dns_request.h"
#include "services/dns/dns_routes.h"
#include "services/dns/dns_upstream.h"
#include "services/dns/dns_zones.h"
#include "util/err.h"

struct dns_bootstrap;
struct dns_lists;
struct dns_local;
struct dns_addrsets;
struct dns_querylog;
struct dns_resolver;
struct log;
struct loop;
struct netif;
struct rand;

/* Settings of a running resolver; what it points at is copied. */
struct dns_resolver_config {
	struct dns_cache_config cache;
	struct dns_ttl_limits ttl;
	bool prefetch;
	bool trust_ad;			/* hand on the AD flag of the upstreams */
	bool filter_aaaa;		/* tell nobody of addresses of IPv6 */
	uint32_t fresh_ports;		/* queries a second with a port of their own */
	struct prefix dns64;		/* make them of those of IPv4; family 0: do not */
	unsigned client_queries;	/* of one client that may wait at once */
	uint32_t client_rate;		/* queries a second of one client; 0: no limit */
	bool top;			/* count who asks what most */
	struct acl rate_exempt;		/* these four move to the resolver */
	struct acl acl;
	struct dns_zones no_cache;	/* answers are never kept */
	struct dns_zones no_stale;	/* and never used past their time */
};

struct dns_resolver_env {
	struct loop *loop;
	struct log *log;
	struct netif *netif;
	struct offload *offload;
	struct rand *rand;
	const char *service;		/* tag of the log lines */
	/* Asks for dns_resolver_wake() at an instant. */
	void (*wake_at)(void *ctx, mono_us at);
	void *ctx;
};

/* Errors: ERR_NOMEM, ERR_SYS. */
enum err dns_resolver_new(struct dns_resolver **out, const struct dns_resolver_env *env,
    const struct dns_cache_config *cache) MUST_CHECK;
void dns_resolver_free(struct dns_resolver *r);

/* Put settings in force. */
void dns_resolver_configure(struct dns_resolver *r, struct dns_resolver_config *cf);
/* Where questions go; filled by the service before the first one. */
struct dns_routes *dns_resolver_routes(struct dns_resolver *r);
/* Routes have been replaced: who waits for a server to ask may have one now. */
void dns_resolver_note_routes(struct dns_resolver *r);
/* The machine is on another network: what was learnt about the upstreams no longer holds. */
void dns_resolver_forget_network(struct dns_resolver *r);

/* One query. The reply goes out at once or later, by the way the query came. */
void dns_resolver_query(struct dns_resolver *r, const struct dns_asker *from, struct span packet);

/* The lists that names are judged by; borrowed. NULL: none. */
void dns_resolver_set_lists(struct dns_resolver *r, struct dns_lists *lists);

/* The sets of netfilter that addresses go into; borrowed. NULL: none. */
void dns_resolver_set_addrsets(struct dns_resolver *r, struct dns_addrsets *sets);
/* Addresses have got there: answers may wait for that. */
void dns_resolver_note_addrsets(struct dns_resolver *r);

/*
 * The names of the house from here on; set stays the caller's and must live until another one is
 * set. NULL: none.
 */
void dns_resolver_set_local(struct dns_resolver *r, const struct dns_local *set);
/* The machine's networks have changed, or are known for the first time. */
void dns_resolver_note_networks(struct dns_resolver *r);

/* rq's connection is gone. */
void dns_resolver_abandon(struct dns_resolver *r, struct dns_request *rq);

/* Do what is due; gives when to call again. */
mono_us dns_resolver_wake(struct dns_resolver *r, mono_us now);

/*
 * Say what would become of a question of a client: one object a stage, with `stage`, `verdict` and
 * `detail`. name in lower case.
 */
void dns_resolver_explain(struct dns_resolver *r, struct span name, uint16_t type,
    const struct addr *client, mono_us now, struct report *out);

/*
 * The daemon is about to end: true while somebody waits. From the first call on no query is taken
 * that would have to wait; what the cache or the house know is still told.
 */
bool dns_resolver_finish(struct dns_resolver *r);
void dns_resolver_report(const struct dns_resolver *r, struct report *out);
/* It is counted what is asked for most. */
bool dns_resolver_counts(const struct dns_resolver *r);
/* Tell what is asked for most, what of that is blocked, and who asks: up to `lines` of each. */
void dns_resolver_top(struct dns_resolver *r, size_t lines, mono_us now, struct report *out);

/* Tell of every query from here on; NULL: of none. It must outlive the resolver. */
void dns_resolver_set_querylog(struct dns_resolver *r, struct dns_querylog *ql);

/* As dns_routes_fingerprint(). */
uint64_t dns_resolver_fingerprint(const struct dns_resolver *r);

struct dns_cache *dns_resolver_cache(struct dns_resolver *r);
struct dns_upstream *dns_resolver_upstream(struct dns_resolver *r);

/* Where upstream servers' names are looked up; borrowed, told of in reports. NULL: nowhere. */
void dns_resolver_set_bootstrap(struct dns_resolver *r, const struct dns_bootstrap *b);
/* All there is to tell about the upstream servers. */
void dns_resolver_report_upstreams(const struct dns_resolver *r, struct report *out);

#endif
