/* SPDX-License-Identifier: MIT */
/*
 * Listeners: who gets in, and who has to go, by time or for want of room. Accepting is bounded per
 * turn, and where it fails for want of descriptors or memory the loop is never left spinning on a
 * socket that stays readable.
 */
#include "core/tcp.h"

#include "core/tcp_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_BACKLOG	 256
#define TCP_ACCEPTS	 16		/* in one turn */
#define TCP_LINGER_TIME	 seconds(1)
#define TCP_ACCEPT_PAUSE millis(100)	/* where accept() fails for want of resources */

#define TCP_CONNS_DEFAULT 128
#define TCP_IN_DEFAULT	  65537		/* a DNS message with its length in front */
#define TCP_OUT_DEFAULT	  (1024 * 1024)

/* --- time ------------------------------------------------------------------------------------- */

usec
tcp_listener_patience(const struct tcp_listener *ls, enum tcp_place place)
{
	if (place == TCP_FRESH)
		return ls->opts.first_timeout;
	if (place == TCP_LINGER)
		return TCP_LINGER_TIME;

	/*
	 * Halve with every quarter of the table in use: RFC 7766 §6.2.3 wants it to shrink under
	 * load.
	 */
	return ls->opts.idle_timeout >> (ls->stats.open * 4 / ls->opts.conns_max);
}

static bool
place_expires(enum tcp_place place)
{
	return place == TCP_FRESH || place == TCP_IDLE || place == TCP_LINGER;
}

void
tcp_listener_arm(struct tcp_listener *ls)
{
	mono_us next = MONO_NEVER;

	for (enum tcp_place p = 0; p < TCP_PLACES; p++) {
		const struct tcp_conn *c = TAILQ_FIRST(&ls->lists[p]);

		if (c != NULL && place_expires(p))
			next = mono_earlier(next, c->since + tcp_listener_patience(ls, p));
	}
	if (next != MONO_NEVER && (!timer_running(&ls->timer) || next < ls->timer.at))
		loop_timer(ls->loop, &ls->timer, next);
}

/* --- accepting -------------------------------------------------------------------------------- */

static void
on_timer(struct timer *t, mono_us now)
{
	struct tcp_listener *ls =
	    (struct tcp_listener *)((uint8_t *)t - offsetof(struct tcp_listener, timer));
	struct tcp_conn *c;

	for (enum tcp_place p = 0; p < TCP_PLACES; p++) {
		while (place_expires(p) && (c = TAILQ_FIRST(&ls->lists[p])) != NULL &&
		    c->since + tcp_listener_patience(ls, p) <= now) {
			if (p != TCP_LINGER)
				ls->stats.timed_out++;
			tcp_conn_doom(c);
		}
	}
	tcp_listener_arm(ls);
}

/* Let the connection go that has waited longest without work; false where all have work. */
static bool
evict(struct tcp_listener *ls)
{
	struct tcp_conn *victim = TAILQ_FIRST(&ls->lists[TCP_LINGER]);
	struct tcp_conn *fresh = TAILQ_FIRST(&ls->lists[TCP_FRESH]);

	if (victim == NULL) {
		victim = TAILQ_FIRST(&ls->lists[TCP_IDLE]);
		if (victim == NULL || (fresh != NULL && fresh->since < victim->since))
			victim = fresh;
	}
	if (victim == NULL)
		return false;
	ls->stats.evicted++;
	tcp_conn_doom(victim);
	return true;
}

static bool
peer_has_room(const struct tcp_listener *ls, const struct addr *peer)
{
	unsigned n = 0;

	if (ls->opts.per_peer_max == 0 || peer->sa.sa_family == AF_UNSPEC)
		return true;
	for (enum tcp_place p = 0; p < TCP_DEAD; p++) {
		const struct tcp_conn *c;

		TAILQ_FOREACH(c, &ls->lists[p], link)
			n += addr_equal_host(&c->peer, peer);
	}
	return n < ls->opts.per_peer_max;
}

/* Offer a new connection to the service. */
static void
introduce(struct tcp_listener *ls, struct tcp_conn *c)
{
	bool welcome = true;

	if (ls->opts.ops->accepted != NULL) {
		ls->depth++;
		welcome = ls->opts.ops->accepted(c);
		ls->depth--;
	}
	if (welcome) {
		ls->stats.accepted++;
		return;
	}
	ls->stats.refused++;
	c->refused = true;
	tcp_conn_doom(c);
}

/* Take in an accepted descriptor, or close it. */
static void
admit(struct tcp_listener *ls, int fd, const struct addr *peer)
{
	struct tcp_conn *c;

	if (!peer_has_room(ls, peer) || (ls->stats.open >= ls->opts.conns_max && !evict(ls)) ||
	    tcp_conn_new(&c, ls, fd, peer) != OK) {
		ls->stats.refused++;
		close(fd);
		return;
	}
	introduce(ls, c);
}

/* Stop accepting for a moment: a listener that stays readable would keep the loop spinning. */
static void
pause_accepting(struct tcp_listener *ls)
{
	/* Where even this fails the listener stays watched, which costs time and nothing else. */
	if (loop_change(ls->loop, &ls->watch, 0) == OK)
		loop_timer(ls->loop, &ls->resume, loop_now(ls->loop) + TCP_ACCEPT_PAUSE);
}

static void
on_resume(struct timer *t, mono_us now)
{
	struct tcp_listener *ls =
	    (struct tcp_listener *)((uint8_t *)t - offsetof(struct tcp_listener, resume));

	(void)now;
	if (loop_change(ls->loop, &ls->watch, EPOLLIN) != OK)
		pause_accepting(ls);
}

static int
open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * There are no descriptors left. An idle connection gives its own back at the turn's end; where
 * there is none, the spare one buys a clean refusal, so that the client asks elsewhere at once.
 */
static void
meet_fd_limit(struct tcp_listener *ls)
{
	ls->stats.fd_limit++;
	if (evict(ls))
		return;
	if (ls->spare == -1) {
		ls->spare = open_spare();
		pause_accepting(ls);
		return;
	}
	close(ls->spare);

	int fd = accept4(ls->watch.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd != -1) {
		ls->stats.refused++;
		close(fd);
	}
	ls->spare = open_spare();
}

/* accept() failed. Whatever is not named here concerns the one connection that was about to be. */
static void
accept_failed(struct tcp_listener *ls, int cause)
{
	switch (cause) {
	case EMFILE:
	case ENFILE:
		meet_fd_limit(ls);
		break;
	case ENOBUFS:
	case ENOMEM:
		ls->stats.fd_limit++;
		pause_accepting(ls);
		break;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		pause_accepting(ls);
		break;
	default:
		break;
	}
}

static void
on_accept(struct loop_fd *w, uint32_t events)
{
	struct tcp_listener *ls = (struct tcp_listener *)w;

	(void)events;
	for (int i = 0; i < TCP_ACCEPTS && !ls->ending; i++) {
		struct addr peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd = accept4(w->fd, &peer.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd == -1) {
			/*
			 * accept() reserves a descriptor before it looks for a connection, so only
			 * the first failure of a turn says that somebody waits.
			 */
			if (i == 0)
				accept_failed(ls, errno);
			return;
		}
		peer = tcp_addr_of(peer);
		admit(ls, fd, &peer);
	}
}

/* --- listeners -------------------------------------------------------------------------------- */

static void
fill_defaults(struct tcp_opts *o)
{
	if (o->conns_max == 0)
		o->conns_max = TCP_CONNS_DEFAULT;
	if (o->in_max == 0)
		o->in_max = TCP_IN_DEFAULT;
	if (o->out_max == 0)
		o->out_max = TCP_OUT_DEFAULT;
	if (o->first_timeout == 0)
		o->first_timeout = seconds(2);
	if (o->idle_timeout == 0)
		o->idle_timeout = seconds(10);
}

/* Check that a descriptor listens and set its flags; errno tells why not. */
static bool
make_ours(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0)
		return false;
	if (!listening) {
		errno = EINVAL;
		return false;
	}

	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

enum err
tcp_adopt(struct tcp_listener **out, struct loop *l, int fd, const struct tcp_opts *opts)
{
	assert(opts->ops != NULL && opts->ops->input != NULL);
	if (!make_ours(fd))
		return ERR_SYS;

	struct tcp_listener *ls = calloc(1, sizeof(*ls));

	if (ls == NULL)
		return ERR_NOMEM;
	ls->watch = (struct loop_fd){ .fd = fd, .ready = on_accept };
	ls->timer.fire = on_timer;
	ls->resume.fire = on_resume;
	ls->loop = l;
	ls->opts = *opts;
	fill_defaults(&ls->opts);
	ls->local = tcp_socket_local(fd);
	ls->inet = ls->local.sa.sa_family != AF_UNSPEC;
	for (enum tcp_place p = 0; p < TCP_PLACES; p++)
		TAILQ_INIT(&ls->lists[p]);

	enum err e = loop_add(l, &ls->watch, EPOLLIN);

	if (e != OK) {
		free(ls);
		return e;
	}
	ls->spare = open_spare();
	*out = ls;
	return OK;
}

enum err
tcp_listen(struct tcp_listener **out, struct loop *l, const struct addr *local,
    const struct tcp_opts *opts)
{
	const int on = 1;
	int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err e = ERR_SYS;

	if (fd == -1)
		return ERR_SYS;
	/* A restart must not wait for the connections of its predecessor to time out. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		goto close_socket;
	if (local->sa.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		goto close_socket;
	if (bind(fd, &local->sa, addr_len(local)) != 0 || listen(fd, TCP_BACKLOG) != 0)
		goto close_socket;
	e = tcp_adopt(out, l, fd, opts);
	if (e == OK)
		return OK;

close_socket:;
	int cause = errno;

	close(fd);
	errno = cause;
	return e;
}

void
tcp_listener_close(struct tcp_listener *ls)
{
	struct tcp_conn *c;

	if (ls == NULL || ls->ending)
		return;
	ls->ending = true;
	loop_remove(ls->loop, &ls->watch);
	close(ls->watch.fd);
	if (ls->spare != -1)
		close(ls->spare);
	for (enum tcp_place p = 0; p < TCP_DEAD; p++)
		while ((c = TAILQ_FIRST(&ls->lists[p])) != NULL)
			tcp_conn_doom(c);
	loop_timer_cancel(ls->loop, &ls->timer);
	loop_timer_cancel(ls->loop, &ls->resume);
	/* Inside a callback one of them is being used: their tasks do the rest. */
	if (ls->depth != 0)
		return;
	ls->depth++;
	while ((c = TAILQ_FIRST(&ls->lists[TCP_DEAD])) != NULL)
		tcp_conn_bury(c);
	free(ls);
}

const struct addr *
tcp_listener_local(const struct tcp_listener *ls)
{
	return &ls->local;
}

const struct tcp_stats *
tcp_stats(const struct tcp_listener *ls)
{
	return &ls->stats;
}
