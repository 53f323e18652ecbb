/* SPDX-License-Identifier: MIT */
/*
 * The subscriber's side of a lease: ask an announcer for unicast copies, prove that we are there,
 * renew in time. No sockets, no clock.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_TENANT_H
#define SERVICES_ANNOUNCE_BEACON_TENANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_msg.h"
#include "util/addr.h"
#include "util/mono.h"

struct beacon_tenant {
	struct addr lessor;
	uint64_t run_id, run_seq;
	mono_us next;		/* ask then */
	mono_us expires;	/* of the lease; 0: none */
	unsigned tries;
};

void beacon_tenant_init(struct beacon_tenant *t, const struct addr *lessor, mono_us now);

/* True where it is time to ask; the request is then in out, for the lessor. Sets t->next anew. */
bool beacon_tenant_wake(struct beacon_tenant *t, mono_us now, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX], size_t *len);

/*
 * Take in a LEASE datagram. True where an answer for the lessor is in out. What is not from the
 * lessor, or does not open, changes nothing.
 */
bool beacon_tenant_input(struct beacon_tenant *t, mono_us now, struct span dgram,
    const struct addr *from, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX], size_t *len);

/* Build the word that ends the lease; gives its length. */
size_t beacon_tenant_end(struct beacon_tenant *t, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX]);

bool beacon_tenant_holds(const struct beacon_tenant *t, mono_us now);

#endif
