/* SPDX-License-Identifier: MIT */
/*
 * The beacon protocol on the wire: header and bodies, bytes to struct and back. No keys here:
 * beacon_crypt opens and seals what this file reads and writes. The format in words, with test
 * vectors, is docs/beacon-format.md.
 *
 *   datagram   header (80 bytes and extensions) | body
 *   body       plaintext | signature 64, where SIGNED; all of it encrypted with a tag of 16 behind
 *              it, where SEALED
 */
#ifndef SERVICES_ANNOUNCE_BEACON_MSG_H
#define SERVICES_ANNOUNCE_BEACON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define BEACON_VERSION 1
#define BEACON_PORT 7665		/* UDP, unassigned at IANA when it was chosen */
#define BEACON_GROUP4 "239.255.76.65"	/* RFC 2365 local scope */
#define BEACON_GROUP6 "ff12::4c41:4e21"	/* link-local, not permanently assigned: RFC 4291 §2.7 */

#define BEACON_HDR_BYTES 80		/* without extensions */
#define BEACON_DGRAM_MAX 1232		/* bytes: 1280 less IPv6 and UDP: never fragmented */
#define BEACON_PAYLOAD_MAX 1000		/* bytes of payload in one datagram */
#define BEACON_TOPIC_MAX 64
#define BEACON_FRAGS_MAX 16
#define BEACON_MESSAGE_MAX (BEACON_FRAGS_MAX * BEACON_PAYLOAD_MAX)
#define BEACON_NONCE_BYTES 24
#define BEACON_TOKEN_BYTES 16
#define BEACON_TOKENS_MAX 8		/* answered by one DIGEST */
#define BEACON_ENTRIES_MAX 40		/* topics listed by one DIGEST */
#define BEACON_PAGES_MAX 32		/* DIGESTs that make up one listing */
#define BEACON_RANGES_MAX 32		/* of one NACK */
#define BEACON_PULLS_MAX 48		/* topics asked for by one NACK */
#define BEACON_RANGE_LEN_MAX 1024	/* datagrams in one range: the replay window */

enum beacon_type {
	BEACON_EVENT = 1,	/* something happened */
	BEACON_STATE = 2,	/* something is so until lifetime_s is over */
	BEACON_WITHDRAW = 3,	/* a state is no more */
	BEACON_DIGEST = 4,	/* what the sender has sent: heartbeat and proof of life */
	BEACON_NACK = 5,	/* a subscriber misses something */
	BEACON_SOLICIT = 6,	/* a subscriber asks for a DIGEST that echoes its token */
	BEACON_LEASE = 7,	/* unicast copies for a subscriber that multicast does not reach */
	BEACON_KEYROLL = 8,	/* the sender's next key, signed by both */
};

enum beacon_flag {
	BEACON_SEALED = 1,
	BEACON_SIGNED = 2,
	BEACON_FRAG = 4,
	BEACON_NOCLOCK = 8,	/* time_ms counts from an unknown instant; differences still hold */
	BEACON_FLAGS_KNOWN = 15,
};

struct beacon_hdr {
	uint8_t version;	/* highest that the writer speaks */
	uint8_t min_version;	/* lowest that a reader must speak */
	uint8_t type;		/* enum beacon_type; others belong to later versions */
	uint8_t flags;
	uint16_t hdr_len;	/* bytes, extensions included */
	uint16_t body_len;
	uint32_t key_id;	/* group key; 0 where not sealed */
	uint64_t sender;	/* id of the sender's key; of the run where the type is a request */
	uint64_t epoch;		/* one per start of the sender */
	uint64_t seq;		/* from 1, one per datagram */
	uint64_t time_ms;	/* sender's clock, since 1970 unless NOCLOCK */
	uint8_t nonce[BEACON_NONCE_BYTES];
	uint32_t lifetime_s;
	uint8_t frag_index;
	uint8_t frag_count;	/* 1: whole */
};

/*
 * Read and check a header. Unknown types pass, so that they can be counted by name.
 *
 * errors  ERR_SHORT, ERR_TRAILING (lengths and datagram disagree), ERR_FORMAT (not ours: magic),
 *	   ERR_UNSUPPORTED (min_version above ours), ERR_RANGE (a field outside its rules)
 */
enum err beacon_hdr_parse(struct beacon_hdr *out, struct span dgram) MUST_CHECK;

/* Write a header of 80 bytes; magic, version and lengths are taken from h. */
void beacon_hdr_put(struct wire_wr *wr, const struct beacon_hdr *h);

/* NACK, SOLICIT and LEASE come from whoever holds the group key and carry no signature. */
bool beacon_type_is_request(uint8_t type);

/* Bytes that follow the plaintext: signature and tag as the flags say. */
size_t beacon_overhead(uint8_t flags);

/* 1 to 64 printable ASCII characters without blank, "*" and "?". */
bool beacon_topic_ok(struct span topic);

/* --- bodies: parse borrows from its input, put writes what parse reads ----------------------- */

/* EVENT, STATE, WITHDRAW. */
struct beacon_item {
	struct span topic;
	uint8_t ctype;		/* enum beacon_ctype */
	uint32_t rev;		/* revision of a state, RFC 1982 arithmetic */
	struct span payload;
};

enum beacon_ctype {
	BEACON_CTYPE_TXT = 0,	/* RFC 6763 pairs; the others are carried and never parsed */
	BEACON_CTYPE_OPAQUE = 1,
	BEACON_CTYPE_CBOR = 2,
	BEACON_CTYPE_JSON = 3,
};

enum err beacon_item_parse(struct beacon_item *out, struct span body) MUST_CHECK;
void beacon_item_put(struct wire_wr *wr, const struct beacon_item *item);

struct beacon_echo {
	uint8_t token[BEACON_TOKEN_BYTES];
	uint64_t base;		/* last seq sent before the token came: later ones are fresh */
};

struct beacon_entry {
	uint64_t topic;		/* beacon_topic_hash() */
	uint32_t rev;
	uint64_t seq;		/* last datagram that carried it (the first of its fragments) */
};

struct beacon_digest {
	uint8_t key[32];	/* the sender's public key */
	uint64_t repair_from;	/* lowest seq that can still be asked for */
	uint32_t list_rev;	/* changes with every change of the list */
	uint8_t page;
	uint8_t pages;		/* 1 or more */
	uint8_t echo_count;
	uint8_t entry_count;
	struct beacon_echo echoes[BEACON_TOKENS_MAX];
	struct beacon_entry entries[BEACON_ENTRIES_MAX];
};

enum err beacon_digest_parse(struct beacon_digest *out, struct span body) MUST_CHECK;
void beacon_digest_put(struct wire_wr *wr, const struct beacon_digest *d);

struct beacon_range {
	uint64_t first;
	uint16_t count;		/* 1 to BEACON_RANGE_LEN_MAX */
};

struct beacon_nack {
	uint64_t target;	/* sender asked */
	uint64_t epoch;
	uint8_t range_count;
	uint8_t pull_count;
	struct beacon_range ranges[BEACON_RANGES_MAX];
	uint64_t pulls[BEACON_PULLS_MAX];	/* topic hashes: send these states again */
};

enum err beacon_nack_parse(struct beacon_nack *out, struct span body) MUST_CHECK;
void beacon_nack_put(struct wire_wr *wr, const struct beacon_nack *n);

struct beacon_solicit {
	uint8_t token[BEACON_TOKEN_BYTES];
	uint64_t target;	/* 0: every sender */
};

enum err beacon_solicit_parse(struct beacon_solicit *out, struct span body) MUST_CHECK;
void beacon_solicit_put(struct wire_wr *wr, const struct beacon_solicit *s);

enum beacon_lease_kind {
	BEACON_LEASE_ASK = 1,		/* subscriber: please */
	BEACON_LEASE_CHALLENGE = 2,	/* sender: prove that you are there */
	BEACON_LEASE_CONFIRM = 3,	/* subscriber: with the cookie of the challenge */
	BEACON_LEASE_GRANT = 4,		/* sender: for so many seconds */
	BEACON_LEASE_END = 5,		/* subscriber: no more */
};

/* All kinds have one length, so that an answer is never longer than what asked for it. */
struct beacon_lease {
	uint8_t kind;
	uint32_t seconds;
	uint64_t target;		/* 0 in ASK: whoever is at that address */
	uint8_t cookie[BEACON_TOKEN_BYTES];
};

enum err beacon_lease_parse(struct beacon_lease *out, struct span body) MUST_CHECK;
void beacon_lease_put(struct wire_wr *wr, const struct beacon_lease *l);

struct beacon_keyroll {
	uint8_t key[32];	/* the next public key */
	uint8_t proof[64];	/* by the next key, over beacon_keyroll_text() */
};

enum err beacon_keyroll_parse(struct beacon_keyroll *out, struct span body) MUST_CHECK;
void beacon_keyroll_put(struct wire_wr *wr, const struct beacon_keyroll *k);

/* What the next key signs: "LAN!roll", the old public key, the new one. */
#define BEACON_KEYROLL_TEXT (8 + 32 + 32)
void beacon_keyroll_text(uint8_t out[static BEACON_KEYROLL_TEXT], const uint8_t old_key[static 32],
    const uint8_t new_key[static 32]);

/* Lower-case name of a type for logs and listings; "unknown" for others. */
const char *beacon_type_text(uint8_t type);

#endif
