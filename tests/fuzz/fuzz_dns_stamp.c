/* SPDX-License-Identifier: MIT */
/* A stamp that is read names a server that can be asked. */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_stamp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_stamp s;
	char text[1024] = DNS_STAMP_PREFIX;
	size_t prefix = strlen(DNS_STAMP_PREFIX);

	if (size > sizeof(text) - prefix - 1)
		size = sizeof(text) - prefix - 1;
	memcpy(text + prefix, data, size);
	if (dns_stamp_parse(&s, text) != OK)
		return 0;
	FUZZ_CHECK(s.kind == DNS_STAMP_PLAIN || s.kind == DNS_STAMP_DNSCRYPT);
	FUZZ_CHECK(addr_port(&s.addr) != 0 && !addr_is_any(&s.addr));
	if (s.kind == DNS_STAMP_DNSCRYPT) {
		struct span name = dns_name_span(&s.provider);

		FUZZ_CHECK(name.len != 0 && dns_name_at(name).len == name.len);
	}
	return 0;
}
