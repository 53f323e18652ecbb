/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_hosts.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"

/* Write all that a text holds as "LINE ADDRESS NAME", with ! for canonical names, or ": why". */
static const char *
read_all(struct span text)
{
	static char out[4096];
	size_t at = 0;
	struct dns_hosts h;
	enum dns_hosts_found found;

	out[0] = '\0';
	dns_hosts_begin(&h, text);
	while ((found = dns_hosts_next(&h)) != DNS_HOSTS_END) {
		char name[DNS_NAME_TEXT_MAX], address[64];

		if (found == DNS_HOSTS_BAD) {
			at += (size_t)snprintf(out + at, sizeof(out) - at, "%u: %s: %.*s\n", h.line,
			    h.why, (int)h.text.len, (const char *)h.text.at);
			continue;
		}
		if (h.addr_len == 4)
			snprintf(address, sizeof(address), "%u.%u.%u.%u", h.addr[0], h.addr[1],
			    h.addr[2], h.addr[3]);
		else
			snprintf(address, sizeof(address), "%02x%02x..%02x", h.addr[0], h.addr[1],
			    h.addr[15]);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%u %s %s%s\n", h.line, address,
		    dns_name_format(dns_name_span(&h.name), name), h.canonical ? "!" : "");
	}
	return out;
}

static void
addresses_and_their_names_are_read(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("127.0.0.1 localhost\n"
					     "192.168.1.5\tnas.home.arpa  nas NAS2\n"
					     "2001:db8::5 nas\n")),
	    "1 127.0.0.1 localhost!\n"
	    "2 192.168.1.5 nas.home.arpa!\n"
	    "2 192.168.1.5 nas\n"
	    "2 192.168.1.5 NAS2\n"
	    "3 2001..05 nas!\n");
}

static void
comments_blanks_and_line_ends_do_not_matter(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("\xef\xbb\xbf# a comment\r\n"
					     "\r\n"
					     " \t 192.0.2.1 a b#c d\r\n"
					     "#192.0.2.2 x\n"
					     "192.0.2.3\n"
					     "192.0.2.4 last")),
	    "3 192.0.2.1 a!\n3 192.0.2.1 b\n6 192.0.2.4 last!\n");
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("")), "");
	CU_ASSERT_STRING_EQUAL(read_all(span_of(NULL, 0)), "");
}

static void
a_bad_name_costs_that_name_alone(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("192.0.2.1 a!b good a..b * .\n")),
	    "1: name has a character that names of hosts cannot have: a!b\n"
	    "1 192.0.2.1 good!\n"
	    "1: name has an empty label: a..b\n"
	    "1: name has a character that names of hosts cannot have: *\n"
	    "1: name has an empty label: .\n");
}

static void
a_bad_address_costs_its_line_alone(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("192.0.2 a b\n"
					     "192.0.2.1:53 c\n"
					     "nas 192.0.2.1\n"
					     "192.0.2.1 d\n")),
	    "1: not an address: 192.0.2\n"
	    "2: not an address: 192.0.2.1:53\n"
	    "3: not an address: nas\n"
	    "4 192.0.2.1 d!\n");
}

static void
an_address_with_an_interface_is_refused(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("fe80::1%lo0 localhost\nfe80::2 x\n")),
	    "1: address with an interface, which DNS cannot tell: fe80::1%lo0\n"
	    "2 fe80..02 x!\n");
}

static void
an_address_is_no_name(void)
{
	CU_ASSERT_STRING_EQUAL(read_all(SPAN("0.0.0.0 0.0.0.0 ads.example\n")),
	    "1: address in the place of a name: 0.0.0.0\n"
	    "1 0.0.0.0 ads.example!\n");
}

static void
names_have_bounds(void)
{
	static char text[1024] = "192.0.2.1 ";
	struct dns_name name;

	for (int i = 0; i < 127; i++)
		strcat(text, "a.");
	CU_ASSERT_EQUAL(strlen(read_all(span_str(text))), 254 - 1 + strlen("1 192.0.2.1 !\n"));
	strcat(text, "a");
	CU_ASSERT_PTR_NOT_NULL(strstr(read_all(span_str(text)), "too long"));
	memset(text, 'a', sizeof(text) - 1);
	CU_ASSERT_PTR_NOT_NULL(dns_hosts_name(&name, span_of(text, 64)));
	CU_ASSERT_PTR_NULL(dns_hosts_name(&name, span_of(text, 63)));
	CU_ASSERT_PTR_NOT_NULL(dns_hosts_name(&name, SPAN("")));
	CU_ASSERT_PTR_NOT_NULL(dns_hosts_name(&name, SPAN("a\0b")));
	CU_ASSERT_PTR_NULL(dns_hosts_name(&name, SPAN("_http._tcp.x-1.")));
}

static void
a_line_may_be_of_any_length(void)
{
	static char text[100000] = "192.0.2.1";
	struct dns_hosts h;
	unsigned names = 0;
	size_t at = strlen(text);

	while (at + 4 < sizeof(text)) {
		memcpy(text + at, " ab", 3);
		at += 3;
	}
	dns_hosts_begin(&h, span_of(text, at));
	while (dns_hosts_next(&h) == DNS_HOSTS_NAME)
		names++;
	CU_ASSERT_EQUAL(names, (at - 9) / 3);
}

UNIT_MAIN("dns_hosts", UNIT(addresses_and_their_names_are_read),
    UNIT(comments_blanks_and_line_ends_do_not_matter), UNIT(a_bad_name_costs_that_name_alone),
    UNIT(a_bad_address_costs_its_line_alone), UNIT(an_address_with_an_interface_is_refused),
    UNIT(an_address_is_no_name), UNIT(names_have_bounds), UNIT(a_line_may_be_of_any_length))
