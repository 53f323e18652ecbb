/* SPDX-License-Identifier: MIT */
#include "util/siphash.h"

#include "support/unit.h"

/*
 * Bytes 0, 1, 2 … under two keys: all zero, and the one that CPython makes of PYTHONHASHSEED=1.
 * Its hash() of bytes is SipHash-1-3 as well, and gave these numbers.
 */
static const uint8_t zero_key[SIPHASH_KEY_BYTES];
static const uint8_t other_key[SIPHASH_KEY_BYTES] = {
	0x29, 0x23, 0xbe, 0x84, 0xe1, 0x6c, 0xd6, 0xae, 0x52, 0x90, 0x49, 0xf1, 0xf1, 0xbb, 0xe9,
	    0xeb,
};

static const struct {
	size_t len;
	uint64_t zero, other;
} vectors[] = {
	{ 1, UINT64_C(0x68a914128e01e473), UINT64_C(0xecd3e5afcecda4b9) },
	{ 7, UINT64_C(0x2f098ab0c751325a), UINT64_C(0xfd15e78052a69ddf) },
	{ 8, UINT64_C(0xead411e67ebe2eea), UINT64_C(0xc0b5739e7e28dd01) },
	{ 9, UINT64_C(0x75927f9d95124362), UINT64_C(0x208a1a5a0cbbf778) },
	{ 15, UINT64_C(0xf30eb725bb91c9ea), UINT64_C(0xfa87985f39e97a53) },
	{ 16, UINT64_C(0x8972188433a5c5b7), UINT64_C(0x12e9d283f9f37002) },
	{ 17, UINT64_C(0x4883c49a2c009c1d), UINT64_C(0x9f5bb4237f61907f) },
	{ 40, UINT64_C(0x95bc321ab41d8206), UINT64_C(0xdb056b8b4f38310b) },
};

static void
another_implementation_agrees(void)
{
	uint8_t bytes[40];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct span data = span_of(bytes, vectors[i].len);

		CU_ASSERT_EQUAL(siphash_of(data, zero_key), vectors[i].zero);
		CU_ASSERT_EQUAL(siphash_of(data, other_key), vectors[i].other);
	}
}

static void
the_state_goes_on_after_an_end(void)
{
	static const uint8_t bytes[] = "sixteen bytes!!!";
	struct siphash s = siphash_begin(other_key);

	siphash_word(&s, siphash_load(bytes));
	CU_ASSERT_EQUAL(siphash_end(s, 0, 8), siphash_of(span_of(bytes, 8), other_key));
	siphash_word(&s, siphash_load(bytes + 8));
	CU_ASSERT_EQUAL(siphash_end(s, 0, 16), siphash_of(span_of(bytes, 16), other_key));
}

static void
the_bytes_behind_the_last_word_count_each_in_its_place(void)
{
	static const uint8_t bytes[] = { 0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97 };

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint64_t last = 0;

		for (size_t i = 0; i < len; i++)
			last |= (uint64_t)bytes[i] << (8 * i);
		CU_ASSERT_EQUAL(siphash_tail(bytes, len), last);
	}
}

UNIT_MAIN("siphash", UNIT(another_implementation_agrees),
    UNIT(the_bytes_behind_the_last_word_count_each_in_its_place),
    UNIT(the_state_goes_on_after_an_end))
