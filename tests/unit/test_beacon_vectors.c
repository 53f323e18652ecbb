/* SPDX-License-Identifier: MIT */
/* Replays tests/vectors/beacon.txt: each datagram opens, verifies, says what is written there. */
#include "services/announce/beacon_crypt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

#define VALUE_MAX 4096
#define FIELDS_MAX 16

struct field {
	char key[32];
	char value[VALUE_MAX];
};

struct block {
	char name[64];
	size_t count;
	struct field fields[FIELDS_MAX];
};

static FILE *file;
static char line[VALUE_MAX + 64];

/* Read the next [block]; false at the end. */
static bool
next_block(struct block *b)
{
	b->count = 0;
	while (line[0] != '[')
		if (fgets(line, sizeof(line), file) == NULL)
			return false;
	CU_ASSERT_EQUAL_FATAL(sscanf(line, "[%63[^]]]", b->name), 1);
	while (fgets(line, sizeof(line), file) != NULL && line[0] != '[')
		if (b->count < FIELDS_MAX && sscanf(line, "%31s = %4095[^\n]",
		    b->fields[b->count].key, b->fields[b->count].value) == 2)
			b->count++;
	if (feof(file))
		line[0] = '\0';
	return true;
}

static const char *
value(const struct block *b, const char *key)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->fields[i].key, key) == 0)
			return b->fields[i].value;
	CU_FAIL_FATAL("a field is missing");
	return "";
}

static uint64_t
number(const struct block *b, const char *key, int base)
{
	return strtoull(value(b, key), NULL, base);
}

static size_t
bytes(const struct block *b, const char *key, uint8_t *out)
{
	const char *hex = value(b, key);
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(sscanf(hex + 2 * i, "%2" SCNx8, &out[i]), 1);
	return n;
}

static struct beacon_keyring group, none;
static struct beacon_identity me;

static void
check_keys(const struct block *b)
{
	uint8_t want[64];
	char why[BEACON_WHY_MAX], text[BEACON_GROUP_TEXT];
	struct span topic = span_str(value(b, "topic"));

	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&group, span_str(value(b, "group")), why), OK);
	CU_ASSERT_EQUAL(group.keys[0].id, number(b, "key_id", 16));
	CU_ASSERT_EQUAL(bytes(b, "group_announce", want), SEAL_KEY_BYTES);
	CU_ASSERT_EQUAL(memcmp(group.keys[0].key, want, SEAL_KEY_BYTES), 0);
	CU_ASSERT_EQUAL(bytes(b, "group_bytes", want), SEAL_KEY_BYTES);
	beacon_group_format(text, want);
	CU_ASSERT_STRING_EQUAL(text, value(b, "group"));
	CU_ASSERT_EQUAL(bytes(b, "seed", want), SEAL_SIGN_SEED_BYTES);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&me, want), OK);
	CU_ASSERT_EQUAL(bytes(b, "public", want), SEAL_PUBLIC_BYTES);
	CU_ASSERT_EQUAL(memcmp(me.public, want, SEAL_PUBLIC_BYTES), 0);
	CU_ASSERT_EQUAL(me.id, number(b, "sender", 16));
	CU_ASSERT_EQUAL(beacon_id_of(topic), number(b, "topic_hash", 16));
}

static void
check_header(const struct block *b, const struct beacon_hdr *h)
{
	unsigned index, count;

	CU_ASSERT_EQUAL(h->type, number(b, "type", 10));
	CU_ASSERT_EQUAL(h->flags, number(b, "flags", 10));
	CU_ASSERT_EQUAL(h->key_id, number(b, "key_id", 16));
	CU_ASSERT_EQUAL(h->sender, number(b, "sender", 16));
	CU_ASSERT_EQUAL(h->epoch, number(b, "epoch", 10));
	CU_ASSERT_EQUAL(h->seq, number(b, "seq", 10));
	CU_ASSERT_EQUAL(h->time_ms, number(b, "time_ms", 10));
	CU_ASSERT_EQUAL(h->lifetime_s, number(b, "lifetime_s", 10));
	CU_ASSERT_EQUAL(sscanf(value(b, "fragment"), "%u/%u", &index, &count), 2);
	CU_ASSERT_EQUAL(h->frag_index, index);
	CU_ASSERT_EQUAL(h->frag_count, count);
}

/* The body means something to its own parser, and one wrong bit is noticed. */
static void
check_body(const struct block *b, uint8_t type, struct span body)
{
	static struct beacon_digest digest;
	struct beacon_item item;
	struct beacon_nack nack;
	struct beacon_solicit solicit;
	struct beacon_lease lease;
	struct beacon_keyroll roll;
	uint8_t want[BEACON_PLAIN_MAX], text[BEACON_KEYROLL_TEXT];

	CU_ASSERT_EQUAL(bytes(b, "body", want), body.len);
	CU_ASSERT_EQUAL(memcmp(want, body.at, body.len), 0);
	switch (type) {
	case BEACON_DIGEST:
		CU_ASSERT_EQUAL(beacon_digest_parse(&digest, body), OK);
		CU_ASSERT_EQUAL(digest.entries[0].rev, 3);
		break;
	case BEACON_NACK:
		CU_ASSERT_EQUAL(beacon_nack_parse(&nack, body), OK);
		CU_ASSERT_EQUAL(nack.ranges[1].count, 3);
		break;
	case BEACON_SOLICIT:
		CU_ASSERT_EQUAL(beacon_solicit_parse(&solicit, body), OK);
		break;
	case BEACON_LEASE:
		CU_ASSERT_EQUAL(beacon_lease_parse(&lease, body), OK);
		CU_ASSERT_EQUAL(lease.kind, BEACON_LEASE_CONFIRM);
		break;
	case BEACON_KEYROLL:
		CU_ASSERT_EQUAL(beacon_keyroll_parse(&roll, body), OK);
		beacon_keyroll_text(text, me.public, roll.key);
		CU_ASSERT_EQUAL(seal_verify(roll.proof, span_of(text, sizeof(text)), roll.key), OK);
		break;
	default:
		CU_ASSERT_EQUAL(beacon_item_parse(&item, body), OK);
		CU_ASSERT_TRUE(span_equal(item.topic, span_str("door/front")));
	}
}

static void
check_datagram(const struct block *b)
{
	static struct beacon_opened o;
	uint8_t dgram[BEACON_DGRAM_MAX];
	size_t len = bytes(b, "datagram", dgram);
	const struct beacon_keyring *ring = number(b, "key_id", 16) != 0 ? &group : &none;

	CU_ASSERT_EQUAL(beacon_hdr_parse(&o.hdr, span_of(dgram, len)), OK);
	check_header(b, &o.hdr);
	CU_ASSERT_EQUAL(beacon_open(&o, span_of(dgram, len), ring), OK);
	CU_ASSERT_EQUAL(beacon_verify(&o, me.public),
	    beacon_type_is_request(o.hdr.type) ? ERR_AUTH : OK);
	check_body(b, o.hdr.type, beacon_opened_body(&o));
	if (o.hdr.key_id == 0)
		return;
	dgram[len - 1] ^= 1;
	CU_ASSERT_EQUAL(beacon_open(&o, span_of(dgram, len), ring), ERR_AUTH);
}

static void
the_test_vectors_say_what_is_written_there(void)
{
	static struct block b;
	char path[512];
	unsigned datagrams = 0;
	const char *top = getenv("top_srcdir");

	CU_ASSERT_EQUAL_FATAL(seal_init(), OK);
	snprintf(path, sizeof(path), "%s/tests/vectors/beacon.txt", top != NULL ? top : "..");
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_TRUE_FATAL(next_block(&b));
	CU_ASSERT_STRING_EQUAL(b.name, "keys");
	check_keys(&b);
	while (next_block(&b)) {
		datagrams++;
		check_datagram(&b);
	}
	CU_ASSERT(datagrams >= 12);
	fclose(file);
	beacon_keyring_fini(&group);
	beacon_identity_fini(&me);
}

UNIT_MAIN("beacon_vectors", UNIT(the_test_vectors_say_what_is_written_there))
