/* SPDX-License-Identifier: MIT */
/*
 * Whose MAC address is behind an address, for those who have to know it for every packet: what
 * netif_neighbour() says is remembered for a while, so that a system call is made for each device
 * now and then, not for each packet, and so many a second at most.
 */
#ifndef CORE_NEIGH_H
#define CORE_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/report.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mac.h"
#include "util/mono.h"
#include "util/seal.h"

#define NEIGH_PLACES 1024	/* devices that are remembered */
#define NEIGH_HOLD   seconds(10)	/* how long what the kernel said is not asked again */
#define NEIGH_RETRY  millis(20)	/* where it knew nothing, at first: our reply makes it look */
#define NEIGH_RETRY_MAX seconds(1)	/* doubling up to */
#define NEIGH_KEEP   seconds(3600)	/* then, a device is still taken for who it was last */
/* questions to the kernel a second; a burst of twice that is free */
#define NEIGH_RATE   500

struct neigh;
struct netif;

/* n must outlive it. key: for the table, secret and random. Errors: ERR_NOMEM. */
enum err neigh_new(struct neigh **out, struct netif *n,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES], mono_us now) MUST_CHECK;
/* NULL is fine. */
void neigh_free(struct neigh *nb);

/*
 * The MAC address of who has address a. False where it is not known: a is ours, not directly
 * connected, the kernel does not say, or it has been asked too often.
 */
bool neigh_find(struct neigh *nb, const struct addr *a, mono_us now,
    uint8_t mac[static MAC_BYTES]);

void neigh_report(const struct neigh *nb, struct report *out);

#endif
