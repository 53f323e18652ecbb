/* SPDX-License-Identifier: MIT */
/* What the conf*.c files share: the tree of settings and the list of findings. */
#ifndef CORE_CONF_TREE_H
#define CORE_CONF_TREE_H

#include "core/conf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_FILE_MAX	  (4 << 20)	/* bytes in one file */
#define CONF_FILES_MAX	  256		/* files in one reading, the main file included */
#define CONF_SECTIONS_MAX 4096		/* in all files; libconfuse needs n^2 steps for n titles */
#define CONF_PATH_MAX	  512		/* bytes of `dns.route "title".upstream`, else cut */
#define CONF_WHY_MAX	  1024		/* bytes of one finding's words */

/* --- findings --------------------------------------------------------------------------------- */

/* Complaints, one per line, in a buffer of the caller's. */
struct conf_findings {
	char *buf;
	size_t cap;
	size_t used;
	unsigned count;		/* those that found no room included */
	unsigned said;
	enum err first;		/* of the first finding; OK while there is none */
};

void conf_findings_init(struct conf_findings *f, char *buf, size_t cap);
/* line 0: the file as a whole; file NULL: what is built in. */
void conf_find(struct conf_findings *f, enum err e, const char *file, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void conf_vfind(struct conf_findings *f, enum err e, const char *file, unsigned line,
    const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
/* Say how many findings had no room. */
void conf_findings_finish(struct conf_findings *f);

/* --- values ----------------------------------------------------------------------------------- */

struct conf_value {
	char *text;		/* as written; owned */
	const char *file;	/* owned by the conf_file; NULL for a default */
	unsigned line;
	union {
		bool flag;
		int64_t number;	/* also of an enum */
		struct addr addr;
	};
};

/*
 * Fill in the typed part of v from its text. Where that is not allowed, why (CONF_WHY_MAX) gets
 * the words behind "KEY: ". Errors: ERR_FORMAT, ERR_RANGE.
 */
enum err conf_value_parse(struct conf_value *v, const struct conf_key *key, char *why) MUST_CHECK;
/* Write what key allows, "64KiB to 64GiB"; "" where everything is. Gives buf. */
const char *conf_allowed(const struct conf_key *key, char *buf, size_t cap);
/* Number of single-letter edits from a to b, or a large number where there are more than 2. */
unsigned conf_distance(const char *a, const char *b);

/* --- tree ------------------------------------------------------------------------------------- */

/* All values, or all sections, of one key in one section. */
struct conf_slot {
	const struct conf_key *key;
	bool given;
	const char *file;	/* where it was written first */
	unsigned line;
	struct conf_value *values;
	size_t values_count;
	struct conf **sections;
	size_t sections_count;
	struct conf *absent;	/* where no section was written: one of defaults */
};

struct conf {
	const struct conf *parent;
	const struct conf_key *keys;
	const char *name;	/* "" for the root */
	char *title;		/* NULL where it has none */
	const char *file;
	unsigned line;
	struct conf_slot *slots;	/* one per key, in the order of the table */
	size_t slots_count;
};

struct conf_file {
	struct conf *root;
	char *names[CONF_FILES_MAX];	/* of the files that were read */
	size_t names_count;
};

/* NULL where there is no memory. title may be NULL and is copied. */
struct conf *conf_new(const struct conf *parent, const struct conf_key *keys, const char *name,
    const char *title);
void conf_free(struct conf *cf);
/* Append an empty section to slot. Errors: ERR_NOMEM. */
enum err conf_slot_section(struct conf_slot *slot, struct conf *parent, const char *title,
    struct conf **out) MUST_CHECK;
/* Append a value with a copy of text; its typed part is empty. NULL where there is no memory. */
struct conf_value *conf_slot_value(struct conf_slot *slot, const char *text);
/* Give slot the values of its key's default. A default that does not parse is a finding. */
enum err conf_slot_default(const struct conf *cf, struct conf_slot *slot,
    struct conf_findings *f) MUST_CHECK;
/* Write the path of key in cf, "dns.cache-size"; key NULL: of the section itself. Gives buf. */
const char *conf_path(const struct conf *cf, const char *key, char buf[static CONF_PATH_MAX]);

/* --- checks ----------------------------------------------------------------------------------- */

/* Find what is wrong between values of a whole and filled in tree. Errors: ERR_NOMEM. */
enum err conf_check(const struct conf *root, struct conf_findings *f) MUST_CHECK;

/* --- text and parser -------------------------------------------------------------------------- */

/*
 * Read a file as text that libconfuse counts lines in correctly: comments are blanked. What it
 * would swallow in silence (a comment or quote that is never closed, a bare *) is a finding.
 * *text is NULL where there was one. Errors: ERR_SYS, ERR_NOMEM.
 */
enum err conf_text_load(char **text, const char *path, struct conf_findings *f) MUST_CHECK;

/* Parse path and what it includes. Findings are not errors. Errors: ERR_SYS, ERR_NOMEM. */
enum err conf_parse(struct conf_file **out, const char *path, const struct conf_key *keys,
    struct conf_findings *f) MUST_CHECK;

#endif
