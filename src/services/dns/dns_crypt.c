/* SPDX-License-Identifier: MIT */
/*
 * DNSCrypt version 2 at the client.
 *
 *   certificate  "DNSC" es-version(2) minor(2) signature(64) | key(32) magic(8) serial(4) start(4)
 *		  end(4) extensions, the signature over what is behind it
 *   query	  magic(8) our key(32) nonce(12) box of the padded query
 *   response	  "r6fnvWj8" nonce(24), of which the first 12 are ours, box of the padded response
 *
 * Implementations differ in what they align to 64 bytes, so any amount of padding is accepted.
 */
#include "services/dns/dns_crypt.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "services/dns/dns_msg.h"
#include "util/wire.h"

#define CERT_MAGIC	"DNSC"
#define ES_XCHACHA20	2
#define CERT_MAX	1024	/* bytes; ours have 124 and few extensions */
#define CERTS_MAX	16	/* looked at in one answer: each costs 36 us */
#define REPLY_MAGIC	"r6fnvWj8"

enum err
dns_crypt_cert_read(struct dns_crypt_cert *out, struct span bytes,
    const uint8_t provider[static SEAL_PUBLIC_BYTES])
{
	struct wire_rd rd = wire_rd_of(bytes);
	struct span magic = wire_rd_bytes(&rd, 4);
	uint16_t es_version = wire_rd_u16(&rd);
	uint16_t minor = wire_rd_u16(&rd);
	struct span signature = wire_rd_bytes(&rd, SEAL_SIGNATURE_BYTES);
	struct span covered = span_of(rd.at, wire_rd_left(&rd));
	struct span key = wire_rd_bytes(&rd, sizeof(out->key));
	struct span client_magic = wire_rd_bytes(&rd, sizeof(out->magic));

	*out = (struct dns_crypt_cert){ .serial = wire_rd_u32(&rd), .start_s = wire_rd_u32(&rd),
		.end_s = wire_rd_u32(&rd) };
	if (rd.bad || !span_equal(magic, span_str(CERT_MAGIC)))
		return ERR_FORMAT;
	if (es_version != ES_XCHACHA20 || minor != 0)
		return ERR_UNSUPPORTED;
	memcpy(out->key, key.at, key.len);
	memcpy(out->magic, client_magic.at, client_magic.len);
	return seal_verify(signature.at, covered, provider);
}

/* Put the character-strings of a TXT record together; empty where they are broken or too long. */
static struct span
join_strings(uint8_t buf[static CERT_MAX], struct span rdata)
{
	struct wire_rd rd = wire_rd_of(rdata);
	struct wire_wr wr = wire_wr_of(buf, CERT_MAX);

	while (wire_rd_left(&rd) != 0 && !rd.bad)
		wire_wr_bytes(&wr, wire_rd_bytes(&rd, wire_rd_u8(&rd)));
	return rd.bad || wr.bad ? span_of(NULL, 0) : wire_wr_span(&wr);
}

enum err
dns_crypt_cert_choose(struct dns_crypt_cert *out, struct span answer,
    const uint8_t provider[static SEAL_PUBLIC_BYTES], int64_t now_s)
{
	uint8_t buf[CERT_MAX];
	struct dns_walk walk;
	struct dns_rr rr;
	bool found = false;
	unsigned n = 0;

	dns_walk_begin(&walk, answer);
	while (n < CERTS_MAX && dns_rr_next(&walk, &rr)) {
		struct dns_crypt_cert cert;

		if (rr.section != DNS_SECTION_ANSWER || rr.type != DNS_TYPE_TXT)
			continue;
		n++;
		if (dns_crypt_cert_read(&cert, join_strings(buf, rr.rdata), provider) != OK)
			continue;
		if (now_s != 0 && (now_s < cert.start_s || now_s > cert.end_s))
			continue;
		if (found && cert.serial <= out->serial)
			continue;
		*out = cert;
		found = true;
	}
	return found ? OK : ERR_NOTFOUND;
}

enum err
dns_crypt_session_init(struct dns_crypt_session *s, const struct dns_crypt_cert *cert)
{
	uint8_t secret[SEAL_KEY_BYTES];

	memcpy(s->magic, cert->magic, sizeof(s->magic));
	seal_box_keypair(s->public, secret);

	enum err e = seal_box_shared(s->shared, cert->key, secret);

	seal_wipe(secret, sizeof(secret));
	return e;
}

size_t
dns_crypt_query(uint8_t *out, size_t cap, const struct dns_crypt_session *s,
    const uint8_t nonce[static DNS_CRYPT_NONCE_BYTES], struct span query, size_t padded)
{
	uint8_t plain[DNS_CRYPT_BLOCK * 32];
	uint8_t whole_nonce[SEAL_NONCE_BYTES] = { 0 };
	struct wire_wr wr = wire_wr_of(out, cap);

	assert(padded > query.len);
	if (padded > sizeof(plain))
		return 0;
	memcpy(plain, query.at, query.len);
	seal_pad(plain, query.len, padded);
	memcpy(whole_nonce, nonce, DNS_CRYPT_NONCE_BYTES);
	wire_wr_bytes(&wr, span_of(s->magic, sizeof(s->magic)));
	wire_wr_bytes(&wr, span_of(s->public, sizeof(s->public)));
	wire_wr_bytes(&wr, span_of(nonce, DNS_CRYPT_NONCE_BYTES));

	uint8_t *sealed = wire_wr_take(&wr, SEAL_TAG_BYTES + padded);

	if (sealed == NULL)
		return 0;
	seal_box_wrap(sealed, span_of(plain, padded), whole_nonce, s->shared);
	return wire_wr_len(&wr);
}

const uint8_t *
dns_crypt_reply_nonce(struct span bytes)
{
	if (bytes.len < DNS_CRYPT_REPLY_EXTRA ||
	    memcmp(bytes.at, REPLY_MAGIC, DNS_CRYPT_MAGIC_BYTES) != 0)
		return NULL;
	return bytes.at + DNS_CRYPT_MAGIC_BYTES;
}

enum err
dns_crypt_reply(struct span *out, uint8_t *buf, const struct dns_crypt_session *s,
    const uint8_t nonce[static DNS_CRYPT_NONCE_BYTES], struct span bytes)
{
	const uint8_t *whole_nonce = dns_crypt_reply_nonce(bytes);
	size_t head = DNS_CRYPT_MAGIC_BYTES + SEAL_NONCE_BYTES;

	if (whole_nonce == NULL || memcmp(whole_nonce, nonce, DNS_CRYPT_NONCE_BYTES) != 0)
		return ERR_AUTH;

	struct span sealed = span_of(bytes.at + head, bytes.len - head);
	enum err e = seal_box_open(buf, sealed, whole_nonce, s->shared);

	if (e != OK)
		return e;
	return seal_unpad(span_of(buf, sealed.len - SEAL_TAG_BYTES), out);
}
