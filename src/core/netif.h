/* SPDX-License-Identifier: MIT */
/*
 * The machine's interfaces and addresses, kept current over rtnetlink (libmnl), and the question
 * "is this address one of ours, or directly connected?" that the access lists ask.
 */
#ifndef CORE_NETIF_H
#define CORE_NETIF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/addr.h"
#include "util/err.h"

#define NETIF_LINKS_MAX 256
#define NETIF_ADDRS_MAX 1024

struct loop;
struct log;
struct netif;

struct netif_link {
	unsigned ifindex;
	/* IFF_UP, IFF_RUNNING, IFF_LOOPBACK, IFF_POINTOPOINT, IFF_MULTICAST */
	unsigned flags;
	unsigned mtu;
	char name[IF_NAMESIZE];
};

struct netif_addr {
	unsigned ifindex;
	struct addr addr;	/* port 0; link-local IPv6 has its scope */
	struct prefix net;	/* the directly connected network */
	bool usable;		/* not tentative, deprecated or duplicate */
	bool temporary;		/* an IPv6 privacy address (RFC 8981) */
};

/*
 * Embed one to be told; called at most once per 500 ms, after the tables have changed. May add and
 * remove watches.
 */
struct netif_watch {
	void (*changed)(struct netif_watch *w);
	LIST_ENTRY(netif_watch) link;
};

/*
 * Reads everything once (blocking for a moment, at start only), then follows. Where the kernel or a
 * sandbox refuses notifications everything is read anew every half minute; where it refuses netlink
 * altogether the tables stay empty. Both are said in the log, and neither is an error: ERR_NOMEM is
 * the only one.
 */
enum err netif_new(struct netif **out, struct loop *l, struct log *lg) MUST_CHECK;
void netif_free(struct netif *n);

/* The tables, in the kernel's order; valid until the loop turns. */
size_t netif_links(const struct netif *n, const struct netif_link **out);
size_t netif_addrs(const struct netif *n, const struct netif_addr **out);
const struct netif_link *netif_link_find(const struct netif *n, unsigned ifindex);

/* a is one of this machine's addresses (loopback included). A scope of 0 fits any. */
bool netif_is_own(const struct netif *n, const struct addr *a);
/* a lies in a directly connected network, loopback and link-local included. */
bool netif_is_connected(const struct netif *n, const struct addr *a);

/*
 * MAC address of a neighbour from the kernel's table (ARP, ND), looked up by netlink at once
 * without sending anything. Errors: ERR_NOTFOUND, ERR_SYS (the kernel does not say).
 */
enum err netif_neighbour(struct netif *n, const struct addr *a, uint8_t mac[static 6]) MUST_CHECK;

void netif_watch(struct netif *n, struct netif_watch *w);
void netif_unwatch(struct netif *n, struct netif_watch *w);

/* Counters for status: changes seen, overruns that led to a full read. */
struct netif_stats {
	uint64_t changes;
	uint64_t overruns;
	uint64_t dropped;	/* links and addresses beyond the tables' caps */
};
const struct netif_stats *netif_stats(const struct netif *n);

#endif
