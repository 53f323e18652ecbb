/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_client.h"

#include <stdio.h>
#include <string.h>

const char *
tftp_mac_format(const uint8_t mac[static 6], char buf[static TFTP_MAC_TEXT])
{
	(void)snprintf(buf, TFTP_MAC_TEXT, "%02x-%02x-%02x-%02x-%02x-%02x", mac[0], mac[1], mac[2],
	    mac[3], mac[4], mac[5]);
	return buf;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)ascii_lower((uint8_t)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
tftp_mac_parse(const char *text, uint8_t mac[static 6])
{
	if (strlen(text) != TFTP_MAC_TEXT - 1)
		return false;
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
		char between = text[3 * i + 2];

		if (high < 0 || low < 0 || (i < 5 && between != ':' && between != '-'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum err
tftp_match_parse(struct tftp_match *out, const char *text)
{
	*out = (struct tftp_match){ .kind = TFTP_MATCH_MAC };
	if (tftp_mac_parse(text, out->mac))
		return OK;
	out->kind = TFTP_MATCH_NET;
	return prefix_parse(&out->net, text);
}

bool
tftp_match_is(const struct tftp_match *m, const struct tftp_client *who)
{
	if (m->kind == TFTP_MATCH_MAC)
		return who->mac_known && memcmp(m->mac, who->mac, sizeof(m->mac)) == 0;
	return prefix_match(&m->net, &who->peer);
}

unsigned
tftp_match_rank(const struct tftp_match *m)
{
	return m->kind == TFTP_MATCH_MAC ? 129 : m->net.bits;
}

/* Give what stands for the variable at the front of text, and how long its name is; 0: none. */
static size_t
variable(const struct tftp_client *who, struct span text, char value[static ADDR_TEXT_MAX])
{
	static const char *const names[] = { "${ip}", "${mac}", "${server}" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (text.len < len || memcmp(text.at, names[i], len) != 0)
			continue;
		value[0] = '\0';
		if (i == 1 && who->mac_known)
			tftp_mac_format(who->mac, value);
		else if (i != 1)
			addr_format_host(i == 0 ? &who->peer : &who->server, value);
		return len;
	}
	return 0;
}

size_t
tftp_client_expand(const struct tftp_client *who, struct span text, uint8_t *out, size_t cap)
{
	size_t n = 0;

	while (text.len != 0) {
		char value[ADDR_TEXT_MAX];
		size_t taken = *text.at == '$' ? variable(who, text, value) : 0;
		struct span piece = taken != 0 ? span_str(value) : span_of(text.at, 1);

		for (size_t i = 0; i < piece.len; i++, n++)
			if (n < cap)
				out[n] = piece.at[i];
		taken = taken != 0 ? taken : 1;
		text.at += taken;
		text.len -= taken;
	}
	return n;
}
