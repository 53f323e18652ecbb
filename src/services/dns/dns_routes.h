/* SPDX-License-Identifier: MIT */
/*
 * Which upstream servers a name goes to: those of the longest zone that holds it, or the default
 * ones. A reload makes a new table; the old one is kept until no flight uses it.
 */
#ifndef SERVICES_DNS_ROUTES_H
#define SERVICES_DNS_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_cache.h"
#include "services/dns/dns_forward.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_upstream.h"
#include "util/err.h"

#define DNS_ROUTES_MAX	  64	/* zones with servers of their own */
#define DNS_ROUTE_DEFAULT 0	/* id of the default route */

struct dns_routes;

/* What the settings say about one route; copied. */
struct dns_route_spec {
	/* "corp.example" or "10.0.0.0/8" for its reverse zone; NULL: the default */
	const char *zone;
	const char *const *servers;	/* as dns_upstream_add() reads them */
	size_t count;			/* more than DNS_ROUTE_SERVERS_MAX are cut off */
	/*
	 * What the settings call them, where that is not the same: names. Who is behind them may
	 * change without a word; only others that are named make it another route.
	 */
	const char *const *named;	/* NULL: servers */
	size_t named_count;
	bool pending;			/* more servers may be known soon */
	enum dns_strategy strategy;
	struct dns_server_opts opts;
};

/* Where a spec was refused. */
struct dns_routes_bad {
	size_t spec;
	size_t server;
	bool zone;	/* the zone, not a server */
	bool retired;	/* none of them: flights still use too many old tables */
};

/* up and cache must outlive it. Errors: ERR_NOMEM. */
enum err dns_routes_new(struct dns_routes **out, struct dns_upstream *up,
    struct dns_cache *cache) MUST_CHECK;
/* Before dns_upstream_free(). NULL is fine. */
void dns_routes_free(struct dns_routes *rs);

/*
 * Put a table in force. specs[0] is the default route. What was cached of a zone that is gone or
 * has other servers now is flushed; the default route's answers stay, whoever gave them.
 *
 * errors  as dns_upstream_add(), ERR_FULL (DNS_ROUTES_MAX, or flights still use too many old
 *	   tables), ERR_EXISTS (a zone twice): nothing has changed then and *bad says where
 */
enum err dns_routes_set(struct dns_routes *rs, const struct dns_route_spec *specs, size_t count,
    struct dns_routes_bad *bad) MUST_CHECK;

/*
 * The route of a name (any letter case); stays valid during this turn and as long as it has
 * flights.
 */
struct dns_route *dns_routes_find(const struct dns_routes *rs, struct span name);
/*
 * May what its servers say be kept? Not where the zone has had others put in their place meanwhile;
 * the default route's answers are good whoever gave them.
 */
bool dns_routes_holds(const struct dns_routes *rs, const struct dns_route *route);
/* Its zone; the root for the default route. */
struct span dns_routes_zone(const struct dns_routes *rs, uint16_t id);

/* A number that is another one where the ids mean other zones or servers. */
uint64_t dns_routes_fingerprint(const struct dns_routes *rs);

/* Release what was replaced and has no flights any more; true where something still has some. */
bool dns_routes_tidy(struct dns_routes *rs);

/*
 * Read a zone as a name or an address prefix. Errors: ERR_FORMAT, ERR_RANGE (bits not on a label).
 */
enum err dns_zone_parse(struct dns_name *out, const char *text) MUST_CHECK;
/* For settings: what is wrong with one, NULL when nothing is. */
const char *dns_zone_check(const char *text);

#endif
