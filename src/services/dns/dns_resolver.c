/* SPDX-License-Identifier: MIT */
/*
 * The stages of a query, each a small function with a verdict. The hot path is dgram -> parse ->
 * access -> one cache look-up -> one copy into the send queue: nothing is allocated and the cached
 * answer is not parsed.
 *
 * What comes from an upstream is never handed on as it came: dns_answer_pack() writes it anew from
 * the records of the question's own chain, and that is what is cached and delivered.
 */
#include "services/dns/dns_resolver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/rand.h"
#include "services/dns/dns_answer.h"
#include "services/dns/dns_reply.h"
#include "services/dns/dns_stream.h"

#define FLIGHTS_MAX   4096
#define REQUESTS_MAX  8192

/* One send at the edge, and whose it is. */
struct send_slot {
	struct dns_send send;
	struct dns_resolver *r;
	struct dns_try *t;
};

struct counters {
	uint64_t queries;		/* all that came, junk included */
	uint64_t tcp;			/* of those, over TCP */
	uint64_t not_allowed;		/* source outside `allow`: silence */
	uint64_t junk;			/* no query at all: silence */
	uint64_t formerr, notimp, badvers, refused;
	uint64_t answered_fresh;	/* from the cache */
	uint64_t answered_stale;
	uint64_t answered_failure;	/* a failure held in the cache */
	uint64_t answered_upstream;
	uint64_t servfail;		/* no upstream gave an answer */
	uint64_t prefetches;
	uint64_t answers_malformed;	/* upstream answers that made no sense */
	uint64_t overloaded;		/* SERVFAIL because a table was full */
	uint64_t latency_us;		/* summed over answered_upstream */
};

struct dns_resolver {
	struct dns_resolver_env env;
	struct dns_cache *cache;
	struct dns_forward *forward;
	struct dns_upstream *upstream;
	struct dns_request_pool pool;
	struct send_slot *sends;	/* by dns_try.index */
	struct dns_routes *routes;
	struct acl acl;
	struct dns_ttl_limits ttl;
	bool prefetch;
	bool trust_ad;
	struct counters n;
	struct dns_answer answer;	/* of the result at work */
	struct dns_packed packed;
	uint8_t tcp_room[2 + DNS_MSG_MAX];
};

/* --- replying --------------------------------------------------------------------------------- */

/* Where a reply is written to: a slot of the send queue, or the scratch for TCP. */
struct room {
	uint8_t *at;
	size_t limit;
};

static struct room
room_for(struct dns_resolver *r, const struct dns_query *q, struct udp_socket *udp)
{
	if (udp != NULL)
		return (struct room){ .at = udp_reserve(udp, UDP_SLOT_BYTES),
			.limit = dns_query_limit(q, DNS_UDP_SIZE) };
	return (struct room){ .at = r->tcp_room + 2, .limit = DNS_MSG_MAX };
}

/* Send what was written to the room of the query at hand. */
static void
send_now(struct dns_resolver *r, const struct dns_asker *from, size_t len)
{
	if (from->dg != NULL)
		udp_commit_reply(from->dg->socket, len, from->dg);
	else
		dns_stream_send(from->stream, r->tcp_room, len);
}

/* The same for a query that has waited. */
static void
send_later(struct dns_resolver *r, const struct dns_request *rq, size_t len)
{
	struct dgram dg = { .peer = &rq->peer, .reply_from = &rq->reply_from, .ifindex = rq->ifindex };

	if (rq->udp != NULL)
		udp_commit_reply(rq->udp, len, &dg);
	else
		dns_stream_send(rq->stream, r->tcp_room, len);
}

static void
reply_empty(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    uint16_t rcode, const struct dns_opt *opt)
{
	struct room room = room_for(r, q, from->dg != NULL ? from->dg->socket : NULL);

	send_now(r, from, dns_reply_empty(q, rcode, 0, opt, room.at, room.limit));
}

/* A reply with a reason that the client's user can read (RFC 8914). */
static void
reply_reason(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    uint16_t rcode, uint16_t ede, const char *text)
{
	struct dns_opt opt = { .has_ede = true, .ede = ede, .ede_text = span_str(text) };

	reply_empty(r, from, q, rcode, &opt);
}

static void
reply_entry(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_entry *e)
{
	struct room room = room_for(r, q, from->dg != NULL ? from->dg->socket : NULL);

	send_now(r, from, dns_cache_write(r->cache, e, q, from->now, NULL, room.at, room.limit));
}

/* --- towards the upstreams -------------------------------------------------------------------- */

static void
rewake(struct dns_resolver *r, mono_us now)
{
	r->env.wake_at(r->env.ctx, dns_forward_wake(r->forward, now));
}

static struct dns_flight_key
flight_key(const struct dns_key *k, bool tcp)
{
	struct dns_flight_key f = { .hash = k->name_hash, .type = k->type, .class = k->class,
		.route = k->route, .dnssec_ok = k->dnssec_ok,
		.checking_disabled = k->checking_disabled, .tcp = tcp };

	dns_name_copy(&f.name, k->name);
	return f;
}

static struct dns_key
key_of_flight(const struct dns_flight_key *f)
{
	return (struct dns_key){ .name = dns_name_span(&f->name), .name_hash = f->hash,
		.type = f->type, .class = f->class, .route = f->route, .dnssec_ok = f->dnssec_ok,
		.checking_disabled = f->checking_disabled };
}

/* Bits of the servers that are the asker itself: a query never goes back where it came from. */
static uint32_t
servers_at(const struct dns_route *route, const struct addr *peer)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < route->count; i++)
		if (addr_equal_host(dns_server_addr(route->servers[i]), peer))
			bits |= 1u << i;
	/* On this machine a stub and a resolver may well share 127.0.0.1. */
	return addr_is_loopback(peer) ? 0 : bits;
}

/* Park the query until its answer comes. */
static void
forward(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_key *key, const struct dns_route *route)
{
	struct dns_flight_key fk = flight_key(key, from->dg == NULL);
	struct dns_request *rq = dns_request_new(&r->pool, q, from);

	if (rq == NULL) {
		r->n.overloaded++;
		reply_reason(r, from, q, DNS_SERVFAIL, DNS_EDE_OTHER, "too many queries are waiting");
		return;
	}
	rq->id = rand_u32(r->env.rand);
	log_event(r->env.log, LOG_LEVEL_DEBUG, r->env.service, "forward", LOG_PEER(&rq->peer),
	    LOG_HEX("id", rq->id), LOG_U64("type", q->type));
	if (dns_forward_ask(r->forward, &fk, route, servers_at(route, from->peer), &rq->waiter,
		from->now) != OK) {
		dns_request_free(&r->pool, rq);
		r->n.overloaded++;
		reply_reason(r, from, q, DNS_SERVFAIL, DNS_EDE_OTHER, "too many queries are waiting");
		return;
	}
	rewake(r, from->now);
}

/* Refresh an entry before it runs out; nobody waits. */
static void
prefetch(struct dns_resolver *r, const struct dns_key *key, const struct dns_route *route,
    mono_us now)
{
	struct dns_flight_key fk = flight_key(key, false);

	r->n.prefetches++;
	if (dns_forward_ask(r->forward, &fk, route, 0, NULL, now) == OK)
		rewake(r, now);
}

static struct dns_health
server_health(void *ctx, void *server)
{
	const struct rto *rto = dns_server_rto(server);
	struct dns_health h = { .rank = DNS_RANK_UP, .srtt = rto->srtt, .timeout = rto_current(rto) };

	(void)ctx;
	switch (dns_server_state(server)) {
	case DNS_SERVER_NEW:
	case DNS_SERVER_UP:
		break;
	case DNS_SERVER_SILENT:
		h.rank = DNS_RANK_SILENT;
		break;
	case DNS_SERVER_DOWN:
		h.rank = DNS_RANK_DOWN;
		break;
	}
	return h;
}

/* Is it an answer, a refusal or nonsense? r->answer holds it for finished() below. */
static enum dns_grade
grade(struct dns_resolver *r, const struct dns_flight_key *fk, const struct dns_reply *reply,
    uint16_t *rcode)
{
	struct dns_question asked = { .name = dns_name_span(&fk->name), .type = fk->type,
		.class = fk->class };

	*rcode = DNS_SERVFAIL;
	if (reply->result != DNS_SEND_ANSWER)
		return DNS_GRADE_NONE;
	if (dns_answer_parse(&r->answer, reply->answer, &asked) != OK) {
		r->n.answers_malformed++;
		return DNS_GRADE_BAD;
	}
	switch (r->answer.kind) {
	case DNS_ANSWER_DATA:
	case DNS_ANSWER_NODATA:
	case DNS_ANSWER_NXDOMAIN:
		*rcode = r->answer.rcode;
		return DNS_GRADE_GOOD;
	case DNS_ANSWER_FAILURE:
		*rcode = r->answer.rcode;
		return DNS_GRADE_BAD;
	case DNS_ANSWER_REFERRAL:
	case DNS_ANSWER_TRUNCATED:
		break;
	}
	return DNS_GRADE_BAD;
}

static void
send_done(struct dns_send *s, const struct dns_reply *reply)
{
	struct send_slot *slot = (struct send_slot *)s;
	struct dns_resolver *r = slot->r;
	const struct dns_flight_key *fk = dns_flight_key(slot->t->flight);
	mono_us now = loop_now(r->env.loop);
	uint16_t rcode;
	enum dns_grade g = grade(r, fk, reply, &rcode);

	dns_forward_result(r->forward, slot->t, g, rcode, reply->answer, now);
	rewake(r, now);
}

static enum err
send_try(void *ctx, struct dns_try *t, void *server, mono_us deadline)
{
	struct dns_resolver *r = ctx;
	struct send_slot *slot = &r->sends[t->index];
	const struct dns_flight_key *fk = dns_flight_key(t->flight);
	struct dns_send_ask ask = {
		.name = dns_name_span(&fk->name),
		.type = fk->type,
		.class = fk->class,
		.rd = true,
		.cd = fk->checking_disabled,
		.ad = true,
		.dnssec_ok = fk->dnssec_ok,
		.tcp = fk->tcp,
	};

	*slot = (struct send_slot){ .send.done = send_done, .r = r, .t = t };
	return dns_upstream_send(r->upstream, server, &slot->send, &ask, deadline);
}

static void
cancel_try(void *ctx, struct dns_try *t)
{
	struct dns_resolver *r = ctx;

	dns_upstream_cancel(r->upstream, &r->sends[t->index].send);
}

static uint32_t
forward_random(void *ctx)
{
	return rand_u32(((struct dns_resolver *)ctx)->env.rand);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
reply_waiting(struct dns_resolver *r, struct dns_request *rq, const struct dns_entry *e,
    const struct dns_opt *opt, mono_us now)
{
	struct room room = room_for(r, &rq->q, rq->udp);
	size_t len = e != NULL
	    ? dns_cache_write(r->cache, e, &rq->q, now, opt, room.at, room.limit)
	    : dns_reply_stored(&r->packed.view, &rq->q, opt, room.at, room.limit);

	send_later(r, rq, len);
	r->n.latency_us += (uint64_t)(now - rq->asked);
	log_event(r->env.log, LOG_LEVEL_DEBUG, r->env.service, "answered", LOG_PEER(&rq->peer),
	    LOG_HEX("id", rq->id), LOG_I64("ms", (now - rq->asked) / 1000));
	dns_request_free(&r->pool, rq);
}

/* Give every waiter of the flight the same answer: the entry, or what lies in r->packed. */
static void
reply_all(struct dns_resolver *r, struct dns_flight *f, const struct dns_entry *e,
    const struct dns_opt *opt, uint64_t *counter)
{
	struct dns_waiters *waiters = dns_flight_waiters(f);
	struct dns_waiter *w;
	mono_us now = loop_now(r->env.loop);

	while ((w = TAILQ_FIRST(waiters)) != NULL) {
		TAILQ_REMOVE(waiters, w, link);
		w->flight = NULL;
		++*counter;
		reply_waiting(r, (struct dns_request *)w, e, opt, now);
	}
}

/* SERVFAIL or what the upstream said instead, with a reason. */
static void
fail_all(struct dns_resolver *r, struct dns_flight *f, uint16_t rcode, const struct dns_opt *opt)
{
	r->packed.view = (struct dns_stored){ .body = r->packed.msg, .ttl_at = r->packed.ttl_at,
		.rcode = rcode, .ttl_cap_s = UINT32_MAX };
	reply_all(r, f, NULL, opt, &r->n.servfail);
}

static void
deliver_good(struct dns_resolver *r, struct dns_flight *f, const struct dns_key *key,
    const struct dns_outcome *o)
{
	struct dns_question asked = { .name = key->name, .type = key->type, .class = key->class };
	struct dns_opt opt = { 0 };

	if (dns_answer_pack(&r->packed, &r->answer, o->answer, &asked, &r->ttl) != OK) {
		r->n.answers_malformed++;
		opt = (struct dns_opt){ .has_ede = true, .ede = DNS_EDE_INVALID_DATA };
		fail_all(r, f, DNS_SERVFAIL, &opt);
		return;
	}
	if (!r->trust_ad)
		r->packed.view.flags &= (uint16_t)~DNS_FLAG_AD;

	const struct dns_entry *e =
	    dns_cache_put(r->cache, key, &r->packed, 0, loop_now(r->env.loop));

	if (e == NULL && r->packed.has_ede)
		opt = (struct dns_opt){ .has_ede = true, .ede = r->packed.ede,
			.ede_text = span_of(r->packed.ede_text, r->packed.ede_len) };
	reply_all(r, f, e, e == NULL ? &opt : NULL, &r->n.answered_upstream);
}

/* No good answer: remember that for a while (RFC 9520); a stale answer beats an error (RFC 8767). */
static void
deliver_failure(struct dns_resolver *r, struct dns_flight *f, const struct dns_key *key,
    const struct dns_outcome *o)
{
	struct dns_failure failure = { .rcode = DNS_SERVFAIL, .has_ede = true };

	if (o->kind == DNS_OUTCOME_BAD) {
		failure.rcode = o->rcode;
		failure.ede = DNS_EDE_OTHER;
		failure.ede_text = span_str("every upstream server refused or failed");
	} else {
		failure.ede = DNS_EDE_NO_REACHABLE_AUTHORITY;
		failure.ede_text = span_str(dns_flight_route(f)->count == 0
			? "no upstream server is configured"
			: "no upstream server answers");
	}

	const struct dns_entry *e =
	    dns_cache_put_failure(r->cache, key, &failure, loop_now(r->env.loop));
	struct dns_opt opt = { .has_ede = true, .ede = failure.ede, .ede_text = failure.ede_text };

	if (e == NULL) {
		fail_all(r, f, failure.rcode, &opt);
		return;
	}

	struct dns_entry_info info;

	dns_entry_info(r->cache, e, loop_now(r->env.loop), &info);
	reply_all(r, f, e, NULL,
	    info.state == DNS_CACHE_FAILED ? &r->n.servfail : &r->n.answered_stale);
}

static void
finished(void *ctx, struct dns_flight *f, const struct dns_outcome *o)
{
	struct dns_resolver *r = ctx;
	struct dns_key key = key_of_flight(dns_flight_key(f));
	struct dns_opt evicted = { .has_ede = true, .ede = DNS_EDE_OTHER,
		.ede_text = span_str("gave way to newer queries") };

	switch (o->kind) {
	case DNS_OUTCOME_GOOD:
		deliver_good(r, f, &key, o);
		break;
	case DNS_OUTCOME_BAD:
	case DNS_OUTCOME_SILENT:
		deliver_failure(r, f, &key, o);
		break;
	case DNS_OUTCOME_EVICTED:
		fail_all(r, f, DNS_SERVFAIL, &evicted);
		break;
	}
}

/* The client timer of RFC 8767 §5: 1.8 s without an answer, so an old one will do. */
static void
slow(void *ctx, struct dns_flight *f)
{
	struct dns_resolver *r = ctx;
	struct dns_key key = key_of_flight(dns_flight_key(f));
	const struct dns_entry *e;
	enum dns_cache_state state = dns_cache_find(r->cache, &key, loop_now(r->env.loop), &e);

	if (state == DNS_CACHE_STALE || state == DNS_CACHE_STALE_HELD)
		reply_all(r, f, e, NULL, &r->n.answered_stale);
}

static const struct dns_forward_ops forward_ops = {
	.health = server_health,
	.send = send_try,
	.cancel = cancel_try,
	.slow = slow,
	.finished = finished,
	.random = forward_random,
};

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
		reply_empty(r, from, q, DNS_NOERROR, NULL);
		return true;
	case DNS_QUERY_FORMERR:
		r->n.formerr++;
		reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_NOTIMP:
		r->n.notimp++;
		reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_BADVERS:
		r->n.badvers++;
		reply_empty(r, from, q, dns_verdict_rcode(v), NULL);
		return true;
	case DNS_QUERY_DROP:
		r->n.junk++;
		return true;
	}
	if (q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR || q->type == DNS_TYPE_OPT) {
		r->n.notimp++;
		reply_empty(r, from, q, DNS_NOTIMP, NULL);
		return true;
	}
	if (q->class != DNS_CLASS_IN) {
		r->n.refused++;
		reply_reason(r, from, q, DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, "only class IN is served");
		return true;
	}
	return false;
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
	reply_reason(r, from, q, DNS_REFUSED, DNS_EDE_PROHIBITED, "recursion was not asked for (RD=0)");
	return true;
}

static void
stage_cache(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q)
{
	const struct dns_route *route = dns_routes_find(r->routes, dns_query_name(q));
	struct dns_key key = dns_key_of(q, route->id);
	const struct dns_entry *e;

	switch (dns_cache_find(r->cache, &key, from->now, &e)) {
	case DNS_CACHE_FRESH:
		r->n.answered_fresh++;
		reply_entry(r, from, q, e);
		if (r->prefetch && dns_cache_prefetch_due(r->cache, e, from->now))
			prefetch(r, &key, route, from->now);
		return;
	case DNS_CACHE_STALE_HELD:
		r->n.answered_stale++;
		reply_entry(r, from, q, e);
		return;
	case DNS_CACHE_FAILED:
		r->n.answered_failure++;
		reply_entry(r, from, q, e);
		return;
	case DNS_CACHE_STALE:	/* fresh first; slow() and finished() know the old answer */
	case DNS_CACHE_MISS:
		break;
	}
	forward(r, from, q, &key, route);
}

void
dns_resolver_query(struct dns_resolver *r, const struct dns_asker *from, struct span packet)
{
	struct dns_query q;

	r->n.queries++;
	r->n.tcp += from->dg == NULL;
	if (!acl_allows(&r->acl, r->env.netif, from->peer)) {
		r->n.not_allowed++;
		return;
	}

	enum dns_verdict v = dns_query_parse(&q, packet);

	if (stage_shape(r, from, &q, v) || stage_recursion(r, from, &q))
		return;
	dns_query_hash(&q, dns_cache_hash_key(r->cache));
	stage_cache(r, from, &q);
}

void
dns_resolver_abandon(struct dns_resolver *r, struct dns_request *rq)
{
	dns_forward_leave(r->forward, &rq->waiter);
	dns_request_free(&r->pool, rq);
}

/* --- settings and life ------------------------------------------------------------------------ */

enum err
dns_resolver_configure(struct dns_resolver *r, struct dns_resolver_config *cf,
    struct dns_routes_bad *bad)
{
	enum err e =
	    dns_routes_set(r->routes, cf->routes, cf->route_count, loop_now(r->env.loop), bad);

	if (e != OK)
		return e;
	acl_fini(&r->acl);
	r->acl = cf->acl;
	cf->acl = (struct acl){ 0 };
	r->ttl = cf->ttl;
	r->prefetch = cf->prefetch;
	r->trust_ad = cf->trust_ad;
	dns_cache_configure(r->cache, &cf->cache);
	return OK;
}

enum err
dns_resolver_new(struct dns_resolver **out, const struct dns_resolver_env *env,
    const struct dns_cache_config *cache)
{
	struct dns_resolver *r = calloc(1, sizeof(*r));
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	enum err e = ERR_NOMEM;

	if (r == NULL)
		return ERR_NOMEM;
	r->env = *env;
	r->sends = calloc(FLIGHTS_MAX * DNS_FORWARD_TRIES, sizeof(*r->sends));
	rand_bytes(env->rand, key, sizeof(key));
	if (r->sends != NULL)
		e = dns_request_pool_init(&r->pool, REQUESTS_MAX);
	if (e == OK)
		e = dns_cache_new(&r->cache, cache, key);
	if (e == OK)
		e = dns_forward_new(&r->forward, FLIGHTS_MAX, &forward_ops, r);
	if (e == OK)
		e = dns_upstream_new(&r->upstream, env->loop, env->rand, env->log, NULL);
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
	dns_routes_free(r->routes);
	dns_upstream_free(r->upstream);
	dns_forward_free(r->forward);
	dns_cache_free(r->cache);
	dns_request_pool_fini(&r->pool);
	acl_fini(&r->acl);
	free(r->sends);
	free(r);
}

mono_us
dns_resolver_wake(struct dns_resolver *r, mono_us now)
{
	dns_routes_tidy(r->routes, now);
	return dns_forward_wake(r->forward, now);
}

bool
dns_resolver_busy(const struct dns_resolver *r)
{
	return r->pool.used != 0;
}

struct dns_cache *
dns_resolver_cache(struct dns_resolver *r)
{
	return r->cache;
}

const struct dns_upstream *
dns_resolver_upstream(const struct dns_resolver *r)
{
	return r->upstream;
}

static void
report_cache(const struct dns_resolver *r, struct report *out)
{
	struct dns_cache_stats st;

	dns_cache_stats(r->cache, &st);
	report_u64(out, "hits", st.hits);
	report_u64(out, "misses", st.misses);
	report_u64(out, "stale_hits", st.stale_hits);
	report_u64(out, "failure_hits", st.failure_hits);
	report_u64(out, "inserts", st.inserts);
	report_u64(out, "replaced", st.replaced);
	report_u64(out, "evictions", st.evictions);
	report_u64(out, "expired", st.expired);
	report_u64(out, "flushed", st.flushed);
	report_u64(out, "too_big", st.too_big);
	report_u64(out, "no_memory", st.no_memory);
	report_u64(out, "entries", st.entries);
	report_u64(out, "negative_entries", st.negative_entries);
	report_u64(out, "bytes", st.bytes);
	report_u64(out, "negative_bytes", st.negative_bytes);
	report_u64(out, "max_bytes", st.max_bytes);
}

static void
report_flights(const struct dns_resolver *r, struct report *out)
{
	const struct dns_forward_stats *st = dns_forward_stats(r->forward);

	report_u64(out, "now", st->flights);
	report_u64(out, "peak", st->flights_peak);
	report_u64(out, "max", FLIGHTS_MAX);
	report_u64(out, "asked", st->asked);
	report_u64(out, "joined", st->joined);
	report_u64(out, "sends", st->sends);
	report_u64(out, "retries", st->retries);
	report_u64(out, "good", st->good);
	report_u64(out, "bad", st->bad);
	report_u64(out, "silent", st->silent);
	report_u64(out, "evicted", st->evicted);
	report_u64(out, "refused", st->refused);
	report_u64(out, "waiting", r->pool.used);
	report_u64(out, "waiting_peak", r->pool.used_peak);
	report_u64(out, "waiting_max", r->pool.count);
	report_u64(out, "waiting_exhausted", r->pool.exhausted);
}

void
dns_resolver_report(const struct dns_resolver *r, struct report *out)
{
	const struct counters *n = &r->n;

	report_u64(out, "queries", n->queries);
	report_u64(out, "tcp", n->tcp);
	report_u64(out, "answered_fresh", n->answered_fresh);
	report_u64(out, "answered_stale", n->answered_stale);
	report_u64(out, "answered_failure", n->answered_failure);
	report_u64(out, "answered_upstream", n->answered_upstream);
	report_u64(out, "upstream_mean_us",
	    n->answered_upstream != 0 ? n->latency_us / n->answered_upstream : 0);
	report_u64(out, "servfail", n->servfail);
	report_u64(out, "not_allowed", n->not_allowed);
	report_u64(out, "junk", n->junk);
	report_u64(out, "formerr", n->formerr);
	report_u64(out, "notimp", n->notimp);
	report_u64(out, "badvers", n->badvers);
	report_u64(out, "refused", n->refused);
	report_u64(out, "prefetches", n->prefetches);
	report_u64(out, "answers_malformed", n->answers_malformed);
	report_u64(out, "overloaded", n->overloaded);
	report_cache(r, report_object(out, "cache"));
	report_flights(r, report_object(out, "in_flight"));
	dns_upstream_report(r->upstream, report_object(out, "upstream"));
}
