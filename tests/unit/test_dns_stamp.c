/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_stamp.h"

#include <stdlib.h>
#include <string.h>

#include "support/fake_crypt.h"
#include "support/unit.h"

#define STAMP(literal) fake_stamp(span_of(literal, sizeof(literal) - 1), text)
#define KEY	       "0123456789abcdef0123456789ABCDEF"
#define HEAD	       "\1\7\0\0\0\0\0\0\0"

static char text[512];

static void
a_dnscrypt_stamp_names_address_key_and_provider(void)
{
	struct dns_stamp s;
	struct addr want;
	char name[DNS_NAME_TEXT_MAX];

	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\14"
						       "9.9.9.9:8443"
						       "\40" KEY "\31"
						       "2.dnscrypt-cert.quad9.net")),
			OK);
	CU_ASSERT_EQUAL(s.kind, DNS_STAMP_DNSCRYPT);
	CU_ASSERT_EQUAL(s.properties, DNS_STAMP_DNSSEC | DNS_STAMP_NO_LOGS | DNS_STAMP_NO_FILTER);
	CU_ASSERT_EQUAL(addr_parse(&want, "9.9.9.9:8443", 0), OK);
	CU_ASSERT_TRUE(addr_equal(&s.addr, &want));
	CU_ASSERT_EQUAL(memcmp(s.key, KEY, 32), 0);
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&s.provider), name),
			       "2.dnscrypt-cert.quad9.net");
}

static void
what_a_stamp_leaves_out_has_defaults(void)
{
	/* Without a port it is 443; a plain server has nothing but an address. */
	struct dns_stamp s;
	struct addr want;

	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP("\1\0\0\0\0\0\0\0\0"
						  "\15"
						  "[2001:db8::1]"
						  "\40" KEY "\1"
						  "x")),
			OK);
	CU_ASSERT_EQUAL(addr_parse(&want, "[2001:db8::1]:443", 0), OK);
	CU_ASSERT_TRUE(addr_equal(&s.addr, &want));
	CU_ASSERT_EQUAL(s.properties, 0);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP("\0\1\0\0\0\0\0\0\0"
						  "\7"
						  "8.8.8.8")),
			OK);
	CU_ASSERT_EQUAL(s.kind, DNS_STAMP_PLAIN);
	CU_ASSERT_EQUAL(addr_port(&s.addr), 53);
	CU_ASSERT_EQUAL(s.properties, DNS_STAMP_DNSSEC);
}

static void
what_is_no_stamp_is_refused(void)
{
	struct dns_stamp s;

	CU_ASSERT_EQUAL(dns_stamp_parse(&s, ""), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, "sdns://"), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, "9.9.9.9"), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, "sdns://AQ=="), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, "sdns://A"), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, "sdns://AQ/AQ"), ERR_UNSUPPORTED);
	/* Cut anywhere, or with one byte too many. */
	static const char whole[] = HEAD "\14"
					 "9.9.9.9:8443"
					 "\40" KEY "\31"
					 "2.dnscrypt-cert.quad9.net";

	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		CU_ASSERT_EQUAL(dns_stamp_parse(&s, fake_stamp(span_of(whole, i), text)),
				ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, fake_stamp(span_of(whole, sizeof(whole)), text)),
			ERR_FORMAT);
	/* DoH, a relay; no host; a short key; port 0; a name that is none. */
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP("\2\7\0\0\0\0\0\0\0")), ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP("\201\7"
						  "9.9.9.9")),
			ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\4"
						       ":443"
						       "\40" KEY "\1x")),
			ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\7"
						       "9.9.9.9"
						       "\37" KEY "\1x")),
			ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\11"
						       "9.9.9.9:0"
						       "\40" KEY "\1x")),
			ERR_RANGE);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\7"
						       "9.9.9.9"
						       "\40" KEY "\2.x")),
			ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, STAMP(HEAD "\7"
						       "9.9.9.9"
						       "\40" KEY "\0")),
			ERR_FORMAT);

	char *longest = malloc(5000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(longest);
	memset(longest, 'A', 4999);
	memcpy(longest, "sdns://", 7);
	longest[4999] = '\0';
	CU_ASSERT_EQUAL(dns_stamp_parse(&s, longest), ERR_FORMAT);
	free(longest);
}

UNIT_MAIN("dns_stamp", UNIT(a_dnscrypt_stamp_names_address_key_and_provider),
	  UNIT(what_a_stamp_leaves_out_has_defaults), UNIT(what_is_no_stamp_is_refused))
