/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_resolvconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static struct dns_resolvconf
parse(const char *text)
{
	struct dns_resolvconf rc;
	size_t len = strlen(text);
	char *copy =
	    malloc(len + 1); /* exactly as long as the text, so that ASan sees a step too far */

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, text, len);
	copy = realloc(copy, len != 0 ? len : 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	dns_resolvconf_parse(&rc, span_of(copy, len));
	free(copy);
	return rc;
}

static void
servers_come_in_their_order_and_once(void)
{
	struct dns_resolvconf rc = parse("# generated\n; old style\n"
					 "search home.arpa\noptions edns0 trust-ad\n"
					 "nameserver 192.168.1.1\r\n"
					 "nameserver\t2001:db8::53   # the other one\n"
					 "nameserver 192.168.1.1\n"
					 "nameserver 9.9.9.9");

	CU_ASSERT_EQUAL(rc.count, 3);
	CU_ASSERT_STRING_EQUAL(rc.servers[0], "192.168.1.1");
	CU_ASSERT_STRING_EQUAL(rc.servers[1], "2001:db8::53");
	CU_ASSERT_STRING_EQUAL(rc.servers[2], "9.9.9.9");
	CU_ASSERT_EQUAL(rc.refused, 0);
}

static void
a_scope_is_kept_even_where_the_interface_is_away(void)
{
	struct dns_resolvconf rc = parse("nameserver fe80::1%nosuchif0\nnameserver fe80::1%lo\n");

	CU_ASSERT_EQUAL(rc.count, 2);
	CU_ASSERT_STRING_EQUAL(rc.servers[0], "fe80::1%nosuchif0");
	CU_ASSERT_STRING_EQUAL(rc.servers[1], "fe80::1%lo");
}

static void
what_is_no_address_is_refused_and_counted(void)
{
	struct dns_resolvconf rc = parse("nameserver\nnameserver dns.example\nnameserver 1.2.3\n"
					 "nameserver 9.9.9.9:53\nnameserver [::1]:53\n"
					 "nameservers 9.9.9.9\n nameserver 9.9.9.9\n"
					 "#nameserver 9.9.9.9\nnameserver9.9.9.9\n");

	CU_ASSERT_EQUAL(rc.count, 0);
	CU_ASSERT_EQUAL(rc.refused, 5);
	CU_ASSERT_EQUAL(parse("").count, 0);
	CU_ASSERT_EQUAL(parse("\n\n\n").count, 0);
}

static void
a_table_that_is_full_stays_full(void)
{
	char text[8192];
	size_t at = 0;

	for (int i = 0; i < 100; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "nameserver 10.0.0.%d\n", i);

	struct dns_resolvconf rc = parse(text);

	CU_ASSERT_EQUAL(rc.count, DNS_RESOLVCONF_MAX);
	CU_ASSERT_EQUAL(rc.refused, 100 - DNS_RESOLVCONF_MAX);
}

static void
any_bytes_are_survived(void)
{
	uint64_t rnd = unit_seed(53);
	static const char *const words[] = {
	    "nameserver", " ",	"\n", "\t", "9.9.9.9", "fe80::1", "%", "lo",
	    "#",	  "::", "[",  "]",  ":53",     "\r",	  ";"};

	for (int round = 0; round < 5000; round++) {
		char text[256];
		size_t at = 0;

		while (at < sizeof(text) - 32) {
			uint64_t r = unit_random(&rnd);

			if (r % 8 == 0)
				text[at++] = (char)(1 + (r >> 8) % 255);
			else
				at += (size_t)sprintf(
				    text + at, "%s",
				    words[(r >> 8) % (sizeof(words) / sizeof(words[0]))]);
		}
		text[at] = '\0';

		struct dns_resolvconf rc = parse(text);

		CU_ASSERT_TRUE(rc.count <= DNS_RESOLVCONF_MAX);
	}
}

UNIT_MAIN("dns_resolvconf", UNIT(servers_come_in_their_order_and_once),
	  UNIT(a_scope_is_kept_even_where_the_interface_is_away),
	  UNIT(what_is_no_address_is_refused_and_counted), UNIT(a_table_that_is_full_stays_full),
	  UNIT(any_bytes_are_survived))
