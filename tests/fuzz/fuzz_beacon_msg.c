/* SPDX-License-Identifier: MIT */
/* Beacon datagrams and bodies: what is accepted is written back as it was read. */
#include "fuzz.h"

#include <string.h>

#include "services/announce/beacon_crypt.h"
#include "services/announce/txt.h"

static uint8_t out[65536];

static struct wire_wr
room(void)
{
	return wire_wr_of(out, sizeof(out));
}

/* What a put function wrote must be the start of what was parsed; later bytes are skipped. */
static void
same_start(const struct wire_wr *wr, struct span in)
{
	struct span written = wire_wr_span(wr);

	FUZZ_CHECK(wire_wr_finish(wr) == OK && written.len <= in.len);
	FUZZ_CHECK(memcmp(written.at, in.at, written.len) == 0);
}

static void
texts(struct span body)
{
	struct wire_rd rd = wire_rd_of(body);
	struct txt_pair pair;
	size_t pairs = 0;

	while (txt_next(&rd, &pair)) {
		struct wire_wr wr = room();

		FUZZ_CHECK(txt_put(&wr, &pair) == OK);
		FUZZ_CHECK(++pairs <= body.len);
	}
	if (txt_check(body) == OK)
		FUZZ_CHECK(!rd.bad);
}

static void
items(struct span body)
{
	struct beacon_item item;
	struct wire_wr wr = room();

	if (beacon_item_parse(&item, body) != OK)
		return;
	FUZZ_CHECK(beacon_topic_ok(item.topic));
	beacon_item_put(&wr, &item);
	FUZZ_CHECK(span_equal(wire_wr_span(&wr), body));
	texts(item.payload);
}

static void
fixed_bodies(struct span body)
{
	static struct beacon_digest digest;
	static struct beacon_nack nack;
	struct beacon_solicit solicit;
	struct beacon_keyroll roll;
	struct beacon_lease lease;
	struct wire_wr wr = room();

	if (beacon_digest_parse(&digest, body) == OK) {
		beacon_digest_put(&wr, &digest);
		same_start(&wr, body);
	}
	wr = room();
	if (beacon_nack_parse(&nack, body) == OK) {
		beacon_nack_put(&wr, &nack);
		same_start(&wr, body);
	}
	wr = room();
	if (beacon_solicit_parse(&solicit, body) == OK) {
		beacon_solicit_put(&wr, &solicit);
		same_start(&wr, body);
	}
	wr = room();
	if (beacon_keyroll_parse(&roll, body) == OK) {
		beacon_keyroll_put(&wr, &roll);
		same_start(&wr, body);
	}
	if (beacon_lease_parse(&lease, body) == OK)
		FUZZ_CHECK(lease.kind >= BEACON_LEASE_ASK && lease.kind <= BEACON_LEASE_END);
}

static void
datagrams(struct span in)
{
	static const struct beacon_keyring none;
	static struct beacon_opened o;

	if (beacon_hdr_parse(&o.hdr, in) != OK)
		return;
	FUZZ_CHECK((size_t)o.hdr.hdr_len + o.hdr.body_len == in.len);
	FUZZ_CHECK(o.hdr.frag_index < o.hdr.frag_count);
	if ((o.hdr.flags & BEACON_SEALED) != 0 || beacon_open(&o, in, &none) != OK)
		return;
	items(beacon_opened_body(&o));
	fixed_bodies(beacon_opened_body(&o));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	datagrams(in);
	items(in);
	fixed_bodies(in);
	texts(in);
	return 0;
}
