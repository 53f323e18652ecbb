/* SPDX-License-Identifier: MIT */
/*
 *   {"dns": {"upstream": {"servers": [{"server": "9.9.9.9:53", "state": "up", "sent": 12}]}}}
 *
 *   hearth_dns_upstream_servers_sent{server="9.9.9.9:53"} 12
 *   hearth_dns_upstream_servers_state{server="9.9.9.9:53",state="up"} 1
 *
 * The first text in an object of a list is its label, those of outer lists come before it. Of other
 * texts `state` alone is told. The lines of one metric have to stand together, so they are sorted.
 * Types are not told: a report does not know which of its numbers only grow.
 */
#include "core/http_metrics.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES	 200
#define LABELS_MAX_BYTES 1024
#define LINES_MAX	 20000	/* a house has some hundred */

struct line {
	size_t at;	/* in the text of all */
	size_t len;
	size_t name_len;
	size_t order;
};

struct metrics {
	FILE *text;
	struct line *lines;
	size_t count, room;
	bool failed;
};

/* Where in the tree we are. */
struct place {
	char name[NAME_MAX_BYTES];
	char labels[LABELS_MAX_BYTES];	/* without braces */
};

static void
append_name(char out[static NAME_MAX_BYTES], const char *word)
{
	size_t n = strlen(out);

	if (n != 0 && n + 1 < NAME_MAX_BYTES)
		out[n++] = '_';
	for (; *word != '\0' && n + 1 < NAME_MAX_BYTES; word++)
		out[n++] = isalnum((unsigned char)*word) ? (char)tolower((unsigned char)*word) : '_';
	out[n] = '\0';
}

/* Append key="value"; nothing where it does not fit. */
static void
append_label(char out[static LABELS_MAX_BYTES], const char *key, const char *value)
{
	size_t n = strlen(out), begin = n;
	int head = snprintf(out + n, LABELS_MAX_BYTES - n, "%s%s=\"", n != 0 ? "," : "", key);

	n += (size_t)head;
	for (; *value != '\0' && n + 4 < LABELS_MAX_BYTES; value++) {
		if (*value == '\n' || *value == '"' || *value == '\\')
			out[n++] = '\\';
		out[n++] = *value == '\n' ? 'n' : *value;
	}
	if (*value != '\0' || n + 2 > LABELS_MAX_BYTES)
		out[begin] = '\0';
	else
		memcpy(out + n, "\"", 2);
}

static struct line *
add_line(struct metrics *m)
{
	if (m->count == m->room) {
		size_t room = m->room != 0 ? 2 * m->room : 256;
		struct line *more = m->count < LINES_MAX
		    ? realloc(m->lines, room * sizeof(*more)) : NULL;

		if (more == NULL) {
			m->failed = true;
			return NULL;
		}
		m->lines = more;
		m->room = room;
	}
	return &m->lines[m->count];
}

static void
write_value(struct metrics *m, const struct place *p, const json_t *value)
{
	struct line *l = add_line(m);
	const char *open = p->labels[0] != '\0' ? "{" : "", *close = p->labels[0] != '\0' ? "}" : "";
	int len = -1;

	if (l == NULL)
		return;
	*l = (struct line){ .at = (size_t)ftello(m->text), .name_len = strlen(p->name),
		.order = m->count };
	if (json_is_real(value))
		len = fprintf(m->text, "%s%s%s%s %.9g\n", p->name, open, p->labels, close,
		    json_real_value(value));
	else
		len = fprintf(m->text, "%s%s%s%s %" PRId64 "\n", p->name, open, p->labels, close,
		    json_is_integer(value) ? (int64_t)json_integer_value(value)
					   : (int64_t)!json_is_false(value));
	l->len = len > 0 ? (size_t)len : 0;
	m->failed |= len < 0;
	m->count++;
}

static void walk(struct metrics *m, const struct place *p, const json_t *tree);

/* Two of a kind are told apart by their place where they have no name. */
static void
walk_list(struct metrics *m, const struct place *p, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct place here = *p;
		const char *key, *label = NULL;
		char number[24];
		json_t *value;

		if (!json_is_object(item))
			continue;
		json_object_foreach((json_t *)item, key, value)
			if (label == NULL && json_is_string(value)) {
				label = key;
				append_label(here.labels, key, json_string_value(value));
			}
		if (label == NULL) {
			snprintf(number, sizeof(number), "%zu", i);
			append_label(here.labels, "index", number);
		}
		walk(m, &here, item);
		value = json_object_get(item, "state");
		if (!json_is_string(value))
			continue;
		append_name(here.name, "state");
		append_label(here.labels, "state", json_string_value(value));
		write_value(m, &here, json_true());
	}
}

static void
walk(struct metrics *m, const struct place *p, const json_t *tree)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)tree, key, value) {
		struct place here = *p;

		append_name(here.name, key);
		if (json_is_object(value))
			walk(m, &here, value);
		else if (json_is_array(value))
			walk_list(m, &here, value);
		else if (json_is_number(value) || json_is_boolean(value))
			write_value(m, &here, value);
	}
}

static int
compare(const void *a, const void *b, void *all)
{
	const struct line *x = a, *y = b;
	const char *text = all;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int d = memcmp(text + x->at, text + y->at, n);

	if (d != 0)
		return d;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* The lines in their order, as one text. */
static char *
arrange(struct metrics *m, char *text, size_t len)
{
	char *out = malloc(len + 1);
	size_t at = 0;

	if (out == NULL)
		return NULL;
	if (m->count != 0)
		qsort_r(m->lines, m->count, sizeof(*m->lines), compare, text);
	for (size_t i = 0; i < m->count; i++) {
		memcpy(out + at, text + m->lines[i].at, m->lines[i].len);
		at += m->lines[i].len;
	}
	out[at] = '\0';
	return out;
}

char *
http_metrics(const json_t *status, size_t *len)
{
	struct metrics m = { 0 };
	struct place top = { .name = "hearth" };
	char *text = NULL, *out = NULL;
	size_t written = 0;

	m.text = open_memstream(&text, &written);
	if (m.text == NULL)
		return NULL;
	walk(&m, &top, status);
	m.failed |= fclose(m.text) != 0;
	if (!m.failed)
		out = arrange(&m, text, written);
	*len = out != NULL ? strlen(out) : 0;
	free(m.lines);
	free(text);
	return out;
}
