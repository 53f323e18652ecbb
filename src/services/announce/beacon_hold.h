/* SPDX-License-Identifier: MIT */
/*
 * Quarantine: datagrams that authenticate, of senders that have not yet proven to be alive. They
 * wait for the proof, and stay known for a while afterwards, so that a repetition is recognised.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_HOLD_H
#define SERVICES_ANNOUNCE_BEACON_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_crypt.h"
#include "util/mono.h"

#define BEACON_HOLD_MAX 96		/* datagrams, all senders together */
#define BEACON_HOLD_WAIT 2000000	/* usec until a datagram is decided about without proof */

struct beacon_held {
	uint64_t sender;	/* 0: free */
	uint64_t epoch;
	uint64_t seq;
	mono_us since;
	bool decided;		/* only remembered */
	struct beacon_opened opened;
};

struct beacon_hold {
	mono_us next;		/* nothing is due before */
	size_t turn;		/* place that yields next */
	uint64_t evicted;	/* undecided ones that had to yield */
	struct beacon_held at[BEACON_HOLD_MAX];
};

void beacon_hold_init(struct beacon_hold *h);

bool beacon_hold_knows(const struct beacon_hold *h, const struct beacon_hdr *hdr);
void beacon_hold_add(struct beacon_hold *h, const struct beacon_opened *o, mono_us now);

/* The undecided one of that sender and epoch with the lowest number, or NULL. */
struct beacon_held *beacon_hold_first(struct beacon_hold *h, uint64_t sender, uint64_t epoch);

/* One that has waited long enough, or NULL; brings `next` up to date when there is none. */
struct beacon_held *beacon_hold_due(struct beacon_hold *h, mono_us now);

#endif
