/* SPDX-License-Identifier: MIT */
/*
 * Key files and the trust file. Secrets stay in vaults (no swap, no core dump) and what was read
 * from disk is wiped before it is released.
 */
#include "services/announce/beacon_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/announce/armor.h"
#include "util/file.h"
#include "util/keyfile.h"
#include "util/text.h"
#include "util/wire.h"

#define GROUP_PREFIX "LAN1-"
#define GROUP_CHECK_BYTES 3
#define SEED_PREFIX "ed25519-secret:"
#define PUBLIC_PREFIX "ed25519:"
#define TRUST_FILE_MAX 65536	/* bytes */
#define SUBKEY_ANNOUNCER 1	/* of the group key; 2 belongs to TFTP */

uint64_t
beacon_id_of(struct span bytes)
{
	uint8_t hash[SEAL_HASH_BYTES];

	seal_hash(hash, sizeof(hash), bytes, span_of(NULL, 0));

	struct wire_rd rd = wire_rd_of(span_of(hash, sizeof(hash)));

	return wire_rd_u64(&rd);
}

bool
beacon_glob_match(struct span pattern, struct span text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	/* On a mismatch the last star swallows one more character: quadratic at worst. */
	while (t < text.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len &&
			   (pattern.at[p] == '?' || pattern.at[p] == text.at[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

bool
beacon_globs_match(const char *globs, struct span topic)
{
	struct span rest = span_str(globs);

	while (rest.len != 0)
		if (beacon_glob_match(text_next_field(&rest, ','), topic))
			return true;
	return false;
}

/* --- group keys ------------------------------------------------------------------------------ */

static void
group_check(uint8_t out[static SEAL_HASH_BYTES], const uint8_t key[static SEAL_KEY_BYTES])
{
	seal_hash(out, SEAL_HASH_BYTES, span_of(key, SEAL_KEY_BYTES), span_str("LAN1"));
}

void
beacon_group_format(char out[static BEACON_GROUP_TEXT], const uint8_t key[static SEAL_KEY_BYTES])
{
	uint8_t bytes[SEAL_KEY_BYTES + GROUP_CHECK_BYTES], check[SEAL_HASH_BYTES];
	char text[ARMOR_BASE32_TEXT(sizeof(bytes))];
	size_t at = strlen(GROUP_PREFIX);

	group_check(check, key);
	memcpy(bytes, key, SEAL_KEY_BYTES);
	memcpy(bytes + SEAL_KEY_BYTES, check, GROUP_CHECK_BYTES);
	armor_base32(text, span_of(bytes, sizeof(bytes)));
	memcpy(out, GROUP_PREFIX, at);
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (i != 0 && i % 8 == 0)
			out[at++] = '-';
		out[at++] = text[i];
	}
	out[at] = '\0';
	seal_wipe(bytes, sizeof(bytes));
	seal_wipe(text, sizeof(text));
}

enum err
beacon_group_parse(uint8_t key[static SEAL_KEY_BYTES], struct span text)
{
	uint8_t bytes[SEAL_KEY_BYTES + GROUP_CHECK_BYTES], check[SEAL_HASH_BYTES];
	enum err e = ERR_FORMAT;

	if (!text_take(&text, GROUP_PREFIX))
		return ERR_FORMAT;
	if (armor_base32_read(bytes, sizeof(bytes), text) == OK) {
		group_check(check, bytes);
		if (seal_equal(check, bytes + SEAL_KEY_BYTES, GROUP_CHECK_BYTES)) {
			memcpy(key, bytes, SEAL_KEY_BYTES);
			e = OK;
		}
	}
	seal_wipe(bytes, sizeof(bytes));
	return e;
}

enum err
beacon_group_from_words(uint8_t key[static SEAL_KEY_BYTES], struct span words, struct span group)
{
	uint8_t salt[SEAL_SALT_BYTES];

	if (words.len < BEACON_PASSPHRASE_MIN)
		return ERR_RANGE;
	seal_hash(salt, sizeof(salt), group, span_str("LAN!pass"));
	return seal_passphrase(key, words, salt);
}

static uint32_t
group_id(const uint8_t key[static SEAL_KEY_BYTES])
{
	uint8_t hash[SEAL_HASH_BYTES];

	seal_hash(hash, sizeof(hash), span_str("LAN!id"), span_of(key, SEAL_KEY_BYTES));

	struct wire_rd rd = wire_rd_of(span_of(hash, sizeof(hash)));
	uint32_t id = wire_rd_u32(&rd);

	return id != 0 ? id : 1;	/* 0 says "not sealed" */
}

static enum err
keyring_add(struct beacon_keyring *r, struct span text)
{
	uint8_t master[SEAL_KEY_BYTES];
	enum err e = beacon_group_parse(master, text);

	if (e != OK)
		return e;
	if (r->count == BEACON_KEYRING_MAX) {
		e = ERR_FULL;
		goto wipe;
	}

	uint8_t *key = seal_vault_take(&r->vault, SEAL_KEY_BYTES);

	if (key == NULL) {
		e = ERR_NOMEM;
		goto wipe;
	}
	seal_kdf(key, SEAL_KEY_BYTES, SUBKEY_ANNOUNCER, "announce", master);
	r->keys[r->count++] = (struct beacon_group_key){ .id = group_id(master), .key = key };
wipe:
	seal_wipe(master, sizeof(master));
	return e;
}

enum err
beacon_keyring_read(struct beacon_keyring *out, struct span text, char why[static BEACON_WHY_MAX])
{
	struct span line;
	enum err e;

	*out = (struct beacon_keyring){ .count = 0 };
	e = seal_vault_init(&out->vault, (size_t)BEACON_KEYRING_MAX * SEAL_KEY_BYTES);
	why[0] = '\0';
	while (e == OK && text_next_line(&text, &line)) {
		line = text_trim(line);
		if (line.len != 0 && line.at[0] != '#')
			e = keyring_add(out, line);
	}
	if (e == OK && out->count == 0)
		e = ERR_FORMAT;
	if (e == OK) {
		seal_vault_freeze(&out->vault);
		return OK;
	}
	snprintf(why, BEACON_WHY_MAX, "group key: %s", e == ERR_FULL
	    ? "more than 8 keys" : "expected one LAN1-... key a line; a letter may be mistyped");
	beacon_keyring_fini(out);
	return e;
}

enum err
beacon_keyring_load(struct beacon_keyring *out, const char *path, char why[static BEACON_WHY_MAX])
{
	uint8_t text[KEYFILE_MAX];
	size_t len;
	enum err e = keyfile_read(path, text, sizeof(text), &len, why);

	*out = (struct beacon_keyring){ .count = 0 };
	if (e != OK)
		return e;

	char what[BEACON_WHY_MAX];

	e = beacon_keyring_read(out, span_of(text, len), what);
	seal_wipe(text, sizeof(text));
	if (e != OK)
		snprintf(why, BEACON_WHY_MAX, "%.200s: %.200s", path, what);
	return e;
}

void
beacon_keyring_fini(struct beacon_keyring *r)
{
	seal_vault_fini(&r->vault);
	*r = (struct beacon_keyring){ .count = 0 };
}

const struct beacon_group_key *
beacon_keyring_find(const struct beacon_keyring *r, uint32_t id)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->keys[i].id == id)
			return &r->keys[i];
	return NULL;
}

/* --- identity -------------------------------------------------------------------------------- */

enum err
beacon_identity_from(struct beacon_identity *out, const uint8_t seed[static SEAL_SIGN_SEED_BYTES])
{
	*out = (struct beacon_identity){ .id = 0 };

	enum err e = seal_vault_init(&out->vault, SEAL_SIGN_SECRET_BYTES);

	if (e != OK)
		return e;

	uint8_t *secret = seal_vault_take(&out->vault, SEAL_SIGN_SECRET_BYTES);

	seal_sign_keypair_from(out->public, secret, seed);
	seal_vault_freeze(&out->vault);
	out->secret = secret;
	out->id = beacon_id_of(span_of(out->public, sizeof(out->public)));
	return OK;
}

enum err
beacon_identity_load(struct beacon_identity *out, const char *path, char why[static BEACON_WHY_MAX])
{
	uint8_t text[KEYFILE_MAX], seed[SEAL_SIGN_SEED_BYTES];
	struct span rest, line;
	size_t len;
	enum err e = keyfile_read(path, text, sizeof(text), &len, why);

	*out = (struct beacon_identity){ .id = 0 };
	if (e != OK)
		return e;
	rest = span_of(text, len);
	e = ERR_FORMAT;
	while (e != OK && text_next_line(&rest, &line)) {
		line = text_trim(line);
		if (text_take(&line, SEED_PREFIX))
			e = armor_base64_read(seed, sizeof(seed), line);
	}
	if (e == OK)
		e = beacon_identity_from(out, seed);
	seal_wipe(seed, sizeof(seed));
	seal_wipe(text, sizeof(text));
	if (e != OK)
		snprintf(why, BEACON_WHY_MAX, "%.200s: no %s line in it", path, SEED_PREFIX);
	return e;
}

enum err
beacon_identity_make(const char *path, char why[static BEACON_WHY_MAX])
{
	uint8_t seed[SEAL_SIGN_SEED_BYTES];
	char text[BEACON_SEED_TEXT + 2] = SEED_PREFIX;
	enum err e;

	seal_random(seed, sizeof(seed));
	armor_base64(text + strlen(text), span_of(seed, sizeof(seed)));
	strcat(text, "\n");
	e = keyfile_write(path, span_str(text), why);
	seal_wipe(seed, sizeof(seed));
	seal_wipe(text, sizeof(text));
	return e;
}

void
beacon_identity_fini(struct beacon_identity *me)
{
	seal_vault_fini(&me->vault);
	*me = (struct beacon_identity){ .id = 0 };
}

void
beacon_fingerprint(char out[static BEACON_FINGERPRINT_TEXT],
    const uint8_t key[static SEAL_PUBLIC_BYTES])
{
	uint8_t hash[SEAL_HASH_BYTES];
	size_t at = 0;

	seal_hash(hash, sizeof(hash), span_of(key, SEAL_PUBLIC_BYTES), span_of(NULL, 0));
	for (size_t i = 0; i < 16; i += 2)
		at += (size_t)snprintf(out + at, BEACON_FINGERPRINT_TEXT - at, "%s%02x%02x",
		    i != 0 ? " " : "", hash[i], hash[i + 1]);
}

/* --- trust ----------------------------------------------------------------------------------- */

const struct beacon_trusted *
beacon_trust_find(const struct beacon_trust *t, uint64_t id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->senders[i].id == id)
			return &t->senders[i];
	return NULL;
}

enum err
beacon_trust_add(struct beacon_trust *t, const char *name,
    const uint8_t key[static SEAL_PUBLIC_BYTES], const char *globs, enum beacon_origin origin)
{
	uint64_t id = beacon_id_of(span_of(key, SEAL_PUBLIC_BYTES));

	if (beacon_trust_find(t, id) != NULL)
		return ERR_EXISTS;
	for (size_t i = 0; origin == BEACON_FROM_FILE && i < t->count; i++)
		if (strcmp(t->senders[i].name, name) == 0)
			return ERR_EXISTS;
	if (t->count == BEACON_TRUST_MAX)
		return ERR_FULL;

	struct beacon_trusted *s = &t->senders[t->count++];

	s->id = id;
	s->origin = origin;
	s->from = 0;
	memcpy(s->key, key, SEAL_PUBLIC_BYTES);
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->globs, sizeof(s->globs), "%s", globs != NULL ? globs : "*");
	return OK;
}

/* Copy a word as a string; false where it does not fit or holds odd characters. */
static bool
word_to_string(char *out, size_t cap, struct span word)
{
	if (word.len >= cap)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] < 0x21 || word.at[i] > 0x7e)
			return false;
	memcpy(out, word.at, word.len);
	out[word.len] = '\0';
	return true;
}

bool
beacon_name_ok(const char *name)
{
	char copy[BEACON_NAME_MAX];

	return name[0] != '\0' && name[0] != '#' && strncmp(name, "tofu=", 5) != 0 &&
	       word_to_string(copy, sizeof(copy), span_str(name));
}

/* Give what is wrong with the line, or NULL. */
static const char *
trust_line(struct beacon_trust *t, struct span line, enum err *e)
{
	char name[BEACON_NAME_MAX], globs[BEACON_GLOBS_MAX] = "*";
	uint8_t key[SEAL_PUBLIC_BYTES];
	struct span word = text_next_word(&line);

	*e = ERR_FORMAT;
	if (word.len == 0)
		return NULL;
	if (text_is(word, "tofu=yes") || text_is(word, "tofu=no")) {
		t->tofu = text_is(word, "tofu=yes");
		return text_next_word(&line).len != 0 ? "tofu stands alone" : NULL;
	}
	if (!word_to_string(name, sizeof(name), word))
		return "the name has 1 to 31 printable characters";
	word = text_next_word(&line);
	if (!text_take(&word, PUBLIC_PREFIX) || armor_base64_read(key, sizeof(key), word) != OK)
		return "expected ed25519: and 44 characters of base64 behind the name";
	while ((word = text_next_word(&line)).len != 0)
		if (!text_take(&word, "topics=") || !word_to_string(globs, sizeof(globs), word) ||
		    globs[0] == '\0')
			return "the only option is topics=GLOB,GLOB with at most 511 characters";
	*e = beacon_trust_add(t, name, key, globs, BEACON_FROM_FILE);
	if (*e == ERR_FULL)
		return "more than 64 senders";
	return *e != OK ? "this name or key stands further up already" : NULL;
}

enum err
beacon_trust_read(struct beacon_trust *out, struct span text, const char *label,
    char why[static BEACON_WHY_MAX])
{
	struct span line;
	unsigned number = 0;
	enum err e;

	*out = (struct beacon_trust){ .count = 0 };
	why[0] = '\0';
	while (text_next_line(&text, &line)) {
		number++;
		if (line.len != 0 && line.at[0] == '#')
			continue;

		const char *wrong = trust_line(out, line, &e);

		if (wrong != NULL) {
			snprintf(why, BEACON_WHY_MAX, "%.200s:%u: %s", label, number, wrong);
			return e;
		}
	}
	return OK;
}

enum err
beacon_trust_load(struct beacon_trust *out, const char *path, char why[static BEACON_WHY_MAX])
{
	static const char cannot[] = "cannot be read";
	uint8_t text[TRUST_FILE_MAX];
	struct stat st;
	size_t len = 0;
	enum err e = ERR_SYS;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*out = (struct beacon_trust){ .count = 0 };
	if (fd < 0) {
		e = errno == ENOENT ? ERR_NOTFOUND : ERR_SYS;
		snprintf(why, BEACON_WHY_MAX, "%.200s: %s: %s", path, cannot, strerror(errno));
		return e;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, BEACON_WHY_MAX, "%.200s: not a regular file", path);
	} else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		e = ERR_DENIED;
		snprintf(why, BEACON_WHY_MAX, "%.200s: others may write it (chmod go-w)", path);
	} else {
		e = file_read_all(fd, text, sizeof(text), &len);
		if (e != OK)
			snprintf(why, BEACON_WHY_MAX, "%.200s: %s", path,
			    e == ERR_RANGE ? "longer than 64 KiB" : cannot);
	}
	file_close_quietly(fd);
	return e == OK ? beacon_trust_read(out, span_of(text, len), path, why) : e;
}
