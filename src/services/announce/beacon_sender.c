/* SPDX-License-Identifier: MIT */
/*
 * Publishing. Every datagram gets the next number, is sealed with a fresh random nonce and kept in
 * the ring; a state that comes round again is a new datagram. Copies of events and withdrawals are
 * the same bytes once more.
 */
#include "services/announce/beacon_sender.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/announce/beacon_sender_priv.h"
#include "util/seal.h"

#define DIGEST_EVERY 30000000		/* usec, +-20 % */
#define DIGEST_AFTER_EVENT 3000000	/* so that the last event of a row is not missed for long */
#define CAROUSEL_MIN_S 30
#define CAROUSEL_BITS_PER_S 16000
#define LIFETIME_SLACK_S 5
#define ITEM_OVERHEAD 240		/* bytes on the wire around a payload, headers included */
#define STATES_PER_S 100
#define EVENTS_PER_S 100
#define EVENTS_BURST 200

static const usec copy_after[BEACON_COPY_STAGES] = { 120000, 500000, 2000000 };
static const usec first_rounds[] = { 1000000, 2000000 };	/* at 0, 1, 3 s */

_Static_assert(3 * CAROUSEL_MIN_S + LIFETIME_SLACK_S == BEACON_LIFETIME_MIN,
    "the least that can be wished for is what a state gets");

#define FIRST_ROUNDS (sizeof(first_rounds) / sizeof(first_rounds[0]))

enum err
beacon_sender_new(struct beacon_sender **out, const struct beacon_sender_opts *o)
{
	struct beacon_sender *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	if (beacon_ring_init(&s->sent, o->small ? 64 : BEACON_RING_ENTRIES,
	    o->small ? 16384 : BEACON_RING_BYTES) != OK) {
		free(s);
		return ERR_NOMEM;
	}
	s->ops = o->ops;
	s->ctx = o->ctx;
	s->ring = o->ring;
	s->me = o->me;
	s->jitter.state = o->seed;
	s->now = o->now;
	bucket_init(&s->states_rate, STATES_PER_S, STATES_PER_S, o->now.mono);
	bucket_init(&s->events_rate, EVENTS_PER_S, EVENTS_BURST, o->now.mono);
	s->leases = o->leases;
	/* Listings of different starts must not be taken for one another. */
	seal_random(&s->list_rev, sizeof(s->list_rev));
	if (beacon_answer_init(s) != OK) {
		beacon_sender_free(s);
		return ERR_NOMEM;
	}
	beacon_sender_restart(s, &o->now, o->epoch);
	*out = s;
	return OK;
}

void
beacon_sender_free(struct beacon_sender *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->item_count; i++)
		free(s->items[i]);
	beacon_ring_fini(&s->sent);
	bucket_table_fini(&s->requesters);
	free(s);
}

void
beacon_sender_refresh(struct beacon_sender *s, const struct beacon_when *now)
{
	s->now = *now;
	for (size_t i = 0; i < s->item_count; i++) {
		s->items[i]->rounds = 0;
		s->items[i]->next_at = now->mono;
	}
	s->items_next = s->item_count != 0 ? now->mono : MONO_NEVER;
	s->digest_at = now->mono;
}

void
beacon_sender_restart(struct beacon_sender *s, const struct beacon_when *now, uint64_t epoch)
{
	s->epoch = epoch;
	s->seq = 0;
	s->list_rev++;
	s->token_count = 0;
	beacon_ring_reset(&s->sent);
	memset(s->copied, 0, sizeof(s->copied));
	beacon_sender_refresh(s, now);
}

/* --- sending --------------------------------------------------------------------------------- */

void
beacon_sender_emit(struct beacon_sender *s, struct span dgram)
{
	s->stats.sent++;
	s->stats.sent_bytes += dgram.len;
	s->ops->multicast(s->ctx, dgram);
	for (size_t i = 0; i < s->leases->count; i++)
		if (s->leases->at[i].expires > s->now.mono)
			s->ops->unicast(s->ctx, &s->leases->at[i].to, dgram);
}

/* Seal a body under the next number, keep it, send it. h: type, lifetime and fragment are set. */
static void
send_body(struct beacon_sender *s, struct beacon_hdr *h, struct span body)
{
	uint8_t out[BEACON_DGRAM_MAX];
	bool copies = h->type == BEACON_EVENT || h->type == BEACON_WITHDRAW;

	h->sender = s->me->id;
	h->epoch = s->epoch;
	h->seq = ++s->seq;
	h->flags = s->now.wall_ms == 0 ? BEACON_NOCLOCK : 0;
	h->time_ms = s->now.wall_ms != 0 ? (uint64_t)s->now.wall_ms
					 : (uint64_t)(s->now.mono / 1000);

	struct span dgram = span_of(out, beacon_seal(out, h, body, s->ring, s->me));

	beacon_ring_push(&s->sent, dgram, copies, s->now.mono);
	beacon_sender_emit(s, dgram);
}

/* Send an item in as many datagrams as it takes; gives the number of the first. */
static uint64_t
send_item(struct beacon_sender *s, uint8_t type, const struct beacon_item *item,
    uint32_t lifetime_s)
{
	size_t parts = (item->payload.len + BEACON_PAYLOAD_MAX - 1) / BEACON_PAYLOAD_MAX;
	struct beacon_item part = *item;
	uint64_t first = s->seq + 1;

	if (parts == 0)
		parts = 1;
	for (size_t i = 0; i < parts; i++) {
		struct beacon_hdr h = { .type = type, .lifetime_s = lifetime_s,
			.frag_index = (uint8_t)i, .frag_count = (uint8_t)parts };
		uint8_t body[BEACON_PLAIN_MAX];
		struct wire_wr wr = wire_wr_of(body, sizeof(body));

		part.payload = span_cut(item->payload, i * BEACON_PAYLOAD_MAX, BEACON_PAYLOAD_MAX);
		beacon_item_put(&wr, &part);
		send_body(s, &h, wire_wr_span(&wr));
	}
	return first;
}

static void
digest_no_later_than(struct beacon_sender *s, mono_us at)
{
	s->digest_at = mono_earlier(s->digest_at, at);
}

/* --- states ---------------------------------------------------------------------------------- */

struct beacon_published_item *
beacon_sender_find(struct beacon_sender *s, uint64_t hash)
{
	for (size_t i = 0; i < s->item_count; i++)
		if (s->items[i]->hash == hash && s->items[i]->type == BEACON_STATE)
			return s->items[i];
	return NULL;
}

static struct beacon_item
item_of(const struct beacon_published_item *p)
{
	return (struct beacon_item){ .topic = span_of(p->bytes, p->topic_len), .ctype = p->ctype,
		.rev = p->rev, .payload = span_of(p->bytes + p->topic_len, p->len) };
}

/* How often a state comes round: its own wish, but never more than the carousel may use. */
static uint32_t
interval_s(const struct beacon_sender *s, const struct beacon_published_item *p)
{
	size_t bits = (s->item_bytes + s->item_count * ITEM_OVERHEAD) * 8;
	size_t share = bits / CAROUSEL_BITS_PER_S;
	uint32_t wish = p->lifetime_s > LIFETIME_SLACK_S
	    ? (p->lifetime_s - LIFETIME_SLACK_S + 2) / 3 : CAROUSEL_MIN_S;

	if (wish < CAROUSEL_MIN_S)
		wish = CAROUSEL_MIN_S;
	return share > wish ? (uint32_t)share : wish;
}

static void
send_published(struct beacon_sender *s, struct beacon_published_item *p)
{
	uint32_t every = interval_s(s, p);
	uint32_t lifetime = 3 * every + LIFETIME_SLACK_S;

	if (p->type == BEACON_KEYROLL) {
		struct beacon_hdr h = { .type = BEACON_KEYROLL, .lifetime_s = lifetime,
			.frag_count = 1 };

		send_body(s, &h, span_of(p->bytes, p->len));
		p->seq = s->seq;
	} else {
		struct beacon_item item = item_of(p);

		p->seq = send_item(s, BEACON_STATE, &item, lifetime);
	}
	s->stats.states++;
	p->last_at = s->now.mono;
	if (p->rounds < FIRST_ROUNDS)
		p->next_at = s->now.mono + first_rounds[p->rounds++];
	else
		p->next_at = s->now.mono + beacon_jitter_between(&s->jitter,
		    seconds(every) * 9 / 10, seconds(every));
	s->items_next = mono_earlier(s->items_next, p->next_at);
}

static void
send_due_states(struct beacon_sender *s)
{
	mono_us now = s->now.mono;
	unsigned sent = 0;

	if (s->items_next > now)
		return;
	s->items_next = MONO_NEVER;
	for (size_t i = 0; i < s->item_count; i++) {
		struct beacon_published_item *p = s->items[i];

		if (p->next_at > now) {
			s->items_next = mono_earlier(s->items_next, p->next_at);
			continue;
		}
		unsigned parts = p->len / BEACON_PAYLOAD_MAX + 1;

		if (sent + parts > BEACON_TURN_MAX || !bucket_take(&s->states_rate, parts, now)) {
			s->items_next = mono_earlier(s->items_next, now + millis(20));
			return;
		}
		sent += parts;
		send_published(s, p);
	}
}

static enum err
check(struct span topic, struct span payload)
{
	if (!beacon_topic_ok(topic))
		return ERR_FORMAT;
	return payload.len <= BEACON_MESSAGE_MAX ? OK : ERR_RANGE;
}

static struct beacon_published_item *
new_item(struct span topic, struct span payload)
{
	struct beacon_published_item *p = calloc(1, sizeof(*p) + topic.len + payload.len);

	if (p == NULL)
		return NULL;
	p->hash = beacon_id_of(topic);
	p->topic_len = (uint8_t)topic.len;
	p->len = (uint32_t)payload.len;
	if (topic.len != 0)
		memcpy(p->bytes, topic.at, topic.len);
	if (payload.len != 0)
		memcpy(p->bytes + topic.len, payload.at, payload.len);
	return p;
}

/* Put p in the place of old (or a new one) and send it soon. */
static void
place_item(struct beacon_sender *s, struct beacon_published_item *p,
    struct beacon_published_item *old)
{
	size_t i = 0;

	while (i < s->item_count && s->items[i] != old)
		i++;
	if (i == s->item_count) {
		s->item_count++;
		s->list_rev++;
	} else {
		s->item_bytes -= old->len;
		free(old);
	}
	s->items[i] = p;
	s->item_bytes += p->len;
	p->next_at = s->now.mono;
	s->items_next = s->now.mono;
}

enum err
beacon_sender_publish(struct beacon_sender *s, const struct beacon_when *now, struct span topic,
    uint8_t ctype, struct span payload, uint32_t lifetime_s)
{
	struct beacon_published_item *old, *p;
	enum err e = check(topic, payload);

	s->now = *now;
	if (e != OK)
		return e;
	if (lifetime_s > BEACON_LIFETIME_MAX)
		lifetime_s = BEACON_LIFETIME_MAX;
	old = beacon_sender_find(s, beacon_id_of(topic));
	if (old != NULL && old->ctype == ctype && old->lifetime_s == lifetime_s &&
	    span_equal(item_of(old).payload, payload))
		return OK;
	if ((old == NULL && s->item_count == BEACON_ITEMS_MAX) ||
	    s->item_bytes - (old != NULL ? old->len : 0) + payload.len > BEACON_ITEMS_BYTES) {
		s->stats.states_refused++;
		return ERR_FULL;
	}
	p = new_item(topic, payload);
	if (p == NULL)
		return ERR_NOMEM;
	p->type = BEACON_STATE;
	p->ctype = ctype;
	p->lifetime_s = lifetime_s;
	p->rev = old != NULL ? old->rev + 1 : 1;
	place_item(s, p, old);
	return OK;
}

enum err
beacon_sender_roll(struct beacon_sender *s, const struct beacon_when *now,
    const struct beacon_identity *next)
{
	struct beacon_keyroll roll;
	uint8_t text[BEACON_KEYROLL_TEXT], body[128];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	s->now = *now;
	memcpy(roll.key, next->public, sizeof(roll.key));
	beacon_keyroll_text(text, s->me->public, next->public);
	seal_sign(roll.proof, span_of(text, sizeof(text)), next->secret);
	beacon_keyroll_put(&wr, &roll);

	struct beacon_published_item *p = new_item(span_of(NULL, 0), wire_wr_span(&wr));

	if (p == NULL)
		return ERR_NOMEM;
	p->type = BEACON_KEYROLL;
	while (s->item_count != 0)
		free(s->items[--s->item_count]);
	s->item_bytes = 0;
	s->rolled = true;
	place_item(s, p, NULL);
	digest_no_later_than(s, now->mono + DIGEST_AFTER_EVENT);
	return OK;
}

static void
send_withdraw(struct beacon_sender *s, struct beacon_published_item *p)
{
	struct beacon_item item = item_of(p);

	item.payload = span_of(NULL, 0);
	item.rev++;
	send_item(s, BEACON_WITHDRAW, &item, interval_s(s, p));
	s->stats.withdrawals++;
	s->list_rev++;
}

enum err
beacon_sender_withdraw(struct beacon_sender *s, const struct beacon_when *now, struct span topic)
{
	struct beacon_published_item *p = beacon_sender_find(s, beacon_id_of(topic));
	size_t i = 0;

	s->now = *now;
	if (p == NULL)
		return ERR_NOTFOUND;
	send_withdraw(s, p);
	while (s->items[i] != p)
		i++;
	s->items[i] = s->items[--s->item_count];
	s->item_bytes -= p->len;
	free(p);
	digest_no_later_than(s, now->mono + DIGEST_AFTER_EVENT);
	return OK;
}

void
beacon_sender_goodbye(struct beacon_sender *s, const struct beacon_when *now)
{
	s->now = *now;
	for (size_t i = 0; i < s->item_count; i++)
		if (s->items[i]->type == BEACON_STATE)
			send_withdraw(s, s->items[i]);
}

/* --- events ---------------------------------------------------------------------------------- */

enum err
beacon_sender_event(struct beacon_sender *s, const struct beacon_when *now, struct span topic,
    uint8_t ctype, struct span payload, uint32_t lifetime_s)
{
	struct beacon_item item = { .topic = topic, .ctype = ctype, .payload = payload };
	enum err e = check(topic, payload);

	s->now = *now;
	if (e != OK)
		return e;
	if (!bucket_take(&s->events_rate, (uint32_t)(payload.len / BEACON_PAYLOAD_MAX + 1),
	    now->mono)) {
		s->stats.events_refused++;
		return ERR_FULL;
	}
	send_item(s, BEACON_EVENT, &item, lifetime_s != 0 ? lifetime_s : BEACON_EVENT_LIFETIME);
	s->stats.events++;
	digest_no_later_than(s, now->mono + DIGEST_AFTER_EVENT);
	return OK;
}

/* The copies of a stage are due in the order of their numbers: one cursor each is all it takes. */
static mono_us
send_copies(struct beacon_sender *s)
{
	mono_us now = s->now.mono, next = MONO_NEVER;
	unsigned sent = 0;

	for (size_t stage = 0; stage < BEACON_COPY_STAGES; stage++) {
		uint64_t *at = &s->copied[stage];

		if (*at + 1 < beacon_ring_oldest(&s->sent, now))
			*at = beacon_ring_oldest(&s->sent, now) - 1;
		for (; *at < s->seq; ++*at) {
			struct beacon_sent *b = beacon_ring_find(&s->sent, *at + 1, now);

			if (!b->copies)
				continue;
			if (b->at + copy_after[stage] > now || sent == BEACON_TURN_MAX) {
				next = mono_earlier(next, sent == BEACON_TURN_MAX
				    ? now + millis(1) : b->at + copy_after[stage]);
				break;
			}
			b->last = now;
			sent++;
			s->stats.copies++;
			beacon_sender_emit(s, beacon_ring_bytes(&s->sent, b));
		}
	}
	return next;
}

/* --- digests --------------------------------------------------------------------------------- */

static size_t
listed_count(const struct beacon_sender *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->item_count; i++)
		n += s->items[i]->type == BEACON_STATE;
	return n;
}

/* Fill one page; *from is where to go on in the items. */
static void
fill_page(const struct beacon_sender *s, struct beacon_digest *d, size_t *from)
{
	d->entry_count = 0;
	for (; *from < s->item_count && d->entry_count < BEACON_ENTRIES_MAX; ++*from) {
		const struct beacon_published_item *p = s->items[*from];

		/* What has not gone out yet cannot be missed; it follows within the second. */
		if (p->type == BEACON_STATE)
			d->entries[d->entry_count++] = (struct beacon_entry){ .topic = p->hash,
				.rev = p->rev, .seq = p->seq };
	}
}

static void
send_digest(struct beacon_sender *s)
{
	static_assert((BEACON_ITEMS_MAX + BEACON_ENTRIES_MAX - 1) / BEACON_ENTRIES_MAX <=
	    BEACON_PAGES_MAX, "all items fit into one listing");
	struct beacon_digest d = { .list_rev = s->list_rev, .echo_count = (uint8_t)s->token_count,
		.repair_from = beacon_ring_oldest(&s->sent, s->now.mono) };
	size_t listed = listed_count(s), from = 0;
	size_t pages = (listed + BEACON_ENTRIES_MAX - 1) / BEACON_ENTRIES_MAX;

	d.pages = (uint8_t)(s->rolled ? 2 : pages != 0 ? pages : 1);
	memcpy(d.key, s->me->public, sizeof(d.key));
	for (size_t i = 0; i < s->token_count; i++) {
		memcpy(d.echoes[i].token, s->tokens[i].token, BEACON_TOKEN_BYTES);
		d.echoes[i].base = s->tokens[i].base;
	}
	for (d.page = 0; d.page < d.pages; d.page++) {
		struct beacon_hdr h = { .type = BEACON_DIGEST, .frag_count = 1,
			.lifetime_s = 3 * DIGEST_EVERY / 1000000 + LIFETIME_SLACK_S };
		uint8_t body[BEACON_PLAIN_MAX];
		struct wire_wr wr = wire_wr_of(body, sizeof(body));

		fill_page(s, &d, &from);
		beacon_digest_put(&wr, &d);
		send_body(s, &h, wire_wr_span(&wr));
		d.echo_count = 0;
		s->stats.digests++;
		/* A listing that is never complete ends no state: the next key says them. */
		if (s->rolled)
			break;
	}
	s->token_count = 0;
	s->digest_last = s->now.mono;
	s->digest_at = s->now.mono + beacon_jitter_between(&s->jitter, DIGEST_EVERY / 10 * 8,
	    DIGEST_EVERY / 10 * 12);
}

mono_us
beacon_sender_wake(struct beacon_sender *s, const struct beacon_when *now)
{
	s->now = *now;

	mono_us copies = send_copies(s);

	/* A digest behind the states that are due lists their newest numbers. */
	send_due_states(s);
	if (s->digest_at <= now->mono)
		send_digest(s);
	beacon_leases_expire(s->leases, now->mono);
	return mono_earlier(copies, mono_earlier(s->items_next, s->digest_at));
}

/* --- listings -------------------------------------------------------------------------------- */

const struct beacon_sender_stats *
beacon_sender_stats(const struct beacon_sender *s)
{
	return &s->stats;
}

size_t
beacon_sender_count(const struct beacon_sender *s)
{
	return s->item_count;
}

void
beacon_sender_get(const struct beacon_sender *s, size_t i, struct beacon_published *out)
{
	const struct beacon_published_item *p = s->items[i];
	struct beacon_item item = item_of(p);

	*out = (struct beacon_published){ .topic = item.topic, .ctype = item.ctype, .rev = item.rev,
		.payload = item.payload, .seq = p->seq,
		.lifetime_s = 3 * interval_s(s, p) + LIFETIME_SLACK_S };
}

uint64_t
beacon_sender_epoch(const struct beacon_sender *s)
{
	return s->epoch;
}

uint64_t
beacon_sender_seq(const struct beacon_sender *s)
{
	return s->seq;
}
