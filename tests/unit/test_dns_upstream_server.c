/* SPDX-License-Identifier: MIT */
/* Servers of the upstream edge: names, holds, addresses to send from, health. */
#include "services/dns/dns_upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_upstream_priv.h"
#include "support/fake_upstream.h"
#include "support/unit.h"

static void
servers_are_held_dropped_and_found_again(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1 ; delay=40", true, NULL);
	struct dns_server *again, *other;
	struct fake_crowd c = {0};
	char text[ADDR_TEXT_MAX];

	fake_expect_honest(x, fake_ask(x, "n0.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &again, addr_format(&x->fake.addr, text), NULL),
			OK);
	CU_ASSERT_PTR_EQUAL(again, x->sv);
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &other, text, &(struct dns_server_opts){.interface = "lo"}),
	    OK);
	CU_ASSERT_PTR_NOT_EQUAL(other, x->sv);
	dns_upstream_drop(x->up, other);
	dns_upstream_drop(x->up, again);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers, 1);
	/* Without a hold: what is under way still ends with its answer. */
	fake_crowd_send(&c, x, 100, seconds(5));
	dns_upstream_drop(x->up, x->sv);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &again, text, NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(again, x->sv);
	fake_upstream_await(x, &c.ended, 100, seconds(5));
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_TRUE(c.all[i].answered);
	free(c.all);
	x->sv = again;
	fake_expect_honest(x, fake_ask(x, "n0.example", DNS_TYPE_A, seconds(5)));
	fake_upstream_free(x);
}

/* What opens a connection takes the server's time and the way's twice over: it does not count. */
static void
round_trips_over_streams_count_where_the_connection_was_open(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1 ; delay=5", true, NULL);
	char spec[ADDR_TEXT_MAX + 8] = "tcp://", text[ADDR_TEXT_MAX];
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);
	const struct rto *rto = dns_server_rto(x->sv);

	/* A server that has datagrams is measured by those alone. */
	q.tcp = true;
	for (unsigned i = 0; i < 3; i++)
		fake_expect_honest(x, fake_ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(rto->srtt, 0);

	strcat(spec, addr_format(&x->fake.addr, text));
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(x->up, &x->sv, spec, NULL), OK);
	rto = dns_server_rto(x->sv);
	fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(rto->srtt, 0);
	fake_expect_honest(x, fake_ask(x, "b.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_TRUE(rto->srtt >= millis(5));

	usec before = rto->srtt;

	fake_upstream_hang_up(x);
	fake_upstream_rule(x, "*.example A 192.0.2.1 ; delay=100");
	fake_expect_honest(x, fake_ask(x, "c.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(rto->srtt, before);
	fake_expect_honest(x, fake_ask(x, "d.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_TRUE(rto->srtt > before);
	fake_upstream_free(x);
}

/*
 * A server that answers in two pieces may wait for that between them. The kernel forgets it when
 * something is sent, as it can go along with that.
 */
static void
what_came_over_a_connection_is_acknowledged_at_once(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	char spec[ADDR_TEXT_MAX + 8] = "tcp://", text[ADDR_TEXT_MAX];
	int quick = 0;
	socklen_t len = sizeof(quick);

	strcat(spec, addr_format(&x->fake.addr, text));
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(x->up, &x->sv, spec, NULL), OK);
	for (unsigned i = 0; i < 5; i++)
		fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(getsockopt(x->sv->stream->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &quick,
	    &len), 0);
	CU_ASSERT_EQUAL(quick, 1);
	fake_upstream_free(x);
}

static void
server_names_are_checked(void)
{
	static const struct {
		const char *spec;
		enum err want;
	} specs[] = {{"9.9.9.9", OK},
		     {"9.9.9.9:5353", OK},
		     {"2620:fe::fe", OK},
		     {"[2620:fe::fe]:53", OK},
		     {"fe80::1%lo", OK},
		     {"udp://9.9.9.9", OK},
		     {"TCP://9.9.9.9", OK},
		     {"dns.example", ERR_FORMAT},
		     {"", ERR_FORMAT},
		     {"9.9.9.9:0", ERR_RANGE},
		     {"9.9.9.9:65536", ERR_RANGE},
		     {"0.0.0.0", ERR_RANGE},
		     {"::", ERR_RANGE},
		     {"224.0.0.1", ERR_RANGE},
		     {"doq://9.9.9.9", ERR_UNSUPPORTED},
		     {"fe80::1%nosuchif0", ERR_NOTFOUND},
		     {"tcp://", ERR_FORMAT}};
	struct fake_upstream *x = fake_upstream_new("* * DROP", true, NULL);
	struct addr v6;

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct dns_server *sv = NULL;

		CU_ASSERT_EQUAL(dns_upstream_add(x->up, &sv, specs[i].spec, NULL), specs[i].want);
		CU_ASSERT_EQUAL(sv != NULL, specs[i].want == OK);
	}
	CU_ASSERT_PTR_NULL(dns_upstream_check("tcp://[::1:53]"));
	CU_ASSERT_PTR_NOT_NULL(dns_upstream_check("tcp://::1:53"));
	CU_ASSERT_PTR_NOT_NULL(dns_upstream_check("::1:53"));
	CU_ASSERT_EQUAL(addr_parse(&v6, "::1", 0), OK);

	struct dns_server *sv;

	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &sv, "9.9.9.9", &(struct dns_server_opts){.source = &v6}),
	    ERR_RANGE);
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &sv, "9.9.9.9",
			     &(struct dns_server_opts){.interface = "a-name-that-is-too-long"}),
	    ERR_RANGE);
	fake_upstream_free(x);
}

static void
queries_leave_from_the_wanted_address(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	struct addr source;
	char text[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL(addr_parse(&source, "127.0.0.9:77", 0), OK);
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &x->sv, addr_format(&x->fake.addr, text),
			     &(struct dns_server_opts){.source = &source, .interface = "lo"}),
	    OK);
	fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	/* An address that is not ours: nothing can be sent, and that is told, not crashed on. */
	CU_ASSERT_EQUAL(addr_parse(&source, "192.0.2.99", 0), OK);
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &x->sv, text, &(struct dns_server_opts){.source = &source}),
	    OK);
	CU_ASSERT_EQUAL(fake_ask(x, "a.example", DNS_TYPE_A, seconds(5))->reply.result,
			DNS_SEND_UNREACHABLE);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, text,
					 &(struct dns_server_opts){.interface = "nosuchif0"}),
			OK);
	CU_ASSERT_EQUAL(fake_ask(x, "a.example", DNS_TYPE_A, seconds(5))->reply.result,
			DNS_SEND_UNREACHABLE);
	fake_upstream_free(x);
}

/* With no questions of ours the server counts as up again. */
static void
expect_return(struct fake_upstream *x, mono_us end)
{
	while (dns_server_state(x->sv) != DNS_SERVER_UP && loop_now(x->loop) < end)
		CU_ASSERT_EQUAL_FATAL(loop_turn(x->loop, end), OK);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_UP);
	CU_ASSERT_TRUE(dns_server_stats(x->sv)->probes >= 1);
}

static void
a_server_that_is_down_is_probed_and_comes_back(void)
{
	struct fake_upstream *x = fake_upstream_new("* * DROP", true, NULL);
	mono_us end = loop_clock(x->loop) + seconds(20);

	while (dns_server_state(x->sv) != DNS_SERVER_DOWN && loop_now(x->loop) < end)
		(void)fake_ask(x, "a.example", DNS_TYPE_A, millis(100));
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_DOWN);
	/* Nobody asks any more; it is tried all the same, also with what went unanswered. */
	fake_upstream_rule(x, "[!a]* * DROP");
	expect_return(x, end);
	CU_ASSERT_EQUAL(strcasecmp(x->fake.last.text, "a.example"), 0);
	fake_upstream_free(x);
}

static void
a_server_silent_about_one_name_alone_does_not_stay_silent(void)
{
	struct fake_upstream *x = fake_upstream_new("a.example * DROP", true, NULL);

	(void)fake_ask(x, "a.example", DNS_TYPE_A, millis(60));
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_SILENT);
	expect_return(x, loop_clock(x->loop) + seconds(20));
	CU_ASSERT_STRING_EQUAL(x->fake.last.text, ".");
	fake_upstream_free(x);
}

static void
a_slow_server_that_lost_the_race_counts_as_silent(void)
{
	struct fake_upstream *x = fake_upstream_new("* * DROP", true, NULL);
	struct fake_send p = {.send.done = fake_send_done};
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);

	CU_ASSERT_EQUAL(
	    dns_upstream_send(x->up, x->sv, &p.send, &q, loop_clock(x->loop) + seconds(9)), OK);
	fake_upstream_idle(x, millis(10));
	dns_upstream_cancel(x->up, &p.send); /* too early to say anything about it */
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_NEW);
	CU_ASSERT_EQUAL(
	    dns_upstream_send(x->up, x->sv, &p.send, &q, loop_clock(x->loop) + seconds(9)), OK);
	fake_upstream_idle(x, millis(400));
	dns_upstream_cancel(x->up, &p.send);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_SILENT);
	CU_ASSERT_EQUAL(p.calls, 0);
	fake_upstream_free(x);
}

/* RFC 7858: one server is its address and the name that it has to prove. */
static void
servers_over_tls_are_told_apart_by_the_name_they_prove(void)
{
	struct fake_upstream *x = fake_upstream_new("* A 192.0.2.1", true, NULL);
	struct dns_server *a, *b, *c;

	if (dns_upstream_check_transport(DNS_TRANSPORT_TLS) != NULL) {
		CU_ASSERT_EQUAL(dns_upstream_add(x->up, &a, "tls://192.0.2.1", NULL),
				ERR_UNSUPPORTED);
		fake_upstream_free(x);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(
	    dns_upstream_add(x->up, &a, "tls://192.0.2.1#dns.example.", NULL), OK);
	CU_ASSERT_STRING_EQUAL(dns_server_text(a), "tls://192.0.2.1:853#dns.example");
	CU_ASSERT_TRUE(dns_server_authenticated(a));
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &b, "TLS://192.0.2.1:853#DNS.Example", NULL), OK);
	CU_ASSERT_PTR_EQUAL(a, b);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &b, "tls://192.0.2.1", NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(a, b);
	CU_ASSERT_STRING_EQUAL(dns_server_text(b), "tls://192.0.2.1:853");
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &c, "tcp://192.0.2.1:853", NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(b, c);
	CU_ASSERT_FALSE(dns_server_authenticated(c));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &c, "quic://192.0.2.1", NULL), ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &c, "tls://192.0.2.1#", NULL), ERR_FORMAT);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &c, "192.0.2.1#dns.example", NULL), ERR_FORMAT);
	fake_upstream_free(x);
}

UNIT_MAIN("dns_upstream_server", UNIT(servers_are_held_dropped_and_found_again),
	  UNIT(round_trips_over_streams_count_where_the_connection_was_open),
	  UNIT(what_came_over_a_connection_is_acknowledged_at_once),
	  UNIT(server_names_are_checked), UNIT(queries_leave_from_the_wanted_address),
	  UNIT(a_server_that_is_down_is_probed_and_comes_back),
	  UNIT(a_server_silent_about_one_name_alone_does_not_stay_silent),
	  UNIT(a_slow_server_that_lost_the_race_counts_as_silent),
	  UNIT(servers_over_tls_are_told_apart_by_the_name_they_prove))
