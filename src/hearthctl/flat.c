/* SPDX-License-Identifier: MIT */
/* From trees to rows, and values as text. */
#include "hearthctl/flat.h"

#include "util/utf8.h"

#include <stdlib.h>
#include <string.h>

static bool
add_row(struct flat *f, const char *key, const json_t *value)
{
	struct flat_row *grown = realloc(f->rows, (f->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return false;
	f->rows = grown;
	grown[f->count] = (struct flat_row){ .key = strdup(key), .value = value };
	if (grown[f->count].key == NULL)
		return false;
	f->count++;
	return true;
}

static bool
add(struct flat *f, const char *prefix, const json_t *value)
{
	const char *key;
	json_t *member;
	bool ok = true;

	if (!json_is_object(value) || (json_object_size(value) == 0 && *prefix != '\0'))
		return add_row(f, prefix, value);
	/* The iterator wants a tree it could change; it does not. */
	json_object_foreach((json_t *)(uintptr_t)value, key, member) {
		char *path;

		if (asprintf(&path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", key) < 0)
			return false;
		ok = ok && add(f, path, member);
		free(path);
	}
	return ok;
}

bool
flat_make(struct flat *f, const json_t *root)
{
	*f = (struct flat){ 0 };
	return add(f, "", root);
}

void
flat_free(struct flat *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->rows[i].key);
	free(f->rows);
	*f = (struct flat){ 0 };
}

const json_t *
flat_find(const struct flat *f, const char *key)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->rows[i].key, key) == 0)
			return f->rows[i].value;
	return NULL;
}

bool
flat_is_table(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (json_is_object(item))
			return true;
	return false;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool
is_plain(const char *text)
{
	if (*text == '\0')
		return false;
	/* Letters outside of ASCII need no quotes. */
	for (; *text != '\0'; text++)
		if ((uint8_t)*text <= ' ' || strchr("\"\\=,$`\x7f", *text) != NULL)
			return false;
	return true;
}

static void
print_text(const char *text, bool quote, FILE *out)
{
	struct span rest = span_str(text);
	char escaped[UTF8_ESCAPED_MAX];

	if (quote)
		fputc('"', out);
	while (rest.len != 0) {
		size_t n = utf8_printable(rest);

		if (n == 0) {
			fwrite(escaped, 1, utf8_escape_next(&rest, escaped), out);
			continue;
		}
		if (quote && (rest.at[0] == '"' || rest.at[0] == '\\'))
			fputc('\\', out);
		fwrite(rest.at, 1, n, out);
		rest = span_of(rest.at + n, rest.len - n);
	}
	if (quote)
		fputc('"', out);
}

static void
print_list(const json_t *list, bool quote, FILE *out)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (i != 0)
			fputc(',', out);
		flat_print(item, quote, out);
	}
}

void
flat_print(const json_t *value, bool quote, FILE *out)
{
	const char *text = json_string_value(value);

	switch (json_typeof(value)) {
	case JSON_STRING:
		print_text(text, quote && !is_plain(text), out);
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		fprintf(out, "%.9g", json_real_value(value));
		break;
	case JSON_TRUE:
		fputs("true", out);
		break;
	case JSON_FALSE:
		fputs("false", out);
		break;
	case JSON_NULL:
		break;
	case JSON_ARRAY:
		print_list(value, quote, out);
		break;
	case JSON_OBJECT:
		json_dumpf(value, out, JSON_COMPACT);
		break;
	}
}
