/* SPDX-License-Identifier: MIT */
/*
 * The netascii mode of RFC 1350 §1 (NVT ASCII, RFC 764): on the wire a line ends in CR LF and a
 * bare CR is CR NUL. Both directions work piecewise; the struct carries what a cut tore apart.
 */
#ifndef SERVICES_TFTP_TFTP_NETASCII_H
#define SERVICES_TFTP_TFTP_NETASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

/* All zero to begin with. */
struct tftp_netascii {
	bool pending;	/* encode: second byte of a pair that did not fit; decode: a CR was last */
	uint8_t second;		/* encode: that byte */
};

/*
 * Encode from *in, which moves past what was taken, into out.
 * Returns the number of bytes written: cap, unless the input ran out first.
 */
size_t tftp_netascii_encode(struct tftp_netascii *na, struct span *in, uint8_t *out, size_t cap);

/* Decode all of in; out has room for in.len + 1 bytes. Returns the number of bytes written. */
size_t tftp_netascii_decode(struct tftp_netascii *na, struct span in, uint8_t *out);

/* After the last piece: a CR without a partner is written as it came. out has room for 1 byte. */
size_t tftp_netascii_decode_end(struct tftp_netascii *na, uint8_t *out);

#endif
