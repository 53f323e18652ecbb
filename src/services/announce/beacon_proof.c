/* SPDX-License-Identifier: MIT */
/*
 * Proof of life: tokens, quarantine, and which start (epoch) of a sender counts.
 *
 * A start of a sender counts once it has echoed one of our tokens in a signed DIGEST, whatever
 * any clock says. A second start that proves itself with a later token supersedes the first; two
 * starts that answer the same token are two machines with one identity, and both count.
 */
#include "services/announce/beacon_receiver_priv.h"

#include <stdlib.h>
#include <string.h>

#include "util/seal.h"

#define JOIN_TRIES 6
#define SOLICIT_SPREAD 50000	/* usec, so that all subscribers do not ask at once */

static const usec solicit_wait[] = { 250000, 500000, 1000000, 2000000, 4000000, 30000000 };

#define SOLICIT_STEPS (sizeof(solicit_wait) / sizeof(solicit_wait[0]))

struct beacon_slot *
beacon_proof_slot(struct beacon_peer *p, uint64_t epoch)
{
	for (size_t i = 0; i < 2; i++)
		if (p->slots[i].state != BEACON_SLOT_FREE && p->slots[i].epoch == epoch)
			return &p->slots[i];
	return NULL;
}

static struct beacon_slot *
other_slot(struct beacon_peer *p, const struct beacon_slot *slot)
{
	return slot == &p->slots[0] ? &p->slots[1] : &p->slots[0];
}

bool
beacon_proof_live(struct beacon_receiver *r, struct beacon_peer *p, struct beacon_slot *slot)
{
	if (slot->state == BEACON_SLOT_LIVE && r->now.mono - slot->heard_at > BEACON_LAPSE) {
		slot->state = BEACON_SLOT_STALE;
		p->solicit_tries = 0;
	}
	return slot->state == BEACON_SLOT_LIVE;
}

static bool
lives(struct beacon_receiver *r, struct beacon_peer *p)
{
	return beacon_proof_live(r, p, &p->slots[0]) || beacon_proof_live(r, p, &p->slots[1]);
}

void
beacon_proof_hold(struct beacon_receiver *r, size_t who)
{
	struct beacon_peer *p = &r->peers[who];
	const struct beacon_hdr *h = &r->opened.hdr;
	uint64_t highest = p->slots[0].epoch > p->slots[1].epoch ? p->slots[0].epoch
								  : p->slots[1].epoch;

	/* A higher epoch than any before cannot be a repetition: ask without delay. */
	if (h->epoch > highest && beacon_hold_first(&r->hold, h->sender, h->epoch) == NULL)
		p->solicit_tries = 0;
	beacon_hold_add(&r->hold, &r->opened, r->now.mono);
	if (p->solicit_wanted)
		return;
	p->solicit_wanted = true;

	mono_us soon = r->now.mono + beacon_jitter_between(&r->jitter, 0, SOLICIT_SPREAD);

	if (p->solicit_at < soon || p->solicit_tries == 0)
		p->solicit_at = soon;
}

/* --- asking ---------------------------------------------------------------------------------- */

static void
send_solicit(struct beacon_receiver *r, uint64_t target)
{
	struct beacon_token *t = &r->tokens[++r->token_serial % BEACON_TOKENS_KEPT];
	struct beacon_solicit s = { .target = target };
	uint8_t body[64];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	seal_random(t->bytes, sizeof(t->bytes));
	t->serial = r->token_serial;
	t->at = r->now.mono;
	memcpy(s.token, t->bytes, sizeof(s.token));
	beacon_solicit_put(&wr, &s);
	beacon_receiver_request(r, BEACON_SOLICIT, wire_wr_span(&wr));
	r->counts[BEACON_C_SOLICITS]++;
}

static bool
holds_anything_of(const struct beacon_receiver *r, uint64_t sender)
{
	for (size_t i = 0; i < BEACON_HOLD_MAX; i++)
		if (r->hold.at[i].sender == sender && !r->hold.at[i].decided)
			return true;
	return false;
}

/* Collect the senders whose proof is due: the id of the only one, or 0 for several or none. */
static unsigned
due_senders(struct beacon_receiver *r, uint64_t *target)
{
	unsigned due = 0;

	for (size_t i = 0; i < r->trust.count; i++) {
		struct beacon_peer *p = &r->peers[i];

		if (!p->solicit_wanted || p->solicit_at > r->now.mono)
			continue;
		if (!holds_anything_of(r, r->ids[i])) {
			p->solicit_wanted = false;
			continue;
		}
		p->solicit_at = r->now.mono + solicit_wait[p->solicit_tries];
		if (p->solicit_tries < SOLICIT_STEPS - 1)
			p->solicit_tries++;
		*target = due++ == 0 ? r->ids[i] : 0;
	}
	return due;
}

/* The proof did not come in time: a clock near ours may still vouch, with a mark. */
static void
decide_without_proof(struct beacon_receiver *r, struct beacon_held *held)
{
	const struct beacon_hdr *h = &held->opened.hdr;
	size_t who = beacon_receiver_find(r, held->sender);
	int64_t off = (int64_t)(h->time_ms - (uint64_t)r->now.wall_ms);
	bool near = r->now.wall_ms != 0 && (h->flags & BEACON_NOCLOCK) == 0 &&
		    llabs(off) <= BEACON_SKEW_MS;
	bool item = h->type == BEACON_EVENT || h->type == BEACON_STATE;

	held->decided = true;
	if (who == r->trust.count)
		return;

	if (!near || !item || lives(r, &r->peers[who]) || (h->flags & BEACON_FRAG) != 0) {
		r->counts[BEACON_C_UNPROVEN]++;
		return;
	}
	r->counts[BEACON_C_UNCONFIRMED]++;
	beacon_news_item(r, who, h, beacon_opened_body(&held->opened), false);
}

mono_us
beacon_proof_wake(struct beacon_receiver *r)
{
	mono_us now = r->now.mono, next;
	bool join = r->join_tries < JOIN_TRIES && r->join_at <= now;
	uint64_t target = 0;
	unsigned due = due_senders(r, &target);
	struct beacon_held *held;

	if (join) {
		r->join_at = now + solicit_wait[r->join_tries++];
		target = 0;
	}
	if (join || due != 0)
		send_solicit(r, target);
	while ((held = beacon_hold_due(&r->hold, now)) != NULL)
		decide_without_proof(r, held);
	next = mono_earlier(r->hold.next, r->join_tries < JOIN_TRIES ? r->join_at : MONO_NEVER);
	for (size_t i = 0; i < r->trust.count; i++)
		if (r->peers[i].solicit_wanted)
			next = mono_earlier(next, r->peers[i].solicit_at);
	return next;
}

/* --- proof ----------------------------------------------------------------------------------- */

/* The latest token of ours that d echoes: its serial and base. 0 where there is none. */
static uint32_t
echoed(const struct beacon_receiver *r, const struct beacon_digest *d, uint64_t *base)
{
	uint32_t serial = 0;

	for (size_t i = 0; i < d->echo_count; i++) {
		for (size_t k = 0; k < BEACON_TOKENS_KEPT; k++) {
			const struct beacon_token *t = &r->tokens[k];

			if (t->serial <= serial || r->now.mono - t->at > BEACON_TOKEN_LIFE ||
			    !seal_equal(t->bytes, d->echoes[i].token, BEACON_TOKEN_BYTES))
				continue;
			serial = t->serial;
			*base = d->echoes[i].base;
		}
	}
	return serial;
}

static struct beacon_slot *
victim(struct beacon_peer *p)
{
	struct beacon_slot *a = &p->slots[0], *b = &p->slots[1];

	if (a->state != BEACON_SLOT_LIVE || b->state != BEACON_SLOT_LIVE) {
		if (a->state == BEACON_SLOT_FREE || b->state == BEACON_SLOT_LIVE)
			return a;
		if (b->state == BEACON_SLOT_FREE || a->state == BEACON_SLOT_LIVE)
			return b;
	}
	return a->heard_at <= b->heard_at ? a : b;
}

/*
 * What was said before the token came may be a repetition from before our time. It counts only if
 * it is younger, by the sender's own clock, than the time that we have been listening.
 */
static bool
said_in_our_time(const struct beacon_receiver *r, const struct beacon_hdr *h, uint64_t digest_ms)
{
	int64_t age_ms = (int64_t)(digest_ms - h->time_ms);

	return age_ms >= 0 && age_ms <= (r->now.mono - r->started) / 1000 &&
	       (h->type != BEACON_EVENT || age_ms <= (int64_t)h->lifetime_s * 1000);
}

/* Another start of the sender, or the key that it has replaced, was heard a moment ago. */
static bool
was_here(struct beacon_receiver *r, size_t who)
{
	for (size_t i = 0; i < r->trust.count; i++)
		if ((i == who || r->peers[i].heir == who + 1) && lives(r, &r->peers[i]))
			return true;
	return false;
}

/* Where counting begins in an epoch that we did not know. */
static uint64_t
first_base(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h, uint64_t base,
    uint64_t repair_from)
{
	bool restarted = was_here(r, who);
	uint64_t lowest = base + 1;

	for (size_t i = 0; i < BEACON_HOLD_MAX; i++) {
		struct beacon_held *held = &r->hold.at[i];

		if (held->sender == h->sender && held->epoch == h->epoch && !held->decided &&
		    held->seq < lowest && said_in_our_time(r, &held->opened.hdr, h->time_ms))
			lowest = held->seq;
	}
	/* It was here and has just come back: nothing of the new start may get lost unnoticed. */
	if (restarted && repair_from <= 1 && base < REPLAY_WINDOW / 2)
		return 0;
	return base - (lowest - 1) < REPLAY_WINDOW / 2 ? lowest - 1 : base;
}

static void
release_held(struct beacon_receiver *r, size_t who, struct beacon_slot *slot,
    const struct beacon_hdr *h, uint64_t base)
{
	struct beacon_held *held;

	while ((held = beacon_hold_first(&r->hold, h->sender, h->epoch)) != NULL) {
		held->decided = true;
		if (held->seq > base || said_in_our_time(r, &held->opened.hdr, h->time_ms))
			beacon_receiver_accept(r, who, slot, &held->opened);
		else
			r->counts[BEACON_C_TOO_OLD]++;
	}
}

static void
supersede(struct beacon_receiver *r, size_t who, struct beacon_slot *slot)
{
	struct beacon_peer *p = &r->peers[who];
	struct beacon_slot *other = other_slot(p, slot);

	if (other->state != BEACON_SLOT_LIVE)
		return;
	if (other->proof < slot->proof) {
		other->state = BEACON_SLOT_STALE;
		return;
	}
	if (!p->twins) {
		p->twins = true;
		r->counts[BEACON_C_CLONES]++;
		beacon_news_notice(r, who, "identity used by two hosts", span_of(NULL, 0));
	}
}

void
beacon_proof_digest(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    const struct beacon_digest *d)
{
	struct beacon_peer *p = &r->peers[who];
	struct beacon_slot *slot = beacon_proof_slot(p, h->epoch);
	uint64_t base = 0;
	uint32_t serial = echoed(r, d, &base);

	if (serial == 0)
		return;
	if (slot == NULL) {
		uint64_t from = first_base(r, who, h, base, d->repair_from);

		slot = victim(p);
		beacon_gaps_drop(&r->gaps, h->sender, slot->epoch);
		memset(slot, 0, sizeof(*slot));
		slot->epoch = h->epoch;
		slot->base = from;
		slot->window.newest = from;	/* nothing up to there is looked at */
		p->solicit_tries = 0;
		p->list_pages = 0;
		p->listed = false;
	}
	r->counts[BEACON_C_PROOFS]++;
	slot->state = BEACON_SLOT_LIVE;
	slot->heard_at = r->now.mono;
	if (serial > slot->proof)
		slot->proof = serial;
	supersede(r, who, slot);
	p->solicit_wanted = false;
	release_held(r, who, slot, h, base);
}
