/* SPDX-License-Identifier: MIT */
/*
 * How long a valid event takes while a flood of junk comes in that carries the right key id, so
 * that each piece costs an attempt to open it.
 *
 *	beacon_flood INTERFACE TRUST GROUP-KEY EVENTS [JUNK-PER-SECOND [SECONDS]]
 *
 * Waits for that many events of anybody's and prints the times from their making to their arrival.
 * The flood is sent by a child, to the group on the same interface. tests/bench/beacon-flood runs
 * it in a namespace of its own.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hearth/listen.h"
#include "services/announce/beacon_crypt.h"

#define BATCH 50
#define EVENTS_MAX 1000

struct tally {
	unsigned wanted, count;
	double delay_ms[EVENTS_MAX];
};

static double
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
news(void *ctx, const struct hearth_news *n)
{
	struct tally *t = ctx;

	if (n->type == HEARTH_EVENT && n->confirmed && t->count < EVENTS_MAX)
		t->delay_ms[t->count++] = clock_ms(CLOCK_REALTIME) - (double)n->time_ms;
}

/* Send junk at an even rate until time is up; gives how many were sent. */
static void
flood(const char *interface, const struct beacon_keyring *ring, double rate, double span_s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(BEACON_PORT) };
	struct ip_mreqn out = { .imr_ifindex = (int)if_nametoindex(interface) };
	uint8_t junk[300] = { 0 };
	struct beacon_hdr h = { .version = 1, .min_version = 1, .type = BEACON_EVENT,
		.flags = BEACON_SEALED | BEACON_SIGNED, .hdr_len = BEACON_HDR_BYTES,
		.body_len = sizeof(junk) - BEACON_HDR_BYTES, .key_id = ring->keys[0].id,
		.sender = 1, .epoch = 1, .seq = 1, .frag_count = 1 };
	struct mmsghdr m[BATCH];
	struct iovec iov = { junk, sizeof(junk) };
	struct wire_wr wr = wire_wr_of(junk, sizeof(junk));
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ttl = 0;	/* not to the announcer as well */
	double began = clock_ms(CLOCK_MONOTONIC), sent = 0, passed;

	beacon_hdr_put(&wr, &h);
	inet_pton(AF_INET, BEACON_GROUP4, &to.sin_addr);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
	for (size_t i = 0; i < BATCH; i++)
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &to, .msg_namelen = sizeof(to),
		    .msg_iov = &iov, .msg_iovlen = 1 } };
	while ((passed = clock_ms(CLOCK_MONOTONIC) - began) < span_s * 1e3) {
		if (sent < passed / 1e3 * rate) {
			int n = sendmmsg(fd, m, BATCH, 0);

			sent += n > 0 ? n : 0;
		} else {
			usleep(200);
		}
	}
	fprintf(stderr, "flood: %.0f datagrams, %.0f a second\n", sent, sent / passed * 1e3);
	_exit(0);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_counts(const struct hearth_listener *l, double span_s)
{
	const char *name;
	uint64_t v, received = 0;

	for (unsigned i = 0; (name = hearth_listen_count(l, i, &v)) != NULL; i++) {
		if (strcmp(name, "received") == 0)
			received = v;
		if (v != 0)
			printf("  %s=%llu", name, (unsigned long long)v);
	}
	printf("\n  %.0f datagrams a second were taken in\n", (double)received / span_s);
}

int
main(int argc, char **argv)
{
	static struct tally t;
	const char *interfaces[] = { argc > 1 ? argv[1] : NULL, NULL };
	struct hearth_listen_opts o = { .size = sizeof(o), .interfaces = interfaces, .news = news,
		.ctx = &t };
	struct hearth_listener *l;
	struct beacon_keyring ring;
	char why[HEARTH_WHY_MAX];

	if (argc < 5) {
		fprintf(stderr, "beacon_flood INTERFACE TRUST GROUP-KEY EVENTS [RATE [SECONDS]]\n");
		return 2;
	}
	o.trust = argv[2];
	o.group_key = argv[3];
	t.wanted = (unsigned)strtoul(argv[4], NULL, 10);
	if (hearth_listen_open(&l, &o, why) != 0 ||
	    beacon_keyring_load(&ring, argv[3], why) != OK) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	double rate = argc > 5 ? strtod(argv[5], NULL) : 100000;
	double span = argc > 6 ? strtod(argv[6], NULL) : 5;
	double began = clock_ms(CLOCK_MONOTONIC), end = began + span * 1e3 + 3000;
	pid_t child = rate > 0 ? fork() : 0;

	if (child == 0 && rate > 0)
		flood(argv[1], &ring, rate, span);
	while (t.count < t.wanted && clock_ms(CLOCK_MONOTONIC) < end) {
		struct pollfd p = { .fd = hearth_listen_fd(l), .events = POLLIN };

		(void)poll(&p, 1, hearth_listen_timeout(l));
		if (hearth_listen_process(l) != 0)
			break;
	}
	qsort(t.delay_ms, t.count, sizeof(t.delay_ms[0]), by_value);
	if (t.count != 0)
		printf("%u of %u events; delay: median %.1f ms, 95 %% %.1f ms, longest %.1f ms\n",
		    t.count, t.wanted, t.delay_ms[t.count / 2], t.delay_ms[t.count * 95 / 100],
		    t.delay_ms[t.count - 1]);
	print_counts(l, (clock_ms(CLOCK_MONOTONIC) - began) / 1e3);
	hearth_listen_close(l);
	if (child > 0) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
	}
	return t.count == t.wanted ? 0 : 1;
}
