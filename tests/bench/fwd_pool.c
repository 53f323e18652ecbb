/* SPDX-License-Identifier: MIT */
/*
 * The reference for cache misses: the cheapest forwarder that spreads its queries over ports. Takes
 * queries in batches, sends each over one of 64 connected sockets under an id of its own, and sends
 * the answer back. Keeps nothing, checks nothing.
 *
 *   fwd_pool PORT UPSTREAM-PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BATCH 64
#define POOL  64
#define SLOT  1500
#define IDS   65536

struct waiting {
	struct sockaddr_in client;
	uint16_t id;
};

static struct waiting table[IDS];
static uint8_t slots[BATCH][SLOT];
static struct sockaddr_in peers[BATCH];
static struct mmsghdr msgs[BATCH];
static struct iovec iov[BATCH];

static int
open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int size = 4 << 20;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int
receive(int fd)
{
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ slots[i], SLOT };
		msgs[i].msg_hdr = (struct msghdr){ .msg_name = &peers[i],
		    .msg_namelen = sizeof(peers[i]),
			.msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	return recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
}

static void
forward(int front, const int *pool)
{
	static uint16_t next;
	static uint32_t state = 1;
	int n = receive(front);

	for (int i = 0; i < n; i++) {
		uint16_t id = next++;

		state = state * 1664525 + 1013904223;
		memcpy(&table[id].id, slots[i], 2);
		table[id].client = peers[i];
		memcpy(slots[i], &id, 2);
		(void)send(pool[state >> 26], slots[i], msgs[i].msg_len, 0);
	}
}

static void
give_back(int front, int upstream)
{
	int n = receive(upstream);

	for (int i = 0; i < n; i++) {
		uint16_t id;

		memcpy(&id, slots[i], 2);
		memcpy(slots[i], &table[id].id, 2);
		iov[i].iov_len = msgs[i].msg_len;
		peers[i] = table[id].client;
		msgs[i].msg_hdr.msg_namelen = sizeof(peers[i]);
	}
	for (int done = 0; done < n;) {
		int sent = sendmmsg(front, msgs + done, (unsigned)(n - done), 0);

		done += sent > 0 ? sent : 1;
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event events[POOL + 1];
	int pool[POOL];
	int ep = epoll_create1(0), front = open_socket();

	if (argc < 3)
		return 2;

	struct sockaddr_in at = loopback(argv[1]), up = loopback(argv[2]);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = front };

	if (bind(front, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, front, &ev) != 0) {
		perror("fwd_pool");
		return 1;
	}
	for (int i = 0; i < POOL; i++) {
		pool[i] = ev.data.fd = open_socket();
		if (connect(pool[i], (struct sockaddr *)&up, sizeof(up)) != 0 ||
		    epoll_ctl(ep, EPOLL_CTL_ADD, pool[i], &ev) != 0) {
			perror("fwd_pool");
			return 1;
		}
	}
	for (;;) {
		int n = epoll_wait(ep, events, POOL + 1, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == front)
				forward(front, pool);
			else
				give_back(front, events[i].data.fd);
		}
	}
}
