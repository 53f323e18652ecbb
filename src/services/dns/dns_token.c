/* SPDX-License-Identifier: MIT */
/* The words of a zone file's line. RFC 1035 §5.1. */
#include "services/dns/dns_token.h"

#include "services/dns/dns_name.h"
#include "util/text.h"

#include <stdio.h>

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' || c == ')';
}

static void
drop(struct span *rest, size_t n)
{
	rest->at += n;
	rest->len -= n;
}

bool
dns_token_next(struct span *rest, struct dns_token *out)
{
	bool inside = false;
	size_t n = 0;

	while (rest->len != 0 && is_blank(rest->at[0]))
		drop(rest, 1);
	if (rest->len != 0 && rest->at[0] == ';')
		drop(rest, rest->len);
	out->quoted = false;
	for (; n < rest->len; n++) {
		uint8_t c = rest->at[n];

		if (!inside && (is_blank(c) || c == ';'))
			break;
		if (c == '"') {
			inside = !inside;
			out->quoted = true;
		} else if (c == '\\' && n + 1 < rest->len) {
			n++;	/* whatever it is, it ends nothing */
		}
	}
	if (n == 0 || inside)
		return false;
	out->raw = span_of(rest->at, n);
	drop(rest, n);
	return true;
}

bool
dns_token_write(struct span raw, struct wire_wr *out)
{
	for (size_t i = 0; i < raw.len;) {
		bool quote = raw.at[i] == '"';
		int c = dns_name_char(raw, &i);

		if (c < 0)
			return false;
		if (!quote)
			wire_wr_u8(out, (uint8_t)c);
	}
	return true;
}

bool
dns_token_number(struct span raw, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (!text_u64(raw, &value) || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

void
dns_token_put(struct wire_wr *out, const char *words)
{
	wire_wr_bytes(out, span_str(words));
}

void
dns_token_quote(struct wire_wr *out, struct span bytes)
{
	wire_wr_u8(out, '"');
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.at[i];
		char escaped[8];

		if (c < ' ' || c > '~') {
			snprintf(escaped, sizeof(escaped), "\\%03u", c);
			dns_token_put(out, escaped);
			continue;
		}
		if (c == '"' || c == '\\')
			wire_wr_u8(out, '\\');
		wire_wr_u8(out, c);
	}
	wire_wr_u8(out, '"');
}
