/* SPDX-License-Identifier: MIT */
/* Both ends of a lease, the repair ring, which links are used, names of files. */
#include "services/announce/beacon_tenant.h"

#include <net/if.h>

#include "services/announce/announce_files.h"
#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_leases.h"
#include "services/announce/beacon_net.h"
#include "services/announce/beacon_ring.h"
#include "support/unit.h"

static struct addr
address(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 7665), OK);
	return a;
}

static void
a_cookie_belongs_to_one_address_and_a_short_time(void)
{
	struct beacon_leases l;
	struct addr a = address("10.0.0.1"), b = address("10.0.0.2");
	uint8_t cookie[BEACON_TOKEN_BYTES];

	CU_ASSERT_EQUAL_FATAL(seal_init(), OK);
	beacon_leases_init(&l, 2);
	beacon_leases_cookie(&l, &a, seconds(1000), cookie);
	CU_ASSERT_EQUAL(beacon_leases_confirm(&l, &b, cookie, seconds(1000)), 0);
	CU_ASSERT_EQUAL(beacon_leases_confirm(&l, &a, cookie, seconds(1100)), 0);
	CU_ASSERT_EQUAL(l.bad_cookies, 2);
	CU_ASSERT_EQUAL(l.count, 0);
	CU_ASSERT_EQUAL(beacon_leases_confirm(&l, &a, cookie, seconds(1001)), 120);
	CU_ASSERT_TRUE(beacon_leases_holds(&l, &a, seconds(1100)));
	CU_ASSERT_FALSE(beacon_leases_holds(&l, &a, seconds(1122)));
	CU_ASSERT_FALSE(beacon_leases_holds(&l, &b, seconds(1002)));
}

static void
leases_are_capped_renewed_and_ended(void)
{
	struct beacon_leases l;
	struct addr a[3] = { address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3") };
	uint8_t cookie[BEACON_TOKEN_BYTES];

	beacon_leases_init(&l, 2);
	for (size_t i = 0; i < 3; i++) {
		beacon_leases_cookie(&l, &a[i], seconds(10), cookie);
		CU_ASSERT_EQUAL(beacon_leases_confirm(&l, &a[i], cookie, seconds(10)) != 0, i < 2);
	}
	CU_ASSERT_EQUAL(l.refused, 1);
	beacon_leases_cookie(&l, &a[0], seconds(60), cookie);
	CU_ASSERT_EQUAL(beacon_leases_confirm(&l, &a[0], cookie, seconds(60)), 120);
	CU_ASSERT_EQUAL(l.count, 2);
	beacon_leases_end(&l, &a[1]);
	CU_ASSERT_EQUAL(l.count, 1);
	beacon_leases_expire(&l, seconds(181));
	CU_ASSERT_EQUAL(l.count, 0);
}

/* Build what an announcer would answer. */
static size_t
answer(uint8_t out[static BEACON_DGRAM_MAX], uint8_t kind, uint32_t span_s,
    const struct beacon_keyring *ring)
{
	struct beacon_lease l = { .kind = kind, .seconds = span_s, .target = 5, .cookie = { 7 } };
	struct beacon_hdr h = { .type = BEACON_LEASE, .sender = 5, .seq = 1, .frag_count = 1 };
	uint8_t body[64];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	beacon_lease_put(&wr, &l);
	return beacon_seal(out, &h, wire_wr_span(&wr), ring, NULL);
}

static void
a_tenant_asks_confirms_and_renews_at_half_time(void)
{
	char text[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];
	struct beacon_keyring ring;
	struct beacon_tenant t;
	struct addr lessor = address("10.0.0.1"), other = address("10.0.0.9");
	uint8_t in[BEACON_DGRAM_MAX], out[BEACON_DGRAM_MAX];
	size_t len, n;

	beacon_group_format(text, (uint8_t[SEAL_KEY_BYTES]){ 3 });
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&ring, span_str(text), why), OK);
	beacon_tenant_init(&t, &lessor, 0);
	CU_ASSERT_TRUE(beacon_tenant_wake(&t, 0, &ring, out, &len));
	CU_ASSERT_FALSE(beacon_tenant_wake(&t, 10, &ring, out, &len));
	CU_ASSERT_TRUE(beacon_tenant_wake(&t, seconds(1), &ring, out, &len));

	n = answer(in, BEACON_LEASE_CHALLENGE, 0, &ring);
	CU_ASSERT_FALSE(beacon_tenant_input(&t, 0, span_of(in, n), &other, &ring, out, &len));
	CU_ASSERT_TRUE(beacon_tenant_input(&t, 0, span_of(in, n), &lessor, &ring, out, &len));
	CU_ASSERT(len <= n);		/* no word is longer than what it answers */
	n = answer(in, BEACON_LEASE_GRANT, 120, &ring);
	CU_ASSERT_FALSE(beacon_tenant_holds(&t, seconds(2)));
	CU_ASSERT_FALSE(beacon_tenant_input(&t, seconds(2), span_of(in, n), &lessor, &ring, out,
	    &len));
	CU_ASSERT_TRUE(beacon_tenant_holds(&t, seconds(2)));
	CU_ASSERT_EQUAL(t.next, seconds(62));
	CU_ASSERT_FALSE(beacon_tenant_holds(&t, seconds(123)));
	beacon_keyring_fini(&ring);
}

static void
the_ring_keeps_the_newest_whole_and_forgets_by_age(void)
{
	struct beacon_ring r;
	uint8_t bytes[700];
	uint64_t seed = unit_seed(3);

	CU_ASSERT_EQUAL_FATAL(beacon_ring_init(&r, 64, 16384), OK);
	for (uint64_t i = 1; i <= 5000; i++) {
		size_t len = 100 + unit_random(&seed) % 600;

		memset(bytes, (int)(i & 0xff), len);
		beacon_ring_push(&r, span_of(bytes, len), false, seconds(1));
		for (uint64_t k = r.first; k <= i; k++) {
			const struct beacon_sent *s = beacon_ring_find(&r, k, seconds(1));

			CU_ASSERT_PTR_NOT_NULL_FATAL(s);
			CU_ASSERT_EQUAL(s->seq, k);
			CU_ASSERT_EQUAL(beacon_ring_bytes(&r, s).at[0], k & 0xff);
			CU_ASSERT_EQUAL(beacon_ring_bytes(&r, s).at[s->len - 1], k & 0xff);
		}
		CU_ASSERT(i < 30 || i - r.first > 15);
	}
	CU_ASSERT_PTR_NULL(beacon_ring_find(&r, 1, seconds(1)));
	CU_ASSERT_PTR_NULL(beacon_ring_find(&r, 5001, seconds(1)));
	CU_ASSERT_PTR_NOT_NULL(beacon_ring_find(&r, 5000, seconds(61)));
	CU_ASSERT_PTR_NULL(beacon_ring_find(&r, 5000, seconds(62)));
	CU_ASSERT_EQUAL(beacon_ring_oldest(&r, seconds(62)), 5001);
	beacon_ring_fini(&r);
}

static void
links_of_containers_are_used_where_they_are_named(void)
{
	static const char *const all[] = { "*" }, *const named[] = { "eth*", "docker0" };
	unsigned up = IFF_UP | IFF_MULTICAST | IFF_BROADCAST;

	CU_ASSERT_TRUE(beacon_net_selects(all, 1, "eth0", up));
	CU_ASSERT_TRUE(beacon_net_selects(all, 1, "wlan0", up));
	CU_ASSERT_FALSE(beacon_net_selects(all, 1, "eth0", up & ~(unsigned)IFF_UP));
	CU_ASSERT_FALSE(beacon_net_selects(all, 1, "docker0", up));
	CU_ASSERT_FALSE(beacon_net_selects(all, 1, "veth12ab", up));
	CU_ASSERT_FALSE(beacon_net_selects(all, 1, "lo", up | IFF_LOOPBACK));
	CU_ASSERT_FALSE(beacon_net_selects(all, 1, "ppp0", up | IFF_POINTOPOINT));
	CU_ASSERT_TRUE(beacon_net_selects(named, 2, "docker0", up));
	CU_ASSERT_TRUE(beacon_net_selects(named, 2, "eth7", up));
	CU_ASSERT_FALSE(beacon_net_selects(named, 2, "wlan0", up));
}

static void
names_of_files_become_topics(void)
{
	char topic[BEACON_TOPIC_MAX + 1], path[200];

	CU_ASSERT_EQUAL(announce_files_topic(topic, "boot/vmlinuz"), 17);
	CU_ASSERT_STRING_EQUAL(topic, "file/boot/vmlinuz");
	announce_files_topic(topic, "a b*%");
	CU_ASSERT_STRING_EQUAL(topic, "file/a%20b%2A%25");
	for (size_t n = 50; n < 70; n++) {
		memset(path, 'x', n);
		path[n] = '\0';

		size_t len = announce_files_topic(topic, path);

		CU_ASSERT_TRUE(beacon_topic_ok(span_of(topic, len)));
		CU_ASSERT_EQUAL(topic[5] == '~', n + 5 > BEACON_TOPIC_MAX);
	}
}

UNIT_MAIN("beacon_lease", UNIT(a_cookie_belongs_to_one_address_and_a_short_time),
    UNIT(leases_are_capped_renewed_and_ended), UNIT(a_tenant_asks_confirms_and_renews_at_half_time),
    UNIT(the_ring_keeps_the_newest_whole_and_forgets_by_age),
    UNIT(links_of_containers_are_used_where_they_are_named), UNIT(names_of_files_become_topics))
