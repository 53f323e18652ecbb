/* SPDX-License-Identifier: MIT */
/*
 * What a TFTP sender costs at the very least: no files, no timers, no checks, one transfer or many
 * side by side. The reference that the server is measured against.
 *
 *	tftp_bare PORT SIZE gso|mmsg		serves any name as SIZE bytes
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRANSFERS_MAX 1024
#define WINDOW_MAX 64
#define SEGMENT_BYTES_MAX 65507

struct transfer {
	struct sockaddr_in peer;
	unsigned blksize, window;
	uint64_t acked, last;	/* blocks */
	size_t tail;		/* bytes of the last one */
};

static uint64_t size;
static int use_gso;
static uint8_t packets[WINDOW_MAX * 65468];
static struct transfer transfers[TRANSFERS_MAX];	/* by descriptor */

static void
put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void
send_gso(int fd, struct transfer *t, size_t len, size_t slot)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(2)];
	} control = { 0 };
	size_t fit = SEGMENT_BYTES_MAX / slot * slot;
	uint16_t segment = (uint16_t)slot;

	for (size_t at = 0; at < len; at += fit) {
		struct iovec iov = { packets + at, len - at < fit ? len - at : fit };
		struct msghdr msg = { .msg_name = &t->peer, .msg_namelen = sizeof(t->peer),
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		c->cmsg_level = SOL_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(2);
		memcpy(CMSG_DATA(c), &segment, 2);
		if (sendmsg(fd, &msg, 0) < 0)
			perror("sendmsg");
	}
}

static void
send_mmsg(int fd, struct transfer *t, size_t len, size_t slot)
{
	struct mmsghdr msgs[WINDOW_MAX];
	struct iovec iov[WINDOW_MAX];
	unsigned n = 0;

	for (size_t at = 0; at < len; at += slot, n++) {
		iov[n] = (struct iovec){ packets + at, len - at < slot ? len - at : slot };
		msgs[n].msg_hdr = (struct msghdr){ .msg_name = &t->peer,
			.msg_namelen = sizeof(t->peer), .msg_iov = &iov[n], .msg_iovlen = 1 };
	}
	if ((n == 1 ? sendmsg(fd, &msgs[0].msg_hdr, 0) : sendmmsg(fd, msgs, n, 0)) < 0)
		perror("sendmmsg");
}

static void
send_window(int fd, struct transfer *t)
{
	size_t slot = t->blksize + 4, len = 0;

	for (unsigned i = 0; i < t->window && t->acked + 1 + i <= t->last; i++) {
		uint64_t block = t->acked + 1 + i;

		put16(packets + i * slot, 3);
		put16(packets + i * slot + 2, (unsigned)block & 0xffff);
		len += 4 + (block == t->last ? t->tail : t->blksize);
	}
	if (use_gso && len > slot)
		send_gso(fd, t, len, slot);
	else
		send_mmsg(fd, t, len, slot);
}

static unsigned
option(const uint8_t *request, size_t len, const char *name, unsigned otherwise)
{
	const uint8_t *at = memmem(request, len, name, strlen(name) + 1);

	return at != NULL ? (unsigned)strtoul((const char *)at + strlen(name) + 1, NULL, 10)
			  : otherwise;
}

static void
begin(int listening, int epoll)
{
	uint8_t request[600] = { 0 }, oack[100];
	struct sockaddr_in from,
	    any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t from_len = sizeof(from);
	int buffer = 1 << 20, fd;
	ssize_t n = recvfrom(listening, request, sizeof(request) - 1, 0, (struct sockaddr *)&from,
	    &from_len);

	if (n < 4 || (fd = socket(AF_INET, SOCK_DGRAM, 0)) < 0 || fd >= TRANSFERS_MAX)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return;

	struct transfer *t = &transfers[fd];
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	*t = (struct transfer){ .peer = from,
		.blksize = option(request, (size_t)n, "blksize", 512),
		.window = option(request, (size_t)n, "windowsize", 1) };
	t->last = size / t->blksize + 1;
	t->tail = size % t->blksize;
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
	n = snprintf((char *)oack, sizeof(oack), "%c%cblksize%c%u%cwindowsize%c%u", 0, 6, 0,
	    t->blksize, 0, 0, t->window);
	(void)sendto(fd, oack, (size_t)n + 1, 0, (struct sockaddr *)&from, sizeof(from));
}

static void
go_on(int fd)
{
	struct transfer *t = &transfers[fd];
	uint8_t ack[64];
	ssize_t n = recv(fd, ack, sizeof(ack), 0);

	if (n < 4 || ack[1] != 4)
		return;
	t->acked += (uint16_t)((unsigned)(ack[2] << 8 | ack[3]) - (unsigned)t->acked);
	if (t->acked >= t->last)
		close(fd);
	else
		send_window(fd, t);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listening = socket(AF_INET, SOCK_DGRAM, 0), epoll = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = listening }, got[64];

	if (argc != 4)
		return 2;
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	size = strtoull(argv[2], NULL, 10);
	use_gso = strcmp(argv[3], "gso") == 0;
	if (bind(listening, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &ev) != 0)
		return 1;
	for (;;) {
		int n = epoll_wait(epoll, got, 64, -1);

		for (int i = 0; i < n; i++) {
			if (got[i].data.fd == listening)
				begin(listening, epoll);
			else
				go_on(got[i].data.fd);
		}
	}
}
