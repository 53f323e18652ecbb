/* SPDX-License-Identifier: MIT */
/*
 * A bad line: relays UDP between clients and one server port, late, and loses some.
 *
 *	lossy PORT SERVER-PORT DELAY-US LOSS-PER-1000 SEED	127.0.0.1 on both sides
 *
 * Each packet waits DELAY-US each way. A client sees one server port, wherever answers come from;
 * what it sends goes to where the last one came from, and a TFTP request to SERVER-PORT.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define CLIENTS_MAX 64
#define QUEUE_MAX 4096		/* packets under way */
#define PACKET_MAX 2048

struct packet {
	int64_t at;
	int fd;
	struct sockaddr_in to;
	size_t len;
	uint8_t data[PACKET_MAX];
};

static struct packet queue[QUEUE_MAX];	/* the delay is the same for all: first in, first out */
static unsigned head, used;
static struct sockaddr_in clients[CLIENTS_MAX];
static struct sockaddr_in servers[CLIENTS_MAX];	/* port that the client's transfer is at */
static struct pollfd fds[CLIENTS_MAX + 1];	/* fds[0] faces the clients */
static unsigned count;
static struct sockaddr_in server;
static int64_t delay;
static unsigned loss;
static uint64_t rng;

static int64_t
clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool
is_lost(void)
{
	/* splitmix64: neighbouring seeds have nothing in common */
	uint64_t z = rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % 1000 < loss;
}

static int
open_port(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror("lossy");
		exit(1);
	}
	return fd;
}

static unsigned
client_of(const struct sockaddr_in *from)
{
	unsigned i = 0;

	while (i < count && clients[i].sin_port != from->sin_port)
		i++;
	if (i == CLIENTS_MAX)
		i = 0;	/* reuse: tests run one client after the other */
	if (i < count && clients[i].sin_port == from->sin_port)
		return i;
	clients[i] = *from;
	if (i == count) {
		fds[i + 1] = (struct pollfd){ .fd = open_port(0), .events = POLLIN };
		count++;
	}
	return i;
}

static void
take(unsigned from)
{
	struct packet *p = &queue[(head + used) % QUEUE_MAX];
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	ssize_t n = recvfrom(fds[from].fd, p->data, sizeof(p->data), MSG_DONTWAIT,
	    (struct sockaddr *)&peer, &peer_len);

	if (n < 0 || used == QUEUE_MAX || is_lost())
		return;
	p->at = clock_us() + delay;
	p->len = (size_t)n;
	if (from == 0) {
		unsigned client = client_of(&peer);
		bool request = n >= 2 && (p->data[1] == 1 || p->data[1] == 2);

		p->fd = fds[client + 1].fd;
		p->to = request ? server : servers[client];
	} else {
		p->fd = fds[0].fd;
		p->to = clients[from - 1];
		servers[from - 1] = peer;
	}
	used++;
}

int
main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	fds[0] = (struct pollfd){ .fd = open_port((uint16_t)atoi(argv[1])), .events = POLLIN };
	server = (struct sockaddr_in){.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(argv[2])),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	(void)prctl(PR_SET_TIMERSLACK, 1L);	/* else each way takes some 50 usec more */
	delay = atoi(argv[3]);
	loss = (unsigned)atoi(argv[4]);
	rng = strtoull(argv[5], NULL, 10) << 32;
	for (;;) {
		int64_t now = clock_us();
		struct timespec ts = { 0 };

		for (; used != 0 && queue[head].at <= now; used--, head = (head + 1) % QUEUE_MAX)
			(void)sendto(queue[head].fd, queue[head].data, queue[head].len, 0,
			    (struct sockaddr *)&queue[head].to, sizeof(queue[head].to));
		if (used != 0)
			ts.tv_nsec = (queue[head].at - now) * 1000;
		if (ppoll(fds, count + 1, used != 0 ? &ts : NULL, NULL) <= 0)
			continue;
		for (unsigned i = 0; i <= count; i++)
			if ((fds[i].revents & POLLIN) != 0)
				take(i);
	}
}
