/* SPDX-License-Identifier: MIT */
/* Looking into the cache and flushing parts of it: what the control socket and reports need. */
#include "services/dns/dns_cache_impl.h"

#include <limits.h>

#define QUERY_MAX 512	/* bytes of a query with an empty OPT record, and more */

/* Bytes of a message beside name, body and EDE text. */
#define MESSAGE_FIXED (DNS_HEADER_BYTES + 4 + 11 + 4 + 2)

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
dns_cache_next_within(const struct dns_cache *c, uint32_t *cursor, unsigned *places)
{
	while (*places != 0 && ++*cursor < c->t.used) {
		--*places;
		if (c->t.slots[*cursor].entry != NULL)
			return c->t.slots[*cursor].entry;
	}
	if (*places != 0)
		*cursor = c->t.used - 1;	/* asked again, it finds what was added since */
	return NULL;
}

const struct dns_entry *
dns_cache_next(const struct dns_cache *c, uint32_t *cursor)
{
	unsigned all = UINT_MAX;

	return dns_cache_next_within(c, cursor, &all);
}

uint32_t
dns_cache_numbering(const struct dns_cache *c)
{
	return c->numbering;
}

size_t
dns_entry_message(const struct dns_entry_info *info, const struct dns_stored *answer, uint8_t *out,
    size_t cap)
{
	struct dns_ask ask = { .flags = DNS_FLAG_AD, .name = info->key.name,
		.type = info->key.type, .class = info->key.class, .edns = true };
	struct dns_opt opt = { .has_ede = info->has_ede, .ede = info->ede,
		.ede_text = info->ede_text };
	uint8_t buf[QUERY_MAX];
	struct dns_query q;

	if (MESSAGE_FIXED + info->key.name.len + answer->body_len + info->ede_text.len > cap)
		return 0;
	(void)dns_query_parse(&q, span_of(buf, dns_ask_write(&ask, buf, sizeof(buf))));
	return dns_reply_stored(answer, &q, &opt, out, cap);
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

static bool
is_past_its_ttl(const struct dns_cache *c, const struct dns_entry *e, mono_us now)
{
	enum dns_cache_state state = entry_state(c, e, now);

	return (e->flags & ENTRY_DATA) != 0 && state != DNS_CACHE_FRESH;
}

static bool
is_of_name(const struct dns_flush *f, const struct slot *s)
{
	return s->name_hash == f->hash &&
	    span_equal(entry_key(s->entry).name, dns_name_span(&f->name));
}

static bool
matches(const struct dns_cache *c, const struct dns_flush *f, const struct slot *s)
{
	const struct dns_entry *e = s->entry;
	struct dns_key key;

	if (e == NULL)
		return false;
	key = entry_key(e);
	switch (f->what) {
	case DNS_FLUSH_ALL:
		break;
	case DNS_FLUSH_NAME:
		return is_of_name(f, s);
	case DNS_FLUSH_TYPE:
		return is_of_name(f, s) && (key.type == f->type || (e->id & ID_WHOLE_NAME) != 0);
	case DNS_FLUSH_BELOW:
		return dns_name_below(key.name, dns_name_span(&f->name));
	case DNS_FLUSH_ROUTE:
		return key.route == f->route;
	case DNS_FLUSH_NEGATIVE:
		return e->queue == QUEUE_NEGATIVE;
	case DNS_FLUSH_STALE:
		return is_past_its_ttl(c, e, f->now);
	}
	return true;
}

bool
dns_cache_flush_some(struct dns_cache *c, struct dns_flush *f, unsigned places)
{
	size_t before = f->gone;

	if (f->cursor == 0) {
		dns_name_lower(f->name.wire, dns_name_span(&f->name));
		f->hash = (uint32_t)dns_name_hash(dns_name_span(&f->name), c->key);
	}
	if (f->cursor == 0 || f->numbering != c->numbering) {
		f->numbering = c->numbering;
		f->cursor = 1;
	}
	for (; places != 0 && f->cursor < c->t.used; places--, f->cursor++) {
		if (!matches(c, f, &c->t.slots[f->cursor]))
			continue;
		dns_cache_drop(c, f->cursor);
		f->gone++;
	}
	c->stats.flushed += f->gone - before;
	if (f->cursor < c->t.used)
		return true;
	if (f->what == DNS_FLUSH_ALL)
		dns_cache_shrink_tables(c);
	return false;
}

size_t
dns_cache_flush(struct dns_cache *c, struct dns_flush *f)
{
	while (dns_cache_flush_some(c, f, UINT_MAX))
		continue;
	return f->gone;
}
