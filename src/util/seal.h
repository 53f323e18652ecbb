/* SPDX-License-Identifier: MIT */
/*
 * The only door to libsodium (core/rand.c draws from it too): what is secret, signed or hashed
 * with a key. Pure functions of their arguments; random bytes are the one thing they fetch.
 *
 * What can be refused is refused with ERR_AUTH alone, whatever the cause, and the output is
 * cleared then. Inputs and outputs may be the same bytes (in place) where the text says so,
 * otherwise they must not overlap. Costs are those of one 2020s x86 core, for orientation.
 */
#ifndef UTIL_SEAL_H
#define UTIL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

#define SEAL_KEY_BYTES 32	 /* AEAD, box and master keys */
#define SEAL_NONCE_BYTES 24	 /* long enough to be drawn at random every time */
#define SEAL_TAG_BYTES 16	 /* what a sealed message is longer than the plain one */
#define SEAL_PUBLIC_BYTES 32	 /* public key: X25519 and Ed25519 */
#define SEAL_SIGN_SECRET_BYTES 64 /* Ed25519 secret key: seed and public key */
#define SEAL_SIGN_SEED_BYTES 32
#define SEAL_SIGNATURE_BYTES 64
#define SEAL_CONTEXT_CHARS 8	 /* of a derived key's purpose */
#define SEAL_HASH_BYTES 32	 /* the usual length of a hash */
#define SEAL_HASH_MIN 16
#define SEAL_HASH_MAX 64
#define SEAL_HASH_STATE 384	 /* of libsodium's BLAKE2b; checked at compile time in seal.c */
#define SEAL_SHORT_KEY_BYTES 16
#define SEAL_SALT_BYTES 16	 /* of a passphrase */

/*
 * Make the library ready: call before anything else here or in core/rand, as often as you like,
 * from any thread. Opens the system's random source once.
 *
 * errors  ERR_SYS where the system has no random source
 */
enum err seal_init(void) MUST_CHECK;

/*
 * Fill out with random bytes for a key or a nonce. A system call each time; ids and ports in bulk
 * come from core/rand, which draws in batches.
 */
void seal_random(void *out, size_t len);

/* Overwrite secrets; the compiler may not leave it out. NULL is fine where len is 0. */
void seal_wipe(void *at, size_t len);

/* Say whether len bytes are the same, in a time that does not depend on where they differ. */
bool seal_equal(const void *a, const void *b, size_t len);

/* --- authenticated encryption: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) ------------------- */

/*
 * Encrypt plain and bind ad (authenticated, not hidden) to it.
 *
 * out	  plain.len + SEAL_TAG_BYTES bytes, the tag last; out may be plain.at (in place)
 * nonce  never twice under one key: random, or from a counter that cannot go back
 */
void seal_wrap(uint8_t *out, struct span plain, struct span ad,
    const uint8_t nonce[static SEAL_NONCE_BYTES], const uint8_t key[static SEAL_KEY_BYTES]);

/*
 * Undo seal_wrap().
 *
 * out	   sealed.len - SEAL_TAG_BYTES bytes; may be sealed.at (in place). All zero after ERR_AUTH;
 *	   nothing is written where sealed is shorter than a tag
 * errors  ERR_AUTH
 */
enum err seal_open(uint8_t *out, struct span sealed, struct span ad,
    const uint8_t nonce[static SEAL_NONCE_BYTES],
    const uint8_t key[static SEAL_KEY_BYTES]) MUST_CHECK;

/* --- box between two key pairs: X25519, XChaCha20-Poly1305, tag first (DNSCrypt v2) ----------- */

void seal_box_keypair(uint8_t public[static SEAL_PUBLIC_BYTES],
    uint8_t secret[static SEAL_KEY_BYTES]);

/* Give the public key that belongs to a stored secret key. */
void seal_box_public(uint8_t public[static SEAL_PUBLIC_BYTES],
    const uint8_t secret[static SEAL_KEY_BYTES]);

/*
 * Compute the key that both ends share: 28 us, so keep it, and give strangers a budget.
 *
 * errors  ERR_AUTH for a public key of low order, which a peer may send to force a known key
 */
enum err seal_box_shared(uint8_t shared[static SEAL_KEY_BYTES],
    const uint8_t their_public[static SEAL_PUBLIC_BYTES],
    const uint8_t my_secret[static SEAL_KEY_BYTES]) MUST_CHECK;

/* Encrypt; out holds SEAL_TAG_BYTES + plain.len bytes, the tag first. No overlap. */
void seal_box_wrap(uint8_t *out, struct span plain, const uint8_t nonce[static SEAL_NONCE_BYTES],
    const uint8_t shared[static SEAL_KEY_BYTES]);

/* Undo seal_box_wrap(); out holds sealed.len - SEAL_TAG_BYTES bytes. As seal_open(), no overlap. */
enum err seal_box_open(uint8_t *out, struct span sealed,
    const uint8_t nonce[static SEAL_NONCE_BYTES],
    const uint8_t shared[static SEAL_KEY_BYTES]) MUST_CHECK;

/* --- signatures: Ed25519 (RFC 8032) ----------------------------------------------------------- */

void seal_sign_keypair(uint8_t public[static SEAL_PUBLIC_BYTES],
    uint8_t secret[static SEAL_SIGN_SECRET_BYTES]);

/* Give the key pair that a stored seed stands for. */
void seal_sign_keypair_from(uint8_t public[static SEAL_PUBLIC_BYTES],
    uint8_t secret[static SEAL_SIGN_SECRET_BYTES], const uint8_t seed[static SEAL_SIGN_SEED_BYTES]);

/* 13 us for a short message. */
void seal_sign(uint8_t signature[static SEAL_SIGNATURE_BYTES], struct span message,
    const uint8_t secret[static SEAL_SIGN_SECRET_BYTES]);

/* OK or ERR_AUTH. 36 us: whatever is cheaper to check comes first. */
enum err seal_verify(const uint8_t signature[static SEAL_SIGNATURE_BYTES], struct span message,
    const uint8_t public[static SEAL_PUBLIC_BYTES]) MUST_CHECK;

/* --- derived keys, hashes --------------------------------------------------------------------- */

/*
 * Derive a key from a master key. Other ids and other contexts give unrelated keys.
 *
 * len	    16 to 64 bytes
 * context  the purpose, SEAL_CONTEXT_CHARS characters: "announce"
 */
void seal_kdf(uint8_t *out, size_t len, uint64_t id,
    const char context[static SEAL_CONTEXT_CHARS], const uint8_t master[static SEAL_KEY_BYTES]);

/*
 * BLAKE2b (RFC 7693).
 *
 * len	SEAL_HASH_MIN to SEAL_HASH_MAX bytes; another length is another hash, not a prefix
 * key	up to SEAL_HASH_MAX bytes; empty: no key, anyone can compute it
 */
void seal_hash(uint8_t *out, size_t len, struct span data, struct span key);

/* The same in pieces, for files and transfers. May lie anywhere and may be copied mid-way. */
struct seal_hash {
	uint8_t state[SEAL_HASH_STATE];
	size_t len;
};

void seal_hash_init(struct seal_hash *h, size_t len, struct span key);
void seal_hash_update(struct seal_hash *h, struct span data);
/* Write the h->len bytes of the result and wipe the state; init comes next. */
void seal_hash_final(struct seal_hash *h, uint8_t *out);

/*
 * Make a key of a passphrase: Argon2id, 3 passes over 256 MiB, so that guessing is slow; it takes
 * about a second. The salt makes the same words another key elsewhere.
 *
 * errors  ERR_NOMEM where the machine cannot spare that much
 */
enum err seal_passphrase(uint8_t key[static SEAL_KEY_BYTES], struct span words,
    const uint8_t salt[static SEAL_SALT_BYTES]) MUST_CHECK;

/*
 * SipHash-2-4: a hash for tables whose keys strangers choose. 15 ns for 16 bytes, 20 for 32, 85
 * for 256; hash a name once and keep the number. With a secret random key nobody outside can
 * aim at one bucket. No use as a signature: 64 bits are few.
 */
uint64_t seal_short_hash(struct span data, const uint8_t key[static SEAL_SHORT_KEY_BYTES]);

/* --- padding: ISO/IEC 7816-4, 0x80 and zeros -------------------------------------------------- */

/* Give the length after padding: the smallest multiple of block (1 or more) greater than len. */
size_t seal_padded_len(size_t len, size_t block);

/* Pad buf from len up to total bytes; total > len and within what buf can hold. */
void seal_pad(uint8_t *buf, size_t len, size_t total);

/*
 * Give the part before the padding, of any amount of it.
 *
 * errors  ERR_FORMAT where there is no padding
 *
 * For what seal_open() or seal_box_open() has accepted: it takes longer the more padding there is.
 */
enum err seal_unpad(struct span padded, struct span *out) MUST_CHECK;

/* --- memory for keys -------------------------------------------------------------------------- */

/*
 * One arena for all secret keys of a service: between guard pages, kept out of core dumps, and
 * out of swap as far as RLIMIT_MEMLOCK allows. A zeroed one is valid, empty and may be released.
 */
struct seal_vault {
	uint8_t *at;
	size_t cap;
	size_t used;
	bool locked;	/* false: the limit was too low and keys may reach swap; say so once */
	bool frozen;
};

/* cap  bytes to hold; each piece is rounded up to 16. Errors: ERR_NOMEM, ERR_RANGE (0 or huge). */
enum err seal_vault_init(struct seal_vault *v, size_t cap) MUST_CHECK;

/* Give len zeroed bytes that live as long as the vault; NULL where it is full or frozen. */
void *seal_vault_take(struct seal_vault *v, size_t len);

/* From now on a write to the vault ends the process. New keys go into a new vault. */
void seal_vault_freeze(struct seal_vault *v);

/* Wipe and release. */
void seal_vault_fini(struct seal_vault *v);

#endif
