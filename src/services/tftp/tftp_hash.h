/* SPDX-License-Identifier: MIT */
/*
 * BLAKE2b of the files that were sent, for the log. A file is hashed once and again when it has
 * changed, not once per transfer: hashing costs as much as sending.
 */
#ifndef SERVICES_TFTP_TFTP_HASH_H
#define SERVICES_TFTP_TFTP_HASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/tftp/tftp_store.h"
#include "util/span.h"

#define TFTP_HASH_BYTES 32
#define TFTP_HASH_TEXT (2 * TFTP_HASH_BYTES + 1)
#define TFTP_HASH_FILES 128	/* remembered */

struct tftp_hash {
	uint8_t bytes[TFTP_HASH_BYTES];
};

/* All zero is an empty one. */
struct tftp_hash_cache {
	struct tftp_hash_entry {
		bool used;
		struct tftp_ident ident;
		struct tftp_hash hash;
	} entries[TFTP_HASH_FILES];
	size_t next;		/* to be replaced */
};

const struct tftp_hash *tftp_hash_find(const struct tftp_hash_cache *cache,
    const struct tftp_ident *ident);
void tftp_hash_keep(struct tftp_hash_cache *cache, const struct tftp_ident *ident,
    const struct tftp_hash *hash);

/*
 * Hash a whole file; waits for the disk. False where it cannot be read, or is no longer (before or
 * after) what ident says: then nobody can tell what was sent; false as soon as *stop is true.
 */
bool tftp_hash_file(int fd, const struct tftp_ident *ident, const atomic_bool *stop,
    struct tftp_hash *out);
void tftp_hash_text(struct span text, struct tftp_hash *out);

const char *tftp_hash_format(const struct tftp_hash *hash, char buf[static TFTP_HASH_TEXT]);

#endif
