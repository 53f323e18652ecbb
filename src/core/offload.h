/* SPDX-License-Identifier: MIT */
/*
 * Work that may block (disk, large parses) goes to a small pool of threads; completions come back
 * to the loop. The only place in the program where there is a second thread.
 */
#ifndef CORE_OFFLOAD_H
#define CORE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/err.h"

struct loop;
struct offload;

/* Embed one in the job's own data, which must not be touched by the loop until done() is called. */
struct offload_job {
	void (*work)(struct offload_job *j);	/* in a pool thread: no loop, no service, no log */
	void (*done)(struct offload_job *j);	/* in the loop's thread; may release j */
	/* set before done(): the pool ended first, work() was never called */
	bool cancelled;
	STAILQ_ENTRY(offload_job) link;
};

struct offload_stats {
	uint64_t submitted;
	uint64_t completed;
	uint64_t refused;	/* queue at its cap */
	unsigned waiting;	/* now: submitted, done() still to come */
};

/*
 * threads    1-16; each starts when a job comes and no other thread is free
 * queue_max  jobs waiting for a thread at most
 * errors     ERR_SYS, ERR_NOMEM
 */
enum err offload_new(struct offload **out, struct loop *l, unsigned threads,
    unsigned queue_max) MUST_CHECK;
/*
 * Waits for the jobs that are being worked on, then calls done() on every job that still lacks it;
 * those that were only waiting are `cancelled`. Not from inside done(). NULL is fine.
 */
void offload_free(struct offload *o);

/*
 * Hand j to the pool; from the loop's thread only, done() included. Where this fails the job stays
 * the caller's and done() is not called. Errors: ERR_FULL (queue at its cap: do it later or do
 * without), ERR_SYS (no thread), ERR_DENIED (the pool is ending).
 */
enum err offload_submit(struct offload *o, struct offload_job *j) MUST_CHECK;

/*
 * Take jobs but start no thread until offload_go(). Capabilities belong to a thread: one that
 * starts before its daemon gives up root would keep them.
 */
void offload_hold(struct offload *o);
/* Errors: ERR_SYS, jobs wait and no thread can be started. */
enum err offload_go(struct offload *o) MUST_CHECK;

const struct offload_stats *offload_stats(const struct offload *o);

#endif
