/* SPDX-License-Identifier: MIT */
/* The TFTP codec, the terms, block numbers and netascii. */
#include "services/tftp/tftp_msg.h"

#include "services/tftp/tftp_block.h"
#include "services/tftp/tftp_netascii.h"
#include "services/tftp/tftp_terms.h"
#include "support/unit.h"

#define BYTES(text) span_of(text, sizeof(text) - 1)

static bool
is(struct span s, const char *text)
{
	return span_equal(s, span_str(text));
}

static void
a_request_is_read_with_its_options(void)
{
	struct tftp_msg m;

	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1boot/x\0OcTeT\0blkSize\0"
						 "1468\0tsize\0"
						 "0\0")),
			OK);
	CU_ASSERT_EQUAL(m.op, TFTP_RRQ);
	CU_ASSERT(is(m.file, "boot/x"));
	CU_ASSERT_EQUAL(m.mode, TFTP_OCTET);
	CU_ASSERT_EQUAL(m.option_count, 2);
	CU_ASSERT(is(m.options[0].name, "blkSize") && is(m.options[0].value, "1468"));
	CU_ASSERT(is(m.options[1].name, "tsize") && is(m.options[1].value, "0"));
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\2x\0netASCII\0")), OK);
	CU_ASSERT_EQUAL(m.op, TFTP_WRQ);
	CU_ASSERT_EQUAL(m.mode, TFTP_NETASCII);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1x\0mail\0")), OK);
	CU_ASSERT_EQUAL(m.mode, TFTP_MODE_OTHER);
}

static void
a_torn_option_is_left_out(void)
{
	struct tftp_msg m;

	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1x\0octet\0tsize\0"
						 "0\0blksize\0"
						 "1024")),
			OK);
	CU_ASSERT_EQUAL(m.option_count, 1);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1x\0octet\0tsize")), OK);
	CU_ASSERT_EQUAL(m.option_count, 0);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1x\0octet\0tsize\0" "0\0\0\0\0\0")), OK);
	CU_ASSERT_EQUAL(m.option_count, 1);
}

static void
a_broken_packet_is_refused(void)
{
	struct tftp_msg m;

	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1name")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1name\0octet")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\1\0octet\0")), ERR_FORMAT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\7x")), ERR_FORMAT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\3\0")), ERR_SHORT);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\4\0\1x")), ERR_TRAILING);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\5\0")), ERR_SHORT);
}

static void
data_acks_and_errors_are_read(void)
{
	struct tftp_msg m;

	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\3\1\2abc")), OK);
	CU_ASSERT(m.op == TFTP_DATA && m.block.v == 0x102 && is(m.data, "abc"));
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\3\1\2")), OK);
	CU_ASSERT_EQUAL(m.data.len, 0);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\4\xff\xff")), OK);
	CU_ASSERT(m.op == TFTP_ACK && m.block.v == 65535);
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\5\0\10no\0rest")), OK);
	CU_ASSERT(m.op == TFTP_ERROR && m.code == 8 && is(m.text, "no"));
	CU_ASSERT_EQUAL(tftp_msg_parse(&m, BYTES("\0\5\0\1bare")), OK);
	CU_ASSERT(is(m.text, "bare"));
}

static void
what_is_written_reads_the_same(void)
{
	static const enum tftp_op ops[] = { TFTP_RRQ, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR,
		TFTP_OACK };
	struct tftp_msg in = { .block = { 77 }, .data = span_str("bytes"), .code = 3,
		.text = span_str("full"), .file = span_str("a/b"), .mode = TFTP_NETASCII,
		.options = { { span_str("TSize"), span_str("9") } }, .option_count = 1 };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		uint8_t buf[128], again[128];
		struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
		struct wire_wr wr2 = wire_wr_of(again, sizeof(again));
		struct tftp_msg out;

		in.op = ops[i];
		CU_ASSERT_EQUAL(tftp_msg_put(&wr, &in), OK);
		CU_ASSERT_EQUAL(tftp_msg_parse(&out, wire_wr_span(&wr)), OK);
		CU_ASSERT_EQUAL(tftp_msg_put(&wr2, &out), OK);
		CU_ASSERT(span_equal(wire_wr_span(&wr), wire_wr_span(&wr2)));
		for (size_t cap = 0; cap < wire_wr_len(&wr); cap++) {
			struct wire_wr tight = wire_wr_of(again, cap);

			CU_ASSERT_EQUAL(tftp_msg_put(&tight, &in), ERR_FULL);
		}
	}
}

static enum err
agree(struct tftp_terms *t, struct span request, size_t *oack_len, uint8_t oack[TFTP_OACK_MAX])
{
	static const struct tftp_limits limits = { .blksize_max = 1468, .windowsize_max = 64,
		.window_bytes_max = 65536 };
	struct tftp_msg m;
	struct wire_wr wr = wire_wr_of(oack, TFTP_OACK_MAX);

	CU_ASSERT_EQUAL_FATAL(tftp_msg_parse(&m, request), OK);

	enum err e = tftp_terms_agree(t, &m, &limits);

	CU_ASSERT_EQUAL(tftp_terms_oack(t, &wr), OK);
	*oack_len = wire_wr_len(&wr);
	return e;
}

static void
the_oack_keeps_the_clients_letters_and_order(void)
{
	struct tftp_terms t;
	uint8_t oack[TFTP_OACK_MAX];
	size_t len;

	CU_ASSERT_EQUAL(agree(&t, BYTES("\0\1x\0octet\0tSize\0" "0\0BLKSIZE\0" "9000\0xyz\0" "1\0"
	    "timeout\0" "5\0windowsize\0" "200\0blksize\0" "8\0"), &len, oack), OK);
	CU_ASSERT_EQUAL(t.blksize, 1468);
	CU_ASSERT_EQUAL(t.windowsize, 44);	/* 65536 / 1468 */
	CU_ASSERT_EQUAL(t.timeout, seconds(5));
	tftp_terms_set_size(&t, true, UINT64_C(5000000000));

	struct wire_wr wr = wire_wr_of(oack, sizeof(oack));

	CU_ASSERT_EQUAL(tftp_terms_oack(&t, &wr), OK);
	CU_ASSERT(span_equal(wire_wr_span(&wr), BYTES("\0\6tSize\0" "5000000000\0BLKSIZE\0" "1468\0"
	    "timeout\0" "5\0windowsize\0" "44\0")));
	tftp_terms_set_size(&t, true, 0);
	wr = wire_wr_of(oack, sizeof(oack));
	CU_ASSERT_EQUAL(tftp_terms_oack(&t, &wr), OK);
	CU_ASSERT(span_equal(wire_wr_span(&wr),
	    BYTES("\0\6BLKSIZE\0" "1468\0timeout\0" "5\0windowsize\0" "44\0")));
}

static void
values_outside_the_rfcs_are_refused(void)
{
	const struct span bad[] = {BYTES("\0\1x\0octet\0blksize\0"
					 "7\0"),
				   BYTES("\0\1x\0octet\0blksize\0"
					 "0\0"),
				   BYTES("\0\1x\0octet\0blksize\0"
					 "65465\0"),
				   BYTES("\0\1x\0octet\0timeout\0"
					 "0\0"),
				   BYTES("\0\1x\0octet\0timeout\0"
					 "256\0"),
				   BYTES("\0\1x\0octet\0windowsize\0"
					 "0\0"),
				   BYTES("\0\1x\0octet\0windowsize\0"
					 "65536\0"),
				   BYTES("\0\1x\0octet\0blksize\0"
					 "99999999999999999999999\0"),
				   BYTES("\0\1x\0octet\0rollover\0"
					 "2\0")};
	struct tftp_terms t;
	uint8_t oack[TFTP_OACK_MAX];
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(agree(&t, bad[i], &len, oack), ERR_RANGE);
	CU_ASSERT_EQUAL(agree(&t,
			      BYTES("\0\1x\0octet\0blksize\0"
				    "1000abc\0tsize\0\0"),
			      &len, oack),
			OK);
	CU_ASSERT_FALSE(tftp_terms_has_oack(&t));
	CU_ASSERT_EQUAL(t.blksize, 512);
}

static void
block_numbers_expand_on_both_sides_of_every_edge(void)
{
	static const uint64_t edges[] = {1,	32767,	32768,	65534,	65535,	65536,
					 98303, 131070, 131071, 131072, 196605, UINT64_C(1) << 33};

	for (int roll = 0; roll < 2; roll++) {
		for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
			for (int64_t off = -70; off <= 70; off++) {
				uint64_t ref = edges[i];
				uint64_t block = ref + (uint64_t)off;

				if (off < 0 && ref < (uint64_t)-off)
					continue;
				if (block == 0)
					continue;
				CU_ASSERT_EQUAL(tftp_block_expand(ref,
				    tftp_block_wire(block, (enum tftp_rollover)roll),
				    (enum tftp_rollover)roll), block);
			}
		}
	}
	CU_ASSERT_EQUAL(tftp_block_wire(65536, TFTP_ROLL_TO_0).v, 0);
	CU_ASSERT_EQUAL(tftp_block_wire(65536, TFTP_ROLL_TO_1).v, 1);
	CU_ASSERT_EQUAL(tftp_block_wire(65535, TFTP_ROLL_TO_1).v, 65535);
}

/* Encode cut into pieces of every size, decode cut into pieces of every size. */
static void
netascii_survives_any_cut(void)
{
	static const char text[] = "one\ntwo\r\nthree\rfour\r";
	static const char wire[] = "one\r\ntwo\r\0\r\nthree\r\0four\r\0";

	for (size_t cut = 1; cut < sizeof(wire); cut++) {
		struct tftp_netascii enc = { 0 }, dec = { 0 };
		struct span in = span_of(text, sizeof(text) - 1);
		uint8_t out[64], back[64];
		size_t n = 0, m = 0;

		for (;;) {
			size_t got = tftp_netascii_encode(&enc, &in, out + n, cut);

			n += got;
			if (got < cut)
				break;
		}
		CU_ASSERT_EQUAL(n, sizeof(wire) - 1);
		CU_ASSERT(memcmp(out, wire, sizeof(wire) - 1) == 0);
		for (size_t at = 0; at < n; at += cut)
			m += tftp_netascii_decode(
			    &dec, span_of(out + at, n - at < cut ? n - at : cut), back + m);
		m += tftp_netascii_decode_end(&dec, back + m);
		CU_ASSERT_EQUAL(m, sizeof(text) - 1);
		CU_ASSERT(memcmp(back, text, sizeof(text) - 1) == 0);
	}
}

static void
a_lone_cr_at_the_end_is_kept(void)
{
	struct tftp_netascii dec = { 0 };
	uint8_t out[4];
	size_t n = tftp_netascii_decode(&dec, span_str("a\r"), out);

	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_EQUAL(tftp_netascii_decode_end(&dec, out + n), 1);
	CU_ASSERT_EQUAL(out[1], '\r');
	CU_ASSERT_EQUAL(tftp_netascii_decode_end(&dec, out), 0);
}

UNIT_MAIN("tftp_msg", UNIT(a_request_is_read_with_its_options), UNIT(a_torn_option_is_left_out),
    UNIT(a_broken_packet_is_refused), UNIT(data_acks_and_errors_are_read),
    UNIT(what_is_written_reads_the_same), UNIT(the_oack_keeps_the_clients_letters_and_order),
    UNIT(values_outside_the_rfcs_are_refused),
    UNIT(block_numbers_expand_on_both_sides_of_every_edge), UNIT(netascii_survives_any_cut),
    UNIT(a_lone_cr_at_the_end_is_kept))
