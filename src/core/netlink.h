/* SPDX-License-Identifier: MIT */
/*
 * Walks over what the kernel says on a netlink socket, on top of libmnl: nothing outside of the
 * bytes that were received, nothing outside of a message.
 */
#ifndef CORE_NETLINK_H
#define CORE_NETLINK_H

#include <libmnl/libmnl.h>
#include <limits.h>
#include <stdbool.h>

/* The message at h lies within the `left` bytes there are. */
static inline bool
netlink_is_message(const struct nlmsghdr *h, int left)
{
	/* libmnl takes a length of 2 GiB and more for a negative one, which is less than any. */
	return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= INT_MAX;
}

/* Give a where it ends before `end`, else NULL. */
static inline const struct nlattr *
netlink_attr_before(const struct nlattr *a, const char *end)
{
	return mnl_attr_ok(a, (int)(end - (const char *)a)) ? a : NULL;
}

#endif
