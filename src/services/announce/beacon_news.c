/* SPDX-License-Identifier: MIT */
/*
 * What accepted datagrams mean: events, the table of states, listings, new keys. Everything that
 * the subscriber gets to see leaves through here.
 */
#include "services/announce/beacon_receiver_priv.h"

#include <stdio.h>
#include <string.h>

#include "services/announce/armor.h"
#include "util/seal.h"

#define WITHDRAWN_KEPT 60000000	/* usec that a withdrawn topic is remembered */
#define PULL_SOON 10000
#define PULL_LATE 100000
#define TOFU_NAME "tofu-"

static const char *
name_of(const struct beacon_receiver *r, uint64_t sender)
{
	size_t who = beacon_receiver_find(r, sender);

	return who < r->trust.count ? r->trust.senders[who].name : NULL;
}

static struct beacon_delivery
delivery(const struct beacon_receiver *r, enum beacon_news news, const struct beacon_hdr *h)
{
	return (struct beacon_delivery){ .news = news, .confirmed = true,
		.name = name_of(r, h->sender), .sender = h->sender, .epoch = h->epoch,
		.seq = h->seq, .time_ms = (h->flags & BEACON_NOCLOCK) != 0 ? 0 : h->time_ms };
}

static void
deliver_item(struct beacon_receiver *r, enum beacon_news news, const struct beacon_hdr *h,
    const struct beacon_item *item, bool confirmed, const char *reason)
{
	struct beacon_delivery d = delivery(r, news, h);

	d.confirmed = confirmed;
	d.reason = reason;
	d.topic = item->topic;
	d.ctype = item->ctype;
	d.rev = item->rev;
	d.payload = item->payload;
	r->ops->deliver(r->ctx, &d);
}

void
beacon_news_gap(struct beacon_receiver *r, uint64_t sender, uint64_t epoch, uint64_t first,
    uint64_t last)
{
	struct beacon_delivery d = { .news = BEACON_NEWS_GAP, .confirmed = true, .sender = sender,
		.name = name_of(r, sender), .epoch = epoch, .first = first, .last = last,
		.reason = "lost" };

	r->counts[BEACON_C_LOST] += last - first + 1;
	r->ops->deliver(r->ctx, &d);
}

void
beacon_news_refused(struct beacon_receiver *r, const struct beacon_hdr *h, const char *reason)
{
	/* A line each would let others fill the subscriber's disk; the counters have all. */
	if (!bucket_take(&r->refusals, 1, r->now.mono))
		return;

	struct beacon_delivery d = delivery(r, BEACON_NEWS_REFUSED, h);

	d.reason = reason;
	r->ops->deliver(r->ctx, &d);
}

void
beacon_news_notice(struct beacon_receiver *r, size_t who, const char *reason, struct span detail)
{
	struct beacon_delivery d = { .news = BEACON_NEWS_NOTICE, .confirmed = true,
		.reason = reason, .name = r->trust.senders[who].name, .sender = r->ids[who],
		.payload = detail };

	r->ops->deliver(r->ctx, &d);
}

/* --- states ---------------------------------------------------------------------------------- */

static uint64_t
content_hash(const struct beacon_item *item)
{
	return beacon_id_of(item->payload) + item->ctype;
}

/* The table knows something newer of the same start. */
static bool
is_outdated(const struct beacon_topic *t, const struct beacon_hdr *h)
{
	return t->epoch == h->epoch && h->seq < t->seq;
}

static void
keep_until(struct beacon_receiver *r, struct beacon_topic *t, mono_us expires)
{
	t->expires = expires;
	t->pull_at = MONO_NEVER;
	t->pulls = 0;
	beacon_topics_touch(&r->topics, t);
}

/* The key that has replaced `from`, or the one that has replaced that, and so on, is `who`. */
static bool
leads_to(const struct beacon_receiver *r, size_t from, size_t who)
{
	for (size_t n = 0; n < r->trust.count && from != who && r->peers[from].heir != 0; n++)
		from = r->peers[from].heir - 1u;
	return from == who;
}

/*
 * The same topic as said with a key that the sender's has replaced, or NULL. There may be several
 * such keys: one after the other, or of two hosts that became one.
 */
static struct beacon_topic *
inherited(struct beacon_receiver *r, uint64_t sender, uint64_t hash)
{
	size_t who = beacon_receiver_find(r, sender);

	for (size_t i = 0; i < r->trust.count; i++) {
		struct beacon_topic *t = i != who && leads_to(r, i, who)
		    ? beacon_topics_find(&r->topics, r->ids[i], hash) : NULL;

		if (t != NULL && t->len != 0)
			return t;
	}
	return NULL;
}

/* The sender's next key, or one after it, says the topic by now. */
static bool
heir_says(struct beacon_receiver *r, const struct beacon_topic *t)
{
	size_t who = beacon_receiver_find(r, t->sender);

	for (size_t n = 0; n < r->trust.count && who != r->trust.count && r->peers[who].heir != 0;
	     n++) {
		struct beacon_topic *other;

		who = r->peers[who].heir - 1u;
		other = beacon_topics_find(&r->topics, r->ids[who], t->hash);
		if (other != NULL && other->len != 0)
			return true;
	}
	return false;
}

static void
take_state(struct beacon_receiver *r, const struct beacon_hdr *h, const struct beacon_item *item)
{
	uint64_t hash = beacon_id_of(item->topic);
	struct beacon_topic *t = beacon_topics_need(&r->topics, h->sender, hash);
	struct beacon_topic *before;
	uint64_t content = content_hash(item);

	if (t == NULL || is_outdated(t, h))
		return;
	for (bool heir = t->len == 0; heir && (before = inherited(r, h->sender, hash)) != NULL;) {
		t->content = before->content;
		t->len = before->len;
		beacon_topics_remove(&r->topics, before);
	}

	bool changed = t->len == 0 || t->content != content;

	t->epoch = h->epoch;
	t->seq = h->seq;
	t->rev = item->rev;
	t->content = content;
	t->len = (uint8_t)item->topic.len;
	memcpy(t->name, item->topic.at, item->topic.len);
	keep_until(r, t, r->now.mono + seconds(h->lifetime_s));
	if (changed)
		deliver_item(r, BEACON_NEWS_STATE, h, item, true, NULL);
}

/* Report that a state is no more, and remember that for a while. */
static void
drop_state(struct beacon_receiver *r, struct beacon_topic *t, const struct beacon_hdr *h,
    const char *reason)
{
	struct beacon_item item = { .topic = span_of(t->name, t->len), .rev = t->rev };

	if (!heir_says(r, t))
		deliver_item(r, BEACON_NEWS_WITHDRAW, h, &item, true, reason);
	t->len = 0;
	t->epoch = h->epoch;
	t->seq = h->seq;
	keep_until(r, t, r->now.mono + WITHDRAWN_KEPT);
}

static void
take_withdraw(struct beacon_receiver *r, const struct beacon_hdr *h, const struct beacon_item *item)
{
	uint64_t hash = beacon_id_of(item->topic);
	struct beacon_topic *t = beacon_topics_need(&r->topics, h->sender, hash);

	if (t == NULL || is_outdated(t, h))
		return;
	if (t->len != 0) {
		drop_state(r, t, h, "withdrawn");
		return;
	}
	t->epoch = h->epoch;
	t->seq = h->seq;
	keep_until(r, t, r->now.mono + WITHDRAWN_KEPT);
}

void
beacon_news_expire(struct beacon_receiver *r)
{
	struct beacon_topic *t;

	while ((t = beacon_topics_expired(&r->topics, r->now.mono)) != NULL) {
		if (t->len != 0) {
			struct beacon_hdr h = { .sender = t->sender, .epoch = t->epoch,
				.seq = t->seq };

			drop_state(r, t, &h, "expired");
		} else {
			beacon_topics_remove(&r->topics, t);
		}
	}
}

/* --- items ----------------------------------------------------------------------------------- */

/* Whoever has named a successor has nothing more to say but what it said before. */
static bool
may_still_speak(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h)
{
	struct beacon_peer *p = &r->peers[who];
	const struct beacon_slot *slot = beacon_proof_slot(p, h->epoch);

	if (p->heir == 0 || (slot != NULL && h->seq < slot->rolled_at))
		return true;
	r->counts[BEACON_C_KEY_REPLACED]++;
	beacon_news_refused(r, h, "this key was replaced by a newer one");
	return false;
}

void
beacon_news_item(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    struct span body, bool confirmed)
{
	struct beacon_item item;
	struct beacon_hdr first = *h;

	if (beacon_item_parse(&item, body) != OK || !may_still_speak(r, who, h))
		return;
	if (!beacon_globs_match(r->trust.senders[who].globs, item.topic)) {
		r->counts[BEACON_C_TOPIC_DENIED]++;
		beacon_news_refused(r, h, "topic not allowed for this sender");
		beacon_topics_deny(&r->topics, h->sender, beacon_id_of(item.topic));
		return;
	}
	if ((h->flags & BEACON_FRAG) != 0) {
		if (!beacon_parts_add(&r->parts, h, &item, r->now.mono))
			return;
		first.seq = h->seq - h->frag_index;
	}
	if (h->type == BEACON_EVENT)
		deliver_item(r, BEACON_NEWS_EVENT, &first, &item, confirmed, NULL);
	else if (!confirmed)
		deliver_item(r, BEACON_NEWS_STATE, &first, &item, false, NULL);
	else if (h->type == BEACON_STATE)
		take_state(r, &first, &item);
	else
		take_withdraw(r, &first, &item);
}

/* --- listings -------------------------------------------------------------------------------- */

/* False where there is no place for what it lists, so that we shall not know it. */
static bool
take_entry(struct beacon_receiver *r, const struct beacon_hdr *h, const struct beacon_entry *e,
    uint32_t list_rev)
{
	struct beacon_topic *t = beacon_topics_need(&r->topics, h->sender, e->topic);

	if (t == NULL)
		return false;
	t->list_rev = list_rev;
	if (t->epoch == h->epoch && t->seq > h->seq)
		return true;		/* it spoke again after the listing */
	if (t->len != 0 && t->epoch == h->epoch && t->rev == e->rev) {
		keep_until(r, t, r->now.mono + seconds(h->lifetime_s));
	} else if (!t->denied && t->pull_at == MONO_NEVER && t->pulls < BEACON_TOPIC_PULLS) {
		t->pull_at = r->now.mono +
			     beacon_jitter_between(&r->jitter, PULL_SOON, PULL_LATE);
		/* A topic that never comes is forgotten again. */
		if (t->expires == MONO_NEVER)
			t->expires = r->now.mono + seconds(h->lifetime_s);
		beacon_topics_touch(&r->topics, t);
	}
	return true;
}

/* All pages of one listing have come: what it does not name is no more. */
static void
sweep(struct beacon_receiver *r, const struct beacon_hdr *h, uint32_t list_rev)
{
	struct beacon_topic *t;

	while ((t = beacon_topics_unlisted(&r->topics, h->sender, h->epoch, h->seq, list_rev)) !=
	       NULL)
		drop_state(r, t, h, "unlisted");
}

void
beacon_news_digest(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    const struct beacon_digest *d)
{
	struct beacon_peer *p = &r->peers[who];
	uint32_t all = d->pages == 32 ? UINT32_MAX : (1U << d->pages) - 1;
	struct beacon_gap lost;

	while (beacon_gaps_lost(&r->gaps, r->now.mono, h->sender, h->epoch, d->repair_from, &lost))
		beacon_news_gap(r, lost.sender, lost.epoch, lost.first, lost.last);
	if (p->heir != 0)
		return;			/* its states are the next key's by now, or expire */
	if (p->list_rev != d->list_rev) {
		p->list_rev = d->list_rev;
		p->list_pages = 0;
		p->listed = false;
	}
	if (p->list_pages == 0)
		p->crowded = false;
	for (size_t i = 0; i < d->entry_count; i++)
		p->crowded |= !take_entry(r, h, &d->entries[i], d->list_rev);
	p->list_pages |= 1U << d->page;
	if (p->list_pages == all)
		p->listed = !p->crowded;
	/* Two machines with one identity list different things: only lifetimes end their states. */
	if (p->list_pages == all && !p->twins) {
		p->list_pages = 0;
		sweep(r, h, d->list_rev);
	}
}

/* --- keys ------------------------------------------------------------------------------------ */

/* Gives the place of the key, or that of none (trust.count) where there is no room. */
static size_t
adopt_key(struct beacon_receiver *r, const char *name, const uint8_t key[static SEAL_PUBLIC_BYTES],
    const char *globs, enum beacon_origin origin, const char *reason)
{
	char text[16 + ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)] = "ed25519:";
	size_t who = r->trust.count;
	enum err e = beacon_trust_add(&r->trust, name, key, globs, origin);

	if (e != OK) {
		r->counts[BEACON_C_TRUST_FULL] += e == ERR_FULL;
		return r->trust.count;
	}
	r->ids[who] = r->trust.senders[who].id;
	memset(&r->peers[who], 0, sizeof(r->peers[who]));
	armor_base64(text + strlen(text), span_of(key, SEAL_PUBLIC_BYTES));
	beacon_news_notice(r, who, reason, span_str(text));
	return who;
}

/* The place of the key that `who` names, which may stand in the trust file already. */
static size_t
heir_of(struct beacon_receiver *r, size_t who, const uint8_t key[static SEAL_PUBLIC_BYTES])
{
	struct beacon_trusted old = r->trust.senders[who];
	size_t heir = beacon_receiver_find(r, beacon_id_of(span_of(key, SEAL_PUBLIC_BYTES)));

	if (heir != r->trust.count)
		return heir;
	heir = adopt_key(r, old.name, key, old.globs, BEACON_FROM_ROLL,
	    "has a new key, put it into the trust file");
	if (heir != r->trust.count)
		r->trust.senders[heir].from = old.id;
	return heir;
}

void
beacon_news_keyroll(struct beacon_receiver *r, size_t who, const struct beacon_hdr *h,
    struct span body)
{
	struct beacon_peer *p = &r->peers[who];
	struct beacon_slot *slot = beacon_proof_slot(p, h->epoch);
	struct beacon_keyroll roll;
	uint8_t text[BEACON_KEYROLL_TEXT];

	if (beacon_keyroll_parse(&roll, body) != OK)
		return;
	beacon_keyroll_text(text, r->trust.senders[who].key, roll.key);
	if (seal_verify(roll.proof, span_of(text, sizeof(text)), roll.key) != OK) {
		beacon_news_refused(r, h, "new key does not sign for itself");
		return;
	}

	size_t heir = heir_of(r, who, roll.key);

	if (heir == r->trust.count || heir == who)
		return;
	/* The first word counts: who steals the old key later cannot name another. */
	if (p->heir != 0 && p->heir != heir + 1) {
		beacon_news_refused(r, h, "has named another key before");
		return;
	}
	/* An older key comes back. One that was replaced on its own account stays so. */
	if (leads_to(r, heir, who))
		r->peers[heir].heir = 0;
	/* In another start the old key has no words from before: its thief might repeat this. */
	if (slot != NULL && (p->heir == 0 || (slot->rolled_at != 0 && h->seq < slot->rolled_at)))
		slot->rolled_at = h->seq;
	p->heir = (uint8_t)(heir + 1);
}

bool
beacon_news_tofu(struct beacon_receiver *r, const struct beacon_opened *o)
{
	struct beacon_digest d;
	char name[BEACON_NAME_MAX];

	/* Only inside a sealed group: otherwise any guest would be trusted. */
	if (!r->trust.tofu || o->hdr.type != BEACON_DIGEST ||
	    (o->hdr.flags & BEACON_SEALED) == 0)
		return false;
	if (beacon_digest_parse(&d, beacon_opened_body(o)) != OK ||
	    beacon_id_of(span_of(d.key, sizeof(d.key))) != o->hdr.sender ||
	    beacon_verify(o, d.key) != OK)
		return false;

	char fingerprint[BEACON_FINGERPRINT_TEXT];

	beacon_fingerprint(fingerprint, d.key);
	snprintf(name, sizeof(name), TOFU_NAME "%.4s%.4s", fingerprint, fingerprint + 5);
	return adopt_key(r, name, d.key, "*", BEACON_FROM_TOFU, "pinned on first use") !=
	       r->trust.count;
}
