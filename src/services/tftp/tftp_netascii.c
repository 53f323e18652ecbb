/* SPDX-License-Identifier: MIT */
/* LF <-> CR LF, CR <-> CR NUL. Everything else passes, CR followed by another byte included. */
#include "services/tftp/tftp_netascii.h"

size_t
tftp_netascii_encode(struct tftp_netascii *na, struct span *in, uint8_t *out, size_t cap)
{
	size_t n = 0;

	while (n < cap) {
		if (na->pending) {
			out[n++] = na->second;
			na->pending = false;
			continue;
		}
		if (in->len == 0)
			break;

		uint8_t c = *in->at;

		in->at++;
		in->len--;
		if (c == '\n' || c == '\r') {
			na->second = c == '\n' ? '\n' : '\0';
			na->pending = true;
			c = '\r';
		}
		out[n++] = c;
	}
	return n;
}

size_t
tftp_netascii_decode(struct tftp_netascii *na, struct span in, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.at[i];

		if (na->pending) {
			na->pending = false;
			if (c == '\n' || c == '\0') {
				out[n++] = c == '\n' ? '\n' : '\r';
				continue;
			}
			out[n++] = '\r';
		}
		if (c == '\r')
			na->pending = true;
		else
			out[n++] = c;
	}
	return n;
}

size_t
tftp_netascii_decode_end(struct tftp_netascii *na, uint8_t *out)
{
	if (!na->pending)
		return 0;
	na->pending = false;
	out[0] = '\r';
	return 1;
}
