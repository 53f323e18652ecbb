/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/seal.h"

#define CHUNK (128 * 1024)	/* bytes; stays in the second-level cache */

const struct tftp_hash *
tftp_hash_find(const struct tftp_hash_cache *cache, const struct tftp_ident *ident)
{
	for (size_t i = 0; i < TFTP_HASH_FILES; i++)
		if (cache->entries[i].used && tftp_ident_same(&cache->entries[i].ident, ident))
			return &cache->entries[i].hash;
	return NULL;
}

void
tftp_hash_keep(struct tftp_hash_cache *cache, const struct tftp_ident *ident,
    const struct tftp_hash *hash)
{
	struct tftp_hash_entry *entry = &cache->entries[cache->next++ % TFTP_HASH_FILES];

	*entry = (struct tftp_hash_entry){ .used = true, .ident = *ident, .hash = *hash };
}

static bool
is_still(int fd, const struct tftp_ident *ident)
{
	struct tftp_ident now;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	tftp_ident_of(&now, &st);
	return tftp_ident_same(&now, ident);
}

bool
tftp_hash_file(int fd, const struct tftp_ident *ident, const atomic_bool *stop,
    struct tftp_hash *out)
{
	uint8_t *chunk = is_still(fd, ident) ? malloc(CHUNK) : NULL;
	struct seal_hash h;
	off_t at = 0;
	ssize_t n = -1;

	if (chunk == NULL)
		return false;
	seal_hash_init(&h, TFTP_HASH_BYTES, span_of(NULL, 0));
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		n = pread(fd, chunk, CHUNK, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		seal_hash_update(&h, span_of(chunk, (size_t)n));
		at += n;
	}
	seal_hash_final(&h, out->bytes);
	free(chunk);
	return n == 0 && is_still(fd, ident);
}

void
tftp_hash_text(struct span text, struct tftp_hash *out)
{
	seal_hash(out->bytes, TFTP_HASH_BYTES, text, span_of(NULL, 0));
}

const char *
tftp_hash_format(const struct tftp_hash *hash, char buf[static TFTP_HASH_TEXT])
{
	for (size_t i = 0; i < TFTP_HASH_BYTES; i++)
		(void)snprintf(buf + 2 * i, 3, "%02x", hash->bytes[i]);
	return buf;
}
