/* SPDX-License-Identifier: MIT */
/*
 * The states that a subscriber knows: which topic of which sender, what it last said (as a hash),
 * until when. Also, without a name, topics that a digest lists and we lack (seq 0), with when to
 * ask for them; and withdrawn ones (seq of the withdrawal) for a while, so that a state that was
 * delayed does not come back to life. Capped.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_TOPICS_H
#define SERVICES_ANNOUNCE_BEACON_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_msg.h"
#include "util/mono.h"
#include "util/span.h"

#define BEACON_TOPICS_MAX 1024
#define BEACON_TOPIC_BUCKETS 1024	/* a power of two */
#define BEACON_TOPIC_PULLS 4		/* how often a topic that we lack is asked for */

struct beacon_topic {
	uint64_t sender;	/* 0: free */
	uint64_t hash;
	uint64_t epoch;
	uint64_t seq;		/* of the datagram that said it last */
	uint64_t content;	/* hash of what it said */
	mono_us expires;
	mono_us pull_at;	/* MONO_NEVER: nothing to ask for */
	uint32_t rev;
	uint32_t list_rev;	/* last listing that named it */
	uint16_t next;		/* in its bucket, counted from 1 */
	uint8_t pulls;
	uint8_t len;		/* of the name; 0: see above */
	bool denied;		/* its sender may not say it: not asked for again */
	uint8_t name[BEACON_TOPIC_MAX];
};

struct beacon_topics {
	mono_us next;		/* nothing is due before */
	size_t used;
	uint64_t refused;	/* at the cap */
	uint16_t free;		/* list of free places, counted from 1 */
	uint16_t buckets[BEACON_TOPIC_BUCKETS];
	struct beacon_topic at[BEACON_TOPICS_MAX];
};

void beacon_topics_init(struct beacon_topics *t);

struct beacon_topic *beacon_topics_find(struct beacon_topics *t, uint64_t sender, uint64_t hash);
/* Find or add; NULL at the cap. A new one has no name, seq 0, and never expires. */
struct beacon_topic *beacon_topics_need(struct beacon_topics *t, uint64_t sender, uint64_t hash);
void beacon_topics_remove(struct beacon_topics *t, struct beacon_topic *topic);

/* After expires or pull_at of a topic was set. */
void beacon_topics_touch(struct beacon_topics *t, const struct beacon_topic *topic);

/* What a sender listed, and may not say, is not missing. */
void beacon_topics_deny(struct beacon_topics *t, uint64_t sender, uint64_t hash);
/* A sender has listed what it has not said yet. */
bool beacon_topics_missing(const struct beacon_topics *t, uint64_t sender);

/* Give one topic whose lifetime is over, or NULL. The caller removes it. */
struct beacon_topic *beacon_topics_expired(struct beacon_topics *t, mono_us now);

/*
 * Give one named topic of a sender that a complete listing did not name, or NULL. Those that the
 * same epoch has spoken about after the listing (number above seq) are left alone.
 */
struct beacon_topic *beacon_topics_unlisted(struct beacon_topics *t, uint64_t sender,
    uint64_t epoch, uint64_t seq, uint32_t list_rev);

/*
 * Fill the pulls of a NACK for one sender with what is due. Where out->range_count is 0 the first
 * topic due picks the target, otherwise it is given. False where nothing was added.
 */
bool beacon_topics_ask(struct beacon_topics *t, mono_us now, struct beacon_nack *out);

#endif
