/* SPDX-License-Identifier: MIT */
/*
 * Datagrams to upstreams. As a rule each send has a socket of its own, connected, with a random
 * port that the kernel draws, given up as soon as the send is over: whoever guesses must hit port and
 * id of one query (RFC 5452 §4.5, §9.2). Such a port costs three times what a send costs, so above
 * some hundred sends a second, and above fresh_max at once, a send takes one of 64 shared sockets
 * of the server, chosen at random, each replaced after 256 sends or 30 s.
 *
 * A socket that gives up its port is kept for a moment where sends follow each other closely: to
 * disconnect it and connect it again draws a new port as well, for less than a new socket takes.
 *
 * An answer counts only on the socket that its query left from.
 */
#include "services/dns/dns_upstream_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/rand.h"

#define ERRORS_MAX  4		/* pending socket errors taken in one go */
#define LEFT_MAX    4		/* datagrams and errors left when a port is given up */

int
dns_server_socket(const struct dns_server *sv, int type)
{
	int fd = socket(sv->addr.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct addr source = sv->source;

	if (fd < 0)
		return -1;
	if (sv->interface[0] != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, sv->interface,
	    (socklen_t)strlen(sv->interface)) != 0)
		goto close_socket;
	addr_set_port(&source, 0);
	if (source.sa.sa_family != AF_UNSPEC && bind(fd, &source.sa, addr_len(&source)) != 0)
		goto close_socket;
	return fd;

close_socket:;
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void
release(struct dns_udp *u)
{
	struct dns_upstream *up = u->server->up;

	LIST_REMOVE(u, link);
	loop_remove(up->loop, &u->watch);
	close(u->watch.fd);
	if (u->idle)
		u->server->idle_count--;
	else if (u->ids == NULL)
		up->fresh_open--;
	u->dead = true;
	if (u->reading)
		return;
	free(u->ids);
	free(u);
}

/* A shared socket takes no more sends; it goes when nobody waits on it any more. */
static void
retire(struct dns_udp *u)
{
	u->retired = true;
	if (LIST_EMPTY(&u->waiting))
		release(u);
}

/*
 * Give up the port, and whatever has come to it: nothing is received without one. False: it cannot
 * be done, or more has come than an answer that was sent twice.
 */
static bool
forget_port(struct dns_udp *u)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	uint8_t byte;

	if (connect(u->watch.fd, &nowhere, sizeof(nowhere)) != 0)
		return false;
	for (unsigned i = 0; i < LEFT_MAX; i++)
		if (recv(u->watch.fd, &byte, sizeof(byte), 0) < 0 && errno == EAGAIN)
			return true;
	return false;
}

/* Nobody waits on it any more: keep it for another send, without its port, or close it. */
static void
put_by(struct dns_udp *u)
{
	struct dns_server *sv = u->server;

	if (u->ids != NULL || sv->idle_count == DNS_IDLE_SOCKETS || !forget_port(u)) {
		release(u);
		return;
	}
	u->idle = true;
	sv->up->fresh_open--;
	sv->idle_count++;
	LIST_REMOVE(u, link);
	LIST_INSERT_HEAD(&sv->idle, u, link);
}

void
dns_udp_leave(struct dns_transaction *t)
{
	struct dns_udp *u = t->udp;

	if (u == NULL)
		return;
	LIST_REMOVE(t, on_udp);
	t->udp = NULL;
	if (u->retired && LIST_EMPTY(&u->waiting))
		put_by(u);
}

/* The id was sent from this socket before, so what comes for it now is late, not forged. */
static bool
has_sent(const struct dns_udp *u, uint16_t id)
{
	for (unsigned i = 0; u->ids != NULL && i < u->sends; i++)
		if (u->ids[i] == id)
			return true;
	return false;
}

/* An ICMP error is a hint, not a verdict: an attacker could have sent it (SAD DNS). Wait less. */
static void
take_error(struct dns_udp *u, int error)
{
	struct dns_transaction *t;
	struct loop *loop = u->server->up->loop;
	mono_us soon = loop_now(loop) + millis(50);

	LIST_FOREACH(t, &u->waiting, on_udp) {
		t->refused = true;
		t->sys_errno = error;
		if (t->stream == NULL && timer_running(&t->deadline) && t->deadline.at > soon)
			loop_timer(loop, &t->deadline, soon);
	}
}

/* What came is no answer to anything that this socket has sent: all who wait on it take note. */
static void
take_junk(struct dns_udp *u)
{
	struct dns_transaction *t, *next;

	for (t = LIST_FIRST(&u->waiting); t != NULL; t = next) {
		next = LIST_NEXT(t, on_udp);
		dns_transaction_suspect(t);
	}
}

static void
take_datagram(struct dns_udp *u, struct span bytes)
{
	struct dns_server *sv = u->server;

	if (sv->crypt != NULL) {
		enum dns_decrypted d = dns_dnscrypt_open(sv, u, NULL, &bytes);

		sv->stats.late += d == DNS_DECRYPT_LATE;
		sv->stats.malformed += d == DNS_DECRYPT_JUNK;
		if (d == DNS_DECRYPT_JUNK)
			take_junk(u);
		if (d != DNS_DECRYPTED)
			return;
	}
	if (dns_upstream_input(sv, u, NULL, bytes))
		return;
	if (bytes.len >= DNS_HEADER_BYTES && has_sent(u, dns_msg_id(bytes))) {
		sv->stats.late++;
		return;
	}
	if (bytes.len < DNS_HEADER_BYTES)
		sv->stats.malformed++;
	else
		sv->stats.mismatch_id++;
	take_junk(u);
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct dns_udp *u = (struct dns_udp *)w;
	struct dns_upstream *up = u->server->up;
	unsigned errors = 0;

	(void)events;
	u->reading = true;
	do {
		if (!dns_upstream_may_read(up))
			break;

		ssize_t n = recv(w->fd, up->in, sizeof(up->in), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			take_error(u, errno);
			if (++errors == ERRORS_MAX)
				break;
			continue;
		}
		take_datagram(u, span_of(up->in, (size_t)n));
	} while (!u->dead && !LIST_EMPTY(&u->waiting));
	u->reading = false;
	if (u->dead) {
		free(u->ids);
		free(u);
	}
}

/* Errors: ERR_NOMEM; ERR_SYS with errno. */
static enum err
open_socket(struct dns_udp **out, struct dns_server *sv, bool pooled)
{
	struct dns_upstream *up = sv->up;
	struct dns_udp *u = calloc(1, sizeof(*u));
	int saved;

	if (u == NULL)
		return ERR_NOMEM;
	u->ids = pooled ? calloc(DNS_POOL_SENDS, sizeof(*u->ids)) : NULL;
	u->watch.fd = -1;
	errno = ENOMEM;
	if (pooled && u->ids == NULL)
		goto free_socket;
	u->watch = (struct loop_fd){ .fd = dns_server_socket(sv, SOCK_DGRAM), .ready = ready };
	if (u->watch.fd < 0 || connect(u->watch.fd, &sv->addr.sa, addr_len(&sv->addr)) != 0 ||
	    loop_add(up->loop, &u->watch, EPOLLIN) != OK)
		goto free_socket;
	u->server = sv;
	u->opened = loop_now(up->loop);
	u->retired = !pooled;
	up->fresh_open += !pooled;
	LIST_INIT(&u->waiting);
	LIST_INSERT_HEAD(&sv->sockets, u, link);
	*out = u;
	return OK;

free_socket:
	saved = errno;
	if (u->watch.fd >= 0)
		close(u->watch.fd);
	free(u->ids);
	free(u);
	errno = saved;
	return ERR_SYS;
}

/* --- which socket ----------------------------------------------------------------------------- */

static enum err
choose_pooled(struct dns_udp **out, struct dns_server *sv, mono_us now)
{
	struct dns_udp **slot = &sv->pool[rand_below(sv->up->rand, DNS_POOL_SOCKETS)];
	struct dns_udp *u = *slot;

	if (u != NULL && (u->sends == DNS_POOL_SENDS || now - u->opened > DNS_POOL_AGE)) {
		retire(u);
		*slot = NULL;
	}
	if (*slot == NULL) {
		enum err e = open_socket(slot, sv, true);

		if (e != OK)
			return e;
	}
	*out = *slot;
	return OK;
}

/* Have an idle socket draw another port, or open one. Errors as open_socket(). */
static enum err
choose_fresh(struct dns_udp **out, struct dns_server *sv, mono_us now)
{
	struct dns_udp *u = LIST_FIRST(&sv->idle);

	if (u == NULL)
		return open_socket(out, sv, false);
	if (connect(u->watch.fd, &sv->addr.sa, addr_len(&sv->addr)) != 0) {
		int saved = errno;

		release(u);
		errno = saved;
		return ERR_SYS;
	}
	u->idle = false;
	u->opened = now;
	u->sends = 0;
	sv->up->fresh_open++;
	sv->idle_count--;
	LIST_REMOVE(u, link);
	LIST_INSERT_HEAD(&sv->sockets, u, link);
	*out = u;
	return OK;
}

static enum err
choose(struct dns_udp **out, struct dns_server *sv)
{
	struct dns_upstream *up = sv->up;
	mono_us now = loop_now(up->loop);

	if (up->fresh_open < up->fresh_max && bucket_take(&up->fresh, 1, now)) {
		if (choose_fresh(out, sv, now) == OK) {
			sv->stats.ports_fresh++;
			return OK;
		}
		/* Descriptors are short: a shared socket may be open already. */
		if (errno != EMFILE && errno != ENFILE)
			return ERR_SYS;
	}

	enum err e = choose_pooled(out, sv, now);

	if (e == OK)
		sv->stats.ports_pooled++;
	return e;
}

/* Does this error tell about the network rather than about us? */
static bool
is_network_error(int error)
{
	return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
	    error == EHOSTDOWN || error == ECONNREFUSED || error == EADDRNOTAVAIL ||
	    error == EACCES || error == EPERM || error == ENODEV || error == EINVAL;
}

static void
give_up(struct dns_transaction *t, int error)
{
	t->sys_errno = error;
	dns_transaction_give_up(t, is_network_error(error) ? DNS_OVER_UNREACHABLE : DNS_OVER_LOCAL);
}

void
dns_udp_send(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;
	struct span packet = span_of(t->query, t->query_len);
	uint8_t sealed[DNS_CRYPT_PACKET_MAX];
	struct dns_udp *u;
	ssize_t n = -1;

	if (sv->crypt != NULL) {
		packet = dns_dnscrypt_seal(t, false, sealed);
		if (packet.len == 0)
			return;
	}
	if (choose(&u, sv) != OK) {
		give_up(t, errno);
		return;
	}
	if (u->ids != NULL)
		u->ids[u->sends] = t->id;
	u->sends++;
	t->udp = u;
	LIST_INSERT_HEAD(&u->waiting, t, on_udp);
	/* An error may be an older one that was pending on a shared socket: that clears it. */
	for (int i = 0; i < 2 && n < 0; i++)
		n = send(u->watch.fd, packet.at, packet.len, MSG_NOSIGNAL);
	/* A full queue is a lost packet: the deadline sees to it. */
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS) {
		int error = errno;

		dns_udp_leave(t);
		give_up(t, error);
		return;
	}
	t->sent_udp = loop_now(sv->up->loop);
	sv->stats.sent++;
}

/* --- tidying ---------------------------------------------------------------------------------- */

bool
dns_udp_tidy(struct dns_server *sv, mono_us now, bool all)
{
	struct dns_udp *idle, *next;

	for (idle = LIST_FIRST(&sv->idle); idle != NULL; idle = next) {
		next = LIST_NEXT(idle, link);
		if (all || now - idle->opened > DNS_TIDY_EVERY)
			release(idle);
	}

	bool left = !LIST_EMPTY(&sv->idle);

	for (size_t i = 0; i < DNS_POOL_SOCKETS; i++) {
		struct dns_udp *u = sv->pool[i];

		if (u == NULL)
			continue;
		if (all || now - u->opened > DNS_POOL_AGE) {
			sv->pool[i] = NULL;
			retire(u);
		} else {
			left = true;
		}
	}
	return left;
}

void
dns_udp_close_all(struct dns_server *sv)
{
	struct dns_transaction *t;

	while (!LIST_EMPTY(&sv->idle))
		release(LIST_FIRST(&sv->idle));
	while (!LIST_EMPTY(&sv->sockets)) {
		struct dns_udp *u = LIST_FIRST(&sv->sockets);

		while ((t = LIST_FIRST(&u->waiting)) != NULL) {
			LIST_REMOVE(t, on_udp);
			t->udp = NULL;
		}
		release(u);
	}
	memset(sv->pool, 0, sizeof(sv->pool));
}
