/* SPDX-License-Identifier: MIT */
/* The server's half of DNSCrypt, for tests of the client's. Shares no code with it but the box. */
#ifndef TESTS_SUPPORT_FAKE_CRYPT_H
#define TESTS_SUPPORT_FAKE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/seal.h"
#include "util/span.h"

#define FAKE_CRYPT_CERT 124	/* bytes */
#define FAKE_CRYPT_PROVIDER "2.dnscrypt-cert.example"

/* A provider and its one resolver. */
struct fake_crypt {
	uint8_t provider[SEAL_PUBLIC_BYTES];
	uint8_t provider_secret[SEAL_SIGN_SECRET_BYTES];
	uint8_t public[SEAL_PUBLIC_BYTES];
	uint8_t secret[SEAL_KEY_BYTES];
	uint8_t magic[8];
	uint16_t es_version;
	size_t pad;	/* bytes of padding in a response, at least 1 */
};

/* How a query came, for the response to it. */
struct fake_crypt_peer {
	uint8_t shared[SEAL_KEY_BYTES];
	uint8_t nonce[12];
	size_t query_len;
};

void fake_crypt_init(struct fake_crypt *c);
/* Take a new key pair of the resolver, as a rotation does. */
void fake_crypt_rotate(struct fake_crypt *c);
/* Write a signed certificate; gives its length. */
size_t fake_crypt_cert(const struct fake_crypt *c, uint32_t serial, uint32_t start_s,
    uint32_t end_s, uint8_t out[static FAKE_CRYPT_CERT]);
/* The same as a rule for fakedns.h. */
const char *fake_crypt_rule(const struct fake_crypt *c, uint32_t serial, uint32_t start_s,
    uint32_t end_s, char out[static 1024]);
/* The stamp of this resolver at an address. */
const char *fake_crypt_stamp(const struct fake_crypt *c, const struct addr *at,
    char out[static 512]);

/* Write the fields of a stamp, as they are, in its spelling. */
const char *fake_stamp(struct span fields, char out[static 512]);

/* Open a query; false where it is none for us. buf holds in.len bytes. */
bool fake_crypt_open(const struct fake_crypt *c, struct fake_crypt_peer *peer, struct span in,
    uint8_t *buf, struct span *query);
/* Write a response; gives its length. out has room for 512 bytes more. */
size_t fake_crypt_seal(const struct fake_crypt *c, const struct fake_crypt_peer *peer,
    struct span response, uint8_t *out);

#endif
