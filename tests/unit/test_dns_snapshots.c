/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/offload.h"
#include "support/dns_cache.h"
#include "support/unit.h"

#define PATIENCE seconds(20)
#define NEVER	 seconds(3600)	/* between two files, where a test wants none by itself */
#define WALL	 INT64_C(1750000000)

static const uint8_t key_a[SEAL_SHORT_KEY_BYTES] = "one run";
static const uint8_t key_b[SEAL_SHORT_KEY_BYTES] = "the next run";

/* One run of the daemon: loop, pool, cache and what keeps it. */
struct run {
	struct loop *loop;
	struct offload *pool;
	struct dns_cache *cache;
	struct dns_snapshots *snaps;
	int64_t wall;
	uint64_t routes;
};

static char dir[64];
static char file[128];

static int64_t
wall_of(void *ctx)
{
	return ((struct run *)ctx)->wall;
}

static uint64_t
routes_of(void *ctx)
{
	return ((struct run *)ctx)->routes;
}

static void
begin_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hearth-snapshots.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/%s", dir, DNS_SNAPSHOTS_FILE);
}

static void
end_dir(void)
{
	char beside[160];

	snprintf(beside, sizeof(beside), "%s.new", file);
	CU_ASSERT_EQUAL(access(beside, F_OK), -1);	/* nothing is left lying about */
	unlink(file);
	rmdir(file);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* wall is what the clock says. Nothing is switched on yet. */
static struct run *
begin_run(const uint8_t key[static SEAL_SHORT_KEY_BYTES], int64_t wall)
{
	struct run *r = calloc(1, sizeof(*r));
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;

	r->wall = wall;
	CU_ASSERT_EQUAL_FATAL(loop_new(&r->loop), OK);
	CU_ASSERT_EQUAL_FATAL(offload_new(&r->pool, r->loop, 2, 64), OK);
	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&r->cache, &cf, key), OK);

	struct dns_snapshots_env env = { .loop = r->loop, .offload = r->pool, .cache = r->cache,
		.service = "dns", .dir = dir, .routes = routes_of, .wall = wall_of, .ctx = r,
		.clock_retry = millis(5) };

	CU_ASSERT_EQUAL_FATAL(dns_snapshots_new(&r->snaps, &env), OK);
	return r;
}

/* In the order in which the daemon stops. */
static void
end_run(struct run *r)
{
	dns_snapshots_free(r->snaps);
	dns_cache_free(r->cache);
	offload_free(r->pool);
	loop_free(r->loop);
	free(r);
}

static void
turn(struct run *r)
{
	CU_ASSERT_EQUAL_FATAL(loop_turn(r->loop, loop_now(r->loop) + millis(20)), OK);
}

static void
await_load(struct run *r, enum dns_snapshots_load want)
{
	mono_us until = loop_now(r->loop) + PATIENCE;

	while (dns_snapshots_stats(r->snaps)->load != want && loop_now(r->loop) < until)
		turn(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->load, want);
}

/* Switch on and wait until the file was read. */
static void
load(struct run *r, enum dns_snapshots_load want)
{
	dns_snapshots_configure(r->snaps, true, NEVER);
	await_load(r, want);
}

static void
finish(struct run *r)
{
	mono_us until = loop_now(r->loop) + PATIENCE;

	while (dns_snapshots_finish(r->snaps) && loop_now(r->loop) < until)
		turn(r);
	CU_ASSERT_FALSE(dns_snapshots_finish(r->snaps));
}

static void
put(struct run *r, const char *name, uint32_t ttl, uint8_t last)
{
	struct dns_test_key k;

	dns_test_key(&k, r->cache, name, DNS_TYPE_A);
	CU_ASSERT_PTR_NOT_NULL(dns_cache_put(r->cache, &k.key, dns_test_address(name, ttl, last), 0,
	    loop_now(r->loop)));
}

/* What is left of the TTL; -1 where there is no fresh answer. */
static int64_t
ttl_of(struct run *r, const char *name)
{
	struct dns_test_key k;
	const struct dns_entry *e;
	struct dns_entry_info info;

	dns_test_key(&k, r->cache, name, DNS_TYPE_A);
	if (dns_cache_find(r->cache, &k.key, loop_now(r->loop), &e) != DNS_CACHE_FRESH)
		return -1;
	dns_entry_info(r->cache, e, loop_now(r->loop), &info);
	return info.ttl_s;
}

static size_t
entries(const struct run *r)
{
	struct dns_cache_stats st;

	dns_cache_stats(r->cache, &st);
	return st.entries;
}

/* A run that saves `count` answers of some size. */
static void
save_many(unsigned count)
{
	struct run *r = begin_run(key_a, WALL);

	load(r, DNS_SNAPSHOTS_NONE);
	for (unsigned i = 0; i < count; i++) {
		struct dns_test_key k;
		char name[32];

		snprintf(name, sizeof(name), "n%u.example", i);
		dns_test_key(&k, r->cache, name, DNS_TYPE_TXT);
		CU_ASSERT_PTR_NOT_NULL(dns_cache_put(r->cache, &k.key,
		    dns_test_says(name, DNS_TYPE_TXT,
			&(struct dns_test_says){ .ttl = 3600, .len = 300 }), 0, loop_now(r->loop)));
	}
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 1);
	end_run(r);
}

static long
file_size(void)
{
	struct stat st;

	return stat(file, &st) == 0 ? (long)st.st_size : -1;
}

/* Change one byte. */
static void
damage(long at)
{
	int fd = open(file, O_RDWR);
	uint8_t byte;

	CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
a_restart_begins_with_what_was_saved(void)
{
	begin_dir();

	struct run *r = begin_run(key_a, WALL);
	struct stat st;

	load(r, DNS_SNAPSHOTS_NONE);
	put(r, "a.example", 300, 1);
	put(r, "short.example", 20, 2);
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 1);
	end_run(r);
	CU_ASSERT_EQUAL(stat(file, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);

	r = begin_run(key_b, WALL + 100);
	load(r, DNS_SNAPSHOTS_DONE);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->loaded, 2);
	CU_ASSERT(ttl_of(r, "a.example") <= 200 && ttl_of(r, "a.example") > 150);
	CU_ASSERT_EQUAL(ttl_of(r, "short.example"), -1);	/* stale by now */
	CU_ASSERT_EQUAL(entries(r), 2);
	end_run(r);
	end_dir();
}

static void
a_large_cache_goes_in_slices(void)
{
	begin_dir();
	save_many(3000);
	CU_ASSERT(file_size() > 3000 * 300);

	struct run *r = begin_run(key_b, WALL);
	uint64_t before = loop_stats(r->loop)->turns;

	load(r, DNS_SNAPSHOTS_DONE);
	CU_ASSERT_EQUAL(entries(r), 3000);
	CU_ASSERT(loop_stats(r->loop)->turns - before >= 3000 / 64);
	end_run(r);
	end_dir();
}

static void
damage_anywhere_is_noticed_and_mended_by_the_next_file(void)
{
	begin_dir();
	save_many(50);

	long size = file_size();
	long places[] = { 0, 7, 20, 40, size / 2, size - 33, size - 32, size - 1 };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct run *r = begin_run(key_b, WALL);

		damage(places[i]);
		load(r, DNS_SNAPSHOTS_REFUSED);
		CU_ASSERT_EQUAL(entries(r), 0);
		end_run(r);
		damage(places[i]);
	}

	struct run *r = begin_run(key_b, WALL);

	damage(20);
	load(r, DNS_SNAPSHOTS_REFUSED);
	put(r, "new.example", 60, 1);
	finish(r);
	end_run(r);
	r = begin_run(key_b, WALL);
	load(r, DNS_SNAPSHOTS_DONE);
	CU_ASSERT_EQUAL(entries(r), 1);
	end_run(r);
	end_dir();
}

static void
what_is_no_snapshot_is_refused(void)
{
	static const char *const texts[] = { "", "x",
		"a file of somebody else, long enough to hold a hash" };

	begin_dir();
	for (size_t i = 0; i < 3; i++) {
		FILE *f = fopen(file, "w");
		struct run *r = begin_run(key_a, WALL);

		fputs(texts[i], f);
		fclose(f);
		load(r, DNS_SNAPSHOTS_REFUSED);
		end_run(r);
	}
	unlink(file);
	CU_ASSERT_EQUAL(mkdir(file, 0700), 0);

	struct run *r = begin_run(key_a, WALL);

	load(r, DNS_SNAPSHOTS_REFUSED);
	put(r, "a.example", 60, 1);
	finish(r);	/* nothing can be put in its place */
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->failures, 1);
	end_run(r);
	end_dir();
}

static void
a_cut_file_is_refused(void)
{
	begin_dir();
	save_many(50);

	struct run *r = begin_run(key_b, WALL);

	CU_ASSERT_EQUAL(truncate(file, file_size() / 2), 0);
	load(r, DNS_SNAPSHOTS_REFUSED);
	CU_ASSERT_EQUAL(entries(r), 0);
	end_run(r);
	end_dir();
}

static void
a_link_is_not_followed(void)
{
	begin_dir();
	CU_ASSERT_EQUAL(symlink("/dev/zero", file), 0);

	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_REFUSED);
	end_run(r);
	end_dir();
}

static void
an_answer_that_came_meanwhile_beats_the_file(void)
{
	struct run *r;

	begin_dir();
	r = begin_run(key_a, WALL);
	load(r, DNS_SNAPSHOTS_NONE);
	put(r, "a.example", 3000, 1);
	put(r, "b.example", 3000, 1);
	finish(r);
	end_run(r);
	r = begin_run(key_b, WALL);
	put(r, "a.example", 60, 2);
	load(r, DNS_SNAPSHOTS_DONE);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->loaded, 1);
	CU_ASSERT(ttl_of(r, "a.example") <= 60);
	CU_ASSERT(ttl_of(r, "b.example") > 2900);
	end_run(r);
	end_dir();
}

static void
a_file_from_the_future_waits_for_the_clock(void)
{
	begin_dir();
	save_many(10);

	struct run *r = begin_run(key_b, WALL - 1000000);

	load(r, DNS_SNAPSHOTS_EARLY);
	put(r, "a.example", 60, 2);
	for (int i = 0; i < 5; i++)
		turn(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->load, DNS_SNAPSHOTS_EARLY);
	CU_ASSERT_EQUAL(entries(r), 1);
	r->wall = WALL + 60;
	await_load(r, DNS_SNAPSHOTS_DONE);
	CU_ASSERT_EQUAL(entries(r), 11);
	end_run(r);

	/* Ending before the clock is set leaves the file alone. */
	long size = file_size();

	r = begin_run(key_b, WALL - 1000000);
	load(r, DNS_SNAPSHOTS_EARLY);
	put(r, "a.example", 60, 2);
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 0);
	CU_ASSERT_EQUAL(file_size(), size);
	end_run(r);

	/* A clock that is never set is the right one in the end. */
	r = begin_run(key_b, WALL - 1000000);
	load(r, DNS_SNAPSHOTS_REFUSED);
	end_run(r);
	end_dir();
}

static void
an_unchanged_cache_is_not_written_again(void)
{
	begin_dir();
	save_many(10);

	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_DONE);
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 0);
	end_run(r);
	end_dir();
}

static void
it_is_written_from_time_to_time(void)
{
	struct run *r;
	mono_us until;

	begin_dir();
	r = begin_run(key_a, WALL);
	until = loop_now(r->loop) + PATIENCE;
	load(r, DNS_SNAPSHOTS_NONE);
	dns_snapshots_configure(r->snaps, true, millis(5));
	for (uint8_t i = 1; i <= 3; i++) {
		put(r, "a.example", 60, i);
		while (dns_snapshots_stats(r->snaps)->saves < i && loop_now(r->loop) < until)
			turn(r);
	}
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 3);
	end_run(r);
	end_dir();
}

static void
switching_off_removes_the_file(void)
{
	begin_dir();
	save_many(10);

	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_DONE);
	dns_snapshots_configure(r->snaps, false, NEVER);
	CU_ASSERT_EQUAL(file_size(), -1);
	put(r, "a.example", 60, 2);
	finish(r);
	CU_ASSERT_EQUAL(file_size(), -1);
	dns_snapshots_configure(r->snaps, true, NEVER);
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 1);
	end_run(r);
	end_dir();
}

static void
switching_off_while_it_is_written_removes_it_too(void)
{
	begin_dir();

	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_NONE);
	put(r, "a.example", 60, 2);
	CU_ASSERT_TRUE(dns_snapshots_finish(r->snaps));
	dns_snapshots_configure(r->snaps, false, NEVER);
	for (int i = 0; i < 5; i++)
		turn(r);
	CU_ASSERT_EQUAL(file_size(), -1);
	end_run(r);
	end_dir();
}

static void
ending_in_the_middle_leaves_the_old_file(void)
{
	begin_dir();
	save_many(2000);

	long size = file_size();
	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_DONE);
	put(r, "a.example", 60, 2);
	CU_ASSERT_TRUE(dns_snapshots_finish(r->snaps));
	for (int i = 0; i < 4; i++)
		turn(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 0);
	end_run(r);
	CU_ASSERT_EQUAL(file_size(), size);

	r = begin_run(key_b, WALL);	/* and while it is read */
	dns_snapshots_configure(r->snaps, true, NEVER);
	end_run(r);
	r = begin_run(key_b, WALL);
	dns_snapshots_configure(r->snaps, true, NEVER);
	for (int i = 0; i < 4; i++)
		turn(r);
	finish(r);
	end_run(r);
	CU_ASSERT_EQUAL(file_size(), size);
	end_dir();
}

static void
without_a_state_directory_nothing_happens(void)
{
	dir[0] = '\0';

	struct run *r = begin_run(key_b, WALL);

	dns_snapshots_configure(r->snaps, true, millis(1));
	put(r, "a.example", 60, 2);
	turn(r);
	CU_ASSERT_FALSE(dns_snapshots_finish(r->snaps));
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->load, DNS_SNAPSHOTS_OFF);
	end_run(r);
}

static void
a_directory_that_is_gone_is_counted(void)
{
	begin_dir();

	struct run *r = begin_run(key_b, WALL);

	load(r, DNS_SNAPSHOTS_NONE);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
	put(r, "a.example", 60, 2);
	finish(r);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->failures, 1);
	CU_ASSERT_EQUAL(dns_snapshots_stats(r->snaps)->saves, 0);
	end_run(r);
}

UNIT_MAIN("dns_snapshots",
	UNIT(a_restart_begins_with_what_was_saved),
	UNIT(a_large_cache_goes_in_slices),
	UNIT(damage_anywhere_is_noticed_and_mended_by_the_next_file),
	UNIT(what_is_no_snapshot_is_refused),
	UNIT(a_cut_file_is_refused),
	UNIT(a_link_is_not_followed),
	UNIT(an_answer_that_came_meanwhile_beats_the_file),
	UNIT(a_file_from_the_future_waits_for_the_clock),
	UNIT(an_unchanged_cache_is_not_written_again),
	UNIT(it_is_written_from_time_to_time),
	UNIT(switching_off_removes_the_file),
	UNIT(switching_off_while_it_is_written_removes_it_too),
	UNIT(ending_in_the_middle_leaves_the_old_file),
	UNIT(without_a_state_directory_nothing_happens),
	UNIT(a_directory_that_is_gone_is_counted))
