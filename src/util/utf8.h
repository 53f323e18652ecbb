/* SPDX-License-Identifier: MIT */
/* Text of strangers, made fit for a terminal, a log line or JSON. */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include "util/span.h"

#include <stdbool.h>
#include <stddef.h>

#define UTF8_ESCAPED_MAX 4	/* bytes that utf8_escape_next() may write */

/* Every byte belongs to a well-formed character. Source: RFC 3629 §4. */
bool utf8_valid(struct span text);

/*
 * Give the length (1-4) of the character that text begins with where it can be shown as it is, else
 * 0: not UTF-8, a control character, or one that is invisible or changes the direction of writing.
 */
size_t utf8_printable(struct span text);

/*
 * Take the next character off *rest (not empty) and write it as printable text without a closing
 * zero: itself, \\, \n, \r, \t, or \xNN for each byte that cannot be shown. Gives the length.
 */
size_t utf8_escape_next(struct span *rest, char out[static UTF8_ESCAPED_MAX]);

#endif
