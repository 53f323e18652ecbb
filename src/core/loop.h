/* SPDX-License-Identifier: MIT */
/*
 * The loop: one epoll instance, one timer heap, one thread that decides.
 *
 * A turn: wait until something is ready or the next timer is due, read the clock once, fire what
 * is due, call what is ready, run the tasks that those calls deferred. Nothing called from here
 * may block; each callback does a bounded amount of work and is called again where more is left
 * (epoll is used level-triggered).
 */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "core/timer.h"
#include "util/err.h"
#include "util/mono.h"

struct loop;

/* A watched file descriptor. Embed one in what owns the descriptor; the loop never closes it. */
struct loop_fd {
	int fd;
	uint32_t events;	/* EPOLLIN | EPOLLOUT as asked for; kept by the loop */
	/* EPOLLERR and EPOLLHUP come unasked */
	void (*ready)(struct loop_fd *w, uint32_t events);
};

/* Work for the end of this turn: flushes, releases that must not happen inside a callback. */
struct loop_task {
	void (*run)(struct loop_task *t);
	bool queued;
	STAILQ_ENTRY(loop_task) link;
};

/* Errors: ERR_SYS, ERR_NOMEM. The loop owns nothing that is added to it. */
enum err loop_new(struct loop **out) MUST_CHECK;
void loop_free(struct loop *l);

/* Start watching w->fd. w stays the caller's and must not move until loop_remove(). */
enum err loop_add(struct loop *l, struct loop_fd *w, uint32_t events) MUST_CHECK;
enum err loop_change(struct loop *l, struct loop_fd *w, uint32_t events) MUST_CHECK;
/* Stop watching; safe inside any callback, and w will not be called again even in this turn. */
void loop_remove(struct loop *l, struct loop_fd *w);

/* Run t at the end of this turn; a task that is queued already stays queued once. */
void loop_defer(struct loop *l, struct loop_task *t);
/* Take a queued task back; nothing happens where it is not queued. */
void loop_undefer(struct loop *l, struct loop_task *t);

/* The clock as read when this turn began. */
mono_us loop_now(const struct loop *l);
/* Read the clock again, for measurements that a turn's start is too coarse for. */
mono_us loop_clock(struct loop *l);

void loop_timer(struct loop *l, struct timer *t, mono_us at);	/* timer_set() on the loop's heap */
void loop_timer_cancel(struct loop *l, struct timer *t);

/* One turn; waits at most until `until`. Errors: ERR_SYS where epoll itself fails. */
enum err loop_turn(struct loop *l, mono_us until) MUST_CHECK;
/* Turns until loop_stop(). */
enum err loop_run(struct loop *l) MUST_CHECK;
void loop_stop(struct loop *l);

/*
 * For a loop that runs inside a program with one of its own: a descriptor that is readable when a
 * turn has something to do, and the instant by which the next turn is due.
 */
int loop_descriptor(const struct loop *l);
mono_us loop_due(const struct loop *l);

/* The datagram slots of this loop; for core/udp.c alone. */
struct udp_io;
struct udp_io *loop_udp_io(struct loop *l);

struct loop_stats {
	uint64_t turns;
	uint64_t longest_us;	/* longest turn, waiting not counted */
};

const struct loop_stats *loop_stats(const struct loop *l);

#endif
