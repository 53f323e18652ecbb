/* SPDX-License-Identifier: MIT */
/*
 * The only way bytes get from the network into a struct and back.
 *
 * Reader: a read past the end sets `bad`, yields zero and consumes nothing more, so a parser
 * reads top to bottom and checks once. Writer: a write past the end sets `bad` and writes nothing.
 * All integers are big endian on the wire and host order in the arguments.
 */
#ifndef UTIL_WIRE_H
#define UTIL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/err.h"
#include "util/span.h"

struct wire_rd {
	const uint8_t *at;	/* next byte to read */
	const uint8_t *end;
	const uint8_t *start;
	bool bad;		/* sticky: something was read past the end */
};

struct wire_wr {
	uint8_t *at;		/* next byte to write */
	uint8_t *end;
	uint8_t *start;
	bool bad;		/* sticky: something did not fit */
};

/* --- reader --------------------------------------------------------------------------------- */

static inline struct wire_rd
wire_rd_of(struct span bytes)
{
	/* An empty span may point nowhere, and C does not allow adding even 0 to that. */
	const uint8_t *at = bytes.at != NULL ? bytes.at : (const uint8_t *)"";

	return (struct wire_rd){ .at = at, .start = at, .end = at + bytes.len, .bad = false };
}

static inline size_t
wire_rd_left(const struct wire_rd *rd)
{
	return (size_t)(rd->end - rd->at);
}

static inline size_t
wire_rd_offset(const struct wire_rd *rd)
{
	return (size_t)(rd->at - rd->start);
}

/* The one function that moves the cursor: give n bytes, or NULL and a sticky `bad`. */
static inline const uint8_t *
wire_rd_take(struct wire_rd *rd, size_t n)
{
	const uint8_t *at = rd->at;

	if (rd->bad || n > wire_rd_left(rd)) {
		rd->bad = true;
		return NULL;
	}
	rd->at += n;
	return at;
}

static inline void
wire_rd_skip(struct wire_rd *rd, size_t n)
{
	(void)wire_rd_take(rd, n);
}

static inline uint8_t
wire_rd_u8(struct wire_rd *rd)
{
	const uint8_t *p = wire_rd_take(rd, 1);

	return p != NULL ? p[0] : 0;
}

static inline uint16_t
wire_rd_u16(struct wire_rd *rd)
{
	const uint8_t *p = wire_rd_take(rd, 2);

	return (uint16_t)(p != NULL ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t
wire_rd_u32(struct wire_rd *rd)
{
	const uint8_t *p = wire_rd_take(rd, 4);

	return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
			 : 0;
}

static inline uint64_t
wire_rd_u64(struct wire_rd *rd)
{
	uint64_t high = wire_rd_u32(rd);

	return high << 32 | wire_rd_u32(rd);
}

/* Give n bytes as a view of the input; empty once the reader is bad. */
static inline struct span
wire_rd_bytes(struct wire_rd *rd, size_t n)
{
	const uint8_t *p = wire_rd_take(rd, n);

	return span_of(p, p != NULL ? n : 0);
}

static inline struct span
wire_rd_rest(struct wire_rd *rd)
{
	return wire_rd_bytes(rd, wire_rd_left(rd));
}

/* Give the bytes before the next zero and step over that zero; bad where there is none. */
struct span wire_rd_cstr(struct wire_rd *rd);

/* After the last read: OK, ERR_SHORT (something was missing) or ERR_TRAILING. */
static inline enum err MUST_CHECK
wire_rd_finish(const struct wire_rd *rd)
{
	if (rd->bad)
		return ERR_SHORT;
	return wire_rd_left(rd) == 0 ? OK : ERR_TRAILING;
}

/* --- writer --------------------------------------------------------------------------------- */

static inline struct wire_wr
wire_wr_of(uint8_t *at, size_t cap)
{
	return (struct wire_wr){ .at = at, .start = at, .end = at + cap, .bad = false };
}

static inline size_t
wire_wr_len(const struct wire_wr *wr)
{
	return (size_t)(wr->at - wr->start);
}

static inline size_t
wire_wr_left(const struct wire_wr *wr)
{
	return (size_t)(wr->end - wr->at);
}

/* The one function that moves the cursor: give room for n bytes, or NULL and a sticky `bad`. */
static inline uint8_t *
wire_wr_take(struct wire_wr *wr, size_t n)
{
	uint8_t *at = wr->at;

	if (wr->bad || n > wire_wr_left(wr)) {
		wr->bad = true;
		return NULL;
	}
	wr->at += n;
	return at;
}

static inline void
wire_wr_u8(struct wire_wr *wr, uint8_t v)
{
	uint8_t *p = wire_wr_take(wr, 1);

	if (p != NULL)
		p[0] = v;
}

/* Store at a place that is known to have room, for patching what was written before. */
static inline void
wire_put_u16(uint8_t at[static 2], uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline void
wire_put_u32(uint8_t at[static 4], uint32_t v)
{
	wire_put_u16(at, (uint16_t)(v >> 16));
	wire_put_u16(at + 2, (uint16_t)v);
}

static inline void
wire_wr_u16(struct wire_wr *wr, uint16_t v)
{
	uint8_t *p = wire_wr_take(wr, 2);

	if (p != NULL)
		wire_put_u16(p, v);
}

static inline void
wire_wr_u32(struct wire_wr *wr, uint32_t v)
{
	uint8_t *p = wire_wr_take(wr, 4);

	if (p != NULL)
		wire_put_u32(p, v);
}

static inline void
wire_wr_u64(struct wire_wr *wr, uint64_t v)
{
	uint8_t *p = wire_wr_take(wr, 8);

	if (p != NULL) {
		wire_put_u32(p, (uint32_t)(v >> 32));
		wire_put_u32(p + 4, (uint32_t)v);
	}
}

static inline void
wire_wr_bytes(struct wire_wr *wr, struct span bytes)
{
	uint8_t *p = wire_wr_take(wr, bytes.len);

	if (p != NULL && bytes.len != 0)
		memcpy(p, bytes.at, bytes.len);
}

/* Write the bytes and a zero behind them. The bytes themselves must not hold a zero. */
static inline void
wire_wr_cstr(struct wire_wr *wr, struct span bytes)
{
	wire_wr_bytes(wr, bytes);
	wire_wr_u8(wr, 0);
}

/* What has been written so far. */
static inline struct span
wire_wr_span(const struct wire_wr *wr)
{
	return span_of(wr->start, wire_wr_len(wr));
}

/* After the last write: OK, or ERR_FULL where something did not fit. */
static inline enum err MUST_CHECK
wire_wr_finish(const struct wire_wr *wr)
{
	return wr->bad ? ERR_FULL : OK;
}

#endif
