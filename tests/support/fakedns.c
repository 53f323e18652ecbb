/* SPDX-License-Identifier: MIT */
/*
 * fakedns: a scripted DNS server for system tests, UDP and TCP on one port, one process.
 *
 *   fakedns [--address A] [--port N] [--rules FILE] [--rule TEXT]… [--log FILE] [--life SECONDS]
 *	     [--no-udp] [--no-tcp]
 *
 * --port 0 (the default) picks a free port. When it is ready it prints `port N` and goes on until
 * SIGTERM or the end of its life (120 s). SIGHUP reads the rules file again. The grammar of rules
 * is in fakedns.h. The log has a line per query:
 *
 *   udp port=41312 id=0x2f1c name=ExAmple.org type=A class=1 rd=1 cd=0 ad=0 edns=1232 do=0
 *   cookie=16 subnet=0 len=52 n=3	(one line; n counts the queries for this name so far)
 */
#include "support/fakedns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX   64
#define WAITING_MAX 8192  /* answers held back by delay= at once */
#define NAMES_MAX   65536 /* names that are counted */
#define BATCH	    256	  /* datagrams read in one turn */

struct conn {
	int fd;		 /* -1: free */
	unsigned serial; /* tells a delayed answer that its connection was reused */
	struct addr_pair {
		struct sockaddr_storage at;
		socklen_t len;
	} peer;
	size_t used;
	uint8_t in[FAKEDNS_MSG_MAX + 2];
};

/* An answer under way: the query and where it came from. */
struct waiting {
	int64_t due_ms;
	struct ask ask;
	struct how how;
	struct addr_pair peer;
	struct conn *conn; /* NULL: UDP */
	unsigned serial;
};

struct count {
	char *name;
	unsigned n;
};

struct server {
	struct zone *zone;
	const char *rules_file;
	char **rules; /* from --rule */
	size_t nrules;
	FILE *log;
	int udp, tcp, stranger, signals;
	struct conn *conns;
	struct waiting *waiting;
	size_t nwaiting;
	struct count *counts; /* hashed by name, open addressing */
	size_t ncounts;
	uint8_t out[FAKEDNS_MSG_MAX + 2];
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static _Noreturn void
fail(const char *what, const char *detail)
{
	fprintf(stderr, "fakedns: %s: %s\n", what, detail);
	exit(2);
}

/* --- rules and log ---------------------------------------------------------------------------- */

static void
load_rules(struct server *sv)
{
	struct zone *z = zone_new();
	const char *why = NULL;
	char *line = NULL;
	size_t cap = 0;
	FILE *f = sv->rules_file != NULL ? fopen(sv->rules_file, "re") : NULL;

	if (z == NULL || (sv->rules_file != NULL && f == NULL))
		fail(sv->rules_file, strerror(errno));
	for (size_t i = 0; i < sv->nrules; i++)
		if (!zone_add(z, sv->rules[i], &why))
			fail(sv->rules[i], why);
	while (f != NULL && getline(&line, &cap, f) > 0)
		if (!zone_add(z, line, &why))
			fail(line, why);
	free(line);
	if (f != NULL)
		fclose(f);
	if (sv->zone != NULL)
		zone_free(sv->zone);
	sv->zone = z;
}

static unsigned
count_name(struct server *sv, const char *name)
{
	uint32_t h = 2166136261U;

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ ((uint8_t)*p | 0x20)) * 16777619U;

	struct count *c = &sv->counts[h % NAMES_MAX];

	while (c->name != NULL && strcasecmp(c->name, name) != 0)
		c = c + 1 == sv->counts + NAMES_MAX ? sv->counts : c + 1;
	if (c->name == NULL) {
		if (sv->ncounts == NAMES_MAX - 1)
			return 0;
		c->name = strdup(name);
		sv->ncounts++;
	}
	return ++c->n;
}

static void
log_query(struct server *sv, const struct ask *a, const struct addr_pair *peer, size_t len)
{
	char type[16];
	in_port_t port = ((const struct sockaddr_in *)(const void *)&peer->at)->sin_port;
	unsigned n = count_name(sv, a->text);

	if (sv->log == NULL)
		return;
	fprintf(sv->log,
		"%s port=%u id=0x%04x name=%s type=%s class=%u rd=%d cd=%d ad=%d edns=%u do=%d "
		"cookie=%zu subnet=%d len=%zu n=%u\n",
		a->tcp ? "tcp" : "udp", ntohs(port), a->id, a->text, type_text(a->type, type),
		a->class, (a->flags & 0x0100) != 0, (a->flags & 0x0010) != 0,
		(a->flags & 0x0020) != 0, a->edns ? a->udp_size : 0, a->dnssec_ok, a->cookie_len,
		a->subnet, len, n);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void
send_udp(int fd, const struct addr_pair *peer, const uint8_t *bytes, size_t len)
{
	(void)sendto(fd, bytes, len, MSG_DONTWAIT, (const struct sockaddr *)&peer->at, peer->len);
}

static void
conn_close(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
	c->serial++;
}

/* Blocking, but with a time-out on the socket: a test that does not read loses its connection. */
static void
send_tcp(struct conn *c, const uint8_t *bytes, size_t len, bool split)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = send(c->fd, bytes + at, split ? 1 : len - at, MSG_NOSIGNAL);

		if (n <= 0) {
			conn_close(c);
			return;
		}
		at += (size_t)n;
	}
}

static void
send_forgeries(struct server *sv, const struct waiting *w)
{
	for (unsigned kind = 1; kind < 1U << FORGE_KINDS; kind <<= 1) {
		if ((w->how.forge & kind) == 0)
			continue;

		size_t len = zone_forge(&w->ask, kind, sv->out);

		send_udp(kind == FORGE_SOURCE ? sv->stranger : sv->udp, &w->peer, sv->out, len);
	}
}

static void
send_answer(struct server *sv, const struct waiting *w)
{
	if (w->conn == NULL) {
		if (w->how.noudp)
			return;
		send_udp(sv->udp, &w->peer, sv->out,
			 zone_answer(sv->zone, &w->ask, &w->how, sv->out));
		return;
	}
	if (w->conn->fd < 0 || w->conn->serial != w->serial)
		return;
	if (w->how.close) {
		conn_close(w->conn);
		return;
	}

	size_t len = zone_answer(sv->zone, &w->ask, &w->how, sv->out + 2);

	sv->out[0] = (uint8_t)(len >> 8);
	sv->out[1] = (uint8_t)len;
	send_tcp(w->conn, sv->out, len + 2, w->how.split);
}

static void
take_query(struct server *sv, const uint8_t *bytes, size_t len, const struct addr_pair *peer,
	   struct conn *c)
{
	struct waiting w = {.peer = *peer, .conn = c};

	if (!ask_parse(&w.ask, bytes, len))
		return;
	w.ask.tcp = c != NULL;
	w.serial = c != NULL ? c->serial : 0;
	log_query(sv, &w.ask, peer, len);
	if (!zone_decide(sv->zone, &w.ask, &w.how))
		return;
	if (c == NULL)
		send_forgeries(sv, &w);
	if (w.how.delay_ms == 0 || sv->nwaiting == WAITING_MAX) {
		send_answer(sv, &w);
		return;
	}
	w.due_ms = now_ms() + w.how.delay_ms;
	sv->waiting[sv->nwaiting++] = w;
}

/* Send what is due; gives the time until the next, or -1. */
static int
send_due(struct server *sv)
{
	int64_t now = now_ms(), next = INT64_MAX;

	for (size_t i = 0; i < sv->nwaiting;) {
		if (sv->waiting[i].due_ms > now) {
			if (sv->waiting[i].due_ms < next)
				next = sv->waiting[i].due_ms;
			i++;
			continue;
		}
		send_answer(sv, &sv->waiting[i]);
		sv->waiting[i] = sv->waiting[--sv->nwaiting];
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void
read_udp(struct server *sv)
{
	uint8_t in[4096];

	for (int i = 0; i < BATCH; i++) {
		struct addr_pair peer = {.len = sizeof(peer.at)};
		ssize_t n = recvfrom(sv->udp, in, sizeof(in), MSG_DONTWAIT,
				     (struct sockaddr *)&peer.at, &peer.len);

		if (n < 0)
			return;
		take_query(sv, in, (size_t)n, &peer, NULL);
	}
}

static void
accept_tcp(struct server *sv)
{
	static const struct timeval patience = {.tv_sec = 2};
	struct addr_pair peer = {.len = sizeof(peer.at)};
	int fd = accept4(sv->tcp, (struct sockaddr *)&peer.at, &peer.len, SOCK_CLOEXEC);
	int one = 1;

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (struct conn *c = sv->conns; c < sv->conns + CONNS_MAX; c++)
		if (c->fd < 0) {
			c->fd = fd;
			c->peer = peer;
			c->used = 0;
			return;
		}
	close(fd);
}

static void
read_tcp(struct server *sv, struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->used, sizeof(c->in) - c->used, MSG_DONTWAIT);
	size_t at = 0;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			conn_close(c);
		return;
	}
	c->used += (size_t)n;
	while (c->fd >= 0 && c->used - at >= 2) {
		size_t len = (size_t)c->in[at] << 8 | c->in[at + 1];

		if (c->used - at < len + 2)
			break;
		take_query(sv, c->in + at + 2, len, &c->peer, c);
		at += len + 2;
	}
	memmove(c->in, c->in + at, c->used - at);
	c->used -= at;
}

/* Signals end the process or reload the rules; true to go on. */
static bool
read_signal(struct server *sv)
{
	struct signalfd_siginfo si;

	if (read(sv->signals, &si, sizeof(si)) != sizeof(si) || si.ssi_signo != SIGHUP)
		return false;
	load_rules(sv);
	return true;
}

static void
serve(struct server *sv, int64_t end_ms)
{
	struct pollfd fds[3 + CONNS_MAX];

	for (;;) {
		int wait = send_due(sv);
		int64_t left = end_ms - now_ms();

		if (left <= 0)
			return;
		fds[0] = (struct pollfd){.fd = sv->signals, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = sv->udp, .events = POLLIN};
		fds[2] = (struct pollfd){.fd = sv->tcp, .events = POLLIN};
		for (int i = 0; i < CONNS_MAX; i++)
			fds[3 + i] = (struct pollfd){.fd = sv->conns[i].fd, .events = POLLIN};
		if (poll(fds, 3 + CONNS_MAX, wait >= 0 && wait < left ? wait : (int)left) < 0)
			continue;
		if (fds[0].revents != 0 && !read_signal(sv))
			return;
		if (fds[1].revents != 0)
			read_udp(sv);
		if (fds[2].revents != 0)
			accept_tcp(sv);
		for (int i = 0; i < CONNS_MAX; i++)
			if (fds[3 + i].revents != 0 && sv->conns[i].fd == fds[3 + i].fd)
				read_tcp(sv, &sv->conns[i]);
	}
}

/* --- start-up --------------------------------------------------------------------------------- */

static socklen_t
parse_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	*out = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		fail(text, "not an address");
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static int
open_socket(int type, const struct sockaddr_storage *at, socklen_t len)
{
	int fd = socket(at->ss_family, type | SOCK_CLOEXEC, 0);
	int one = 1, room = 1 << 20;

	if (fd < 0)
		fail("socket", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)at, len) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* TCP first, then UDP on the same number; another process may hold that one, so try some times. */
static uint16_t
open_sockets(struct server *sv, const char *address, uint16_t port, bool udp, bool tcp)
{
	struct sockaddr_storage at;

	for (int i = 0; i < (port == 0 ? 50 : 1); i++) {
		socklen_t len = parse_address(address, port, &at);

		sv->tcp = open_socket(SOCK_STREAM, &at, len);
		if (sv->tcp < 0)
			continue;
		(void)getsockname(sv->tcp, (struct sockaddr *)&at, &len);
		sv->udp = open_socket(SOCK_DGRAM, &at, len);
		if (sv->udp < 0) {
			close(sv->tcp);
			continue;
		}

		uint16_t chosen = ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);

		sv->stranger = open_socket(SOCK_DGRAM, &at, parse_address(address, 0, &at));
		if (!udp)
			close(sv->udp);
		if (!tcp)
			close(sv->tcp);
		sv->udp = udp ? sv->udp : -1;
		sv->tcp = tcp ? sv->tcp : -1;
		return chosen;
	}
	fail("bind", strerror(errno));
}

static void
open_tables(struct server *sv)
{
	sigset_t set;

	sv->conns = calloc(CONNS_MAX, sizeof(*sv->conns));
	sv->waiting = calloc(WAITING_MAX, sizeof(*sv->waiting));
	sv->counts = calloc(NAMES_MAX, sizeof(*sv->counts));
	if (sv->conns == NULL || sv->waiting == NULL || sv->counts == NULL)
		fail("start", "no memory");
	for (int i = 0; i < CONNS_MAX; i++)
		sv->conns[i].fd = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	sv->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"address", 1, NULL, 'a'}, {"port", 1, NULL, 'p'},	 {"rules", 1, NULL, 'f'},
	    {"rule", 1, NULL, 'r'},    {"log", 1, NULL, 'l'},	 {"life", 1, NULL, 't'},
	    {"no-udp", 0, NULL, 'U'},  {"no-tcp", 0, NULL, 'T'}, {NULL, 0, NULL, 0}};
	static struct server sv;
	const char *address = "127.0.0.1";
	long port = 0, life_s = 120;
	bool udp = true, tcp = true;

	sv.rules = calloc((size_t)argc, sizeof(*sv.rules));
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'a':
			address = optarg;
			break;
		case 'p':
			port = atol(optarg);
			break;
		case 'f':
			sv.rules_file = optarg;
			break;
		case 'r':
			sv.rules[sv.nrules++] = optarg;
			break;
		case 'l':
			sv.log = fopen(optarg, "ae");
			/* A query is in the log before its answer is out: tests count then. */
			if (sv.log != NULL)
				setvbuf(sv.log, NULL, _IOLBF, 0);
			break;
		case 't':
			life_s = atol(optarg);
			break;
		case 'U':
			udp = false;
			break;
		case 'T':
			tcp = false;
			break;
		default:
			return 2;
		}
	}
	if (optind != argc || port < 0 || port > 65535 || life_s <= 0 || life_s > 3600)
		fail("usage", "see tests/support/fakedns.c");
	open_tables(&sv);
	load_rules(&sv);
	printf("port %u\n", open_sockets(&sv, address, (uint16_t)port, udp, tcp));
	fflush(stdout);
	serve(&sv, now_ms() + life_s * 1000);
	return 0;
}
