/* SPDX-License-Identifier: MIT */
/*
 * The tables behind core/netif.h, without a kernel: what is put in, taken out, and asked. Functions
 * that change them give the number of entries that are now different.
 *
 * A full read begins with netif_table_begin() and ends with netif_table_sweep(), which removes
 * every entry that was not put in between.
 */
#ifndef CORE_NETIF_TABLE_H
#define CORE_NETIF_TABLE_H

#include "core/netif.h"

/* All zero is a valid empty table. */
struct netif_table {
	size_t link_count;
	size_t addr_count;
	uint64_t dropped;	/* entries that found no room */
	uint8_t round;		/* of the full read */
	struct netif_link links[NETIF_LINKS_MAX];
	struct netif_addr addrs[NETIF_ADDRS_MAX];
	uint8_t link_round[NETIF_LINKS_MAX];	/* in which the entry was put last */
	uint8_t addr_round[NETIF_ADDRS_MAX];
};

void netif_table_begin(struct netif_table *t);
size_t netif_table_sweep(struct netif_table *t);

/* Entries are compared as bytes: clear them, padding included, before they are filled in. */
size_t netif_table_put_link(struct netif_table *t, const struct netif_link *link);
size_t netif_table_put_addr(struct netif_table *t, const struct netif_addr *a);
/* A link takes its addresses along. */
size_t netif_table_drop_link(struct netif_table *t, unsigned ifindex);
/* Of a only the interface, the address and the length of its prefix are looked at. */
size_t netif_table_drop_addr(struct netif_table *t, const struct netif_addr *a);

const struct netif_link *netif_table_link(const struct netif_table *t, unsigned ifindex);
bool netif_table_is_own(const struct netif_table *t, const struct addr *a);
bool netif_table_is_connected(const struct netif_table *t, const struct addr *a);

/* The same host; where `asked` has no scope, that of `known` is meant. */
bool netif_same_host(const struct addr *known, const struct addr *asked);
/* a lies in the network of an entry; one of no bits is a way to everywhere, not a neighbourhood. */
bool netif_in_network(const struct netif_addr *at, const struct addr *a);

#endif
