/* SPDX-License-Identifier: MIT */
/* A record's data as text: the way back of dns_record.c, along the same table of fields. */
#include "services/dns/dns_record.h"

#include "services/dns/dns_svcb.h"
#include "services/dns/dns_token.h"

#include <arpa/inet.h>
#include <stdio.h>

static void
write_name(struct wire_rd *rd, struct wire_wr *out)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	if (!dns_name_expand(&name, rd))
		return;
	dns_token_put(out, dns_name_format(dns_name_span(&name), text));
	if (!dns_name_is_root(dns_name_span(&name)))
		wire_wr_u8(out, '.');
}

static void
write_number(uint32_t n, struct wire_wr *out)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	dns_token_put(out, text);
}

static void
write_address(int family, struct wire_rd *rd, struct wire_wr *out)
{
	struct span bytes = wire_rd_bytes(rd, family == AF_INET ? 4 : 16);
	char text[INET6_ADDRSTRLEN];

	if (!rd->bad)
		dns_token_put(out, inet_ntop(family, bytes.at, text, sizeof(text)));
}

static void
write_hex(struct span bytes, struct wire_wr *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.len; i++) {
		wire_wr_u8(out, (uint8_t)digits[bytes.at[i] >> 4]);
		wire_wr_u8(out, (uint8_t)digits[bytes.at[i] & 15]);
	}
}

/* One field; rd is bad where it is not there. */
static void
write_field(char kind, struct wire_rd *rd, struct wire_wr *out)
{
	switch (kind) {
	case 'a':
	case 'A':
		write_address(kind == 'a' ? AF_INET : AF_INET6, rd, out);
		break;
	case 'n':
		write_name(rd, out);
		break;
	case 'b':
		write_number(wire_rd_u8(rd), out);
		break;
	case 'h':
		write_number(wire_rd_u16(rd), out);
		break;
	case 'l':
	case 'd':
		write_number(wire_rd_u32(rd), out);
		break;
	case 's':
		dns_token_quote(out, wire_rd_bytes(rd, wire_rd_u8(rd)));
		break;
	case 't':
		wire_wr_bytes(out, wire_rd_bytes(rd, wire_rd_u8(rd)));
		break;
	default:
		dns_token_quote(out, wire_rd_rest(rd));
		break;
	}
}

/* All of it, as its type has it. False where the data is another. */
static bool
write_fields(const char *fields, struct wire_rd *rd, struct wire_wr *out)
{
	for (const char *field = fields; *field != '\0'; field++) {
		if (field != fields && *field != 'P')
			wire_wr_u8(out, ' ');
		if (*field == 'P') {
			if (!dns_svcb_write(rd, out))
				return false;
		} else if (*field == 'X') {
			if (wire_rd_left(rd) == 0)
				return false;
			write_hex(wire_rd_rest(rd), out);
		} else if (*field == 'S') {
			write_field('s', rd, out);
			while (wire_rd_left(rd) != 0 && !rd->bad) {
				wire_wr_u8(out, ' ');
				write_field('s', rd, out);
			}
		} else {
			write_field(*field, rd, out);
		}
	}
	return wire_rd_finish(rd) == OK;
}

void
dns_record_write(uint16_t type, struct span msg, struct span rdata, struct wire_wr *out)
{
	size_t at = (size_t)(rdata.at - msg.at);
	struct wire_rd rd = wire_rd_of(span_of(msg.at, at + rdata.len));
	const char *fields = dns_record_fields(type);
	uint8_t *before = out->at;
	char head[32];

	wire_rd_skip(&rd, at);
	if (fields != NULL && write_fields(fields, &rd, out))
		return;
	out->at = before;
	snprintf(head, sizeof(head), "\\# %zu%s", rdata.len, rdata.len != 0 ? " " : "");
	dns_token_put(out, head);
	write_hex(rdata, out);
}
