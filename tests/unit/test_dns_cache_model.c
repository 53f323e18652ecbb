/* SPDX-License-Identifier: MIT */
/* The cache against a model that is too simple to be wrong, step by random step. */
#include "services/dns/dns_cache.h"

#include "support/dns_cache.h"
#include "support/unit.h"

#define START seconds(1000)

static const uint8_t hash_key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";
static uint8_t out[DNS_UDP_SIZE];

/* What the cache should know about one name, without any bound. */
struct model {
	bool data;
	bool negative;
	bool no_stale;
	uint8_t last;
	uint32_t ttl;
	mono_us stored_at;
	mono_us held_until;
	unsigned failures;
};

#define MODEL_NAMES 1000

static enum dns_cache_state
model_state(const struct model *m, mono_us now)
{
	mono_us expires = m->stored_at + seconds(m->ttl);

	if (!m->data)
		return now < m->held_until ? DNS_CACHE_FAILED : DNS_CACHE_MISS;
	if (now < expires)
		return DNS_CACHE_FRESH;
	if (m->no_stale || now >= expires + seconds(86400))
		return DNS_CACHE_MISS;
	return now < m->held_until ? DNS_CACHE_STALE_HELD : DNS_CACHE_STALE;
}

static void
model_fail(struct model *m, mono_us now)
{
	static const int holds[] = { 0, 1, 2, 4, 8, 16, 30 };

	m->failures = m->failures == 0 || now >= m->held_until + seconds(60) ? 1 : m->failures + 1;
	if (m->data && model_state(m, now) != DNS_CACHE_MISS) {
		m->held_until = now + seconds(30);
		return;
	}
	m->data = false;
	m->held_until = now + seconds(holds[m->failures < 6 ? m->failures : 6]);
}

/* One random step; the cache may have forgotten (evicting) but never be wrong. */
static void
model_step(struct dns_cache *c, struct model *models, uint64_t *random, mono_us now, bool evicting)
{
	uint64_t r = unit_random(random);
	unsigned n = (unsigned)(r % MODEL_NAMES);
	struct model *m = &models[n];
	const struct dns_entry *e;
	struct dns_test_key k;
	char name[32];

	snprintf(name, sizeof(name), "Name%u.example", n);
	dns_test_key(&k, c, name, DNS_TYPE_A);
	r >>= 16;
	if (r % 8 == 0) {
		*m = (struct model){ .data = true, .negative = (r >> 3) % 3 == 0,
		    .no_stale = (r >> 5) % 4 == 0, .last = (uint8_t)(r >> 8),
		    .ttl = (uint32_t)(r >> 16) % 200, .stored_at = now };
		dns_cache_put(c, &k.key, m->negative ? dns_test_nxdomain(name, m->ttl) :
		    dns_test_address(name, m->ttl, m->last),
		    m->no_stale ? DNS_PUT_NO_STALE : 0, now);
		if (m->ttl == 0)
			*m = (struct model){ 0 };
	} else if (r % 8 == 1) {
		dns_cache_put_failure(c, &k.key, &(struct dns_failure){ 0 }, now);
		model_fail(m, now);
	} else if (r % 8 == 2 && (r >> 3) % 8 == 0) {
		struct dns_flush f = { .what = DNS_FLUSH_NAME };

		dns_name_copy(&f.name, k.key.name);
		(void)dns_cache_flush(c, &f);
		*m = (struct model){ 0 };
	}

	enum dns_cache_state state = dns_cache_find(c, &k.key, now, &e);

	/* Evicted at some time, and with it how often it has failed: then the model forgets too. */
	if (evicting && (state == DNS_CACHE_MISS || state == DNS_CACHE_FAILED)) {
		*m = (struct model){ 0 };
		return;
	}
	CU_ASSERT_EQUAL(state, model_state(m, now));
	if (e == NULL || !m->data)
		return;
	size_t len = dns_cache_write(c, e, &k.q, now, NULL, out, DNS_UDP_SIZE);
	CU_ASSERT_EQUAL(out[3] & DNS_FLAG_RCODE, m->negative ? DNS_NXDOMAIN : DNS_NOERROR);
	CU_ASSERT_EQUAL(memcmp(out + 12, k.packet + 12, k.q.question_len), 0);
	if (!m->negative && state == DNS_CACHE_FRESH) {
		uint32_t left = m->ttl - (uint32_t)((now - m->stored_at) / seconds(1));
		const uint8_t *rr = out + 12 + k.q.question_len;

		CU_ASSERT_EQUAL(len, 12 + k.q.question_len + 16u + 11);
		CU_ASSERT_EQUAL((uint32_t)rr[8] << 8 | rr[9], left);
		CU_ASSERT_EQUAL(rr[15], m->last);
	}
}

static void
run_model(size_t bytes, unsigned steps, bool evicting)
{
	static struct model models[MODEL_NAMES];
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct dns_cache *c;
	uint64_t random = unit_seed(4711);
	mono_us now = START;

	cf.bytes = bytes;
	CU_ASSERT_EQUAL_FATAL(dns_cache_new(&c, &cf, hash_key), OK);
	memset(models, 0, sizeof(models));
	for (unsigned i = 0; i < steps; i++) {
		if (unit_random(&random) % 4 == 0)
			now += (usec)(unit_random(&random) % 3000000);
		if (unit_random(&random) % 5000 == 0)
			now += seconds(40000);
		model_step(c, models, &random, now, evicting);
		CU_ASSERT_TRUE(dns_test_stats(c).bytes <= bytes);
	}
	CU_ASSERT_EQUAL(dns_test_stats(c).evictions != 0, evicting);
	dns_cache_free(c);
}

static void
a_cache_with_room_behaves_like_the_model(void)
{
	run_model(1 << 20, 60000, false);
}

static void
a_cache_without_room_forgets_but_is_never_wrong(void)
{
	run_model(64 << 10, 60000, true);
}

UNIT_MAIN("dns_cache_model", UNIT(a_cache_with_room_behaves_like_the_model),
    UNIT(a_cache_without_room_forgets_but_is_never_wrong))
