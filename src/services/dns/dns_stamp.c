/* SPDX-License-Identifier: MIT */
/* Server stamps: base64url without padding (RFC 4648 §5) around fields with one byte of length. */
#include "services/dns/dns_stamp.h"

#include <string.h>

#include "util/wire.h"

#define STAMP_MAX	512	/* bytes decoded; those of DNSCrypt have about 100 */
#define DNS_PORT	53
#define DNSCRYPT_PORT	443

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Errors: ERR_FORMAT, also where bits are left over that are not zero. */
static enum err
base64_decode(struct wire_wr *out, const char *text)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (; *text != '\0'; text++) {
		int v = base64_value(*text);

		if (v < 0)
			return ERR_FORMAT;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			wire_wr_u8(out, (uint8_t)(bits >> n));
			bits &= (1U << n) - 1;
		}
	}
	return n == 6 || bits != 0 || out->bad ? ERR_FORMAT : OK;
}

static struct span
read_field(struct wire_rd *rd)
{
	return wire_rd_bytes(rd, wire_rd_u8(rd));
}

static enum err
read_addr(struct addr *out, struct span field, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	if (field.len == 0 || field.len >= sizeof(text) ||
	    memchr(field.at, '\0', field.len) != NULL)
		return ERR_FORMAT;
	memcpy(text, field.at, field.len);
	text[field.len] = '\0';

	enum err e = addr_parse(out, text, port);

	if (e == OK && (addr_port(out) == 0 || addr_is_any(out)))
		return ERR_RANGE;
	return e;
}

static enum err
read_dnscrypt(struct dns_stamp *out, struct wire_rd *rd)
{
	struct span key = read_field(rd);
	struct span provider = read_field(rd);

	if (rd->bad || key.len != sizeof(out->key))
		return ERR_FORMAT;
	memcpy(out->key, key.at, key.len);
	return dns_name_parse(&out->provider, provider);
}

enum err
dns_stamp_parse(struct dns_stamp *out, const char *text)
{
	uint8_t bytes[STAMP_MAX];
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));
	size_t prefix = strlen(DNS_STAMP_PREFIX);
	enum err e;

	*out = (struct dns_stamp){ 0 };
	if (strncmp(text, DNS_STAMP_PREFIX, prefix) != 0)
		return ERR_FORMAT;
	if (strchr(text + prefix, '/') != NULL)
		return ERR_UNSUPPORTED;	/* relay/server */
	e = base64_decode(&wr, text + prefix);
	if (e != OK)
		return e;

	struct wire_rd rd = wire_rd_of(wire_wr_span(&wr));
	uint8_t kind = wire_rd_u8(&rd);

	if (rd.bad)
		return ERR_FORMAT;
	if (kind != DNS_STAMP_PLAIN && kind != DNS_STAMP_DNSCRYPT)
		return ERR_UNSUPPORTED;
	out->kind = kind;
	for (unsigned i = 0; i < 64; i += 8)	/* the one little-endian number */
		out->properties |= (uint64_t)wire_rd_u8(&rd) << i;
	e = read_addr(&out->addr, read_field(&rd),
	    kind == DNS_STAMP_PLAIN ? DNS_PORT : DNSCRYPT_PORT);
	if (e == OK && kind == DNS_STAMP_DNSCRYPT)
		e = read_dnscrypt(out, &rd);
	if (e != OK)
		return e;
	return wire_rd_finish(&rd) == OK ? OK : ERR_FORMAT;
}
