/* SPDX-License-Identifier: MIT */
/*
 * The one home of retransmission timing: round-trip estimate, time-out, back-off (RFC 6298).
 * Holds no clock; the caller measures and asks. Karn's rule is the caller's part too: samples
 * from exchanges in which anything was resent are not given to rto_sample() (RFC 6298 §3).
 */
#ifndef UTIL_RTO_H
#define UTIL_RTO_H

#include <stdbool.h>
#include <stdint.h>

#include "util/mono.h"

struct rto {
	usec srtt;		/* smoothed round trip; 0 before the first sample */
	usec rttvar;
	usec base;		/* time-out without back-off, within [floor, ceiling] */
	usec floor;
	usec ceiling;
	unsigned doublings;	/* how often rto_backoff() was called since the last reset */
	bool sampled;
};

/* initial  time-out before the first sample; 0 < floor <= initial <= ceiling */
void rto_init(struct rto *r, usec initial, usec floor, usec ceiling);

/* Take in a measured round trip (>= 0) of an exchange without resends; ends any back-off. */
void rto_sample(struct rto *r, usec rtt);

/* The timer has fired: double the time-out, up to the ceiling. */
void rto_backoff(struct rto *r);

/* Progress was made: go back to the estimate. */
void rto_reset_backoff(struct rto *r);

/* Give the time-out in force, back-off included, within [floor, ceiling]. */
usec rto_current(const struct rto *r);

/* The same +-10 %, from 32 random bits, so that many waiters do not fire together. */
usec rto_jittered(const struct rto *r, uint32_t random);

#endif
