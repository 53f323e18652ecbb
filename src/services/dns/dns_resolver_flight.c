/* SPDX-License-Identifier: MIT */
/*
 * Between the engine of questions in flight and the edge towards the upstreams: sends what the
 * engine wants sent, grades what comes back, keeps and delivers it.
 *
 * What comes from an upstream is never handed on as it came: dns_answer_pack() writes it anew from
 * the records of the question's own chain, and that is what is cached and delivered.
 */
#include "services/dns/dns_resolver_impl.h"

#include "core/log.h"
#include "core/loop.h"
#include "core/rand.h"

static void
rewake(struct dns_resolver *r, mono_us now)
{
	r->env.wake_at(r->env.ctx, mono_earlier(dns_forward_wake(r->forward, now), r->tidy_at));
}

static struct dns_flight_key
flight_key(const struct dns_key *k, bool tcp)
{
	return (struct dns_flight_key){ .hash = k->name_hash, .type = k->type, .class = k->class,
		.route = k->route, .dnssec_ok = k->dnssec_ok,
		.checking_disabled = k->checking_disabled, .tcp = tcp, .name = k->name };
}

static struct dns_key
key_of_flight(const struct dns_flight_key *f)
{
	return (struct dns_key){ .name = f->name, .name_hash = f->hash,
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

/* There is no place for one more question. An old answer beats an error (RFC 8767 §5). */
static void
refuse_overload(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_key *key)
{
	const struct dns_entry *e;
	enum dns_cache_state state = dns_cache_peek(r->cache, key, from->now, &e);
	struct dns_entry_info info;

	if (state == DNS_CACHE_STALE || state == DNS_CACHE_STALE_HELD) {
		dns_entry_info(r->cache, e, from->now, &info);
		if (dns_resolver_maps(r, q, from->mapped, info.kind, &info.answer)) {
			dns_resolver_stage_mapped(r, from, q, *key);
			return;
		}
		r->n.answered_stale++;
		dns_resolver_reply_entry(r, from, q, e);
		return;
	}
	r->n.overloaded++;
	dns_resolver_reply_reason(r, from, q, DNS_SERVFAIL, DNS_EDE_OTHER,
	    "too many queries are waiting");
}

void
dns_resolver_park(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_key *key, struct dns_route *route)
{
	/* Silence: the client asks again soon, and the daemon that comes next answers. */
	if (r->ending && !from->parked) {
		r->n.ending++;
		dns_resolver_note_silence(r, from, q, "ending");
		return;
	}

	struct dns_flight_key fk = flight_key(key, from->dg == NULL);
	uint32_t askers = servers_at(route, from->peer);

	/* A server that we have asked asks us the same: it would wait for us and we for it. */
	if (askers != 0 && dns_forward_has(r->forward, &fk)) {
		r->n.loops++;
		dns_resolver_reply_reason(r, from, q, DNS_SERVFAIL, DNS_EDE_OTHER,
		    "a forwarding loop: this server is asked by its own upstream");
		return;
	}
	fk.exclude = askers;

	struct dns_request *rq = dns_request_new(&r->pool, q, from);

	if (rq == NULL) {
		refuse_overload(r, from, q, key);
		return;
	}
	rq->id = rand_u32(r->env.rand);
	log_event(r->env.log, LOG_LEVEL_DEBUG, r->env.service, "forward", LOG_PEER(&rq->peer),
	    LOG_HEX("id", rq->id), LOG_U64("type", q->type));
	if (dns_forward_ask(r->forward, &fk, route, &rq->waiter, from->now) != OK) {
		dns_request_free(&r->pool, rq);
		refuse_overload(r, from, q, key);
		return;
	}
	rewake(r, from->now);
}

void
dns_resolver_prefetch(struct dns_resolver *r, const struct dns_key *key, struct dns_route *route,
    mono_us now)
{
	struct dns_flight_key fk = flight_key(key, false);

	if (r->ending)
		return;
	r->n.prefetches++;
	if (dns_forward_ask(r->forward, &fk, route, NULL, now) == OK)
		rewake(r, now);
}

static struct dns_health
server_health(void *ctx, void *server)
{
	const struct rto *rto = dns_server_rto(server);
	struct dns_health h = { .rank = DNS_RANK_UP, .srtt = rto->srtt,
	    .timeout = rto_current(rto) };

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
	struct dns_question asked = { .name = fk->name, .type = fk->type,
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

/* The id, in the log, of the query that a flight was started for. */
static uint32_t
first_id(struct dns_flight *f)
{
	struct dns_waiter *w = TAILQ_FIRST(dns_flight_waiters(f));

	return w != NULL ? ((struct dns_request *)w)->id : 0;
}

static enum err
send_try(void *ctx, struct dns_try *t, void *server, mono_us deadline)
{
	struct dns_resolver *r = ctx;
	struct send_slot *slot = &r->sends[t->index];
	const struct dns_flight_key *fk = dns_flight_key(t->flight);
	struct dns_send_ask ask = {
		.name = fk->name,
		.type = fk->type,
		.class = fk->class,
		.rd = true,
		.cd = fk->checking_disabled,
		.ad = true,
		.dnssec_ok = fk->dnssec_ok,
		.tcp = fk->tcp,
	};

	*slot = (struct send_slot){ .send.done = send_done, .r = r, .t = t };
	log_event(r->env.log, LOG_LEVEL_DEBUG, r->env.service, "ask",
	    LOG_STR("server", dns_server_text(server)), LOG_HEX("id", first_id(t->flight)));
	return dns_upstream_send(r->upstream, server, &slot->send, &ask, deadline);
}

static void
cancel_try(void *ctx, struct dns_try *t)
{
	struct dns_resolver *r = ctx;

	dns_upstream_cancel(r->upstream, &r->sends[t->index].send);
}

static struct dns_route *
route_of(void *ctx, const struct dns_flight_key *key)
{
	return dns_routes_find(((struct dns_resolver *)ctx)->routes, key->name);
}

void
dns_resolver_note_routes(struct dns_resolver *r)
{
	mono_us now = loop_now(r->env.loop);

	dns_forward_reroute(r->forward, now);
	r->tidy_at = now;
	rewake(r, now);
}

static uint32_t
forward_random(void *ctx)
{
	return rand_u32(((struct dns_resolver *)ctx)->env.rand);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Answer one who has waited, from the entry or from r->packed. */
static void
reply_waiting(struct dns_resolver *r, struct dns_request *rq, const struct dns_entry *e,
    const struct dns_opt *opt, mono_us now)
{
	struct dgram dg;
	struct dns_asker from = dns_request_asker(rq, &dg, now);

	if (e != NULL)
		dns_resolver_reply_entry(r, &from, &rq->q, e);
	else
		dns_resolver_reply_packed(r, &from, &rq->q, opt);
	log_event(r->env.log, LOG_LEVEL_DEBUG, r->env.service, "answered", LOG_PEER(&rq->peer),
	    LOG_HEX("id", rq->id), LOG_I64("ms", (now - rq->asked) / 1000));
	dns_request_free(&r->pool, rq);
}

/* DNS64: one who asked for AAAA and gets none will be answered from A. */
static bool
turns(struct dns_resolver *r, struct dns_request *rq, const struct dns_entry *e, mono_us now)
{
	struct dns_entry_info info = { .kind = r->packed.kind, .answer = r->packed.view };

	if (r->yielding || r->dns64.family == 0)
		return false;
	if (e != NULL)
		dns_entry_info(r->cache, e, now, &info);
	if (!dns_resolver_maps(r, &rq->q, rq->mapped, info.kind, &info.answer))
		return false;
	dns_resolver_turn_later(r, rq);
	return true;
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
		if (turns(r, (struct dns_request *)w, e, now))
			continue;
		++*counter;
		if (counter == &r->n.answered_upstream)
			r->n.latency_us += (uint64_t)(now - ((struct dns_request *)w)->asked);
		reply_waiting(r, (struct dns_request *)w, e, opt, now);
	}
}

/* SERVFAIL or what the upstream said instead, with a reason. */
static void
fail_all(struct dns_resolver *r, struct dns_flight *f, uint16_t rcode, const struct dns_opt *opt)
{
	r->packed.view = (struct dns_stored){ .body = r->packed.msg, .ttl_at = r->packed.ttl_at,
		.rcode = rcode, .ttl_cap_s = UINT32_MAX };
	r->packed.kind = DNS_ANSWER_FAILURE;
	reply_all(r, f, NULL, opt, &r->n.servfail);
}

/* Keep the answer in r->packed, as far as the settings and its TTL let it; NULL where not. */
static const struct dns_entry *
keep(struct dns_resolver *r, const struct dns_key *key)
{
	unsigned flags = dns_zones_have(&r->no_stale, key->name) ? DNS_PUT_NO_STALE : 0;

	if (dns_zones_have(&r->no_cache, key->name))
		return NULL;
	return dns_cache_put(r->cache, key, &r->packed, flags, loop_now(r->env.loop));
}

/*
 * Those who wait may have an old answer. The client timer of RFC 8767 §5 calls this: 1.8 s without
 * a fresh one.
 */
static void
slow(void *ctx, struct dns_flight *f)
{
	struct dns_resolver *r = ctx;
	struct dns_key key = key_of_flight(dns_flight_key(f));
	const struct dns_entry *e;
	enum dns_cache_state state = dns_cache_peek(r->cache, &key, loop_now(r->env.loop), &e);

	if (state == DNS_CACHE_STALE || state == DNS_CACHE_STALE_HELD)
		reply_all(r, f, e, NULL, &r->n.answered_stale);
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
	if (!r->trust_ad && !dns_server_authenticated(o->server))
		r->packed.view.flags &= (uint16_t)~DNS_FLAG_AD;
	dns_resolver_guard(r, key);

	const struct dns_entry *e =
	    dns_routes_holds(r->routes, dns_flight_route(f)) ? keep(r, key) : NULL;

	if (e == NULL && r->packed.has_ede)
		opt = (struct dns_opt){ .has_ede = true, .ede = r->packed.ede,
			.ede_text = span_of(r->packed.ede_text, r->packed.ede_len) };
	reply_all(r, f, e, e == NULL ? &opt : NULL, &r->n.answered_upstream);
}

static const char *
silence_of(const struct dns_route *route)
{
	if (route->count != 0)
		return "no upstream server answers";
	return route->pending ? "the names of the upstream servers are not known yet"
			      : "no upstream server is configured";
}

/*
 * No good answer: remember that for a while (RFC 9520); a stale answer beats an error (RFC 8767).
 */
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
		failure.ede_text = span_str(silence_of(dns_flight_route(f)));
	}

	struct dns_opt opt = { .has_ede = true, .ede = failure.ede, .ede_text = failure.ede_text };

	/*
	 * That no server but the asker answered is nothing to remember against everybody else: one
	 * forged datagram from a server's address would take a name away from the house.
	 */
	if (dns_flight_key(f)->exclude != 0) {
		slow(r, f);
		fail_all(r, f, failure.rcode, &opt);
		return;
	}

	const struct dns_entry *e =
	    dns_cache_put_failure(r->cache, key, &failure, loop_now(r->env.loop));

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

	r->answerer = o->kind == DNS_OUTCOME_GOOD ? o->server : NULL;
	switch (o->kind) {
	case DNS_OUTCOME_GOOD:
		deliver_good(r, f, &key, o);
		break;
	case DNS_OUTCOME_BAD:
	case DNS_OUTCOME_SILENT:
		deliver_failure(r, f, &key, o);
		break;
	case DNS_OUTCOME_EVICTED:
		slow(r, f);
		/* More questions are the last thing that is wanted now. */
		r->yielding = true;
		fail_all(r, f, DNS_SERVFAIL, &evicted);
		r->yielding = false;
		break;
	}
	r->answerer = NULL;
}

const struct dns_forward_ops dns_resolver_forward_ops = {
	.health = server_health,
	.send = send_try,
	.cancel = cancel_try,
	.slow = slow,
	.finished = finished,
	.random = forward_random,
	.route = route_of,
};
