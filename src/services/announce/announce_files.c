/* SPDX-License-Identifier: MIT */
/*
 * The walk and the hashing are one offload job, which has the table to itself while it runs; the
 * loop reads the result when it is done. A file is hashed once for each size, time and inode. What
 * was changed within the last two seconds waits for the next look: somebody may still be writing.
 */
#include "services/announce/announce_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/offload.h"
#include "services/announce/txt.h"

#define READ_BYTES 65536
#define SETTLE_S 2
#define HASH_TEXT (SEAL_HASH_BYTES * 2 + 1)

struct file {
	char path[ANNOUNCE_FILE_PATH];
	ino_t inode;
	struct timespec changed;
	uint64_t size;
	uint8_t hash[SEAL_HASH_BYTES];
	bool hashed;		/* the values above are those of a whole reading */
	bool fresh;		/* and not told yet */
	bool told;		/* found() was called, for these values or earlier ones */
	bool seen;		/* in this look */
};

struct announce_files {
	const struct announce_files_ops *ops;
	void *ctx;
	struct loop *loop;
	struct offload *offload;
	struct timer timer;
	struct offload_job job;
	bool working;		/* the job has the table and the statistics */
	bool orphaned;		/* nobody wants the result any more */
	int error;		/* of the last look at the root; 0: fine */
	int told_error;
	char *root;
	size_t count;
	struct file files[ANNOUNCE_FILES_MAX];
	struct announce_files_stats stats;
	struct announce_files_stats shown;
};

/* --- text ------------------------------------------------------------------------------------ */

static void
to_hex(char *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

size_t
announce_files_topic(char out[static BEACON_TOPIC_MAX + 1], const char *path)
{
	uint8_t hash[SEAL_HASH_BYTES];
	size_t at = (size_t)snprintf(out, BEACON_TOPIC_MAX + 1, "%s", ANNOUNCE_FILES_PREFIX);

	for (const char *p = path; *p != '\0'; p++) {
		uint8_t c = (uint8_t)*p;
		bool plain = c != '%' && beacon_topic_ok(span_of(&c, 1));
		size_t need = plain ? 1 : 3;

		if (at + need > BEACON_TOPIC_MAX) {
			seal_hash(hash, sizeof(hash), span_str(path), span_of(NULL, 0));
			at = (size_t)snprintf(out, BEACON_TOPIC_MAX + 1, ANNOUNCE_FILES_PREFIX "~");
			to_hex(out + at, hash, 16);
			return strlen(out);
		}
		at += (size_t)snprintf(out + at, 4, plain ? "%c" : "%%%02X", c);
	}
	return at;
}

static void
put_pair(struct wire_wr *wr, const char *key, const char *value)
{
	struct txt_pair pair = { .key = span_str(key), .value = span_str(value),
		.has_value = true };

	/* A name too long for a pair stays out; the hash is what counts. */
	if (txt_put(wr, &pair) != OK && !wr->bad)
		return;
}

size_t
announce_files_text(uint8_t *out, size_t cap, const char *path, uint64_t size,
    const uint8_t hash[static SEAL_HASH_BYTES])
{
	struct wire_wr wr = wire_wr_of(out, cap);
	char text[HASH_TEXT];

	put_pair(&wr, "name", path);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
	put_pair(&wr, "size", text);
	to_hex(text, hash, SEAL_HASH_BYTES);
	put_pair(&wr, "blake2b", text);
	return wire_wr_len(&wr);
}

/* --- in the pool ----------------------------------------------------------------------------- */

enum err
announce_files_hash(int fd, uint64_t *size, uint8_t hash[static SEAL_HASH_BYTES])
{
	uint8_t *buf = malloc(READ_BYTES);
	struct seal_hash h;
	ssize_t n = -1;

	*size = 0;
	seal_hash_init(&h, SEAL_HASH_BYTES, span_of(NULL, 0));
	while (buf != NULL && (n = read(fd, buf, READ_BYTES)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			seal_hash_update(&h, span_of(buf, (size_t)n));
			*size += (uint64_t)n;
		}
	}
	free(buf);
	seal_hash_final(&h, hash);
	return n == 0 ? OK : ERR_SYS;
}

static struct file *
find_file(struct announce_files *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->files[i].path, path) == 0)
			return &f->files[i];
	return NULL;
}

static bool
is_same(const struct file *e, const struct stat *st)
{
	return e->hashed && e->inode == st->st_ino && e->size == (uint64_t)st->st_size &&
	       e->changed.tv_sec == st->st_mtim.tv_sec && e->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static bool
still_changing(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return st->st_mtim.tv_sec <= now.tv_sec && now.tv_sec - st->st_mtim.tv_sec < SETTLE_S;
}

static void
look_at_file(struct announce_files *f, int dir, const char *name, const char *path)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct file *e = find_file(f, path);

	if (fd < 0 || fstat(fd, &st) != 0 || (e == NULL && f->count == ANNOUNCE_FILES_MAX)) {
		f->stats.skipped++;
		goto close;
	}
	if (e == NULL) {
		e = &f->files[f->count++];
		memset(e, 0, sizeof(*e));
		snprintf(e->path, sizeof(e->path), "%s", path);
	}
	e->seen = true;
	if (is_same(e, &st) || still_changing(&st))
		goto close;
	e->hashed = announce_files_hash(fd, &e->size, e->hash) == OK;
	e->fresh = e->hashed;
	e->inode = st.st_ino;
	e->changed = st.st_mtim;
	f->stats.hashed++;
	f->stats.hashed_bytes += e->size;
close:
	if (fd >= 0)
		close(fd);
}

static void look_into(struct announce_files *f, int dir, const char *below, unsigned depth);

static void
look_at(struct announce_files *f, int dir, const char *name, const char *below, unsigned depth)
{
	char path[ANNOUNCE_FILE_PATH];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s%s%s", below, below[0] != '\0' ? "/" : "", name);

	if (n < 0 || (size_t)n >= sizeof(path) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		f->stats.skipped++;
	} else if (S_ISREG(st.st_mode)) {
		look_at_file(f, dir, name, path);
	} else if (S_ISDIR(st.st_mode) && depth < ANNOUNCE_FILES_DEPTH) {
		int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);

		if (fd >= 0)
			look_into(f, fd, path, depth + 1);
	} else {
		f->stats.skipped++;
	}
}

/* dir is closed here. The depth is bounded above. */
static void
look_into(struct announce_files *f, int dir, const char *below, unsigned depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *entry;

	if (d == NULL) {
		close(dir);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')	/* also what uploads are written to */
			look_at(f, dirfd(d), entry->d_name, below, depth);
	closedir(d);
}

static struct announce_files *
of_job(struct offload_job *j)
{
	return (struct announce_files *)((uint8_t *)j - offsetof(struct announce_files, job));
}

static void
work(struct offload_job *j)
{
	struct announce_files *f = of_job(j);
	int dir = open(f->root, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	f->stats.scans++;
	f->stats.skipped = 0;
	for (size_t i = 0; i < f->count; i++)
		f->files[i].seen = false;
	f->error = dir < 0 ? errno : 0;
	if (dir >= 0)
		look_into(f, dir, "", 0);
}

/* --- in the loop ----------------------------------------------------------------------------- */

static void
release(struct announce_files *f)
{
	free(f->root);
	free(f);
}

static void
done(struct offload_job *j)
{
	struct announce_files *f = of_job(j);

	f->working = false;
	if (f->orphaned) {
		release(f);
		return;
	}
	for (size_t i = f->count; i-- > 0;) {
		struct file *e = &f->files[i];

		/* What cannot be read any more is not announced with an old hash. */
		if (e->told && (!e->seen || !e->hashed)) {
			e->told = false;
			f->ops->gone(f->ctx, e->path);
		}
		if (!e->seen) {
			*e = f->files[--f->count];
		} else if (e->fresh) {
			e->fresh = false;
			e->told = true;
			f->ops->found(f->ctx, e->path, e->size, e->hash);
		}
	}
	f->stats.files = f->count;
	f->shown = f->stats;
	if (f->error != 0 && f->error != f->told_error)
		f->ops->unreadable(f->ctx, f->error);
	f->told_error = f->error;
	loop_timer(f->loop, &f->timer, loop_now(f->loop) + ANNOUNCE_FILES_EVERY);
}

static void
begin(struct timer *t, mono_us now)
{
	size_t offset = offsetof(struct announce_files, timer);
	struct announce_files *f = (struct announce_files *)((uint8_t *)t - offset);

	f->working = offload_submit(f->offload, &f->job) == OK;
	if (!f->working)
		loop_timer(f->loop, t, now + seconds(1));
}

enum err
announce_files_new(struct announce_files **out, const struct announce_files_ops *ops, void *ctx,
    struct loop *l, struct offload *o, const char *root)
{
	struct announce_files *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ERR_NOMEM;
	f->root = strdup(root);
	if (f->root == NULL) {
		free(f);
		return ERR_NOMEM;
	}
	f->ops = ops;
	f->ctx = ctx;
	f->loop = l;
	f->offload = o;
	f->timer.fire = begin;
	f->job.work = work;
	f->job.done = done;
	loop_timer(l, &f->timer, loop_now(l));
	*out = f;
	return OK;
}

void
announce_files_free(struct announce_files *f)
{
	if (f == NULL)
		return;
	loop_timer_cancel(f->loop, &f->timer);
	if (f->working)
		f->orphaned = true;
	else
		release(f);
}

void
announce_files_stats(const struct announce_files *f, struct announce_files_stats *out)
{
	*out = f->shown;
}
