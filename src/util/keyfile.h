/* SPDX-License-Identifier: MIT */
/*
 * Files that hold a secret: written once and private, refused when others could have read them.
 * What the bytes mean is the caller's business. Blocks on the disk: at start, at reload and in
 * tools, never on the loop.
 */
#ifndef UTIL_KEYFILE_H
#define UTIL_KEYFILE_H

#include <stddef.h>

#include "util/err.h"
#include "util/span.h"

#define KEYFILE_MAX 4096	/* bytes in one file */
#define KEYFILE_WHY_MAX 512	/* bytes with the closing zero: one line for a person */

/*
 * Read the whole file.
 *
 * out	   cap bytes; wiped after an error
 * len	   how many were read, 1 or more
 * why	   one line with the file's name and what to do, after an error; else ""
 * errors  ERR_NOTFOUND; ERR_DENIED where it is not a regular file, is owned by somebody other
 *	   than us or root, or group or others have any right to it; ERR_RANGE where it is empty or
 *	   longer than cap; ERR_SYS
 *
 * A symbolic link is followed: the checks are made on the file that was opened.
 */
enum err keyfile_read(const char *path, void *out, size_t cap, size_t *len,
    char why[static KEYFILE_WHY_MAX]) MUST_CHECK;

/*
 * Create the file with mode 0600 and these bytes, on the disk when this returns.
 *
 * bytes   1 to KEYFILE_MAX of them
 * why	   as above
 * errors  ERR_EXISTS (a key is never overwritten; a link counts as well), ERR_RANGE, ERR_SYS;
 *	   nothing is left behind then
 */
enum err keyfile_write(const char *path, struct span bytes,
    char why[static KEYFILE_WHY_MAX]) MUST_CHECK;

#endif
