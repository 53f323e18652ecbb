/* SPDX-License-Identifier: MIT */
/* Messages to and from the sets of ipset. */
#include "core/addrset_impl.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>

#include "support/netlink.h"
#include "support/unit.h"

/* --- what is sent ----------------------------------------------------------------------------- */

/* Take the head off a message and see that it is that; gives the attributes. */
static struct span
attributes(const char *buf, size_t len, unsigned command, uint16_t flags)
{
	struct nlmsghdr h;

	CU_ASSERT_FATAL(len >= NLMSG_HDRLEN + sizeof(struct nfgenmsg));
	memcpy(&h, buf, sizeof(h));
	CU_ASSERT_EQUAL(h.nlmsg_len, len);
	CU_ASSERT_EQUAL(h.nlmsg_type, NFNL_SUBSYS_IPSET << 8 | command);
	CU_ASSERT_EQUAL(h.nlmsg_flags, NLM_F_REQUEST | flags);
	CU_ASSERT_EQUAL(h.nlmsg_seq, 42);
	return span_of(buf + NLMSG_HDRLEN + sizeof(struct nfgenmsg),
	    len - NLMSG_HDRLEN - sizeof(struct nfgenmsg));
}

/* The next attribute is that one, with these bytes. */
static void
expect(struct span *rest, unsigned want, struct span value)
{
	uint16_t type;
	struct span held = netlink_test_take(rest, &type);

	CU_ASSERT_EQUAL(type, want);
	CU_ASSERT_TRUE(span_equal(held, value));
}

static void
expect_u32(struct span *rest, unsigned want, uint32_t value)
{
	uint32_t wire = htonl(value);

	expect(rest, want | NLA_F_NET_BYTEORDER, span_of(&wire, sizeof(wire)));
}

static struct span
expect_nest(struct span *rest, unsigned want)
{
	uint16_t type;
	struct span held = netlink_test_take(rest, &type);

	CU_ASSERT_EQUAL(type, want | NLA_F_NESTED);
	return held;
}

static void
a_set_is_looked_up_by_its_header(void)
{
	_Alignas(struct nlmsghdr) char buf[256];
	struct span rest = attributes(buf, addrset_ipset_put_look(buf, 42, "vpn"), IPSET_CMD_LIST,
	    NLM_F_DUMP);

	expect(&rest, IPSET_ATTR_PROTOCOL, SPAN("\x07"));
	expect(&rest, IPSET_ATTR_SETNAME, SPAN("vpn\0"));
	expect_u32(&rest, IPSET_ATTR_FLAGS, IPSET_FLAG_LIST_HEADER);
	CU_ASSERT_EQUAL(rest.len, 0);
}

static const struct addrset_element two[] = {
	{ .len = 4, .bytes = { 198, 51, 100, 7 }, .timeout_s = 300 },
	{ .len = 16, .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 9 }, .timeout_s = UINT32_MAX },
};

/* See that the elements lie in a message, with these timeouts; 0: without one. */
static void
expect_two(bool timeouts, uint32_t first, uint32_t second)
{
	_Alignas(struct nlmsghdr) char buf[512];
	size_t len = addrset_ipset_put_add(buf, 42, "vpn6", timeouts, two, 2);
	struct span rest = attributes(buf, len, IPSET_CMD_ADD, NLM_F_ACK), list, element, address;

	expect(&rest, IPSET_ATTR_PROTOCOL, SPAN("\x07"));
	expect(&rest, IPSET_ATTR_SETNAME, SPAN("vpn6\0"));
	expect_u32(&rest, IPSET_ATTR_LINENO, 0);
	list = expect_nest(&rest, IPSET_ATTR_ADT);
	CU_ASSERT_EQUAL(rest.len, 0);
	for (size_t i = 0; i < 2; i++) {
		uint32_t timeout = i == 0 ? first : second;

		element = expect_nest(&list, IPSET_ATTR_DATA);
		address = expect_nest(&element, IPSET_ATTR_IP);
		expect(&address, (i == 0 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6) |
		    NLA_F_NET_BYTEORDER, span_of(two[i].bytes, two[i].len));
		CU_ASSERT_EQUAL(address.len, 0);
		if (timeout != 0)
			expect_u32(&element, IPSET_ATTR_TIMEOUT, timeout);
		expect_u32(&element, IPSET_ATTR_LINENO, (uint32_t)i + 1);
		CU_ASSERT_EQUAL(element.len, 0);
	}
	CU_ASSERT_EQUAL(list.len, 0);
}

static void
elements_are_added_many_at_once(void)
{
	expect_two(true, 300, 2147483);		/* as long as the kernel can count */
	expect_two(false, 0, 0);		/* in a set without timeouts one would be an error */
}

static void
a_whole_batch_has_room(void)
{
	static _Alignas(struct nlmsghdr) char buf[ADDRSET_BUF_BYTES];
	struct addrset_element all[ADDRSET_BATCH_MAX];

	for (size_t i = 0; i < ADDRSET_BATCH_MAX; i++)
		all[i] = two[1];
	CU_ASSERT_TRUE(addrset_ipset_put_add(buf, 42, "a123456789012345678901234567890", true, all,
	    ADDRSET_BATCH_MAX) < sizeof(buf));
}

/* --- what comes back -------------------------------------------------------------------------- */

static void
put_u32(struct netlink_test *t, unsigned type, uint32_t value)
{
	uint32_t wire = htonl(value);

	netlink_test_attr(t, (uint16_t)(type | NLA_F_NET_BYTEORDER), &wire, sizeof(wire));
}

/* A header as Linux 6.18 gives it. timeouts: the set has some; the default one is 0. */
static void
put_header(struct netlink_test *t, const char *type, uint8_t family, bool timeouts)
{
	struct nfgenmsg nf = { 0 };
	size_t at = netlink_test_begin(t, NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST, 42), nest;
	uint16_t index = htons(3);

	netlink_test_put(t, &nf, sizeof(nf));
	netlink_test_attr(t, IPSET_ATTR_PROTOCOL, "\x07", 1);
	netlink_test_attr(t, IPSET_ATTR_SETNAME, "vpn", 4);
	netlink_test_attr(t, IPSET_ATTR_TYPENAME, type, strlen(type) + 1);
	netlink_test_attr(t, IPSET_ATTR_FAMILY, &family, 1);
	netlink_test_attr(t, IPSET_ATTR_REVISION, "\x06", 1);
	netlink_test_attr(t, IPSET_ATTR_INDEX | NLA_F_NET_BYTEORDER, &index, sizeof(index));
	nest = netlink_test_nest(t, IPSET_ATTR_DATA);
	put_u32(t, IPSET_ATTR_HASHSIZE, 1024);
	netlink_test_attr(t, IPSET_ATTR_BUCKETSIZE, "\x0c", 1);
	put_u32(t, IPSET_ATTR_INITVAL, 0xfdf40287);
	put_u32(t, IPSET_ATTR_ELEMENTS, timeouts ? 0 : 5);
	if (timeouts)
		put_u32(t, IPSET_ATTR_TIMEOUT, 0);
	netlink_test_end_nest(t, nest);
	netlink_test_end(t, at);
}

/* What is known after that answer. */
static struct addrset_ipset_look
look_at(struct netlink_test *t)
{
	struct addrset_ipset_look l = { 0 };
	struct addrset_question q = { .first = 42, .last = 42, .take = addrset_ipset_take,
		.ctx = &l };
	int error;

	netlink_test_verdict(t, NLMSG_DONE, 42, 0);
	CU_ASSERT_TRUE(addrset_take(&q, t->bytes, t->len, &error));
	CU_ASSERT_EQUAL(error, 0);
	return l;
}

static struct addrset_ipset_look
look_at_set(const char *type, uint8_t family, bool timeouts)
{
	struct netlink_test t = { 0 };

	put_header(&t, type, family, timeouts);
	return look_at(&t);
}

static void
a_header_tells_what_a_set_holds(void)
{
	struct addrset_ipset_look l = look_at_set("hash:ip", NFPROTO_IPV4, true);

	CU_ASSERT_TRUE(l.seen);
	CU_ASSERT_EQUAL(l.info.bytes, 4);
	CU_ASSERT_TRUE(l.info.timeouts);
	CU_ASSERT_TRUE(l.info.empty);
	CU_ASSERT_FALSE(l.info.interval);
	CU_ASSERT_EQUAL(l.info.made[1], htonl(0xfdf40287));
	CU_ASSERT_EQUAL(l.info.made[0], htons(3));
	l = look_at_set("hash:net", NFPROTO_IPV6, false);
	CU_ASSERT_EQUAL(l.info.bytes, 16);
	CU_ASSERT_FALSE(l.info.timeouts);
	CU_ASSERT_FALSE(l.info.empty);
	CU_ASSERT_EQUAL(look_at_set("bitmap:ip", NFPROTO_IPV4, false).info.bytes, 4);
}

static void
sets_of_something_else_are_told(void)
{
	static const char *const types[] = { "hash:ip,port", "hash:mac", "list:set", "hash:net,net",
		"bitmap:port", "" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		CU_ASSERT_TRUE(look_at_set(types[i], NFPROTO_IPV4, false).seen);
		CU_ASSERT_EQUAL(look_at_set(types[i], NFPROTO_IPV4, false).info.bytes, 0);
	}
	CU_ASSERT_EQUAL(look_at_set("hash:ip", NFPROTO_UNSPEC, false).info.bytes, 0);
}

static void
an_answer_without_a_header_tells_nothing(void)
{
	struct netlink_test t = { 0 };

	CU_ASSERT_FALSE(look_at(&t).seen);
}

static void
attributes_of_a_wrong_length_are_left_alone(void)
{
	struct netlink_test t = { 0 };
	struct nfgenmsg nf = { 0 };
	size_t at = netlink_test_begin(&t, NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST, 42), nest;

	netlink_test_put(&t, &nf, sizeof(nf));
	netlink_test_attr(&t, IPSET_ATTR_TYPENAME, "hash:ip", 7);	/* without its zero */
	netlink_test_attr(&t, IPSET_ATTR_FAMILY, "", 0);
	netlink_test_attr(&t, IPSET_ATTR_INDEX, "\1", 1);
	nest = netlink_test_nest(&t, IPSET_ATTR_DATA);
	netlink_test_attr(&t, IPSET_ATTR_TIMEOUT, "\0\0", 2);
	netlink_test_attr(&t, IPSET_ATTR_ELEMENTS, "", 0);
	netlink_test_end_nest(&t, nest);
	netlink_test_end(&t, at);

	struct addrset_ipset_look l = look_at(&t);

	CU_ASSERT_TRUE(l.seen);
	CU_ASSERT_EQUAL(l.info.bytes, 0);
	CU_ASSERT_FALSE(l.info.timeouts);
	CU_ASSERT_FALSE(l.info.empty);
}

UNIT_MAIN("addrset_ipset", UNIT(a_set_is_looked_up_by_its_header),
    UNIT(elements_are_added_many_at_once), UNIT(a_whole_batch_has_room),
    UNIT(a_header_tells_what_a_set_holds), UNIT(sets_of_something_else_are_told),
    UNIT(an_answer_without_a_header_tells_nothing),
    UNIT(attributes_of_a_wrong_length_are_left_alone))
