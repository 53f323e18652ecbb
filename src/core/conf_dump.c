/* SPDX-License-Identifier: MIT */
/* Settings and tables of settings, written out: for --dump-config and for the manual. */
#include "core/conf_tree.h"

#include "util/utf8.h"

#include <ctype.h>
#include <string.h>

#define LIST_LINE_MAX 72	/* longer lists get a line per value */
#define MAN_LINE_MAX  78	/* columns in the source of the manual */

/* --- settings --------------------------------------------------------------------------------- */

struct dump {
	FILE *out;
	int depth;
	bool off;		/* inside of a section that was not written */
};

static void
indent(const struct dump *d, bool off)
{
	if (off)
		fputc('#', d->out);
	for (int i = 0; i < d->depth; i++)
		fputc('\t', d->out);
}

/* A text in double quotes, as libconfuse reads it back byte for byte. */
static void
put_quoted(FILE *out, const char *text)
{
	struct span rest = span_str(text);

	fputc('"', out);
	while (rest.len != 0) {
		size_t n = utf8_printable(rest);

		if (n == 0)
			fprintf(out, "\\x%02x", rest.at[0]);
		else if (strchr("\"\\$", rest.at[0]) != NULL)
			fprintf(out, "\\%c", rest.at[0]);
		else
			fwrite(rest.at, 1, n, out);
		n = n == 0 ? 1 : n;
		rest = span_of(rest.at + n, rest.len - n);
	}
	fputc('"', out);
}

static void
put_value(FILE *out, enum conf_type type, const char *text)
{
	if (type == CONF_BOOL || type == CONF_INT)
		fputs(text, out);
	else
		put_quoted(out, text);
}

static void
put_list(const struct dump *d, const struct conf_slot *slot, bool off)
{
	size_t length = 0;

	for (size_t i = 0; i < slot->values_count; i++)
		length += strlen(slot->values[i].text) + 4;
	fputs("{", d->out);
	for (size_t i = 0; i < slot->values_count; i++) {
		if (length > LIST_LINE_MAX) {
			fputc('\n', d->out);
			indent(d, off);
			fputc('\t', d->out);
		} else {
			fputc(' ', d->out);
		}
		put_value(d->out, slot->key->type, slot->values[i].text);
		if (i + 1 < slot->values_count)
			fputc(',', d->out);
	}
	if (length > LIST_LINE_MAX) {
		fputc('\n', d->out);
		indent(d, off);
		fputs("}\n", d->out);
	} else {
		fputs(" }\n", d->out);
	}
}

static void
dump_help(const struct dump *d, const struct conf_key *key)
{
	char allowed[256];

	if (key->help == NULL)
		return;
	indent(d, d->off);
	fprintf(d->out, "# %s", key->help);
	if (key->type != CONF_SECTION && *conf_allowed(key, allowed, sizeof(allowed)) != '\0')
		fprintf(d->out, "; %s", allowed);
	fputc('\n', d->out);
}

static void
dump_value(const struct dump *d, const struct conf_slot *slot)
{
	bool off = d->off || !slot->given;

	dump_help(d, slot->key);
	indent(d, off);
	fprintf(d->out, "%s = ", slot->key->name);
	if (slot->key->flags & CONF_LIST) {
		put_list(d, slot, off);
		return;
	}
	if (slot->values_count != 0)
		put_value(d->out, slot->key->type, slot->values[0].text);
	else
		fputs("\"\"", d->out);
	fputc('\n', d->out);
}

static void dump_keys(struct dump *d, const struct conf *cf);

static void
dump_section(struct dump *d, const struct conf *cf, const struct conf_key *key)
{
	indent(d, d->off);
	fprintf(d->out, "%s ", key->name);
	if (key->flags & CONF_TITLED) {
		put_quoted(d->out, cf->title != NULL ? cf->title : "title");
		fputc(' ', d->out);
	}
	fputs("{\n", d->out);
	d->depth++;
	dump_keys(d, cf);
	d->depth--;
	indent(d, d->off);
	fputs("}\n", d->out);
}

static void
dump_sections(struct dump *d, const struct conf_slot *slot)
{
	bool off = d->off;

	fputc('\n', d->out);
	dump_help(d, slot->key);
	for (size_t i = 0; i < slot->sections_count; i++)
		dump_section(d, slot->sections[i], slot->key);
	if (slot->sections_count == 0) {
		d->off = true;
		dump_section(d, slot->absent, slot->key);
		d->off = off;
	}
}

static void
dump_keys(struct dump *d, const struct conf *cf)
{
	for (size_t i = 0; i < cf->slots_count; i++)
		if (cf->slots[i].key->type != CONF_SECTION)
			dump_value(d, &cf->slots[i]);
	for (size_t i = 0; i < cf->slots_count; i++)
		if (cf->slots[i].key->type == CONF_SECTION)
			dump_sections(d, &cf->slots[i]);
}

void
conf_dump(const struct conf_file *cf, FILE *out)
{
	struct dump d = { .out = out };

	fputs("# The settings in force. Values that are commented out are defaults; sections\n"
	    "# that are commented out were not written.\n\n", out);
	dump_keys(&d, cf->root);
}

/* --- manual ----------------------------------------------------------------------------------- */

/* A word of ours as mdoc: nothing in it may act as a request or an escape. */
static void
man_word(FILE *out, const char *word, size_t len, bool first)
{
	if (first && (*word == '.' || *word == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\\')
			fputs("\\e", out);
		else
			fputc(word[i], out);
	}
}

/* Lines of bounded length, one or more for each sentence (mdoc(7)); a full stop at the end. */
static void
man_text(FILE *out, const char *text)
{
	size_t column = 0;
	char last = '.';

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (column != 0 && (last == '.' || column + 1 + len > MAN_LINE_MAX)) {
			fputc('\n', out);
			column = 0;
		} else if (column != 0) {
			fputc(' ', out);
			column++;
		}
		man_word(out, text, len, column == 0);
		column += len;
		last = text[len - 1];
		text += len;
	}
	fputs(last == '.' ? "\n" : ".\n", out);
}

/* The help of a key, with a capital. */
static void
man_sentence(FILE *out, const char *text)
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", text);
	copy[0] = (char)toupper((unsigned char)copy[0]);
	if (copy[0] != '\0')
		man_text(out, copy);
}

static void
man_fact(FILE *out, const char *what, const char *fact)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s is %s", what, fact);
	man_text(out, text);
}

static const char *
man_type(const struct conf_key *key)
{
	static const char *const names[] = {
		[CONF_BOOL] = "true | false", [CONF_INT] = "number", [CONF_SIZE] = "size",
		[CONF_DURATION] = "duration", [CONF_STRING] = "text", [CONF_ENUM] = "word",
		[CONF_ADDR] = "address", [CONF_SECTION] = "",
	};

	return names[key->type];
}

static void
man_value(const struct conf_key *key, FILE *out)
{
	char allowed[256];

	fprintf(out, ".It Ic %s Ar %s%s\n", key->name, man_type(key),
	    key->flags & CONF_LIST ? " ..." : "");
	if (key->help != NULL)
		man_sentence(out, key->help);
	if (key->type != CONF_BOOL && *conf_allowed(key, allowed, sizeof(allowed)) != '\0')
		man_fact(out, "Allowed", allowed);
	if (key->count_max != 0)
		fprintf(out, "At most %u are taken.\n", key->count_max);
	if (key->not_above != NULL)
		fprintf(out, "It must not exceed\n.Ic %s .\n", key->not_above);
	if (key->value != NULL && *key->value != '\0')
		man_fact(out, "The default", key->value);
	if (key->flags & CONF_RESTART)
		fputs("A change takes effect at the next start.\n", out);
}

static void
man_table(const struct conf_key *keys, const char *path, FILE *out)
{
	char inner[CONF_PATH_MAX];
	bool open = false;

	for (const struct conf_key *k = keys; k->name != NULL; k++) {
		if (k->type == CONF_SECTION)
			continue;
		if (!open)
			fputs(".Bl -tag -width 4n\n", out);
		open = true;
		man_value(k, out);
	}
	if (open)
		fputs(".El\n", out);
	for (const struct conf_key *k = keys; k->name != NULL; k++) {
		if (k->type != CONF_SECTION)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path != '\0' ? "." : "", k->name);
		fprintf(out, ".Ss %s%s\n", inner, k->flags & CONF_TITLED ? " \\(dqtitle\\(dq" : "");
		if (k->help != NULL)
			man_sentence(out, k->help);
		man_table(k->keys, inner, out);
	}
}

void
conf_manual(const struct conf_key *keys, FILE *out)
{
	man_table(keys, "", out);
}
