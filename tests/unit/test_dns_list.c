/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_list.h"

#include "support/dns.h"
#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";

static struct dns_list_builder *
builder(uint32_t names_max)
{
	struct dns_list_builder *b;

	CU_ASSERT_EQUAL_FATAL(dns_list_builder_new(&b, names_max), OK);
	return b;
}

static enum err
add(struct dns_list_builder *b, struct dns_list_rule rule, const char *text)
{
	struct dns_name n = dns_test_name(text);

	return dns_list_add(b, rule, dns_name_span(&n));
}

static void
block(struct dns_list_builder *b, const char *text)
{
	CU_ASSERT_EQUAL(add(b, (struct dns_list_rule){ .kind = DNS_LIST_BLOCK }, text), OK);
}

static struct dns_list *
finish(struct dns_list_builder *b)
{
	struct dns_list *l;

	CU_ASSERT_EQUAL_FATAL(dns_list_finish(&l, b, key), OK);
	dns_list_builder_free(b);
	return l;
}

/* The name in the set that stands for this one; "" where there is none. */
static const char *
found(const struct dns_list *l, enum dns_list_kind kind, const char *text)
{
	static char buf[DNS_NAME_TEXT_MAX];
	struct dns_name n = dns_test_name(text);
	struct dns_list_match m;
	struct dns_trail t;

	dns_trail_of(&t, dns_name_span(&n), dns_list_has_tops(l), key);
	if (!dns_list_find(l, kind, &t, &m))
		return "";
	return dns_name_format(m.name, buf);
}

static void
a_name_stands_for_itself_and_all_below_it(void)
{
	struct dns_list_builder *b = builder(100);

	block(b, "ads.example");
	block(b, "zip");
	block(b, "a.b.c.d.e");

	struct dns_list *l = finish(b);

	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "ads.example"), "ads.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "x.y.ads.example"), "ads.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "some.zip"), "zip");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "z.a.b.c.d.e"), "a.b.c.d.e");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "b.c.d.e"), "");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "example"), "");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "badads.example"), "");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "."), "");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_ALLOW, "ads.example"), "");
	dns_list_free(l);
}

static void
an_exact_name_stands_for_itself_alone(void)
{
	struct dns_list_builder *b = builder(100);
	struct dns_list_rule exact = { .exact = true, .source = 3 };

	CU_ASSERT_EQUAL(add(b, exact, "host.example"), OK);
	block(b, "deep.below.host.example");

	struct dns_list *l = finish(b);

	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "host.example"), "host.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "www.host.example"), "");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "x.deep.below.host.example"),
	    "deep.below.host.example");
	CU_ASSERT_EQUAL(dns_list_stats(l)->covered, 0);
	dns_list_free(l);
}

static void
what_a_name_further_up_covers_is_left_out(void)
{
	struct dns_list_builder *b = builder(100);

	block(b, "www.ads.example");
	block(b, "x.y.z.ads.example");
	block(b, "ads.example");
	block(b, "other.example");

	struct dns_list *l = finish(b);

	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_BLOCK], 2);
	CU_ASSERT_EQUAL(dns_list_stats(l)->covered, 2);
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "x.y.z.ads.example"), "ads.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "other.example"), "other.example");
	dns_list_free(l);
}

static void
of_two_that_are_the_same_the_wider_one_counts(void)
{
	struct dns_list_builder *b = builder(100);
	struct dns_list_rule exact = { .exact = true, .source = 1 };
	struct dns_list_rule wide = { .source = 2 };
	struct dns_list_rule late = { .source = 4 };
	struct dns_name n = dns_test_name("a.example");
	struct dns_list_match m = { 0 };
	struct dns_trail t;

	CU_ASSERT_EQUAL(add(b, exact, "a.example"), OK);
	CU_ASSERT_EQUAL(add(b, wide, "a.example"), OK);
	CU_ASSERT_EQUAL(add(b, late, "a.example"), OK);
	CU_ASSERT_EQUAL(add(b, exact, "a.example"), OK);

	struct dns_list *l = finish(b);

	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_BLOCK], 1);
	CU_ASSERT_EQUAL(dns_list_stats(l)->duplicates, 3);
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "w.a.example"), "a.example");
	dns_trail_of(&t, dns_name_span(&n), true, key);
	CU_ASSERT_TRUE(dns_list_find(l, DNS_LIST_BLOCK, &t, &m));
	CU_ASSERT_EQUAL(m.source, 2);
	dns_list_free(l);
}

static void
names_to_allow_are_kept_apart(void)
{
	struct dns_list_builder *b = builder(100);
	struct dns_list_rule allow = { .kind = DNS_LIST_ALLOW };

	block(b, "example");
	CU_ASSERT_EQUAL(add(b, allow, "good.example"), OK);

	struct dns_list *l = finish(b);

	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "www.good.example"), "example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_ALLOW, "www.good.example"), "good.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_ALLOW, "bad.example"), "");
	dns_list_free(l);
}

static void
a_set_of_nothing_finds_nothing(void)
{
	struct dns_list *l = finish(builder(1));

	CU_ASSERT_FALSE(dns_list_has_tops(l));
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "a.example"), "");
	dns_list_free(l);
	dns_list_free(NULL);
	dns_list_builder_free(NULL);
}

static void
names_beyond_the_limit_are_refused_and_counted(void)
{
	struct dns_list_builder *b = builder(2);
	struct dns_list_rule allow = { .kind = DNS_LIST_ALLOW };

	block(b, "a");
	CU_ASSERT_EQUAL(add(b, allow, "b"), OK);
	CU_ASSERT_EQUAL(add(b, allow, "c"), ERR_FULL);

	struct dns_list *l = finish(b);

	CU_ASSERT_EQUAL(dns_list_stats(l)->refused, 1);
	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_ALLOW], 1);
	dns_list_free(l);
}

/* Where patterns are built in, or nothing. */
static void
add_pattern(struct dns_list_builder *b, const char *text)
{
	enum err e = dns_list_add_pattern(b, (struct dns_list_rule){ 0 }, span_str(text));

	CU_ASSERT_TRUE(e == OK || e == ERR_UNSUPPORTED);
}

static void
what_was_added_since_the_mark_can_be_taken_back(void)
{
	struct dns_list_builder *b = builder(100);
	struct dns_list_rule allow = { .kind = DNS_LIST_ALLOW };

	block(b, "stays.example");
	add_pattern(b, "^stays");
	dns_list_builder_mark(b);
	block(b, "goes.deeper.example");
	CU_ASSERT_EQUAL(add(b, allow, "goes.example"), OK);
	add_pattern(b, "^goes");
	dns_list_builder_rewind(b);
	block(b, "comes.example");

	struct dns_list *l = finish(b);

	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_BLOCK], 2);
	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_ALLOW], 0);
	CU_ASSERT_TRUE(dns_list_patterns(l, DNS_LIST_BLOCK) <= 1);
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "stays.example"), "stays.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "comes.example"), "comes.example");
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "goes.deeper.example"), "");
	dns_list_free(l);
}

/* --- compared with a plain model -------------------------------------------------------------- */

#define MODEL_NAMES 3000

struct model {
	unsigned count;
	struct dns_list_rule rule[MODEL_NAMES];
	struct dns_name name[MODEL_NAMES];
};

/* A name of few different labels, so that many lie above and below each other. */
static struct dns_name
random_name(uint64_t *random, unsigned letters)
{
	struct dns_name n = { .len = 0 };
	unsigned labels = 1 + (unsigned)(unit_random(random) % 5);

	for (unsigned i = 0; i < labels; i++) {
		unsigned len = 1 + (unsigned)(unit_random(random) % 2);

		n.wire[n.len++] = (uint8_t)len;
		for (unsigned k = 0; k < len; k++)
			n.wire[n.len++] = (uint8_t)('a' + unit_random(random) % letters);
	}
	n.wire[n.len++] = 0;
	return n;
}

/* Labels of the name in the model that stands for this one and is furthest up; 0: none. */
static unsigned
model_find(const struct model *m, enum dns_list_kind kind, struct span name)
{
	unsigned best = 0;

	for (unsigned i = 0; i < m->count; i++) {
		struct span entry = dns_name_span(&m->name[i]);
		unsigned labels = dns_name_labels(entry);
		bool fits = m->rule[i].exact ? dns_name_equal(name, entry)
					     : dns_name_below(name, entry);

		if (m->rule[i].kind == kind && fits && (best == 0 || labels < best))
			best = labels;
	}
	return best;
}

static void
compare(const struct model *m, const struct dns_list *l, struct span name)
{
	struct dns_trail t;

	dns_trail_of(&t, name, dns_list_has_tops(l), key);
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		struct dns_list_match match;
		unsigned want = model_find(m, (enum dns_list_kind)kind, name);
		unsigned got = 0;

		if (dns_list_find(l, (enum dns_list_kind)kind, &t, &match)) {
			got = dns_name_labels(match.name);
			CU_ASSERT_TRUE(dns_name_below(name, match.name));
		}
		CU_ASSERT_EQUAL(got, want);
	}
}

static void
random_sets_find_what_a_plain_model_finds(void)
{
	static struct model m;
	uint64_t random = unit_seed(11);

	for (unsigned round = 0; round < 24; round++) {
		struct dns_list_builder *b = builder(MODEL_NAMES);
		unsigned letters = 2 + round;

		m.count = round % 3 == 0 ? 20 : round % 3 == 1 ? 300 : MODEL_NAMES;
		for (unsigned i = 0; i < m.count; i++) {
			m.name[i] = random_name(&random, letters);
			m.rule[i] = (struct dns_list_rule){
				.kind = unit_random(&random) % 8 == 0 ? DNS_LIST_ALLOW
								      : DNS_LIST_BLOCK,
				.exact = unit_random(&random) % 2 == 0,
				.source = (uint8_t)(i % DNS_LIST_SOURCES_MAX),
			};
			CU_ASSERT_EQUAL(dns_list_add(b, m.rule[i], dns_name_span(&m.name[i])), OK);
		}

		struct dns_list *l = finish(b);
		const struct dns_list_stats *st = dns_list_stats(l);

		CU_ASSERT_EQUAL(st->names[0] + st->names[1] + st->covered + st->duplicates,
		    m.count);
		for (unsigned i = 0; i < 600; i++) {
			struct dns_name n = random_name(&random, letters);

			compare(&m, l, dns_name_span(&n));
			compare(&m, l, dns_name_span(&m.name[i % m.count]));
		}
		dns_list_free(l);
	}
}

static void
memory_stays_below_forty_bytes_a_name(void)
{
	struct dns_list_builder *b = builder(200000);
	char text[64];

	for (unsigned i = 0; i < 200000; i++) {
		snprintf(text, sizeof(text), "tracker%06u.example%02u.org", i, i % 100);
		block(b, text);
	}

	struct dns_list *l = finish(b);

	CU_ASSERT_EQUAL(dns_list_stats(l)->names[DNS_LIST_BLOCK], 200000);
	CU_ASSERT_TRUE(dns_list_stats(l)->bytes < 200000 * 40);
	CU_ASSERT_STRING_EQUAL(found(l, DNS_LIST_BLOCK, "a.tracker123456.example56.org"),
	    "tracker123456.example56.org");
	dns_list_free(l);
}

UNIT_MAIN("dns_list",
    UNIT(a_name_stands_for_itself_and_all_below_it),
    UNIT(an_exact_name_stands_for_itself_alone),
    UNIT(what_a_name_further_up_covers_is_left_out),
    UNIT(of_two_that_are_the_same_the_wider_one_counts),
    UNIT(names_to_allow_are_kept_apart),
    UNIT(a_set_of_nothing_finds_nothing),
    UNIT(names_beyond_the_limit_are_refused_and_counted),
    UNIT(what_was_added_since_the_mark_can_be_taken_back),
    UNIT(random_sets_find_what_a_plain_model_finds),
    UNIT(memory_stays_below_forty_bytes_a_name))
