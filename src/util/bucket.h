/* SPDX-License-Identifier: MIT */
/*
 * Token bucket: so many per second on average, so many at once. Counted in millionths of a token,
 * so that a microsecond adds a whole number of them and nothing drifts.
 */
#ifndef UTIL_BUCKET_H
#define UTIL_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "util/mono.h"

struct bucket {
	uint64_t level;		/* millionths of a token, at most burst * 10^6 */
	mono_us at;		/* when level was true */
	uint32_t rate;		/* tokens per second; 0: what is there at first is all */
	uint32_t burst;		/* tokens it holds */
};

/* Starts full. burst 0: nothing is ever given. */
void bucket_init(struct bucket *b, uint32_t rate, uint32_t burst, mono_us now);

/* Take n tokens if they are there, all or none. A now before an earlier one refills nothing. */
bool bucket_take(struct bucket *b, uint32_t n, mono_us now);

/* Give the millionths of a token that are missing now: 0 is full, as good as new. */
uint64_t bucket_missing(const struct bucket *b, mono_us now);

#endif
