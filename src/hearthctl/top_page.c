/* SPDX-License-Identifier: MIT */
/*
 * Values flow into columns of CELL_WIDTH, so that a terminal of 24 lines holds what is worth a
 * look; tables follow them. Where all parts do not fit, each gets an equal share of the lines, and what
 * one does not need goes to the others.
 */
#include "hearthctl/top_page.h"

#include "hearthctl/flat.h"
#include "hearthctl/print.h"

#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH 40		/* two columns on 80, three on 120 */
#define HEAD_BEGIN "\033[1m"
#define HEAD_END   "\033[0m"

/* --- values ----------------------------------------------------------------------------------- */

/* How much a whole number has grown per second since the last painting; negative: no saying. */
static double
rate_of(const struct flat_row *row, const struct flat *before, int64_t elapsed_ms)
{
	const json_t *old = flat_find(before, row->key);

	if (!json_is_integer(row->value) || !json_is_integer(old) || elapsed_ms <= 0)
		return -1;

	json_int_t grown = json_integer_value(row->value) - json_integer_value(old);

	return grown > 0 ? (double)grown * 1000 / (double)elapsed_ms : -1;
}

static bool
is_zero(const json_t *value)
{
	return json_is_number(value) && !(json_number_value(value) < 0) &&
	    !(json_number_value(value) > 0);
}

/* Counters that never counted would push what moves off the screen. */
static bool
is_worth_a_cell(const json_t *value)
{
	return !flat_is_table(value) && !is_zero(value) &&
	    !(json_is_array(value) && json_array_size(value) == 0) && !json_is_object(value);
}

static char *
cell_of(const struct flat_row *row, double rate)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s=", row->key);
	flat_print(row->value, false, out);
	if (rate >= 0)
		fprintf(out, "  +%.*f/s", rate < 10 ? 1 : 0, rate);
	return fclose(out) == 0 ? text : NULL;
}

/* Cells go one behind the other; a long one takes the place of several. */
static void
flow_cells(const struct flat *now, const struct flat *before, int64_t elapsed_ms, int columns,
    FILE *out)
{
	int abreast = columns >= 2 * CELL_WIDTH ? columns / CELL_WIDTH : 1;
	int width = columns / abreast, at = 0, filled = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct flat_row *row = &now->rows[i];
		char *cell = is_worth_a_cell(row->value)
		    ? cell_of(row, rate_of(row, before, elapsed_ms)) : NULL;

		if (cell == NULL)
			continue;

		int places = print_cells(cell) / width + 1;

		if (at != 0 && at + places > abreast) {
			fputc('\n', out);
			at = filled = 0;
		}
		fprintf(out, "%*s%s", at * width - filled, "", cell);
		filled = at * width + print_cells(cell);
		at += places;
		free(cell);
	}
	if (at != 0)
		fputc('\n', out);
}

/* --- tables ----------------------------------------------------------------------------------- */

static bool
is_zero_in_all(const json_t *list, const char *key)
{
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		if (!is_zero(json_object_get(row, key)))
			return false;
	return true;
}

/* The list without the columns that are 0 from top to bottom. */
static json_t *
without_zeros(const json_t *list)
{
	json_t *copy = json_deep_copy(list), *row, *value;
	const char *key;
	size_t i;
	void *next;

	json_array_foreach(copy, i, row) {
		json_object_foreach_safe(row, next, key, value)
			if (is_zero_in_all(list, key))
				json_object_del(row, key);
	}
	return copy;
}

static void
print_tables(const struct flat *now, int columns, FILE *out)
{
	for (size_t i = 0; i < now->count; i++) {
		json_t *list = flat_is_table(now->rows[i].value)
		    ? without_zeros(now->rows[i].value) : NULL;

		if (list == NULL)
			continue;
		fprintf(out, "%s:\n", now->rows[i].key);
		print_table(list, columns, out);
		json_decref(list);
	}
}

/* --- pages ------------------------------------------------------------------------------------ */

static bool
make_part(struct top_part *part, const json_t *now, const json_t *before, int64_t elapsed_ms,
    int columns)
{
	struct flat rows = { 0 }, old = { 0 };
	size_t len;
	FILE *out = open_memstream(&part->text, &len);
	bool ok;

	if (out == NULL)
		return false;
	ok = flat_make(&rows, now) && (before == NULL || flat_make(&old, before));
	if (ok) {
		flow_cells(&rows, &old, elapsed_ms, columns, out);
		print_tables(&rows, columns, out);
	}
	flat_free(&rows);
	flat_free(&old);
	ok = fclose(out) == 0 && ok;
	for (const char *at = part->text; ok && *at != '\0'; at++)
		part->lines += *at == '\n';
	return ok;
}

bool
top_page_make(struct top_page *p, const json_t *now, const json_t *before, int64_t elapsed_ms,
    int columns)
{
	const char *name;
	json_t *value;

	*p = (struct top_page){ .count = 0 };
	p->parts = calloc(json_object_size(now) + 1, sizeof(*p->parts));
	if (p->parts == NULL)
		return false;
	/* The iterator wants a tree it could change; it does not. */
	json_object_foreach((json_t *)(uintptr_t)now, name, value) {
		struct top_part *part = &p->parts[p->count++];

		part->name = name;
		if (!make_part(part, value, json_object_get(before, name), elapsed_ms, columns))
			return false;
	}
	return true;
}

void
top_page_free(struct top_page *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->parts[i].text);
	free(p->parts);
	*p = (struct top_page){ .count = 0 };
}

/* Say how many rows each part gets of those that there are. */
static void
share_out(struct top_page *p, size_t rows)
{
	size_t open = p->count, before;

	for (size_t i = 0; i < p->count; i++)
		p->parts[i].rows = 0;
	do {
		before = open;
		for (size_t i = 0; i < p->count; i++) {
			struct top_part *part = &p->parts[i];

			if (part->rows != 0 || part->lines + 1 > rows / open)
				continue;
			part->rows = part->lines + 1;
			rows -= part->rows;
			open--;
		}
	} while (open != before && open != 0);
	for (size_t i = 0; i < p->count && open != 0; i++) {
		if (p->parts[i].rows != 0)
			continue;
		p->parts[i].rows = (rows + open - 1) / open;
		rows -= p->parts[i].rows;
		open--;
	}
}

/* Letters of one line that fit. Continuation bytes take no room. */
static const char *
print_clipped(const char *line, int columns, FILE *out)
{
	int column = 0;

	for (; *line != '\0' && *line != '\n'; line++) {
		column += (*line & 0xc0) != 0x80;
		if (column <= columns)
			fputc(*line, out);
	}
	fputc('\n', out);
	return *line == '\n' ? line + 1 : line;
}

/* A heading, and `rows` - 1 lines of the part from one of them on. */
static void
print_part(const struct top_page *p, size_t i, size_t from, size_t rows, int columns, FILE *out)
{
	const struct top_part *part = &p->parts[i];
	const char *line = part->text;
	char head[128];

	if (rows == 0)
		return;
	if (rows > part->lines)
		snprintf(head, sizeof(head), "%zu %s", i + 1, part->name);
	else
		snprintf(head, sizeof(head), "%zu %s: lines %zu to %zu of %zu", i + 1, part->name,
		    from + 1, from + rows - 1, part->lines);
	fprintf(out, HEAD_BEGIN "%.*s" HEAD_END "\n", columns, head);
	for (size_t skipped = 0; skipped < from; skipped++)
		line = strchr(line, '\n') + 1;
	for (size_t n = 1; n < rows && *line != '\0'; n++)
		line = print_clipped(line, columns, out);
}

void
top_page_print(struct top_page *p, struct top_view *v, size_t rows, int columns, FILE *out)
{
	if (v->part > p->count)
		v->part = 0;
	if (v->part != 0) {
		size_t lines = p->parts[v->part - 1].lines;
		size_t last = lines + 1 > rows ? lines + 1 - rows : 0;

		if (v->from > last)
			v->from = last;
		print_part(p, v->part - 1, v->from, rows, columns, out);
		return;
	}
	share_out(p, rows);
	for (size_t i = 0; i < p->count; i++)
		print_part(p, i, 0, p->parts[i].rows, columns, out);
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct {
	const char *key;
	enum { UP, DOWN, PAGE_UP, PAGE_DOWN, FIRST, LAST, NEXT, PREVIOUS } move;
} moves[] = {
	{ "\033[A", UP }, { "\033OA", UP }, { "k", UP },
	{ "\033[B", DOWN }, { "\033OB", DOWN }, { "j", DOWN },
	{ "\033[5~", PAGE_UP }, { "b", PAGE_UP },
	{ "\033[6~", PAGE_DOWN }, { " ", PAGE_DOWN },
	{ "\033[H", FIRST }, { "\033[1~", FIRST }, { "g", FIRST },
	{ "\033[F", LAST }, { "\033[4~", LAST }, { "G", LAST },
	{ "\t", NEXT }, { "\033[C", NEXT }, { "\033OC", NEXT },
	{ "\033[Z", PREVIOUS }, { "\033[D", PREVIOUS }, { "\033OD", PREVIOUS },
};

static void
back(struct top_view *v, size_t lines)
{
	v->from = v->from > lines ? v->from - lines : 0;
}

static void
show_part(struct top_view *v, size_t part)
{
	*v = (struct top_view){ .part = part };
}

void
top_view_key(struct top_view *v, const char *key, size_t parts, size_t page)
{
	size_t i = 0;

	if (key[0] >= '0' && key[0] <= '9' && key[1] == '\0' && (size_t)(key[0] - '0') <= parts)
		show_part(v, (size_t)(key[0] - '0'));
	while (i < sizeof(moves) / sizeof(moves[0]) && strcmp(moves[i].key, key) != 0)
		i++;
	if (i == sizeof(moves) / sizeof(moves[0]))
		return;
	switch (moves[i].move) {
	case UP:
		back(v, 1);
		break;
	case DOWN:
		v->from++;
		break;
	case PAGE_UP:
		back(v, page);
		break;
	case PAGE_DOWN:
		v->from += page;
		break;
	case FIRST:
		v->from = 0;
		break;
	case LAST:
		v->from = SIZE_MAX / 2;
		break;
	case NEXT:
		show_part(v, (v->part + 1) % (parts + 1));
		break;
	case PREVIOUS:
		show_part(v, (v->part + parts) % (parts + 1));
		break;
	}
}
