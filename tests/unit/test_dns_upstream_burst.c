/* SPDX-License-Identifier: MIT */
/* Queries that leave together over a shared socket, and answers that are read together. */
#include "services/dns/dns_upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/dns/dns_msg.h"
#include "support/fake_upstream.h"
#include "support/unit.h"

#define BURST 32	/* as many leave together */

static struct fake_upstream *
without_fresh_ports(const char *rules)
{
	struct fake_upstream *x = fake_upstream_new(rules, true, NULL);

	dns_upstream_fresh_ports(x->up, 0);
	return x;
}

/* Have n sent within one turn, and see that each gets its answer. */
static void
ask_at_once(struct fake_upstream *x, unsigned n)
{
	struct fake_crowd c = { 0 };

	x->fake.udp_seen = 0;
	fake_crowd_send(&c, x, n, seconds(5));
	fake_upstream_await(x, &c.ended, n, seconds(10));
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_TRUE(c.all[i].calls == 1 && c.all[i].answered);
	free(c.all);
}

static void
what_leaves_in_one_turn_has_one_port_and_the_next_turn_draws_again(void)
{
	enum { TURNS = 40 };
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	uint16_t port[TURNS];
	unsigned others = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		ask_at_once(x, 5);
		CU_ASSERT_EQUAL_FATAL(x->fake.udp_seen, 5);
		port[turn] = x->fake.ports[0];
		for (unsigned i = 1; i < 5; i++)
			CU_ASSERT_EQUAL(x->fake.ports[i], port[turn]);
	}
	for (unsigned turn = 1; turn < TURNS; turn++)
		others += port[turn] != port[turn - 1];
	/* One in 64 is the same by chance; that a quarter is: once in 10^11 runs. */
	CU_ASSERT_TRUE(others > TURNS * 3 / 4);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->ports_pooled, 5 * TURNS);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->sent, 5 * TURNS);
	fake_upstream_free(x);
}

/* Which is what keeps a port from being known for long. */
static void
no_port_sends_more_than_it_may_however_many_leave_at_once(void)
{
	enum { N = 3000, SENDS = 256 };
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	static unsigned sends[65536];
	unsigned changes = 0;

	ask_at_once(x, N);
	for (unsigned i = 0; i < N; i++) {
		changes += i != 0 && x->fake.ports[i] != x->fake.ports[i - 1];
		CU_ASSERT_TRUE(++sends[x->fake.ports[i]] <= SENDS);
	}
	CU_ASSERT_TRUE(changes >= N / BURST * 3 / 4);
	fake_upstream_free(x);
}

static void
what_is_cancelled_in_the_same_turn_does_not_leave(void)
{
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	struct fake_crowd c = { 0 };

	fake_crowd_send(&c, x, 5, seconds(5));
	dns_upstream_cancel(x->up, &c.all[0].send);
	dns_upstream_cancel(x->up, &c.all[2].send);
	dns_upstream_cancel(x->up, &c.all[4].send);
	fake_upstream_await(x, &c.ended, 2, seconds(5));
	fake_upstream_idle(x, millis(50));
	CU_ASSERT_TRUE(c.all[1].answered && c.all[3].answered);
	CU_ASSERT_EQUAL(x->fake.udp_seen, 2);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->sent, 2);
	free(c.all);

	/* All of them: the task finds nothing to send. */
	fake_crowd_send(&c, x, 3, seconds(5));
	for (unsigned i = 0; i < 3; i++)
		dns_upstream_cancel(x->up, &c.all[i].send);
	fake_upstream_idle(x, millis(50));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 2);
	free(c.all);
	fake_upstream_free(x);
}

static void
the_end_of_the_service_finds_queries_that_have_not_left(void)
{
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	struct fake_crowd c = { 0 };

	fake_crowd_send(&c, x, 5, seconds(5));
	fake_upstream_free(x);
	CU_ASSERT_EQUAL(c.ended, 0);
	free(c.all);
}

static void
a_network_that_changes_meanwhile_loses_none(void)
{
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	struct fake_crowd c = { 0 };

	fake_crowd_send(&c, x, 5, seconds(5));
	dns_upstream_forget(x->up);
	fake_upstream_await(x, &c.ended, 5, seconds(10));
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(c.all[i].answered);
	free(c.all);
	fake_upstream_free(x);
}

/* And what comes after it does not leave from where the machine was. */
static void
queries_after_a_change_of_network_have_another_port(void)
{
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	struct fake_crowd before = { 0 }, after = { 0 };

	fake_crowd_send(&before, x, 2, seconds(5));
	dns_upstream_forget(x->up);
	fake_crowd_send(&after, x, 2, seconds(5));
	fake_upstream_await(x, &before.ended, 2, seconds(10));
	fake_upstream_await(x, &after.ended, 2, seconds(10));
	CU_ASSERT_EQUAL_FATAL(x->fake.udp_seen, 4);
	CU_ASSERT_EQUAL(x->fake.ports[0], x->fake.ports[1]);
	CU_ASSERT_NOT_EQUAL(x->fake.ports[1], x->fake.ports[2]);
	CU_ASSERT_EQUAL(x->fake.ports[2], x->fake.ports[3]);
	free(before.all);
	free(after.all);
	fake_upstream_free(x);
}

/* A pending error of the socket is told to whoever sends next; it is not that one's. */
static void
a_closed_port_is_told_to_all_who_left_together(void)
{
	enum { N = 40 };
	struct fake_upstream *x = without_fresh_ports("*.example A 192.0.2.1");
	struct fake_crowd c = { 0 };
	mono_us begun = loop_clock(x->loop);

	loop_remove(x->loop, &x->fake.udp);
	close(x->fake.udp.fd);
	for (unsigned round = 1; round <= 3; round++) {
		fake_crowd_send(&c, x, N, seconds(20));
		fake_upstream_await(x, &c.ended, N, seconds(15));
		CU_ASSERT_EQUAL(c.ended, N);
		CU_ASSERT_EQUAL(dns_server_stats(x->sv)->unreachable, round * N);
		free(c.all);
	}
	CU_ASSERT_TRUE(loop_clock(x->loop) - begun < seconds(15));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->failures_local, 0);
	x->fake.udp.fd = dup(x->fake.stranger);
	fake_upstream_free(x);
}

/* Nobody asked for that much in a datagram; it is not held against the server. */
static void
an_answer_longer_than_a_slot_comes_again_over_tcp(void)
{
	struct fake_upstream *x = without_fresh_ports("big.example TXT big 6000\n"
						      "*.example A 192.0.2.1 ; delay=30");
	struct fake_crowd c = { 0 };
	struct fake_send p = { .send.done = fake_send_done };
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "big.example", DNS_TYPE_TXT);

	fake_crowd_send(&c, x, 3, seconds(5));
	CU_ASSERT_EQUAL_FATAL(dns_upstream_send(x->up, x->sv, &p.send, &q,
	    loop_clock(x->loop) + seconds(5)), OK);
	fake_upstream_await(x, &p.calls, 1, seconds(5));
	CU_ASSERT_EQUAL(p.reply.result, DNS_SEND_ANSWER);
	CU_ASSERT_TRUE(p.reply.tcp);
	CU_ASSERT_FALSE(p.reply.suspicious);
	CU_ASSERT_TRUE(p.reply.answer.len > 6000);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->truncated, 1);
	fake_upstream_await(x, &c.ended, 3, seconds(5));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers, 4);
	free(c.all);
	fake_upstream_free(x);
}

UNIT_MAIN("dns_upstream_burst",
    UNIT(what_leaves_in_one_turn_has_one_port_and_the_next_turn_draws_again),
    UNIT(no_port_sends_more_than_it_may_however_many_leave_at_once),
    UNIT(what_is_cancelled_in_the_same_turn_does_not_leave),
    UNIT(the_end_of_the_service_finds_queries_that_have_not_left),
    UNIT(a_network_that_changes_meanwhile_loses_none),
    UNIT(queries_after_a_change_of_network_have_another_port),
    UNIT(a_closed_port_is_told_to_all_who_left_together),
    UNIT(an_answer_longer_than_a_slot_comes_again_over_tcp))
