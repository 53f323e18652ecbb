/* SPDX-License-Identifier: MIT */
/*
 * The pool. One mutex guards both queues; a job belongs to whoever took it off its queue. Workers
 * ring an eventfd when the queue of finished jobs stops being empty, and the loop's thread calls
 * done() a few at a time: the descriptor stays readable until the queue is empty, so that a batch
 * of completions cannot hold a turn.
 */
#include "core/offload.h"

#include "core/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OFFLOAD_THREADS_MAX 16
#define OFFLOAD_DONE_BUDGET 16	/* completions in one turn */

STAILQ_HEAD(offload_queue, offload_job);

struct offload {
	struct loop_fd bell;		/* the eventfd; first, so that a watch is its pool */
	struct loop *loop;
	struct offload_stats stats;	/* the loop's thread only */
	unsigned threads_max;
	unsigned queue_max;

	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t more;		/* a job waits, or the pool ends */
	struct offload_queue waiting;
	struct offload_queue finished;
	unsigned queued;		/* jobs in waiting */
	unsigned idle;			/* threads that wait for a job */
	bool ending;

	bool held;			/* no thread may start yet; the loop's thread only */
	unsigned started;		/* threads; the loop's thread only */
	pthread_t threads[OFFLOAD_THREADS_MAX];
};

static void
ring(const struct offload *o)
{
	const uint64_t one = 1;

	/*
	 * Cannot fail: the counter would have to be at its limit, and then the bell rings anyway.
	 */
	ssize_t n = write(o->bell.fd, &one, sizeof(one));

	(void)n;
}

static void *
worker(void *arg)
{
	struct offload *o = arg;

	pthread_mutex_lock(&o->lock);
	for (;;) {
		o->idle++;
		while (o->queued == 0 && !o->ending)
			pthread_cond_wait(&o->more, &o->lock);
		o->idle--;
		if (o->ending)
			break;

		struct offload_job *j = STAILQ_FIRST(&o->waiting);

		STAILQ_REMOVE_HEAD(&o->waiting, link);
		o->queued--;
		pthread_mutex_unlock(&o->lock);
		j->work(j);
		pthread_mutex_lock(&o->lock);
		if (STAILQ_EMPTY(&o->finished))
			ring(o);
		STAILQ_INSERT_TAIL(&o->finished, j, link);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* Take one finished job; where there is none left, silence the bell and give NULL. */
static struct offload_job *
take_finished(struct offload *o)
{
	pthread_mutex_lock(&o->lock);

	struct offload_job *j = STAILQ_FIRST(&o->finished);

	if (j != NULL) {
		STAILQ_REMOVE_HEAD(&o->finished, link);
	} else {
		uint64_t rings;
		ssize_t n = read(o->bell.fd, &rings, sizeof(rings));

		(void)n;	/* EAGAIN: silent already */
	}
	pthread_mutex_unlock(&o->lock);
	return j;
}

static void
complete(struct offload *o, struct offload_job *j)
{
	o->stats.completed++;
	o->stats.waiting--;
	j->done(j);
}

static void
on_bell(struct loop_fd *w, uint32_t events)
{
	struct offload *o = (struct offload *)w;

	(void)events;
	for (unsigned i = 0; i < OFFLOAD_DONE_BUDGET; i++) {
		struct offload_job *j = take_finished(o);

		if (j == NULL)
			return;
		complete(o, j);
	}
}

enum err
offload_new(struct offload **out, struct loop *l, unsigned threads, unsigned queue_max)
{
	assert(threads >= 1 && threads <= OFFLOAD_THREADS_MAX);

	struct offload *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return ERR_NOMEM;
	o->loop = l;
	o->threads_max = threads;
	o->queue_max = queue_max;
	STAILQ_INIT(&o->waiting);
	STAILQ_INIT(&o->finished);
	o->bell.ready = on_bell;
	o->bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (o->bell.fd == -1)
		goto free_pool;

	enum err e = loop_add(l, &o->bell, EPOLLIN);

	if (e != OK) {
		close(o->bell.fd);
		free(o);
		return e;
	}
	/* With default attributes on Linux these two never fail. */
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->more, NULL);
	*out = o;
	return OK;

free_pool:
	free(o);
	return ERR_SYS;
}

void
offload_free(struct offload *o)
{
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	o->ending = true;
	pthread_cond_broadcast(&o->more);
	pthread_mutex_unlock(&o->lock);
	for (unsigned i = 0; i < o->started; i++)
		pthread_join(o->threads[i], NULL);

	struct offload_job *j;

	while ((j = take_finished(o)) != NULL)
		complete(o, j);
	while ((j = STAILQ_FIRST(&o->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->waiting, link);
		j->cancelled = true;
		complete(o, j);
	}
	loop_remove(o->loop, &o->bell);
	close(o->bell.fd);
	pthread_cond_destroy(&o->more);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/*
 * Start one more thread, with all signals blocked: they are the loop's. Gives an errno, 0 is fine.
 */
static int
start_thread(struct offload *o)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	int e = pthread_create(&o->threads[o->started], NULL, worker, o);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e == 0)
		o->started++;
	return e;
}

/* Append j to the queue; *starved tells that no thread is free to take it. */
static enum err
enqueue(struct offload *o, struct offload_job *j, bool *starved)
{
	enum err e = OK;

	pthread_mutex_lock(&o->lock);
	if (o->ending) {
		e = ERR_DENIED;
	} else if (o->queued >= o->queue_max) {
		e = ERR_FULL;
	} else {
		STAILQ_INSERT_TAIL(&o->waiting, j, link);
		o->queued++;
		*starved = o->queued > o->idle;
		pthread_cond_signal(&o->more);
	}
	pthread_mutex_unlock(&o->lock);
	return e;
}

/* Take j back: there is no thread that could have taken it meanwhile. */
static void
take_back(struct offload *o, struct offload_job *j)
{
	pthread_mutex_lock(&o->lock);
	STAILQ_REMOVE(&o->waiting, j, offload_job, link);
	o->queued--;
	pthread_mutex_unlock(&o->lock);
}

enum err
offload_submit(struct offload *o, struct offload_job *j)
{
	bool starved = false;

	j->cancelled = false;

	enum err e = enqueue(o, j, &starved);

	if (e != OK) {
		o->stats.refused++;
		return e;
	}
	if (starved && !o->held && o->started < o->threads_max) {
		int cause = start_thread(o);

		/* Fewer threads than wished for will do, none will not. */
		if (cause != 0 && o->started == 0) {
			take_back(o, j);
			errno = cause;
			return ERR_SYS;
		}
	}
	o->stats.submitted++;
	o->stats.waiting++;
	return OK;
}

void
offload_hold(struct offload *o)
{
	assert(o->started == 0);
	o->held = true;
}

enum err
offload_go(struct offload *o)
{
	int cause = 0;

	o->held = false;
	for (unsigned i = 0; i < o->stats.waiting && o->started < o->threads_max && cause == 0; i++)
		cause = start_thread(o);
	if (cause == 0 || o->started != 0)
		return OK;
	errno = cause;
	return ERR_SYS;
}

const struct offload_stats *
offload_stats(const struct offload *o)
{
	return &o->stats;
}
