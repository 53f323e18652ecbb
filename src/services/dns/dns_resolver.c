/* SPDX-License-Identifier: MIT */
/*
 * The stages of a query, each a small function with a verdict. The hot path is dgram -> parse ->
 * access -> one cache look-up -> one copy into the send queue: nothing is allocated and the cached
 * answer is not parsed.
 */
#include "services/dns/dns_resolver.h"

#include <stdlib.h>
#include <string.h>

#include "core/loop.h"
#include "core/rand.h"
#include "services/dns/dns_resolver_impl.h"

#define TIDY_EVERY seconds(1)	/* until replaced routes have no flights any more */

/* --- the stages of a query -------------------------------------------------------------------- */

/* What is no plain question for IN data is answered here and never forwarded. True: answered. */
static bool
stage_shape(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    enum dns_verdict v)
{
	switch (v) {
	case DNS_QUERY_OK:
		break;
	case DNS_QUERY_COOKIE:
		dns_resolver_reply_empty(r, from, q, DNS_NOERROR, NULL);
		return true;
	case DNS_QUERY_FORMERR:
		r->n.formerr++;
		dns_resolver_reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_NOTIMP:
		r->n.notimp++;
		dns_resolver_reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_BADVERS:
		r->n.badvers++;
		dns_resolver_reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_DROP:
		r->n.junk++;
		return true;
	}
	if (q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR || q->type == DNS_TYPE_OPT) {
		r->n.notimp++;
		dns_resolver_reply_empty(r, from, q, DNS_NOTIMP, NULL);
		return true;
	}
	if (q->class != DNS_CLASS_IN) {
		r->n.refused++;
		dns_resolver_reply_reason(r, from, q, DNS_REFUSED, DNS_EDE_NOT_SUPPORTED,
		    "only class IN is served");
		return true;
	}
	return false;
}

/* The house's own names answer ANY by themselves; nobody else is troubled with it. */
static bool
stage_any(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q)
{
	if (q->type != DNS_TYPE_ANY)
		return false;
	dns_resolver_reply_any(r, from, q);
	return true;
}

/*
 * A query without RD asks what we know by ourselves. What others made us learn is not shown to it:
 * that would tell a guest which sites the house visits (cache snooping).
 */
static bool
stage_recursion(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q)
{
	if ((q->flags & DNS_FLAG_RD) != 0)
		return false;
	r->n.refused++;
	dns_resolver_reply_reason(r, from, q, DNS_REFUSED, DNS_EDE_PROHIBITED,
	    "recursion was not asked for (RD=0)");
	return true;
}

/* There is no AAAA, says the cache: it will be made of A. */
static bool
cached_maps(const struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_entry *e)
{
	struct dns_entry_info info;

	dns_entry_info(r->cache, e, from->now, &info);
	return dns_resolver_maps(r, q, from->mapped, info.kind, &info.answer);
}

/*
 * Answer from the cache, or have the upstreams asked. The name of key is q's, or its alias's
 * target.
 */
static void
stage_cache(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    struct dns_key key)
{
	struct dns_route *route = dns_routes_find(r->routes, key.name);
	const struct dns_entry *e;
	struct dns_asker again;

	key.route = route->id;

	enum dns_cache_state state = dns_cache_find(r->cache, &key, from->now, &e);

	if (r->dns64.family != 0 && (state == DNS_CACHE_FRESH || state == DNS_CACHE_STALE_HELD ||
	    state == DNS_CACHE_FAILED) && cached_maps(r, from, q, e)) {
		dns_resolver_stage_mapped(r, from, q, key);
		return;
	}
	switch (state) {
	case DNS_CACHE_FRESH:
		r->n.answered_fresh++;
		dns_resolver_reply_entry(r, from, q, e);
		if (r->prefetch && dns_cache_prefetch_due(r->cache, e, from->now))
			dns_resolver_prefetch(r, &key, route, from->now);
		return;
	case DNS_CACHE_STALE_HELD:
		r->n.answered_stale++;
		dns_resolver_reply_entry(r, from, q, e);
		return;
	case DNS_CACHE_FAILED:
		r->n.answered_failure++;
		again = *from;
		again.held_back = true;
		dns_resolver_reply_entry(r, &again, q, e);
		return;
	case DNS_CACHE_STALE:	/* fresh first; slow() and finished() know the old answer */
	case DNS_CACHE_MISS:
		break;
	}
	dns_resolver_park(r, from, q, &key, route);
}

void
dns_resolver_stage_mapped(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, struct dns_key key)
{
	struct dns_asker mapped = *from;

	mapped.mapped = true;
	key.type = DNS_TYPE_A;
	stage_cache(r, &mapped, q, key);
}

void
dns_resolver_query(struct dns_resolver *r, const struct dns_asker *asker, struct span packet)
{
	struct dns_asker a = *asker, *from = &a;
	struct dns_name target;
	struct dns_query q;

	r->n.queries++;
	r->n.tcp += from->dg == NULL;
	if (!acl_allows(&r->acl, r->env.netif, from->peer)) {
		r->n.not_allowed++;
		dns_resolver_note_silence(r, from, NULL, "not-allowed");
		return;
	}

	enum dns_verdict v = dns_query_parse(&q, packet);

	if (v == DNS_QUERY_OK) {
		dns_query_hash(&q, dns_cache_hash_key(r->cache));
		dns_resolver_count_query(r, from, &q);
	}
	if (v != DNS_QUERY_DROP && dns_resolver_stage_rate(r, from, &q))
		return;
	if (stage_shape(r, from, &q, v) || dns_resolver_stage_local(r, from, &q, &target) ||
	    dns_resolver_stage_lists(r, from, &q) || stage_any(r, from, &q) ||
	    stage_recursion(r, from, &q))
		return;

	struct dns_key key = dns_key_of(&q, DNS_ROUTE_DEFAULT);

	if (from->aliased) {
		key.name = dns_name_span(&target);
		key.name_hash = dns_name_hash(key.name, dns_cache_hash_key(r->cache));
	}
	stage_cache(r, from, &q, key);
}

void
dns_resolver_abandon(struct dns_resolver *r, struct dns_request *rq)
{
	if (rq->held != NULL)
		dns_resolver_unhold(r, rq);
	else if (rq->turning)
		TAILQ_REMOVE(&r->turning, &rq->waiter, link);
	else
		dns_forward_leave(r->forward, &rq->waiter);
	dns_request_free(&r->pool, rq);
}

/* --- settings and life ------------------------------------------------------------------------ */

void
dns_resolver_configure(struct dns_resolver *r, struct dns_resolver_config *cf)
{
	acl_fini(&r->acl);
	r->acl = cf->acl;
	cf->acl = (struct acl){ 0 };
	dns_zones_fini(&r->no_cache);
	r->no_cache = cf->no_cache;
	cf->no_cache = (struct dns_zones){ 0 };
	dns_zones_fini(&r->no_stale);
	r->no_stale = cf->no_stale;
	cf->no_stale = (struct dns_zones){ 0 };
	for (size_t i = 0; i < r->no_cache.count; i++)
		(void)dns_cache_flush(r->cache, &(struct dns_flush){ .what = DNS_FLUSH_BELOW,
		    .name = r->no_cache.names[i] });
	r->pool.per_client = cf->client_queries;
	dns_resolver_configure_limits(r, cf);
	r->ttl = cf->ttl;
	r->prefetch = cf->prefetch;
	r->trust_ad = cf->trust_ad;
	r->dns64 = cf->dns64;
	r->filter_aaaa = cf->filter_aaaa;
	dns_upstream_fresh_ports(r->upstream, cf->fresh_ports);
	dns_cache_configure(r->cache, &cf->cache);
}

struct dns_routes *
dns_resolver_routes(struct dns_resolver *r)
{
	return r->routes;
}

void
dns_resolver_forget_network(struct dns_resolver *r)
{
	dns_upstream_forget(r->upstream);
}

enum err
dns_resolver_new(struct dns_resolver **out, const struct dns_resolver_env *env,
    const struct dns_cache_config *cache)
{
	struct dns_resolver *r = calloc(1, sizeof(*r));
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	/*
	 * Every flight may ask each of its servers twice before the table of flights is what
	 * limits.
	 */
	struct dns_upstream_opts up = { .inflight_max = 3 * DNS_FLIGHTS_MAX,
		.offload = env->offload };
	enum err e = ERR_NOMEM;

	if (r == NULL)
		return ERR_NOMEM;
	r->env = *env;
	r->tidy_at = MONO_NEVER;
	TAILQ_INIT(&r->turning);
	r->turn.run = dns_resolver_on_turn;
	r->sends = calloc(DNS_FLIGHTS_MAX * DNS_FORWARD_TRIES, sizeof(*r->sends));
	rand_bytes(env->rand, key, sizeof(key));
	rand_bytes(env->rand, r->cookie_secret, sizeof(r->cookie_secret));
	if (r->sends != NULL)
		e = dns_request_pool_init(&r->pool, DNS_REQUESTS_MAX, key);
	if (e == OK)
		e = dns_cache_new(&r->cache, cache, key);
	if (e == OK)
		e = dns_forward_new(&r->forward, DNS_FLIGHTS_MAX, &dns_resolver_forward_ops, r);
	if (e == OK)
		e = dns_upstream_new(&r->upstream, env->loop, env->rand, env->log, &up);
	if (e == OK) {
		rand_bytes(env->rand, key, sizeof(key));
		e = neigh_new(&r->neigh, env->netif, key, loop_now(env->loop));
	}
	if (e == OK)
		e = dns_routes_new(&r->routes, r->upstream, r->cache);
	if (e != OK) {
		dns_resolver_free(r);
		return e;
	}
	*out = r;
	return OK;
}

void
dns_resolver_free(struct dns_resolver *r)
{
	if (r == NULL)
		return;
	dns_resolver_turn_none(r);
	dns_resolver_free_limits(r);
	dns_resolver_hold_none(r);
	dns_routes_free(r->routes);
	dns_upstream_free(r->upstream);
	dns_forward_free(r->forward);
	dns_cache_free(r->cache);
	neigh_free(r->neigh);
	dns_request_pool_fini(&r->pool);
	acl_fini(&r->acl);
	dns_zones_fini(&r->no_cache);
	dns_zones_fini(&r->no_stale);
	free(r->sends);
	free(r);
}

mono_us
dns_resolver_wake(struct dns_resolver *r, mono_us now)
{
	mono_us next = dns_forward_wake(r->forward, now);

	if (now >= r->tidy_at)
		r->tidy_at = dns_routes_tidy(r->routes) ? now + TIDY_EVERY : MONO_NEVER;
	return mono_earlier(next, r->tidy_at);
}

bool
dns_resolver_finish(struct dns_resolver *r)
{
	r->ending = true;
	return r->pool.used != 0;
}

void
dns_resolver_set_querylog(struct dns_resolver *r, struct dns_querylog *ql)
{
	r->querylog = ql;
}

uint64_t
dns_resolver_fingerprint(const struct dns_resolver *r)
{
	return dns_routes_fingerprint(r->routes);
}

struct dns_cache *
dns_resolver_cache(struct dns_resolver *r)
{
	return r->cache;
}

struct dns_upstream *
dns_resolver_upstream(struct dns_resolver *r)
{
	return r->upstream;
}

void
dns_resolver_set_bootstrap(struct dns_resolver *r, const struct dns_bootstrap *b)
{
	r->bootstrap = b;
}
