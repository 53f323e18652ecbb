/* SPDX-License-Identifier: MIT */
/*
 * The announcer's engine: publications in, datagrams out. States go round on a carousel, events go
 * out in spaced copies, digests say what was sent, requests of subscribers are answered within
 * budgets. No sockets, no clock, no disk.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_SENDER_H
#define SERVICES_ANNOUNCE_BEACON_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_leases.h"
#include "services/announce/beacon_msg.h"
#include "services/announce/beacon_receiver.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define BEACON_ITEMS_MAX 1024
#define BEACON_ITEMS_BYTES 524288	/* of payload, all states together */
#define BEACON_EVENT_LIFETIME 60	/* seconds, unless the publisher says otherwise */
#define BEACON_LIFETIME_MIN 95		/* seconds: states come round every 30 s at most */
#define BEACON_LIFETIME_MAX 86400	/* seconds */

struct beacon_sender;

struct beacon_sender_ops {
	/* To every link. */
	void (*multicast)(void *ctx, struct span dgram);
	/* To one address: a lease, or what leads to one. */
	void (*unicast)(void *ctx, const struct addr *to, struct span dgram);
	/* Somebody must know. same_epoch: call beacon_sender_restart() with a new one. */
	void (*clone)(void *ctx, bool same_epoch);
};

struct beacon_sender_opts {
	const struct beacon_sender_ops *ops;
	void *ctx;
	const struct beacon_keyring *ring;	/* both stay the caller's and in place */
	const struct beacon_identity *me;
	uint64_t epoch;		/* greater than any before, and on the disk already */
	struct beacon_leases *leases;	/* who gets unicast copies; stays the caller's */
	bool small;		/* for an identity that only announces its successor */
	uint64_t seed;		/* spreads timers */
	struct beacon_when now;
};

struct beacon_sender_stats {
	uint64_t sent;			/* datagrams, every copy counted once */
	uint64_t sent_bytes;
	uint64_t events, states, withdrawals, digests, copies, repairs, pulls;
	uint64_t requests;		/* that were for us and open */
	uint64_t requests_limited;	/* over the budget */
	uint64_t requests_forged;
	uint64_t repairs_limited;	/* asked for, but over the budget or too soon */
	uint64_t repairs_gone;		/* asked for, but no longer kept */
	uint64_t tokens_limited;
	uint64_t challenges;
	uint64_t malformed;
	uint64_t clones;		/* times that another host proved to have our identity */
	uint64_t events_refused;	/* over the rate */
	uint64_t states_refused;	/* no room for more */
};

/* One published state, for listings. */
struct beacon_published {
	struct span topic;
	uint8_t ctype;
	uint32_t rev;
	struct span payload;
	uint32_t lifetime_s;
	uint64_t seq;
};

/* Errors: ERR_NOMEM. */
enum err beacon_sender_new(struct beacon_sender **out,
    const struct beacon_sender_opts *o) MUST_CHECK;
void beacon_sender_free(struct beacon_sender *s);

/*
 * Say that something is so, until withdrawn. The same again changes nothing.
 *
 * topic       see beacon_topic_ok()
 * payload     up to BEACON_MESSAGE_MAX bytes, copied
 * lifetime_s  at least this long after the last datagram it holds, BEACON_LIFETIME_MIN to
 *	       BEACON_LIFETIME_MAX; 0: the least. It is repeated about three times in that time.
 * errors      ERR_FORMAT (topic), ERR_RANGE (payload), ERR_FULL, ERR_NOMEM
 */
enum err beacon_sender_publish(struct beacon_sender *s, const struct beacon_when *now,
    struct span topic, uint8_t ctype, struct span payload, uint32_t lifetime_s) MUST_CHECK;

/* Errors: ERR_NOTFOUND. */
enum err beacon_sender_withdraw(struct beacon_sender *s, const struct beacon_when *now,
    struct span topic) MUST_CHECK;

/* Say that something happened. Errors as publish; ERR_FULL: over 100 a second. */
enum err beacon_sender_event(struct beacon_sender *s, const struct beacon_when *now,
    struct span topic, uint8_t ctype, struct span payload, uint32_t lifetime_s) MUST_CHECK;

/*
 * Announce the key that follows ours, over and over, and say nothing else any more: states are
 * dropped (the next key's sender publishes them), requests for leases are left to it. Copies and
 * repairs of what was said before go on. Errors: ERR_NOMEM.
 */
enum err beacon_sender_roll(struct beacon_sender *s, const struct beacon_when *now,
    const struct beacon_identity *next) MUST_CHECK;

/*
 * Take in a datagram from the link or by unicast.
 *
 * on_link  came by multicast, or from a directly connected address; others may only ask for a lease
 * gives true where beacon_sender_wake() may have something to do now
 */
bool beacon_sender_input(struct beacon_sender *s, const struct beacon_when *now, struct span dgram,
    const struct addr *from, bool on_link);

/* Do what is due; gives the next instant. */
mono_us beacon_sender_wake(struct beacon_sender *s, const struct beacon_when *now);

/* Begin again under a new epoch: after ops->clone, or when new keys are in place. */
void beacon_sender_restart(struct beacon_sender *s, const struct beacon_when *now, uint64_t epoch);

/* Send everything anew soon: a link came up, the machine woke. */
void beacon_sender_refresh(struct beacon_sender *s, const struct beacon_when *now);

/* Withdraw everything: the daemon ends. One datagram each; they are sent at once. */
void beacon_sender_goodbye(struct beacon_sender *s, const struct beacon_when *now);

const struct beacon_sender_stats *beacon_sender_stats(const struct beacon_sender *s);
size_t beacon_sender_count(const struct beacon_sender *s);
void beacon_sender_get(const struct beacon_sender *s, size_t i, struct beacon_published *out);
uint64_t beacon_sender_epoch(const struct beacon_sender *s);
uint64_t beacon_sender_seq(const struct beacon_sender *s);

#endif
