/* SPDX-License-Identifier: MIT */
/*
 * What upstreams say: meaning, lifetime, and the form in which it is kept.
 *
 * Of the answer section only the chain that starts at the question counts; whatever else a server,
 * or somebody in its name, put there is left out. Names are compared, never hashed. RFC 5452 §9,
 * RFC 2181 §5 and §8, RFC 2308 §2 and §5, RFC 6672 §3.
 */
#include "services/dns/dns_answer.h"

#include <assert.h>

#include "util/utf8.h"

#define SOA_NUMBERS 20	/* bytes behind SOA's two names */
#define OWNERS_MAX  (2 * DNS_CHAIN_MAX + 1)	/* the question; per step a DNAME, a target */

/* --- what does it say? ------------------------------------------------------------------------ */

/* A response with one question, which is ours. */
static bool
answers(struct span msg, const struct dns_question *asked)
{
	size_t tail = DNS_HEADER_BYTES + asked->name.len;

	if (msg.len < tail + 4 || dns_msg_u16(msg, 4) != 1 ||
	    (dns_msg_flags(msg) & (DNS_FLAG_QR | DNS_FLAG_OPCODE)) != DNS_FLAG_QR)
		return false;
	return dns_name_equal(span_of(msg.at + DNS_HEADER_BYTES, asked->name.len), asked->name) &&
	    dns_msg_u16(msg, tail) == asked->type && dns_msg_u16(msg, tail + 2) == asked->class;
}

/* The work of reading one answer. */
struct reading {
	struct dns_answer *a;
	const struct dns_question *asked;
	struct span msg;
	struct dns_walk records;	/* at the first; each pass takes a copy */
	uint32_t least_ttl;	/* of what is kept */
	bool data;		/* records of the type asked for were found */
	bool grew;		/* this pass over the answers went a step along the chain */
	unsigned nowners;
	size_t owner_at[OWNERS_MAX];	/* names of the chain, for its signatures */
};

static bool
kept(const struct dns_answer *a, unsigned i)
{
	return (a->keep[i / 64] >> (i % 64) & 1) != 0;
}

/* Most records belong to the question, and say so by a pointer to it. */
static bool
points_to_question(struct span msg, const struct dns_rr *rr)
{
	return dns_msg_u16(msg, rr->owner_at) == (0xc000 | DNS_HEADER_BYTES);
}

static uint32_t
sane_ttl(uint32_t ttl)
{
	return ttl <= DNS_TTL_MAX ? ttl : 0;
}

static void
keep(struct reading *r, unsigned i, uint32_t ttl)
{
	r->a->keep[i / 64] |= UINT64_C(1) << (i % 64);
	if (ttl < r->least_ttl)
		r->least_ttl = ttl;
}

static bool
name_at(struct span msg, size_t offset, struct dns_name *out)
{
	struct wire_rd rd = wire_rd_of(msg);

	wire_rd_skip(&rd, offset);
	return dns_name_expand(out, &rd);
}

static void
read_options(struct dns_answer *a, struct span rdata)
{
	struct wire_rd rd = wire_rd_of(rdata);
	struct span data;
	uint16_t code;

	/* Broken options end the reading and do no harm: none of them is passed on. */
	while (dns_opt_next(&rd, &code, &data)) {
		if (code == DNS_OPTION_COOKIE) {
			a->cookie = data;
		} else if (code == DNS_OPTION_EDE && data.len >= 2 && !a->has_ede) {
			a->has_ede = true;
			a->ede = dns_msg_u16(data, 0);
			a->ede_text = span_of(data.at + 2, data.len - 2);
		}
	}
}

/* See that the message is whole, and read its OPT record. */
static enum err
read_frame(struct reading *r)
{
	struct dns_answer *a = r->a;
	struct dns_walk w = r->records;
	struct dns_rr rr;

	while (dns_rr_next(&w, &rr)) {
		if (rr.type != DNS_TYPE_OPT)
			continue;
		if (a->edns || rr.section != DNS_SECTION_ADDITIONAL)
			return ERR_FORMAT;
		a->edns = true;
		a->udp_size = rr.class;
		a->dnssec_ok = (rr.ttl & DNS_EDNS_DO) != 0;
		a->rcode |= (uint16_t)(rr.ttl >> 24 << 4);
		read_options(a, rr.rdata);
	}
	if (!w.bad)
		return OK;
	return w.seen == DNS_RECORDS_MAX ? ERR_RANGE : ERR_FORMAT;
}

/* A CNAME at the end of the chain: its target is the new end. */
static enum err
step(struct reading *r, const struct dns_rr *rr)
{
	struct dns_answer *a = r->a;
	size_t target_at = (size_t)(rr->rdata.at - r->msg.at);

	if (a->chain == DNS_CHAIN_MAX || r->nowners == OWNERS_MAX)
		return ERR_RANGE;
	if (!name_at(r->msg, target_at, &a->last))
		return ERR_FORMAT;
	dns_name_lower(a->last.wire, dns_name_span(&a->last));
	a->chain++;
	r->owner_at[r->nowners++] = target_at;
	r->grew = true;
	return OK;
}

/* The owner of a DNAME lies above the end of the chain. Its CNAME follows: RFC 6672 §3.1. */
static bool
redirects(struct reading *r, const struct dns_rr *rr)
{
	struct dns_name owner;

	if (rr->type != DNS_TYPE_DNAME || !name_at(r->msg, rr->owner_at, &owner))
		return false;
	if (owner.len >= r->a->last.len ||
	    !dns_name_below(dns_name_span(&r->a->last), dns_name_span(&owner)))
		return false;
	if (r->nowners == OWNERS_MAX)
		return false;
	r->owner_at[r->nowners++] = rr->owner_at;
	return true;
}

/* A signature over something of the chain. */
static bool
signs_chain(const struct reading *r, const struct dns_rr *rr)
{
	struct dns_name owner;

	if (rr->type != DNS_TYPE_RRSIG || rr->rdata.len < 2)
		return false;

	uint16_t covered = dns_msg_u16(rr->rdata, 0);

	if (covered != DNS_TYPE_CNAME && covered != DNS_TYPE_DNAME && covered != r->asked->type)
		return false;
	if (!name_at(r->msg, rr->owner_at, &owner))
		return false;
	for (unsigned i = 0; i < r->nowners; i++)
		if (dns_name_is_at(r->msg, r->owner_at[i], dns_name_span(&owner)))
			return true;
	return false;
}

/* The owner of a record is the end of the chain so far. */
static bool
is_at_end(const struct reading *r, const struct dns_rr *rr)
{
	if (r->a->chain == 0 && points_to_question(r->msg, rr))
		return true;
	return dns_name_is_at(r->msg, rr->owner_at, dns_name_span(&r->a->last));
}

/* Say in *belongs whether a record of the answer section is part of the chain, and go along. */
static enum err
judge_answer(struct reading *r, const struct dns_rr *rr, bool *belongs)
{
	*belongs = false;
	if (rr->class != r->asked->class && r->asked->class != DNS_CLASS_ANY)
		return OK;
	if (!is_at_end(r, rr)) {
		*belongs = redirects(r, rr) || signs_chain(r, rr);
		return OK;
	}
	*belongs = true;
	if (rr->type == r->asked->type || r->asked->type == DNS_TYPE_ANY) {
		r->data = true;
		return OK;
	}
	if (rr->type == DNS_TYPE_CNAME && !r->data)
		return step(r, rr);
	*belongs = signs_chain(r, rr);
	return OK;
}

/*
 * Find the chain. Servers send it in order, so the first pass finds all of it; another one follows
 * only where records were left over and the chain has grown.
 */
static enum err
read_chain(struct reading *r)
{
	do {
		struct dns_walk w = r->records;
		struct dns_rr rr;

		r->grew = false;
		r->a->strays = 0;
		for (unsigned i = 0; dns_rr_next(&w, &rr); i++) {
			bool belongs = kept(r->a, i);
			enum err e = OK;

			if (rr.section != DNS_SECTION_ANSWER)
				break;
			if (!belongs)
				e = judge_answer(r, &rr, &belongs);
			if (e != OK)
				return e;
			if (belongs)
				keep(r, i, sane_ttl(rr.ttl));
			else
				r->a->strays++;
		}
	} while (r->grew && r->a->strays != 0);
	return OK;
}

/* SOA's TTL for a negative answer: RFC 2308 §5. Data too short is found out when packing. */
static uint32_t
soa_ttl(const struct dns_rr *rr)
{
	uint32_t ttl = sane_ttl(rr->ttl);

	if (rr->rdata.len < SOA_NUMBERS)
		return 0;

	struct wire_rd rd = wire_rd_of(rr->rdata);

	wire_rd_skip(&rd, rr->rdata.len - 4);

	uint32_t minimum = sane_ttl(wire_rd_u32(&rd));

	return minimum < ttl ? minimum : ttl;
}

/* The SOA of a zone that holds the end of the chain; the first one counts. */
static bool
is_our_soa(const struct reading *r, const struct dns_rr *rr)
{
	struct dns_name owner;

	return rr->type == DNS_TYPE_SOA && !r->a->has_soa &&
	    name_at(r->msg, rr->owner_at, &owner) &&
	    dns_name_below(dns_name_span(&r->a->last), dns_name_span(&owner));
}

/* NSEC and NSEC3 with their signatures, and that of a SOA we keep. */
static bool
is_proof(const struct reading *r, const struct dns_rr *rr)
{
	uint16_t type = rr->type;

	if (type == DNS_TYPE_RRSIG && rr->rdata.len >= 2)
		type = dns_msg_u16(rr->rdata, 0);
	if (type == DNS_TYPE_SOA)
		return rr->type == DNS_TYPE_RRSIG && r->a->has_soa;
	return type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3;
}

/* Keep what the authority section has to say; gives whether it names other servers. */
static bool
read_authority(struct reading *r, bool negative)
{
	bool refers = false;
	struct dns_walk w = r->records;
	struct dns_rr rr;

	if (w.left[DNS_SECTION_AUTHORITY] == 0)
		return false;
	for (unsigned i = 0; dns_rr_next(&w, &rr) && rr.section != DNS_SECTION_ADDITIONAL; i++) {
		if (rr.section != DNS_SECTION_AUTHORITY || rr.class != r->asked->class)
			continue;
		if (negative && is_our_soa(r, &rr)) {
			r->a->has_soa = true;
			keep(r, i, soa_ttl(&rr));
		} else if (is_proof(r, &rr)) {
			keep(r, i, sane_ttl(rr.ttl));
		} else if (rr.type == DNS_TYPE_NS) {
			refers = true;
		}
	}
	return refers;
}

static void
read_meaning(struct reading *r)
{
	struct dns_answer *a = r->a;
	bool negative = a->rcode == DNS_NXDOMAIN || !r->data;
	bool refers = read_authority(r, negative);

	if (a->rcode == DNS_NXDOMAIN)
		a->kind = DNS_ANSWER_NXDOMAIN;
	else if (r->data)
		a->kind = DNS_ANSWER_DATA;
	else if (refers && !a->has_soa && a->chain == 0 && (a->flags & DNS_FLAG_AA) == 0)
		a->kind = DNS_ANSWER_REFERRAL;
	else
		a->kind = DNS_ANSWER_NODATA;
	if (a->kind == DNS_ANSWER_DATA || a->has_soa)
		a->ttl_s = r->least_ttl;
}

enum err
dns_answer_parse(struct dns_answer *a, struct span msg, const struct dns_question *asked)
{
	struct reading r = { .a = a, .asked = asked, .msg = msg, .least_ttl = UINT32_MAX };
	enum err e;

	if (!answers(msg, asked))
		return ERR_FORMAT;
	*a = (struct dns_answer){ .flags = dns_msg_flags(msg), .kind = DNS_ANSWER_FAILURE };
	a->rcode = a->flags & DNS_FLAG_RCODE;
	if ((a->flags & DNS_FLAG_TC) != 0) {
		a->kind = DNS_ANSWER_TRUNCATED;	/* may end anywhere: nothing more to be read */
		return OK;
	}
	dns_walk_begin(&r.records, msg);
	e = read_frame(&r);
	if (e != OK || (a->rcode != DNS_NOERROR && a->rcode != DNS_NXDOMAIN))
		return e;
	a->last.len = (uint8_t)asked->name.len;
	dns_name_lower(a->last.wire, asked->name);
	r.owner_at[r.nowners++] = DNS_HEADER_BYTES;
	e = read_chain(&r);
	if (e == OK)
		read_meaning(&r);
	return e;
}

/* --- the form that is kept -------------------------------------------------------------------- */

static bool
is_negative(const struct dns_answer *a)
{
	return a->kind == DNS_ANSWER_NODATA || a->kind == DNS_ANSWER_NXDOMAIN;
}

static uint32_t
clamp_ttl(const struct dns_ttl_limits *limits, bool negative, uint32_t ttl)
{
	uint32_t max = negative ? limits->max_negative : limits->max;

	if (!negative && ttl != 0 && ttl < limits->min)
		ttl = limits->min;
	return ttl < max ? ttl : max;
}

/* The packing of one answer. */
struct packing {
	struct dns_packed *out;
	const struct dns_answer *a;
	struct span msg;
	const struct dns_ttl_limits *limits;
	struct dns_compress c;
	uint32_t least_ttl;
};

static enum err
pack_record(struct packing *p, const struct dns_rr *rr)
{
	bool negative = is_negative(p->a);
	bool soa = negative && rr->type == DNS_TYPE_SOA && rr->section == DNS_SECTION_AUTHORITY;
	struct dns_stored *view = &p->out->view;
	struct dns_compress_rr to = { .type = rr->type, .class = rr->class, .msg = p->msg,
	    .rdata = rr->rdata };
	struct dns_name owner;
	size_t ttl_at = 0;
	enum err e;

	to.ttl = clamp_ttl(p->limits, negative, soa ? soa_ttl(rr) : sane_ttl(rr->ttl));
	if (!points_to_question(p->msg, rr)) {
		if (!name_at(p->msg, rr->owner_at, &owner))
			return ERR_FORMAT;
		to.owner = dns_name_span(&owner);
	}
	e = dns_compress_record(&p->c, &to, &ttl_at);
	if (e != OK)
		return e;
	p->out->ttl_at[view->nttl++] = (uint16_t)ttl_at;
	if (rr->section == DNS_SECTION_ANSWER)
		view->answers++;
	else
		view->authority++;
	if (to.ttl < p->least_ttl)
		p->least_ttl = to.ttl;
	return OK;
}

static enum err
pack_records(struct packing *p)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_begin(&w, p->msg);
	for (unsigned i = 0; dns_rr_next(&w, &rr) && rr.section != DNS_SECTION_ADDITIONAL; i++) {
		enum err e = kept(p->a, i) ? pack_record(p, &rr) : OK;

		if (e != OK)
			return e;
	}
	return OK;
}

static void
pack_ede(struct dns_packed *out, const struct dns_answer *a)
{
	out->has_ede = a->has_ede;
	out->ede = a->ede;
	out->ede_len = 0;
	if (a->has_ede && utf8_valid(a->ede_text)) {
		out->ede_len = (uint8_t)dns_ede_text_fit(a->ede_text);
		memcpy(out->ede_text, a->ede_text.at, out->ede_len);
	}
}

static uint32_t
lifetime(const struct packing *p)
{
	switch (p->a->kind) {
	case DNS_ANSWER_DATA:
		return p->least_ttl;
	case DNS_ANSWER_NODATA:
	case DNS_ANSWER_NXDOMAIN:
		if (!p->a->has_soa && p->limits->no_soa < p->least_ttl)
			return p->limits->no_soa;
		return p->least_ttl;
	case DNS_ANSWER_REFERRAL:
	case DNS_ANSWER_FAILURE:
	case DNS_ANSWER_TRUNCATED:
		break;
	}
	return 0;
}

/* Begin a packed answer: room for a header, and the question. Gives where the records begin. */
static uint8_t *
pack_begin(struct dns_compress *c, struct dns_packed *out, const struct dns_question *asked)
{
	uint8_t question[DNS_NAME_MAX + 4];
	struct wire_wr wr = wire_wr_of(question, sizeof(question));

	wire_wr_bytes(&wr, asked->name);
	wire_wr_u16(&wr, asked->type);
	wire_wr_u16(&wr, asked->class);
	dns_compress_begin(c, out->msg, sizeof(out->msg), wire_wr_span(&wr));
	return c->wr.at;
}

enum err
dns_answer_pack(struct dns_packed *out, const struct dns_answer *a, struct span msg,
    const struct dns_question *asked, const struct dns_ttl_limits *limits)
{
	struct packing p = { .out = out, .a = a, .msg = msg, .limits = limits,
	    .least_ttl = UINT32_MAX };
	uint8_t *body = pack_begin(&p.c, out, asked);

	out->kind = a->kind;
	out->view = (struct dns_stored){ .body = body, .ttl_at = out->ttl_at, .rcode = a->rcode,
	    .flags = a->flags & DNS_FLAG_AD, .ttl_cap_s = UINT32_MAX };
	pack_ede(out, a);
	if (a->kind == DNS_ANSWER_DATA || is_negative(a)) {
		enum err e = pack_records(&p);

		if (e != OK)
			return e;
	}
	out->view.body_len = (uint16_t)(p.c.wr.at - body);
	out->ttl_s = lifetime(&p);
	return OK;
}

void
dns_answer_deny(struct dns_packed *p, const struct dns_question *asked, uint32_t ttl)
{
	uint8_t data[DNS_SOA_DATA_MAX];
	struct dns_compress c;
	struct dns_compress_rr soa = { .type = DNS_TYPE_SOA, .class = asked->class, .ttl = ttl };
	uint8_t *body = pack_begin(&c, p, asked);
	size_t ttl_at = 0;

	soa.rdata = soa.msg = dns_soa_data(data, asked->name, ttl);

	enum err e = dns_compress_record(&c, &soa, &ttl_at);

	assert(e == OK);	/* there is room for any SOA */
	(void)e;
	p->ttl_at[0] = (uint16_t)ttl_at;
	p->view = (struct dns_stored){ .body = body, .ttl_at = p->ttl_at,
		.body_len = (uint16_t)(c.wr.at - body), .nttl = 1, .authority = 1,
		.rcode = DNS_NOERROR, .ttl_cap_s = UINT32_MAX };
	p->kind = DNS_ANSWER_NODATA;
	p->ttl_s = ttl;
	p->has_ede = false;
	p->ede_len = 0;
}
