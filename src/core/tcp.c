/* SPDX-License-Identifier: MIT */
/*
 * Connections: reading, writing, their end. See core/tcp_impl.h for the places they pass through.
 *
 * Only tcp_conn_doom() moves a connection to TCP_DEAD and only tcp_conn_bury() releases one, so
 * that closed() is called once.
 */
#include "core/tcp.h"

#include "core/tcp_impl.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_READ_BUDGET	 16384		/* bytes read from one connection in one turn */
#define TCP_CORK_BYTES	 16384		/* bytes that wait for the end of input() at most */
#define TCP_PROGRESS	 4096		/* bytes that a peer must take to restart its idle time */
#define TCP_LINGER_BYTES 262144		/* input thrown away while lingering */

/* --- the end of a connection ------------------------------------------------------------------ */

/* Move c to the end of a list; its time there runs from now. */
static void
move(struct tcp_conn *c, enum tcp_place place)
{
	struct tcp_listener *ls = c->listener;

	TAILQ_REMOVE(&ls->lists[c->place], c, link);
	TAILQ_INSERT_TAIL(&ls->lists[place], c, link);
	c->place = place;
	c->since = loop_now(ls->loop);
	c->moved = 0;
	tcp_listener_arm(ls);
}

void
tcp_conn_doom(struct tcp_conn *c)
{
	struct tcp_listener *ls = c->listener;

	if (c->place == TCP_DEAD)
		return;
	loop_remove(ls->loop, &c->watch);
	ls->stats.open--;
	move(c, TCP_DEAD);
	loop_defer(ls->loop, &c->task);
}

void
tcp_conn_bury(struct tcp_conn *c)
{
	struct tcp_listener *ls = c->listener;

	assert(c->place == TCP_DEAD);
	if (!c->refused && ls->opts.ops->closed != NULL) {
		ls->depth++;
		ls->opts.ops->closed(c);
		ls->depth--;
	}
	loop_undefer(ls->loop, &c->task);
	TAILQ_REMOVE(&ls->lists[TCP_DEAD], c, link);
	close(c->watch.fd);
	fifo_fini(&c->in);
	fifo_fini(&c->out);
	free(c);
	if (ls->ending && ls->depth == 0 && TAILQ_EMPTY(&ls->lists[TCP_DEAD]))
		free(ls);
}

/* Watch for what c can use now. */
static void
watch(struct tcp_conn *c)
{
	uint32_t events = 0;

	if (c->place == TCP_DEAD)
		return;
	if (!c->ended && (c->place == TCP_LINGER || (!c->paused && !c->closing)))
		events |= EPOLLIN;
	if (fifo_len(&c->out) != 0)
		events |= EPOLLOUT;
	if (loop_change(c->listener->loop, &c->watch, events) != OK)
		tcp_conn_doom(c);
}

/* End c where its last reason to live is gone; else see to it that it is woken for the next. */
static void
settle(struct tcp_conn *c)
{
	bool flushed = fifo_len(&c->out) == 0;
	bool held_back = c->paused && fifo_len(&c->in) != 0;
	bool at_work = c->holds != 0 || held_back || c->task.queued;

	if (c->place == TCP_DEAD || c->place == TCP_LINGER)
		return;
	if (c->ended && flushed && (c->closing || !at_work)) {
		tcp_conn_doom(c);
		return;
	}
	if (c->closing && flushed) {
		fifo_fini(&c->in);
		if (shutdown(c->watch.fd, SHUT_WR) != 0) {
			tcp_conn_doom(c);
			return;
		}
		move(c, TCP_LINGER);
	}
	watch(c);
}

/* --- output ----------------------------------------------------------------------------------- */

/*
 * Send as much of data as the kernel takes and give the number of bytes; a broken connection is
 * doomed and takes none.
 */
static size_t
send_some(struct tcp_conn *c, struct span data)
{
	ssize_t n;

	do
		n = send(c->watch.fd, data.at, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN && errno != ENOBUFS)
			tcp_conn_doom(c);
		return 0;
	}
	c->moved += (size_t)n;
	return (size_t)n;
}

/* Restart the idle time of a peer that takes what we send. */
static void
note_progress(struct tcp_conn *c)
{
	if (c->place != TCP_IDLE || c->moved == 0)
		return;
	if (c->moved >= TCP_PROGRESS || fifo_len(&c->out) == 0)
		move(c, TCP_IDLE);
}

static void
flush(struct tcp_conn *c)
{
	if (c->place == TCP_DEAD || fifo_len(&c->out) == 0)
		return;

	size_t n = send_some(c, fifo_span(&c->out));

	fifo_consume(&c->out, n);
	note_progress(c);
}

/* Queue what the kernel did not take. */
static enum err
enqueue(struct tcp_conn *c, struct span rest)
{
	const struct tcp_opts *opts = &c->listener->opts;

	if (fifo_len(&c->out) + rest.len > opts->out_max) {
		c->listener->stats.overflowed++;
		tcp_conn_doom(c);
		return ERR_FULL;
	}

	enum err e = fifo_append(&c->out, rest);

	if (e != OK)
		tcp_conn_doom(c);
	return e;
}

enum err
tcp_send(struct tcp_conn *c, struct span data)
{
	if (c->place == TCP_DEAD || c->closing)
		return ERR_DENIED;
	if (data.len == 0)
		return OK;
	if (c->corked && fifo_len(&c->out) + data.len > TCP_CORK_BYTES)
		flush(c);
	if (c->place != TCP_DEAD && fifo_len(&c->out) == 0 &&
	    (!c->corked || data.len > TCP_CORK_BYTES)) {
		size_t n = send_some(c, data);

		data = span_of(data.at + n, data.len - n);
	}
	if (c->place == TCP_DEAD)
		return ERR_SYS;

	enum err e = enqueue(c, data);

	if (e != OK || c->corked)
		return e;
	note_progress(c);
	watch(c);
	return OK;
}

/* --- input ------------------------------------------------------------------------------------ */

/* Offer bytes to the service until it consumes no more; gives how many it took. */
static size_t
offer(struct tcp_conn *c, struct span in)
{
	struct tcp_listener *ls = c->listener;
	size_t taken = 0;

	while (taken < in.len && !c->paused && !c->closing && c->place != TCP_DEAD) {
		struct span rest = span_of(in.at + taken, in.len - taken);

		c->corked = true;
		ls->depth++;

		size_t n = ls->opts.ops->input(c, rest);

		ls->depth--;
		c->corked = false;
		assert(n <= rest.len);
		if (n == 0)
			break;
		taken += n;
	}
	if (taken != 0 && (c->place == TCP_FRESH || c->place == TCP_IDLE))
		move(c, TCP_IDLE);
	return taken;
}

/* What input() has sent leaves now; a service that does not consume a full buffer never will. */
static void
after_input(struct tcp_conn *c)
{
	if (c->place == TCP_DEAD)
		return;
	flush(c);
	if (c->place != TCP_DEAD && !c->paused && !c->closing &&
	    fifo_len(&c->in) >= c->listener->opts.in_max) {
		c->listener->stats.overflowed++;
		tcp_conn_doom(c);
	}
	settle(c);
}

/* Offer what is buffered, with `fresh` behind it. */
static void
deliver(struct tcp_conn *c, struct span fresh)
{
	size_t taken;

	if (fifo_len(&c->in) == 0) {
		/* The usual case: whole messages, which are never copied. */
		taken = offer(c, fresh);
		fresh = span_of(fresh.at + taken, fresh.len - taken);
		if (c->place != TCP_DEAD && !c->closing && fifo_append(&c->in, fresh) != OK)
			tcp_conn_doom(c);
	} else {
		if (fifo_append(&c->in, fresh) != OK) {
			tcp_conn_doom(c);
			return;
		}
		taken = offer(c, fifo_span(&c->in));
		fifo_consume(&c->in, taken);
	}
	after_input(c);
}

/* Read once and give the bytes; an end or an error is dealt with and gives none. */
static struct span
read_some(struct tcp_conn *c, uint8_t *buf, size_t cap)
{
	ssize_t n = recv(c->watch.fd, buf, cap, MSG_DONTWAIT);

	if (n > 0)
		return span_of(buf, (size_t)n);
	if (n == 0)
		c->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		tcp_conn_doom(c);
	return span_of(buf, 0);
}

static void
on_input(struct tcp_conn *c)
{
	uint8_t buf[TCP_READ_BUDGET];
	size_t room = c->listener->opts.in_max - fifo_len(&c->in);
	struct span fresh = read_some(c, buf, room < sizeof(buf) ? room : sizeof(buf));

	if (fresh.len != 0)
		deliver(c, fresh);
	else
		settle(c);
}

/* Throw away what still comes, until the peer has seen our end or has tried our patience. */
static void
on_linger(struct tcp_conn *c)
{
	uint8_t buf[TCP_READ_BUDGET];

	c->moved += read_some(c, buf, sizeof(buf)).len;
	if (c->ended || c->moved > TCP_LINGER_BYTES)
		tcp_conn_doom(c);
}

static void
on_ready(struct loop_fd *w, uint32_t events)
{
	struct tcp_conn *c = (struct tcp_conn *)w;
	bool reading = (w->events & EPOLLIN) != 0;

	/* Not asked to read and the peer is gone both ways: there is nobody to answer. */
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && !reading) {
		tcp_conn_doom(c);
		return;
	}
	if ((events & EPOLLOUT) != 0) {
		flush(c);
		settle(c);
	}
	/* On EPOLLERR or EPOLLHUP what the peer sent before is read first, then the error. */
	if (c->place == TCP_DEAD || !reading || (events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	if (c->place == TCP_LINGER)
		on_linger(c);
	else
		on_input(c);
}

static void
on_task(struct loop_task *t)
{
	struct tcp_conn *c =
	    (struct tcp_conn *)((uint8_t *)t - offsetof(struct tcp_conn, task));

	if (c->place == TCP_DEAD) {
		tcp_conn_bury(c);
		return;
	}
	if (fifo_len(&c->in) != 0 && !c->paused && !c->closing)
		deliver(c, span_of(NULL, 0));
	else
		settle(c);
}

/* --- what services do ------------------------------------------------------------------------- */

void
tcp_close(struct tcp_conn *c)
{
	if (c->place == TCP_DEAD || c->closing)
		return;
	c->closing = true;
	move(c, TCP_IDLE);
	/* Inside input() the rest follows when that returns. */
	if (!c->corked) {
		flush(c);
		settle(c);
	}
}

void
tcp_hold(struct tcp_conn *c)
{
	c->holds++;
	if ((c->place == TCP_FRESH || c->place == TCP_IDLE) && !c->closing)
		move(c, TCP_HELD);
}

void
tcp_unhold(struct tcp_conn *c)
{
	assert(c->holds > 0);
	if (--c->holds != 0 || c->place != TCP_HELD)
		return;
	move(c, TCP_IDLE);
	if (!c->corked)
		settle(c);
}

void
tcp_pause(struct tcp_conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (c->place == TCP_DEAD)
		return;
	/* Not input() from here: the service may be in the middle of something. */
	if (!paused)
		loop_defer(c->listener->loop, &c->task);
	watch(c);
}

/* --- the beginning ---------------------------------------------------------------------------- */

struct addr
tcp_addr_of(struct addr raw)
{
	if (raw.sa.sa_family != AF_INET && raw.sa.sa_family != AF_INET6)
		return (struct addr){ 0 };
	addr_unmap(&raw);
	return raw;
}

struct addr
tcp_socket_local(int fd)
{
	struct addr raw = { 0 };
	socklen_t len = sizeof(raw);

	if (getsockname(fd, &raw.sa, &len) != 0)
		return (struct addr){ 0 };
	return tcp_addr_of(raw);
}

enum err
tcp_conn_new(struct tcp_conn **out, struct tcp_listener *ls, int fd, const struct addr *peer)
{
	const int on = 1;
	struct tcp_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	c->watch = (struct loop_fd){ .fd = fd, .ready = on_ready };
	c->task.run = on_task;
	c->listener = ls;
	c->peer = *peer;
	c->local = tcp_socket_local(fd);
	c->place = TCP_FRESH;
	c->since = loop_now(ls->loop);
	/* Answers are written whole; waiting for more of them would only add delay. */
	if (ls->inet)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

	enum err e = loop_add(ls->loop, &c->watch, EPOLLIN);

	if (e != OK) {
		free(c);
		return e;
	}
	TAILQ_INSERT_TAIL(&ls->lists[TCP_FRESH], c, link);
	ls->stats.open++;
	tcp_listener_arm(ls);
	*out = c;
	return OK;
}

/* --- small questions -------------------------------------------------------------------------- */

void
tcp_set_user(struct tcp_conn *c, void *user)
{
	c->user = user;
}

void *
tcp_user(const struct tcp_conn *c)
{
	return c->user;
}

void *
tcp_ctx(const struct tcp_conn *c)
{
	return c->listener->opts.ctx;
}

const struct addr *
tcp_peer(const struct tcp_conn *c)
{
	return &c->peer;
}

const struct addr *
tcp_local(const struct tcp_conn *c)
{
	return &c->local;
}

usec
tcp_idle_time(const struct tcp_conn *c)
{
	return tcp_listener_patience(c->listener, TCP_IDLE);
}

int
tcp_conn_fd(const struct tcp_conn *c)
{
	return c->watch.fd;
}
