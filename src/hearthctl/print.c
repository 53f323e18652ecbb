/* SPDX-License-Identifier: MIT */
/* Results on paper. */
#include "hearthctl/print.h"

#include "hearthctl/flat.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- tables ----------------------------------------------------------------------------------- */

/* Columns are the names in the rows, in the order in which they are met first. */
struct table {
	struct flat *rows;
	size_t rows_count;
	const char **names;	/* borrowed from the rows */
	size_t columns;
	int *widths;		/* negative: numbers, to the right */
	char **cells;		/* row by row */
};

/* Characters as a terminal counts them, near enough: continuation bytes take no room. */
static int
width_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static bool
add_column(struct table *t, const char *name)
{
	for (size_t i = 0; i < t->columns; i++)
		if (strcmp(t->names[i], name) == 0)
			return true;

	const char **grown = realloc(t->names, (t->columns + 1) * sizeof(*grown));

	if (grown == NULL)
		return false;
	t->names = grown;
	grown[t->columns++] = name;
	return true;
}

static bool
find_columns(struct table *t, const json_t *list)
{
	t->rows = calloc(json_array_size(list), sizeof(*t->rows));
	if (t->rows == NULL)
		return false;
	for (; t->rows_count < json_array_size(list); t->rows_count++) {
		struct flat *row = &t->rows[t->rows_count];

		if (!flat_make(row, json_array_get(list, t->rows_count)))
			return false;
		for (size_t i = 0; i < row->count; i++)
			if (!flat_is_table(row->rows[i].value) && !add_column(t, row->rows[i].key))
				return false;
	}
	return t->columns != 0;
}

static char *
cell_text(const json_t *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	if (value != NULL)
		flat_print(value, false, out);
	return fclose(out) == 0 ? text : NULL;
}

static bool
fill_column(struct table *t, size_t column)
{
	bool numbers = true;
	int width = width_of(t->names[column]);

	for (size_t row = 0; row < t->rows_count; row++) {
		const json_t *value = flat_find(&t->rows[row], t->names[column]);
		char *text = cell_text(value);

		if (text == NULL)
			return false;
		t->cells[row * t->columns + column] = text;
		if (width_of(text) > width)
			width = width_of(text);
		if (value != NULL && !json_is_null(value) && !json_is_number(value))
			numbers = false;
	}
	t->widths[column] = numbers ? -width : width;
	return true;
}

/* One cell; a positive width pads on the right, unless it is the last in its line. */
static void
print_cell(const char *text, int width, bool last, FILE *out)
{
	int gap = abs(width) - width_of(text);

	fprintf(out, "  %*s%s", width < 0 ? gap : 0, "", text);
	if (width > 0 && !last)
		fprintf(out, "%*s", gap, "");
}

static void
print_line(const struct table *t, char *const *cells, FILE *out)
{
	for (size_t i = 0; i < t->columns; i++) {
		const char *text = cells != NULL ? cells[i] : t->names[i];

		print_cell(text, t->widths[i], i + 1 == t->columns, out);
	}
	fputc('\n', out);
}

/* Columns that the table takes, upright. */
static int
upright_width(const struct table *t)
{
	int sum = 0;

	for (size_t i = 0; i < t->columns; i++)
		sum += 2 + abs(t->widths[i]);
	return sum;
}

static int
name_width(const struct table *t)
{
	int widest = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (width_of(t->names[i]) > widest)
			widest = width_of(t->names[i]);
	return widest;
}

/* The widest cell of a row, which is a column when the table lies on its side. */
static int
row_width(const struct table *t, size_t row)
{
	int widest = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (width_of(t->cells[row * t->columns + i]) > widest)
			widest = width_of(t->cells[row * t->columns + i]);
	return widest;
}

static int
lying_width(const struct table *t)
{
	int sum = 2 + name_width(t);

	for (size_t row = 0; row < t->rows_count; row++)
		sum += 2 + row_width(t, row);
	return sum;
}

static void
print_lying(const struct table *t, FILE *out)
{
	int names = name_width(t);

	for (size_t i = 0; i < t->columns; i++) {
		print_cell(t->names[i], names, false, out);
		for (size_t row = 0; row < t->rows_count; row++)
			print_cell(t->cells[row * t->columns + i], row_width(t, row),
			    row + 1 == t->rows_count, out);
		fputc('\n', out);
	}
}

static void
print_upright(const struct table *t, FILE *out)
{
	print_line(t, NULL, out);
	for (size_t row = 0; row < t->rows_count; row++)
		print_line(t, t->cells + row * t->columns, out);
}

static void
free_table(struct table *t)
{
	for (size_t i = 0; t->cells != NULL && i < t->rows_count * t->columns; i++)
		free(t->cells[i]);
	for (size_t i = 0; i < t->rows_count; i++)
		flat_free(&t->rows[i]);
	free(t->cells);
	free(t->rows);
	free(t->names);
	free(t->widths);
}

void
print_table(const json_t *list, int width, FILE *out)
{
	struct table t = { 0 };
	bool ok = find_columns(&t, list);

	if (ok) {
		t.cells = calloc(t.rows_count * t.columns, sizeof(*t.cells));
		t.widths = calloc(t.columns, sizeof(*t.widths));
		ok = t.cells != NULL && t.widths != NULL;
	}
	for (size_t i = 0; i < t.columns && ok; i++)
		ok = fill_column(&t, i);
	if (ok && upright_width(&t) > width && lying_width(&t) <= width)
		print_lying(&t, out);
	else if (ok)
		print_upright(&t, out);
	free_table(&t);
}

int
print_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20)
		return w.ws_col;
	return PRINT_WIDTH;
}

/* A table with its name above it. */
static void
print_titled(const char *title, const json_t *list, int width, FILE *out)
{
	fprintf(out, "%s:\n", title);
	print_table(list, width, out);
}

/* The tables within one row, named after its first cell. */
static void
print_inner(const char *title, const struct flat *row, int width, FILE *out)
{
	char *first = row->count != 0 ? cell_text(row->rows[0].value) : NULL;

	for (size_t i = 0; i < row->count && first != NULL; i++) {
		char *name;

		if (!flat_is_table(row->rows[i].value) ||
		    asprintf(&name, "%s.%s.%s", title, first, row->rows[i].key) < 0)
			continue;
		fputc('\n', out);
		print_titled(name, row->rows[i].value, width, out);
		free(name);
	}
	free(first);
}

static void
print_all_inner(const char *title, const json_t *list, int width, FILE *out)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct flat row;

		if (flat_make(&row, item))
			print_inner(title, &row, width, out);
		flat_free(&row);
	}
}

/* --- results ---------------------------------------------------------------------------------- */

static void
print_rows(const struct flat *f, FILE *out)
{
	int width = print_width();
	bool first = true;

	for (size_t i = 0; i < f->count; i++) {
		if (flat_is_table(f->rows[i].value))
			continue;
		first = false;
		fprintf(out, "%s=", f->rows[i].key);
		flat_print(f->rows[i].value, true, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < f->count; i++) {
		if (!flat_is_table(f->rows[i].value))
			continue;
		if (!first)
			fputc('\n', out);
		first = false;
		print_titled(f->rows[i].key, f->rows[i].value, width, out);
		print_all_inner(f->rows[i].key, f->rows[i].value, width, out);
	}
}

void
print_result(const json_t *result, bool as_json, FILE *out)
{
	struct flat f;

	if (as_json) {
		json_dumpf(result, out, JSON_COMPACT | JSON_ENCODE_ANY);
		fputc('\n', out);
		return;
	}
	if (json_is_object(result) && json_object_size(result) == 0)
		fputs("ok\n", out);
	if (flat_make(&f, result))
		print_rows(&f, out);
	flat_free(&f);
}
