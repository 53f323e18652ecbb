/* SPDX-License-Identifier: MIT */
/*
 * Addresses of IPv6 in the path of a query: left out when a reply is written, or made there of
 * those of IPv4. What is cached is what upstreams said, so a change of these settings needs no
 * flush.
 *
 * DNS64 (RFC 6147): where a name has no AAAA, its A is looked up like any question, and the answer
 * is written as AAAA. A reverse name of an address that was made so is an alias of that of the
 * address of IPv4 in it (§5.3.1).
 *
 * Who has waited for AAAA is asked for A when the turn of the loop ends, not from inside the engine
 * of flights, which has just ended one.
 */
#include "services/dns/dns_resolver.h"

#include <stddef.h>

#include "services/dns/dns_resolver_impl.h"
#include "services/dns/dns_v6.h"

bool
dns_resolver_maps(const struct dns_resolver *r, const struct dns_query *q, bool mapped_already,
    enum dns_answer_kind kind, const struct dns_stored *answer)
{
	/* With CD the client checks signatures itself, and what is made up has none (§5.5). */
	if (r->dns64.family == 0 || q->type != DNS_TYPE_AAAA || mapped_already ||
	    (q->flags & DNS_FLAG_CD) != 0)
		return false;
	/* Servers that fail at questions for AAAA have good answers for A (§5.1.2, §5.1.3). */
	if (kind == DNS_ANSWER_NODATA || kind == DNS_ANSWER_FAILURE)
		return true;
	return kind == DNS_ANSWER_DATA && (r->filter_aaaa || dns_v6_is_excluded(answer));
}

bool
dns_resolver_reverses(const struct dns_resolver *r, struct span lower, uint16_t type,
    struct dns_name *target)
{
	return r->dns64.family != 0 && type == DNS_TYPE_PTR &&
	    dns_v6_reverse(&r->dns64, lower, target);
}

bool
dns_resolver_strips(const struct dns_resolver *r, const struct dns_query *q)
{
	return r->filter_aaaa && (q->flags & DNS_FLAG_CD) == 0 &&
	    (q->type == DNS_TYPE_AAAA || q->type == DNS_TYPE_HTTPS || q->type == DNS_TYPE_SVCB);
}

void
dns_resolver_turn_later(struct dns_resolver *r, struct dns_request *rq)
{
	rq->turning = true;
	TAILQ_INSERT_TAIL(&r->turning, &rq->waiter, link);
	loop_defer(r->env.loop, &r->turn);
}

void
dns_resolver_turn_none(struct dns_resolver *r)
{
	loop_undefer(r->env.loop, &r->turn);
}

/* The name to look up: that of the question, or its alias's target. False: it is no alias now. */
static bool
key_for(struct dns_resolver *r, const struct dns_request *rq, struct dns_key *key)
{
	struct dns_local_found f;

	*key = dns_key_of(&rq->q, DNS_ROUTE_DEFAULT);
	if (!rq->aliased)
		return true;
	if (r->local == NULL || dns_resolver_find_local(r, &rq->peer, key->name, rq->q.type, &f) !=
	    DNS_LOCAL_CNAME_OUT)
		return false;
	key->name = f.target;
	key->name_hash = dns_name_hash(key->name, dns_cache_hash_key(r->cache));
	return true;
}

void
dns_resolver_on_turn(struct loop_task *t)
{
	struct dns_resolver *r =
	    (struct dns_resolver *)(void *)((char *)t - offsetof(struct dns_resolver, turn));
	struct dns_waiter *w;

	while ((w = TAILQ_FIRST(&r->turning)) != NULL) {
		struct dns_request *rq = (struct dns_request *)w;
		struct dgram dg;
		struct dns_asker from = dns_request_asker(rq, &dg, loop_now(r->env.loop));
		struct dns_key key;

		TAILQ_REMOVE(&r->turning, w, link);
		rq->turning = false;
		if (key_for(r, rq, &key))
			dns_resolver_stage_mapped(r, &from, &rq->q, key);
		else
			dns_resolver_reply_empty(r, &from, &rq->q, DNS_SERVFAIL, NULL);
		dns_request_free(&r->pool, rq);
	}
}
