/* SPDX-License-Identifier: MIT */
/* Text files: lines, words, numbers. Everything given is a view of the text, nothing is copied. */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

/* Blanks between words. CR is one of them, so that files of other systems need no care. */
static inline bool
text_is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

/* Take the first line off *rest; *line is without its newline. False where nothing is left. */
bool text_next_line(struct span *rest, struct span *line);

/* Take the first word off *rest; empty where there is none. */
struct span text_next_word(struct span *rest);

/* Take what stands before the next `mark` off *rest, and the mark too; all where there is none. */
struct span text_next_field(struct span *rest, uint8_t mark);

/* Without the blanks at both ends. */
struct span text_trim(struct span text);

/* A decimal number that fills the whole text. False for anything else, overflow included. */
bool text_u64(struct span text, uint64_t *out);

static inline bool
text_is(struct span text, const char *word)
{
	return span_equal(text, span_str(word));
}

static inline bool
text_begins(struct span text, const char *with)
{
	size_t n = strlen(with);

	return text.len >= n && memcmp(text.at, with, n) == 0;
}

/*
 * The text without its first n bytes; n <= text.len. An empty text may have no bytes to point to.
 */
static inline struct span
text_after(struct span text, size_t n)
{
	return n != 0 ? span_of(text.at + n, text.len - n) : text;
}

/* Take `with` off the front; false, and nothing changes, where the text begins otherwise. */
static inline bool
text_take(struct span *text, const char *with)
{
	if (!text_begins(*text, with))
		return false;
	*text = text_after(*text, strlen(with));
	return true;
}

/* Step over the mark that some editors put in front of UTF-8 (U+FEFF). */
static inline struct span
text_after_mark(struct span text)
{
	return text_begins(text, "\xef\xbb\xbf") ? text_after(text, 3) : text;
}

#endif
