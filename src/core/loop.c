/* SPDX-License-Identifier: MIT */
/*
 * epoll, one clock reading per turn, one timer heap, deferred tasks.
 *
 * Order within a turn: timers that are due, descriptors that are ready, tasks. A descriptor that
 * is removed while its event waits in this turn's batch has that event struck out, so that a
 * callback may release its neighbour.
 */
#include "core/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/udp.h"

#define EVENTS_MAX	 64	/* descriptors served in one turn */
#define TIMERS_PER_TURN	 256	/* timers fired in one turn; the rest in the next, at once */
#define TASKS_PER_TURN	 4096	/* tasks that queue tasks do not hold the turn for ever */

struct loop {
	int epoll;
	bool stopping;
	mono_us now;	/* as read when this turn's waiting ended */
	mono_us ended;	/* as read when the last turn's work ended */
	struct udp_io *udp;
	struct timer_heap timers;
	STAILQ_HEAD(, loop_task) tasks;
	struct epoll_event events[EVENTS_MAX];
	int events_used;	/* events[] is valid up to here while a turn serves it */
	struct loop_stats stats;
};

static mono_us
read_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return seconds(ts.tv_sec) + ts.tv_nsec / 1000;
}

enum err
loop_new(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return ERR_SYS;
	}
	l->udp = udp_io_new();
	if (l->udp == NULL) {
		close(l->epoll);
		free(l);
		return ERR_NOMEM;
	}
	timer_heap_init(&l->timers);
	STAILQ_INIT(&l->tasks);
	l->now = l->ended = read_clock();
	*out = l;
	return OK;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	udp_io_free(l->udp);
	timer_heap_fini(&l->timers);
	close(l->epoll);
	free(l);
}

static enum err
control(struct loop *l, int op, struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epoll, op, w->fd, &ev) != 0)
		return ERR_SYS;
	w->events = events;
	return OK;
}

enum err
loop_add(struct loop *l, struct loop_fd *w, uint32_t events)
{
	assert(w->ready != NULL);
	return control(l, EPOLL_CTL_ADD, w, events);
}

enum err
loop_change(struct loop *l, struct loop_fd *w, uint32_t events)
{
	return w->events == events ? OK : control(l, EPOLL_CTL_MOD, w, events);
}

void
loop_remove(struct loop *l, struct loop_fd *w)
{
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	for (int i = 0; i < l->events_used; i++)
		if (l->events[i].data.ptr == w)
			l->events[i].data.ptr = NULL;
}

void
loop_defer(struct loop *l, struct loop_task *t)
{
	assert(t->run != NULL);
	if (t->queued)
		return;
	t->queued = true;
	STAILQ_INSERT_TAIL(&l->tasks, t, link);
}

void
loop_undefer(struct loop *l, struct loop_task *t)
{
	if (!t->queued)
		return;
	STAILQ_REMOVE(&l->tasks, t, loop_task, link);
	t->queued = false;
}

mono_us
loop_now(const struct loop *l)
{
	return l->now;
}

mono_us
loop_clock(struct loop *l)
{
	l->now = read_clock();
	return l->now;
}

void
loop_timer(struct loop *l, struct timer *t, mono_us at)
{
	timer_set(&l->timers, t, at);
}

void
loop_timer_cancel(struct loop *l, struct timer *t)
{
	timer_cancel(&l->timers, t);
}

/* Wait for events until an instant; a timeout in the past does not wait. */
static int
wait_until(struct loop *l, mono_us until)
{
	usec span = until == MONO_NEVER ? MONO_NEVER : until - l->ended;

	if (span < 0)
		span = 0;
#if HAVE_EPOLL_PWAIT2
	struct timespec ts = { .tv_sec = span / seconds(1), .tv_nsec = span % seconds(1) * 1000 };
	int n = epoll_pwait2(l->epoll, l->events, EVENTS_MAX, until == MONO_NEVER ? NULL : &ts,
	    NULL);

	/*
	 * ENOSYS: an old kernel. EPERM: a sandbox older than the call refuses what it does not
	 * know.
	 */
	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
#endif
	int ms = -1;	/* rounded up, so that no timer is woken for early */

	if (until != MONO_NEVER)
		ms = span > seconds(3600) ? 3600000 : (int)((span + 999) / 1000);
	return epoll_wait(l->epoll, l->events, EVENTS_MAX, ms);
}

static void
run_tasks(struct loop *l)
{
	struct loop_task *t;

	for (unsigned i = 0; i < TASKS_PER_TURN && (t = STAILQ_FIRST(&l->tasks)) != NULL; i++) {
		STAILQ_REMOVE_HEAD(&l->tasks, link);
		t->queued = false;
		t->run(t);
	}
}

enum err
loop_turn(struct loop *l, mono_us until)
{
	if (!STAILQ_EMPTY(&l->tasks))
		until = 0;

	int n = wait_until(l, mono_earlier(until, timer_heap_next(&l->timers)));

	if (n < 0 && errno != EINTR)
		return ERR_SYS;
	l->now = read_clock();

	mono_us began = l->now;

	l->events_used = n > 0 ? n : 0;
	timer_heap_run(&l->timers, l->now, TIMERS_PER_TURN);
	for (int i = 0; i < l->events_used; i++) {
		struct loop_fd *w = l->events[i].data.ptr;

		if (w != NULL)
			w->ready(w, l->events[i].events);
	}
	l->events_used = 0;
	run_tasks(l);
	l->stats.turns++;

	l->ended = read_clock();

	uint64_t took = (uint64_t)(l->ended - began);

	if (took > l->stats.longest_us)
		l->stats.longest_us = took;
	return OK;
}

enum err
loop_run(struct loop *l)
{
	enum err e = OK;

	l->stopping = false;
	while (!l->stopping && e == OK)
		e = loop_turn(l, MONO_NEVER);
	return e;
}

void
loop_stop(struct loop *l)
{
	l->stopping = true;
}

int
loop_descriptor(const struct loop *l)
{
	return l->epoll;
}

mono_us
loop_due(const struct loop *l)
{
	return STAILQ_EMPTY(&l->tasks) ? timer_heap_next(&l->timers) : l->now;
}

struct udp_io *
loop_udp_io(struct loop *l)
{
	return l->udp;
}

const struct loop_stats *
loop_stats(const struct loop *l)
{
	return &l->stats;
}
