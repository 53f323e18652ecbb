/* SPDX-License-Identifier: MIT */
/*
 * Messages of nf_tables. The kernel works on them within the system call that sends them, so that a
 * read which would block means that there is no answer.
 *
 * An element that is there keeps its old timeout when it is added again; so a set with timeouts is
 * sent the element three times in one batch, which counts as a whole: add, so that it is there for
 * certain, delete, and add with the new timeout. No packet ever sees it gone.
 *
 * A set of ranges has two elements for an address: where the range begins, and where it has ended.
 */
#include "core/nft.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUF_BYTES  (64 << 10)
#define READS_MAX  16		/* buffers of answers to one question */
#define TYPE_IPV4  7		/* what nft(8) calls the types ipv4_addr and ipv6_addr */
#define TYPE_IPV6  8

struct nft {
	struct mnl_socket *nl;
	uint32_t seq;
	_Alignas(struct nlmsghdr) char out[BUF_BYTES];
	_Alignas(struct nlmsghdr) char in[BUF_BYTES];
};

enum err
nft_open(struct nft **out)
{
	struct nft *n = malloc(sizeof(*n));

	if (n == NULL)
		return ERR_SYS;
	n->seq = 0;
	n->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (n->nl == NULL || mnl_socket_bind(n->nl, 0, MNL_SOCKET_AUTOPID) != 0) {
		nft_close(n);
		return ERR_SYS;
	}
	*out = n;
	return OK;
}

void
nft_close(struct nft *n)
{
	int saved = errno;

	if (n == NULL)
		return;
	if (n->nl != NULL)
		mnl_socket_close(n->nl);
	free(n);
	errno = saved;
}

/* --- messages --------------------------------------------------------------------------------- */

static enum err
err_of(int error)
{
	errno = error;
	switch (error) {
	case 0:
		return OK;
	case ENOENT:
		return ERR_NOTFOUND;
	case EPERM:
	case EACCES:
		return ERR_DENIED;
	default:
		return ERR_SYS;
	}
}

/* Begin a message at `at`, which has room for it. */
static struct nlmsghdr *
begin(struct nft *n, char *at, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nf;

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++n->seq;
	nf = mnl_nlmsg_put_extra_header(h, sizeof(*nf));
	nf->nfgen_family = family;
	nf->version = NFNETLINK_V0;
	nf->res_id = htobe16(res_id);
	return h;
}

/* What to do with an answer that is no error; NULL: nothing. */
typedef void take_fn(const struct nlmsghdr *h, void *ctx);

/*
 * Send what lies in n->out and read until the answer to the message `last`, or an error of one
 * before it.
 */
static enum err
ask(struct nft *n, size_t len, uint32_t first, uint32_t last, take_fn *take, void *ctx)
{
	if (mnl_socket_sendto(n->nl, n->out, len) < 0)
		return err_of(errno);
	for (int reads = 0; reads < READS_MAX; reads++) {
		ssize_t got = mnl_socket_recvfrom(n->nl, n->in, sizeof(n->in));
		int left = (int)got;

		if (got <= 0)
			return err_of(got < 0 ? errno : EIO);
		for (const struct nlmsghdr *h = (const void *)n->in; mnl_nlmsg_ok(h, left);
		     h = mnl_nlmsg_next(h, &left)) {
			/* A rest of an earlier question that ended in an error. */
			if (h->nlmsg_seq < first || h->nlmsg_seq > last)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

				if (e->error != 0 || h->nlmsg_seq == last)
					return err_of(-e->error);
			} else if (take != NULL) {
				take(h, ctx);
			}
		}
	}
	return err_of(EIO);
}

/* --- looking up ------------------------------------------------------------------------------- */

struct description {
	struct nft_info info;
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
	const char *tail = mnl_nlmsg_get_payload_tail(h);
	const struct nlattr *a;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return;
	for (a = mnl_nlmsg_get_payload_offset(h, sizeof(struct nfgenmsg));
	     mnl_attr_ok(a, (int)(tail - (const char *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == NFTA_TABLE_HANDLE &&
		    mnl_attr_validate(a, MNL_TYPE_U64) == 0)
			d->info.table = be64toh(mnl_attr_get_u64(a));
}

static void
take_set(const struct nlmsghdr *h, void *ctx)
{
	struct description *d = ctx;
	const char *tail = mnl_nlmsg_get_payload_tail(h);
	const struct nlattr *a;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET))
		return;
	d->seen = true;
	for (a = mnl_nlmsg_get_payload_offset(h, sizeof(struct nfgenmsg));
	     mnl_attr_ok(a, (int)(tail - (const char *)a)); a = mnl_attr_next(a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == NFTA_SET_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			d->flags = be32toh(mnl_attr_get_u32(a));
		if (type == NFTA_SET_KEY_TYPE && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			d->key_type = be32toh(mnl_attr_get_u32(a));
		if (type == NFTA_SET_HANDLE && mnl_attr_validate(a, MNL_TYPE_U64) == 0)
			d->info.set = be64toh(mnl_attr_get_u64(a));
	}
}

enum err
nft_describe(struct nft *n, const struct nft_id *id, struct nft_info *out)
{
	struct nlmsghdr *h = begin(n, n->out, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
	    NLM_F_ACK, id->family, 0);
	struct description d = { 0 };
	enum err e;

	*out = d.info;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, id->table);
	e = ask(n, h->nlmsg_len, h->nlmsg_seq, h->nlmsg_seq, take_table, &d);
	if (e != OK)
		return e;
	h = begin(n, n->out, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSET, NLM_F_ACK, id->family, 0);
	mnl_attr_put_strz(h, NFTA_SET_TABLE, id->table);
	mnl_attr_put_strz(h, NFTA_SET_NAME, id->set);
	e = ask(n, h->nlmsg_len, h->nlmsg_seq, h->nlmsg_seq, take_set, &d);
	if (e != OK)
		return e;
	if (!d.seen)
		return err_of(EIO);
	if ((d.key_type != TYPE_IPV4 && d.key_type != TYPE_IPV6) || (d.flags & NFT_SET_MAP) != 0)
		return ERR_RANGE;
	d.info.bytes = d.key_type == TYPE_IPV4 ? 4 : 16;
	d.info.interval = (d.flags & NFT_SET_INTERVAL) != 0;
	d.info.timeouts = (d.flags & NFT_SET_TIMEOUT) != 0;
	*out = d.info;
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
	const struct nft_id *id;
	const struct nft_info *info;
	const struct nft_element *elements;
	size_t count;
};

/* Write one message about all elements; gives where it ends. */
static char *
put_elements(struct nft *n, char *at, uint16_t what, const struct job *j, bool timeouts)
{
	uint16_t create = what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *h = begin(n, at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
	    (uint16_t)(NLM_F_ACK | create), j->id->family, 0);
	struct nlattr *list;

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, j->id->table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, j->id->set);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < j->count; i++) {
		const struct nft_element *e = &j->elements[i];
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

enum err
nft_add(struct nft *n, const struct nft_id *id, const struct nft_info *info,
    const struct nft_element *elements, size_t count)
{
	struct job j = { .id = id, .info = info, .elements = elements, .count = count };
	char *at = n->out;
	uint32_t first = n->seq + 1, last;

	at += begin(n, at, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	at = put_elements(n, at, NFT_MSG_NEWSETELEM, &j, info->timeouts);
	if (info->timeouts) {
		at = put_elements(n, at, NFT_MSG_DELSETELEM, &j, false);
		at = put_elements(n, at, NFT_MSG_NEWSETELEM, &j, true);
	}
	last = n->seq;
	at += begin(n, at, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	return ask(n, (size_t)(at - n->out), first, last, NULL, NULL);
}
