/* SPDX-License-Identifier: MIT */
/*
 * The subscriber's engine in a public group: a script of datagrams that are signed by the target
 * itself, so that what lies behind the signature is reached. Each step of the input is: type,
 * flags, seq step, time step, length, body.
 */
#include "fuzz.h"

#include <string.h>

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_receiver.h"

static struct beacon_identity me;
static struct beacon_keyring none;

static void
deliver(void *ctx, const struct beacon_delivery *d)
{
	(void)ctx;
	FUZZ_CHECK(d->payload.len <= BEACON_MESSAGE_MAX);
	FUZZ_CHECK(d->topic.len == 0 || beacon_topic_ok(d->topic));
}

static struct beacon_solicit last_solicit;

static void
send_request(void *ctx, struct span dgram)
{
	static struct beacon_opened o;

	(void)ctx;
	FUZZ_CHECK(dgram.len <= BEACON_DGRAM_MAX && beacon_hdr_parse(&o.hdr, dgram) == OK);
	FUZZ_CHECK(beacon_open(&o, dgram, &none) == OK);
	if (o.hdr.type == BEACON_SOLICIT)
		FUZZ_CHECK(beacon_solicit_parse(&last_solicit, beacon_opened_body(&o)) == OK);
}

/* A digest that proves the sender to be alive. */
static size_t
proof(uint8_t body[static 256], uint64_t seq)
{
	static struct beacon_digest d;
	struct wire_wr wr = wire_wr_of(body, 256);

	memcpy(d.key, me.public, sizeof(d.key));
	d.pages = 1;
	d.echo_count = 1;
	memcpy(d.echoes[0].token, last_solicit.token, BEACON_TOKEN_BYTES);
	d.echoes[0].base = seq - 1;
	beacon_digest_put(&wr, &d);
	return wire_wr_len(&wr);
}

static void
step(struct beacon_receiver *r, struct wire_rd *rd, struct beacon_hdr *h, struct beacon_when *now)
{
	static const struct addr from = { .in = { .sin_family = AF_INET } };
	uint8_t out[BEACON_DGRAM_MAX], digest[256];
	uint8_t kind = wire_rd_u8(rd), frag = wire_rd_u8(rd);
	struct span body;

	h->type = (uint8_t)(kind % 9);
	h->frag_count = (uint8_t)(frag % 4 + 1);
	h->frag_index = (uint8_t)(frag / 4 % h->frag_count);
	h->seq += wire_rd_u8(rd) % 70 - 10U;
	h->epoch = 1 + kind / 128;
	now->mono += (mono_us)wire_rd_u8(rd) * 20000;
	h->lifetime_s = wire_rd_u8(rd);
	body = wire_rd_bytes(rd, wire_rd_u8(rd));
	if (rd->bad || h->seq == 0 || h->seq > UINT64_MAX / 2)
		h->seq = 1;
	if (h->type == 0) {
		h->type = BEACON_DIGEST;
		h->frag_index = 0;
		h->frag_count = 1;
		body = span_of(digest, proof(digest, h->seq));
	}
	h->flags = 0;
	h->time_ms = (uint64_t)now->wall_ms;

	size_t len = beacon_seal(out, h, body, &none, beacon_type_is_request(h->type) ? NULL : &me);

	(void)beacon_receiver_input(r, now, span_of(out, len), &from);
	(void)beacon_receiver_wake(r, now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct beacon_receiver_ops ops = { .deliver = deliver, .send = send_request };
	static const uint8_t seed[SEAL_SIGN_SEED_BYTES] = { 7 };
	static struct beacon_trust trust;
	struct beacon_receiver_opts o = { .ops = &ops, .ring = &none, .trust = &trust, .seed = 1,
		.now = { .mono = seconds(100), .wall_ms = INT64_C(1800000000000) } };
	struct beacon_when now = o.now;
	struct beacon_hdr h = { 0 };
	struct beacon_receiver *r;
	struct wire_rd rd = wire_rd_of(span_of(data, size));

	if (me.secret == NULL) {
		FUZZ_CHECK(seal_init() == OK && beacon_identity_from(&me, seed) == OK);
		FUZZ_CHECK(beacon_trust_add(&trust, "me", me.public, "*", BEACON_FROM_FILE) == OK);
	}
	h.sender = me.id;
	h.seq = 20;
	FUZZ_CHECK(beacon_receiver_new(&r, &o) == OK);
	(void)beacon_receiver_wake(r, &now);
	for (unsigned i = 0; i < 64 && wire_rd_left(&rd) != 0; i++)
		step(r, &rd, &h, &now);
	beacon_receiver_free(r);
	return 0;
}
