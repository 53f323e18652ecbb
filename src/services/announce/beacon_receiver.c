/* SPDX-License-Identifier: MIT */
/*
 * The receive pipeline. Its order is normative (docs/beacon-format.md):
 *
 *   header -> key in the ring -> window peeked at -> seal opened -> budgets -> sender trusted
 *   -> signature -> proof of life (else held) -> window moved -> content
 *
 * The budgets stand behind the seal: a flood of junk then costs 0.5 us a piece and takes nothing
 * from what a real sender may send. What they protect is the signature (36 us).
 */
#include "services/announce/beacon_receiver.h"

#include <stdlib.h>
#include <string.h>

#include "services/announce/beacon_receiver_priv.h"
#include "util/seal.h"

#define SOURCES_MAX 256
#define SOURCE_RATE 200		/* datagrams a second from one address, bursts of twice that */
#define PUBLIC_SOURCE_RATE 100	/* where nothing stands before the signature */
#define ALL_RATE 2000
#define PUBLIC_ALL_RATE 1000
#define REFUSALS_RATE 1		/* lines a second */
#define REFUSALS_BURST 10

enum err
beacon_receiver_new(struct beacon_receiver **out, const struct beacon_receiver_opts *o)
{
	struct beacon_receiver *r = calloc(1, sizeof(*r));
	bool sealed = o->ring->count != 0;
	uint32_t rate = sealed ? SOURCE_RATE : PUBLIC_SOURCE_RATE;
	uint32_t all = sealed ? ALL_RATE : PUBLIC_ALL_RATE;
	uint8_t key[SEAL_SHORT_KEY_BYTES];

	if (r == NULL)
		return ERR_NOMEM;
	seal_random(key, sizeof(key));
	if (bucket_table_init(&r->sources, SOURCES_MAX, rate, 2 * rate, 64, key) != OK) {
		free(r);
		return ERR_NOMEM;
	}
	r->ops = o->ops;
	r->ctx = o->ctx;
	r->ring = o->ring;
	r->trust = *o->trust;
	for (size_t i = 0; i < r->trust.count; i++)
		r->ids[i] = r->trust.senders[i].id;
	r->jitter.state = o->seed;
	r->now = o->now;
	r->started = o->now.mono;
	seal_random(&r->run_id, sizeof(r->run_id));
	bucket_init(&r->all, all, all, o->now.mono);
	bucket_init(&r->refusals, REFUSALS_RATE, REFUSALS_BURST, o->now.mono);
	beacon_gaps_init(&r->gaps);
	beacon_topics_init(&r->topics);
	beacon_hold_init(&r->hold);
	beacon_receiver_join(r, o->now.mono);
	*out = r;
	return OK;
}

void
beacon_receiver_free(struct beacon_receiver *r)
{
	if (r == NULL)
		return;
	bucket_table_fini(&r->sources);
	free(r);
}

void
beacon_receiver_join(struct beacon_receiver *r, mono_us now)
{
	r->join_tries = 0;
	r->join_at = now;
}

size_t
beacon_receiver_find(const struct beacon_receiver *r, uint64_t sender)
{
	size_t i = 0;

	while (i < r->trust.count && r->ids[i] != sender)
		i++;
	return i;
}

void
beacon_receiver_request(struct beacon_receiver *r, uint8_t type, struct span body)
{
	uint8_t out[BEACON_DGRAM_MAX];
	struct beacon_hdr h = { .type = type, .sender = r->run_id, .seq = ++r->run_seq,
		.frag_count = 1 };

	r->ops->send(r->ctx, span_of(out, beacon_seal(out, &h, body, r->ring, NULL)));
}

/* --- the pipeline ---------------------------------------------------------------------------- */

static enum beacon_count
header_fate(enum err e)
{
	switch (e) {
	case ERR_FORMAT:
		return BEACON_C_NOT_OURS;
	case ERR_UNSUPPORTED:
		return BEACON_C_VERSION;
	default:
		return BEACON_C_MALFORMED;
	}
}

/* Requests of other subscribers matter for one thing: a NACK that saves us ours. */
static enum beacon_count
overhear(struct beacon_receiver *r, struct span dgram)
{
	struct beacon_nack nack;
	enum err e;

	if (r->opened.hdr.type != BEACON_NACK || r->opened.hdr.sender == r->run_id ||
	    r->gaps.used == 0)
		return BEACON_C_REQUEST;
	e = beacon_open(&r->opened, dgram, r->ring);
	if (e != OK)
		return e == ERR_NOTFOUND ? BEACON_C_UNKNOWN_KEY : BEACON_C_FORGED;
	if (beacon_nack_parse(&nack, beacon_opened_body(&r->opened)) != OK)
		return BEACON_C_MALFORMED;
	for (size_t i = 0; i < nack.range_count; i++)
		beacon_gaps_heard(&r->gaps, nack.target, nack.epoch, &nack.ranges[i], r->now.mono);
	return BEACON_C_REQUEST;
}

/* Seen before, as far as the plain header tells. Changes nothing. */
static bool
is_duplicate(struct beacon_receiver *r, size_t who)
{
	const struct beacon_hdr *h = &r->opened.hdr;

	if (who == r->trust.count)
		return false;

	const struct beacon_slot *slot = beacon_proof_slot(&r->peers[who], h->epoch);

	if (slot != NULL &&
	    (h->seq <= slot->base || replay_peek(&slot->window, h->seq) != OK))
		return true;
	/* Once the proof is there, what was dropped for want of it may come again as a repair. */
	return (slot == NULL || slot->state != BEACON_SLOT_LIVE) &&
	       beacon_hold_knows(&r->hold, h);
}

static uint32_t
source_hash(const struct addr *from)
{
	const uint8_t *bytes;
	size_t n = addr_bytes(from, &bytes);
	uint32_t hash = 1;

	for (size_t i = 0; i < n; i++)
		hash = hash * 31 + bytes[i];
	return hash;
}

/*
 * In a public group anybody can make us check signatures, so a live sender's address does not
 * draw on the budget of all: a flood from elsewhere must not silence it.
 */
static bool
within_budget(struct beacon_receiver *r, size_t who, const struct addr *from)
{
	if (!bucket_table_take(&r->sources, from, 1, r->now.mono))
		return false;
	if (who < r->trust.count && r->peers[who].source == source_hash(from))
		return true;
	return bucket_take(&r->all, 1, r->now.mono);
}

static enum beacon_count
verified(struct beacon_receiver *r, size_t who, const struct addr *from)
{
	struct beacon_peer *p = &r->peers[who];
	const struct beacon_hdr *h = &r->opened.hdr;

	p->source = source_hash(from);
	if (h->type == BEACON_DIGEST) {
		struct beacon_digest d;

		if (beacon_digest_parse(&d, beacon_opened_body(&r->opened)) != OK)
			return BEACON_C_MALFORMED;
		beacon_proof_digest(r, who, h, &d);
	}

	struct beacon_slot *slot = beacon_proof_slot(p, h->epoch);

	if (slot == NULL || !beacon_proof_live(r, p, slot)) {
		beacon_proof_hold(r, who);
		return BEACON_C_HELD;
	}
	beacon_receiver_accept(r, who, slot, &r->opened);
	return BEACON_C_ACCEPTED;
}

/* Whoever wonders why nothing is heard shall learn it; strangers shall not fill the screen. */
static enum beacon_count
other_group(struct beacon_receiver *r, enum beacon_count fate, bool *told, const char *reason)
{
	if (!*told)
		beacon_news_refused(r, &r->opened.hdr, reason);
	*told = true;
	return fate;
}

static enum beacon_count
pipeline(struct beacon_receiver *r, struct span dgram, const struct addr *from)
{
	struct beacon_hdr *h = &r->opened.hdr;
	enum err e = beacon_hdr_parse(h, dgram);

	if (e != OK)
		return header_fate(e);
	if (h->type < BEACON_EVENT || h->type > BEACON_KEYROLL)
		return BEACON_C_UNKNOWN_TYPE;
	if (r->ring->count != 0 && (h->flags & BEACON_SEALED) == 0)
		return other_group(r, BEACON_C_UNSEALED, &r->told_unsealed,
		    "of a public group, while this one has a key");
	if (beacon_type_is_request(h->type))
		return overhear(r, dgram);

	size_t who = beacon_receiver_find(r, h->sender);

	if (is_duplicate(r, who))
		return BEACON_C_DUPLICATE;
	e = beacon_open(&r->opened, dgram, r->ring);
	if (e == ERR_NOTFOUND)
		return other_group(r, BEACON_C_UNKNOWN_KEY, &r->told_unknown_key,
		    r->ring->count == 0 ? "sealed, and there is no group key here"
					: "sealed with another group's key");
	if (e != OK)
		return BEACON_C_FORGED;
	if (!within_budget(r, who, from))
		return BEACON_C_OVER_BUDGET;
	if (who == r->trust.count && !beacon_news_tofu(r, &r->opened)) {
		beacon_news_refused(r, h, "unknown sender");
		return BEACON_C_UNKNOWN_SENDER;
	}
	if (beacon_verify(&r->opened, r->trust.senders[who].key) != OK) {
		beacon_news_refused(r, h, "bad signature");
		return BEACON_C_BAD_SIGNATURE;
	}
	return verified(r, who, from);
}

enum beacon_count
beacon_receiver_input(struct beacon_receiver *r, const struct beacon_when *now, struct span dgram,
    const struct addr *from)
{
	r->now = *now;

	enum beacon_count fate = pipeline(r, dgram, from);

	r->counts[BEACON_C_RECEIVED]++;
	r->counts[fate]++;
	return fate;
}

/* --- what counts ----------------------------------------------------------------------------- */

/* Numbers between the newest and seq were skipped: ask for them soon, unless out of reach. */
static void
note_gap(struct beacon_receiver *r, const struct beacon_hdr *h, uint64_t first)
{
	uint64_t last = h->seq - 1;

	r->counts[BEACON_C_MISSED] += last - first + 1;
	if (last - first >= REPLAY_WINDOW - 1) {
		uint64_t reach = h->seq - (REPLAY_WINDOW - 1);

		beacon_news_gap(r, h->sender, h->epoch, first, reach - 1);
		first = reach;
	}

	usec delay = beacon_jitter_between(&r->jitter, millis(10), millis(100));

	if (beacon_gaps_add(&r->gaps, h->sender, h->epoch, first, last, r->now.mono + delay) != OK)
		beacon_news_gap(r, h->sender, h->epoch, first, last);
}

void
beacon_receiver_accept(struct beacon_receiver *r, size_t who, struct beacon_slot *slot,
    const struct beacon_opened *o)
{
	const struct beacon_hdr *h = &o->hdr;
	struct span body = beacon_opened_body(o);
	uint64_t newest = slot->window.newest;

	if (h->seq <= slot->base || replay_update(&slot->window, h->seq) != OK)
		return;
	if (h->seq > newest + 1)
		note_gap(r, h, newest + 1);
	else if (h->seq < newest && beacon_gaps_fill(&r->gaps, h->sender, h->epoch, h->seq))
		r->counts[BEACON_C_REPAIRED]++;
	slot->heard_at = r->now.mono;
	if (h->type == BEACON_DIGEST) {
		struct beacon_digest d;

		if (beacon_digest_parse(&d, body) == OK)
			beacon_news_digest(r, who, h, &d);
	} else if (h->type == BEACON_KEYROLL) {
		beacon_news_keyroll(r, who, h, body);
	} else {
		beacon_news_item(r, who, h, body, true);
	}
}

static void
send_nacks(struct beacon_receiver *r)
{
	struct beacon_nack nack;
	uint8_t body[BEACON_PLAIN_MAX];
	mono_us now = r->now.mono;

	nack.pull_count = 0;
	for (;;) {
		bool gaps = beacon_gaps_ask(&r->gaps, now, &nack);
		bool topics = beacon_topics_ask(&r->topics, now, &nack);

		if (!gaps && !topics)
			break;

		struct wire_wr wr = wire_wr_of(body, sizeof(body));

		beacon_nack_put(&wr, &nack);
		beacon_receiver_request(r, BEACON_NACK, wire_wr_span(&wr));
		r->counts[BEACON_C_NACKS]++;
	}
}

mono_us
beacon_receiver_wake(struct beacon_receiver *r, const struct beacon_when *now)
{
	struct beacon_gap lost;

	r->now = *now;

	mono_us next = beacon_proof_wake(r);

	if (r->gaps.next <= now->mono)
		while (beacon_gaps_lost(&r->gaps, now->mono, 0, 0, 0, &lost))
			beacon_news_gap(r, lost.sender, lost.epoch, lost.first, lost.last);
	beacon_news_expire(r);
	if (r->gaps.next <= now->mono || r->topics.next <= now->mono)
		send_nacks(r);
	return mono_earlier(next, mono_earlier(r->gaps.next, r->topics.next));
}

/* --- counters -------------------------------------------------------------------------------- */

uint64_t
beacon_receiver_count(const struct beacon_receiver *r, enum beacon_count c)
{
	return r->counts[c];
}

const char *
beacon_receiver_count_name(enum beacon_count c)
{
	static const char *const names[BEACON_COUNTS] = { "received", "not_ours", "malformed",
		"version", "unknown_type", "requests", "unsealed", "unknown_key", "duplicates",
		"forged", "over_budget", "unknown_sender", "bad_signature", "held", "accepted",
		"unconfirmed", "unproven", "too_old", "topic_denied", "missed", "repaired", "lost",
		"nacks", "solicits", "proofs", "clones", "trust_full",
		"key_replaced" };

	return names[c];
}

void
beacon_receiver_caps(const struct beacon_receiver *r, struct beacon_caps *out)
{
	*out = (struct beacon_caps){ .topics_refused = r->topics.refused,
		.fragments_timed_out = r->parts.timed_out, .fragments_refused = r->parts.refused,
		.held_evicted = r->hold.evicted, .sources_evicted = r->sources.evicted,
		.topics = r->topics.used, .gaps = r->gaps.used };
	for (size_t i = 0; i < r->trust.count; i++) {
		const struct beacon_peer *p = &r->peers[i];

		out->senders += p->slots[0].state == BEACON_SLOT_LIVE ||
				p->slots[1].state == BEACON_SLOT_LIVE;
		out->unheard += p->heir == 0 &&
				(!p->listed || beacon_topics_missing(&r->topics, r->ids[i]));
	}
}
