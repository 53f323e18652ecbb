/* SPDX-License-Identifier: MIT */
/*
 * What tests of edges need: a directory of their own with files that come, change and go, the real
 * loop, pool and watcher, and settings from a text. One such world at a time.
 */
#ifndef TESTS_SUPPORT_EDGE_H
#define TESTS_SUPPORT_EDGE_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/watch.h"
#include "support/unit.h"

#define EDGE_PATIENCE seconds(20)

static struct edge {
	struct loop *loop;
	struct offload *pool;
	struct watcher *watcher;
	char dir[64];
} edge;

static inline void
edge_begin(unsigned threads, unsigned queue)
{
	strcpy(edge.dir, "/tmp/hearth-edge-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(edge.dir));
	CU_ASSERT_EQUAL_FATAL(loop_new(&edge.loop), OK);
	CU_ASSERT_EQUAL_FATAL(offload_new(&edge.pool, edge.loop, threads, queue), OK);
	CU_ASSERT_EQUAL_FATAL(watcher_new(&edge.watcher, edge.loop, edge.pool), OK);
}

static inline void
edge_end(void)
{
	char command[128];

	watcher_free(edge.watcher);
	offload_free(edge.pool);
	loop_free(edge.loop);
	snprintf(command, sizeof(command), "rm -r %s", edge.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* The path of a file in the directory; good until the fourth call after. */
static inline const char *
edge_path(const char *name)
{
	static char room[4][PATH_MAX];
	static unsigned turn;
	char *at = room[turn++ % 4];

	snprintf(at, PATH_MAX, "%s/%s", edge.dir, name);
	return at;
}

/* Write a file in place. */
static inline void
edge_put(const char *name, const char *text)
{
	int fd = open(edge_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_NOT_EQUAL_FATAL(fd, -1);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Write a file as those do who do not want half of it to be read. */
static inline void
edge_put_atomically(const char *name, const char *text)
{
	edge_put(".new", text);
	CU_ASSERT_EQUAL(rename(edge_path(".new"), edge_path(name)), 0);
}

/* Read settings; @ in them is the directory. To be freed. */
static inline struct conf_file *
edge_settings(const char *settings, const struct conf_key *keys)
{
	char findings[1024] = "";
	struct conf_file *cf = NULL;
	FILE *f = fopen(edge_path(".conf"), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (; *settings != '\0'; settings++)
		if (*settings == '@')
			fputs(edge.dir, f);
		else
			putc(*settings, f);
	CU_ASSERT_EQUAL(fclose(f), 0);

	enum err e = conf_read(&cf, edge_path(".conf"), keys, findings, sizeof(findings));

	if (e != OK)
		printf("%s\n", findings);
	CU_ASSERT_EQUAL_FATAL(e, OK);
	return cf;
}

/* Turn the loop until a condition holds or patience is spent; gives whether it holds. */
#define EDGE_AWAIT(condition)                                                                      \
	do {                                                                                       \
		mono_us until_ = loop_clock(edge.loop) + EDGE_PATIENCE;                            \
		while (!(condition) && loop_clock(edge.loop) < until_)                             \
			CU_ASSERT_EQUAL_FATAL(loop_turn(edge.loop, until_), OK);                   \
		CU_ASSERT_TRUE(condition);                                                         \
	} while (0)

/* Kept by edge_settle(). */
struct edge_mark {
	struct watch watch;	/* first */
	unsigned calls;
};

static inline void
edge_on_mark(struct watch *w)
{
	((struct edge_mark *)w)->calls++;
}

/*
 * Wait until all that has happened to files was seen: a watch that is started now, and a change
 * made after it, come later.
 */
static inline void
edge_settle(void)
{
	struct edge_mark m = { .watch.changed = edge_on_mark };

	CU_ASSERT_EQUAL_FATAL(watch_start(edge.watcher, &m.watch, edge_path(".mark")), OK);
	EDGE_AWAIT(m.calls >= 1);
	edge_put(".mark", "x");
	EDGE_AWAIT(m.calls >= 2);
	watch_stop(&m.watch);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting == 0);
}

#endif
