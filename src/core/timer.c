/* SPDX-License-Identifier: MIT */
/*
 * A binary heap of pointers; each timer knows its place, so moving and cancelling are O(log n).
 * slots[1] is the earliest. Invariant: slots[i]->slot == i for 1 <= i <= used.
 */
#include "core/timer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void
timer_heap_init(struct timer_heap *h)
{
	*h = (struct timer_heap){ 0 };
}

void
timer_heap_fini(struct timer_heap *h)
{
	for (size_t i = 1; i <= h->used; i++)
		h->slots[i]->slot = 0;
	free(h->slots);
	*h = (struct timer_heap){ 0 };
}

enum err
timer_heap_reserve(struct timer_heap *h, size_t n)
{
	if (n + 1 <= h->cap)
		return OK;

	size_t cap = h->cap != 0 ? h->cap : 64;

	while (cap < n + 1)
		cap *= 2;

	struct timer **slots = realloc(h->slots, cap * sizeof(*slots));

	if (slots == NULL)
		return ERR_NOMEM;
	h->slots = slots;
	h->cap = cap;
	return OK;
}

static void
place(struct timer_heap *h, size_t slot, struct timer *t)
{
	h->slots[slot] = t;
	t->slot = slot;
}

static void
sift_up(struct timer_heap *h, size_t slot, struct timer *t)
{
	while (slot > 1 && h->slots[slot / 2]->at > t->at) {
		place(h, slot, h->slots[slot / 2]);
		slot /= 2;
	}
	place(h, slot, t);
}

static void
sift_down(struct timer_heap *h, size_t slot, struct timer *t)
{
	for (;;) {
		size_t child = slot * 2;

		if (child > h->used)
			break;
		if (child < h->used && h->slots[child + 1]->at < h->slots[child]->at)
			child++;
		if (h->slots[child]->at >= t->at)
			break;
		place(h, slot, h->slots[child]);
		slot = child;
	}
	place(h, slot, t);
}

/* Put t where it belongs, starting from a free slot. */
static void
settle(struct timer_heap *h, size_t slot, struct timer *t)
{
	if (slot > 1 && h->slots[slot / 2]->at > t->at)
		sift_up(h, slot, t);
	else
		sift_down(h, slot, t);
}

void
timer_cancel(struct timer_heap *h, struct timer *t)
{
	if (t->slot == 0)
		return;

	size_t slot = t->slot;
	struct timer *last = h->slots[h->used--];

	assert(h->slots[slot] == t);
	t->slot = 0;
	if (last != t)
		settle(h, slot, last);
}

void
timer_set(struct timer_heap *h, struct timer *t, mono_us at)
{
	assert(t->fire != NULL);
	if (at == MONO_NEVER) {
		timer_cancel(h, t);
		return;
	}
	t->at = at;
	if (t->slot != 0) {
		settle(h, t->slot, t);
		return;
	}
	if (timer_heap_reserve(h, h->used + 1) != OK) {
		fputs("hearth: out of memory for timers\n", stderr);
		abort();
	}
	h->used++;
	sift_up(h, h->used, t);
}

mono_us
timer_heap_next(const struct timer_heap *h)
{
	return h->used != 0 ? h->slots[1]->at : MONO_NEVER;
}

void
timer_heap_run(struct timer_heap *h, mono_us now, unsigned budget)
{
	while (budget-- > 0 && h->used != 0 && h->slots[1]->at <= now) {
		struct timer *t = h->slots[1];

		timer_cancel(h, t);
		t->fire(t, now);
	}
}
