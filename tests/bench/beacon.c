/* SPDX-License-Identifier: MIT */
/*
 * What the beacon protocol costs above the cryptography that it needs, as ratios of times taken in
 * the same round: opening and verifying an event, refusing a forgery; and what it keeps in memory.
 *
 *	beacon [ROUNDS]
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_receiver_priv.h"
#include "services/announce/beacon_sender.h"

#define EVENTS 400		/* per round; as many as one source may burst */
#define FORGERIES 20000
#define PAYLOAD 200		/* bytes */

struct event {
	size_t len;
	uint8_t bytes[BEACON_DGRAM_MAX];
};

static struct beacon_identity me;
static struct beacon_keyring ring;
static struct beacon_trust trust;
static struct event events[EVENTS + 1];
static unsigned delivered;

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
deliver(void *ctx, const struct beacon_delivery *d)
{
	(void)ctx;
	delivered += d->news == BEACON_NEWS_EVENT;
}

static void
quiet(void *ctx, struct span dgram)
{
	(void)ctx;
	(void)dgram;
}

static struct beacon_receiver *
new_receiver(void)
{
	static const struct beacon_receiver_ops ops = { .deliver = deliver, .send = quiet };
	struct beacon_receiver_opts o = { .ops = &ops, .ring = &ring, .trust = &trust, .seed = 1,
		.now = { .mono = seconds(10), .wall_ms = 1 } };
	struct beacon_receiver *r;

	if (beacon_receiver_new(&r, &o) != OK)
		exit(1);
	/* As if it had proven itself. */
	r->peers[0].slots[0] = (struct beacon_slot){ .epoch = 1, .state = BEACON_SLOT_LIVE,
		.heard_at = seconds(10) };
	return r;
}

static void
make_events(void)
{
	static uint8_t payload[PAYLOAD];
	struct beacon_item item = { .topic = span_str("bench/event"), .ctype = 1,
		.payload = span_of(payload, sizeof(payload)) };

	for (size_t i = 0; i < EVENTS + 1; i++) {
		uint8_t body[512];
		struct wire_wr wr = wire_wr_of(body, sizeof(body));
		struct beacon_hdr h = { .type = BEACON_EVENT, .sender = me.id, .epoch = 1,
			.seq = i + 1, .lifetime_s = 60, .frag_count = 1 };

		beacon_item_put(&wr, &item);
		events[i].len = beacon_seal(events[i].bytes, &h, wire_wr_span(&wr), &ring, &me);
	}
}

/* The bare calls on the same bytes. */
static double
bare_open_verify(void)
{
	static uint8_t run[8 + BEACON_DGRAM_MAX] = "LAN!sig1";
	double began = now_us();

	for (size_t i = 0; i < EVENTS; i++) {
		const struct event *e = &events[i];
		unsigned long long plain;

		memcpy(run + 8, e->bytes, BEACON_HDR_BYTES);
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(run + 8 + BEACON_HDR_BYTES, &plain,
		    NULL, e->bytes + BEACON_HDR_BYTES, e->len - BEACON_HDR_BYTES, e->bytes,
		    BEACON_HDR_BYTES, e->bytes + 48, ring.keys[0].key) != 0)
			exit(1);

		size_t len = 8 + BEACON_HDR_BYTES + (size_t)plain - 64;

		if (crypto_sign_verify_detached(run + len, run, len, me.public) != 0)
			exit(1);
	}
	return (now_us() - began) / EVENTS;
}

static double
pipeline(void)
{
	struct beacon_receiver *r = new_receiver();
	struct beacon_when now = { .mono = seconds(10), .wall_ms = 1 };
	struct addr from = { .in = { .sin_family = AF_INET } };
	double began = now_us();

	delivered = 0;
	for (size_t i = 0; i < EVENTS; i++)
		if (beacon_receiver_input(r, &now, span_of(events[i].bytes, events[i].len),
		    &from) != BEACON_C_ACCEPTED)
			exit(1);

	double took = (now_us() - began) / EVENTS;

	beacon_receiver_free(r);
	return delivered == EVENTS ? took : -1;
}

static double
bare_refusal(const struct event *forged)
{
	static uint8_t out[BEACON_DGRAM_MAX];
	double began = now_us();

	for (unsigned i = 0; i < FORGERIES; i++)
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		    forged->bytes + BEACON_HDR_BYTES, forged->len - BEACON_HDR_BYTES,
		    forged->bytes, BEACON_HDR_BYTES, forged->bytes + 48, ring.keys[0].key) == 0)
			exit(1);
	return (now_us() - began) / FORGERIES;
}

static double
refusal(const struct event *forged)
{
	struct beacon_receiver *r = new_receiver();
	struct beacon_when now = { .mono = seconds(10), .wall_ms = 1 };
	struct addr from = { .in = { .sin_family = AF_INET } };
	double began = now_us();

	for (unsigned i = 0; i < FORGERIES; i++)
		if (beacon_receiver_input(r, &now, span_of(forged->bytes, forged->len), &from) !=
		    BEACON_C_FORGED)
			exit(1);

	double took = (now_us() - began) / FORGERIES;

	beacon_receiver_free(r);
	return took;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

int
main(int argc, char **argv)
{
	static const uint8_t seed[32] = { 1 };
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 15;
	double v[6][100];
	char text[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];

	beacon_group_format(text, seed);
	if (rounds < 1 || rounds > 100 || seal_init() != OK ||
	    beacon_identity_from(&me, seed) != OK ||
	    beacon_keyring_read(&ring, span_str(text), why) != OK ||
	    beacon_trust_add(&trust, "bench", me.public, NULL, BEACON_FROM_FILE) != OK)
		return 2;
	make_events();

	struct event forged = events[EVENTS];

	forged.bytes[forged.len - 1] ^= 1;
	for (size_t i = 0; i < rounds; i++) {
		v[0][i] = bare_open_verify();
		v[1][i] = pipeline();
		v[2][i] = v[1][i] / v[0][i];
		v[3][i] = bare_refusal(&forged);
		v[4][i] = refusal(&forged);
		v[5][i] = v[4][i] / v[3][i];
	}
	printf("event of %zu bytes, medians of %zu rounds\n", events[0].len, rounds);
	printf("  bare open and verify    %8.3f us\n", median(v[0], rounds));
	printf("  whole receive pipeline  %8.3f us   ratio %.3f\n", median(v[1], rounds),
	    median(v[2], rounds));
	printf("  bare refusal (AEAD)     %8.3f us\n", median(v[3], rounds));
	printf("  forgery refused         %8.3f us   ratio %.3f\n", median(v[4], rounds),
	    median(v[5], rounds));
	printf("memory\n  per known sender  %zu bytes\n",
	    sizeof(struct beacon_peer) + sizeof(uint64_t));
	printf("  subscriber        %zu KiB\n", sizeof(struct beacon_receiver) / 1024);
	return 0;
}
