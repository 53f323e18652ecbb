/* SPDX-License-Identifier: MIT */
/*
 * A service over TCP that answers lines, and clients for it, all in one program: the clients are
 * plain sockets, the loop is turned until what is waited for has come or patience is spent.
 *
 * Each line comes back in capitals. A line that begins with a digit does something else:
 *   1  an answer that takes its time: the connection is held     4  close the listener from inside
 *   2  close behind the answer                                   5  an answer of 8 MiB
 *   3  pause
 */
#ifndef TESTS_SUPPORT_LINE_SERVER_H
#define TESTS_SUPPORT_LINE_SERVER_H

#include "core/loop.h"
#include "core/tcp.h"
#include "support/unit.h"

#include <stdbool.h>
#include <stddef.h>

#define PATIENCE seconds(20)

struct server {
	struct loop *loop;
	struct tcp_listener *listener;
	unsigned accepted;
	unsigned closed;
	unsigned lines;
	bool refuse;
	bool close_on_accept;
	bool close_all_on_close;
	struct tcp_conn *held;		/* the connection that asked for '1' */
	struct tcp_conn *paused;	/* the connection that asked for '3' */
	struct tcp_conn *last;		/* accepted last */
	enum err sent;			/* how the last '5' fared */
	size_t offered;			/* longest in.len seen */
};

extern const struct tcp_ops line_server_ops;

/* Listen on an address, 127.0.0.1 for start(); ops and ctx of opts are filled in. */
void start(struct server *s, struct tcp_opts opts);
void start_at(struct server *s, struct tcp_opts opts, const char *where);
/* Close everything and check that closed() was called once for each connection. */
void stop(struct server *s);
const struct tcp_stats *stats(const struct server *s);

/* Turn the loop until cond holds; a client's side is looked at every few milliseconds. */
#define AWAIT(s, cond)                                                                             \
	do {                                                                                       \
		mono_us end_ = loop_clock((s)->loop) + PATIENCE;                                   \
		while (!(cond) && loop_clock((s)->loop) < end_)                                    \
			CU_ASSERT_EQUAL_FATAL(                                                     \
			    loop_turn((s)->loop, loop_now((s)->loop) + millis(2)), OK);            \
		CU_ASSERT_TRUE(cond);                                                              \
	} while (0)

/* Connect; the kernel completes that before the server has accepted. */
int dial(const struct server *s);
void say(int fd, const char *text);
/* Read until `text` has come; false where something else has, or the end. */
bool hears(struct server *s, int fd, const char *text);
/* What a client sees now: '.' nothing, 'e' the orderly end, 'r' a reset, 'd' data (thrown away). */
char sees(int fd);
/* The connection has ended, one way or another; data is thrown away. */
bool over(int fd);

#endif
