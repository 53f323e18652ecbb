/* SPDX-License-Identifier: MIT */
/* Any text gives a bounded list of different addresses, and a list made from that is the same. */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_resolvconf.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_resolvconf rc, again;
	char text[DNS_RESOLVCONF_MAX * (ADDR_TEXT_MAX + 16)];
	size_t len = 0;

	dns_resolvconf_parse(&rc, span_of(data, size));
	FUZZ_CHECK(rc.count <= DNS_RESOLVCONF_MAX);
	for (size_t i = 0; i < rc.count; i++) {
		struct addr a;
		enum err e = addr_parse(&a, rc.servers[i], 53);

		FUZZ_CHECK(e == OK || e == ERR_NOTFOUND);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "nameserver %s\n",
					rc.servers[i]);
	}
	dns_resolvconf_parse(&again, span_of(text, len));
	FUZZ_CHECK(again.count == rc.count && again.refused == 0);
	for (size_t i = 0; i < rc.count; i++)
		FUZZ_CHECK(strcmp(rc.servers[i], again.servers[i]) == 0);
	return 0;
}
