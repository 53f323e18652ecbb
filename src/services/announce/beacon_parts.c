/* SPDX-License-Identifier: MIT */
/*
 * Reassembly. The fragments of a message have consecutive numbers, so number minus index names the
 * message; each was authenticated by itself, and all must agree on topic, type and revision.
 */
#include "services/announce/beacon_parts.h"

#include <string.h>

static void
expire(struct beacon_parts *p, mono_us now)
{
	for (size_t i = 0; i < BEACON_PARTS_MAX; i++) {
		if (p->at[i].sender != 0 && p->at[i].expires <= now) {
			p->at[i].sender = 0;
			p->timed_out++;
		}
	}
}

static struct beacon_part *
find(struct beacon_parts *p, uint64_t sender, uint64_t epoch, uint64_t first_seq)
{
	for (size_t i = 0; i < BEACON_PARTS_MAX; i++)
		if (p->at[i].sender == sender && p->at[i].epoch == epoch &&
		    p->at[i].first_seq == first_seq)
			return &p->at[i];
	return NULL;
}

/* A free place, else the one that expires first; NULL where the sender has enough of them. */
static struct beacon_part *
find_place(struct beacon_parts *p, uint64_t sender)
{
	struct beacon_part *best = &p->at[0];
	unsigned own = 0;

	for (size_t i = 0; i < BEACON_PARTS_MAX; i++) {
		struct beacon_part *b = &p->at[i];

		own += b->sender == sender;
		if (best->sender != 0 && (b->sender == 0 || b->expires < best->expires))
			best = b;
	}
	if (own >= BEACON_PARTS_PER_SENDER)
		return NULL;
	p->timed_out += best->sender != 0;
	return best;
}

static bool
agrees(const struct beacon_part *b, const struct beacon_hdr *h, const struct beacon_item *item)
{
	return b->type == h->type && b->count == h->frag_count && b->ctype == item->ctype &&
	       b->rev == item->rev &&
	       span_equal(span_of(b->topic, b->topic_len), item->topic);
}

static void
begin(struct beacon_part *b, const struct beacon_hdr *h, const struct beacon_item *item)
{
	b->sender = h->sender;
	b->epoch = h->epoch;
	b->first_seq = h->seq - h->frag_index;
	b->type = h->type;
	b->count = h->frag_count;
	b->ctype = item->ctype;
	b->rev = item->rev;
	b->have = 0;
	b->topic_len = (uint8_t)item->topic.len;
	memcpy(b->topic, item->topic.at, item->topic.len);
}

/* Push the fragments together; the place is free now, its bytes stay until the next call. */
static void
finish(struct beacon_part *b, struct beacon_item *item)
{
	size_t len = 0;

	for (size_t i = 0; i < b->count; i++) {
		memmove(b->bytes + len, b->bytes + i * BEACON_PAYLOAD_MAX, b->len[i]);
		len += b->len[i];
	}
	item->topic = span_of(b->topic, b->topic_len);
	item->payload = span_of(b->bytes, len);
	b->sender = 0;
}

bool
beacon_parts_add(struct beacon_parts *p, const struct beacon_hdr *h, struct beacon_item *item,
    mono_us now)
{
	expire(p, now);

	struct beacon_part *b = find(p, h->sender, h->epoch, h->seq - h->frag_index);

	if (b == NULL) {
		b = find_place(p, h->sender);
		if (b != NULL)
			begin(b, h, item);
	}
	if (b == NULL || !agrees(b, h, item)) {
		p->refused++;
		return false;
	}
	memcpy(b->bytes + (size_t)h->frag_index * BEACON_PAYLOAD_MAX, item->payload.at,
	    item->payload.len);
	b->len[h->frag_index] = (uint16_t)item->payload.len;
	b->have |= (uint16_t)(1U << h->frag_index);
	b->expires = now + BEACON_PARTS_WAIT;
	if (b->have != (1U << b->count) - 1)
		return false;
	finish(b, item);
	return true;
}
