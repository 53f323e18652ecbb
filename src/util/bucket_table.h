/* SPDX-License-Identifier: MIT */
/*
 * A token bucket for each source address, in a table whose size is fixed at the start. Strangers
 * choose the addresses, so the table is hashed with a secret key and expects to be full.
 *
 * A source is an IPv4 address, or an IPv6 prefix, because one host may use any address of its
 * prefix. Link-local IPv6 addresses count whole: their prefix is that of everybody on the link.
 */
#ifndef UTIL_BUCKET_TABLE_H
#define UTIL_BUCKET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/seal.h"

#define BUCKET_TABLE_WAYS 8	/* places where one source may be */

struct bucket_slot;

struct bucket_table {
	struct bucket_slot *slots;
	size_t cap;		/* sources it holds, a power of two */
	size_t used;
	uint32_t rate, burst;	/* of each source, as bucket_init() */
	unsigned v6_bits;
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	uint64_t refused;	/* times that the answer was no */
	uint64_t evicted;	/* sources forgotten before their bucket was full again */
};

/*
 * cap	    sources to hold, 1 or more; rounded up to a power of two, at least BUCKET_TABLE_WAYS.
 *	    48 bytes each, allocated here and never again
 * v6_bits  what makes one source of IPv6 addresses: 64 as a rule, up to 128
 * key	    secret and random
 * errors   ERR_NOMEM; ERR_RANGE for a cap of 0 or more than 2^24, or bits above 128
 */
enum err bucket_table_init(struct bucket_table *t, size_t cap, uint32_t rate, uint32_t burst,
    unsigned v6_bits, const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;

/*
 * Take n tokens from the bucket of a source, all or none.
 *
 * A source not known gets a full bucket. Where all its places are taken, the one whose bucket is
 * fullest makes room: a full one is no loss, others count as evicted. A flood of invented sources
 * can thus win each of them one burst, which a limit for all together has to stop.
 */
bool bucket_table_take(struct bucket_table *t, const struct addr *from, uint32_t n, mono_us now);

void bucket_table_fini(struct bucket_table *t);

#endif
