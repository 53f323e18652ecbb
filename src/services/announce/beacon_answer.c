/* SPDX-License-Identifier: MIT */
/*
 * Requests of subscribers, and the question whether somebody else has our identity. Requests carry
 * no signature and may be repetitions, so each is idempotent and draws on a budget; answers go to
 * the link, or to an address that has proven to be there.
 */
#include "services/announce/beacon_sender_priv.h"

#include <string.h>

#include "util/seal.h"

#define REQUESTS_PER_S 200
/*
 * Where anybody may ask. A joiner asks some ten times in its first seconds, twice each where a link
 * has both families; what it can draw is bounded by the budgets of repairs and digests anyway.
 */
#define PUBLIC_REQUESTS_PER_S 40
#define REQUESTERS_MAX 64
#define REQUESTER_PER_S 10
#define REQUESTER_BURST 60
#define REPAIRS_PER_S 50
#define REPAIRS_BURST 100
#define CHALLENGES_PER_S 10
#define RESEND_GAP 250000		/* usec between two sendings of a datagram or state */
#define ANSWER_MIN 20000		/* usec: several tokens share an answer */
#define ANSWER_MAX 120000
#define ANSWER_GAP 250000		/* usec between two answers */
#define CLONE_ASK_EVERY 30000000

enum err
beacon_answer_init(struct beacon_sender *s)
{
	uint32_t rate = s->ring->count == 0 ? PUBLIC_REQUESTS_PER_S : REQUESTS_PER_S;
	uint8_t key[SEAL_SHORT_KEY_BYTES];

	bucket_init(&s->requests_rate, rate, 2 * rate, s->now.mono);
	bucket_init(&s->repairs_rate, REPAIRS_PER_S, REPAIRS_BURST, s->now.mono);
	bucket_init(&s->challenges_rate, CHALLENGES_PER_S, CHALLENGES_PER_S, s->now.mono);
	seal_random(&s->run_id, sizeof(s->run_id));
	seal_random(key, sizeof(key));
	return bucket_table_init(&s->requesters, REQUESTERS_MAX, REQUESTER_PER_S, REQUESTER_BURST,
	    64, key);
}

/* The seal of a group tells strangers from subscribers; without it each has a budget of its own. */
static bool
may_ask(struct beacon_sender *s, const struct addr *from)
{
	if ((s->ring->count != 0 || bucket_table_take(&s->requesters, from, 1, s->now.mono)) &&
	    bucket_take(&s->requests_rate, 1, s->now.mono))
		return true;
	s->stats.requests_limited++;
	return false;
}

/* --- repair ---------------------------------------------------------------------------------- */

/* False once the budget is spent. */
static bool
repair_one(struct beacon_sender *s, uint64_t seq)
{
	struct beacon_sent *b = beacon_ring_find(&s->sent, seq, s->now.mono);

	if (b == NULL) {
		s->stats.repairs_gone++;
		return true;
	}
	if (s->now.mono - b->last < RESEND_GAP) {
		s->stats.repairs_limited++;
		return true;
	}
	if (!bucket_take(&s->repairs_rate, 1, s->now.mono)) {
		s->stats.repairs_limited++;
		return false;
	}
	b->last = s->now.mono;
	s->stats.repairs++;
	beacon_sender_emit(s, beacon_ring_bytes(&s->sent, b));
	return true;
}

/* The states that a joiner lacks go out at once; each at most every 250 ms, within the budget. */
static void
pull_one(struct beacon_sender *s, uint64_t hash)
{
	struct beacon_published_item *p = beacon_sender_find(s, hash);

	if (p == NULL || (p->last_at != 0 && s->now.mono - p->last_at < RESEND_GAP))
		return;
	if (!bucket_take(&s->repairs_rate, 1 + p->len / BEACON_PAYLOAD_MAX, s->now.mono)) {
		s->stats.repairs_limited++;
		return;
	}
	s->stats.pulls++;
	p->next_at = s->now.mono;
	s->items_next = s->now.mono;
}

static void
take_nack(struct beacon_sender *s, struct span body)
{
	struct beacon_nack nack;

	if (beacon_nack_parse(&nack, body) != OK) {
		s->stats.malformed++;
		return;
	}
	if (nack.target != s->me->id)
		return;
	for (size_t i = 0; i < nack.pull_count; i++)
		pull_one(s, nack.pulls[i]);
	for (size_t i = 0; nack.epoch == s->epoch && i < nack.range_count; i++)
		for (uint64_t k = 0; k < nack.ranges[i].count; k++)
			if (!repair_one(s, nack.ranges[i].first + k))
				return;
}

/* --- tokens ---------------------------------------------------------------------------------- */

static void
take_solicit(struct beacon_sender *s, struct span body)
{
	struct beacon_solicit sol;
	mono_us at;

	if (beacon_solicit_parse(&sol, body) != OK) {
		s->stats.malformed++;
		return;
	}
	if (sol.target != 0 && sol.target != s->me->id)
		return;
	for (size_t i = 0; i < s->token_count; i++)
		if (memcmp(s->tokens[i].token, sol.token, BEACON_TOKEN_BYTES) == 0)
			return;
	if (s->token_count == BEACON_TOKENS_MAX) {
		s->stats.tokens_limited++;
		return;
	}
	memcpy(s->tokens[s->token_count].token, sol.token, BEACON_TOKEN_BYTES);
	s->tokens[s->token_count++].base = s->seq;
	at = s->now.mono + beacon_jitter_between(&s->jitter, ANSWER_MIN, ANSWER_MAX);
	if (at < s->digest_last + ANSWER_GAP)
		at = s->digest_last + ANSWER_GAP;
	s->digest_at = mono_earlier(s->digest_at, at);
}

/* --- leases ---------------------------------------------------------------------------------- */

static void
answer_lease(struct beacon_sender *s, const struct addr *to, const struct beacon_lease *l)
{
	uint8_t body[64], out[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));
	struct beacon_hdr h = { .type = BEACON_LEASE, .sender = s->me->id, .epoch = s->epoch,
		.seq = ++s->lease_seq, .frag_count = 1 };

	beacon_lease_put(&wr, l);
	s->stats.sent++;
	s->ops->unicast(s->ctx, to, span_of(out, beacon_seal(out, &h, wire_wr_span(&wr), s->ring,
	    NULL)));
}

static void
take_lease(struct beacon_sender *s, struct span body, const struct addr *from)
{
	struct beacon_lease in, out = { .target = s->me->id };

	if (beacon_lease_parse(&in, body) != OK) {
		s->stats.malformed++;
		return;
	}
	if (s->leases->max == 0 || s->ring->count == 0 || s->rolled ||
	    (in.target != 0 && in.target != s->me->id))
		return;
	if (in.kind == BEACON_LEASE_ASK) {
		if (!bucket_take(&s->challenges_rate, 1, s->now.mono)) {
			s->stats.requests_limited++;
			return;
		}
		s->stats.challenges++;
		out.kind = BEACON_LEASE_CHALLENGE;
		beacon_leases_cookie(s->leases, from, s->now.mono, out.cookie);
		answer_lease(s, from, &out);
	} else if (in.kind == BEACON_LEASE_CONFIRM) {
		out.kind = BEACON_LEASE_GRANT;
		out.seconds = beacon_leases_confirm(s->leases, from, in.cookie, s->now.mono);
		if (out.seconds != 0)
			answer_lease(s, from, &out);
	} else if (in.kind == BEACON_LEASE_END) {
		beacon_leases_end(s->leases, from);
	}
}

/* --- our own identity, heard ----------------------------------------------------------------- */

static void
ask_whether_there_are_two(struct beacon_sender *s)
{
	struct beacon_solicit sol = { .target = s->me->id };
	struct beacon_hdr h = { .type = BEACON_SOLICIT, .sender = s->run_id, .seq = ++s->lease_seq,
		.frag_count = 1 };
	uint8_t body[64], out[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	if (s->clone_asked != 0 && s->now.mono - s->clone_asked < CLONE_ASK_EVERY)
		return;
	s->clone_asked = s->now.mono;
	seal_random(s->clone_token, sizeof(s->clone_token));
	memcpy(sol.token, s->clone_token, sizeof(sol.token));
	beacon_solicit_put(&wr, &sol);
	beacon_sender_emit(s, span_of(out, beacon_seal(out, &h, wire_wr_span(&wr), s->ring, NULL)));
}

static bool
echoes_our_question(const struct beacon_sender *s)
{
	struct beacon_digest d;

	if (s->opened.hdr.type != BEACON_DIGEST || s->clone_asked == 0 ||
	    beacon_digest_parse(&d, beacon_opened_body(&s->opened)) != OK)
		return false;
	for (size_t i = 0; i < d.echo_count; i++)
		if (seal_equal(d.echoes[i].token, s->clone_token, BEACON_TOKEN_BYTES))
			return true;
	return false;
}

/* The kernel gives us our own multicast back; anything else under our name is worth a thought. */
static bool
is_echo_of_ours(struct beacon_sender *s, const struct beacon_hdr *h, struct span dgram)
{
	if (h->epoch != s->epoch || h->seq > s->seq)
		return false;

	struct beacon_sent *b = beacon_ring_find(&s->sent, h->seq, s->now.mono);

	/* What the ring no longer has may be ours, delayed or repeated by somebody. */
	return b == NULL || span_equal(beacon_ring_bytes(&s->sent, b), dgram);
}

/*
 * Our name in another epoch is a repetition of old words, or another machine. Only the latter can
 * answer a fresh token. In our own epoch, bytes that we have not sent are proof enough.
 */
static void
hear_own_name(struct beacon_sender *s, struct span dgram, const struct addr *from)
{
	const struct beacon_hdr *h = &s->opened.hdr;

	if (is_echo_of_ours(s, h, dgram) || !may_ask(s, from))
		return;
	if (beacon_open(&s->opened, dgram, s->ring) != OK ||
	    beacon_verify(&s->opened, s->me->public) != OK) {
		s->stats.requests_forged++;
		return;
	}
	if (h->epoch == s->epoch) {
		s->stats.clones++;
		s->ops->clone(s->ctx, true);
	} else if (echoes_our_question(s)) {
		s->stats.clones++;
		s->ops->clone(s->ctx, false);
	} else {
		ask_whether_there_are_two(s);
	}
}

/* --- input ----------------------------------------------------------------------------------- */

static bool
take_request(struct beacon_sender *s, struct span dgram, const struct addr *from, bool on_link)
{
	const struct beacon_hdr *h = &s->opened.hdr;
	bool known = on_link || beacon_leases_holds(s->leases, from, s->now.mono);

	if (h->sender == s->run_id || (h->type != BEACON_LEASE && !known))
		return false;
	/* The seal first: forgeries must not use up what subscribers may ask. */
	if (beacon_open(&s->opened, dgram, s->ring) != OK) {
		s->stats.requests_forged++;
		return false;
	}
	if (!may_ask(s, from))
		return false;
	s->stats.requests++;

	struct span body = beacon_opened_body(&s->opened);

	switch (h->type) {
	case BEACON_NACK:
		take_nack(s, body);
		break;
	case BEACON_SOLICIT:
		take_solicit(s, body);
		break;
	case BEACON_LEASE:
		take_lease(s, body, from);
		break;
	default:
		break;
	}
	return true;
}

bool
beacon_sender_input(struct beacon_sender *s, const struct beacon_when *now, struct span dgram,
    const struct addr *from, bool on_link)
{
	struct beacon_hdr *h = &s->opened.hdr;

	s->now = *now;
	if (beacon_hdr_parse(h, dgram) != OK) {
		s->stats.malformed++;
		return false;
	}
	if (s->ring->count != 0 && (h->flags & BEACON_SEALED) == 0)
		return false;
	if (beacon_type_is_request(h->type))
		return take_request(s, dgram, from, on_link);
	if (h->sender == s->me->id)
		hear_own_name(s, dgram, from);
	return false;
}
