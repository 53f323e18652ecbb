/* SPDX-License-Identifier: MIT */
/*
 * The edge of the local names: files and directories are read in the pool, followed while they
 * change, and turned into a new set, which takes the place of the old one.
 */
#ifndef SERVICES_DNS_SOURCES_H
#define SERVICES_DNS_SOURCES_H

#include <stdint.h>

#include "core/report.h"
#include "services/dns/dns_local.h"
#include "services/dns/dns_plan.h"
#include "util/err.h"
#include "util/seal.h"

struct dns_sources;
struct log;
struct loop;
struct offload;
struct watcher;

struct dns_sources_env {
	struct loop *loop;
	struct log *log;		/* NULL: none */
	struct offload *offload;
	struct watcher *watcher;
	const char *service;		/* tag of the log lines */
	int64_t (*wall)(void *ctx);	/* seconds since 1970; NULL: the system's clock */
	/*
	 * There is another set: dns_sources_set() gives it, and the one before is released when
	 * this returns. In the loop's thread.
	 */
	void (*changed)(void *ctx);
	void *ctx;
	uint8_t key[SEAL_SHORT_KEY_BYTES];	/* for dns_local_new() */
};

/* Errors: ERR_NOMEM. */
enum err dns_sources_new(struct dns_sources **out, const struct dns_sources_env *env) MUST_CHECK;
/* NULL is fine. The pool may be freed before or after; the watcher must still be there. */
void dns_sources_free(struct dns_sources *s);

/*
 * Put a plan in force, which is taken. With `wait` everything is read before this returns: for the
 * start, when blocking is allowed and the first answer has to be right. Without it the set in force
 * stays until the files have been read. What cannot be read is said in the log and left out.
 *
 * errors  ERR_NOMEM: what was in force stays
 */
enum err dns_sources_use(struct dns_sources *s, struct dns_plan *plan, bool wait) MUST_CHECK;

/* The set in force, NULL before the first plan. Valid until changed() returns. */
const struct dns_local *dns_sources_set(const struct dns_sources *s);

void dns_sources_report(const struct dns_sources *s, struct report *out);

#endif
