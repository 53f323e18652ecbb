/* SPDX-License-Identifier: MIT */
/* Serial number arithmetic, RFC 1982 §3.2, and expansion of a wrapped number to 64 bits. */
#include "util/seq.h"

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
