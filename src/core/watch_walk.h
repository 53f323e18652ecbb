/* SPDX-License-Identifier: MIT */
/* The part of core/watch.c that may block: walk a path and leave inotify watches on the way. */
#ifndef CORE_WATCH_WALK_H
#define CORE_WATCH_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/watch.h"

/* What one walk found. */
struct watch_walk {
	unsigned npoints;
	bool blind;		/* inotify does not see all of it: look at it by the clock */
	uint64_t fingerprint;	/* of the target; changes whenever it may have changed */
	struct watch_point point[WATCH_POINTS_MAX];
};

/*
 * Follow path from the root as the kernel does, links included, adding every directory that is
 * passed to the inotify descriptor before looking into it. Ends at the target, or at the first
 * component that is missing.
 */
void watch_walk(struct watch_walk *out, int inotify, const char *path);

/* The hash of a name in a struct watch_point; never 0. */
uint32_t watch_name_hash(const char *name, size_t len);

#endif
