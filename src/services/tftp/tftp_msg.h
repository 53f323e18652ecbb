/* SPDX-License-Identifier: MIT */
/* TFTP packets: bytes to struct and back. RFC 1350, option extension RFC 2347. */
#ifndef SERVICES_TFTP_TFTP_MSG_H
#define SERVICES_TFTP_TFTP_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/seq.h"
#include "util/span.h"
#include "util/wire.h"

#define TFTP_HEADER_BYTES 4	/* in front of the data of a DATA packet */
#define TFTP_BLKSIZE_DEFAULT 512	/* bytes, RFC 1350 */
#define TFTP_BLKSIZE_MIN 8		/* bytes, RFC 2348 */
#define TFTP_BLKSIZE_MAX 65464		/* bytes, RFC 2348 */
#define TFTP_OPTIONS_MAX 16	/* looked at in one request; what comes behind is not asked for */

enum tftp_op {
	TFTP_RRQ = 1,
	TFTP_WRQ = 2,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

/* What a peer is told: RFC 1350 §5, 8 from RFC 2347. */
enum tftp_code {
	TFTP_CODE_OTHER = 0,
	TFTP_CODE_NOT_FOUND = 1,
	TFTP_CODE_DENIED = 2,
	TFTP_CODE_DISK_FULL = 3,
	TFTP_CODE_ILLEGAL = 4,
	TFTP_CODE_UNKNOWN_TID = 5,
	TFTP_CODE_EXISTS = 6,
	TFTP_CODE_NO_USER = 7,
	TFTP_CODE_OPTIONS = 8,
};

enum tftp_mode {
	TFTP_OCTET,
	TFTP_NETASCII,
	TFTP_MODE_OTHER,	/* "mail" and what else people type */
};

struct tftp_option {
	struct span name;	/* letter case as the peer wrote it */
	struct span value;
};

/* One packet. Spans point into the packet it was parsed from. */
struct tftp_msg {
	enum tftp_op op;
	struct seq16 block;	/* DATA, ACK */
	struct span data;	/* DATA; empty is legal */
	uint16_t code;		/* ERROR; any number, the set is open */
	struct span text;	/* ERROR */
	struct span file;	/* RRQ, WRQ */
	enum tftp_mode mode;	/* RRQ, WRQ */
	struct tftp_option options[TFTP_OPTIONS_MAX];	/* RRQ, WRQ, OACK */
	size_t option_count;
};

/*
 * Errors: ERR_SHORT; ERR_TRAILING (ACK); ERR_FORMAT for an unknown opcode or an empty file name.
 */
enum err tftp_msg_parse(struct tftp_msg *out, struct span bytes) MUST_CHECK;

/* Write a whole packet of any kind, as tftp_msg_parse() reads it. Errors: ERR_FULL, ERR_FORMAT. */
enum err tftp_msg_put(struct wire_wr *wr, const struct tftp_msg *msg) MUST_CHECK;

/* Write the four bytes in front of a block's data. */
void tftp_data_header(uint8_t at[static TFTP_HEADER_BYTES], struct seq16 block);

/* Give the text that goes with a code when there is nothing better to say; never NULL. */
const char *tftp_code_text(enum tftp_code code);

#endif
