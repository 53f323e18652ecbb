/* SPDX-License-Identifier: MIT */
#include "support/fake_crypt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/wire.h"

void
fake_crypt_init(struct fake_crypt *c)
{
	memset(c, 0, sizeof(*c));
	seal_sign_keypair(c->provider, c->provider_secret);
	c->es_version = 2;
	c->pad = 64;
	fake_crypt_rotate(c);
}

void
fake_crypt_rotate(struct fake_crypt *c)
{
	seal_box_keypair(c->public, c->secret);
	memcpy(c->magic, c->public, sizeof(c->magic));
}

size_t
fake_crypt_cert(const struct fake_crypt *c, uint32_t serial, uint32_t start_s, uint32_t end_s,
		uint8_t out[static FAKE_CRYPT_CERT])
{
	memcpy(out, "DNSC", 4);
	wire_put_u16(out + 4, c->es_version);
	wire_put_u16(out + 6, 0);
	memcpy(out + 72, c->public, 32);
	memcpy(out + 104, c->magic, 8);
	wire_put_u32(out + 112, serial);
	wire_put_u32(out + 116, start_s);
	wire_put_u32(out + 120, end_s);
	seal_sign(out + 8, span_of(out + 72, FAKE_CRYPT_CERT - 72), c->provider_secret);
	return FAKE_CRYPT_CERT;
}

const char *
fake_crypt_rule(const struct fake_crypt *c, uint32_t serial, uint32_t start_s, uint32_t end_s,
		char out[static 1024])
{
	uint8_t cert[FAKE_CRYPT_CERT];
	size_t len = fake_crypt_cert(c, serial, start_s, end_s, cert);
	char *p = out;

	p += sprintf(p, "%s TXT \\# %zu %02x", FAKE_CRYPT_PROVIDER, len + 1, (unsigned)len);
	for (size_t i = 0; i < len; i++)
		p += sprintf(p, "%02x", cert[i]);
	return out;
}

const char *
fake_stamp(struct span fields, char out[static 512])
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *p = out + sprintf(out, "sdns://");
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < fields.len; i++)
		for (bits = bits << 8 | fields.at[i], n += 8; n >= 6; n -= 6)
			*p++ = digits[bits >> (n - 6) & 63];
	if (n != 0)
		*p++ = digits[bits << (6 - n) & 63];
	*p = '\0';
	return out;
}

const char *
fake_crypt_stamp(const struct fake_crypt *c, const struct addr *at, char out[static 512])
{
	uint8_t bytes[256];
	char text[ADDR_TEXT_MAX];
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));

	addr_format(at, text);
	wire_wr_bytes(&wr, span_of("\1\7\0\0\0\0\0\0\0", 9));
	wire_wr_u8(&wr, (uint8_t)strlen(text));
	wire_wr_bytes(&wr, span_str(text));
	wire_wr_u8(&wr, sizeof(c->provider));
	wire_wr_bytes(&wr, span_of(c->provider, sizeof(c->provider)));
	wire_wr_u8(&wr, sizeof(FAKE_CRYPT_PROVIDER) - 1);
	wire_wr_bytes(&wr, span_str(FAKE_CRYPT_PROVIDER));
	return fake_stamp(wire_wr_span(&wr), out);
}

bool
fake_crypt_open(const struct fake_crypt *c, struct fake_crypt_peer *peer, struct span in,
		uint8_t *buf, struct span *query)
{
	uint8_t nonce[SEAL_NONCE_BYTES] = {0};

	if (in.len < 68 || memcmp(in.at, c->magic, 8) != 0)
		return false;
	memcpy(peer->nonce, in.at + 40, 12);
	memcpy(nonce, peer->nonce, 12);
	peer->query_len = in.len;
	return seal_box_shared(peer->shared, in.at + 8, c->secret) == OK &&
	       seal_box_open(buf, span_of(in.at + 52, in.len - 52), nonce, peer->shared) == OK &&
	       seal_unpad(span_of(buf, in.len - 68), query) == OK;
}

size_t
fake_crypt_seal(const struct fake_crypt *c, const struct fake_crypt_peer *peer,
		struct span response, uint8_t *out)
{
	uint8_t nonce[SEAL_NONCE_BYTES];
	size_t padded = response.len + c->pad;
	uint8_t *plain = calloc(1, padded);

	if (plain == NULL)
		return 0;
	memcpy(plain, response.at, response.len);
	seal_pad(plain, response.len, padded);
	memcpy(nonce, peer->nonce, 12);
	memset(nonce + 12, 0x5a, 12);
	memcpy(out, "r6fnvWj8", 8);
	memcpy(out + 8, nonce, sizeof(nonce));
	seal_box_wrap(out + 32, span_of(plain, padded), nonce, peer->shared);
	free(plain);
	return 48 + padded;
}
