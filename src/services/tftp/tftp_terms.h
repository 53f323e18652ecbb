/* SPDX-License-Identifier: MIT */
/*
 * The terms of one transfer: what the client asked for in options, what the server is willing to
 * do, and the OACK that says so. RFC 2347, 2348 (blksize), 2349 (timeout, tsize), 7440
 * (windowsize), and tftp-hpa's `utimeout` and `rollover`.
 */
#ifndef SERVICES_TFTP_TFTP_TERMS_H
#define SERVICES_TFTP_TFTP_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/tftp/tftp_block.h"
#include "services/tftp/tftp_msg.h"
#include "util/err.h"
#include "util/mono.h"

/* blocks; UDP_SEGMENT carries no more, and speed has its plateau there */
#define TFTP_WINDOW_MAX 64
#define TFTP_OACK_MAX 256	/* bytes; all options with the longest names and values fit */

enum tftp_option_kind {
	TFTP_OPT_BLKSIZE,
	TFTP_OPT_WINDOWSIZE,
	TFTP_OPT_TIMEOUT,
	TFTP_OPT_UTIMEOUT,
	TFTP_OPT_TSIZE,
	TFTP_OPT_ROLLOVER,
	TFTP_OPT_KINDS,
};

/* What the server is willing to do. */
struct tftp_limits {
	unsigned blksize_max;		/* bytes, 8-65464: setting or interface MTU */
	unsigned windowsize_max;	/* blocks, 1-64 */
	/* blksize × windowsize stays below, but one block always goes */
	size_t window_bytes_max;
	bool no_options;		/* treat every request as if it came without */
};

struct tftp_terms {
	unsigned blksize;
	unsigned windowsize;
	usec timeout;			/* as negotiated; 0: not asked for */
	enum tftp_rollover rollover;
	bool tsize_known;		/* WRQ: the client announced a size */
	uint64_t tsize;	/* WRQ: the announced size. RRQ: set by tftp_terms_set_size() */

	/*
	 * Options that go into the OACK, in the order of the request, each in the client's letters.
	 */
	uint8_t echo_count;
	struct tftp_echo {
		uint8_t kind;		/* enum tftp_option_kind */
		char name[11];		/* no closing zero where it is full length */
		uint8_t name_len;
		uint64_t value;
	} echo[TFTP_OPT_KINDS];
};

/*
 * Agree on terms for a request. Unknown options and values that are not a plain decimal number are
 * passed over; of two equal ones the first counts.
 *
 * errors  ERR_RANGE: a value lies outside what its RFC allows; the answer is ERROR 8
 */
enum err tftp_terms_agree(struct tftp_terms *out, const struct tftp_msg *request,
    const struct tftp_limits *limits) MUST_CHECK;

/*
 * RRQ: the size of what will be sent. Size 0 and `known` false take tsize out of the answer: curl
 * gives up on "tsize 0", and the size of a netascii transfer is not known before its end.
 */
void tftp_terms_set_size(struct tftp_terms *terms, bool known, uint64_t size);

/* There is something to acknowledge: the transfer begins with an OACK. */
static inline bool
tftp_terms_has_oack(const struct tftp_terms *terms)
{
	return terms->echo_count != 0;
}

/* Write the OACK packet. Errors: ERR_FULL. */
enum err tftp_terms_oack(const struct tftp_terms *terms, struct wire_wr *wr) MUST_CHECK;

#endif
