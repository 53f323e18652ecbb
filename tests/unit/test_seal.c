/* SPDX-License-Identifier: MIT */
#include "util/seal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

#define TEXT_MAX 128

/* Turn "00ff" into bytes; gives how many. */
static size_t
bytes_of(uint8_t *out, const char *hex)
{
	size_t n = 0;
	unsigned v;

	for (; sscanf(hex, "%2x", &v) == 1; hex += 2)
		out[n++] = (uint8_t)v;
	return n;
}

static bool
same(const uint8_t *got, const char *hex)
{
	uint8_t want[256];

	return memcmp(got, want, bytes_of(want, hex)) == 0;
}

static const char sunscreen[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
				"only one tip for the future, sunscreen would be it.";

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1 */
static void
sealing_gives_the_published_bytes(void)
{
	static const char want[] =
	    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
	    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
	    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
	    "21f9664c97637da9768812f615c68b13b52e"
	    "c0875924c1c7987947deafd8780acf49";
	uint8_t key[SEAL_KEY_BYTES], nonce[SEAL_NONCE_BYTES], ad[12];
	uint8_t out[TEXT_MAX + SEAL_TAG_BYTES], back[TEXT_MAX];
	struct span plain = span_str(sunscreen);

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(0x40 + i);
	bytes_of(ad, "50515253c0c1c2c3c4c5c6c7");

	seal_wrap(out, plain, span_of(ad, sizeof(ad)), nonce, key);
	CU_ASSERT_TRUE(same(out, want));

	struct span sealed = span_of(out, plain.len + SEAL_TAG_BYTES);

	CU_ASSERT_EQUAL(seal_open(back, sealed, span_of(ad, sizeof(ad)), nonce, key), OK);
	CU_ASSERT_TRUE(span_equal(span_of(back, plain.len), plain));
}

/* A random key, nonce, message and header, sealed. */
struct sealed {
	uint8_t key[SEAL_KEY_BYTES], nonce[SEAL_NONCE_BYTES], ad[20];
	uint8_t bytes[40 + SEAL_TAG_BYTES];
	uint8_t out[40];
};

static void
make_sealed(struct sealed *s)
{
	seal_random(s, sizeof(*s));
	seal_wrap(s->bytes, span_of(s->bytes, 40), span_of(s->ad, sizeof(s->ad)), s->nonce, s->key);
}

static enum err
open_sealed(struct sealed *s)
{
	return seal_open(s->out, span_of(s->bytes, sizeof(s->bytes)), span_of(s->ad, sizeof(s->ad)),
	    s->nonce, s->key);
}

static bool
is_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static void
every_flipped_bit_is_refused_and_the_output_cleared(void)
{
	struct sealed s;
	uint8_t *parts[] = { s.key, s.nonce, s.ad, s.bytes };
	size_t lens[] = { sizeof(s.key), sizeof(s.nonce), sizeof(s.ad), sizeof(s.bytes) };

	make_sealed(&s);
	CU_ASSERT_EQUAL(open_sealed(&s), OK);
	CU_ASSERT_FALSE(is_zero(s.out, sizeof(s.out)));
	for (size_t part = 0; part < 4; part++) {
		for (size_t bit = 0; bit < lens[part] * 8; bit++) {
			parts[part][bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(s.out, 0xaa, sizeof(s.out));
			CU_ASSERT_EQUAL(open_sealed(&s), ERR_AUTH);
			CU_ASSERT_TRUE(is_zero(s.out, sizeof(s.out)));
			parts[part][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	CU_ASSERT_EQUAL(open_sealed(&s), OK);
}

static void
every_truncation_is_refused(void)
{
	struct sealed s;

	make_sealed(&s);
	for (size_t len = 0; len < sizeof(s.bytes); len++)
		CU_ASSERT_EQUAL(seal_open(s.out, span_of(s.bytes, len),
				    span_of(s.ad, sizeof(s.ad)), s.nonce, s.key),
		    ERR_AUTH);
}

static void
an_empty_message_still_binds_its_header(void)
{
	uint8_t key[SEAL_KEY_BYTES] = { 1 }, nonce[SEAL_NONCE_BYTES] = { 2 }, tag[SEAL_TAG_BYTES];
	struct span none = span_of(NULL, 0), sealed = span_of(tag, sizeof(tag));
	uint8_t out[1];

	seal_wrap(tag, none, span_str("head"), nonce, key);
	CU_ASSERT_EQUAL(seal_open(out, sealed, span_str("head"), nonce, key), OK);
	CU_ASSERT_EQUAL(seal_open(out, sealed, span_str("heat"), nonce, key), ERR_AUTH);
	CU_ASSERT_EQUAL(seal_open(out, sealed, none, nonce, key), ERR_AUTH);
}

static void
opening_in_place_works(void)
{
	struct sealed s;
	uint8_t plain[40];

	make_sealed(&s);
	CU_ASSERT_EQUAL(open_sealed(&s), OK);
	memcpy(plain, s.out, sizeof(plain));
	CU_ASSERT_EQUAL(seal_open(s.bytes, span_of(s.bytes, sizeof(s.bytes)),
			    span_of(s.ad, sizeof(s.ad)), s.nonce, s.key),
	    OK);
	CU_ASSERT_EQUAL(memcmp(s.bytes, plain, sizeof(plain)), 0);
}

static void
a_box_opens_at_the_other_end_only(void)
{
	uint8_t pk[3][SEAL_PUBLIC_BYTES], sk[3][SEAL_KEY_BYTES], shared[3][SEAL_KEY_BYTES];
	uint8_t nonce[SEAL_NONCE_BYTES], sealed[9 + SEAL_TAG_BYTES], out[9];
	struct span box = span_of(sealed, sizeof(sealed));

	for (size_t i = 0; i < 3; i++)
		seal_box_keypair(pk[i], sk[i]);
	seal_random(nonce, sizeof(nonce));
	CU_ASSERT_EQUAL(seal_box_shared(shared[0], pk[1], sk[0]), OK);
	CU_ASSERT_EQUAL(seal_box_shared(shared[1], pk[0], sk[1]), OK);
	CU_ASSERT_EQUAL(seal_box_shared(shared[2], pk[0], sk[2]), OK);
	CU_ASSERT_TRUE(seal_equal(shared[0], shared[1], SEAL_KEY_BYTES));

	seal_box_wrap(sealed, span_str("nine char"), nonce, shared[0]);
	CU_ASSERT_EQUAL(seal_box_open(out, box, nonce, shared[1]), OK);
	CU_ASSERT_TRUE(span_equal(span_of(out, 9), span_str("nine char")));
	CU_ASSERT_EQUAL(seal_box_open(out, box, nonce, shared[2]), ERR_AUTH);
	CU_ASSERT_TRUE(is_zero(out, sizeof(out)));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		CU_ASSERT_EQUAL(seal_box_open(out, box, nonce, shared[1]), ERR_AUTH);
		sealed[i] ^= 1;
	}
	CU_ASSERT_EQUAL(seal_box_open(out, span_of(sealed, SEAL_TAG_BYTES - 1), nonce, shared[1]),
	    ERR_AUTH);
}

static void
a_public_key_of_low_order_is_refused(void)
{
	uint8_t pk[SEAL_PUBLIC_BYTES] = { 0 }, sk[SEAL_KEY_BYTES], shared[SEAL_KEY_BYTES];

	seal_random(sk, sizeof(sk));
	CU_ASSERT_EQUAL(seal_box_shared(shared, pk, sk), ERR_AUTH);
	pk[0] = 1;
	CU_ASSERT_EQUAL(seal_box_shared(shared, pk, sk), ERR_AUTH);
	CU_ASSERT_TRUE(is_zero(shared, sizeof(shared)));
}

static void
a_public_key_follows_from_its_secret(void)
{
	uint8_t pk[SEAL_PUBLIC_BYTES], again[SEAL_PUBLIC_BYTES], sk[SEAL_KEY_BYTES];

	seal_box_keypair(pk, sk);
	seal_box_public(again, sk);
	CU_ASSERT_EQUAL(memcmp(pk, again, sizeof(pk)), 0);
}

/* RFC 8032 §7.1, test 1 */
static void
signing_gives_the_published_bytes(void)
{
	uint8_t seed[SEAL_SIGN_SEED_BYTES], pk[SEAL_PUBLIC_BYTES], sk[SEAL_SIGN_SECRET_BYTES];
	uint8_t signature[SEAL_SIGNATURE_BYTES];

	bytes_of(seed, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
	seal_sign_keypair_from(pk, sk, seed);
	CU_ASSERT_TRUE(
	    same(pk, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
	seal_sign(signature, span_of(NULL, 0), sk);
	CU_ASSERT_TRUE(same(signature,
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
	    "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
	CU_ASSERT_EQUAL(seal_verify(signature, span_of(NULL, 0), pk), OK);
}

static void
a_signature_fits_one_message_and_one_signer(void)
{
	uint8_t pk[2][SEAL_PUBLIC_BYTES], sk[2][SEAL_SIGN_SECRET_BYTES];
	uint8_t signature[SEAL_SIGNATURE_BYTES];

	seal_sign_keypair(pk[0], sk[0]);
	seal_sign_keypair(pk[1], sk[1]);
	seal_sign(signature, span_str("door=open"), sk[0]);
	CU_ASSERT_EQUAL(seal_verify(signature, span_str("door=open"), pk[0]), OK);
	CU_ASSERT_EQUAL(seal_verify(signature, span_str("door=oper"), pk[0]), ERR_AUTH);
	CU_ASSERT_EQUAL(seal_verify(signature, span_str("door=open"), pk[1]), ERR_AUTH);
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 0x10;
		CU_ASSERT_EQUAL(seal_verify(signature, span_str("door=open"), pk[0]), ERR_AUTH);
		signature[i] ^= 0x10;
	}
}

static void
a_derived_key_depends_on_id_context_and_master(void)
{
	uint8_t master[SEAL_KEY_BYTES], key[4][SEAL_KEY_BYTES];

	for (size_t i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)i;
	seal_kdf(key[0], SEAL_KEY_BYTES, 7, "announce", master);
	/* BLAKE2b with the id as salt and the context as personalisation. */
	CU_ASSERT_TRUE(
	    same(key[0], "63e35bfd60e906b3f15ce3389e280681f47539e0a2a88391d9bd16baa088c81d"));
	seal_kdf(key[1], SEAL_KEY_BYTES, 8, "announce", master);
	seal_kdf(key[2], SEAL_KEY_BYTES, 7, "transfer", master);
	master[31] ^= 1;
	seal_kdf(key[3], SEAL_KEY_BYTES, 7, "announce", master);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_FALSE(seal_equal(key[i], key[j], SEAL_KEY_BYTES));
}

static void
hashing_gives_the_published_bytes(void)
{
	uint8_t out[SEAL_HASH_MAX], key[SEAL_HASH_MAX];

	seal_hash(out, sizeof(out), span_str("abc"), span_of(NULL, 0));
	CU_ASSERT_TRUE(same(out,
	    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	seal_hash(out, sizeof(out), span_of(NULL, 0), span_of(key, sizeof(key)));
	CU_ASSERT_TRUE(same(out,
	    "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
	    "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"));
}

static void
a_hash_in_pieces_is_the_hash_of_the_whole(void)
{
	/* One byte off every boundary: the state may lie anywhere. */
	uint8_t room[sizeof(struct seal_hash) + 1], data[1000], whole[SEAL_HASH_BYTES];
	struct seal_hash *h = malloc(sizeof(*h));
	struct span key = span_str("a key of 16 char");

	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	seal_random(data, sizeof(data));
	seal_hash(whole, sizeof(whole), span_of(data, sizeof(data)), key);
	for (size_t piece = 1; piece <= sizeof(data); piece = piece * 3 + 1) {
		uint8_t out[SEAL_HASH_BYTES];

		seal_hash_init(h, sizeof(out), key);
		for (size_t at = 0; at < sizeof(data); at += piece) {
			size_t left = sizeof(data) - at;

			seal_hash_update(h, span_of(data + at, left < piece ? left : piece));
			memcpy(room + 1, h, sizeof(*h));
			memcpy(h, room + 1, sizeof(*h));
		}
		seal_hash_final(h, out);
		CU_ASSERT_TRUE(seal_equal(out, whole, sizeof(out)));
		CU_ASSERT_TRUE(is_zero(h->state, sizeof(h->state)));
	}
	free(h);
}

/* The vectors of the SipHash paper, appendix A, and of its reference code. */
static void
the_short_hash_gives_the_published_numbers(void)
{
	uint8_t key[SEAL_SHORT_KEY_BYTES], data[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		data[i] = i;
	CU_ASSERT_EQUAL(seal_short_hash(span_of(data, 15), key), UINT64_C(0xa129ca6149be45e5));
	CU_ASSERT_EQUAL(seal_short_hash(span_of(data, 0), key), UINT64_C(0x726fdb47dd0e0e31));
}

static void
padding_comes_off_as_it_went_on(void)
{
	uint8_t buf[300];
	struct span out;

	CU_ASSERT_EQUAL(seal_padded_len(0, 64), 64);
	CU_ASSERT_EQUAL(seal_padded_len(63, 64), 64);
	CU_ASSERT_EQUAL(seal_padded_len(64, 64), 128);
	for (size_t len = 0; len < 256; len++) {
		size_t total = seal_padded_len(len, 64);

		memset(buf, 0xff, sizeof(buf));
		seal_pad(buf, len, total);
		CU_ASSERT_EQUAL(buf[total], 0xff);
		CU_ASSERT_EQUAL(seal_unpad(span_of(buf, total), &out), OK);
		CU_ASSERT_EQUAL(out.len, len);
		CU_ASSERT_PTR_EQUAL(out.at, buf);
	}
}

static void
padding_inside_the_message_is_kept(void)
{
	uint8_t buf[8] = { 'a', 0x80, 0, 0x80, 0 };
	struct span out;

	seal_pad(buf, 5, sizeof(buf));
	CU_ASSERT_EQUAL(seal_unpad(span_of(buf, sizeof(buf)), &out), OK);
	CU_ASSERT_EQUAL(out.len, 5);
}

static void
missing_padding_is_refused(void)
{
	/* What lies before the span is not looked at. */
	uint8_t zeros[64] = { 0x80 };
	struct span out;

	CU_ASSERT_EQUAL(seal_unpad(span_of(zeros + 1, sizeof(zeros) - 1), &out), ERR_FORMAT);
	CU_ASSERT_EQUAL(seal_unpad(span_of(zeros + 1, 0), &out), ERR_FORMAT);
	CU_ASSERT_EQUAL(seal_unpad(span_str("text"), &out), ERR_FORMAT);
	CU_ASSERT_EQUAL(out.len, 0);
}

static void
comparing_and_wiping_do_what_they_say(void)
{
	uint8_t a[33], b[33];

	seal_random(a, sizeof(a));
	memcpy(b, a, sizeof(a));
	CU_ASSERT_TRUE(seal_equal(a, b, sizeof(a)));
	b[32] ^= 0x80;
	CU_ASSERT_FALSE(seal_equal(a, b, sizeof(a)));
	CU_ASSERT_TRUE(seal_equal(a, b, 32));
	CU_ASSERT_TRUE(seal_equal(NULL, NULL, 0));
	seal_wipe(a, 32);
	CU_ASSERT_TRUE(is_zero(a, 32));
	CU_ASSERT_EQUAL(a[32], b[32] ^ 0x80);
	seal_wipe(NULL, 0);
}

static void
a_vault_hands_out_separate_zeroed_pieces_until_full(void)
{
	struct seal_vault v;

	CU_ASSERT_EQUAL(seal_vault_init(&v, 0), ERR_RANGE);
	CU_ASSERT_EQUAL(seal_vault_init(&v, SIZE_MAX), ERR_RANGE);
	CU_ASSERT_EQUAL_FATAL(seal_vault_init(&v, 70), OK);

	uint8_t *a = seal_vault_take(&v, 33);

	CU_ASSERT_PTR_NULL(seal_vault_take(&v, SIZE_MAX));
	CU_ASSERT_PTR_NULL(seal_vault_take(&v, 0));

	uint8_t *b = seal_vault_take(&v, 32);

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_TRUE(is_zero(a, 33) && is_zero(b, 32));
	memset(a, 1, 33);
	CU_ASSERT_TRUE(is_zero(b, 32));
	memset(b, 2, 32);
	CU_ASSERT_EQUAL(a[32], 1);
	CU_ASSERT_PTR_NULL(seal_vault_take(&v, 1));
	seal_vault_fini(&v);
	seal_vault_fini(&v);
	CU_ASSERT_PTR_NULL(seal_vault_take(&v, 1));
}

static void
a_vault_works_where_memory_may_not_be_locked(void)
{
	struct rlimit was, none;
	struct seal_vault v;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_MEMLOCK, &was), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = was.rlim_max };
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	CU_ASSERT_EQUAL_FATAL(seal_vault_init(&v, 64), OK);
	/* root is above the limit */
	CU_ASSERT_TRUE(geteuid() == 0 || !v.locked);

	uint8_t *key = seal_vault_take(&v, SEAL_KEY_BYTES);

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	seal_random(key, SEAL_KEY_BYTES);
	seal_vault_fini(&v);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_MEMLOCK, &was), 0);
}

static void
a_frozen_vault_is_read_only(void)
{
	struct seal_vault v;

	CU_ASSERT_EQUAL_FATAL(seal_vault_init(&v, 64), OK);

	volatile uint8_t *key = seal_vault_take(&v, SEAL_KEY_BYTES);

	CU_ASSERT_PTR_NOT_NULL_FATAL((uint8_t *)key);
	key[0] = 42;
	seal_vault_freeze(&v);
	CU_ASSERT_EQUAL(key[0], 42);
	CU_ASSERT_PTR_NULL(seal_vault_take(&v, 1));
	fflush(NULL);

	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		key[0] = 43;
		_exit(0);
	}

	int status = 0;

	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFSIGNALED(status));
	seal_vault_fini(&v);
}

static void
getting_ready_twice_is_fine(void)
{
	CU_ASSERT_EQUAL(seal_init(), OK);
	CU_ASSERT_EQUAL(seal_init(), OK);
}

UNIT_MAIN("seal", UNIT(getting_ready_twice_is_fine), UNIT(sealing_gives_the_published_bytes),
    UNIT(every_flipped_bit_is_refused_and_the_output_cleared), UNIT(every_truncation_is_refused),
    UNIT(an_empty_message_still_binds_its_header), UNIT(opening_in_place_works),
    UNIT(a_box_opens_at_the_other_end_only), UNIT(a_public_key_of_low_order_is_refused),
    UNIT(a_public_key_follows_from_its_secret), UNIT(signing_gives_the_published_bytes),
    UNIT(a_signature_fits_one_message_and_one_signer),
    UNIT(a_derived_key_depends_on_id_context_and_master), UNIT(hashing_gives_the_published_bytes),
    UNIT(a_hash_in_pieces_is_the_hash_of_the_whole),
    UNIT(the_short_hash_gives_the_published_numbers), UNIT(padding_comes_off_as_it_went_on),
    UNIT(padding_inside_the_message_is_kept), UNIT(missing_padding_is_refused),
    UNIT(comparing_and_wiping_do_what_they_say),
    UNIT(a_vault_hands_out_separate_zeroed_pieces_until_full),
    UNIT(a_vault_works_where_memory_may_not_be_locked), UNIT(a_frozen_vault_is_read_only))
