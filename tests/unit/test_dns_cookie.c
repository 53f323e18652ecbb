/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_cookie.h"

#include <string.h>

#include "support/unit.h"

/* Vectors: RFC 9018, appendix A. */
static const uint8_t secret[SEAL_SHORT_KEY_BYTES] = { 0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4,
	0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf };
static const uint8_t first[DNS_COOKIE_TOTAL] = { 0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57,
	0x01, 0, 0, 0, 0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80 };
#define FIRST_AT 1559731985u

static struct addr
addr(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 0), OK);
	return a;
}

static void
a_first_contact_gets_the_cookie_of_the_rfc(void)
{
	struct addr client = addr("198.51.100.100");
	uint8_t out[DNS_COOKIE_TOTAL];

	CU_ASSERT_EQUAL(dns_cookie_answer(secret, span_of(first, DNS_COOKIE_CLIENT), &client,
	    FIRST_AT,
			    out), DNS_COOKIE_NEW);
	CU_ASSERT_EQUAL(memcmp(out, first, sizeof(first)), 0);
}

static void
our_own_cookie_is_good_for_an_hour(void)
{
	struct addr client = addr("198.51.100.100");
	uint8_t out[DNS_COOKIE_TOTAL];
	struct span cookie = span_of(first, sizeof(first));

	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &client, FIRST_AT, out), DNS_COOKIE_GOOD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &client, FIRST_AT + 3600, out),
	    DNS_COOKIE_GOOD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &client, FIRST_AT + 3601, out),
	    DNS_COOKIE_BAD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &client, FIRST_AT - 300, out),
	    DNS_COOKIE_GOOD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &client, FIRST_AT - 301, out),
	    DNS_COOKIE_BAD);
}

static void
a_cookie_of_another_address_or_secret_is_no_proof(void)
{
	struct addr other = addr("198.51.100.101");
	struct addr client = addr("198.51.100.100");
	uint8_t out[DNS_COOKIE_TOTAL], another[SEAL_SHORT_KEY_BYTES] = { 1 };
	struct span cookie = span_of(first, sizeof(first));

	CU_ASSERT_EQUAL(dns_cookie_answer(secret, cookie, &other, FIRST_AT, out), DNS_COOKIE_BAD);
	CU_ASSERT_EQUAL(dns_cookie_answer(another, cookie, &client, FIRST_AT, out), DNS_COOKIE_BAD);
	/* The answer is a fresh one all the same. */
	CU_ASSERT_EQUAL(dns_cookie_answer(another, span_of(out, sizeof(out)), &client, FIRST_AT,
	    out), DNS_COOKIE_GOOD);
}

static void
every_bit_counts(void)
{
	struct addr client = addr("198.51.100.100");
	uint8_t cookie[DNS_COOKIE_TOTAL], out[DNS_COOKIE_TOTAL];

	for (unsigned bit = 0; bit < sizeof(cookie) * 8; bit++) {
		memcpy(cookie, first, sizeof(cookie));
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL(dns_cookie_answer(secret, span_of(cookie, sizeof(cookie)), &client,
				    FIRST_AT, out), DNS_COOKIE_BAD);
	}
}

static void
a_cookie_of_another_length_is_no_proof(void)
{
	struct addr client = addr("2001:db8::1");
	uint8_t cookie[40] = { 0 }, out[DNS_COOKIE_TOTAL];

	CU_ASSERT_EQUAL(dns_cookie_answer(secret, span_of(cookie, 40), &client, 0, out),
	    DNS_COOKIE_BAD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, span_of(cookie, 16), &client, 0, out),
	    DNS_COOKIE_BAD);
	CU_ASSERT_EQUAL(dns_cookie_answer(secret, span_of(cookie, 0), &client, 0, out),
	    DNS_COOKIE_NONE);
}

UNIT_MAIN("dns_cookie", UNIT(a_first_contact_gets_the_cookie_of_the_rfc),
    UNIT(our_own_cookie_is_good_for_an_hour),
    UNIT(a_cookie_of_another_address_or_secret_is_no_proof), UNIT(every_bit_counts),
    UNIT(a_cookie_of_another_length_is_no_proof))
