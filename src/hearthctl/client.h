/* SPDX-License-Identifier: MIT */
/* Asking the daemon. */
#ifndef HEARTHCTL_CLIENT_H
#define HEARTHCTL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#define CLIENT_WHY_MAX 8192	/* bytes of the words for what went wrong */

/*
 * Send words to the daemon at `socket` and wait for the answer, at most 5 s in all.
 *
 * returns the result, the caller's to json_decref(); NULL where there is none: why says so
 */
json_t *client_ask(const char *socket, int argc, char *const *argv,
    char why[static CLIENT_WHY_MAX]);

#endif
