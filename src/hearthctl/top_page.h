/* SPDX-License-Identifier: MIT */
/* What hearthctl top shows: the status cut into parts, and as much of them as a terminal holds. */
#ifndef HEARTHCTL_TOP_PAGE_H
#define HEARTHCTL_TOP_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A service, or the daemon itself. */
struct top_part {
	const char *name;	/* borrowed from the status */
	char *text;		/* lines, each with its end */
	size_t lines;
	size_t rows;		/* that it gets where all parts are shown, with its heading */
};

struct top_page {
	struct top_part *parts;
	size_t count;
};

/* What of it is looked at. */
struct top_view {
	size_t part;		/* 0: something of each; else one of them, counted from 1 */
	size_t from;		/* its first line that is shown */
};

/*
 * Put a status on a page, `columns` wide. What has grown since the one before (NULL: none) is shown
 * with its rate; numbers that are 0 are left out. `now` must outlive the page. False where there is
 * no memory; top_page_free() is fine then too.
 */
bool top_page_make(struct top_page *p, const json_t *now, const json_t *before, int64_t elapsed_ms,
    int columns);
void top_page_free(struct top_page *p);

/* Write at most `rows` lines. A view that is past the end is moved to where there is something. */
void top_page_print(struct top_page *p, struct top_view *v, size_t rows, int columns, FILE *out);

/* Move the view by a key or the escape sequence of one ("\033[B"); `page` is what fits at once. */
void top_view_key(struct top_view *v, const char *key, size_t parts, size_t page);

#endif
