/* SPDX-License-Identifier: MIT */
/*
 * Octet files are read with one preadv2(RWF_NOWAIT) straight behind the headers. A file that
 * shrinks while it is sent would end in a short block, which says "complete": its size at the start
 * counts, and less than that is an error. No mmap: a truncated file would kill the daemon with
 * SIGBUS.
 */
#include "services/tftp/tftp_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define RAW_BYTES 16384	/* of the file, read at once to be encoded */

/* Encoded blocks are kept for two windows, as they may have to go again. */
struct tftp_ascii {
	struct tftp_netascii encoder;
	uint64_t next;		/* block to encode next */
	unsigned slots;
	size_t last_len;	/* of the last block, once it is known */
	uint64_t at;		/* of the file, behind raw */
	size_t raw_used, raw_len;
	uint8_t raw[RAW_BYTES];
	uint8_t blocks[];	/* slots * blksize */
};

enum err
tftp_reader_init(struct tftp_reader *r, struct tftp_found *found, const struct tftp_terms *terms,
    bool netascii)
{
	struct tftp_ascii *ascii = NULL;

	if (netascii) {
		unsigned slots = 2 * terms->windowsize;

		ascii = calloc(1, sizeof(*ascii) + (size_t)slots * terms->blksize);
		if (ascii == NULL)
			return ERR_NOMEM;
		ascii->next = 1;
		ascii->slots = slots;
	}
	*r = (struct tftp_reader){ .found = *found, .blksize = terms->blksize,
		.roll = terms->rollover, .ascii = ascii,
		.last = netascii ? UINT64_MAX : found->size / terms->blksize + 1 };
	found->fd = -1;
	found->text = NULL;
	return OK;
}

void
tftp_reader_fini(struct tftp_reader *r)
{
	tftp_found_drop(&r->found);
	free(r->ahead);
	free(r->ascii);
	r->ahead = NULL;
	r->ascii = NULL;
}

/* Scatter bytes that are in memory. */
static size_t
scatter(const uint8_t *from, size_t len, const struct iovec *iov, unsigned n)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < len; i++) {
		size_t piece = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

		memcpy(iov[i].iov_base, from + done, piece);
		done += piece;
	}
	return done;
}

/* Read without waiting. *got: bytes, 1 or more after OK. */
static enum tftp_read
read_at(struct tftp_reader *r, uint64_t at, const struct iovec *iov, unsigned n, size_t *got)
{
	if (r->found.text != NULL) {
		*got = scatter(r->found.text + at, r->found.size - at, iov, n);
		return TFTP_READ_OK;
	}
	if (at >= r->ahead_at && at < r->ahead_at + r->ahead_len) {
		size_t skip = (size_t)(at - r->ahead_at);

		*got = scatter(r->ahead + skip, r->ahead_len - skip, iov, n);
		return TFTP_READ_OK;
	}

	ssize_t have = preadv2(r->found.fd, iov, (int)n, (off_t)at, RWF_NOWAIT);

	if (have > 0) {
		*got = (size_t)have;
		return TFTP_READ_OK;
	}
	if (have == 0)
		return TFTP_READ_SHORT;
	r->wanted = at;
	/* File systems without RWF_NOWAIT are always read by the pool. */
	return errno == EAGAIN || errno == EINTR || errno == EOPNOTSUPP || errno == ENOSYS ?
	    TFTP_READ_WAIT : TFTP_READ_FAILED;
}

/* Not one whole block is there: fetch from here on, unless that was done and met the end. */
static enum tftp_read
not_enough(struct tftp_reader *r, uint64_t at)
{
	if (at >= r->ahead_at && at < r->ahead_at + r->ahead_len && r->ahead_len < TFTP_AHEAD_BYTES)
		return TFTP_READ_SHORT;
	r->wanted = at;
	return TFTP_READ_WAIT;
}

static enum tftp_read
fill_octet(struct tftp_reader *r, uint64_t first, unsigned *count, uint8_t *out, size_t *len)
{
	struct iovec iov[TFTP_WINDOW_MAX];
	size_t slot = r->blksize + TFTP_HEADER_BYTES;
	uint64_t at = (first - 1) * r->blksize;
	uint64_t left = r->found.size - at;
	unsigned n = *count < TFTP_WINDOW_MAX ? *count : TFTP_WINDOW_MAX;
	size_t want = left < (uint64_t)n * r->blksize ? (size_t)left : (size_t)n * r->blksize;
	size_t got = 0;

	for (unsigned i = 0; i < n; i++)
		iov[i] = (struct iovec){ out + i * slot + TFTP_HEADER_BYTES, r->blksize };
	if (want != 0) {
		enum tftp_read res = read_at(r, at, iov, n, &got);

		if (res != TFTP_READ_OK)
			return res;
	}
	if (got < want) {
		/* Whole blocks only; what is missing is read by the next call. */
		n = (unsigned)(got / r->blksize);
		got = (size_t)n * r->blksize;
		if (n == 0)
			return not_enough(r, at);
	} else {
		got = want;
	}
	for (unsigned i = 0; i < n; i++)
		tftp_data_header(out + i * slot, tftp_block_wire(first + i, r->roll));
	*count = n;
	*len = got + (size_t)n * TFTP_HEADER_BYTES;
	return TFTP_READ_OK;
}

/* More raw bytes for the encoder; none at the end of the file. */
static enum tftp_read
refill(struct tftp_reader *r)
{
	struct tftp_ascii *a = r->ascii;
	size_t left =
	    (size_t)(r->found.size - a->at < RAW_BYTES ? r->found.size - a->at : RAW_BYTES);
	struct iovec iov = { a->raw, left };

	a->raw_used = a->raw_len = 0;
	if (left == 0)
		return TFTP_READ_OK;

	enum tftp_read res = read_at(r, a->at, &iov, 1, &a->raw_len);

	if (res == TFTP_READ_OK)
		a->at += a->raw_len;
	return res;
}

/* Encode the next block into its slot, going on where an earlier try had to wait. */
static enum tftp_read
encode_block(struct tftp_reader *r)
{
	struct tftp_ascii *a = r->ascii;
	uint8_t *slot = a->blocks + (size_t)(a->next % a->slots) * r->blksize;

	for (;;) {
		struct span in = span_of(a->raw + a->raw_used, a->raw_len - a->raw_used);

		a->last_len += tftp_netascii_encode(&a->encoder, &in, slot + a->last_len,
		    r->blksize - a->last_len);
		a->raw_used = a->raw_len - in.len;
		if (a->last_len == r->blksize) {
			a->last_len = 0;
			break;
		}
		if (a->at == r->found.size) {
			r->last = a->next;
			break;
		}

		enum tftp_read res = refill(r);

		if (res != TFTP_READ_OK)
			return res;
	}
	a->next++;
	return TFTP_READ_OK;
}

static enum tftp_read
fill_ascii(struct tftp_reader *r, uint64_t first, unsigned *count, uint8_t *out, size_t *len)
{
	struct tftp_ascii *a = r->ascii;
	unsigned n = 0;

	*len = 0;
	for (; n < *count && first + n <= r->last; n++) {
		uint64_t block = first + n;
		enum tftp_read res = block < a->next ? TFTP_READ_OK : encode_block(r);
		size_t bytes = r->blksize;

		if (res != TFTP_READ_OK && n == 0)
			return res;
		if (res != TFTP_READ_OK)
			break;
		if (block == r->last)
			bytes = a->last_len;
		tftp_data_header(out + *len, tftp_block_wire(block, r->roll));
		memcpy(out + *len + TFTP_HEADER_BYTES,
		    a->blocks + (size_t)(block % a->slots) * r->blksize, bytes);
		*len += TFTP_HEADER_BYTES + bytes;
	}
	*count = n;
	return TFTP_READ_OK;
}

enum tftp_read
tftp_reader_fill(struct tftp_reader *r, uint64_t first, unsigned *count, uint8_t *out, size_t *len)
{
	return r->ascii != NULL ? fill_ascii(r, first, count, out, len)
				: fill_octet(r, first, count, out, len);
}

bool
tftp_reader_fetch(struct tftp_reader *r)
{
	size_t have = 0;

	if (r->ahead == NULL && (r->ahead = malloc(TFTP_AHEAD_BYTES)) == NULL)
		return false;
	r->ahead_at = r->wanted;
	r->ahead_len = 0;
	while (have < TFTP_AHEAD_BYTES) {
		ssize_t n = pread(r->found.fd, r->ahead + have, TFTP_AHEAD_BYTES - have,
		    (off_t)(r->wanted + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	r->ahead_len = have;
	return have != 0;
}
