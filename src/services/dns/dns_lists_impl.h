/* SPDX-License-Identifier: MIT */
/*
 * What the dns_lists*.c files share.
 *
 *   dns_lists.c	blocks, their watches and loads, the swap, the clock
 *   dns_lists_conf.c	settings
 *   dns_lists_load.c	files to a set, in a pool thread
 *   dns_lists_report.c	counters and log lines
 */
#ifndef SERVICES_DNS_LISTS_IMPL_H
#define SERVICES_DNS_LISTS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/offload.h"
#include "core/watch.h"
#include "services/dns/dns_listfile.h"
#include "services/dns/dns_lists.h"

#define LISTS_FILES_MAX	   63		/* in one block: one bit each */
#define LISTS_CLIENTS_MAX  256
#define LISTS_TIMES_MAX	   32
#define LISTS_FILE_BYTES   (INT64_C(1) << 30)	/* a longer file is no list */

/* --- settings --------------------------------------------------------------------------------- */

/*
 * What a set is made of. Shared by the block and the load under way, which may outlive it; counted
 * in the loop's thread alone.
 */
struct lists_inputs {
	unsigned holders;
	bool exact;
	uint32_t names_max;
	size_t file_count;
	size_t name_count;
	char **files;
	char **names;		/* lines of a list that stand in the settings */
};

void lists_inputs_drop(struct lists_inputs *in);	/* NULL is fine */
bool lists_inputs_equal(const struct lists_inputs *a, const struct lists_inputs *b);

/* One block of the settings, all copied. */
struct lists_block_settings {
	/* points into what follows, and to the title of the settings */
	struct dns_filter_block block;
	struct lists_inputs *in;
	struct addr addrs[DNS_FILTER_ADDRS_MAX];
	struct prefix clients[LISTS_CLIENTS_MAX];
	struct dns_filter_mac macs[LISTS_CLIENTS_MAX];
	struct dns_schedule times[LISTS_TIMES_MAX];
	const char *sources[LISTS_FILES_MAX + 1];
};

struct lists_settings {
	size_t count;
	struct lists_block_settings *blocks[DNS_FILTER_BLOCKS_MAX];
	struct dns_list *allowed;
	struct dns_list *exempt;
	bool rebind;
};

/* Errors: ERR_RANGE (said in the log), ERR_NOMEM. *out is to be released in any case. */
enum err lists_settings_read(struct lists_settings *out, const struct dns_lists_env *env,
    const struct conf *cf) MUST_CHECK;
void lists_settings_fini(struct lists_settings *s);

/* --- loading ---------------------------------------------------------------------------------- */

enum lists_state {
	LISTS_NOT_READ,
	LISTS_OK,
	LISTS_UNREADABLE,	/* sys says why */
	LISTS_NO_FILE,		/* a directory, a device */
	LISTS_NO_LIST,		/* empty, or more nonsense than names */
	LISTS_TOO_LONG,
	LISTS_IN_WORK,		/* changed while it was read: to be read again */
};

/* Tells whether a file is still what was read. */
struct lists_print {
	uint64_t device, inode, size;
	int64_t seconds, nanos;
};

struct lists_file {
	enum lists_state state;
	int sys;
	struct lists_print print;
	struct dns_listfile_stats stats;
};

struct lists_block;

/* A set in the making. */
struct lists_load {
	struct offload_job job;		/* first */
	struct lists_block *owner;	/* NULL: it has gone */
	struct lists_inputs *in;	/* held */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	mono_us begun;
	uint64_t good;		/* these files of the set in force */
	struct lists_print before[LISTS_FILES_MAX];	/* were this */
	enum err e;
	bool unchanged;		/* nothing was read: the files are what they were */
	struct dns_list *list;
	/* the last of file_count + 1: the settings */
	struct lists_file files[LISTS_FILES_MAX + 1];
};

/* Read all files and make the set; touches nothing but ld and files. For any thread. */
void lists_load_work(struct offload_job *j);
/* The pool is not to call done() any more, or has. */
void lists_load_free(struct lists_load *ld);

/* --- blocks ----------------------------------------------------------------------------------- */

struct lists_watch {
	struct watch watch;	/* first */
	struct lists_block *owner;
};

struct lists_block {
	struct timer timer;	/* first: a load that waits for more changes, or for the pool */
	struct dns_lists *owner;
	unsigned index;		/* in the filter */
	struct lists_inputs *in;
	struct lists_watch *watches;	/* one a file */
	struct lists_load *load;	/* under way */
	bool dirty;		/* something changed since it began */
	uint64_t good;		/* bit i: file i is in the set in force, */
	struct lists_print *prints;	/* and was this; file_count of them */
	struct lists_file *files;	/* as they were at the last load; file_count + 1 */
	enum err e;		/* of the last load */
	usec took;		/* and its time, waiting for the pool included */
	uint64_t loads;		/* that made a set */
	uint64_t kept;		/* that did not, so that the one before stayed */
};

struct dns_lists {
	struct timer minute;	/* first: the clock of schedules */
	struct dns_lists_env env;
	struct dns_filter *filter;
	size_t count;
	struct lists_block *blocks[DNS_FILTER_BLOCKS_MAX];
	struct dns_list *exempt;	/* zones whose answers may lead into the house */
	bool rebind;
};

/* Say what a load brought; `kept`: the set before stays in force. b is still as it was before. */
void lists_log_load(const struct lists_block *b, const struct lists_load *ld, bool kept);

#endif
