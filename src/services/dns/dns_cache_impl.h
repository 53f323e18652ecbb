/* SPDX-License-Identifier: MIT */
/*
 * Inside the cache: for its own sources only.
 *
 * index: cells of 32 bits, open addressing, linear probing. A cell is 0 or an 8-bit tag and a slot
 * number. slots: one per entry, numbered from 1, with what rehashing and flushing need, so that
 * neither has to visit the entries. An entry is one block of memory: head, TTL offsets, name, body,
 * EDE text. All of an entry but its head is immutable.
 */
#ifndef SERVICES_DNS_CACHE_IMPL_H
#define SERVICES_DNS_CACHE_IMPL_H

#include "services/dns/dns_cache.h"

#define DNS_SLOT_BITS 24
#define DNS_SLOT_MASK ((1u << DNS_SLOT_BITS) - 1)

enum entry_flags {
	ENTRY_DATA = 1,		/* holds an answer; else a failure only */
	ENTRY_NO_STALE = 2,
	ENTRY_HAS_EDE = 4,
	ENTRY_AD = 8,
	ENTRY_VISITED = 16,	/* SIEVE's bit */
	ENTRY_PREFETCHED = 32,
};

struct dns_entry {
	uint64_t id;		/* type, class, route, bits and name length: key_id(), name_id() */
	mono_us stored_at;
	mono_us held_until;	/* upstreams failed: leave them alone until then */
	uint32_t ttl_s;
	uint32_t hits;
	uint16_t rcode;
	uint16_t ede;
	uint16_t body_len;
	uint16_t nttl;
	uint16_t answers;
	uint16_t authority;
	uint8_t flags;		/* enum entry_flags */
	uint8_t kind;		/* enum dns_answer_kind */
	uint8_t name_len;
	uint8_t ede_len;
	uint8_t failures;	/* in a row */
	uint8_t queue;		/* enum queue_id */
	uint16_t data[];	/* ttl_at[nttl], then bytes: name, body, EDE text */
};

struct slot {
	struct dns_entry *entry;	/* NULL: free */
	uint32_t hash;		/* low half of the key's hash */
	uint32_t name_hash;	/* low half of the name's */
	uint32_t newer;		/* neighbours in the queue; of a free slot: the next free one */
	uint32_t older;
};

enum queue_id {
	QUEUE_POSITIVE,
	QUEUE_NEGATIVE,		/* failures too */
	QUEUES,
};

struct queue {
	uint32_t newest;
	uint32_t oldest;
	uint32_t hand;		/* where eviction goes on; 0: at the oldest */
	size_t entries;
	size_t bytes;
};

/* The index and the slots; replaced as one when they are resized. */
struct tables {
	uint32_t *cells;
	uint32_t mask;		/* cells - 1 */
	uint32_t nslots;	/* slots there is memory for, number 0 included */
	uint32_t used;		/* slots ever used, number 0 included */
	uint32_t free;		/* the first free one below `used`; 0: none */
	struct slot *slots;
};

struct dns_cache {
	struct tables t;
	struct queue queue[QUEUES];
	struct dns_cache_config cf;
	uint32_t numbering;		/* goes up when slots get other numbers */
	struct dns_cache_stats stats;	/* counters; the levels are filled in on request */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
};

/* --- tables: dns_cache_table.c ---------------------------------------------------------------- */

size_t dns_cache_tables_bytes(const struct tables *t);
/* What tables made for n entries would take. */
size_t dns_cache_tables_bytes_for(size_t n);
enum err dns_cache_tables_init(struct tables *t, size_t n) MUST_CHECK;
void dns_cache_tables_fini(struct tables *t);

/* Give a free slot, not linked to anything; 0 where there is no memory. */
uint32_t dns_cache_slot_take(struct tables *t);
void dns_cache_slot_give_back(struct tables *t, uint32_t slot);

/* See that the index has room for n entries. */
enum err dns_cache_cells_reserve(struct tables *t, size_t n) MUST_CHECK;
/* Enter a slot, whose hash is set, under a tag. */
void dns_cache_cell_put(struct tables *t, uint32_t tag, uint32_t slot);
/* Take a slot that is there out. */
void dns_cache_cell_remove(struct tables *t, uint32_t slot);

/* --- entries ---------------------------------------------------------------------------------- */

#define ID_WHOLE_NAME (UINT64_C(1) << 50)

/* All of a key but the name. */
static inline uint64_t
key_id(const struct dns_key *k)
{
	return (uint64_t)k->type | (uint64_t)k->class << 16 | (uint64_t)k->route << 32 |
	    (uint64_t)k->dnssec_ok << 48 | (uint64_t)k->checking_disabled << 49 |
	    (uint64_t)k->name.len << 56;
}

/* The same for what holds for a name whatever the type: that there is no such name. */
static inline uint64_t
name_id(const struct dns_key *k)
{
	return (key_id(k) & ~(uint64_t)UINT16_MAX) | ID_WHOLE_NAME;
}

/*
 * Spread name and id over 64 bits. The name's part is secret, so which ids of one name meet in a
 * cell cannot be told from outside.
 */
static inline uint64_t
id_hash(uint64_t name_hash, uint64_t id)
{
	uint64_t h = name_hash ^ id * UINT64_C(0x9e3779b97f4a7c15);

	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static inline const uint8_t *
entry_name(const struct dns_entry *e)
{
	return (const uint8_t *)(e->data + e->nttl);
}

/* The key of an entry, without the hash. A view of it. */
static inline struct dns_key
entry_key(const struct dns_entry *e)
{
	return (struct dns_key){ .name = span_of(entry_name(e), e->name_len),
	    .type = (uint16_t)e->id, .class = (uint16_t)(e->id >> 16),
	    .route = (uint16_t)(e->id >> 32), .dnssec_ok = (e->id >> 48 & 1) != 0,
	    .checking_disabled = (e->id >> 49 & 1) != 0 };
}

static inline const uint8_t *
entry_body(const struct dns_entry *e)
{
	return entry_name(e) + e->name_len;
}

static inline struct span
entry_ede_text(const struct dns_entry *e)
{
	return span_of(entry_body(e) + e->body_len, e->ede_len);
}

/* What an entry takes from the heap: glibc adds eight bytes and rounds up to sixteen. */
static inline size_t
entry_bytes(const struct dns_entry *e)
{
	size_t size = offsetof(struct dns_entry, data) + e->nttl * sizeof(e->data[0]) +
	    e->name_len + e->body_len + e->ede_len;

	return (size + 8 + 15) & ~(size_t)15;
}

static inline mono_us
entry_expires_at(const struct dns_entry *e)
{
	return e->stored_at + seconds(e->ttl_s);
}

static inline mono_us
entry_stale_until(const struct dns_cache *c, const struct dns_entry *e)
{
	if ((e->flags & ENTRY_NO_STALE) != 0)
		return entry_expires_at(e);
	return entry_expires_at(e) + seconds(c->cf.stale_window_s);
}

static inline enum dns_cache_state
entry_state(const struct dns_cache *c, const struct dns_entry *e, mono_us now)
{
	if ((e->flags & ENTRY_DATA) == 0)
		return now < e->held_until ? DNS_CACHE_FAILED : DNS_CACHE_MISS;
	if (now < entry_expires_at(e))
		return DNS_CACHE_FRESH;
	if (now >= entry_stale_until(c, e))
		return DNS_CACHE_MISS;
	return now < e->held_until ? DNS_CACHE_STALE_HELD : DNS_CACHE_STALE;
}

static inline struct dns_stored
entry_view(const struct dns_cache *c, const struct dns_entry *e, enum dns_cache_state state,
    mono_us now)
{
	struct dns_stored s = { .body = entry_body(e), .ttl_at = e->data, .body_len = e->body_len,
	    .nttl = e->nttl, .answers = e->answers, .authority = e->authority, .rcode = e->rcode,
	    .ttl_cap_s = UINT32_MAX, .turn = e->hits };

	if (state == DNS_CACHE_FRESH) {
		s.age_s = (uint32_t)((now - e->stored_at) / seconds(1));
		s.flags = (e->flags & ENTRY_AD) != 0 ? DNS_FLAG_AD : 0;
	} else {
		s.ttl_cap_s = c->cf.stale_ttl_s;	/* and no AD: signatures may have run out */
	}
	return s;
}

/* The tag of a key's cell: the top byte of its hash, where a cell has it. */
static inline uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 56) << DNS_SLOT_BITS;
}

/* --- the cache: dns_cache.c ------------------------------------------------------------------- */

size_t dns_cache_total_entries(const struct dns_cache *c);
size_t dns_cache_total_bytes(const struct dns_cache *c);
/* Give back memory of tables that are far too large for what is in them. Slots get new numbers. */
void dns_cache_shrink_tables(struct dns_cache *c);
/* There is an answer with this key, whatever its age. */
bool dns_cache_holds(const struct dns_cache *c, const struct dns_key *key);
/* Take an entry out of everything and release it. */
void dns_cache_drop(struct dns_cache *c, uint32_t slot);

#endif
