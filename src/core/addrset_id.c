/* SPDX-License-Identifier: MIT */
/* How a set is named in settings, and whether this build can do anything with it. */
#include "core/addrset.h"

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

static const struct {
	const char *name;
	uint8_t number;
} families[] = {
	{ "ip", NFPROTO_IPV4 }, { "ip6", NFPROTO_IPV6 }, { "inet", NFPROTO_INET },
	{ "bridge", NFPROTO_BRIDGE }, { "arp", NFPROTO_ARP }, { "netdev", NFPROTO_NETDEV },
};

bool
addrset_is_built(enum addrset_kind kind)
{
	return kind == ADDRSET_NFT && HEARTH_NFTABLES;
}

static enum err
take_name(char out[static ADDRSET_NAME_MAX], struct span text)
{
	if (text.len == 0 || !isalpha(text.at[0]))
		return ERR_FORMAT;
	if (text.len >= ADDRSET_NAME_MAX)
		return ERR_RANGE;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
	return OK;
}

enum err
addrset_id_parse(struct addrset_id *out, enum addrset_kind kind, const char *text)
{
	struct span rest = span_str(text);
	struct span family = text_next_word(&rest);
	struct span table = text_next_word(&rest), set = text_next_word(&rest);

	*out = (struct addrset_id){ .kind = kind };
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (text_is(family, families[i].name))
			out->family = families[i].number;
	if (out->family == 0 || text_next_word(&rest).len != 0)
		return ERR_FORMAT;

	enum err e = take_name(out->table, table);

	return e == OK ? take_name(out->name, set) : e;
}

const char *
addrset_id_text(const struct addrset_id *id, char buf[static ADDRSET_TEXT_MAX])
{
	const char *family = "";

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].number == id->family)
			family = families[i].name;
	snprintf(buf, ADDRSET_TEXT_MAX, "%s %s %s", family, id->table, id->name);
	return buf;
}
