/* SPDX-License-Identifier: MIT */
/* The upstream edge against a scripted server in the same process and loop, over the real loopback.
 */
#include "services/dns/dns_upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "support/fake_upstream.h"
#include "support/unit.h"

static uint16_t
rcode(const struct fake_send *p)
{
	return dns_msg_flags(p->reply.answer) & DNS_FLAG_RCODE;
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
an_answer_comes_back_as_it_was_sent(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("a.example A 192.0.2.1 ; delay=5\nt.example TYPE65280 \\# 2 c00c\n"
			      "no.example * NXDOMAIN\nbad.example * SERVFAIL",
			      true, NULL);
	struct fake_send *p = fake_ask(x, "A.exAMple", DNS_TYPE_A, seconds(2));

	fake_expect_honest(x, p);
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_FALSE(p->reply.suspicious);
	CU_ASSERT_TRUE(p->reply.rtt >= millis(5));
	CU_ASSERT_TRUE(dns_server_rto(x->sv)->srtt >= millis(5));
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_UP);
	fake_expect_honest(x, fake_ask(x, "t.example", 65280, seconds(2)));
	p = fake_ask(x, "no.example", DNS_TYPE_MX, seconds(2));
	fake_expect_honest(x, p);
	CU_ASSERT_EQUAL(rcode(p), DNS_NXDOMAIN);
	p = fake_ask(x, "bad.example", DNS_TYPE_MX, seconds(2));
	fake_expect_honest(x, p);
	CU_ASSERT_EQUAL(rcode(p), DNS_SERVFAIL);
	CU_ASSERT_EQUAL(x->fake.udp_seen, 4);
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
	fake_upstream_free(x);
}

static void
flags_and_edns_are_what_was_asked_for(void)
{
	struct fake_upstream *x = fake_upstream_new("a.example A 192.0.2.1", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);

	(void)fake_ask_for(x, &q, seconds(2));
	CU_ASSERT_EQUAL(x->fake.last.flags, 0x0100);
	CU_ASSERT_TRUE(x->fake.last.edns);
	CU_ASSERT_FALSE(x->fake.last.dnssec_ok);
	CU_ASSERT_EQUAL(x->fake.last.udp_size, 1232);
	q.rd = false;
	q.cd = q.ad = q.dnssec_ok = true;
	(void)fake_ask_for(x, &q, seconds(2));
	CU_ASSERT_EQUAL(x->fake.last.flags, 0x0030);
	CU_ASSERT_TRUE(x->fake.last.dnssec_ok);
	fake_upstream_free(x);
}

/* Names and types that c-ares might have opinions about. */
static void
odd_questions_are_asked_like_any_other(void)
{
	static const uint16_t types[] = {0, 1, 41, 250, 255, 256, 32769, 65535};
	struct fake_upstream *x = fake_upstream_new("* A 192.0.2.1", true, NULL);
	uint8_t odd[] = "\5a\0.\\b\1 \2\377\200";
	uint8_t longest[255];
	struct dns_send_ask q = {.class = DNS_CLASS_IN, .rd = true};

	for (size_t i = 0; i < 255; i++)
		longest[i] = i % 2 == 0 ? 1 : 'x';
	longest[254] = 0;

	const struct span names[] = {span_of("", 1), span_of(odd, sizeof(odd)),
				     span_of(longest, sizeof(longest))};

	for (size_t n = 0; n < 3; n++)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			q.name = names[n];
			q.type = types[i];
			q.class = (uint16_t)(i % 2 == 0 ? DNS_CLASS_IN : DNS_CLASS_CH);
			fake_expect_honest(x, fake_ask_for(x, &q, seconds(2)));
			CU_ASSERT_EQUAL(x->fake.last.type, types[i]);
			CU_ASSERT_EQUAL(x->fake.last.name_len, names[n].len);
		}
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
	q.name = span_of("\3abc", 4);
	struct fake_send p = {.send.done = fake_send_done};
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	q.name = span_of("\0\0", 2);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	q.name = span_of(NULL, 0);
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FORMAT);
	fake_upstream_free(x);
}

static void
silence_ends_with_the_deadline(void)
{
	struct fake_upstream *x = fake_upstream_new("* * DROP", true, NULL);
	mono_us begun = loop_clock(x->loop);
	struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, millis(60));

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	CU_ASSERT_TRUE(loop_clock(x->loop) - begun >= millis(60));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->timeouts, 1);
	CU_ASSERT_EQUAL(dns_server_state(x->sv), DNS_SERVER_SILENT);
	CU_ASSERT_EQUAL(dns_server_outstanding(x->sv), 0);
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	fake_upstream_free(x);
}

static void
a_closed_port_is_told_long_before_the_deadline(void)
{
	struct fake_upstream *x = fake_upstream_new("* A 192.0.2.1", true, NULL);
	mono_us begun = loop_clock(x->loop);

	loop_remove(x->loop, &x->fake.udp);
	close(x->fake.udp.fd);

	struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, seconds(20));

	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_UNREACHABLE);
	CU_ASSERT_TRUE(loop_clock(x->loop) - begun < seconds(10));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->unreachable, 1);
	x->fake.udp.fd = dup(x->fake.stranger);
	fake_upstream_free(x);
}

static void
forgeries_never_win_and_never_fail_a_query(void)
{
	static const char *const kinds[FORGE_KINDS] = {"id",	"question", "case",  "none",
						       "two",	"source",   "query", "opcode",
						       "short", "empty",    "loop",  "class"};
	char rules[2048];
	size_t at = 0;

	/* Half of them also get the honest answer by UDP in the end, the other half only by TCP. */
	for (int i = 0; i < FORGE_KINDS; i++)
		at += (size_t)snprintf(rules + at, sizeof(rules) - at,
				       "a-%s.example A 192.0.2.1 ; forge=%s delay=20\n"
				       "b-%s.example A 192.0.2.1 ; forge=%s noudp delay=20\n",
				       kinds[i], kinds[i], kinds[i], kinds[i]);

	struct fake_upstream *x = fake_upstream_new(rules, true, NULL);
	const struct dns_server_stats *st = dns_server_stats(x->sv);

	for (int i = 0; i < FORGE_KINDS; i++) {
		char name[64];
		bool other = strcmp(kinds[i], "source") == 0;
		size_t tcp_before = x->fake.tcp_seen;

		dns_upstream_forget(x->up); /* what was learnt from one is not for the next */
		snprintf(name, sizeof(name), "a-%s.example", kinds[i]);

		struct fake_send *p = fake_ask(x, name, DNS_TYPE_A, seconds(5));

		fake_expect_honest(x, p);
		/* A connected socket does not even hear strangers; the rest makes us ask by TCP. */
		CU_ASSERT_EQUAL(p->reply.suspicious, !other);
		fake_upstream_idle(x, millis(40));
		CU_ASSERT_EQUAL(x->fake.tcp_seen, tcp_before + !other);
		if (other)
			continue;
		snprintf(name, sizeof(name), "b-%s.example", kinds[i]);
		p = fake_ask(x, name, DNS_TYPE_A, seconds(5));
		fake_expect_honest(x, p);
		CU_ASSERT_TRUE(p->reply.tcp);
	}
	CU_ASSERT_EQUAL(st->tcp_on_suspicion, 2 * (FORGE_KINDS - 1));
	CU_ASSERT_EQUAL(st->mismatch_id, 2);
	CU_ASSERT_EQUAL(st->mismatch_case, 2);
	CU_ASSERT_EQUAL(st->mismatch_question, 2 * 5); /* question, none, two, loop, class */
	CU_ASSERT_EQUAL(st->malformed, 2 * 4);	       /* query, opcode, short, empty */
	CU_ASSERT_EQUAL(st->timeouts + st->unreachable, 0);
	fake_upstream_free(x);
}

static void
junk_and_no_tcp_still_waits_for_the_answer(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("a.example A 192.0.2.1 ; forge=id forge=none forge=empty delay=60\n"
			      "b.example A 192.0.2.1 ; forge=id noudp",
			      false, NULL);
	struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_TRUE(p->reply.suspicious);
	p = fake_ask(x, "b.example", DNS_TYPE_A, millis(100));
	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	fake_upstream_free(x);
}

static void
an_answer_on_the_socket_of_another_query_does_not_count(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	struct fake_crowd c = {0};

	x->fake.cross = true;
	fake_crowd_send(&c, x, 2, seconds(5));
	fake_upstream_await(x, &c.ended, 2, seconds(6));
	CU_ASSERT_TRUE(c.all[0].answered && c.all[1].answered);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->mismatch_id, 2);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers_tcp, 2);
	free(c.all);
	fake_upstream_free(x);
}

static void
truncated_answers_come_over_tcp_in_whatever_pieces(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("cut.example A 192.0.2.1 ; tc split\nbig.example TXT big 60000\n"
			      "most.example TXT big 64900",
			      true, NULL);
	struct fake_send *p = fake_ask(x, "cut.example", DNS_TYPE_A, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.tcp);
	p = fake_ask(x, "big.example", DNS_TYPE_TXT, seconds(5));
	fake_expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.answer.len > 60000);
	fake_expect_honest(x, fake_ask(x, "most.example", DNS_TYPE_TXT, seconds(5)));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->truncated, 3);
	CU_ASSERT_EQUAL(x->fake.accepted, 1); /* one connection for all */
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->tcp_connects, 1);
	fake_upstream_free(x);
}

static void
truncated_and_no_tcp_is_unreachable(void)
{
	struct fake_upstream *x = fake_upstream_new("cut.example A 192.0.2.1 ; tc", false, NULL);

	CU_ASSERT_EQUAL(fake_ask(x, "cut.example", DNS_TYPE_A, seconds(5))->reply.result,
			DNS_SEND_UNREACHABLE);
	fake_upstream_free(x);
}

static void
tcp_is_used_where_it_was_asked_for(void)
{
	struct fake_upstream *x = fake_upstream_new("a.example A 192.0.2.1", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);
	struct dns_server *by_udp = x->sv;
	char spec[ADDR_TEXT_MAX + 8] = "tcp://", text[ADDR_TEXT_MAX];

	q.tcp = true;
	fake_expect_honest(x, fake_ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 0);
	q.tcp = false;
	strcat(spec, addr_format(&x->fake.addr, text));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &x->sv, spec, NULL), OK);
	CU_ASSERT_PTR_NOT_EQUAL(x->sv, by_udp);
	CU_ASSERT_STRING_EQUAL(dns_server_text(x->sv), spec);
	fake_expect_honest(x, fake_ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 0);
	CU_ASSERT_EQUAL(x->fake.tcp_seen, 2);
	fake_upstream_free(x);
}

static void
a_connection_that_was_closed_is_opened_again(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("a.example A 192.0.2.1\nb.example A 192.0.2.1 ; close", true, NULL);
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);

	q.tcp = true;
	fake_expect_honest(x, fake_ask_for(x, &q, seconds(5)));
	fake_upstream_hang_up(x);
	/* Whether or not the end is seen before the query is written, it is answered. */
	fake_expect_honest(x, fake_ask_for(x, &q, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.accepted, 2);
	/* A server that hangs up on the query itself: asked twice at most. */
	q = fake_question(&name, "b.example", DNS_TYPE_A);
	q.tcp = true;
	CU_ASSERT_EQUAL(fake_ask_for(x, &q, seconds(5))->reply.result, DNS_SEND_UNREACHABLE);
	CU_ASSERT_TRUE(x->fake.tcp_seen <= 4);
	fake_upstream_free(x);
}

static void
a_server_without_edns_is_asked_without(void)
{
	static const char *const ways[] = {"noedns", "formerr12"};

	for (int i = 0; i < 2; i++) {
		char rule[64];

		snprintf(rule, sizeof(rule), "*.example A 192.0.2.1 ; %s", ways[i]);

		struct fake_upstream *x = fake_upstream_new(rule, true, NULL);
		struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, seconds(5));

		fake_expect_honest(x, p);
		CU_ASSERT_EQUAL(rcode(p), DNS_NOERROR);
		CU_ASSERT_EQUAL(x->fake.udp_seen, 2);
		fake_expect_honest(x, fake_ask(x, "b.example", DNS_TYPE_A, seconds(5)));
		CU_ASSERT_EQUAL(x->fake.udp_seen, 3); /* it was remembered, */
		dns_upstream_forget(x->up);	      /* and can be forgotten */
		fake_expect_honest(x, fake_ask(x, "c.example", DNS_TYPE_A, seconds(5)));
		CU_ASSERT_EQUAL(x->fake.udp_seen, 5);
		CU_ASSERT_EQUAL(x->fake.tcp_seen, 0);
		CU_ASSERT_EQUAL(dns_server_stats(x->sv)->no_edns, 2);
		fake_upstream_free(x);
	}
}

static bool
has_upper(const struct ask *a)
{
	for (const char *p = a->text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			return true;
	return false;
}

static void
a_server_that_changes_the_letter_case_is_tolerated(void)
{
	static const char name[] = "a-name-with-many-letters.example";

	for (int tcp = 0; tcp < 2; tcp++) {
		struct fake_upstream *x =
		    fake_upstream_new("*.example A 192.0.2.1 ; lower", tcp != 0, NULL);

		fake_expect_honest(x, fake_ask(x, name, DNS_TYPE_A, seconds(5)));
		/* With TCP that was one answer over TCP; without, a second query in lower case. */
		CU_ASSERT_EQUAL(x->fake.tcp_seen, (size_t)tcp);
		CU_ASSERT_EQUAL(x->fake.udp_seen, tcp != 0 ? 1 : 2);
		fake_expect_honest(x, fake_ask(x, name, DNS_TYPE_A, seconds(5)));
		CU_ASSERT_FALSE(has_upper(&x->fake.last));
		CU_ASSERT_EQUAL(x->fake.tcp_seen, (size_t)tcp);
		CU_ASSERT_EQUAL(dns_server_stats(x->sv)->mismatch_case, tcp != 0 ? 2 : 1);
		fake_upstream_free(x);
	}
}

static void
the_letter_case_is_mixed_at_random_unless_switched_off(void)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz.example";
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	char first[1024];

	(void)fake_ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_TRUE(has_upper(&x->fake.last));
	snprintf(first, sizeof(first), "%s", x->fake.last.text);
	(void)fake_ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_STRING_NOT_EQUAL(first, x->fake.last.text);
	fake_upstream_free(x);
	x = fake_upstream_new("*.example A 192.0.2.1", true,
			      &(struct dns_upstream_opts){.no_case = true});
	(void)fake_ask(x, name, DNS_TYPE_A, seconds(5));
	CU_ASSERT_STRING_EQUAL(name, x->fake.last.text);
	fake_upstream_free(x);
}

static void
cookies_are_learnt_sent_and_insisted_on(void)
{
	struct fake_upstream *x = fake_upstream_new(
	    "good.example A 192.0.2.1 ; cookie\nstrict.example A 192.0.2.2 ; badcookie\n"
	    "wrong.example A 192.0.2.3 ; wrongcookie\nnone.example A 192.0.2.4",
	    true, NULL);
	const struct dns_server_stats *st = dns_server_stats(x->sv);

	fake_expect_honest(x, fake_ask(x, "strict.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 2); /* BADCOOKIE, and once more with the cookie it gave */
	CU_ASSERT_EQUAL(x->fake.last.cookie_len, 16);
	fake_expect_honest(x, fake_ask(x, "good.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.last.cookie_len, 16);
	CU_ASSERT_EQUAL(st->bad_cookie, 0);
	/* A cookie that is not ours is a forgery, no cookie at all may be one: TCP decides. */
	struct fake_send *p = fake_ask(x, "none.example", DNS_TYPE_A, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.tcp);
	CU_ASSERT_EQUAL(st->bad_cookie, 1);
	p = fake_ask(x, "none.example", DNS_TYPE_A, seconds(5));
	CU_ASSERT_FALSE(p->reply.tcp);
	dns_upstream_forget(x->up);
	p = fake_ask(x, "wrong.example", DNS_TYPE_A, millis(300));
	CU_ASSERT_EQUAL(p->reply.result, DNS_SEND_TIMEOUT);
	CU_ASSERT_TRUE(st->bad_cookie >= 2);
	fake_upstream_free(x);
}

static void
ports_and_ids_are_fresh_and_random(void)
{
	enum { N = 1000 };
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	static bool port_seen[65536];
	unsigned ports = 0, bins[16] = {0}, low_bins[16] = {0};
	double chi = 0, low_chi = 0;

	memset(port_seen, 0, sizeof(port_seen));
	for (int i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		fake_expect_honest(x, fake_ask(x, name, DNS_TYPE_A, seconds(5)));
	}
	CU_ASSERT_EQUAL_FATAL(x->fake.udp_seen, N);
	for (int i = 0; i < N; i++) {
		ports += !port_seen[x->fake.ports[i]];
		port_seen[x->fake.ports[i]] = true;
		bins[x->fake.ids[i] >> 12]++;
		low_bins[x->fake.ids[i] & 15]++;
	}
	for (int i = 0; i < 16; i++) {
		double off = bins[i] - N / 16.0, low_off = low_bins[i] - N / 16.0;

		chi += off * off / (N / 16.0);
		low_chi += low_off * low_off / (N / 16.0);
	}
	/* 15 degrees of freedom: 60 is exceeded by chance once in four million runs. */
	CU_ASSERT_TRUE(chi < 60 && low_chi < 60);
	CU_ASSERT_TRUE(ports >= 950);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->ports_fresh, N);
	fake_upstream_free(x);
}

static void
what_comes_late_to_a_port_is_gone_with_it(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);
	const struct dns_server_stats *st = dns_server_stats(x->sv);

	x->fake.twice = true;
	for (int i = 0; i < 100; i++)
		fake_expect_honest(x, fake_ask(x, "www.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(st->ports_fresh, 100);
	CU_ASSERT_EQUAL(st->mismatch_id + st->late + st->tcp_on_suspicion, 0);
	fake_upstream_free(x);
}

/* --- many at once ----------------------------------------------------------------------------- */

static void
thousands_at_once_each_get_their_own_answer(void)
{
	enum { N = 3000 };
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1 ; delay=30", true, NULL);
	struct fake_crowd c = {0};

	x->fake.shuffle = true;
	fake_crowd_send(&c, x, N, seconds(10));
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), N);
	fake_upstream_await(x, &c.ended, N, seconds(10));
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_TRUE(c.all[i].calls == 1 && c.all[i].answered);

	const struct dns_server_stats *st = dns_server_stats(x->sv);

	CU_ASSERT_EQUAL(st->ports_fresh, 512);
	CU_ASSERT_EQUAL(st->ports_fresh + st->ports_pooled, N);
	CU_ASSERT_EQUAL(st->mismatch_id + st->tcp_on_suspicion, 0);
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	free(c.all);
	fake_upstream_free(x);
}

static void
shared_sockets_have_many_ports_and_do_not_last(void)
{
	enum { N = 3000 };
	struct fake_upstream *x =
	    fake_upstream_new("*.example A 192.0.2.1", true,
			      &(struct dns_upstream_opts){.fresh_max = 1, .fresh_rate = 1});
	struct fake_crowd c = {0};
	static bool port_seen[65536];
	unsigned ports = 0;

	memset(port_seen, 0, sizeof(port_seen));
	for (int round = 0; round < 8; round++) {
		x->fake.udp_seen = 0;
		fake_crowd_send(&c, x, N, seconds(10));
		fake_upstream_await(x, &c.ended, N, seconds(10));
		CU_ASSERT_EQUAL(c.ended, N);
		free(c.all);
		for (unsigned i = 0; i < N; i++) {
			ports += !port_seen[x->fake.ports[i]];
			port_seen[x->fake.ports[i]] = true;
		}
	}
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->answers, 8 * N);
	/* 64 sockets, each replaced after 256 of its sends. */
	CU_ASSERT_TRUE(ports > 64 + 8 * N / 256 / 2);
	fake_upstream_free(x);
}

/* How many of N sends had a port of their own, at a setting. */
static uint64_t
fresh_of(struct fake_upstream *x, unsigned n, uint32_t rate)
{
	const struct dns_server_stats *st = dns_server_stats(x->sv);
	struct fake_crowd c = {0};
	uint64_t before = st->ports_fresh;

	dns_upstream_fresh_ports(x->up, rate);
	x->fake.udp_seen = 0;
	fake_crowd_send(&c, x, n, seconds(10));
	fake_upstream_await(x, &c.ended, n, seconds(10));
	CU_ASSERT_EQUAL(c.ended, n);
	free(c.all);
	CU_ASSERT_EQUAL(st->ports_fresh + st->ports_pooled, st->sent);
	return st->ports_fresh - before;
}

static void
how_many_ports_are_fresh_can_be_set(void)
{
	struct fake_upstream *x = fake_upstream_new("*.example A 192.0.2.1", true, NULL);

	CU_ASSERT_EQUAL(fresh_of(x, 300, 0), 0);
	CU_ASSERT_EQUAL(fresh_of(x, 300, 1000000), 300);

	/* Five seconds' worth at once, and what is added meanwhile. */
	uint64_t some = fresh_of(x, 300, 20);

	CU_ASSERT_TRUE(some >= 100 && some < 200);
	fake_upstream_free(x);
}

static void
a_forgery_on_a_shared_socket_or_a_late_answer_harms_nobody(void)
{
	enum { N = 400 };
	struct fake_upstream *x =
	    fake_upstream_new("*.example A 192.0.2.1 ; forge=id delay=150", true,
			      &(struct dns_upstream_opts){.fresh_max = 1, .fresh_rate = 1});
	const struct dns_server_stats *st = dns_server_stats(x->sv);
	struct fake_crowd c = {0};

	fake_crowd_send(&c, x, N, seconds(10));
	fake_upstream_await(x, &c.ended, N, seconds(10));
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_TRUE(c.all[i].calls == 1 && c.all[i].answered);
	/* By chance a forged id is one that the socket has used: that counts as late. */
	CU_ASSERT_TRUE(st->mismatch_id >= N - 8);
	CU_ASSERT_TRUE(st->tcp_on_suspicion >= N - 8);
	free(c.all);
	fake_upstream_free(x);

	/* Answers to queries that were given up are late, not forged: TCP is not bothered. */
	x = fake_upstream_new("*.example A 192.0.2.1 ; delay=100", true,
			      &(struct dns_upstream_opts){.fresh_max = 1, .fresh_rate = 1});
	st = dns_server_stats(x->sv);
	fake_crowd_send(&c, x, N, millis(50));
	fake_upstream_await(x, &c.ended, N, seconds(10));
	free(c.all);
	fake_upstream_idle(x, millis(200));
	CU_ASSERT_EQUAL(st->timeouts, N);
	CU_ASSERT_TRUE(st->late >= N / 2);
	CU_ASSERT_EQUAL(st->tcp_on_suspicion, 0);
	fake_upstream_free(x);
}

static void
everything_ends_once_under_loss_junk_and_cancelling(void)
{
	enum { N = 600 };
	char rules[4096];
	size_t at = 0;
	static const char *const how[] = {"delay=20",
					  "tc",
					  "forge=id delay=30",
					  "forge=case noudp",
					  "tc split delay=10",
					  "noedns",
					  "cookie",
					  "lower",
					  "tc close",
					  "forge=none forge=empty"};
	uint64_t rnd = unit_seed(11);

	for (unsigned i = 0; i < 10; i++)
		at += (size_t)snprintf(rules + at, sizeof(rules) - at,
				       "*%u.example A 192.0.2.1 ; %s%s\n", i, how[i],
				       unit_random(&rnd) % 3 == 0 ? " drop=20" : "");

	struct fake_upstream *x = fake_upstream_new(rules, true, NULL);
	struct fake_crowd c = {.cancel_others = true};

	for (int round = 0; round < 4; round++) {
		fake_crowd_send(&c, x, N, millis(700));
		fake_upstream_await(x, &c.ended, N, seconds(20));
		CU_ASSERT_EQUAL(c.ended, N);
		CU_ASSERT_TRUE(c.cancelled > 0);
		for (unsigned i = 0; i < N; i++)
			CU_ASSERT_TRUE(c.all[i].calls <= 1 && c.all[i].send.t == NULL);
		free(c.all);
	}
	CU_ASSERT_EQUAL(dns_upstream_inflight(x->up), 0);
	fake_upstream_free(x);
}

static void
the_cap_on_sends_in_flight_holds(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("* * DROP", true, &(struct dns_upstream_opts){.inflight_max = 10});
	struct fake_crowd c = {0};
	struct fake_send p = {.send.done = fake_send_done};
	struct dns_name name;
	struct dns_send_ask q = fake_question(&name, "a.example", DNS_TYPE_A);

	fake_crowd_send(&c, x, 10, seconds(10));
	CU_ASSERT_EQUAL(dns_upstream_send(x->up, x->sv, &p.send, &q, seconds(1)), ERR_FULL);
	CU_ASSERT_PTR_NULL(p.send.t);
	dns_upstream_cancel(x->up, &p.send); /* harmless */
	dns_upstream_cancel(x->up, &c.all[3].send);
	CU_ASSERT_EQUAL(
	    dns_upstream_send(x->up, x->sv, &p.send, &q, loop_clock(x->loop) + millis(20)), OK);
	fake_upstream_await(x, &p.calls, 1, seconds(5));
	CU_ASSERT_EQUAL(p.reply.result, DNS_SEND_TIMEOUT);
	fake_upstream_free(x); /* nine still wait: they are dropped without a call */
	CU_ASSERT_EQUAL(c.ended, 0);
	free(c.all);
}

static void
forget_then_done(struct dns_send *s, const struct dns_reply *r)
{
	struct fake_many *m = (struct fake_many *)s;

	dns_upstream_forget(m->crowd->x->up);
	fake_many_done(s, r);
}

static void
everything_may_be_forgotten_inside_done(void)
{
	struct fake_upstream *x =
	    fake_upstream_new("*0.example A 192.0.2.1\n*1.example A 192.0.2.1 ; tc\n"
			      "*.example A 192.0.2.1 ; forge=id noudp",
			      true, &(struct dns_upstream_opts){.fresh_max = 1, .fresh_rate = 1});
	struct fake_crowd c = {0};

	fake_crowd_send(&c, x, 90, seconds(5));
	for (unsigned i = 0; i < 90; i++)
		c.all[i].send.done = forget_then_done;
	fake_upstream_await(x, &c.ended, 90, seconds(6));
	for (unsigned i = 0; i < 90; i++)
		CU_ASSERT_TRUE(c.all[i].answered);
	free(c.all);
	fake_upstream_free(x);
}

UNIT_MAIN("dns_upstream", UNIT(an_answer_comes_back_as_it_was_sent),
	  UNIT(flags_and_edns_are_what_was_asked_for), UNIT(odd_questions_are_asked_like_any_other),
	  UNIT(silence_ends_with_the_deadline),
	  UNIT(a_closed_port_is_told_long_before_the_deadline),
	  UNIT(forgeries_never_win_and_never_fail_a_query),
	  UNIT(junk_and_no_tcp_still_waits_for_the_answer),
	  UNIT(an_answer_on_the_socket_of_another_query_does_not_count),
	  UNIT(truncated_answers_come_over_tcp_in_whatever_pieces),
	  UNIT(truncated_and_no_tcp_is_unreachable), UNIT(tcp_is_used_where_it_was_asked_for),
	  UNIT(a_connection_that_was_closed_is_opened_again),
	  UNIT(a_server_without_edns_is_asked_without),
	  UNIT(a_server_that_changes_the_letter_case_is_tolerated),
	  UNIT(the_letter_case_is_mixed_at_random_unless_switched_off),
	  UNIT(cookies_are_learnt_sent_and_insisted_on), UNIT(ports_and_ids_are_fresh_and_random),
	  UNIT(what_comes_late_to_a_port_is_gone_with_it),
	  UNIT(thousands_at_once_each_get_their_own_answer),
	  UNIT(shared_sockets_have_many_ports_and_do_not_last),
	  UNIT(how_many_ports_are_fresh_can_be_set),
	  UNIT(a_forgery_on_a_shared_socket_or_a_late_answer_harms_nobody),
	  UNIT(everything_ends_once_under_loss_junk_and_cancelling),
	  UNIT(everything_may_be_forgotten_inside_done), UNIT(the_cap_on_sends_in_flight_holds))
