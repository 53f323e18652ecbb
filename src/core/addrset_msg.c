/* SPDX-License-Identifier: MIT */
/* Messages to and from netfilter, of whatever kind of sets: bytes only. */
#include "core/addrset_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "core/netlink.h"

struct nlmsghdr *
addrset_begin(char *at, uint32_t seq, uint16_t type, uint16_t flags, uint8_t family,
    uint16_t res_id)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nf;

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = seq;
	nf = mnl_nlmsg_put_extra_header(h, sizeof(*nf));
	nf->nfgen_family = family;
	nf->version = NFNETLINK_V0;
	nf->res_id = htons(res_id);
	return h;
}

/* The error that a message ends in: that of NLMSG_ERROR, or of NLMSG_DONE behind a list. */
static int
error_of(const struct nlmsghdr *h)
{
	int32_t error;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(error))
		return EPROTO;
	memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error > 0 || error == INT32_MIN ? EPROTO : -error;
}

bool
addrset_take(const struct addrset_question *q, const void *buf, size_t len, int *error)
{
	int left = (int)len;

	for (const struct nlmsghdr *h = buf; netlink_is_message(h, left);
	     h = mnl_nlmsg_next(h, &left)) {
		/* A rest of an earlier question that ended in an error. */
		if (h->nlmsg_seq < q->first || h->nlmsg_seq > q->last)
			continue;
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
			*error = error_of(h);
			if (*error != 0 || h->nlmsg_seq == q->last)
				return true;
		} else if (q->take != NULL) {
			q->take(h, q->ctx);
		}
	}
	return false;
}

const struct nlattr *
addrset_attr_first(const struct nlmsghdr *h)
{
	return netlink_attr_before(mnl_nlmsg_get_payload_offset(h, sizeof(struct nfgenmsg)),
	    mnl_nlmsg_get_payload_tail(h));
}

const struct nlattr *
addrset_attr_next(const struct nlmsghdr *h, const struct nlattr *a)
{
	return netlink_attr_before(mnl_attr_next(a), mnl_nlmsg_get_payload_tail(h));
}

static const char *
end_of(const struct nlattr *nest)
{
	return (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
}

const struct nlattr *
addrset_nested_first(const struct nlattr *nest)
{
	return netlink_attr_before(mnl_attr_get_payload(nest), end_of(nest));
}

const struct nlattr *
addrset_nested_next(const struct nlattr *nest, const struct nlattr *a)
{
	return netlink_attr_before(mnl_attr_next(a), end_of(nest));
}
