/* SPDX-License-Identifier: MIT */
/* Frequent keys. A count is one look at two lines of memory, whatever the table has seen. */
#include "services/dns/dns_top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WAYS   8			/* places of a group */
#define GROUPS (DNS_TOP_LINES / WAYS)	/* a power of two */

struct place {
	uint64_t hash;
	uint32_t count;			/* 0: free */
	uint32_t len;			/* of the key */
};

struct generation {
	struct place places[DNS_TOP_LINES];
	mono_us since;
	uint8_t keys[];			/* key_max bytes for each place */
};

struct dns_top {
	size_t key_max;
	struct generation *now;
	struct generation *before;
};

static void
begin(struct generation *g, mono_us now)
{
	memset(g->places, 0, sizeof(g->places));
	g->since = now;
}

enum err
dns_top_new(struct dns_top **out, size_t key_max, mono_us now)
{
	struct dns_top *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	t->key_max = key_max;
	t->now = calloc(1, sizeof(*t->now) + DNS_TOP_LINES * key_max);
	t->before = calloc(1, sizeof(*t->before) + DNS_TOP_LINES * key_max);
	if (t->now == NULL || t->before == NULL) {
		dns_top_free(t);
		return ERR_NOMEM;
	}
	dns_top_clear(t, now);
	*out = t;
	return OK;
}

void
dns_top_free(struct dns_top *t)
{
	if (t == NULL)
		return;
	free(t->now);
	free(t->before);
	free(t);
}

void
dns_top_clear(struct dns_top *t, mono_us now)
{
	begin(t->now, now);
	begin(t->before, now);
}

static uint8_t *
key_at(const struct dns_top *t, struct generation *g, const struct place *p)
{
	return g->keys + (size_t)(p - g->places) * t->key_max;
}

/* The place of a hash; where it has none, of the key that counts least in its group. */
static struct place *
find(struct generation *g, uint64_t hash)
{
	struct place *group = &g->places[hash % GROUPS * WAYS];
	struct place *least = group;

	for (unsigned i = 0; i < WAYS; i++) {
		if (group[i].hash == hash && group[i].count != 0)
			return &group[i];
		if (group[i].count < least->count)
			least = &group[i];
	}
	return least;
}

/* An hour is over: it is the one before from here on. */
static void
turn(struct dns_top *t, mono_us now)
{
	struct generation *oldest = t->before;

	if (now - t->now->since < DNS_TOP_GENERATION)
		return;
	if (now - t->now->since >= 2 * DNS_TOP_GENERATION)
		begin(t->now, now);	/* nobody has asked anything for an hour */
	t->before = t->now;
	t->now = oldest;
	begin(t->now, now);
}

void
dns_top_count(struct dns_top *t, uint64_t hash, struct span key, uint32_t n, mono_us now)
{
	assert(key.len <= t->key_max);
	turn(t, now);

	struct place *p = find(t->now, hash);

	if (p->hash != hash || p->count == 0) {
		p->hash = hash;
		p->len = (uint32_t)key.len;
		memcpy(key_at(t, t->now, p), key.at, key.len);
	}
	p->count = p->count < UINT32_MAX - n ? p->count + n : UINT32_MAX;
}

static uint32_t
count_in(struct generation *g, uint64_t hash)
{
	const struct place *p = find(g, hash);

	return p->hash == hash ? p->count : 0;
}

/* Put a line where it belongs; the last one falls out of a full list. */
static void
enter(struct dns_top_line *lines, size_t *n, size_t cap, const struct dns_top_line *line)
{
	size_t at = *n;

	if (*n == cap) {
		if (cap == 0 || line->count <= lines[cap - 1].count)
			return;
		at = cap - 1;
	} else {
		++*n;
	}
	for (; at > 0 && lines[at - 1].count < line->count; at--)
		lines[at] = lines[at - 1];
	lines[at] = *line;
}

size_t
dns_top_list(struct dns_top *t, mono_us now, struct dns_top_line *lines, size_t cap)
{
	size_t n = 0;

	turn(t, now);

	struct generation *both[] = { t->now, t->before };

	for (unsigned g = 0; g < 2; g++) {
		for (unsigned i = 0; i < DNS_TOP_LINES; i++) {
			const struct place *p = &both[g]->places[i];
			uint32_t other = p->count != 0 ? count_in(both[1 - g], p->hash) : 0;

			if (p->count == 0 || (g == 1 && other != 0))
				continue;	/* free, or told with those of the hour at work */
			enter(lines, &n, cap, &(struct dns_top_line){ .hash = p->hash,
				.key = span_of(key_at(t, both[g], p), p->len),
				.count = (uint64_t)p->count + other });
		}
	}
	return n;
}

mono_us
dns_top_since(const struct dns_top *t)
{
	return t->before->since;
}
