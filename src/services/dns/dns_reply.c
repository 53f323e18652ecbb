/* SPDX-License-Identifier: MIT */
/*
 * Replies to clients: record by record, or copied from a ready answer.
 *
 * Header, question and OPT always fit in 512 bytes (the question takes 259 at most, OPT 195), so
 * every reply can be cut down to them. RFC 1035 §4.1, RFC 2181 §9, RFC 6891 §6.1.1, RFC 8914 §3.
 */
#include "services/dns/dns_reply.h"

#include <assert.h>
#include <endian.h>

#define OPTION_BYTES 4	/* code and length */
#define RCODE_PLAIN  15	/* the highest that fits the header */

/* --- pieces of every reply -------------------------------------------------------------------- */

static inline void
put_header(uint8_t *out, const struct dns_query *q, uint16_t flags, const uint16_t count[3])
{
	uint16_t echo = q->flags & (DNS_FLAG_RD | DNS_FLAG_CD | DNS_FLAG_OPCODE);

	wire_put_u16(out, q->id);
	wire_put_u16(out + 2, flags | echo | DNS_FLAG_QR | DNS_FLAG_RA);
	wire_put_u16(out + 4, q->question_len != 0 ? 1 : 0);
	wire_put_u16(out + 6, count[DNS_SECTION_ANSWER]);
	wire_put_u16(out + 8, count[DNS_SECTION_AUTHORITY]);
	wire_put_u16(out + 10, count[DNS_SECTION_ADDITIONAL]);
}

/* The flags of the header, from what the maker asks for and what this client may see. */
static inline uint16_t
reply_flags(const struct dns_query *q, uint16_t flags, uint16_t rcode)
{
	bool ad = q->dnssec_ok || (q->flags & DNS_FLAG_AD) != 0;

	if (rcode > RCODE_PLAIN && !q->edns)
		rcode = DNS_SERVFAIL;	/* there is no room for the upper bits */
	flags &= DNS_FLAG_AA | DNS_FLAG_TC | (ad ? DNS_FLAG_AD : 0);
	return flags | (rcode & DNS_FLAG_RCODE);
}

size_t
dns_ede_text_fit(struct span text)
{
	size_t len = text.len;

	if (len <= DNS_EDE_TEXT_MAX)
		return len;
	/* A byte 10xxxxxx goes on with the character before it. */
	for (len = DNS_EDE_TEXT_MAX; len > 0 && (text.at[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

/* How many bytes the OPT record takes; 0 where the query had none. */
static size_t
opt_size(const struct dns_query *q, const struct dns_opt *opt, bool ede)
{
	size_t size = DNS_OPT_BYTES;

	if (!q->edns)
		return 0;
	if (opt == NULL)
		return size;
	if (opt->has_ede && ede)
		size += OPTION_BYTES + 2 + dns_ede_text_fit(opt->ede_text);
	if (opt->cookie.len != 0)
		size += OPTION_BYTES + opt->cookie.len;
	if (opt->has_keepalive)
		size += OPTION_BYTES + 2;
	return size;
}

static void
put_options(struct wire_wr *wr, const struct dns_opt *opt, bool ede)
{
	if (opt->has_ede && ede) {
		size_t len = dns_ede_text_fit(opt->ede_text);

		wire_wr_u16(wr, DNS_OPTION_EDE);
		wire_wr_u16(wr, (uint16_t)(len + 2));
		wire_wr_u16(wr, opt->ede);
		wire_wr_bytes(wr, span_of(opt->ede_text.at, len));
	}
	if (opt->cookie.len != 0)
		dns_opt_option(wr, DNS_OPTION_COOKIE, opt->cookie);
	if (opt->has_keepalive) {
		wire_wr_u16(wr, DNS_OPTION_KEEPALIVE);
		wire_wr_u16(wr, 2);
		wire_wr_u16(wr, opt->keepalive);
	}
}

/* Write the OPT record at `at`, where opt_size() bytes are free; gives their number. */
static size_t
put_opt(uint8_t *at, const struct dns_query *q, uint16_t rcode, const struct dns_opt *opt, bool ede)
{
	struct wire_wr wr = wire_wr_of(at, opt_size(q, opt, ede));
	uint8_t *length_at = dns_opt_open(&wr, DNS_UDP_SIZE, (uint8_t)(rcode >> 4), q->dnssec_ok);

	if (opt != NULL)
		put_options(&wr, opt, ede);
	dns_opt_close(&wr, length_at);
	assert(!wr.bad);
	return wire_wr_len(&wr);
}

/*
 * Complete a reply whose header has room at out and whose question and records take up `len`. What
 * does not fit the limit goes in this order: the EDE, all records.
 */
static size_t
finish(const struct dns_query *q, uint8_t *out, size_t len, size_t limit, const uint16_t count[3],
    uint16_t rcode, uint16_t flags, const struct dns_opt *opt)
{
	static const uint16_t none[3];
	bool ede = len + opt_size(q, opt, true) <= limit;
	uint16_t opt_count[3] = { count[0], count[1], (uint16_t)(count[2] + (q->edns ? 1 : 0)) };

	if (!ede && len + opt_size(q, opt, false) > limit) {
		flags |= DNS_FLAG_TC;
		len = DNS_HEADER_BYTES + q->question_len;
		ede = true;
		memcpy(opt_count, none, sizeof(none));
		opt_count[2] = q->edns ? 1 : 0;
	}
	put_header(out, q, reply_flags(q, flags, rcode), opt_count);
	if (q->edns)
		len += put_opt(out + len, q, rcode, opt, ede);
	return len;
}

/* --- record by record ------------------------------------------------------------------------- */

void
dns_wr_begin(struct dns_wr *w, const struct dns_query *q, uint8_t *out, size_t limit)
{
	assert(limit >= DNS_UDP_PLAIN);
	dns_compress_begin(&w->c, out, limit, dns_query_question(q));
	w->q = q;
	w->limit = limit;
	memset(w->count, 0, sizeof(w->count));
}

void
dns_wr_record(struct dns_wr *w, enum dns_section section, struct span owner, uint16_t type,
    uint16_t class, uint32_t ttl, struct span rdata)
{
	assert(section == DNS_SECTION_ADDITIONAL || w->count[section + 1] == 0);

	struct dns_compress_rr rr = { .owner = owner, .type = type, .class = class, .ttl = ttl,
	    .msg = rdata, .rdata = rdata };

	if (dns_compress_record(&w->c, &rr, NULL) != OK)
		w->c.wr.bad = true;
	else
		w->count[section]++;
}

void
dns_wr_copy(struct dns_wr *w, const struct dns_rr *rr, struct span msg)
{
	struct dns_name owner;
	struct wire_rd rd = wire_rd_of(msg);

	wire_rd_skip(&rd, rr->owner_at);
	if (!dns_name_expand(&owner, &rd))
		return;

	struct dns_compress_rr copy = { .owner = dns_name_span(&owner), .type = rr->type,
		.class = rr->class, .ttl = rr->ttl, .msg = msg, .rdata = rr->rdata };

	if (dns_compress_record(&w->c, &copy, NULL) != OK)
		w->c.wr.bad = true;
	else
		w->count[rr->section]++;
}

struct span
dns_soa_data(uint8_t buf[static DNS_SOA_DATA_MAX], struct span zone, uint32_t ttl)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	struct wire_wr wr = wire_wr_of(buf, DNS_SOA_DATA_MAX);

	wire_wr_bytes(&wr, zone);
	wire_wr_bytes(&wr, span_of(nobody, sizeof(nobody)));
	wire_wr_u32(&wr, 1);		/* serial: who reads that of a house's zone? */
	wire_wr_u32(&wr, 3600);		/* refresh */
	wire_wr_u32(&wr, 1200);		/* retry */
	wire_wr_u32(&wr, 604800);	/* expire */
	wire_wr_u32(&wr, ttl);
	return wire_wr_span(&wr);
}

void
dns_wr_soa(struct dns_wr *w, enum dns_section section, struct span zone, uint32_t ttl)
{
	uint8_t buf[DNS_SOA_DATA_MAX];

	dns_wr_record(w, section, zone, DNS_TYPE_SOA, DNS_CLASS_IN, ttl,
	    dns_soa_data(buf, zone, ttl));
}

size_t
dns_wr_end(struct dns_wr *w, uint16_t rcode, uint16_t flags, const struct dns_opt *opt)
{
	/* What did not fit cannot be told apart from what is too long together with OPT. */
	size_t len = w->c.wr.bad ? w->limit + 1 : wire_wr_len(&w->c.wr);

	return finish(w->q, w->c.wr.start, len, w->limit, w->count, rcode, flags, opt);
}

size_t
dns_reply_empty(const struct dns_query *q, uint16_t rcode, uint16_t flags,
    const struct dns_opt *opt, uint8_t *out, size_t limit)
{
	static const uint16_t none[3];
	struct span question = dns_query_question(q);

	assert(limit >= DNS_UDP_PLAIN);
	memcpy(out + DNS_HEADER_BYTES, question.at, question.len);
	return finish(q, out, DNS_HEADER_BYTES + question.len, limit, none, rcode, flags, opt);
}

uint16_t
dns_verdict_rcode(enum dns_verdict v)
{
	switch (v) {
	case DNS_QUERY_OK:
	case DNS_QUERY_COOKIE:
	case DNS_QUERY_DROP:
		break;
	case DNS_QUERY_FORMERR:
		return DNS_FORMERR;
	case DNS_QUERY_NOTIMP:
		return DNS_NOTIMP;
	case DNS_QUERY_BADVERS:
		return DNS_BADVERS;
	}
	return DNS_NOERROR;
}

/* --- a ready answer --------------------------------------------------------------------------- */

static inline void
patch_ttl(uint8_t *at, uint32_t age, uint32_t cap)
{
	uint32_t ttl;

	memcpy(&ttl, at, sizeof(ttl));
	ttl = be32toh(ttl);
	ttl = ttl > age ? ttl - age : 0;
	ttl = htobe32(ttl < cap ? ttl : cap);
	memcpy(at, &ttl, sizeof(ttl));
}

#define POINTED_HEAD 6		/* bytes in front of the TTL where the owner is a pointer: and type, class */
#define POINTED_REST 12		/* of such a record beside its data */

static uint16_t
u16_at(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool
is_address(const uint8_t *ttl)
{
	uint16_t type = u16_at(ttl - 4);

	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

/*
 * Have the addresses of a name take turns in coming first, as many clients use no other (RFC 1794):
 * records of one length and owner that lie one behind the other in the message `out`, whose body is
 * still s's.
 */
static void
take_turns(const struct dns_stored *s, uint8_t *out, size_t head)
{
	unsigned first = 0, n = 1;

	while (first < s->answers && !is_address(out + s->ttl_at[first]))
		first++;
	if (first == s->answers)
		return;

	const uint8_t *ttl = out + s->ttl_at[first];
	size_t size = POINTED_REST + (size_t)u16_at(ttl + 4);

	/* Owner, type, class and length of each are those of the first. */
	while (first + n < s->answers && s->ttl_at[first + n] == s->ttl_at[first] + n * size &&
	    memcmp(ttl + n * size - POINTED_HEAD, ttl - POINTED_HEAD, POINTED_HEAD) == 0 &&
	    memcmp(ttl + n * size + 4, ttl + 4, 2) == 0)
		n++;

	size_t at = s->ttl_at[first] - (size_t)POINTED_HEAD, cut = s->turn % n * size;

	if (cut == 0)
		return;
	memcpy(out + at, s->body + at - head + cut, n * size - cut);
	memcpy(out + at + n * size - cut, s->body + at - head, cut);
}

size_t
dns_reply_stored(const struct dns_stored *s, const struct dns_query *q, const struct dns_opt *opt,
    uint8_t *out, size_t limit)
{
	size_t head = DNS_HEADER_BYTES + q->question_len;
	size_t len = head + s->body_len;
	const uint16_t count[3] = { s->answers, s->authority, 0 };

	assert(limit >= DNS_UDP_PLAIN);
	memcpy(out + DNS_HEADER_BYTES, q->packet.at + DNS_HEADER_BYTES, q->question_len);
	if (len <= limit) {
		memcpy(out + head, s->body, s->body_len);
		if (s->turn != 0 && s->answers > 1)
			take_turns(s, out, head);
		for (unsigned i = 0; i < s->nttl; i++)
			patch_ttl(out + s->ttl_at[i], s->age_s, s->ttl_cap_s);
	}
	return finish(q, out, len, limit, count, s->rcode, s->flags, opt);
}
