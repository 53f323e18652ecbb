/* SPDX-License-Identifier: MIT */
/*
 * The stream to an upstream: one connection per server, opened when first needed, all queries
 * pipelined on it, answers in any order (RFC 7766 §6.2), each message behind its length (§8). For
 * DNSCrypt it is one connection a query. Over TLS the same bytes pass through
 * dns_upstream_tls.c.
 *
 * A server may close an idle connection just when we write to it, so what was lost with one that
 * had answered before is asked once more on a new one. A connection that has gone silent, in its
 * handshake or later, is given up with the first query that gets too late on it.
 */
#include "services/dns/dns_upstream_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX	    (1 << 18)	/* bytes waiting to be written */
#define SINGLES_MAX 64		/* connections for one query each, per server */
#define IDLE_CLOSE  seconds(60)	/* without a query under way */
#define SILENCE_MAX seconds(2)	/* nothing heard after a query: the connection is dead */
#define EVENTS_IN   (EPOLLIN | EPOLLERR | EPOLLHUP)
#define ACK_TIMEOUT 4000	/* ms until what was written must be acknowledged */

static void
release(struct dns_stream *st)
{
	if (st->reading)
		return;
	fifo_fini(&st->out);
	free(st);
}

/* The connection broke. Those who wait go on elsewhere; none of them is told from here. */
static void
fail_stream(struct dns_stream *st, int error)
{
	struct dns_server *sv = st->server;
	struct dns_transaction *t;

	if (sv->stream == st)
		sv->stream = NULL;
	sv->singles -= st->single;
	LIST_REMOVE(st, link);
	loop_remove(sv->up->loop, &st->watch);
	dns_tls_end(st);
	close(st->watch.fd);
	st->dead = true;
	while ((t = LIST_FIRST(&st->waiting)) != NULL) {
		LIST_REMOVE(t, on_stream);
		t->stream = NULL;
		t->sys_errno = error;
		dns_transaction_tcp_failed(t, st->answered);
	}
	release(st);
}

void
dns_tcp_leave(struct dns_transaction *t)
{
	struct dns_stream *st = t->stream;

	if (st == NULL)
		return;
	LIST_REMOVE(t, on_stream);
	t->stream = NULL;
	if (!LIST_EMPTY(&st->waiting))
		return;
	st->idle_since = loop_now(t->server->up->loop);
	if (st->single || st->retired)
		fail_stream(st, 0);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool
over_tls(const struct dns_stream *st)
{
	return st->server->transport == DNS_TRANSPORT_TLS;
}

static ssize_t
write_some(struct dns_stream *st, struct span out)
{
	return over_tls(st) ? dns_tls_send(st, out) :
	    send(st->watch.fd, out.at, out.len, MSG_NOSIGNAL);
}

/* Wait for what comes, and for room where something waits for that. 0, or an error. */
static int
watch(struct dns_stream *st, bool wants_room)
{
	uint32_t events = EPOLLIN | (wants_room ? EPOLLOUT : 0);

	/* Before TLS has begun nothing is to be read, and an end comes by itself. */
	if (over_tls(st))
		events = st->tls == NULL ? 0 : EPOLLIN | (st->tls_wants_write ? EPOLLOUT : 0);
	return loop_change(st->server->up->loop, &st->watch, events) == OK ? 0 : errno;
}

/* Write what waits, as far as the kernel takes it. Gives 0, or the error that broke it. */
static int
flush(struct dns_stream *st)
{
	while (fifo_len(&st->out) != 0 && (st->tls != NULL || !over_tls(st))) {
		struct span out = fifo_span(&st->out);
		ssize_t n = write_some(st, out);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return watch(st, true);
		if (n < 0)
			return errno;
		fifo_consume(&st->out, (size_t)n);
	}
	return watch(st, false);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
take_message(struct dns_stream *st, struct span bytes)
{
	struct dns_server *sv = st->server;

	/* An unknown id is most often that of a query that was cancelled. */
	if (sv->crypt != NULL && dns_dnscrypt_open(sv, NULL, st, &bytes) != DNS_DECRYPTED)
		sv->stats.malformed++;
	else if (!dns_upstream_input(sv, NULL, st, bytes))
		sv->stats.late++;
}

/* Hand over the whole messages that have come. What they lead to may close the connection. */
static void
take_frames(struct dns_stream *st)
{
	size_t at = 0;

	while (!st->dead && st->in_used - at >= 2) {
		size_t len = dns_msg_u16(span_of(st->in, st->in_used), at);

		if (st->in_used - at < 2 + len)
			break;
		if (!st->answered)
			st->answered_first = loop_now(st->server->up->loop);
		st->answered = true;
		take_message(st, span_of(st->in + at + 2, len));
		at += 2 + len;
	}
	memmove(st->in, st->in + at, st->in_used - at);
	st->in_used -= at;
}

static ssize_t
read_some(struct dns_stream *st)
{
	uint8_t *at = st->in + st->in_used;
	size_t room = sizeof(st->in) - st->in_used;

	return over_tls(st) ? dns_tls_recv(st, at, room) : recv(st->watch.fd, at, room, 0);
}

/*
 * Many servers have Nagle's algorithm on: one that answers two questions in two pieces keeps the
 * second back until the first is acknowledged, which the kernel takes 40 ms for.
 */
static void
acknowledge(const struct dns_stream *st)
{
	int one = 1;

	(void)setsockopt(st->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

/* Read once; over TLS one record of 16 KiB at most. Gives 0, or the error that broke it. */
static int
receive(struct dns_stream *st)
{
	struct dns_upstream *up = st->server->up;

	if (dns_upstream_may_read(up, 1) == 0)
		return 0;
	do {
		ssize_t n = read_some(st);

		if (n == 0)
			return ECONNRESET;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : errno;
		st->quiet_since = 0;
		acknowledge(st);
		st->in_used += (size_t)n;
		take_frames(st);
		/* The rest of a message that has begun has to follow. */
		if (st->in_used != 0)
			st->quiet_since = loop_now(up->loop);
	} while (!st->dead && over_tls(st) && dns_tls_pending(st));
	return 0;
}

static int
connected(struct dns_stream *st)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(st->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	if (error != 0)
		return error;
	st->connected = true;
	if (st->quiet_since != 0)
		st->quiet_since = loop_now(st->server->up->loop);
	if (over_tls(st) && !dns_tls_begin(st, &error) && error != 0)
		return error;
	return flush(st);
}

/* A handshake reads and writes in turn, so each may open the way for the other. */
static int
go_on_tls(struct dns_stream *st, uint32_t events)
{
	int error = 0;

	if (st->tls == NULL)
		return st->connected && (events & (EPOLLERR | EPOLLHUP)) != 0 ? ECONNRESET : 0;
	if ((events & (EVENTS_IN | EPOLLOUT)) != 0)
		error = receive(st);
	return error == 0 && !st->dead ? flush(st) : error;
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct dns_stream *st = (struct dns_stream *)w;
	int error = 0;

	st->reading = true;
	if (!st->connected)
		error = connected(st);
	else if ((events & EPOLLOUT) != 0)
		error = flush(st);
	if (error == 0 && over_tls(st))
		error = go_on_tls(st, events);
	else if (error == 0 && st->connected && (events & EVENTS_IN) != 0)
		error = receive(st);
	st->reading = false;
	if (st->dead)
		release(st);
	else if (error != 0)
		fail_stream(st, error);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Errors: ERR_NOMEM; ERR_SYS with errno. */
static enum err
open_stream(struct dns_stream **out, struct dns_server *sv, bool single)
{
	struct dns_stream *st = malloc(sizeof(*st));
	int one = 1, patience = ACK_TIMEOUT, saved;

	if (st == NULL)
		return ERR_NOMEM;
	memset(st, 0, offsetof(struct dns_stream, in));
	st->server = sv;
	st->single = single;
	st->idle_since = loop_now(sv->up->loop);
	LIST_INIT(&st->waiting);
	st->watch = (struct loop_fd){ .fd = dns_server_socket(sv, SOCK_STREAM), .ready = ready };
	if (st->watch.fd < 0)
		goto free_stream;
	(void)setsockopt(st->watch.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(st->watch.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
	if (connect(st->watch.fd, &sv->addr.sa, addr_len(&sv->addr)) != 0 && errno != EINPROGRESS)
		goto close_socket;
	if (loop_add(sv->up->loop, &st->watch, EPOLLIN | EPOLLOUT) != OK)
		goto close_socket;
	LIST_INSERT_HEAD(&sv->streams, st, link);
	if (!single)
		sv->stream = st;
	sv->singles += single;
	sv->stats.tcp_connects++;
	*out = st;
	return OK;

close_socket:
	saved = errno;
	close(st->watch.fd);
	errno = saved;
free_stream:
	saved = errno;
	free(st);
	errno = saved;
	return ERR_SYS;
}

/* Put the bytes behind their length into the queue. Errors: ERR_FULL, ERR_NOMEM. */
static enum err
queue(struct dns_stream *st, struct span packet)
{
	uint8_t frame[2 + DNS_CRYPT_PACKET_MAX];

	if (fifo_len(&st->out) + 2 + packet.len > OUT_MAX)
		return ERR_FULL;
	wire_put_u16(frame, (uint16_t)packet.len);
	memcpy(frame + 2, packet.at, packet.len);
	return fifo_append(&st->out, span_of(frame, 2 + packet.len));
}

/* The stream for a query to this server. Errors: ERR_NOMEM, ERR_FULL; ERR_SYS with errno. */
static enum err
choose(struct dns_stream **out, struct dns_server *sv)
{
	*out = sv->stream;
	if (sv->crypt != NULL)
		return sv->singles < SINGLES_MAX ? open_stream(out, sv, true) : ERR_FULL;
	return sv->stream != NULL ? OK : open_stream(out, sv, false);
}

void
dns_tcp_send(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;
	struct span packet = span_of(t->query, t->query_len);
	uint8_t sealed[DNS_CRYPT_PACKET_MAX];
	struct dns_stream *st;
	int error = 0;

	if (sv->crypt != NULL) {
		packet = dns_dnscrypt_seal(t, true, sealed);
		if (packet.len == 0)
			return;
	}

	enum err e = choose(&st, sv);

	if (e == OK)
		e = queue(st, packet);
	if (e != OK) {
		t->sys_errno = e == ERR_SYS ? errno : ENOBUFS;
		dns_transaction_tcp_failed(t, false);
		return;
	}
	t->stream = st;
	t->sent_tcp = loop_now(sv->up->loop);
	if (st->quiet_since == 0)
		st->quiet_since = t->sent_tcp;
	LIST_INSERT_HEAD(&st->waiting, t, on_stream);
	sv->stats.sent++;
	sv->stats.sent_tcp++;
	if (st->connected)
		error = flush(st);
	if (error != 0)
		fail_stream(st, error);
}

void
dns_tcp_overdue(struct dns_transaction *t)
{
	struct dns_stream *st = t->stream;

	if (st == NULL || st->quiet_since == 0 ||
	    loop_now(t->server->up->loop) - st->quiet_since < SILENCE_MAX)
		return;
	LIST_REMOVE(t, on_stream);
	t->stream = NULL;
	fail_stream(st, ETIMEDOUT);
}

/* A connection over TLS that is open: one that has begun to encrypt, or one that has yet to. */
static struct dns_stream *
find_tls(struct dns_upstream *up, bool begun)
{
	struct dns_servers *lists[] = { &up->servers, &up->dropped };
	struct dns_server *sv;
	struct dns_stream *st;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		LIST_FOREACH(sv, lists[i], link)
			LIST_FOREACH(st, &sv->streams, link)
				if (over_tls(st) && st->connected && (st->tls != NULL) == begun)
					return st;
	return NULL;
}

void
dns_tcp_go_on(struct dns_upstream *up)
{
	struct dns_stream *st;

	/* The end of one opens another, which is not connected yet. */
	while ((st = find_tls(up, false)) != NULL) {
		int error = 0;

		if (dns_tls_begin(st, &error))
			error = flush(st);
		else if (error == 0)
			return;		/* they are being read again */
		if (error != 0)
			fail_stream(st, error);
	}
}

void
dns_tcp_reconnect_tls(struct dns_upstream *up)
{
	struct dns_stream *st;

	while ((st = find_tls(up, true)) != NULL) {
		st->answered = true;	/* it is no fault of the server's */
		fail_stream(st, ECONNRESET);
	}
}

void
dns_tcp_retire_tls(struct dns_upstream *up)
{
	struct dns_server *sv;

	LIST_FOREACH(sv, &up->servers, link)
		if (sv->stream != NULL && sv->stream->tls != NULL)
			(void)dns_tcp_tidy(sv, 0, true);
}

bool
dns_tcp_tidy(struct dns_server *sv, mono_us now, bool all)
{
	struct dns_stream *st = sv->stream;

	if (st == NULL)
		return false;
	if (LIST_EMPTY(&st->waiting) && (all || now - st->idle_since > IDLE_CLOSE)) {
		fail_stream(st, 0);
	} else if (all) {
		st->retired = true;
		sv->stream = NULL;
	}
	return sv->stream != NULL;
}

void
dns_tcp_close_all(struct dns_server *sv)
{
	struct dns_stream *st;
	struct dns_transaction *t;

	while ((st = LIST_FIRST(&sv->streams)) != NULL) {
		while ((t = LIST_FIRST(&st->waiting)) != NULL) {
			LIST_REMOVE(t, on_stream);
			t->stream = NULL;
		}
		fail_stream(st, 0);
	}
}
