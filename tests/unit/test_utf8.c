/* SPDX-License-Identifier: MIT */
#include "util/utf8.h"

#include "support/unit.h"

#include <string.h>

static void
well_formed_text_is_valid(void)
{
	CU_ASSERT_TRUE(utf8_valid(SPAN("")));
	CU_ASSERT_TRUE(utf8_valid(SPAN("plain\n")));
	CU_ASSERT_TRUE(utf8_valid(SPAN("K\xc3\xbc" "che")));
	CU_ASSERT_TRUE(utf8_valid(SPAN("\xe2\x82\xac")));
	CU_ASSERT_TRUE(utf8_valid(SPAN("\xf0\x9f\x94\xa5 \xf4\x8f\xbf\xbf")));
	CU_ASSERT_TRUE(utf8_valid(SPAN("\xed\x9f\xbf\xee\x80\x80")));
}

static void
broken_text_is_not_valid(void)
{
	static const char *const bad[] = { "\x80", "\xc3", "\xc3(", "\xe2\x82", "\xf0\x9f\x94",
		"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "ok\xfe" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(utf8_valid(span_str(bad[i])));
	CU_ASSERT_EQUAL(utf8_printable(SPAN("")), 0);
}

static void
what_hides_or_reorders_is_not_printable(void)
{
	static const char *const hidden[] = { "\x01", "\x1b", "\x7f", "\xc2\x80", "\xc2\x9b",
		"\xc2\xad", "\xe2\x80\x8b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf",
		"\xef\xbf\xbf", "\xf3\xa0\x80\xa0" };
	static const char *const shown[] = { " ", "~", "\xc2\xa0", "\xc3\xbc", "\xe2\x80\x90",
		"\xe2\x80\xaf", "\xef\xbf\xbd", "\xf0\x9f\x94\xa5" };

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		CU_ASSERT_EQUAL(utf8_printable(span_str(hidden[i])), 0);
	CU_ASSERT_EQUAL(utf8_printable(span_of("", 1)), 0);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		CU_ASSERT_EQUAL(utf8_printable(span_str(shown[i])), strlen(shown[i]));
}

static void
escaping_keeps_what_can_be_shown(void)
{
	const struct {
		struct span in;
		const char *out;
	} cases[] = {
		{ SPAN("abc \xc3\xbc"), "abc \xc3\xbc" },
		{ SPAN("a\nb\tc\rd\\e"), "a\\nb\\tc\\rd\\\\e" },
		{ SPAN("\0\x1b\x7f\xff"), "\\x00\\x1b\\x7f\\xff" },
		{ SPAN("\xe2\x80\xaex"), "\\xe2\\x80\\xaex" },
		{ SPAN("\xc3"), "\\xc3" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest = cases[i].in;
		char out[64];
		size_t len = 0;

		while (rest.len != 0)
			len += utf8_escape_next(&rest, out + len);
		out[len] = '\0';
		CU_ASSERT_STRING_EQUAL(out, cases[i].out);
	}
}

UNIT_MAIN("utf8", UNIT(well_formed_text_is_valid), UNIT(broken_text_is_not_valid),
    UNIT(what_hides_or_reorders_is_not_printable), UNIT(escaping_keeps_what_can_be_shown))
