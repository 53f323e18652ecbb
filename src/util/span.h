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

/* Compare without regard to ASCII letter case; other bytes must be equal. */
static inline bool
span_equal_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

#endif
