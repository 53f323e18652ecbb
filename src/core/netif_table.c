/* SPDX-License-Identifier: MIT */
/* Two small arrays in the kernel's order, searched from front to end. */
#include "core/netif_table.h"

#include <string.h>

static void
link_delete_at(struct netif_table *t, size_t i)
{
	size_t rest = --t->link_count - i;

	memmove(&t->links[i], &t->links[i + 1], rest * sizeof(t->links[0]));
	memmove(&t->link_round[i], &t->link_round[i + 1], rest);
}

static void
addr_delete_at(struct netif_table *t, size_t i)
{
	size_t rest = --t->addr_count - i;

	memmove(&t->addrs[i], &t->addrs[i + 1], rest * sizeof(t->addrs[0]));
	memmove(&t->addr_round[i], &t->addr_round[i + 1], rest);
}

void
netif_table_begin(struct netif_table *t)
{
	t->round++;
}

size_t
netif_table_sweep(struct netif_table *t)
{
	size_t before = t->addr_count + t->link_count;

	for (size_t i = t->addr_count; i-- > 0;)
		if (t->addr_round[i] != t->round)
			addr_delete_at(t, i);
	for (size_t i = t->link_count; i-- > 0;)
		if (t->link_round[i] != t->round)
			link_delete_at(t, i);
	return before - (t->addr_count + t->link_count);
}

size_t
netif_table_put_link(struct netif_table *t, const struct netif_link *link)
{
	size_t i = 0;

	while (i < t->link_count && t->links[i].ifindex != link->ifindex)
		i++;
	if (i == NETIF_LINKS_MAX) {
		t->dropped++;
		return 0;
	}
	t->link_round[i] = t->round;
	if (i == t->link_count)
		t->link_count++;
	else if (memcmp(&t->links[i], link, sizeof(*link)) == 0)
		return 0;
	memcpy(&t->links[i], link, sizeof(*link));
	return 1;
}

size_t
netif_table_drop_link(struct netif_table *t, unsigned ifindex)
{
	size_t before = t->addr_count + t->link_count;

	for (size_t i = t->addr_count; i-- > 0;)
		if (t->addrs[i].ifindex == ifindex)
			addr_delete_at(t, i);
	for (size_t i = t->link_count; i-- > 0;)
		if (t->links[i].ifindex == ifindex)
			link_delete_at(t, i);
	return before - (t->addr_count + t->link_count);
}

/* One address may stand several times on an interface: with different networks. */
static size_t
addr_place(const struct netif_table *t, const struct netif_addr *a)
{
	size_t i = 0;

	while (i < t->addr_count &&
	    (t->addrs[i].ifindex != a->ifindex || t->addrs[i].net.bits != a->net.bits ||
	    !addr_equal_host(&t->addrs[i].addr, &a->addr)))
		i++;
	return i;
}

size_t
netif_table_put_addr(struct netif_table *t, const struct netif_addr *a)
{
	size_t i = addr_place(t, a);

	if (i == NETIF_ADDRS_MAX) {
		t->dropped++;
		return 0;
	}
	t->addr_round[i] = t->round;
	if (i == t->addr_count)
		t->addr_count++;
	else if (memcmp(&t->addrs[i], a, sizeof(*a)) == 0)
		return 0;
	memcpy(&t->addrs[i], a, sizeof(*a));
	return 1;
}

size_t
netif_table_drop_addr(struct netif_table *t, const struct netif_addr *a)
{
	size_t i = addr_place(t, a);

	if (i == t->addr_count)
		return 0;
	addr_delete_at(t, i);
	return 1;
}

const struct netif_link *
netif_table_link(const struct netif_table *t, unsigned ifindex)
{
	for (size_t i = 0; i < t->link_count; i++)
		if (t->links[i].ifindex == ifindex)
			return &t->links[i];
	return NULL;
}

bool
netif_same_host(const struct addr *known, const struct addr *asked)
{
	struct addr a = *asked;

	if (a.sa.sa_family == AF_INET6 && a.in6.sin6_scope_id == 0 &&
	    known->sa.sa_family == AF_INET6)
		a.in6.sin6_scope_id = known->in6.sin6_scope_id;
	return addr_equal_host(known, &a);
}

bool
netif_table_is_own(const struct netif_table *t, const struct addr *a)
{
	if (addr_is_loopback(a))
		return true;
	for (size_t i = 0; i < t->addr_count; i++)
		if (netif_same_host(&t->addrs[i].addr, a))
			return true;
	return false;
}

bool
netif_in_network(const struct netif_addr *at, const struct addr *a)
{
	return at->net.bits != 0 && prefix_match(&at->net, a);
}

bool
netif_table_is_connected(const struct netif_table *t, const struct addr *a)
{
	if (addr_is_loopback(a) || addr_is_linklocal(a))
		return true;
	for (size_t i = 0; i < t->addr_count; i++)
		if (netif_in_network(&t->addrs[i], a))
			return true;
	return netif_table_is_own(t, a);
}
