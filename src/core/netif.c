/* SPDX-License-Identifier: MIT */
/*
 * Interfaces and addresses over rtnetlink.
 *
 * One socket carries the notifications and the answers to our own dumps, and one function applies
 * both, so there is no window between "read" and "follow". A full read is two dumps, links and then
 * addresses; entries that neither dump nor a notification has touched when it ends are gone:
 *
 *   SYNC_NONE --start--> SYNC_LINKS --done--> SYNC_ADDRS --done--> sweep, SYNC_NONE
 *
 * A read that is interrupted, refused or not answered starts again after a moment; a lost
 * notification (ENOBUFS) starts one. Watchers are told after a pause in which a burst of changes
 * settles, and not again within the damping time.
 *
 * Neighbours are asked for on a socket of their own: the kernel answers within the system call, so
 * that a read which would block means that there is no answer.
 */
#include "core/netif.h"

#include "core/log.h"
#include "core/loop.h"
#include "core/netif_table.h"
#include "core/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NETIF_BUF_BYTES	   32768		/* the kernel fills dumps up to this size */
#define NETIF_RCVBUF	   (512 * 1024)
#define NETIF_READS	   8			/* netlink reads in one turn */
#define NETIF_SETTLE	   millis(50)		/* a burst of changes is one change */
#define NETIF_DAMPING	   millis(500)
#define NETIF_RETRY	   millis(500)		/* a full read that failed or hangs */
#define NETIF_POLL	   seconds(30)		/* where notifications are refused */
#define NETIF_START_MS	   2000			/* the first read, altogether */
#define NETIF_NEIGH_READS  64			/* replies to one question about a neighbour */
#define NETIF_NEIGH_PLACES 4			/* interfaces that one address is looked for on */

#define NEIGH_VALID (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

enum netif_sync {
	SYNC_NONE,	/* no full read is under way */
	SYNC_LINKS,	/* the dump of links is awaited */
	SYNC_ADDRS,	/* the dump of addresses is awaited */
};

struct netif {
	struct loop_fd watch;		/* first, so that a watch is its netif */
	struct loop *loop;
	struct log *log;
	struct mnl_socket *nl;		/* NULL where netlink is refused */
	struct mnl_socket *ask;		/* for neighbours; NULL until the first question */
	bool following;			/* notifications are subscribed to */
	enum netif_sync sync;
	uint32_t seq;			/* of the last dump asked for */
	uint32_t ask_seq;		/* of the last question about a neighbour */
	struct timer retry;		/* starts a full read */
	struct timer tell;		/* tells the watchers */
	mono_us told;			/* when they were told last */
	struct netif_watch *next_watch;	/* the one to be told next while telling */
	LIST_HEAD(, netif_watch) watches;
	struct netif_stats stats;
	struct netif_table table;
};

/* --- telling ---------------------------------------------------------------------------------- */

static void
on_tell(struct timer *t, mono_us now)
{
	struct netif *n = (struct netif *)((uint8_t *)t - offsetof(struct netif, tell));
	struct netif_watch *w;

	n->told = now;
	for (w = LIST_FIRST(&n->watches); w != NULL; w = n->next_watch) {
		n->next_watch = LIST_NEXT(w, link);
		w->changed(w);
	}
	n->next_watch = NULL;
}

/* Note so many changes of the tables. */
static void
changed(struct netif *n, size_t count)
{
	mono_us at = loop_now(n->loop) + NETIF_SETTLE;

	n->stats.changes += count;
	n->stats.dropped = n->table.dropped;
	if (count == 0 || timer_running(&n->tell))
		return;
	if (at < n->told + NETIF_DAMPING)
		at = n->told + NETIF_DAMPING;
	loop_timer(n->loop, &n->tell, at);
}

void
netif_watch(struct netif *n, struct netif_watch *w)
{
	LIST_INSERT_HEAD(&n->watches, w, link);
}

void
netif_unwatch(struct netif *n, struct netif_watch *w)
{
	if (n->next_watch == w)
		n->next_watch = LIST_NEXT(w, link);
	LIST_REMOVE(w, link);
}

/* --- messages --------------------------------------------------------------------------------- */

static const struct nlattr *
first_attr(const struct nlmsghdr *h, size_t offset)
{
	return netlink_attr_before(mnl_nlmsg_get_payload_offset(h, offset),
	    mnl_nlmsg_get_payload_tail(h));
}

static const struct nlattr *
next_attr(const struct nlmsghdr *h, const struct nlattr *a)
{
	return netlink_attr_before(mnl_attr_next(a), mnl_nlmsg_get_payload_tail(h));
}

static void
take_link(struct netif *n, const struct nlmsghdr *h)
{
	struct netif_link link;
	const struct nlattr *a;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(struct ifinfomsg))
		return;

	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);

	/*
	 * A bridge reports its ports with messages of its own family: not the link coming or going.
	 */
	if (ifi->ifi_family != AF_UNSPEC)
		return;
	if (h->nlmsg_type == RTM_DELLINK) {
		changed(n, netif_table_drop_link(&n->table, (unsigned)ifi->ifi_index));
		return;
	}
	memset(&link, 0, sizeof(link));
	link.ifindex = (unsigned)ifi->ifi_index;
	link.flags = ifi->ifi_flags;
	for (a = first_attr(h, sizeof(*ifi)); a != NULL; a = next_attr(h, a)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
				strncpy(link.name, mnl_attr_get_str(a), sizeof(link.name) - 1);
			break;
		case IFLA_MTU:
			if (mnl_attr_validate(a, MNL_TYPE_U32) == 0)
				link.mtu = mnl_attr_get_u32(a);
			break;
		default:
			break;
		}
	}
	changed(n, netif_table_put_link(&n->table, &link));
}

/* Read an address attribute of a family; false where its length does not fit. */
static bool
attr_addr(const struct nlattr *a, int family, struct addr *out)
{
	size_t len = mnl_attr_get_payload_len(a);

	memset(out, 0, sizeof(*out));
	if (family == AF_INET && len == sizeof(out->in.sin_addr)) {
		out->in.sin_family = AF_INET;
		memcpy(&out->in.sin_addr, mnl_attr_get_payload(a), len);
		return true;
	}
	if (family == AF_INET6 && len == sizeof(out->in6.sin6_addr)) {
		out->in6.sin6_family = AF_INET6;
		memcpy(&out->in6.sin6_addr, mnl_attr_get_payload(a), len);
		return true;
	}
	return false;
}

/* Fill in one entry from a message; false where it holds no address that we understand. */
static bool
parse_addr(const struct nlmsghdr *h, struct netif_addr *out)
{
	struct addr local = { 0 }, far = { 0 };
	const struct nlattr *a;

	memset(out, 0, sizeof(*out));
	if (mnl_nlmsg_get_payload_len(h) < sizeof(struct ifaddrmsg))
		return false;

	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	uint32_t flags = ifa->ifa_flags;

	for (a = first_attr(h, sizeof(*ifa)); a != NULL; a = next_attr(h, a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == IFA_LOCAL && !attr_addr(a, ifa->ifa_family, &local))
			return false;
		if (type == IFA_ADDRESS && !attr_addr(a, ifa->ifa_family, &far))
			return false;
		if (type == IFA_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			flags = mnl_attr_get_u32(a);
	}
	/*
	 * IFA_ADDRESS is the far end of a point-to-point link, and where there is one the network.
	 */
	if (far.sa.sa_family == AF_UNSPEC)
		far = local;
	if (local.sa.sa_family == AF_UNSPEC)
		local = far;
	if (local.sa.sa_family == AF_UNSPEC)
		return false;
	if (addr_is_linklocal(&local) && local.sa.sa_family == AF_INET6)
		local.in6.sin6_scope_id = ifa->ifa_index;
	out->ifindex = ifa->ifa_index;
	out->addr = local;
	prefix_of(&out->net, &far, ifa->ifa_prefixlen);
	out->usable = (flags & (IFA_F_DADFAILED | IFA_F_DEPRECATED)) == 0 &&
	    ((flags & IFA_F_TENTATIVE) == 0 || (flags & IFA_F_OPTIMISTIC) != 0);
	out->temporary = ifa->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
	return true;
}

static void
take_addr(struct netif *n, const struct nlmsghdr *h)
{
	struct netif_addr a;

	if (!parse_addr(h, &a))
		return;
	if (h->nlmsg_type == RTM_NEWADDR)
		changed(n, netif_table_put_addr(&n->table, &a));
	else
		changed(n, netif_table_drop_addr(&n->table, &a));
}

/* --- full reads ------------------------------------------------------------------------------- */

static bool
request_dump(struct netif *n, uint16_t type)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++n->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	g->rtgen_family = AF_UNSPEC;
	return mnl_socket_sendto(n->nl, h, h->nlmsg_len) >= 0;
}

/* Start reading everything anew; the timer sees to it that a read which fails starts again. */
static void
read_all(struct netif *n)
{
	netif_table_begin(&n->table);
	n->sync = request_dump(n, RTM_GETLINK) ? SYNC_LINKS : SYNC_NONE;
	loop_timer(n->loop, &n->retry, loop_now(n->loop) + NETIF_RETRY);
}

static void
read_all_later(struct netif *n)
{
	n->sync = SYNC_NONE;
	if (!timer_running(&n->retry))
		loop_timer(n->loop, &n->retry, loop_now(n->loop) + NETIF_RETRY);
}

static void
on_retry(struct timer *t, mono_us now)
{
	(void)now;
	read_all((struct netif *)((uint8_t *)t - offsetof(struct netif, retry)));
}

/* A dump has ended: go on to the next. */
static void
dump_done(struct netif *n)
{
	if (n->sync == SYNC_LINKS) {
		if (request_dump(n, RTM_GETADDR))
			n->sync = SYNC_ADDRS;
		else
			read_all_later(n);
		return;
	}
	if (n->sync != SYNC_ADDRS)
		return;
	changed(n, netif_table_sweep(&n->table));
	n->sync = SYNC_NONE;
	if (n->following)
		loop_timer_cancel(n->loop, &n->retry);
	else
		loop_timer(n->loop, &n->retry, loop_now(n->loop) + NETIF_POLL);
}

static void
take_message(struct netif *n, const struct nlmsghdr *h)
{
	bool ours = h->nlmsg_seq == n->seq && n->sync != SYNC_NONE;

	/* The kernel's tables changed while it wrote them out: what we got may have holes. */
	if (ours && (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		read_all_later(n);
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(n, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_addr(n, h);
		break;
	case NLMSG_DONE:
		if (ours)
			dump_done(n);
		break;
	case NLMSG_ERROR:
		if (ours)
			read_all_later(n);
		break;
	default:
		break;
	}
}

/* Read one buffer of messages; false where there are no more for now. */
static bool
read_messages(struct netif *n)
{
	_Alignas(struct nlmsghdr) char buf[NETIF_BUF_BYTES];
	ssize_t got = mnl_socket_recvfrom(n->nl, buf, sizeof(buf));

	if (got < 0) {
		if (errno == ENOBUFS || errno == ENOSPC) {
			/* Notifications were lost. */
			n->stats.overruns++;
			read_all_later(n);
			return true;
		}
		return errno == EINTR;
	}

	int left = (int)got;

	for (const struct nlmsghdr *h = (const void *)buf; netlink_is_message(h, left);
	     h = mnl_nlmsg_next(h, &left))
		take_message(n, h);
	return got > 0;
}

static void
on_ready(struct loop_fd *w, uint32_t events)
{
	struct netif *n = (struct netif *)w;

	(void)events;
	for (int i = 0; i < NETIF_READS && read_messages(n); i++)
		continue;
}

/* --- start and end ---------------------------------------------------------------------------- */

/* Open and bind; where notifications are refused the socket can still ask. */
static bool
open_socket(struct netif *n)
{
	const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	const int rcvbuf = NETIF_RCVBUF;

	n->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (n->nl == NULL)
		return false;
	n->following = mnl_socket_bind(n->nl, groups, MNL_SOCKET_AUTOPID) == 0;
	if (!n->following && mnl_socket_bind(n->nl, 0, MNL_SOCKET_AUTOPID) != 0)
		return false;
	n->watch.fd = mnl_socket_get_fd(n->nl);
	(void)setsockopt(n->watch.fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	return true;
}

/* Wait for the first full read; false where it does not come. */
static bool
await_first_read(struct netif *n)
{
	struct pollfd p = { .fd = n->watch.fd, .events = POLLIN };
	mono_us end = loop_clock(n->loop) + millis(NETIF_START_MS);

	read_all(n);
	while (n->sync != SYNC_NONE && loop_clock(n->loop) < end) {
		(void)poll(&p, 1, 100);
		while (n->sync != SYNC_NONE && read_messages(n))
			continue;
	}
	return n->table.addr_count != 0 || n->table.link_count != 0;
}

/* Give up netlink, all but the questions that need none. */
static void
do_without(struct netif *n, const char *why)
{
	log_note(n->log, LOG_LEVEL_WARNING, "netif",
	    "netlink is refused (%s): interfaces and addresses are unknown, \"local\" means "
	    "loopback and private networks",
	    why);
	loop_timer_cancel(n->loop, &n->retry);
	if (n->nl != NULL)
		mnl_socket_close(n->nl);
	n->nl = NULL;
}

enum err
netif_new(struct netif **out, struct loop *l, struct log *lg)
{
	struct netif *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return ERR_NOMEM;
	n->loop = l;
	n->log = lg;
	n->watch.ready = on_ready;
	n->retry.fire = on_retry;
	n->tell.fire = on_tell;
	n->told = loop_now(l) - NETIF_DAMPING;
	LIST_INIT(&n->watches);
	*out = n;
	if (!open_socket(n)) {
		do_without(n, strerror(errno));
		return OK;
	}
	if (!await_first_read(n)) {
		do_without(n, "no answer");
		return OK;
	}
	if (loop_add(l, &n->watch, EPOLLIN) != OK) {
		do_without(n, strerror(errno));
		return OK;
	}
	if (!n->following)
		log_note(lg, LOG_LEVEL_WARNING, "netif",
		    "notifications are refused: changes of addresses are noticed every 30 s only");
	/* Nobody watches yet: what was read so far is not news. */
	loop_timer_cancel(l, &n->tell);
	n->stats.changes = 0;
	return OK;
}

void
netif_free(struct netif *n)
{
	if (n == NULL)
		return;
	loop_timer_cancel(n->loop, &n->retry);
	loop_timer_cancel(n->loop, &n->tell);
	if (n->nl != NULL) {
		loop_remove(n->loop, &n->watch);
		mnl_socket_close(n->nl);
	}
	if (n->ask != NULL)
		mnl_socket_close(n->ask);
	free(n);
}

/* --- questions -------------------------------------------------------------------------------- */

size_t
netif_links(const struct netif *n, const struct netif_link **out)
{
	*out = n->table.links;
	return n->table.link_count;
}

size_t
netif_addrs(const struct netif *n, const struct netif_addr **out)
{
	*out = n->table.addrs;
	return n->table.addr_count;
}

const struct netif_link *
netif_link_find(const struct netif *n, unsigned ifindex)
{
	return netif_table_link(&n->table, ifindex);
}

bool
netif_is_own(const struct netif *n, const struct addr *a)
{
	return netif_table_is_own(&n->table, a);
}

bool
netif_is_connected(const struct netif *n, const struct addr *a)
{
	return netif_table_is_connected(&n->table, a);
}

const struct netif_stats *
netif_stats(const struct netif *n)
{
	return &n->stats;
}

/* --- neighbours ------------------------------------------------------------------------------- */

/* A question about one neighbour, and what has come of it. */
struct neigh_ask {
	const struct addr *addr;
	unsigned ifindex;
	uint32_t seq;
	bool found;
	bool ended;	/* the kernel has nothing more to say */
	int error;	/* its errno */
	uint8_t mac[6];
};

static void
take_neigh(struct neigh_ask *q, const struct nlmsghdr *h)
{
	const struct nlattr *a;
	const struct nlattr *mac = NULL;
	struct addr dst = { 0 };

	if (mnl_nlmsg_get_payload_len(h) < sizeof(struct ndmsg))
		return;

	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);

	if ((unsigned)nd->ndm_ifindex != q->ifindex || (nd->ndm_state & NEIGH_VALID) == 0)
		return;
	for (a = first_attr(h, sizeof(*nd)); a != NULL; a = next_attr(h, a)) {
		if (mnl_attr_get_type(a) == NDA_DST && !attr_addr(a, nd->ndm_family, &dst))
			return;
		if (mnl_attr_get_type(a) == NDA_LLADDR)
			mac = a;
	}
	if (mac == NULL || mnl_attr_get_payload_len(mac) != sizeof(q->mac) ||
	    dst.sa.sa_family == AF_UNSPEC || !netif_same_host(q->addr, &dst))
		return;
	memcpy(q->mac, mnl_attr_get_payload(mac), sizeof(q->mac));
	q->found = true;
}

/* Send one question: about the very neighbour, or (old kernels) for the whole table. */
static bool
send_neigh(struct netif *n, const struct neigh_ask *q, uint16_t flags)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *nd;
	const uint8_t *bytes;
	size_t len = addr_bytes(q->addr, &bytes);

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = q->seq;
	nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	nd->ndm_family = (uint8_t)q->addr->sa.sa_family;
	if (flags == 0) {
		nd->ndm_ifindex = (int)q->ifindex;
		mnl_attr_put(h, NDA_DST, len, bytes);
	}
	return mnl_socket_sendto(n->ask, h, h->nlmsg_len) >= 0;
}

/* Read one buffer of answers; false where none is there. */
static bool
read_neigh(struct netif *n, struct neigh_ask *q, bool dump)
{
	_Alignas(struct nlmsghdr) char buf[NETIF_BUF_BYTES];
	ssize_t got = mnl_socket_recvfrom(n->ask, buf, sizeof(buf));
	int left = (int)got;

	if (got <= 0)
		return false;
	for (const struct nlmsghdr *h = (const void *)buf; netlink_is_message(h, left);
	     h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != q->seq)
			continue;
		if (h->nlmsg_type == RTM_NEWNEIGH) {
			take_neigh(q, h);
			q->ended |= !dump;
		} else if (h->nlmsg_type == NLMSG_DONE) {
			q->ended = true;
		} else if (h->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(h) >= sizeof(struct nlmsgerr)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			q->error = e->error != INT_MIN ? -e->error : EPROTO;
			q->ended = true;
		}
	}
	return true;
}

static void
close_ask(struct netif *n)
{
	if (n->ask != NULL)
		mnl_socket_close(n->ask);
	n->ask = NULL;
}

/* Ask and read the whole answer. Where that goes wrong the socket goes too: it may hold a rest. */
static enum err
ask_neigh(struct netif *n, struct neigh_ask *q, uint16_t flags)
{
	if (n->ask == NULL)
		n->ask = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (n->ask == NULL)
		return ERR_SYS;
	q->seq = ++n->ask_seq;
	q->ended = false;
	q->error = 0;
	if (!send_neigh(n, q, flags)) {
		close_ask(n);
		return ERR_SYS;
	}
	for (int i = 0; i < NETIF_NEIGH_READS && !q->ended; i++)
		if (!read_neigh(n, q, flags != 0))
			break;
	if (!q->ended)
		close_ask(n);
	if (q->found)
		return OK;
	if (!q->ended)
		return ERR_SYS;
	return q->error == 0 || q->error == ENOENT ? ERR_NOTFOUND : ERR_SYS;
}

static enum err
neigh_on(struct netif *n, const struct addr *a, unsigned ifindex, uint8_t mac[static 6])
{
	struct neigh_ask q = { .addr = a, .ifindex = ifindex };
	enum err e = ask_neigh(n, &q, 0);

	/* Kernels before 5.0 know the table only as a whole. */
	if (e == ERR_SYS && (q.error == EOPNOTSUPP || q.error == EINVAL))
		e = ask_neigh(n, &q, NLM_F_DUMP);
	if (e == OK)
		memcpy(mac, q.mac, sizeof(q.mac));
	return e;
}

enum err
netif_neighbour(struct netif *n, const struct addr *a, uint8_t mac[static 6])
{
	unsigned tried[NETIF_NEIGH_PLACES];
	unsigned count = 0;
	enum err e = ERR_NOTFOUND;

	if (a->sa.sa_family == AF_INET6 && a->in6.sin6_scope_id != 0)
		return neigh_on(n, a, a->in6.sin6_scope_id, mac);
	for (size_t i = 0; i < n->table.addr_count && count < NETIF_NEIGH_PLACES; i++) {
		const struct netif_addr *at = &n->table.addrs[i];
		unsigned ifindex = at->ifindex;
		bool known = false;

		for (unsigned k = 0; k < count; k++)
			known |= tried[k] == ifindex;
		if (known || !netif_in_network(at, a))
			continue;
		e = neigh_on(n, a, ifindex, mac);
		if (e == OK)
			return OK;
		tried[count++] = ifindex;
	}
	return e;
}
