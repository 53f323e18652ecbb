/* SPDX-License-Identifier: MIT */
#include "util/text.h"

#include "support/unit.h"

static void
lines_end_with_a_newline_or_the_text(void)
{
	struct span rest = SPAN("one\n\ntwo\r\nthree");
	static const char *const lines[] = { "one", "", "two\r", "three" };
	struct span line;

	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_TRUE_FATAL(text_next_line(&rest, &line));
		CU_ASSERT_TRUE(text_is(line, lines[i]));
	}
	CU_ASSERT_FALSE(text_next_line(&rest, &line));
	rest = SPAN("x\n");
	CU_ASSERT_TRUE(text_next_line(&rest, &line));
	CU_ASSERT_FALSE(text_next_line(&rest, &line));
	rest = span_of(NULL, 0);
	CU_ASSERT_FALSE(text_next_line(&rest, &line));
}

static void
words_stand_between_blanks(void)
{
	struct span rest = SPAN(" \tone\v two\r");

	CU_ASSERT_TRUE(text_is(text_next_word(&rest), "one"));
	CU_ASSERT_TRUE(text_is(text_next_word(&rest), "two"));
	CU_ASSERT_EQUAL(text_next_word(&rest).len, 0);
	CU_ASSERT_EQUAL(text_next_word(&rest).len, 0);
	rest = span_of(NULL, 0);
	CU_ASSERT_EQUAL(text_next_word(&rest).len, 0);
}

static void
fields_stand_between_marks_and_may_be_empty(void)
{
	struct span rest = SPAN("a,,b");

	CU_ASSERT_TRUE(text_is(text_next_field(&rest, ','), "a"));
	CU_ASSERT_TRUE(text_is(text_next_field(&rest, ','), ""));
	CU_ASSERT_TRUE(text_is(text_next_field(&rest, ','), "b"));
	CU_ASSERT_EQUAL(text_next_field(&rest, ',').len, 0);
	rest = SPAN("a,");
	CU_ASSERT_TRUE(text_is(text_next_field(&rest, ','), "a"));
	CU_ASSERT_EQUAL(rest.len, 0);
}

static void
trimming_leaves_what_is_inside(void)
{
	CU_ASSERT_TRUE(text_is(text_trim(SPAN(" a b \r")), "a b"));
	CU_ASSERT_TRUE(text_is(text_trim(SPAN("\t ")), ""));
	CU_ASSERT_TRUE(text_is(text_trim(span_of(NULL, 0)), ""));
}

static void
numbers_fill_their_text(void)
{
	uint64_t v = 7;

	CU_ASSERT_TRUE(text_u64(SPAN("0"), &v));
	CU_ASSERT_EQUAL(v, 0);
	CU_ASSERT_TRUE(text_u64(SPAN("18446744073709551615"), &v));
	CU_ASSERT_EQUAL(v, UINT64_MAX);
	CU_ASSERT_FALSE(text_u64(SPAN("18446744073709551616"), &v));
	CU_ASSERT_FALSE(text_u64(SPAN("99999999999999999999"), &v));
	CU_ASSERT_FALSE(text_u64(SPAN(""), &v));
	CU_ASSERT_FALSE(text_u64(SPAN("-1"), &v));
	CU_ASSERT_FALSE(text_u64(SPAN("1 "), &v));
	CU_ASSERT_FALSE(text_u64(SPAN("/"), &v));
	CU_ASSERT_FALSE(text_u64(SPAN(":"), &v));
}

static void
beginnings_are_recognised(void)
{
	CU_ASSERT_TRUE(text_begins(SPAN("lease 1"), "lease"));
	CU_ASSERT_FALSE(text_begins(SPAN("leas"), "lease"));
	CU_ASSERT_TRUE(text_is(text_after_mark(SPAN("\xef\xbb\xbfx")), "x"));
	CU_ASSERT_TRUE(text_is(text_after_mark(SPAN("\xef\xbb")), "\xef\xbb"));
}

static void
letter_case_makes_no_difference_and_nothing_else_is_let_pass(void)
{
	/* A place in the first word, in the second, and behind both. */
	static const size_t places[] = { 0, 7, 8, 15, 16, 18 };
	uint8_t x[19], y[19];

	memset(x, 'q', sizeof(x));
	memset(y, 'Q', sizeof(y));
	for (size_t i = 0; i < 6; i++) {
		unsigned wrong = 0;

		for (unsigned pair = 0; pair < 256 * 256; pair++) {
			uint8_t *a = &x[places[i]], *b = &y[places[i]];

			*a = (uint8_t)(pair >> 8);
			*b = (uint8_t)pair;
			wrong += (ascii_lower(*a) == ascii_lower(*b)) !=
			    span_equal_nocase(span_of(x, sizeof(x)), span_of(y, sizeof(y)));
		}
		CU_ASSERT_EQUAL(wrong, 0);
		x[places[i]] = y[places[i]] = 'q';
	}
	CU_ASSERT_FALSE(span_equal_nocase(span_of(x, 8), span_of(y, 9)));
}

UNIT_MAIN("text", UNIT(lines_end_with_a_newline_or_the_text), UNIT(words_stand_between_blanks),
    UNIT(fields_stand_between_marks_and_may_be_empty), UNIT(trimming_leaves_what_is_inside),
    UNIT(numbers_fill_their_text), UNIT(beginnings_are_recognised),
    UNIT(letter_case_makes_no_difference_and_nothing_else_is_let_pass))
