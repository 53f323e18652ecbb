/* SPDX-License-Identifier: MIT */
/*
 * What core/tcp.c (connections) and core/tcp_listener.c (who gets in, who has to go) share; for
 * these two alone.
 *
 * A connection is in one of a few lists of its listener, each ordered by the instant from which its
 * time runs, so that one timer per listener looks at the heads only:
 *
 *   FRESH --consumed--> IDLE <--hold, unhold--> HELD
 *     |                  |                       |
 *     +---tcp_close()----+------ flushed? -------+--> LINGER --end of input--> DEAD --> closed()
 *
 * FRESH   nothing consumed yet; first_timeout since it was accepted
 * IDLE    idle_timeout since the last progress; closing connections wait here for their flush
 * HELD    an answer is being worked on; no limit here, the work has its own
 * LINGER  all was sent and our side is shut down; the peer's end is awaited for a moment, as a
 *         close() with unread input would turn into a reset that can destroy what we sent
 * DEAD    no longer watched; its task calls closed() and releases it at the turn's end
 */
#ifndef CORE_TCP_IMPL_H
#define CORE_TCP_IMPL_H

#include "core/loop.h"
#include "core/tcp.h"
#include "core/timer.h"
#include "util/addr.h"
#include "util/fifo.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

enum tcp_place {
	TCP_FRESH,
	TCP_IDLE,
	TCP_HELD,
	TCP_LINGER,
	TCP_DEAD,
	TCP_PLACES,
};

TAILQ_HEAD(tcp_list, tcp_conn);

struct tcp_conn {
	struct loop_fd watch;		/* first, so that a watch is its connection */
	struct loop_task task;		/* DEAD: bury; else: deliver what is buffered */
	struct tcp_listener *listener;
	TAILQ_ENTRY(tcp_conn) link;
	enum tcp_place place;
	mono_us since;			/* when the time of its place began to run */
	void *user;
	struct fifo in;			/* read, not consumed */
	struct fifo out;		/* not sent */
	/* LINGER: bytes thrown away; else: sent since last progress */
	size_t moved;
	unsigned holds;
	bool corked;			/* input() is at work: what is sent waits for its end */
	bool paused;
	bool closing;			/* tcp_close() was called */
	bool ended;			/* the peer has shut down its sending side */
	bool refused;			/* accepted() said no: closed() is not called */
	struct addr peer;
	struct addr local;
};

struct tcp_listener {
	struct loop_fd watch;
	struct timer timer;		/* the earliest deadline, or earlier */
	struct timer resume;		/* when to accept again */
	struct loop *loop;
	struct tcp_opts opts;
	struct addr local;
	struct tcp_stats stats;
	struct tcp_list lists[TCP_PLACES];
	/* a descriptor to give up when there are no more; -1: none */
	int spare;
	unsigned depth;			/* callbacks of the service at work */
	bool inet;
	/* closed inside a callback: the last connection releases it */
	bool ending;
};

/* Make a connection of an accepted descriptor; on ERR_NOMEM and ERR_SYS fd stays the caller's. */
enum err tcp_conn_new(struct tcp_conn **out, struct tcp_listener *ls, int fd,
    const struct addr *peer) MUST_CHECK;
/* Nothing more happens on c but closed() and its release, at the turn's end. */
void tcp_conn_doom(struct tcp_conn *c);
/* Call closed() and release a doomed connection; the last of an ending listener releases that. */
void tcp_conn_bury(struct tcp_conn *c);

/*
 * Make sure that the timer runs no later than the earliest deadline. Progress only moves deadlines
 * away, so a timer that is too early is left alone: it fires for nothing now and then.
 */
void tcp_listener_arm(struct tcp_listener *ls);

/* How long a connection may stay in a place as things are. */
usec tcp_listener_patience(const struct tcp_listener *ls, enum tcp_place place);

/* The local address of a socket; none (AF_UNSPEC) where it is not an internet socket. */
struct addr tcp_socket_local(int fd);
/* Read an address as accept() filled it in: IPv4 unmapped, none for a Unix socket. */
struct addr tcp_addr_of(struct addr raw);

#endif
