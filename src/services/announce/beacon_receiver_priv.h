/* SPDX-License-Identifier: MIT */
/* Shared by the files that make up the subscriber's engine; of no interest to anybody else. */
#ifndef SERVICES_ANNOUNCE_BEACON_RECEIVER_PRIV_H
#define SERVICES_ANNOUNCE_BEACON_RECEIVER_PRIV_H

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_gaps.h"
#include "services/announce/beacon_hold.h"
#include "services/announce/beacon_jitter.h"
#include "services/announce/beacon_parts.h"
#include "services/announce/beacon_receiver.h"
#include "services/announce/beacon_topics.h"
#include "util/bucket.h"
#include "util/bucket_table.h"
#include "util/replay.h"

#define BEACON_TOKENS_KEPT 4
#define BEACON_TOKEN_LIFE 10000000	/* usec in which an echo of a token counts */
#define BEACON_LAPSE 95000000		/* usec of silence: the sender must prove itself again */
#define BEACON_SKEW_MS 300000		/* a clock this near may vouch for an unproven sender */

/*
 * FREE --proof--> LIVE --silence, or another epoch proves itself later--> STALE --proof--> LIVE
 * A proof that needs a place takes a FREE one, else a STALE one, else the one heard longest ago.
 */
enum beacon_slot_state {
	BEACON_SLOT_FREE,
	BEACON_SLOT_LIVE,
	BEACON_SLOT_STALE,
};

/* What is known of one start (epoch) of a sender. */
struct beacon_slot {
	uint64_t epoch;
	uint64_t base;		/* numbers up to here are of no interest */
	uint64_t rolled_at;	/* number of its KEYROLL, the lowest heard; 0: none */
	mono_us heard_at;
	struct replay window;
	uint32_t proof;		/* serial of the last token echoed */
	uint8_t state;
};

/* A trusted sender; its place is that of its key in the trust table. Two slots: old and new while
 * a restart is being noticed, or two machines that share an identity. */
struct beacon_peer {
	struct beacon_slot slots[2];
	mono_us solicit_at;	/* no SOLICIT because of this sender before */
	uint32_t list_rev;	/* the listing being put together */
	uint32_t list_pages;	/* bit per page of it */
	uint32_t source;	/* hash of where it was last heard */
	uint8_t solicit_tries;
	bool solicit_wanted;
	uint8_t heir;		/* place of the key that replaces this one, counted from 1 */
	bool twins : 1;		/* both slots are alive */
	bool listed : 1;	/* a whole listing of its current start has come, and found room */
	bool crowded : 1;	/* some of the listing being put together has found no place */
};

_Static_assert(sizeof(struct beacon_peer) + sizeof(uint64_t) <= 400, "promised per known sender");

struct beacon_token {
	uint8_t bytes[BEACON_TOKEN_BYTES];
	uint32_t serial;	/* 0: none */
	mono_us at;
};

struct beacon_receiver {
	const struct beacon_receiver_ops *ops;
	void *ctx;
	const struct beacon_keyring *ring;
	struct beacon_jitter jitter;
	struct beacon_when now;
	mono_us started;

	uint64_t ids[BEACON_TRUST_MAX];		/* of trust.senders, close together */
	struct beacon_peer peers[BEACON_TRUST_MAX];
	struct beacon_trust trust;

	struct beacon_token tokens[BEACON_TOKENS_KEPT];
	uint32_t token_serial;
	mono_us join_at;
	unsigned join_tries;
	uint64_t run_id;			/* sender id of our requests */
	uint64_t run_seq;

	struct bucket_table sources;
	struct bucket all;
	struct bucket refusals;			/* lines about refused datagrams */
	/* once: others may have a group of their own here */
	bool told_unsealed, told_unknown_key;
	uint64_t counts[BEACON_COUNTS];

	struct beacon_gaps gaps;
	struct beacon_topics topics;
	struct beacon_hold hold;
	struct beacon_parts parts;
	struct beacon_opened opened;		/* the datagram in work */
};

/* --- beacon_receiver.c ----------------------------------------------------------------------- */

/* A verified datagram of a live slot: window, gaps, content. */
void beacon_receiver_accept(struct beacon_receiver *r, size_t who, struct beacon_slot *slot,
    const struct beacon_opened *o);
void beacon_receiver_request(struct beacon_receiver *r, uint8_t type, struct span body);
size_t beacon_receiver_find(const struct beacon_receiver *r, uint64_t sender);

/* --- beacon_proof.c -------------------------------------------------------------------------- */

struct beacon_slot *beacon_proof_slot(struct beacon_peer *p, uint64_t epoch);
/* The slot is alive at this instant; silence makes it stale here. */
bool beacon_proof_live(struct beacon_receiver *r, struct beacon_peer *p, struct beacon_slot *slot);
/* Put the opened datagram in quarantine and ask its sender for proof. */
void beacon_proof_hold(struct beacon_receiver *r, size_t who);
/* Look for an echo of our tokens in a verified DIGEST; if there is one, release what was held. */
void beacon_proof_digest(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    const struct beacon_digest *d);
/* Send SOLICITs that are due and decide about what was held too long; gives the next instant. */
mono_us beacon_proof_wake(struct beacon_receiver *r);

/* --- beacon_news.c --------------------------------------------------------------------------- */

/* Content of a datagram that has passed the window (or, unconfirmed, has not). */
void beacon_news_item(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    struct span body, bool confirmed);
void beacon_news_digest(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    const struct beacon_digest *d);
void beacon_news_keyroll(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    struct span body);
/* Pin the key that an unknown sender's DIGEST carries. True where it is known from now on. */
bool beacon_news_tofu(struct beacon_receiver *r, const struct beacon_opened *o);
void beacon_news_gap(struct beacon_receiver *r, uint64_t sender, uint64_t epoch, uint64_t first,
    uint64_t last);
void beacon_news_refused(struct beacon_receiver *r, const struct beacon_hdr *h, const char *reason);
void beacon_news_notice(struct beacon_receiver *r, size_t who, const char *reason,
    struct span detail);
/* States whose lifetime is over. */
void beacon_news_expire(struct beacon_receiver *r);

#endif
