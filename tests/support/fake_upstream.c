/* SPDX-License-Identifier: MIT */
#include "support/fake_upstream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/dns/dns_msg.h"
#include "support/unit.h"
#include "util/seal.h"

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
			CU_ASSERT_EQUAL(loop_change(c->fake->loop, &c->watch, EPOLLIN | EPOLLOUT),
					OK);
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

/* Write the answer behind two bytes of *out, which may move; gives its length. */
static size_t
fake_write(struct fake *f, const struct fake_delayed *d, uint8_t **out)
{
	struct how cut = d->how;

	f->out_len = zone_answer(f->zone, &d->ask, &d->how, f->out + 2);
	if (d->crypt == NULL)
		return f->out_len;
	/* Over UDP a response is no longer than its query. */
	if (d->conn == NULL && f->out_len + d->crypt->pad + 48 > d->sealed.query_len) {
		cut.tc = true;
		f->out_len = zone_answer(f->zone, &d->ask, &cut, f->out + 2);
	}
	*out = f->sealed;
	return fake_crypt_seal(d->crypt, &d->sealed, span_of(f->out + 2, f->out_len), *out + 2);
}

static void
fake_answer(struct fake *f, const struct fake_delayed *d)
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

	uint8_t *out = f->out;
	size_t len = fake_write(f, d, &out);

	if (c == NULL) {
		for (int i = 0; i < 1 + f->twice; i++)
			(void)sendto(f->udp.fd, out + 2, len, 0, &d->peer.sa, addr_len(&d->peer));
		return;
	}
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	c->out = realloc(c->out, c->out_len + len + 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->out);
	memcpy(c->out + c->out_len, out, len + 2);
	c->out_len += len + 2;
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

		struct fake_delayed d = f->delayed[at];

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
	struct fake_delayed d = {.peer = *peer, .conn = c};

	uint8_t plain[4096];
	struct span query = span_of(bytes, len);

	CU_ASSERT_TRUE_FATAL(len <= sizeof(plain));
	if (f->crypt != NULL && fake_crypt_open(f->crypt, &d.sealed, query, plain, &query))
		d.crypt = f->crypt;
	else if (f->crypt_old != NULL &&
		 fake_crypt_open(f->crypt_old, &d.sealed, query, plain, &query))
		d.crypt = f->crypt_old;
	f->crypt_seen += d.crypt != NULL;
	CU_ASSERT_TRUE_FATAL(ask_parse(&d.ask, query.at, query.len));
	d.ask.tcp = c != NULL;
	f->last = d.ask;
	if (c == NULL && f->udp_seen < FAKE_SEEN_MAX) {
		f->ports[f->udp_seen] = addr_port(peer);
		f->ids[f->udp_seen] = d.ask.id;
	}
	f->udp_seen += c == NULL;
	f->tcp_seen += c != NULL;
	if (!zone_decide(f->zone, &d.ask, &d.how))
		return;
	if (f->cross && c == NULL) {
		if (f->udp_seen == 1) {
			f->first = d;
			return;
		}

		struct addr first_peer = f->first.peer;

		f->first.peer = d.peer;
		fake_answer(f, &f->first);
		d.peer = first_peer;
		fake_answer(f, &d);
		return;
	}
	for (unsigned kind = 1; c == NULL && kind < 1U << FORGE_KINDS; kind <<= 1)
		if ((d.how.forge & kind) != 0)
			fake_send_udp(f, kind == FORGE_SOURCE ? f->stranger : f->udp.fd, peer,
				      zone_forge(&d.ask, kind, f->out + 2));
	if (d.how.delay_ms == 0) {
		fake_answer(f, &d);
		return;
	}
	d.due = loop_clock(f->loop) + millis(d.how.delay_ms);
	CU_ASSERT_TRUE_FATAL(f->ndelayed < FAKE_DELAYED);
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
	struct addr nobody = {0};

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
	for (struct fake_conn *c = f->conns; c < f->conns + FAKE_CONNS; c++)
		if (c->watch.fd < 0) {
			c->watch = (struct loop_fd){.fd = fd, .ready = fake_conn_ready};
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
	if (!tcp) /* bound but not listening: connections are refused, and nobody else gets it */
		return;
	CU_ASSERT_EQUAL(listen(f->listener.fd, 64), 0);
	CU_ASSERT_EQUAL(loop_add(f->loop, &f->listener, EPOLLIN), OK);
}

struct fake_upstream *
fake_upstream_new(const char *rules, bool tcp, const struct dns_upstream_opts *opts)
{
	struct fake_upstream *x = calloc(1, sizeof(*x));
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
	f->delayed = calloc(FAKE_DELAYED, sizeof(*f->delayed));
	f->zone = zone_new();
	for (int i = 0; i < FAKE_CONNS; i++)
		f->conns[i].watch.fd = -1;
	fake_bind(f, tcp);
	any = f->addr;
	addr_set_port(&any, 0);
	f->stranger = fake_socket(SOCK_DGRAM, &any);

	char *copy = strdup(rules), *save;
	const char *why;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		CU_ASSERT_TRUE_FATAL(zone_add(f->zone, line, &why));
	free(copy);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_new(&x->up, x->loop, &x->rand, x->log, opts), OK);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(x->up, &x->sv, addr_format(&f->addr, text), NULL),
			      OK);
	return x;
}

void
fake_upstream_free(struct fake_upstream *x)
{
	struct fake *f = &x->fake;

	dns_upstream_free(x->up);
	fake_upstream_hang_up(x);
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

void
fake_upstream_rule(struct fake_upstream *x, const char *rule)
{
	const char *why;

	zone_free(x->fake.zone);
	x->fake.zone = zone_new();
	CU_ASSERT_TRUE_FATAL(zone_add(x->fake.zone, rule, &why));
}

void
fake_upstream_hang_up(struct fake_upstream *x)
{
	for (struct fake_conn *c = x->fake.conns; c < x->fake.conns + FAKE_CONNS; c++)
		if (c->watch.fd >= 0)
			conn_close(c);
}

void
fake_upstream_await(struct fake_upstream *x, const unsigned *calls, unsigned want, usec patience)
{
	mono_us end = loop_clock(x->loop) + patience;

	while (*calls < want && loop_now(x->loop) < end)
		CU_ASSERT_EQUAL_FATAL(loop_turn(x->loop, end), OK);
}

/* --- asking ----------------------------------------------------------------------------------- */

void
fake_send_done(struct dns_send *s, const struct dns_reply *r)
{
	struct fake_send *p = (struct fake_send *)s;

	p->calls++;
	p->reply = *r;
	if (r->answer.len != 0)
		memcpy(p->answer, r->answer.at, r->answer.len);
	p->reply.answer.at = p->answer;
}

struct dns_send_ask
fake_question(struct dns_name *name, const char *text, uint16_t type)
{
	CU_ASSERT_EQUAL_FATAL(dns_name_parse(name, span_str(text)), OK);
	return (struct dns_send_ask){
	    .name = dns_name_span(name), .type = type, .class = DNS_CLASS_IN, .rd = true};
}

/* Turn the loop for a while, to see that nothing more comes. */
void
fake_upstream_idle(struct fake_upstream *x, usec span)
{
	unsigned never = 0;

	fake_upstream_await(x, &never, 1, span);
}

/* Ask and wait for the end, which must come. */
struct fake_send *
fake_ask_for(struct fake_upstream *x, const struct dns_send_ask *ask, usec patience)
{
	static struct fake_send p;

	p = (struct fake_send){.send.done = fake_send_done};
	CU_ASSERT_EQUAL_FATAL(
	    dns_upstream_send(x->up, x->sv, &p.send, ask, loop_clock(x->loop) + patience), OK);
	CU_ASSERT_EQUAL(p.calls, 0);
	fake_upstream_await(x, &p.calls, 1, patience + seconds(5));
	CU_ASSERT_EQUAL(p.calls, 1);
	CU_ASSERT_PTR_NULL(p.send.t);
	return &p;
}

struct fake_send *
fake_ask(struct fake_upstream *x, const char *text, uint16_t type, usec patience)
{
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, text, type);

	return fake_ask_for(x, &q, patience);
}

/* The answer is the server's own, byte for byte. */
void
fake_expect_honest(struct fake_upstream *x, const struct fake_send *p)
{
	static const uint8_t forged[] = {203, 0, 113, 66};

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_ANSWER);
	CU_ASSERT_EQUAL(p->reply.answer.len, x->fake.out_len);
	if (p->reply.answer.len == x->fake.out_len)
		CU_ASSERT_EQUAL(memcmp(p->answer, x->fake.out + 2, x->fake.out_len), 0);
	CU_ASSERT_PTR_NULL(memmem(p->answer, p->reply.answer.len, forged, sizeof(forged)));
}

void
fake_many_done(struct dns_send *s, const struct dns_reply *r)
{
	struct fake_many *m = (struct fake_many *)s;
	struct fake_crowd *c = m->crowd;
	char want[16], text[DNS_NAME_TEXT_MAX];

	m->calls++;
	m->answered = r->result == DNS_SEND_ANSWER;
	c->ended++;
	if (m->answered) {
		struct span name = dns_name_at(
		    span_of(r->answer.at + DNS_HEADER_BYTES, r->answer.len - DNS_HEADER_BYTES));

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

void
fake_crowd_send(struct fake_crowd *c, struct fake_upstream *x, unsigned n, usec patience)
{
	*c = (struct fake_crowd){.x = x,
				 .n = n,
				 .all = calloc(n, sizeof(struct fake_many)),
				 .cancel_others = c->cancel_others};
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->all);
	for (unsigned i = 0; i < n; i++) {
		struct dns_name name;
		char text[32];

		snprintf(text, sizeof(text), "n%u.example", i);

		struct dns_send_ask q = fake_question(&name, text, DNS_TYPE_A);

		c->all[i] = (struct fake_many){.send.done = fake_many_done, .crowd = c, .index = i};
		CU_ASSERT_EQUAL_FATAL(dns_upstream_send(x->up, x->sv, &c->all[i].send, &q,
							loop_clock(x->loop) + patience),
				      OK);
	}
}
