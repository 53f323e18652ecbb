/* SPDX-License-Identifier: MIT */
/*
 * Size and BLAKE2b-256 of the files below a directory, found and kept current in the offload pool,
 * so that whoever downloads one with any client can tell whether it is genuine.
 */
#ifndef SERVICES_ANNOUNCE_ANNOUNCE_FILES_H
#define SERVICES_ANNOUNCE_ANNOUNCE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_msg.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/seal.h"
#include "util/span.h"

#define ANNOUNCE_FILES_MAX 512		/* files looked at; the rest is counted */
#define ANNOUNCE_FILES_DEPTH 8		/* directories below the root */
#define ANNOUNCE_FILES_EVERY 30000000	/* usec between two looks */
#define ANNOUNCE_FILE_PATH 256		/* bytes of a path below the root, closing zero included */

#define ANNOUNCE_FILES_PREFIX "file/"	/* of the topics */

struct loop;
struct offload;
struct announce_files;

struct announce_files_ops {
	/* A file is new or has changed. */
	void (*found)(void *ctx, const char *path, uint64_t size,
	    const uint8_t hash[static SEAL_HASH_BYTES]);
	void (*gone)(void *ctx, const char *path);
	/* The directory itself cannot be read (any more); errno says why. */
	void (*unreadable)(void *ctx, int error);
};

struct announce_files_stats {
	uint64_t scans, hashed, hashed_bytes;
	uint64_t skipped;	/* of the last look: over the cap, too deep, unreadable */
	size_t files;
};

/* Errors: ERR_NOMEM. The first look begins at once. */
enum err announce_files_new(struct announce_files **out, const struct announce_files_ops *ops,
    void *ctx, struct loop *l, struct offload *o, const char *root) MUST_CHECK;
/* What is being hashed is waited for by nobody: its result is dropped. NULL is fine. */
void announce_files_free(struct announce_files *f);
void announce_files_stats(const struct announce_files *f, struct announce_files_stats *out);

/*
 * Write the topic of a path: "file/" and the path, with what a topic cannot hold as %XX; where that
 * gets too long, "file/~" and 32 hex digits of its hash. Gives the length.
 */
size_t announce_files_topic(char out[static BEACON_TOPIC_MAX + 1], const char *path);

/*
 * Write the text of the announcement: name, size and blake2b. Gives the length.
 */
size_t announce_files_text(uint8_t *out, size_t cap, const char *path, uint64_t size,
    const uint8_t hash[static SEAL_HASH_BYTES]);

/* Size and hash of an open file, from its start. Errors: ERR_SYS. Blocks on the disk. */
enum err announce_files_hash(int fd, uint64_t *size,
    uint8_t hash[static SEAL_HASH_BYTES]) MUST_CHECK;

#endif
