/* SPDX-License-Identifier: MIT */
/* Shared by the files that make up the announcer's engine; of no interest to anybody else. */
#ifndef SERVICES_ANNOUNCE_BEACON_SENDER_PRIV_H
#define SERVICES_ANNOUNCE_BEACON_SENDER_PRIV_H

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_jitter.h"
#include "services/announce/beacon_ring.h"
#include "services/announce/beacon_sender.h"
#include "util/bucket.h"
#include "util/bucket_table.h"

#define BEACON_COPY_STAGES 3
#define BEACON_TURN_MAX 64	/* datagrams sent by one call of wake(): a turn stays bounded */

/* A state on the carousel, or the announcement of our next key. */
struct beacon_published_item {
	uint64_t hash;		/* of the topic */
	uint64_t seq;		/* of the last datagram (its first fragment) */
	mono_us next_at;
	mono_us last_at;
	uint32_t rev;
	uint32_t lifetime_s;	/* wished for */
	uint8_t type;		/* BEACON_STATE, BEACON_KEYROLL */
	uint8_t ctype;
	uint8_t topic_len;
	uint8_t rounds;		/* sent so often, counted up to the end of the first, quick ones */
	uint32_t len;
	uint8_t bytes[];	/* topic, payload */
};

struct beacon_waiting_token {
	uint8_t token[BEACON_TOKEN_BYTES];
	uint64_t base;
};

struct beacon_sender {
	const struct beacon_sender_ops *ops;
	void *ctx;
	const struct beacon_keyring *ring;
	const struct beacon_identity *me;
	struct beacon_jitter jitter;
	struct beacon_when now;

	uint64_t epoch;
	uint64_t seq;			/* last one used */
	struct beacon_ring sent;
	uint64_t copied[BEACON_COPY_STAGES];	/* numbers up to here have had this copy */

	struct beacon_published_item *items[BEACON_ITEMS_MAX];
	size_t item_count;
	size_t item_bytes;
	mono_us items_next;		/* nothing is due before */
	uint32_t list_rev;
	struct bucket states_rate, events_rate;

	mono_us digest_at;
	mono_us digest_last;
	struct beacon_waiting_token tokens[BEACON_TOKENS_MAX];
	size_t token_count;

	struct bucket_table requesters;
	struct bucket requests_rate, repairs_rate, challenges_rate;
	struct beacon_leases *leases;
	bool rolled;			/* our next key has been announced */
	uint64_t lease_seq;

	uint64_t run_id;		/* sender id of our own SOLICIT */
	uint8_t clone_token[BEACON_TOKEN_BYTES];
	mono_us clone_asked;		/* 0: never */
	struct beacon_sender_stats stats;
	struct beacon_opened opened;
};

/* --- beacon_sender.c ------------------------------------------------------------------------- */

/* To every link and lease. */
void beacon_sender_emit(struct beacon_sender *s, struct span dgram);
struct beacon_published_item *beacon_sender_find(struct beacon_sender *s, uint64_t hash);

/* --- beacon_answer.c ------------------------------------------------------------------------- */

enum err beacon_answer_init(struct beacon_sender *s) MUST_CHECK;	/* errors: ERR_NOMEM */

#endif
