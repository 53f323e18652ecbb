/* SPDX-License-Identifier: MIT */
/* Netlink messages put together and taken apart by hand, as the kernel would. */
#ifndef TESTS_SUPPORT_NETLINK_H
#define TESTS_SUPPORT_NETLINK_H

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/span.h"

struct netlink_test {
	size_t len;
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
};

static inline void
netlink_test_put(struct netlink_test *t, const void *data, size_t len)
{
	size_t padded = NLMSG_ALIGN(len);

	if (len != 0)
		memcpy(t->bytes + t->len, data, len);
	memset(t->bytes + t->len + len, 0, padded - len);
	t->len += padded;
}

/* Begin a message; gives where, for netlink_test_end(). */
static inline size_t
netlink_test_begin(struct netlink_test *t, uint16_t type, uint32_t seq)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_seq = seq };
	size_t at = t->len;

	netlink_test_put(t, &h, sizeof(h));
	return at;
}

/* End a message, or an attribute that others are nested in, by noting its length. */
static inline void
netlink_test_end(struct netlink_test *t, size_t at)
{
	uint32_t len = (uint32_t)(t->len - at);

	memcpy(t->bytes + at, &len, sizeof(len));
}

static inline void
netlink_test_end_nest(struct netlink_test *t, size_t at)
{
	uint16_t len = (uint16_t)(t->len - at);

	memcpy(t->bytes + at, &len, sizeof(len));
}

static inline void
netlink_test_attr(struct netlink_test *t, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type };

	netlink_test_put(t, &a, sizeof(a));
	netlink_test_put(t, data, len);
}

static inline size_t
netlink_test_nest(struct netlink_test *t, uint16_t type)
{
	struct nlattr a = { .nla_type = (uint16_t)(type | NLA_F_NESTED) };
	size_t at = t->len;

	netlink_test_put(t, &a, sizeof(a));
	return at;
}

/* A whole message that ends a question: NLMSG_ERROR or NLMSG_DONE with its number. */
static inline void
netlink_test_verdict(struct netlink_test *t, uint16_t type, uint32_t seq, int error)
{
	size_t at = netlink_test_begin(t, type, seq);

	netlink_test_put(t, &error, sizeof(error));
	netlink_test_end(t, at);
}

/* Take the next attribute off *rest: its type with all flags, and what it holds. */
static inline struct span
netlink_test_take(struct span *rest, uint16_t *type)
{
	struct span none = { 0 };
	struct nlattr a;
	size_t whole;

	*type = 0;
	if (rest->len < sizeof(a))
		return none;
	memcpy(&a, rest->at, sizeof(a));
	whole = NLA_ALIGN(a.nla_len);
	if (a.nla_len < sizeof(a) || whole > rest->len)
		return none;
	*type = a.nla_type;

	struct span held = span_of(rest->at + sizeof(a), a.nla_len - sizeof(a));

	*rest = span_of(rest->at + whole, rest->len - whole);
	return held;
}

#endif
