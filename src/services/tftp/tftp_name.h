/* SPDX-License-Identifier: MIT */
/* File names as clients write them, made into names that can be looked up. No system calls. */
#ifndef SERVICES_TFTP_TFTP_NAME_H
#define SERVICES_TFTP_TFTP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"
#include "util/span.h"

#define TFTP_NAME_MAX 255	/* bytes */

/* A relative path: no leading slash, no "." and ".." parts, no control characters, not empty. */
struct tftp_name {
	char text[TFTP_NAME_MAX + 1];
};

/*
 * Make a name of what a client asked for: "\" becomes "/", leading slashes go (names are relative
 * to the root), so do empty and "." parts.
 *
 * root    a client may give the root's own path in front, as it had to with other servers
 * errors  ERR_RANGE (too long), ERR_FORMAT (control characters, empty), ERR_DENIED ("..")
 */
enum err tftp_name_clean(struct tftp_name *out, struct span asked, const char *root) MUST_CHECK;

/*
 * Take off trailing bytes from 0x7f on: some PXE ROMs send what happens to stand behind the name
 * in the DHCP packet. False, and nothing changes, where there are none or what is left is no name.
 */
bool tftp_name_trim(struct tftp_name *name);

#endif
