/* SPDX-License-Identifier: MIT */
/*
 * Upstream servers: how they are named, what is known about them, how they fare.
 *
 *   NEW --answer--> UP --no answer--> SILENT --3 in a row, 1 s apart--> DOWN --answer--> UP
 *
 * From its first silence on a server is probed: after 1 s, 2 s, then every 4 s; every 15 s once it
 * has been down for two minutes. It is asked in turn for the root's servers, which everybody can
 * answer, and what it did not answer last: a server that is silent about one name alone must not
 * stay down for it. It is UP with its first answer, so a server that returns is in use within
 * seconds, and an idle house asks nothing for ever.
 *
 * What a server cannot do (EDNS, letter case, cookies) is remembered for five minutes.
 */
#include "services/dns/dns_upstream_priv.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/rand.h"
#include "core/report.h"

#define CLOCK_UNSET	  1704067200	/* 2024: a clock before that has not been set yet */
#define RTO_INITIAL	  millis(376)	/* as unbound for a server it does not know */
#define RTO_FLOOR	  millis(50)
#define RTO_CEILING	  millis(1500)
#define DOWN_AFTER	  3		/* sends without an answer, */
#define DOWN_SPAN	  seconds(1)	/* this much time between the first and the last */
#define PROBE_FIRST	  seconds(1)
#define PROBE_SOON	  seconds(4)	/* at most so long between two at first, */
#define PROBE_LATE	  seconds(15)	/* and so long after LONG_DOWN */
#define LONG_DOWN	  seconds(120)
#define PROBE_PATIENCE	  millis(1500)	/* for the answer to a probe */
#define CASE_STRIKES	  2		/* answers in the wrong case that TCP then confirmed */
#define DOUBT_COOKIE	  1		/* unanswered sends until we try without, where */
#define DOUBT_EDNS	  2		/* the server has not shown yet that it takes them */

/* --- names and life --------------------------------------------------------------------------- */

static bool
is_same(const struct dns_server *sv, const struct dns_server *like,
    const struct dns_upstream_spec *spec)
{
	bool crypt = spec->stamp.kind == DNS_STAMP_DNSCRYPT;

	return addr_equal(&sv->addr, &like->addr) && sv->transport == like->transport &&
	    strcasecmp(sv->auth_name, like->auth_name) == 0 &&
	    addr_equal_host(&sv->source, &like->source) &&
	    strcmp(sv->interface, like->interface) == 0 && (sv->crypt != NULL) == crypt &&
	    (!crypt || dns_dnscrypt_same(sv->crypt, &spec->stamp));
}

static struct dns_server *
find_server(struct dns_upstream *up, const struct dns_server *like,
    const struct dns_upstream_spec *spec)
{
	struct dns_server *sv;

	LIST_FOREACH(sv, &up->servers, link)
		if (is_same(sv, like, spec))
			return sv;
	return NULL;
}

static void probe_due(struct timer *t, mono_us now);
static void probe_done(struct dns_send *s, const struct dns_reply *r);

/* Fill in what tells servers apart. */
static enum err
identify(struct dns_server *sv, struct dns_upstream_spec *spec, const char *text,
    const struct dns_server_opts *opts)
{
	enum err e = dns_upstream_spec_parse(spec, text);

	if (e != OK)
		return e;
	sv->addr = spec->stamp.addr;
	sv->transport = spec->transport;
	memcpy(sv->auth_name, spec->auth_name, sizeof(sv->auth_name));
	if (opts != NULL && opts->source != NULL) {
		sv->source = *opts->source;
		if (sv->source.sa.sa_family != sv->addr.sa.sa_family)
			return ERR_RANGE;
	}
	if (opts != NULL && opts->interface != NULL &&
	    snprintf(sv->interface, sizeof(sv->interface), "%s", opts->interface) >= IF_NAMESIZE)
		return ERR_RANGE;
	return OK;
}

/*
 * A stream has to be opened first once it was idle, over TLS with two or three round trips: the
 * next server is asked no sooner than for one that nobody knows.
 */
static void
forget_round_trips(struct dns_server *sv)
{
	rto_init(&sv->rto, RTO_INITIAL,
	    sv->transport == DNS_TRANSPORT_UDP ? RTO_FLOOR : RTO_INITIAL, RTO_CEILING);
}

static void
write_text(struct dns_server *sv, bool crypt)
{
	static const char *const schemes[] = { [DNS_TRANSPORT_UDP] = "",
		[DNS_TRANSPORT_TCP] = "tcp://", [DNS_TRANSPORT_TLS] = "tls://" };
	char addr[ADDR_TEXT_MAX];

	snprintf(sv->text, sizeof(sv->text), "%s%s%s%s",
	    crypt ? "dnscrypt://" : schemes[sv->transport], addr_format(&sv->addr, addr),
	    sv->auth_name[0] != '\0' ? "#" : "", sv->auth_name);
}

static enum err
make_ready(struct dns_server *sv, const struct dns_upstream_spec *spec)
{
	bool crypt = spec->stamp.kind == DNS_STAMP_DNSCRYPT;
	enum err e = dns_engine_new(&sv->engine, sv);

	if (e != OK)
		return e;
	sv->holds = 1;
	write_text(sv, crypt);
	sv->probe.done = probe_done;
	sv->probe_timer.fire = probe_due;
	forget_round_trips(sv);
	dns_server_new_cookie(sv);
	if (crypt)
		e = dns_dnscrypt_new(&sv->crypt, sv, &spec->stamp);
	if (e != OK)
		dns_engine_free(sv->engine);
	return e;
}

enum err
dns_upstream_add(struct dns_upstream *up, struct dns_server **out, const char *text,
    const struct dns_server_opts *opts)
{
	struct dns_server *sv = calloc(1, sizeof(*sv)), *same;
	struct dns_upstream_spec spec;
	enum err e;

	if (sv == NULL)
		return ERR_NOMEM;
	sv->up = up;
	TAILQ_INIT(&sv->burst);
	sv->send_burst.run = dns_udp_send_burst;
	e = identify(sv, &spec, text, opts);
	if (e != OK)
		goto free_server;
	same = find_server(up, sv, &spec);
	if (same != NULL) {
		same->holds++;
		*out = same;
		goto free_server;
	}
	e = make_ready(sv, &spec);
	if (e != OK)
		goto free_server;
	LIST_INSERT_HEAD(&up->servers, sv, link);
	*out = sv;
	return OK;

free_server:
	free(sv);
	return e;
}

void
dns_upstream_drop(struct dns_upstream *up, struct dns_server *sv)
{
	if (--sv->holds != 0)
		return;
	LIST_REMOVE(sv, link);
	LIST_INSERT_HEAD(&up->dropped, sv, link);
	loop_timer_cancel(up->loop, &sv->probe_timer);
	dns_upstream_cancel(up, &sv->probe);
	loop_defer(up->loop, &up->task);
}

void
dns_server_free(struct dns_server *sv)
{
	loop_timer_cancel(sv->up->loop, &sv->probe_timer);
	LIST_REMOVE(sv, link);
	dns_udp_close_all(sv);
	dns_tcp_close_all(sv);
	dns_dnscrypt_free(sv->crypt);
	dns_tls_forget(sv);
	dns_engine_free(sv->engine);
	free(sv);
}

void
dns_server_forget(struct dns_server *sv)
{
	sv->silent = 0;
	sv->last_answer = 0;
	sv->down = false;
	sv->edns_off = sv->case_off = sv->cookie_off = 0;
	sv->edns_proven = sv->cookie_proven = sv->cookie_expected = false;
	sv->case_strikes = 0;
	forget_round_trips(sv);
	loop_timer_cancel(sv->up->loop, &sv->probe_timer);
	dns_upstream_cancel(sv->up, &sv->probe);
	dns_server_new_cookie(sv);
	dns_tls_forget(sv);
	if (sv->crypt != NULL)
		dns_dnscrypt_forget(sv->crypt);
}

int64_t
dns_upstream_wall_clock(void)
{
	time_t now = time(NULL);

	return now < CLOCK_UNSET ? 0 : now;
}

/* --- health ----------------------------------------------------------------------------------- */

static void
probe_done(struct dns_send *s, const struct dns_reply *r)
{
	(void)s;
	(void)r;	/* dns_server_answered() has drawn the conclusion */
}

static void
probe_due(struct timer *timer, mono_us now)
{
	struct dns_server *sv =
	    (struct dns_server *)((char *)timer - offsetof(struct dns_server, probe_timer));
	struct dns_send_ask ask = { .name = dns_name_span(&sv->probe_name), .type = sv->probe_type,
		.class = sv->probe_class, .rd = true };

	sv->probe_root = !sv->probe_root;
	if (sv->probe_root)
		ask = (struct dns_send_ask){ .name = span_of("", 1), .type = DNS_TYPE_NS,
			.class = DNS_CLASS_IN, .rd = true };
	/* Where it cannot be sent, the next one may. */
	if (sv->probe.t == NULL && dns_upstream_send(sv->up, sv, &sv->probe, &ask,
	    now + PROBE_PATIENCE) == OK)
		sv->stats.probes++;
	sv->probe_every *= 2;
	if (sv->probe_every > PROBE_SOON)
		sv->probe_every = now - sv->silent_since < LONG_DOWN ? PROBE_SOON : PROBE_LATE;
	loop_timer(sv->up->loop, timer, now + sv->probe_every);
}

/*
 * A server that has been silent once comes after the others and so is not asked any more: without
 * probes nobody would learn that it has only lost a packet.
 */
static void
start_probing(struct dns_server *sv, mono_us now)
{
	sv->silent_since = now;
	sv->probe_root = false;
	sv->probe_every = PROBE_FIRST;
	loop_timer(sv->up->loop, &sv->probe_timer, now + PROBE_FIRST);
}

static void
go_down(struct dns_server *sv)
{
	sv->down = true;
	log_event(sv->up->log, LOG_LEVEL_WARNING, sv->up->service, "upstream_down",
	    LOG_STR("server", sv->text), LOG_U64("unanswered", sv->silent));
}

void
dns_server_silent(struct dns_server *sv, const struct dns_transaction *t, mono_us now)
{
	/* It has answered others since: this one was lost, or takes its time. */
	if (t->begun < sv->last_answer)
		return;
	if (sv->silent++ == 0 && sv->holds != 0)
		start_probing(sv, now);
	rto_backoff(&sv->rto);
	if (t->send != &sv->probe) {
		sv->probe_name = t->name;
		sv->probe_type = t->ask.type;
		sv->probe_class = t->ask.class;
	}
	if (!sv->down && sv->holds != 0 && sv->silent >= DOWN_AFTER &&
	    now - sv->silent_since >= DOWN_SPAN)
		go_down(sv);
}

enum dns_server_state
dns_server_state(const struct dns_server *sv)
{
	if (sv->down)
		return DNS_SERVER_DOWN;
	if (sv->silent != 0)
		return DNS_SERVER_SILENT;
	return sv->last_answer != 0 ? DNS_SERVER_UP : DNS_SERVER_NEW;
}

/* --- abilities -------------------------------------------------------------------------------- */

void
dns_server_cannot(struct dns_server *sv, mono_us *ability_off, const char *what, mono_us now)
{
	if (*ability_off <= now)
		log_event(sv->up->log, LOG_LEVEL_INFO, sv->up->service, "upstream_without",
		    LOG_STR("server", sv->text), LOG_STR("ability", what),
		    LOG_I64("seconds", DNS_ABILITY_FORGET / seconds(1)));
	*ability_off = now + DNS_ABILITY_FORGET;
}

/*
 * Some networks drop what they do not know. A server that has been silent is asked without, unless
 * it has shown that it takes these; but signatures cannot be had without EDNS, and who cannot see
 * what is in a packet cannot drop it for that.
 */
void
dns_server_choose(struct dns_server *sv, struct dns_transaction *t, mono_us now)
{
	t->edns_doubted = !sv->edns_proven && !t->ask.dnssec_ok && sv->silent >= DOUBT_EDNS &&
	    sv->silent % 2 == 0 && !dns_server_authenticated(sv);
	t->cookie_doubted = !sv->cookie_proven && sv->silent >= DOUBT_COOKIE;
	t->edns = sv->edns_off <= now && !t->edns_doubted;
	t->cookie = t->edns && !sv->up->no_cookies && sv->cookie_off <= now && !t->cookie_doubted;
	t->mixed = !sv->up->no_case && sv->case_off <= now;
	/* What these two make hard to forge is authenticated anyway. */
	if (dns_server_authenticated(sv))
		t->mixed = t->cookie = t->cookie_doubted = false;
	t->padded = t->edns && sv->transport == DNS_TRANSPORT_TLS;
}

void
dns_server_answered(struct dns_server *sv, const struct dns_transaction *t, mono_us now)
{
	if (sv->down)
		log_event(sv->up->log, LOG_LEVEL_NOTICE, sv->up->service, "upstream_up",
		    LOG_STR("server", sv->text),
		    LOG_I64("seconds", (now - sv->silent_since) / seconds(1)));
	loop_timer_cancel(sv->up->loop, &sv->probe_timer);
	sv->down = false;
	sv->silent = 0;
	sv->last_answer = now;
	sv->edns_proven |= t->edns;
	sv->cookie_proven |= t->cookie;
	if (t->edns_doubted && !t->edns && !sv->edns_proven)
		dns_server_cannot(sv, &sv->edns_off, "EDNS", now);
	else if (t->cookie_doubted && t->edns && !t->cookie && !sv->cookie_proven)
		dns_server_cannot(sv, &sv->cookie_off, "cookies", now);
	if (t->case_differed && ++sv->case_strikes >= CASE_STRIKES) {
		sv->case_strikes = 0;
		dns_server_cannot(sv, &sv->case_off, "0x20", now);
	}
}

void
dns_server_new_cookie(struct dns_server *sv)
{
	const uint8_t *bytes;
	uint8_t seed[16 + sizeof(uint16_t)];
	size_t n = addr_bytes(&sv->addr, &bytes);

	memcpy(seed, bytes, n);
	wire_put_u16(seed + n, addr_port(&sv->addr));

	uint64_t hash = seal_short_hash(span_of(seed, n + sizeof(uint16_t)), sv->up->secret);

	memcpy(sv->cookie, &hash, DNS_COOKIE_BYTES);
	sv->cookie_len = DNS_COOKIE_BYTES;
}

bool
dns_server_cookie(struct dns_server *sv, const struct dns_transaction *t, struct span cookie,
    bool tcp, mono_us now)
{
	if (!t->cookie)
		return true;
	/* A server that had cookies and has none now: forged, unless TCP says the same. */
	if (cookie.len == 0) {
		if (!sv->cookie_expected || tcp) {
			if (sv->cookie_expected)
				dns_server_cannot(sv, &sv->cookie_off, "cookies", now);
			sv->cookie_expected = false;
			return true;
		}
		return false;
	}
	if (cookie.len < DNS_COOKIE_BYTES || cookie.len > DNS_COOKIE_MAX ||
	    !seal_equal(cookie.at, sv->cookie, DNS_COOKIE_BYTES))
		return false;
	sv->cookie_expected = true;
	memcpy(sv->cookie, cookie.at, cookie.len);
	sv->cookie_len = cookie.len;
	return true;
}

/* --- what others see -------------------------------------------------------------------------- */

const char *
dns_server_text(const struct dns_server *sv)
{
	return sv->text;
}

bool
dns_server_authenticated(const struct dns_server *sv)
{
	return sv->crypt != NULL || sv->transport == DNS_TRANSPORT_TLS;
}

const struct addr *
dns_server_addr(const struct dns_server *sv)
{
	return &sv->addr;
}

const struct rto *
dns_server_rto(const struct dns_server *sv)
{
	return &sv->rto;
}

mono_us
dns_server_last_answer(const struct dns_server *sv)
{
	return sv->last_answer;
}

unsigned
dns_server_outstanding(const struct dns_server *sv)
{
	return sv->outstanding;
}

const struct dns_server_stats *
dns_server_stats(const struct dns_server *sv)
{
	return &sv->stats;
}

static void
report_server(const struct dns_server *sv, struct report *out, mono_us now)
{
	static const char *const states[] = { "new", "up", "silent", "down" };
	const struct dns_server_stats *st = &sv->stats;

	report_str(out, "server", sv->text);
	report_str(out, "state", states[dns_server_state(sv)]);
	report_real(out, "srtt_ms", (double)sv->rto.srtt / 1000);
	report_real(out, "timeout_ms", (double)rto_current(&sv->rto) / 1000);
	report_u64(out, "outstanding", sv->outstanding);
	report_bool(out, "edns", sv->edns_off <= now);
	report_bool(out, "case", !sv->up->no_case && !dns_server_authenticated(sv) &&
	    sv->case_off <= now);
	report_bool(out, "cookie", sv->cookie_expected);
	if (sv->last_answer != 0)
		report_i64(out, "last_answer_s", (now - sv->last_answer) / seconds(1));
	report_u64(out, "sent", st->sent);
	report_u64(out, "sent_tcp", st->sent_tcp);
	report_u64(out, "answers", st->answers);
	report_u64(out, "answers_tcp", st->answers_tcp);
	report_u64(out, "timeouts", st->timeouts);
	report_u64(out, "unreachable", st->unreachable);
	report_u64(out, "failures_local", st->failures_local);
	report_u64(out, "mismatch_id", st->mismatch_id);
	report_u64(out, "mismatch_question", st->mismatch_question);
	report_u64(out, "mismatch_case", st->mismatch_case);
	report_u64(out, "malformed", st->malformed);
	report_u64(out, "bad_cookie", st->bad_cookie);
	report_u64(out, "late", st->late);
	report_u64(out, "truncated", st->truncated);
	report_u64(out, "tcp_on_suspicion", st->tcp_on_suspicion);
	report_u64(out, "no_edns", st->no_edns);
	report_u64(out, "ports_fresh", st->ports_fresh);
	report_u64(out, "ports_pooled", st->ports_pooled);
	report_u64(out, "tcp_connects", st->tcp_connects);
	report_u64(out, "probes", st->probes);
	if (sv->crypt != NULL)
		dns_dnscrypt_report(sv->crypt, out);
	if (sv->transport == DNS_TRANSPORT_TLS)
		dns_tls_report(sv, out);
}

void
dns_upstream_report(const struct dns_upstream *up, struct report *out)
{
	const struct dns_server *sv;
	struct report *list;

	report_u64(out, "in_flight", up->inflight);
	report_u64(out, "in_flight_max", up->inflight_max);
	report_u64(out, "refused", up->refused);
	list = report_list(out, "servers");
	LIST_FOREACH(sv, &up->servers, link)
		if (sv->fetchers == 0 || sv->fetchers != sv->holds)
			report_server(sv, report_object(list, NULL), loop_now(up->loop));
}
