/* SPDX-License-Identifier: MIT */
/*
 * Spreading of timers, from a seed, so that simulations can be repeated. Nothing secret comes from
 * here: tokens, nonces and cookies are drawn with seal_random().
 */
#ifndef SERVICES_ANNOUNCE_BEACON_JITTER_H
#define SERVICES_ANNOUNCE_BEACON_JITTER_H

#include <stdint.h>

#include "util/mono.h"

struct beacon_jitter {
	uint64_t state;
};

/* Give a time in [low, high). Source of the generator: Marsaglia, "Xorshift RNGs", 2003. */
static inline usec
beacon_jitter_between(struct beacon_jitter *j, usec low, usec high)
{
	uint64_t x = j->state | 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	j->state = x;
	return low + (usec)((x >> 11) % (uint64_t)(high - low));
}

#endif
