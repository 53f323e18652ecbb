/* SPDX-License-Identifier: MIT */
/* Seal, sign, open and verify beacon datagrams. */
#include "services/announce/beacon_crypt.h"

#include <assert.h>
#include <string.h>

#include "util/seal.h"

static const char sign_prefix[] = "LAN!sig1";

enum err
beacon_open(struct beacon_opened *o, struct span dgram, const struct beacon_keyring *ring)
{
	const struct beacon_hdr *h = &o->hdr;

	if (dgram.len > BEACON_DGRAM_MAX)
		return ERR_RANGE;

	struct span ad = span_of(dgram.at, h->hdr_len);
	struct span body = span_of(dgram.at + h->hdr_len, h->body_len);
	uint8_t *plain = o->run + BEACON_SIGN_PREFIX + h->hdr_len;

	o->body_len = body.len - beacon_overhead(h->flags);
	if ((h->flags & BEACON_SEALED) != 0) {
		const struct beacon_group_key *k = beacon_keyring_find(ring, h->key_id);

		if (k == NULL)
			return ERR_NOTFOUND;
		if (seal_open(plain, body, ad, h->nonce, k->key) != OK)
			return ERR_AUTH;
	} else {
		memcpy(plain, body.at, body.len);
	}
	memcpy(o->run, sign_prefix, BEACON_SIGN_PREFIX);
	memcpy(o->run + BEACON_SIGN_PREFIX, ad.at, ad.len);
	return OK;
}

struct span
beacon_opened_body(const struct beacon_opened *o)
{
	return span_of(o->run + BEACON_SIGN_PREFIX + o->hdr.hdr_len, o->body_len);
}

enum err
beacon_verify(const struct beacon_opened *o, const uint8_t key[static SEAL_PUBLIC_BYTES])
{
	if ((o->hdr.flags & BEACON_SIGNED) == 0)
		return ERR_AUTH;

	size_t len = BEACON_SIGN_PREFIX + o->hdr.hdr_len + o->body_len;

	return seal_verify(o->run + len, span_of(o->run, len), key);
}

size_t
beacon_seal(uint8_t out[static BEACON_DGRAM_MAX], struct beacon_hdr *h, struct span body,
    const struct beacon_keyring *ring, const struct beacon_identity *me)
{
	uint8_t run[BEACON_SIGN_PREFIX + BEACON_DGRAM_MAX];
	bool sealed = ring->count != 0;
	size_t plain_len = body.len;

	assert(body.len <= BEACON_PLAIN_MAX);
	h->version = BEACON_VERSION;
	h->min_version = BEACON_VERSION;
	h->flags &= BEACON_NOCLOCK;
	h->flags |= (uint8_t)((sealed ? BEACON_SEALED : 0) | (me != NULL ? BEACON_SIGNED : 0) |
			      (h->frag_count > 1 ? BEACON_FRAG : 0));
	h->hdr_len = BEACON_HDR_BYTES;
	h->body_len = (uint16_t)(body.len + beacon_overhead(h->flags));
	h->key_id = sealed ? ring->keys[0].id : 0;
	memset(h->nonce, 0, sizeof(h->nonce));
	if (sealed)
		seal_random(h->nonce, sizeof(h->nonce));

	struct wire_wr wr = wire_wr_of(run + BEACON_SIGN_PREFIX, BEACON_DGRAM_MAX);

	memcpy(run, sign_prefix, BEACON_SIGN_PREFIX);
	beacon_hdr_put(&wr, h);
	wire_wr_bytes(&wr, body);
	if (me != NULL) {
		size_t len = BEACON_SIGN_PREFIX + BEACON_HDR_BYTES + body.len;

		seal_sign(run + len, span_of(run, len), me->secret);
		plain_len += SEAL_SIGNATURE_BYTES;
	}
	memcpy(out, run + BEACON_SIGN_PREFIX, BEACON_HDR_BYTES + plain_len);
	if (sealed)
		seal_wrap(out + BEACON_HDR_BYTES, span_of(out + BEACON_HDR_BYTES, plain_len),
		    span_of(out, BEACON_HDR_BYTES), h->nonce, ring->keys[0].key);
	return (size_t)BEACON_HDR_BYTES + h->body_len;
}
