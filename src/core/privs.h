/* SPDX-License-Identifier: MIT */
/* Giving up root after the sockets are bound. */
#ifndef CORE_PRIVS_H
#define CORE_PRIVS_H

#include "util/err.h"

/*
 * Become user (and its groups), drop every capability, set no-new-privs. Where we are not root the
 * identity stays. user "" keeps it as well.
 *
 * Call it before the first thread starts (offload_hold()): the identity changes for all threads, but
 * capabilities and no-new-privs are the calling thread's and those of its children.
 *
 * errors  ERR_NOTFOUND (no such user), ERR_SYS
 */
enum err privs_drop(const char *user) MUST_CHECK;

#endif
