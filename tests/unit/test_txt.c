/* SPDX-License-Identifier: MIT */
#include "services/announce/txt.h"

#include "support/unit.h"

static void
pairs_come_back_as_they_were_written(void)
{
	uint8_t buf[64];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	const char *const typed[] = { "state=closed", "empty=", "flag", "odd=a=b" };
	struct txt_pair pair;

	for (size_t i = 0; i < 4; i++) {
		pair = txt_split(span_str(typed[i]));
		CU_ASSERT_EQUAL(txt_put(&wr, &pair), OK);
	}

	struct wire_rd rd = wire_rd_of(wire_wr_span(&wr));

	CU_ASSERT_TRUE(txt_next(&rd, &pair));
	CU_ASSERT_TRUE(span_equal(pair.key, span_str("state")));
	CU_ASSERT_TRUE(span_equal(pair.value, span_str("closed")));
	CU_ASSERT_TRUE(txt_next(&rd, &pair));
	CU_ASSERT_TRUE(pair.has_value && pair.value.len == 0);
	CU_ASSERT_TRUE(txt_next(&rd, &pair));
	CU_ASSERT_FALSE(pair.has_value);
	CU_ASSERT_TRUE(txt_next(&rd, &pair));
	CU_ASSERT_TRUE(span_equal(pair.value, span_str("a=b")));
	CU_ASSERT_FALSE(txt_next(&rd, &pair));
	CU_ASSERT_EQUAL(txt_check(wire_wr_span(&wr)), OK);
}

static void
a_pair_of_256_bytes_or_without_a_key_is_refused(void)
{
	uint8_t buf[512], value[255] = { 0 };
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct txt_pair pair = { .key = span_str("k"), .value = span_of(value, 254),
		.has_value = true };

	CU_ASSERT_EQUAL(txt_put(&wr, &pair), ERR_RANGE);
	pair.value.len = 253;
	CU_ASSERT_EQUAL(txt_put(&wr, &pair), OK);
	pair = txt_split(span_str("=x"));
	CU_ASSERT_EQUAL(txt_put(&wr, &pair), ERR_FORMAT);
	pair = txt_split(span_str("k\x01=x"));
	CU_ASSERT_EQUAL(txt_put(&wr, &pair), ERR_FORMAT);
}

static void
strings_without_a_key_are_stepped_over(void)
{
	const uint8_t body[] = { 0, 2, '=', 'x', 3, 'a', '=', '1' };
	struct wire_rd rd = wire_rd_of(span_of(body, sizeof(body)));
	struct txt_pair pair;

	CU_ASSERT_TRUE(txt_next(&rd, &pair));
	CU_ASSERT_TRUE(span_equal(pair.key, span_str("a")));
	CU_ASSERT_FALSE(txt_next(&rd, &pair));
}

static void
a_length_beyond_the_end_is_short(void)
{
	const uint8_t body[] = { 3, 'a', '=' };
	struct wire_rd rd = wire_rd_of(span_of(body, sizeof(body)));
	struct txt_pair pair;

	CU_ASSERT_EQUAL(txt_check(span_of(body, sizeof(body))), ERR_SHORT);
	CU_ASSERT_FALSE(txt_next(&rd, &pair));
}

static void
the_first_of_two_equal_keys_counts_and_case_does_not(void)
{
	const uint8_t body[] = { 3, 'A', '=', '1', 3, 'a', '=', '2' };
	struct span value;

	CU_ASSERT_TRUE(txt_find(span_of(body, sizeof(body)), "a", &value));
	CU_ASSERT_TRUE(span_equal(value, span_str("1")));
	CU_ASSERT_FALSE(txt_find(span_of(body, sizeof(body)), "b", &value));
}

UNIT_MAIN("txt", UNIT(pairs_come_back_as_they_were_written),
    UNIT(a_pair_of_256_bytes_or_without_a_key_is_refused),
    UNIT(strings_without_a_key_are_stepped_over), UNIT(a_length_beyond_the_end_is_short),
    UNIT(the_first_of_two_equal_keys_counts_and_case_does_not))
