/* SPDX-License-Identifier: MIT */
/*
 * Time that this machine has slept. The loop's clock stands still meanwhile, as timers should; what
 * was promised to others, lifetimes and leases, goes on running.
 */
#ifndef CORE_SUSPEND_H
#define CORE_SUSPEND_H

#include <stdbool.h>

#include "core/loop.h"
#include "util/mono.h"

/* Embed one in what must know; all zero before suspend_watch(). */
struct suspend {
	struct loop *loop;
	/* becomes readable at resume; fd -1: the kernel has no such timer */
	struct loop_fd timer;
	usec asleep;		/* since the machine started, as far as was noticed */
	void (*resumed)(struct suspend *s, usec slept);
};

/* Set resumed before. Where the kernel does not tell, suspend_check() finds out. */
void suspend_watch(struct suspend *s, struct loop *l);
void suspend_unwatch(struct suspend *s);

/* Look now; calls resumed() where the machine has slept since the last look. */
void suspend_check(struct suspend *s);

/* The loop's clock with the time asleep added, and back: for loop_timer(). MONO_NEVER stays. */
static inline mono_us
suspend_now(const struct suspend *s)
{
	return loop_now(s->loop) + s->asleep;
}

static inline mono_us
suspend_timer(const struct suspend *s, mono_us at)
{
	return at == MONO_NEVER ? at : at - s->asleep;
}

#endif
