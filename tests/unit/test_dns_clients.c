/* SPDX-License-Identifier: MIT */
/* Who waits, and how often. */
#include "services/dns/dns_clients.h"

#include <stdio.h>

#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 1, 2, 3 };

static struct addr
host(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 1000), OK);
	return a;
}

static void
a_client_gets_so_many_places_and_others_theirs(void)
{
	struct dns_clients t;
	struct dns_client *c[3];
	struct addr a = host("192.168.1.2"), same = host("192.168.1.2:7"), b = host("192.168.1.3");

	CU_ASSERT_EQUAL_FATAL(dns_clients_init(&t, 100, key), OK);
	c[0] = dns_clients_enter(&t, &a, 2);
	c[1] = dns_clients_enter(&t, &same, 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c[0]);
	CU_ASSERT_PTR_EQUAL(c[0], c[1]);	/* whatever the port */
	CU_ASSERT_PTR_NULL(dns_clients_enter(&t, &a, 2));
	CU_ASSERT_EQUAL(t.refused, 1);
	c[2] = dns_clients_enter(&t, &b, 2);
	CU_ASSERT_PTR_NOT_NULL(c[2]);
	dns_clients_leave(&t, c[1]);
	CU_ASSERT_PTR_NOT_NULL(dns_clients_enter(&t, &a, 2));
	CU_ASSERT_PTR_NULL(dns_clients_enter(&t, &a, 2));
	dns_clients_fini(&t);
}

static void
addresses_of_one_ipv6_network_are_apart(void)
{
	struct dns_clients t;
	struct addr a = host("2001:db8::1"), b = host("2001:db8::2");

	CU_ASSERT_EQUAL_FATAL(dns_clients_init(&t, 100, key), OK);
	CU_ASSERT_PTR_NOT_NULL(dns_clients_enter(&t, &a, 1));
	CU_ASSERT_PTR_NOT_NULL(dns_clients_enter(&t, &b, 1));
	CU_ASSERT_PTR_NULL(dns_clients_enter(&t, &b, 1));
	dns_clients_fini(&t);
}

static void
a_full_table_refuses_and_serves_again_when_one_has_left(void)
{
	enum { PLACES = 8 };
	struct dns_clients t;
	struct dns_client *c[PLACES];
	struct addr more = host("10.0.1.1");
	char text[32];

	CU_ASSERT_EQUAL_FATAL(dns_clients_init(&t, PLACES, key), OK);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < PLACES; i++) {
			snprintf(text, sizeof(text), "10.0.0.%d", i);

			struct addr a = host(text);

			c[i] = dns_clients_enter(&t, &a, 1);
			CU_ASSERT_PTR_NOT_NULL_FATAL(c[i]);
		}
		CU_ASSERT_PTR_NULL(dns_clients_enter(&t, &more, 1));
		for (int i = 0; i < PLACES; i++)
			dns_clients_leave(&t, c[i]);
	}
	CU_ASSERT_EQUAL(t.refused, 3);
	CU_ASSERT_EQUAL(t.touched, PLACES);
	dns_clients_fini(&t);
}

UNIT_MAIN("dns_clients", UNIT(a_client_gets_so_many_places_and_others_theirs),
    UNIT(addresses_of_one_ipv6_network_are_apart),
    UNIT(a_full_table_refuses_and_serves_again_when_one_has_left))
