/* SPDX-License-Identifier: MIT */
/* Giving up root after the sockets are bound. */
#ifndef CORE_PRIVS_H
#define CORE_PRIVS_H

#include <stdint.h>

#include "util/err.h"

/*
 * Become user (and its groups), drop every capability but those of `keep`, set no-new-privs. Where
 * we are not root the identity stays. user "" keeps it as well.
 *
 * keep  bit CAP_… of each capability to keep, as far as it is there: 0, but where the settings ask
 *	 for something that cannot do without
 *
 * Call it before the first thread starts (offload_hold()): the identity changes for all threads,
 * but capabilities and no-new-privs are the calling thread's and those of its children.
 *
 * errors  ERR_NOTFOUND (no such user), ERR_SYS
 */
enum err privs_drop(const char *user, uint64_t keep) MUST_CHECK;

#endif
