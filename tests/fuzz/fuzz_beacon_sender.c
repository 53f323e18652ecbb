/* SPDX-License-Identifier: MIT */
/*
 * The announcer's engine, asked by anybody who has the group key: a script of requests that are
 * sealed by the target itself, of words under its own identity, and of raw bytes. What it says is
 * signed, bounded, and goes by unicast only to who has asked. Each step of the input is: type,
 * time step, asker, length, body.
 */
#include "fuzz.h"

#include <string.h>

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_sender.h"

#define STEPS_MAX 64

static struct beacon_identity me;
static struct beacon_keyring ring;

struct world {
	struct beacon_sender *sender;
	struct beacon_leases leases;
	struct beacon_when now;
	struct addr from;
	uint8_t last[BEACON_TOKEN_BYTES];	/* cookie of the last challenge */
	unsigned asked, answered;		/* leases */
	uint64_t epoch;
};

static void
check_datagram(struct span dgram)
{
	static struct beacon_opened o;

	FUZZ_CHECK(dgram.len <= BEACON_DGRAM_MAX && beacon_hdr_parse(&o.hdr, dgram) == OK);
	FUZZ_CHECK(beacon_open(&o, dgram, &ring) == OK);
	if (!beacon_type_is_request(o.hdr.type))
		FUZZ_CHECK(o.hdr.sender == me.id && beacon_verify(&o, me.public) == OK);
}

static void
multicast(void *ctx, struct span dgram)
{
	(void)ctx;
	check_datagram(dgram);
}

static void
unicast(void *ctx, const struct addr *to, struct span dgram)
{
	static struct beacon_opened o;
	struct world *w = ctx;
	struct beacon_lease l;

	check_datagram(dgram);
	FUZZ_CHECK(beacon_hdr_parse(&o.hdr, dgram) == OK && beacon_open(&o, dgram, &ring) == OK);
	if (o.hdr.type == BEACON_LEASE) {
		FUZZ_CHECK(addr_equal(to, &w->from) && ++w->answered <= w->asked);
		FUZZ_CHECK(beacon_lease_parse(&l, beacon_opened_body(&o)) == OK);
		memcpy(w->last, l.cookie, sizeof(w->last));
	} else {
		FUZZ_CHECK(beacon_leases_holds(&w->leases, to, w->now.mono));
	}
}

static void
two_of_us(void *ctx, bool same_epoch)
{
	struct world *w = ctx;

	if (same_epoch)
		beacon_sender_restart(w->sender, &w->now, ++w->epoch);
}

/* A body that is right in its form, of the bytes there are. */
static size_t
well_formed(struct world *w, uint8_t type, struct wire_rd *rd, uint8_t body[static 256])
{
	struct wire_wr wr = wire_wr_of(body, 256);
	struct beacon_lease l = { .kind = (uint8_t)(wire_rd_u8(rd) % 6) };
	struct beacon_nack n = { .target = me.id, .epoch = w->epoch, .range_count = 1 };
	struct beacon_solicit s = { .target = me.id };

	switch (type) {
	case BEACON_LEASE:
		memcpy(l.cookie, w->last, sizeof(l.cookie));
		beacon_lease_put(&wr, &l);
		break;
	case BEACON_NACK:
		n.ranges[0].first = 1U + wire_rd_u8(rd);
		n.ranges[0].count = (uint16_t)(1 + wire_rd_u8(rd));
		beacon_nack_put(&wr, &n);
		break;
	default:
		s.token[0] = wire_rd_u8(rd);
		beacon_solicit_put(&wr, &s);
		break;
	}
	return wire_wr_len(&wr);
}

static void
hear(struct world *w, uint8_t kind, struct wire_rd *rd)
{
	uint8_t out[BEACON_DGRAM_MAX], made[256];
	struct beacon_hdr h = { .type = (uint8_t)(kind % 16), .frag_count = 1,
		.time_ms = (uint64_t)w->now.wall_ms };
	struct span body = wire_rd_bytes(rd, wire_rd_u8(rd));
	bool request = beacon_type_is_request(h.type);

	if (request && kind >= 128)
		body = span_of(made, well_formed(w, h.type, rd, made));
	h.seq = wire_rd_u8(rd) + UINT64_C(1);
	h.sender = request ? 7 : me.id;
	h.epoch = request ? 1 : w->epoch + kind / 64 - 1;
	w->asked += request;

	size_t len = beacon_seal(out, &h, body, &ring, request ? NULL : &me);

	(void)beacon_sender_input(w->sender, &w->now, span_of(out, len), &w->from, kind % 3 != 0);
}

static void
step(struct world *w, struct wire_rd *rd)
{
	uint8_t kind = wire_rd_u8(rd);
	struct span text;

	w->now.mono += (mono_us)wire_rd_u8(rd) * 20000;
	w->from.in.sin_port = htons((uint16_t)(1 + wire_rd_u8(rd) % 80));
	switch (kind % 16) {
	case 9:
		text = wire_rd_bytes(rd, wire_rd_u8(rd));
		(void)beacon_sender_input(w->sender, &w->now, text, &w->from, true);
		break;
	case 10:
		text = wire_rd_bytes(rd, wire_rd_u8(rd));
		(void)!beacon_sender_event(w->sender, &w->now, span_str("e"), 0, text, 5);
		break;
	case 11:
		text = wire_rd_bytes(rd, 1U + wire_rd_u8(rd) % 4);
		(void)!beacon_sender_publish(w->sender, &w->now, text, 0, span_str("\3a=b"), 0);
		break;
	case 12:
		(void)!beacon_sender_withdraw(w->sender, &w->now, wire_rd_bytes(rd, 1));
		break;
	default:
		hear(w, kind, rd);
		break;
	}
	FUZZ_CHECK(beacon_sender_wake(w->sender, &w->now) > w->now.mono);
	FUZZ_CHECK(w->leases.count <= w->leases.max);
}

static void
set_up(void)
{
	static const uint8_t seed[SEAL_SIGN_SEED_BYTES] = { 7 };
	static const uint8_t group[SEAL_KEY_BYTES] = { 3 };
	char text[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];

	if (me.secret != NULL)
		return;
	beacon_group_format(text, group);
	FUZZ_CHECK(seal_init() == OK && beacon_identity_from(&me, seed) == OK);
	FUZZ_CHECK(beacon_keyring_read(&ring, span_str(text), why) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct beacon_sender_ops ops = { .multicast = multicast, .unicast = unicast,
		.clone = two_of_us };
	struct world w = { .now = { .mono = seconds(100), .wall_ms = INT64_C(1800000000000) },
		.from = { .in = { .sin_family = AF_INET, .sin_addr = { htonl(0xc0000207) } } },
		.epoch = 5 };
	struct beacon_sender_opts o = { .ops = &ops, .ctx = &w, .ring = &ring, .me = &me,
		.epoch = w.epoch, .leases = &w.leases, .seed = 1, .now = w.now };
	struct wire_rd rd = wire_rd_of(span_of(data, size));

	set_up();
	beacon_leases_init(&w.leases, 3);
	FUZZ_CHECK(beacon_sender_new(&w.sender, &o) == OK);
	FUZZ_CHECK(beacon_sender_publish(w.sender, &w.now, span_str("t"), 0, span_str("\3a=b"),
	    0) == OK);
	for (unsigned i = 0; i < STEPS_MAX && wire_rd_left(&rd) != 0; i++)
		step(&w, &rd);
	beacon_sender_goodbye(w.sender, &w.now);
	beacon_sender_free(w.sender);
	return 0;
}
