/* SPDX-License-Identifier: MIT */
/*
 * Who is behind an address; the linker puts the __wrap_ functions below in the way of core/netif.
 */
#include "core/neigh.h"

#include <stdio.h>
#include <string.h>

#include "core/netif.h"
#include "support/unit.h"

enum err __wrap_netif_neighbour(struct netif *n, const struct addr *a, uint8_t mac[static 6]);
bool __wrap_netif_is_own(const struct netif *n, const struct addr *a);
bool __wrap_netif_is_connected(const struct netif *n, const struct addr *a);

static unsigned asked;
static bool gone;
static uint8_t last;	/* byte of every MAC address, whose others are those of the address */

enum err
__wrap_netif_neighbour(struct netif *n, const struct addr *a, uint8_t mac[static 6])
{
	(void)n;
	asked++;
	if (gone)
		return ERR_NOTFOUND;
	mac[0] = 2;
	memcpy(mac + 1, &a->in.sin_addr, 4);
	mac[5] = last;
	return OK;
}

bool
__wrap_netif_is_own(const struct netif *n, const struct addr *a)
{
	(void)n;
	return addr_is_loopback(a);
}

bool
__wrap_netif_is_connected(const struct netif *n, const struct addr *a)
{
	struct prefix p;

	(void)n;
	CU_ASSERT_EQUAL_FATAL(prefix_parse(&p, "10.0.0.0/8"), OK);
	return prefix_match(&p, a) || addr_is_loopback(a);
}

static struct neigh *nb;

static void
begin(void)
{
	static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 7 };

	asked = 0;
	gone = false;
	last = 1;
	CU_ASSERT_EQUAL_FATAL(neigh_new(&nb, NULL, key, seconds(100)), OK);
}

/* What the table says about the address: the last byte of the MAC address, or -1. */
static int
find(const char *text, mono_us now)
{
	struct addr a;
	uint8_t mac[MAC_BYTES];

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 4711), OK);
	if (!neigh_find(nb, &a, now, mac))
		return -1;
	CU_ASSERT_EQUAL(memcmp(mac + 1, &a.in.sin_addr, 4), 0);
	return mac[5];
}

static void
the_kernel_is_asked_once_for_many_packets(void)
{
	begin();
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + i), 1);
	CU_ASSERT_EQUAL(asked, 1);
	neigh_free(nb);
}

static void
another_device_with_the_address_is_noticed(void)
{
	begin();
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100)), 1);
	last = 2;
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + NEIGH_HOLD - 1), 1);
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + NEIGH_HOLD), 2);
	neigh_free(nb);
}

static void
who_is_not_known_is_asked_for_again_soon(void)
{
	begin();
	gone = true;
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + i), -1);
	CU_ASSERT_EQUAL(asked, 1);
	gone = false;
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + NEIGH_RETRY), 1);
	neigh_free(nb);
	/* But not for ever, where nothing comes of it. */
	begin();
	gone = true;
	for (mono_us at = seconds(100); at < seconds(110); at += millis(1))
		CU_ASSERT_EQUAL(find("10.0.0.7", at), -1);
	CU_ASSERT_TRUE(asked > 10 && asked < 20);
	neigh_free(nb);
}

static void
a_device_that_the_kernel_has_forgotten_is_who_it_was_for_a_while(void)
{
	begin();
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100)), 1);
	gone = true;
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + NEIGH_KEEP - 1), 1);
	CU_ASSERT_EQUAL(find("10.0.0.7", seconds(100) + NEIGH_KEEP + NEIGH_RETRY_MAX), -1);
	neigh_free(nb);
}

static void
nobody_is_asked_for_us_and_for_those_behind_a_router(void)
{
	begin();
	CU_ASSERT_EQUAL(find("127.0.0.1", seconds(100)), -1);
	CU_ASSERT_EQUAL(find("192.0.2.1", seconds(100)), -1);
	CU_ASSERT_EQUAL(asked, 0);
	neigh_free(nb);
}

static void
a_flood_of_addresses_costs_a_bounded_number_of_questions(void)
{
	char text[32];
	unsigned known = 0;

	begin();
	CU_ASSERT_EQUAL(find("10.1.2.3", seconds(100)), 1);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", 2 + (i >> 16), i >> 8 & 255, i & 255);
		known += find(text, seconds(100)) == 1;
	}
	CU_ASSERT_EQUAL(asked, 2 * NEIGH_RATE);
	CU_ASSERT_EQUAL(known, 2 * NEIGH_RATE - 1);
	/* A moment later there is room again, for whoever asks then. */
	CU_ASSERT_EQUAL(find("10.1.2.4", seconds(101)), 1);
	neigh_free(nb);
}

static void
a_flood_of_addresses_that_nobody_has_pushes_no_device_out(void)
{
	char text[32];
	int known = 0;

	begin();
	for (unsigned i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "10.0.1.%u", i);
		CU_ASSERT_EQUAL(find(text, seconds(100)), 1);
	}
	gone = true;
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "10.2.%u.%u", i >> 8, i & 255);
		(void)find(text, seconds(101));
	}
	for (unsigned i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "10.0.1.%u", i);
		known += find(text, seconds(101)) == 1;
	}
	CU_ASSERT_EQUAL(known, 50);
	neigh_free(nb);
}

static void
as_many_devices_as_a_house_has_are_remembered(void)
{
	char text[32];

	begin();
	for (unsigned turn = 0; turn < 3; turn++)
		for (unsigned i = 0; i < 200; i++) {
			snprintf(text, sizeof(text), "10.0.1.%u", i);
			CU_ASSERT_EQUAL(find(text, seconds(100) + turn), 1);
		}
	CU_ASSERT_TRUE(asked < 210);
	neigh_free(nb);
}

UNIT_MAIN("neigh", UNIT(the_kernel_is_asked_once_for_many_packets),
    UNIT(another_device_with_the_address_is_noticed),
    UNIT(who_is_not_known_is_asked_for_again_soon),
    UNIT(a_device_that_the_kernel_has_forgotten_is_who_it_was_for_a_while),
    UNIT(nobody_is_asked_for_us_and_for_those_behind_a_router),
    UNIT(a_flood_of_addresses_costs_a_bounded_number_of_questions),
    UNIT(a_flood_of_addresses_that_nobody_has_pushes_no_device_out),
    UNIT(as_many_devices_as_a_house_has_are_remembered))
