/* SPDX-License-Identifier: MIT */
/*
 * The stream to an upstream: one connection per server, opened when first needed, all queries
 * pipelined on it, answers in any order (RFC 7766 §6.2), each message behind its length (§8).
 *
 * A server may close an idle connection just when we write to it, so what was lost with one that
 * had answered before is asked once more on a new one. A connection that has gone silent is given
 * up with the first query that gets too late on it.
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
#define IDLE_CLOSE  seconds(60)	/* without a query under way */
#define SILENCE_MAX seconds(2)	/* nothing heard after a query: the connection is dead */
#define ACK_TIMEOUT 4000	/* ms until what was written must be acknowledged */

static void
release(struct dns_stream *st)
{
	if (st->reading) {
		st->dead = true;
		return;
	}
	fifo_fini(&st->out);
	free(st);
}

/* Close the connection; gives those who waited on it a way out of it. */
static void
close_stream(struct dns_stream *st)
{
	struct dns_server *sv = st->server;

	sv->stream = NULL;
	loop_remove(sv->up->loop, &st->watch);
	close(st->watch.fd);
}

/* The connection broke. Those who wait go on elsewhere; none of them is told from here. */
static void
fail_stream(struct dns_stream *st, int error)
{
	struct dns_transaction *t;

	close_stream(st);
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
	if (LIST_EMPTY(&st->waiting))
		st->idle_since = loop_now(t->server->up->loop);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Write what waits, as far as the kernel takes it. Gives 0, or the error that broke it. */
static int
flush(struct dns_stream *st)
{
	struct loop *loop = st->server->up->loop;

	while (fifo_len(&st->out) != 0) {
		struct span out = fifo_span(&st->out);
		ssize_t n = send(st->watch.fd, out.at, out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return loop_change(loop, &st->watch, EPOLLIN | EPOLLOUT) == OK ? 0 : errno;
		if (n < 0)
			return errno;
		fifo_consume(&st->out, (size_t)n);
	}
	return loop_change(loop, &st->watch, EPOLLIN) == OK ? 0 : errno;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Hand over the whole messages that have come. What they lead to may close the connection. */
static void
take_frames(struct dns_stream *st)
{
	struct dns_server *sv = st->server;
	size_t at = 0;

	while (sv->stream == st && st->in_used - at >= 2) {
		size_t len = dns_msg_u16(span_of(st->in, st->in_used), at);

		if (st->in_used - at < 2 + len)
			break;
		st->answered = true;
		/* An unknown id is most often that of a query that was cancelled. */
		if (!dns_upstream_input(sv, NULL, span_of(st->in + at + 2, len)))
			sv->stats.late++;
		at += 2 + len;
	}
	memmove(st->in, st->in + at, st->in_used - at);
	st->in_used -= at;
}

/* Read once. Gives 0, or the error that broke the connection. */
static int
receive(struct dns_stream *st)
{
	struct dns_upstream *up = st->server->up;

	if (!dns_upstream_may_read(up))
		return 0;

	ssize_t n = recv(st->watch.fd, st->in + st->in_used, sizeof(st->in) - st->in_used, 0);

	if (n == 0)
		return ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	st->last_heard = loop_now(up->loop);
	st->in_used += (size_t)n;
	take_frames(st);
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
	st->last_heard = loop_now(st->server->up->loop);
	return flush(st);
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct dns_stream *st = (struct dns_stream *)w;
	struct dns_server *sv = st->server;
	int error = 0;

	st->reading = true;
	if (!st->connected)
		error = connected(st);
	else if ((events & EPOLLOUT) != 0)
		error = flush(st);
	if (error == 0 && st->connected && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		error = receive(st);
	st->reading = false;
	if (st->dead)
		release(st);
	else if (error != 0 && sv->stream == st)
		fail_stream(st, error);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Errors: ERR_NOMEM; ERR_SYS with errno. */
static enum err
open_stream(struct dns_server *sv)
{
	struct dns_stream *st = malloc(sizeof(*st));
	int one = 1, patience = ACK_TIMEOUT, saved;

	if (st == NULL)
		return ERR_NOMEM;
	memset(st, 0, offsetof(struct dns_stream, in));
	st->server = sv;
	st->last_heard = st->idle_since = loop_now(sv->up->loop);
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
	sv->stream = st;
	sv->stats.tcp_connects++;
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

void
dns_tcp_send(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;
	uint8_t frame[2 + DNS_QUERY_BYTES];
	int error = 0;

	if (sv->stream == NULL && open_stream(sv) != OK) {
		t->sys_errno = errno;
		dns_transaction_tcp_failed(t, false);
		return;
	}

	struct dns_stream *st = sv->stream;

	wire_put_u16(frame, t->query_len);
	memcpy(frame + 2, t->query, t->query_len);
	if (fifo_len(&st->out) + 2 + t->query_len > OUT_MAX ||
	    fifo_append(&st->out, span_of(frame, 2 + (size_t)t->query_len)) != OK) {
		t->sys_errno = ENOBUFS;
		dns_transaction_tcp_failed(t, false);
		return;
	}
	t->stream = st;
	t->sent_tcp = loop_clock(sv->up->loop);
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

	if (st == NULL || st->last_heard > t->sent_tcp ||
	    loop_now(t->server->up->loop) - t->sent_tcp < SILENCE_MAX)
		return;
	dns_tcp_leave(t);
	fail_stream(st, ETIMEDOUT);
}

bool
dns_tcp_tidy(struct dns_server *sv, mono_us now, bool all)
{
	struct dns_stream *st = sv->stream;

	if (st == NULL)
		return false;
	if (LIST_EMPTY(&st->waiting) && (all || now - st->idle_since > IDLE_CLOSE))
		fail_stream(st, 0);
	return sv->stream != NULL;
}

void
dns_tcp_close(struct dns_server *sv)
{
	struct dns_stream *st = sv->stream;
	struct dns_transaction *t;

	if (st == NULL)
		return;
	while ((t = LIST_FIRST(&st->waiting)) != NULL)
		dns_tcp_leave(t);
	fail_stream(st, 0);
}
