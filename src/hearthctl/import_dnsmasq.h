/* SPDX-License-Identifier: MIT */
/*
 * From a dnsmasq.conf to a hearthd.conf: what DNS and TFTP have in common is carried over, and
 * every line that is not, or not quite, is named with the reason in comments at the end.
 */
#ifndef HEARTHCTL_IMPORT_DNSMASQ_H
#define HEARTHCTL_IMPORT_DNSMASQ_H

#include <stddef.h>

#include "util/err.h"

/* How files are read; what is given back is the importer's to free(). */
struct import_files {
	void *ctx;
	/* The text of a file and its length; NULL with errno where it cannot be read. */
	char *(*read)(void *ctx, const char *path, size_t *len);
	/*
	 * The names in a folder, sorted, each closed by a zero and the last one by two; NULL with
	 * errno where it cannot be read.
	 */
	char *(*list)(void *ctx, const char *path);
};

struct import_counts {
	size_t lines;	/* that say something */
	size_t known;	/* of those, with an option of dnsmasq */
	size_t lost;	/* of those, not carried over */
	size_t differing;
};

/*
 * Translate files in the order given, and those that they include.
 *
 * out	   text of a hearthd.conf, the caller's to free()
 * bad	   with ERR_SYS, which of the paths could not be read; errno says why
 * errors  ERR_SYS, ERR_NOMEM
 */
enum err import_dnsmasq(const struct import_files *files, char *const *paths, size_t count,
    char **out, struct import_counts *counts, size_t *bad) MUST_CHECK;

#endif
