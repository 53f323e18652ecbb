/* SPDX-License-Identifier: MIT */
/* Results on paper. */
#include "hearthctl/print.h"

#include "hearthctl/flat.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BELOW_INDENT "      "
#define SENTENCE     24		/* letters of a last column that may be longer than the line */

/* --- tables ----------------------------------------------------------------------------------- */

/* Columns are the names in the rows, in the order in which they are met first. */
struct table {
	struct flat *rows;
	size_t rows_count;
	const char **names;	/* borrowed from the rows */
	size_t columns;
	int *widths;		/* negative: numbers, to the right */
	char **cells;		/* row by row */
	bool folded;		/* what lies deeper in a row is printed below it */
};

int
print_cells(const char *text)
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
cell_text(const json_t *value, bool quote)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	if (value != NULL)
		flat_print(value, quote, out);
	return fclose(out) == 0 ? text : NULL;
}

static bool
fill_column(struct table *t, size_t column)
{
	bool numbers = true;
	int width = print_cells(t->names[column]);

	for (size_t row = 0; row < t->rows_count; row++) {
		const json_t *value = flat_find(&t->rows[row], t->names[column]);
		char *text = cell_text(value, false);

		if (text == NULL)
			return false;
		t->cells[row * t->columns + column] = text;
		if (print_cells(text) > width)
			width = print_cells(text);
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
	int gap = abs(width) - print_cells(text);

	fprintf(out, "  %*s%s", width < 0 ? gap : 0, "", text);
	if (width > 0 && !last)
		fprintf(out, "%*s", gap, "");
}

/* A column of "text.state" has no place in a line of a folded table. */
static bool
is_below(const struct table *t, size_t column)
{
	return t->folded && strchr(t->names[column], '.') != NULL;
}

static void
print_line(const struct table *t, char *const *cells, FILE *out)
{
	size_t last = t->columns - 1;

	while (last > 0 && is_below(t, last))
		last--;
	for (size_t i = 0; i <= last; i++)
		if (!is_below(t, i))
			print_cell(cells != NULL ? cells[i] : t->names[i], t->widths[i], i == last,
			    out);
	fputc('\n', out);
}

/* Columns that the table takes, upright. */
static int
upright_width(const struct table *t)
{
	int sum = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (!is_below(t, i))
			sum += 2 + abs(t->widths[i]);
	return sum;
}

/* Letters of "text." where everything that lies deeper begins with that; else 0. */
static int
common_prefix(const struct table *t)
{
	const char *first = NULL;
	size_t len = 0;

	for (size_t i = 0; i < t->columns; i++) {
		if (!is_below(t, i))
			continue;
		if (first == NULL) {
			first = t->names[i];
			len = strcspn(first, ".") + 1;
		} else if (strncmp(first, t->names[i], len) != 0) {
			return 0;
		}
	}
	return (int)len;
}

/* "    state=closed battery=87", in as many lines as that takes. */
static void
print_below(const struct table *t, size_t row, int width, FILE *out)
{
	int skip = common_prefix(t), column = 0;

	for (size_t i = 0; i < t->columns; i++) {
		const json_t *value = flat_find(&t->rows[row], t->names[i]);
		char *text = is_below(t, i) && value != NULL ? cell_text(value, true) : NULL;

		if (text == NULL)
			continue;

		int len = print_cells(t->names[i]) - skip + 1 + print_cells(text);

		if (column != 0 && column + 1 + len > width) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%s%s=", column == 0 ? BELOW_INDENT : " ",
		    t->names[i] + skip);
		column += print_cells(text);
		fputs(text, out);
		free(text);
	}
	if (column != 0)
		fputc('\n', out);
}

static int
name_width(const struct table *t)
{
	int widest = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (print_cells(t->names[i]) > widest)
			widest = print_cells(t->names[i]);
	return widest;
}

/* The widest cell of a row, which is a column when the table lies on its side. */
static int
row_width(const struct table *t, size_t row)
{
	int widest = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (print_cells(t->cells[row * t->columns + i]) > widest)
			widest = print_cells(t->cells[row * t->columns + i]);
	return widest;
}

/* How many rows, from this one on, fit side by side where the table lies; one at least. */
static size_t
rows_abreast(const struct table *t, size_t from, int width)
{
	int sum = 2 + name_width(t);
	size_t row = from;

	while (row < t->rows_count && (sum += 2 + row_width(t, row)) <= width)
		row++;
	return row > from ? row - from : 1;
}

static void
print_lying(const struct table *t, size_t from, size_t end, FILE *out)
{
	int names = name_width(t);

	for (size_t i = 0; i < t->columns; i++) {
		print_cell(t->names[i], names, false, out);
		for (size_t row = from; row < end; row++)
			print_cell(t->cells[row * t->columns + i], row_width(t, row),
			    row + 1 == end, out);
		fputc('\n', out);
	}
}

/* As many rows side by side as there is room for, then the next ones. */
static void
print_all_lying(const struct table *t, int width, FILE *out)
{
	for (size_t from = 0; from < t->rows_count;) {
		size_t n = rows_abreast(t, from, width);

		if (from != 0)
			fputc('\n', out);
		print_lying(t, from, from + n, out);
		from += n;
	}
}

static void
print_upright(const struct table *t, int width, FILE *out)
{
	print_line(t, NULL, out);
	for (size_t row = 0; row < t->rows_count; row++) {
		print_line(t, t->cells + row * t->columns, out);
		if (t->folded)
			print_below(t, row, width, out);
	}
}

static bool
can_fold(const struct table *t)
{
	bool deep = false, flat = false;

	for (size_t i = 0; i < t->columns; i++)
		*(strchr(t->names[i], '.') != NULL ? &deep : &flat) = true;
	return deep && flat;
}

/* Sentences in the last column run on in the terminal's next line: that reads best. */
static bool
ends_in_sentences(const struct table *t, int width)
{
	int last = t->widths[t->columns - 1];

	return last > SENTENCE && upright_width(t) - last + SENTENCE <= width;
}

/* The first way that fits: upright, folded, on its side; the last one in pieces, if need be. */
static void
print_fitting(struct table *t, int width, FILE *out)
{
	bool upright = upright_width(t) <= width;

	if (!upright && can_fold(t)) {
		t->folded = true;
		upright = t->folded = upright_width(t) <= width;
	}
	if (upright || (rows_abreast(t, 0, width) < t->rows_count && ends_in_sentences(t, width)))
		print_upright(t, width, out);
	else
		print_all_lying(t, width, out);
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
	if (ok)
		print_fitting(&t, width, out);
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
	char *first = row->count != 0 ? cell_text(row->rows[0].value, false) : NULL;

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
print_rows(const struct flat *f, int width, FILE *out)
{
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
print_result(const json_t *result, bool as_json, int width, FILE *out)
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
		print_rows(&f, width, out);
	flat_free(&f);
}
