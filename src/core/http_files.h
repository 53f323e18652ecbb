/* SPDX-License-Identifier: MIT */
/* The files of the page, as they are below src/page; made by embed.sh there. */
#ifndef CORE_HTTP_FILES_H
#define CORE_HTTP_FILES_H

#include <stddef.h>
#include <stdint.h>

struct http_file {
	const char *path;	/* NULL ends the list */
	const char *type;
	const uint8_t *bytes;
	size_t len;
};

extern const struct http_file http_files[];

#endif
