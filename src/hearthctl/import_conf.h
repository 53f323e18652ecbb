/* SPDX-License-Identifier: MIT */
/*
 * A hearthd.conf in the making: sections with keys in the order they were first set, and remarks
 * that are printed as comments behind them. Text only; whether hearthd likes the values is not
 * known here.
 *
 * Running out of memory is remembered and told once, by import_conf_print().
 */
#ifndef HEARTHCTL_IMPORT_CONF_H
#define HEARTHCTL_IMPORT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"

struct import_conf;
struct import_section;

enum err import_conf_new(struct import_conf **out) MUST_CHECK;
void import_conf_free(struct import_conf *c);

/* Format a text that lives as long as c; never NULL. */
const char *import_keep(struct import_conf *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Zeroed memory that lives as long as c; NULL where there is none. */
void *import_keep_bytes(struct import_conf *c, size_t len);

/*
 * The section `name` of parent (NULL: of the file), made where it is not there yet. Sections
 * without keys are not printed unless import_section_want() was called. Never NULL.
 *
 * title  NULL for a section without one
 */
struct import_section *import_section(struct import_conf *c, struct import_section *parent,
    const char *name, const char *title);
void import_section_want(struct import_section *s);
bool import_section_is_wanted(const struct import_section *s);
/* Print nothing of it whatever it holds. */
void import_section_drop(struct import_section *s);

/* Keep this place for a key that may be set later. */
void import_reserve(struct import_conf *c, struct import_section *s, const char *key);

/* Set a key to a text, which will stand in quotes, or to a bare word (true, 42). */
void import_set(struct import_conf *c, struct import_section *s, const char *key,
    const char *value);
void import_set_word(struct import_conf *c, struct import_section *s, const char *key,
    const char *word);
/* Add to a list; the second one not what is in it already. */
void import_add(struct import_conf *c, struct import_section *s, const char *key,
    const char *value);
void import_add_once(struct import_conf *c, struct import_section *s, const char *key,
    const char *value);
/* Make it a list even if nothing will be added. */
void import_add_none(struct import_conf *c, struct import_section *s, const char *key);
/* A comment in front of a key that is there. */
void import_explain(struct import_conf *c, struct import_section *s, const char *key,
    const char *words);
/* How many values the key has. */
size_t import_count(const struct import_section *s, const char *key);
/* The i-th of them. */
const char *import_value(const struct import_section *s, const char *key, size_t i);

enum import_remark {
	IMPORT_LOST,	/* not carried over */
	IMPORT_DIFFERS,	/* carried over, but not quite the same */
	IMPORT_ALWAYS,	/* needs no setting */
	IMPORT_DEFAULT,	/* not in the old file; hearthd's default is another */
};
#define IMPORT_REMARKS 4

/*
 * Note what became of a line. Remarks of one kind with the same reason are printed together.
 *
 * where  "FILE:LINE: the line", which lives as long as c and is the same pointer for all remarks
 *	  about the line; NULL for what no line says
 */
void import_remark(struct import_conf *c, enum import_remark kind, const char *where,
    const char *why);
/* How many lines have remarks of this kind; what no line says is not counted. */
size_t import_remarked_lines(const struct import_conf *c, enum import_remark kind);

/* The whole file. *out is the caller's to free(). Errors: ERR_NOMEM, also for what came before. */
enum err import_conf_print(const struct import_conf *c, const char *head, char **out) MUST_CHECK;

#endif
