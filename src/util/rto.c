/* SPDX-License-Identifier: MIT */
/* RFC 6298 §2 with alpha 1/8 and beta 1/4; §5.5 back-off; jitter so that timers spread. */
#include "util/rto.h"

#include <assert.h>

static usec
clamp(const struct rto *r, usec t)
{
	if (t < r->floor)
		return r->floor;
	return t > r->ceiling ? r->ceiling : t;
}

void
rto_init(struct rto *r, usec initial, usec floor, usec ceiling)
{
	assert(floor > 0 && floor <= initial && initial <= ceiling && ceiling <= RTO_CEILING_MAX);
	*r = (struct rto){ .base = initial, .floor = floor, .ceiling = ceiling };
}

void
rto_sample(struct rto *r, usec rtt)
{
	if (rtt < 0)
		rtt = 0;
	if (rtt > r->ceiling)
		rtt = r->ceiling;
	if (!r->sampled) {
		r->srtt = rtt;
		r->rttvar = rtt / 2;
		r->sampled = true;
	} else {
		usec off = r->srtt > rtt ? r->srtt - rtt : rtt - r->srtt;

		r->rttvar += (off - r->rttvar) / 4;
		r->srtt += (rtt - r->srtt) / 8;
	}

	usec margin = 4 * r->rttvar;

	/* A steady path would leave no margin at all, and the timer is coarser than the path. */
	r->base = clamp(r, r->srtt + (margin > RTO_GRANULARITY ? margin : RTO_GRANULARITY));
	r->doublings = 0;
}

void
rto_backoff(struct rto *r)
{
	/* Beyond the ceiling more doublings change nothing; stopping keeps the shift small. */
	if (rto_current(r) < r->ceiling)
		r->doublings++;
}

void
rto_reset_backoff(struct rto *r)
{
	r->doublings = 0;
}

usec
rto_current(const struct rto *r)
{
	usec t = r->base;

	for (unsigned i = 0; i < r->doublings && t < r->ceiling; i++)
		t *= 2;
	return clamp(r, t);
}

usec
rto_jittered(const struct rto *r, uint32_t random)
{
	usec t = rto_current(r);
	usec from = clamp(r, t - t / 10);
	usec to = clamp(r, t + t / 10);

	return from + (usec)((uint64_t)(to - from) * random >> 32);
}
