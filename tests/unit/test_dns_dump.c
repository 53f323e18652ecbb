/* SPDX-License-Identifier: MIT */
/* The cache as reports, slice by slice. */
#include "services/dns/dns_dump.h"

#include "core/report_json.h"
#include "support/dns_cache.h"
#include "support/unit.h"

#define START seconds(1000)

static struct dns_cache *
cache_of(size_t bytes)
{
	static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 7 };
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct dns_cache *c;

	cf.bytes = bytes;
	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&c, &cf, key), OK);
	return c;
}

static void
put(struct dns_cache *c, unsigned n)
{
	struct dns_test_key k;
	char name[64];

	snprintf(name, sizeof(name), "n%u.example", n);
	dns_test_key(&k, c, name, DNS_TYPE_A);
	dns_cache_put(c, &k.key, dns_test_address(name, 300, 1), 0, START);
}

/* Take the next slice; gives how many entries it has, and marks them in seen[]. */
static size_t
take(const struct dns_cache *c, uint32_t *cursor, bool *more, unsigned *seen)
{
	struct report *r = report_new();
	const json_t *entry;
	size_t i, n;

	CU_ASSERT_EQUAL_FATAL(dns_dump_slice(c, NULL, cursor, START, report_list(r, "e"), more),
	    OK);

	const json_t *list = json_object_get(report_json(r), "e");

	json_array_foreach(list, i, entry) {
		unsigned number;

		CU_ASSERT_EQUAL(sscanf(json_string_value(json_object_get(entry, "name")), "n%u",
		    &number), 1);
		seen[number]++;
	}
	n = json_array_size(list);
	report_free(r);
	return n;
}

static void
slices_are_small_and_hold_everything_once(void)
{
	enum { N = 2000 };
	static unsigned seen[2 * N];
	struct dns_cache *c = cache_of(16 << 20);
	uint32_t cursor = 0;
	unsigned slices = 0;
	bool more = true;

	for (unsigned i = 0; i < N; i++)
		put(c, i);
	while (more) {
		CU_ASSERT(take(c, &cursor, &more, seen) <= 32);
		put(c, N + slices++);	/* what comes meanwhile may be seen or not */
	}
	CU_ASSERT(slices >= N / 32);
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	dns_cache_free(c);
}

/* Holes are not walked over in one go either. */
static void
a_slice_looks_at_a_bounded_number_of_places(void)
{
	enum { N = 60000 };
	static unsigned seen[N];
	struct dns_cache *c = cache_of(64 << 20);
	struct dns_flush f = { .what = DNS_FLUSH_STALE, .now = START + seconds(400) };
	uint32_t cursor = 0;
	unsigned slices = 0;
	bool more = true;

	for (unsigned i = 0; i < N; i++)
		put(c, i);
	CU_ASSERT_EQUAL(dns_cache_flush(c, &f), N);
	put(c, 0);
	while (more) {
		CU_ASSERT(take(c, &cursor, &more, seen) <= 1);
		slices++;
	}
	CU_ASSERT(slices >= N / 8192);
	CU_ASSERT_EQUAL(seen[0], 1);
	dns_cache_free(c);
}

/* A large answer ends its slice, so that no slice is long. */
static void
a_slice_ends_after_its_bytes(void)
{
	struct dns_cache *c = cache_of(16 << 20);
	static unsigned seen[20];
	uint32_t cursor = 0;
	bool more = true;

	for (unsigned i = 0; i < 20; i++) {
		struct dns_test_key k;
		char name[64];

		snprintf(name, sizeof(name), "n%u.example", i);
		dns_test_key(&k, c, name, 65280);
		dns_cache_put(c, &k.key, dns_test_says(name, 65280,
		    &(struct dns_test_says){ .ttl = 300, .len = 10000 }), 0, START);
	}
	while (more)
		CU_ASSERT(take(c, &cursor, &more, seen) <= 1);
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	dns_cache_free(c);
}

UNIT_MAIN("dns_dump", UNIT(slices_are_small_and_hold_everything_once),
    UNIT(a_slice_looks_at_a_bounded_number_of_places), UNIT(a_slice_ends_after_its_bytes))
