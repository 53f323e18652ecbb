/* SPDX-License-Identifier: MIT */
/* Loops around read(2) and write(2), and fsync where a file or a name has to survive a crash. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

enum err
file_read_all(int fd, void *out, size_t cap, size_t *len)
{
	*len = 0;
	for (;;) {
		uint8_t beyond;
		bool full = *len == cap;
		ssize_t n = full ? read(fd, &beyond, 1)
				 : read(fd, (uint8_t *)out + *len, cap - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYS;
		if (n == 0)
			return OK;
		if (full)
			return ERR_RANGE;
		*len += (size_t)n;
	}
}

enum err
file_write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.at, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYS;
		bytes = span_of(bytes.at + n, bytes.len - (size_t)n);
	}
	return OK;
}

enum err
file_write_closing(int fd, struct span bytes)
{
	if (file_write_all(fd, bytes) != OK || fsync(fd) != 0) {
		file_close_quietly(fd);
		return ERR_SYS;
	}
	/* A network file system may speak up at close only. */
	return close(fd) == 0 ? OK : ERR_SYS;
}

enum err
file_sync_directory_of(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	strcpy(copy, path);

	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return ERR_SYS;

	enum err e = fsync(fd) == 0 ? OK : ERR_SYS;

	file_close_quietly(fd);
	return e;
}

void
file_close_quietly(int fd)
{
	int saved = errno;

	(void)close(fd);
	errno = saved;
}

void
file_unlink_quietly(const char *path)
{
	int saved = errno;

	(void)unlink(path);
	errno = saved;
}
