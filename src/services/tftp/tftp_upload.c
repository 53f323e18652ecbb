/* SPDX-License-Identifier: MIT */
/*
 * The temporary file lies at the top of the upload folder under a name that no client can ask for
 * to overwrite, and is locked while it is written, so that a second daemon does not take it for a
 * leftover. Order at the end: fsync the file, rename, fsync the folder.
 */
#include "services/tftp/tftp_upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "services/tftp/tftp_confine.h"

#define TEMP_PREFIX ".hearth-upload-"
#define FOLDER_DEPTH_MAX 16
#define CHECK_EVERY (1024 * 1024)	/* bytes written between two looks at the free space */

enum err
tftp_inbox_new(struct tftp_inbox **out, const char *path)
{
	struct tftp_inbox *inbox = calloc(1, sizeof(*inbox));

	if (inbox == NULL)
		return ERR_NOMEM;
	inbox->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	inbox->path = strdup(path);
	if (inbox->fd < 0 || inbox->path == NULL) {
		enum err e = inbox->fd < 0 ? ERR_SYS : ERR_NOMEM;

		tftp_inbox_free(inbox);
		return e;
	}
	*out = inbox;
	return OK;
}

void
tftp_inbox_free(struct tftp_inbox *inbox)
{
	int error = errno;

	if (inbox == NULL)
		return;
	if (inbox->fd >= 0)
		close(inbox->fd);
	free(inbox->path);
	free(inbox);
	errno = error;
}

static DIR *
open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

/* Nobody is writing it: its writer would hold the lock. */
static bool
is_orphan(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool orphan = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (fd >= 0)
		close(fd);
	return orphan;
}

unsigned
tftp_inbox_clean(const struct tftp_inbox *inbox)
{
	DIR *dir = open_folder(inbox->fd, ".");
	struct dirent *entry;
	unsigned removed = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0 &&
		    is_orphan(inbox->fd, entry->d_name) &&
		    unlinkat(inbox->fd, entry->d_name, 0) == 0)
			removed++;
	if (dir != NULL)
		closedir(dir);
	return removed;
}

/* Sum up the plain files in a folder and below. */
static uint64_t
bytes_in(int at, const char *name, unsigned depth)
{
	DIR *dir = depth < FOLDER_DEPTH_MAX ? open_folder(at, name) : NULL;
	struct dirent *entry;
	uint64_t sum = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			sum += bytes_in(dirfd(dir), entry->d_name, depth + 1);
		else if (S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	}
	if (dir != NULL)
		closedir(dir);
	return sum;
}

/* There is room for so many bytes more, besides what is there already (this upload included). */
static bool
has_room(const struct tftp_inbox *inbox, uint64_t more)
{
	struct statvfs fs;

	if (fstatvfs(inbox->fd, &fs) == 0) {
		uint64_t avail = (uint64_t)fs.f_bavail * fs.f_frsize;

		if (avail < inbox->reserve || avail - inbox->reserve < more)
			return false;
	}
	if (inbox->quota == 0)
		return true;

	uint64_t used = bytes_in(inbox->fd, ".", 0);

	return used <= inbox->quota && inbox->quota - used >= more;
}

static enum tftp_put
put_from_errno(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return TFTP_PUT_FULL;
	case EEXIST:
		return TFTP_PUT_EXISTS;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
		return TFTP_PUT_FAILED;
	default:
		return TFTP_PUT_DENIED;
	}
}

static const char *
base_of(const struct tftp_name *name)
{
	const char *slash = strrchr(name->text, '/');

	return slash != NULL ? slash + 1 : name->text;
}

/* Open the folder that the name is in; it has to be there already. */
static int
open_parent(const struct tftp_inbox *inbox, const struct tftp_name *name)
{
	char parent[TFTP_NAME_MAX + 1];
	size_t len = (size_t)(base_of(name) - name->text);

	memcpy(parent, name->text, len);
	parent[len != 0 ? len - 1 : 0] = '\0';
	return tftp_confine_open(inbox->fd, len != 0 ? parent : ".", O_RDONLY | O_DIRECTORY, false);
}

/* What bears the name now may be replaced: nothing, or a plain file where that is allowed. */
static enum tftp_put
may_take_name(const struct tftp_upload *up)
{
	const char *base = base_of(&up->name);
	struct stat st;

	if (strncmp(base, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
		return TFTP_PUT_DENIED;
	if (fstatat(up->folder, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? TFTP_PUT_OK : put_from_errno(errno);
	if (!S_ISREG(st.st_mode))
		return TFTP_PUT_DENIED;
	return up->inbox->overwrite ? TFTP_PUT_OK : TFTP_PUT_EXISTS;
}

static enum tftp_put
make_temp(struct tftp_upload *up)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return TFTP_PUT_FAILED;
	(void)snprintf(up->temp, sizeof(up->temp), TEMP_PREFIX "%016" PRIx64, number);
	up->fd = openat(up->inbox->fd, up->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (up->fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return TFTP_PUT_UNWRITABLE;
	if (up->fd < 0)
		return errno == EEXIST ? TFTP_PUT_FAILED : put_from_errno(errno);
	if (fchmod(up->fd, 0644) != 0 || flock(up->fd, LOCK_EX | LOCK_NB) != 0)
		return TFTP_PUT_FAILED;
	return TFTP_PUT_OK;
}

enum tftp_put
tftp_upload_begin(struct tftp_upload *up, const struct tftp_inbox *inbox,
    const struct tftp_name *name, uint64_t claim, uint64_t share)
{
	enum tftp_put p;

	*up = (struct tftp_upload){ .inbox = inbox, .fd = -1, .name = *name,
		.size_max = inbox->size_max < share ? inbox->size_max : share };
	up->folder = open_parent(inbox, name);
	if (up->folder < 0)
		return put_from_errno(errno);
	seal_hash_init(&up->hash, SEAL_HASH_BYTES, span_of(NULL, 0));
	p = may_take_name(up);
	if (p == TFTP_PUT_OK && (claim > up->size_max || !has_room(inbox, claim)))
		p = TFTP_PUT_FULL;
	if (p == TFTP_PUT_OK)
		p = make_temp(up);
	if (p != TFTP_PUT_OK)
		tftp_upload_drop(up);
	return p;
}

enum tftp_put
tftp_upload_write(struct tftp_upload *up, struct span data)
{
	if (data.len > up->size_max - up->size)
		return TFTP_PUT_FULL;
	if (up->size + data.len >= up->checked + CHECK_EVERY) {
		up->checked = up->size;
		if (!has_room(up->inbox, data.len))
			return TFTP_PUT_FULL;
	}
	seal_hash_update(&up->hash, data);
	while (data.len != 0) {
		ssize_t n = pwrite(up->fd, data.at, data.len, (off_t)up->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? TFTP_PUT_FULL : put_from_errno(errno);
		data.at += n;
		data.len -= (size_t)n;
		up->size += (uint64_t)n;
	}
	return TFTP_PUT_OK;
}

/* Give the file its name in one step; where one may not be replaced, not even by chance. */
static int
take_name(const struct tftp_upload *up)
{
	int from = up->inbox->fd;
	const char *base = base_of(&up->name);

	if (up->inbox->overwrite)
		return renameat(from, up->temp, up->folder, base);
	if (renameat2(from, up->temp, up->folder, base, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	/*
	 * NFS and some others do not know the flag; a second link never replaces anything either.
	 */
	if (linkat(from, up->temp, up->folder, base, 0) != 0)
		return -1;
	return unlinkat(from, up->temp, 0);
}

enum tftp_put
tftp_upload_commit(struct tftp_upload *up)
{
	if (!has_room(up->inbox, 0))
		return TFTP_PUT_FULL;	/* together with uploads of the same time it was too much */
	if (fsync(up->fd) != 0)
		return put_from_errno(errno);
	if (take_name(up) != 0)
		return put_from_errno(errno);
	up->temp[0] = '\0';
	/* The data is safe under one name or the other; which one is not worth failing for. */
	(void)fsync(up->folder);
	return TFTP_PUT_OK;
}

void
tftp_upload_hash(struct tftp_upload *up, uint8_t out[static 32])
{
	seal_hash_final(&up->hash, out);
}

void
tftp_upload_drop(struct tftp_upload *up)
{
	if (up->fd >= 0 && up->temp[0] != '\0')
		(void)unlinkat(up->inbox->fd, up->temp, 0);
	if (up->fd >= 0)
		close(up->fd);
	if (up->folder >= 0)
		close(up->folder);
	up->fd = -1;
	up->folder = -1;
}
