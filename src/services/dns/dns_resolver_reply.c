/* SPDX-License-Identifier: MIT */
/* Replies to clients: written where they leave from, completed with what this client asked for. */
#include "services/dns/dns_resolver_impl.h"

#include <time.h>

#include "services/dns/dns_cookie.h"
#include "services/dns/dns_querylog.h"
#include "services/dns/dns_stream.h"

#define ANY_TTL 3600	/* seconds; the longer, the fewer come back */

/* Where a reply is written (a slot of the send queue, or the scratch for TCP), and its options. */
struct room {
	uint8_t *at;
	size_t limit;
	const struct dns_opt *opt;
	bool may_wait;		/* for the addresses in it: what upstreams say */
	struct dns_opt filled;
	uint8_t cookie[DNS_COOKIE_TOTAL];
};

/* How long the connection may be idle, in units of 100 ms: the fewer are free, the shorter. */
static uint16_t
keepalive(const struct dns_stream *st)
{
	usec units = tcp_idle_time(st->conn) / millis(100);

	return (uint16_t)(units < UINT16_MAX ? units : UINT16_MAX);
}

/* Add the cookie and the keepalive where the query asked for them. */
static void
complete_opt(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_opt *opt, struct room *room)
{
	room->opt = opt;
	if (q->cookie.len == 0 && !(q->keepalive && from->stream != NULL))
		return;
	room->filled = opt != NULL ? *opt : (struct dns_opt){ 0 };
	room->opt = &room->filled;
	if (q->cookie.len != 0) {
		enum dns_cookie_state state = dns_cookie_answer(r->cookie_secret, q->cookie,
		    from->peer, (uint32_t)time(NULL), room->cookie);

		r->n.cookies_good += state == DNS_COOKIE_GOOD;
		r->n.cookies_bad += state == DNS_COOKIE_BAD;
		room->filled.cookie = span_of(room->cookie, sizeof(room->cookie));
	}
	if (q->keepalive && from->stream != NULL) {
		room->filled.has_keepalive = true;
		room->filled.keepalive = keepalive(from->stream);	/* RFC 7828 §3.3.2 */
	}
}

static void
prepare(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct dns_opt *opt, struct room *room)
{
	room->may_wait = false;
	if (from->dg != NULL) {
		room->at = udp_reserve(from->dg->socket, UDP_SLOT_BYTES);
		room->limit = dns_query_limit(q, DNS_UDP_SIZE);
	} else {
		room->at = r->tcp_room + 2;
		room->limit = DNS_MSG_MAX;
	}
	complete_opt(r, from, q, opt, room);
}

/* --- the query log ---------------------------------------------------------------------------- */

static struct dns_querylog_entry
log_entry(const struct dns_asker *from, const struct dns_query *q, const char *verdict)
{
	struct dns_querylog_entry e = { .client = from->peer, .tcp = from->dg == NULL,
		.verdict = verdict, .took = from->parked ? from->now - from->asked : 0 };

	if (q != NULL) {
		e.name = dns_query_name(q);
		e.type = q->type;
	}
	return e;
}

void
dns_resolver_note_silence(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const char *verdict)
{
	struct dns_querylog_entry e;

	if (r->querylog == NULL)
		return;
	e = log_entry(from, q, verdict);
	dns_querylog_add(r->querylog, &e);
}

/* Why a reply is what it is. */
struct grounds {
	const char *verdict;	/* one word */
	struct span reason;
	uint16_t rcode_high;	/* what the header has no room for */
};

static void
note(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct grounds *why, struct span reply)
{
	struct dns_querylog_entry e = log_entry(from, q, why->verdict);

	e.reason = why->reason;
	e.answered = true;
	e.rcode = (uint16_t)((dns_msg_flags(reply) & DNS_FLAG_RCODE) | why->rcode_high);
	if (r->answerer != NULL)
		e.server = dns_server_text(r->answerer);
	dns_querylog_add(r->querylog, &e);
}

/* What an entry's answer is called; *info is filled in. */
static const char *
entry_verdict(const struct dns_resolver *r, const struct dns_asker *from, const struct dns_entry *e,
    struct dns_entry_info *info)
{
	dns_entry_info(r->cache, e, from->now, info);
	switch (info->state) {
	case DNS_CACHE_FAILED:
		return from->parked ? "failed" : "failure-held";
	case DNS_CACHE_STALE:
	case DNS_CACHE_STALE_HELD:
		return "stale";
	case DNS_CACHE_FRESH:
	case DNS_CACHE_MISS:
		break;
	}
	return from->parked ? "forwarded" : "cached";
}

/* --- replies ---------------------------------------------------------------------------------- */

/* Send what was written to the room. */
static void
dispatch(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct room *room, size_t len, const struct grounds *why)
{
	if (r->querylog != NULL && len >= DNS_HEADER_BYTES)
		note(r, from, q, why, span_of(room->at, len));
	if (room->may_wait && dns_resolver_hold(r, from, q, span_of(room->at, len)))
		return;
	if (from->dg != NULL)
		udp_commit_reply(from->dg->socket, len, from->dg);
	else
		dns_stream_send(from->stream, r->tcp_room, len);
}

static void
dispatch_blocked(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    const struct room *room, const struct dns_filter_hit *hit)
{
	struct grounds why = { .verdict = "blocked" };
	char rule[DNS_FILTER_WHY_MAX];
	size_t len = dns_resolver_write_blocked(r, q, hit, room->opt, room->at, room->limit);

	dns_resolver_count_blocked(r, from, q);
	if (r->querylog != NULL)
		why.reason = span_str(dns_filter_explain(dns_lists_filter(r->lists), hit, rule));
	dispatch(r, from, q, room, len, &why);
}

/* Send an answer, or what is said instead where it leads to a name that is blocked. */
static void
dispatch_judged(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    struct room *room, size_t len, const struct grounds *why)
{
	struct dns_filter_hit hit;

	if (dns_resolver_blocks_answer(r, from, q, span_of(room->at, len), &hit)) {
		dispatch_blocked(r, from, q, room, &hit);
		return;
	}
	room->may_wait = r->addrsets != NULL;
	dispatch(r, from, q, room, len, why);
}

void
dns_resolver_reply_empty(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, uint16_t rcode, const struct dns_opt *opt)
{
	struct grounds why = { .verdict = rcode == DNS_NOERROR ? "empty"
		: rcode == DNS_SERVFAIL ? "failed" : "refused",
		.rcode_high = rcode & (uint16_t)~DNS_FLAG_RCODE };
	struct room room;

	if (opt != NULL && opt->has_ede)
		why.reason = opt->ede_text;
	prepare(r, from, q, opt, &room);
	dispatch(r, from, q, &room,
	    dns_reply_empty(q, rcode, 0, room.opt, room.at, room.limit), &why);
}

void
dns_resolver_reply_reason(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, uint16_t rcode, uint16_t ede, const char *text)
{
	struct dns_opt opt = { .has_ede = true, .ede = ede, .ede_text = span_str(text) };

	dns_resolver_reply_empty(r, from, q, rcode, &opt);
}

void
dns_resolver_reply_entry(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_entry *e)
{
	struct dns_opt opt;
	struct room room;
	struct dns_entry_info info;
	struct grounds why = { .verdict = "" };
	size_t len;

	if (r->querylog != NULL) {
		why.verdict = entry_verdict(r, from, e, &info);
		why.reason = info.ede_text;
	}
	if (from->held_back) {
		dns_entry_info(r->cache, e, from->now, &info);
		opt = (struct dns_opt){ .has_ede = true, .ede = DNS_EDE_CACHED_ERROR,
			.ede_text = info.ede_text };
	}
	prepare(r, from, q, from->held_back ? &opt : NULL, &room);
	if (from->aliased || from->mapped || dns_resolver_strips(r, q)) {
		len = dns_resolver_write_bent(r, from, q, e, room.opt, room.at, room.limit);
	} else if (from->names_below &&
	    (dns_entry_info(r->cache, e, from->now, &info), info.kind == DNS_ANSWER_NXDOMAIN)) {
		len = dns_reply_empty(q, DNS_NOERROR, 0, room.opt, room.at, room.limit);
	} else {
		len = dns_cache_write(r->cache, e, q, from->now, room.opt, room.at, room.limit);
	}
	dispatch_judged(r, from, q, &room, len, &why);
}

void
dns_resolver_reply_packed(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_opt *opt)
{
	struct grounds why = { .verdict = r->answerer != NULL ? "forwarded" : "failed" };
	struct room room;
	size_t len;

	if (opt != NULL && opt->has_ede)
		why.reason = opt->ede_text;
	prepare(r, from, q, opt, &room);
	if (from->aliased || from->mapped || dns_resolver_strips(r, q))
		len = dns_resolver_write_bent(r, from, q, NULL, room.opt, room.at, room.limit);
	else if (from->names_below && r->packed.view.rcode == DNS_NXDOMAIN)
		len = dns_reply_empty(q, DNS_NOERROR, 0, room.opt, room.at, room.limit);
	else
		len = dns_reply_stored(&r->packed.view, q, room.opt, room.at, room.limit);
	dispatch_judged(r, from, q, &room, len, &why);
}

void
dns_resolver_reply_local(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_local_found *f)
{
	struct grounds why = { .verdict = "local" };
	char rule[DNS_LOCAL_WHY_MAX];
	struct room room;
	struct dns_wr w;

	if (r->querylog != NULL)
		why.reason = span_str(dns_local_explain(f, rule, sizeof(rule)));
	prepare(r, from, q, NULL, &room);
	dns_wr_begin(&w, q, room.at, room.limit);
	dns_resolver_write_local(r, from, q, f, &w);
	dispatch(r, from, q, &room,
	    dns_wr_end(&w, dns_local_rcode(f), DNS_FLAG_AA, room.opt), &why);
}

void
dns_resolver_reply_blocked(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_filter_hit *hit)
{
	struct room room;

	prepare(r, from, q, NULL, &room);
	dispatch_blocked(r, from, q, &room, hit);
}

void
dns_resolver_reply_any(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q)
{
	static const uint8_t hinfo[] = { 7, 'R', 'F', 'C', '8', '4', '8', '2', 0 };
	static const struct grounds why = { .verdict = "any" };
	struct room room;
	struct dns_wr w;

	prepare(r, from, q, NULL, &room);
	dns_wr_begin(&w, q, room.at, room.limit);
	dns_wr_record(&w, DNS_SECTION_ANSWER, dns_query_name(q), DNS_TYPE_HINFO, DNS_CLASS_IN,
	    ANY_TTL, span_of(hinfo, sizeof(hinfo)));
	dispatch(r, from, q, &room, dns_wr_end(&w, DNS_NOERROR, 0, room.opt), &why);
}
