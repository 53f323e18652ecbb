/* SPDX-License-Identifier: MIT */
#include "util/wire.h"

#include "support/unit.h"

static void
integers_are_big_endian_both_ways(void)
{
	uint8_t buf[15];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	wire_wr_u8(&wr, 0x01);
	wire_wr_u16(&wr, 0x0203);
	wire_wr_u32(&wr, 0x04050607);
	wire_wr_u64(&wr, UINT64_C(0x08090a0b0c0d0e0f));
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), OK);
	for (size_t i = 0; i < sizeof(buf); i++)
		CU_ASSERT_EQUAL(buf[i], i + 1);

	struct wire_rd rd = wire_rd_of(wire_wr_span(&wr));

	CU_ASSERT_EQUAL(wire_rd_u8(&rd), 0x01);
	CU_ASSERT_EQUAL(wire_rd_u16(&rd), 0x0203);
	CU_ASSERT_EQUAL(wire_rd_u32(&rd), 0x04050607);
	CU_ASSERT_EQUAL(wire_rd_u64(&rd), UINT64_C(0x08090a0b0c0d0e0f));
	CU_ASSERT_EQUAL(wire_rd_finish(&rd), OK);
}

static void
a_read_past_the_end_yields_zero_and_stays_bad(void)
{
	const uint8_t bytes[] = { 0xff, 0xff, 0xff };
	struct wire_rd rd = wire_rd_of(span_of(bytes, sizeof(bytes)));

	CU_ASSERT_EQUAL(wire_rd_u32(&rd), 0);
	CU_ASSERT_TRUE(rd.bad);
	CU_ASSERT_EQUAL(wire_rd_u8(&rd), 0);	/* three bytes are left, yet nothing is read */
	CU_ASSERT_EQUAL(wire_rd_rest(&rd).len, 0);
	CU_ASSERT_EQUAL(wire_rd_finish(&rd), ERR_SHORT);
}

static void
a_length_near_size_max_does_not_wrap(void)
{
	uint8_t bytes[4] = { 0 };
	struct wire_rd rd = wire_rd_of(span_of(bytes, sizeof(bytes)));
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));

	wire_rd_skip(&rd, 1);
	CU_ASSERT_PTR_NULL(wire_rd_take(&rd, SIZE_MAX));
	wire_wr_u8(&wr, 1);
	CU_ASSERT_PTR_NULL(wire_wr_take(&wr, SIZE_MAX));
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), ERR_FULL);
}

static void
a_string_needs_its_zero(void)
{
	struct wire_rd rd = wire_rd_of(span_of("octet\0blk", 9));
	struct span mode = wire_rd_cstr(&rd);

	CU_ASSERT_TRUE(span_equal(mode, span_str("octet")));
	CU_ASSERT_EQUAL(wire_rd_offset(&rd), 6);
	CU_ASSERT_EQUAL(wire_rd_cstr(&rd).len, 0);
	CU_ASSERT_TRUE(rd.bad);
}

static void
trailing_bytes_are_reported(void)
{
	struct wire_rd rd = wire_rd_of(span_of("ab", 2));

	wire_rd_skip(&rd, 1);
	CU_ASSERT_EQUAL(wire_rd_finish(&rd), ERR_TRAILING);
}

static void
an_empty_input_is_short_and_harmless(void)
{
	struct wire_rd rd = wire_rd_of(span_of(NULL, 0));

	CU_ASSERT_EQUAL(wire_rd_finish(&rd), OK);
	CU_ASSERT_EQUAL(wire_rd_cstr(&rd).len, 0);
	CU_ASSERT_EQUAL(wire_rd_finish(&rd), ERR_SHORT);
}

static void
a_write_past_the_end_writes_nothing(void)
{
	uint8_t buf[3] = { 7, 7, 7 };
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	wire_wr_u32(&wr, 0);
	wire_wr_u8(&wr, 0);
	CU_ASSERT_EQUAL(wire_wr_len(&wr), 0);
	CU_ASSERT_EQUAL(buf[0], 7);
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), ERR_FULL);
}

UNIT_MAIN("wire", UNIT(integers_are_big_endian_both_ways),
    UNIT(a_read_past_the_end_yields_zero_and_stays_bad),
    UNIT(a_length_near_size_max_does_not_wrap), UNIT(a_string_needs_its_zero),
    UNIT(trailing_bytes_are_reported), UNIT(an_empty_input_is_short_and_harmless),
    UNIT(a_write_past_the_end_writes_nothing))
