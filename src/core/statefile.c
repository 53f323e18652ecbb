/* SPDX-License-Identifier: MIT */
/*
 * Write beside, fsync, rename, fsync the directory. rename() alone gives either the old or the new
 * file to readers, but after a power cut possibly an empty one: hence the order, and the checksum
 * for what disks and hands do besides.
 */
#include "core/statefile.h"

#include "util/file.h"
#include "util/seal.h"
#include "util/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC "HEARTHST"
#define HEADER_BYTES (sizeof(MAGIC) - 1 + STATEFILE_KIND_CHARS + 4 + 4)
#define FILE_MAX (HEADER_BYTES + STATEFILE_MAX + SEAL_HASH_BYTES)

static const struct span no_key = { 0 };

static size_t
build(uint8_t *image, const char *kind, uint32_t version, struct span payload)
{
	struct wire_wr wr = wire_wr_of(image, FILE_MAX);

	wire_wr_bytes(&wr, span_str(MAGIC));
	wire_wr_bytes(&wr, span_of(kind, STATEFILE_KIND_CHARS));
	wire_wr_u32(&wr, version);
	wire_wr_u32(&wr, (uint32_t)payload.len);
	wire_wr_bytes(&wr, payload);

	struct span hashed = wire_wr_span(&wr);

	seal_hash(wire_wr_take(&wr, SEAL_HASH_BYTES), SEAL_HASH_BYTES, hashed, no_key);
	return wire_wr_len(&wr);
}

/* Put bytes into a new file at path, replacing nothing but a left-over of ours. */
static enum err
write_beside(const char *path, struct span bytes)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return ERR_SYS;

	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ERR_SYS;
	if (file_write_closing(fd, bytes) == OK)
		return OK;
	file_unlink_quietly(path);
	return ERR_SYS;
}

enum err
statefile_write(const char *path, const char kind[static STATEFILE_KIND_CHARS], uint32_t version,
    struct span payload)
{
	char beside[PATH_MAX];

	if (payload.len > STATEFILE_MAX)
		return ERR_RANGE;
	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", path) >= sizeof(beside)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}

	uint8_t *image = malloc(FILE_MAX);

	if (image == NULL)
		return ERR_NOMEM;

	enum err e = write_beside(beside, span_of(image, build(image, kind, version, payload)));

	free(image);
	if (e != OK)
		return e;
	if (rename(beside, path) != 0) {
		file_unlink_quietly(beside);
		return ERR_SYS;
	}
	return file_sync_directory_of(path);
}

/* Find the payload in the bytes of a file; ERR_FORMAT on the slightest doubt. */
static enum err
check(struct span image, const char *kind, uint32_t *version, struct span *payload)
{
	struct wire_rd rd = wire_rd_of(image);
	struct span magic = wire_rd_bytes(&rd, sizeof(MAGIC) - 1);
	struct span found = wire_rd_bytes(&rd, STATEFILE_KIND_CHARS);

	*version = wire_rd_u32(&rd);
	*payload = wire_rd_bytes(&rd, wire_rd_u32(&rd));

	size_t hashed = wire_rd_offset(&rd);
	struct span sum = wire_rd_bytes(&rd, SEAL_HASH_BYTES);
	uint8_t want[SEAL_HASH_BYTES];

	if (wire_rd_finish(&rd) != OK || !span_equal(magic, span_str(MAGIC)) ||
	    !span_equal(found, span_of(kind, STATEFILE_KIND_CHARS)))
		return ERR_FORMAT;
	seal_hash(want, sizeof(want), span_of(image.at, hashed), no_key);
	return seal_equal(want, sum.at, sizeof(want)) ? OK : ERR_FORMAT;
}

static enum err
read_image(const char *path, uint8_t *image, size_t *len)
{
	/* O_NONBLOCK: a pipe in its place shall not be waited for. It reads as empty. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYS;

	enum err e = file_read_all(fd, image, FILE_MAX, len);

	file_close_quietly(fd);
	return e == ERR_RANGE ? ERR_FORMAT : e;
}

enum err
statefile_read(const char *path, const char kind[static STATEFILE_KIND_CHARS], uint32_t *version,
    void *out, size_t cap, size_t *len)
{
	uint8_t *image = malloc(FILE_MAX);
	struct span payload;
	size_t size;

	if (image == NULL)
		return ERR_NOMEM;

	enum err e = read_image(path, image, &size);

	if (e == OK)
		e = check(span_of(image, size), kind, version, &payload);
	if (e == OK && payload.len > cap)
		e = ERR_RANGE;
	if (e == OK) {
		memcpy(out, payload.at, payload.len);
		*len = payload.len;
	}
	free(image);
	return e;
}
