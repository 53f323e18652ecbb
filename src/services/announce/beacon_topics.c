/* SPDX-License-Identifier: MIT */
/* The table of retained states: fixed size, chained by hash, places linked through `next`. */
#include "services/announce/beacon_topics.h"

#include <string.h>

static const usec wait_after_pull[BEACON_TOPIC_PULLS] = { 250000, 1000000, 4000000, 30000000 };

void
beacon_topics_init(struct beacon_topics *t)
{
	memset(t, 0, sizeof(*t));
	t->next = MONO_NEVER;
	for (size_t i = 0; i < BEACON_TOPICS_MAX; i++)
		t->at[i].next = (uint16_t)(i + 1 < BEACON_TOPICS_MAX ? i + 2 : 0);
	t->free = 1;
}

static uint16_t *
bucket_of(struct beacon_topics *t, uint64_t sender, uint64_t hash)
{
	/* Both are outputs of BLAKE2b, spread already. */
	return &t->buckets[(sender ^ hash) & (BEACON_TOPIC_BUCKETS - 1)];
}

struct beacon_topic *
beacon_topics_find(struct beacon_topics *t, uint64_t sender, uint64_t hash)
{
	uint16_t at = *bucket_of(t, sender, hash);

	while (at != 0) {
		struct beacon_topic *topic = &t->at[at - 1];

		if (topic->sender == sender && topic->hash == hash)
			return topic;
		at = topic->next;
	}
	return NULL;
}

struct beacon_topic *
beacon_topics_need(struct beacon_topics *t, uint64_t sender, uint64_t hash)
{
	struct beacon_topic *topic = beacon_topics_find(t, sender, hash);
	uint16_t place = t->free;

	if (topic != NULL)
		return topic;
	if (place == 0) {
		t->refused++;
		return NULL;
	}
	topic = &t->at[place - 1];
	t->free = topic->next;

	uint16_t *bucket = bucket_of(t, sender, hash);

	*topic = (struct beacon_topic){ .sender = sender, .hash = hash, .expires = MONO_NEVER,
		.pull_at = MONO_NEVER, .next = *bucket };
	*bucket = place;
	t->used++;
	return topic;
}

void
beacon_topics_remove(struct beacon_topics *t, struct beacon_topic *topic)
{
	uint16_t place = (uint16_t)(topic - t->at + 1);
	uint16_t *link = bucket_of(t, topic->sender, topic->hash);

	while (*link != place)
		link = &t->at[*link - 1].next;
	*link = topic->next;
	topic->sender = 0;
	topic->next = t->free;
	t->free = place;
	t->used--;
}

void
beacon_topics_touch(struct beacon_topics *t, const struct beacon_topic *topic)
{
	t->next = mono_earlier(t->next, mono_earlier(topic->expires, topic->pull_at));
}

void
beacon_topics_deny(struct beacon_topics *t, uint64_t sender, uint64_t hash)
{
	struct beacon_topic *topic = beacon_topics_find(t, sender, hash);

	if (topic == NULL)
		return;
	topic->denied = true;
	topic->pull_at = MONO_NEVER;
	topic->pulls = 0;
}

bool
beacon_topics_missing(const struct beacon_topics *t, uint64_t sender)
{
	for (size_t i = 0; t->used != 0 && i < BEACON_TOPICS_MAX; i++)
		if (t->at[i].sender == sender &&
		    (t->at[i].pull_at != MONO_NEVER || t->at[i].pulls != 0))
			return true;
	return false;
}

struct beacon_topic *
beacon_topics_expired(struct beacon_topics *t, mono_us now)
{
	for (size_t i = 0; t->next <= now && i < BEACON_TOPICS_MAX; i++)
		if (t->at[i].sender != 0 && t->at[i].expires <= now)
			return &t->at[i];
	return NULL;
}

struct beacon_topic *
beacon_topics_unlisted(struct beacon_topics *t, uint64_t sender, uint64_t epoch, uint64_t seq,
    uint32_t list_rev)
{
	for (size_t i = 0; t->used != 0 && i < BEACON_TOPICS_MAX; i++) {
		struct beacon_topic *topic = &t->at[i];

		if (topic->sender == sender && topic->len != 0 && topic->list_rev != list_rev &&
		    (topic->epoch != epoch || topic->seq < seq))
			return topic;
	}
	return NULL;
}

bool
beacon_topics_ask(struct beacon_topics *t, mono_us now, struct beacon_nack *out)
{
	bool target_given = out->range_count != 0;
	mono_us next = MONO_NEVER;

	out->pull_count = 0;
	if (t->next > now)
		return false;
	for (size_t i = 0; t->used != 0 && i < BEACON_TOPICS_MAX; i++) {
		struct beacon_topic *topic = &t->at[i];

		if (topic->sender == 0)
			continue;
		if (topic->pull_at <= now && !target_given) {
			out->target = topic->sender;
			out->epoch = 0;
			target_given = true;
		}
		if (topic->pull_at <= now && topic->sender == out->target &&
		    out->pull_count < BEACON_PULLS_MAX) {
			out->pulls[out->pull_count++] = topic->hash;
			topic->pull_at = topic->pulls < BEACON_TOPIC_PULLS
			    ? now + wait_after_pull[topic->pulls++] : MONO_NEVER;
		}
		next = mono_earlier(next, mono_earlier(topic->expires, topic->pull_at));
	}
	t->next = next;
	return out->pull_count != 0;
}
