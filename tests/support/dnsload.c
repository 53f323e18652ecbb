/* SPDX-License-Identifier: MIT */
/*
 * dnsload: asks a DNS server many questions at once and tells what came back.
 *
 *   dnsload --server ADDRESS:PORT --name NAME [--type N] [--count N] [--window N] [--ports N]
 *	     [--sources N] [--mix-case] [--junk] [--seed N] [--seconds N]
 *
 * NAME may hold one %d, which becomes the number of the question. --window questions are
 * outstanding at once (all, when it equals --count); an answer that is not there after 6 s is lost.
 * --ports spreads them over that many sockets, --sources over that many clients, 127.0.0.2 and so
 * on; each has a socket at least. --mix-case draws the letter case of each question
 * and expects it back. --junk sends random bytes instead (half of them start like a query) and
 * counts what comes back. Prints key=value lines:
 *
 *   sent= answered= lost= wrong= noerror= nxdomain= servfail= refused= other=
 *   p50_us= p99_us= max_us=
 *
 * `wrong` counts answers whose question or letter case is not the one asked. Exit status 0 where
 * everything sent was answered rightly, 1 otherwise, 2 for bad usage.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/addr.h"
#include "util/mono.h"
#include "util/wire.h"

#define PORTS_MAX  256
#define IDS	   65536
#define QUERY_MAX  512
#define ANSWER_MAX 65535
#define PATIENCE   seconds(6)

struct question {
	bool open;
	mono_us sent_at;
	size_t len;
	uint8_t bytes[280];	/* the whole query */
};

struct load {
	struct addr server;
	const char *name;
	uint16_t type;
	unsigned count, window, ports, sources, limit_s;
	bool mix_case, junk;
	uint64_t random;
	int fds[PORTS_MAX];
	struct question *questions;	/* by id */
	usec *latencies;
	unsigned sent, answered, wrong, outstanding, came;
	unsigned rcodes[16];
};

static mono_us
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return seconds(ts.tv_sec) + ts.tv_nsec / 1000;
}

static uint64_t
draw(struct load *l)
{
	uint64_t z = (l->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint8_t
cased(struct load *l, char c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return (uint8_t)(l->mix_case && letter && (draw(l) & 1) != 0 ? c ^ 0x20 : c);
}

static size_t
write_query(struct load *l, uint16_t id, unsigned number, uint8_t *out, size_t cap)
{
	char name[256];
	struct wire_wr wr = wire_wr_of(out, cap);
	const char *mark = strstr(l->name, "%d");

	if (mark != NULL)
		snprintf(name, sizeof(name), "%.*s%u%s", (int)(mark - l->name), l->name, number,
		    mark + 2);
	else
		snprintf(name, sizeof(name), "%s", l->name);
	wire_wr_u16(&wr, id);
	wire_wr_u16(&wr, 0x0100);
	wire_wr_u16(&wr, 1);
	wire_wr_u16(&wr, 0);
	wire_wr_u32(&wr, 0);
	for (const char *label = name; *label != '\0';) {
		size_t len = strcspn(label, ".");

		wire_wr_u8(&wr, (uint8_t)len);
		for (size_t i = 0; i < len; i++)
			wire_wr_u8(&wr, cased(l, label[i]));
		label += len + (label[len] == '.');
	}
	wire_wr_u8(&wr, 0);
	wire_wr_u16(&wr, l->type);
	wire_wr_u16(&wr, 1);
	return wr.bad ? 0 : wire_wr_len(&wr);
}

static void
send_one(struct load *l)
{
	uint16_t id = (uint16_t)l->sent;
	struct question *q = &l->questions[id];

	q->len = write_query(l, id, l->sent, q->bytes, sizeof(q->bytes));
	q->open = true;
	q->sent_at = now();
	if (q->len == 0 || send(l->fds[l->sent % l->ports], q->bytes, q->len, 0) < 0) {
		perror("dnsload: send");
		exit(1);
	}
	l->sent++;
	l->outstanding++;
}

static void
take_answer(struct load *l, const uint8_t *bytes, size_t len)
{
	l->came++;
	if (l->junk || len < 12)
		return;

	struct question *q = &l->questions[bytes[0] << 8 | bytes[1]];

	if (!q->open) {
		l->wrong++;
		return;
	}
	q->open = false;
	l->outstanding--;
	if (len < q->len || memcmp(bytes + 12, q->bytes + 12, q->len - 12) != 0) {
		l->wrong++;
		return;
	}
	l->latencies[l->answered++] = now() - q->sent_at;
	l->rcodes[bytes[3] & 15]++;
}

static void
receive(struct load *l, int timeout_ms)
{
	static uint8_t buf[ANSWER_MAX];
	struct pollfd p[PORTS_MAX];

	for (unsigned i = 0; i < l->ports; i++)
		p[i] = (struct pollfd){ .fd = l->fds[i], .events = POLLIN };
	if (poll(p, l->ports, timeout_ms) <= 0)
		return;
	for (unsigned i = 0; i < l->ports; i++) {
		ssize_t n;

		while (p[i].revents != 0 && (n = recv(p[i].fd, buf, sizeof(buf),
		    MSG_DONTWAIT)) >= 0)
			take_answer(l, buf, (size_t)n);
	}
}

static void
ask_all(struct load *l)
{
	mono_us end = now() + seconds(l->limit_s);
	mono_us last = now();

	while ((l->sent < l->count || l->outstanding != 0) && now() < end) {
		unsigned before = l->came;

		while (l->sent < l->count && l->outstanding < l->window)
			send_one(l);
		receive(l, 50);
		if (l->came != before)
			last = now();
		else if (now() - last > PATIENCE)
			break;
	}
}

/* Random datagrams, 1 to 511 bytes; every second one has a header that passes for a query's. */
static void
throw_junk(struct load *l)
{
	uint8_t buf[QUERY_MAX];
	mono_us end = now() + seconds(l->limit_s);

	while (l->sent < l->count && now() < end) {
		uint64_t r = draw(l);
		size_t len = 1 + (size_t)(r % (QUERY_MAX - 1));

		for (size_t i = 0; i < len; i += 8) {
			uint64_t bits = draw(l);

			memcpy(buf + i, &bits, len - i < 8 ? len - i : 8);
		}
		if ((r >> 32 & 1) != 0 && len >= 12)
			memcpy(buf + 2, "\1\0\0\1\0\0\0\0\0\1", 10);
		(void)send(l->fds[l->sent % l->ports], buf, len, 0);
		l->sent++;
		if (l->sent % 32 == 0)
			receive(l, 0);
	}
	receive(l, 200);
}

static int
by_size(const void *a, const void *b)
{
	usec x = *(const usec *)a, y = *(const usec *)b;

	return (x > y) - (x < y);
}

static int
tell(struct load *l)
{
	unsigned known = l->rcodes[0] + l->rcodes[2] + l->rcodes[3] + l->rcodes[5];

	qsort(l->latencies, l->answered, sizeof(usec), by_size);
	printf("sent=%u answered=%u lost=%u wrong=%u noerror=%u nxdomain=%u servfail=%u refused=%u "
	       "other=%u", l->sent, l->junk ? l->came : l->answered, l->outstanding, l->wrong,
	    l->rcodes[0], l->rcodes[3], l->rcodes[2], l->rcodes[5], l->answered - known);
	if (l->answered != 0)
		printf(" p50_us=%lld p99_us=%lld max_us=%lld",
		    (long long)l->latencies[l->answered / 2],
		    (long long)l->latencies[(size_t)l->answered * 99 / 100],
		    (long long)l->latencies[l->answered - 1]);
	putchar('\n');
	return l->junk || (l->answered == l->sent && l->wrong == 0) ? 0 : 1;
}

static void
open_ports(struct load *l)
{
	int size = 4 << 20;

	for (unsigned i = 0; i < l->ports; i++) {
		char source[20];
		struct addr from;

		snprintf(source, sizeof(source), "127.0.0.%u", l->sources ? 2 + i % l->sources : 1);
		l->fds[i] = socket(l->server.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (l->fds[i] < 0 || addr_parse(&from, source, 0) != OK ||
		    (l->sources != 0 && bind(l->fds[i], &from.sa, addr_len(&from)) != 0) ||
		    connect(l->fds[i], &l->server.sa, addr_len(&l->server)) != 0) {
			perror("dnsload");
			exit(1);
		}
		(void)setsockopt(l->fds[i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	}
}

static int
usage(void)
{
	fputs("usage: dnsload --server ADDRESS:PORT --name NAME [--type N] [--count N] [--window N]\n"
	      "	[--ports N] [--sources N] [--mix-case] [--junk] [--seed N] [--seconds N]\n",
	      stderr);
	return 2;
}

static bool
parse(struct load *l, int argc, char **argv)
{
	static const struct option table[] = {
		{ "server", 1, NULL, 's' }, { "name", 1, NULL, 'n' }, { "type", 1, NULL, 't' },
		{ "count", 1, NULL, 'c' }, { "window", 1, NULL, 'w' }, { "ports", 1, NULL, 'p' },
		{ "sources", 1, NULL, 'o' },
		{ "mix-case", 0, NULL, 'm' }, { "junk", 0, NULL, 'j' }, { "seed", 1, NULL, 'r' },
		{ "seconds", 1, NULL, 'l' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 's':
			if (addr_parse(&l->server, optarg, 53) != OK)
				return false;
			break;
		case 'n':
			l->name = optarg;
			break;
		case 't':
			l->type = (uint16_t)atoi(optarg);
			break;
		case 'c':
			l->count = (unsigned)atoi(optarg);
			break;
		case 'w':
			l->window = (unsigned)atoi(optarg);
			break;
		case 'p':
			l->ports = (unsigned)atoi(optarg);
			break;
		case 'o':
			l->sources = (unsigned)atoi(optarg);
			break;
		case 'm':
			l->mix_case = true;
			break;
		case 'j':
			l->junk = true;
			break;
		case 'r':
			l->random = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			l->limit_s = (unsigned)atoi(optarg);
			break;
		default:
			return false;
		}
	}
	if (l->ports < l->sources)
		l->ports = l->sources;
	return l->server.sa.sa_family != 0 && (l->name != NULL || l->junk) && l->count > 0 &&
	    l->window > 0 && l->window < IDS && l->ports > 0 && l->ports <= PORTS_MAX &&
	    l->sources <= 250;
}

int
main(int argc, char **argv)
{
	struct load l = { .type = 1, .count = 1, .window = 1, .ports = 1, .limit_s = 30,
	    .random = 1 };

	if (!parse(&l, argc, argv))
		return usage();
	l.questions = calloc(IDS, sizeof(*l.questions));
	l.latencies = calloc(l.count, sizeof(*l.latencies));
	if (l.questions == NULL || l.latencies == NULL)
		return 1;
	open_ports(&l);
	if (l.junk)
		throw_junk(&l);
	else
		ask_all(&l);

	int status = tell(&l);

	free(l.questions);
	free(l.latencies);
	return status;
}
