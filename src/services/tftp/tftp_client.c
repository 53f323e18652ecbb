/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_client.h"

#include <string.h>

#include "util/mac.h"

enum err
tftp_match_parse(struct tftp_match *out, const char *text)
{
	*out = (struct tftp_match){ .kind = TFTP_MATCH_MAC };
	if (mac_parse(out->mac, text))
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

enum variable {
	VARIABLE_IP,
	VARIABLE_MAC,
	VARIABLE_SERVER,
	VARIABLE_NONE,
};

/* The variable at the front of text, and how long its name is. */
static enum variable
variable_at(struct span text, size_t *len)
{
	static const char *const names[] = { "${ip}", "${mac}", "${server}" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*len = strlen(names[i]);
		if (text.len >= *len && memcmp(text.at, names[i], *len) == 0)
			return (enum variable)i;
	}
	return VARIABLE_NONE;
}

bool
tftp_client_knows(const char *text)
{
	size_t len;

	return variable_at(span_str(text), &len) != VARIABLE_NONE;
}

/* Give what stands for the variable at the front of text, and how long its name is; 0: none. */
static size_t
variable(const struct tftp_client *who, struct span text, char value[static ADDR_TEXT_MAX])
{
	size_t len;

	value[0] = '\0';
	switch (variable_at(text, &len)) {
	case VARIABLE_IP:
		addr_format_host(&who->peer, value);
		return len;
	case VARIABLE_MAC:
		if (who->mac_known)
			mac_format(who->mac, '-', value);
		return len;
	case VARIABLE_SERVER:
		addr_format_host(&who->server, value);
		return len;
	case VARIABLE_NONE:
		break;
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
