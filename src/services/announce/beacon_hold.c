/* SPDX-License-Identifier: MIT */
/* Quarantine: a ring of datagrams; the oldest place yields. */
#include "services/announce/beacon_hold.h"

#include <string.h>

void
beacon_hold_init(struct beacon_hold *h)
{
	memset(h, 0, sizeof(*h));
	h->next = MONO_NEVER;
}

bool
beacon_hold_knows(const struct beacon_hold *h, const struct beacon_hdr *hdr)
{
	for (size_t i = 0; i < BEACON_HOLD_MAX; i++)
		if (h->at[i].sender == hdr->sender && h->at[i].epoch == hdr->epoch &&
		    h->at[i].seq == hdr->seq)
			return true;
	return false;
}

void
beacon_hold_add(struct beacon_hold *h, const struct beacon_opened *o, mono_us now)
{
	struct beacon_held *held = &h->at[h->turn];

	h->turn = (h->turn + 1) % BEACON_HOLD_MAX;
	h->evicted += held->sender != 0 && !held->decided;
	held->sender = o->hdr.sender;
	held->epoch = o->hdr.epoch;
	held->seq = o->hdr.seq;
	held->since = now;
	held->decided = false;
	held->opened = *o;
	h->next = mono_earlier(h->next, now + BEACON_HOLD_WAIT);
}

struct beacon_held *
beacon_hold_first(struct beacon_hold *h, uint64_t sender, uint64_t epoch)
{
	struct beacon_held *best = NULL;

	for (size_t i = 0; i < BEACON_HOLD_MAX; i++) {
		struct beacon_held *held = &h->at[i];

		if (held->sender == sender && held->epoch == epoch && !held->decided &&
		    (best == NULL || held->seq < best->seq))
			best = held;
	}
	return best;
}

struct beacon_held *
beacon_hold_due(struct beacon_hold *h, mono_us now)
{
	mono_us next = MONO_NEVER;

	if (h->next > now)
		return NULL;
	for (size_t i = 0; i < BEACON_HOLD_MAX; i++) {
		struct beacon_held *held = &h->at[i];

		if (held->sender == 0 || held->decided)
			continue;
		if (held->since + BEACON_HOLD_WAIT <= now)
			return held;
		next = mono_earlier(next, held->since + BEACON_HOLD_WAIT);
	}
	h->next = next;
	return NULL;
}
