/* SPDX-License-Identifier: MIT */
#include "services/announce/beacon_msg.h"

#include "support/unit.h"

static struct beacon_hdr
some_header(void)
{
	return (struct beacon_hdr){ .version = 1, .min_version = 1, .type = BEACON_EVENT,
		.flags = BEACON_SIGNED | BEACON_SEALED, .hdr_len = 80, .body_len = 90,
		.key_id = 0x01020304, .sender = 0x1112131415161718, .epoch = 1700000000000,
		.seq = 7, .time_ms = 1700000000007, .nonce = { 9, 8, 7 }, .lifetime_s = 60,
		.frag_index = 0, .frag_count = 1 };
}

/* Write h and a body of zeros; gives the whole. */
static struct span
dgram_of(uint8_t buf[static 2048], const struct beacon_hdr *h)
{
	struct wire_wr wr = wire_wr_of(buf, 2048);

	memset(buf, 0, 2048);
	beacon_hdr_put(&wr, h);
	wire_wr_take(&wr, h->hdr_len - (size_t)BEACON_HDR_BYTES);
	wire_wr_take(&wr, h->body_len);
	return wire_wr_span(&wr);
}

static enum err
parsed(const struct beacon_hdr *h)
{
	uint8_t buf[2048];
	struct beacon_hdr out;

	return beacon_hdr_parse(&out, dgram_of(buf, h));
}

static void
a_header_comes_back_as_it_was_written(void)
{
	uint8_t buf[2048];
	struct beacon_hdr h = some_header(), out;

	memset(&out, 0, sizeof(out));
	CU_ASSERT_EQUAL(beacon_hdr_parse(&out, dgram_of(buf, &h)), OK);
	CU_ASSERT_EQUAL(out.sender, h.sender);
	CU_ASSERT_EQUAL(out.epoch, h.epoch);
	CU_ASSERT_EQUAL(out.seq, h.seq);
	CU_ASSERT_EQUAL(out.time_ms, h.time_ms);
	CU_ASSERT_EQUAL(out.key_id, h.key_id);
	CU_ASSERT_EQUAL(out.lifetime_s, 60);
	CU_ASSERT_EQUAL(out.body_len, 90);
	CU_ASSERT_EQUAL(memcmp(out.nonce, h.nonce, sizeof(h.nonce)), 0);
}

static void
a_newer_writer_is_read_and_a_newer_minimum_is_not(void)
{
	struct beacon_hdr h = some_header();

	h.version = 9;
	CU_ASSERT_EQUAL(parsed(&h), OK);
	h.min_version = 2;
	CU_ASSERT_EQUAL(parsed(&h), ERR_UNSUPPORTED);
	h.min_version = 0;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h.version = 1;
	h.min_version = 2;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
}

static void
extensions_are_skipped_and_unknown_types_pass(void)
{
	struct beacon_hdr h = some_header();

	h.hdr_len = 96;
	h.type = 77;
	CU_ASSERT_EQUAL(parsed(&h), OK);
	h.hdr_len = 98;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
}

static void
lengths_must_agree_with_the_datagram(void)
{
	uint8_t buf[2048];
	struct beacon_hdr h = some_header(), out;
	struct span d = dgram_of(buf, &h);

	for (size_t cut = 0; cut < d.len; cut++)
		CU_ASSERT_EQUAL(beacon_hdr_parse(&out, span_of(buf, cut)), ERR_SHORT);
	CU_ASSERT_EQUAL(beacon_hdr_parse(&out, span_of(buf, d.len + 1)), ERR_TRAILING);
	h.body_len = 79;	/* no room for signature and tag */
	CU_ASSERT_EQUAL(parsed(&h), ERR_SHORT);
	buf[0] ^= 1;
	CU_ASSERT_EQUAL(beacon_hdr_parse(&out, d), ERR_FORMAT);
}

static void
fields_outside_their_rules_are_refused(void)
{
	struct beacon_hdr h = some_header();

	h.flags |= 16;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h = some_header();
	h.flags = BEACON_SEALED;	/* an event must be signed */
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h.type = BEACON_NACK;
	CU_ASSERT_EQUAL(parsed(&h), OK);
	h = some_header();
	h.key_id = 0;			/* sealed with which key? */
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h = some_header();
	h.seq = 0;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
}

static void
fragments_have_their_own_rules(void)
{
	struct beacon_hdr h = some_header();

	h.frag_count = 2;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h.flags |= BEACON_FRAG;
	CU_ASSERT_EQUAL(parsed(&h), OK);
	h.frag_index = 2;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h.frag_index = 1;
	h.seq = 1;			/* the first one would have number 0 */
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
	h.seq = 99;
	h.frag_count = 17;
	CU_ASSERT_EQUAL(parsed(&h), ERR_RANGE);
}

static void
items_come_back_and_bad_topics_do_not(void)
{
	uint8_t buf[256];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct beacon_item in = { .topic = span_str("door/front"), .ctype = 2, .rev = 5,
		.payload = span_str("abc") }, out;

	beacon_item_put(&wr, &in);
	CU_ASSERT_EQUAL(beacon_item_parse(&out, wire_wr_span(&wr)), OK);
	CU_ASSERT_TRUE(span_equal(out.topic, in.topic));
	CU_ASSERT_TRUE(span_equal(out.payload, in.payload));
	CU_ASSERT_EQUAL(out.rev, 5);
	buf[1] = ' ';
	CU_ASSERT_EQUAL(beacon_item_parse(&out, wire_wr_span(&wr)), ERR_RANGE);
	buf[0] = 0;
	CU_ASSERT_EQUAL(beacon_item_parse(&out, wire_wr_span(&wr)), ERR_RANGE);
	buf[0] = 200;
	CU_ASSERT_EQUAL(beacon_item_parse(&out, wire_wr_span(&wr)), ERR_SHORT);
}

static void
a_full_digest_fits_and_comes_back(void)
{
	static struct beacon_digest in, out;
	uint8_t buf[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(buf, BEACON_DGRAM_MAX - BEACON_HDR_BYTES - 64 - 16);

	memset(&in, 7, sizeof(in));
	in.page = 1;
	in.pages = 2;
	in.echo_count = BEACON_TOKENS_MAX;
	in.entry_count = BEACON_ENTRIES_MAX;
	in.entries[39].seq = 1234;
	in.echoes[7].base = 99;
	beacon_digest_put(&wr, &in);
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), OK);
	CU_ASSERT_EQUAL(beacon_digest_parse(&out, wire_wr_span(&wr)), OK);
	CU_ASSERT_EQUAL(out.entries[39].seq, 1234);
	CU_ASSERT_EQUAL(out.echoes[7].base, 99);
	buf[44] = 2;	/* page beyond pages */
	CU_ASSERT_EQUAL(beacon_digest_parse(&out, wire_wr_span(&wr)), ERR_RANGE);
	buf[44] = 0;
	buf[47] = 255;	/* more entries than allowed */
	CU_ASSERT_EQUAL(beacon_digest_parse(&out, wire_wr_span(&wr)), ERR_RANGE);
}

static void
a_full_nack_fits_and_comes_back(void)
{
	static struct beacon_nack in, out;
	uint8_t buf[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(buf, BEACON_DGRAM_MAX - BEACON_HDR_BYTES - 16);

	in.target = 1;
	in.range_count = BEACON_RANGES_MAX;
	in.pull_count = BEACON_PULLS_MAX;
	for (size_t i = 0; i < BEACON_RANGES_MAX; i++)
		in.ranges[i] = (struct beacon_range){ .first = i + 1, .count = 3 };
	in.pulls[47] = 5;
	beacon_nack_put(&wr, &in);
	CU_ASSERT_EQUAL(wire_wr_finish(&wr), OK);
	CU_ASSERT_EQUAL(beacon_nack_parse(&out, wire_wr_span(&wr)), OK);
	CU_ASSERT_EQUAL(out.ranges[31].first, 32);
	CU_ASSERT_EQUAL(out.pulls[47], 5);
	in.ranges[3].first = UINT64_MAX;	/* would wrap */
	wr = wire_wr_of(buf, sizeof(buf));
	beacon_nack_put(&wr, &in);
	CU_ASSERT_EQUAL(beacon_nack_parse(&out, wire_wr_span(&wr)), ERR_RANGE);
}

static void
all_kinds_of_lease_have_one_length(void)
{
	uint8_t buf[64];
	struct beacon_lease out;

	for (uint8_t kind = 0; kind < 7; kind++) {
		struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
		struct beacon_lease in = { .kind = kind, .seconds = 120, .target = 3 };

		beacon_lease_put(&wr, &in);
		CU_ASSERT_EQUAL(wire_wr_len(&wr), 32);
		CU_ASSERT_EQUAL(beacon_lease_parse(&out, wire_wr_span(&wr)),
		    kind >= 1 && kind <= 5 ? OK : ERR_RANGE);
		CU_ASSERT_EQUAL(out.seconds, 120);
	}
}

static void
later_versions_may_add_bytes_behind_a_fixed_body(void)
{
	uint8_t buf[128] = { 0 };
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct beacon_solicit in = { .target = 4 }, out;

	beacon_solicit_put(&wr, &in);
	CU_ASSERT_EQUAL(beacon_solicit_parse(&out, span_of(buf, wire_wr_len(&wr) + 9)), OK);
	CU_ASSERT_EQUAL(out.target, 4);
	CU_ASSERT_EQUAL(beacon_solicit_parse(&out, span_of(buf, wire_wr_len(&wr) - 1)), ERR_SHORT);
}

UNIT_MAIN("beacon_msg", UNIT(a_header_comes_back_as_it_was_written),
    UNIT(a_newer_writer_is_read_and_a_newer_minimum_is_not),
    UNIT(extensions_are_skipped_and_unknown_types_pass),
    UNIT(lengths_must_agree_with_the_datagram), UNIT(fields_outside_their_rules_are_refused),
    UNIT(fragments_have_their_own_rules), UNIT(items_come_back_and_bad_topics_do_not),
    UNIT(a_full_digest_fits_and_comes_back), UNIT(a_full_nack_fits_and_comes_back),
    UNIT(all_kinds_of_lease_have_one_length),
    UNIT(later_versions_may_add_bytes_behind_a_fixed_body))
