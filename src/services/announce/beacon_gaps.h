/* SPDX-License-Identifier: MIT */
/*
 * What a subscriber misses: runs of numbers that were skipped, and when to ask for them again.
 * One table for all senders, capped; what does not fit is for the caller to report as lost.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_GAPS_H
#define SERVICES_ANNOUNCE_BEACON_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_msg.h"
#include "util/err.h"
#include "util/mono.h"

#define BEACON_GAPS_MAX 256
#define BEACON_GAP_TRIES 5

struct beacon_gap {
	uint64_t sender;	/* 0: the place is free */
	uint64_t epoch;
	uint64_t first;
	uint64_t last;		/* inclusive */
	mono_us next;		/* ask then; after the last try: give up then */
	uint8_t tries;
};

struct beacon_gaps {
	mono_us next;		/* nothing is due before */
	size_t used;
	struct beacon_gap at[BEACON_GAPS_MAX];
};

void beacon_gaps_init(struct beacon_gaps *g);

/* Note that first to last are missing; ask at `next`. Errors: ERR_FULL. */
enum err beacon_gaps_add(struct beacon_gaps *g, uint64_t sender, uint64_t epoch, uint64_t first,
    uint64_t last, mono_us next) MUST_CHECK;

/* seq has come after all. False where it was not missing. */
bool beacon_gaps_fill(struct beacon_gaps *g, uint64_t sender, uint64_t epoch, uint64_t seq);

/* Somebody else has asked for this range: what lies within counts as asked for. */
void beacon_gaps_heard(struct beacon_gaps *g, uint64_t sender, uint64_t epoch,
    const struct beacon_range *range, mono_us now);

/*
 * Take out one gap that is beyond hope: tries spent, or below repair_from of that sender and epoch
 * (sender 0: only by tries). False where there is none.
 */
bool beacon_gaps_lost(struct beacon_gaps *g, mono_us now, uint64_t sender, uint64_t epoch,
    uint64_t repair_from, struct beacon_gap *out);

/*
 * Fill the ranges of a NACK for one sender with what is due, and count the try. False where
 * nothing is due. target and epoch are set here, pulls are left alone.
 */
bool beacon_gaps_ask(struct beacon_gaps *g, mono_us now, struct beacon_nack *out);

/* Forget all gaps of a sender's epoch. */
void beacon_gaps_drop(struct beacon_gaps *g, uint64_t sender, uint64_t epoch);

#endif
