/* SPDX-License-Identifier: MIT */
/*
 * The socket is not connected, so that packets of strangers arrive and get their ERROR 5 as
 * RFC 1350 §4 wants, instead of an ICMP message that boot ROMs do not understand.
 */
#include "services/tftp/tftp_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEGMENTS_MAX 64		/* of one UDP_SEGMENT send, udp(7) */
#define SEGMENT_BYTES_MAX 65507	/* bytes of one such send: an IPv4 datagram */
#define BUFFER_BYTES (1 << 20)	/* a window of large blocks, both ways */
#define TRIES_MAX 64		/* ports tried in a range */

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

static void
set_options(int fd, int family)
{
	int size = BUFFER_BYTES, dont4 = IP_PMTUDISC_DONT, dont6 = IPV6_PMTUDISC_DONT, on = 1;

	/* All of them may fail without harm; odd MTUs fragment rather than fail. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (family == AF_INET) {
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont4, sizeof(dont4));
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &dont6, sizeof(dont6));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
}

static enum err
bind_port(int fd, struct addr *local, uint16_t first, uint16_t last, uint32_t random)
{
	uint32_t ports = first != 0 ? (uint32_t)(last - first) + 1 : 1;

	for (uint32_t i = 0; i < ports && i < TRIES_MAX; i++) {
		if (first != 0)
			addr_set_port(local, (uint16_t)(first + (random + i) % ports));
		else
			addr_set_port(local, 0);
		if (bind(fd, &local->sa, addr_len(local)) == 0)
			return OK;
		if (errno != EADDRINUSE)
			return ERR_SYS;
	}
	return ERR_FULL;
}

enum err
tftp_io_open(struct tftp_io *io, const struct addr *local, const struct addr *peer, uint16_t first,
    uint16_t last, uint32_t random)
{
	int family = peer->sa.sa_family;
	socklen_t len = sizeof(io->local);
	enum err e;

	*io = (struct tftp_io){ .gso = true, .peer = *peer, .local = *local };
	io->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (io->fd < 0)
		return ERR_SYS;
	set_options(io->fd, family);
	e = bind_port(io->fd, &io->local, first, last, random);
	if (e == OK && getsockname(io->fd, &io->local.sa, &len) != 0)
		e = ERR_SYS;
	if (e != OK) {
		int saved = errno;

		tftp_io_close(io);
		errno = saved;
	}
	return e;
}

void
tftp_io_share(struct tftp_io *io, int fd, const struct addr *local, const struct addr *peer)
{
	*io = (struct tftp_io){ .fd = fd, .shared = true, .gso = true, .peer = *peer,
		.local = *local };
}

void
tftp_io_close(struct tftp_io *io)
{
	if (!io->shared && io->fd >= 0)
		close(io->fd);
	io->fd = -1;
}

/* Append a control message. */
static void
put_control(struct msghdr *msg, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c =
	    (struct cmsghdr *)(void *)((uint8_t *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

/* Address a message; on a shared socket name the address it leaves from. */
static void
address(const struct tftp_io *io, struct msghdr *msg, union control *control, struct addr *peer)
{
	memset(control, 0, sizeof(*control));
	*msg = (struct msghdr){ .msg_name = &peer->sa, .msg_namelen = addr_len(peer),
		.msg_control = control->bytes };
	if (!io->shared)
		return;
	if (io->local.sa.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = io->local.in.sin_addr };

		put_control(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_addr = io->local.in6.sin6_addr,
			.ipi6_ifindex = io->local.in6.sin6_scope_id };

		put_control(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static bool
is_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

/* One system call for up to SEGMENTS_MAX packets. -1: not this way. */
static int
send_segments(struct tftp_io *io, struct span packets, size_t size, struct tftp_io_stats *stats)
{
	size_t fit = SEGMENT_BYTES_MAX / size < SEGMENTS_MAX ? SEGMENT_BYTES_MAX / size
							     : SEGMENTS_MAX;
	size_t len = packets.len < fit * size ? packets.len : fit * size;
	uint16_t segment = (uint16_t)size;
	struct iovec iov = { (void *)(uintptr_t)packets.at, len };
	struct addr peer = io->peer;
	union control control;
	struct msghdr msg;

	if (fit < 2)
		return -1;
	address(io, &msg, &control, &peer);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	put_control(&msg, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	if (sendmsg(io->fd, &msg, 0) >= 0) {
		stats->segmented++;
		return (int)((len + size - 1) / size);
	}
	return is_full(errno) ? 0 : -1;
}

static unsigned
send_each(struct tftp_io *io, struct span packets, size_t size, struct tftp_io_stats *stats)
{
	struct mmsghdr msgs[SEGMENTS_MAX];
	struct iovec iov[SEGMENTS_MAX];
	struct addr peer = io->peer;
	union control control;
	unsigned n = 0;

	for (size_t at = 0; at < packets.len && n < SEGMENTS_MAX; at += size, n++) {
		size_t left = packets.len - at;

		iov[n] = (struct iovec){ (void *)(uintptr_t)(packets.at + at),
			left < size ? left : size };
		if (n == 0)
			address(io, &msgs[0].msg_hdr, &control, &peer);
		else
			msgs[n].msg_hdr = msgs[0].msg_hdr;
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n].msg_hdr.msg_iovlen = 1;
	}

	int sent = n == 1 ? (sendmsg(io->fd, &msgs[0].msg_hdr, 0) >= 0 ? 1 : -1)
			  : sendmmsg(io->fd, msgs, n, 0);

	if (sent > 0)
		return (unsigned)sent;
	if (is_full(errno))
		return 0;
	stats->refused++;	/* as if lost on the way: the timers deal with it */
	return 1;
}

unsigned
tftp_io_send(struct tftp_io *io, struct span packets, size_t size, struct tftp_io_stats *stats)
{
	unsigned done = 0;

	while (packets.len != 0) {
		int n =
		    io->gso && packets.len > size ? send_segments(io, packets, size, stats) : -1;

		if (n < 0 && io->gso && packets.len > size) {
			io->gso = false;
			stats->gso_refused++;
		}
		if (n < 0)
			n = (int)send_each(io, packets, size, stats);
		if (n == 0)
			break;
		done += (unsigned)n;

		size_t bytes = (size_t)n * size < packets.len ? (size_t)n * size : packets.len;

		packets = span_of(packets.at + bytes, packets.len - bytes);
	}
	return done;
}

bool
tftp_io_receive(const struct tftp_io *io, uint8_t *buf, size_t cap, struct addr *from, size_t *len)
{
	socklen_t from_len = sizeof(*from);
	ssize_t n = recvfrom(io->fd, buf, cap, MSG_TRUNC, &from->sa, &from_len);

	if (n < 0)
		return false;
	*len = (size_t)n;
	return true;
}

void
tftp_io_answer(const struct tftp_io *io, struct span packet, const struct addr *to)
{
	struct iovec iov = { (void *)(uintptr_t)packet.at, packet.len };
	struct addr peer = *to;
	union control control;
	struct msghdr msg;

	address(io, &msg, &control, &peer);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	(void)sendmsg(io->fd, &msg, 0);
}
