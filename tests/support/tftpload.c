/* SPDX-License-Identifier: MIT */
/*
 * A TFTP client for tests and load: fast, and able to misbehave.
 *
 *	tftpload get HOST PORT NAME BLKSIZE WINDOW CLIENTS	fetch at once, tell how fast
 *	tftpload ask HOST PORT NAME				say what the first answer is
 *	tftpload pause HOST PORT NAME BLKSIZE BLOCKS		fetch to the output, with a pause after
 *								BLOCKS until a line of input comes
 *	tftpload leave HOST PORT NAME error|silent		begin an upload, send a block, go
 *	tftpload flood HOST PORT NAME RATE SECONDS		requests that nobody acknowledges
 *
 * \xNN in NAME is a byte. Not a model client: it trusts the server.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/addr.h"
#include "util/wire.h"

#define BATCH 64
#define PACKET_MAX 65536
#define CLIENTS_MAX 1024
#define PATIENCE_MS 15000

struct client {
	int fd;
	struct addr server;	/* port of the transfer once it is known */
	bool known;
	bool done;
	uint64_t next;		/* block waited for */
	unsigned unacked;
	uint64_t gap_told;
	uint64_t bytes;
	int64_t heard;		/* usec */
	int64_t stall;		/* longest silence, usec */
	int64_t resent_at;
	unsigned requests;
};

static char name[600];
static size_t name_len;
static struct addr server;
static unsigned blksize = 512, window = 1;
static uint8_t (*buffers)[PACKET_MAX];

static int64_t
clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
die(const char *what)
{
	fprintf(stderr, "tftpload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
unescape(const char *text)
{
	for (; *text != '\0' && name_len < sizeof(name); text++) {
		unsigned byte;

		if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
			name[name_len++] = (char)byte;
			text += 3;
		} else {
			name[name_len++] = *text;
		}
	}
}

static int
open_socket(void)
{
	int fd = socket(server.sa.sa_family, SOCK_DGRAM, 0), size = 4 << 20;

	if (fd < 0)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static size_t
request(uint8_t *buf, size_t cap, uint16_t op, bool options)
{
	struct wire_wr wr = wire_wr_of(buf, cap);
	char number[16];

	wire_wr_u16(&wr, op);
	wire_wr_cstr(&wr, span_of(name, name_len));
	wire_wr_cstr(&wr, span_str("octet"));
	if (options) {
		wire_wr_cstr(&wr, span_str("blksize"));
		(void)snprintf(number, sizeof(number), "%u", blksize);
		wire_wr_cstr(&wr, span_str(number));
		if (window > 1) {
			wire_wr_cstr(&wr, span_str("windowsize"));
			(void)snprintf(number, sizeof(number), "%u", window);
			wire_wr_cstr(&wr, span_str(number));
		}
	}
	return wire_wr_len(&wr);
}

static void
send_to(int fd, const void *data, size_t len, const struct addr *to)
{
	(void)sendto(fd, data, len, 0, &to->sa, addr_len(to));
}

static void
ack(struct client *c)
{
	uint8_t buf[4] = { 0, 4, (uint8_t)((c->next - 1) >> 8), (uint8_t)(c->next - 1) };

	send_to(c->fd, buf, sizeof(buf), &c->server);
	c->unacked = 0;
}

/* As RFC 7440 has it: in order; a gap is told once; repeats of the last block are answered. */
static void
take_data(struct client *c, uint16_t block, size_t len)
{
	if (block != (uint16_t)c->next) {
		if (block == (uint16_t)(c->next - 1) && c->unacked == 0) {
			ack(c);
		} else if ((uint16_t)(block - c->next) < window && c->gap_told != c->next) {
			c->gap_told = c->next;
			ack(c);
		}
		return;
	}
	c->next++;
	c->bytes += len;
	c->unacked++;
	c->done = len < blksize;
	if (c->done || c->unacked >= window)
		ack(c);
}

static void
take(struct client *c, const uint8_t *data, size_t len, const struct addr *from, int64_t now)
{
	uint16_t op = (uint16_t)(data[0] << 8 | data[1]);

	if (len < 4 || c->done)
		return;
	if (now - c->heard > c->stall)
		c->stall = now - c->heard;
	c->heard = now;
	if (!c->known) {
		c->server = *from;
		c->known = true;
	}
	if (op == 6) {
		if (c->next == 1)
			ack(c);
	} else if (op == 3) {
		take_data(c, (uint16_t)(data[2] << 8 | data[3]), len - 4);
	} else if (op == 5) {
		fprintf(stderr, "tftpload: server says %u: %.*s\n", data[3], (int)(len - 4),
			data + 4);
		exit(1);
	}
}

static void
drain(struct client *c)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct addr from[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buffers[i], PACKET_MAX };
		msgs[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
			.msg_namelen = sizeof(from[i]), .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	n = recvmmsg(c->fd, msgs, BATCH, MSG_DONTWAIT, NULL);

	int64_t now = clock_us();

	for (int i = 0; i < n; i++)
		take(c, buffers[i], msgs[i].msg_len, &from[i], now);
}

static void
start(struct client *c, int64_t now)
{
	uint8_t buf[700];

	*c = (struct client){ .fd = open_socket(), .next = 1, .heard = now, .resent_at = now,
		.requests = 1 };
	send_to(c->fd, buf, request(buf, sizeof(buf), 1, true), &server);
}

/* A second without a word: ask again, or acknowledge again. */
static void
nudge(struct client *c, int64_t now)
{
	uint8_t buf[700];

	if (c->done || now - c->heard < 1000000 || now - c->resent_at < 1000000)
		return;
	c->resent_at = now;
	if (c->known) {
		ack(c);
		return;
	}
	c->requests++;
	send_to(c->fd, buf, request(buf, sizeof(buf), 1, true), &server);
}

static int
get(unsigned clients)
{
	static struct client c[CLIENTS_MAX];
	static struct pollfd p[CLIENTS_MAX];
	int64_t began = clock_us(), stall = 0, progress = began;
	unsigned left = clients, requests = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < clients; i++) {
		start(&c[i], clock_us());
		p[i] = (struct pollfd){ .fd = c[i].fd, .events = POLLIN };
	}
	while (left != 0) {
		int n = poll(p, clients, 50);
		int64_t now = clock_us();

		if (n > 0)
			progress = now;
		if (now - progress > PATIENCE_MS * 1000)
			return 1;
		for (unsigned i = 0; i < clients; i++) {
			if (p[i].fd < 0)
				continue;
			if ((p[i].revents & POLLIN) != 0)
				drain(&c[i]);
			nudge(&c[i], now);
			if (!c[i].done)
				continue;
			p[i].fd = -1;
			left--;
			bytes += c[i].bytes;
			requests += c[i].requests;
			stall = c[i].stall > stall ? c[i].stall : stall;
		}
	}
	printf("bytes=%" PRIu64 " seconds=%.6f stall_ms=%.1f requests=%u\n", bytes,
	    (double)(clock_us() - began) / 1e6, (double)stall / 1e3, requests);
	return 0;
}

/* Wait for one packet; gives its length, 0 for none. */
static size_t
wait_packet(int fd, uint8_t *buf, struct addr *from, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	socklen_t len = sizeof(*from);
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return 0;
	n = recvfrom(fd, buf, PACKET_MAX, 0, &from->sa, &len);
	return n > 0 ? (size_t)n : 0;
}

static int
ask(void)
{
	uint8_t *buf = buffers[0];
	int fd = open_socket();
	struct addr from;
	size_t n;

	send_to(fd, buf, request(buf, PACKET_MAX, 1, false), &server);
	n = wait_packet(fd, buf, &from, 3000);
	if (n < 4)
		printf("silence\n");
	else if (buf[1] == 5)
		printf("error %u\n", buf[3]);
	else
		printf("op %u bytes %zu\n", buf[1], n - 4);
	/* Be polite: the transfer is not wanted. */
	if (n >= 4 && buf[1] != 5)
		send_to(fd, "\0\5\0\0bye", 8, &from);
	return 0;
}

static bool
write_out(const uint8_t *data, size_t len)
{
	return write(STDOUT_FILENO, data, len) == (ssize_t)len;
}

/* One block after the other; whoever reads the output sees when the pause has come. */
static int
fetch_with_pause(uint64_t blocks)
{
	struct client c = { .fd = open_socket(), .next = 1 };
	uint8_t *buf = buffers[0];
	char line[8];
	size_t n;

	send_to(c.fd, buf, request(buf, PACKET_MAX, 1, true), &server);
	while ((n = wait_packet(c.fd, buf, &c.server, 5000)) >= 4) {
		if (buf[1] == 5) {
			fprintf(stderr, "error %u: %.*s\n", buf[3], (int)(n - 4), buf + 4);
			return 1;
		}
		if (buf[1] == 3 && (uint16_t)(buf[2] << 8 | buf[3]) != (uint16_t)c.next)
			continue;
		if (buf[1] == 3 && !write_out(buf + 4, n - 4))
			die("write");
		c.next += buf[1] == 3;
		if (c.next - 1 == blocks && fgets(line, sizeof(line), stdin) == NULL)
			return 1;
		ack(&c);
		if (buf[1] == 3 && n - 4 < blksize)
			return 0;
	}
	fprintf(stderr, "silence\n");
	return 1;
}

static int
leave(bool with_error)
{
	uint8_t *buf = buffers[0];
	int fd = open_socket();
	struct addr from;

	send_to(fd, buf, request(buf, PACKET_MAX, 2, false), &server);
	if (wait_packet(fd, buf, &from, 3000) < 4 || buf[1] != 4)
		return 1;
	memset(buf, 'x', 516);
	memcpy(buf, "\0\3\0\1", 4);
	send_to(fd, buf, 516, &from);
	if (wait_packet(fd, buf, &from, 3000) < 4 || buf[1] != 4)
		return 1;
	if (with_error)
		send_to(fd, "\0\5\0\0enough", 11, &from);
	return 0;
}

static int
flood(unsigned rate, unsigned seconds)
{
	static int fds[256];
	int64_t began = clock_us();
	uint64_t sent = 0, sent_bytes = 0, got = 0, got_bytes = 0, total = (uint64_t)rate * seconds;
	struct addr from;
	size_t n;

	for (unsigned i = 0; i < 256; i++)
		fds[i] = open_socket();
	while (sent < total) {
		int64_t due = began + (int64_t)(sent * 1000000 / rate);

		while (clock_us() < due)
			(void)poll(NULL, 0, 1);
		n = request(buffers[0], PACKET_MAX, 1, true);
		if (sent >= 256) {	/* another port: the same one would join its transfer */
			close(fds[sent % 256]);
			fds[sent % 256] = open_socket();
		}
		send_to(fds[sent % 256], buffers[0], n, &server);
		sent++;
		sent_bytes += n;
		while ((n = wait_packet(fds[sent % 256], buffers[1], &from, 0)) != 0) {
			got++;
			got_bytes += n;
		}
	}
	for (unsigned i = 0; i < 256; i++)
		while ((n = wait_packet(fds[i], buffers[1], &from, i == 0 ? 500 : 0)) != 0) {
			got++;
			got_bytes += n;
		}
	printf("sent=%" PRIu64 " sent_bytes=%" PRIu64 " got=%" PRIu64 " got_bytes=%" PRIu64 "\n",
	       sent, sent_bytes, got, got_bytes);
	return 0;
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	buffers = calloc(BATCH, sizeof(*buffers));
	if (argc < 5 || buffers == NULL ||
	    addr_parse(&server, argv[2], (uint16_t)number(argv[3])) != OK) {
		fprintf(stderr, "usage: tftpload get|ask|pause|leave|flood HOST PORT NAME …\n");
		return 2;
	}
	unescape(argv[4]);
	if (strcmp(argv[1], "get") == 0 && argc == 8) {
		blksize = number(argv[5]);
		window = number(argv[6]);
		if (number(argv[7]) > CLIENTS_MAX)
			return 2;
		return get(number(argv[7]));
	}
	if (strcmp(argv[1], "ask") == 0)
		return ask();
	if (strcmp(argv[1], "pause") == 0 && argc == 7) {
		blksize = number(argv[5]);
		return fetch_with_pause(number(argv[6]));
	}
	if (strcmp(argv[1], "leave") == 0 && argc == 6)
		return leave(strcmp(argv[5], "error") == 0);
	if (strcmp(argv[1], "flood") == 0 && argc == 7) {
		blksize = 1400;
		return flood(number(argv[5]), number(argv[6]));
	}
	return 2;
}
