/* SPDX-License-Identifier: MIT */
/* A read-only view of somebody else's bytes. It owns nothing and need not end in zero. */
#ifndef UTIL_SPAN_H
#define UTIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *at;
	size_t len;
};

static inline struct span
span_of(const void *at, size_t len)
{
	return (struct span){ .at = (const uint8_t *)at, .len = len };
}

static inline struct span
span_str(const char *text)
{
	return span_of(text, strlen(text));
}

/* At most `most` bytes from offset `at` on; empty where that is at or past the end. */
static inline struct span
span_cut(struct span s, size_t at, size_t most)
{
	if (at >= s.len)
		return span_of(NULL, 0);
	return span_of(s.at + at, s.len - at < most ? s.len - at : most);
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Eight bytes at once, in any order: letters A to Z get bit 0x20, bytes above 0x7f none. */
static inline uint64_t
ascii_lower8(uint64_t v)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low7 = v & (ones * 0x7f);
	uint64_t from_a = low7 + ones * (0x80 - 'A');
	uint64_t past_z = low7 + ones * (0x7f - 'Z');

	return v | ((~v & (from_a ^ past_z) & (ones * 0x80)) >> 2);
}

/* Compare without regard to ASCII letter case; other bytes must be equal. */
static inline bool
span_equal_nocase(struct span a, struct span b)
{
	size_t i = 0;

	if (a.len != b.len)
		return false;
	for (; a.len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t x, y;

		memcpy(&x, a.at + i, sizeof(x));
		memcpy(&y, b.at + i, sizeof(y));
		if (ascii_lower8(x) != ascii_lower8(y))
			return false;
	}
	for (; i < a.len; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

#endif
