/* SPDX-License-Identifier: MIT */
/* DNSCrypt servers of the upstream edge, against the server's half in the same process. */
#include "services/dns/dns_upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_msg.h"
#include "support/fake_crypt.h"
#include "support/fake_upstream.h"
#include "support/unit.h"

#define FOREVER 0xffffffff

/* The server speaks DNSCrypt, x->sv is its stamp. */
static struct fake_upstream *
crypt_new(struct fake_crypt *c, const char *rules, bool certificate)
{
	char all[4096], rule[1024], stamp[512];
	struct fake_upstream *x;

	CU_ASSERT_EQUAL(seal_init(), OK);
	fake_crypt_init(c);
	snprintf(all, sizeof(all), "%s\n%s", rules,
		 certificate ? fake_crypt_rule(c, 1, 0, FOREVER, rule) : "");
	x = fake_upstream_new(all, true, NULL);
	x->fake.crypt = c;
	dns_upstream_drop(x->up, x->sv);
	CU_ASSERT_EQUAL_FATAL(
	    dns_upstream_add(x->up, &x->sv, fake_crypt_stamp(c, &x->fake.addr, stamp), NULL), OK);
	return x;
}

static void
queries_are_encrypted_once_the_certificate_is_there(void)
{
	struct fake_crypt c;
	struct fake_upstream *x = crypt_new(&c, "a.example A 192.0.2.1", true);
	struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_EQUAL(x->fake.udp_seen, 2); /* the certificate, the query */
	CU_ASSERT_EQUAL(x->fake.crypt_seen, 1);
	fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(x->fake.udp_seen, 3);
	CU_ASSERT_EQUAL(x->fake.crypt_seen, 2);
	CU_ASSERT_TRUE(dns_server_authenticated(x->sv));
	CU_ASSERT_EQUAL(strncmp(dns_server_text(x->sv), "dnscrypt://127.0.0.1:", 21), 0);
	fake_upstream_free(x);
}

static void
many_queries_wait_for_the_certificate_and_all_are_answered(void)
{
	struct fake_crypt c;
	struct fake_upstream *x = crypt_new(&c, "n*.example A 192.0.2.1 ; delay=10", true);
	struct fake_crowd crowd = {0};

	x->fake.shuffle = true;
	fake_crowd_send(&crowd, x, 600, seconds(8));
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->sent, 0);
	fake_upstream_await(x, &crowd.ended, 600, seconds(9));
	for (unsigned i = 0; i < crowd.n; i++)
		CU_ASSERT_TRUE(crowd.all[i].answered);
	CU_ASSERT_EQUAL(x->fake.crypt_seen, 600);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->malformed, 0);
	free(crowd.all);
	fake_upstream_free(x);
}

static void
long_answers_come_over_encrypted_tcp(void)
{
	struct fake_crypt c;
	struct fake_upstream *x =
	    crypt_new(&c, "big.example TXT big 60000\nmid.example TXT big 700", true);
	struct fake_send *p = fake_ask(x, "big.example", DNS_TYPE_TXT, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.tcp);
	CU_ASSERT_TRUE(p->reply.answer.len > 60000);
	CU_ASSERT_EQUAL(x->fake.crypt_seen, 2);
	/* After some truncated answers the queries are long enough for those of this length. */
	for (int i = 0; i < 10; i++) {
		p = fake_ask(x, "mid.example", DNS_TYPE_TXT, seconds(5));
		fake_expect_honest(x, p);
		CU_ASSERT_TRUE(p->reply.tcp || i != 0);
	}
	CU_ASSERT_FALSE(p->reply.tcp);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->unreachable, 0);
	fake_upstream_free(x);
}

static void
no_certificate_means_no_query(void)
{
	struct fake_crypt c;
	struct fake_upstream *x = crypt_new(&c, "a.example A 192.0.2.1", false);
	char rule[1024];
	const char *why;

	CU_ASSERT_EQUAL(fake_ask(x, "a.example", DNS_TYPE_A, millis(100))->reply.result,
			DNS_SEND_TIMEOUT);
	CU_ASSERT_EQUAL(x->fake.crypt_seen, 0);
	CU_ASSERT_EQUAL(strcasecmp(x->fake.last.text, FAKE_CRYPT_PROVIDER), 0);
	/* It is fetched again before long. */
	CU_ASSERT_TRUE(zone_add(x->fake.zone, fake_crypt_rule(&c, 1, 0, FOREVER, rule), &why));
	fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(10)));
	fake_upstream_free(x);
}

static void
forged_and_junk_datagrams_change_nothing(void)
{
	struct fake_crypt c;
	struct fake_upstream *x = crypt_new(
	    &c,
	    "a.example A 192.0.2.1 ; forge=id forge=short forge=empty forge=none delay=40\n"
	    "b.example A 192.0.2.1 ; forge=case noudp",
	    true);
	struct fake_send *p = fake_ask(x, "a.example", DNS_TYPE_A, seconds(5));

	fake_expect_honest(x, p);
	CU_ASSERT_TRUE(p->reply.suspicious);
	fake_expect_honest(x, fake_ask(x, "b.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_TRUE(dns_server_stats(x->sv)->malformed >= 2);
	CU_ASSERT_EQUAL(dns_server_stats(x->sv)->timeouts, 0);
	fake_upstream_free(x);
}

static void
a_rotation_loses_nothing(void)
{
	struct fake_crypt c, next;
	struct fake_upstream *x = crypt_new(&c, "n*.example A 192.0.2.1 ; delay=100", true);
	struct fake_crowd crowd = {0};
	char rule[1024], all[2048];
	const char *why;

	fake_expect_honest(x, fake_ask(x, "n0.example", DNS_TYPE_A, seconds(5)));
	fake_crowd_send(&crowd, x, 50, seconds(8));
	fake_upstream_idle(x, millis(20));
	/* A new key while queries under the old one are on their way. */
	next = c;
	fake_crypt_rotate(&next);
	x->fake.crypt = &next;
	x->fake.crypt_old = &c;
	fake_upstream_rule(x, fake_crypt_rule(&next, 2, 0, FOREVER, rule));
	snprintf(all, sizeof(all), "n*.example A 192.0.2.1");
	CU_ASSERT_TRUE(zone_add(x->fake.zone, all, &why));
	dns_upstream_forget(x->up);
	fake_upstream_await(x, &crowd.ended, 50, seconds(9));
	for (unsigned i = 0; i < crowd.n; i++)
		CU_ASSERT_TRUE(crowd.all[i].answered);
	x->fake.crypt_old = NULL;
	fake_expect_honest(x, fake_ask(x, "n1.example", DNS_TYPE_A, seconds(5)));
	free(crowd.all);
	fake_upstream_free(x);
}

static void
servers_with_dnscrypt_come_and_go(void)
{
	struct fake_crypt c, other;
	struct fake_upstream *x = crypt_new(&c, "a.example A 192.0.2.1", true);
	struct dns_server *again, *another, *plain;
	char stamp[512], text[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &again, fake_crypt_stamp(&c, &x->fake.addr, stamp), NULL), OK);
	CU_ASSERT_PTR_EQUAL(again, x->sv);
	dns_upstream_drop(x->up, again);
	fake_crypt_init(&other);
	CU_ASSERT_EQUAL(
	    dns_upstream_add(x->up, &another, fake_crypt_stamp(&other, &x->fake.addr, stamp), NULL),
	    OK);
	CU_ASSERT_PTR_NOT_EQUAL(another, x->sv);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &plain, addr_format(&x->fake.addr, text), NULL),
			OK);
	CU_ASSERT_PTR_NOT_EQUAL(plain, x->sv);
	CU_ASSERT_FALSE(dns_server_authenticated(plain));
	dns_upstream_drop(x->up, another);
	dns_upstream_drop(x->up, plain);
	fake_upstream_idle(x, millis(20));
	fake_expect_honest(x, fake_ask(x, "a.example", DNS_TYPE_A, seconds(5)));
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &plain, "sdns://AgcAAAAAAAAA", NULL),
			ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_upstream_add(x->up, &plain, "sdns://!", NULL), ERR_FORMAT);
	fake_upstream_free(x);
}

UNIT_MAIN("dns_upstream_dnscrypt", UNIT(queries_are_encrypted_once_the_certificate_is_there),
	  UNIT(many_queries_wait_for_the_certificate_and_all_are_answered),
	  UNIT(long_answers_come_over_encrypted_tcp), UNIT(no_certificate_means_no_query),
	  UNIT(forged_and_junk_datagrams_change_nothing), UNIT(a_rotation_loses_nothing),
	  UNIT(servers_with_dnscrypt_come_and_go))
