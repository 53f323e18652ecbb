/* SPDX-License-Identifier: MIT */
/*
 * On a private network of this process: two ends of a cable, v0 and v1, changed by ip(8). The
 * linker puts the __wrap_ functions below in the way of libmnl's, to play a kernel that refuses.
 */
#include "core/netif.h"

#include "core/log.h"
#include "core/loop.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE seconds(20)

struct mnl_socket;
struct mnl_socket *__real_mnl_socket_open2(int bus, int flags);
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __real_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid);
int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid);
ssize_t __real_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
void __wrap_log_note(struct log *lg, enum log_level level, const char *service, const char *fmt,
    ...);

static bool refuse_netlink;
static bool refuse_groups;
static bool old_kernel;
static unsigned dumps_of_neighbours;
static unsigned warnings;

struct mnl_socket *
__wrap_mnl_socket_open2(int bus, int flags)
{
	if (refuse_netlink) {
		errno = EAFNOSUPPORT;
		return NULL;
	}
	return __real_mnl_socket_open2(bus, flags);
}

int
__wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid)
{
	if (refuse_groups && groups != 0) {
		errno = EPERM;
		return -1;
	}
	return __real_mnl_socket_bind(nl, groups, pid);
}

/* A kernel before 5.0 has nothing to say about a single neighbour, as none has about one table. */
ssize_t
__wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	char copy[256];
	struct nlmsghdr *h = (struct nlmsghdr *)copy;

	CU_ASSERT_FATAL(len <= sizeof(copy));
	memcpy(copy, buf, len);
	if (h->nlmsg_type == RTM_GETNEIGH && (h->nlmsg_flags & NLM_F_DUMP) != 0)
		dumps_of_neighbours++;
	else if (h->nlmsg_type == RTM_GETNEIGH && old_kernel)
		h->nlmsg_type = RTM_GETNEIGHTBL;
	return __real_mnl_socket_sendto(nl, copy, len);
}

void
__wrap_log_note(struct log *lg, enum log_level level, const char *service, const char *fmt, ...)
{
	(void)lg;
	(void)service;
	(void)fmt;
	warnings += level == LOG_LEVEL_WARNING;
}

struct net {
	struct loop *loop;
	struct netif *netif;
	struct netif_watch watch;	/* what changed() below is called for */
	struct netif_watch other;	/* removed by changed() */
	unsigned told;
	unsigned other_told;
	mono_us last;			/* when changed() was called last */
	usec shortest;			/* between two calls */
};

static struct net net;

static void
changed(struct netif_watch *w)
{
	mono_us now = loop_now(net.loop);

	CU_ASSERT_PTR_EQUAL(w, &net.watch);
	if (net.told++ > 0 && now - net.last < net.shortest)
		net.shortest = now - net.last;
	net.last = now;
}

static void
other_changed(struct netif_watch *w)
{
	net.other_told++;
	netif_unwatch(net.netif, w);
}

static void
start(void)
{
	memset(&net, 0, sizeof(net));
	net.shortest = MONO_NEVER;
	net.watch.changed = changed;
	net.other.changed = other_changed;
	CU_ASSERT_EQUAL_FATAL(loop_new(&net.loop), OK);
	CU_ASSERT_EQUAL_FATAL(netif_new(&net.netif, net.loop, NULL), OK);
	netif_watch(net.netif, &net.watch);
}

static void
stop(void)
{
	netif_unwatch(net.netif, &net.watch);
	netif_free(net.netif);
	loop_free(net.loop);
}

#define AWAIT(cond)                                                                                \
	do {                                                                                       \
		mono_us end_ = loop_clock(net.loop) + PATIENCE;                                    \
		while (!(cond) && loop_clock(net.loop) < end_)                                     \
			CU_ASSERT_EQUAL_FATAL(loop_turn(net.loop, end_), OK);                      \
		CU_ASSERT_TRUE(cond);                                                              \
	} while (0)

static bool
ip(const char *words)
{
	char line[256];

	snprintf(line, sizeof(line), "ip %s", words);
	return system(line) == 0;
}

#define IP(words) CU_ASSERT_TRUE(ip(words))

static struct addr
addr(const char *text)
{
	struct addr a = { 0 };

	CU_ASSERT_EQUAL(addr_parse(&a, text, 0), OK);
	return a;
}

static bool
own(const char *text)
{
	struct addr a = addr(text);

	return netif_is_own(net.netif, &a);
}

static bool
connected(const char *text)
{
	struct addr a = addr(text);

	return netif_is_connected(net.netif, &a);
}

static const struct netif_link *
link_named(const char *name)
{
	const struct netif_link *links;
	size_t n = netif_links(net.netif, &links);

	for (size_t i = 0; i < n; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

static const struct netif_addr *
addr_entry(const char *text)
{
	const struct netif_addr *addrs;
	size_t n = netif_addrs(net.netif, &addrs);
	struct addr a = addr(text);

	for (size_t i = 0; i < n; i++)
		if (addr_equal_host(&addrs[i].addr, &a))
			return &addrs[i];
	return NULL;
}

static void
links_and_addresses_are_there_at_once(void)
{
	start();

	const struct netif_link *lo = link_named("lo"), *v0 = link_named("v0");

	CU_ASSERT_PTR_NOT_NULL_FATAL(lo);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v0);
	CU_ASSERT_TRUE((lo->flags & IFF_LOOPBACK) != 0);
	CU_ASSERT_TRUE((v0->flags & IFF_UP) != 0);
	CU_ASSERT_EQUAL(v0->mtu, 1400);
	CU_ASSERT_EQUAL(v0->ifindex, if_nametoindex("v0"));
	CU_ASSERT_PTR_EQUAL(netif_link_find(net.netif, v0->ifindex), v0);
	CU_ASSERT_PTR_NULL(netif_link_find(net.netif, 999999));

	const struct netif_addr *a = addr_entry("192.0.2.1");

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->ifindex, v0->ifindex);
	CU_ASSERT_EQUAL(a->net.bits, 24);
	CU_ASSERT_TRUE(a->usable);
	CU_ASSERT_FALSE(a->temporary);
	/* Link-local addresses are told apart by their interface. */
	a = addr_entry("fe80::1%v0");
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->addr.in6.sin6_scope_id, v0->ifindex);
	CU_ASSERT_EQUAL(netif_stats(net.netif)->changes, 0);
	CU_ASSERT_EQUAL(net.told, 0);
	stop();
}

static void
own_and_connected_addresses_are_told_apart(void)
{
	IP("addr add 198.51.100.1 peer 198.51.100.77/32 dev v0");
	IP("addr add 203.0.113.1/0 dev v1");
	start();
	CU_ASSERT_TRUE(own("127.0.0.1"));
	CU_ASSERT_TRUE(own("127.9.9.9"));
	CU_ASSERT_TRUE(own("::1"));
	CU_ASSERT_TRUE(own("192.0.2.1"));
	CU_ASSERT_TRUE(own("2001:db8::1"));
	CU_ASSERT_TRUE(own("fe80::1"));
	CU_ASSERT_TRUE(own("fe80::1%v0"));
	CU_ASSERT_FALSE(own("fe80::1%v1"));
	CU_ASSERT_FALSE(own("192.0.2.2"));
	CU_ASSERT_TRUE(connected("192.0.2.2"));
	CU_ASSERT_TRUE(connected("192.0.2.1"));
	CU_ASSERT_TRUE(connected("127.0.0.1"));
	CU_ASSERT_TRUE(connected("fe80::77%v1"));
	CU_ASSERT_TRUE(connected("2001:db8::ffff"));
	CU_ASSERT_FALSE(connected("2001:db8:0:1::1"));
	CU_ASSERT_FALSE(connected("192.0.3.1"));
	/* Point to point: both ends and nothing between. */
	CU_ASSERT_TRUE(own("198.51.100.1"));
	CU_ASSERT_FALSE(own("198.51.100.77"));
	CU_ASSERT_TRUE(connected("198.51.100.77"));
	CU_ASSERT_TRUE(connected("198.51.100.1"));
	CU_ASSERT_FALSE(connected("198.51.100.2"));
	/* A network of no bits does not make the whole world a neighbour. */
	CU_ASSERT_TRUE(own("203.0.113.1"));
	CU_ASSERT_FALSE(connected("8.8.8.8"));
	stop();
	IP("addr del 198.51.100.1 peer 198.51.100.77/32 dev v0");
	IP("addr del 203.0.113.1/0 dev v1");
}

static void
addresses_that_come_and_go_are_noticed(void)
{
	start();
	IP("addr add 10.9.0.1/16 dev v0");
	AWAIT(own("10.9.0.1"));
	CU_ASSERT_TRUE(connected("10.9.255.1"));
	AWAIT(net.told == 1);
	IP("addr del 10.9.0.1/16 dev v0");
	AWAIT(!own("10.9.0.1"));
	CU_ASSERT_FALSE(connected("10.9.255.1"));
	AWAIT(net.told == 2);
	CU_ASSERT_TRUE(netif_stats(net.netif)->changes >= 2);
	stop();
}

static void
an_address_that_is_being_checked_is_not_usable_yet(void)
{
	start();
	IP("addr add 2001:db8:7::1/64 dev v0");
	AWAIT(addr_entry("2001:db8:7::1") != NULL);
	if (addr_entry("2001:db8:7::1")->usable)
		puts("(checked already)");
	AWAIT(addr_entry("2001:db8:7::1")->usable);
	IP("addr change 2001:db8:7::1/64 dev v0 preferred_lft 0");
	AWAIT(!addr_entry("2001:db8:7::1")->usable);
	IP("addr del 2001:db8:7::1/64 dev v0");
	stop();
}

static void
watchers_are_told_in_bursts_and_not_too_often(void)
{
	char words[64];

	start();
	for (int i = 1; i <= 30; i++) {
		snprintf(words, sizeof(words), "addr add 10.8.%d.1/24 dev v0", i);
		IP(words);
		CU_ASSERT_EQUAL(loop_turn(net.loop, loop_now(net.loop) + millis(1)), OK);
	}
	AWAIT(own("10.8.30.1") && net.told >= 1);

	unsigned told = net.told;

	IP("addr flush dev v0 to 10.8.0.0/16");
	AWAIT(!own("10.8.30.1") && !own("10.8.1.1") && net.told > told);
	CU_ASSERT_TRUE(net.shortest >= millis(500));
	CU_ASSERT_TRUE(netif_stats(net.netif)->changes >= 60);
	CU_ASSERT_TRUE(net.told < 30);
	stop();
}

static void
a_watcher_may_remove_itself(void)
{
	start();
	netif_watch(net.netif, &net.other);
	IP("addr add 10.9.0.1/16 dev v0");
	AWAIT(net.told == 1);
	IP("addr del 10.9.0.1/16 dev v0");
	AWAIT(net.told == 2);
	CU_ASSERT_EQUAL(net.other_told, 1);
	stop();
}

static void
links_that_come_change_and_go_are_noticed(void)
{
	start();
	IP("link add v2 type veth peer name v3");
	IP("addr add 10.7.0.1/16 dev v2");
	AWAIT(link_named("v2") != NULL && own("10.7.0.1"));
	CU_ASSERT_TRUE((link_named("v2")->flags & IFF_UP) == 0);
	IP("link set v2 up mtu 1300");
	AWAIT(link_named("v2")->mtu == 1300 && (link_named("v2")->flags & IFF_UP) != 0);
	IP("link set v3 name renamed");
	AWAIT(link_named("renamed") != NULL);
	CU_ASSERT_PTR_NULL(link_named("v3"));
	IP("link del v2");
	AWAIT(link_named("v2") == NULL && link_named("renamed") == NULL);
	CU_ASSERT_FALSE(own("10.7.0.1"));
	stop();
}

static void
a_port_that_leaves_its_bridge_is_still_a_link(void)
{
	if (!ip("link add br9 type bridge")) {
		puts("skipped: no bridges here");
		return;
	}
	IP("link add v2 type veth peer name v3");
	IP("link set v3 master br9");
	IP("addr add 10.4.0.1/16 dev v3");
	start();
	IP("link set v3 nomaster");
	/* Notifications come in order: when this one is here the port has left. */
	IP("addr add 10.5.0.1/16 dev v0");
	AWAIT(own("10.5.0.1"));
	CU_ASSERT_PTR_NOT_NULL(link_named("v3"));
	CU_ASSERT_TRUE(own("10.4.0.1"));
	IP("addr del 10.5.0.1/16 dev v0");
	IP("link del br9");
	AWAIT(link_named("br9") == NULL);
	CU_ASSERT_PTR_NOT_NULL(link_named("v3"));
	IP("link del v2");
	stop();
}

/* Add or remove addresses 10.64.0.0-10.64.255.255, `n` of them, in one run of ip(8). */
static void
many(const char *verb, int n)
{
	FILE *f = popen("ip -batch -", "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (int i = 0; i < n; i++)
		fprintf(f, "addr %s 10.64.%d.%d/32 dev v0\n", verb, i / 250, i % 250);
	CU_ASSERT_EQUAL(pclose(f), 0);
}

static void
lost_notifications_lead_to_a_full_read(void)
{
	start();
	for (int i = 0; i < 4; i++) {
		many("add", 500);
		many("del", 500);
	}
	IP("addr add 10.6.0.1/16 dev v0");
	AWAIT(netif_stats(net.netif)->overruns > 0);
	AWAIT(own("10.6.0.1") && !own("10.64.0.0") && !own("10.64.1.249"));
	IP("addr del 10.6.0.1/16 dev v0");
	AWAIT(!own("10.6.0.1"));
	stop();
}

static void
more_addresses_than_the_table_holds_are_counted(void)
{
	const struct netif_addr *addrs;

	many("add", NETIF_ADDRS_MAX + 100);
	start();
	CU_ASSERT_EQUAL(netif_addrs(net.netif, &addrs), NETIF_ADDRS_MAX);
	CU_ASSERT_TRUE(netif_stats(net.netif)->dropped >= 100);
	many("del", NETIF_ADDRS_MAX + 100);
	AWAIT(netif_addrs(net.netif, &addrs) < 20);
	CU_ASSERT_TRUE(own("192.0.2.1"));
	stop();
}

/* --- neighbours ------------------------------------------------------------------------------- */

static enum err
neighbour(const char *text, uint8_t mac[static 6])
{
	struct addr a = addr(text);

	memset(mac, 0, 6);
	return netif_neighbour(net.netif, &a, mac);
}

static void
look_up_neighbours(void)
{
	static const uint8_t nine[6] = { 2, 0, 0, 0, 0, 9 };
	static const uint8_t ten[6] = { 2, 0, 0, 0, 0, 10 };
	static const uint8_t eleven[6] = { 2, 0, 0, 0, 0, 11 };
	uint8_t mac[6];

	start();
	for (int round = 0; round < 3; round++) {
		CU_ASSERT_EQUAL(neighbour("192.0.2.9", mac), OK);
		CU_ASSERT_EQUAL(memcmp(mac, nine, 6), 0);
		CU_ASSERT_EQUAL(neighbour("192.0.2.10", mac), ERR_NOTFOUND);
		CU_ASSERT_EQUAL(neighbour("2001:db8::10", mac), OK);
		CU_ASSERT_EQUAL(memcmp(mac, ten, 6), 0);
		CU_ASSERT_EQUAL(neighbour("fe80::11%v0", mac), OK);
		CU_ASSERT_EQUAL(memcmp(mac, eleven, 6), 0);
		CU_ASSERT_EQUAL(neighbour("fe80::11", mac), OK);
		CU_ASSERT_EQUAL(neighbour("fe80::11%v1", mac), ERR_NOTFOUND);
		CU_ASSERT_EQUAL(neighbour("192.0.2.1", mac), ERR_NOTFOUND);
		CU_ASSERT_EQUAL(neighbour("127.0.0.1", mac), ERR_NOTFOUND);
		CU_ASSERT_EQUAL(neighbour("8.8.8.8", mac), ERR_NOTFOUND);
		/* Known, but without an answer so far. */
		CU_ASSERT_EQUAL(neighbour("192.0.2.12", mac), ERR_NOTFOUND);
	}
	stop();
}

static void
neighbours_are_looked_up(void)
{
	dumps_of_neighbours = 0;
	look_up_neighbours();
	CU_ASSERT_EQUAL(dumps_of_neighbours, 0);
}

static void
neighbours_are_looked_up_on_kernels_that_know_only_the_whole_table(void)
{
	FILE *f = popen("ip -batch -", "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	/* A table that does not fit into one buffer. */
	for (int i = 0; i < 900; i++)
		fprintf(f, "neigh add 10.63.%d.%d lladdr 02:00:00:00:01:02 dev v0 nud permanent\n",
		    i / 250, i % 250);
	CU_ASSERT_EQUAL(pclose(f), 0);
	old_kernel = true;
	dumps_of_neighbours = 0;
	look_up_neighbours();
	CU_ASSERT_TRUE(dumps_of_neighbours > 0);
	old_kernel = false;
	IP("neigh flush dev v0 nud permanent to 10.63.0.0/16");
}

/* --- where it is refused ---------------------------------------------------------------------- */

static void
without_notifications_the_tables_are_still_read(void)
{
	refuse_groups = true;
	warnings = 0;
	start();
	CU_ASSERT_TRUE(own("192.0.2.1"));
	CU_ASSERT_PTR_NOT_NULL(link_named("v0"));
	CU_ASSERT_EQUAL(warnings, 1);
	stop();
	refuse_groups = false;
}

static void
without_netlink_life_goes_on(void)
{
	uint8_t mac[6];

	refuse_netlink = true;
	warnings = 0;
	start();
	CU_ASSERT_EQUAL(warnings, 1);
	CU_ASSERT_TRUE(own("127.0.0.1"));
	CU_ASSERT_TRUE(connected("127.0.0.1"));
	CU_ASSERT_FALSE(own("192.0.2.1"));
	CU_ASSERT_FALSE(connected("192.0.2.9"));
	CU_ASSERT_EQUAL(neighbour("192.0.2.9", mac), ERR_NOTFOUND);
	CU_ASSERT_EQUAL(neighbour("fe80::11%v0", mac), ERR_SYS);
	CU_ASSERT_EQUAL(loop_turn(net.loop, 0), OK);
	stop();
	refuse_netlink = false;
	netif_free(NULL);
}

/* --- the private network ---------------------------------------------------------------------- */

static bool
put_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return ok;
}

/* Be alone on a network of our own, as root there. */
static bool
be_alone(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!put_line("/proc/self/setgroups", "deny") || !put_line("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return put_line("/proc/self/gid_map", map);
}

static bool
lay_cable(void)
{
	return ip("link set lo up") && ip("link add v0 type veth peer name v1") &&
	    ip("link set v0 up mtu 1400") && ip("link set v1 up") &&
	    ip("addr add 192.0.2.1/24 dev v0") && ip("addr add 2001:db8::1/64 dev v0 nodad") &&
	    ip("addr add fe80::1/64 dev v0 nodad") &&
	    ip("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0 nud permanent") &&
	    ip("neigh add 2001:db8::10 lladdr 02:00:00:00:00:0a dev v0 nud permanent") &&
	    ip("neigh add fe80::11 lladdr 02:00:00:00:00:0b dev v0 nud permanent") &&
	    ip("neigh add 192.0.2.12 dev v0 nud failed");
}

int
main(void)
{
	static const struct unit_case cases[] = {
		UNIT(links_and_addresses_are_there_at_once),
		UNIT(own_and_connected_addresses_are_told_apart),
		UNIT(addresses_that_come_and_go_are_noticed),
		UNIT(an_address_that_is_being_checked_is_not_usable_yet),
		UNIT(watchers_are_told_in_bursts_and_not_too_often),
		UNIT(a_watcher_may_remove_itself),
		UNIT(links_that_come_change_and_go_are_noticed),
		UNIT(a_port_that_leaves_its_bridge_is_still_a_link),
		UNIT(lost_notifications_lead_to_a_full_read),
		UNIT(more_addresses_than_the_table_holds_are_counted),
		UNIT(neighbours_are_looked_up),
		UNIT(neighbours_are_looked_up_on_kernels_that_know_only_the_whole_table),
		UNIT(without_notifications_the_tables_are_still_read),
		UNIT(without_netlink_life_goes_on),
	};

	if (!be_alone()) {
		printf("SKIP: no network of our own: %s\n", strerror(errno));
		return 77;
	}
	if (!lay_cable()) {
		puts("SKIP: ip(8) is missing or cannot make a veth pair here");
		return 77;
	}
	return unit_run("netif", cases, sizeof(cases) / sizeof(cases[0]));
}
