/* SPDX-License-Identifier: MIT */
/*
 * Files on their way in. What arrives goes to a temporary file; only a whole upload takes the name
 * that was asked for, in one step, and the file that had it before is intact until then. Everything
 * here may wait for a disk and belongs into a thread of the pool.
 */
#ifndef SERVICES_TFTP_TFTP_UPLOAD_H
#define SERVICES_TFTP_TFTP_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "services/tftp/tftp_name.h"
#include "services/tftp/tftp_store.h"
#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

/* Where uploads go and how much of them; made once from the settings, never changed. */
struct tftp_inbox {
	int fd;			/* the folder */
	char *path;
	bool overwrite;
	uint64_t size_max;	/* bytes of one file */
	uint64_t quota;		/* bytes of all files below the folder; 0: no limit */
	uint64_t reserve;	/* bytes of the file system that stay free */
};

enum tftp_put {
	TFTP_PUT_OK,
	TFTP_PUT_EXISTS,	/* and may not be overwritten */
	TFTP_PUT_DENIED,	/* no such folder, not a plain file, no permission */
	TFTP_PUT_UNWRITABLE,	/* the folder, for the daemon's user */
	TFTP_PUT_FULL,		/* size limit, quota, reserve or disk */
	TFTP_PUT_FAILED,
};

struct tftp_upload {
	const struct tftp_inbox *inbox;
	int fd;			/* the temporary file; -1: none */
	int folder;		/* where the name will be */
	char temp[40];
	struct tftp_name name;
	uint64_t size;		/* bytes so far */
	uint64_t size_max;	/* for this one: file limit and the client's share */
	struct seal_hash hash;	/* of what was written */
	uint64_t checked;	/* free space was last looked at when it had this size */
};

/* Errors: ERR_SYS, ERR_NOMEM. */
enum err tftp_inbox_new(struct tftp_inbox **out, const char *path) MUST_CHECK;
void tftp_inbox_free(struct tftp_inbox *inbox);

/*
 * Remove what a killed daemon has left; files that another one is still writing stay. Gives how
 * many.
 */
unsigned tftp_inbox_clean(const struct tftp_inbox *inbox);

/*
 * Make the temporary file.
 *
 * claim  the size that the client announces; 0 where it does not
 * share  what this client may still send, bytes
 */
enum tftp_put tftp_upload_begin(struct tftp_upload *up, const struct tftp_inbox *inbox,
    const struct tftp_name *name, uint64_t claim, uint64_t share);
enum tftp_put tftp_upload_write(struct tftp_upload *up, struct span data);
/* Write to the disk, give the name. */
enum tftp_put tftp_upload_commit(struct tftp_upload *up);
/* BLAKE2b of the whole file, 32 bytes; once, after the last piece. */
void tftp_upload_hash(struct tftp_upload *up, uint8_t out[static 32]);
/* Close; what was not committed is removed. */
void tftp_upload_drop(struct tftp_upload *up);

#endif
