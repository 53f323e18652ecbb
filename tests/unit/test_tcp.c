/* SPDX-License-Identifier: MIT */
/* Talking over connections and ending them. The limits are in test_tcp_limits.c. */
#include "core/tcp.h"

#include "core/loop.h"
#include "support/line_server.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- talking ---------------------------------------------------------------------------------- */

static void
lines_are_answered(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	say(fd, "hello\n");
	CU_ASSERT_TRUE(hears(&s, fd, "HELLO\n"));
	CU_ASSERT_EQUAL(s.accepted, 1);
	CU_ASSERT_EQUAL(stats(&s)->open, 1);
	CU_ASSERT_TRUE(addr_is_loopback(tcp_peer(s.last)));
	CU_ASSERT_TRUE(addr_equal(tcp_local(s.last), tcp_listener_local(s.listener)));
	close(fd);
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(stats(&s)->open, 0);
	stop(&s);
}

static void
ipv6_is_ipv6_only(void)
{
	struct server s;

	start_at(&s, (struct tcp_opts){ 0 }, "::");

	struct addr v4 = { 0 };
	uint16_t port = addr_port(tcp_listener_local(s.listener));
	int fd = dial(&s);
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	say(fd, "six\n");
	CU_ASSERT_TRUE(hears(&s, fd, "SIX\n"));
	CU_ASSERT_EQUAL(addr_parse(&v4, "127.0.0.1", port), OK);
	/* The port may be free there, or somebody else's: but it is not ours. */
	CU_ASSERT_EQUAL(bind(other, &v4.sa, addr_len(&v4)) == 0 || errno == EADDRINUSE, true);
	close(fd);
	close(other);
	stop(&s);
}

static void
a_line_in_single_bytes_is_put_together(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);
	const char *text = "slowly\nx";

	for (const char *p = text; *p != '\0'; p++) {
		CU_ASSERT_EQUAL(send(fd, p, 1, MSG_NOSIGNAL), 1);
		CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop) + millis(2)), OK);
	}
	CU_ASSERT_TRUE(hears(&s, fd, "SLOWLY\n"));
	say(fd, "y\n");
	CU_ASSERT_TRUE(hears(&s, fd, "XY\n"));
	close(fd);
	stop(&s);
}

static void
pipelined_lines_are_all_answered_in_order(void)
{
	enum { N = 20000 };
	struct server s;
	char line[32], want[32];
	unsigned sent = 0, heard = 0;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);
	mono_us end = loop_clock(s.loop) + PATIENCE;
	char got[65536];
	size_t have = 0;

	while (heard < N && loop_clock(s.loop) < end) {
		while (sent < N) {
			int n = snprintf(line, sizeof(line), "line %u\n", sent);

			if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
				break;
			sent++;
		}
		CU_ASSERT_EQUAL_FATAL(loop_turn(s.loop, loop_now(s.loop) + millis(2)), OK);

		ssize_t r = recv(fd, got + have, sizeof(got) - have, 0);
		size_t at = 0;

		have += r > 0 ? (size_t)r : 0;
		for (;;) {
			size_t n = (size_t)snprintf(want, sizeof(want), "LINE %u\n", heard);

			if (have - at < n)
				break;
			CU_ASSERT_EQUAL_FATAL(memcmp(got + at, want, n), 0);
			at += n;
			heard++;
		}
		memmove(got, got + at, have - at);
		have -= at;
	}
	CU_ASSERT_EQUAL(heard, N);
	CU_ASSERT_EQUAL(s.lines, N);
	close(fd);
	stop(&s);
}

static void
a_unix_socket_is_adopted(void)
{
	struct server s = { 0 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct tcp_opts opts = { .ops = &line_server_ops, .ctx = &s, .per_peer_max = 1 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(loop_new(&s.loop), OK);
	/* Without a name yet: autobind gives an abstract one. */
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, sizeof(at.sun_family)), 0);
	CU_ASSERT_EQUAL(tcp_adopt(&s.listener, s.loop, fd, &opts), ERR_SYS);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
	CU_ASSERT_EQUAL_FATAL(tcp_adopt(&s.listener, s.loop, fd, &opts), OK);

	socklen_t len = sizeof(at);
	int a = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int b = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	CU_ASSERT_EQUAL_FATAL(connect(a, (struct sockaddr *)&at, len), 0);
	CU_ASSERT_EQUAL_FATAL(connect(b, (struct sockaddr *)&at, len), 0);
	say(a, "one\n");
	say(b, "2\n");
	CU_ASSERT_TRUE(hears(&s, a, "ONE\n"));
	CU_ASSERT_TRUE(hears(&s, b, "end\n"));
	CU_ASSERT_EQUAL(tcp_peer(s.last)->sa.sa_family, AF_UNSPEC);
	AWAIT(&s, sees(b) == 'e');
	close(b);
	/* Words and then gone: they still count. */
	say(a, "last words\n");
	close(a);
	AWAIT(&s, s.closed == 2);
	CU_ASSERT_EQUAL(s.lines, 3);
	stop(&s);
}

/* --- ending ----------------------------------------------------------------------------------- */

static void
a_closed_connection_ends_in_order_with_all_that_was_sent(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	/* What follows behind the request must not turn the end into a reset. */
	say(fd, "first\n2\nignored\nignored\n");
	CU_ASSERT_TRUE(hears(&s, fd, "FIRST\nend\n"));
	say(fd, "more that nobody reads\n");
	AWAIT(&s, sees(fd) == 'e');
	CU_ASSERT_EQUAL(s.closed, 0);
	CU_ASSERT_EQUAL(s.lines, 2);
	close(fd);
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(stats(&s)->timed_out, 0);
	stop(&s);
}

static void
a_peer_that_does_not_close_its_side_is_not_waited_for_long(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	say(fd, "2\n");
	CU_ASSERT_TRUE(hears(&s, fd, "end\n"));
	AWAIT(&s, s.closed == 1);
	close(fd);
	stop(&s);
}

static void
a_half_closed_peer_gets_its_answers(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	say(fd, "1\nnow\n");
	CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
	CU_ASSERT_TRUE(hears(&s, fd, "NOW\n"));
	AWAIT(&s, s.held != NULL);
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop) + millis(1)), OK);
	CU_ASSERT_EQUAL(s.closed, 0);
	CU_ASSERT_EQUAL(tcp_send(s.held, SPAN("later\n")), OK);
	tcp_unhold(s.held);
	CU_ASSERT_EQUAL(s.closed, 0);
	CU_ASSERT_TRUE(hears(&s, fd, "later\n"));
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(sees(fd), 'e');
	close(fd);
	stop(&s);
}

static void
a_reset_ends_a_held_connection_once(void)
{
	struct server s;
	const struct linger abort_it = { .l_onoff = 1 };

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	say(fd, "1\n");
	AWAIT(&s, s.held != NULL);
	CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it)), 0);
	close(fd);
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_PTR_NULL(s.held);
	stop(&s);
}

static void
the_listener_may_be_closed_from_inside_its_callbacks(void)
{
	struct server s;
	int fd[3];

	start(&s, (struct tcp_opts){ 0 });
	for (int i = 0; i < 3; i++) {
		fd[i] = dial(&s);
		say(fd[i], "x\n");
		CU_ASSERT_TRUE(hears(&s, fd[i], "X\n"));
	}
	say(fd[1], "4\nmore\n");
	AWAIT(&s, s.closed == 3);
	CU_ASSERT_EQUAL(s.lines, 4);
	loop_free(s.loop);

	start(&s, (struct tcp_opts){ 0 });
	close(fd[0]);
	fd[0] = dial(&s);
	AWAIT(&s, s.accepted == 1);
	s.close_all_on_close = true;
	close(fd[0]);
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop) + millis(1)), OK);
	loop_free(s.loop);
	close(fd[1]);
	close(fd[2]);
}

static void
a_service_may_refuse_or_close_at_once(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });
	s.refuse = true;

	int fd = dial(&s);

	AWAIT(&s, over(fd));
	CU_ASSERT_EQUAL(stats(&s)->refused, 1);
	CU_ASSERT_EQUAL(stats(&s)->accepted, 0);
	CU_ASSERT_EQUAL(s.closed, 0);
	close(fd);
	s.refuse = false;
	s.close_on_accept = true;
	fd = dial(&s);
	CU_ASSERT_TRUE(hears(&s, fd, "bye\n"));
	AWAIT(&s, sees(fd) == 'e');
	close(fd);
	AWAIT(&s, s.closed == 1);
	stop(&s);
}

UNIT_MAIN("tcp", UNIT(lines_are_answered), UNIT(ipv6_is_ipv6_only),
    UNIT(a_line_in_single_bytes_is_put_together), UNIT(pipelined_lines_are_all_answered_in_order),
    UNIT(a_unix_socket_is_adopted),
    UNIT(a_closed_connection_ends_in_order_with_all_that_was_sent),
    UNIT(a_peer_that_does_not_close_its_side_is_not_waited_for_long),
    UNIT(a_half_closed_peer_gets_its_answers), UNIT(a_reset_ends_a_held_connection_once),
    UNIT(the_listener_may_be_closed_from_inside_its_callbacks),
    UNIT(a_service_may_refuse_or_close_at_once))
