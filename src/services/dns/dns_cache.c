/* SPDX-License-Identifier: MIT */
/*
 * The cache of whole answers: find, write, keep, throw out.
 *
 * Two SIEVE queues: new entries at one end; the hand walks from the oldest to the newest, spares
 * once who was used since it last came by, and evicts the first who was not. It spares a bounded
 * number at a time, so that no insert has to wait for a walk through all of a large cache.
 * RFC 2308, RFC 8767, RFC 9520; Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024.
 */
#include "services/dns/dns_cache.h"

#include "services/dns/dns_cache_impl.h"

#include <assert.h>
#include <stdlib.h>

#define NEGATIVE_SHARE	 4	/* negative answers get one part in four */
#define BIG_SHARE	 8	/* no entry takes more than one part in eight */
#define FAILURE_MEMORY_S 60	/* a failure later than that after the last starts anew */
#define FAILURE_STEPS	 5	/* 1 s << 5 is above DNS_CACHE_FAILURE_MAX */
#define PREFETCH_PART	 10	/* refresh in the last tenth of the life */
#define TIME_UNKNOWN	 INT64_MIN	/* earlier than everything: nothing has expired */
#define SPARED_MAX	 64	/* entries the hand passes over before it takes one that was used */

/* Of no use any more, not even to remember how often a question failed. */
static bool
entry_is_dead(const struct dns_cache *c, const struct dns_entry *e, mono_us now)
{
	return entry_state(c, e, now) == DNS_CACHE_MISS &&
	    now >= e->held_until + seconds(FAILURE_MEMORY_S);
}

/* --- queues ----------------------------------------------------------------------------------- */

size_t
dns_cache_total_entries(const struct dns_cache *c)
{
	return c->queue[QUEUE_POSITIVE].entries + c->queue[QUEUE_NEGATIVE].entries;
}

size_t
dns_cache_total_bytes(const struct dns_cache *c)
{
	return sizeof(*c) + dns_cache_tables_bytes(&c->t) + c->queue[QUEUE_POSITIVE].bytes +
	    c->queue[QUEUE_NEGATIVE].bytes;
}

static void
queue_add(struct dns_cache *c, uint32_t slot)
{
	struct slot *s = &c->t.slots[slot];
	struct queue *q = &c->queue[s->entry->queue];

	s->newer = 0;
	s->older = q->newest;
	if (q->newest != 0)
		c->t.slots[q->newest].newer = slot;
	else
		q->oldest = slot;
	q->newest = slot;
	q->entries++;
	q->bytes += entry_bytes(s->entry);
}

static void
queue_remove(struct dns_cache *c, uint32_t slot)
{
	struct slot *s = &c->t.slots[slot];
	struct queue *q = &c->queue[s->entry->queue];

	if (q->hand == slot)
		q->hand = s->newer;
	if (s->newer != 0)
		c->t.slots[s->newer].older = s->older;
	else
		q->newest = s->older;
	if (s->older != 0)
		c->t.slots[s->older].newer = s->newer;
	else
		q->oldest = s->newer;
	q->entries--;
	q->bytes -= entry_bytes(s->entry);
}

/* Fill a free slot. */
static void
link_entry(struct dns_cache *c, uint32_t slot, uint64_t name_hash, struct dns_entry *e)
{
	uint64_t hash = id_hash(name_hash, e->id);

	c->t.slots[slot].entry = e;
	c->t.slots[slot].hash = (uint32_t)hash;
	c->t.slots[slot].name_hash = (uint32_t)name_hash;
	dns_cache_cell_put(&c->t, tag_of(hash), slot);
	queue_add(c, slot);
}

void
dns_cache_drop(struct dns_cache *c, uint32_t slot)
{
	queue_remove(c, slot);
	dns_cache_cell_remove(&c->t, slot);
	free(c->t.slots[slot].entry);
	dns_cache_slot_give_back(&c->t, slot);
}

/* Throw one entry of a queue, which is not empty, out. */
static void
evict(struct dns_cache *c, struct queue *q, mono_us now)
{
	uint32_t at = q->hand != 0 ? q->hand : q->oldest;

	for (unsigned spared = 0;; spared++) {
		struct dns_entry *e = c->t.slots[at].entry;

		q->hand = c->t.slots[at].newer;
		if (entry_is_dead(c, e, now)) {
			c->stats.expired++;
			break;
		}
		if ((e->flags & ENTRY_VISITED) == 0 || spared == SPARED_MAX) {
			c->stats.evictions++;
			break;
		}
		e->flags &= (uint8_t)~ENTRY_VISITED;
		at = q->hand != 0 ? q->hand : q->oldest;
	}
	dns_cache_drop(c, at);
}

/* Throw one entry out of a cache that is not empty. Negative ones keep within their share. */
static void
evict_any(struct dns_cache *c, mono_us now)
{
	bool positive = c->queue[QUEUE_POSITIVE].entries != 0;

	evict(c, &c->queue[positive ? QUEUE_POSITIVE : QUEUE_NEGATIVE], now);
}

/* Evict negative answers until `need` more bytes of them keep their share. */
static void
make_room_negative(struct dns_cache *c, size_t need, mono_us now)
{
	struct queue *q = &c->queue[QUEUE_NEGATIVE];

	while (q->entries != 0 && q->bytes + need > c->cf.bytes / NEGATIVE_SHARE)
		evict(c, q, now);
}

/* Evict until `need` more bytes in a queue keep the bounds; false where they never would. */
static bool
make_room(struct dns_cache *c, enum queue_id id, size_t need, mono_us now)
{
	make_room_negative(c, id == QUEUE_NEGATIVE ? need : 0, now);
	while (dns_cache_total_entries(c) != 0 && dns_cache_total_bytes(c) + need > c->cf.bytes)
		evict_any(c, now);
	return dns_cache_total_bytes(c) + need <= c->cf.bytes;
}

/* --- the whole -------------------------------------------------------------------------------- */

enum err
dns_cache_new(struct dns_cache **out, const struct dns_cache_config *cf,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	if (dns_cache_tables_init(&c->t, 0) != OK) {
		free(c);
		return ERR_NOMEM;
	}
	memcpy(c->key, key, sizeof(c->key));
	dns_cache_configure(c, cf);
	*out = c;
	return OK;
}

void
dns_cache_free(struct dns_cache *c)
{
	if (c == NULL)
		return;
	for (uint32_t slot = 1; slot < c->t.used; slot++)
		free(c->t.slots[slot].entry);
	dns_cache_tables_fini(&c->t);
	seal_wipe(c->key, sizeof(c->key));
	free(c);
}

const uint8_t *
dns_cache_hash_key(const struct dns_cache *c)
{
	return c->key;
}

/* Bring an entry of former tables into the new ones, which have room for it. */
static void
bring_over(struct dns_cache *c, struct dns_entry *e)
{
	uint32_t slot = dns_cache_slot_take(&c->t);

	assert(slot != 0);
	link_entry(c, slot, dns_name_hash(entry_key(e).name, c->key), e);
}

void
dns_cache_shrink_tables(struct dns_cache *c)
{
	size_t entries = dns_cache_total_entries(c);
	struct tables old = c->t;
	struct queue queue[QUEUES];

	if (dns_cache_tables_bytes(&old) <= 2 * dns_cache_tables_bytes_for(entries) ||
	    dns_cache_tables_init(&c->t, entries) != OK)
		return;
	c->numbering++;
	memcpy(queue, c->queue, sizeof(queue));
	memset(c->queue, 0, sizeof(c->queue));
	for (unsigned i = 0; i < QUEUES; i++)
		for (uint32_t slot = queue[i].oldest; slot != 0; slot = old.slots[slot].newer)
			bring_over(c, old.slots[slot].entry);
	dns_cache_tables_fini(&old);
}

void
dns_cache_configure(struct dns_cache *c, const struct dns_cache_config *cf)
{
	size_t fixed = sizeof(*c);

	c->cf = *cf;
	if (c->cf.bytes < DNS_CACHE_BYTES_MIN)
		c->cf.bytes = DNS_CACHE_BYTES_MIN;
	make_room_negative(c, 0, TIME_UNKNOWN);
	/* Tables made for many entries may fill a small cache: count on ones that fit. */
	for (;;) {
		size_t entries = dns_cache_total_entries(c);
		size_t tables = dns_cache_tables_bytes_for(entries);
		size_t data = c->queue[QUEUE_POSITIVE].bytes + c->queue[QUEUE_NEGATIVE].bytes;

		if (entries == 0 || fixed + tables + data <= c->cf.bytes)
			break;
		evict_any(c, TIME_UNKNOWN);
	}
	dns_cache_shrink_tables(c);
	(void)make_room(c, QUEUE_POSITIVE, 0, TIME_UNKNOWN);
}

/* --- finding ---------------------------------------------------------------------------------- */

static inline bool
entry_is(const struct dns_entry *e, const struct dns_key *key, uint64_t id)
{
	return e->id == id && memcmp(entry_name(e), key->name.at, key->name.len) == 0;
}

/* Give the slot of an id of this key's name, or 0. */
static inline uint32_t
find_slot(const struct dns_cache *c, const struct dns_key *key, uint64_t id)
{
	const struct tables *t = &c->t;
	uint64_t hash = id_hash(key->name_hash, id);
	uint32_t tag = tag_of(hash);

	for (uint32_t pos = (uint32_t)hash & t->mask;; pos = (pos + 1) & t->mask) {
		uint32_t cell = t->cells[pos];
		uint32_t slot = cell & DNS_SLOT_MASK;

		if (cell == 0 || ((cell & ~DNS_SLOT_MASK) == tag &&
		    entry_is(t->slots[slot].entry, key, id)))
			return slot;
	}
}

static bool
is_answered(const struct dns_cache *c, const struct dns_key *key, uint64_t id)
{
	const struct dns_entry *e = c->t.slots[find_slot(c, key, id)].entry;

	return e != NULL && (e->flags & ENTRY_DATA) != 0;
}

bool
dns_cache_holds(const struct dns_cache *c, const struct dns_key *key)
{
	return is_answered(c, key, key_id(key)) || is_answered(c, key, name_id(key));
}

/* Take an entry that says "no such name" where it knows better than the one of the type. */
static enum dns_cache_state
prefer_no_name(const struct dns_cache *c, const struct dns_key *key, mono_us now,
    enum dns_cache_state state, struct dns_entry **e)
{
	struct dns_entry *none = c->t.slots[find_slot(c, key, name_id(key))].entry;
	enum dns_cache_state other =
	    none != NULL ? entry_state(c, none, now) : DNS_CACHE_MISS;

	/* A fresh "no" beats a stale "yes"; a stale one is better than nothing. */
	if (other == DNS_CACHE_FRESH || ((state == DNS_CACHE_MISS || state == DNS_CACHE_FAILED) &&
	    other != DNS_CACHE_MISS)) {
		*e = none;
		return other;
	}
	return state;
}

static inline enum dns_cache_state
look_up(const struct dns_cache *c, const struct dns_key *key, mono_us now, struct dns_entry **e)
{
	enum dns_cache_state state = DNS_CACHE_MISS;

	*e = c->t.slots[find_slot(c, key, key_id(key))].entry;
	if (*e != NULL)
		state = entry_state(c, *e, now);
	return state == DNS_CACHE_FRESH ? state : prefer_no_name(c, key, now, state, e);
}

enum dns_cache_state
dns_cache_peek(const struct dns_cache *c, const struct dns_key *key, mono_us now,
    const struct dns_entry **out)
{
	struct dns_entry *e;
	enum dns_cache_state state = look_up(c, key, now, &e);

	*out = state != DNS_CACHE_MISS ? e : NULL;
	return state;
}

enum dns_cache_state
dns_cache_find(struct dns_cache *c, const struct dns_key *key, mono_us now,
    const struct dns_entry **out)
{
	struct dns_entry *e;
	enum dns_cache_state state = look_up(c, key, now, &e);

	*out = NULL;
	switch (state) {
	case DNS_CACHE_MISS:
		c->stats.misses++;
		return state;
	case DNS_CACHE_FRESH:
		c->stats.hits++;
		break;
	case DNS_CACHE_STALE:
	case DNS_CACHE_STALE_HELD:
		c->stats.stale_hits++;
		break;
	case DNS_CACHE_FAILED:
		c->stats.failure_hits++;
		break;
	}
	e->flags |= ENTRY_VISITED;
	e->hits++;
	*out = e;
	return state;
}

/* The EDE for a reply from an entry in this state; false where there is none. */
static bool
entry_ede(const struct dns_entry *e, enum dns_cache_state state, struct dns_opt *opt)
{
	opt->has_ede = true;
	opt->ede_text = span_of(NULL, 0);
	if (state != DNS_CACHE_FRESH && (e->flags & ENTRY_DATA) != 0) {
		opt->ede = e->rcode == DNS_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN : DNS_EDE_STALE;
	} else if ((e->flags & ENTRY_HAS_EDE) != 0) {
		opt->ede = e->ede;
		opt->ede_text = entry_ede_text(e);
	} else if ((e->flags & ENTRY_DATA) == 0) {
		opt->ede = DNS_EDE_CACHED_ERROR;
	} else {
		opt->has_ede = false;
	}
	return opt->has_ede;
}

size_t
dns_cache_write(const struct dns_cache *c, const struct dns_entry *e, const struct dns_query *q,
    mono_us now, const struct dns_opt *opt, uint8_t *out, size_t limit)
{
	enum dns_cache_state state = entry_state(c, e, now);
	struct dns_stored s = entry_view(c, e, state, now);
	struct dns_opt own;

	/* Most replies have nothing to explain. */
	if (q->edns && (opt == NULL || !opt->has_ede) &&
	    (state != DNS_CACHE_FRESH || (e->flags & ENTRY_HAS_EDE) != 0)) {
		own = opt != NULL ? *opt : (struct dns_opt){ 0 };
		if (entry_ede(e, state, &own))
			opt = &own;
	}
	return dns_reply_stored(&s, q, opt, out, limit);
}

bool
dns_cache_prefetch_due(struct dns_cache *c, const struct dns_entry *e, mono_us now)
{
	if (e->hits < DNS_CACHE_PREFETCH_HITS || (e->flags & ENTRY_PREFETCHED) != 0)
		return false;
	if (now < entry_expires_at(e) - seconds(e->ttl_s) / PREFETCH_PART ||
	    now >= entry_expires_at(e) || (e->flags & ENTRY_DATA) == 0)
		return false;
	c->stats.prefetches++;
	/* Entries are const for those who look at them; this cache made it and may change it. */
	((struct dns_entry *)(uintptr_t)e)->flags |= ENTRY_PREFETCHED;
	return true;
}

/* --- storing ---------------------------------------------------------------------------------- */

/* Enter an entry, which then belongs to the cache or is released. Gives it, or NULL. */
static struct dns_entry *
insert(struct dns_cache *c, const struct dns_key *key, struct dns_entry *e, mono_us now)
{
	uint32_t slot = find_slot(c, key, e->id);
	bool replace = slot != 0;

	if (replace) {		/* out of the queue, so that it is not evicted in mid-air */
		queue_remove(c, slot);
		e->flags |= c->t.slots[slot].entry->flags & ENTRY_VISITED;
		free(c->t.slots[slot].entry);
		c->t.slots[slot].entry = NULL;
		c->stats.replaced++;
	} else {
		slot = dns_cache_slot_take(&c->t);
	}

	if (slot == 0 || dns_cache_cells_reserve(&c->t, dns_cache_total_entries(c) + 1) != OK) {
		c->stats.no_memory++;
		goto refuse;
	}
	if (!make_room(c, e->queue, entry_bytes(e), now)) {
		c->stats.too_big++;
		goto refuse;
	}
	if (replace) {
		c->t.slots[slot].entry = e;
		queue_add(c, slot);
	} else {
		link_entry(c, slot, key->name_hash, e);
	}
	c->stats.inserts++;
	return e;

refuse:
	if (replace)
		dns_cache_cell_remove(&c->t, slot);
	if (slot != 0)
		dns_cache_slot_give_back(&c->t, slot);
	free(e);
	return NULL;
}

/* What a new entry is made of, beside its key. */
struct draft {
	const struct dns_stored *answer;	/* NULL: a failure */
	bool has_ede;
	uint16_t ede;
	struct span ede_text;
};

/* Give an entry with its variable part filled in, or NULL. */
static struct dns_entry *
entry_new(const struct dns_key *key, const struct draft *d, mono_us now)
{
	static const struct dns_stored none;
	const struct dns_stored *a = d->answer != NULL ? d->answer : &none;
	size_t ede_len = d->has_ede ? dns_ede_text_fit(d->ede_text) : 0;
	size_t offsets = a->nttl * sizeof(uint16_t);
	size_t size = offsetof(struct dns_entry, data) + offsets + key->name.len + a->body_len +
	    ede_len;
	struct dns_entry *e = malloc(size > sizeof(*e) ? size : sizeof(*e));

	if (e == NULL)
		return NULL;
	*e = (struct dns_entry){ .id = key_id(key), .stored_at = now, .rcode = a->rcode,
	    .ede = d->ede, .body_len = a->body_len, .nttl = a->nttl, .answers = a->answers,
	    .authority = a->authority, .flags = d->has_ede ? ENTRY_HAS_EDE : 0,
	    .name_len = (uint8_t)key->name.len, .ede_len = (uint8_t)ede_len };

	uint8_t *at = (uint8_t *)(e->data + a->nttl);

	if (a->nttl != 0)
		memcpy(e->data, a->ttl_at, offsets);
	memcpy(at, key->name.at, key->name.len);
	if (a->body_len != 0)
		memcpy(at + key->name.len, a->body, a->body_len);
	if (ede_len != 0)
		memcpy(at + key->name.len + a->body_len, d->ede_text.at, ede_len);
	return e;
}

/* Drop what there is under an id of this key's name; false where there is nothing. */
static bool
drop_id(struct dns_cache *c, const struct dns_key *key, uint64_t id)
{
	uint32_t slot = find_slot(c, key, id);

	if (slot != 0)
		dns_cache_drop(c, slot);
	return slot != 0;
}

static bool
is_answer(enum dns_answer_kind kind)
{
	return kind == DNS_ANSWER_DATA || kind == DNS_ANSWER_NODATA || kind == DNS_ANSWER_NXDOMAIN;
}

const struct dns_entry *
dns_cache_put(struct dns_cache *c, const struct dns_key *key, const struct dns_packed *answer,
    unsigned flags, mono_us now)
{
	struct draft d = { .answer = &answer->view, .has_ede = answer->has_ede, .ede = answer->ede,
	    .ede_text = span_of(answer->ede_text, answer->ede_len) };
	/* Behind a CNAME it is another name that does not exist: that holds for this type alone. */
	bool no_name = answer->kind == DNS_ANSWER_NXDOMAIN && answer->view.answers == 0;
	struct dns_entry *e;

	if (!is_answer(answer->kind))
		return NULL;
	/* Out with what it contradicts, even where it is good for this once only. */
	bool out = drop_id(c, key, no_name ? key_id(key) : name_id(key));

	if (answer->ttl_s == 0) {
		(void)drop_id(c, key, no_name ? name_id(key) : key_id(key));
		return NULL;
	}
	c->stats.replaced += out;
	e = entry_new(key, &d, now);
	if (e == NULL) {
		c->stats.no_memory++;
		return NULL;
	}
	if (no_name)
		e->id = name_id(key);
	e->flags |= ENTRY_DATA;
	if ((flags & DNS_PUT_NO_STALE) != 0)
		e->flags |= ENTRY_NO_STALE;
	if ((answer->view.flags & DNS_FLAG_AD) != 0)
		e->flags |= ENTRY_AD;
	e->kind = (uint8_t)answer->kind;
	e->ttl_s = answer->ttl_s;
	e->queue = answer->kind == DNS_ANSWER_DATA ? QUEUE_POSITIVE : QUEUE_NEGATIVE;
	if (entry_bytes(e) > c->cf.bytes / BIG_SHARE) {
		c->stats.too_big++;
		free(e);
		return NULL;
	}
	return insert(c, key, e, now);
}

/* How often in a row the question has failed, this time included. */
static uint8_t
count_failures(const struct dns_entry *old, mono_us now)
{
	if (old == NULL || old->failures == 0 ||
	    now >= old->held_until + seconds(FAILURE_MEMORY_S))
		return 1;
	return old->failures < UINT8_MAX ? (uint8_t)(old->failures + 1) : UINT8_MAX;
}

static usec
failure_hold(uint8_t failures)
{
	return seconds(failures > FAILURE_STEPS ? DNS_CACHE_FAILURE_MAX : 1 << (failures - 1));
}

/* There is an answer, fresh or stale. */
static bool
is_of_use(const struct dns_cache *c, const struct dns_entry *e, mono_us now)
{
	return e != NULL && (e->flags & ENTRY_DATA) != 0 &&
	    entry_state(c, e, now) != DNS_CACHE_MISS;
}

const struct dns_entry *
dns_cache_put_failure(struct dns_cache *c, const struct dns_key *key, const struct dns_failure *f,
    mono_us now)
{
	struct draft d = { .has_ede = f->has_ede, .ede = f->ede, .ede_text = f->ede_text };
	struct dns_entry *old = c->t.slots[find_slot(c, key, key_id(key))].entry;
	struct dns_entry *none = c->t.slots[find_slot(c, key, name_id(key))].entry;
	uint8_t failures;
	struct dns_entry *e;

	if (!is_of_use(c, old, now) && is_of_use(c, none, now))
		old = none;
	failures = count_failures(old, now);
	if (is_of_use(c, old, now)) {
		old->failures = failures;
		old->held_until = now + seconds(c->cf.stale_recheck_s);
		return old;
	}
	e = entry_new(key, &d, now);
	if (e == NULL) {
		c->stats.no_memory++;
		return NULL;
	}
	e->rcode = f->rcode != DNS_NOERROR ? f->rcode : DNS_SERVFAIL;
	e->kind = DNS_ANSWER_FAILURE;
	e->queue = QUEUE_NEGATIVE;
	e->failures = failures;
	e->held_until = now + failure_hold(failures);
	return insert(c, key, e, now);
}
