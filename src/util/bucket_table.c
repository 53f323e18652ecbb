/* SPDX-License-Identifier: MIT */
/*
 * Buckets by source in a set-associative table: the hash of a source picks a group of
 * BUCKET_TABLE_WAYS neighbours, and it is in one of them or nowhere. No chains, no rehash, no
 * search longer than the group, however full the table is.
 */
#include "util/bucket_table.h"

#include "util/bucket.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MAX ((size_t)1 << 24)

struct bucket_slot {
	struct bucket bucket;
	struct prefix source;	/* family 0: free */
};

_Static_assert(sizeof(struct bucket_slot) == 48, "promised in the header");

enum err
bucket_table_init(struct bucket_table *t, size_t cap, uint32_t rate, uint32_t burst,
    unsigned v6_bits, const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	size_t size = BUCKET_TABLE_WAYS;

	*t = (struct bucket_table){ .rate = rate, .burst = burst, .v6_bits = v6_bits };
	if (cap == 0 || cap > CAP_MAX || v6_bits > 128)
		return ERR_RANGE;
	while (size < cap)
		size *= 2;
	t->slots = calloc(size, sizeof(t->slots[0]));
	if (t->slots == NULL)
		return ERR_NOMEM;
	t->cap = size;
	memcpy(t->key, key, sizeof(t->key));
	return OK;
}

static void
source_of(struct prefix *out, const struct bucket_table *t, const struct addr *from)
{
	struct addr a = *from;

	addr_unmap(&a);
	prefix_of(out, &a, a.sa.sa_family == AF_INET || addr_is_linklocal(&a) ? 128 : t->v6_bits);
}

static struct bucket_slot *
group_of(const struct bucket_table *t, const struct prefix *source)
{
	uint64_t hash = seal_short_hash(span_of(source, sizeof(*source)), t->key);

	return &t->slots[hash & (t->cap - 1) & ~(size_t)(BUCKET_TABLE_WAYS - 1)];
}

/* Empty the slot of the group that is free, or else the one that forgives the least debt. */
static struct bucket_slot *
make_room(struct bucket_table *t, struct bucket_slot *group, mono_us now)
{
	struct bucket_slot *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < BUCKET_TABLE_WAYS; i++) {
		if (group[i].source.family == 0) {
			t->used++;
			return &group[i];
		}

		uint64_t missing = bucket_missing(&group[i].bucket, now);

		if (best == NULL || missing < least) {
			best = &group[i];
			least = missing;
		}
	}
	t->evicted += least != 0;
	return best;
}

static struct bucket_slot *
slot_of(struct bucket_table *t, const struct addr *from, mono_us now)
{
	struct prefix source;

	source_of(&source, t, from);

	struct bucket_slot *group = group_of(t, &source);

	for (size_t i = 0; i < BUCKET_TABLE_WAYS; i++)
		if (memcmp(&group[i].source, &source, sizeof(source)) == 0)
			return &group[i];

	struct bucket_slot *slot = make_room(t, group, now);

	slot->source = source;
	bucket_init(&slot->bucket, t->rate, t->burst, now);
	return slot;
}

bool
bucket_table_take(struct bucket_table *t, const struct addr *from, uint32_t n, mono_us now)
{
	/* No address, no source: it would be taken for a free slot. */
	bool known = from->sa.sa_family == AF_INET || from->sa.sa_family == AF_INET6;
	bool given = known && bucket_take(&slot_of(t, from, now)->bucket, n, now);

	t->refused += !given;
	return given;
}

void
bucket_table_fini(struct bucket_table *t)
{
	free(t->slots);
	seal_wipe(t->key, sizeof(t->key));
	*t = (struct bucket_table){ 0 };
}
