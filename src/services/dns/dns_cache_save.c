/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of the cache: what it writes, a later run reads.
 *
 * A snapshot is a head and records; each holds a whole DNS message as a client would get it, the
 * EDE in its OPT record. Reading goes through the same checks as an answer from the network, so a
 * damaged file can spoil what it says but nothing else.
 */
#include "services/dns/dns_cache_impl.h"

#include <stdlib.h>

#define MAGIC	 UINT64_C(0x686f6d65646e7300)	/* "homedns", and the edition in the last byte */
#define EDITION	 1
#define YEAR_S	 31536000	/* no age and no TTL is above that */

#define FLAG_DO	      1
#define FLAG_CD	      2
#define FLAG_NO_STALE 4

/* Bytes of a record beside name and body: its own fields, and those of the message. */
#define RECORD_FIXED (4 + 4 + 2 + 1 + 2 + DNS_HEADER_BYTES + 4 + 11 + 4 + 2)

/* --- writing ---------------------------------------------------------------------------------- */

void
dns_cache_save_begin(const struct dns_snapshot *s, struct wire_wr *out)
{
	wire_wr_u64(out, MAGIC | EDITION);
	wire_wr_u64(out, (uint64_t)s->wall_s);
	wire_wr_u64(out, s->routes);
}

static size_t
record_bytes(const struct dns_entry_info *info)
{
	return RECORD_FIXED + info->key.name.len + info->answer.body_len + info->ede_text.len;
}

/* Write one record, for which there is room. */
static void
save_record(const struct dns_entry_info *info, struct wire_wr *out)
{
	const struct dns_key *key = &info->key;
	struct dns_stored answer = info->answer;

	answer.age_s = 0;
	answer.ttl_cap_s = UINT32_MAX;
	wire_wr_u32(out, info->age_s);
	wire_wr_u32(out, info->life_s);
	wire_wr_u16(out, key->route);
	wire_wr_u8(out, (uint8_t)((key->dnssec_ok ? FLAG_DO : 0) |
	    (key->checking_disabled ? FLAG_CD : 0) | (info->no_stale ? FLAG_NO_STALE : 0)));

	uint8_t *length_at = wire_wr_take(out, 2);
	size_t len = dns_entry_message(info, &answer, out->at, DNS_MSG_MAX);

	wire_put_u16(length_at, (uint16_t)len);
	(void)wire_wr_take(out, len);
}

bool
dns_cache_save_some(const struct dns_cache *c, const struct dns_snapshot *s, uint32_t *cursor,
    struct wire_wr *out)
{
	for (;;) {
		uint32_t before = *cursor;
		const struct dns_entry *e = dns_cache_next(c, cursor);
		struct dns_entry_info info;

		if (e == NULL)
			return false;
		dns_entry_info(c, e, s->now, &info);
		if (info.kind == DNS_ANSWER_FAILURE || info.state == DNS_CACHE_MISS ||
		    record_bytes(&info) > DNS_MSG_MAX)
			continue;
		if (record_bytes(&info) > wire_wr_left(out)) {
			*cursor = before;
			return true;
		}
		save_record(&info, out);
	}
}

/* --- reading ---------------------------------------------------------------------------------- */

enum err
dns_cache_load_begin(struct dns_load *l, const struct dns_snapshot *s, struct wire_rd *in)
{
	uint64_t magic = wire_rd_u64(in);
	int64_t wall_s = (int64_t)wire_rd_u64(in);
	uint64_t routes = wire_rd_u64(in);

	if (in->bad)
		return ERR_SHORT;
	if ((magic ^ MAGIC) > UINT8_MAX)
		return ERR_FORMAT;
	if (magic != (MAGIC | EDITION))
		return ERR_UNSUPPORTED;
	if (wall_s < 0 || wall_s > s->wall_s)
		return ERR_RANGE;
	l->now = s->now;
	l->since_s = s->wall_s - wall_s;
	l->same_routes = routes == s->routes;
	return OK;
}

/* A record as read; msg is a view of the snapshot. */
struct record {
	uint32_t age_s;
	uint32_t life_s;
	uint16_t route;
	uint8_t flags;
	struct span msg;
};

static enum err
read_record(struct wire_rd *in, struct record *r)
{
	r->age_s = wire_rd_u32(in);
	r->life_s = wire_rd_u32(in);
	r->route = wire_rd_u16(in);
	r->flags = wire_rd_u8(in);
	r->msg = wire_rd_bytes(in, wire_rd_u16(in));
	if (in->bad)
		return ERR_SHORT;
	return r->age_s <= YEAR_S && r->life_s <= YEAR_S ? OK : ERR_FORMAT;
}

/* Check the message of a record and pack it; asked is what it answers, a view of it. */
static enum err
unpack_record(const struct record *r, struct dns_packed *out, struct dns_question *asked)
{
	struct dns_ttl_limits as_saved = { .max = YEAR_S, .max_negative = YEAR_S,
	    .no_soa = r->life_s };
	struct wire_rd rd = wire_rd_of(r->msg);
	struct dns_answer a;
	enum err e;

	wire_rd_skip(&rd, DNS_HEADER_BYTES);
	asked->name = dns_name_at(wire_rd_rest(&rd));
	if (asked->name.len == 0)
		return ERR_FORMAT;
	rd = wire_rd_of(r->msg);
	wire_rd_skip(&rd, DNS_HEADER_BYTES + asked->name.len);
	asked->type = wire_rd_u16(&rd);
	asked->class = wire_rd_u16(&rd);
	e = dns_answer_parse(&a, r->msg, asked);
	if (e == OK)
		e = dns_answer_pack(out, &a, r->msg, asked, &as_saved);
	if (e == OK && r->life_s < out->ttl_s)
		out->ttl_s = r->life_s;
	return e == OK && out->ttl_s != 0 ? OK : ERR_FORMAT;
}

static enum err
load_record(struct dns_cache *c, const struct dns_load *l, const struct record *r,
    struct dns_packed *scratch, size_t *taken)
{
	int64_t age_s = r->age_s + l->since_s;
	bool no_stale = (r->flags & FLAG_NO_STALE) != 0;
	struct dns_question asked;
	uint8_t name[DNS_NAME_MAX];
	enum err e = unpack_record(r, scratch, &asked);

	if (e != OK)
		return e;
	if (age_s >= (int64_t)scratch->ttl_s + (no_stale ? 0 : c->cf.stale_window_s) ||
	    (r->route != 0 && !l->same_routes))
		return OK;
	dns_name_lower(name, asked.name);

	struct dns_key key = { .name = span_of(name, asked.name.len), .type = asked.type,
	    .class = asked.class, .route = r->route, .dnssec_ok = (r->flags & FLAG_DO) != 0,
	    .checking_disabled = (r->flags & FLAG_CD) != 0 };

	key.name_hash = dns_name_hash(key.name, c->key);
	/* What has come since the start is newer than any file. */
	if (dns_cache_holds(c, &key))
		return OK;
	if (dns_cache_put(c, &key, scratch, no_stale ? DNS_PUT_NO_STALE : 0,
	    l->now - seconds(age_s)) != NULL)
		(*taken)++;
	return OK;
}

enum err
dns_cache_load_some(struct dns_cache *c, const struct dns_load *l, struct wire_rd *in, unsigned max,
    size_t *taken)
{
	struct dns_packed *scratch = malloc(sizeof(*scratch));
	enum err e = OK;

	if (scratch == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < max && e == OK && wire_rd_left(in) != 0; i++) {
		struct record r;

		e = read_record(in, &r);
		if (e == OK)
			e = load_record(c, l, &r, scratch, taken);
	}
	free(scratch);
	return e;
}
