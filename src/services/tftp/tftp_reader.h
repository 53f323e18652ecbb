/* SPDX-License-Identifier: MIT */
/*
 * The blocks of a file, put behind their headers and ready to send. Reading never waits: what is
 * not in the page cache is asked for, and fetched by a thread of the pool meanwhile.
 */
#ifndef SERVICES_TFTP_TFTP_READER_H
#define SERVICES_TFTP_TFTP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/tftp/tftp_block.h"
#include "services/tftp/tftp_netascii.h"
#include "services/tftp/tftp_store.h"
#include "services/tftp/tftp_terms.h"
#include "util/err.h"

#define TFTP_AHEAD_BYTES (256 * 1024)	/* fetched at once where the page cache misses */

struct tftp_ascii;	/* what netascii needs besides */

struct tftp_reader {
	struct tftp_found found;	/* owned */
	unsigned blksize;
	enum tftp_rollover roll;
	uint64_t last;			/* number of the last block; UINT64_MAX while not known */
	uint8_t *ahead;			/* fetched by the pool: ahead_len bytes from ahead_at on */
	uint64_t ahead_at;
	size_t ahead_len;
	uint64_t wanted;		/* after TFTP_READ_WAIT: from here on */
	struct tftp_ascii *ascii;	/* NULL in octet mode */
};

enum tftp_read {
	TFTP_READ_OK,
	TFTP_READ_WAIT,		/* call tftp_reader_fetch() in a thread, then again */
	/* the file has become shorter: the transfer must not end as if whole */
	TFTP_READ_SHORT,
	TFTP_READ_FAILED,
};

/* Takes found over. Errors: ERR_NOMEM; found then stays the caller's. */
enum err tftp_reader_init(struct tftp_reader *r, struct tftp_found *found,
    const struct tftp_terms *terms, bool netascii) MUST_CHECK;
/* NULL found.fd and zeroed memory: see tftp_found_drop(). */
void tftp_reader_fini(struct tftp_reader *r);

/*
 * Write packets of the blocks from first on, one behind the other.
 *
 * count   in: how many at most; out: how many there are, 1 or more after OK
 * out     room for count * (blksize + TFTP_HEADER_BYTES) bytes
 * len     bytes written; all packets but the last have full length
 *
 * first is at most two windows behind the highest block asked for so far.
 */
enum tftp_read tftp_reader_fill(struct tftp_reader *r, uint64_t first, unsigned *count,
    uint8_t *out, size_t *len);

/*
 * Fetch what is wanted; may wait. The reader must not be used meanwhile. False: it cannot be read.
 */
bool tftp_reader_fetch(struct tftp_reader *r);

#endif
