/* SPDX-License-Identifier: MIT */
#include "services/announce/beacon_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/announce/armor.h"
#include "services/announce/beacon_crypt.h"
#include "support/unit.h"

static const uint8_t key_a[SEAL_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t key_b[SEAL_KEY_BYTES] = { 4, 5, 6 };

static void
the_library_starts(void)
{
	CU_ASSERT_EQUAL_FATAL(seal_init(), OK);
}

static void
a_group_string_survives_copy_and_paste(void)
{
	char text[BEACON_GROUP_TEXT];
	uint8_t key[SEAL_KEY_BYTES];

	beacon_group_format(text, key_a);
	CU_ASSERT_EQUAL(strlen(text), BEACON_GROUP_TEXT - 1);
	CU_ASSERT_EQUAL(beacon_group_parse(key, span_str(text)), OK);
	CU_ASSERT_EQUAL(memcmp(key, key_a, sizeof(key)), 0);
	for (char *p = text + 5; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	CU_ASSERT_EQUAL(beacon_group_parse(key, span_str(text)), OK);
}

static void
a_mistyped_letter_is_noticed(void)
{
	char text[BEACON_GROUP_TEXT];
	uint8_t key[SEAL_KEY_BYTES];

	beacon_group_format(text, key_a);
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];

		if (was == '-' && i > 4)
			continue;
		text[i] = was == 'Q' ? 'R' : 'Q';
		CU_ASSERT_EQUAL(beacon_group_parse(key, span_str(text)), ERR_FORMAT);
		text[i] = was;
	}
	text[20] = '\0';
	CU_ASSERT_EQUAL(beacon_group_parse(key, span_str(text)), ERR_FORMAT);
}

/* The key was made with the reference implementation of Argon2 (RFC 9106), not with libsodium. */
static void
words_make_the_same_group_key_everywhere(void)
{
	static const uint8_t want[SEAL_KEY_BYTES] = { 0x45, 0x3b, 0xbb, 0xb2, 0x2a, 0x64, 0xda,
	    0xd7, 0x30, 0x02,
		0x12, 0x39, 0xd8, 0x69, 0xfe, 0xe4, 0x44, 0xe1, 0xa7, 0x05,
		0x7e, 0x03, 0x8b, 0x58, 0xd1, 0xb5, 0x9a, 0x02, 0x16, 0x32,
		0x35, 0xdb };
	struct span words = span_str("correct horse battery staple");
	uint8_t key[SEAL_KEY_BYTES], other[SEAL_KEY_BYTES];

	CU_ASSERT_EQUAL(beacon_group_from_words(key, words, span_str("home")), OK);
	CU_ASSERT_EQUAL(memcmp(key, want, sizeof(key)), 0);
	CU_ASSERT_EQUAL(beacon_group_from_words(other, words, span_str("cabin")), OK);
	CU_ASSERT_NOT_EQUAL(memcmp(key, other, sizeof(key)), 0);
	CU_ASSERT_EQUAL(beacon_group_from_words(key, span_str("eleven char"), span_str("home")),
	    ERR_RANGE);
}

static void
armor_reads_what_it_writes_at_every_length(void)
{
	uint8_t in[40], out[40];
	char text[128];
	uint64_t seed = unit_seed(11);

	for (size_t n = 0; n <= sizeof(in); n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)unit_random(&seed);
		armor_base64(text, span_of(in, n));
		CU_ASSERT_EQUAL(armor_base64_read(out, n, span_str(text)), OK);
		CU_ASSERT_EQUAL(memcmp(in, out, n), 0);
		armor_base32(text, span_of(in, n));
		CU_ASSERT_EQUAL(armor_base32_read(out, n, span_str(text)), OK);
		CU_ASSERT_EQUAL(memcmp(in, out, n), 0);
		CU_ASSERT_EQUAL(armor_base32_read(out, n + 1, span_str(text)), ERR_FORMAT);
	}
	CU_ASSERT_EQUAL(armor_base64_read(out, 1, span_str("QQ==")), OK);
	CU_ASSERT_EQUAL(armor_base64_read(out, 1, span_str("QR==")), ERR_FORMAT);
	CU_ASSERT_EQUAL(armor_base64_read(out, 1, span_str("Q!==")), ERR_FORMAT);
}

static void
the_first_key_of_a_ring_seals_and_all_open(void)
{
	char text[400], one[BEACON_GROUP_TEXT], two[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];
	struct beacon_keyring ring, other;

	beacon_group_format(one, key_a);
	beacon_group_format(two, key_b);
	snprintf(text, sizeof(text), "# rotated in spring\n%s\r\n\n%s\n", one, two);
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&ring, span_str(text), why), OK);
	CU_ASSERT_EQUAL(ring.count, 2);
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&other, span_str(two), why), OK);
	CU_ASSERT_NOT_EQUAL(ring.keys[0].id, other.keys[0].id);
	CU_ASSERT_PTR_EQUAL(beacon_keyring_find(&ring, other.keys[0].id), &ring.keys[1]);
	beacon_keyring_fini(&ring);
	beacon_keyring_fini(&other);
	CU_ASSERT_EQUAL(beacon_keyring_read(&ring, span_str("# nothing\n"), why), ERR_FORMAT);
	CU_ASSERT_EQUAL(beacon_keyring_read(&ring, span_str("LAN1-XYZ\n"), why), ERR_FORMAT);
	CU_ASSERT_NOT_EQUAL(strlen(why), 0);
}

static void
a_ninth_key_is_too_many(void)
{
	char text[1000] = "", one[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];
	struct beacon_keyring ring;

	for (uint8_t i = 0; i < 9; i++) {
		beacon_group_format(one, (uint8_t[SEAL_KEY_BYTES]){ i });
		strcat(strcat(text, one), "\n");
	}
	CU_ASSERT_EQUAL(beacon_keyring_read(&ring, span_str(text), why), ERR_FULL);
}

static void
a_key_file_that_others_can_read_is_refused(void)
{
	char path[] = "/tmp/test_beacon_keys.XXXXXX", why[BEACON_WHY_MAX], text[BEACON_SEED_TEXT];
	int fd = mkstemp(path);
	struct beacon_identity me;

	CU_ASSERT_FATAL(fd >= 0);
	memcpy(text, "ed25519-secret:", 15);
	armor_base64(text + 15, span_of(key_a, sizeof(key_a)));
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	CU_ASSERT_EQUAL(beacon_identity_load(&me, path, why), OK);
	CU_ASSERT_NOT_EQUAL(me.id, 0);
	beacon_identity_fini(&me);
	CU_ASSERT_EQUAL(chmod(path, 0640), 0);
	CU_ASSERT_EQUAL(beacon_identity_load(&me, path, why), ERR_DENIED);
	unlink(path);
}

static void
globs_match_like_in_a_shell_but_across_slashes(void)
{
	static const struct {
		const char *glob, *text;
		bool match;
	} t[] = { { "*", "a/b", true }, { "door/*", "door/front", true },
		{ "door/*", "door", false }, { "d??r", "door", true }, { "d??r", "dor", false },
		{ "*front", "door/front", true }, { "a*b*c", "aXbYbZc", true },
		{ "a*b*c", "aXbYbZ", false }, { "", "x", false },
		{ "a**", "a", true } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CU_ASSERT_EQUAL(beacon_glob_match(span_str(t[i].glob), span_str(t[i].text)),
		    t[i].match);
	CU_ASSERT_TRUE(beacon_globs_match("x,door/*", span_str("door/a")));
	CU_ASSERT_FALSE(beacon_globs_match("x,window/*", span_str("door/a")));
}

static void
a_trust_file_says_who_may_say_what(void)
{
	static struct beacon_trust t;
	char text[600], b64[64], why[BEACON_WHY_MAX];

	armor_base64(b64, span_of(key_a, sizeof(key_a)));
	snprintf(text, sizeof(text), "# mine\n\ndoor ed25519:%s topics=door/*,bell\ntofu=yes\n",
	    b64);
	CU_ASSERT_EQUAL_FATAL(beacon_trust_read(&t, span_str(text), "trust", why), OK);
	CU_ASSERT_TRUE(t.tofu);

	const struct beacon_trusted *s =
	    beacon_trust_find(&t, beacon_id_of(span_of(key_a, sizeof(key_a))));

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_STRING_EQUAL(s->name, "door");
	CU_ASSERT_TRUE(beacon_globs_match(s->globs, span_str("bell")));
	CU_ASSERT_FALSE(beacon_globs_match(s->globs, span_str("alarm")));
	CU_ASSERT_PTR_NULL(beacon_trust_find(&t, 1));
}

static void
a_wrong_trust_line_is_named(void)
{
	static struct beacon_trust t;
	char text[600], b64[64], why[BEACON_WHY_MAX];

	CU_ASSERT_EQUAL(beacon_trust_read(&t, span_str("#\nx ed25519:AA\n"), "T", why), ERR_FORMAT);
	CU_ASSERT_EQUAL(strncmp(why, "T:2: ", 5), 0);
	armor_base64(b64, span_of(key_a, sizeof(key_a)));
	snprintf(text, sizeof(text), "a ed25519:%s\nb ed25519:%s\n", b64, b64);
	CU_ASSERT_EQUAL(beacon_trust_read(&t, span_str(text), "T", why), ERR_EXISTS);
	snprintf(text, sizeof(text), "a ed25519:%s topic=x\n", b64);
	CU_ASSERT_EQUAL(beacon_trust_read(&t, span_str(text), "T", why), ERR_FORMAT);
	CU_ASSERT_EQUAL(beacon_trust_read(&t, span_str("alone\n"), "T", why), ERR_FORMAT);
}

/* Seal an event and give its length. */
static size_t
some_event(uint8_t out[static BEACON_DGRAM_MAX], const struct beacon_keyring *ring,
    const struct beacon_identity *me)
{
	uint8_t body[200];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));
	struct beacon_item item = { .topic = span_str("t"), .payload = span_str("payload") };
	struct beacon_hdr h = { .type = me != NULL ? BEACON_EVENT : BEACON_NACK, .sender = 5,
		.epoch = 6, .seq = 7, .frag_count = 1 };

	beacon_item_put(&wr, &item);
	return beacon_seal(out, &h, wire_wr_span(&wr), ring, me);
}

static bool
accepted(struct span dgram, const struct beacon_keyring *ring, const struct beacon_identity *me)
{
	static struct beacon_opened o;

	return beacon_hdr_parse(&o.hdr, dgram) == OK && beacon_open(&o, dgram, ring) == OK &&
	       beacon_verify(&o, me->public) == OK;
}

/* Both modes: every byte of the datagram is covered by tag or signature. */
static void
no_byte_can_be_changed_unnoticed(void)
{
	char one[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];
	uint8_t d[BEACON_DGRAM_MAX];
	struct beacon_keyring sealed, open = { .count = 0 };
	struct beacon_identity me, other;

	beacon_group_format(one, key_a);
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&sealed, span_str(one), why), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&me, key_a), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&other, key_b), OK);
	for (int mode = 0; mode < 2; mode++) {
		const struct beacon_keyring *ring = mode == 0 ? &sealed : &open;
		size_t len = some_event(d, ring, &me);

		CU_ASSERT_TRUE(accepted(span_of(d, len), ring, &me));
		CU_ASSERT_FALSE(accepted(span_of(d, len), ring, &other));
		for (size_t i = 0; i < len; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				d[i] ^= (uint8_t)(1U << bit);
				CU_ASSERT_FALSE(accepted(span_of(d, len), ring, &me));
				d[i] ^= (uint8_t)(1U << bit);
			}
			CU_ASSERT_FALSE(accepted(span_of(d, i), ring, &me));
		}
	}
	beacon_keyring_fini(&sealed);
	beacon_identity_fini(&me);
	beacon_identity_fini(&other);
}

static void
a_request_opens_but_never_verifies(void)
{
	char one[BEACON_GROUP_TEXT], why[BEACON_WHY_MAX];
	static struct beacon_opened o;
	uint8_t d[BEACON_DGRAM_MAX];
	struct beacon_keyring ring;
	struct beacon_identity me;

	beacon_group_format(one, key_a);
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(&ring, span_str(one), why), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&me, key_a), OK);

	struct span dgram = span_of(d, some_event(d, &ring, NULL));

	CU_ASSERT_EQUAL(beacon_hdr_parse(&o.hdr, dgram), OK);
	CU_ASSERT_EQUAL(beacon_open(&o, dgram, &ring), OK);
	CU_ASSERT_EQUAL(beacon_verify(&o, me.public), ERR_AUTH);
	beacon_keyring_fini(&ring);
	CU_ASSERT_EQUAL(beacon_open(&o, dgram, &ring), ERR_NOTFOUND);
	beacon_identity_fini(&me);
}

UNIT_MAIN("beacon_keys", UNIT(the_library_starts), UNIT(a_group_string_survives_copy_and_paste),
    UNIT(a_mistyped_letter_is_noticed),
    UNIT(words_make_the_same_group_key_everywhere),
    UNIT(armor_reads_what_it_writes_at_every_length),
    UNIT(the_first_key_of_a_ring_seals_and_all_open), UNIT(a_ninth_key_is_too_many),
    UNIT(a_key_file_that_others_can_read_is_refused),
    UNIT(globs_match_like_in_a_shell_but_across_slashes), UNIT(a_trust_file_says_who_may_say_what),
    UNIT(a_wrong_trust_line_is_named), UNIT(no_byte_can_be_changed_unnoticed),
    UNIT(a_request_opens_but_never_verifies))
