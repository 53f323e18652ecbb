/* SPDX-License-Identifier: MIT */
/*
 * Unicast copies for subscribers that multicast does not reach: who has one, and the cookie by
 * which an address proves that it wants one. Nothing is kept for an address before that proof.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_LEASES_H
#define SERVICES_ANNOUNCE_BEACON_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_msg.h"
#include "util/addr.h"
#include "util/mono.h"
#include "util/seal.h"

#define BEACON_LEASES_MAX 64
#define BEACON_LEASE_TIME 120000000	/* usec */
#define BEACON_COOKIE_TIME 30000000	/* usec in which a cookie holds, twice that at most */

struct beacon_leasehold {
	struct addr to;
	mono_us expires;
};

struct beacon_leases {
	uint8_t secret[SEAL_KEY_BYTES];
	size_t max;		/* 0 to BEACON_LEASES_MAX */
	size_t count;
	struct beacon_leasehold at[BEACON_LEASES_MAX];
	uint64_t refused;	/* at the cap */
	uint64_t bad_cookies;
};

void beacon_leases_init(struct beacon_leases *l, size_t max);

/* Write the cookie that this address must show. */
void beacon_leases_cookie(const struct beacon_leases *l, const struct addr *who, mono_us now,
    uint8_t cookie[static BEACON_TOKEN_BYTES]);

/* Grant or renew, where the cookie is right and there is room. Gives the seconds, or 0. */
uint32_t beacon_leases_confirm(struct beacon_leases *l, const struct addr *who,
    const uint8_t cookie[static BEACON_TOKEN_BYTES], mono_us now);

void beacon_leases_end(struct beacon_leases *l, const struct addr *who);
bool beacon_leases_holds(const struct beacon_leases *l, const struct addr *who, mono_us now);
/* Drop what is over. */
void beacon_leases_expire(struct beacon_leases *l, mono_us now);

#endif
