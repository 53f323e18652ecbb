/* SPDX-License-Identifier: MIT */
/* Tables of routes: what a new one keeps, flushes and releases. */
#include "services/dns/dns_routes.h"

#include <stdio.h>

#include "support/dns_cache.h"
#include "support/fake_upstream.h"
#include "support/unit.h"

#define RETIRED 8	/* tables that may wait for their flights */

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "routes of a test";

struct play {
	struct fake_upstream *x;
	struct dns_cache *cache;
	struct dns_routes *rs;
	struct dns_routes_bad bad;
};

static void
begin(struct play *p)
{
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;

	*p = (struct play){ .x = fake_upstream_new("* * DROP", true, NULL) };
	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&p->cache, &cf, key), OK);
	CU_ASSERT_EQUAL_FATAL(dns_routes_new(&p->rs, p->x->up, p->cache), OK);
}

static void
end(struct play *p)
{
	dns_routes_free(p->rs);
	dns_cache_free(p->cache);
	fake_upstream_free(p->x);
}

/* A table with the default server, and one for corp.example where corp is not NULL. */
static enum err
set(struct play *p, const char *first, const char *corp)
{
	struct dns_route_spec specs[2] = {
		{ .servers = &first, .count = 1 },
		{ .zone = "corp.example", .servers = &corp, .count = 1 },
	};

	return dns_routes_set(p->rs, specs, corp != NULL ? 2 : 1, &p->bad);
}

static struct dns_route *
route_to(struct play *p, const char *name)
{
	struct dns_name n = dns_test_name(name);

	return dns_routes_find(p->rs, dns_name_span(&n));
}

/* The only server of the route of a name. */
static void
leads_to(struct play *p, const char *name, const char *server)
{
	const struct dns_route *route = route_to(p, name);
	char text[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL_FATAL(route->count, 1);
	CU_ASSERT_STRING_EQUAL(addr_format_host(dns_server_addr(route->servers[0]), text), server);
}

/* An answer of the route that a name has now. */
static void
keep(struct play *p, const char *name)
{
	struct dns_test_key k;

	dns_test_key(&k, p->cache, name, DNS_TYPE_A);
	k.key.route = route_to(p, name)->id;
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(p->cache, &k.key, dns_test_address(name, 300, 1), 0,
	    0));
}

static size_t
kept(const struct play *p)
{
	return dns_test_stats(p->cache).entries;
}

static void
the_longest_zone_counts(void)
{
	struct play p;

	begin(&p);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.2"), OK);
	leads_to(&p, "www.example", "192.0.2.1");
	leads_to(&p, "corp.example", "192.0.2.2");
	leads_to(&p, "WWW.Corp.Example", "192.0.2.2");
	leads_to(&p, "xcorp.example", "192.0.2.1");
	end(&p);
}

static void
what_changed_servers_said_is_flushed(void)
{
	struct play p;

	begin(&p);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.2"), OK);
	keep(&p, "www.example");
	keep(&p, "www.corp.example");
	CU_ASSERT_EQUAL(set(&p, "192.0.2.3", "192.0.2.2"), OK);
	CU_ASSERT_EQUAL(kept(&p), 2);	/* of the default route, whoever said it */
	CU_ASSERT_EQUAL(set(&p, "192.0.2.3", "192.0.2.4"), OK);
	CU_ASSERT_EQUAL(kept(&p), 1);
	keep(&p, "www.corp.example");
	CU_ASSERT_EQUAL(set(&p, "192.0.2.3", NULL), OK);
	CU_ASSERT_EQUAL(kept(&p), 1);
	end(&p);
}

static void
a_zone_keeps_its_number(void)
{
	struct play p;
	uint16_t id;

	begin(&p);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.2"), OK);
	id = route_to(&p, "corp.example")->id;
	CU_ASSERT_NOT_EQUAL(id, DNS_ROUTE_DEFAULT);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", NULL), OK);
	CU_ASSERT_EQUAL(route_to(&p, "corp.example")->id, DNS_ROUTE_DEFAULT);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.5"), OK);
	CU_ASSERT_EQUAL(route_to(&p, "corp.example")->id, id);
	end(&p);
}

static void
a_replaced_table_stays_as_long_as_it_has_flights(void)
{
	struct play p;
	struct dns_route *old;

	begin(&p);
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.2"), OK);
	old = route_to(&p, "corp.example");
	old->flights = 1;
	CU_ASSERT_EQUAL(set(&p, "192.0.2.1", "192.0.2.3"), OK);
	CU_ASSERT_TRUE(dns_routes_tidy(p.rs));
	CU_ASSERT_EQUAL(old->count, 1);
	CU_ASSERT_FALSE(dns_routes_holds(p.rs, old));	/* what it will say is not kept */
	CU_ASSERT_TRUE(dns_routes_holds(p.rs, route_to(&p, "corp.example")));
	old->flights = 0;
	CU_ASSERT_FALSE(dns_routes_tidy(p.rs));
	end(&p);
}

/* More tables with flights than there is room for: refused, and everything is as it was. */
static void
too_many_replaced_tables_are_refused(void)
{
	struct dns_route *routes[RETIRED + 1];
	struct play p;
	char server[32];

	begin(&p);
	for (unsigned i = 0; i <= RETIRED; i++) {
		snprintf(server, sizeof(server), "192.0.2.%u", i + 1);
		CU_ASSERT_EQUAL_FATAL(set(&p, server, NULL), OK);
		routes[i] = route_to(&p, "www.example");
		routes[i]->flights = 1;
	}
	keep(&p, "www.example");
	CU_ASSERT_EQUAL(set(&p, "192.0.2.99", "192.0.2.98"), ERR_FULL);
	CU_ASSERT_TRUE(p.bad.retired);
	leads_to(&p, "www.corp.example", "192.0.2.9");
	CU_ASSERT_EQUAL(kept(&p), 1);

	routes[3]->flights = 0;
	CU_ASSERT_EQUAL(set(&p, "192.0.2.99", "192.0.2.98"), OK);
	leads_to(&p, "www.example", "192.0.2.99");
	for (unsigned i = 0; i <= RETIRED; i++)
		if (i != 3)
			routes[i]->flights = 0;
	CU_ASSERT_FALSE(dns_routes_tidy(p.rs));
	end(&p);
}

static void
what_is_refused_is_named(void)
{
	const char *good = "192.0.2.1", *bad = "192.0.2";
	struct dns_route_spec twice[] = {
		{ .servers = &good, .count = 1 },
		{ .zone = "a.example", .servers = &good, .count = 1 },
		{ .zone = "A.example.", .servers = &good, .count = 1 },
	};
	struct dns_route_spec wrong[] = {
		{ .servers = &good, .count = 1 },
		{ .zone = "a.example", .servers = (const char *[]){ good, bad }, .count = 2 },
	};
	struct play p;

	begin(&p);
	CU_ASSERT_EQUAL(dns_routes_set(p.rs, twice, 3, &p.bad), ERR_EXISTS);
	CU_ASSERT_TRUE(p.bad.zone && p.bad.spec == 2 && !p.bad.retired);
	CU_ASSERT_EQUAL(dns_routes_set(p.rs, wrong, 2, &p.bad), ERR_FORMAT);
	CU_ASSERT_TRUE(!p.bad.zone && p.bad.spec == 1 && p.bad.server == 1);
	end(&p);
}

UNIT_MAIN("dns_routes", UNIT(the_longest_zone_counts),
    UNIT(what_changed_servers_said_is_flushed), UNIT(a_zone_keeps_its_number),
    UNIT(a_replaced_table_stays_as_long_as_it_has_flights),
    UNIT(too_many_replaced_tables_are_refused), UNIT(what_is_refused_is_named))
