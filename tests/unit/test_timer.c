/* SPDX-License-Identifier: MIT */
#include "core/timer.h"

#include "support/unit.h"

struct tick {
	struct timer timer;
	struct timer_heap *heap;
	mono_us fired_at;
	mono_us again;		/* what fire() sets the timer to; 0: nothing */
};

static mono_us last;
static unsigned fired;

static void
fire(struct timer *t, mono_us now)
{
	struct tick *k = (struct tick *)t;

	CU_ASSERT_TRUE(t->at >= last);
	last = t->at;
	fired++;
	k->fired_at = now;
	if (k->again != 0)
		timer_set(k->heap, t, k->again);
}

static void
timers_fire_in_order_whatever_was_done_to_them(void)
{
	enum { N = 500 };
	static struct tick ticks[N];
	struct timer_heap h;
	uint64_t rnd = unit_seed(7);
	unsigned running = 0;

	timer_heap_init(&h);
	for (size_t i = 0; i < N; i++)
		ticks[i] = (struct tick){ .timer.fire = fire, .heap = &h };
	for (int i = 0; i < 5000; i++) {
		struct tick *k = &ticks[unit_random(&rnd) % N];

		if (unit_random(&rnd) % 4 == 0)
			timer_cancel(&h, &k->timer);
		else
			timer_set(&h, &k->timer, (mono_us)(unit_random(&rnd) % 1000));
	}
	for (size_t i = 0; i < N; i++)
		running += timer_running(&ticks[i].timer);
	CU_ASSERT_EQUAL(running, h.used);
	last = 0;
	fired = 0;
	timer_heap_run(&h, 1000, N);
	CU_ASSERT_EQUAL(fired, running);
	CU_ASSERT_EQUAL(timer_heap_next(&h), MONO_NEVER);
	timer_heap_fini(&h);
}

static void
only_what_is_due_fires(void)
{
	struct timer_heap h;
	struct tick early = { .timer.fire = fire }, late = { .timer.fire = fire };

	timer_heap_init(&h);
	timer_set(&h, &early.timer, 10);
	timer_set(&h, &late.timer, 11);
	last = 0;
	timer_heap_run(&h, 10, 5);
	CU_ASSERT_EQUAL(early.fired_at, 10);
	CU_ASSERT_FALSE(timer_running(&early.timer));
	CU_ASSERT_TRUE(timer_running(&late.timer));
	CU_ASSERT_EQUAL(timer_heap_next(&h), 11);
	timer_heap_fini(&h);
	CU_ASSERT_FALSE(timer_running(&late.timer));
}

static void
a_timer_that_sets_itself_does_not_hold_the_turn(void)
{
	struct timer_heap h;
	struct tick k = { .timer.fire = fire, .heap = &h, .again = 5 };

	timer_heap_init(&h);
	timer_set(&h, &k.timer, 5);
	last = 0;
	fired = 0;
	timer_heap_run(&h, 5, 100);
	CU_ASSERT_EQUAL(fired, 100);
	timer_heap_fini(&h);
}

static void
never_cancels(void)
{
	struct timer_heap h;
	struct tick k = { .timer.fire = fire };

	timer_heap_init(&h);
	timer_set(&h, &k.timer, 5);
	timer_set(&h, &k.timer, MONO_NEVER);
	CU_ASSERT_FALSE(timer_running(&k.timer));
	CU_ASSERT_EQUAL(timer_heap_next(&h), MONO_NEVER);
	timer_heap_fini(&h);
}

UNIT_MAIN("timer", UNIT(timers_fire_in_order_whatever_was_done_to_them),
    UNIT(only_what_is_due_fires), UNIT(a_timer_that_sets_itself_does_not_hold_the_turn),
    UNIT(never_cancels))
