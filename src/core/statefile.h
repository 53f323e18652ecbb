/* SPDX-License-Identifier: MIT */
/*
 * A small file in the state directory that is either the old one or the new one, whatever happens
 * to the power, and whose damage is noticed. Blocks on the disk: at start, or as an offload job.
 *
 * One process writes a given path. Big-endian on the disk: "HEARTHST", kind, version (4 bytes),
 * length (4 bytes), payload, BLAKE2b-256 of all before it.
 */
#ifndef CORE_STATEFILE_H
#define CORE_STATEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

#define STATEFILE_MAX 131072	/* bytes of payload */
#define STATEFILE_KIND_CHARS 8	/* what the file is, such as "beaconep"; another kind is refused */

/*
 * Replace the file, mode 0600. On the disk, name included, when this returns OK.
 *
 * version  of the payload's layout; the reader is told
 * errors   ERR_RANGE for a payload above STATEFILE_MAX, ERR_NOMEM, ERR_SYS. The old file is
 *	    still there then, save that after a failed fsync of the directory it may be either
 */
enum err statefile_write(const char *path, const char kind[static STATEFILE_KIND_CHARS],
    uint32_t version, struct span payload) MUST_CHECK;

/*
 * Read what statefile_write() wrote.
 *
 * out	    cap bytes, of which len are filled
 * version  of the layout that was found
 * errors   ERR_NOTFOUND; ERR_FORMAT: damaged, cut short or of another kind; ERR_RANGE: intact,
 *	    but longer than cap; ERR_NOMEM; ERR_SYS. out is untouched then.
 */
enum err statefile_read(const char *path, const char kind[static STATEFILE_KIND_CHARS],
    uint32_t *version, void *out, size_t cap, size_t *len) MUST_CHECK;

#endif
