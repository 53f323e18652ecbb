/* SPDX-License-Identifier: MIT */
/*
 * From struct to sealed, signed datagram and back. Signed first, sealed around it: the cheap tag
 * (0.5 us) keeps strangers away from the expensive signature (36 us), and the signature covers the
 * header, so that a member of the group cannot seal somebody's words again under another number.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_CRYPT_H
#define SERVICES_ANNOUNCE_BEACON_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_msg.h"
#include "util/err.h"
#include "util/span.h"

#define BEACON_PLAIN_MAX (BEACON_DGRAM_MAX - BEACON_HDR_BYTES - 64 - 16)	/* bytes of body */
#define BEACON_SIGN_PREFIX 8	/* "LAN!sig1" */

/* A datagram being opened: prefix, header and plaintext in one run, as the signature needs them. */
struct beacon_opened {
	struct beacon_hdr hdr;
	size_t body_len;		/* of the body without the signature */
	uint8_t run[BEACON_SIGN_PREFIX + BEACON_DGRAM_MAX];
};

/*
 * Undo the seal (where there is one); o->hdr must come from beacon_hdr_parse() of this datagram.
 *
 * errors  ERR_NOTFOUND (no such key in the ring), ERR_AUTH, ERR_RANGE (longer than a beacon)
 */
enum err beacon_open(struct beacon_opened *o, struct span dgram,
    const struct beacon_keyring *ring) MUST_CHECK;

/* Check the signature of what beacon_open() has opened. Errors: ERR_AUTH. */
enum err beacon_verify(const struct beacon_opened *o,
    const uint8_t key[static SEAL_PUBLIC_BYTES]) MUST_CHECK;

/* The body; lives as long as o. */
struct span beacon_opened_body(const struct beacon_opened *o);

/*
 * Build a datagram in out. In h the caller sets type, sender, epoch, seq, time_ms, lifetime_s,
 * NOCLOCK and the fragment; the rest is filled in here.
 *
 * body    at most BEACON_PLAIN_MAX bytes (an assertion)
 * ring    its first key seals; empty: not sealed
 * me      signs; NULL for requests
 * gives the length
 */
size_t beacon_seal(uint8_t out[static BEACON_DGRAM_MAX], struct beacon_hdr *h, struct span body,
    const struct beacon_keyring *ring, const struct beacon_identity *me);

#endif
