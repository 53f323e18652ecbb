/* SPDX-License-Identifier: MIT */
#include "hearthctl/import_line.h"

#include <string.h>

#include "util/text.h"

static const char marks[] = ",:.#/@=";	/* the i-th one is shielded as the character i + 1 */

/* What stands for c inside of quotes. */
static char
shield(char c)
{
	const char *at = c != '\0' ? strchr(marks, c) : NULL;

	return at != NULL ? (char)(at - marks + 1) : c;
}

char *
import_plain(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p > 0 && *p < (char)sizeof(marks))
			*p = marks[*p - 1];
	return text;
}

static bool
has_controls(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.at[i] < ' ' && line.at[i] != '\t') || line.at[i] == 0x7f)
			return true;
	return false;
}

/* The character that \c in quotes stands for; 0 where it stands for itself. */
static char
escaped(char c)
{
	switch (c) {
	case '\\':
	case '"':
		return c;
	case 't':
		return '\t';
	case 'n':
	case 'r':
	case 'b':
	case 'e':
		return ' ';	/* of no use in any value that is carried over */
	default:
		return '\0';
	}
}

/*
 * Copy a line without its comment and quotes. A comment begins at a # with nothing or a blank in
 * front of it.
 */
static enum err
unquote(struct span line, char *out, size_t *shown)
{
	bool quoted = false;
	size_t n = 0, i;

	for (i = 0; i < line.len; i++) {
		char c = (char)line.at[i];

		if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && c == '#' && (i == 0 || text_is_blank(line.at[i - 1]))) {
			break;
		} else if (quoted && c == '\\' && i + 1 < line.len &&
		    escaped((char)line.at[i + 1]) != '\0') {
			out[n++] = escaped((char)line.at[++i]);
		} else {
			out[n++] = quoted ? shield(c) : c;
		}
	}
	out[n] = '\0';
	*shown = i;
	return quoted ? ERR_FORMAT : OK;
}

/* Cut the blanks off both ends, in place; gives where it begins now. */
static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

static void
copy(char *out, size_t cap, struct span text)
{
	size_t len = text.len < cap ? text.len : cap - 1;

	memcpy(out, text.at, len);
	out[len] = '\0';
}

enum err
import_line_read(struct import_line *out, struct span line)
{
	char all[IMPORT_LINE_MAX];
	size_t shown;

	out->option[0] = out->value[0] = out->shown[0] = '\0';
	line = text_trim(line);
	if (line.len == 0)
		return OK;
	if (line.len >= sizeof(all)) {
		copy(out->shown, 64, line);
		return ERR_RANGE;
	}
	if (has_controls(line))
		return ERR_FORMAT;

	enum err e = unquote(line, all, &shown);

	copy(out->shown, sizeof(out->shown), text_trim(span_of(line.at, shown)));
	if (e != OK)
		return e;

	char *value = strchr(all, '=');

	if (value != NULL) {
		*value = '\0';
		copy(out->value, sizeof(out->value), span_str(trim(value + 1)));
	}
	copy(out->option, sizeof(out->option), span_str(trim(all)));
	return OK;
}

char *
import_field(char **rest, char mark)
{
	char *field = *rest, *end;

	if (field == NULL)
		return NULL;
	end = strchr(field, mark);
	*rest = end != NULL ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	return trim(field);
}

bool
import_number(const char *text, unsigned long max, unsigned long *out)
{
	uint64_t n;

	if (!text_u64(span_str(text), &n) || n > max)
		return false;
	*out = (unsigned long)n;
	return true;
}
