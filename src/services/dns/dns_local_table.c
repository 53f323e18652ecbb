/* SPDX-License-Identifier: MIT */
/* The tree of names: nodes, records, and the hash table that finds a child. */
#include "services/dns/dns_local_impl.h"

#include <stdlib.h>
#include <string.h>

#include "util/siphash.h"

#define NODES_AT_FIRST 64
#define SLOTS_AT_FIRST 256

/*
 * Give the array, moved where that was needed to have room for `more` elements. NULL: there is no
 * memory, the array is as it was, and the whole set has failed.
 */
static void *
grow(struct dns_local *s, void *array, size_t *cap, size_t used, size_t more, size_t size)
{
	size_t want = *cap != 0 ? *cap : NODES_AT_FIRST;

	if (s->failed || used + more >= UINT32_MAX) {
		s->failed = true;
		return NULL;
	}
	if (array != NULL && used + more <= *cap)
		return array;
	while (want < used + more)
		want *= 2;
	array = realloc(array, want * size);
	if (array == NULL)
		s->failed = true;
	else
		*cap = want;
	return array;
}

static uint32_t
store(struct dns_local *s, struct span data)
{
	uint8_t *bytes = grow(s, s->bytes, &s->byte_cap, s->byte_count, data.len, 1);
	uint32_t at = (uint32_t)s->byte_count;

	if (bytes == NULL)
		return LOCAL_NONE;
	s->bytes = bytes;
	if (data.len != 0)
		memcpy(s->bytes + at, data.at, data.len);
	s->byte_count += data.len;
	return at;
}

/* --- children --------------------------------------------------------------------------------- */

static size_t
slot_of(const struct dns_local *s, uint32_t parent, struct span label)
{
	uint64_t h = siphash_of(label, s->key);

	h = (h ^ parent) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(h >> 32) & (s->slot_count - 1);
}

uint32_t
local_child(const struct dns_local *s, uint32_t parent, struct span label)
{
	for (size_t i = slot_of(s, parent, label);; i = (i + 1) & (s->slot_count - 1)) {
		uint32_t node = s->slots[i];

		if (node == LOCAL_ROOT || (s->nodes[node].parent == parent &&
		    span_equal(local_label(s, &s->nodes[node]), label)))
			return node;
	}
}

static void
enter(struct dns_local *s, uint32_t node)
{
	const struct local_node *n = &s->nodes[node];
	size_t i = slot_of(s, n->parent, local_label(s, n));

	while (s->slots[i] != LOCAL_ROOT)
		i = (i + 1) & (s->slot_count - 1);
	s->slots[i] = node;
}

static bool
make_slots(struct dns_local *s)
{
	size_t count = s->slot_count != 0 ? s->slot_count : SLOTS_AT_FIRST;

	while (count < (s->node_count + 1) * 2)
		count *= 2;
	if (count == s->slot_count)
		return true;

	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL) {
		s->failed = true;
		return false;
	}
	free(s->slots);
	s->slots = slots;
	s->slot_count = count;
	for (size_t node = 1; node < s->node_count; node++)
		enter(s, (uint32_t)node);
	return true;
}

/* Append a node; the root's label is empty. */
static uint32_t
add_node(struct dns_local *s, uint32_t parent, struct span label_with_length)
{
	uint32_t at = store(s, label_with_length);

	if (at == LOCAL_NONE || !make_slots(s))
		return LOCAL_NONE;

	struct local_node *nodes =
	    grow(s, s->nodes, &s->node_cap, s->node_count, 1, sizeof(*s->nodes));

	if (nodes == NULL)
		return LOCAL_NONE;
	s->nodes = nodes;

	uint32_t node = (uint32_t)s->node_count++;

	s->nodes[node] = (struct local_node){ .parent = parent, .label = at, .first = LOCAL_NONE };
	if (node != LOCAL_ROOT)
		enter(s, node);
	return node;
}

/* Where each label of a name begins; gives how many there are. */
static size_t
find_labels(struct span name, uint8_t at[static DNS_NAME_MAX / 2 + 1])
{
	size_t n = 0;

	for (size_t i = 0; name.at[i] != 0; i += (size_t)name.at[i] + 1)
		at[n++] = (uint8_t)i;
	return n;
}

uint32_t
local_intern(struct dns_local *s, struct span name)
{
	uint8_t at[DNS_NAME_MAX / 2 + 1];
	size_t labels = find_labels(name, at);
	uint32_t node = LOCAL_ROOT;

	if (s->node_count == 0 && add_node(s, LOCAL_ROOT, span_of("", 1)) == LOCAL_NONE)
		return LOCAL_NONE;
	while (labels-- > 0) {
		const uint8_t *label = name.at + at[labels];
		uint32_t child = local_child(s, node, span_of(label + 1, label[0]));

		if (child == LOCAL_ROOT)
			child = add_node(s, node, span_of(label, (size_t)label[0] + 1));
		if (child == LOCAL_NONE)
			return LOCAL_NONE;
		node = child;
	}
	return node;
}

void
local_walk(const struct dns_local *s, struct span name, struct local_walk *w)
{
	uint8_t at[DNS_NAME_MAX / 2 + 1];
	size_t labels = find_labels(name, at);

	*w = (struct local_walk){ .node = LOCAL_ROOT, .labels = (uint8_t)labels,
		.zone = LOCAL_ROOT, .zone_at = name.len - 1 };
	while (labels-- > 0) {
		const uint8_t *label = name.at + at[labels];
		uint32_t child = local_child(s, w->node, span_of(label + 1, label[0]));

		if (child == LOCAL_ROOT)
			return;
		w->node = child;
		if (s->nodes[child].rule != RULE_NONE) {
			w->zone = child;
			w->zone_at = at[labels];
		}
	}
	w->exact = true;
}

void
local_name(const struct dns_local *s, uint32_t node, struct dns_name *out)
{
	out->len = 0;
	for (; node != LOCAL_ROOT; node = s->nodes[node].parent) {
		struct span label = local_label(s, &s->nodes[node]);

		out->wire[out->len++] = (uint8_t)label.len;
		memcpy(out->wire + out->len, label.at, label.len);
		out->len = (uint8_t)(out->len + label.len);
	}
	out->wire[out->len++] = 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static bool
same_set(const struct local_rr *a, const struct local_rr *b)
{
	bool both_data = a->kind <= KIND_PTR && b->kind <= KIND_PTR;

	return a->type == b->type && (a->kind == b->kind || both_data);
}

/* All records of a set show the same TTL: RFC 2181 §5.2. */
static void
level_ttl(struct dns_local *s, uint32_t first, const struct local_rr *rr, uint32_t ttl)
{
	for (uint32_t i = first; i != LOCAL_NONE; i = s->rrs[i].next)
		if (same_set(&s->rrs[i], rr))
			s->rrs[i].ttl = ttl;
}

/* Where a record is to be linked, or that it is not to be. */
struct place {
	uint32_t last;		/* LOCAL_NONE: the node has no record yet */
	uint32_t ttl;		/* the least of its set */
	bool known;		/* the very same is there */
	bool full;
};

static struct place
find_place(const struct dns_local *s, uint32_t node, const struct local_rr *rr, struct span data)
{
	struct place p = { .last = LOCAL_NONE, .ttl = rr->ttl };
	unsigned in_set = 0;

	for (uint32_t i = s->nodes[node].first; i != LOCAL_NONE; i = s->rrs[i].next) {
		const struct local_rr *other = &s->rrs[i];

		p.last = i;
		if (!same_set(other, rr))
			continue;
		in_set++;
		if (other->ttl < p.ttl)
			p.ttl = other->ttl;
		if (other->kind == rr->kind && (rr->kind == KIND_PTR ? other->data == rr->data
		    : span_equal(local_rdata(s, other), data)))
			p.known = true;
	}
	p.full = in_set >= DNS_LOCAL_PER_TYPE_MAX;
	return p;
}

uint32_t
local_append(struct dns_local *s, uint32_t node, const struct local_rr *rr, struct span data)
{
	struct place p = find_place(s, node, rr, data);
	uint32_t at = rr->data;

	if (p.known)
		return LOCAL_NONE;
	if (p.full) {
		s->stats.dropped++;
		return LOCAL_NONE;
	}
	if (rr->kind != KIND_PTR)
		at = store(s, data);
	if (at == LOCAL_NONE)
		return LOCAL_NONE;

	struct local_rr *rrs = grow(s, s->rrs, &s->rr_cap, s->rr_count, 1, sizeof(*s->rrs));
	uint32_t new = (uint32_t)s->rr_count;

	if (rrs == NULL)
		return LOCAL_NONE;
	s->rrs = rrs;
	s->rr_count++;
	s->rrs[new] = *rr;
	s->rrs[new].data = at;
	s->rrs[new].len = (uint16_t)data.len;
	s->rrs[new].next = LOCAL_NONE;
	if (p.last == LOCAL_NONE)
		s->nodes[node].first = new;
	else
		s->rrs[p.last].next = new;
	level_ttl(s, s->nodes[node].first, rr, p.ttl);
	return new;
}

void
local_set_rule(struct dns_local *s, uint32_t node, enum local_rule rule,
    struct dns_local_origin from)
{
	struct local_rr rr = { .kind = KIND_RULE, .type = (uint16_t)rule, .source = from.source,
		.line = from.line };

	if (rule < s->nodes[node].rule)
		return;
	s->nodes[node].rule = (uint8_t)rule;
	(void)local_append(s, node, &rr, span_of(NULL, 0));
}
