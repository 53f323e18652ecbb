/* SPDX-License-Identifier: MIT */
/*
 * The subscriber's engine: datagrams in, news out. It decides what is new, whole, authentic and
 * alive; it asks for what is missing and reports what cannot be had. No sockets and no clock.
 *
 * A sender is believed once it has proven to be alive: it must echo a random token of ours in a
 * signed DIGEST. Until then what it says is held back, for 2 s at most; see docs/beacon-format.md.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_RECEIVER_H
#define SERVICES_ANNOUNCE_BEACON_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_msg.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define BEACON_STATE_MAX 131072	/* bytes of what beacon_receiver_save() writes, at most */

struct beacon_receiver;

struct beacon_when {
	mono_us mono;
	int64_t wall_ms;	/* since 1970; 0: this machine does not know */
};

enum beacon_news {
	BEACON_NEWS_EVENT,
	BEACON_NEWS_STATE,	/* new or changed; repetitions are not news */
	BEACON_NEWS_WITHDRAW,	/* reason: withdrawn, expired, unlisted */
	BEACON_NEWS_GAP,	/* first to last are lost for good */
	BEACON_NEWS_REFUSED,	/* it came, and reason says why it does not count */
	BEACON_NEWS_NOTICE,	/* about a sender: reason says what */
};

/* Valid during the call. */
struct beacon_delivery {
	enum beacon_news news;
	bool confirmed;		/* the sender is known to be alive; else event or state */
	const char *reason;	/* NULL where there is none */
	const char *name;	/* of the sender in the trust file; NULL for strangers */
	uint64_t sender, epoch, seq;
	uint64_t time_ms;	/* sender's clock; 0: it has none */
	struct span topic;
	uint8_t ctype;
	uint32_t rev;
	struct span payload;
	uint64_t first, last;	/* gap */
};

struct beacon_receiver_ops {
	void (*deliver)(void *ctx, const struct beacon_delivery *d);
	/* A request for all links (and for the lessor, where there is a lease). */
	void (*send)(void *ctx, struct span dgram);
};

struct beacon_receiver_opts {
	const struct beacon_receiver_ops *ops;
	void *ctx;
	const struct beacon_keyring *ring;	/* stays the caller's and in place */
	const struct beacon_trust *trust;	/* copied */
	uint64_t seed;				/* spreads timers */
	struct beacon_when now;
};

/* What has become of datagrams, and of what they carried. Order of beacon_receiver_count_name(). */
enum beacon_count {
	BEACON_C_RECEIVED,
	BEACON_C_NOT_OURS,	/* another magic */
	BEACON_C_MALFORMED,
	BEACON_C_VERSION,	/* min_version above ours */
	BEACON_C_UNKNOWN_TYPE,
	BEACON_C_REQUEST,	/* of other subscribers */
	BEACON_C_UNSEALED,	/* in a sealed group */
	BEACON_C_UNKNOWN_KEY,
	BEACON_C_DUPLICATE,
	BEACON_C_FORGED,	/* the seal does not open */
	BEACON_C_OVER_BUDGET,
	BEACON_C_UNKNOWN_SENDER,
	BEACON_C_BAD_SIGNATURE,
	BEACON_C_HELD,		/* waits for its sender's proof */
	BEACON_C_ACCEPTED,
	/* fates after that */
	BEACON_C_UNCONFIRMED,	/* shown although the proof did not come */
	BEACON_C_UNPROVEN,	/* dropped because the proof did not come */
	BEACON_C_TOO_OLD,	/* from before we listened, or lifetime over */
	BEACON_C_TOPIC_DENIED,
	BEACON_C_MISSED,	/* numbers skipped at first */
	BEACON_C_REPAIRED,	/* of these came after all */
	BEACON_C_LOST,		/* of these reported as lost */
	BEACON_C_NACKS,
	BEACON_C_SOLICITS,
	BEACON_C_PROOFS,
	BEACON_C_CLONES,
	BEACON_C_TRUST_FULL,	/* no room for one more pinned key */
	BEACON_C_KEY_REPLACED,	/* said with a key after its successor was named */
	BEACON_COUNTS,
};

/* Errors: ERR_NOMEM. */
enum err beacon_receiver_new(struct beacon_receiver **out,
    const struct beacon_receiver_opts *o) MUST_CHECK;
void beacon_receiver_free(struct beacon_receiver *r);

/* Take in a datagram. Gives its fate: one of the counts up to BEACON_C_ACCEPTED. */
enum beacon_count beacon_receiver_input(struct beacon_receiver *r, const struct beacon_when *now,
    struct span dgram, const struct addr *from);

/* Do what is due; gives the next instant. Call after each batch of input as well. */
mono_us beacon_receiver_wake(struct beacon_receiver *r, const struct beacon_when *now);

/* Ask every sender for proof and listing now: after start, resume, or a new link. */
void beacon_receiver_join(struct beacon_receiver *r, mono_us now);

uint64_t beacon_receiver_count(const struct beacon_receiver *r, enum beacon_count c);
const char *beacon_receiver_count_name(enum beacon_count c);
/* Counters of the tables: at their cap, given up. */
struct beacon_caps {
	uint64_t topics_refused, fragments_timed_out, fragments_refused, held_evicted;
	uint64_t sources_evicted;
	size_t topics, gaps, senders;
	size_t unheard;		/* trusted senders whose states are not all known (yet) */
};
void beacon_receiver_caps(const struct beacon_receiver *r, struct beacon_caps *out);

/*
 * Write what must be known after a restart: numbers seen, keys pinned and taken over. Text lines.
 * Errors: ERR_FULL.
 */
enum err beacon_receiver_save(const struct beacon_receiver *r, struct wire_wr *out) MUST_CHECK;
/* Read it back into a fresh receiver; lines that make no sense are skipped, their number given. */
unsigned beacon_receiver_load(struct beacon_receiver *r, struct span text);

#endif
