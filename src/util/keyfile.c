/* SPDX-License-Identifier: MIT */
/*
 * Key files. The rules are ssh's: a secret that others could read is no secret, so it is refused
 * rather than used with a warning that nobody sees.
 */
#include "util/keyfile.h"

#include "util/file.h"
#include "util/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path may be as long as the kernel allows; the line is not. */
#define SHOWN "%.300s"

static enum err
sys_error(const char *path, const char *what, char why[static KEYFILE_WHY_MAX])
{
	int saved = errno;

	snprintf(why, KEYFILE_WHY_MAX, SHOWN ": %s: %s", path, what, strerror(saved));
	errno = saved;
	return ERR_SYS;
}

static enum err
check_private(const char *path, int fd, char why[static KEYFILE_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return sys_error(path, "cannot look at it", why);
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, KEYFILE_WHY_MAX, SHOWN ": not a regular file", path);
		return ERR_DENIED;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		snprintf(why, KEYFILE_WHY_MAX, SHOWN ": owned by user %ju, not by us or root", path,
		    (uintmax_t)st.st_uid);
		return ERR_DENIED;
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		snprintf(why, KEYFILE_WHY_MAX,
		    SHOWN ": open to group or others (mode %04o); chmod 600 it, and make a new key"
			  " if somebody may have read this one",
		    path, (unsigned)(st.st_mode & 07777));
		return ERR_DENIED;
	}
	return OK;
}

static enum err
read_checked(const char *path, int fd, void *out, size_t cap, size_t *len,
    char why[static KEYFILE_WHY_MAX])
{
	enum err e = check_private(path, fd, why);

	if (e != OK)
		return e;
	e = file_read_all(fd, out, cap, len);
	if (e == ERR_SYS)
		return sys_error(path, "cannot read", why);
	if (e != OK)
		snprintf(why, KEYFILE_WHY_MAX, SHOWN ": longer than %zu bytes", path, cap);
	if (e == OK && *len == 0) {
		snprintf(why, KEYFILE_WHY_MAX, SHOWN ": empty", path);
		e = ERR_RANGE;
	}
	return e;
}

enum err
keyfile_read(const char *path, void *out, size_t cap, size_t *len,
    char why[static KEYFILE_WHY_MAX])
{
	*len = 0;
	why[0] = '\0';

	/* O_NONBLOCK: a pipe in the key's place is refused below, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		enum err e = errno == ENOENT ? ERR_NOTFOUND : ERR_SYS;

		(void)sys_error(path, "cannot open", why);
		return e;
	}

	enum err e = read_checked(path, fd, out, cap, len, why);

	file_close_quietly(fd);
	if (e != OK) {
		seal_wipe(out, cap);
		*len = 0;
	}
	return e;
}

enum err
keyfile_write(const char *path, struct span bytes, char why[static KEYFILE_WHY_MAX])
{
	why[0] = '\0';
	if (bytes.len == 0 || bytes.len > KEYFILE_MAX) {
		snprintf(why, KEYFILE_WHY_MAX, SHOWN ": a key file holds 1 to %d bytes", path,
		    KEYFILE_MAX);
		return ERR_RANGE;
	}

	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		enum err e = errno == EEXIST ? ERR_EXISTS : ERR_SYS;

		(void)sys_error(path, "cannot create", why);
		return e;
	}
	if (file_write_closing(fd, bytes) == OK && file_sync_directory_of(path) == OK)
		return OK;
	file_unlink_quietly(path);
	return sys_error(path, "cannot write", why);
}
