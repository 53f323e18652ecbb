/* SPDX-License-Identifier: MIT */
/*
 * Tables of routes. A route's id is tied to its zone for the life of the process: it is part of the
 * cache's key, so an id that came to mean another zone would answer with the wrong servers' data
 * (conditional forwarding poisoned by a zone's own servers, "MaginotDNS").
 */
#include "services/dns/dns_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/addr.h"
#include "util/seal.h"

#define RETIRED_MAX 8		/* tables that reloads have replaced and flights still use */
#define IDS_MAX	    1024	/* zones that ever had a route, the default one included */

struct table {
	size_t count;
	struct dns_name zones[DNS_ROUTES_MAX + 1];
	struct dns_route routes[DNS_ROUTES_MAX + 1];	/* [0] is the default */
};

struct dns_routes {
	struct dns_upstream *up;
	struct dns_cache *cache;
	struct table *current;
	struct table *retired[RETIRED_MAX];
	size_t id_count;
	struct dns_name *ids;	/* zone by id */
};

enum err
dns_routes_new(struct dns_routes **out, struct dns_upstream *up, struct dns_cache *cache)
{
	struct dns_routes *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return ERR_NOMEM;
	rs->up = up;
	rs->cache = cache;
	rs->ids = calloc(IDS_MAX, sizeof(*rs->ids));
	rs->current = calloc(1, sizeof(*rs->current));
	if (rs->ids == NULL || rs->current == NULL) {
		dns_routes_free(rs);
		return ERR_NOMEM;
	}
	rs->ids[0] = (struct dns_name){ .len = 1 };
	rs->id_count = 1;
	rs->current->count = 1;
	*out = rs;
	return OK;
}

static void
table_free(struct dns_routes *rs, struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		for (size_t k = 0; k < t->routes[i].count; k++)
			dns_upstream_drop(rs->up, t->routes[i].servers[k]);
	free(t);
}

void
dns_routes_free(struct dns_routes *rs)
{
	if (rs == NULL)
		return;
	table_free(rs, rs->current);
	for (size_t i = 0; i < RETIRED_MAX; i++)
		table_free(rs, rs->retired[i]);
	free(rs->ids);
	free(rs);
}

static bool
in_use(const struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->routes[i].flights != 0)
			return true;
	return false;
}

bool
dns_routes_tidy(struct dns_routes *rs)
{
	bool left = false;

	for (size_t i = 0; i < RETIRED_MAX; i++) {
		if (rs->retired[i] != NULL && !in_use(rs->retired[i])) {
			table_free(rs, rs->retired[i]);
			rs->retired[i] = NULL;
		}
		left = left || rs->retired[i] != NULL;
	}
	return left;
}

/* A free place for a table that is being replaced, or NULL. */
static struct table **
retirement(struct dns_routes *rs)
{
	(void)dns_routes_tidy(rs);
	for (size_t i = 0; i < RETIRED_MAX; i++)
		if (rs->retired[i] == NULL)
			return &rs->retired[i];
	return NULL;
}

/* --- zones ------------------------------------------------------------------------------------ */

static enum err
reverse_zone(struct dns_name *out, const struct prefix *p)
{
	char text[160];
	size_t at = 0;

	if (p->bits % (p->family == AF_INET ? 8 : 4) != 0)
		return ERR_RANGE;
	if (p->family == AF_INET) {
		for (unsigned i = p->bits / 8; i-- > 0;)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%u.", p->bytes[i]);
		snprintf(text + at, sizeof(text) - at, "in-addr.arpa");
	} else {
		for (unsigned i = p->bits / 4; i-- > 0;)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%x.",
			    i % 2 == 0 ? p->bytes[i / 2] >> 4 : p->bytes[i / 2] & 15);
		snprintf(text + at, sizeof(text) - at, "ip6.arpa");
	}
	return dns_name_parse(out, span_str(text));
}

enum err
dns_zone_parse(struct dns_name *out, const char *text)
{
	struct prefix p;
	enum err e;

	if (strchr(text, '/') != NULL) {
		e = prefix_parse(&p, text);
		return e == OK ? reverse_zone(out, &p) : e;
	}
	e = dns_name_parse_typed(out, span_str(text));
	if (e == OK)
		dns_name_lower(out->wire, dns_name_span(out));
	return e;
}

const char *
dns_zone_check(const char *text)
{
	bool network = strchr(text, '/') != NULL;
	struct dns_name zone;

	switch (dns_zone_parse(&zone, text)) {
	case OK:
		return NULL;
	case ERR_RANGE:
		return !network ? "a name has at most 255 characters, 63 between two dots"
		    : "names of networks end with a whole number: /8, /16, /24 or /32, for IPv6 a "
		      "multiple of 4";
	default:
		return !network ? DNS_NAME_WRONG : "not a network, as 192.168.1.0/24 or fd00::/8 is";
	}
}

/* The id of a zone, the same as ever before. */
static enum err
id_of(struct dns_routes *rs, const struct dns_name *zone, uint16_t *id)
{
	for (size_t i = 0; i < rs->id_count; i++) {
		if (!dns_name_equal(dns_name_span(&rs->ids[i]), dns_name_span(zone)))
			continue;
		*id = (uint16_t)i;
		return OK;
	}
	if (rs->id_count == IDS_MAX)
		return ERR_FULL;
	rs->ids[rs->id_count] = *zone;
	*id = (uint16_t)rs->id_count++;
	return OK;
}

/* --- putting a table in force ----------------------------------------------------------------- */

static enum err
add_zone(struct dns_routes *rs, struct table *t, const struct dns_route_spec *spec, size_t i)
{
	enum err e = OK;

	t->zones[i] = (struct dns_name){ .len = 1 };
	if (i != 0)
		e = dns_zone_parse(&t->zones[i], spec->zone);
	for (size_t k = 1; e == OK && k < i; k++)
		if (dns_name_equal(dns_name_span(&t->zones[k]), dns_name_span(&t->zones[i])))
			e = ERR_EXISTS;
	if (e == OK && i != 0 && dns_name_is_root(dns_name_span(&t->zones[i])))
		e = ERR_EXISTS;		/* that is the default route */
	return e == OK ? id_of(rs, &t->zones[i], &t->routes[i].id) : e;
}

/* Each text is hashed under what those before it have come to. */
static uint64_t
chain_hash(uint64_t before, uint64_t salt, const char *text)
{
	uint64_t chain[2] = { before, salt };
	uint8_t key[SEAL_SHORT_KEY_BYTES];

	_Static_assert(sizeof(chain) == sizeof(key), "the chain is a key");
	memcpy(key, chain, sizeof(key));
	return seal_short_hash(span_str(text), key);
}

static uint64_t
origin_of(const struct dns_route_spec *spec)
{
	const char *const *texts = spec->named != NULL ? spec->named : spec->servers;
	size_t count = spec->named != NULL ? spec->named_count : spec->count;
	const char *interface = spec->opts.interface;
	char source[ADDR_TEXT_MAX] = "";
	uint64_t hash = 0;

	for (size_t i = 0; i < count; i++)
		hash = chain_hash(hash, i, texts[i]);
	if (spec->opts.source != NULL)
		addr_format_host(spec->opts.source, source);
	hash = chain_hash(hash, count, source);
	return chain_hash(hash, count, interface != NULL ? interface : "");
}

static bool
has_server(const struct dns_route *route, const struct dns_server *sv)
{
	for (size_t i = 0; i < route->count; i++)
		if (route->servers[i] == sv)
			return true;
	return false;
}

static enum err
add_servers(struct dns_routes *rs, struct dns_route *route, const struct dns_route_spec *spec,
    struct dns_routes_bad *bad)
{
	route->strategy = spec->strategy;
	route->pending = spec->pending;
	route->origin = origin_of(spec);
	for (size_t k = 0; k < spec->count && k < DNS_ROUTE_SERVERS_MAX; k++) {
		struct dns_server *sv;
		enum err e = dns_upstream_add(rs->up, &sv, spec->servers[k], &spec->opts);

		if (e != OK) {
			bad->server = k;
			return e;
		}
		/*
		 * One that is named twice is one: two names may lead to it, or a name and an
		 * address.
		 */
		if (has_server(route, sv))
			dns_upstream_drop(rs->up, sv);
		else
			route->servers[route->count++] = sv;
	}
	return OK;
}

static const struct dns_route *
route_with_id(const struct table *t, uint16_t id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->routes[i].id == id)
			return &t->routes[i];
	return NULL;
}

/* Cached answers of zones whose servers have changed are somebody else's word: away with them. */
static void
flush_changed(struct dns_routes *rs, const struct table *old, const struct table *now)
{
	for (size_t i = 1; i < old->count; i++) {
		const struct dns_route *was = &old->routes[i];
		const struct dns_route *is = route_with_id(now, was->id);

		if (is == NULL || is->origin != was->origin)
			(void)dns_cache_flush(rs->cache, &(struct dns_flush){
				.what = DNS_FLUSH_ROUTE, .route = was->id });
	}
}

enum err
dns_routes_set(struct dns_routes *rs, const struct dns_route_spec *specs, size_t count,
    struct dns_routes_bad *bad)
{
	struct table **place = retirement(rs);
	struct table *t = calloc(1, sizeof(*t));
	enum err e = OK;

	*bad = (struct dns_routes_bad){ .retired = place == NULL };
	if (t == NULL)
		return ERR_NOMEM;
	if (place == NULL || count > DNS_ROUTES_MAX + 1)
		e = ERR_FULL;
	for (size_t i = 0; e == OK && i < count; i++) {
		bad->spec = i;
		e = add_zone(rs, t, &specs[i], i);
		bad->zone = e != OK;
		t->count = i + 1;
		if (e == OK)
			e = add_servers(rs, &t->routes[i], &specs[i], bad);
	}
	if (e != OK) {
		table_free(rs, t);
		return e;
	}
	flush_changed(rs, rs->current, t);
	*place = rs->current;
	rs->current = t;
	return OK;
}

struct dns_route *
dns_routes_find(const struct dns_routes *rs, struct span name)
{
	struct table *t = rs->current;
	size_t best = 0;

	for (size_t i = 1; i < t->count; i++)
		if (t->zones[i].len > t->zones[best].len &&
		    dns_name_below(name, dns_name_span(&t->zones[i])))
			best = i;
	return &t->routes[best];
}

bool
dns_routes_holds(const struct dns_routes *rs, const struct dns_route *route)
{
	const struct dns_route *now = route_with_id(rs->current, route->id);

	return route->id == DNS_ROUTE_DEFAULT || (now != NULL && now->origin == route->origin);
}

struct span
dns_routes_zone(const struct dns_routes *rs, uint16_t id)
{
	return dns_name_span(&rs->ids[id < rs->id_count ? id : 0]);
}

uint64_t
dns_routes_fingerprint(const struct dns_routes *rs)
{
	const struct table *t = rs->current;
	char zone[DNS_NAME_TEXT_MAX];
	uint64_t hash = 0;

	for (size_t i = 1; i < t->count; i++)
		hash = chain_hash(hash ^ t->routes[i].origin, t->routes[i].id,
		    dns_name_format(dns_name_span(&t->zones[i]), zone));
	return hash;
}
