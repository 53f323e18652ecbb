/* SPDX-License-Identifier: MIT */
/* Token bucket in integers: r tokens a second are r millionths of a token a microsecond. */
#include "util/bucket.h"

#define TOKEN UINT64_C(1000000)	/* millionths */

static uint64_t
level_at(const struct bucket *b, mono_us now)
{
	uint64_t full = b->burst * TOKEN;

	if (now <= b->at || b->rate == 0)
		return b->level;

	/* Compared before it is multiplied: a long sleep must not overflow. */
	uint64_t elapsed = (uint64_t)now - (uint64_t)b->at;
	uint64_t room = full - b->level;

	if (elapsed > room / b->rate)
		return full;
	return b->level + elapsed * b->rate;
}

void
bucket_init(struct bucket *b, uint32_t rate, uint32_t burst, mono_us now)
{
	*b = (struct bucket){ .level = burst * TOKEN, .at = now, .rate = rate, .burst = burst };
}

bool
bucket_take(struct bucket *b, uint32_t n, mono_us now)
{
	b->level = level_at(b, now);
	if (now > b->at)
		b->at = now;
	if (b->level < n * TOKEN)
		return false;
	b->level -= n * TOKEN;
	return true;
}

uint64_t
bucket_missing(const struct bucket *b, mono_us now)
{
	return b->burst * TOKEN - level_at(b, now);
}
