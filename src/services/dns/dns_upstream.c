/* SPDX-License-Identifier: MIT */
/*
 * Transactions with upstream servers, from dns_upstream_send() to the one call of done().
 *
 * What comes in is first found genuine (dns_upstream_query.c), then believed. Anything else is
 * counted, makes the query go out over TCP as well, and changes nothing else: the wait for the real
 * answer goes on, so junk can never turn into failure.
 *
 * done() is called from the reader of a socket, from a timer or from the task at the end of a turn;
 * never while c-ares is on the stack, and never from inside a call of the caller's.
 *
 * RFC 5452 (resilience against forged answers), 7766 (TCP), 6891 §6.2.2 and §7 (servers without
 * EDNS), 7873 §5.3 (cookies at the client).
 */
#include "services/dns/dns_upstream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rand.h"
#include "services/dns/dns_upstream_priv.h"

#define INFLIGHT_MAX 4096
#define FRESH_MAX    512
#define FRESH_RATE   400	/* a second */
#define FRESH_SAVED  5		/* seconds of it that a quiet time saves up */
#define HELD_MAX     4096	/* transactions that are over but that c-ares still holds */

static struct dns_transaction *
transaction_of(struct timer *deadline)
{
	return (struct dns_transaction *)((char *)deadline -
	    offsetof(struct dns_transaction, deadline));
}

static struct dns_transaction *
find(struct dns_server *sv, uint16_t id)
{
	struct dns_transaction *t;

	LIST_FOREACH(t, &sv->by_id[id % DNS_ID_BUCKETS], by_id)
		if (t->id == id)
			return t;
	return NULL;
}

/* Draw an id that no other query to this server has now. */
static void
take_id(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;

	do
		t->id = rand_u16(sv->up->rand);
	while (find(sv, t->id) != NULL);
	LIST_INSERT_HEAD(&sv->by_id[t->id % DNS_ID_BUCKETS], t, by_id);
}

/* --- the end of a transaction ----------------------------------------------------------------- */

static void
recycle(struct dns_transaction *t)
{
	struct dns_upstream *up = t->server->up;

	TAILQ_INSERT_HEAD(&up->spare, t, over_link);
}

void
dns_transaction_let_go(struct dns_transaction *t)
{
	t->in_engine = false;
	if (t->send == NULL)
		recycle(t);
}

/* It waits for nothing any more. */
static void
leave(struct dns_transaction *t)
{
	dns_udp_leave(t);
	dns_tcp_leave(t);
	dns_dnscrypt_leave(t);
}

/* Take it out of every list; what remains is to tell the caller. Gives the caller's send. */
static struct dns_send *
detach(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;
	struct dns_upstream *up = sv->up;
	struct dns_send *s = t->send;

	loop_timer_cancel(up->loop, &t->deadline);
	leave(t);
	if (t->over != DNS_OVER_NOT)
		TAILQ_REMOVE(&up->over, t, over_link);
	LIST_REMOVE(t, by_id);
	up->inflight--;
	sv->outstanding--;
	s->t = NULL;
	dns_engine_end(sv->engine, t);
	t->send = NULL;
	if (!t->in_engine)
		recycle(t);
	if (sv->holds == 0 && sv->outstanding == 0)
		loop_defer(up->loop, &up->task);
	return s;
}

static void
finish(struct dns_transaction *t, struct dns_reply *r)
{
	r->suspicious = t->suspicious;

	struct dns_send *s = detach(t);

	s->done(s, r);
}

static void
finish_unanswered(struct dns_transaction *t, enum dns_send_result result, mono_us now)
{
	struct dns_server *sv = t->server;

	if (result == DNS_SEND_LOCAL)
		sv->stats.failures_local++;
	else
		dns_server_silent(sv, t, now);
	if (result == DNS_SEND_TIMEOUT)
		sv->stats.timeouts++;
	if (result == DNS_SEND_UNREACHABLE)
		sv->stats.unreachable++;
	finish(t, &(struct dns_reply){ .result = result });
}

void
dns_transaction_give_up(struct dns_transaction *t, enum dns_transaction_over how)
{
	struct dns_upstream *up = t->server->up;

	if (t->over != DNS_OVER_NOT)
		return;
	leave(t);
	t->over = how;
	TAILQ_INSERT_TAIL(&up->over, t, over_link);
	loop_defer(up->loop, &up->task);
}

/* The end of a turn: tell those whose sends failed, release servers that were dropped. */
static void
run_task(struct loop_task *task)
{
	struct dns_upstream *up =
	    (struct dns_upstream *)((char *)task - offsetof(struct dns_upstream, task));
	struct dns_server *sv, *next;
	struct dns_transaction *t;
	unsigned n = 0;

	/* done() may fill the list again, or empty it: no more than there are now. */
	TAILQ_FOREACH(t, &up->over, over_link)
		n++;
	for (; n != 0 && (t = TAILQ_FIRST(&up->over)) != NULL; n--)
		finish_unanswered(t,
		    t->over == DNS_OVER_LOCAL ? DNS_SEND_LOCAL : DNS_SEND_UNREACHABLE,
		    loop_now(up->loop));
	for (sv = LIST_FIRST(&up->dropped); sv != NULL; sv = next) {
		next = LIST_NEXT(sv, link);
		if (sv->outstanding == 0)
			dns_server_free(sv);
	}
}

static void
deadline_reached(struct timer *timer, mono_us now)
{
	struct dns_transaction *t = transaction_of(timer);

	if (t->case_differed)
		dns_server_cannot(t->server, &t->server->case_off, "0x20", now);
	dns_tcp_overdue(t);
	finish_unanswered(t, t->refused ? DNS_SEND_UNREACHABLE : DNS_SEND_TIMEOUT, now);
}

/* --- sending ---------------------------------------------------------------------------------- */

void
dns_transaction_write(struct dns_transaction *t, bool tcp)
{
	if (tcp)
		dns_tcp_send(t);
	else if (!t->ask.tcp)
		dns_udp_send(t);
}

static void
go_to_tcp(struct dns_transaction *t)
{
	t->tcp_asked = true;
	if (!dns_engine_to_tcp(t->server->engine, t))
		dns_tcp_send(t);
}

/* Ask again with what t has been changed to, the same way as before. */
static void
ask_again(struct dns_transaction *t, bool tcp)
{
	struct dns_server *sv = t->server;

	leave(t);
	LIST_REMOVE(t, by_id);
	take_id(t);
	dns_query_write(t, rand_u64(sv->up->rand), span_of(sv->cookie, sv->cookie_len));
	if (tcp)
		dns_tcp_send(t);
	else
		dns_udp_send(t);
}

static void
log_suspicion(const struct dns_transaction *t)
{
	struct dns_upstream *up = t->server->up;
	char name[DNS_NAME_TEXT_MAX];
	uint64_t suppressed;

	if (!log_enabled(up->log, LOG_LEVEL_NOTICE) ||
	    !log_gate_pass(&up->gate, loop_now(up->loop), &suppressed))
		return;
	dns_name_format(t->ask.name, name);
	log_event(up->log, LOG_LEVEL_NOTICE, up->service, "answer_doubted",
	    LOG_STR("server", t->server->text), LOG_SPAN("name", span_str(name)),
	    LOG_U64("suppressed", suppressed));
}

void
dns_transaction_suspect(struct dns_transaction *t)
{
	t->suspicious = true;
	if (t->tcp_asked || t->over != DNS_OVER_NOT)
		return;
	t->server->stats.tcp_on_suspicion++;
	log_suspicion(t);
	go_to_tcp(t);
}

void
dns_transaction_tcp_failed(struct dns_transaction *t, bool was_answering)
{
	struct dns_server *sv = t->server;

	if (t->over != DNS_OVER_NOT)
		return;
	if (was_answering && !t->tcp_again) {
		t->tcp_again = true;
		dns_tcp_send(t);
		return;
	}
	if (t->udp == NULL) {
		dns_transaction_give_up(t, DNS_OVER_UNREACHABLE);
		return;
	}
	/* The right answer came in the wrong letter case, and TCP is not to be had: do without. */
	if (t->case_differed) {
		dns_server_cannot(sv, &sv->case_off, "0x20", loop_now(sv->up->loop));
		t->case_differed = false;
		t->mixed = false;
		ask_again(t, false);
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

unsigned
dns_upstream_may_read(struct dns_upstream *up, unsigned want)
{
	uint64_t turn = loop_stats(up->loop)->turns;

	if (turn != up->reads_turn) {
		up->reads_turn = turn;
		up->reads = 0;
	}

	unsigned left = DNS_READS_PER_TURN - up->reads;

	want = want < left ? want : left;
	up->reads += want;
	return want;
}

void
dns_upstream_read_less(struct dns_upstream *up, unsigned unread)
{
	up->reads -= unread;
}

static void
count_mismatch(struct dns_server *sv, enum dns_check check)
{
	switch (check) {
	case DNS_CHECK_OK:
		break;
	case DNS_CHECK_MALFORMED:
		sv->stats.malformed++;
		break;
	case DNS_CHECK_QUESTION:
		sv->stats.mismatch_question++;
		break;
	case DNS_CHECK_CASE:
		sv->stats.mismatch_case++;
		break;
	}
}

/*
 * FORMERR or NOTIMP without OPT: the server does not know EDNS (RFC 6891 §7). Some of those return
 * nothing but a header, so this comes before the check of the question.
 */
static bool
knows_no_edns(const struct dns_transaction *t, struct span bytes)
{
	struct dns_reply_opt opt;

	if (!t->edns || t->plainer || bytes.len < DNS_HEADER_BYTES ||
	    (dns_msg_flags(bytes) & (DNS_FLAG_QR | DNS_FLAG_OPCODE)) != DNS_FLAG_QR)
		return false;

	uint16_t rcode = dns_msg_flags(bytes) & DNS_FLAG_RCODE;

	if (rcode != DNS_FORMERR && rcode != DNS_NOTIMP)
		return false;
	if (bytes.len != DNS_HEADER_BYTES && dns_reply_check(t, bytes) != DNS_CHECK_OK &&
	    dns_reply_check(t, bytes) != DNS_CHECK_CASE)
		return false;
	dns_reply_opt(&opt, bytes);
	return !opt.present;
}

/* The server dislikes something about the OPT record we sent. True: t was asked again. */
static bool
adapt(struct dns_transaction *t, const struct dns_reply_opt *opt, bool tcp)
{
	struct dns_server *sv = t->server;
	mono_us now = loop_now(sv->up->loop);

	if (t->plainer || !t->cookie || !opt->present)
		return false;
	if (opt->rcode == DNS_FORMERR || opt->rcode == DNS_BADVERS) {
		dns_server_cannot(sv, &sv->cookie_off, "cookies", now);
		t->cookie = false;
	} else if (opt->rcode != DNS_BADCOOKIE) {
		return false;	/* BADCOOKIE came with a new one, which has been learnt */
	}
	t->plainer = true;
	ask_again(t, tcp);
	return true;
}

/* Over a stream that was open by then; of a server that has datagrams too, those alone count. */
static bool
tells_round_trip(const struct dns_transaction *t, bool tcp)
{
	if (!tcp)
		return true;
	return t->server->transport != DNS_TRANSPORT_UDP && t->stream != NULL &&
	    t->stream->answered_first != 0 && t->stream->answered_first < t->sent_tcp;
}

static void
answered(struct dns_transaction *t, struct span bytes, bool tcp)
{
	struct dns_server *sv = t->server;
	mono_us now = loop_now(sv->up->loop);
	struct dns_reply r = { .result = DNS_SEND_ANSWER, .answer = bytes, .tcp = tcp,
		.rtt = now - (tcp ? t->sent_tcp : t->sent_udp) };

	sv->stats.answers++;
	sv->stats.answers_tcp += tcp;
	if (tells_round_trip(t, tcp))
		rto_sample(&sv->rto, r.rtt);
	dns_server_answered(sv, t, now);
	finish(t, &r);
}

/* Id and question are right. */
static void
take_answer(struct dns_transaction *t, struct span bytes, bool tcp)
{
	struct dns_server *sv = t->server;
	mono_us now = loop_now(sv->up->loop);
	struct dns_reply_opt opt;

	dns_reply_opt(&opt, bytes);
	if (!dns_server_cookie(sv, t, opt.cookie, tcp, now)) {
		sv->stats.bad_cookie++;
		dns_transaction_suspect(t);
		return;
	}
	if (adapt(t, &opt, tcp))
		return;
	if (!tcp && (dns_msg_flags(bytes) & DNS_FLAG_TC) != 0) {
		sv->stats.truncated++;
		if (sv->crypt != NULL)
			dns_dnscrypt_truncated(sv->crypt);
		rto_sample(&sv->rto, loop_now(sv->up->loop) - t->sent_udp);
		dns_udp_leave(t);
		if (t->stream == NULL && t->tcp_asked)
			dns_transaction_give_up(t, DNS_OVER_UNREACHABLE);
		else if (!t->tcp_asked)
			go_to_tcp(t);
		return;
	}
	answered(t, bytes, tcp);
}

/* The id is right, the question has yet to be compared. */
static void
take_message(struct dns_transaction *t, struct span bytes, bool tcp)
{
	struct dns_server *sv = t->server;
	mono_us now = loop_now(sv->up->loop);

	if (knows_no_edns(t, bytes)) {
		sv->stats.no_edns++;
		dns_server_cannot(sv, &sv->edns_off, "EDNS", now);
		t->plainer = true;
		t->edns = t->cookie = false;
		ask_again(t, tcp);
		return;
	}

	enum dns_check check = dns_reply_check(t, bytes);

	count_mismatch(sv, check);
	/* TCP needs no help from the letter case; that the server changes it is known by now. */
	if (check == DNS_CHECK_CASE && tcp)
		dns_server_cannot(sv, &sv->case_off, "0x20", now);
	else if (check == DNS_CHECK_CASE)
		t->case_differed = true;
	if (check == DNS_CHECK_OK || (check == DNS_CHECK_CASE && tcp))
		take_answer(t, bytes, tcp);
	else
		dns_transaction_suspect(t);
}

bool
dns_upstream_input(struct dns_server *sv, struct dns_udp *udp, struct dns_stream *stream,
    struct span bytes)
{
	struct dns_transaction *t =
	    bytes.len >= DNS_HEADER_BYTES ? find(sv, dns_msg_id(bytes)) : NULL;

	if (t == NULL || (udp != NULL ? t->udp != udp : t->stream != stream))
		return false;
	take_message(t, bytes, udp == NULL);
	return true;
}

/* --- what callers use ------------------------------------------------------------------------- */

static void
keep_tidy(struct timer *timer, mono_us now)
{
	struct dns_upstream *up =
	    (struct dns_upstream *)((char *)timer - offsetof(struct dns_upstream, tidy));
	bool again = up->inflight != 0;
	struct dns_server *sv;

	LIST_FOREACH(sv, &up->servers, link) {
		dns_engine_tick(sv->engine);
		again |= dns_udp_tidy(sv, now, false);
		again |= dns_tcp_tidy(sv, now, false);
	}
	if (again)
		loop_timer(up->loop, timer, now + DNS_TIDY_EVERY);
}

enum err
dns_upstream_new(struct dns_upstream **out, struct loop *loop, struct rand *rand, struct log *log,
    const struct dns_upstream_opts *opts)
{
	static const struct dns_upstream_opts none;
	struct dns_upstream *up = calloc(1, sizeof(*up));

	if (up == NULL)
		return ERR_NOMEM;
	if (opts == NULL)
		opts = &none;
	up->loop = loop;
	up->rand = rand;
	up->log = log;
	up->service = opts->service != NULL ? opts->service : "dns";
	up->no_case = opts->no_case;
	up->no_cookies = opts->no_cookies;
	up->offload = opts->offload;
	up->inflight_max = opts->inflight_max != 0 ? opts->inflight_max : INFLIGHT_MAX;
	up->fresh_max = opts->fresh_max != 0 ? opts->fresh_max : FRESH_MAX;
	dns_upstream_fresh_ports(up, opts->fresh_rate != 0 ? opts->fresh_rate : FRESH_RATE);
	up->task.run = run_task;
	up->tidy.fire = keep_tidy;
	LIST_INIT(&up->servers);
	LIST_INIT(&up->dropped);
	TAILQ_INIT(&up->over);
	TAILQ_INIT(&up->spare);
	rand_bytes(rand, up->secret, sizeof(up->secret));
	*out = up;
	return OK;
}

void
dns_upstream_fresh_ports(struct dns_upstream *up, uint32_t rate)
{
	bucket_init(&up->fresh, rate, rate * FRESH_SAVED, loop_now(up->loop));
}

static void
forget_all(struct dns_server *sv)
{
	struct dns_transaction *t;

	for (size_t i = 0; i < DNS_ID_BUCKETS; i++)
		while ((t = LIST_FIRST(&sv->by_id[i])) != NULL)
			(void)detach(t);
	dns_server_free(sv);
}

static struct dns_server *
first_crypt(struct dns_servers *list)
{
	struct dns_server *sv;

	LIST_FOREACH(sv, list, link)
		if (sv->crypt != NULL)
			return sv;
	return NULL;
}

void
dns_upstream_free(struct dns_upstream *up)
{
	struct dns_transaction *t;
	struct dns_server *sv;

	if (up == NULL)
		return;
	/* Those with DNSCrypt first: they hold others. */
	while ((sv = first_crypt(&up->servers)) != NULL || (sv = first_crypt(&up->dropped)) != NULL)
		forget_all(sv);
	while ((sv = LIST_FIRST(&up->servers)) != NULL || (sv = LIST_FIRST(&up->dropped)) != NULL)
		forget_all(sv);
	loop_undefer(up->loop, &up->task);
	loop_timer_cancel(up->loop, &up->tidy);
	while ((t = TAILQ_FIRST(&up->spare)) != NULL) {
		TAILQ_REMOVE(&up->spare, t, over_link);
		free(t);
	}
	dns_tls_free(up->tls);
	seal_wipe(up->secret, sizeof(up->secret));
	free(up);
}

/*
 * A transaction nobody uses, cleared but for its name and query. NULL: no memory, or c-ares holds
 * too many.
 */
static struct dns_transaction *
take_transaction(struct dns_upstream *up)
{
	struct dns_transaction *t = TAILQ_FIRST(&up->spare);

	if (t != NULL) {
		TAILQ_REMOVE(&up->spare, t, over_link);
	} else if (up->allocated < up->inflight_max + HELD_MAX) {
		t = malloc(sizeof(*t));
		up->allocated += t != NULL;
	}
	if (t != NULL)
		memset(t, 0, offsetof(struct dns_transaction, name));
	return t;
}

enum err
dns_upstream_send(struct dns_upstream *up, struct dns_server *sv, struct dns_send *s,
    const struct dns_send_ask *ask, mono_us deadline)
{
	struct dns_transaction *t;
	struct span name = dns_name_at(ask->name);

	assert(s->done != NULL);
	s->t = NULL;
	if (name.len == 0 || name.len != ask->name.len)
		return ERR_FORMAT;
	if (up->inflight >= up->inflight_max) {
		up->refused++;
		return ERR_FULL;
	}
	t = take_transaction(up);
	if (t == NULL)
		return ERR_NOMEM;
	t->server = sv;
	t->send = s;
	t->begun = loop_now(up->loop);
	t->ask = *ask;
	t->ask.tcp |= sv->transport != DNS_TRANSPORT_UDP;
	t->name.len = (uint8_t)name.len;
	dns_name_lower(t->name.wire, name);
	t->ask.name = dns_name_span(&t->name);
	s->t = t;
	up->inflight++;
	sv->outstanding++;
	take_id(t);
	dns_server_choose(sv, t, t->begun);
	dns_query_write(t, rand_u64(up->rand), span_of(sv->cookie, sv->cookie_len));
	t->deadline.fire = deadline_reached;
	loop_timer(up->loop, &t->deadline, deadline);
	if (!timer_running(&up->tidy))
		loop_timer(up->loop, &up->tidy, t->begun + DNS_TIDY_EVERY);

	bool written = dns_engine_start(sv->engine, t);

	if (t->ask.tcp)
		go_to_tcp(t);
	else if (!written)
		dns_udp_send(t);
	return OK;
}

void
dns_upstream_cancel(struct dns_upstream *up, struct dns_send *s)
{
	struct dns_transaction *t = s->t;

	if (t == NULL)
		return;

	struct dns_server *sv = t->server;
	mono_us now = loop_now(up->loop);

	/* Another server was quicker; this one has been silent for longer than it should. */
	if (t->over == DNS_OVER_NOT && now - t->begun >= rto_current(&sv->rto))
		dns_server_silent(sv, t, now);
	(void)detach(t);
}

void
dns_upstream_forget(struct dns_upstream *up)
{
	struct dns_server *sv;

	rand_bytes(up->rand, up->secret, sizeof(up->secret));
	LIST_FOREACH(sv, &up->servers, link) {
		(void)dns_udp_tidy(sv, 0, true);
		(void)dns_tcp_tidy(sv, 0, true);
		dns_server_forget(sv);
	}
}

unsigned
dns_upstream_inflight(const struct dns_upstream *up)
{
	return up->inflight;
}
