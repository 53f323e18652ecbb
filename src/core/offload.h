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
	STAILQ_ENTRY(offload_job) link;
};

struct offload_stats {
	uint64_t submitted;
	uint64_t completed;
	uint64_t refused;	/* queue at its cap */
	unsigned waiting;	/* now */
};

/*
 * threads    1-16; they start when the first job comes
 * queue_max  jobs waiting at most
 */
enum err offload_new(struct offload **out, struct loop *l, unsigned threads,
    unsigned queue_max) MUST_CHECK;
/* Waits for the jobs that are being worked on, drops the waiting ones after calling done() on all. */
void offload_free(struct offload *o);

/* Errors: ERR_FULL (queue at its cap: do it later or do without), ERR_SYS (no thread). */
enum err offload_submit(struct offload *o, struct offload_job *j) MUST_CHECK;

const struct offload_stats *offload_stats(const struct offload *o);

#endif
