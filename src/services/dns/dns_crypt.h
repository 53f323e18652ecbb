/* SPDX-License-Identifier: MIT */
/*
 * DNSCrypt version 2, the client's half: certificates, queries, responses. Bytes only. One
 * construction, X25519 with XChaCha20-Poly1305 (es-version 2). Source: draft-denis-dprive-dnscrypt.
 */
#ifndef SERVICES_DNS_DNS_CRYPT_H
#define SERVICES_DNS_DNS_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_CRYPT_MAGIC_BYTES 8
#define DNS_CRYPT_NONCE_BYTES 12	/* the client's half of it */
#define DNS_CRYPT_QUERY_EXTRA 68	/* bytes around the padded query */
#define DNS_CRYPT_REPLY_EXTRA 48	/* bytes around the padded response */
#define DNS_CRYPT_BLOCK	      64	/* padding fills up to a multiple */

/* A resolver's certificate, verified. */
struct dns_crypt_cert {
	uint8_t key[SEAL_PUBLIC_BYTES];	/* X25519 */
	uint8_t magic[DNS_CRYPT_MAGIC_BYTES];	/* begins every query under this key */
	uint32_t serial;
	uint32_t start_s;	/* valid from and to, seconds since 1970, both included */
	uint32_t end_s;
};

/*
 * Read a certificate.
 *
 * provider  the provider's Ed25519 key, from the stamp
 * errors    ERR_FORMAT; ERR_UNSUPPORTED (another construction); ERR_AUTH (another's signature)
 */
enum err dns_crypt_cert_read(struct dns_crypt_cert *out, struct span bytes,
    const uint8_t provider[static SEAL_PUBLIC_BYTES]) MUST_CHECK;

/*
 * Choose among the certificates of a TXT answer: the highest serial of those that are valid.
 *
 * now_s   seconds since 1970; 0 where the clock cannot be right: any time is fine then
 * errors  ERR_NOTFOUND: none that is signed, valid now and of our construction
 */
enum err dns_crypt_cert_choose(struct dns_crypt_cert *out, struct span answer,
    const uint8_t provider[static SEAL_PUBLIC_BYTES], int64_t now_s) MUST_CHECK;

/* What queries under one certificate and one key of ours need. Secret: wipe it. */
struct dns_crypt_session {
	uint8_t magic[DNS_CRYPT_MAGIC_BYTES];
	uint8_t public[SEAL_PUBLIC_BYTES];	/* ours, drawn for this session */
	uint8_t shared[SEAL_KEY_BYTES];
};

/* Errors: ERR_AUTH, the resolver's key is a bad one. */
enum err dns_crypt_session_init(struct dns_crypt_session *s,
    const struct dns_crypt_cert *cert) MUST_CHECK;

/*
 * Write an encrypted query; gives its length, 0 where it does not fit into cap.
 *
 * nonce   random, never twice in one session
 * padded  length of the query with its padding: at least one more than that of the query
 */
size_t dns_crypt_query(uint8_t *out, size_t cap, const struct dns_crypt_session *s,
    const uint8_t nonce[static DNS_CRYPT_NONCE_BYTES], struct span query, size_t padded);

/* Give the client's half of the nonce of a response, or NULL where that is none. */
const uint8_t *dns_crypt_reply_nonce(struct span bytes);

/*
 * Open a response. *out is a view of buf, which holds at least bytes.len.
 *
 * errors  ERR_AUTH, also for another nonce; ERR_FORMAT, authentic but without padding
 */
enum err dns_crypt_reply(struct span *out, uint8_t *buf, const struct dns_crypt_session *s,
    const uint8_t nonce[static DNS_CRYPT_NONCE_BYTES], struct span bytes) MUST_CHECK;

#endif
