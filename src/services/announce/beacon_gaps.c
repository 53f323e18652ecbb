/* SPDX-License-Identifier: MIT */
/*
 * Gaps and their schedule: first asked for after the caller's delay, again 0.25, 1, 2 and 4 s
 * later, given up 8 s after that. The first try often meets a copy that is on its way anyway.
 * `next` is a lower bound that beacon_gaps_ask() and beacon_gaps_lost() bring up to date.
 */
#include "services/announce/beacon_gaps.h"

#include <string.h>

static const usec wait_after_try[BEACON_GAP_TRIES] = { 250000, 1000000, 2000000, 4000000,
	8000000 };

void
beacon_gaps_init(struct beacon_gaps *g)
{
	memset(g, 0, sizeof(*g));
	g->next = MONO_NEVER;
}

static bool
belongs(const struct beacon_gap *gap, uint64_t sender, uint64_t epoch)
{
	return gap->sender == sender && gap->epoch == epoch;
}

static void
release(struct beacon_gaps *g, struct beacon_gap *gap)
{
	gap->sender = 0;
	g->used--;
}

static enum err
insert(struct beacon_gaps *g, const struct beacon_gap *gap)
{
	for (size_t i = 0; g->used < BEACON_GAPS_MAX && i < BEACON_GAPS_MAX; i++) {
		if (g->at[i].sender != 0)
			continue;
		g->at[i] = *gap;
		g->used++;
		g->next = mono_earlier(g->next, gap->next);
		return OK;
	}
	return ERR_FULL;
}

enum err
beacon_gaps_add(struct beacon_gaps *g, uint64_t sender, uint64_t epoch, uint64_t first,
    uint64_t last, mono_us next)
{
	return insert(g, &(struct beacon_gap){ .sender = sender, .epoch = epoch, .first = first,
	    .last = last, .next = next });
}

bool
beacon_gaps_fill(struct beacon_gaps *g, uint64_t sender, uint64_t epoch, uint64_t seq)
{
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++) {
		struct beacon_gap *gap = &g->at[i], upper;

		if (!belongs(gap, sender, epoch) || seq < gap->first || seq > gap->last)
			continue;
		upper = *gap;
		upper.first = seq + 1;
		gap->last = seq - 1;
		if (seq == gap->first)
			release(g, gap);
		/* Without room for a second piece the first stays whole: asked too often. */
		if (upper.first <= upper.last && insert(g, &upper) != OK)
			gap->last = upper.last;
		return true;
	}
	return false;
}

static void
count_try(struct beacon_gap *gap, mono_us now)
{
	gap->next = now + wait_after_try[gap->tries];
	gap->tries++;
}

void
beacon_gaps_heard(struct beacon_gaps *g, uint64_t sender, uint64_t epoch,
    const struct beacon_range *range, mono_us now)
{
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++) {
		struct beacon_gap *gap = &g->at[i];

		/* The last try is always our own: somebody else's word alone loses nothing. */
		if (belongs(gap, sender, epoch) && gap->first >= range->first &&
		    gap->last < range->first + range->count && gap->tries + 1 < BEACON_GAP_TRIES)
			count_try(gap, now);
	}
}

bool
beacon_gaps_lost(struct beacon_gaps *g, mono_us now, uint64_t sender, uint64_t epoch,
    uint64_t repair_from, struct beacon_gap *out)
{
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++) {
		struct beacon_gap *gap = &g->at[i];
		bool spent = gap->sender != 0 && gap->tries == BEACON_GAP_TRIES && gap->next <= now;
		bool gone = sender != 0 && belongs(gap, sender, epoch) && gap->first < repair_from;

		if (!spent && !gone)
			continue;
		*out = *gap;
		if (!spent && gap->last >= repair_from) {
			out->last = repair_from - 1;
			gap->first = repair_from;
		} else {
			release(g, gap);
		}
		return true;
	}
	return false;
}

/* Bring the lower bound up to date. */
static void
find_next(struct beacon_gaps *g)
{
	g->next = MONO_NEVER;
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++)
		if (g->at[i].sender != 0)
			g->next = mono_earlier(g->next, g->at[i].next);
}

bool
beacon_gaps_ask(struct beacon_gaps *g, mono_us now, struct beacon_nack *out)
{
	out->range_count = 0;
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++) {
		struct beacon_gap *gap = &g->at[i];

		if (gap->sender == 0 || gap->next > now || gap->tries == BEACON_GAP_TRIES)
			continue;
		if (out->range_count == 0) {
			out->target = gap->sender;
			out->epoch = gap->epoch;
		} else if (!belongs(gap, out->target, out->epoch)) {
			continue;
		}
		out->ranges[out->range_count++] = (struct beacon_range){ .first = gap->first,
			.count = (uint16_t)(gap->last - gap->first + 1) };
		count_try(gap, now);
		if (out->range_count == BEACON_RANGES_MAX)
			return true;
	}
	if (out->range_count == 0)
		find_next(g);
	return out->range_count != 0;
}

void
beacon_gaps_drop(struct beacon_gaps *g, uint64_t sender, uint64_t epoch)
{
	for (size_t i = 0; g->used != 0 && i < BEACON_GAPS_MAX; i++)
		if (belongs(&g->at[i], sender, epoch))
			release(g, &g->at[i]);
}
