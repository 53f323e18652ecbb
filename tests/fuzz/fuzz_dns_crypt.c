/* SPDX-License-Identifier: MIT */
/* What DNSCrypt servers send, certificates and responses: without the keys nothing is believed. */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_crypt.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t provider[SEAL_PUBLIC_BYTES] = { 9, 1, 2, 3 };
	static const struct dns_crypt_session session = { .shared = { 4, 5, 6 } };
	static uint8_t buf[70000];
	uint8_t nonce[DNS_CRYPT_NONCE_BYTES] = { 0 };
	struct span bytes = span_of(data, size);
	struct dns_crypt_cert cert;
	struct span out;

	if (seal_init() != OK || size > sizeof(buf))
		return 0;
	FUZZ_CHECK(dns_crypt_cert_choose(&cert, bytes, provider, 0) == ERR_NOTFOUND);
	FUZZ_CHECK(dns_crypt_cert_read(&cert, bytes, provider) != OK);
	if (dns_crypt_reply_nonce(bytes) != NULL)
		memcpy(nonce, dns_crypt_reply_nonce(bytes), sizeof(nonce));
	FUZZ_CHECK(dns_crypt_reply(&out, buf, &session, nonce, bytes) != OK);
	return 0;
}
