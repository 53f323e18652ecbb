/* SPDX-License-Identifier: MIT */
/*
 * Told when a file or directory changes: written, replaced by rename, removed, created where there
 * was none, or reached through a symbolic link that now leads elsewhere.
 *
 * inotify underneath. Every directory on the way to the path is watched, links followed, so that
 * it does not matter which part of the path exists yet. Where inotify cannot see (network file
 * systems, directories that may be searched but not read, the user's limit of watches) the path is
 * looked at every few seconds instead. All looking is done in the offload pool: a mount that hangs
 * does not hold the loop.
 */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/timer.h"
#include "util/err.h"
#include "util/mono.h"

#define WATCH_POINTS_MAX 48	/* directories on the way to one path, links included */
#define WATCH_SETTLE	 millis(150)	/* quiet time after a change before changed() is called */
#define WATCH_SETTLE_MAX millis(500)	/* and the longest that further changes put it off */
#define WATCH_POLL	 seconds(5)	/* how often to look where inotify cannot see */

struct loop;
struct offload;
struct watch_job;
struct watcher;

/* One watched path. Embed one in what wants to know; all zero is a watch that is not running. */
struct watch {
	struct timer timer;	/* the next look; first, so that a timer is its watch */
	/* The path may have changed. May stop this watch or any other. */
	void (*changed)(struct watch *w);

	/* Kept by watch.c. */
	struct watcher *owner;	/* NULL: not running */
	char *path;		/* absolute */
	mono_us dirty_since;	/* first change that changed() was not called for; 0: none */
	bool again;		/* something happened while a look was under way */
	bool polled;
	uint64_t seen;		/* fingerprint of what was found at the last look */
	struct watch_job *job;	/* a look under way */
	unsigned npoints;
	struct watch_point {
		int wd;		/* inotify's number of the directory, or of the target itself */
		uint32_t name;	/* hash of the name waited for in it; 0: whatever happens there */
	} point[WATCH_POINTS_MAX];
	LIST_ENTRY(watch) link;
};

struct watch_stats {
	unsigned watches;	/* now */
	unsigned polled;	/* now: looked at by the clock, as inotify cannot see them */
	uint64_t events;	/* from inotify */
	uint64_t overflows;	/* inotify's queue was full: everything was looked at */
	uint64_t changes;	/* calls of changed() */
};

/* One for all watches of a loop's users. Errors: ERR_SYS (limit of instances), ERR_NOMEM. */
enum err watcher_new(struct watcher **out, struct loop *l, struct offload *o) MUST_CHECK;
/* Stops the watches that still run. NULL is fine. The pool may be freed before or after. */
void watcher_free(struct watcher *wr);

/*
 * Start watching. changed() is called once when the watch stands, in a later turn of the loop, and
 * from then on after each change: so whoever reads the file in changed() misses nothing. The path
 * need not exist. w must not move until watch_stop(); path is copied, `changed` must be set.
 *
 * errors  ERR_NOMEM, ERR_RANGE (path too long), ERR_SYS (a relative path without a directory)
 */
enum err watch_start(struct watcher *wr, struct watch *w, const char *path) MUST_CHECK;
/* changed() is not called any more. Nothing happens where w does not run. */
void watch_stop(struct watch *w);

static inline bool
watch_running(const struct watch *w)
{
	return w->owner != NULL;
}

const struct watch_stats *watcher_stats(const struct watcher *wr);

#endif
