/* SPDX-License-Identifier: MIT */
/*
 * What a sender has sent lately, byte for byte: for repairs, and for the spaced copies of events.
 * Consecutive numbers, in a buffer of fixed size; the oldest yields.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_RING_H
#define SERVICES_ANNOUNCE_BEACON_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define BEACON_RING_ENTRIES 2048	/* a power of two */
#define BEACON_RING_BYTES 524288
#define BEACON_RING_LIFE 60000000	/* usec that a datagram can be asked for */

struct beacon_sent {
	uint64_t seq;		/* 0: none */
	mono_us at;		/* when it went out first */
	mono_us last;		/* when it went out last */
	uint32_t offset;
	uint16_t len;
	bool copies;		/* an event or withdrawal: sent several times */
};

struct beacon_ring {
	struct beacon_sent *sent;	/* place: seq modulo entries */
	uint8_t *bytes;
	size_t entries, cap;
	uint64_t first, next;		/* numbers kept: first to next - 1 */
	uint32_t head;			/* where the next datagram goes */
};

/* entries is a power of two. Errors: ERR_NOMEM. */
enum err beacon_ring_init(struct beacon_ring *r, size_t entries, size_t bytes) MUST_CHECK;
void beacon_ring_fini(struct beacon_ring *r);
/* Forget all; numbers begin with 1 again. */
void beacon_ring_reset(struct beacon_ring *r);

/* Keep a datagram under the next number; its length is at most the ring's. */
struct beacon_sent *beacon_ring_push(struct beacon_ring *r, struct span dgram, bool copies,
    mono_us now);
/* Find by number; NULL where it was not sent, has yielded or is too old. */
struct beacon_sent *beacon_ring_find(struct beacon_ring *r, uint64_t seq, mono_us now);
struct span beacon_ring_bytes(const struct beacon_ring *r, const struct beacon_sent *s);
/* Lowest number that beacon_ring_find() still gives; where there is none, the next to be sent. */
uint64_t beacon_ring_oldest(struct beacon_ring *r, mono_us now);

#endif
