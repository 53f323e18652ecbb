/* SPDX-License-Identifier: MIT */
/*
 * The cache on the disk, so that a restart begins warm: a file in the state directory, written from
 * time to time and at the end, read at the start. The file is either the old one or the new one
 * whatever happens to the power, and damage is noticed.
 *
 * The disk is left to the pool, the cache to the loop, a bounded slice of it each turn. A file that
 * is damaged, of another version or of something else is told of once and left to be overwritten.
 * One that comes from the future is tried again for a while: machines without a clock of their own
 * learn the time only when the network is up.
 */
#ifndef SERVICES_DNS_SNAPSHOTS_H
#define SERVICES_DNS_SNAPSHOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "util/mono.h"

#define DNS_SNAPSHOTS_FILE "dns-cache"	/* in the state directory, mode 0600 */

struct dns_cache;
struct dns_snapshots;
struct log;
struct loop;
struct offload;
struct report;

/* All that is pointed to must outlive the snapshots, the loop's pool apart. */
struct dns_snapshots_env {
	struct loop *loop;
	struct log *log;
	struct offload *offload;
	struct dns_cache *cache;
	const char *service;	/* tag of the log lines */
	const char *dir;	/* the state directory; "": nothing is kept */
	uint64_t (*routes)(void *ctx);	/* what dns_snapshot.routes is to be */
	int64_t (*wall)(void *ctx);	/* seconds since 1970; NULL: the system's clock */
	void *ctx;
	usec clock_retry;	/* when to look again at a file from the future; 0: 10 s */
};

enum dns_snapshots_load {
	DNS_SNAPSHOTS_OFF,	/* not asked for, or no state directory */
	DNS_SNAPSHOTS_READING,
	DNS_SNAPSHOTS_NONE,	/* there was no file */
	DNS_SNAPSHOTS_DONE,
	DNS_SNAPSHOTS_REFUSED,	/* the log says why */
	DNS_SNAPSHOTS_EARLY,	/* from the future: waiting for the clock to be set */
};

struct dns_snapshots_stats {
	enum dns_snapshots_load load;
	uint64_t loaded;	/* entries taken over */
	uint64_t saves;
	uint64_t failures;	/* files that could not be written */
	uint64_t bytes;		/* of the last file */
	usec took;		/* to write it */
	mono_us saved_at;	/* 0: not yet */
};

/* Errors: ERR_NOMEM. */
enum err dns_snapshots_new(struct dns_snapshots **out,
    const struct dns_snapshots_env *env) MUST_CHECK;
/* What is not on the disk yet is dropped; the old file stays then. NULL is fine. */
void dns_snapshots_free(struct dns_snapshots *s);

/*
 * Put settings in force. The first time that they are on the file is read, in the turns to come; an
 * answer that came meanwhile beats one of the file. Off removes the file: it tells where people
 * have been.
 *
 * every  between two files, where the cache has changed
 */
void dns_snapshots_configure(struct dns_snapshots *s, bool on, usec every);

/*
 * The daemon is about to end: save once more, where there is something new. Call until false is
 * given: all that is to be kept is on the disk then.
 */
bool dns_snapshots_finish(struct dns_snapshots *s);

const struct dns_snapshots_stats *dns_snapshots_stats(const struct dns_snapshots *s);
void dns_snapshots_report(const struct dns_snapshots *s, struct report *out);

#endif
