/* SPDX-License-Identifier: MIT */
/*
 * Settings. Each service describes what it accepts in a table of keys; the parser (libconfuse
 * underneath), --check, --dump-config and the tables of the manual are all driven by it.
 *
 * A struct conf is one section of a parsed and fully checked file: every value is within its
 * range, absent ones have their default. It is immutable; a reload makes a new tree.
 *
 * What libconfuse's grammar brings along: comments with #, // and C's; "key += value" adds to a
 * list or its default; ${NAME} and ${NAME:-else} outside of single quotes are taken from the
 * environment, as in a shell, so a text that needs the two characters writes \${ (do not give ${…}
 * a meaning of your own). The key `include`, known at the top of the main file, takes files or
 * patterns relative to it; their sections are merged, and a value that is written twice is an error.
 */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
	CONF_BOOL,		/* true false yes no on off */
	CONF_INT,		/* decimal, min-max */
	CONF_SIZE,		/* bytes: "65536", "64KiB", "1.5GiB" (also k, M, G, KB, MB: 1024) */
	CONF_DURATION,		/* "20ms", "1.8s", "5m", "2h", "1d"; a bare number is seconds */
	CONF_STRING,		/* any text; min, max bound its length where max is not 0 */
	CONF_ENUM,		/* one of `choices` */
	CONF_ADDR,		/* address with optional port; default port in `port` */
	CONF_SECTION,		/* a section with keys of its own in `keys` */
};

enum conf_flag {
	CONF_LIST = 1,		/* any number of values: { "a", "b" }, or one without braces */
	CONF_TITLED = 2,	/* section with a title, any number of them: route "corp" { … } */
	CONF_RESTART = 4,	/* a change takes effect at the next start only; reload says so */
	CONF_LISTEN = 8,	/* CONF_ADDR: a port is opened there, so no two may be the same */
	CONF_EMPTY = 16,	/* CONF_STRING: "" has a meaning, as where it is the default */
	/* What a text or an address names on this machine, for conf_missing(): */
	CONF_LINK = 32,		/* an interface; a pattern with * or ? is not looked at */
	CONF_LOCAL = 64,	/* an address of our own; CONF_LISTEN are such, too */
	CONF_FILE = 128,	/* a file, or a folder of files, that is read */
	CONF_FOLDER = 256,	/* a folder */
	CONF_WRITTEN = 512,	/* beside these two: written to, so a file need not be there */
	CONF_EARLY = 1024,	/* beside these: opened at the start, when we may still be root */
};

struct conf;		/* one section */

struct conf_key {
	const char *name;	/* NULL ends a table */
	enum conf_type type;
	unsigned flags;
	const char *value;	/* default as it would be typed; a list's with commas; NULL: none */
	/* CONF_INT, CONF_SIZE (bytes), CONF_DURATION (usec), CONF_STRING (length); both 0: any. */
	int64_t min, max;
	uint16_t port;		/* CONF_ADDR */
	const char *const *choices;	/* CONF_ENUM, ends with NULL; the value is the index */
	const struct conf_key *keys;	/* CONF_SECTION */
	const char *help;	/* one line for the manual and --dump-config */
	/*
	 * A further check of one value, or of a section's title, NULL for none: gives NULL when
	 * fine, else what is wrong in words that fit behind `hearthd.conf:12: dns.record: "the
	 * value": `; static text.
	 */
	const char *(*check)(const char *value);
	/*
	 * The same for what depends on other keys: the i-th value or section of this one in cf,
	 * which was written. Called when a file has been read to its end and nothing else was wrong
	 * with it.
	 */
	const char *(*check_with)(const struct conf *cf, size_t i);
	/*
	 * CONF_INT, CONF_SIZE, CONF_DURATION: the key of the same section and type that this one
	 * must not exceed where both were written; a default gives way, and 0 there is no bound.
	 */
	const char *not_above;
	unsigned count_max;	/* CONF_LIST, CONF_TITLED: so many of them at most; 0: any number */
};

struct conf_file;	/* a whole parsed file, owns its sections */

/*
 * Read and check a file of at most 4 MiB and those that it includes. Where something is wrong, err
 * (size errlen) gets one line per finding, "FILE:LINE: KEY: what is wrong and what is allowed",
 * with \n between them, and nothing else happens. Not for several threads at once: libconfuse.
 *
 * path    NULL: as an empty file
 * keys    the top-level table
 * errors  ERR_SYS (cannot be read), ERR_FORMAT, ERR_RANGE, ERR_NOMEM
 */
enum err conf_read(struct conf_file **out, const char *path, const struct conf_key *keys, char *err,
    size_t errlen) MUST_CHECK;
/*
 * Read only what `keys` know and complain about nothing: for what must be known before all tables
 * are, as the services to load. Errors: ERR_SYS, ERR_NOMEM.
 */
enum err conf_peek(struct conf_file **out, const char *path,
    const struct conf_key *keys) MUST_CHECK;
void conf_file_free(struct conf_file *cf);
const struct conf *conf_root(const struct conf_file *cf);

/* --- reading one section; asking for a key that the table does not have is a bug (assert) ----- */

bool conf_bool(const struct conf *cf, const char *key);
int64_t conf_int(const struct conf *cf, const char *key);
size_t conf_size(const struct conf *cf, const char *key);
usec conf_duration(const struct conf *cf, const char *key);
/* The text as written, for any type; lives as long as the file; "" where there is no value. */
const char *conf_str(const struct conf *cf, const char *key);
unsigned conf_enum(const struct conf *cf, const char *key);
struct addr conf_addr(const struct conf *cf, const char *key);

/* Lists, and sections that may stand several times. */
size_t conf_count(const struct conf *cf, const char *key);
const char *conf_str_at(const struct conf *cf, const char *key, size_t i);
struct addr conf_addr_at(const struct conf *cf, const char *key, size_t i);
/* The i-th section of that name, or NULL. An untitled section that was not written is NULL. */
const struct conf *conf_section(const struct conf *cf, const char *key, size_t i);
/* An untitled section; one made of defaults where it was not written. Never NULL. */
const struct conf *conf_section_or_default(const struct conf *cf, const char *key);
const char *conf_title(const struct conf *cf);
/* The section that cf stands in, NULL for the top. */
const struct conf *conf_parent(const struct conf *cf);

/* The key was written in the file (not a default). */
bool conf_given(const struct conf *cf, const char *key);
/*
 * Say where a value stands, for complaints that only its user can make: "FILE:LINE: dns.record".
 * For a default that is the section's place. i is the place in a list, 0 otherwise. Gives buf.
 */
const char *conf_where(const struct conf *cf, const char *key, size_t i, char *buf, size_t cap);

/* Told the path of a key, "dns.listen". */
typedef void conf_tell(void *ctx, const char *path);
/*
 * Tell of each key whose change takes effect at the next start only and that is not the same in two
 * sections of one table. Sections below them are not looked at.
 */
void conf_waiting(const struct conf *old, const struct conf *now, conf_tell *tell, void *ctx);
/* The same for a section that starts and ends with the daemon; NULL where it was not written. */
void conf_waiting_section(const char *name, const struct conf *old, const struct conf *now,
    conf_tell *tell, void *ctx);

/* Told where and what: "FILE:LINE: dns.interface: \"eth9\": no such interface is there". */
typedef void conf_miss(void *ctx, const char *words);
/*
 * Tell of what the settings name and this machine does not have, or not for the user that we are.
 * All of it may come later, so none of it is an error. Asks the system; not for the loop.
 *
 * flags  what is looked for, of CONF_LINK, CONF_LOCAL, CONF_LISTEN, CONF_FILE, CONF_FOLDER
 */
void conf_missing(const struct conf *root, unsigned flags, conf_miss *miss, void *ctx);

/*
 * Print the settings in force with help lines as comments; conf_read() reads it and gives the same.
 * What is at its default, and sections that were not written, are commented out.
 */
void conf_dump(const struct conf_file *cf, FILE *out);
/* Print the table as mdoc for the manual. */
void conf_manual(const struct conf_key *keys, FILE *out);

/* Parse one text as its type demands; used by plug-ins and tests. Errors: ERR_FORMAT, ERR_RANGE. */
enum err conf_parse_size(const char *text, int64_t *bytes) MUST_CHECK;
enum err conf_parse_duration(const char *text, usec *out) MUST_CHECK;
/*
 * The same for a word of a command that means what a CONF_DURATION key of a table does: with its
 * range, and in why (whylen bytes) the words that a file gets. Errors: ERR_FORMAT, ERR_RANGE.
 */
enum err conf_parse_as(const struct conf_key *key, const char *text, usec *out, char *why,
    size_t whylen) MUST_CHECK;

#endif
