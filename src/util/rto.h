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

#define RTO_GRANULARITY 1000	/* usec: what epoll_wait() rounds to; G in RFC 6298 */
#define RTO_CEILING_MAX INT64_C(3600000000)	/* usec: an hour */

/* initial  time-out before the first sample; 0 < floor <= initial <= ceiling <= RTO_CEILING_MAX */
void rto_init(struct rto *r, usec initial, usec floor, usec ceiling);

/*
 * Take in a measured round trip of an exchange without resends; ends any back-off. Counts as 0
 * where it is negative, and as the ceiling where it is longer than that.
 */
void rto_sample(struct rto *r, usec rtt);

/* The timer has fired: double the time-out, up to the ceiling. */
void rto_backoff(struct rto *r);

/* Progress was made: go back to the estimate. */
void rto_reset_backoff(struct rto *r);

/* Give the time-out in force, back-off included, within [floor, ceiling]. */
usec rto_current(const struct rto *r);

/*
 * The same give or take 10 %, from 32 random bits, so that many waiters do not fire together.
 * Within [floor, ceiling] as well: at the floor the range is upward only, at the ceiling downward.
 */
usec rto_jittered(const struct rto *r, uint32_t random);

#endif
