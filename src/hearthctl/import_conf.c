/* SPDX-License-Identifier: MIT */
#include "hearthctl/import_conf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define WIDTH 100	/* columns; longer comments are broken */

struct kept {
	SLIST_ENTRY(kept) link;
	_Alignas(max_align_t) char bytes[];
};

struct value {
	STAILQ_ENTRY(value) link;
	const char *text;
};

struct key {
	STAILQ_ENTRY(key) link;
	const char *name;
	const char *words;	/* comment in front; NULL: none */
	bool list;
	bool bare;
	size_t count;
	STAILQ_HEAD(, value) values;
};

struct import_section {
	STAILQ_ENTRY(import_section) link;
	struct import_section *parent;
	const char *name;
	const char *title;
	bool wanted;
	bool dropped;
	STAILQ_HEAD(, key) keys;
};

/* Remarks with one reason. */
struct reason {
	STAILQ_ENTRY(reason) link;
	const char *why;
	const char *last;	/* the last of the places */
	STAILQ_HEAD(, value) places;
};

STAILQ_HEAD(reasons, reason);

struct import_conf {
	bool no_memory;
	SLIST_HEAD(, kept) kept;		/* owns everything below as well */
	struct import_section root;
	STAILQ_HEAD(, import_section) sections;
	struct reasons remarks[IMPORT_REMARKS];
	size_t place_count[IMPORT_REMARKS];	/* lines of all reasons */
	/* What is handed out where there is no memory: written to, never printed. */
	struct import_section spare;
};

enum err
import_conf_new(struct import_conf **out)
{
	struct import_conf *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	SLIST_INIT(&c->kept);
	STAILQ_INIT(&c->sections);
	STAILQ_INIT(&c->root.keys);
	STAILQ_INIT(&c->spare.keys);
	for (size_t i = 0; i < IMPORT_REMARKS; i++)
		STAILQ_INIT(&c->remarks[i]);
	*out = c;
	return OK;
}

void
import_conf_free(struct import_conf *c)
{
	struct kept *k;

	if (c == NULL)
		return;
	while ((k = SLIST_FIRST(&c->kept)) != NULL) {
		SLIST_REMOVE_HEAD(&c->kept, link);
		free(k);
	}
	free(c);
}

void *
import_keep_bytes(struct import_conf *c, size_t len)
{
	struct kept *k = calloc(1, sizeof(*k) + len);

	if (k == NULL) {
		c->no_memory = true;
		return NULL;
	}
	SLIST_INSERT_HEAD(&c->kept, k, link);
	return k->bytes;
}

const char *
import_keep(struct import_conf *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);

	int len = vsnprintf(NULL, 0, fmt, ap);

	va_end(ap);

	char *text = len >= 0 ? import_keep_bytes(c, (size_t)len + 1) : NULL;

	if (text == NULL)
		return "";
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

/* --- sections and keys ------------------------------------------------------------------------ */

static bool
same_title(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct import_section *
import_section(struct import_conf *c, struct import_section *parent, const char *name,
    const char *title)
{
	struct import_section *s;

	STAILQ_FOREACH(s, &c->sections, link)
		if (s->parent == parent && strcmp(s->name, name) == 0 &&
		    same_title(s->title, title))
			return s;
	s = import_keep_bytes(c, sizeof(*s));
	if (s == NULL)
		return &c->spare;
	s->parent = parent;
	s->name = name;
	s->title = title != NULL ? import_keep(c, "%s", title) : NULL;
	STAILQ_INIT(&s->keys);
	STAILQ_INSERT_TAIL(&c->sections, s, link);
	return s;
}

void
import_section_want(struct import_section *s)
{
	s->wanted = true;
}

bool
import_section_is_wanted(const struct import_section *s)
{
	return s->wanted;
}

void
import_section_drop(struct import_section *s)
{
	s->dropped = true;
}

static struct key *
find_key(const struct import_section *s, const char *name)
{
	struct key *k;

	STAILQ_FOREACH(k, &s->keys, link)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static struct key *
make_key(struct import_conf *c, struct import_section *s, const char *name)
{
	struct import_section *in = s != NULL ? s : &c->root;
	struct key *k = find_key(in, name);

	if (k != NULL)
		return k;
	k = import_keep_bytes(c, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->name = name;
	STAILQ_INIT(&k->values);
	STAILQ_INSERT_TAIL(&in->keys, k, link);
	return k;
}

void
import_reserve(struct import_conf *c, struct import_section *s, const char *key)
{
	(void)make_key(c, s, key);
}

static bool
is_set(const struct key *k)
{
	return k->list || k->count != 0;
}

static void
append(struct import_conf *c, struct key *k, const char *text)
{
	struct value *v = import_keep_bytes(c, sizeof(*v));

	if (v == NULL)
		return;
	v->text = import_keep(c, "%s", text);
	STAILQ_INSERT_TAIL(&k->values, v, link);
	k->count++;
}

static void
set(struct import_conf *c, struct import_section *s, const char *key, const char *value, bool bare)
{
	struct key *k = make_key(c, s, key);

	if (k == NULL)
		return;
	STAILQ_INIT(&k->values);
	k->count = 0;
	k->bare = bare;
	append(c, k, value);
}

void
import_set(struct import_conf *c, struct import_section *s, const char *key, const char *value)
{
	set(c, s, key, value, false);
}

void
import_set_word(struct import_conf *c, struct import_section *s, const char *key, const char *word)
{
	set(c, s, key, word, true);
}

void
import_add(struct import_conf *c, struct import_section *s, const char *key, const char *value)
{
	struct key *k = make_key(c, s, key);

	if (k == NULL)
		return;
	k->list = true;
	append(c, k, value);
}

void
import_add_once(struct import_conf *c, struct import_section *s, const char *key,
    const char *value)
{
	struct key *k = make_key(c, s, key);
	struct value *v;

	if (k != NULL)
		STAILQ_FOREACH(v, &k->values, link)
			if (strcmp(v->text, value) == 0)
				return;
	import_add(c, s, key, value);
}

void
import_add_none(struct import_conf *c, struct import_section *s, const char *key)
{
	struct key *k = make_key(c, s, key);

	if (k != NULL)
		k->list = true;
}

void
import_explain(struct import_conf *c, struct import_section *s, const char *key, const char *words)
{
	struct key *k = make_key(c, s, key);

	if (k != NULL)
		k->words = import_keep(c, "%s", words);
}

size_t
import_count(const struct import_section *s, const char *key)
{
	const struct key *k = find_key(s, key);

	return k != NULL ? k->count : 0;
}

const char *
import_value(const struct import_section *s, const char *key, size_t i)
{
	const struct key *k = find_key(s, key);
	const struct value *v = k != NULL ? STAILQ_FIRST(&k->values) : NULL;

	while (v != NULL && i-- > 0)
		v = STAILQ_NEXT(v, link);
	return v != NULL ? v->text : "";
}

/* --- remarks ---------------------------------------------------------------------------------- */

static struct reason *
reason_of(struct import_conf *c, enum import_remark kind, const char *why)
{
	struct reason *r;

	STAILQ_FOREACH(r, &c->remarks[kind], link)
		if (strcmp(r->why, why) == 0)
			return r;
	r = import_keep_bytes(c, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->why = import_keep(c, "%s", why);
	STAILQ_INIT(&r->places);
	STAILQ_INSERT_TAIL(&c->remarks[kind], r, link);
	return r;
}

void
import_remark(struct import_conf *c, enum import_remark kind, const char *where, const char *why)
{
	struct reason *r = reason_of(c, kind, why);
	struct value *v;

	/* A line that names several is told once. */
	if (r == NULL || where == NULL || r->last == where)
		return;
	v = import_keep_bytes(c, sizeof(*v));
	if (v == NULL)
		return;
	v->text = r->last = where;
	STAILQ_INSERT_TAIL(&r->places, v, link);
	c->place_count[kind]++;
}

static int
by_place(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

size_t
import_remarked_lines(const struct import_conf *c, enum import_remark kind)
{
	uintptr_t *all = calloc(c->place_count[kind] + 1, sizeof(*all));
	const struct reason *r;
	const struct value *v;
	size_t n = 0, lines = 0;

	if (all == NULL)
		return c->place_count[kind];
	STAILQ_FOREACH(r, &c->remarks[kind], link)
		STAILQ_FOREACH(v, &r->places, link)
			all[n++] = (uintptr_t)v->text;
	qsort(all, n, sizeof(*all), by_place);
	for (size_t i = 0; i < n; i++)
		lines += i == 0 || all[i] != all[i - 1];
	free(all);
	return lines;
}

/* --- printing --------------------------------------------------------------------------------- */

/* A text as libconfuse reads it back: quotes, backslashes and the ${ of variables shielded. */
static void
print_quoted(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || (text[0] == '$' && text[1] == '{'))
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

/* Words as a comment, broken between words where a line would be too long. */
static void
print_comment(FILE *out, const char *indent, const char *words, const char *hang)
{
	size_t room = WIDTH - strlen(hang) - 4 - (*indent != '\0' ? 8 * strlen(indent) : 0);
	const char *before = "";

	while (*words != '\0') {
		size_t len = strcspn(words, "\n");

		if (len > room) {
			len = room;
			while (len > 0 && words[len] != ' ')
				len--;
			if (len == 0)	/* one long word: as it is */
				len = strcspn(words, " \n");
		}
		fprintf(out, "%s# %s%.*s\n", indent, before, (int)len, words);
		words += len;
		words += *words == ' ' || *words == '\n';
		before = hang;
	}
}

static void
print_value(FILE *out, const struct key *k, const struct value *v)
{
	if (k->bare)
		fputs(v->text, out);
	else
		print_quoted(out, v->text);
}

static void
print_key(FILE *out, const char *indent, const struct key *k)
{
	const struct value *v;

	if (!is_set(k))
		return;
	if (k->words != NULL)
		print_comment(out, indent, k->words, "");
	fprintf(out, "%s%s = ", indent, k->name);
	if (!k->list && k->count != 0) {
		print_value(out, k, STAILQ_FIRST(&k->values));
	} else if (k->count <= 1) {
		fputs(k->count != 0 ? "{ " : "{", out);
		if (k->count != 0)
			print_value(out, k, STAILQ_FIRST(&k->values));
		fputs(k->count != 0 ? " }" : "}", out);
	} else {
		fputs("{\n", out);
		STAILQ_FOREACH(v, &k->values, link) {
			fprintf(out, "%s\t", indent);
			print_value(out, k, v);
			fputs(STAILQ_NEXT(v, link) != NULL ? ",\n" : "\n", out);
		}
		fprintf(out, "%s}", indent);
	}
	putc('\n', out);
}

static bool
is_shown(const struct import_conf *c, const struct import_section *s)
{
	const struct import_section *below;
	const struct key *k;

	if (s->dropped)
		return false;
	if (s->wanted)
		return true;
	STAILQ_FOREACH(k, &s->keys, link)
		if (is_set(k))
			return true;
	STAILQ_FOREACH(below, &c->sections, link)
		if (below->parent == s && is_shown(c, below))
			return true;
	return false;
}

static void
print_section(FILE *out, const struct import_conf *c, const struct import_section *s,
    const char *indent)
{
	const char *inner = *indent == '\0' ? "\t" : "\t\t";	/* two levels are all there are */
	const struct import_section *below;
	const struct key *k;

	if (*indent == '\0')
		putc('\n', out);
	fprintf(out, "%s%s ", indent, s->name);
	if (s->title != NULL) {
		print_quoted(out, s->title);
		putc(' ', out);
	}
	fputs("{\n", out);
	STAILQ_FOREACH(k, &s->keys, link)
		print_key(out, inner, k);
	STAILQ_FOREACH(below, &c->sections, link)
		if (below->parent == s && is_shown(c, below))
			print_section(out, c, below, inner);
	fprintf(out, "%s}\n", indent);
}

static void
print_remarks(FILE *out, const struct reasons *list, const char *title)
{
	const struct reason *r;
	const struct value *place;

	if (STAILQ_EMPTY(list))
		return;
	fprintf(out, "\n# %s\n", title);
	STAILQ_FOREACH(r, list, link) {
		fputs("#\n", out);
		print_comment(out, "", r->why, "");
		STAILQ_FOREACH(place, &r->places, link)
			fprintf(out, "#     %s\n", place->text);
	}
}

static void
print(FILE *out, const struct import_conf *c, const char *head)
{
	static const char *const titles[IMPORT_REMARKS] = {
		[IMPORT_LOST] = "=== Not carried over ===",
		[IMPORT_DIFFERS] = "=== Carried over, with a difference ===",
		[IMPORT_ALWAYS] = "=== Needs no setting ===",
		[IMPORT_DEFAULT] = "=== Not said in the old file, where hearthd does otherwise ===",
	};
	const struct import_section *s;
	const struct key *k;

	print_comment(out, "", head, "");
	if (!STAILQ_EMPTY(&c->root.keys))
		putc('\n', out);
	STAILQ_FOREACH(k, &c->root.keys, link)
		print_key(out, "", k);
	STAILQ_FOREACH(s, &c->sections, link)
		if (s->parent == NULL && is_shown(c, s))
			print_section(out, c, s, "");
	for (size_t i = 0; i < IMPORT_REMARKS; i++)
		print_remarks(out, &c->remarks[i], titles[i]);
}

enum err
import_conf_print(const struct import_conf *c, const char *head, char **out)
{
	size_t len;
	char *text = NULL;
	FILE *f = c->no_memory ? NULL : open_memstream(&text, &len);

	if (f == NULL)
		return ERR_NOMEM;
	print(f, c, head);

	bool bad = ferror(f) != 0;

	if (fclose(f) != 0 || bad) {
		free(text);
		return ERR_NOMEM;
	}
	*out = text;
	return OK;
}
