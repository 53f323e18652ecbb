/* SPDX-License-Identifier: MIT */
/*
 * hearthctl dns explain: takes one question through the very decisions that a query goes through,
 * and writes down each verdict. Nothing is counted, sent or changed.
 */
#include "services/dns/dns_resolver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/netif.h"
#include "services/dns/dns_addrsets.h"
#include "services/dns/dns_resolver_impl.h"

#define DETAIL_MAX 1400	/* bytes: a rule's text and a name of 255 escaped bytes */

/* The list that grows, one object a stage. */
struct explanation {
	struct dns_resolver *r;
	struct report *stages;
	mono_us now;
	const struct addr *client;
	struct span asked;
	struct dns_name name;	/* to resolve: asked for, or an alias's target */
	uint16_t type;
};

static void __attribute__((format(printf, 4, 5)))
tell(struct explanation *x, const char *stage, const char *verdict, const char *fmt, ...)
{
	struct report *o = report_object(x->stages, NULL);
	char detail[DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	report_str(o, "stage", stage);
	report_str(o, "verdict", verdict);
	report_str(o, "detail", detail);
}

static const char *
plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* Each stage gives true where the query would end there. */
static bool
explain_access(struct explanation *x)
{
	char client[ADDR_TEXT_MAX];
	bool allowed = acl_allows(&x->r->acl, x->r->env.netif, x->client);

	addr_format_host(x->client, client);
	tell(x, "access", allowed ? "allowed" : "silence", "%s is %s by the setting allow", client,
	    allowed ? "let in" : "kept out");
	return !allowed;
}

static bool
explain_local(struct explanation *x)
{
	static const char *const verdicts[] = {
		[DNS_LOCAL_NOT_OURS] = "not ours",
		[DNS_LOCAL_ANSWER] = "answer",
		[DNS_LOCAL_NODATA] = "NODATA",
		[DNS_LOCAL_NXDOMAIN] = "NXDOMAIN",
		[DNS_LOCAL_CNAME_OUT] = "alias",
		[DNS_LOCAL_LOOP] = "SERVFAIL",
	};
	char why[DNS_LOCAL_WHY_MAX], target[DNS_NAME_TEXT_MAX];
	struct dns_local_found f;

	if (x->r->local == NULL) {
		tell(x, "local names", "not ours", "none are loaded");
		return false;
	}

	enum dns_local_verdict v =
	    dns_resolver_find_local(x->r, x->client, dns_name_span(&x->name), x->type, &f);

	dns_local_explain(&f, why, sizeof(why));
	if (v == DNS_LOCAL_CNAME_OUT) {
		tell(x, "local names", verdicts[v], "%s; on with %s", why,
		    dns_name_format(f.target, target));
		dns_name_copy(&x->name, f.target);
		return false;
	}
	tell(x, "local names", verdicts[v], "%s%s", why,
	    f.names_below ? "; names below are known here, so NXDOMAIN becomes NODATA" : "");
	return v != DNS_LOCAL_NOT_OURS;
}

/*
 * DNS64: the reverse name of an address that it makes is an alias, where the house has no such
 * name.
 */
static void
explain_reverse(struct explanation *x)
{
	enum dns_local_verdict v = DNS_LOCAL_NOT_OURS;
	struct dns_local_found f;
	struct dns_name target;
	char text[DNS_NAME_TEXT_MAX];

	if (x->r->local != NULL)
		v = dns_resolver_find_local(x->r, x->client, dns_name_span(&x->name), x->type, &f);
	if ((v != DNS_LOCAL_NOT_OURS && v != DNS_LOCAL_NXDOMAIN) ||
	    !dns_resolver_reverses(x->r, dns_name_span(&x->name), x->type, &target))
		return;
	x->name = target;
	tell(x, "dns64", "alias", "an address of IPv4 in the prefix; on with %s",
	    dns_name_format(dns_name_span(&target), text));
}

/* Add to a text, as far as it fits. */
static void __attribute__((format(printf, 2, 3)))
append(char detail[static DETAIL_MAX], const char *fmt, ...)
{
	size_t len = strlen(detail);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail + len, DETAIL_MAX - len, fmt, ap);
	va_end(ap);
}

/*
 * Which blocks hold for the client, and why. The MAC address is looked up where one depends on it.
 */
static void
explain_client(struct explanation *x)
{
	const struct dns_filter *f = x->r->lists != NULL ? dns_lists_filter(x->r->lists) : NULL;
	struct dns_filter_client who = { .addr = x->client };
	char client[ADDR_TEXT_MAX], why[ADDR_TEXT_MAX], detail[DETAIL_MAX] = "";
	uint8_t mac[MAC_BYTES];

	if (f == NULL || dns_filter_count_blocks(f) == 0)
		return;

	uint32_t mask = dns_resolver_groups(x->r, f, &who, mac);

	append(detail, "%s", addr_format_host(x->client, client));
	if (who.mac != NULL)
		append(detail, " is %s", mac_format(who.mac, ':', why));
	else if (dns_filter_wants_mac(f, mask))
		append(detail, " is nobody whose MAC address is known");
	append(detail, mask != 0 ? "; blocks in force:" : "; no block is in force");
	for (size_t i = 0; i < dns_filter_count_blocks(f); i++)
		if ((mask >> i & 1) != 0)
			append(detail, " %s (%s)", dns_filter_title(f, i),
			    dns_filter_member(f, i, &who, why));
	tell(x, "client", mask != 0 ? "in blocks" : "in none", "%s", detail);
}

static bool
explain_lists(struct explanation *x)
{
	static const char *const verdicts[] = {
		[DNS_FILTER_PASS] = "pass",
		[DNS_FILTER_ALLOWED] = "allowed",
		[DNS_FILTER_BLOCKED] = "blocked",
	};
	char why[DNS_FILTER_WHY_MAX] = "no list in force for this client has the name";
	struct dns_filter_hit hit;
	enum dns_filter_verdict v =
	    dns_resolver_judge(x->r, x->client, dns_name_span(&x->name), &hit);

	if (v != DNS_FILTER_PASS)
		dns_filter_explain(dns_lists_filter(x->r->lists), &hit, why);
	tell(x, "lists", verdicts[v], "%s", why);
	return v == DNS_FILTER_BLOCKED;
}

/* The sets of netfilter that the answer's addresses go into. */
static void
explain_addrsets(struct explanation *x)
{
	char sets[DNS_ADDRSETS_WHY_MAX];

	if (x->r->addrsets == NULL)
		return;
	for (size_t kind = 0; kind < ADDRSET_KINDS; kind++)
		if (dns_addrsets_explain(x->r->addrsets, x->asked, (enum addrset_kind)kind, sets))
			tell(x, dns_addrsets_keys[kind], "filled",
			    "addresses of this name go into %s", sets);
}

static bool
explain_cache(struct explanation *x, const struct dns_route *route)
{
	/* That of a query without DO and CD. */
	struct dns_key key = { .name = dns_name_span(&x->name), .type = x->type,
		.class = DNS_CLASS_IN, .route = route->id };
	const struct dns_entry *e;
	struct dns_entry_info info;
	char rcode[DNS_TYPE_TEXT_MAX];

	key.name_hash = dns_name_hash(key.name, dns_cache_hash_key(x->r->cache));
	if (dns_cache_peek(x->r->cache, &key, x->now, &e) == DNS_CACHE_MISS) {
		tell(x, "cache", "miss", "nothing of use is cached");
		return false;
	}
	dns_entry_info(x->r->cache, e, x->now, &info);
	dns_rcode_format(info.answer.rcode, rcode);
	switch (info.state) {
	case DNS_CACHE_FRESH:
		tell(x, "cache", "hit", "%s, %u record%s, %lld s left, %u s old, %u hit%s",
		    rcode, info.answer.answers, plural(info.answer.answers), (long long)info.ttl_s,
		    info.age_s, info.hits, plural(info.hits));
		return true;
	case DNS_CACHE_STALE:
		tell(x, "cache", "stale",
		    "%s, expired %lld s ago; used where no upstream answers in 1.8 s",
		    rcode, (long long)-info.ttl_s);
		return false;
	case DNS_CACHE_STALE_HELD:
		tell(x, "cache", "stale",
		    "%s, expired %lld s ago; upstreams are left alone for %u s", rcode,
		    (long long)-info.ttl_s, info.held_s);
		return true;
	case DNS_CACHE_FAILED:
		tell(x, "cache", "failure", "%.*s, %u time%s in a row; SERVFAIL for %u s more",
		    (int)info.ede_text.len, (const char *)info.ede_text.at, info.failures,
		    plural(info.failures), info.held_s);
		return true;
	case DNS_CACHE_MISS:
		break;
	}
	return false;
}

static void
explain_route(struct explanation *x, const struct dns_route *route)
{
	static const char *const strategies[] = { [DNS_STRATEGY_FASTEST] = "the fastest first",
		[DNS_STRATEGY_ORDER] = "in this order", [DNS_STRATEGY_PARALLEL] = "all at once" };
	char zone[DNS_NAME_TEXT_MAX] = "all other names";
	unsigned count = (unsigned)route->count;

	if (route->id != DNS_ROUTE_DEFAULT)
		dns_name_format(dns_routes_zone(x->r->routes, route->id), zone);
	tell(x, "route", route->id == DNS_ROUTE_DEFAULT ? "default" : "zone",
	    "%s: %u server%s%s%s", zone, count, plural(count), count > 1 ? ", " : "",
	    count > 1 ? strategies[route->strategy] : "");
}

static void
explain_upstreams(struct explanation *x, const struct dns_route *route)
{
	static const char *const states[] = { [DNS_SERVER_NEW] = "new", [DNS_SERVER_UP] = "up",
		[DNS_SERVER_SILENT] = "silent", [DNS_SERVER_DOWN] = "down" };

	if (route->count == 0)
		tell(x, "upstream", "SERVFAIL", "there is no server to ask");
	for (size_t i = 0; i < route->count; i++) {
		const struct dns_server *sv = route->servers[i];
		double srtt = (double)dns_server_rto(sv)->srtt / 1000;

		if (srtt > 0)
			tell(x, "upstream", states[dns_server_state(sv)], "%s, round trip %.1f ms",
			    dns_server_text(sv), srtt);
		else
			tell(x, "upstream", states[dns_server_state(sv)], "%s, not measured yet",
			    dns_server_text(sv));
	}
}

void
dns_resolver_explain(struct dns_resolver *r, struct span name, uint16_t type,
    const struct addr *client, mono_us now, struct report *out)
{
	struct explanation x = { .r = r, .stages = report_list(out, "stages"), .now = now,
		.client = client, .asked = name, .type = type };

	dns_name_copy(&x.name, name);
	if (explain_access(&x))
		return;
	explain_reverse(&x);
	if (explain_local(&x))
		return;
	explain_client(&x);
	if (explain_lists(&x))
		return;
	if (type == DNS_TYPE_ANY) {
		tell(&x, "type", "answer", "ANY gets one HINFO record (RFC 8482)");
		return;
	}

	const struct dns_route *route = dns_routes_find(r->routes, dns_name_span(&x.name));

	explain_addrsets(&x);
	explain_route(&x, route);
	if (!explain_cache(&x, route))
		explain_upstreams(&x, route);
}
