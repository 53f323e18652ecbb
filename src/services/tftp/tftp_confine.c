/* SPDX-License-Identifier: MIT */
/* The kernel keeps us below the folder: openat2(2) with RESOLVE_BENEATH, Linux 5.6. */
#include "services/tftp/tftp_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_beneath(int root, const char *path, int flags, bool cached)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	if (cached)
		how.resolve |= RESOLVE_CACHED;
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Open the folder `part` in `at`, which is closed. */
static int
step(int at, const char *part)
{
	int next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int error = errno;

	close(at);
	errno = error;
	return next;
}

int
tftp_confine_walk(int root, const char *path, int flags)
{
	char part[NAME_MAX + 1];
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0) {
		size_t len = strcspn(path, "/");

		if (len > NAME_MAX || (len == 2 && memcmp(path, "..", 2) == 0)) {
			close(at);
			errno = len > NAME_MAX ? ENAMETOOLONG : EXDEV;
			return -1;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		if (path[len] == '\0') {
			/* A slash at the end: the folder itself. */
			int fd = openat(at, len != 0 ? part : ".", flags | O_NOFOLLOW | O_CLOEXEC);
			int error = errno;

			close(at);
			errno = error;
			return fd;
		}
		path += len + 1;
		if (len != 0)
			at = step(at, part);
	}
	return -1;
}

int
tftp_confine_open(int root, const char *path, int flags, bool cached)
{
	int fd = open_beneath(root, path, flags, cached);

	/*
	 * EINVAL: RESOLVE_CACHED is not known. EPERM: a container's filter from before openat2().
	 */
	if (fd >= 0 || (errno != ENOSYS && errno != EINVAL && errno != EPERM))
		return fd;
	if (cached) {
		errno = EAGAIN;
		return -1;
	}
	return tftp_confine_walk(root, path, flags);
}
