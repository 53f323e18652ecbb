/* SPDX-License-Identifier: MIT */
/*
 * The file: what dns_cache_save_begin() and dns_cache_save_some() write, then BLAKE2b-256 of that.
 *
 *   reading  pool: read and check the file --> loop: take LOAD_SLICE entries a turn --> done
 *   writing  loop: fill one slice --> pool: append it to FILE.new --> loop: the next one …
 *	      … the last one --> pool: append the hash, fsync, rename, fsync the folder
 *
 * Jobs belong to the pool while they are at work. Where their owner ends before they do, they are
 * released when they come back.
 */
#include "services/dns/dns_snapshots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/report.h"
#include "services/dns/dns_cache.h"
#include "util/file.h"
#include "util/seal.h"
#include "util/wire.h"

#define LOAD_SLICE   64			/* entries a turn: some 200 µs */
#define SAVE_SLICE   (96u << 10)	/* bytes a turn: the same, and any entry fits */
#define FILE_MAX_MIN ((size_t)64 << 20)	/* a file of up to this is read whatever the cache's size */
#define CLOCK_RETRY  seconds(10)
#define CLOCK_TRIES  60			/* that makes ten minutes */

_Static_assert(SAVE_SLICE > DNS_SNAPSHOT_RECORD_MAX + 64, "an entry and the head fit in a slice");

static const struct span no_key = { 0 };

struct reader {
	struct offload_job job;		/* first */
	struct dns_snapshots *owner;	/* NULL: nobody wants it any more */
	bool at_work;			/* the pool has it */
	char path[PATH_MAX];
	size_t max;
	enum err result;
	int cause;			/* errno where result is ERR_SYS */
	uint8_t *bytes;
	struct span body;		/* without the hash */
	/* While entries are taken. */
	struct wire_rd rd;
	struct dns_load load;
	size_t taken;
};

struct writer {
	struct offload_job job;		/* first */
	struct dns_snapshots *owner;	/* NULL: nobody waits for it any more */
	bool at_work;			/* the pool has it */
	bool unwanted;			/* remove the file when it is there */
	char path[PATH_MAX];
	char beside[PATH_MAX];
	int fd;
	bool last;			/* this slice ends the file */
	enum err result;
	int cause;
	struct seal_hash hash;
	uint64_t total;
	struct dns_snapshot moment;
	uint32_t cursor;
	mono_us began;
	size_t len;
	uint8_t slice[SAVE_SLICE];
};

struct dns_snapshots {
	struct dns_snapshots_env env;
	char path[PATH_MAX];
	bool on;
	usec every;
	struct timer due;		/* the next file, or the next look at the clock */
	struct timer step;		/* the next slice */
	struct reader *reader;
	struct writer *writer;
	bool loaded;			/* the file was read, or there is none to read */
	unsigned clock_tries;
	bool finishing;			/* the last file is being written */
	bool finished;
	bool complained;		/* since the last file that was written */
	uint64_t saved_changes;		/* changes() when the file was begun */
	uint64_t pending_changes;
	struct dns_snapshots_stats n;
};

static int64_t
wall(const struct dns_snapshots *s)
{
	return s->env.wall != NULL ? s->env.wall(s->env.ctx) : (int64_t)time(NULL);
}

/* A number that is another one when the cache holds something else. */
static uint64_t
changes(const struct dns_snapshots *s)
{
	struct dns_cache_stats st;

	dns_cache_stats(s->env.cache, &st);
	return st.inserts + st.flushed;
}

static struct dns_snapshot
this_moment(struct dns_snapshots *s)
{
	return (struct dns_snapshot){ .wall_s = wall(s), .now = loop_now(s->env.loop),
		.routes = s->env.routes(s->env.ctx) };
}

static void
step_soon(struct dns_snapshots *s)
{
	loop_timer(s->env.loop, &s->step, loop_now(s->env.loop) + 1);
}

static void
schedule(struct dns_snapshots *s)
{
	loop_timer(s->env.loop, &s->due, s->on ? loop_now(s->env.loop) + s->every : MONO_NEVER);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
reader_free(struct reader *rd)
{
	free(rd->bytes);
	free(rd);
}

/* Read the file whole; in the pool. */
static enum err
slurp(struct reader *rd, size_t *len)
{
	/* O_NONBLOCK: a pipe in its place shall not be waited for. */
	int fd = open(rd->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	enum err e = ERR_SYS;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYS;
	if (fstat(fd, &st) == 0) {
		size_t size = st.st_size > 0 ? (size_t)st.st_size : 0;

		e = !S_ISREG(st.st_mode) ? ERR_FORMAT : size > rd->max ? ERR_RANGE : ERR_NOMEM;
		if (e == ERR_NOMEM && (rd->bytes = malloc(size + 1)) != NULL)
			e = file_read_all(fd, rd->bytes, size, len);
	}
	file_close_quietly(fd);
	return e;
}

static void
read_work(struct offload_job *job)
{
	struct reader *rd = (struct reader *)job;
	uint8_t want[SEAL_HASH_BYTES];
	size_t len = 0;

	rd->result = slurp(rd, &len);
	rd->cause = errno;
	if (rd->result != OK)
		return;
	rd->result = ERR_FORMAT;
	if (len < SEAL_HASH_BYTES)
		return;
	rd->body = span_of(rd->bytes, len - SEAL_HASH_BYTES);
	seal_hash(want, sizeof(want), rd->body, no_key);
	if (seal_equal(want, rd->bytes + rd->body.len, sizeof(want)))
		rd->result = OK;
}

/* Reading is over. */
static void
end_load(struct dns_snapshots *s, enum dns_snapshots_load how)
{
	reader_free(s->reader);
	s->reader = NULL;
	s->loaded = true;
	s->n.load = how;
	s->saved_changes = changes(s);
	schedule(s);
}

static void
refuse(struct dns_snapshots *s, const char *why)
{
	log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service, "snapshot_ignored",
	    LOG_STR("file", s->path), LOG_STR("reason", why));
	end_load(s, DNS_SNAPSHOTS_REFUSED);
}

/* What an error in a file means to its owner. */
static const char *
why_refused(const struct reader *rd, enum err e)
{
	switch (e) {
	case ERR_SYS:
		return strerror(rd->cause);
	case ERR_UNSUPPORTED:
		return "written by another version";
	case ERR_RANGE:
		return "larger than the cache can be";
	case ERR_NOMEM:
		return "out of memory";
	default:
		return "damaged, or not a snapshot";
	}
}

/* The file is from the future: the clock may not be set yet. */
static void
wait_for_clock(struct dns_snapshots *s)
{
	if (s->clock_tries++ >= CLOCK_TRIES) {
		refuse(s, "written in the future: the clock was set back");
		return;
	}
	if (s->clock_tries == 1)
		log_note(s->env.log, LOG_LEVEL_NOTICE, s->env.service,
		    "the cache on the disk is from the future: waiting for the clock to be set");
	s->n.load = DNS_SNAPSHOTS_EARLY;
	reader_free(s->reader);
	s->reader = NULL;
	loop_timer(s->env.loop, &s->due, loop_now(s->env.loop) + s->env.clock_retry);
}

static void
begin_load_slices(struct dns_snapshots *s)
{
	struct reader *rd = s->reader;
	struct dns_snapshot now = this_moment(s);
	enum err e;

	rd->rd = wire_rd_of(rd->body);
	e = dns_cache_load_begin(&rd->load, &now, &rd->rd);
	if (e == ERR_RANGE)
		wait_for_clock(s);
	else if (e != OK)
		refuse(s, why_refused(rd, e));
	else
		step_soon(s);
}

static void
read_done(struct offload_job *job)
{
	struct reader *rd = (struct reader *)job;
	struct dns_snapshots *s = rd->owner;

	rd->at_work = false;
	if (s == NULL) {
		reader_free(rd);
		return;
	}
	if (job->cancelled || rd->result == ERR_NOTFOUND)
		end_load(s, DNS_SNAPSHOTS_NONE);
	else if (rd->result != OK)
		refuse(s, why_refused(rd, rd->result));
	else
		begin_load_slices(s);
}

static void
load_slice(struct dns_snapshots *s)
{
	struct reader *rd = s->reader;
	enum err e = dns_cache_load_some(s->env.cache, &rd->load, &rd->rd, LOAD_SLICE, &rd->taken);

	s->n.loaded = rd->taken;
	if (e != OK) {
		refuse(s, why_refused(rd, e));
	} else if (wire_rd_left(&rd->rd) != 0) {
		step_soon(s);
	} else {
		log_event(s->env.log, LOG_LEVEL_NOTICE, s->env.service, "cache_restored",
		    LOG_U64("entries", rd->taken), LOG_I64("age_s", rd->load.since_s));
		end_load(s, DNS_SNAPSHOTS_DONE);
	}
}

static void
begin_load(struct dns_snapshots *s)
{
	struct reader *rd = calloc(1, sizeof(*rd));
	struct dns_cache_stats st;

	if (rd == NULL) {
		s->loaded = true;
		schedule(s);
		return;
	}
	dns_cache_stats(s->env.cache, &st);
	rd->job = (struct offload_job){ .work = read_work, .done = read_done };
	rd->owner = s;
	rd->max = st.max_bytes * 4 > FILE_MAX_MIN ? st.max_bytes * 4 : FILE_MAX_MIN;
	snprintf(rd->path, sizeof(rd->path), "%s", s->path);
	s->reader = rd;
	if (s->n.load != DNS_SNAPSHOTS_EARLY)
		s->n.load = DNS_SNAPSHOTS_READING;
	if (offload_submit(s->env.offload, &rd->job) == OK)
		rd->at_work = true;
	else
		refuse(s, "the pool is full");
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Not while the pool has it. */
static void
writer_free(struct writer *w)
{
	if (w->fd >= 0) {
		file_close_quietly(w->fd);
		file_unlink_quietly(w->beside);
	}
	free(w);
}

static enum err
open_beside(struct writer *w)
{
	if (unlink(w->beside) != 0 && errno != ENOENT)
		return ERR_SYS;
	w->fd = open(w->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return w->fd >= 0 ? OK : ERR_SYS;
}

static enum err
end_file(struct writer *w)
{
	uint8_t sum[SEAL_HASH_BYTES];
	int fd = w->fd;

	seal_hash_final(&w->hash, sum);
	w->total += sizeof(sum);
	w->fd = -1;
	if (file_write_closing(fd, span_of(sum, sizeof(sum))) != OK ||
	    rename(w->beside, w->path) != 0) {
		file_unlink_quietly(w->beside);
		return ERR_SYS;
	}
	return file_sync_directory_of(w->path);
}

static void
write_work(struct offload_job *job)
{
	struct writer *w = (struct writer *)job;
	struct span slice = span_of(w->slice, w->len);

	w->result = w->fd < 0 ? open_beside(w) : OK;
	if (w->result == OK)
		w->result = file_write_all(w->fd, slice);
	seal_hash_update(&w->hash, slice);
	w->total += slice.len;
	if (w->result == OK && w->last)
		w->result = end_file(w);
	w->cause = errno;
}

static void
end_save(struct dns_snapshots *s, enum err e)
{
	struct writer *w = s->writer;
	mono_us now = loop_now(s->env.loop);

	s->writer = NULL;
	if (e == OK) {
		s->n.saves++;
		s->n.bytes = w->total;
		s->n.took = now - w->began;
		s->saved_changes = s->pending_changes;
		s->n.saved_at = now;
		s->complained = false;
		log_event(s->env.log, LOG_LEVEL_DEBUG, s->env.service, "cache_saved",
		    LOG_U64("bytes", w->total), LOG_I64("ms", s->n.took / 1000));
	} else {
		s->n.failures++;
		if (!s->complained)
			log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service, "cache_not_saved",
			    LOG_STR("file", s->path),
			    LOG_STR("reason", e == ERR_SYS ? strerror(w->cause) : err_text(e)));
		s->complained = true;
	}
	if (w->unwanted)
		file_unlink_quietly(s->path);
	writer_free(w);
	if (s->finishing)
		s->finished = true;
	else
		schedule(s);
}

/* Fill the next slice and hand it to the pool. */
static void
save_slice(struct dns_snapshots *s)
{
	struct writer *w = s->writer;
	struct wire_wr wr = wire_wr_of(w->slice, sizeof(w->slice));

	if (w->total == 0)
		dns_cache_save_begin(&w->moment, &wr);
	w->last = !dns_cache_save_some(s->env.cache, &w->moment, &w->cursor, &wr);
	assert(!wr.bad);
	w->len = wire_wr_len(&wr);

	enum err e = offload_submit(s->env.offload, &w->job);

	if (e != OK) {
		w->cause = errno;
		end_save(s, e);
		return;
	}
	w->at_work = true;
}

static void
write_done(struct offload_job *job)
{
	struct writer *w = (struct writer *)job;
	struct dns_snapshots *s = w->owner;

	w->at_work = false;
	if (s == NULL)
		writer_free(w);
	else if (job->cancelled)
		end_save(s, ERR_DENIED);
	else if (w->result != OK || w->last)
		end_save(s, w->result);
	else
		step_soon(s);
}

static bool
begin_save(struct dns_snapshots *s)
{
	struct writer *w = malloc(sizeof(*w));

	if (w == NULL) {
		s->n.failures++;
		return false;
	}
	memset(w, 0, offsetof(struct writer, slice));
	w->job = (struct offload_job){ .work = write_work, .done = write_done };
	w->owner = s;
	w->fd = -1;
	w->began = loop_now(s->env.loop);
	w->moment = this_moment(s);
	snprintf(w->path, sizeof(w->path), "%s", s->path);
	if ((size_t)snprintf(w->beside, sizeof(w->beside), "%s.new", s->path) >=
	    sizeof(w->beside)) {
		free(w);
		s->n.failures++;
		return false;
	}
	seal_hash_init(&w->hash, SEAL_HASH_BYTES, no_key);
	s->pending_changes = changes(s);
	s->writer = w;
	save_slice(s);
	return true;
}

/* --- when ------------------------------------------------------------------------------------- */

static void
on_step(struct timer *t, mono_us now)
{
	struct dns_snapshots *s =
	    (struct dns_snapshots *)((uint8_t *)t - offsetof(struct dns_snapshots, step));

	(void)now;
	if (s->reader != NULL)
		load_slice(s);
	else if (s->writer != NULL)
		save_slice(s);
}

static void
on_due(struct timer *t, mono_us now)
{
	struct dns_snapshots *s =
	    (struct dns_snapshots *)((uint8_t *)t - offsetof(struct dns_snapshots, due));

	(void)now;
	if (!s->loaded)
		begin_load(s);
	else if (s->writer != NULL || changes(s) == s->saved_changes || !begin_save(s))
		schedule(s);
}

enum err
dns_snapshots_new(struct dns_snapshots **out, const struct dns_snapshots_env *env)
{
	struct dns_snapshots *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	s->env = *env;
	s->due.fire = on_due;
	s->step.fire = on_step;
	if (s->env.clock_retry == 0)
		s->env.clock_retry = CLOCK_RETRY;
	if (*env->dir != '\0' && (size_t)snprintf(s->path, sizeof(s->path), "%s/%s", env->dir,
	    DNS_SNAPSHOTS_FILE) >= sizeof(s->path))
		s->path[0] = '\0';
	*out = s;
	return OK;
}

/* Let go of jobs: those at work are released when they come back. */
static void
drop_reader(struct dns_snapshots *s)
{
	if (s->reader != NULL && s->reader->at_work)
		s->reader->owner = NULL;
	else if (s->reader != NULL)
		reader_free(s->reader);
	s->reader = NULL;
}

void
dns_snapshots_free(struct dns_snapshots *s)
{
	if (s == NULL)
		return;
	loop_timer_cancel(s->env.loop, &s->due);
	loop_timer_cancel(s->env.loop, &s->step);
	drop_reader(s);
	if (s->writer != NULL && s->writer->at_work)
		s->writer->owner = NULL;
	else if (s->writer != NULL)
		writer_free(s->writer);
	free(s);
}

void
dns_snapshots_configure(struct dns_snapshots *s, bool on, usec every)
{
	bool was_on = s->on;

	if (s->path[0] == '\0')
		return;
	s->on = on;
	s->every = every;
	if (!on) {
		loop_timer_cancel(s->env.loop, &s->due);
		drop_reader(s);
		s->loaded = true;
		s->n.load = DNS_SNAPSHOTS_OFF;
		if (s->writer != NULL)
			s->writer->unwanted = true;
		file_unlink_quietly(s->path);
		return;
	}
	if (s->writer != NULL)
		s->writer->unwanted = false;
	if (!s->loaded && !was_on)
		begin_load(s);
	else if (s->loaded)
		schedule(s);
}

bool
dns_snapshots_finish(struct dns_snapshots *s)
{
	/* What was not read in full must not be overwritten with the part that was. */
	if (!s->on || !s->loaded || s->finished)
		return false;
	if (s->writer != NULL)
		return true;
	s->finishing = true;
	if (changes(s) == s->saved_changes || !begin_save(s))
		s->finished = true;
	return !s->finished;
}

const struct dns_snapshots_stats *
dns_snapshots_stats(const struct dns_snapshots *s)
{
	return &s->n;
}

void
dns_snapshots_report(const struct dns_snapshots *s, struct report *out)
{
	static const char *const words[] = {
		[DNS_SNAPSHOTS_OFF] = "off",
		[DNS_SNAPSHOTS_READING] = "reading",
		[DNS_SNAPSHOTS_NONE] = "none",
		[DNS_SNAPSHOTS_DONE] = "done",
		[DNS_SNAPSHOTS_REFUSED] = "refused",
		[DNS_SNAPSHOTS_EARLY] = "clock not set",
	};

	report_str(out, "load", words[s->n.load]);
	report_u64(out, "loaded", s->n.loaded);
	report_u64(out, "saves", s->n.saves);
	report_u64(out, "failures", s->n.failures);
	report_u64(out, "bytes", s->n.bytes);
	report_i64(out, "save_ms", s->n.took / 1000);
	if (s->n.saved_at != 0)
		report_i64(out, "age_s", (loop_now(s->env.loop) - s->n.saved_at) / seconds(1));
}
