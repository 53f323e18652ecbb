/* SPDX-License-Identifier: MIT */
/*
 * One reading of all files that names of the house come from, and the set made of them. Done in a
 * pool thread: nothing here knows the loop or the log. For dns_sources.c alone.
 */
#ifndef SERVICES_DNS_READING_H
#define SERVICES_DNS_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "services/dns/dns_lease.h"
#include "services/dns/dns_local.h"
#include "services/dns/dns_plan.h"
#include "util/err.h"

#define DNS_SOURCE_FILE_MAX    (64u << 20)	/* bytes of one file */
#define DNS_SOURCE_NAMES_MAX   (1u << 20)	/* names taken from one hosts file */
#define DNS_SOURCE_FILES_MAX   1024		/* files of one directory */
#define DNS_SOURCE_COMPLAINT_MAX 160		/* bytes */

enum dns_source_kind {
	DNS_SOURCE_HOSTS,
	DNS_SOURCE_LEASES,
};

/* What tells one state of a file from another. */
struct dns_file_mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

/* One file that was looked for. */
struct dns_source_file {
	enum dns_source_kind kind;
	char *path;
	const char *root;	/* the setting that it is under; the plan's */
	/*
	 * OK; ERR_NOTFOUND; ERR_SYS with the errno below; ERR_RANGE: too large, see
	 * DNS_SOURCE_FILE_MAX; ERR_FORMAT: neither file nor directory; ERR_UNSUPPORTED: no lease
	 * file that we know.
	 */
	enum err err;
	int sys;
	bool unlisted;		/* a directory whose files cannot be listed */
	bool kept;		/* it could not be read: what it said before is still in force */
	struct dns_file_mark mark;
	bool fresh;		/* written just before it was read: the mark proves nothing */
	uint16_t source;	/* its number in the set */
	enum dns_lease_format format;
	char *text;		/* of lease files, to be read again when leases expire */
	size_t len;
	uint64_t names;		/* taken from it; of leases, before they are settled */
	uint64_t bad;		/* lines that were left out */
	uint64_t dropped;	/* names beyond DNS_SOURCE_NAMES_MAX */
	unsigned bad_line;	/* the first bad one; 0: none */
	char complaint[DNS_SOURCE_COMPLAINT_MAX];	/* and what is wrong with it */
};

struct dns_reading {
	struct dns_plan *plan;		/* held by whoever made the reading */
	struct dns_source_file *files;
	size_t file_count, file_cap;
	struct dns_local *set;		/* NULL after an error, or where nothing has changed */
	enum err err;			/* OK, ERR_NOMEM */
	bool unchanged;			/* the files are as the last reading found them */
	int64_t wall_s;			/* seconds since 1970, when it was made */
	int64_t next_expiry;		/* of a lease: DNS_LEASE_FOREVER where there is none */
	uint64_t lease_count;		/* leases in force */
	uint64_t leases_dropped;
	uint64_t files_dropped;		/* of directories with more than DNS_SOURCE_FILES_MAX */
};

/*
 * Read everything.
 *
 * plan    what to read
 * last    the last reading, whose set is in force; NULL: none
 * force   make a set even where no file has changed: another plan, leases that have expired
 * wall_s  seconds since 1970
 */
void dns_reading_make(struct dns_reading *out, struct dns_plan *plan,
    const struct dns_reading *last, bool force, int64_t wall_s,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]);

/* Release what it holds, the set included; not the plan. */
void dns_reading_fini(struct dns_reading *r);

/* The file of that path and kind in a reading; NULL where there is none, r may be NULL. */
const struct dns_source_file *dns_reading_file(const struct dns_reading *r, const char *path,
    enum dns_source_kind kind);

#endif
