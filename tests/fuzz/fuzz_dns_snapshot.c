/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of the cache: whatever a file holds, what is taken from it can be saved and loaded
 * again, and is as much as before. The head is ours, so that the records get their share.
 */
#include "fuzz.h"

#include "services/dns/dns_cache.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES];

static struct dns_cache *
load(const struct dns_snapshot *s, struct span bytes)
{
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct wire_rd rd = wire_rd_of(bytes);
	struct dns_cache *c;
	struct dns_load l;
	size_t taken = 0;

	FUZZ_CHECK(dns_cache_new(&c, &cf, key) == OK);
	FUZZ_CHECK(dns_cache_load_begin(&l, s, &rd) == OK);
	while (wire_rd_left(&rd) != 0 && dns_cache_load_some(c, &l, &rd, 2, &taken) == OK)
		;
	return c;
}

static size_t
entries(const struct dns_cache *c)
{
	struct dns_cache_stats stats;

	dns_cache_stats(c, &stats);
	FUZZ_CHECK(stats.bytes <= stats.max_bytes);
	return stats.entries;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[1 << 20];
	struct dns_snapshot s = { .wall_s = 1000000, .now = seconds(100), .routes = 1 };
	struct wire_wr wr = wire_wr_of(file, sizeof(file));
	uint32_t cursor = 0;

	if (size > DNS_MSG_MAX)
		return 0;
	dns_cache_save_begin(&s, &wr);
	wire_wr_bytes(&wr, span_of(data, size));

	struct dns_cache *c = load(&s, wire_wr_span(&wr));
	size_t before = entries(c);

	wr = wire_wr_of(file, sizeof(file));
	dns_cache_save_begin(&s, &wr);
	FUZZ_CHECK(!dns_cache_save_some(c, &s, &cursor, &wr) && !wr.bad);
	dns_cache_free(c);
	c = load(&s, wire_wr_span(&wr));
	FUZZ_CHECK(entries(c) == before);
	dns_cache_free(c);
	return 0;
}
