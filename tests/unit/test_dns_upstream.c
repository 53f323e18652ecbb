/* SPDX-License-Identifier: MIT */
/*
 * The upstream edge against a server in the same process and loop, over the real loopback. The
 * server answers and misbehaves by rules (tests/support/fakedns.h).
 */
#include "services/dns/dns_upstream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/rand.h"
#include "core/report.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "support/fakedns.h"
#include "support/unit.h"
#include "util/seal.h"

#define CONNS	 8
#define DELAYED	 8192
#define SEEN_MAX 8192

/* --- the server --------------------------------------------------------------------------------- */

struct fake_conn {
	struct loop_fd watch;	/* fd -1: free */
	struct fake *fake;
	uint8_t in[4096];
	size_t used;
	uint8_t *out;
	size_t out_len, out_at;
	bool split;
};

struct delayed {
	mono_us due;
	struct ask ask;
	struct how how;
	struct addr peer;
	struct fake_conn *conn;
};

struct fake {
	struct loop *loop;
	struct loop_fd udp, listener;
	int stranger;
	struct addr addr;
	struct zone *zone;
	struct fake_conn conns[CONNS];
	struct timer timer;
	struct delayed *delayed;
	size_t ndelayed;
	bool shuffle;		/* answers that are due go out in reverse order */
	size_t udp_seen, tcp_seen, accepted;
	uint16_t ports[SEEN_MAX], ids[SEEN_MAX];
	struct ask last;	/* the query that came last */
	uint8_t out[2 + FAKEDNS_MSG_MAX];
	size_t out_len;		/* of the answer that went last */
};

static void
fake_send_udp(struct fake *f, int fd, const struct addr *to, size_t len)
{
	(void)sendto(fd, f->out + 2, len, 0, &to->sa, addr_len(to));
}

static void
conn_close(struct fake_conn *c)
{
	loop_remove(c->fake->loop, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_at = c->used = 0;
}

static void
conn_flush(struct fake_conn *c)
{
	while (c->out_at < c->out_len) {
		ssize_t n = send(c->watch.fd, c->out + c->out_at,
		    c->split ? 1 : c->out_len - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			CU_ASSERT_EQUAL(loop_change(c->fake->loop, &c->watch, EPOLLIN | EPOLLOUT), OK);
			return;
		}
		if (n < 0) {
			conn_close(c);
			return;
		}
		c->out_at += (size_t)n;
	}
	CU_ASSERT_EQUAL(loop_change(c->fake->loop, &c->watch, EPOLLIN), OK);
}

static void
fake_answer(struct fake *f, const struct delayed *d)
{
	struct fake_conn *c = d->conn;

	if (c == NULL && d->how.noudp)
		return;
	if (c != NULL && c->watch.fd < 0)
		return;
	if (c != NULL && d->how.close) {
		conn_close(c);
		return;
	}
	f->out_len = zone_answer(f->zone, &d->ask, &d->how, f->out + 2);
	if (c == NULL) {
		fake_send_udp(f, f->udp.fd, &d->peer, f->out_len);
		return;
	}
	f->out[0] = (uint8_t)(f->out_len >> 8);
	f->out[1] = (uint8_t)f->out_len;
	c->out = realloc(c->out, c->out_len + f->out_len + 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->out);
	memcpy(c->out + c->out_len, f->out, f->out_len + 2);
	c->out_len += f->out_len + 2;
	c->split = d->how.split;
	conn_flush(c);
}

static void
fake_timer(struct timer *t, mono_us now)
{
	struct fake *f = (struct fake *)((char *)t - offsetof(struct fake, timer));

	for (size_t i = 0; i < f->ndelayed;) {
		size_t at = f->shuffle ? f->ndelayed - 1 - i : i;

		if (f->delayed[at].due > now) {
			i++;
			continue;
		}

		struct delayed d = f->delayed[at];

		f->delayed[at] = f->delayed[--f->ndelayed];
		fake_answer(f, &d);
	}
	if (f->ndelayed != 0)
		loop_timer(f->loop, t, now + millis(1));
}

static void
fake_query(struct fake *f, const uint8_t *bytes, size_t len, const struct addr *peer,
    struct fake_conn *c)
{
	struct delayed d = { .peer = *peer, .conn = c };

	CU_ASSERT_TRUE_FATAL(ask_parse(&d.ask, bytes, len));
	d.ask.tcp = c != NULL;
	f->last = d.ask;
	if (c == NULL && f->udp_seen < SEEN_MAX) {
		f->ports[f->udp_seen] = addr_port(peer);
		f->ids[f->udp_seen] = d.ask.id;
	}
	f->udp_seen += c == NULL;
	f->tcp_seen += c != NULL;
	if (!zone_decide(f->zone, &d.ask, &d.how))
		return;
	for (unsigned kind = 1; c == NULL && kind < 1U << FORGE_KINDS; kind <<= 1)
		if ((d.how.forge & kind) != 0)
			fake_send_udp(f, kind == FORGE_SOURCE ? f->stranger : f->udp.fd, peer,
			    zone_forge(&d.ask, kind, f->out + 2));
	if (d.how.delay_ms == 0) {
		fake_answer(f, &d);
		return;
	}
	d.due = loop_clock(f->loop) + millis(d.how.delay_ms);
	CU_ASSERT_TRUE_FATAL(f->ndelayed < DELAYED);
	f->delayed[f->ndelayed++] = d;
	loop_timer(f->loop, &f->timer, loop_now(f->loop) + millis(1));
}

static void
fake_udp_ready(struct loop_fd *w, uint32_t events)
{
	struct fake *f = (struct fake *)((char *)w - offsetof(struct fake, udp));
	uint8_t in[4096];

	(void)events;
	for (int i = 0; i < 64; i++) {
		struct addr peer;
		socklen_t peer_len = sizeof(peer);
		ssize_t n = recvfrom(w->fd, in, sizeof(in), 0, &peer.sa, &peer_len);

		if (n < 0)
			return;
		fake_query(f, in, (size_t)n, &peer, NULL);
	}
}

static void
fake_conn_ready(struct loop_fd *w, uint32_t events)
{
	struct fake_conn *c = (struct fake_conn *)w;
	size_t at = 0;
	struct addr nobody = { 0 };

	if ((events & EPOLLOUT) != 0)
		conn_flush(c);
	if (c->watch.fd < 0 || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;

	ssize_t n = recv(w->fd, c->in + c->used, sizeof(c->in) - c->used, 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			conn_close(c);
		return;
	}
	c->used += (size_t)n;
	while (c->watch.fd >= 0 && c->used - at >= 2) {
		size_t len = (size_t)c->in[at] << 8 | c->in[at + 1];

		if (c->used - at < len + 2)
			break;
		fake_query(c->fake, c->in + at + 2, len, &nobody, c);
		at += len + 2;
	}
	if (c->watch.fd < 0)
		return;
	memmove(c->in, c->in + at, c->used - at);
	c->used -= at;
}

static void
fake_accept(struct loop_fd *w, uint32_t events)
{
	struct fake *f = (struct fake *)((char *)w - offsetof(struct fake, listener));
	int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

	(void)events;
	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	f->accepted++;
	for (struct fake_conn *c = f->conns; c < f->conns + CONNS; c++)
		if (c->watch.fd < 0) {
			c->watch = (struct loop_fd){ .fd = fd, .ready = fake_conn_ready };
			c->fake = f;
			CU_ASSERT_EQUAL(loop_add(f->loop, &c->watch, EPOLLIN), OK);
			return;
		}
	close(fd);
}

static int
fake_socket(int type, const struct addr *at)
{
	int fd = socket(at->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), room = 1 << 22;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, &at->sa, addr_len(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
fake_bind(struct fake *f, bool tcp)
{
	for (int i = 0; i < 50; i++) {
		socklen_t len = sizeof(f->addr);

		CU_ASSERT_EQUAL(addr_parse(&f->addr, "127.0.0.1", 0), OK);
		f->listener.fd = fake_socket(SOCK_STREAM, &f->addr);
		CU_ASSERT_EQUAL(getsockname(f->listener.fd, &f->addr.sa, &len), 0);
		f->udp.fd = fake_socket(SOCK_DGRAM, &f->addr);
		if (f->udp.fd >= 0)
			break;
		close(f->listener.fd);
	}
	CU_ASSERT_TRUE_FATAL(f->udp.fd >= 0);
	CU_ASSERT_EQUAL(loop_add(f->loop, &f->udp, EPOLLIN), OK);
	if (!tcp)	/* bound but not listening: connections are refused, and nobody else gets it */
		return;
	CU_ASSERT_EQUAL(listen(f->listener.fd, 64), 0);
	CU_ASSERT_EQUAL(loop_add(f->loop, &f->listener, EPOLLIN), OK);
}

/* --- what every case has ------------------------------------------------------------------------ */

struct ctx {
	struct loop *loop;
	struct rand rand;
	struct log *log;
	struct dns_upstream *up;
	struct dns_server *sv;
	struct fake fake;
};

static struct ctx *
set_up(const char *rules, bool tcp, const struct dns_upstream_opts *opts)
{
	struct ctx *x = calloc(1, sizeof(*x));
	struct fake *f = &x->fake;
	struct addr any;
	char text[ADDR_TEXT_MAX];

	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	CU_ASSERT_EQUAL(seal_init(), OK);
	CU_ASSERT_EQUAL_FATAL(loop_new(&x->loop), OK);
	CU_ASSERT_EQUAL_FATAL(log_new(&x->log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT), OK);
	rand_init(&x->rand);
	f->loop = x->loop;
	f->udp.ready = fake_udp_ready;
	f->listener.ready = fake_accept;
	f->timer.fire = fake_timer;
	f->delayed = calloc(DELAYED, sizeof(*f->delayed));
	f->zone = zone_new();
	for (int i = 0; i < CONNS; i++)
		f->conns[i].watch.fd = -1;
	fake_bind(f, tcp);
	any = f->addr;
	addr_set_port(&any, 0);
	f->stranger = fake_socket(SOCK_DGRAM, &any);

	char *copy = strdup(rules), *save;
	const char *why;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		CU_ASSERT_TRUE_FATAL(zone_add(f->zone, line, &why));
	free(copy);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_new(&x->up, x->loop, &x->rand, x->log, opts), OK);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(x->up, &x->sv, addr_format(&f->addr, text), NULL), OK);
	return x;
}

static void
tear_down(struct ctx *x)
{
	struct fake *f = &x->fake;

	dns_upstream_free(x->up);
	for (int i = 0; i < CONNS; i++)
		if (f->conns[i].watch.fd >= 0)
			conn_close(&f->conns[i]);
	close(f->udp.fd);
	close(f->listener.fd);
	close(f->stranger);
	loop_timer_cancel(x->loop, &f->timer);
	zone_free(f->zone);
	free(f->delayed);
	log_free(x->log);
	rand_fini(&x->rand);
	loop_free(x->loop);
	free(x);
}

static void
rules_now(struct ctx *x, const char *rule)
{
	const char *why;

	zone_free(x->fake.zone);
	x->fake.zone = zone_new();
	CU_ASSERT_TRUE_FATAL(zone_add(x->fake.zone, rule, &why));
}

/* A send and what came of it. */
struct probe {
	struct dns_send send;
	unsigned calls;
	struct dns_reply reply;
	uint8_t answer[FAKEDNS_MSG_MAX];
};

static void
probe_done(struct dns_send *s, const struct dns_reply *r)
{
	struct probe *p = (struct probe *)s;

	p->calls++;
	p->reply = *r;
	if (r->answer.len != 0)
		memcpy(p->answer, r->answer.at, r->answer.len);
	p->reply.answer.at = p->answer;
}

static struct dns_send_ask
question(struct dns_name *name, const char *text, uint16_t type)
{
	CU_ASSERT_EQUAL_FATAL(dns_name_parse(name, span_str(text)), OK);
	return (struct dns_send_ask){ .name = dns_name_span(name), .type = type,
		.class = DNS_CLASS_IN, .rd = true };
}

static void
await(struct ctx *x, const unsigned *calls, unsigned want, usec patience)
{
	mono_us end = loop_clock(x->loop) + patience;

	while (*calls < want && loop_now(x->loop) < end)
		CU_ASSERT_EQUAL_FATAL(loop_turn(x->loop, end), OK);
}

/* Turn the loop for a while, to see that nothing more comes. */
static void
idle(struct ctx *x, usec span)
{
	unsigned never = 0;

	await(x, &never, 1, span);
}

/* Ask and wait for the end, which must come. */
static struct probe *
ask_for(struct ctx *x, const struct dns_send_ask *ask, usec patience)
{
	static struct probe p;

	p = (struct probe){ .send.done = probe_done };
	CU_ASSERT_EQUAL_FATAL(dns_upstream_send(x->up, x->sv, &p.send, ask,
	    loop_clock(x->loop) + patience), OK);
	CU_ASSERT_EQUAL(p.calls, 0);
	await(x, &p.calls, 1, patience + seconds(5));
	CU_ASSERT_EQUAL(p.calls, 1);
	CU_ASSERT_PTR_NULL(p.send.t);
	return &p;
}

static struct probe *
ask(struct ctx *x, const char *text, uint16_t type, usec patience)
{
	struct dns_name name;
	struct dns_send_ask q = question(&name, text, type);

	return ask_for(x, &q, patience);
}

/* The answer is the server's own, byte for byte. */
static void
expect_honest(struct ctx *x, const struct probe *p)
{
	static const uint8_t forged[] = { 203, 0, 113, 66 };

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_ANSWER);
	CU_ASSERT_EQUAL(p->reply.answer.len, x->fake.out_len);
	if (p->reply.answer.len == x->fake.out_len)
		CU_ASSERT_EQUAL(memcmp(p->answer, x->fake.out + 2, x->fake.out_len), 0);
	CU_ASSERT_PTR_NULL(memmem(p->answer, p->reply.answer.len, forged, sizeof(forged)));
}

static uint16_t
rcode(const struct probe *p)
{
	return dns_msg_flags(p->reply.answer) & DNS_FLAG_RCODE;
}

/* --- cases -------------------------------------------------------------------------------------- */

static void
an_answer_comes_back_as_it_was_sent(void)
{
	struct ctx *x = set_up("a.example A 192.0.2.1 ; delay=5\nt.example TYPE65280 \\# 2 c00c\n"
			       "no.example * NXDOMAIN\nbad.example * SERVFAIL", true, NULL);
	struct probe *p = ask(x, "A.exAMple", DNS_TYPE_A, seconds(2));

	expect_honest(x, p);
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_FALSE(p->reply.suspicious);
	CU_ASSERT_TRUE(p->reply.rtt >= millis(5));
	CU_ASSERT_TRUE(dns_server_rto(x->sv)->srtt >= millis(5));
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_UP);
	expect_honest(x, ask(x, "t.example", 65280, seconds(2)));
	p = ask(x, "no.example", DNS_TYPE_MX, seconds(2));
	expect_honest(x, p);
	CU_ASSERT_EQUAL(rcode(p), DNS_NXDOMAIN);
	p = ask(x, "bad.example", DNS_TYPE_MX, seconds(2));
	expect_honest(x, p);
	CU_ASSERT_EQUAL(rcode(p), DNS_SERVFAIL);
	CU_ASSERT_EQUAL(x->fake.udp_seen, 4);
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
	tear_down(x);
}

static void
flags_and_edns_are_what_was_asked_for(void)
{
	struct ctx *x = set_up("a.example A 192.0.2.1", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = question(&name, "a.example", DNS_TYPE_A);

	(void)ask_for(x, &q, seconds(2));
	CU_ASSERT_EQUAL(x->fake.last.flags, 0x0100);
	CU_ASSERT_TRUE(x->fake.last.edns);
	CU_ASSERT_FALSE(x->fake.last.dnssec_ok);
	CU_ASSERT_EQUAL(x->fake.last.udp_size, 1232);
	q.rd = false;
	q.cd = q.ad = q.dnssec_ok = true;
	(void)ask_for(x, &q, seconds(2));
	CU_ASSERT_EQUAL(x->fake.last.flags, 0x0030);
	CU_ASSERT_TRUE(x->fake.last.dnssec_ok);
	tear_down(x);
}

/* Names and types that c-ares might have opinions about. */
static void
odd_questions_are_asked_like_any_other(void)
{
	static const uint16_t types[] = { 0, 1, 41, 250, 255, 256, 32769, 65535 };
	struct ctx *x = set_up("* A 192.0.2.1", true, NULL);
	uint8_t odd[] = "\5a\0.\\b\1 \2\377\200";
	uint8_t longest[255];
	struct dns_send_ask q = { .class = DNS_CLASS_IN, .rd = true };

	for (size_t i = 0; i < 255; i++)
		longest[i] = i % 2 == 0 ? 1 : 'x';
	longest[254] = 0;

	const struct span names[] = { span_of("", 1), span_of(odd, sizeof(odd)),
		span_of(longest, sizeof(longest)) };

	for (size_t n = 0; n < 3; n++)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			q.name = names[n];
			q.type = types[i];
			q.class = (uint16_t)(i % 2 == 0 ? DNS_CLASS_IN : DNS_CLASS_CH);
			expect_honest(x, ask_for(x, &q, seconds(2)));
			CU_ASSERT_EQUAL(x->fake.last.type, types[i]);
			CU_ASSERT_EQUAL(x->fake.last.name_len, names[n].len);
		}
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
	q.name = span_of("\3abc", 4);
	struct probe p = { .send.done = probe_done };
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	q.name = span_of("\0\0", 2);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	q.name = span_of(NULL, 0);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	tear_down(x);
}

static void
silence_ends_with_the_deadline(void)
{
	struct ctx *x = set_up("* * DROP", true, NULL);
	mono_us begun = loop_clock(x->loop);
	struct probe *p = ask(x, "a.example", DNS_TYPE_A, millis(60));

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	CU_ASSERT_TRUE(loop_clock(x->loop) - begun >= millis(60));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->timeouts, 1);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_SILENT);
	CU_ASSERT_EQUAL(dns_server_outstanding(x->sv), 0);
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	tear_down(x);
}

static void
a_closed_port_is_told_long_before_the_deadline(void)
{
	struct ctx *x = set_up("* A 192.0.2.1", true, NULL);
	mono_us begun = loop_clock(x->loop);

	loop_remove(x->loop, &x->fake.udp);
	close(x->fake.udp.fd);

	struct probe *p = ask(x, "a.example", DNS_TYPE_A, seconds(20));

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_UNREACHABLE);
	CU_ASSERT_TRUE(loop_clock(x->loop) - begun < seconds(10));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->unreachable, 1);
	x->fake.udp.fd = dup(x->fake.stranger);
	tear_down(x);
}

static void
forgeries_never_win_and_never_fail_a_query(void)
{
	static const char *const kinds[FORGE_KINDS] = { "id", "question", "case", "none", "two",
		"source", "query", "opcode", "short", "empty", "loop", "class" };
	char rules[2048];
	size_t at = 0;

	/* Half of them also get the honest answer by UDP in the end, the other half only by TCP. */
	for (int i = 0; i < FORGE_KINDS; i++)
		at += (size_t)snprintf(rules + at, sizeof(rules) - at,
		    "a-%s.example A 192.0.2.1 ; forge=%s delay=20\n"
		    "b-%s.example A 192.0.2.1 ; forge=%s noudp delay=20\n",
		    kinds[i], kinds[i], kinds[i], kinds[i]);

	struct ctx *x = set_up(rules, true, NULL);
	const struct dns_server_stats *st = dns_server_stats(x->sv);

	for (int i = 0; i < FORGE_KINDS; i++) {
		char name[64];
		bool other = strcmp(kinds[i], "source") == 0;
		size_t tcp_before = x->fake.tcp_seen;

		dns_upstream_forget(x->up);	/* what was learnt from one is not for the next */
		snprintf(name, sizeof(name), "a-%s.example", kinds[i]);

		struct probe *p = ask(x, name, DNS_TYPE_A, seconds(5));

		expect_honest(x, p);
		/* A connected socket does not even hear strangers; the rest makes us ask by TCP. */
		CU_ASSERT_EQUAL(p->reply.suspicious, !other);
		idle(x, millis(40));
		CU_ASSERT_EQUAL(x->fake.tcp_seen, tcp_before + !other);
		if (other)
			continue;
		snprintf(name, sizeof(name), "b-%s.example", kinds[i]);
		p = ask(x, name, DNS_TYPE_A, seconds(5));
		expect_honest(x, p);
		CU_ASSERT_TRUE(p->reply.tcp);
	}
	CU_ASSERT_EQUAL(st->tcp_on_suspicion, 2 * (FORGE_KINDS - 1));
	CU_ASSERT_EQUAL(st->mismatch_id, 2);
	CU_ASSERT_EQUAL(st->mismatch_case, 2);
	CU_ASSERT_EQUAL(st->mismatch_question, 2 * 5);	/* question, none, two, loop, class */
	CU_ASSERT_EQUAL(st->malformed, 2 * 4);		/* query, opcode, short, empty */
	CU_ASSERT_EQUAL(st->timeouts + st->unreachable, 0);
	tear_down(x);
}

static void
junk_and_no_tcp_still_waits_for_the_answer(void)
{
	struct ctx *x = set_up("a.example A 192.0.2.1 ; forge=id forge=none forge=empty delay=60\n"
			       "b.example A 192.0.2.1 ; forge=id noudp", false, NULL);
	struct probe *p = ask(x, "a.example", DNS_TYPE_A, seconds(5));

	expect_honest(x, p);
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_TRUE(p->reply.suspicious);
	p = ask(x, "b.example", DNS_TYPE_A, millis(100));
	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	tear_down(x);
}

static void
truncated_answers_come_over_tcp_in_whatever_pieces(void)
{
	struct ctx *x = set_up("cut.example A 192.0.2.1 ; tc split\nbig.example TXT big 60000\n"
			       "most.example TXT big 64900", true, NULL);
	struct probe *p = ask(x, "cut.example", DNS_TYPE_A, seconds(5));

	expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.tcp);
	p = ask(x, "big.example", DNS_TYPE_TXT, seconds(5));
	expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.answer.len > 60000);
	expect_honest(x, ask(x, "most.example", DNS_TYPE_TXT, seconds(5)));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->truncated, 3);
	CU_ASSERT_EQUAL(x->fake.accepted, 1);	/* one connection for all */
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->tcp_connects, 1);
	tear_down(x);
}

static void
truncated_and_no_tcp_is_unreachable(void)
{
	struct ctx *x = set_up("cut.example A 192.0.2.1 ; tc", false, NULL);

	CU_ASSERT_EQUAL(ask(x, "cut.example", DNS_TYPE_A, seconds(5))->reply.result,
	    DNS_SEND_UNREACHABLE);
	tear_down(x);
}

static void
tcp_is_used_where_it_was_asked_for(void)
{
	struct ctx *x = set_up("a.example A 192.0.2.1", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = question(&name, "a.example", DNS_TYPE_A);
	struct dns_server *by_udp = x->sv;
	char spec[ADDR_TEXT_MAX + 8] = "tcp://", text[ADDR_TEXT_MAX];

	q.tcp = true;
	expect_honest(x, ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 0);
	q.tcp = false;
	strcat(spec, addr_format(&x->fake.addr, text));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, spec, NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(x->sv, by_udp);
	CU_ASSERT_STRING_EQUAL(dns_server_text(x->sv), spec);
	expect_honest(x, ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 0);
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 2);
	tear_down(x);
}

static void
a_connection_that_was_closed_is_opened_again(void)
{
	struct ctx *x = set_up("a.example A 192.0.2.1\nb.example A 192.0.2.1 ; close", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = question(&name, "a.example", DNS_TYPE_A);

	q.tcp = true;
	expect_honest(x, ask_for(x, &q, seconds(5)));
	for (int i = 0; i < CONNS; i++)
		if (x->fake.conns[i].watch.fd >= 0)
			conn_close(&x->fake.conns[i]);
	/* Whether or not the end is seen before the query is written, it is answered. */
	expect_honest(x, ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.accepted, 2);
	/* A server that hangs up on the query itself: asked twice at most. */
	q = question(&name, "b.example", DNS_TYPE_A);
	q.tcp = true;
	CU_ASSERT_EQUAL(ask_for(x, &q, seconds(5))->reply.result, DNS_SEND_UNREACHABLE);
	CU_ASSERT_TRUE(x->fake.tcp_seen <= 4);
	tear_down(x);
}

static void
a_server_without_edns_is_asked_without(void)
{
	static const char *const ways[] = { "noedns", "formerr12" };

	for (int i = 0; i < 2; i++) {
		char rule[64];

		snprintf(rule, sizeof(rule), "*.example A 192.0.2.1 ; %s", ways[i]);

		struct ctx *x = set_up(rule, true, NULL);
		struct probe *p = ask(x, "a.example", DNS_TYPE_A, seconds(5));

		expect_honest(x, p);
		CU_ASSERT_EQUAL(rcode(p), DNS_NOERROR);
		CU_ASSERT_EQUAL(x->fake.udp_seen, 2);
		expect_honest(x, ask(x, "b.example", DNS_TYPE_A, seconds(5)));
		CU_ASSERT_EQUAL(x->fake.udp_seen, 3);	/* it was remembered, */
		dns_upstream_forget(x->up);		/* and can be forgotten */
		expect_honest(x, ask(x, "c.example", DNS_TYPE_A, seconds(5)));
		CU_ASSERT_EQUAL(x->fake.udp_seen, 5);
		CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
		CU_ASSERT_EQUAL(dns_server_stats(x->sv)->no_edns, 2);
		tear_down(x);
	}
}

static bool
has_upper(const struct ask *a)
{
	for (const char *p = a->text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			return true;
	return false;
}

static void
a_server_that_changes_the_letter_case_is_tolerated(void)
{
	static const char name[] = "a-name-with-many-letters.example";

	for (int tcp = 0; tcp < 2; tcp++) {
		struct ctx *x = set_up("*.example A 192.0.2.1 ; lower", tcp != 0, NULL);

		expect_honest(x, ask(x, name, DNS_TYPE_A, seconds(5)));
		/* With TCP that was one answer over TCP; without, a second query in lower case. */
		CU_ASSERT_EQUAL(x->fake.tcp_seen, (size_t)tcp);
		CU_ASSERT_EQUAL(x->fake.udp_seen, tcp != 0 ? 1 : 2);
		expect_honest(x, ask(x, name, DNS_TYPE_A, seconds(5)));
		CU_ASSERT_FALSE(has_upper(&x->fake.last));
		CU_ASSERT_EQUAL(x->fake.tcp_seen, (size_t)tcp);
		CU_ASSERT_EQUAL(dns_server_stats(x->sv)->mismatch_case, tcp != 0 ? 2 : 1);
		tear_down(x);
	}
}

static void
the_letter_case_is_mixed_at_random_unless_switched_off(void)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz.example";
	struct ctx *x = set_up("*.example A 192.0.2.1", true, NULL);
	char first[1024];

	(void)ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_TRUE(has_upper(&x->fake.last));
	snprintf(first, sizeof(first), "%s", x->fake.last.text);
	(void)ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_STRING_NOT_EQUAL(first, x->fake.last.text);
	tear_down(x);
	x = set_up("*.example A 192.0.2.1", true, &(struct dns_upstream_opts){ .no_case = true });
	(void)ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_STRING_EQUAL(name, x->fake.last.text);
	tear_down(x);
}

static void
cookies_are_learnt_sent_and_insisted_on(void)
{
	struct ctx *x = set_up("good.example A 192.0.2.1 ; cookie\nstrict.example A 192.0.2.2 ; badcookie\n"
			       "wrong.example A 192.0.2.3 ; wrongcookie\nnone.example A 192.0.2.4", true,
	    NULL);
	const struct dns_server_stats *st = dns_server_stats(x->sv);

	expect_honest(x, ask(x, "strict.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 2);	/* BADCOOKIE, and once more with the cookie it gave */
	CU_ASSERT_EQUAL(x->fake.last.cookie_len, 16);
	expect_honest(x, ask(x, "good.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.last.cookie_len, 16);
	CU_ASSERT_EQUAL(st->bad_cookie, 0);
	/* A cookie that is not ours is a forgery, no cookie at all may be one: TCP decides. */
	struct probe *p = ask(x, "none.example", DNS_TYPE_A, seconds(5));

	expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.tcp);
	CU_ASSERT_EQUAL(st->bad_cookie, 1);
	p = ask(x, "none.example", DNS_TYPE_A, seconds(5));
	CU_ASSERT_FALSE(p->reply.tcp);
	dns_upstream_forget(x->up);
	p = ask(x, "wrong.example", DNS_TYPE_A, millis(300));
	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	CU_ASSERT_TRUE(st->bad_cookie >= 2);
	tear_down(x);
}

static void
ports_and_ids_are_fresh_and_random(void)
{
	enum { N = 1000 };
	struct ctx *x = set_up("*.example A 192.0.2.1", true, NULL);
	static bool port_seen[65536];
	unsigned ports = 0, bins[16] = { 0 }, low_bins[16] = { 0 };
	double chi = 0, low_chi = 0;

	memset(port_seen, 0, sizeof(port_seen));
	for (int i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		expect_honest(x, ask(x, name, DNS_TYPE_A, seconds(5)));
	}
	CU_ASSERT_EQUAL_FATAL(x->fake.udp_seen, N);
	for (int i = 0; i < N; i++) {
		ports += !port_seen[x->fake.ports[i]];
		port_seen[x->fake.ports[i]] = true;
		bins[x->fake.ids[i] >> 12]++;
		low_bins[x->fake.ids[i] & 15]++;
	}
	for (int i = 0; i < 16; i++) {
		double off = bins[i] - N / 16.0, low_off = low_bins[i] - N / 16.0;

		chi += off * off / (N / 16.0);
		low_chi += low_off * low_off / (N / 16.0);
	}
	/* 15 degrees of freedom: 60 is exceeded by chance once in four million runs. */
	CU_ASSERT_TRUE(chi < 60 && low_chi < 60);
	CU_ASSERT_TRUE(ports >= 950);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->ports_fresh, N);
	tear_down(x);
}

/* --- many at once --------------------------------------------------------------------------------- */

struct many {
	struct dns_send send;
	struct crowd *crowd;
	unsigned index;
	unsigned calls;
	bool answered;
};

struct crowd {
	struct ctx *x;
	struct many *all;
	unsigned n;
	unsigned ended;
	bool cancel_others;	/* each one that ends cancels the next that waits */
	unsigned cancelled;
};

static void
many_done(struct dns_send *s, const struct dns_reply *r)
{
	struct many *m = (struct many *)s;
	struct crowd *c = m->crowd;
	char want[16], text[DNS_NAME_TEXT_MAX];

	m->calls++;
	m->answered = r->result == DNS_SEND_ANSWER;
	c->ended++;
	if (m->answered) {
		struct span name = dns_name_at(span_of(r->answer.at + DNS_HEADER_BYTES,
		    r->answer.len - DNS_HEADER_BYTES));

		snprintf(want, sizeof(want), "n%u.example", m->index);
		CU_ASSERT_EQUAL(strcasecmp(dns_name_format(name, text), want), 0);
	}
	for (unsigned i = m->index + 1; c->cancel_others && i < c->n; i++)
		if (c->all[i].send.t != NULL) {
			dns_upstream_cancel(c->x->up, &c->all[i].send);
			CU_ASSERT_PTR_NULL(c->all[i].send.t);
			c->cancelled++;
			c->ended++;
			break;
		}
}

static void
crowd_send(struct crowd *c, struct ctx *x, unsigned n, usec patience)
{
	*c = (struct crowd){ .x = x, .n = n, .all = calloc(n, sizeof(struct many)),
		.cancel_others = c->cancel_others };
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->all);
	for (unsigned i = 0; i < n; i++) {
		struct dns_name name;
		char text[32];

		snprintf(text, sizeof(text), "n%u.example", i);

		struct dns_send_ask q = question(&name, text, DNS_TYPE_A);

		c->all[i] = (struct many){ .send.done = many_done, .crowd = c, .index = i };
		CU_ASSERT_EQUAL_FATAL(dns_upstream_send(x->up, x->sv, &c->all[i].send, &q,
		    loop_clock(x->loop) + patience), OK);
	}
}

static void
thousands_at_once_each_get_their_own_answer(void)
{
	enum { N = 3000 };
	struct ctx *x = set_up("*.example A 192.0.2.1 ; delay=30", true, NULL);
	struct crowd c = { 0 };

	x->fake.shuffle = true;
	crowd_send(&c, x, N, seconds(10));
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), N);
	await(x, &c.ended, N, seconds(10));
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_TRUE(c.all[i].calls == 1 && c.all[i].answered);

	const struct dns_server_stats *st = dns_server_stats(x->sv);

	CU_ASSERT_EQUAL(st->ports_fresh, 512);
	CU_ASSERT_EQUAL(st->ports_fresh + st->ports_pooled, N);
	CU_ASSERT_EQUAL(st->mismatch_id + st->tcp_on_suspicion, 0);
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	free(c.all);
	tear_down(x);
}

static void
shared_sockets_have_many_ports_and_do_not_last(void)
{
	enum { N = 3000 };
	struct ctx *x = set_up("*.example A 192.0.2.1", true,
	    &(struct dns_upstream_opts){ .fresh_max = 1, .fresh_rate = 1 });
	struct crowd c = { 0 };
	static bool port_seen[65536];
	unsigned ports = 0;

	memset(port_seen, 0, sizeof(port_seen));
	for (int round = 0; round < 8; round++) {
		x->fake.udp_seen = 0;
		crowd_send(&c, x, N, seconds(10));
		await(x, &c.ended, N, seconds(10));
		CU_ASSERT_EQUAL(c.ended, N);
		free(c.all);
		for (unsigned i = 0; i < N; i++) {
			ports += !port_seen[x->fake.ports[i]];
			port_seen[x->fake.ports[i]] = true;
		}
	}
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers, 8 * N);
	/* 64 sockets, each replaced after 256 of its sends. */
	CU_ASSERT_TRUE(ports > 64 + 8 * N / 256 / 2);
	tear_down(x);
}

static void
a_forgery_on_a_shared_socket_or_a_late_answer_harms_nobody(void)
{
	enum { N = 400 };
	struct ctx *x = set_up("*.example A 192.0.2.1 ; forge=id delay=150", true,
	    &(struct dns_upstream_opts){ .fresh_max = 1, .fresh_rate = 1 });
	const struct dns_server_stats *st = dns_server_stats(x->sv);
	struct crowd c = { 0 };

	crowd_send(&c, x, N, seconds(10));
	await(x, &c.ended, N, seconds(10));
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_TRUE(c.all[i].calls == 1 && c.all[i].answered);
	CU_ASSERT_TRUE(st->mismatch_id >= N);
	CU_ASSERT_TRUE(st->tcp_on_suspicion >= N - 1);
	free(c.all);
	tear_down(x);

	/* Answers to queries that were given up are late, not forged: TCP is not bothered. */
	x = set_up("*.example A 192.0.2.1 ; delay=100", true,
	    &(struct dns_upstream_opts){ .fresh_max = 1, .fresh_rate = 1 });
	st = dns_server_stats(x->sv);
	crowd_send(&c, x, N, millis(50));
	await(x, &c.ended, N, seconds(10));
	free(c.all);
	idle(x, millis(200));
	CU_ASSERT_EQUAL(st->timeouts, N);
	CU_ASSERT_TRUE(st->late >= N / 2);
	CU_ASSERT_EQUAL(st->tcp_on_suspicion, 0);
	tear_down(x);
}

static void
everything_ends_once_under_loss_junk_and_cancelling(void)
{
	enum { N = 600 };
	char rules[4096];
	size_t at = 0;
	static const char *const how[] = { "delay=20", "tc", "forge=id delay=30", "forge=case noudp",
		"tc split delay=10", "noedns", "cookie", "lower", "tc close", "forge=none forge=empty" };
	uint64_t rnd = unit_seed(11);

	for (unsigned i = 0; i < 10; i++)
		at += (size_t)snprintf(rules + at, sizeof(rules) - at,
		    "*%u.example A 192.0.2.1 ; %s%s\n", i, how[i],
		    unit_random(&rnd) % 3 == 0 ? " drop=20" : "");

	struct ctx *x = set_up(rules, true, NULL);
	struct crowd c = { .cancel_others = true };

	for (int round = 0; round < 4; round++) {
		crowd_send(&c, x, N, millis(700));
		await(x, &c.ended, N, seconds(20));
		CU_ASSERT_EQUAL(c.ended, N);
		CU_ASSERT_TRUE(c.cancelled > 0);
		for (unsigned i = 0; i < N; i++)
			CU_ASSERT_TRUE(c.all[i].calls <= 1 && c.all[i].send.t == NULL);
		free(c.all);
	}
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	tear_down(x);
}

static void
the_cap_on_sends_in_flight_holds(void)
{
	struct ctx *x = set_up("* * DROP", true, &(struct dns_upstream_opts){ .inflight_max = 10 });
	struct crowd c = { 0 };
	struct probe p = { .send.done = probe_done };
	struct dns_name name;
	struct dns_send_ask q = question(&name, "a.example", DNS_TYPE_A);

	crowd_send(&c, x, 10, seconds(10));
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FULL);
	CU_ASSERT_PTR_NULL(p.send.t);
	dns_upstream_cancel(x->up, &p.send);	/* harmless */
	dns_upstream_cancel(x->up, &c.all[3].send);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, loop_clock(x->loop) + millis(20)), OK);
	await(x, &p.calls, 1, seconds(5));
	CU_ASSERT_EQUAL(p.reply.result, DNS_SEND_TIMEOUT);
	tear_down(x);	/* nine still wait: they are dropped without a call */
	CU_ASSERT_EQUAL(c.ended, 0);
	free(c.all);
}

/* --- servers -------------------------------------------------------------------------------------- */

static void
servers_are_held_dropped_and_found_again(void)
{
	struct ctx *x = set_up("*.example A 192.0.2.1 ; delay=40", true, NULL);
	struct dns_server *again, *other;
	struct crowd c = { 0 };
	char text[ADDR_TEXT_MAX];

	expect_honest(x, ask(x, "n0.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &again, addr_format(&x->fake.addr, text), NULL), OK);
	CU_ASSERT_PTR_EQUAL(again, x->sv);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &other, text,
	    &(struct dns_server_opts){ .interface = "lo" }), OK);
	CU_ASSERT_PTR_NOT_EQUAL(other, x->sv);
	dns_upstream_drop(x->up, other);
	dns_upstream_drop(x->up, again);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers, 1);
	/* Without a hold: what is under way still ends with its answer. */
	crowd_send(&c, x, 100, seconds(5));
	dns_upstream_drop(x->up, x->sv);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &again, text, NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(again, x->sv);
	await(x, &c.ended, 100, seconds(5));
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_TRUE(c.all[i].answered);
	free(c.all);
	x->sv = again;
	expect_honest(x, ask(x, "n0.example", DNS_TYPE_A, seconds(5)));
	tear_down(x);
}

static void
server_names_are_checked(void)
{
	static const struct {
		const char *spec;
		enum err want;
	} specs[] = { { "9.9.9.9", OK }, { "9.9.9.9:5353", OK }, { "2620:fe::fe", OK },
		{ "[2620:fe::fe]:53", OK }, { "fe80::1%lo", OK }, { "udp://9.9.9.9", OK },
		{ "TCP://9.9.9.9", OK }, { "dns.example", ERR_FORMAT }, { "", ERR_FORMAT },
		{ "9.9.9.9:0", ERR_RANGE }, { "9.9.9.9:65536", ERR_RANGE }, { "0.0.0.0", ERR_RANGE },
		{ "::", ERR_RANGE }, { "224.0.0.1", ERR_RANGE }, { "doq://9.9.9.9", ERR_UNSUPPORTED },
		{ "fe80::1%nosuchif0", ERR_NOTFOUND }, { "tcp://", ERR_FORMAT } };
	struct ctx *x = set_up("* * DROP", true, NULL);
	struct addr v6;

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct dns_server *sv = NULL;

		CU_ASSERT_EQUAL(dns_upstream_add(x->up, &sv, specs[i].spec, NULL), specs[i].want);
		CU_ASSERT_EQUAL(sv != NULL, specs[i].want == OK);
	}
	CU_ASSERT_EQUAL(addr_parse(&v6, "::1", 0), OK);

	struct dns_server *sv;

	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &sv, "9.9.9.9",
	    &(struct dns_server_opts){ .source = &v6 }), ERR_RANGE);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &sv, "9.9.9.9",
	    &(struct dns_server_opts){ .interface = "a-name-that-is-too-long" }), ERR_RANGE);
	tear_down(x);
}

static void
queries_leave_from_the_wanted_address(void)
{
	struct ctx *x = set_up("*.example A 192.0.2.1", true, NULL);
	struct addr source;
	char text[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL(addr_parse(&source, "127.0.0.9:77", 0), OK);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, addr_format(&x->fake.addr, text),
	    &(struct dns_server_opts){ .source = &source, .interface = "lo" }), OK);
	expect_honest(x, ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	/* An address that is not ours: nothing can be sent, and that is told, not crashed on. */
	CU_ASSERT_EQUAL(addr_parse(&source, "192.0.2.99", 0), OK);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, text,
	    &(struct dns_server_opts){ .source = &source }), OK);
	CU_ASSERT_EQUAL(ask(x, "a.example", DNS_TYPE_A, seconds(5))->reply.result,
	    DNS_SEND_UNREACHABLE);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, text,
	    &(struct dns_server_opts){ .interface = "nosuchif0" }), OK);
	CU_ASSERT_EQUAL(ask(x, "a.example", DNS_TYPE_A, seconds(5))->reply.result,
	    DNS_SEND_UNREACHABLE);
	tear_down(x);
}

static void
a_server_that_is_down_is_probed_and_comes_back(void)
{
	struct ctx *x = set_up("* * DROP", true, NULL);
	mono_us end = loop_clock(x->loop) + seconds(20);

	while (dns_server_state(x->sv) != DNS_SERVER_DOWN && loop_now(x->loop) < end)
		(void)ask(x, "a.example", DNS_TYPE_A, millis(100));
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_DOWN);
	/* Nobody asks any more; it is tried all the same, with the question that went unanswered. */
	rules_now(x, "a.example A 192.0.2.1");
	while (dns_server_state(x->sv) != DNS_SERVER_UP && loop_now(x->loop) < end)
		CU_ASSERT_EQUAL_FATAL(loop_turn(x->loop, end), OK);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_UP);
	CU_ASSERT_TRUE(dns_server_stats(x->sv)->probes >= 1);
	CU_ASSERT_EQUAL(strcasecmp(x->fake.last.text, "a.example"), 0);
	tear_down(x);
}

static void
a_slow_server_that_lost_the_race_counts_as_silent(void)
{
	struct ctx *x = set_up("* * DROP", true, NULL);
	struct probe p = { .send.done = probe_done };
	struct dns_name name;
	struct dns_send_ask q = question(&name, "a.example", DNS_TYPE_A);

	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q,
	    loop_clock(x->loop) + seconds(9)), OK);
	idle(x, millis(10));
	dns_upstream_cancel(x->up, &p.send);	/* too early to say anything about it */
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_NEW);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q,
	    loop_clock(x->loop) + seconds(9)), OK);
	idle(x, millis(400));
	dns_upstream_cancel(x->up, &p.send);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_SILENT);
	CU_ASSERT_EQUAL(p.calls, 0);
	tear_down(x);
}

UNIT_MAIN("dns_upstream", UNIT(an_answer_comes_back_as_it_was_sent),
    UNIT(flags_and_edns_are_what_was_asked_for), UNIT(odd_questions_are_asked_like_any_other),
    UNIT(silence_ends_with_the_deadline), UNIT(a_closed_port_is_told_long_before_the_deadline),
    UNIT(forgeries_never_win_and_never_fail_a_query),
    UNIT(junk_and_no_tcp_still_waits_for_the_answer),
    UNIT(truncated_answers_come_over_tcp_in_whatever_pieces),
    UNIT(truncated_and_no_tcp_is_unreachable), UNIT(tcp_is_used_where_it_was_asked_for),
    UNIT(a_connection_that_was_closed_is_opened_again),
    UNIT(a_server_without_edns_is_asked_without),
    UNIT(a_server_that_changes_the_letter_case_is_tolerated),
    UNIT(the_letter_case_is_mixed_at_random_unless_switched_off),
    UNIT(cookies_are_learnt_sent_and_insisted_on), UNIT(ports_and_ids_are_fresh_and_random),
    UNIT(thousands_at_once_each_get_their_own_answer),
    UNIT(shared_sockets_have_many_ports_and_do_not_last),
    UNIT(a_forgery_on_a_shared_socket_or_a_late_answer_harms_nobody),
    UNIT(everything_ends_once_under_loss_junk_and_cancelling),
    UNIT(the_cap_on_sends_in_flight_holds), UNIT(servers_are_held_dropped_and_found_again),
    UNIT(server_names_are_checked), UNIT(queries_leave_from_the_wanted_address),
    UNIT(a_server_that_is_down_is_probed_and_comes_back),
    UNIT(a_slow_server_that_lost_the_race_counts_as_silent))
