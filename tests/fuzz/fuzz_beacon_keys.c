/* SPDX-License-Identifier: MIT */
/*
 * What people paste and files hold: trust lines, group keys, and the memory of a subscriber, which
 * is written back as it was understood.
 */
#include "fuzz.h"

#include <string.h>

#include "services/announce/beacon_receiver.h"

static struct beacon_keyring none;

static void
deliver(void *ctx, const struct beacon_delivery *d)
{
	(void)ctx;
	(void)d;
}

static void
send_request(void *ctx, struct span dgram)
{
	(void)ctx;
	(void)dgram;
}

static void
trust_holds(const struct beacon_trust *t)
{
	FUZZ_CHECK(t->count <= BEACON_TRUST_MAX);
	for (size_t i = 0; i < t->count; i++) {
		const struct beacon_trusted *s = &t->senders[i];

		FUZZ_CHECK(memchr(s->globs, '\0', sizeof(s->globs)) != NULL && *s->globs != '\0');
		FUZZ_CHECK(beacon_name_ok(s->name) && beacon_trust_find(t, s->id) == s);
	}
}

static void
group_key(struct span text)
{
	uint8_t key[SEAL_KEY_BYTES], again[SEAL_KEY_BYTES];
	char written[BEACON_GROUP_TEXT];

	if (beacon_group_parse(key, text) != OK)
		return;
	beacon_group_format(written, key);
	FUZZ_CHECK(beacon_group_parse(again, span_str(written)) == OK);
	FUZZ_CHECK(memcmp(key, again, sizeof(key)) == 0);
}

/* Load, save, load the saved: nothing of it is refused, and it is saved the same. */
static void
memory(struct span text, const struct beacon_trust *trust)
{
	static const struct beacon_receiver_ops ops = { .deliver = deliver, .send = send_request };
	static uint8_t saved[2][BEACON_STATE_MAX * 4];
	struct beacon_receiver_opts o = { .ops = &ops, .ring = &none, .trust = trust, .seed = 1,
		.now = { .mono = seconds(100), .wall_ms = INT64_C(1800000000000) } };
	struct span in = text;
	struct wire_wr wr;

	for (size_t i = 0; i < 2; i++) {
		struct beacon_receiver *r;
		unsigned skipped;

		FUZZ_CHECK(beacon_receiver_new(&r, &o) == OK);
		skipped = beacon_receiver_load(r, in);
		FUZZ_CHECK(i == 0 || skipped == 0);
		(void)beacon_receiver_wake(r, &o.now);
		wr = wire_wr_of(saved[i], sizeof(saved[i]));
		FUZZ_CHECK(beacon_receiver_save(r, &wr) == OK);
		in = wire_wr_span(&wr);
		beacon_receiver_free(r);
	}
	FUZZ_CHECK(span_equal(in, span_of(saved[0], in.len)) && saved[0][in.len] == 0);
	memset(saved, 0, sizeof(saved));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct beacon_trust trust, from_file;
	static struct beacon_keyring ring;
	struct span text = span_of(data, size);
	char why[BEACON_WHY_MAX];

	FUZZ_CHECK(seal_init() == OK);
	group_key(text);
	if (beacon_keyring_read(&ring, text, why) == OK)
		FUZZ_CHECK(ring.count <= BEACON_KEYRING_MAX);
	beacon_keyring_fini(&ring);
	FUZZ_CHECK((beacon_trust_read(&from_file, text, "trust", why) == OK) == (why[0] == '\0'));
	trust_holds(&from_file);
	/* A memory is read with the trust file beside it; here one with a single known key. */
	trust = (struct beacon_trust){ .tofu = true };
	FUZZ_CHECK(beacon_trust_add(&trust, "me", (const uint8_t[SEAL_PUBLIC_BYTES]){ 1 }, NULL,
	    BEACON_FROM_FILE) == OK);
	memory(text, &trust);
	return 0;
}
