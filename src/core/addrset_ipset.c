/* SPDX-License-Identifier: MIT */
/*
 * Sets of ipset, protocol 7 (Linux 4.20 and later). A set is looked up by listing its header. An
 * element that is there already gets the new timeout by being added once more. A batch that fails
 * ends at the element that was refused; those in front of it are in the set.
 *
 * A set that was destroyed and made anew has another random number for its hash, and one that was
 * swapped in another index; a set that is a bitmap tells of being new by being empty alone.
 */
#include "core/addrset_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* seconds; the kernel counts milliseconds in 31 bits */
#define TIMEOUT_MAX (INT32_MAX / 1000)

/* Begin a message about a set. */
static struct nlmsghdr *
begin(char *at, uint32_t seq, uint8_t command, uint16_t flags, const char *name)
{
	struct nlmsghdr *h = addrset_begin(at, seq, (uint16_t)(NFNL_SUBSYS_IPSET << 8 | command),
	    flags, NFPROTO_UNSPEC, 0);

	mnl_attr_put_u8(h, IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
	mnl_attr_put_strz(h, IPSET_ATTR_SETNAME, name);
	return h;
}

static void
put_u32(struct nlmsghdr *h, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(h, type | NLA_F_NET_BYTEORDER, htonl(value));
}

/* --- looking up ------------------------------------------------------------------------------- */

size_t
addrset_ipset_put_look(char *at, uint32_t seq, const char *name)
{
	struct nlmsghdr *h = begin(at, seq, IPSET_CMD_LIST, NLM_F_DUMP, name);

	put_u32(h, IPSET_ATTR_FLAGS, IPSET_FLAG_LIST_HEADER);
	return h->nlmsg_len;
}

/* The types of sets whose elements are single addresses, or may be. */
static bool
holds_addresses(const char *type)
{
	static const char *const types[] = { "hash:ip", "hash:net", "bitmap:ip" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static uint8_t
bytes_of(uint8_t family)
{
	return family == NFPROTO_IPV4 ? 4 : family == NFPROTO_IPV6 ? 16 : 0;
}

static void
take_data(struct addrset_info *info, const struct nlattr *data)
{
	for (const struct nlattr *a = addrset_nested_first(data); a != NULL;
	     a = addrset_nested_next(data, a)) {
		if (mnl_attr_validate(a, MNL_TYPE_U32) != 0)
			continue;
		switch (mnl_attr_get_type(a)) {
		case IPSET_ATTR_TIMEOUT:	/* that of elements without one, which may be 0 */
			info->timeouts = true;
			break;
		case IPSET_ATTR_INITVAL:
			info->made[1] = mnl_attr_get_u32(a);
			break;
		case IPSET_ATTR_ELEMENTS:
			info->empty = mnl_attr_get_u32(a) == 0;
			break;
		default:
			break;
		}
	}
}

void
addrset_ipset_take(const struct nlmsghdr *h, void *ctx)
{
	struct addrset_ipset_look *l = ctx;
	bool addresses = false;
	uint8_t bytes = 0;

	if (h->nlmsg_type != (NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST))
		return;
	for (const struct nlattr *a = addrset_attr_first(h); a != NULL;
	     a = addrset_attr_next(h, a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == IPSET_ATTR_TYPENAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
			addresses = holds_addresses(mnl_attr_get_str(a));
		if (type == IPSET_ATTR_FAMILY && mnl_attr_validate(a, MNL_TYPE_U8) == 0)
			bytes = bytes_of(mnl_attr_get_u8(a));
		if (type == IPSET_ATTR_INDEX && mnl_attr_validate(a, MNL_TYPE_U16) == 0)
			l->info.made[0] = mnl_attr_get_u16(a);
		if (type == IPSET_ATTR_DATA && mnl_attr_validate(a, MNL_TYPE_NESTED) == 0)
			take_data(&l->info, a);
	}
	l->info.bytes = addresses ? bytes : 0;
	l->seen = true;
}

static enum err
describe(struct addrset_kernel *k, const struct addrset_id *id, struct addrset_info *out)
{
	struct addrset_ipset_look l = { 0 };
	struct addrset_question q = { .first = k->seq + 1, .last = k->seq + 1,
		.take = addrset_ipset_take, .ctx = &l };
	enum err e = addrset_ask(k, addrset_ipset_put_look(k->out, ++k->seq, id->name), &q);

	/* The kernel is of before Linux 4.20. */
	if (e == ERR_SYS && errno == IPSET_ERR_PROTOCOL)
		return ERR_UNSUPPORTED;
	if (e != OK)
		return e;
	errno = EIO;
	if (!l.seen)
		return ERR_SYS;
	if (l.info.bytes == 0)
		return ERR_RANGE;
	*out = l.info;
	return OK;
}

/* --- adding ----------------------------------------------------------------------------------- */

static void
put_element(struct nlmsghdr *h, const struct addrset_element *e, bool timeouts, uint32_t line)
{
	uint32_t timeout = e->timeout_s < TIMEOUT_MAX ? e->timeout_s : TIMEOUT_MAX;
	struct nlattr *element = mnl_attr_nest_start(h, IPSET_ATTR_DATA);
	struct nlattr *address = mnl_attr_nest_start(h, IPSET_ATTR_IP);
	uint16_t type = e->len == 4 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6;

	mnl_attr_put(h, type | NLA_F_NET_BYTEORDER, e->len, e->bytes);
	mnl_attr_nest_end(h, address);
	if (timeouts && timeout != 0)
		put_u32(h, IPSET_ATTR_TIMEOUT, timeout);
	put_u32(h, IPSET_ATTR_LINENO, line);
	mnl_attr_nest_end(h, element);
}

size_t
addrset_ipset_put_add(char *at, uint32_t seq, const char *name, bool timeouts,
    const struct addrset_element *elements, size_t count)
{
	/* Without NLM_F_EXCL what is there already is no error. */
	struct nlmsghdr *h = begin(at, seq, IPSET_CMD_ADD, NLM_F_ACK, name);
	struct nlattr *list;

	/* Several elements have to have lines, by which the kernel would name one it refuses. */
	put_u32(h, IPSET_ATTR_LINENO, 0);
	list = mnl_attr_nest_start(h, IPSET_ATTR_ADT);
	for (size_t i = 0; i < count; i++)
		put_element(h, &elements[i], timeouts, (uint32_t)i + 1);
	mnl_attr_nest_end(h, list);
	return h->nlmsg_len;
}

static enum err
add(struct addrset_kernel *k, const struct addrset_id *id, const struct addrset_info *info,
    const struct addrset_element *elements, size_t count)
{
	struct addrset_question q = { .first = k->seq + 1, .last = k->seq + 1 };
	enum err e = addrset_ask(k, addrset_ipset_put_add(k->out, ++k->seq, id->name,
	    info->timeouts, elements, count), &q);

	/* Of a hash: as many as it may hold are there; of a bitmap: it lies outside. */
	return e == ERR_SYS && errno == IPSET_ERR_TYPE_SPECIFIC ? ERR_FULL : e;
}

const struct addrset_ops addrset_ipset_ops = { .describe = describe, .add = add };
