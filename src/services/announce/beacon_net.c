/* SPDX-License-Identifier: MIT */
/*
 * Sockets and memberships. Three kinds of sockets: one per 16 links bound to the IPv4 group, one
 * per link bound to the IPv6 group (a link-local group address binds to its link), and one per
 * family that everything is sent from. Memberships are renewed by leaving and joining: where a
 * switch prunes and nobody queries, that is the only way to stay.
 */
#include "services/announce/beacon_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/netif.h"
#include "core/suspend.h"
#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_msg.h"

#define MEMBERS_MAX 16			/* per IPv4 socket; igmp_max_memberships is 20 */
#define SOCKETS4_MAX (NETIF_LINKS_MAX / MEMBERS_MAX)
#define CHANGED_EVERY 10000000		/* usec between two calls of ops->changed */
#define CLOCK_MIN INT64_C(1767225600000)	/* ms: 2026 */
#define RCVBUF (4 << 20)		/* bytes: a burst of junk must not push real ones out */

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29		/* Linux 4.20; older libcs do not name it */
#endif

struct link {
	struct beacon_link pub;
	size_t group4;			/* which IPv4 socket; valid where pub.ipv4 */
	struct udp_socket *in6;
	bool addr4, addr6;		/* it has addresses to send from */
	bool seen;			/* while the table is gone through */
};

struct group4 {
	struct udp_socket *socket;
	unsigned members;
};

struct patterns {
	size_t count;
	char *at[BEACON_NET_PATTERNS_MAX];
};

struct beacon_net {
	struct beacon_net_opts o;
	struct patterns interfaces, broadcast;
	struct addr group_addr4, group_addr6, broadcast_addr;
	struct udp_socket *out4, *out6, *in_broadcast;
	struct group4 groups4[SOCKETS4_MAX];
	struct link links[NETIF_LINKS_MAX];
	size_t link_count;
	struct netif_watch watch;
	struct suspend suspend;
	struct timer rejoin, tell;
	mono_us told_at;
	struct beacon_net_stats stats;
};

/* --- which links ----------------------------------------------------------------------------- */

static const char *const skipped[] = { "docker*", "veth*", "br-*", "virbr*", "cni*", "flannel*",
	"cali*", "lxc*", "lxd*", "podman*", "tailscale*", "wg*", "tun*", "tap*", "zt*" };

static bool
matches(const char *pattern, const char *name)
{
	return beacon_glob_match(span_str(pattern), span_str(name));
}

static bool
suits_by_default(const char *name, unsigned flags)
{
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (matches(skipped[i], name))
			return false;
	return (flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) == 0 && (flags & IFF_MULTICAST) != 0;
}

bool
beacon_net_selects(const char *const *patterns, size_t n, const char *name, unsigned flags)
{
	if ((flags & IFF_UP) == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool all = strcmp(patterns[i], "*") == 0;

		if (all ? suits_by_default(name, flags) : matches(patterns[i], name))
			return true;
	}
	return false;
}

static bool
copy_patterns(struct patterns *p, const char *const *from, size_t n)
{
	for (p->count = 0; p->count < n; p->count++) {
		p->at[p->count] = strdup(from[p->count]);
		if (p->at[p->count] == NULL)
			return false;
	}
	return true;
}

static void
free_patterns(struct patterns *p)
{
	while (p->count != 0)
		free(p->at[--p->count]);
}

static bool
selects(const struct patterns *p, const struct netif_link *l)
{
	return beacon_net_selects((const char *const *)p->at, p->count, l->name, l->flags);
}

/* --- sockets --------------------------------------------------------------------------------- */

static void
take_in(struct beacon_net *n, const struct dgram *dg, bool on_link)
{
	n->stats.received++;
	n->o.ops->receive(n->o.ctx, dg, on_link);
}

/* The group's sockets hear only links that were joined; broadcasts come from everywhere. */
static void
receive_group(void *ctx, const struct dgram *dg)
{
	struct beacon_net *n = ctx;

	for (size_t i = 0; i < n->link_count; i++) {
		if (n->links[i].pub.ifindex == dg->ifindex) {
			take_in(n, dg, true);
			return;
		}
	}
	n->stats.foreign_links++;
}

static void
receive_own(void *ctx, const struct dgram *dg)
{
	struct beacon_net *n = ctx;

	if (!addr_is_multicast(dg->local))
		take_in(n, dg, netif_is_connected(n->o.netif, dg->peer));
}

static void
set_int(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Open, bind and watch. Everything shares its port: announcer and subscribers of one machine. */
static enum err
open_socket(struct beacon_net *n, const struct addr *local,
    void (*receive)(void *ctx, const struct dgram *dg), struct udp_socket **out)
{
	struct udp_opts opts = { .receive = receive, .ctx = n, .pktinfo = true, .rcvbuf = RCVBUF };
	int family = local->sa.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err e = ERR_SYS;

	if (fd < 0)
		return ERR_SYS;
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (family == AF_INET) {
		set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
		set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
	} else {
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
	}
	if (bind(fd, &local->sa, addr_len(local)) == 0)
		e = udp_adopt(out, n->o.loop, fd, &opts);
	if (e != OK) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return e;
}

static enum err
open_out(struct beacon_net *n, const char *any, struct udp_socket **out)
{
	struct addr local;
	enum err e = addr_parse(&local, any, n->o.fixed_port ? n->o.port : 0);

	return e == OK ? open_socket(n, &local, receive_own, out) : e;
}

/* --- memberships ----------------------------------------------------------------------------- */

static int
membership(int fd, bool join, const struct addr *group, unsigned ifindex)
{
	struct group_req req = { .gr_interface = ifindex };
	int level = group->sa.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

	memcpy(&req.gr_group, &group->sa, addr_len(group));
	return setsockopt(fd, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &req,
	    sizeof(req));
}

static void
join_failed(struct beacon_net *n, const struct link *k, const char *family)
{
	n->stats.joins_failed++;
	log_note(n->o.log, LOG_LEVEL_WARNING, "announce", "cannot join the %s group on %s: %s",
	    family, k->pub.name, strerror(errno));
}

/* An IPv4 socket with room for one more member. */
static struct group4 *
group4_with_room(struct beacon_net *n)
{
	for (size_t i = 0; i < SOCKETS4_MAX; i++) {
		struct group4 *g = &n->groups4[i];

		if (g->socket == NULL &&
		    open_socket(n, &n->group_addr4, receive_group, &g->socket) != OK)
			return NULL;
		if (g->members < MEMBERS_MAX)
			return g;
	}
	return NULL;
}

static bool
join4(struct beacon_net *n, struct link *k)
{
	struct group4 *g = group4_with_room(n);

	if (g == NULL ||
	    membership(udp_fd(g->socket), true, &n->group_addr4, k->pub.ifindex) != 0) {
		join_failed(n, k, "IPv4");
		return false;
	}
	g->members++;
	k->group4 = (size_t)(g - n->groups4);
	k->pub.ipv4 = true;
	return true;
}

static void
leave4(struct beacon_net *n, struct link *k)
{
	struct group4 *g = &n->groups4[k->group4];

	if (!k->pub.ipv4)
		return;
	/* Where the interface is gone the kernel has left the group already. */
	(void)membership(udp_fd(g->socket), false, &n->group_addr4, k->pub.ifindex);
	g->members--;
	k->pub.ipv4 = false;
}

static bool
join6(struct beacon_net *n, struct link *k)
{
	struct addr local = n->group_addr6;

	local.in6.sin6_scope_id = k->pub.ifindex;
	if (open_socket(n, &local, receive_group, &k->in6) != OK ||
	    membership(udp_fd(k->in6), true, &local, k->pub.ifindex) != 0) {
		join_failed(n, k, "IPv6");
		udp_close(k->in6);
		k->in6 = NULL;
		return false;
	}
	k->pub.ipv6 = true;
	return true;
}

static void
leave6(struct link *k)
{
	udp_close(k->in6);
	k->in6 = NULL;
	k->pub.ipv6 = false;
}

static void
rejoin_all(struct beacon_net *n)
{
	for (size_t i = 0; i < n->link_count; i++) {
		struct link *k = &n->links[i];

		if (k->pub.ipv4) {
			int fd = udp_fd(n->groups4[k->group4].socket);

			(void)membership(fd, false, &n->group_addr4, k->pub.ifindex);
			if (membership(fd, true, &n->group_addr4, k->pub.ifindex) != 0)
				join_failed(n, k, "IPv4");
		}
		if (k->pub.ipv6) {
			int fd = udp_fd(k->in6);

			(void)membership(fd, false, &n->group_addr6, k->pub.ifindex);
			if (membership(fd, true, &n->group_addr6, k->pub.ifindex) != 0)
				join_failed(n, k, "IPv6");
		}
	}
	n->stats.rejoins++;
}

static void
rejoin_fire(struct timer *t, mono_us now)
{
	struct beacon_net *n = (struct beacon_net *)((uint8_t *)t -
						     offsetof(struct beacon_net, rejoin));

	suspend_check(&n->suspend);
	rejoin_all(n);
	loop_timer(n->o.loop, t, now + n->o.rejoin);
}

/* --- links that come and go ------------------------------------------------------------------ */

static struct link *
find_link(struct beacon_net *n, unsigned ifindex)
{
	for (size_t i = 0; i < n->link_count; i++)
		if (n->links[i].pub.ifindex == ifindex)
			return &n->links[i];
	return NULL;
}

static struct link *
add_link(struct beacon_net *n, const struct netif_link *l)
{
	if (n->link_count == NETIF_LINKS_MAX)
		return NULL;

	struct link *k = &n->links[n->link_count++];

	*k = (struct link){ .pub = { .ifindex = l->ifindex } };
	snprintf(k->pub.name, sizeof(k->pub.name), "%s", l->name);
	return k;
}

/* Which families it can send: IPv4 needs an address, IPv6 a link-local one. */
static void
find_addresses(const struct beacon_net *n, unsigned ifindex, bool *addr4, bool *addr6)
{
	const struct netif_addr *a;
	size_t count = netif_addrs(n->o.netif, &a);

	*addr4 = *addr6 = false;
	for (size_t i = 0; i < count; i++) {
		if (a[i].ifindex != ifindex || !a[i].usable)
			continue;
		if (a[i].addr.sa.sa_family == AF_INET)
			*addr4 = true;
		else if (addr_is_linklocal(&a[i].addr) || addr_is_loopback(&a[i].addr))
			*addr6 = true;
	}
}

/* Bring one link up to date. True where it has something new to offer. */
static bool
sync_link(struct beacon_net *n, struct link *k, const struct netif_link *l)
{
	bool had4 = k->addr4, had6 = k->addr6, fresh = false;

	k->seen = true;
	find_addresses(n, l->ifindex, &k->addr4, &k->addr6);
	k->pub.broadcast = k->addr4 && (l->flags & IFF_BROADCAST) != 0 && selects(&n->broadcast, l);
	if (n->o.ipv4 && !k->pub.ipv4 && k->addr4)
		fresh = join4(n, k);
	if (n->o.ipv6 && !k->pub.ipv6 && k->addr6)
		fresh = join6(n, k) || fresh;
	return fresh || (k->addr4 && !had4) || (k->addr6 && !had6);
}

static void
drop_unseen(struct beacon_net *n)
{
	for (size_t i = n->link_count; i-- > 0;) {
		struct link *k = &n->links[i];

		if (k->seen)
			continue;
		leave4(n, k);
		leave6(k);
		*k = n->links[--n->link_count];
	}
}

static bool
sync_links(struct beacon_net *n)
{
	const struct netif_link *l;
	size_t count = netif_links(n->o.netif, &l);
	bool fresh = false;

	for (size_t i = 0; i < n->link_count; i++)
		n->links[i].seen = false;
	for (size_t i = 0; i < count; i++) {
		if (!selects(&n->interfaces, &l[i]))
			continue;

		struct link *k = find_link(n, l[i].ifindex);

		if (k == NULL)
			k = add_link(n, &l[i]);
		if (k != NULL)
			fresh = sync_link(n, k, &l[i]) || fresh;
	}
	drop_unseen(n);
	return fresh;
}

static void
tell_fire(struct timer *t, mono_us now)
{
	struct beacon_net *n = (struct beacon_net *)((uint8_t *)t -
						     offsetof(struct beacon_net, tell));

	n->told_at = now;
	n->o.ops->changed(n->o.ctx);
}

static void
links_changed(struct netif_watch *w)
{
	struct beacon_net *n = (struct beacon_net *)((uint8_t *)w -
						     offsetof(struct beacon_net, watch));
	mono_us now = loop_now(n->o.loop), at = n->told_at + CHANGED_EVERY;

	suspend_check(&n->suspend);
	if (!sync_links(n))
		return;
	n->stats.changes++;
	/* An address that comes and goes every second must not make us talk every second. */
	if (!timer_running(&n->tell))
		loop_timer(n->o.loop, &n->tell, at > now ? at : now);
}

/* Nobody has heard of us for a while, switches included; and who knows what was said. */
static void
resumed(struct suspend *s, usec slept)
{
	struct beacon_net *n = (struct beacon_net *)((uint8_t *)s -
						     offsetof(struct beacon_net, suspend));

	n->stats.resumes++;
	log_note(n->o.log, LOG_LEVEL_INFO, "announce", "slept=%llds",
	    (long long)((slept + seconds(1) / 2) / seconds(1)));
	rejoin_all(n);
	loop_timer(n->o.loop, &n->tell, loop_now(n->o.loop));
}

/* --- sending --------------------------------------------------------------------------------- */

void
beacon_net_multicast(struct beacon_net *n, struct span dgram)
{
	for (size_t i = 0; i < n->link_count; i++) {
		const struct link *k = &n->links[i];
		struct addr group = n->group_addr6;

		if (k->pub.ipv4)
			udp_send(n->out4, dgram, &n->group_addr4, NULL, k->pub.ifindex);
		if (k->pub.broadcast)
			udp_send(n->out4, dgram, &n->broadcast_addr, NULL, k->pub.ifindex);
		group.in6.sin6_scope_id = k->pub.ifindex;
		if (k->pub.ipv6)
			udp_send(n->out6, dgram, &group, NULL, k->pub.ifindex);
	}
}

void
beacon_net_unicast(struct beacon_net *n, const struct addr *to, struct span dgram)
{
	struct udp_socket *out = to->sa.sa_family == AF_INET ? n->out4 : n->out6;

	if (out != NULL)
		udp_send(out, dgram, to, NULL, 0);
}

/* --- life ------------------------------------------------------------------------------------ */

/* A machine without one of the families is no reason not to use the other. */
static enum err
open_sockets(struct beacon_net *n)
{
	enum err e4 = n->o.ipv4 ? open_out(n, "0.0.0.0", &n->out4) : ERR_UNSUPPORTED;
	int errno4 = errno;
	enum err e6 = n->o.ipv6 ? open_out(n, "::", &n->out6) : ERR_UNSUPPORTED;

	n->o.ipv4 = e4 == OK;
	n->o.ipv6 = e6 == OK;
	if (e4 == OK && open_socket(n, &n->broadcast_addr, receive_group, &n->in_broadcast) != OK)
		n->in_broadcast = NULL;
	if (e4 == OK || e6 == OK)
		return OK;
	if (e4 == ERR_SYS)
		errno = errno4;
	return e4 == ERR_UNSUPPORTED ? e6 : e4;
}

enum err
beacon_net_open(struct beacon_net **out, const struct beacon_net_opts *o)
{
	struct beacon_net *n = NULL;
	enum err e = ERR_FULL;

	if (o->interface_count <= BEACON_NET_PATTERNS_MAX &&
	    o->broadcast_count <= BEACON_NET_PATTERNS_MAX) {
		n = calloc(1, sizeof(*n));
		e = ERR_NOMEM;
	}
	if (n == NULL)
		return e;
	n->o = *o;
	if (n->o.port == 0)
		n->o.port = BEACON_PORT;
	if (n->o.rejoin == 0)
		n->o.rejoin = BEACON_REJOIN_DEFAULT;
	if (!copy_patterns(&n->interfaces, o->interfaces, o->interface_count) ||
	    !copy_patterns(&n->broadcast, o->broadcast, o->broadcast_count))
		goto close;
	e = addr_parse(&n->group_addr4, BEACON_GROUP4, n->o.port);
	if (e == OK)
		e = addr_parse(&n->group_addr6, BEACON_GROUP6, n->o.port);
	if (e == OK)
		e = addr_parse(&n->broadcast_addr, "255.255.255.255", n->o.port);
	if (e == OK)
		e = open_sockets(n);
	if (e != OK)
		goto close;
	n->told_at = loop_now(o->loop);
	n->watch.changed = links_changed;
	n->rejoin.fire = rejoin_fire;
	n->tell.fire = tell_fire;
	n->suspend.resumed = resumed;
	suspend_watch(&n->suspend, o->loop);
	netif_watch(o->netif, &n->watch);
	(void)sync_links(n);
	loop_timer(o->loop, &n->rejoin, loop_now(o->loop) + n->o.rejoin);
	*out = n;
	return OK;
close:
	beacon_net_close(n);
	return e;
}

void
beacon_net_close(struct beacon_net *n)
{
	if (n == NULL)
		return;
	if (n->watch.changed != NULL)
		netif_unwatch(n->o.netif, &n->watch);
	suspend_unwatch(&n->suspend);
	loop_timer_cancel(n->o.loop, &n->rejoin);
	loop_timer_cancel(n->o.loop, &n->tell);
	for (size_t i = 0; i < n->link_count; i++)
		leave6(&n->links[i]);
	for (size_t i = 0; i < SOCKETS4_MAX; i++)
		udp_close(n->groups4[i].socket);
	udp_close(n->in_broadcast);
	udp_close(n->out4);
	udp_close(n->out6);
	free_patterns(&n->interfaces);
	free_patterns(&n->broadcast);
	free(n);
}

mono_us
beacon_net_now(const struct beacon_net *n)
{
	return suspend_now(&n->suspend);
}

mono_us
beacon_net_timer(const struct beacon_net *n, mono_us at)
{
	return suspend_timer(&n->suspend, at);
}

int64_t
beacon_net_wall_ms(void)
{
	struct timespec ts;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &ts);
	ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return ms >= CLOCK_MIN ? ms : 0;
}

/* --- what there is --------------------------------------------------------------------------- */

size_t
beacon_net_links(const struct beacon_net *n)
{
	return n->link_count;
}

void
beacon_net_link(const struct beacon_net *n, size_t i, struct beacon_link *out)
{
	*out = n->links[i].pub;
}

static void
add_socket(struct beacon_net_stats *out, const struct udp_socket *s)
{
	if (s == NULL)
		return;
	out->kernel_drops += udp_stats(s)->kernel_drops;
	out->send_dropped += udp_stats(s)->send_dropped;
	out->send_refused += udp_stats(s)->send_refused;
}

void
beacon_net_stats(const struct beacon_net *n, struct beacon_net_stats *out)
{
	*out = n->stats;
	add_socket(out, n->out4);
	add_socket(out, n->out6);
	add_socket(out, n->in_broadcast);
	for (size_t i = 0; i < SOCKETS4_MAX; i++)
		add_socket(out, n->groups4[i].socket);
	for (size_t i = 0; i < n->link_count; i++)
		add_socket(out, n->links[i].in6);
}
