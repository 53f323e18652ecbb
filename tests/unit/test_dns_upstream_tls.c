/* SPDX-License-Identifier: MIT */
/* Upstream servers over TLS: what a server, the settings and the network may do at a bad moment. */
#include "services/dns/dns_upstream.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "core/log.h"
#include "core/rand.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_upstream_priv.h"
#include "support/edge.h"
#include "support/fake_tls.h"
#include "support/unit.h"
#include "util/seal.h"

static struct world {
	struct rand rand;
	struct log *log;
	struct dns_upstream *up;
	struct dns_server *sv;
	struct fake_tls fake;
} w;

struct question {
	struct dns_send send;
	unsigned calls;
	enum dns_send_result result;
};

static void
answered(struct dns_send *s, const struct dns_reply *r)
{
	struct question *q = (struct question *)s;

	q->calls++;
	q->result = r->result;
}

static void
begin(int max_version)
{
	struct dns_upstream_opts opts = { 0 };
	char text[ADDR_TEXT_MAX], spec[ADDR_TEXT_MAX + 8];

	CU_ASSERT_NOT_EQUAL(signal(SIGPIPE, SIG_IGN), SIG_ERR);	/* the fake writes as it likes */
	edge_begin(1, 8);
	opts.offload = edge.pool;
	CU_ASSERT_EQUAL(seal_init(), OK);
	rand_init(&w.rand);
	CU_ASSERT_EQUAL_FATAL(log_new(&w.log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT), OK);
	fake_tls_begin(&w.fake, edge.loop, edge_path("ca.pem"), max_version);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_new(&w.up, edge.loop, &w.rand, w.log, &opts), OK);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_authorities(w.up, edge_path("ca.pem")), OK);
	snprintf(spec, sizeof(spec), "tls://%s", addr_format(&w.fake.addr, text));
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(w.up, &w.sv, spec, NULL), OK);
}

static void
end(void)
{
	dns_upstream_free(w.up);
	fake_tls_end(&w.fake);
	log_free(w.log);
	rand_fini(&w.rand);
	edge_end();
}

static void
turn(void)
{
	CU_ASSERT_EQUAL_FATAL(loop_turn(edge.loop, loop_clock(edge.loop) + millis(20)), OK);
}

static void
ask(struct question *q)
{
	struct dns_name name;
	struct dns_send_ask a = { .type = DNS_TYPE_A, .class = DNS_CLASS_IN, .rd = true };

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&name, span_str("a.example")), OK);
	a.name = dns_name_span(&name);
	*q = (struct question){ .send.done = answered };
	CU_ASSERT_EQUAL_FATAL(dns_upstream_send(w.up, w.sv, &q->send, &a,
	    loop_clock(edge.loop) + seconds(10)), OK);
}

static void
expect_answer(struct question *q)
{
	EDGE_AWAIT(q->calls == 1);
	CU_ASSERT_EQUAL(q->result, DNS_SEND_ANSWER);
}

static void
ask_and_expect(void)
{
	struct question q;

	ask(&q);
	expect_answer(&q);
}

/* --- a server that says what it should not ---------------------------------------------------- */

/* The end of a connection, told in the middle of the handshake, and read by who wants to write. */
static void
a_goodbye_before_the_handshake_is_over_ends_the_connection(void)
{
	static const uint8_t goodbye[] = { 21, 3, 3, 0, 2, 1, 0 };
	struct question q, next;

	begin(TLS1_3_VERSION);
	w.fake.deaf = true;
	ask(&q);
	EDGE_AWAIT(w.fake.accepted == 1 && w.sv->stream != NULL && w.sv->stream->tls != NULL);
	fake_tls_raw(&w.fake.conns[0], goodbye, sizeof(goodbye));
	w.fake.deaf = false;
	ask(&next);
	EDGE_AWAIT(q.calls == 1 && next.calls == 1);
	CU_ASSERT_EQUAL(q.result, DNS_SEND_UNREACHABLE);
	CU_ASSERT_EQUAL(next.result, DNS_SEND_UNREACHABLE);
	ask_and_expect();
	end();
}

static int
unread(void)
{
	int n = 0;

	CU_ASSERT_EQUAL(ioctl(w.sv->stream->watch.fd, FIONREAD, &n), 0);
	return n;
}

/* All of them would be read in one go, and more while that lasts. */
static void
tickets_without_end_do_not_hold_the_turn(void)
{
	int before;

	begin(TLS1_3_VERSION);
	ask_and_expect();
	turn();
	while (unread() < 200000 && fake_tls_ticket(&w.fake.conns[0]))
		;
	before = unread();
	CU_ASSERT_TRUE_FATAL(before > 100000);
	turn();
	CU_ASSERT_TRUE(unread() < before);
	CU_ASSERT_TRUE(unread() > before / 2);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 1);
	end();
}

/* What is written to a connection that the server has closed ends the connection alone. */
static void
a_server_that_hangs_up_while_it_is_written_to_ends_no_program(void)
{
	struct question q, next;

	begin(TLS1_3_VERSION);
	ask_and_expect();
	turn();
	fake_tls_hang_up(&w.fake.conns[0]);
	CU_ASSERT_NOT_EQUAL(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	ask(&q);
	ask(&next);
	CU_ASSERT_NOT_EQUAL(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	expect_answer(&q);
	expect_answer(&next);
	CU_ASSERT_EQUAL(w.fake.accepted, 2);
	end();
}

/* Its probes end before the connection would be given up for any of them. */
static void
a_connection_without_a_sound_is_not_asked_for_ever(void)
{
	struct question q[2];
	mono_us until;

	begin(TLS1_3_VERSION);
	w.fake.deaf = true;
	for (unsigned i = 0; i < 2; i++) {
		ask(&q[i]);
		until = loop_clock(edge.loop) + millis(1100);
		loop_timer(edge.loop, &q[i].send.t->deadline, until);
		EDGE_AWAIT(q[i].calls == 1);
		CU_ASSERT_EQUAL(q[i].result, DNS_SEND_TIMEOUT);
		CU_ASSERT_EQUAL(w.fake.accepted, 1);
	}
	w.fake.deaf = false;
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 2);
	end();
}

static void
a_connection_that_ends_in_the_middle_of_an_answer_is_not_asked_any_more(void)
{
	struct question q;

	begin(TLS1_3_VERSION);
	ask_and_expect();
	w.fake.mute = true;
	ask(&q);
	EDGE_AWAIT(w.fake.conns[0].used != 0);
	CU_ASSERT_EQUAL(SSL_write(w.fake.conns[0].ssl, "\0\100half", 6), 6);
	loop_timer(edge.loop, &q.send.t->deadline, loop_clock(edge.loop) + millis(2200));
	EDGE_AWAIT(q.calls == 1);
	CU_ASSERT_EQUAL(q.result, DNS_SEND_TIMEOUT);
	w.fake.mute = false;
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 2);
	end();
}

/* Nobody on the way can have dropped it for its EDNS. */
static void
questions_to_a_server_that_was_silent_are_padded_still(void)
{
	begin(TLS1_3_VERSION);
	w.sv->silent = 2;
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.last_len, 128);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.last_len, 128);
	end();
}

/* --- what a session may be used for ----------------------------------------------------------- */

/* Tickets come at the word of the case alone. */
static void
begin_without_tickets(void)
{
	begin(TLS1_3_VERSION);
	SSL_CTX_set_num_tickets(w.fake.ctx, 0);
}

static void
hang_up(unsigned i)
{
	fake_tls_hang_up(&w.fake.conns[i]);
	EDGE_AWAIT(w.sv->stream == NULL);
}

static void
a_ticket_is_used_once(void)
{
	begin_without_tickets();
	ask_and_expect();
	CU_ASSERT_TRUE(fake_tls_ticket(&w.fake.conns[0]));
	ask_and_expect();
	hang_up(0);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.resumed, 1);
	hang_up(1);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 3);
	CU_ASSERT_EQUAL(w.fake.resumed, 1);
	end();
}

/* A server may be the better for it. */
static void
a_ticket_that_led_to_nothing_is_not_shown_again(void)
{
	struct question q;

	begin_without_tickets();
	ask_and_expect();
	CU_ASSERT_TRUE(fake_tls_ticket(&w.fake.conns[0]));
	ask_and_expect();
	hang_up(0);
	w.fake.deaf = true;
	ask(&q);
	EDGE_AWAIT(w.fake.accepted == 2 && w.sv->stream->tls != NULL);
	fake_tls_hang_up(&w.fake.conns[1]);
	EDGE_AWAIT(q.calls == 1);
	CU_ASSERT_EQUAL(q.result, DNS_SEND_UNREACHABLE);
	w.fake.deaf = false;
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 3);
	CU_ASSERT_EQUAL(w.fake.resumed, 0);
	end();
}

static void
a_session_of_tls_1_2_is_used_again_and_again(void)
{
	begin(TLS1_2_VERSION);
	for (unsigned i = 0; i < 4; i++) {
		ask_and_expect();
		CU_ASSERT_EQUAL(w.fake.resumed, i);
		hang_up(i);
	}
	end();
}

/* A question waits on a connection while something changes; the ticket comes after that. */
static void
ask_and_change(struct question *q, void (*change)(void))
{
	begin_without_tickets();
	ask_and_expect();
	w.fake.mute = true;
	ask(q);
	EDGE_AWAIT(w.fake.conns[0].used != 0);
	w.fake.mute = false;
	change();
	CU_ASSERT_TRUE(fake_tls_ticket(&w.fake.conns[0]));
}

static void
change_network(void)
{
	dns_upstream_forget(w.up);
}

static void
a_connection_of_another_network_is_not_asked_any_more_nor_resumed(void)
{
	struct question q;

	ask_and_change(&q, change_network);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 2);
	CU_ASSERT_EQUAL(q.calls, 0);
	fake_tls_answer(&w.fake.conns[0]);
	expect_answer(&q);
	EDGE_AWAIT(w.fake.conns[0].watch.fd == -1);
	hang_up(1);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.resumed, 0);
	end();
}

static time_t clock_unset;	/* what time() says while it is not 0 */

time_t
time(time_t *out)
{
	struct timespec ts;

	CU_ASSERT_EQUAL(clock_gettime(CLOCK_REALTIME, &ts), 0);

	time_t now = clock_unset != 0 ? clock_unset : ts.tv_sec;

	if (out != NULL)
		*out = now;
	return now;
}

static void
what_was_proven_without_a_clock_is_proven_again_with_one(void)
{
	begin(TLS1_2_VERSION);	/* whose sessions know nothing of time */
	SSL_CTX_set_timeout(w.fake.ctx, INT32_MAX);	/* the fake has the same clock */
	clock_unset = 1000;
	ask_and_expect();
	turn();
	clock_unset = 0;
	hang_up(0);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.resumed, 0);
	hang_up(1);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.resumed, 1);
	end();
}

static void
the_certificate_is_looked_at_once_a_day(void)
{
	begin(TLS1_3_VERSION);
	for (unsigned i = 0; i < 3; i++) {
		ask_and_expect();
		turn();
		CU_ASSERT_EQUAL(w.fake.resumed, i);
		hang_up(i);
	}
	/* However often it has been resumed since. */
	w.sv->tls_verified -= seconds(86400);
	ask_and_expect();
	turn();
	CU_ASSERT_EQUAL(w.fake.resumed, 2);
	hang_up(3);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.resumed, 3);
	end();
}

/* --- authorities ------------------------------------------------------------------------------ */

static struct offload_job stopper;
static int stop_pipe[2];

static void
wait_for_the_word(struct offload_job *job)
{
	char byte;

	(void)job;
	(void)!read(stop_pipe[0], &byte, 1);
}

static void
nothing_to_do(struct offload_job *job)
{
	(void)job;
}

/* Nothing is read from here on until go(). */
static void
stop(void)
{
	CU_ASSERT_EQUAL_FATAL(pipe(stop_pipe), 0);
	stopper = (struct offload_job){ .work = wait_for_the_word, .done = nothing_to_do };
	CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &stopper), OK);
}

static void
go(void)
{
	CU_ASSERT_EQUAL(write(stop_pipe[1], "x", 1), 1);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting == 0);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
}

static bool
is_waiting_for_authorities(void)
{
	return w.sv->stream != NULL && w.sv->stream->connected && w.sv->stream->tls == NULL;
}

static void
a_server_that_is_dropped_while_authorities_are_read_answers_still(void)
{
	struct question q;

	begin(TLS1_3_VERSION);
	stop();
	ask(&q);
	EDGE_AWAIT(is_waiting_for_authorities());
	dns_upstream_drop(w.up, w.sv);
	go();
	expect_answer(&q);
	turn();
	end();
}

static void
a_network_that_changes_while_authorities_are_read_loses_nothing(void)
{
	struct question q, next;

	begin(TLS1_3_VERSION);
	stop();
	ask(&q);
	EDGE_AWAIT(is_waiting_for_authorities());
	dns_upstream_forget(w.up);
	ask(&next);
	go();
	expect_answer(&q);
	expect_answer(&next);
	end();
}

/* Whoever hangs up meanwhile is not waited for; nobody turns the loop for it in vain. */
static void
a_server_that_goes_while_authorities_are_read_is_told_at_once(void)
{
	static const struct linger at_once = { .l_onoff = 1 };
	struct question q;

	begin(TLS1_3_VERSION);
	w.fake.deaf = true;
	stop();
	ask(&q);
	EDGE_AWAIT(w.fake.accepted == 1 && is_waiting_for_authorities());
	CU_ASSERT_EQUAL(setsockopt(w.fake.conns[0].watch.fd, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once)), 0);
	fake_tls_hang_up(&w.fake.conns[0]);
	EDGE_AWAIT(q.calls == 1);
	CU_ASSERT_EQUAL(q.result, DNS_SEND_UNREACHABLE);
	go();
	w.fake.deaf = false;
	ask_and_expect();
	end();
}

/* Questions that are on their way when the settings change, at whatever stage they are. */
static void
other_authorities_lose_no_question(void)
{
	struct question q[2];

	for (unsigned turns = 0; turns < 12; turns++) {
		begin(TLS1_3_VERSION);
		ask(&q[0]);
		for (unsigned i = 0; i < turns; i++)
			turn();
		CU_ASSERT_EQUAL(dns_upstream_authorities(w.up, edge_path("none.pem")), OK);
		ask(&q[1]);
		CU_ASSERT_EQUAL(dns_upstream_authorities(w.up, edge_path("ca.pem")), OK);
		expect_answer(&q[0]);
		expect_answer(&q[1]);
		end();
	}
}

static void
the_end_may_come_at_any_time(void)
{
	struct question q;

	for (unsigned turns = 0; turns < 12; turns++) {
		begin(TLS1_3_VERSION);
		ask(&q);
		for (unsigned i = 0; i < turns; i++)
			turn();
		end();
	}
	begin(TLS1_3_VERSION);
	stop();
	ask(&q);
	EDGE_AWAIT(is_waiting_for_authorities());
	dns_upstream_free(w.up);
	w.up = NULL;
	go();
	end();
}

static void
change_authorities(void)
{
	CU_ASSERT_EQUAL(dns_upstream_authorities(w.up, edge_path("ca.pem")), OK);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting == 0);
}

static void
authorities_that_were_read_again_are_shown_everything_again(void)
{
	struct question q;

	ask_and_change(&q, change_authorities);
	fake_tls_answer(&w.fake.conns[0]);
	expect_answer(&q);
	EDGE_AWAIT(w.fake.conns[0].watch.fd == -1);
	ask_and_expect();
	CU_ASSERT_EQUAL(w.fake.accepted, 2);
	CU_ASSERT_EQUAL(w.fake.resumed, 0);
	end();
}

UNIT_MAIN("dns_upstream_tls",
    UNIT(a_goodbye_before_the_handshake_is_over_ends_the_connection),
    UNIT(tickets_without_end_do_not_hold_the_turn),
    UNIT(a_server_that_hangs_up_while_it_is_written_to_ends_no_program),
    UNIT(a_connection_without_a_sound_is_not_asked_for_ever),
    UNIT(a_connection_that_ends_in_the_middle_of_an_answer_is_not_asked_any_more),
    UNIT(questions_to_a_server_that_was_silent_are_padded_still),
    UNIT(a_ticket_is_used_once),
    UNIT(a_ticket_that_led_to_nothing_is_not_shown_again),
    UNIT(a_session_of_tls_1_2_is_used_again_and_again),
    UNIT(a_connection_of_another_network_is_not_asked_any_more_nor_resumed),
    UNIT(what_was_proven_without_a_clock_is_proven_again_with_one),
    UNIT(the_certificate_is_looked_at_once_a_day),
    UNIT(a_server_that_is_dropped_while_authorities_are_read_answers_still),
    UNIT(a_network_that_changes_while_authorities_are_read_loses_nothing),
    UNIT(a_server_that_goes_while_authorities_are_read_is_told_at_once),
    UNIT(other_authorities_lose_no_question),
    UNIT(authorities_that_were_read_again_are_shown_everything_again),
    UNIT(the_end_may_come_at_any_time))
