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

/*
 * Any of these may call any tcp_ function, tcp_close() and tcp_listener_close() included.
 */
struct tcp_ops {
	/*
	 * A connection was accepted. What it stores with tcp_set_user() comes back below. False
	 * refuses it; closed() is not called then. NULL takes all.
	 */
	bool (*accepted)(struct tcp_conn *c);
	/*
	 * Bytes have come; `in` holds all that was not consumed yet, at most in_max bytes. Gives
	 * the number of bytes consumed from the front, and is called again with the rest until it
	 * consumes nothing. in_max bytes of which none is consumed end the connection, unless it is
	 * paused.
	 */
	size_t (*input)(struct tcp_conn *c, struct span in);
	/*
	 * The peer has closed, was idle too long, gave way, broke, or tcp_close() has run its
	 * course; c is released when this returns. Exactly once for each connection. NULL: not
	 * wanted.
	 */
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
	/*
	 * Without progress: input() that consumes, output that leaves. Single bytes of a message
	 * that never ends are no progress. 0: 10 s; halves with every 1/4 of conns_max used.
	 */
	usec idle_timeout;
};

struct tcp_stats {
	uint64_t accepted;
	/* accepted() said no, the per-peer cap, or no room at all */
	uint64_t refused;
	uint64_t evicted;		/* gave way to a newer connection at conns_max */
	uint64_t timed_out;
	uint64_t overflowed;		/* closed: out_max unsent, or in_max that nobody consumes */
	uint64_t fd_limit;		/* accept() met the limit of descriptors or memory */
	unsigned open;
};

/* IPv6 takes IPv6 only. Errors: ERR_SYS (errno of socket(), bind(), listen()), ERR_NOMEM. */
enum err tcp_listen(struct tcp_listener **out, struct loop *l, const struct addr *local,
    const struct tcp_opts *opts) MUST_CHECK;
/*
 * The same on a listening descriptor (Unix socket, socket activation), which moves to the listener;
 * on an error it stays the caller's.
 */
enum err tcp_adopt(struct tcp_listener **out, struct loop *l, int fd,
    const struct tcp_opts *opts) MUST_CHECK;
/*
 * Close the listener and all its connections at once, without a flush; closed() is called for each,
 * from in here, or at the turn's end where one of its own callbacks is at work. NULL is fine.
 */
void tcp_listener_close(struct tcp_listener *ls);

/*
 * Queue a copy of the bytes. They are sent at once as far as the kernel takes them; what is sent
 * inside input() leaves together when that is done.
 *
 * errors  ERR_FULL where out_max would be passed, ERR_NOMEM, ERR_SYS where the connection broke:
 *         it is then closed at the turn's end. ERR_DENIED where it is closing already.
 */
enum err tcp_send(struct tcp_conn *c, struct span data);
/*
 * Close after what is queued has been sent and the peer has seen the end, bounded by the idle time;
 * closed() follows, never from inside this call. Input that still comes is thrown away.
 */
void tcp_close(struct tcp_conn *c);
/*
 * Keep the connection open while an answer is being worked on: idle time does not run, and a peer
 * that has shut down its sending side still gets what is sent (RFC 7766 §6.2.4). Calls nest. After
 * closed() nobody may let go any more.
 */
void tcp_hold(struct tcp_conn *c);
void tcp_unhold(struct tcp_conn *c);
/*
 * Stop or resume reading, so that one peer cannot queue without bound. Idle time runs on unless the
 * connection is held. On resuming, input() is called at the turn's end with what was left.
 */
void tcp_pause(struct tcp_conn *c, bool paused);

void tcp_set_user(struct tcp_conn *c, void *user);
void *tcp_user(const struct tcp_conn *c);
void *tcp_ctx(const struct tcp_conn *c);		/* opts.ctx of its listener */
/* No address (AF_UNSPEC) on a Unix socket. IPv4 in IPv6 clothes is unmapped. */
const struct addr *tcp_peer(const struct tcp_conn *c);
const struct addr *tcp_local(const struct tcp_conn *c);
/* How long c may be idle as things are: less, the more connections are open. */
usec tcp_idle_time(const struct tcp_conn *c);
int tcp_conn_fd(const struct tcp_conn *c);
const struct addr *tcp_listener_local(const struct tcp_listener *ls);
const struct tcp_stats *tcp_stats(const struct tcp_listener *ls);

#endif
