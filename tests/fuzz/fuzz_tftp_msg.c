/* SPDX-License-Identifier: MIT */
/* A TFTP packet that parses is written and read again the same; terms stay within their limits. */
#include "fuzz.h"

#include "services/tftp/tftp_msg.h"
#include "services/tftp/tftp_terms.h"

static void
terms_hold(const struct tftp_msg *m)
{
	static const struct tftp_limits limits = { .blksize_max = 1468, .windowsize_max = 64,
		.window_bytes_max = 65536 };
	struct tftp_terms t;
	uint8_t oack[TFTP_OACK_MAX];
	struct wire_wr wr = wire_wr_of(oack, sizeof(oack));
	struct tftp_msg back;

	if (tftp_terms_agree(&t, m, &limits) != OK)
		return;
	tftp_terms_set_size(&t, true, INT64_MAX);
	FUZZ_CHECK(t.blksize >= TFTP_BLKSIZE_MIN && t.blksize <= 1468);
	FUZZ_CHECK(t.windowsize >= 1 && t.windowsize <= 64);
	FUZZ_CHECK(tftp_terms_oack(&t, &wr) == OK);
	FUZZ_CHECK(tftp_msg_parse(&back, wire_wr_span(&wr)) == OK);
	FUZZ_CHECK(back.option_count == t.echo_count);
	for (size_t i = 0; i < back.option_count; i++) {
		bool asked = false;

		for (size_t j = 0; j < m->option_count; j++)
			asked |= span_equal(back.options[i].name, m->options[j].name);
		FUZZ_CHECK(asked);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[70000], second[70000];
	struct wire_wr wr = wire_wr_of(first, sizeof(first));
	struct wire_wr again = wire_wr_of(second, sizeof(second));
	struct tftp_msg m, back;

	if (size > UINT16_MAX || tftp_msg_parse(&m, span_of(data, size)) != OK)
		return 0;
	if (m.op == TFTP_RRQ || m.op == TFTP_WRQ) {
		terms_hold(&m);
		if (m.mode == TFTP_MODE_OTHER)
			return 0;
	}
	FUZZ_CHECK(tftp_msg_put(&wr, &m) == OK);
	FUZZ_CHECK(tftp_msg_parse(&back, wire_wr_span(&wr)) == OK);
	FUZZ_CHECK(tftp_msg_put(&again, &back) == OK);
	FUZZ_CHECK(span_equal(wire_wr_span(&wr), wire_wr_span(&again)));
	return 0;
}
