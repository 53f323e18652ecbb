/* SPDX-License-Identifier: MIT */
/*
 * The tree of settings: built by conf_parse.c, read by everybody. Sections hold one slot per key of
 * their table, in the table's order; what was not written is filled in from the defaults before
 * anybody else sees the tree, so that reading a setting cannot fail.
 */
#include "core/conf.h"

#include "core/conf_tree.h"
#include "core/log.h"
#include "util/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_LINE_BYTES 48	/* "... and 4294967295 more findings" */

/* --- findings --------------------------------------------------------------------------------- */

void
conf_findings_init(struct conf_findings *f, char *buf, size_t cap)
{
	*f = (struct conf_findings){ .buf = buf, .cap = cap };
	if (cap != 0)
		buf[0] = '\0';
}

/* Names in a file may be any bytes; a finding is one line that is safe to print. */
static void
one_line(const char *words, char why[static CONF_WHY_MAX])
{
	struct span rest = span_str(words);
	size_t at = 0;

	while (rest.len != 0 && at + UTF8_ESCAPED_MAX < CONF_WHY_MAX) {
		size_t n = utf8_printable(rest);

		if (n == 0) {
			at += utf8_escape_next(&rest, why + at);
			continue;
		}
		memcpy(why + at, rest.at, n);
		at += n;
		rest = span_of(rest.at + n, rest.len - n);
	}
	why[at] = '\0';
}

void
conf_vfind(struct conf_findings *f, enum err e, const char *file, unsigned line, const char *fmt,
    va_list ap)
{
	char words[CONF_WHY_MAX], why[CONF_WHY_MAX], text[2 * CONF_WHY_MAX], number[16] = "";

	if (f->count++ == 0)
		f->first = e;
	vsnprintf(words, sizeof(words), fmt, ap);
	one_line(words, why);
	if (line != 0)
		snprintf(number, sizeof(number), "%u:", line);

	int n = snprintf(text, sizeof(text), "%s%s:%s %s", f->used != 0 ? "\n" : "",
	    file != NULL ? file : "(built in)", number, why);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	/* The first is cut rather than left out; after that a line stands whole or not at all. */
	if (f->said == 0 && f->cap != 0 && len >= f->cap)
		len = f->cap - 1;
	if (f->said != 0 && f->used + len + LAST_LINE_BYTES >= f->cap)
		return;
	if (f->said + 1 != f->count || len >= f->cap)
		return;
	memcpy(f->buf + f->used, text, len);
	f->used += len;
	f->buf[f->used] = '\0';
	f->said++;
}

void
conf_find(struct conf_findings *f, enum err e, const char *file, unsigned line, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	conf_vfind(f, e, file, line, fmt, ap);
	va_end(ap);
}

void
conf_findings_finish(struct conf_findings *f)
{
	if (f->count > f->said && f->used < f->cap)
		snprintf(f->buf + f->used, f->cap - f->used, "\n... and %u more findings",
		    f->count - f->said);
}

/* --- building --------------------------------------------------------------------------------- */

static size_t
count_keys(const struct conf_key *keys)
{
	size_t n = 0;

	while (keys[n].name != NULL)
		n++;
	return n;
}

struct conf *
conf_new(const struct conf *parent, const struct conf_key *keys, const char *name,
    const char *title)
{
	struct conf *cf = calloc(1, sizeof(*cf));
	size_t n = count_keys(keys);

	if (cf == NULL)
		return NULL;
	cf->slots = calloc(n + 1, sizeof(*cf->slots));
	cf->title = title != NULL ? strdup(title) : NULL;
	if (cf->slots == NULL || (title != NULL && cf->title == NULL)) {
		conf_free(cf);
		return NULL;
	}
	cf->parent = parent;
	cf->keys = keys;
	cf->name = name;
	cf->slots_count = n;
	for (size_t i = 0; i < n; i++)
		cf->slots[i].key = &keys[i];
	return cf;
}

static void
free_slot(struct conf_slot *slot)
{
	for (size_t i = 0; i < slot->values_count; i++)
		free(slot->values[i].text);
	for (size_t i = 0; i < slot->sections_count; i++)
		conf_free(slot->sections[i]);
	free(slot->values);
	free(slot->sections);
	conf_free(slot->absent);
}

void
conf_free(struct conf *cf)
{
	if (cf == NULL)
		return;
	for (size_t i = 0; cf->slots != NULL && i < cf->slots_count; i++)
		free_slot(&cf->slots[i]);
	free(cf->slots);
	free(cf->title);
	free(cf);
}

enum err
conf_slot_section(struct conf_slot *slot, struct conf *parent, const char *title,
    struct conf **out)
{
	struct conf **grown = realloc(slot->sections, (slot->sections_count + 1) * sizeof(*grown));

	if (grown == NULL)
		return ERR_NOMEM;
	slot->sections = grown;
	*out = conf_new(parent, slot->key->keys, slot->key->name, title);
	if (*out == NULL)
		return ERR_NOMEM;
	grown[slot->sections_count++] = *out;
	return OK;
}

struct conf_value *
conf_slot_value(struct conf_slot *slot, const char *text)
{
	struct conf_value *grown =
	    realloc(slot->values, (slot->values_count + 1) * sizeof(*grown));

	if (grown == NULL)
		return NULL;
	slot->values = grown;

	struct conf_value *v = &grown[slot->values_count];

	*v = (struct conf_value){ .text = strdup(text) };
	if (v->text == NULL)
		return NULL;
	slot->values_count++;
	return v;
}

static enum err
add_default(const struct conf *cf, struct conf_slot *slot, const char *text,
    struct conf_findings *f)
{
	struct conf_value *v = conf_slot_value(slot, text);
	char why[CONF_WHY_MAX], path[CONF_PATH_MAX];

	if (v == NULL)
		return ERR_NOMEM;

	enum err e = conf_value_parse(v, slot->key, why);

	if (e != OK)
		conf_find(f, e, NULL, 0, "default of %s: %s", conf_path(cf, slot->key->name, path),
		    why);
	return OK;
}

/* Each of the comma separated words of a default. */
static enum err
add_defaults(const struct conf *cf, struct conf_slot *slot, struct conf_findings *f)
{
	char *copy = strdup(slot->key->value), *rest = copy;
	enum err e = copy != NULL ? OK : ERR_NOMEM;

	while (rest != NULL && e == OK) {
		char *word = strsep(&rest, ",");

		word += strspn(word, " ");
		for (size_t n = strlen(word); n != 0 && word[n - 1] == ' '; n--)
			word[n - 1] = '\0';
		if (*word != '\0')
			e = add_default(cf, slot, word, f);
	}
	free(copy);
	return e;
}

enum err
conf_slot_default(const struct conf *cf, struct conf_slot *slot, struct conf_findings *f)
{
	if (slot->key->value == NULL)
		return OK;
	if (slot->key->flags & CONF_LIST)
		return add_defaults(cf, slot, f);
	return add_default(cf, slot, slot->key->value, f);
}

static enum err fill(struct conf *cf, struct conf_findings *f);

static enum err
fill_section(struct conf *cf, struct conf_slot *slot, struct conf_findings *f)
{
	enum err e = OK;

	for (size_t i = 0; i < slot->sections_count && e == OK; i++)
		e = fill(slot->sections[i], f);
	if (e != OK || slot->sections_count != 0)
		return e;
	slot->absent = conf_new(cf, slot->key->keys, slot->key->name, NULL);
	return slot->absent != NULL ? fill(slot->absent, f) : ERR_NOMEM;
}

/* Give everything that was not written its default, all the way down. */
static enum err
fill(struct conf *cf, struct conf_findings *f)
{
	enum err e = OK;

	for (size_t i = 0; i < cf->slots_count && e == OK; i++) {
		struct conf_slot *slot = &cf->slots[i];

		if (slot->key->type == CONF_SECTION)
			e = fill_section(cf, slot, f);
		else if (!slot->given)
			e = conf_slot_default(cf, slot, f);
	}
	return e;
}

enum err
conf_read(struct conf_file **out, const char *path, const struct conf_key *keys, char *err,
    size_t errlen)
{
	struct conf_findings f;
	struct conf_file *cf = NULL;

	*out = NULL;
	conf_findings_init(&f, err, errlen);

	enum err e = conf_parse(&cf, path, keys, &f);

	if (e == OK)
		e = fill(cf->root, &f);
	if (e == OK && f.count == 0)
		e = conf_check(cf->root, &f);

	int saved = errno;

	if (e == OK)
		e = f.first;
	else if (f.count == 0)
		conf_find(&f, e, path, 0, "cannot be read: %s",
		    e == ERR_SYS ? strerror(saved) : err_text(e));
	conf_findings_finish(&f);
	if (e != OK) {
		conf_file_free(cf);
		errno = saved;
		return e;
	}
	*out = cf;
	return OK;
}

enum err
conf_peek(struct conf_file **out, const char *path, const struct conf_key *keys)
{
	struct conf_findings f;
	char unheard[CONF_WHY_MAX];

	*out = NULL;
	conf_findings_init(&f, unheard, sizeof(unheard));

	enum err e = conf_parse(out, path, keys, &f);

	if (e != OK) {
		conf_file_free(*out);
		*out = NULL;
	}
	return e;
}

void
conf_file_free(struct conf_file *cf)
{
	if (cf == NULL)
		return;
	conf_free(cf->root);
	for (size_t i = 0; i < cf->names_count; i++)
		free(cf->names[i]);
	free(cf);
}

/* --- reading ---------------------------------------------------------------------------------- */

const struct conf *
conf_root(const struct conf_file *cf)
{
	return cf->root;
}

static const struct conf_slot *
slot_of(const struct conf *cf, const char *key)
{
	size_t i = 0;

	while (i < cf->slots_count && strcmp(cf->slots[i].key->name, key) != 0)
		i++;
	assert(i < cf->slots_count);
	return &cf->slots[i];
}

/* The i-th value of key, NULL where there is none. */
static const struct conf_value *
value_at(const struct conf *cf, const char *key, size_t i)
{
	const struct conf_slot *slot = slot_of(cf, key);

	assert(slot->key->type != CONF_SECTION);
	return i < slot->values_count ? &slot->values[i] : NULL;
}

static int64_t
number_of(const struct conf *cf, const char *key, enum conf_type type)
{
	const struct conf_value *v = value_at(cf, key, 0);

	assert(slot_of(cf, key)->key->type == type);
	return v != NULL ? v->number : 0;
}

bool
conf_bool(const struct conf *cf, const char *key)
{
	const struct conf_value *v = value_at(cf, key, 0);

	assert(slot_of(cf, key)->key->type == CONF_BOOL);
	return v != NULL && v->flag;
}

int64_t
conf_int(const struct conf *cf, const char *key)
{
	return number_of(cf, key, CONF_INT);
}

size_t
conf_size(const struct conf *cf, const char *key)
{
	return (size_t)number_of(cf, key, CONF_SIZE);
}

usec
conf_duration(const struct conf *cf, const char *key)
{
	return number_of(cf, key, CONF_DURATION);
}

unsigned
conf_enum(const struct conf *cf, const char *key)
{
	return (unsigned)number_of(cf, key, CONF_ENUM);
}

const char *
conf_str(const struct conf *cf, const char *key)
{
	return conf_str_at(cf, key, 0);
}

struct addr
conf_addr(const struct conf *cf, const char *key)
{
	return conf_addr_at(cf, key, 0);
}

size_t
conf_count(const struct conf *cf, const char *key)
{
	const struct conf_slot *slot = slot_of(cf, key);

	return slot->key->type == CONF_SECTION ? slot->sections_count : slot->values_count;
}

const char *
conf_str_at(const struct conf *cf, const char *key, size_t i)
{
	const struct conf_value *v = value_at(cf, key, i);

	return v != NULL ? v->text : "";
}

struct addr
conf_addr_at(const struct conf *cf, const char *key, size_t i)
{
	const struct conf_value *v = value_at(cf, key, i);

	assert(slot_of(cf, key)->key->type == CONF_ADDR);
	return v != NULL ? v->addr : (struct addr){ 0 };
}

const struct conf *
conf_section(const struct conf *cf, const char *key, size_t i)
{
	const struct conf_slot *slot = slot_of(cf, key);

	assert(slot->key->type == CONF_SECTION);
	return i < slot->sections_count ? slot->sections[i] : NULL;
}

const struct conf *
conf_section_or_default(const struct conf *cf, const char *key)
{
	const struct conf_slot *slot = slot_of(cf, key);

	assert(slot->key->type == CONF_SECTION && !(slot->key->flags & CONF_TITLED));
	return slot->sections_count != 0 ? slot->sections[0] : slot->absent;
}

const char *
conf_title(const struct conf *cf)
{
	return cf->title != NULL ? cf->title : "";
}

const struct conf *
conf_parent(const struct conf *cf)
{
	return cf->parent;
}

bool
conf_given(const struct conf *cf, const char *key)
{
	return slot_of(cf, key)->given;
}

static bool
same_values(const struct conf_slot *a, const struct conf_slot *b)
{
	bool same = a->values_count == b->values_count;

	for (size_t i = 0; same && i < a->values_count; i++)
		same = strcmp(a->values[i].text, b->values[i].text) == 0;
	return same;
}

void
conf_waiting(const struct conf *old, const struct conf *now, conf_tell *tell, void *ctx)
{
	char path[CONF_PATH_MAX];

	assert(old->keys == now->keys);
	for (size_t i = 0; i < now->slots_count; i++) {
		const struct conf_slot *slot = &now->slots[i];

		if ((slot->key->flags & CONF_RESTART) && !same_values(&old->slots[i], slot))
			tell(ctx, conf_path(now, slot->key->name, path));
	}
}

void
conf_waiting_section(const char *name, const struct conf *old, const struct conf *now,
    conf_tell *tell, void *ctx)
{
	char words[CONF_PATH_MAX];

	if (old != NULL && now != NULL) {
		conf_waiting(old, now, tell, ctx);
	} else if (old != now) {
		snprintf(words, sizeof(words), "%s (the section has %s)", name,
		    now != NULL ? "come" : "gone");
		tell(ctx, words);
	}
}

/* --- places ----------------------------------------------------------------------------------- */

static size_t
put_path(const struct conf *cf, char *buf, size_t cap)
{
	size_t at = cf->parent != NULL ? put_path(cf->parent, buf, cap) : 0;
	char title[128];
	int n = 0;

	if (cf->parent == NULL || at >= cap)
		return at;
	if (cf->title != NULL)
		n = snprintf(buf + at, cap - at, "%s%s %s", at != 0 ? "." : "", cf->name,
		    log_quote(span_str(cf->title), title, sizeof(title)));
	else
		n = snprintf(buf + at, cap - at, "%s%s", at != 0 ? "." : "", cf->name);
	return at + (n > 0 ? (size_t)n : 0);
}

const char *
conf_path(const struct conf *cf, const char *key, char buf[static CONF_PATH_MAX])
{
	size_t at;

	buf[0] = '\0';
	at = put_path(cf, buf, CONF_PATH_MAX);
	if (key != NULL && at < CONF_PATH_MAX)
		snprintf(buf + at, CONF_PATH_MAX - at, "%s%s", at != 0 ? "." : "", key);
	return buf;
}

const char *
conf_where(const struct conf *cf, const char *key, size_t i, char *buf, size_t cap)
{
	const struct conf_slot *slot = slot_of(cf, key);
	const char *file = slot->given ? slot->file : NULL;
	unsigned line = slot->line;
	char path[CONF_PATH_MAX];

	if (i < slot->values_count && slot->values[i].file != NULL) {
		file = slot->values[i].file;
		line = slot->values[i].line;
	} else if (i < slot->sections_count) {
		file = slot->sections[i]->file;
		line = slot->sections[i]->line;
	}
	conf_path(cf, key, path);
	if (file != NULL)
		snprintf(buf, cap, "%s:%u: %s", file, line, path);
	else if (cf->file != NULL)
		snprintf(buf, cap, "%s:%u: default of %s", cf->file, cf->line, path);
	else
		snprintf(buf, cap, "default of %s", path);
	return buf;
}
