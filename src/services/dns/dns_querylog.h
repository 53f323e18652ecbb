/* SPDX-License-Identifier: MIT */
/*
 * The query log: a line for every query, to a file of its own or to the daemon's log. Lines gather
 * in a buffer that the pool writes out, ten times a second at most while there is little to tell;
 * where the disk is slower than the queries, lines are dropped and counted. Nobody waits.
 */
#ifndef SERVICES_DNS_QUERYLOG_H
#define SERVICES_DNS_QUERYLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_querylog_line.h"
#include "util/err.h"

#define DNS_QUERYLOG_BUFFER (256u << 10)	/* bytes; there are two of them */

struct dns_querylog;
struct log;
struct loop;
struct offload;
struct report;

/* All that is pointed to must outlive the log, the loop's pool apart. */
struct dns_querylog_env {
	struct loop *loop;
	struct log *log;
	struct offload *offload;
	const char *service;	/* tag of the log lines */
};

struct dns_querylog_opts {
	bool on;
	const char *file;	/* copied; "": the daemon's log, at level info */
	enum dns_querylog_format format;	/* of the file */
	enum dns_privacy privacy;
};

struct dns_querylog_stats {
	uint64_t lines;		/* written or handed to the daemon's log */
	uint64_t dropped;	/* no room, or the file could not be written */
	uint64_t failures;	/* writes that failed */
};

/* Switched off at first. Errors: ERR_NOMEM. */
enum err dns_querylog_new(struct dns_querylog **out, const struct dns_querylog_env *env) MUST_CHECK;
/* Writes what is left, waiting for the disk. NULL is fine. */
void dns_querylog_free(struct dns_querylog *ql);

/* Put settings in force. A file that cannot be opened is told of once. */
void dns_querylog_configure(struct dns_querylog *ql, const struct dns_querylog_opts *opts);

/* The file may have been renamed (log rotation): the next line goes to one that is opened anew. */
void dns_querylog_reopen(struct dns_querylog *ql);

/* While it is switched off nothing happens. */
void dns_querylog_add(struct dns_querylog *ql, const struct dns_querylog_entry *e);

/* The daemon is about to end: call until false is given. */
bool dns_querylog_finish(struct dns_querylog *ql);

const struct dns_querylog_stats *dns_querylog_stats(const struct dns_querylog *ql);
void dns_querylog_report(const struct dns_querylog *ql, struct report *out);

#endif
