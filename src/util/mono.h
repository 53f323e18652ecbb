/* SPDX-License-Identifier: MIT */
/*
 * Time, one unit for the whole program: microseconds in 64 bits.
 *
 * Milliseconds would do for DNS, but a TFTP round trip on a LAN is 200 us and its pacing gap
 * starts at 80 us (RFC 7440 §6), and two units in one program get mixed up sooner or later.
 */
#ifndef UTIL_MONO_H
#define UTIL_MONO_H

#include <stdint.h>

typedef int64_t mono_us;	/* an instant on CLOCK_MONOTONIC; only the loop reads that clock */
typedef int64_t usec;		/* a span of time */

#define MONO_NEVER INT64_MAX	/* later than everything: no wish */

static inline usec
micros(int64_t n)
{
	return n;
}

static inline usec
millis(int64_t n)
{
	return n * 1000;
}

static inline usec
seconds(int64_t n)
{
	return n * 1000000;
}

static inline mono_us
mono_earlier(mono_us a, mono_us b)
{
	return a < b ? a : b;
}

#endif
