/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_trail.h"

#include "support/dns.h"
#include "support/unit.h"
#include "util/siphash.h"

#include <stdlib.h>

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* The hash of an end of a name, the long way round. */
static uint64_t
plain_hash(struct span end)
{
	uint8_t text[8 * 256] = { 0 };
	size_t len = 0;
	unsigned labels = dns_name_labels(end);

	for (unsigned i = 0; i < labels; i++) {
		struct span name = end;

		for (unsigned skip = i + 1; skip < labels; skip++)
			name = dns_name_parent(name);
		memcpy(text + len, name.at, (size_t)name.at[0] + 1);
		len += ((size_t)name.at[0] + 1 + 7) / 8 * 8;
	}
	return siphash_of(span_of(text, len), key);
}

static void
check_trail(struct span name)
{
	struct dns_trail t;

	dns_trail_of(&t, name, true, key);
	CU_ASSERT_EQUAL_FATAL(t.labels, dns_name_labels(name));
	for (unsigned i = t.labels; i > 0; i--) {
		struct span end = dns_trail_end(&t, i - 1);

		CU_ASSERT_TRUE(span_equal(end, name));
		CU_ASSERT_EQUAL(dns_trail_hash(&t, i - 1), plain_hash(name));
		name = dns_name_parent(name);
	}
}

static void
every_end_has_the_siphash_of_its_labels(void)
{
	static const char *const names[] = {
		".", "a", "com", "example.com", "www.example.com", "seven77.eight888.nine99999.x",
		"a-label-of-just-23-byte.a-label-of-exactly-31-bytes-xxx.org",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dns_name n = dns_test_name(names[i]);

		/* At the end of a block of its own, so that a look beyond it is found out. */
		uint8_t *copy = malloc(n.len);

		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, n.wire, n.len);
		check_trail(span_of(copy, n.len));
		free(copy);
	}
}

static void
names_of_random_labels_do_as_well(void)
{
	uint64_t random = unit_seed(7);

	for (unsigned round = 0; round < 2000; round++) {
		struct dns_name n = { .len = 0 };

		for (;;) {
			uint64_t r = unit_random(&random);
			unsigned len = 1 + (unsigned)(r / 8 % (r % 5 != 0 ? 9 : DNS_LABEL_MAX));

			if (n.len + len + 2 > DNS_NAME_MAX || r >> 60 == 0)
				break;
			n.wire[n.len++] = (uint8_t)len;
			for (unsigned i = 0; i < len; i++)
				n.wire[n.len++] = (uint8_t)unit_random(&random);
		}
		n.wire[n.len++] = 0;
		check_trail(dns_name_span(&n));
	}
}

static void
ends_are_hashed_as_far_as_somebody_asks(void)
{
	struct dns_name n = dns_test_name("a.b.c.d.e");
	struct dns_trail all, some;

	dns_trail_of(&all, dns_name_span(&n), true, key);
	dns_trail_of(&some, dns_name_span(&n), false, key);
	CU_ASSERT_EQUAL(some.labels, 5);
	CU_ASSERT_EQUAL(some.count, 0);
	CU_ASSERT_EQUAL(dns_trail_hash(&some, 1), dns_trail_hash(&all, 1));
	CU_ASSERT_EQUAL(some.count, 2);
	CU_ASSERT_EQUAL(dns_trail_hash(&some, 4), dns_trail_hash(&all, 4));
	CU_ASSERT_EQUAL(dns_trail_hash(&some, 3), dns_trail_hash(&all, 3));
	CU_ASSERT_EQUAL(some.count, 5);
}

static void
the_longest_name_fits(void)
{
	struct dns_name n = { .len = 0 };
	struct dns_trail t;

	for (unsigned i = 0; i < DNS_LABELS_MAX; i++) {
		n.wire[n.len++] = 1;
		n.wire[n.len++] = 'x';
	}
	n.wire[n.len++] = 0;
	check_trail(dns_name_span(&n));
	dns_trail_of(&t, dns_name_span(&n), true, key);
	CU_ASSERT_EQUAL(t.labels, DNS_LABELS_MAX);
}

static void
where_a_label_ends_makes_a_difference(void)
{
	struct dns_name a = dns_test_name("ab.c");
	struct dns_name b = dns_test_name("a.bc");
	struct dns_trail ta, tb;

	dns_trail_of(&ta, dns_name_span(&a), true, key);
	dns_trail_of(&tb, dns_name_span(&b), true, key);
	CU_ASSERT_NOT_EQUAL(dns_trail_hash(&ta, 1), dns_trail_hash(&tb, 1));
}

UNIT_MAIN("dns_trail",
    UNIT(every_end_has_the_siphash_of_its_labels),
    UNIT(names_of_random_labels_do_as_well),
    UNIT(ends_are_hashed_as_far_as_somebody_asks),
    UNIT(the_longest_name_fits),
    UNIT(where_a_label_ends_makes_a_difference))
