/* SPDX-License-Identifier: MIT */
/*
 * Domain names: text and wire form, comparison, and names inside messages.
 *
 * Invariant: whatever leaves this file as a name is well formed, at most 255 bytes, and ends in
 * the root; so the loops over a name need no bounds of their own.
 * RFC 1035 §3.1, §4.1.4, §5.1; RFC 4343.
 */
#include "services/dns/dns_name.h"

#define POINTER_BITS 0xc0	/* the two top bits of a length byte: all set means a pointer */

/* --- text ------------------------------------------------------------------------------------- */

int
dns_name_char(struct span text, size_t *i)
{
	uint8_t c = text.at[(*i)++];
	unsigned value = 0;

	if (c != '\\')
		return c;
	if (*i >= text.len)
		return -1;
	c = text.at[*i];
	if (c < '0' || c > '9') {
		(*i)++;
		return c;
	}
	if (text.len - *i < 3)
		return -1;
	for (unsigned n = 0; n < 3; n++) {
		c = text.at[(*i)++];
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value <= 255 ? (int)value : -1;
}

enum err
dns_name_parse(struct dns_name *out, struct span text)
{
	size_t label = 0;	/* where the length byte of the current label is */
	size_t at = 1;
	size_t i = 0;

	if (text.len == 0)
		return ERR_FORMAT;
	if (text.len == 1 && text.at[0] == '.')
		i = 1;
	while (i < text.len) {
		bool dot = text.at[i] == '.';
		int c = dns_name_char(text, &i);

		if (c < 0 || (dot && at == label + 1))
			return ERR_FORMAT;
		if (at >= DNS_NAME_MAX || (!dot && at - label > DNS_LABEL_MAX))
			return ERR_RANGE;
		if (dot) {
			out->wire[label] = (uint8_t)(at - label - 1);
			label = at++;
		} else {
			out->wire[at++] = (uint8_t)c;
		}
	}
	out->wire[label] = (uint8_t)(at - label - 1);
	if (at > label + 1) {		/* no closing dot: the root is still missing */
		if (at >= DNS_NAME_MAX)
			return ERR_RANGE;
		out->wire[at++] = 0;
	}
	out->len = (uint8_t)at;
	return OK;
}

enum err
dns_name_parse_typed(struct dns_name *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] == 0x7f)
			return ERR_FORMAT;
	return dns_name_parse(out, text);
}

static char *
format_byte(char *at, uint8_t c)
{
	if (c > ' ' && c < 0x7f) {
		/* What a zone file gives a meaning to: RFC 1035 §5.1. */
		if (memchr(".\\\"();@$", c, 8) != NULL)
			*at++ = '\\';
		*at++ = (char)c;
		return at;
	}
	*at++ = '\\';
	*at++ = (char)('0' + c / 100);
	*at++ = (char)('0' + c / 10 % 10);
	*at++ = (char)('0' + c % 10);
	return at;
}

const char *
dns_name_format(struct span name, char buf[static DNS_NAME_TEXT_MAX])
{
	char *at = buf;

	if (dns_name_is_root(name))
		*at++ = '.';
	for (; !dns_name_is_root(name); name = dns_name_parent(name)) {
		struct span label = dns_name_label(name);

		if (at != buf)
			*at++ = '.';
		for (size_t i = 0; i < label.len; i++)
			at = format_byte(at, label.at[i]);
	}
	*at = '\0';
	return buf;
}

/* --- wire form -------------------------------------------------------------------------------- */

struct span
dns_name_at(struct span bytes)
{
	size_t at = 0;

	while (at < bytes.len && at < DNS_NAME_MAX) {
		uint8_t n = bytes.at[at];

		if (n > DNS_LABEL_MAX)
			break;
		at += (size_t)n + 1;
		if (n == 0)
			return span_of(bytes.at, at);
	}
	return span_of(NULL, 0);
}

static inline void
copy_lower8(uint8_t *out, const uint8_t *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	v = ascii_lower8(v);
	memcpy(out, &v, sizeof(v));
}

void
dns_name_lower(uint8_t *out, struct span name)
{
	if (name.len < 8) {
		for (size_t i = 0; i < name.len; i++)
			out[i] = ascii_lower(name.at[i]);
		return;
	}
	for (size_t i = 0; i + 8 <= name.len; i += 8)
		copy_lower8(out + i, name.at + i);
	/* The rest together with bytes before it: doing those twice changes nothing. */
	copy_lower8(out + name.len - 8, name.at + name.len - 8);
}

void
dns_name_copy(struct dns_name *out, struct span name)
{
	memcpy(out->wire, name.at, name.len);
	out->len = (uint8_t)name.len;
}

bool
dns_name_below(struct span name, struct span zone)
{
	while (name.len > zone.len)
		name = dns_name_parent(name);
	return dns_name_equal(name, zone);
}

unsigned
dns_name_labels(struct span name)
{
	unsigned n = 0;

	for (; !dns_name_is_root(name); name = dns_name_parent(name))
		n++;
	return n;
}

void
dns_name_mix_case(uint8_t *name, size_t len, uint64_t random)
{
	unsigned letters = 0;

	for (size_t i = 0; i < len; i++)
		if (name[i] >= 'a' && name[i] <= 'z' && (random >> (letters++ % 64) & 1) != 0)
			name[i] = (uint8_t)(name[i] & ~0x20);
}

/* --- inside a message ------------------------------------------------------------------------- */

bool
dns_name_skip(struct wire_rd *rd)
{
	size_t total = 0;

	while (!rd->bad) {
		uint8_t n = wire_rd_u8(rd);

		if (n >= POINTER_BITS) {
			wire_rd_skip(rd, 1);
			break;
		}
		total += (size_t)n + 1;
		if (n > DNS_LABEL_MAX || total > DNS_NAME_MAX)
			rd->bad = true;
		else if (n == 0)
			break;
		wire_rd_skip(rd, n);
	}
	return !rd->bad;
}

/*
 * Follow one pointer of a name: `at` is the offset of its first byte and becomes where it leads to;
 * `floor` is where the part of the name that ends here began, and moves too.
 */
static bool
follow(struct span msg, size_t *at, size_t *floor)
{
	if (msg.len - *at < 2)
		return false;

	size_t to = (size_t)(msg.at[*at] & ~POINTER_BITS) << 8 | msg.at[*at + 1];

	if (to >= *floor)
		return false;
	*at = *floor = to;
	return true;
}

bool
dns_name_expand(struct dns_name *out, struct wire_rd *rd)
{
	struct span msg = span_of(rd->start, (size_t)(rd->end - rd->start));
	size_t at = wire_rd_offset(rd);
	size_t floor = at;
	size_t len = 0;

	if (!dns_name_skip(rd))
		return false;
	while (at < msg.len) {
		uint8_t n = msg.at[at];

		if (n >= POINTER_BITS) {
			if (!follow(msg, &at, &floor))
				break;
			continue;
		}
		if (n > DNS_LABEL_MAX || n >= msg.len - at || len + n + 1 > DNS_NAME_MAX)
			break;
		memcpy(out->wire + len, msg.at + at, (size_t)n + 1);
		len += (size_t)n + 1;
		at += (size_t)n + 1;
		if (n == 0) {
			out->len = (uint8_t)len;
			return true;
		}
	}
	rd->bad = true;
	return false;
}

bool
dns_name_is_at(struct span msg, size_t offset, struct span name)
{
	size_t at = offset;
	size_t floor = offset;

	while (at < msg.len) {
		uint8_t n = msg.at[at];

		if (n >= POINTER_BITS) {
			if (!follow(msg, &at, &floor))
				return false;
			continue;
		}
		/* An equal length byte bounds n by the name, which is well formed. */
		if (n != name.at[0] || n >= msg.len - at ||
		    !span_equal_nocase(span_of(msg.at + at + 1, n), dns_name_label(name)))
			return false;
		if (n == 0)
			return true;
		name = dns_name_parent(name);
		at += (size_t)n + 1;
	}
	return false;
}
