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
 * list of objects as a table. "ok" stands for an empty result. As JSON, one line.
 */
void print_result(const json_t *result, bool as_json, FILE *out);

/*
 * Print a list of objects with aligned columns and a head, indented by two spaces. Where that is
 * wider than `width` columns, and lying on its side it is not, it lies on its side.
 */
void print_table(const json_t *list, int width, FILE *out);

/* Columns of the terminal that stdout is, or PRINT_WIDTH. */
int print_width(void);

#endif
