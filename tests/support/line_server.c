/* SPDX-License-Identifier: MIT */
#include "support/line_server.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
accepted(struct tcp_conn *c)
{
	struct server *s = tcp_ctx(c);

	if (s->refuse)
		return false;
	s->accepted++;
	s->last = c;
	tcp_set_user(c, s);
	if (s->close_on_accept) {
		CU_ASSERT_EQUAL(tcp_send(c, SPAN("bye\n")), OK);
		tcp_close(c);
	}
	return true;
}

/* Do what a line asks for; it comes without its end. */
static void
answer(struct server *s, struct tcp_conn *c, struct span line)
{
	static const uint8_t block[65536];
	char reply[256];

	switch (line.len != 0 ? line.at[0] : 0) {
	case '1':	/* an answer that takes its time */
		tcp_hold(c);
		s->held = c;
		return;
	case '2':	/* close behind the answer */
		CU_ASSERT_EQUAL(tcp_send(c, SPAN("end\n")), OK);
		tcp_close(c);
		tcp_close(c);
		CU_ASSERT_EQUAL(tcp_send(c, SPAN("too late\n")), ERR_DENIED);
		return;
	case '3':	/* no more for now */
		s->paused = c;
		tcp_pause(c, true);
		return;
	case '4':	/* close everything, from in here */
		tcp_listener_close(s->listener);
		return;
	case '5':	/* an answer of 8 MiB */
		for (int i = 0; i < 128 && (s->sent = tcp_send(c, span_of(block, 65536))) == OK;
		    i++)
			continue;
		return;
	default:
		if (line.len >= sizeof(reply))
			line.len = sizeof(reply) - 1;
		for (size_t i = 0; i < line.len; i++)
			reply[i] = (char)toupper(line.at[i]);
		reply[line.len] = '\n';
		(void)tcp_send(c, span_of(reply, line.len + 1));
	}
}

/* One line per call, so that the rest has to be offered again. */
static size_t
input(struct tcp_conn *c, struct span in)
{
	struct server *s = tcp_user(c);
	const uint8_t *end = memchr(in.at, '\n', in.len);

	if (in.len > s->offered)
		s->offered = in.len;
	if (end == NULL)
		return 0;
	s->lines++;
	answer(s, c, span_of(in.at, (size_t)(end - in.at)));
	return (size_t)(end - in.at) + 1;
}

static void
closed(struct tcp_conn *c)
{
	struct server *s = tcp_user(c);

	s->closed++;
	if (s->held == c)
		s->held = NULL;
	tcp_close(c);
	CU_ASSERT_EQUAL(tcp_send(c, SPAN("anybody?")), ERR_DENIED);
	if (s->close_all_on_close)
		tcp_listener_close(s->listener);
}

const struct tcp_ops line_server_ops = { .accepted = accepted, .input = input, .closed = closed };

void
start_at(struct server *s, struct tcp_opts opts, const char *where)
{
	struct addr local;

	memset(s, 0, sizeof(*s));
	opts.ops = &line_server_ops;
	opts.ctx = s;
	CU_ASSERT_EQUAL_FATAL(loop_new(&s->loop), OK);
	CU_ASSERT_EQUAL_FATAL(addr_parse(&local, where, 0), OK);
	CU_ASSERT_EQUAL_FATAL(tcp_listen(&s->listener, s->loop, &local, &opts), OK);
}

void
start(struct server *s, struct tcp_opts opts)
{
	start_at(s, opts, "127.0.0.1");
}

void
stop(struct server *s)
{
	tcp_listener_close(s->listener);
	CU_ASSERT_EQUAL(s->closed, s->accepted);
	loop_free(s->loop);
}

const struct tcp_stats *
stats(const struct server *s)
{
	return tcp_stats(s->listener);
}

int
dial(const struct server *s)
{
	const struct addr *to = tcp_listener_local(s->listener);
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_NOT_EQUAL_FATAL(fd, -1);
	CU_ASSERT_EQUAL_FATAL(connect(fd, &to->sa, addr_len(to)), 0);
	CU_ASSERT_EQUAL_FATAL(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

void
say(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

bool
hears(struct server *s, int fd, const char *text)
{
	mono_us end = loop_clock(s->loop) + PATIENCE;
	char got[1024];
	size_t n = 0;

	while (n < strlen(text) && loop_clock(s->loop) < end) {
		ssize_t r = recv(fd, got + n, strlen(text) - n, 0);

		if (r == 0 || (r < 0 && errno != EAGAIN))
			break;
		n += r > 0 ? (size_t)r : 0;
		CU_ASSERT_EQUAL_FATAL(loop_turn(s->loop, loop_now(s->loop) + millis(2)), OK);
	}
	return n == strlen(text) && memcmp(got, text, n) == 0;
}

char
sees(int fd)
{
	char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n > 0)
		return 'd';
	if (n == 0)
		return 'e';
	return errno == EAGAIN ? '.' : 'r';
}

bool
over(int fd)
{
	char c;

	while ((c = sees(fd)) == 'd')
		continue;
	return c != '.';
}
