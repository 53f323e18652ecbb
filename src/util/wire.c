/* SPDX-License-Identifier: MIT */
/* The parts of the wire reader that are too long to be inline. */
#include "util/wire.h"

struct span
wire_rd_cstr(struct wire_rd *rd)
{
	const uint8_t *zero = NULL;

	if (!rd->bad && wire_rd_left(rd) != 0)
		zero = memchr(rd->at, 0, wire_rd_left(rd));
	if (zero == NULL) {
		rd->bad = true;
		return span_of(NULL, 0);
	}

	struct span text = wire_rd_bytes(rd, (size_t)(zero - rd->at));

	wire_rd_skip(rd, 1);
	return text;
}
