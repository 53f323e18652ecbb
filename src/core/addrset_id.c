/* SPDX-License-Identifier: MIT */
/* How a set is named in settings, and whether this build can do anything with it. */
#include "core/addrset.h"

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define IPSET_NAME_MAX 32	/* bytes with the zero: IPSET_MAXNAMELEN of the kernel */

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
	return kind == ADDRSET_NFT ? HEARTH_NFTABLES : HEARTH_IPSET;
}

static enum err
take_name(char out[static ADDRSET_NAME_MAX], struct span text, size_t max)
{
	if (text.len == 0)
		return ERR_FORMAT;
	if (text.len >= max)
		return ERR_RANGE;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
	return OK;
}

/* ipset takes any name; one that shows in a line of a log as it is will do. */
static enum err
parse_ipset(struct addrset_id *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isgraph(text.at[i]))
			return ERR_FORMAT;
	return take_name(out->name, text, IPSET_NAME_MAX);
}

static enum err
take_identifier(char out[static ADDRSET_NAME_MAX], struct span text)
{
	if (text.len != 0 && !isalpha(text.at[0]))
		return ERR_FORMAT;
	return take_name(out, text, ADDRSET_NAME_MAX);
}

static enum err
parse_nft(struct addrset_id *out, struct span rest)
{
	struct span family = text_next_word(&rest);
	struct span table = text_next_word(&rest), set = text_next_word(&rest);

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (text_is(family, families[i].name))
			out->family = families[i].number;
	if (out->family == 0 || text_next_word(&rest).len != 0)
		return ERR_FORMAT;

	enum err e = take_identifier(out->table, table);

	return e == OK ? take_identifier(out->name, set) : e;
}

enum err
addrset_id_parse(struct addrset_id *out, enum addrset_kind kind, const char *text)
{
	*out = (struct addrset_id){ .kind = kind };
	return kind == ADDRSET_NFT ? parse_nft(out, span_str(text))
				   : parse_ipset(out, span_str(text));
}

const char *
addrset_id_text(const struct addrset_id *id, char buf[static ADDRSET_TEXT_MAX])
{
	const char *family = "";

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].number == id->family)
			family = families[i].name;
	if (id->kind == ADDRSET_NFT)
		snprintf(buf, ADDRSET_TEXT_MAX, "%s %s %s", family, id->table, id->name);
	else
		snprintf(buf, ADDRSET_TEXT_MAX, "%s", id->name);
	return buf;
}
