/* SPDX-License-Identifier: MIT */
/* Fragments put together again: a bounded number of messages in flight, a bounded time each. */
#ifndef SERVICES_ANNOUNCE_BEACON_PARTS_H
#define SERVICES_ANNOUNCE_BEACON_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "services/announce/beacon_msg.h"
#include "util/err.h"
#include "util/mono.h"

#define BEACON_PARTS_MAX 16		/* messages in flight */
#define BEACON_PARTS_PER_SENDER 8
#define BEACON_PARTS_WAIT 16000000	/* usec since the last fragment: all NACKs fit in */

struct beacon_part {
	uint64_t sender;	/* 0: free */
	uint64_t epoch;
	uint64_t first_seq;
	mono_us expires;
	uint8_t type, count, ctype, topic_len;
	uint16_t have;		/* bit per fragment */
	uint32_t rev;
	uint16_t len[BEACON_FRAGS_MAX];
	uint8_t topic[BEACON_TOPIC_MAX];
	uint8_t bytes[BEACON_MESSAGE_MAX];	/* fragment i at i * BEACON_PAYLOAD_MAX */
};

struct beacon_parts {
	struct beacon_part at[BEACON_PARTS_MAX];
	uint64_t timed_out;	/* incomplete messages given up */
	uint64_t refused;	/* over the cap of one sender, or fragments that contradict */
};

/*
 * Take in a fragment. When it was the last one missing, *item becomes the whole message (valid
 * until the next call) and true is given. At the cap of all senders the oldest message yields.
 */
bool beacon_parts_add(struct beacon_parts *p, const struct beacon_hdr *h, struct beacon_item *item,
    mono_us now);

#endif
