/* SPDX-License-Identifier: MIT */
/*
 * What DNSCrypt servers send, certificates and responses. As the bytes come, without the keys,
 * nothing is believed; signed and sealed by a server that has them, they are read within bounds.
 */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_crypt.h"
#include "services/dns/dns_msg.h"

#define CERT_HEAD     72	/* bytes before what the signature covers */
#define RESPONSE_HEAD 32

static uint8_t provider[SEAL_PUBLIC_BYTES], secret[SEAL_SIGN_SECRET_BYTES];
static const struct dns_crypt_session session = { .shared = { 4, 5, 6 } };
static uint8_t buf[70000], sealed[70000];

static void
as_it_comes(struct span bytes)
{
	uint8_t nonce[DNS_CRYPT_NONCE_BYTES] = { 0 };
	struct dns_crypt_cert cert;
	struct span out;

	FUZZ_CHECK(dns_crypt_cert_choose(&cert, bytes, provider, 0) == ERR_NOTFOUND);
	FUZZ_CHECK(dns_crypt_cert_read(&cert, bytes, provider) != OK);
	if (dns_crypt_reply_nonce(bytes) != NULL)
		memcpy(nonce, dns_crypt_reply_nonce(bytes), sizeof(nonce));
	FUZZ_CHECK(dns_crypt_reply(&out, buf, &session, nonce, bytes) != OK);
}

/* A certificate whose signature is right, whatever is under it. */
static void
signed_by_provider(struct span body)
{
	struct dns_crypt_cert cert;
	struct dns_crypt_session s;

	memset(buf, 0, CERT_HEAD);
	memcpy(buf, "DNSC\0\2\0\0", 8);
	memcpy(buf + CERT_HEAD, body.at, body.len);
	seal_sign(buf + 8, span_of(buf + CERT_HEAD, body.len), secret);
	if (dns_crypt_cert_read(&cert, span_of(buf, CERT_HEAD + body.len), provider) != OK) {
		FUZZ_CHECK(body.len < 52);
		return;
	}
	FUZZ_CHECK(body.len >= 52 && memcmp(cert.key, body.at, sizeof(cert.key)) == 0);
	(void)!dns_crypt_session_init(&s, &cert);	/* a key that is none is refused */
}

/* A response that opens: what is in it ends before its padding. */
static void
sealed_by_server(struct span padded)
{
	static const uint8_t nonce[SEAL_NONCE_BYTES] = { 1, 2, 3 };
	struct span out;

	memcpy(sealed, "r6fnvWj8", 8);
	memcpy(sealed + 8, nonce, sizeof(nonce));
	seal_box_wrap(sealed + RESPONSE_HEAD, padded, nonce, session.shared);

	struct span bytes = span_of(sealed, RESPONSE_HEAD + SEAL_TAG_BYTES + padded.len);
	enum err e = dns_crypt_reply(&out, buf, &session, nonce, bytes);

	FUZZ_CHECK(e == OK || e == ERR_FORMAT);
	if (e != OK)
		return;
	FUZZ_CHECK(out.len < padded.len && padded.at[out.len] == 0x80);
	FUZZ_CHECK(memcmp(out.at, padded.at, out.len) == 0);
	for (size_t i = out.len + 1; i < padded.len; i++)
		FUZZ_CHECK(padded.at[i] == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[SEAL_SIGN_SEED_BYTES] = { 9, 1, 2, 3 };
	struct span bytes = span_of(data, size);

	if (seal_init() != OK || size > UINT16_MAX)
		return 0;
	seal_sign_keypair_from(provider, secret, seed);
	as_it_comes(bytes);
	signed_by_provider(bytes);
	sealed_by_server(bytes);
	return 0;
}
