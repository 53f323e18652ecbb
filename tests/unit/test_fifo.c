/* SPDX-License-Identifier: MIT */
#include "util/fifo.h"

#include "support/unit.h"

#include <stdlib.h>

static void
an_empty_queue_has_no_memory(void)
{
	struct fifo f = { 0 };

	CU_ASSERT_EQUAL(fifo_len(&f), 0);
	CU_ASSERT_EQUAL(fifo_span(&f).len, 0);
	CU_ASSERT_EQUAL(fifo_append(&f, span_of(NULL, 0)), OK);
	CU_ASSERT_PTR_NULL(f.at);
	CU_ASSERT_EQUAL(fifo_append(&f, SPAN("abc")), OK);
	CU_ASSERT_PTR_NOT_NULL(f.at);
	fifo_consume(&f, 3);
	CU_ASSERT_PTR_NULL(f.at);
	fifo_fini(&f);
}

static void
bytes_come_out_as_they_went_in(void)
{
	enum { TOTAL = 200000 };
	struct fifo f = { 0 };
	uint64_t rnd = unit_seed(11);
	size_t in = 0, out = 0, longest = 0;

	while (out < TOTAL) {
		uint8_t block[700];
		size_t n = unit_random(&rnd) % sizeof(block);

		for (size_t i = 0; i < n; i++)
			block[i] = (uint8_t)((in + i) * 31 >> 3);
		CU_ASSERT_EQUAL_FATAL(fifo_append(&f, span_of(block, n)), OK);
		in += n;

		struct span all = fifo_span(&f);

		CU_ASSERT_EQUAL_FATAL(all.len, in - out);
		for (size_t i = 0; i < all.len; i++)
			if (all.at[i] != (uint8_t)((out + i) * 31 >> 3))
				CU_FAIL_FATAL("a byte has changed");
		if (all.len > longest)
			longest = all.len;
		n = unit_random(&rnd) % (all.len + 1);
		fifo_consume(&f, n);
		out += n;
		CU_ASSERT_TRUE(f.cap <= 8 * (longest + 256));
	}
	fifo_fini(&f);
	CU_ASSERT_EQUAL(f.cap, 0);
}

static void
a_length_beyond_memory_changes_nothing(void)
{
	struct fifo f = { 0 };

	CU_ASSERT_EQUAL(fifo_append(&f, SPAN("kept")), OK);
	CU_ASSERT_EQUAL(fifo_append(&f, span_of("x", SIZE_MAX / 2)), ERR_NOMEM);
	CU_ASSERT_TRUE(span_equal(fifo_span(&f), SPAN("kept")));
	fifo_fini(&f);
}

UNIT_MAIN("fifo", UNIT(an_empty_queue_has_no_memory), UNIT(bytes_come_out_as_they_went_in),
    UNIT(a_length_beyond_memory_changes_nothing))
