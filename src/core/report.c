/* SPDX-License-Identifier: MIT */
/*
 * Reports are JSON trees of jansson's. A struct report is a handle on one object or list in the
 * tree; the root handle owns all others. A NULL handle stands for "no
 * memory was left" and swallows what is put into it.
 */
#include "core/report.h"

#include "core/report_json.h"
#include "util/utf8.h"

#include <stdlib.h>
#include <sys/queue.h>

struct report {
	json_t *json;			/* a reference of its own: a key set twice drops one */
	struct report *root;
	SLIST_ENTRY(report) link;
	SLIST_HEAD(, report) handles;	/* the root's only */
};

struct report *
report_new(void)
{
	struct report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->json = json_object();
	if (r->json == NULL) {
		free(r);
		return NULL;
	}
	r->root = r;
	return r;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	while (!SLIST_EMPTY(&r->handles)) {
		struct report *child = SLIST_FIRST(&r->handles);

		SLIST_REMOVE_HEAD(&r->handles, link);
		json_decref(child->json);
		free(child);
	}
	json_decref(r->json);
	free(r);
}

json_t *
report_json(const struct report *r)
{
	return r != NULL ? r->json : NULL;
}

/* Put a new value (NULL where there was no memory) under key; false where it went missing. */
static bool
put(struct report *r, const char *key, json_t *value)
{
	if (r == NULL) {
		json_decref(value);
		return false;
	}
	if (json_is_array(r->json))
		return json_array_append_new(r->json, value) == 0;
	if (key == NULL) {
		json_decref(value);
		return false;
	}
	return json_object_set_new(r->json, key, value) == 0;
}

void
report_u64(struct report *r, const char *key, uint64_t v)
{
	put(r, key, json_integer(v <= INT64_MAX ? (json_int_t)v : INT64_MAX));
}

void
report_i64(struct report *r, const char *key, int64_t v)
{
	put(r, key, json_integer(v));
}

void
report_real(struct report *r, const char *key, double v)
{
	json_t *value = json_real(v);

	/* What is not a number has no form in JSON. */
	put(r, key, value != NULL ? value : json_null());
}

void
report_bool(struct report *r, const char *key, bool v)
{
	put(r, key, json_boolean(v));
}

void
report_str(struct report *r, const char *key, const char *v)
{
	if (v == NULL)
		put(r, key, json_null());
	else if (utf8_valid(span_str(v)))
		put(r, key, json_string(v));
	else
		report_span(r, key, span_str(v));
}

void
report_span(struct report *r, const char *key, struct span v)
{
	char *text = malloc(v.len * UTF8_ESCAPED_MAX + 1);
	size_t len = 0;

	if (text == NULL)
		return;
	while (v.len != 0)
		len += utf8_escape_next(&v, text + len);
	put(r, key, json_stringn(text, len));
	free(text);
}

void
report_addr(struct report *r, const char *key, const struct addr *v)
{
	char text[ADDR_TEXT_MAX];

	report_str(r, key, v != NULL ? addr_format(v, text) : NULL);
}

static struct report *
nest(struct report *r, const char *key, json_t *value)
{
	if (!put(r, key, value))
		return NULL;

	struct report *child = calloc(1, sizeof(*child));

	if (child == NULL)
		return NULL;
	child->json = json_incref(value);
	child->root = r->root;
	SLIST_INSERT_HEAD(&r->root->handles, child, link);
	return child;
}

struct report *
report_object(struct report *r, const char *key)
{
	return nest(r, key, json_object());
}

struct report *
report_list(struct report *r, const char *key)
{
	return nest(r, key, json_array());
}
