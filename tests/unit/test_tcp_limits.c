/* SPDX-License-Identifier: MIT */
/* What a connection may use of time, memory and descriptors, and what happens at each limit. */
#include "core/tcp.h"

#include "core/loop.h"
#include "support/line_server.h"
#include "support/unit.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 600

static void
a_silent_client_is_let_go_after_the_first_timeout(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .first_timeout = millis(60), .idle_timeout = seconds(60) });

	int quiet = dial(&s);
	int lively = dial(&s);

	say(lively, "here\n");
	CU_ASSERT_TRUE(hears(&s, lively, "HERE\n"));
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_TRUE(over(quiet));
	CU_ASSERT_EQUAL(stats(&s)->timed_out, 1);
	CU_ASSERT_EQUAL(stats(&s)->open, 1);
	say(lively, "still\n");
	CU_ASSERT_TRUE(hears(&s, lively, "STILL\n"));
	close(quiet);
	close(lively);
	stop(&s);
}

static void
an_idle_client_is_let_go_but_not_while_its_answer_is_worked_on(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .idle_timeout = millis(60) });

	int idle = dial(&s);
	int held = dial(&s);

	say(idle, "a\n");
	say(held, "1\n");
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_TRUE(over(idle));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.held);

	mono_us later = loop_clock(s.loop) + millis(200);

	while (loop_clock(s.loop) < later)
		CU_ASSERT_EQUAL(loop_turn(s.loop, later), OK);
	CU_ASSERT_EQUAL(s.closed, 1);
	CU_ASSERT_EQUAL(tcp_send(s.held, SPAN("done\n")), OK);
	tcp_unhold(s.held);
	CU_ASSERT_TRUE(hears(&s, held, "done\n"));
	AWAIT(&s, s.closed == 2);
	CU_ASSERT_EQUAL(stats(&s)->timed_out, 2);
	close(idle);
	close(held);
	stop(&s);
}

static void
idle_time_shrinks_as_the_table_fills(void)
{
	struct server roomy, full;
	struct tcp_opts opts = { .idle_timeout = seconds(4), .conns_max = 100 };

	start(&roomy, opts);
	opts.conns_max = 2;
	start(&full, opts);

	int alone = dial(&roomy);

	say(alone, "x\n");
	CU_ASSERT_TRUE(hears(&roomy, alone, "X\n"));

	int first = dial(&full);

	say(first, "x\n");
	CU_ASSERT_TRUE(hears(&full, first, "X\n"));

	int second = dial(&full);

	say(second, "1\n");
	AWAIT(&full, full.closed == 1);
	CU_ASSERT_TRUE(over(first));
	CU_ASSERT_EQUAL(loop_turn(roomy.loop, 0), OK);
	CU_ASSERT_EQUAL(roomy.closed, 0);
	close(alone);
	close(first);
	close(second);
	stop(&roomy);
	stop(&full);
}

/* Drip bytes of a line that never ends; gives whether the server has put an end to it. */
static bool
drip_until_closed(struct server *s, int fd, unsigned already)
{
	mono_us end = loop_clock(s->loop) + PATIENCE;

	while (s->closed == already && loop_clock(s->loop) < end) {
		(void)send(fd, "z", 1, MSG_NOSIGNAL);
		CU_ASSERT_EQUAL_FATAL(loop_turn(s->loop, loop_now(s->loop) + millis(5)), OK);
	}
	return s->closed == already + 1;
}

static void
dripping_single_bytes_does_not_extend_life(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .first_timeout = millis(80), .idle_timeout = millis(80) });

	int first = dial(&s);

	CU_ASSERT_TRUE(drip_until_closed(&s, first, 0));

	int second = dial(&s);

	say(second, "whole\n");
	CU_ASSERT_TRUE(hears(&s, second, "WHOLE\n"));
	CU_ASSERT_TRUE(drip_until_closed(&s, second, 1));
	CU_ASSERT_EQUAL(stats(&s)->timed_out, 2);
	close(first);
	close(second);
	stop(&s);
}

static void
a_full_table_lets_the_longest_idle_one_go(void)
{
	enum { CAP = 4 };
	struct server s;
	int fd[CAP + 1];

	start(&s, (struct tcp_opts){ .conns_max = CAP });
	for (int i = 0; i < CAP; i++) {
		fd[i] = dial(&s);
		say(fd[i], i == 0 ? "1\n" : "x\n");
		AWAIT(&s, s.lines == (unsigned)i + 1);
	}
	/* 0 is held and 1 becomes active again: it is the turn of 2. */
	say(fd[1], "y\n");
	AWAIT(&s, s.lines == CAP + 1);
	fd[CAP] = dial(&s);
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_TRUE(over(fd[2]));
	CU_ASSERT_FALSE(over(fd[0]));
	CU_ASSERT_FALSE(over(fd[1]));
	CU_ASSERT_FALSE(over(fd[3]));
	CU_ASSERT_FALSE(over(fd[CAP]));
	CU_ASSERT_EQUAL(stats(&s)->evicted, 1);
	CU_ASSERT_EQUAL(stats(&s)->open, CAP);
	for (int i = 0; i <= CAP; i++)
		close(fd[i]);
	stop(&s);
}

static void
a_table_full_of_work_refuses(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .conns_max = 1 });

	int busy = dial(&s);

	say(busy, "1\n");
	AWAIT(&s, s.held != NULL);

	int late = dial(&s);

	AWAIT(&s, over(late));
	CU_ASSERT_EQUAL(stats(&s)->refused, 1);
	CU_ASSERT_EQUAL(tcp_send(s.held, SPAN("ok\n")), OK);
	CU_ASSERT_TRUE(hears(&s, busy, "ok\n"));
	close(busy);
	close(late);
	stop(&s);
}

static void
one_peer_does_not_get_more_than_its_share(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .per_peer_max = 2 });

	int fd[3] = { dial(&s), dial(&s), dial(&s) };

	AWAIT(&s, over(fd[2]));
	CU_ASSERT_EQUAL(stats(&s)->refused, 1);
	CU_ASSERT_EQUAL(s.accepted, 2);
	close(fd[0]);
	AWAIT(&s, s.closed == 1);
	close(fd[2]);
	fd[2] = dial(&s);
	say(fd[2], "in\n");
	CU_ASSERT_TRUE(hears(&s, fd[2], "IN\n"));
	close(fd[1]);
	close(fd[2]);
	stop(&s);
}

static void
a_flood_of_connections_leaves_the_newest_and_the_working_ones(void)
{
	enum { CAP = 32 };
	struct server s;
	int fd[CLIENTS_MAX];

	start(&s, (struct tcp_opts){ .conns_max = CAP });

	int worker = dial(&s);

	say(worker, "1\n");
	AWAIT(&s, s.held != NULL);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		fd[i] = dial(&s);
		if (i % 8 == 0)
			CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop)), OK);
	}
	AWAIT(&s, s.accepted == CLIENTS_MAX + 1);
	AWAIT(&s, stats(&s)->open == CAP);
	AWAIT(&s, s.closed == CLIENTS_MAX + 1 - CAP);
	say(fd[CLIENTS_MAX - 1], "newest\n");
	CU_ASSERT_TRUE(hears(&s, fd[CLIENTS_MAX - 1], "NEWEST\n"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.held);
	CU_ASSERT_EQUAL(tcp_send(s.held, SPAN("working\n")), OK);
	CU_ASSERT_TRUE(hears(&s, worker, "working\n"));
	for (int i = 0; i < CLIENTS_MAX; i++)
		close(fd[i]);
	close(worker);
	stop(&s);
}

static void
a_message_longer_than_the_buffer_ends_the_connection(void)
{
	struct server s;
	char junk[2000];

	start(&s, (struct tcp_opts){ .in_max = 1000 });
	memset(junk, 'j', sizeof(junk));

	int fd = dial(&s);

	CU_ASSERT_EQUAL(send(fd, junk, 999, MSG_NOSIGNAL), 999);
	AWAIT(&s, s.offered == 999);
	CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop) + millis(1)), OK);
	CU_ASSERT_EQUAL(s.closed, 0);
	CU_ASSERT_EQUAL(send(fd, junk, sizeof(junk), MSG_NOSIGNAL), (ssize_t)sizeof(junk));
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(s.offered, 1000);
	CU_ASSERT_EQUAL(stats(&s)->overflowed, 1);
	close(fd);
	stop(&s);
}

static void
a_peer_that_does_not_read_is_let_go(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .out_max = 100000 });

	int fd = dial(&s);

	say(fd, "5\n");
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(s.sent, ERR_FULL);
	CU_ASSERT_EQUAL(stats(&s)->overflowed, 1);
	close(fd);
	stop(&s);
}

static void
a_large_answer_arrives_whole_at_a_slow_reader(void)
{
	struct server s;
	size_t total = 0;

	start(&s, (struct tcp_opts){ .out_max = 16 * 1024 * 1024 });

	int fd = dial(&s);
	mono_us end = loop_clock(s.loop) + PATIENCE;

	say(fd, "5\nafter\n");
	while (total < 8 * 1024 * 1024 && loop_clock(s.loop) < end) {
		char buf[50000];
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		total += n > 0 ? (size_t)n : 0;
		CU_ASSERT_EQUAL_FATAL(loop_turn(s.loop, loop_now(s.loop)), OK);
		if (n > 0 && total > 8 * 1024 * 1024)
			total -= 6;	/* the next answer was read along */
		else if (total == 8 * 1024 * 1024)
			CU_ASSERT_TRUE(hears(&s, fd, "AFTER\n"));
	}
	CU_ASSERT_EQUAL(total, 8 * 1024 * 1024);
	CU_ASSERT_EQUAL(s.sent, OK);
	close(fd);
	stop(&s);
}

static void
a_peer_that_never_takes_its_answer_runs_out_of_time(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ .out_max = 16 * 1024 * 1024, .idle_timeout = millis(80) });

	int fd = dial(&s);

	say(fd, "5\n");
	AWAIT(&s, s.closed == 1);
	CU_ASSERT_EQUAL(stats(&s)->timed_out, 1);
	close(fd);
	stop(&s);
}

static void
a_paused_connection_is_not_read_and_goes_on_where_it_stopped(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int fd = dial(&s);

	say(fd, "one\n3\ntwo\n");
	CU_ASSERT_TRUE(hears(&s, fd, "ONE\n"));
	say(fd, "three\n");
	CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(loop_turn(s.loop, loop_now(s.loop) + millis(1)), OK);
	CU_ASSERT_EQUAL(s.lines, 2);
	CU_ASSERT_EQUAL(sees(fd), '.');
	tcp_pause(s.paused, false);
	CU_ASSERT_EQUAL(s.lines, 2);
	CU_ASSERT_TRUE(hears(&s, fd, "TWO\nTHREE\n"));
	AWAIT(&s, s.closed == 1);
	close(fd);
	stop(&s);
}

/* Lower the limit of descriptors to what is open now plus `more`; gives the old one. */
static struct rlimit
leave_descriptors(int more)
{
	struct rlimit old, low;
	int next = dup(0);

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
	CU_ASSERT_NOT_EQUAL_FATAL(next, -1);
	close(next);
	low = old;
	low.rlim_cur = (rlim_t)(next + more);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &low), 0);
	return old;
}

static void
without_descriptors_idle_connections_give_way_and_nothing_spins(void)
{
	enum { N = 8 };
	struct server s;
	int fd[N];

	start(&s, (struct tcp_opts){ 0 });
	for (int i = 0; i < N; i++)
		fd[i] = dial(&s);

	/* Room for three of the eight. */
	struct rlimit old = leave_descriptors(3);

	say(fd[N - 1], "newest\n");
	CU_ASSERT_TRUE(hears(&s, fd[N - 1], "NEWEST\n"));
	CU_ASSERT_EQUAL(stats(&s)->open, 3);
	CU_ASSERT_EQUAL(s.accepted, N);
	CU_ASSERT_EQUAL(stats(&s)->evicted, N - 3);
	CU_ASSERT_TRUE(stats(&s)->fd_limit >= N - 3);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (int i = 0; i < N; i++)
		close(fd[i]);
	stop(&s);
}

static void
without_descriptors_and_with_all_at_work_newcomers_are_refused_at_once(void)
{
	struct server s;

	start(&s, (struct tcp_opts){ 0 });

	int busy = dial(&s);

	say(busy, "1\n");
	AWAIT(&s, s.held != NULL);

	int late[3] = { dial(&s), dial(&s), dial(&s) };
	struct rlimit old = leave_descriptors(0);

	for (int i = 0; i < 3; i++)
		AWAIT(&s, over(late[i]));
	CU_ASSERT_EQUAL(stats(&s)->refused, 3);

	/* Nobody waits any more: the loop sleeps until its time is up. */
	uint64_t turns = loop_stats(s.loop)->turns;
	mono_us until = loop_clock(s.loop) + millis(50);

	while (loop_clock(s.loop) < until)
		CU_ASSERT_EQUAL(loop_turn(s.loop, until), OK);
	CU_ASSERT_TRUE(loop_stats(s.loop)->turns - turns < 10);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &old), 0);
	CU_ASSERT_EQUAL(tcp_send(s.held, SPAN("ok\n")), OK);
	CU_ASSERT_TRUE(hears(&s, busy, "ok\n"));
	for (int i = 0; i < 3; i++)
		close(late[i]);
	late[0] = dial(&s);
	say(late[0], "again\n");
	CU_ASSERT_TRUE(hears(&s, late[0], "AGAIN\n"));
	close(late[0]);
	close(busy);
	stop(&s);
}

static void
random_clients_never_upset_the_books(void)
{
	enum { CLIENTS = 24, STEPS = 4000 };
	static const char *const words[] = { "word\n", "half", "1\n", "2\n", "3\n", "5\n", "\n" };
	struct server s;
	int fd[CLIENTS];
	uint64_t rnd = unit_seed(3);

	start(&s, (struct tcp_opts){ .conns_max = 16, .out_max = 300000, .in_max = 64,
	    .first_timeout = millis(50), .idle_timeout = millis(50) });
	for (int i = 0; i < CLIENTS; i++)
		fd[i] = dial(&s);
	for (int i = 0; i < STEPS; i++) {
		int *c = &fd[unit_random(&rnd) % CLIENTS];
		const char *word = words[unit_random(&rnd) % (sizeof(words) / sizeof(*words))];

		switch (unit_random(&rnd) % 8) {
		case 0:
			close(*c);
			*c = dial(&s);
			break;
		case 1:
			(void)shutdown(*c, SHUT_WR);
			break;
		case 2:
			(void)sees(*c);
			break;
		case 3:
			if (s.held != NULL) {
				(void)tcp_send(s.held, SPAN("done\n"));
				tcp_unhold(s.held);
				s.held = NULL;
			}
			break;
		default:
			(void)send(*c, word, strlen(word), MSG_NOSIGNAL);
		}
		CU_ASSERT_EQUAL_FATAL(loop_turn(s.loop, loop_now(s.loop)), OK);
		CU_ASSERT_EQUAL_FATAL(stats(&s)->open, s.accepted - s.closed);
		CU_ASSERT_TRUE_FATAL(stats(&s)->open <= 16);
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fd[i]);
	stop(&s);
}

UNIT_MAIN("tcp limits", UNIT(a_silent_client_is_let_go_after_the_first_timeout),
    UNIT(an_idle_client_is_let_go_but_not_while_its_answer_is_worked_on),
    UNIT(idle_time_shrinks_as_the_table_fills), UNIT(dripping_single_bytes_does_not_extend_life),
    UNIT(a_full_table_lets_the_longest_idle_one_go), UNIT(a_table_full_of_work_refuses),
    UNIT(one_peer_does_not_get_more_than_its_share),
    UNIT(a_flood_of_connections_leaves_the_newest_and_the_working_ones),
    UNIT(a_message_longer_than_the_buffer_ends_the_connection),
    UNIT(a_peer_that_does_not_read_is_let_go),
    UNIT(a_large_answer_arrives_whole_at_a_slow_reader),
    UNIT(a_peer_that_never_takes_its_answer_runs_out_of_time),
    UNIT(a_paused_connection_is_not_read_and_goes_on_where_it_stopped),
    UNIT(without_descriptors_idle_connections_give_way_and_nothing_spins),
    UNIT(without_descriptors_and_with_all_at_work_newcomers_are_refused_at_once),
    UNIT(random_clients_never_upset_the_books))
