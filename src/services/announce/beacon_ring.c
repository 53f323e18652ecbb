/* SPDX-License-Identifier: MIT */
/*
 * The repair ring. Datagrams lie one behind the other and never wrap in the middle: where the end
 * is too near, writing goes on at the start. Invariant: the bytes of the numbers first to next - 1
 * do not overlap.
 */
#include "services/announce/beacon_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err
beacon_ring_init(struct beacon_ring *r, size_t entries, size_t bytes)
{
	*r = (struct beacon_ring){ .entries = entries, .cap = bytes, .first = 1, .next = 1 };
	r->sent = calloc(entries, sizeof(*r->sent));
	r->bytes = malloc(bytes);
	if (r->sent != NULL && r->bytes != NULL)
		return OK;
	beacon_ring_fini(r);
	return ERR_NOMEM;
}

void
beacon_ring_fini(struct beacon_ring *r)
{
	free(r->sent);
	free(r->bytes);
	*r = (struct beacon_ring){ .entries = 0 };
}

void
beacon_ring_reset(struct beacon_ring *r)
{
	memset(r->sent, 0, r->entries * sizeof(*r->sent));
	r->first = 1;
	r->next = 1;
	r->head = 0;
}

static struct beacon_sent *
place(struct beacon_ring *r, uint64_t seq)
{
	return &r->sent[seq & (r->entries - 1)];
}

static bool
overlaps(const struct beacon_sent *s, uint32_t at, size_t len)
{
	return s->offset < at + len && at < s->offset + s->len;
}

struct beacon_sent *
beacon_ring_push(struct beacon_ring *r, struct span dgram, bool copies, mono_us now)
{
	assert(dgram.len <= r->cap);
	if (r->head + dgram.len > r->cap) {
		/* What lies behind the head up to the end is older than what lies at the start. */
		while (r->first < r->next && place(r, r->first)->offset >= r->head)
			r->first++;
		r->head = 0;
	}
	while (r->first < r->next && (r->next - r->first >= r->entries ||
	    overlaps(place(r, r->first), r->head, dgram.len)))
		r->first++;

	struct beacon_sent *s = place(r, r->next);

	*s = (struct beacon_sent){ .seq = r->next++, .at = now, .last = now, .offset = r->head,
		.len = (uint16_t)dgram.len, .copies = copies };
	memcpy(r->bytes + s->offset, dgram.at, dgram.len);
	r->head += (uint32_t)dgram.len;
	return s;
}

uint64_t
beacon_ring_oldest(struct beacon_ring *r, mono_us now)
{
	while (r->first < r->next && now - place(r, r->first)->at > BEACON_RING_LIFE)
		r->first++;
	return r->first;
}

struct beacon_sent *
beacon_ring_find(struct beacon_ring *r, uint64_t seq, mono_us now)
{
	if (seq < beacon_ring_oldest(r, now) || seq >= r->next)
		return NULL;
	return place(r, seq);
}

struct span
beacon_ring_bytes(const struct beacon_ring *r, const struct beacon_sent *s)
{
	return span_of(r->bytes + s->offset, s->len);
}
