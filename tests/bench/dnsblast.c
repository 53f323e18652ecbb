/* SPDX-License-Identifier: MIT */
/*
 * Load for DNS benchmarks: keeps a window of questions outstanding for a while, in batches, over
 * one socket, and tells how many were answered.
 *
 *   dnsblast PORT NAMES SECONDS [WINDOW]
 *
 * Questions are nI.bench A for I below NAMES, in turn. NAMES 0: every question has a new name.
 * A window that gets no answer for 100 ms is written off as lost and sent anew.
 * Prints: answered=N lost=N seconds=S
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define SLOT  512

struct blast {
	int fd;
	unsigned names, window;
	unsigned outstanding;
	uint64_t sent, answered, lost;
	uint8_t out[BATCH][SLOT];
	uint8_t in[BATCH][SLOT];
	struct iovec out_iov[BATCH], in_iov[BATCH];
	struct mmsghdr out_msgs[BATCH], in_msgs[BATCH];
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static size_t
question(const struct blast *b, uint8_t *q)
{
	static const uint8_t tail[] = "\5bench\0\0\1\0\1";
	char label[32];
	uint64_t number =
	    b->names != 0 ? b->sent % b->names : b->sent + (uint64_t)getpid() * 1000000000;
	int n = snprintf(label, sizeof(label), "n%llu", (unsigned long long)number);

	memset(q, 0, 12);
	q[0] = (uint8_t)(b->sent >> 8);
	q[1] = (uint8_t)b->sent;
	q[2] = 1;
	q[5] = 1;
	q[12] = (uint8_t)n;
	memcpy(q + 13, label, (size_t)n);
	memcpy(q + 13 + n, tail, sizeof(tail) - 1);
	return 13 + (size_t)n + sizeof(tail) - 1;
}

static void
fill_window(struct blast *b)
{
	while (b->outstanding < b->window) {
		unsigned n = b->window - b->outstanding;

		if (n > BATCH)
			n = BATCH;
		for (unsigned i = 0; i < n; i++, b->sent++)
			b->out_iov[i].iov_len = question(b, b->out[i]);

		int sent = sendmmsg(b->fd, b->out_msgs, n, 0);

		if (sent <= 0)
			return;
		b->sent -= n - (unsigned)sent;
		b->outstanding += (unsigned)sent;
	}
}

static void
drain(struct blast *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };

	if (poll(&p, 1, 100) == 0) {
		b->lost += b->outstanding;
		b->outstanding = 0;
		return;
	}

	int n = recvmmsg(b->fd, b->in_msgs, BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		b->answered++;
		if (b->outstanding > 0)
			b->outstanding--;
	}
}

int
main(int argc, char **argv)
{
	static struct blast b;
	int size = 4 << 20;

	if (argc < 4)
		return 2;
	b.names = (unsigned)atoi(argv[2]);
	b.window = argc > 4 ? (unsigned)atoi(argv[4]) : 128;
	b.fd = socket(AF_INET, SOCK_DGRAM, 0);

	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)setsockopt(b.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (b.fd < 0 || connect(b.fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("dnsblast");
		return 1;
	}
	for (int i = 0; i < BATCH; i++) {
		b.out_iov[i] = (struct iovec){ b.out[i], SLOT };
		b.in_iov[i] = (struct iovec){ b.in[i], SLOT };
		b.out_msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &b.out_iov[i],
		    .msg_iovlen = 1 };
		b.in_msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &b.in_iov[i], .msg_iovlen = 1 };
	}

	double start = now(), end = start + atof(argv[3]);

	while (now() < end) {
		fill_window(&b);
		drain(&b);
	}
	printf("answered=%llu lost=%llu seconds=%.3f\n", (unsigned long long)b.answered,
	    (unsigned long long)b.lost, now() - start);
	return 0;
}
