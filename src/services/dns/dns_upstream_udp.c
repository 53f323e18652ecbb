/* SPDX-License-Identifier: MIT */
/*
 * Datagrams to upstreams. As a rule each send has a socket of its own, connected, with a random
 * port that the kernel draws, given up as soon as the send is over: whoever guesses must hit port
 * and id of one query (RFC 5452 §4.5, §9.2). Such a port costs three times what a send costs, so
 * above some hundred sends a second, and above fresh_max at once, a send takes one of 64 shared
 * sockets of the server, chosen at random, each replaced after 256 sends or 30 s.
 *
 * A socket that gives up its port is kept for a moment where sends follow each other closely: to
 * disconnect it and connect it again draws a new port as well, for less than a new socket takes.
 *
 * What one turn of the loop sends to a server over shared sockets leaves over one of them, in one
 * system call, and the answers are read together as well. Who guesses still has to hit one of 64
 * ports and an id for each query.
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

static void
leave_burst(struct dns_transaction *t)
{
	TAILQ_REMOVE(&t->server->burst, t, burst_link);
	t->server->burst_len--;
	t->in_burst = false;
}

void
dns_udp_leave(struct dns_transaction *t)
{
	struct dns_udp *u = t->udp;

	if (u == NULL)
		return;
	LIST_REMOVE(t, on_udp);
	t->udp = NULL;
	if (t->in_burst)
		leave_burst(t);
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

/* One datagram. 1: there may be more. 0: there is none. -1: an error came, in errno. */
static int
read_one(struct dns_udp *u)
{
	struct dns_upstream *up = u->server->up;
	ssize_t n = recv(u->watch.fd, up->in, sizeof(up->in), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	take_datagram(u, span_of(up->in, (size_t)n));
	return 1;
}

/* What did not fit its slot is cut short, as if the server had done so: TCP brings the rest. */
static struct span
slot_read(struct dns_upstream *up, unsigned i, const struct mmsghdr *m)
{
	uint8_t *at = up->in + i * DNS_READ_BYTES;

	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0)
		wire_put_u16(at + 2, dns_msg_flags(span_of(at, m->msg_len)) | DNS_FLAG_TC);
	return span_of(at, m->msg_len);
}

/* Up to `max` datagrams. As read_one(). */
static int
read_some(struct dns_udp *u, unsigned max)
{
	struct dns_upstream *up = u->server->up;
	struct mmsghdr msgs[DNS_READ_SLOTS];
	struct iovec iov[DNS_READ_SLOTS];

	for (unsigned i = 0; i < max; i++) {
		iov[i] = (struct iovec){ up->in + i * DNS_READ_BYTES, DNS_READ_BYTES };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}

	int n = recvmmsg(u->watch.fd, msgs, max, 0, NULL);
	unsigned got = n > 0 ? (unsigned)n : 0;

	dns_upstream_read_less(up, max - got);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	for (unsigned i = 0; i < got; i++)
		take_datagram(u, slot_read(up, i, &msgs[i]));
	return got == max;
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct dns_udp *u = (struct dns_udp *)w;
	struct dns_upstream *up = u->server->up;
	unsigned errors = 0;
	int more;

	(void)events;
	u->reading = true;
	do {
		/* What is encrypted may be longer than a slot, and its end is what proves it. */
		bool many = u->server->crypt == NULL && !LIST_EMPTY(&u->waiting) &&
		    LIST_NEXT(LIST_FIRST(&u->waiting), on_udp) != NULL;
		unsigned max = dns_upstream_may_read(up, many ? DNS_READ_SLOTS : 1);

		if (max == 0)
			break;
		more = max == 1 ? read_one(u) : read_some(u, max);
		if (more < 0) {
			take_error(u, errno);
			errors++;
		}
	} while (more != 0 && errors < ERRORS_MAX && !u->dead && !LIST_EMPTY(&u->waiting));
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

static void
has_left(struct dns_transaction *t)
{
	t->sent_udp = loop_now(t->server->up->loop);
	t->server->stats.sent++;
}

static void
could_not_leave(struct dns_transaction *t, int error)
{
	dns_udp_leave(t);
	give_up(t, error);
}

/* A full queue is a lost packet: the deadline sees to it. */
static bool
is_loss(int error)
{
	return error == EAGAIN || error == ENOBUFS;
}

static void
send_now(struct dns_transaction *t, struct span packet)
{
	ssize_t n = -1;

	/* An error may be an older one that was pending on a shared socket: that clears it. */
	for (int i = 0; i < 2 && n < 0; i++)
		n = send(t->udp->watch.fd, packet.at, packet.len, MSG_NOSIGNAL);
	if (n < 0 && !is_loss(errno))
		could_not_leave(t, errno);
	else
		has_left(t);
}

/* Take the burst apart and make messages of it. Gives their number. */
static unsigned
collect_burst(struct dns_server *sv, struct dns_transaction *who[static DNS_BURST],
    struct mmsghdr msgs[static DNS_BURST], struct iovec iov[static DNS_BURST])
{
	struct dns_transaction *t;
	unsigned n = 0;

	while ((t = TAILQ_FIRST(&sv->burst)) != NULL) {
		leave_burst(t);
		who[n] = t;
		iov[n] = (struct iovec){ t->query, t->query_len };
		msgs[n].msg_hdr = (struct msghdr){ .msg_iov = &iov[n], .msg_iovlen = 1 };
		n++;
	}
	return n;
}

static void
send_burst(struct dns_server *sv)
{
	struct dns_transaction *who[DNS_BURST];
	struct mmsghdr msgs[DNS_BURST];
	struct iovec iov[DNS_BURST];
	unsigned n = collect_burst(sv, who, msgs, iov), failures = 0;

	for (unsigned i = 0; i < n;) {
		int sent = sendmmsg(who[i]->udp->watch.fd, msgs + i, n - i, MSG_NOSIGNAL);

		if (sent < 0 && !is_loss(errno)) {
			/* The first may be an older one that was pending, as above. */
			if (++failures < 2)
				continue;
			could_not_leave(who[i++], errno);
		} else {
			for (unsigned to = sent < 0 ? n : i + (unsigned)sent; i < to; i++)
				has_left(who[i]);
		}
		failures = 0;
	}
}

void
dns_udp_send_burst(struct loop_task *task)
{
	send_burst((struct dns_server *)((char *)task - offsetof(struct dns_server, send_burst)));
}

/* All that leaves in this turn by a shared socket leaves by the same one. */
static enum err
choose_burst(struct dns_udp **out, struct dns_server *sv, mono_us now)
{
	struct dns_transaction *first = TAILQ_FIRST(&sv->burst);

	if (first != NULL && sv->burst_len < DNS_BURST && first->udp->sends < DNS_POOL_SENDS &&
	    !first->udp->retired) {
		*out = first->udp;
		return OK;
	}
	if (first != NULL)
		send_burst(sv);
	return choose_pooled(out, sv, now);
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

	enum err e = choose_burst(out, sv, now);

	if (e == OK)
		sv->stats.ports_pooled++;
	return e;
}

static void
join_burst(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;

	TAILQ_INSERT_TAIL(&sv->burst, t, burst_link);
	sv->burst_len++;
	t->in_burst = true;
	loop_defer(sv->up->loop, &sv->send_burst);
}

void
dns_udp_send(struct dns_transaction *t)
{
	struct dns_server *sv = t->server;
	struct span packet = span_of(t->query, t->query_len);
	uint8_t sealed[DNS_CRYPT_PACKET_MAX];
	struct dns_udp *u;

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
	if (u->ids != NULL && sv->crypt == NULL)
		join_burst(t);
	else
		send_now(t, packet);
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
			if (t->in_burst)
				leave_burst(t);
		}
		release(u);
	}
	memset(sv->pool, 0, sizeof(sv->pool));
	loop_undefer(sv->up->loop, &sv->send_burst);
}
