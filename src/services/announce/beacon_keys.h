/* SPDX-License-Identifier: MIT */
/*
 * The keys of a home: who may say what (the trust file), who we are (sender.key), and the group
 * that can listen (group.key). Files are read at start and reload only.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_KEYS_H
#define SERVICES_ANNOUNCE_BEACON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

#define BEACON_KEYRING_MAX 8
#define BEACON_TRUST_MAX 64
#define BEACON_NAME_MAX 32		/* bytes of a sender's name, closing zero included */
#define BEACON_GLOBS_MAX 512		/* bytes of its topic globs, closing zero included */
#define BEACON_FINGERPRINT_TEXT 40	/* eight groups of four hex digits, closing zero included */
#define BEACON_GROUP_TEXT 68		/* "LAN1-", 56 letters in groups of 8, closing zero */
#define BEACON_SEED_TEXT 64		/* "ed25519-secret:", 44 letters, closing zero */
#define BEACON_PASSPHRASE_MIN 12	/* bytes */
#define BEACON_WHY_MAX 512		/* one line for a person; as KEYFILE_WHY_MAX */

/* First eight bytes of BLAKE2b-256, as a number: ids of senders and of topics. */
uint64_t beacon_id_of(struct span bytes);

/* Pattern with "*" (any run of characters, "/" included) and "?". */
bool beacon_glob_match(struct span pattern, struct span text);
/* One of a comma-separated list of patterns matches. */
bool beacon_globs_match(const char *globs, struct span topic);

/* --- group keys ------------------------------------------------------------------------------ */

/* One key of the ring. The derived key lies in the ring's vault. */
struct beacon_group_key {
	uint32_t id;		/* on the wire; never 0 */
	const uint8_t *key;	/* SEAL_KEY_BYTES */
};

/* The first seals; all open. Empty: public mode, signed and readable by anyone. */
struct beacon_keyring {
	struct seal_vault vault;
	size_t count;
	struct beacon_group_key keys[BEACON_KEYRING_MAX];
};

/*
 * Read group.key: one "LAN1-…" a line, "#" comments.
 *
 * why     one line for a person after an error
 * errors  those of keyfile_read(), ERR_FORMAT, ERR_FULL (more than 8), ERR_NOMEM
 */
enum err beacon_keyring_load(struct beacon_keyring *out, const char *path,
    char why[static BEACON_WHY_MAX]) MUST_CHECK;
/* The same from text in memory, for tests and for keys that come from elsewhere. */
enum err beacon_keyring_read(struct beacon_keyring *out, struct span text,
    char why[static BEACON_WHY_MAX]) MUST_CHECK;
void beacon_keyring_fini(struct beacon_keyring *r);
const struct beacon_group_key *beacon_keyring_find(const struct beacon_keyring *r, uint32_t id);

/* 32 bytes as "LAN1-…" and back. Errors: ERR_FORMAT (also where the checksum does not fit). */
void beacon_group_format(char out[static BEACON_GROUP_TEXT],
    const uint8_t key[static SEAL_KEY_BYTES]);
enum err beacon_group_parse(uint8_t key[static SEAL_KEY_BYTES], struct span text) MUST_CHECK;

/*
 * Make a group key of words that people remember, the same on every machine. Takes about a second
 * and 256 MiB. Whoever records the group's datagrams may try out words, hence the least length.
 *
 * group   name of the group: the same words give another key elsewhere
 * errors  ERR_RANGE (fewer than BEACON_PASSPHRASE_MIN bytes), ERR_NOMEM
 */
enum err beacon_group_from_words(uint8_t key[static SEAL_KEY_BYTES], struct span words,
    struct span group) MUST_CHECK;

/* --- our own identity ------------------------------------------------------------------------ */

struct beacon_identity {
	struct seal_vault vault;
	uint64_t id;
	uint8_t public[SEAL_PUBLIC_BYTES];
	const uint8_t *secret;		/* SEAL_SIGN_SECRET_BYTES, in the vault */
};

/* Read sender.key, "ed25519-secret:BASE64" of the seed. Errors as beacon_keyring_load(). */
enum err beacon_identity_load(struct beacon_identity *out, const char *path,
    char why[static BEACON_WHY_MAX]) MUST_CHECK;
enum err beacon_identity_from(struct beacon_identity *out,
    const uint8_t seed[static SEAL_SIGN_SEED_BYTES]) MUST_CHECK;
/* Make a new one and write it to a new file, mode 0600. Errors: those of keyfile_write(). */
enum err beacon_identity_make(const char *path, char why[static BEACON_WHY_MAX]) MUST_CHECK;
void beacon_identity_fini(struct beacon_identity *me);

/* --- trust ----------------------------------------------------------------------------------- */

enum beacon_origin {
	BEACON_FROM_FILE,
	BEACON_FROM_ROLL,	/* took over the name of a key that announced it */
	BEACON_FROM_TOFU,	/* pinned when first seen */
};

struct beacon_trusted {
	uint64_t id;
	uint8_t key[SEAL_PUBLIC_BYTES];
	enum beacon_origin origin;
	uint64_t from;			/* BEACON_FROM_ROLL: id of the key that announced it */
	char name[BEACON_NAME_MAX];
	char globs[BEACON_GLOBS_MAX];	/* what it may speak about */
};

struct beacon_trust {
	bool tofu;			/* pin keys of unknown senders in a sealed group */
	size_t count;
	struct beacon_trusted senders[BEACON_TRUST_MAX];
};

/*
 * Read a trust file:
 *
 *	# name  key  options
 *	door    ed25519:BASE64  topics=door,door?
 *	tofu=yes
 *
 * Without topics= a sender may speak about everything.
 *
 * why     "FILE:LINE: what is wrong" after an error
 * errors  ERR_NOTFOUND, ERR_SYS, ERR_FORMAT, ERR_EXISTS (a name or key twice), ERR_FULL, ERR_DENIED
 *	   (others may write the file)
 */
enum err beacon_trust_load(struct beacon_trust *out, const char *path,
    char why[static BEACON_WHY_MAX]) MUST_CHECK;
/* The same from text; `label` stands for the file's name in why. */
enum err beacon_trust_read(struct beacon_trust *out, struct span text, const char *label,
    char why[static BEACON_WHY_MAX]) MUST_CHECK;
/* The name of a sender, as it may stand in a trust file. */
bool beacon_name_ok(const char *name);
/* Add one sender; a NULL globs is "*". Errors: ERR_FULL, ERR_EXISTS. */
enum err beacon_trust_add(struct beacon_trust *t, const char *name,
    const uint8_t key[static SEAL_PUBLIC_BYTES], const char *globs,
    enum beacon_origin origin) MUST_CHECK;
const struct beacon_trusted *beacon_trust_find(const struct beacon_trust *t, uint64_t id);

/* "1a2b 3c4d …", eight groups, for comparing keys by eye. */
void beacon_fingerprint(char out[static BEACON_FINGERPRINT_TEXT],
    const uint8_t key[static SEAL_PUBLIC_BYTES]);

#endif
