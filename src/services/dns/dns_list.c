/* SPDX-License-Identifier: MIT */
/*
 * The set of names. While building, names are only written one behind the other; dns_list_finish()
 * then enters them into the index, names of few labels first, so that a name sees at once whether
 * one above it is there.
 *
 * An entry of the arena is one byte (source, bit EXACT) and the name in wire form. The index has
 * groups of eight places: eight tags, one byte of the hash each, 0 for a free place, and apart from
 * them the eight offsets. A group that is full sends on to the next one. At most four fifths of the
 * places are in use, so every search ends.
 *
 * In front of it stands a Bloom filter of eight bits a name, two of them set, over the last two
 * labels of all names: what is not in it has no name of two labels or more above or at it.
 *
 * Memory comes from mmap: malloc keeps pieces of this size for itself after the first reload.
 */
#include "services/dns/dns_list.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "services/dns/dns_regex.h"

#define EXACT	   0x80u	/* in an entry's first byte */
#define GONE	   0xff		/* an entry that was left out; no source has this number */
#define GROUP	   8		/* places */
#define PLACE_SIZE (1 + sizeof(uint32_t))
/* behind the last entry: names are compared by the asker's length */
#define ARENA_PAD  256
#define ARENA_STEP (256u << 10)
#define ARENA_MAX  (UINT32_MAX - ARENA_PAD)
/* Squeeze the holes out where more than this part of the names was left out. */
#define HOLES_PART 16

static const uint64_t ones = UINT64_C(0x0101010101010101);

struct pages {
	uint8_t *at;
	size_t len;
};

struct names {
	struct pages arena;
	struct pages index;	/* filter, tags, slots */
	uint64_t *filter;
	uint32_t filter_words;
	uint8_t *tags;
	uint32_t *slots;
	uint32_t groups;
	uint32_t count;
	size_t used;		/* bytes of the arena */
	unsigned deepest;
	uint64_t depths[2];	/* bit i: there are names of i + 1 labels */
};

/* The patterns of one kind. */
struct patterns {
	unsigned count;
	struct pattern {
		struct dns_regex *regex;
		uint8_t source;
		uint16_t len;
		char *text;
	} *at;
};

struct dns_list {
	struct names names[DNS_LIST_KINDS];
	struct patterns patterns[DNS_LIST_KINDS];
	struct dns_list_stats stats;
	uint8_t key[SEAL_SHORT_KEY_BYTES];
};

/* How much was added. */
struct amount {
	size_t used;		/* bytes of the arena */
	uint32_t count;
	uint32_t depth[DNS_LABELS_MAX + 1];	/* how many names have so many labels */
};

/* Names as they were added. */
struct heap {
	struct pages arena;
	struct amount n;
	struct amount mark;
	unsigned mark_patterns;
};

struct dns_list_builder {
	struct heap heap[DNS_LIST_KINDS];
	struct patterns patterns[DNS_LIST_KINDS];
	uint32_t names_max;
	uint32_t refused;
	uint32_t patterns_refused;
};

/* --- memory ----------------------------------------------------------------------------------- */

static enum err
pages_resize(struct pages *p, size_t len)
{
	void *at;

	if (p->at == NULL)
		at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		at = mremap(p->at, p->len, len, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return ERR_NOMEM;
	p->at = at;
	p->len = len;
	return OK;
}

static void
pages_release(struct pages *p)
{
	if (p->at != NULL)
		munmap(p->at, p->len);
	*p = (struct pages){ 0 };
}

/* Drop all but the first `keep`. */
static void
patterns_cut(struct patterns *p, unsigned keep)
{
	while (p->count > keep) {
		struct pattern *last = &p->at[--p->count];

		dns_regex_free(last->regex);
		free(last->text);
	}
}

static void
patterns_release(struct patterns *p)
{
	patterns_cut(p, 0);
	free(p->at);
	*p = (struct patterns){ 0 };
}

/* --- the index -------------------------------------------------------------------------------- */

static inline uint8_t
tag_of(uint64_t hash)
{
	uint8_t tag = (uint8_t)hash;

	return tag != 0 ? tag : 1;
}

static inline uint32_t
group_of(const struct names *s, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * s->groups >> 32);
}

static inline uint32_t
group_after(const struct names *s, uint32_t group)
{
	return group + 1 < s->groups ? group + 1 : 0;
}

static inline uint64_t
tags_at(const struct names *s, uint32_t group)
{
	uint64_t tags;

	memcpy(&tags, s->tags + (size_t)group * GROUP, sizeof(tags));
	return le64toh(tags);
}

/* The top bit of every byte that is zero, no others. */
static inline uint64_t
zero_bytes(uint64_t v)
{
	uint64_t low7 = ones * 0x7f;

	return ~(((v & low7) + low7) | v | low7);
}

static inline size_t
slot_of(uint32_t group, uint64_t bits)
{
	return (size_t)group * GROUP + (size_t)__builtin_ctzll(bits) / 8;
}

static enum err
index_make(struct names *s, uint32_t count)
{
	size_t filter_bytes, places;

	/* At most 32 names for 5 groups of 8 places, 8 names for 64 bits of the filter. */
	s->groups = (uint32_t)((uint64_t)count * 5 / 32) + 1;
	s->filter_words = count / 8 + 1;
	filter_bytes = s->filter_words * sizeof(*s->filter);
	places = (size_t)s->groups * GROUP;
	pages_release(&s->index);
	if (pages_resize(&s->index, filter_bytes + places * PLACE_SIZE) != OK)
		return ERR_NOMEM;
	/* Questions hit it all over: fewer, larger pages, where there are any. */
	(void)madvise(s->index.at, s->index.len, MADV_HUGEPAGE);
	s->filter = (uint64_t *)(void *)s->index.at;
	s->tags = s->index.at + filter_bytes;
	s->slots = (uint32_t *)(void *)(s->tags + places);
	return OK;
}

/* The filter's word for the last two labels, and its two bits. */
static inline uint64_t *
filter_word(const struct names *s, uint64_t hash)
{
	return &s->filter[(hash & UINT32_MAX) * s->filter_words >> 32];
}

static inline uint64_t
filter_bits(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 32 & 63) | UINT64_C(1) << (hash >> 38 & 63);
}

static inline bool
filter_has(const struct names *s, uint64_t hash)
{
	return (~*filter_word(s, hash) & filter_bits(hash)) == 0;
}

/* Give the entry of a name, or NULL. */
static inline uint8_t *
index_find(const struct names *s, uint64_t hash, struct span name)
{
	uint64_t wanted = ones * tag_of(hash);

	for (uint32_t group = group_of(s, hash);; group = group_after(s, group)) {
		uint64_t tags = tags_at(s, group);

		for (uint64_t bits = zero_bytes(tags ^ wanted); bits != 0; bits &= bits - 1) {
			uint8_t *entry = s->arena.at + s->slots[slot_of(group, bits)];

			if (memcmp(entry + 1, name.at, name.len) == 0)
				return entry;
		}
		if (zero_bytes(tags) != 0)
			return NULL;
	}
}

static void
index_put(struct names *s, uint64_t hash, uint32_t offset)
{
	uint32_t group = group_of(s, hash);
	uint64_t free_ones;

	while ((free_ones = zero_bytes(tags_at(s, group))) == 0)
		group = group_after(s, group);

	size_t slot = slot_of(group, free_ones);

	s->tags[slot] = tag_of(hash);
	s->slots[slot] = offset;
}

static inline bool
has_depth(const struct names *s, unsigned i)
{
	return (s->depths[i / 64] >> (i % 64) & 1) != 0;
}

/* --- building --------------------------------------------------------------------------------- */

enum err
dns_list_builder_new(struct dns_list_builder **out, uint32_t names_max)
{
	struct dns_list_builder *b = calloc(1, sizeof(*b));

	assert(names_max >= 1 && names_max <= DNS_LIST_NAMES_MAX);
	if (b == NULL)
		return ERR_NOMEM;
	b->names_max = names_max;
	*out = b;
	return OK;
}

void
dns_list_builder_free(struct dns_list_builder *b)
{
	if (b == NULL)
		return;
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		pages_release(&b->heap[kind].arena);
		patterns_release(&b->patterns[kind]);
	}
	free(b);
}

static enum err
heap_room(struct heap *h)
{
	if (h->arena.len - h->n.used >= 2 * ARENA_PAD)
		return OK;
	if (h->n.used > ARENA_MAX - ARENA_PAD)
		return ERR_FULL;
	return pages_resize(&h->arena, h->arena.len + h->arena.len / 2 + ARENA_STEP);
}

enum err
dns_list_add(struct dns_list_builder *b, struct dns_list_rule rule, struct span name)
{
	struct heap *h = &b->heap[rule.kind];
	bool full = b->heap[0].n.count + b->heap[1].n.count >= b->names_max;
	enum err e = full ? ERR_FULL : heap_room(h);

	assert(rule.source < DNS_LIST_SOURCES_MAX && name.len > 1);
	if (e != OK) {
		b->refused += e == ERR_FULL;
		return e;
	}
	h->arena.at[h->n.used] = (uint8_t)(rule.source | (rule.exact ? EXACT : 0));
	memcpy(h->arena.at + h->n.used + 1, name.at, name.len);
	h->n.used += 1 + name.len;
	h->n.count++;
	h->n.depth[dns_name_labels(name)]++;
	return OK;
}

enum err
dns_list_add_pattern(struct dns_list_builder *b, struct dns_list_rule rule, struct span pattern)
{
	struct patterns *p = &b->patterns[rule.kind];
	struct pattern one = { .source = rule.source, .len = (uint16_t)pattern.len };
	enum err e;

	if (b->patterns[0].count + b->patterns[1].count == DNS_LIST_PATTERNS_MAX) {
		b->patterns_refused++;
		return ERR_FULL;
	}
	e = dns_regex_new(&one.regex, pattern);
	if (e != OK)
		return e;
	one.text = malloc(pattern.len + 1);

	struct pattern *more = realloc(p->at, (p->count + 1) * sizeof(*more));

	if (more != NULL)
		p->at = more;
	if (more == NULL || one.text == NULL) {
		dns_regex_free(one.regex);
		free(one.text);
		return ERR_NOMEM;
	}
	memcpy(one.text, pattern.at, pattern.len);
	p->at[p->count++] = one;
	return OK;
}

void
dns_list_builder_mark(struct dns_list_builder *b)
{
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		b->heap[kind].mark = b->heap[kind].n;
		b->heap[kind].mark_patterns = b->patterns[kind].count;
	}
}

void
dns_list_builder_rewind(struct dns_list_builder *b)
{
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		b->heap[kind].n = b->heap[kind].mark;
		patterns_cut(&b->patterns[kind], b->heap[kind].mark_patterns);
	}
}

/* The name of an entry: it is whole and legal, so its own bytes bound the walk. */
static inline struct span
entry_name(const uint8_t *entry)
{
	size_t len = 1;

	while (entry[len] != 0)
		len += (size_t)entry[len] + 1;
	return span_of(entry + 1, len);
}

/* Give the offsets of all entries, those of few labels first, else as they came; to be freed. */
static uint32_t *
by_depth(const struct heap *h)
{
	uint32_t next[DNS_LABELS_MAX + 1];
	uint32_t *order = malloc(((size_t)h->n.count + 1) * sizeof(*order));
	uint32_t sum = 0;

	if (order == NULL)
		return NULL;
	for (unsigned i = 0; i <= DNS_LABELS_MAX; i++) {
		next[i] = sum;
		sum += h->n.depth[i];
	}
	for (size_t at = 0; at < h->n.used;) {
		struct span name = entry_name(h->arena.at + at);

		order[next[dns_name_labels(name)]++] = (uint32_t)at;
		at += 1 + name.len;
	}
	return order;
}

/* A name above the one of this trail stands for all below it. */
static bool
is_covered(const struct names *s, struct dns_trail *t)
{
	for (unsigned i = 0; i + 1 < t->labels; i++) {
		const uint8_t *entry;

		if (!has_depth(s, i))
			continue;
		entry = index_find(s, dns_trail_hash(t, i), dns_trail_end(t, i));
		if (entry != NULL && (*entry & EXACT) == 0)
			return true;
	}
	return false;
}

/* Put a name that is new into index and filter. */
static void
put(struct names *s, struct dns_trail *t, uint32_t offset)
{
	if (t->labels > 1)
		*filter_word(s, dns_trail_hash(t, 1)) |= filter_bits(dns_trail_hash(t, 1));
	index_put(s, dns_trail_hash(t, t->labels - 1), offset);
}

/* Enter one name of the arena, or mark it as gone. */
static void
enter(struct dns_list *l, struct names *s, uint32_t offset)
{
	uint8_t *entry = s->arena.at + offset;
	struct dns_trail t;
	uint8_t *before;

	dns_trail_of(&t, entry_name(entry), true, l->key);

	unsigned last = t.labels - 1;

	if (is_covered(s, &t)) {
		*entry = GONE;
		l->stats.covered++;
		return;
	}
	before = index_find(s, dns_trail_hash(&t, last), t.name);
	if (before != NULL) {
		if ((*before & EXACT) != 0 && (*entry & EXACT) == 0)
			*before = *entry;
		*entry = GONE;
		l->stats.duplicates++;
		return;
	}
	put(s, &t, offset);
	s->depths[last / 64] |= UINT64_C(1) << (last % 64);
	s->count++;
	if (t.labels > s->deepest)
		s->deepest = t.labels;
}

/* Close the holes between the entries that stayed, and make the index anew. */
static enum err
squeeze(struct dns_list *l, struct names *s)
{
	uint8_t *arena = s->arena.at;
	enum err e = index_make(s, s->count);
	size_t to = 0;

	if (e != OK)
		return e;
	for (size_t at = 0; at < s->used;) {
		struct span name = entry_name(arena + at);
		size_t len = 1 + name.len;

		if (arena[at] != GONE) {
			struct dns_trail t;

			memmove(arena + to, arena + at, len);
			dns_trail_of(&t, span_of(arena + to + 1, name.len), true, l->key);
			put(s, &t, (uint32_t)to);
			to += len;
		}
		at += len;
	}
	s->used = to;
	return OK;
}

/* Make one half of the set; the arena changes hands. */
static enum err
make_names(struct dns_list *l, struct names *s, struct heap *h)
{
	uint32_t *order;
	enum err e;

	if (h->n.count == 0)
		return OK;
	e = index_make(s, h->n.count);
	if (e != OK)
		return e;
	order = by_depth(h);
	if (order == NULL)
		return ERR_NOMEM;
	s->arena = h->arena;
	s->used = h->n.used;
	for (uint32_t i = 0; i < h->n.count; i++)
		enter(l, s, order[i]);
	free(order);
	if (h->n.count - s->count > h->n.count / HOLES_PART)
		e = squeeze(l, s);
	*h = (struct heap){ 0 };
	return e == OK ? pages_resize(&s->arena, s->used + ARENA_PAD) : e;
}

enum err
dns_list_finish(struct dns_list **out, struct dns_list_builder *b,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_list *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	memcpy(l->key, key, sizeof(l->key));
	l->stats.refused = b->refused;
	l->stats.patterns_refused = b->patterns_refused;
	l->stats.bytes = sizeof(*l);
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		struct names *s = &l->names[kind];
		enum err e = make_names(l, s, &b->heap[kind]);

		if (e != OK) {
			dns_list_free(l);
			return e;
		}
		l->patterns[kind] = b->patterns[kind];
		b->patterns[kind] = (struct patterns){ 0 };
		l->stats.patterns += l->patterns[kind].count;
		l->stats.names[kind] = s->count;
		l->stats.bytes += s->arena.len + s->index.len;
	}
	*out = l;
	return OK;
}

void
dns_list_free(struct dns_list *l)
{
	if (l == NULL)
		return;
	for (unsigned kind = 0; kind < DNS_LIST_KINDS; kind++) {
		pages_release(&l->names[kind].arena);
		pages_release(&l->names[kind].index);
		patterns_release(&l->patterns[kind]);
	}
	free(l);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The end of i + 1 labels stands in the set, and for the whole name. */
static bool
find_end(const struct names *s, struct dns_trail *t, unsigned i, struct dns_list_match *out)
{
	struct span end = dns_trail_end(t, i);
	const uint8_t *entry = index_find(s, dns_trail_hash(t, i), end);

	if (entry == NULL || ((*entry & EXACT) != 0 && i + 1 != t->labels))
		return false;
	*out = (struct dns_list_match){ .source = *entry & ~EXACT,
		.name = span_of(entry + 1, end.len) };
	return true;
}

bool
dns_list_find(const struct dns_list *l, enum dns_list_kind kind, struct dns_trail *t,
    struct dns_list_match *out)
{
	const struct names *s = &l->names[kind];
	unsigned most = t->labels < s->deepest ? t->labels : s->deepest;

	assert(t->tops || !has_depth(s, 0));
	if (most != 0 && has_depth(s, 0) && find_end(s, t, 0, out))
		return true;
	if (most < 2 || !filter_has(s, dns_trail_hash(t, 1)))
		return false;
	for (unsigned i = 1; i < most; i++)
		if (has_depth(s, i) && find_end(s, t, i, out))
			return true;
	return false;
}

int
dns_list_find_pattern(const struct dns_list *l, enum dns_list_kind kind, struct span text,
    uint64_t *gave_up)
{
	const struct patterns *p = &l->patterns[kind];

	for (unsigned i = 0; i < p->count; i++) {
		switch (dns_regex_match(p->at[i].regex, text)) {
		case DNS_REGEX_NO:
			break;
		case DNS_REGEX_GAVE_UP:
			++*gave_up;
			break;
		case DNS_REGEX_YES:
			return (int)i;
		}
	}
	return -1;
}

struct dns_list_match
dns_list_pattern(const struct dns_list *l, enum dns_list_kind kind, unsigned i)
{
	const struct pattern *p = &l->patterns[kind].at[i];

	return (struct dns_list_match){ .source = p->source, .pattern = span_of(p->text, p->len) };
}

unsigned
dns_list_patterns(const struct dns_list *l, enum dns_list_kind kind)
{
	return l->patterns[kind].count;
}

bool
dns_list_has_tops(const struct dns_list *l)
{
	return has_depth(&l->names[DNS_LIST_BLOCK], 0) || has_depth(&l->names[DNS_LIST_ALLOW], 0);
}

const struct dns_list_stats *
dns_list_stats(const struct dns_list *l)
{
	return &l->stats;
}
