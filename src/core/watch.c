/* SPDX-License-Identifier: MIT */
/*
 * The loop's side of watching: events come in, walks (core/watch_walk.c) are sent to the pool, and
 * their results replace the points of the watch.
 *
 * Why nothing is missed: a walk gives a directory to inotify before it looks into it, and changed()
 * is called after the walk. What is written later is an event at a point that is known by then;
 * what happens to the path while the walk is under way sets `again`, and one more walk follows.
 * Numbers of inotify that no watch uses any more are given back when no walk is under way, as a
 * walk may just have been given the same number.
 */
#include "core/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/offload.h"
#include "core/watch_walk.h"

#define READS_PER_TURN 16		/* buffers of events; more waits for the next turn */
#define RETRY	       millis(500)	/* the pool was full */

struct watcher {
	struct loop_fd fd;	/* first: a loop_fd is its watcher */
	struct loop *loop;
	struct offload *offload;
	LIST_HEAD(, watch) watches;
	struct watch_stats stats;
	unsigned walking;	/* jobs under way */
	bool closing;		/* the last job releases it */
	bool untidy;		/* there may be numbers that no watch uses */
	int *wds;		/* every number that inotify gave us and did not take back */
	size_t nwds;
	size_t cap;
};

/* One walk. Belongs to the pool while under way. */
struct watch_job {
	struct offload_job job;	/* first */
	struct watcher *owner;
	struct watch *watch;	/* NULL: stopped meanwhile */
	struct watch_walk found;
	char path[];
};

static void
release(struct watcher *wr)
{
	close(wr->fd.fd);
	free(wr->wds);
	free(wr);
}

/* --- inotify's numbers ------------------------------------------------------------------------ */

static bool
watch_uses(const struct watch *w, int wd)
{
	for (unsigned i = 0; i < w->npoints; i++)
		if (w->point[i].wd == wd)
			return true;
	return false;
}

static bool
any_uses(const struct watcher *wr, int wd)
{
	const struct watch *w;

	LIST_FOREACH(w, &wr->watches, link)
		if (watch_uses(w, wd))
			return true;
	return false;
}

/* Where memory is short the number is not noted and stays with inotify until the end: harmless. */
static void
note_wd(struct watcher *wr, int wd)
{
	for (size_t i = 0; i < wr->nwds; i++)
		if (wr->wds[i] == wd)
			return;
	if (wr->nwds == wr->cap) {
		size_t cap = wr->cap != 0 ? wr->cap * 2 : 32;
		int *wds = realloc(wr->wds, cap * sizeof(*wds));

		if (wds == NULL)
			return;
		wr->wds = wds;
		wr->cap = cap;
	}
	wr->wds[wr->nwds++] = wd;
}

static void
forget_wd(struct watcher *wr, int wd)
{
	for (size_t i = 0; i < wr->nwds; i++)
		if (wr->wds[i] == wd) {
			wr->wds[i] = wr->wds[--wr->nwds];
			return;
		}
}

static void
tidy_up(struct watcher *wr)
{
	if (!wr->untidy || wr->walking != 0)
		return;
	wr->untidy = false;
	for (size_t i = wr->nwds; i-- > 0;)
		if (!any_uses(wr, wr->wds[i])) {
			(void)inotify_rm_watch(wr->fd.fd, wr->wds[i]);
			wr->wds[i] = wr->wds[--wr->nwds];
		}
}

/* --- a walk ----------------------------------------------------------------------------------- */

/* Something happened: look when it has been quiet for a while, or has gone on for too long. */
static void
touch(struct watch *w)
{
	struct loop *l = w->owner->loop;
	mono_us now = loop_now(l);

	if (w->dirty_since == 0)
		w->dirty_since = now;
	if (w->job == NULL)
		loop_timer(l, &w->timer,
		    mono_earlier(now + WATCH_SETTLE, w->dirty_since + WATCH_SETTLE_MAX));
}

static void
work(struct offload_job *j)
{
	struct watch_job *job = (struct watch_job *)j;

	watch_walk(&job->found, job->owner->fd.fd, job->path);
}

/* The points of the last walk take the place of the earlier ones. */
static void
install(struct watch *w, const struct watch_walk *found)
{
	struct watcher *wr = w->owner;

	wr->untidy = true;
	memcpy(w->point, found->point, found->npoints * sizeof(found->point[0]));
	w->npoints = found->npoints;
	wr->stats.polled -= w->polled;
	wr->stats.polled += found->blind;
	w->polled = found->blind;
}

static void
conclude(struct watch *w, const struct watch_walk *found)
{
	bool call = w->dirty_since != 0 || w->seen != found->fingerprint;
	struct loop *l = w->owner->loop;

	install(w, found);
	w->seen = found->fingerprint;
	w->dirty_since = 0;
	if (w->again)
		loop_timer(l, &w->timer, loop_now(l) + WATCH_SETTLE);
	else if (w->polled)
		loop_timer(l, &w->timer, loop_now(l) + WATCH_POLL);
	w->again = false;
	if (call) {
		w->owner->stats.changes++;
		w->changed(w);
	}
}

static void
done(struct offload_job *j)
{
	struct watch_job *job = (struct watch_job *)j;
	struct watcher *wr = job->owner;
	struct watch *w = job->watch;

	wr->walking--;
	if (wr->closing) {
		if (wr->walking == 0)
			release(wr);
		free(job);
		return;
	}
	for (unsigned i = 0; i < job->found.npoints; i++)
		note_wd(wr, job->found.point[i].wd);
	if (w != NULL) {
		w->job = NULL;
		if (!j->cancelled)
			conclude(w, &job->found);
	}
	wr->untidy = true;
	tidy_up(wr);
	free(job);
}

static void
look(struct timer *t, mono_us now)
{
	struct watch *w = (struct watch *)t;
	struct watcher *wr = w->owner;
	size_t len = strlen(w->path) + 1;
	struct watch_job *job = calloc(1, sizeof(*job) + len);

	if (job == NULL) {
		loop_timer(wr->loop, t, now + RETRY);
		return;
	}
	job->job.work = work;
	job->job.done = done;
	job->owner = wr;
	job->watch = w;
	memcpy(job->path, w->path, len);
	if (offload_submit(wr->offload, &job->job) != OK) {
		free(job);
		loop_timer(wr->loop, t, now + RETRY);
		return;
	}
	w->job = job;
	wr->walking++;
}

/* --- events ----------------------------------------------------------------------------------- */

static void
take_event(struct watcher *wr, const struct inotify_event *ev)
{
	uint32_t name = ev->len != 0 ? watch_name_hash(ev->name, strlen(ev->name)) : 0;
	struct watch *w;

	LIST_FOREACH(w, &wr->watches, link) {
		if (w->job != NULL)
			w->again = true;
		if ((ev->mask & IN_Q_OVERFLOW) != 0) {
			touch(w);
			continue;
		}
		for (unsigned i = 0; i < w->npoints; i++) {
			const struct watch_point *p = &w->point[i];

			/* An event without a name is about the directory or the target itself. */
			if (p->wd == ev->wd && (p->name == 0 || name == 0 || p->name == name)) {
				touch(w);
				break;
			}
		}
	}
}

static void
on_events(struct loop_fd *fd, uint32_t events)
{
	struct watcher *wr = (struct watcher *)fd;
	_Alignas(struct inotify_event) char buf[4096];

	(void)events;
	for (unsigned i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = read(wr->fd.fd, buf, sizeof(buf));

		if (n <= 0)
			return;
		for (const char *at = buf; at < buf + n;) {
			const struct inotify_event *ev = (const void *)at;

			wr->stats.events++;
			wr->stats.overflows += (ev->mask & IN_Q_OVERFLOW) != 0;
			take_event(wr, ev);
			if ((ev->mask & IN_IGNORED) != 0)
				forget_wd(wr, ev->wd);
			at += sizeof(*ev) + ev->len;
		}
	}
}

/* --- outside ---------------------------------------------------------------------------------- */

enum err
watcher_new(struct watcher **out, struct loop *l, struct offload *o)
{
	struct watcher *wr = calloc(1, sizeof(*wr));

	if (wr == NULL)
		return ERR_NOMEM;
	wr->loop = l;
	wr->offload = o;
	LIST_INIT(&wr->watches);
	wr->fd.ready = on_events;
	wr->fd.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (wr->fd.fd == -1) {
		free(wr);
		return ERR_SYS;
	}

	enum err e = loop_add(l, &wr->fd, EPOLLIN);

	if (e != OK) {
		release(wr);
		return e;
	}
	*out = wr;
	return OK;
}

void
watcher_free(struct watcher *wr)
{
	struct watch *w;

	if (wr == NULL)
		return;
	while ((w = LIST_FIRST(&wr->watches)) != NULL)
		watch_stop(w);
	loop_remove(wr->loop, &wr->fd);
	wr->closing = true;
	if (wr->walking == 0)
		release(wr);
}

/* Give a copy of path that starts at the root. NULL with errno where there is none. */
static char *
absolute(const char *path)
{
	char here[PATH_MAX];
	char *copy;

	if (path[0] == '/')
		return strdup(path);
	if (getcwd(here, sizeof(here)) == NULL)
		return NULL;

	size_t len = strlen(here) + 1 + strlen(path) + 1;

	copy = malloc(len);
	if (copy != NULL) {
		strcpy(copy, here);
		strcat(copy, "/");
		strcat(copy, path);
	}
	return copy;
}

enum err
watch_start(struct watcher *wr, struct watch *w, const char *path)
{
	void (*changed)(struct watch *w) = w->changed;

	if (strlen(path) >= PATH_MAX)
		return ERR_RANGE;
	*w = (struct watch){ .changed = changed, .timer.fire = look };
	errno = ENOMEM;
	w->path = absolute(path);
	if (w->path == NULL)
		return errno == ENOMEM ? ERR_NOMEM : ERR_SYS;
	w->owner = wr;
	w->dirty_since = loop_now(wr->loop);
	LIST_INSERT_HEAD(&wr->watches, w, link);
	wr->stats.watches++;
	loop_timer(wr->loop, &w->timer, loop_now(wr->loop));
	return OK;
}

void
watch_stop(struct watch *w)
{
	struct watcher *wr = w->owner;

	if (wr == NULL)
		return;
	loop_timer_cancel(wr->loop, &w->timer);
	LIST_REMOVE(w, link);
	if (w->job != NULL)
		w->job->watch = NULL;
	wr->stats.polled -= w->polled;
	wr->stats.watches--;
	free(w->path);
	w->path = NULL;
	w->owner = NULL;
	w->npoints = 0;
	wr->untidy = true;
	tidy_up(wr);
}

const struct watch_stats *
watcher_stats(const struct watcher *wr)
{
	return &wr->stats;
}
