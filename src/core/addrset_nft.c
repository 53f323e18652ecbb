/* SPDX-License-Identifier: MIT */
/*
 * Sets of nftables.
 *
 * An element that is there keeps its old timeout when it is added again; so a set with timeouts is
 * sent the element three times in one batch, which counts as a whole: add, so that it is there for
 * certain, delete, and add with the new timeout. No packet ever sees it gone.
 *
 * A set of ranges has two elements for an address: where the range begins, and where it has ended.
 */
#include "core/addrset_impl.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define TYPE_IPV4 7	/* what nft(8) calls the types ipv4_addr and ipv6_addr */
#define TYPE_IPV6 8

/* --- looking up ------------------------------------------------------------------------------- */

struct description {
	struct addrset_info *info;
	uint32_t key_type, flags;
	bool seen;
};

/*
 * The kernel counts sets by table, so that a table which is loaded anew has the same numbers in it.
 */
static void
take_table(const struct nlmsghdr *h, void *ctx)
{
	struct description *d = ctx;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return;
	for (const struct nlattr *a = addrset_attr_first(h); a != NULL;
	     a = addrset_attr_next(h, a))
		if (mnl_attr_get_type(a) == NFTA_TABLE_HANDLE &&
		    mnl_attr_validate(a, MNL_TYPE_U64) == 0)
			d->info->made[0] = be64toh(mnl_attr_get_u64(a));
}

static void
take_set(const struct nlmsghdr *h, void *ctx)
{
	struct description *d = ctx;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET))
		return;
	d->seen = true;
	for (const struct nlattr *a = addrset_attr_first(h); a != NULL;
	     a = addrset_attr_next(h, a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == NFTA_SET_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			d->flags = be32toh(mnl_attr_get_u32(a));
		if (type == NFTA_SET_KEY_TYPE && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			d->key_type = be32toh(mnl_attr_get_u32(a));
		if (type == NFTA_SET_HANDLE && mnl_attr_validate(a, MNL_TYPE_U64) == 0)
			d->info->made[1] = be64toh(mnl_attr_get_u64(a));
	}
}

static enum err
describe(struct addrset_kernel *k, const struct addrset_id *id, struct addrset_info *out)
{
	struct description d = { .info = out };
	struct addrset_question q = { .take = take_table, .ctx = &d };
	struct nlmsghdr *h;
	enum err e;

	q.first = q.last = ++k->seq;
	h = addrset_begin(k->out, q.last, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_ACK,
	    id->family, 0);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, id->table);
	e = addrset_ask(k, h->nlmsg_len, &q);
	if (e != OK)
		return e;
	q.first = q.last = ++k->seq;
	q.take = take_set;
	h = addrset_begin(k->out, q.last, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSET, NLM_F_ACK,
	    id->family, 0);
	mnl_attr_put_strz(h, NFTA_SET_TABLE, id->table);
	mnl_attr_put_strz(h, NFTA_SET_NAME, id->name);
	e = addrset_ask(k, h->nlmsg_len, &q);
	if (e != OK)
		return e;
	errno = EIO;
	if (!d.seen)
		return ERR_SYS;
	if ((d.key_type != TYPE_IPV4 && d.key_type != TYPE_IPV6) || (d.flags & NFT_SET_MAP) != 0)
		return ERR_RANGE;
	out->bytes = d.key_type == TYPE_IPV4 ? 4 : 16;
	out->interval = (d.flags & NFT_SET_INTERVAL) != 0;
	out->timeouts = (d.flags & NFT_SET_TIMEOUT) != 0;
	return OK;
}

/* --- adding ----------------------------------------------------------------------------------- */

static void
put_element(struct nlmsghdr *h, const uint8_t *bytes, size_t len, uint64_t timeout_ms, bool end)
{
	struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);

	mnl_attr_put(h, NFTA_DATA_VALUE, len, bytes);
	mnl_attr_nest_end(h, key);
	if (timeout_ms != 0)
		mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64(timeout_ms));
	if (end)
		mnl_attr_put_u32(h, NFTA_SET_ELEM_FLAGS, htobe32(NFT_SET_ELEM_INTERVAL_END));
	mnl_attr_nest_end(h, element);
}

/* The address behind this one; false behind the last. */
static bool
successor(uint8_t *bytes, size_t len)
{
	while (len-- != 0)
		if (++bytes[len] != 0)
			return true;
	return false;
}

struct job {
	const struct addrset_id *id;
	const struct addrset_info *info;
	const struct addrset_element *elements;
	size_t count;
};

/* Write one message about all elements; gives where it ends. */
static char *
put_elements(struct addrset_kernel *k, char *at, uint16_t what, const struct job *j, bool timeouts)
{
	uint16_t create = what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *h = addrset_begin(at, ++k->seq,
	    (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), (uint16_t)(NLM_F_ACK | create),
	    j->id->family, 0);
	struct nlattr *list;

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, j->id->table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, j->id->name);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < j->count; i++) {
		const struct addrset_element *e = &j->elements[i];
		uint64_t timeout = timeouts ? (uint64_t)e->timeout_s * 1000 : 0;
		uint8_t next[sizeof(e->bytes)];

		put_element(h, e->bytes, j->info->bytes, timeout, false);
		memcpy(next, e->bytes, sizeof(next));
		if (j->info->interval && successor(next, j->info->bytes))
			put_element(h, next, j->info->bytes, 0, true);
	}
	mnl_attr_nest_end(h, list);
	return at + h->nlmsg_len;
}

static enum err
add(struct addrset_kernel *k, const struct addrset_id *id, const struct addrset_info *info,
    const struct addrset_element *elements, size_t count)
{
	struct job j = { .id = id, .info = info, .elements = elements, .count = count };
	struct addrset_question q = { 0 };
	char *at = k->out;

	at += addrset_begin(at, ++k->seq, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC,
	    NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	q.first = k->seq;
	at = put_elements(k, at, NFT_MSG_NEWSETELEM, &j, info->timeouts);
	if (info->timeouts) {
		at = put_elements(k, at, NFT_MSG_DELSETELEM, &j, false);
		at = put_elements(k, at, NFT_MSG_NEWSETELEM, &j, true);
	}
	q.last = k->seq;
	at += addrset_begin(at, ++k->seq, NFNL_MSG_BATCH_END, 0, AF_UNSPEC,
	    NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	return addrset_ask(k, (size_t)(at - k->out), &q);
}

const struct addrset_ops addrset_nft_ops = { .describe = describe, .add = add };
