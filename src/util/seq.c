/* SPDX-License-Identifier: MIT */
/*
 * Serial number arithmetic, RFC 1982 §3.2, expansion of a wrapped number to 64 bits,
 * and numbers that survive a crash because the disk is always ahead of them.
 */
#include "util/seq.h"

#include <assert.h>

bool
seq16_before(struct seq16 a, struct seq16 b)
{
	uint16_t ahead = (uint16_t)(b.v - a.v);

	return ahead != 0 && ahead < 0x8000;
}

bool
seq32_before(struct seq32 a, struct seq32 b)
{
	uint32_t ahead = b.v - a.v;

	return ahead != 0 && ahead < 0x80000000;
}

/* Move ref by the signed distance; where that would go below 0, one lap further instead. */
static uint64_t
nearest(uint64_t ref, int64_t distance, uint64_t lap)
{
	if (distance < 0 && ref < (uint64_t)-distance)
		return ref + lap - (uint64_t)-distance;
	return ref + (uint64_t)distance;
}

uint64_t
seq16_expand(uint64_t ref, struct seq16 wire)
{
	return nearest(ref, (int16_t)(uint16_t)(wire.v - (uint16_t)ref), UINT64_C(1) << 16);
}

uint64_t
seq32_expand(uint64_t ref, struct seq32 wire)
{
	return nearest(ref, (int32_t)(wire.v - (uint32_t)ref), UINT64_C(1) << 32);
}

void
seq_floor_init(struct seq_floor *f, uint64_t stored, uint64_t step)
{
	assert(step > 0);
	*f = (struct seq_floor){ .next = stored, .limit = stored, .step = step };
}

bool
seq_floor_wants(const struct seq_floor *f, uint64_t *limit)
{
	if (f->limit - f->next > f->step / 2 || f->limit == UINT64_MAX)
		return false;
	*limit = f->limit <= UINT64_MAX - f->step ? f->limit + f->step : UINT64_MAX;
	return true;
}

void
seq_floor_stored(struct seq_floor *f, uint64_t limit)
{
	if (limit > f->limit)
		f->limit = limit;
}

bool
seq_floor_take(struct seq_floor *f, uint64_t *seq)
{
	if (f->next == f->limit)
		return false;
	*seq = f->next++;
	return true;
}

uint64_t
seq_epoch(uint64_t stored, uint64_t wall_ms)
{
	uint64_t after = stored != UINT64_MAX ? stored + 1 : stored;

	return wall_ms > after ? wall_ms : after;
}
