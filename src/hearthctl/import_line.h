/* SPDX-License-Identifier: MIT */
/*
 * Lines of a dnsmasq.conf taken apart: option, value, fields. In quotes the characters , : . # / @
 * and = mean nothing special there; here they are exchanged for control characters until the field
 * that holds them has been split off. Source: dnsmasq(8), CONFIG FILE.
 */
#ifndef HEARTHCTL_IMPORT_LINE_H
#define HEARTHCTL_IMPORT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"
#include "util/span.h"

#define IMPORT_LINE_MAX 4096	/* bytes */

struct import_line {
	char option[64];	/* "" for a line that says nothing */
	char value[IMPORT_LINE_MAX];	/* shielded; "" where there is none */
	char shown[IMPORT_LINE_MAX];	/* the whole line without comment, for people */
};

/* Take a line apart. Errors: ERR_RANGE (too long), ERR_FORMAT (control characters, open quote). */
enum err import_line_read(struct import_line *out, struct span line) MUST_CHECK;

/*
 * Split the text before the next mark off *rest, blanks at its ends removed, and step over the
 * mark. *rest is NULL behind the last one. Gives NULL where *rest is NULL.
 */
char *import_field(char **rest, char mark);

/* Put the shielded characters back; gives text. */
char *import_plain(char *text);

/* A number of decimal digits up to max that fills the text. */
bool import_number(const char *text, unsigned long max, unsigned long *out);

#endif
