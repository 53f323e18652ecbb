/* SPDX-License-Identifier: MIT */
#include "core/watch.h"

#include "core/loop.h"
#include "core/offload.h"
#include "support/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE seconds(20)

/* A watch that counts. */
struct counter {
	struct watch watch;	/* first */
	unsigned calls;
	bool stops;		/* in its own callback */
};

static struct loop *loop;
static struct offload *pool;
static struct watcher *watcher;
static char dir[64];
static char room[2][PATH_MAX];

static void
count(struct watch *w)
{
	struct counter *c = (struct counter *)w;

	c->calls++;
	if (c->stops)
		watch_stop(w);
}

/* Give the path of a name below the test's directory; the last two stay valid. */
static const char *
below(const char *name)
{
	static unsigned turn;
	char *at = room[turn++ % 2];

	snprintf(at, PATH_MAX, "%s/%s", dir, name);
	return at;
}

static void
prepare(void)
{
	strcpy(dir, "/tmp/hearth-watch-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL_FATAL(loop_new(&loop), OK);
	CU_ASSERT_EQUAL_FATAL(offload_new(&pool, loop, 2, 100), OK);
	CU_ASSERT_EQUAL_FATAL(watcher_new(&watcher, loop, pool), OK);
}

static void
clean_up(void)
{
	char command[128];

	watcher_free(watcher);
	offload_free(pool);
	loop_free(loop);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* Turn the loop until c was called n times or patience is spent. */
static void
await(const struct counter *c, unsigned n)
{
	mono_us until = loop_clock(loop) + PATIENCE;

	while (c->calls < n && loop_clock(loop) < until)
		CU_ASSERT_EQUAL_FATAL(loop_turn(loop, until), OK);
	CU_ASSERT_EQUAL(c->calls, n);
}

static void
start(struct counter *c, const char *name)
{
	*c = (struct counter){ .watch.changed = count };
	CU_ASSERT_EQUAL_FATAL(watch_start(watcher, &c->watch, below(name)), OK);
	await(c, 1);
}

static void
put(const char *name, const char *text)
{
	int fd = open(below(name), O_WRONLY | O_CREAT | O_APPEND, 0600);

	CU_ASSERT_NOT_EQUAL_FATAL(fd, -1);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
move(const char *from, const char *to)
{
	CU_ASSERT_EQUAL(rename(below(from), below(to)), 0);
}

static void
make_dir(const char *name)
{
	CU_ASSERT_EQUAL(mkdir(below(name), 0700), 0);
}

static void
make_link(const char *target, const char *name)
{
	CU_ASSERT_EQUAL(symlink(target, below(name)), 0);
}

/* Wait until all that happened so far has been reported: a change made now comes after it. */
static void
settle(void)
{
	struct counter last;

	start(&last, "settle");
	put("settle", "x");
	await(&last, 2);
	watch_stop(&last.watch);
}

static void
a_new_watch_calls_once(void)
{
	struct counter c;

	prepare();
	put("file", "x");
	start(&c, "file");
	settle();
	CU_ASSERT_EQUAL(c.calls, 1);
	clean_up();
}

static void
writing_in_place_is_seen_before_the_file_is_closed(void)
{
	struct counter c;

	prepare();
	put("file", "x");

	int fd = open(below("file"), O_RDWR);

	start(&c, "file");
	CU_ASSERT_EQUAL(pwrite(fd, "y", 1, 0), 1);
	await(&c, 2);
	CU_ASSERT_EQUAL(pwrite(fd, "z", 1, 0), 1);
	await(&c, 3);
	close(fd);
	clean_up();
}

static void
a_replaced_file_is_seen_and_followed(void)
{
	struct counter c;

	prepare();
	put("file", "old");
	start(&c, "file");
	put("file.new", "new");
	move("file.new", "file");
	await(&c, 2);
	settle();
	CU_ASSERT_EQUAL(c.calls, 2);
	put("file", "more");
	await(&c, 3);
	clean_up();
}

static void
a_file_may_go_and_come_back(void)
{
	struct counter c;

	prepare();
	put("file", "x");
	start(&c, "file");
	CU_ASSERT_EQUAL(unlink(below("file")), 0);
	await(&c, 2);
	put("file", "y");
	await(&c, 3);
	settle();
	put("file", "z");
	await(&c, 4);
	clean_up();
}

static void
directories_on_the_way_may_come_later(void)
{
	struct counter c;

	prepare();
	start(&c, "a/b/file");
	make_dir("a");
	await(&c, 2);
	make_dir("a/b");
	put("a/b/file", "x");
	await(&c, 3);
	settle();
	put("a/b/file", "y");
	await(&c, 4);
	move("a", "elsewhere");
	await(&c, 5);
	clean_up();
}

static void
a_link_is_followed_and_may_lead_elsewhere(void)
{
	struct counter c;

	prepare();
	make_dir("store");
	put("store/one", "1");
	put("store/two", "2");
	make_link("store/one", "file");
	start(&c, "file");
	put("store/one", "x");
	await(&c, 2);
	make_link("store/two", "file.new");
	move("file.new", "file");
	await(&c, 3);
	settle();
	put("store/two", "x");
	await(&c, 4);
	put("store/one", "x");
	settle();
	CU_ASSERT_EQUAL(c.calls, 4);
	clean_up();
}

/* As container orchestrators hand out settings: file -> ..data/file, ..data -> ..2024. */
static void
a_link_in_the_middle_may_be_switched(void)
{
	struct counter c;

	prepare();
	make_dir("..1");
	make_dir("..2");
	put("..1/file", "1");
	put("..2/file", "2");
	make_link("..1", "..data");
	make_link("..data/file", "file");
	start(&c, "file");
	make_link(below("..2"), "..tmp");
	move("..tmp", "..data");
	await(&c, 2);
	settle();
	put("..2/file", "x");
	await(&c, 3);
	clean_up();
}

static void
links_in_a_circle_end(void)
{
	struct counter c;

	prepare();
	make_link("b", "a");
	make_link("a", "b");
	start(&c, "a");
	CU_ASSERT_EQUAL(unlink(below("a")), 0);
	put("a", "x");
	await(&c, 2);
	clean_up();
}

static void
a_directory_reports_its_files(void)
{
	struct counter c;

	prepare();
	make_dir("d");
	start(&c, "d");
	put("d/one", "x");
	await(&c, 2);
	settle();
	put("d/one", "y");
	await(&c, 3);
	settle();
	CU_ASSERT_EQUAL(unlink(below("d/one")), 0);
	await(&c, 4);
	clean_up();
}

static void
neighbours_are_ignored(void)
{
	struct counter c;

	prepare();
	put("file", "x");
	start(&c, "file");
	put("neighbour", "x");
	make_dir("other");
	settle();
	CU_ASSERT_EQUAL(c.calls, 1);
	clean_up();
}

static void
many_changes_are_one_call(void)
{
	struct counter c;

	prepare();
	start(&c, "file");
	for (int i = 0; i < 100; i++)
		put("file", "x");
	await(&c, 2);
	settle();
	CU_ASSERT_EQUAL(c.calls, 2);
	clean_up();
}

static void
changes_without_end_are_reported_all_the_same(void)
{
	struct counter c;

	prepare();
	start(&c, "file");

	for (mono_us now = loop_clock(loop), until = now + PATIENCE; c.calls < 3 && now < until;
	     now += WATCH_SETTLE / 3) {
		put("file", "x");
		while (loop_clock(loop) < now)
			CU_ASSERT_EQUAL_FATAL(loop_turn(loop, now), OK);
	}
	CU_ASSERT_EQUAL(c.calls, 3);
	clean_up();
}

static void
two_watches_of_one_file_do_not_disturb_each_other(void)
{
	struct counter a, b;

	prepare();
	put("file", "x");
	start(&a, "file");
	start(&b, "file");
	put("file", "y");
	await(&a, 2);
	await(&b, 2);
	watch_stop(&a.watch);
	settle();
	put("file", "z");
	await(&b, 3);
	CU_ASSERT_EQUAL(a.calls, 2);
	CU_ASSERT_EQUAL(watcher_stats(watcher)->watches, 1);
	clean_up();
}

static void
a_watch_may_stop_itself_and_start_again(void)
{
	struct counter c = { .watch.changed = count, .stops = true };

	prepare();
	CU_ASSERT_EQUAL(watch_start(watcher, &c.watch, below("file")), OK);
	await(&c, 1);
	CU_ASSERT_FALSE(watch_running(&c.watch));
	put("file", "x");
	settle();
	CU_ASSERT_EQUAL(c.calls, 1);
	c.stops = false;
	CU_ASSERT_EQUAL(watch_start(watcher, &c.watch, below("file")), OK);
	await(&c, 2);
	put("file", "x");
	await(&c, 3);
	watch_stop(&c.watch);
	watch_stop(&c.watch);
	clean_up();
}

static void
a_watch_may_stop_while_it_is_looked_for(void)
{
	struct counter c = { .watch.changed = count };

	prepare();
	CU_ASSERT_EQUAL(watch_start(watcher, &c.watch, below("file")), OK);
	while (c.watch.job == NULL)
		CU_ASSERT_EQUAL_FATAL(loop_turn(loop, loop_clock(loop)), OK);
	watch_stop(&c.watch);
	settle();
	CU_ASSERT_EQUAL(c.calls, 0);
	CU_ASSERT_EQUAL(watch_start(watcher, &c.watch, below("file")), OK);
	while (c.watch.job == NULL)
		CU_ASSERT_EQUAL_FATAL(loop_turn(loop, loop_clock(loop)), OK);
	clean_up();
	CU_ASSERT_EQUAL(c.calls, 0);
}

/* More directories than there are points: inotify does not see the end, the clock does. */
static void
what_inotify_cannot_see_is_polled(void)
{
	char name[WATCH_POINTS_MAX * 5 + 8] = "";
	struct counter c;

	prepare();
	make_dir("a");
	for (int i = 0; i < WATCH_POINTS_MAX; i++)
		strcat(name, "a/../");
	strcat(name, "file");
	put("file", "x");
	start(&c, name);
	CU_ASSERT_EQUAL(watcher_stats(watcher)->polled, 1);
	CU_ASSERT_TRUE(c.watch.timer.at > loop_now(loop));
	loop_timer(loop, &c.watch.timer, loop_now(loop));
	settle();
	CU_ASSERT_EQUAL(c.calls, 1);
	put("file", "longer");
	loop_timer(loop, &c.watch.timer, loop_now(loop));
	await(&c, 2);
	watch_stop(&c.watch);
	CU_ASSERT_EQUAL(watcher_stats(watcher)->polled, 0);
	clean_up();
}

static void
relative_paths_and_unusual_ones_work(void)
{
	struct counter c = { .watch.changed = count };
	struct counter root;
	char *here = getcwd(NULL, 0);
	char *longer = malloc(PATH_MAX + 1);

	prepare();
	CU_ASSERT_EQUAL_FATAL(chdir(dir), 0);
	CU_ASSERT_EQUAL(watch_start(watcher, &c.watch, ".//file"), OK);
	CU_ASSERT_EQUAL_FATAL(chdir(here), 0);
	await(&c, 1);
	put("file", "x");
	await(&c, 2);
	root = (struct counter){ .watch.changed = count };
	CU_ASSERT_EQUAL(watch_start(watcher, &root.watch, "/"), OK);
	await(&root, 1);
	watch_stop(&root.watch);
	memset(longer, 'a', PATH_MAX);
	longer[PATH_MAX] = '\0';
	CU_ASSERT_EQUAL(watch_start(watcher, &root.watch, longer), ERR_RANGE);
	CU_ASSERT_FALSE(watch_running(&root.watch));
	longer[0] = '/';
	longer[NAME_MAX + 10] = '\0';
	CU_ASSERT_EQUAL(watch_start(watcher, &root.watch, longer), OK);
	await(&root, 2);
	clean_up();
	free(longer);
	free(here);
}

UNIT_MAIN("watch", UNIT(a_new_watch_calls_once),
    UNIT(writing_in_place_is_seen_before_the_file_is_closed),
    UNIT(a_replaced_file_is_seen_and_followed), UNIT(a_file_may_go_and_come_back),
    UNIT(directories_on_the_way_may_come_later), UNIT(a_link_is_followed_and_may_lead_elsewhere),
    UNIT(a_link_in_the_middle_may_be_switched), UNIT(links_in_a_circle_end),
    UNIT(a_directory_reports_its_files), UNIT(neighbours_are_ignored),
    UNIT(many_changes_are_one_call), UNIT(changes_without_end_are_reported_all_the_same),
    UNIT(two_watches_of_one_file_do_not_disturb_each_other),
    UNIT(a_watch_may_stop_itself_and_start_again), UNIT(a_watch_may_stop_while_it_is_looked_for),
    UNIT(what_inotify_cannot_see_is_polled), UNIT(relative_paths_and_unusual_ones_work))
