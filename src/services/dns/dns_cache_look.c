/* SPDX-License-Identifier: MIT */
/* Looking into the cache and flushing parts of it: what the control socket and reports need. */
#include "services/dns/dns_cache_impl.h"

/* --- looking ---------------------------------------------------------------------------------- */

void
dns_entry_info(const struct dns_cache *c, const struct dns_entry *e, mono_us now,
    struct dns_entry_info *out)
{
	usec left = entry_expires_at(e) - now;

	out->key = entry_key(e);
	out->any_type = (e->id & ID_WHOLE_NAME) != 0;
	out->state = entry_state(c, e, now);
	out->kind = (enum dns_answer_kind)e->kind;
	out->answer = entry_view(c, e, out->state, now);
	/* Whole seconds towards the past: 0.5 s past its TTL is -1, not 0. */
	out->ttl_s = left >= 0 ? left / seconds(1) : -((-left + seconds(1) - 1) / seconds(1));
	out->life_s = e->ttl_s;
	/* A snapshot looks at all entries as of one moment, also at those that came later. */
	out->age_s = now > e->stored_at ? (uint32_t)((now - e->stored_at) / seconds(1)) : 0;
	out->hits = e->hits;
	out->failures = e->failures;
	out->held_s = 0;
	if (now < e->held_until)
		out->held_s = (uint32_t)((e->held_until - now + seconds(1) - 1) / seconds(1));
	out->no_stale = (e->flags & ENTRY_NO_STALE) != 0;
	out->has_ede = (e->flags & ENTRY_HAS_EDE) != 0;
	out->ede = e->ede;
	out->ede_text = entry_ede_text(e);
	out->bytes = entry_bytes(e);
}

const struct dns_entry *
dns_cache_next(const struct dns_cache *c, uint32_t *cursor)
{
	while (++*cursor < c->t.used)
		if (c->t.slots[*cursor].entry != NULL)
			return c->t.slots[*cursor].entry;
	*cursor = c->t.used - 1;	/* asked again, it finds what was added since */
	return NULL;
}

/* A name in lower case, with the part of its hash that slots have. */
struct wanted {
	struct dns_name name;
	uint32_t hash;
};

static struct wanted
want(const struct dns_cache *c, struct span name)
{
	struct wanted w = { .name = { .len = (uint8_t)name.len } };

	dns_name_lower(w.name.wire, name);
	w.hash = (uint32_t)dns_name_hash(dns_name_span(&w.name), c->key);
	return w;
}

static bool
slot_is_of(const struct slot *s, const struct wanted *w)
{
	return s->entry != NULL && s->name_hash == w->hash && s->entry->name_len == w->name.len &&
	    memcmp(entry_name(s->entry), w->name.wire, w->name.len) == 0;
}

const struct dns_entry *
dns_cache_next_of(const struct dns_cache *c, struct span name, uint32_t *cursor)
{
	struct wanted w = want(c, name);

	while (++*cursor < c->t.used)
		if (slot_is_of(&c->t.slots[*cursor], &w))
			return c->t.slots[*cursor].entry;
	*cursor = c->t.used - 1;
	return NULL;
}

void
dns_cache_stats(const struct dns_cache *c, struct dns_cache_stats *out)
{
	*out = c->stats;
	out->entries = dns_cache_total_entries(c);
	out->negative_entries = c->queue[QUEUE_NEGATIVE].entries;
	out->bytes = dns_cache_total_bytes(c);
	out->negative_bytes = c->queue[QUEUE_NEGATIVE].bytes;
	out->max_bytes = c->cf.bytes;
}

/* --- flushing --------------------------------------------------------------------------------- */

/* Which entries go; everything that is not set matches. */
struct filter {
	const struct wanted *name;
	struct span below;	/* at is NULL: anywhere */
	const uint16_t *type;
	const uint16_t *route;
	bool negative;
};

static bool
matches(const struct filter *f, const struct slot *s)
{
	struct dns_key key;

	if (s->entry == NULL || (f->name != NULL && !slot_is_of(s, f->name)))
		return false;
	key = entry_key(s->entry);
	return (f->below.at == NULL || dns_name_below(key.name, f->below)) &&
	    (f->type == NULL || key.type == *f->type || (s->entry->id & ID_WHOLE_NAME) != 0) &&
	    (f->route == NULL || key.route == *f->route) &&
	    (!f->negative || s->entry->queue == QUEUE_NEGATIVE);
}

static size_t
flush(struct dns_cache *c, const struct filter *f)
{
	size_t n = 0;

	for (uint32_t slot = 1; slot < c->t.used; slot++) {
		if (matches(f, &c->t.slots[slot])) {
			dns_cache_drop(c, slot);
			n++;
		}
	}
	c->stats.flushed += n;
	return n;
}

size_t
dns_cache_flush_name(struct dns_cache *c, struct span name)
{
	struct wanted w = want(c, name);

	return flush(c, &(struct filter){ .name = &w });
}

size_t
dns_cache_flush_type(struct dns_cache *c, struct span name, uint16_t type)
{
	struct wanted w = want(c, name);

	return flush(c, &(struct filter){ .name = &w, .type = &type });
}

size_t
dns_cache_flush_below(struct dns_cache *c, struct span zone)
{
	return flush(c, &(struct filter){ .below = zone });
}

size_t
dns_cache_flush_route(struct dns_cache *c, uint16_t route)
{
	return flush(c, &(struct filter){ .route = &route });
}

size_t
dns_cache_flush_negative(struct dns_cache *c)
{
	return flush(c, &(struct filter){ .negative = true });
}

size_t
dns_cache_flush_all(struct dns_cache *c)
{
	size_t n = flush(c, &(struct filter){ 0 });

	dns_cache_shrink_tables(c);
	return n;
}
