/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets in the loop: received in batches, sent in batches.
 *
 * A datagram that a service receives lies in a buffer of the loop and is gone when the callback
 * returns. Replies are composed in place: udp_reserve() gives room in the send queue, udp_commit()
 * queues what was written there, and the loop flushes the queue with one sendmmsg() per socket at
 * the end of each received batch and at the end of the turn.
 */
#ifndef CORE_UDP_H
#define CORE_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define UDP_DGRAM_MAX 65535	/* bytes; more than IPv4 (65507) or IPv6 (65527) can carry */
#define UDP_SLOT_BYTES 4096	/* what udp_reserve() gives at most */

struct loop;
struct udp_socket;

/* One received datagram. Everything in it, data included, is valid until receive() returns. */
struct dgram {
	struct span data;
	const struct addr *peer;
	const struct addr *local;	/* the address it was sent to; port included */
	/* ours to answer from: not local where that is a group or broadcast */
	const struct addr *reply_from;
	unsigned ifindex;		/* where it came in; 0 where the socket does not ask */
	bool truncated;			/* was longer than dgram_max; data holds the first part */
	struct udp_socket *socket;
	mono_us now;
};

struct udp_stats {
	uint64_t received;		/* datagrams */
	uint64_t received_bytes;
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t truncated;		/* longer than dgram_max */
	/* kernel buffer full (EAGAIN, ENOBUFS): lost like any datagram */
	uint64_t send_dropped;
	/* refused by the kernel: no route, interface gone, firewall */
	uint64_t send_refused;
	uint64_t receive_errors;	/* ICMP errors and the like */
	uint64_t kernel_drops;		/* lost for want of receive buffer (SO_RXQ_OVFL) */
};

struct udp_opts {
	/* Called for each datagram; ctx is the value below. */
	void (*receive)(void *ctx, const struct dgram *dg);
	void *ctx;
	size_t dgram_max;	/* longest datagram wanted, bytes; 0: 4096 */
	int rcvbuf;		/* SO_RCVBUF in bytes; 0: 1 MiB */
	int sndbuf;		/* SO_SNDBUF in bytes; 0: 1 MiB */
	bool pktinfo;		/* fill dgram.local and ifindex even on a socket with one address */
	bool reuse;		/* SO_REUSEADDR and SO_REUSEPORT: share a multicast port */
	bool transparent_mtu;	/* IP_PMTUDISC_DONT: fragment rather than fail */
};

/*
 * Open, bind and watch a socket. An IPv6 socket takes IPv6 only. On a socket bound to 0.0.0.0 or
 * :: each reply leaves from the address that was asked (IP_PKTINFO, IPV6_RECVPKTINFO).
 *
 * local   address and port; port 0: the kernel picks one, see udp_local()
 * errors  ERR_SYS (errno of socket(), bind(), ...), ERR_NOMEM
 */
enum err udp_open(struct udp_socket **out, struct loop *l, const struct addr *local,
    const struct udp_opts *opts) MUST_CHECK;
/* The same on a bound descriptor, which then belongs to the socket (socket activation). */
enum err udp_adopt(struct udp_socket **out, struct loop *l, int fd,
    const struct udp_opts *opts) MUST_CHECK;
/* Flush what is queued, close and release; NULL is fine; safe inside its own receive(). */
void udp_close(struct udp_socket *s);

/*
 * Give room for a datagram of up to `max` bytes (<= UDP_SLOT_BYTES) at the end of the send queue.
 * Never NULL: where the queue is full it is flushed first. Valid until the next udp_ call.
 */
uint8_t *udp_reserve(struct udp_socket *s, size_t max);
/* Queue the first len bytes of what udp_reserve() gave as the answer to dg. */
void udp_commit_reply(struct udp_socket *s, size_t len, const struct dgram *dg);
/* Queue them to any peer. local may be NULL: the kernel chooses; ifindex may be 0. */
void udp_commit(struct udp_socket *s, size_t len, const struct addr *peer,
    const struct addr *local, unsigned ifindex);
/*
 * Send a copy of data; queued where it fits a slot, sent at once otherwise. Losses are counted,
 * not returned: a datagram may always be lost.
 */
void udp_send(struct udp_socket *s, struct span data, const struct addr *peer,
    const struct addr *local, unsigned ifindex);
void udp_reply(struct udp_socket *s, struct span data, const struct dgram *dg);

/* Send what is queued now; the loop does so by itself at the end of batches and turns. */
void udp_flush(struct loop *l);

int udp_fd(const struct udp_socket *s);
/* The bound address, with the port that the kernel picked. */
const struct addr *udp_local(const struct udp_socket *s);
const struct udp_stats *udp_stats(const struct udp_socket *s);

/* --- the loop's side -------------------------------------------------------------------------- */

/* The slots that all sockets of a loop receive into and send from. */
struct udp_io;

struct udp_io *udp_io_new(void);	/* NULL: out of memory */
void udp_io_free(struct udp_io *io);

#endif
