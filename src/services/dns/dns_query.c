/* SPDX-License-Identifier: MIT */
/*
 * Reads what clients ask and writes what we ask. Every message that is a query gets a verdict that
 * leads to an answer; what follows from the verdict is in dns_reply.c.
 * RFC 1035 §4.1, RFC 6891, RFC 7873 §5.2, RFC 8906.
 */
#include "services/dns/dns_query.h"

#include <assert.h>

#define COOKIE_CLIENT 8		/* bytes, RFC 7873 §4 */
#define COOKIE_MIN    16	/* with the server's part */
#define COOKIE_MAX    40

/* Take in an option once; false for the second time. */
static bool
take_once(struct span *slot, struct span data)
{
	if (slot->at != NULL)
		return false;
	*slot = data;
	return true;
}

static bool
take_flag(bool *slot)
{
	bool first = !*slot;

	*slot = true;
	return first;
}

static bool
cookie_length_is_legal(size_t len)
{
	return len == COOKIE_CLIENT || (len >= COOKIE_MIN && len <= COOKIE_MAX);
}

static bool
take_option(struct dns_query *q, uint16_t code, struct span data)
{
	switch (code) {
	case DNS_OPTION_COOKIE:
		return cookie_length_is_legal(data.len) && take_once(&q->cookie, data);
	case DNS_OPTION_ECS:
		return take_once(&q->ecs, data);
	case DNS_OPTION_NSID:
		return take_flag(&q->nsid);
	case DNS_OPTION_KEEPALIVE:
		return take_flag(&q->keepalive);
	case DNS_OPTION_PADDING:
		return take_flag(&q->padding);
	default:
		return true;	/* unknown options are ignored: RFC 6891 §6.1.2 */
	}
}

static enum dns_verdict
parse_opt(struct dns_query *q, const struct dns_rr *rr)
{
	struct wire_rd rd = wire_rd_of(rr->rdata);
	struct span data;
	uint16_t code;

	if (q->edns)
		return DNS_QUERY_FORMERR;	/* a second one: RFC 6891 §6.1.1 */
	q->edns = true;
	q->udp_size = rr->class > DNS_UDP_PLAIN ? rr->class : DNS_UDP_PLAIN;
	q->dnssec_ok = (rr->ttl & DNS_EDNS_DO) != 0;
	q->edns_version = (uint8_t)(rr->ttl >> 16);
	if (q->edns_version != 0)
		return DNS_QUERY_BADVERS;	/* its options may look like anything */
	for (unsigned n = 0; dns_opt_next(&rd, &code, &data); n++)
		if (n == DNS_OPTIONS_MAX || !take_option(q, code, data))
			return DNS_QUERY_FORMERR;
	return rd.bad ? DNS_QUERY_FORMERR : DNS_QUERY_OK;
}

/* OPT is looked for among the additional records; everything else is stepped over. */
static enum dns_verdict
parse_records(struct dns_query *q, struct wire_rd *rd, unsigned before, unsigned additional)
{
	enum dns_verdict verdict = DNS_QUERY_OK;

	for (unsigned i = 0; i < before + additional; i++) {
		struct dns_rr rr;

		if (i == DNS_RECORDS_MAX || !dns_rr_read(rd, &rr))
			return DNS_QUERY_FORMERR;
		if (rr.type != DNS_TYPE_OPT)
			continue;
		if (i < before || q->packet.at[rr.owner_at] != 0)
			return DNS_QUERY_FORMERR;
		verdict = parse_opt(q, &rr);
		if (verdict == DNS_QUERY_FORMERR)
			return verdict;
	}
	return verdict;
}

static bool
parse_question(struct dns_query *q, struct wire_rd *rd)
{
	/* Compressed names are refused: there is nothing before the question to point to. */
	struct span name = dns_name_at(span_of(rd->at, wire_rd_left(rd)));

	wire_rd_skip(rd, name.len);
	q->type = wire_rd_u16(rd);
	q->class = wire_rd_u16(rd);
	if (name.len == 0 || rd->bad)
		return false;
	dns_name_lower(q->name, name);
	q->name_len = (uint8_t)name.len;
	q->question_len = (uint16_t)(name.len + 4);
	return true;
}

static enum dns_verdict
parse_body(struct dns_query *q)
{
	struct wire_rd rd = wire_rd_of(q->packet);
	unsigned questions = dns_msg_u16(q->packet, 4);
	unsigned before = (unsigned)dns_msg_u16(q->packet, 6) + dns_msg_u16(q->packet, 8);
	unsigned additional = dns_msg_u16(q->packet, 10);
	enum dns_verdict verdict;

	wire_rd_skip(&rd, DNS_HEADER_BYTES);
	if (questions > 1 || (questions == 1 && !parse_question(q, &rd)))
		return DNS_QUERY_FORMERR;
	verdict = parse_records(q, &rd, before, additional);
	if (verdict == DNS_QUERY_OK && questions == 0)
		return q->cookie.at != NULL ? DNS_QUERY_COOKIE : DNS_QUERY_FORMERR;
	return verdict;
}

enum dns_verdict
dns_query_parse(struct dns_query *q, struct span packet)
{
	memset(q, 0, offsetof(struct dns_query, name));
	if (packet.len < DNS_HEADER_BYTES)
		return DNS_QUERY_DROP;
	q->packet = packet;
	q->id = dns_msg_id(packet);
	q->flags = dns_msg_flags(packet);
	q->udp_size = DNS_UDP_PLAIN;
	if ((q->flags & DNS_FLAG_QR) != 0)
		return DNS_QUERY_DROP;

	enum dns_verdict verdict = parse_body(q);

	/* The body of another opcode may mean anything; that it had an OPT record still counts. */
	return (q->flags & DNS_FLAG_OPCODE) == 0 ? verdict : DNS_QUERY_NOTIMP;
}

/* --- towards upstreams ------------------------------------------------------------------------ */

static void
ask_write_opt(const struct dns_ask *a, struct wire_wr *wr)
{
	static const uint8_t zeros[DNS_PAD_MAX];
	uint8_t *length_at = dns_opt_open(wr, a->udp_size != 0 ? a->udp_size : DNS_UDP_SIZE, 0,
	    a->dnssec_ok);

	assert(a->pad <= DNS_PAD_MAX);
	if (a->cookie.len != 0)
		dns_opt_option(wr, DNS_OPTION_COOKIE, a->cookie);
	if (a->pad != 0) {
		size_t over = (wire_wr_len(wr) + 4) % a->pad;	/* 4: the option's own head */

		dns_opt_option(wr, DNS_OPTION_PADDING,
		    span_of(zeros, over != 0 ? a->pad - over : 0));
	}
	dns_opt_close(wr, length_at);
}

size_t
dns_ask_write(const struct dns_ask *a, uint8_t *out, size_t cap)
{
	struct wire_wr wr = wire_wr_of(out, cap);

	wire_wr_u16(&wr, a->id);
	wire_wr_u16(&wr, a->flags & (DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD));
	wire_wr_u16(&wr, 1);
	wire_wr_u16(&wr, 0);
	wire_wr_u16(&wr, 0);
	wire_wr_u16(&wr, a->edns ? 1 : 0);
	wire_wr_bytes(&wr, a->name);
	wire_wr_u16(&wr, a->type);
	wire_wr_u16(&wr, a->class);
	if (a->edns)
		ask_write_opt(a, &wr);
	return wr.bad ? 0 : wire_wr_len(&wr);
}
