/* SPDX-License-Identifier: MIT */
/*
 * Records behind a question, names compressed within bounds.
 *
 * Every type that can carry compressed names is listed with the shape of its data; those names are
 * expanded and written again, so that no pointer survives a move to another message. All other
 * types are opaque and copied byte by byte. RFC 1035 §3.3, RFC 3597 §4.
 */
#include "services/dns/dns_compress.h"

#include "services/dns/dns_name.h"

#include <assert.h>

#define POINTER		0xc000	/* the two top bits of a pointer */
#define POINTER_REACH	0x4000	/* bytes: what its 14 bits can address */

/*
 * The shape of a type's data: digits are so many bytes, c a name that gets compressed, n one that
 * does not, s a character string, * whatever follows.
 */
struct shape {
	uint16_t type;
	const char *form;
};

static const struct shape shapes[] = {
	{ DNS_TYPE_A, "4" },
	{ DNS_TYPE_AAAA, "88" },
	{ DNS_TYPE_CNAME, "c" },
	{ DNS_TYPE_NS, "c" },
	{ DNS_TYPE_PTR, "c" },
	{ DNS_TYPE_MX, "2c" },
	{ DNS_TYPE_SOA, "cc884" },
	{ DNS_TYPE_SRV, "6n" },
	{ DNS_TYPE_DNAME, "n" },
	{ DNS_TYPE_NAPTR, "4sssn" },
	{ 7, "c" },		/* MB */
	{ 8, "c" },		/* MG */
	{ 9, "c" },		/* MR */
	{ 14, "cc" },		/* MINFO */
	{ 17, "nn" },		/* RP */
	{ 18, "2n" },		/* AFSDB */
	{ 21, "2n" },		/* RT */
	{ 24, "882n*" },	/* SIG */
	{ 26, "2nn" },		/* PX */
	{ 30, "n*" },		/* NXT */
	{ 36, "2n" },		/* KX */
};

static const char *
form_of(uint16_t type, uint16_t class)
{
	/* Other classes have addresses of other shapes: RFC 1035 §3.4.1. */
	if (class != DNS_CLASS_IN && (type == DNS_TYPE_A || type == DNS_TYPE_AAAA))
		return "*";
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].type == type)
			return shapes[i].form;
	return "*";
}

/* Give the offset where name was written before, or 0. */
static uint16_t
find_target(struct dns_compress *c, struct span name)
{
	struct span msg = wire_wr_span(&c->wr);

	for (unsigned i = 0; i < c->ntargets && c->budget != 0; i++) {
		c->budget--;
		if (c->target[i].len == name.len && dns_name_is_at(msg, c->target[i].at, name))
			return c->target[i].at;
	}
	return 0;
}

static void
add_target(struct dns_compress *c, size_t at, size_t len)
{
	if (at >= POINTER_REACH || c->ntargets == DNS_COMPRESS_MAX)
		return;
	c->target[c->ntargets].at = (uint16_t)at;
	c->target[c->ntargets].len = (uint8_t)len;
	c->ntargets++;
}

void
dns_compress_begin(struct dns_compress *c, uint8_t *out, size_t cap, struct span question)
{
	struct span name = dns_name_at(question);

	assert(cap <= DNS_MSG_MAX);
	c->wr = wire_wr_of(out, cap);
	c->budget = DNS_COMPRESS_BUDGET;
	c->ntargets = 0;
	wire_wr_u32(&c->wr, 0);
	wire_wr_u64(&c->wr, 0);
	for (size_t at = DNS_HEADER_BYTES; name.len > 1; name = dns_name_parent(name)) {
		add_target(c, at, name.len);
		at += dns_name_label(name).len + 1;
	}
	wire_wr_bytes(&c->wr, question);
}

void
dns_compress_name(struct dns_compress *c, struct span name)
{
	for (; !dns_name_is_root(name); name = dns_name_parent(name)) {
		uint16_t at = find_target(c, name);

		if (at != 0) {
			wire_wr_u16(&c->wr, POINTER | at);
			return;
		}
		add_target(c, wire_wr_len(&c->wr), name.len);
		wire_wr_bytes(&c->wr, span_of(name.at, dns_name_label(name).len + 1));
	}
	wire_wr_u8(&c->wr, 0);
}

static void
copy(struct dns_compress *c, struct wire_rd *rd, size_t n)
{
	wire_wr_bytes(&c->wr, wire_rd_bytes(rd, n));
}

static void
copy_name(struct dns_compress *c, struct wire_rd *rd, bool compress)
{
	struct dns_name name;

	if (!dns_name_expand(&name, rd))
		return;
	if (compress)
		dns_compress_name(c, dns_name_span(&name));
	else
		wire_wr_bytes(&c->wr, dns_name_span(&name));
}

/* Write the data by its type's form; false where it has another. */
static bool
copy_data(struct dns_compress *c, const struct dns_compress_rr *rr)
{
	struct wire_rd rd = wire_rd_of(rr->rdata);

	/* Pointers in the names count from the start of the message. */
	rd.start = rr->msg.at;
	for (const char *form = form_of(rr->type, rr->class); *form != '\0' && !rd.bad; form++) {
		switch (*form) {
		case 'c':
		case 'n':
			copy_name(c, &rd, *form == 'c');
			break;
		case 's':
			copy(c, &rd, rd.at != rd.end ? *rd.at + 1u : 1u);
			break;
		case '*':
			copy(c, &rd, wire_rd_left(&rd));
			break;
		default:
			copy(c, &rd, (size_t)(*form - '0'));
			break;
		}
	}
	return wire_rd_finish(&rd) == OK;
}

enum err
dns_compress_record(struct dns_compress *c, const struct dns_compress_rr *rr, size_t *ttl_at)
{
	if (rr->owner.len == 0)
		wire_wr_u16(&c->wr, POINTER | DNS_HEADER_BYTES);
	else
		dns_compress_name(c, rr->owner);
	wire_wr_u16(&c->wr, rr->type);
	wire_wr_u16(&c->wr, rr->class);
	if (ttl_at != NULL)
		*ttl_at = wire_wr_len(&c->wr);
	wire_wr_u32(&c->wr, rr->ttl);

	uint8_t *length_at = wire_wr_take(&c->wr, 2);

	if (length_at == NULL)
		return ERR_FULL;
	if (!copy_data(c, rr))
		return ERR_FORMAT;

	wire_put_u16(length_at, (uint16_t)(c->wr.at - length_at - 2));
	return wire_wr_finish(&c->wr);
}
