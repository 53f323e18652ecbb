/* SPDX-License-Identifier: MIT */
/*
 * The edge of the lists: settings become a filter, files become its sets. Files are read in the
 * pool and followed while they change; a set takes the place of the one before in one pointer. A
 * file that cannot be read, or holds no list any more, leaves the set before in force.
 */
#ifndef SERVICES_DNS_LISTS_H
#define SERVICES_DNS_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/report.h"
#include "services/dns/dns_filter.h"
#include "util/err.h"
#include "util/seal.h"

struct dns_lists;
struct log;
struct loop;
struct offload;
struct watcher;

extern const struct conf_key dns_lists_block_keys[];

/* What is wrong with a name to allow or to exempt, or NULL; static text. */
const char *dns_lists_check_name(const char *value);
/* The same for the i-th block as a whole. */
const char *dns_lists_check_block(const struct conf *cf, size_t i);

/*
 * A small set of the names in a list setting that has that check, or one which takes the root, too:
 * that is left out. Errors: ERR_NOMEM.
 */
enum err dns_lists_read_names(struct dns_list **out, const struct conf *cf, const char *key,
    enum dns_list_kind kind, const uint8_t hash_key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;

/* The keys of this part of the service, to stand in its table. */
#define DNS_LISTS_KEYS                                                                             \
	{ .name = "block", .type = CONF_SECTION, .flags = CONF_TITLED,                             \
	    .keys = dns_lists_block_keys, .check_with = dns_lists_check_block,                     \
	    .count_max = DNS_FILTER_BLOCKS_MAX,                                                    \
	    .help = "names that are not answered: block \"ads\" { file = \"/etc/hearth/ads.txt\" }" }, \
	{ .name = "block-names-max", .type = CONF_INT, .value = "4000000", .min = 1000,            \
	    .max = DNS_LIST_NAMES_MAX,                                                             \
	    .help = "names that one block may hold, about 30 bytes each; more are left out" },     \
	{ .name = "allow-names", .type = CONF_STRING, .flags = CONF_LIST,                          \
	    .check = dns_lists_check_name,                                                         \
	    .help = "names that no block applies to, nor to anything below them" },                \
	{ .name = "rebind-protection", .type = CONF_BOOL, .value = "true",                         \
	    .help = "refuse answers from the Internet that lead to addresses of the house" },      \
	{ .name = "rebind-allow", .type = CONF_STRING, .flags = CONF_LIST,                         \
	    .check = dns_lists_check_name,                                                         \
	    .help = "zones whose answers may do so; those of a route may anyhow" }

struct dns_lists_env {
	struct loop *loop;
	struct log *log;		/* NULL: none */
	struct offload *offload;
	struct watcher *watcher;
	const char *service;		/* tag of the log lines */
	uint8_t key[SEAL_SHORT_KEY_BYTES];	/* for hashes of names: fresh from the CSPRNG */
};

/* Errors: ERR_NOMEM. */
enum err dns_lists_new(struct dns_lists **out, const struct dns_lists_env *env) MUST_CHECK;
/* NULL is fine. The pool may be freed before or after; the watcher must still be there. */
void dns_lists_free(struct dns_lists *l);

/* New settings, checked and with all the memory they need, but not in force. */
struct dns_lists_change;

/*
 * Read a section that has DNS_LISTS_KEYS. Either commit or abandon the change, before the next one.
 * Errors: ERR_NOMEM.
 */
enum err dns_lists_prepare(struct dns_lists *l, const struct conf *cf,
    struct dns_lists_change **out) MUST_CHECK;
/* NULL is fine. */
void dns_lists_abandon(struct dns_lists_change *c);

/*
 * Put a change in force; it is gone then. Sets of blocks that stay the same are kept; a block that
 * has changed keeps its old set until the new one has been read. With `wait` the files are read
 * before this returns: for the start, when blocking is allowed.
 */
void dns_lists_commit(struct dns_lists *l, struct dns_lists_change *c, bool wait);

/* The filter in force, another one after each change. NULL before the first. */
struct dns_filter *dns_lists_filter(const struct dns_lists *l);

/* Answers from outside for this name (lower case) must not lead into the house: dns_rebind.h. */
bool dns_lists_guards(const struct dns_lists *l, struct span lower);

void dns_lists_report(const struct dns_lists *l, struct report *out);

#endif
