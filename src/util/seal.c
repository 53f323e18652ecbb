/* SPDX-License-Identifier: MIT */
/*
 * Thin over libsodium, which is where the cryptography is. Added here: spans for pointer pairs,
 * one error for every refusal, outputs cleared on refusal, lengths that we guarantee asserted.
 */
#include "util/seal.h"

#include <assert.h>
#include <sodium.h>

#define VAULT_ALIGN 16
#define VAULT_MAX (1U << 20)	/* bytes; a thousand times what any service holds */

_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "aead key");
_Static_assert(SEAL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "aead nonce");
_Static_assert(SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "aead tag");
_Static_assert(SEAL_KEY_BYTES == crypto_box_curve25519xchacha20poly1305_SECRETKEYBYTES, "box sk");
_Static_assert(SEAL_KEY_BYTES == crypto_box_curve25519xchacha20poly1305_BEFORENMBYTES, "box key");
_Static_assert(SEAL_NONCE_BYTES == crypto_box_curve25519xchacha20poly1305_NONCEBYTES, "box nonce");
_Static_assert(SEAL_TAG_BYTES == crypto_box_curve25519xchacha20poly1305_MACBYTES, "box tag");
_Static_assert(SEAL_PUBLIC_BYTES == crypto_box_curve25519xchacha20poly1305_PUBLICKEYBYTES,
    "box public");
_Static_assert(SEAL_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "sign public");
_Static_assert(SEAL_SIGN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "sign secret");
_Static_assert(SEAL_SIGN_SEED_BYTES == crypto_sign_SEEDBYTES, "sign seed");
_Static_assert(SEAL_SIGNATURE_BYTES == crypto_sign_BYTES, "signature");
_Static_assert(SEAL_KEY_BYTES == crypto_kdf_KEYBYTES, "kdf key");
_Static_assert(SEAL_CONTEXT_CHARS == crypto_kdf_CONTEXTBYTES, "kdf context");
_Static_assert(SEAL_HASH_MIN == crypto_generichash_BYTES_MIN, "shortest hash");
_Static_assert(SEAL_HASH_MAX == crypto_generichash_BYTES_MAX, "longest hash");
_Static_assert(SEAL_HASH_STATE == sizeof(crypto_generichash_state), "hash state");
_Static_assert(SEAL_SALT_BYTES == crypto_pwhash_SALTBYTES, "salt of a passphrase");
_Static_assert(SEAL_SHORT_KEY_BYTES == crypto_shorthash_KEYBYTES, "short hash key");

enum err
seal_init(void)
{
	return sodium_init() < 0 ? ERR_SYS : OK;
}

void
seal_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

void
seal_wipe(void *at, size_t len)
{
	if (len != 0)
		sodium_memzero(at, len);
}

bool
seal_equal(const void *a, const void *b, size_t len)
{
	return len == 0 || sodium_memcmp(a, b, len) == 0;
}

void
seal_wrap(uint8_t *out, struct span plain, struct span ad,
    const uint8_t nonce[static SEAL_NONCE_BYTES], const uint8_t key[static SEAL_KEY_BYTES])
{
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain.at, plain.len, ad.at,
	    ad.len, NULL, nonce, key);
}

enum err
seal_open(uint8_t *out, struct span sealed, struct span ad,
    const uint8_t nonce[static SEAL_NONCE_BYTES], const uint8_t key[static SEAL_KEY_BYTES])
{
	if (sealed.len < SEAL_TAG_BYTES)
		return ERR_AUTH;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.at, sealed.len,
		ad.at, ad.len, nonce, key) == 0)
		return OK;
	seal_wipe(out, sealed.len - SEAL_TAG_BYTES);
	return ERR_AUTH;
}

void
seal_box_keypair(uint8_t public[static SEAL_PUBLIC_BYTES], uint8_t secret[static SEAL_KEY_BYTES])
{
	(void)crypto_box_curve25519xchacha20poly1305_keypair(public, secret);
}

void
seal_box_public(uint8_t public[static SEAL_PUBLIC_BYTES],
    const uint8_t secret[static SEAL_KEY_BYTES])
{
	(void)crypto_scalarmult_base(public, secret);
}

enum err
seal_box_shared(uint8_t shared[static SEAL_KEY_BYTES],
    const uint8_t their_public[static SEAL_PUBLIC_BYTES],
    const uint8_t my_secret[static SEAL_KEY_BYTES])
{
	if (crypto_box_curve25519xchacha20poly1305_beforenm(shared, their_public, my_secret) == 0)
		return OK;
	seal_wipe(shared, SEAL_KEY_BYTES);
	return ERR_AUTH;
}

void
seal_box_wrap(uint8_t *out, struct span plain, const uint8_t nonce[static SEAL_NONCE_BYTES],
    const uint8_t shared[static SEAL_KEY_BYTES])
{
	(void)crypto_box_curve25519xchacha20poly1305_easy_afternm(out, plain.at, plain.len, nonce,
	    shared);
}

enum err
seal_box_open(uint8_t *out, struct span sealed, const uint8_t nonce[static SEAL_NONCE_BYTES],
    const uint8_t shared[static SEAL_KEY_BYTES])
{
	if (sealed.len < SEAL_TAG_BYTES)
		return ERR_AUTH;
	if (crypto_box_curve25519xchacha20poly1305_open_easy_afternm(out, sealed.at, sealed.len,
		nonce, shared) == 0)
		return OK;
	/* The box checks the tag first and leaves out as it was; the contract says cleared. */
	seal_wipe(out, sealed.len - SEAL_TAG_BYTES);
	return ERR_AUTH;
}

void
seal_sign_keypair(uint8_t public[static SEAL_PUBLIC_BYTES],
    uint8_t secret[static SEAL_SIGN_SECRET_BYTES])
{
	(void)crypto_sign_keypair(public, secret);
}

void
seal_sign_keypair_from(uint8_t public[static SEAL_PUBLIC_BYTES],
    uint8_t secret[static SEAL_SIGN_SECRET_BYTES], const uint8_t seed[static SEAL_SIGN_SEED_BYTES])
{
	(void)crypto_sign_seed_keypair(public, secret, seed);
}

void
seal_sign(uint8_t signature[static SEAL_SIGNATURE_BYTES], struct span message,
    const uint8_t secret[static SEAL_SIGN_SECRET_BYTES])
{
	(void)crypto_sign_detached(signature, NULL, message.at, message.len, secret);
}

enum err
seal_verify(const uint8_t signature[static SEAL_SIGNATURE_BYTES], struct span message,
    const uint8_t public[static SEAL_PUBLIC_BYTES])
{
	if (crypto_sign_verify_detached(signature, message.at, message.len, public) != 0)
		return ERR_AUTH;
	return OK;
}

void
seal_kdf(uint8_t *out, size_t len, uint64_t id, const char context[static SEAL_CONTEXT_CHARS],
    const uint8_t master[static SEAL_KEY_BYTES])
{
	assert(len >= crypto_kdf_BYTES_MIN && len <= crypto_kdf_BYTES_MAX);
	(void)crypto_kdf_derive_from_key(out, len, id, context, master);
}

void
seal_hash(uint8_t *out, size_t len, struct span data, struct span key)
{
	assert(len >= SEAL_HASH_MIN && len <= SEAL_HASH_MAX && key.len <= SEAL_HASH_MAX);
	(void)crypto_generichash(out, len, data.at, data.len, key.at, key.len);
}

enum err
seal_passphrase(uint8_t key[static SEAL_KEY_BYTES], struct span words,
    const uint8_t salt[static SEAL_SALT_BYTES])
{
	if (crypto_pwhash(key, SEAL_KEY_BYTES, (const char *)words.at, words.len, salt,
		crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
		crypto_pwhash_ALG_ARGON2ID13) == 0)
		return OK;
	seal_wipe(key, SEAL_KEY_BYTES);
	return ERR_NOMEM;
}

/*
 * libsodium wants its state on a 64-byte boundary, which malloc does not promise to a struct that
 * holds one. So it is worked on in an aligned copy: 20 ns a call, and ours may lie anywhere.
 */
void
seal_hash_init(struct seal_hash *h, size_t len, struct span key)
{
	crypto_generichash_state s;

	assert(len >= SEAL_HASH_MIN && len <= SEAL_HASH_MAX && key.len <= SEAL_HASH_MAX);
	(void)crypto_generichash_init(&s, key.at, key.len, len);
	memcpy(h->state, &s, sizeof(s));
	h->len = len;
	seal_wipe(&s, sizeof(s));
}

void
seal_hash_update(struct seal_hash *h, struct span data)
{
	crypto_generichash_state s;

	memcpy(&s, h->state, sizeof(s));
	(void)crypto_generichash_update(&s, data.at, data.len);
	memcpy(h->state, &s, sizeof(s));
	seal_wipe(&s, sizeof(s));
}

void
seal_hash_final(struct seal_hash *h, uint8_t *out)
{
	crypto_generichash_state s;

	memcpy(&s, h->state, sizeof(s));
	(void)crypto_generichash_final(&s, out, h->len);
	seal_wipe(&s, sizeof(s));
	seal_wipe(h, sizeof(*h));
}

uint64_t
seal_short_hash(struct span data, const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	uint8_t bytes[crypto_shorthash_BYTES];
	uint64_t v = 0;

	(void)crypto_shorthash(bytes, data.at, data.len, key);
	/* The algorithm's own byte order, so that the published vectors hold on every machine. */
	for (size_t i = sizeof(bytes); i-- > 0;)
		v = v << 8 | bytes[i];
	return v;
}

size_t
seal_padded_len(size_t len, size_t block)
{
	assert(block > 0);
	return (len / block + 1) * block;
}

void
seal_pad(uint8_t *buf, size_t len, size_t total)
{
	assert(total > len);
	buf[len] = 0x80;
	memset(buf + len + 1, 0, total - len - 1);
}

enum err
seal_unpad(struct span padded, struct span *out)
{
	size_t at = padded.len;

	*out = span_of(padded.at, 0);
	while (at > 0 && padded.at[at - 1] == 0)
		at--;
	if (at == 0 || padded.at[at - 1] != 0x80)
		return ERR_FORMAT;
	out->len = at - 1;
	return OK;
}

enum err
seal_vault_init(struct seal_vault *v, size_t cap)
{
	*v = (struct seal_vault){ 0 };
	if (cap == 0 || cap > VAULT_MAX)
		return ERR_RANGE;
	cap = (cap + VAULT_ALIGN - 1) / VAULT_ALIGN * VAULT_ALIGN;
	v->at = sodium_malloc(cap);
	if (v->at == NULL)
		return ERR_NOMEM;
	/* sodium_malloc() has tried this already, but keeps to itself whether it worked. */
	v->locked = sodium_mlock(v->at, cap) == 0;
	v->cap = cap;
	memset(v->at, 0, cap);
	return OK;
}

void *
seal_vault_take(struct seal_vault *v, size_t len)
{
	if (v->frozen || len == 0 || len > v->cap - v->used)
		return NULL;

	uint8_t *at = v->at + v->used;

	/* cap is a multiple of the alignment too, so rounding up cannot pass it. */
	v->used += (len + VAULT_ALIGN - 1) / VAULT_ALIGN * VAULT_ALIGN;
	return at;
}

void
seal_vault_freeze(struct seal_vault *v)
{
	/* Where the kernel refuses, the keys work all the same. */
	if (v->at != NULL)
		(void)sodium_mprotect_readonly(v->at);
	v->frozen = true;
}

void
seal_vault_fini(struct seal_vault *v)
{
	sodium_free(v->at);
	*v = (struct seal_vault){ 0 };
}
