/* SPDX-License-Identifier: MIT */
/*
 * TCP (and Unix stream) listeners and connections for services that need them: bounded in number,
 * in time and in memory. The service sees bytes in order; framing is its own affair.
 */
#ifndef CORE_TCP_H
#define CORE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

struct loop;
struct tcp_listener;
struct tcp_conn;

struct tcp_ops {
	/* A connection was accepted. What it stores with tcp_set_user() comes back below. False refuses. */
	bool (*accepted)(struct tcp_conn *c);
	/*
	 * Bytes have come; `in` holds all that was not consumed yet, at most in_max bytes. Gives the
	 * number of bytes consumed from the front. May call tcp_send() and tcp_close().
	 */
	size_t (*input)(struct tcp_conn *c, struct span in);
	/* The peer has closed, was idle too long, or broke; c is released when this returns. */
	void (*closed)(struct tcp_conn *c);
};

struct tcp_opts {
	const struct tcp_ops *ops;
	void *ctx;
	unsigned conns_max;		/* 0: 128; at the cap the longest idle connection yields */
	unsigned per_peer_max;		/* per peer address; 0: no cap of its own */
	size_t in_max;			/* unconsumed bytes per connection; 0: 65537 */
	size_t out_max;			/* unsent bytes per connection; 0: 1 MiB */
	usec first_timeout;		/* until the first input() that consumes; 0: 2 s */
	usec idle_timeout;		/* without traffic; 0: 10 s; halves with every 1/4 of conns_max used */
};

struct tcp_stats {
	uint64_t accepted;
	uint64_t refused;		/* accepted() said no, or the per-peer cap */
	uint64_t evicted;		/* gave way to a newer connection at conns_max */
	uint64_t timed_out;
	uint64_t overflowed;		/* closed because the peer did not read (out_max) */
	unsigned open;
};

/* Errors: ERR_SYS (errno of socket(), bind(), listen()), ERR_NOMEM. */
enum err tcp_listen(struct tcp_listener **out, struct loop *l, const struct addr *local,
    const struct tcp_opts *opts) MUST_CHECK;
/* The same on a listening descriptor (Unix socket, socket activation), which moves to the listener. */
enum err tcp_adopt(struct tcp_listener **out, struct loop *l, int fd,
    const struct tcp_opts *opts) MUST_CHECK;
/* Close the listener and all its connections; their closed() is called. NULL is fine. */
void tcp_listener_close(struct tcp_listener *ls);

/*
 * Queue a copy of the bytes; they are sent at once as far as the kernel takes them.
 * Errors: ERR_FULL where out_max would be passed: the connection is then closed at the turn's end.
 */
enum err tcp_send(struct tcp_conn *c, struct span data);
/* Close after what is queued has been sent (bounded by the idle time); closed() follows. */
void tcp_close(struct tcp_conn *c);
/* Keep the connection open while an answer is being worked on: idle time does not run. */
void tcp_hold(struct tcp_conn *c);
void tcp_unhold(struct tcp_conn *c);
/* Stop or resume reading, so that one peer cannot queue without bound. */
void tcp_pause(struct tcp_conn *c, bool paused);

void tcp_set_user(struct tcp_conn *c, void *user);
void *tcp_user(const struct tcp_conn *c);
void *tcp_ctx(const struct tcp_conn *c);		/* opts.ctx of its listener */
const struct addr *tcp_peer(const struct tcp_conn *c);
const struct addr *tcp_local(const struct tcp_conn *c);
int tcp_conn_fd(const struct tcp_conn *c);
const struct addr *tcp_listener_local(const struct tcp_listener *ls);
const struct tcp_stats *tcp_stats(const struct tcp_listener *ls);

#endif
