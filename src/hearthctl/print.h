/* SPDX-License-Identifier: MIT */
/* Results on paper: key=value lines and tables, or JSON. */
#ifndef HEARTHCTL_PRINT_H
#define HEARTHCTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define PRINT_WIDTH 100

/*
 * Print what the daemon said. As text, plain values come first, one `name=value` a line; then each
 * list of objects as a table of at most `width` columns. "ok" stands for an empty result. As JSON,
 * one line.
 */
void print_result(const json_t *result, bool as_json, int width, FILE *out);

/*
 * Print a list of objects with aligned columns and a head, indented by two spaces. Where that is
 * wider than `width` columns, objects within a row go below it as `name=value`. Without such, the
 * table lies on its side, a line per name: as many rows abreast as there is room for, then the
 * next; unless its last column holds sentences, which run on.
 */
void print_table(const json_t *list, int width, FILE *out);

/* Characters as a terminal counts them, near enough: continuation bytes take no room. */
int print_cells(const char *text);

/* Columns of the terminal that stdout is, or PRINT_WIDTH. */
int print_width(void);

#endif
