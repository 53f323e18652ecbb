/* SPDX-License-Identifier: MIT */
/*
 * Codec of the beacon protocol. Every count and length from the wire is compared with what is left
 * before it is used. Behind the known fields of the fixed bodies (DIGEST, NACK, SOLICIT, LEASE,
 * KEYROLL) further bytes are skipped: they are authenticated, and a later version may add some.
 */
#include "services/announce/beacon_msg.h"

static const uint8_t magic[4] = { 'L', 'A', 'N', '!' };

bool
beacon_type_is_request(uint8_t type)
{
	return type == BEACON_NACK || type == BEACON_SOLICIT || type == BEACON_LEASE;
}

size_t
beacon_overhead(uint8_t flags)
{
	return (flags & BEACON_SIGNED ? 64U : 0U) + (flags & BEACON_SEALED ? 16U : 0U);
}

const char *
beacon_type_text(uint8_t type)
{
	static const char *const names[] = { "unknown", "event", "state", "withdraw", "digest",
	    "nack", "solicit", "lease", "keyroll" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : names[0];
}

bool
beacon_topic_ok(struct span topic)
{
	for (size_t i = 0; i < topic.len; i++) {
		uint8_t c = topic.at[i];

		if (c < 0x21 || c > 0x7e || c == '*' || c == '?')
			return false;
	}
	return topic.len != 0 && topic.len <= BEACON_TOPIC_MAX;
}

/* The rules between fields; lengths have been compared with the datagram before. */
static enum err
hdr_check(const struct beacon_hdr *h)
{
	bool sealed = (h->flags & BEACON_SEALED) != 0;

	if ((h->flags & ~BEACON_FLAGS_KNOWN) != 0 || h->hdr_len % 4 != 0)
		return ERR_RANGE;
	if (sealed != (h->key_id != 0) || h->seq == 0)
		return ERR_RANGE;
	if (beacon_type_is_request(h->type) == ((h->flags & BEACON_SIGNED) != 0))
		return ERR_RANGE;
	if (h->body_len < beacon_overhead(h->flags))
		return ERR_SHORT;
	if ((h->flags & BEACON_FRAG) == 0)
		return h->frag_index == 0 && h->frag_count == 1 ? OK : ERR_RANGE;
	if (h->frag_count < 2 || h->frag_count > BEACON_FRAGS_MAX || h->frag_index >= h->frag_count)
		return ERR_RANGE;
	/* The fragments of a message have consecutive numbers, the first one from 1 on. */
	return h->seq > h->frag_index ? OK : ERR_RANGE;
}

enum err
beacon_hdr_parse(struct beacon_hdr *out, struct span dgram)
{
	struct wire_rd rd = wire_rd_of(dgram);
	struct span start = wire_rd_bytes(&rd, sizeof(magic));

	if (start.len != 0 && !span_equal(start, span_of(magic, sizeof(magic))))
		return ERR_FORMAT;
	out->version = wire_rd_u8(&rd);
	out->min_version = wire_rd_u8(&rd);
	out->type = wire_rd_u8(&rd);
	out->flags = wire_rd_u8(&rd);
	out->hdr_len = wire_rd_u16(&rd);
	out->body_len = wire_rd_u16(&rd);
	out->key_id = wire_rd_u32(&rd);
	out->sender = wire_rd_u64(&rd);
	out->epoch = wire_rd_u64(&rd);
	out->seq = wire_rd_u64(&rd);
	out->time_ms = wire_rd_u64(&rd);

	struct span nonce = wire_rd_bytes(&rd, BEACON_NONCE_BYTES);

	out->lifetime_s = wire_rd_u32(&rd);
	out->frag_index = wire_rd_u8(&rd);
	out->frag_count = wire_rd_u8(&rd);
	wire_rd_skip(&rd, 2);		/* reserved: written as zero, not looked at */
	if (rd.bad)
		return ERR_SHORT;
	memcpy(out->nonce, nonce.at, BEACON_NONCE_BYTES);
	if (out->version < 1 || out->min_version < 1 || out->min_version > out->version)
		return ERR_RANGE;
	if (out->min_version > BEACON_VERSION)
		return ERR_UNSUPPORTED;
	if (out->hdr_len < BEACON_HDR_BYTES)
		return ERR_RANGE;
	wire_rd_skip(&rd, out->hdr_len - (size_t)BEACON_HDR_BYTES);	/* extensions */
	wire_rd_skip(&rd, out->body_len);

	enum err e = wire_rd_finish(&rd);

	return e != OK ? e : hdr_check(out);
}

void
beacon_hdr_put(struct wire_wr *wr, const struct beacon_hdr *h)
{
	wire_wr_bytes(wr, span_of(magic, sizeof(magic)));
	wire_wr_u8(wr, h->version);
	wire_wr_u8(wr, h->min_version);
	wire_wr_u8(wr, h->type);
	wire_wr_u8(wr, h->flags);
	wire_wr_u16(wr, h->hdr_len);
	wire_wr_u16(wr, h->body_len);
	wire_wr_u32(wr, h->key_id);
	wire_wr_u64(wr, h->sender);
	wire_wr_u64(wr, h->epoch);
	wire_wr_u64(wr, h->seq);
	wire_wr_u64(wr, h->time_ms);
	wire_wr_bytes(wr, span_of(h->nonce, BEACON_NONCE_BYTES));
	wire_wr_u32(wr, h->lifetime_s);
	wire_wr_u8(wr, h->frag_index);
	wire_wr_u8(wr, h->frag_count);
	wire_wr_u16(wr, 0);
}

/* --- items ----------------------------------------------------------------------------------- */

enum err
beacon_item_parse(struct beacon_item *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);

	out->topic = wire_rd_bytes(&rd, wire_rd_u8(&rd));
	out->ctype = wire_rd_u8(&rd);
	out->rev = wire_rd_u32(&rd);
	out->payload = wire_rd_rest(&rd);
	if (rd.bad)
		return ERR_SHORT;
	if (!beacon_topic_ok(out->topic) || out->payload.len > BEACON_PAYLOAD_MAX)
		return ERR_RANGE;
	return OK;
}

void
beacon_item_put(struct wire_wr *wr, const struct beacon_item *item)
{
	wire_wr_u8(wr, (uint8_t)item->topic.len);
	wire_wr_bytes(wr, item->topic);
	wire_wr_u8(wr, item->ctype);
	wire_wr_u32(wr, item->rev);
	wire_wr_bytes(wr, item->payload);
}

/* --- digest ---------------------------------------------------------------------------------- */

/* Copy n bytes out of the reader; zeros where they are missing. */
static void
take_bytes(struct wire_rd *rd, uint8_t *out, size_t n)
{
	const uint8_t *p = wire_rd_take(rd, n);

	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static void
entry_parse(struct beacon_entry *out, struct wire_rd *rd)
{
	out->topic = wire_rd_u64(rd);
	out->rev = wire_rd_u32(rd);
	out->seq = wire_rd_u64(rd);
}

enum err
beacon_digest_parse(struct beacon_digest *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);

	take_bytes(&rd, out->key, sizeof(out->key));
	out->repair_from = wire_rd_u64(&rd);
	out->list_rev = wire_rd_u32(&rd);
	out->page = wire_rd_u8(&rd);
	out->pages = wire_rd_u8(&rd);
	out->echo_count = wire_rd_u8(&rd);
	out->entry_count = wire_rd_u8(&rd);
	if (rd.bad)
		return ERR_SHORT;
	if (out->echo_count > BEACON_TOKENS_MAX || out->entry_count > BEACON_ENTRIES_MAX ||
	    out->pages == 0 || out->pages > BEACON_PAGES_MAX || out->page >= out->pages)
		return ERR_RANGE;
	for (size_t i = 0; i < out->echo_count; i++) {
		take_bytes(&rd, out->echoes[i].token, BEACON_TOKEN_BYTES);
		out->echoes[i].base = wire_rd_u64(&rd);
	}
	for (size_t i = 0; i < out->entry_count; i++)
		entry_parse(&out->entries[i], &rd);
	return rd.bad ? ERR_SHORT : OK;
}

void
beacon_digest_put(struct wire_wr *wr, const struct beacon_digest *d)
{
	wire_wr_bytes(wr, span_of(d->key, sizeof(d->key)));
	wire_wr_u64(wr, d->repair_from);
	wire_wr_u32(wr, d->list_rev);
	wire_wr_u8(wr, d->page);
	wire_wr_u8(wr, d->pages);
	wire_wr_u8(wr, d->echo_count);
	wire_wr_u8(wr, d->entry_count);
	for (size_t i = 0; i < d->echo_count; i++) {
		wire_wr_bytes(wr, span_of(d->echoes[i].token, BEACON_TOKEN_BYTES));
		wire_wr_u64(wr, d->echoes[i].base);
	}
	for (size_t i = 0; i < d->entry_count; i++) {
		wire_wr_u64(wr, d->entries[i].topic);
		wire_wr_u32(wr, d->entries[i].rev);
		wire_wr_u64(wr, d->entries[i].seq);
	}
}

/* --- requests -------------------------------------------------------------------------------- */

static bool
range_ok(const struct beacon_range *r)
{
	return r->first != 0 && r->count != 0 && r->count <= BEACON_RANGE_LEN_MAX &&
	       r->first <= UINT64_MAX - r->count;
}

enum err
beacon_nack_parse(struct beacon_nack *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);
	bool fine = true;

	out->target = wire_rd_u64(&rd);
	out->epoch = wire_rd_u64(&rd);
	out->range_count = wire_rd_u8(&rd);
	out->pull_count = wire_rd_u8(&rd);
	if (rd.bad)
		return ERR_SHORT;
	if (out->range_count > BEACON_RANGES_MAX || out->pull_count > BEACON_PULLS_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < out->range_count; i++) {
		out->ranges[i].first = wire_rd_u64(&rd);
		out->ranges[i].count = wire_rd_u16(&rd);
		fine = fine && range_ok(&out->ranges[i]);
	}
	for (size_t i = 0; i < out->pull_count; i++)
		out->pulls[i] = wire_rd_u64(&rd);
	if (rd.bad)
		return ERR_SHORT;
	return fine ? OK : ERR_RANGE;
}

void
beacon_nack_put(struct wire_wr *wr, const struct beacon_nack *n)
{
	wire_wr_u64(wr, n->target);
	wire_wr_u64(wr, n->epoch);
	wire_wr_u8(wr, n->range_count);
	wire_wr_u8(wr, n->pull_count);
	for (size_t i = 0; i < n->range_count; i++) {
		wire_wr_u64(wr, n->ranges[i].first);
		wire_wr_u16(wr, n->ranges[i].count);
	}
	for (size_t i = 0; i < n->pull_count; i++)
		wire_wr_u64(wr, n->pulls[i]);
}

enum err
beacon_solicit_parse(struct beacon_solicit *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);

	take_bytes(&rd, out->token, BEACON_TOKEN_BYTES);
	out->target = wire_rd_u64(&rd);
	return rd.bad ? ERR_SHORT : OK;
}

void
beacon_solicit_put(struct wire_wr *wr, const struct beacon_solicit *s)
{
	wire_wr_bytes(wr, span_of(s->token, BEACON_TOKEN_BYTES));
	wire_wr_u64(wr, s->target);
}

enum err
beacon_lease_parse(struct beacon_lease *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);

	out->kind = wire_rd_u8(&rd);
	wire_rd_skip(&rd, 3);		/* reserved */
	out->seconds = wire_rd_u32(&rd);
	out->target = wire_rd_u64(&rd);
	take_bytes(&rd, out->cookie, BEACON_TOKEN_BYTES);
	if (rd.bad)
		return ERR_SHORT;
	return out->kind >= BEACON_LEASE_ASK && out->kind <= BEACON_LEASE_END ? OK : ERR_RANGE;
}

void
beacon_lease_put(struct wire_wr *wr, const struct beacon_lease *l)
{
	wire_wr_u32(wr, (uint32_t)l->kind << 24);
	wire_wr_u32(wr, l->seconds);
	wire_wr_u64(wr, l->target);
	wire_wr_bytes(wr, span_of(l->cookie, BEACON_TOKEN_BYTES));
}

/* --- key roll -------------------------------------------------------------------------------- */

enum err
beacon_keyroll_parse(struct beacon_keyroll *out, struct span body)
{
	struct wire_rd rd = wire_rd_of(body);

	take_bytes(&rd, out->key, sizeof(out->key));
	take_bytes(&rd, out->proof, sizeof(out->proof));
	return rd.bad ? ERR_SHORT : OK;
}

void
beacon_keyroll_put(struct wire_wr *wr, const struct beacon_keyroll *k)
{
	wire_wr_bytes(wr, span_of(k->key, sizeof(k->key)));
	wire_wr_bytes(wr, span_of(k->proof, sizeof(k->proof)));
}

void
beacon_keyroll_text(uint8_t out[static BEACON_KEYROLL_TEXT], const uint8_t old_key[static 32],
    const uint8_t new_key[static 32])
{
	memcpy(out, "LAN!roll", 8);
	memcpy(out + 8, old_key, 32);
	memcpy(out + 40, new_key, 32);
}
