/* SPDX-License-Identifier: MIT */
/*
 * Records as people write them. Each type's data is a row of fields; what a type is made of stands
 * in one table. RFC 1035 §5.1 and the RFCs of the types; RFC 3597 §5 for all others.
 */
#include "services/dns/dns_record.h"

#include "services/dns/dns_compress.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_svcb.h"
#include "services/dns/dns_token.h"
#include "util/wire.h"

#include <arpa/inet.h>

#define STRING_MAX 255	/* bytes of a character string, RFC 1035 §3.3 */
#define BAD_ESCAPE "a \\ is followed by no number up to 255"
#define NOT_CLOSED "a quote is not closed"

/* The reading of one line. */
struct reader {
	struct span rest;
	struct wire_wr out;	/* the data */
	const char *why;	/* the first thing that was wrong */
	bool plain;		/* a name without a dot was among them */
};

static enum err
fail(struct reader *r, enum err e, const char *why)
{
	r->why = why;
	return e;
}

static enum err
next(struct reader *r, struct dns_token *t)
{
	if (dns_token_next(&r->rest, t))
		return OK;
	return fail(r, ERR_FORMAT, r->rest.len != 0 ? NOT_CLOSED : "ends too early");
}

/* --- fields ----------------------------------------------------------------------------------- */

static enum err
read_number(struct reader *r, struct span raw, uint32_t max, uint32_t *out)
{
	return dns_token_number(raw, max, out) ? OK :
	    fail(r, ERR_RANGE, "a number is malformed or too large");
}

static enum err
read_address(struct reader *r, struct span raw, int family)
{
	uint8_t bytes[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];

	if (raw.len < sizeof(text)) {
		memcpy(text, raw.at, raw.len);
		text[raw.len] = '\0';
		if (inet_pton(family, text, bytes) == 1) {
			wire_wr_bytes(&r->out, span_of(bytes, family == AF_INET ? 4 : 16));
			return OK;
		}
	}
	return fail(r, ERR_FORMAT,
	    family == AF_INET ? "not an IPv4 address" : "not an IPv6 address");
}

static enum err
read_name(struct reader *r, const struct dns_token *t, struct dns_name *out)
{
	enum err e = t->quoted ? ERR_FORMAT : dns_name_parse(out, t->raw);

	r->plain = r->plain || memchr(t->raw.at, '.', t->raw.len) == NULL;
	return e == OK ? OK : fail(r, e, "a name is malformed or too long");
}

/* Write a character string: its length, then its bytes. */
static enum err
read_string(struct reader *r, struct span raw)
{
	uint8_t *length_at = wire_wr_take(&r->out, 1);

	if (!dns_token_write(raw, &r->out))
		return fail(r, ERR_FORMAT, BAD_ESCAPE);
	if (length_at == NULL || r->out.bad)
		return OK;	/* found out at the end */

	size_t len = (size_t)(r->out.at - length_at) - 1;

	if (len > STRING_MAX)
		return fail(r, ERR_RANGE, "a text is longer than 255 bytes");
	*length_at = (uint8_t)len;
	return OK;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum err
read_hex(struct reader *r, struct span raw)
{
	if (raw.len % 2 != 0)
		return fail(r, ERR_FORMAT, "an odd number of hexadecimal digits");
	for (size_t i = 0; i < raw.len; i += 2) {
		int high = hex_digit(raw.at[i]);
		int low = hex_digit(raw.at[i + 1]);

		if (high < 0 || low < 0)
			return fail(r, ERR_FORMAT, "not a hexadecimal number");
		wire_wr_u8(&r->out, (uint8_t)(high << 4 | low));
	}
	return OK;
}

/* Read "3600" or "1h30m". */
static bool
duration(struct span raw, uint32_t *out)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	uint64_t total = 0;

	if (dns_token_number(raw, DNS_TTL_MAX, out))
		return true;
	while (raw.len != 0) {
		uint32_t value = 0;
		size_t digits = 0;
		size_t u = 0;

		while (digits < raw.len && raw.at[digits] >= '0' && raw.at[digits] <= '9')
			digits++;
		if (digits == raw.len ||
		    !dns_token_number(span_of(raw.at, digits), DNS_TTL_MAX, &value))
			return false;
		while (u < sizeof(units) / sizeof(units[0]) &&
		    units[u].unit != ascii_lower(raw.at[digits]))
			u++;
		if (u == sizeof(units) / sizeof(units[0]))
			return false;
		total += (uint64_t)value * units[u].seconds;
		raw = span_of(raw.at + digits + 1, raw.len - digits - 1);
	}
	*out = (uint32_t)total;
	return total != 0 && total <= DNS_TTL_MAX;
}

static enum err
read_tag(struct reader *r, struct span raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = ascii_lower(raw.at[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
			return fail(r, ERR_FORMAT, "a tag is made of letters and digits");
	}
	return read_string(r, raw);
}

/* Read one field; dns_record_fields() tells the letters. */
static enum err
read_field(struct reader *r, const struct dns_token *t, char kind)
{
	struct dns_name name;
	uint32_t number = 0;
	enum err e = OK;

	switch (kind) {
	case 'a':
		return read_address(r, t->raw, AF_INET);
	case 'A':
		return read_address(r, t->raw, AF_INET6);
	case 'n':
		e = read_name(r, t, &name);
		if (e == OK)
			wire_wr_bytes(&r->out, dns_name_span(&name));
		return e;
	case 'b':
		e = read_number(r, t->raw, UINT8_MAX, &number);
		wire_wr_u8(&r->out, (uint8_t)number);
		return e;
	case 'h':
		e = read_number(r, t->raw, UINT16_MAX, &number);
		wire_wr_u16(&r->out, (uint16_t)number);
		return e;
	case 'l':
		e = read_number(r, t->raw, UINT32_MAX, &number);
		wire_wr_u32(&r->out, number);
		return e;
	case 'd':
		if (!duration(t->raw, &number))
			return fail(r, ERR_RANGE, "a duration is malformed or too large");
		wire_wr_u32(&r->out, number);
		return OK;
	case 's':
		return read_string(r, t->raw);
	case 't':
		return read_tag(r, t->raw);
	default:
		return dns_token_write(t->raw, &r->out) ? OK :
		    fail(r, ERR_FORMAT, BAD_ESCAPE);
	}
}

/* --- types ------------------------------------------------------------------------------------ */

static const struct {
	uint16_t type;
	const char *fields;
} forms[] = {
	{ DNS_TYPE_A, "a" },
	{ DNS_TYPE_AAAA, "A" },
	{ DNS_TYPE_NS, "n" },
	{ DNS_TYPE_CNAME, "n" },
	{ DNS_TYPE_PTR, "n" },
	{ DNS_TYPE_DNAME, "n" },
	{ DNS_TYPE_SOA, "nnldddd" },
	{ DNS_TYPE_MX, "hn" },
	{ DNS_TYPE_TXT, "S" },
	{ DNS_TYPE_SRV, "hhhn" },
	{ DNS_TYPE_NAPTR, "hhsssn" },
	{ DNS_TYPE_CAA, "btr" },
	{ DNS_TYPE_SSHFP, "bbX" },
	{ DNS_TYPE_TLSA, "bbbX" },
	{ DNS_TYPE_DS, "hbbX" },
	{ DNS_TYPE_HINFO, "ss" },
	{ DNS_TYPE_SVCB, "hnP" },
	{ DNS_TYPE_HTTPS, "hnP" },
	{ 17, "nn" },		/* RP */
	{ 18, "hn" },		/* AFSDB */
	{ 36, "hn" },		/* KX */
	{ 53, "bbbX" },		/* SMIMEA */
	{ 99, "S" },		/* SPF */
	{ 256, "hhr" },		/* URI */
};

const char *
dns_record_fields(uint16_t type)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].type == type)
			return forms[i].fields;
	return NULL;
}

/* All words that are left, at least one. */
static enum err
read_all(struct reader *r, enum err (*read)(struct reader *r, struct span raw))
{
	struct dns_token t;
	enum err e = next(r, &t);

	while (e == OK) {
		e = read(r, t.raw);
		if (e == OK && !dns_token_next(&r->rest, &t))
			break;
	}
	return e;
}

static enum err
read_fields(struct reader *r, const char *fields)
{
	enum err e = OK;

	for (; *fields != '\0' && e == OK; fields++) {
		struct dns_token t;

		if (*fields == 'S') {
			e = read_all(r, read_string);
		} else if (*fields == 'X') {
			e = read_all(r, read_hex);
		} else if (*fields == 'P') {
			e = dns_svcb_params(&r->rest, &r->out, &r->why);
		} else {
			e = next(r, &t);
			if (e == OK)
				e = read_field(r, &t, *fields);
		}
	}
	return e;
}

/* The data as RFC 3597 §5 has it, behind the \#: its length and its bytes. */
static enum err
read_generic(struct reader *r)
{
	struct dns_token t;
	uint32_t len = 0;
	enum err e = next(r, &t);

	if (e == OK)
		e = read_number(r, t.raw, UINT16_MAX, &len);
	if (e == OK && len != 0)
		e = read_all(r, read_hex);
	if (e == OK && wire_wr_len(&r->out) != len && !r->out.bad)
		return fail(r, ERR_FORMAT, "the data has another length than it says");
	return e;
}

/* What came as mere bytes must have the shape of its type all the same. */
static bool
has_shape(uint16_t type, struct span data)
{
	uint8_t msg[DNS_RECORD_DATA_MAX + 512];
	struct dns_compress c;
	struct dns_compress_rr rr = { .type = type, .class = DNS_CLASS_IN, .msg = data,
	    .rdata = data };

	dns_compress_begin(&c, msg, sizeof(msg), span_of("\0\0\0\0\0", 5));
	return dns_compress_record(&c, &rr, NULL) == OK;
}

static enum err
read_data(struct reader *r, uint16_t type)
{
	struct span before = r->rest;
	struct dns_token t;
	enum err e;

	if (dns_token_next(&r->rest, &t) && span_equal(t.raw, span_str("\\#"))) {
		e = read_generic(r);
	} else if (dns_record_fields(type) != NULL) {
		r->rest = before;
		e = read_fields(r, dns_record_fields(type));
	} else {
		return fail(r, ERR_UNSUPPORTED, "this type must be written as \\# LENGTH DIGITS");
	}
	if (e != OK)
		return e;
	if (dns_token_next(&r->rest, &t))
		return fail(r, ERR_FORMAT, "goes on after its end");
	if (r->rest.len != 0)
		return fail(r, ERR_FORMAT, NOT_CLOSED);
	if (r->out.bad)
		return fail(r, ERR_RANGE, "too much data");
	if (!has_shape(type, wire_wr_span(&r->out)))
		return fail(r, ERR_FORMAT, "not what data of this type looks like");
	return OK;
}

/* --- the line --------------------------------------------------------------------------------- */

/* Types of questions and of messages are not for records: RFC 6895 §3.1. */
static bool
is_data_type(uint16_t type)
{
	return type != 0 && type != DNS_TYPE_OPT && (type < 128 || type > 255);
}

/* TTL and class, in any order, both optional, then the type. */
static enum err
read_head(struct reader *r, struct dns_record *out)
{
	bool has_class = false;

	for (;;) {
		struct dns_token t;
		uint16_t class = 0;
		enum err e = next(r, &t);

		if (e != OK)
			return e;
		if (!out->has_ttl && duration(t.raw, &out->ttl_s)) {
			out->has_ttl = true;
		} else if (!has_class && span_equal_nocase(t.raw, span_str("IN"))) {
			has_class = true;
		} else if (t.raw.at[0] >= '0' && t.raw.at[0] <= '9') {
			return fail(r, ERR_RANGE, "the TTL is malformed or too large");
		} else if (dns_type_parse(&out->type, t.raw) == OK) {
			return is_data_type(out->type) ? OK :
			    fail(r, ERR_UNSUPPORTED, "there are no records of this type");
		} else if (dns_class_parse(&class, t.raw) == OK) {
			return fail(r, ERR_UNSUPPORTED, "the class must be IN");
		} else {
			return fail(r, ERR_FORMAT, "unknown type");
		}
	}
}

enum err
dns_record_parse(struct dns_record *out, struct span line, const char **why)
{
	struct reader r = { .rest = line, .out = wire_wr_of(out->data, sizeof(out->data)) };
	struct dns_token t;
	enum err e = next(&r, &t);

	out->has_ttl = false;
	out->ttl_s = 0;
	if (e == OK)
		e = read_name(&r, &t, &out->owner);
	if (e == OK)
		e = read_head(&r, out);
	if (e == OK)
		e = read_data(&r, out->type);
	out->len = (uint16_t)wire_wr_len(&r.out);
	out->plain = r.plain;
	*why = r.why;
	return e;
}
