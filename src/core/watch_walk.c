/* SPDX-License-Identifier: MIT */
/*
 * Runs in a pool thread. A directory is given to inotify before it is looked into, so what changes
 * behind our back is reported as an event and leads to another walk.
 *
 * Directories are watched for names that come and go, the target itself for what is written to it:
 * a busy neighbour in the same directory then costs nothing.
 */
#include "core/watch_walk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX    40		/* as the kernel, path_resolution(7) */
#define CHILDREN_MAX 4096	/* files of a directory that go into its fingerprint */

#define NAMES_COME_AND_GO                                                                          \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
/* IN_MODIFY too: dnsmasq keeps its lease file open and rewrites it in place. */
#define TARGET_CHANGES	  (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | NAMES_COME_AND_GO)

/*
 * File systems where others change files without the kernel hearing of it (linux/magic.h and fs/).
 */
static const uint32_t remote[] = {
	0x6969,		/* NFS */
	0xff534d42,	/* CIFS */
	0xfe534d42,	/* SMB2 */
	0x01021997,	/* 9P */
	0x65735546,	/* FUSE: sshfs, virtiofs and the shared folders of containers */
};

/* Where the walk is. */
struct walker {
	struct watch_walk *out;
	int inotify;
	unsigned links;
	char done[PATH_MAX];	/* walked so far: absolute, free of links */
	char rest[PATH_MAX];	/* still to walk */
};

static uint64_t
fold(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

uint32_t
watch_name_hash(const char *name, size_t len)
{
	uint64_t h = len;

	for (size_t i = 0; i < len; i++)
		h = fold(h, (uint8_t)name[i]);
	return (uint32_t)(h >> 32) | 1;
}

static uint64_t
fold_stat(uint64_t h, const struct stat *st)
{
	h = fold(h, st->st_dev);
	h = fold(h, st->st_ino);
	h = fold(h, st->st_mode);
	h = fold(h, (uint64_t)st->st_size);
	h = fold(h, (uint64_t)st->st_mtim.tv_sec << 30 ^ (uint64_t)st->st_mtim.tv_nsec);
	return fold(h, (uint64_t)st->st_ctim.tv_sec << 30 ^ (uint64_t)st->st_ctim.tv_nsec);
}

/* Add what a directory's files look like; the order in which they come does not matter. */
static uint64_t
fold_children(uint64_t h, const char *path)
{
	DIR *d = opendir(path);
	uint64_t sum = 0;
	struct stat st;
	struct dirent *entry;

	if (d == NULL)
		return h;
	for (unsigned n = 0; n < CHILDREN_MAX && (entry = readdir(d)) != NULL; n++)
		if (entry->d_name[0] != '.' && fstatat(dirfd(d), entry->d_name, &st, 0) == 0)
			sum += fold_stat(watch_name_hash(entry->d_name, strlen(entry->d_name)),
			    &st);
	closedir(d);
	return fold(h, sum);
}

static void
add_point(struct walker *w, const char *path, uint32_t mask, uint32_t name)
{
	struct watch_walk *out = w->out;
	int wd = inotify_add_watch(w->inotify, path, mask | IN_MASK_ADD);

	if (wd == -1) {
		/* What went away meanwhile was in a directory that is watched already. */
		if (errno != ENOENT && errno != ENOTDIR)
			out->blind = true;
	} else if (out->npoints == WATCH_POINTS_MAX) {
		out->blind = true;
	} else {
		out->point[out->npoints++] = (struct watch_point){ .wd = wd, .name = name };
	}
}

/* The walk has come to its end: the whole path exists. */
static void
arrive(struct walker *w)
{
	struct stat st;
	struct statfs fs;

	add_point(w, w->done, TARGET_CHANGES, 0);
	if (stat(w->done, &st) != 0)
		return;
	w->out->fingerprint = fold_stat(1, &st);
	if (S_ISDIR(st.st_mode))
		w->out->fingerprint = fold_children(w->out->fingerprint, w->done);
	if (statfs(w->done, &fs) != 0)
		return;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if ((uint32_t)fs.f_type == remote[i])
			w->out->blind = true;
}

/* Take the first component off `rest`: its length is given, the text is in name; 0 at the end. */
static size_t
take_component(struct walker *w, char name[static NAME_MAX + 1])
{
	size_t at = strspn(w->rest, "/");
	size_t len = strcspn(w->rest + at, "/");

	if (len > NAME_MAX)
		return 0;	/* cannot exist, and so cannot change */
	memcpy(name, w->rest + at, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + at + len, strlen(w->rest + at + len) + 1);
	return len;
}

static void
go_up(char *path)
{
	*strrchr(path, '/') = '\0';
}

/* Put a link's target in front of `rest`. False where the path gets too long or goes in circles. */
static bool
follow(struct walker *w)
{
	char target[PATH_MAX];
	ssize_t len = readlink(w->done, target, sizeof(target));
	size_t rest = strlen(w->rest);

	if (len <= 0 || ++w->links > LINKS_MAX || (size_t)len + 1 + rest >= sizeof(w->rest))
		return false;
	memmove(w->rest + len + 1, w->rest, rest + 1);
	memcpy(w->rest, target, (size_t)len);
	w->rest[len] = '/';
	go_up(w->done);
	if (target[0] == '/')
		w->done[0] = '\0';
	return true;
}

/* Walk one component; false where the walk ends before the target. */
static bool
step(struct walker *w, const char *name, size_t len)
{
	struct stat st;
	size_t at = strlen(w->done);

	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		if (at != 0)
			go_up(w->done);
		return true;
	}
	add_point(w, at != 0 ? w->done : "/", NAMES_COME_AND_GO, watch_name_hash(name, len));
	if (at + 1 + len >= sizeof(w->done))
		return false;
	w->done[at] = '/';
	memcpy(w->done + at + 1, name, len + 1);
	if (lstat(w->done, &st) != 0) {
		/* A directory that may not be searched: its file can change unseen. */
		w->out->blind = w->out->blind || errno == EACCES;
		return false;
	}
	return !S_ISLNK(st.st_mode) || follow(w);
}

void
watch_walk(struct watch_walk *out, int inotify, const char *path)
{
	struct walker w = { .out = out, .inotify = inotify };
	char name[NAME_MAX + 1];
	size_t len;

	*out = (struct watch_walk){ 0 };
	if (strlen(path) >= sizeof(w.rest))
		return;
	strcpy(w.rest, path);
	while ((len = take_component(&w, name)) != 0)
		if (!step(&w, name, len))
			return;
	if (w.rest[0] == '\0') {
		if (w.done[0] == '\0')
			strcpy(w.done, "/");
		arrive(&w);
	}
}
