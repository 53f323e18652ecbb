/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets. Receiving: one recvmmsg() per turn into slots shared by all sockets of a
 * loop. Sending: replies are written into the slots of one queue and leave by sendmmsg(), a run
 * of messages of one socket at a time.
 *
 * A socket bound to one address needs no control messages: its replies leave from that address
 * anyway, and asking the kernel for IP_PKTINFO on every datagram costs. Sockets on a wildcard
 * address ask (IP_PKTINFO, RFC 3542 IPV6_PKTINFO) and answer from the address that was asked.
 */
#include "core/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"

#define SLOTS		32		/* datagrams per system call; more buys nothing on Linux */
#define RCVBUF_DEFAULT	(1 << 20)	/* bytes; 512 queries at once must not overflow it */
#define SNDBUF_DEFAULT	(1 << 20)
#define CONTROL_BYTES	128		/* room for pktinfo and SO_RXQ_OVFL */

struct udp_socket {
	struct loop_fd watch;
	struct loop *loop;
	struct udp_io *io;
	struct addr local;
	void (*receive)(void *ctx, const struct dgram *dg);
	void *ctx;
	size_t dgram_max;
	bool pktinfo;
	bool receiving;		/* inside its own batch: release waits for the end of it */
	bool closing;
	uint32_t overflow_seen;	/* SO_RXQ_OVFL counts in 32 bits since the socket was made */
	struct udp_stats stats;
};

union control {
	struct cmsghdr align;
	uint8_t bytes[CONTROL_BYTES];
};

/* Receive and send slots, side by side. A slot's message header points at its fellows for ever. */
struct udp_io {
	size_t shape;		/* dgram_max that the receive iovecs are laid out for */
	unsigned rx_slots;	/* how many datagrams of that length fit the arena */
	struct mmsghdr rx[SLOTS];
	struct iovec rx_iov[SLOTS];
	struct addr rx_peer[SLOTS];
	union control rx_control[SLOTS];

	unsigned tx_used;
	struct udp_socket *tx_socket[SLOTS];
	struct mmsghdr tx[SLOTS];
	struct iovec tx_iov[SLOTS];
	struct addr tx_peer[SLOTS];
	union control tx_control[SLOTS];
	struct loop_task flush;

	uint8_t rx_arena[SLOTS * UDP_SLOT_BYTES];
	uint8_t tx_arena[SLOTS * UDP_SLOT_BYTES];
};

_Static_assert(SLOTS * UDP_SLOT_BYTES >= UDP_DGRAM_MAX, "the arena holds the longest datagram");

static void flush(struct udp_io *io);

/* --- the slots -------------------------------------------------------------------------------- */

static void
flush_task(struct loop_task *t)
{
	flush((struct udp_io *)((uint8_t *)t - offsetof(struct udp_io, flush)));
}

struct udp_io *
udp_io_new(void)
{
	struct udp_io *io = calloc(1, sizeof(*io));

	if (io == NULL)
		return NULL;
	io->flush.run = flush_task;
	for (unsigned i = 0; i < SLOTS; i++) {
		io->tx_iov[i].iov_base = io->tx_arena + (size_t)i * UDP_SLOT_BYTES;
		io->tx[i].msg_hdr.msg_iov = &io->tx_iov[i];
		io->tx[i].msg_hdr.msg_iovlen = 1;
		io->tx[i].msg_hdr.msg_name = &io->tx_peer[i];
		io->rx[i].msg_hdr.msg_iov = &io->rx_iov[i];
		io->rx[i].msg_hdr.msg_iovlen = 1;
		io->rx[i].msg_hdr.msg_name = &io->rx_peer[i];
		io->rx[i].msg_hdr.msg_control = &io->rx_control[i];
	}
	return io;
}

void
udp_io_free(struct udp_io *io)
{
	free(io);
}

/* The kernel has overwritten these lengths; make slot i ready for the next call. */
static void
rearm(struct udp_io *io, unsigned i)
{
	io->rx[i].msg_hdr.msg_namelen = sizeof(struct addr);
	io->rx[i].msg_hdr.msg_controllen = CONTROL_BYTES;
	io->rx[i].msg_hdr.msg_flags = 0;
}

static void
lay_out(struct udp_io *io, size_t dgram_max)
{
	size_t fits = sizeof(io->rx_arena) / dgram_max;

	io->shape = dgram_max;
	io->rx_slots = fits < SLOTS ? (unsigned)fits : SLOTS;
	for (unsigned i = 0; i < io->rx_slots; i++) {
		io->rx_iov[i].iov_base = io->rx_arena + i * dgram_max;
		io->rx_iov[i].iov_len = dgram_max;
		rearm(io, i);
	}
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Count what one failed message means. True where the whole run is best given up. */
static bool
count_failure(struct udp_socket *s, int error)
{
	if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
		s->stats.send_dropped++;
		return true;
	}
	s->stats.send_refused++;
	return false;
}

/* Send messages [from, to) of one socket. */
static void
flush_run(struct udp_io *io, struct udp_socket *s, unsigned from, unsigned to)
{
	while (from < to) {
		int n = sendmmsg(s->watch.fd, &io->tx[from], to - from,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			from++;
			if (count_failure(s, errno)) {
				s->stats.send_dropped += to - from;
				return;
			}
			continue;
		}
		for (unsigned end = from + (unsigned)n; from < end; from++) {
			s->stats.sent++;
			s->stats.sent_bytes += io->tx_iov[from].iov_len;
		}
	}
}

static void
flush(struct udp_io *io)
{
	unsigned from = 0;

	while (from < io->tx_used) {
		unsigned to = from + 1;

		while (to < io->tx_used && io->tx_socket[to] == io->tx_socket[from])
			to++;
		flush_run(io, io->tx_socket[from], from, to);
		from = to;
	}
	io->tx_used = 0;
}

void
udp_flush(struct loop *l)
{
	flush(loop_udp_io(l));
}

uint8_t *
udp_reserve(struct udp_socket *s, size_t max)
{
	struct udp_io *io = s->io;

	assert(max <= UDP_SLOT_BYTES);
	if (io->tx_used == SLOTS)
		flush(io);
	return io->tx_iov[io->tx_used].iov_base;
}

/* Say which address a message leaves from, and over which interface; 0 for the kernel's choice. */
static void
set_source(struct msghdr *m, union control *control, const struct addr *local, unsigned ifindex)
{
	struct cmsghdr *c = &control->align;

	m->msg_control = control;
	if (local->sa.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex,
			.ipi_spec_dst = local->in.sin_addr };

		m->msg_controllen = CMSG_SPACE(sizeof(info));
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = ifindex,
		    .ipi6_addr = local->in6.sin6_addr };

		m->msg_controllen = CMSG_SPACE(sizeof(info));
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

/* An address of the right family that leaves the choice to the kernel, to carry an interface. */
static struct addr
any_of(const struct addr *peer)
{
	struct addr any = { 0 };

	any.sa.sa_family = peer->sa.sa_family;
	return any;
}

void
udp_commit(struct udp_socket *s, size_t len, const struct addr *peer, const struct addr *local,
    unsigned ifindex)
{
	struct udp_io *io = s->io;
	unsigned i = io->tx_used;
	struct msghdr *m = &io->tx[i].msg_hdr;

	assert(i < SLOTS && len <= UDP_SLOT_BYTES);
	io->tx_socket[i] = s;
	io->tx_iov[i].iov_len = len;
	io->tx_peer[i] = *peer;
	m->msg_namelen = addr_len(peer);
	m->msg_control = NULL;
	m->msg_controllen = 0;
	if (local != NULL || ifindex != 0) {
		struct addr any = any_of(peer);

		set_source(m, &io->tx_control[i], local != NULL ? local : &any, ifindex);
	}
	io->tx_used++;
	loop_defer(s->loop, &io->flush);
}

/*
 * A link-local address means something on its interface alone, be it the peer's or the one that was
 * asked: the kernel refuses to send from one without. Others are reached over the best route.
 */
static unsigned
reply_interface(const struct dgram *dg)
{
	return addr_is_linklocal(dg->peer) || addr_is_linklocal(dg->reply_from) ? dg->ifindex : 0;
}

void
udp_commit_reply(struct udp_socket *s, size_t len, const struct dgram *dg)
{
	if (s->pktinfo)
		udp_commit(s, len, dg->peer, dg->reply_from, reply_interface(dg));
	else
		udp_commit(s, len, dg->peer, NULL, 0);
}

/* A datagram that fits no slot goes out by itself. */
static void
send_long(struct udp_socket *s, struct span data, const struct addr *peer, const struct addr *local,
    unsigned ifindex)
{
	union control control;
	struct addr to = *peer, any = any_of(peer);
	struct iovec iov = { .iov_len = data.len };
	struct msghdr m = { .msg_name = &to, .msg_namelen = addr_len(peer), .msg_iov = &iov,
		.msg_iovlen = 1 };

	memcpy(&iov.iov_base, &data.at, sizeof(data.at));	/* sendmsg() only reads it */
	if (local != NULL || ifindex != 0)
		set_source(&m, &control, local != NULL ? local : &any, ifindex);
	flush(s->io);
	while (sendmsg(s->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		(void)count_failure(s, errno);
		return;
	}
	s->stats.sent++;
	s->stats.sent_bytes += data.len;
}

void
udp_send(struct udp_socket *s, struct span data, const struct addr *peer, const struct addr *local,
    unsigned ifindex)
{
	if (data.len > UDP_SLOT_BYTES) {
		send_long(s, data, peer, local, ifindex);
		return;
	}

	uint8_t *slot = udp_reserve(s, data.len);

	if (data.len != 0)
		memcpy(slot, data.at, data.len);
	udp_commit(s, data.len, peer, local, ifindex);
}

void
udp_reply(struct udp_socket *s, struct span data, const struct dgram *dg)
{
	if (s->pktinfo)
		udp_send(s, data, dg->peer, dg->reply_from, reply_interface(dg));
	else
		udp_send(s, data, dg->peer, NULL, 0);
}

/* --- receiving -------------------------------------------------------------------------------- */

struct arrival {
	struct addr local;	/* destination in the packet */
	struct addr reply_from;	/* AF_UNSPEC: let the kernel choose */
	unsigned ifindex;
};

static void
read_pktinfo4(struct arrival *a, const struct cmsghdr *c, const struct addr *bound)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	a->ifindex = (unsigned)info.ipi_ifindex;
	a->local = (struct addr){ .in = { .sin_family = AF_INET, .sin_port = bound->in.sin_port,
					  .sin_addr = info.ipi_addr } };
	a->reply_from = a->local;
	/* For broadcast and multicast the kernel tells which of our addresses is next to it. */
	a->reply_from.in.sin_addr = info.ipi_spec_dst;
}

static void
read_pktinfo6(struct arrival *a, const struct cmsghdr *c, const struct addr *bound)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	a->ifindex = info.ipi6_ifindex;
	a->local = (struct addr){ .in6 = { .sin6_family = AF_INET6,
					   .sin6_port = bound->in6.sin6_port,
					   .sin6_addr = info.ipi6_addr } };
	if (addr_is_linklocal(&a->local))
		a->local.in6.sin6_scope_id = a->ifindex;
	a->reply_from = a->local;
	if (addr_is_multicast(&a->local))
		a->reply_from.in6.sin6_addr = in6addr_any;
}

static void
read_control(struct udp_socket *s, struct msghdr *m, struct arrival *a)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			read_pktinfo4(a, c, &s->local);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			read_pktinfo6(a, c, &s->local);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t total;

			memcpy(&total, CMSG_DATA(c), sizeof(total));
			s->stats.kernel_drops += (uint32_t)(total - s->overflow_seen);
			s->overflow_seen = total;
		}
	}
}

static void
deliver(struct udp_socket *s, unsigned i, mono_us now)
{
	struct udp_io *io = s->io;
	struct msghdr *m = &io->rx[i].msg_hdr;
	struct arrival a;
	struct dgram dg = {
		.data = span_of(io->rx_iov[i].iov_base, io->rx[i].msg_len),
		.peer = &io->rx_peer[i],
		.local = &s->local,
		.reply_from = &s->local,
		.truncated = (m->msg_flags & MSG_TRUNC) != 0,
		.socket = s,
		.now = now,
	};

	if (m->msg_controllen != 0) {
		a = (struct arrival){ .local = s->local, .reply_from = s->local };
		read_control(s, m, &a);
		dg.local = &a.local;
		dg.reply_from = &a.reply_from;
		dg.ifindex = a.ifindex;
	}
	s->stats.received++;
	s->stats.received_bytes += dg.data.len;
	s->stats.truncated += dg.truncated;
	s->receive(s->ctx, &dg);
}

static void
release(struct udp_socket *s)
{
	flush(s->io);
	loop_remove(s->loop, &s->watch);
	close(s->watch.fd);
	free(s);
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct udp_socket *s = (struct udp_socket *)w;
	struct udp_io *io = s->io;

	(void)events;
	if (io->shape != s->dgram_max)
		lay_out(io, s->dgram_max);

	int n = recvmmsg(s->watch.fd, io->rx, io->rx_slots, MSG_DONTWAIT, NULL);

	if (n < 0) {
		/* An ICMP error that the kernel kept for us; reading it has cleared it. */
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			s->stats.receive_errors++;
		return;
	}
	s->receiving = true;
	for (unsigned i = 0; i < (unsigned)n; i++) {
		if (!s->closing)
			deliver(s, i, loop_now(s->loop));
		rearm(io, i);
	}
	s->receiving = false;
	flush(io);
	if (s->closing)
		release(s);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void
set_buffer(int fd, int force, int plain, int bytes)
{
	/* Beyond the system's limit with the capability, up to the limit without. */
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof(bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

static void
set_option(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* What does not decide between working and not working: failures here are no reason to stop. */
static void
tune(int fd, int family, const struct udp_opts *opts, bool pktinfo)
{
	int pmtu = opts->transparent_mtu ? IP_PMTUDISC_DONT : IP_PMTUDISC_OMIT;

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF,
	    opts->rcvbuf != 0 ? opts->rcvbuf : RCVBUF_DEFAULT);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF,
	    opts->sndbuf != 0 ? opts->sndbuf : SNDBUF_DEFAULT);
	set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	if (family == AF_INET) {
		/* A forged "fragmentation needed" must not shrink what we send: RFC 9715. */
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, pmtu);
		if (pktinfo)
			set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	} else {
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, pmtu);
		if (pktinfo)
			set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
}

enum err
udp_adopt(struct udp_socket **out, struct loop *l, int fd, const struct udp_opts *opts)
{
	struct addr local = { 0 };
	socklen_t len = sizeof(local);

	assert(opts->receive != NULL);
	if (getsockname(fd, &local.sa, &len) != 0)
		return ERR_SYS;

	struct udp_socket *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	s->watch = (struct loop_fd){ .fd = fd, .ready = ready };
	s->loop = l;
	s->io = loop_udp_io(l);
	s->local = local;
	s->receive = opts->receive;
	s->ctx = opts->ctx;
	s->dgram_max = opts->dgram_max != 0 ? opts->dgram_max : UDP_SLOT_BYTES;
	s->pktinfo = opts->pktinfo || addr_is_any(&local);
	assert(s->dgram_max <= UDP_DGRAM_MAX);
	tune(fd, local.sa.sa_family, opts, s->pktinfo);
	if (loop_add(l, &s->watch, EPOLLIN) != OK) {
		free(s);
		return ERR_SYS;
	}
	*out = s;
	return OK;
}

enum err
udp_open(struct udp_socket **out, struct loop *l, const struct addr *local,
    const struct udp_opts *opts)
{
	int family = local->sa.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return ERR_SYS;
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (opts->reuse) {
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	}

	enum err e = ERR_SYS;

	if (bind(fd, &local->sa, addr_len(local)) == 0)
		e = udp_adopt(out, l, fd, opts);
	if (e != OK) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return e;
}

void
udp_close(struct udp_socket *s)
{
	if (s == NULL)
		return;
	if (s->receiving)
		s->closing = true;
	else
		release(s);
}

int
udp_fd(const struct udp_socket *s)
{
	return s->watch.fd;
}

const struct addr *
udp_local(const struct udp_socket *s)
{
	return &s->local;
}

const struct udp_stats *
udp_stats(const struct udp_socket *s)
{
	return &s->stats;
}
