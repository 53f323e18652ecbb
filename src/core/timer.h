/* SPDX-License-Identifier: MIT */
/* Timers: one heap per loop, intrusive, no allocation per timer. */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"
#include "util/mono.h"

/* Embed one in whatever waits. All zero is a valid timer that is not running. */
struct timer {
	mono_us at;
	/* may set or cancel any timer, this one too */
	void (*fire)(struct timer *t, mono_us now);
	size_t slot;		/* heap place counted from 1; 0 when not running */
};

struct timer_heap {
	struct timer **slots;	/* slots[0] is unused */
	size_t used;
	size_t cap;
};

void timer_heap_init(struct timer_heap *h);
void timer_heap_fini(struct timer_heap *h);

/*
 * Make sure that at least n timers can run at once without allocating. Errors: ERR_NOMEM.
 */
enum err timer_heap_reserve(struct timer_heap *h, size_t n) MUST_CHECK;

/*
 * Start the timer, or move it where it runs already. MONO_NEVER cancels. t->fire must be set.
 * The heap grows when needed; a process that has no memory for that ends with one clear line,
 * as losing a timer would lose a transfer for good.
 */
void timer_set(struct timer_heap *h, struct timer *t, mono_us at);
void timer_cancel(struct timer_heap *h, struct timer *t);

static inline bool
timer_running(const struct timer *t)
{
	return t->slot != 0;
}

/* Instant of the earliest timer, or MONO_NEVER. */
mono_us timer_heap_next(const struct timer_heap *h);

/* Fire what is due, in order; at most `budget` timers, so that a turn stays bounded. */
void timer_heap_run(struct timer_heap *h, mono_us now, unsigned budget);

#endif
