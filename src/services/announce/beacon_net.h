/* SPDX-License-Identifier: MIT */
/*
 * Multicast on Linux: the sockets of the beacon protocol on every suitable link, kept so while
 * links come and go. Used by the daemon and by libhearth.
 *
 * Groups are joined by interface index, at most 16 to a socket (the kernel refuses the 21st of
 * IPv4). Sockets for the groups are bound to the group address, so nothing sent to us alone can
 * arrive there; what is for us alone comes by the one socket that everything is sent from.
 */
#ifndef SERVICES_ANNOUNCE_BEACON_NET_H
#define SERVICES_ANNOUNCE_BEACON_NET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/udp.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define BEACON_NET_PATTERNS_MAX 32
#define BEACON_REJOIN_DEFAULT 100000000	/* usec; Linux bridges forget members after 260 s */

struct log;
struct loop;
struct netif;
struct beacon_net;

struct beacon_net_ops {
	/* on_link: it came by the group or from a directly connected address. */
	void (*receive)(void *ctx, const struct dgram *dg, bool on_link);
	/*
	 * A link has come up or changed its addresses, at most every 10 s; or the machine has
	 * slept: say everything again.
	 */
	void (*changed)(void *ctx);
};

struct beacon_net_opts {
	const struct beacon_net_ops *ops;
	void *ctx;
	struct loop *loop;
	struct netif *netif;
	struct log *log;		/* NULL: says nothing */
	/*
	 * Names of interfaces with * and ?; copied. "*" alone means all but loopback, tunnels and
	 * those of containers; a pattern that says more is taken at its word.
	 */
	const char *const *interfaces;
	size_t interface_count;
	const char *const *broadcast;	/* where broadcasts go out as well */
	size_t broadcast_count;
	uint16_t port;			/* 0: BEACON_PORT */
	bool fixed_port;		/* send from this port, hear what is sent to it */
	bool ipv4, ipv6;
	usec rejoin;			/* 0: BEACON_REJOIN_DEFAULT */
};

struct beacon_net_stats {
	uint64_t joins_failed;
	uint64_t rejoins;
	uint64_t changes;		/* of links, as far as they concern us */
	uint64_t resumes;		/* times that the machine woke from sleep */
	uint64_t foreign_links;		/* datagrams from a link that is not ours */
	uint64_t received, kernel_drops, send_dropped, send_refused;
};

/* One link in use. */
struct beacon_link {
	unsigned ifindex;
	char name[IF_NAMESIZE];
	bool ipv4, ipv6;		/* joined */
	bool broadcast;
};

/* Errors: ERR_SYS (errno of socket(), bind()), ERR_NOMEM, ERR_FULL (too many patterns). */
enum err beacon_net_open(struct beacon_net **out, const struct beacon_net_opts *o) MUST_CHECK;
void beacon_net_close(struct beacon_net *n);

/* To every link. */
void beacon_net_multicast(struct beacon_net *n, struct span dgram);
/* To one address, from the port that multicast is sent from. */
void beacon_net_unicast(struct beacon_net *n, const struct addr *to, struct span dgram);

size_t beacon_net_links(const struct beacon_net *n);
void beacon_net_link(const struct beacon_net *n, size_t i, struct beacon_link *out);
void beacon_net_stats(const struct beacon_net *n, struct beacon_net_stats *out);

/* The engines' clock: the loop's, with the time that the machine slept. And back, for timers. */
mono_us beacon_net_now(const struct beacon_net *n);
mono_us beacon_net_timer(const struct beacon_net *n, mono_us at);

/* The wall clock in ms since 1970; 0 where it was obviously never set (a Pi without battery). */
int64_t beacon_net_wall_ms(void);

/* Say whether the patterns select an interface; for tests. flags as in struct netif_link. */
bool beacon_net_selects(const char *const *patterns, size_t n, const char *name, unsigned flags);

#endif
