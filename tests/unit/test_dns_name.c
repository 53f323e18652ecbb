/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_name.h"

#include "support/unit.h"

#include <stdio.h>

/* Parse text that is known to be good. */
static struct dns_name
name(const char *text)
{
	struct dns_name n;

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&n, span_str(text)), OK);
	return n;
}

static void
check_round_trip(const char *text, const char *expect)
{
	char buf[DNS_NAME_TEXT_MAX];
	struct dns_name n = name(text);

	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&n), buf), expect);
	CU_ASSERT_EQUAL(dns_name_at(dns_name_span(&n)).len, n.len);

	struct dns_name again = name(buf);

	CU_ASSERT_TRUE(span_equal(dns_name_span(&n), dns_name_span(&again)));
}

static void
text_and_wire_form_convert_into_each_other(void)
{
	static const uint8_t wire[] = "\3www\7Example\3org";
	struct dns_name n = name("www.Example.org");

	CU_ASSERT_EQUAL(n.len, sizeof(wire));
	CU_ASSERT_EQUAL(memcmp(n.wire, wire, sizeof(wire)), 0);
	check_round_trip("www.Example.org.", "www.Example.org");
	check_round_trip(".", ".");
	check_round_trip("a", "a");
	check_round_trip("_sip._tcp.x", "_sip._tcp.x");
}

static void
escapes_are_read_and_written(void)
{
	check_round_trip("a\\.b.c", "a\\.b.c");
	check_round_trip("a\\046b.c", "a\\.b.c");
	check_round_trip("\\000\\255.x", "\\000\\255.x");
	check_round_trip("My\\032Printer._ipp", "My\\032Printer._ipp");
	check_round_trip("a\\\\b", "a\\\\b");
	check_round_trip("\\q", "q");
}

static void
bad_text_is_refused(void)
{
	static const char *const bad[] = {
		"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256", "\\1x2",
	};
	struct dns_name n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(dns_name_parse(&n, span_str(bad[i])), ERR_FORMAT);
}

static void
what_is_typed_has_no_blanks(void)
{
	static const char *const bad[] = { "a b", " a", "a ", "a\tb", "a\nb", "a\x7f", "" };
	struct dns_name n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(dns_name_parse_typed(&n, span_str(bad[i])), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_name_parse(&n, SPAN("a b")), OK);
	CU_ASSERT_EQUAL(dns_name_parse_typed(&n, SPAN("a\\032b.example")), OK);
}

/* Labels of `each` letters, `n` of them, then `last` letters. */
static enum err
parse_long(size_t each, unsigned n, size_t last, const char *tail, struct dns_name *out)
{
	char text[600];
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		memset(text + at, 'x', each);
		text[at + each] = '.';
		at += each + 1;
	}
	memset(text + at, 'y', last);
	at += last;
	snprintf(text + at, sizeof(text) - at, "%s", tail);
	return dns_name_parse(out, span_str(text));
}

static void
the_longest_label_and_name_fit_and_one_more_does_not(void)
{
	struct dns_name n;

	CU_ASSERT_EQUAL(parse_long(0, 0, 63, "", &n), OK);
	CU_ASSERT_EQUAL(parse_long(0, 0, 64, "", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(parse_long(63, 3, 61, "", &n), OK);
	CU_ASSERT_EQUAL(n.len, 255);
	CU_ASSERT_EQUAL(parse_long(63, 3, 61, ".", &n), OK);
	CU_ASSERT_EQUAL(n.len, 255);
	CU_ASSERT_EQUAL(parse_long(63, 3, 62, "", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(parse_long(63, 3, 62, ".", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(parse_long(63, 3, 60, ".z", &n), ERR_RANGE);
	CU_ASSERT_EQUAL(parse_long(1, 126, 1, "", &n), OK);
	CU_ASSERT_EQUAL(n.len, 255);
	CU_ASSERT_EQUAL(dns_name_labels(dns_name_span(&n)), 127);
	CU_ASSERT_EQUAL(parse_long(1, 127, 1, "", &n), ERR_RANGE);
}

static void
the_text_of_the_worst_name_fits_its_buffer(void)
{
	char buf[DNS_NAME_TEXT_MAX];
	struct dns_name n;

	CU_ASSERT_EQUAL_FATAL(parse_long(63, 3, 61, "", &n), OK);
	for (size_t at = 0; n.wire[at] != 0; at += n.wire[at] + 1u)
		memset(n.wire + at + 1, 0xff, n.wire[at]);
	CU_ASSERT_TRUE(strlen(dns_name_format(dns_name_span(&n), buf)) < sizeof(buf));
}

static void
letter_case_does_not_matter(void)
{
	struct dns_name a = name("WWW.eXample.ORG");
	struct dns_name b = name("www.example.org");
	struct dns_name c = name("www.example.orh");
	struct dns_name lower;

	CU_ASSERT_TRUE(dns_name_equal(dns_name_span(&a), dns_name_span(&b)));
	CU_ASSERT_FALSE(dns_name_equal(dns_name_span(&b), dns_name_span(&c)));
	dns_name_lower(lower.wire, dns_name_span(&a));
	lower.len = a.len;
	CU_ASSERT_TRUE(span_equal(dns_name_span(&lower), dns_name_span(&b)));
}

static void
lower_case_touches_letters_only(void)
{
	uint8_t all[256];
	uint8_t out[256];

	for (unsigned shift = 0; shift < 9; shift++) {
		for (unsigned i = 0; i < 256; i++)
			all[i] = (uint8_t)(i + shift);
		dns_name_lower(out, span_of(all, 255));
		for (unsigned i = 0; i < 255; i++)
			CU_ASSERT_EQUAL(out[i], ascii_lower(all[i]));
	}
}

static void
below_means_whole_labels(void)
{
	struct dns_name zone = name("example.org");
	struct dns_name root = name(".");
	struct dns_name in = name("a.b.EXAMPLE.org");
	struct dns_name near = name("notexample.org");
	struct dns_name above = name("org");

	CU_ASSERT_TRUE(dns_name_below(dns_name_span(&in), dns_name_span(&zone)));
	CU_ASSERT_TRUE(dns_name_below(dns_name_span(&zone), dns_name_span(&zone)));
	CU_ASSERT_TRUE(dns_name_below(dns_name_span(&near), dns_name_span(&root)));
	CU_ASSERT_FALSE(dns_name_below(dns_name_span(&near), dns_name_span(&zone)));
	CU_ASSERT_FALSE(dns_name_below(dns_name_span(&above), dns_name_span(&zone)));
}

static void
labels_are_walked_from_the_left(void)
{
	struct dns_name n = name("a.bc.def");
	struct span s = dns_name_span(&n);

	CU_ASSERT_EQUAL(dns_name_labels(s), 3);
	CU_ASSERT_TRUE(span_equal(dns_name_label(s), span_str("a")));
	s = dns_name_parent(s);
	CU_ASSERT_TRUE(span_equal(dns_name_label(s), span_str("bc")));
	s = dns_name_parent(dns_name_parent(s));
	CU_ASSERT_TRUE(dns_name_is_root(s));
	CU_ASSERT_EQUAL(dns_name_label(s).len, 0);
}

static void
the_hash_depends_on_name_and_key(void)
{
	uint8_t key[SEAL_SHORT_KEY_BYTES] = { 1 };
	struct dns_name a = name("a.example");
	struct dns_name b = name("b.example");
	uint64_t h = dns_name_hash(dns_name_span(&a), key);

	CU_ASSERT_EQUAL(dns_name_hash(dns_name_span(&a), key), h);
	CU_ASSERT_NOT_EQUAL(dns_name_hash(dns_name_span(&b), key), h);
	key[15] = 1;
	CU_ASSERT_NOT_EQUAL(dns_name_hash(dns_name_span(&a), key), h);
}

static void
mixed_case_is_the_same_name_and_follows_the_bits(void)
{
	struct dns_name n = name("ab1c.d");
	struct dns_name before = n;

	dns_name_mix_case(n.wire, n.len, 0xa);
	CU_ASSERT_TRUE(dns_name_equal(dns_name_span(&n), dns_name_span(&before)));
	struct dns_name expect = name("aB1c.D");
	CU_ASSERT_TRUE(span_equal(dns_name_span(&n), dns_name_span(&expect)));
}

/* --- names inside messages -------------------------------------------------------------------- */

/* Expand at an offset of a message and compare; text NULL: must be refused. */
static void
check_expand(struct span msg, size_t at, const char *text, size_t end)
{
	struct wire_rd rd = wire_rd_of(msg);
	struct dns_name n;
	char buf[DNS_NAME_TEXT_MAX];

	wire_rd_skip(&rd, at);
	CU_ASSERT_EQUAL(dns_name_expand(&n, &rd), text != NULL);
	CU_ASSERT_EQUAL(rd.bad, text == NULL);
	if (text == NULL)
		return;
	CU_ASSERT_STRING_EQUAL(dns_name_format(dns_name_span(&n), buf), text);
	CU_ASSERT_EQUAL(wire_rd_offset(&rd), end);
	CU_ASSERT_TRUE(dns_name_is_at(msg, at, dns_name_span(&n)));
}

static void
compressed_names_are_expanded(void)
{
	/* 0: a.bc, 6: d + pointer to "bc" at 2, 10: pointer to 6 */
	static const uint8_t bytes[] = "\1a\2bc\0\1d\xc0\2\xc0\6x";
	struct span msg = span_of(bytes, 12);
	struct dns_name other = name("d.bx");

	check_expand(msg, 0, "a.bc", 6);
	check_expand(msg, 6, "d.bc", 10);
	check_expand(msg, 10, "d.bc", 12);
	check_expand(msg, 5, ".", 6);
	CU_ASSERT_FALSE(dns_name_is_at(msg, 6, dns_name_span(&other)));
}

static void
pointers_that_do_not_go_back_are_refused(void)
{
	check_expand(span_of("\xc0\0", 2), 0, NULL, 0);			/* to itself */
	check_expand(span_of("\xc0\2\xc0\0", 4), 0, NULL, 0);		/* forward */
	check_expand(span_of("\xc0\2\xc0\0", 4), 2, NULL, 0);		/* back, then forward */
	check_expand(span_of("\1a\xc0\0", 4), 0, NULL, 0);		/* to its own start */
	check_expand(span_of("\1a\1b\xc0\2\0", 7), 0, NULL, 0);		/* into itself */
	check_expand(span_of("\1a\0\1b\xc0", 6), 3, NULL, 0);		/* half a pointer */
}

static void
broken_names_are_refused(void)
{
	uint8_t long_name[300];

	check_expand(span_of("", 0), 0, NULL, 0);
	check_expand(span_of("\1a", 2), 0, NULL, 0);		/* no root */
	check_expand(span_of("\5abc", 4), 0, NULL, 0);		/* label past the end */
	check_expand(span_of("\x40" "a\0", 3), 0, NULL, 0);	/* label type 01 */
	check_expand(span_of("\x80" "a\0", 3), 0, NULL, 0);	/* label type 10 */
	for (size_t i = 0; i < sizeof(long_name); i += 2)
		memcpy(long_name + i, "\1x", 2);
	long_name[256] = 0;
	check_expand(span_of(long_name, sizeof(long_name)), 0, NULL, 0);
	CU_ASSERT_EQUAL(dns_name_at(span_of(long_name, sizeof(long_name))).len, 0);
	CU_ASSERT_EQUAL(dns_name_at(span_of(long_name + 2, sizeof(long_name) - 2)).len, 255);
	CU_ASSERT_EQUAL(dns_name_at(span_of("\1a", 2)).len, 0);
	CU_ASSERT_EQUAL(dns_name_at(span_of("\xc0\0", 2)).len, 0);
}

static void
a_name_made_too_long_by_a_pointer_is_refused(void)
{
	uint8_t msg[520];
	struct dns_name n;

	/* A name of 255 bytes at 0, then a label of one letter in front of it: 257. */
	CU_ASSERT_EQUAL_FATAL(parse_long(63, 3, 61, "", &n), OK);
	memcpy(msg, n.wire, 255);
	memcpy(msg + 255, "\1z\xc0\0", 4);
	check_expand(span_of(msg, 259), 255, NULL, 0);
	memcpy(msg + 255, "\1z\xc0\x40", 4);	/* in front of its second label instead */

	struct wire_rd rd = wire_rd_of(span_of(msg, 259));

	wire_rd_skip(&rd, 255);
	CU_ASSERT_TRUE(dns_name_expand(&n, &rd));
	CU_ASSERT_EQUAL(n.len, 255 - 64 + 2);
}

static void
random_bytes_never_give_more_than_a_name(void)
{
	uint64_t state = unit_seed(20250311);
	unsigned good = 0;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[64];
		struct span msg = span_of(bytes, sizeof(bytes));
		struct dns_name n;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			uint64_t r = unit_random(&state);
			bytes[i] = (r & 3) != 0 ? (uint8_t)(r >> 8) % 5 : (uint8_t)(r >> 8);
		}

		struct wire_rd rd = wire_rd_of(msg);

		wire_rd_skip(&rd, unit_random(&state) % 32);
		size_t at = wire_rd_offset(&rd);
		if (!dns_name_expand(&n, &rd))
			continue;
		good++;
		CU_ASSERT_EQUAL(dns_name_at(dns_name_span(&n)).len, n.len);
		CU_ASSERT_TRUE(dns_name_is_at(msg, at, dns_name_span(&n)));
	}
	CU_ASSERT_TRUE(good > 100);
}

UNIT_MAIN("dns_name", UNIT(text_and_wire_form_convert_into_each_other),
    UNIT(escapes_are_read_and_written), UNIT(bad_text_is_refused),
    UNIT(what_is_typed_has_no_blanks),
    UNIT(the_longest_label_and_name_fit_and_one_more_does_not),
    UNIT(the_text_of_the_worst_name_fits_its_buffer), UNIT(letter_case_does_not_matter),
    UNIT(lower_case_touches_letters_only), UNIT(below_means_whole_labels),
    UNIT(labels_are_walked_from_the_left), UNIT(the_hash_depends_on_name_and_key),
    UNIT(mixed_case_is_the_same_name_and_follows_the_bits), UNIT(compressed_names_are_expanded),
    UNIT(pointers_that_do_not_go_back_are_refused), UNIT(broken_names_are_refused),
    UNIT(a_name_made_too_long_by_a_pointer_is_refused),
    UNIT(random_bytes_never_give_more_than_a_name))
