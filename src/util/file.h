/* SPDX-License-Identifier: MIT */
/*
 * What reading and writing a small file takes when EINTR, short counts and power cuts exist.
 * Everything here may block on the disk: start-up, reload, tools and offload jobs only.
 */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include <stddef.h>

#include "util/err.h"
#include "util/span.h"

/*
 * Read from fd to its end.
 *
 * out	   cap bytes
 * len	   how many were read, also after an error
 * errors  ERR_RANGE where there are more than cap bytes, ERR_SYS
 */
enum err file_read_all(int fd, void *out, size_t cap, size_t *len) MUST_CHECK;

/* Write all of bytes. Errors: ERR_SYS. */
enum err file_write_all(int fd, struct span bytes) MUST_CHECK;

/*
 * Write all of bytes, wait until they are on the disk, and close fd whatever happens.
 *
 * errors  ERR_SYS
 */
enum err file_write_closing(int fd, struct span bytes) MUST_CHECK;

/* Wait until the names in the directory that holds path are on the disk. Errors: ERR_SYS. */
enum err file_sync_directory_of(const char *path) MUST_CHECK;

/* Close without touching errno, for use behind the call that failed. */
void file_close_quietly(int fd);

/* Remove without touching errno. */
void file_unlink_quietly(const char *path);

#endif
