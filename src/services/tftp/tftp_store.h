/* SPDX-License-Identifier: MIT */
/*
 * Where files come from: roots, their order, and how a client's name finds its file. A store is
 * made once from the settings and never changes, so that threads of the pool may use it.
 */
#ifndef SERVICES_TFTP_TFTP_STORE_H
#define SERVICES_TFTP_TFTP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "services/tftp/tftp_client.h"
#include "services/tftp/tftp_name.h"
#include "util/err.h"

#define TFTP_TEMPLATE_MAX (1024 * 1024)	/* bytes, before and after filling in */
#define TFTP_ROOTS_MAX 65		/* of single clients and networks, and the common one */

/* A folder of the common root that belongs to one client: ROOT/52-54-00-12-34-56, ROOT/192.0.2.7 */
enum tftp_unique {
	TFTP_UNIQUE_OFF,
	TFTP_UNIQUE_MAC,
	TFTP_UNIQUE_ADDRESS,
};

struct tftp_root {
	struct tftp_match match;	/* not looked at in the common root, the last one */
	int fd;
	char *path;
};

struct tftp_store {
	struct tftp_root roots[TFTP_ROOTS_MAX];	/* the most special first, the common one last */
	size_t root_count;
	bool nocase;
	enum tftp_unique unique;
};

/* This content and no other, as far as the file system can tell. */
struct tftp_ident {
	dev_t dev;
	ino_t ino;
	int64_t size;
	struct timespec mtime, ctime;
};

/* What was found: an open file, or the text of a filled-in template. */
struct tftp_found {
	int fd;			/* -1 for a template */
	uint8_t *text;		/* malloc'd; NULL for a file */
	uint64_t size;
	struct tftp_ident ident;
	size_t root;		/* of store->roots */
	char path[TFTP_NAME_MAX + 64];	/* below it */
};

enum tftp_find {
	TFTP_FIND_OK,
	TFTP_FIND_NONE,
	/* it is there, but not a plain file, not below the root, not readable */
	TFTP_FIND_DENIED,
	TFTP_FIND_WAIT,		/* only with cached: ask again in a thread that may wait */
	TFTP_FIND_FAILED,	/* the system is short of something */
};

/* Every place that was looked at, for hearthctl. */
typedef void tftp_store_step(void *ctx, const char *root, const char *path, const char *result);

/* paths: of the roots, in `store->roots` already with fd -1. Errors: ERR_SYS with *bad the root. */
enum err tftp_store_open(struct tftp_store *store, size_t *bad) MUST_CHECK;
/* Close and release; also where open failed half way. */
void tftp_store_free(struct tftp_store *store);

/*
 * Add a root before all less special ones; match NULL: the common root. Errors: ERR_FULL,
 * ERR_NOMEM.
 */
enum err tftp_store_add(struct tftp_store *store, const struct tftp_match *match,
    const char *path) MUST_CHECK;

/*
 * Find the file of a cleaned and mapped name. Looked for as it is, then without regard to letter
 * case, then without junk at its end; in each root that is for this client, the most special first;
 * NAME.tmpl stands for NAME.
 *
 * cached  do not wait for a disk
 * step	   may be NULL
 */
enum tftp_find tftp_store_find(const struct tftp_store *store, const struct tftp_name *name,
    const struct tftp_client *who, bool cached, struct tftp_found *out, tftp_store_step *step,
    void *ctx);
/* Close and release what was found and not taken over. A zeroed one is not valid; use fd -1. */
void tftp_found_drop(struct tftp_found *found);

void tftp_ident_of(struct tftp_ident *out, const struct stat *st);
bool tftp_ident_same(const struct tftp_ident *a, const struct tftp_ident *b);

#endif
