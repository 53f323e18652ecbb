/* SPDX-License-Identifier: MIT */
/* Upstream servers by name: how they are written, and how their addresses are found and kept. */
#include "services/dns/dns_bootstrap.h"

#include <stdio.h>
#include <string.h>

#include "support/fake_upstream.h"
#include "support/unit.h"

struct play {
	struct fake_upstream *x;
	struct dns_bootstrap *b;
	unsigned changes;
	struct addr addrs[2 * DNS_BOOTSTRAP_ADDRS_MAX];
	size_t count;
	enum dns_bootstrap_state state;
};

static void
changed(void *ctx)
{
	((struct play *)ctx)->changes++;
}

static void
look(struct play *p, const char *spec)
{
	struct dns_named named;

	CU_ASSERT_EQUAL_FATAL(dns_named_parse(&named, spec), OK);
	CU_ASSERT_EQUAL_FATAL(dns_bootstrap_find(p->b, &named, p->addrs, &p->count, &p->state), OK);
}

/* One server that looks up names, by these rules. */
static void
begin(struct play *p, const char *rules)
{
	struct dns_server *sv;
	char text[ADDR_TEXT_MAX];

	*p = (struct play){ .x = fake_upstream_new(rules, true, NULL) };

	struct dns_bootstrap_env env = { .up = p->x->up, .loop = p->x->loop, .log = p->x->log,
		.service = "dns", .ttl_min = millis(50), .changed = changed, .ctx = p };

	CU_ASSERT_EQUAL_FATAL(dns_bootstrap_new(&p->b, &env), OK);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(p->x->up, &sv,
	    addr_format(&p->x->fake.addr, text), NULL), OK);
	dns_bootstrap_adopt(p->b, &sv, 1);
	dns_bootstrap_begin(p->b);
}

static void
end(struct play *p)
{
	dns_bootstrap_free(p->b);
	fake_upstream_free(p->x);
}

static void
expect(struct play *p, const char *spec, const char *addrs)
{
	char got[1024] = "", text[ADDR_TEXT_MAX];

	look(p, spec);
	for (size_t i = 0; i < p->count; i++) {
		strcat(got, i != 0 ? " " : "");
		strcat(got, addr_format(&p->addrs[i], text));
	}
	CU_ASSERT_STRING_EQUAL(got, addrs);
}

static void
names_are_told_from_addresses(void)
{
	static const struct {
		const char *spec;
		enum err want;
		uint16_t port;
		enum dns_transport transport;
	} specs[] = {
		{ "dns.quad9.net", OK, 53, DNS_TRANSPORT_UDP },
		{ "DNS.Quad9.net.", OK, 53, DNS_TRANSPORT_UDP },
		{ "dns.quad9.net:5353", OK, 5353, DNS_TRANSPORT_UDP },
		{ "tcp://dns.quad9.net", OK, 53, DNS_TRANSPORT_TCP },
		{ "udp://router", OK, 53, DNS_TRANSPORT_UDP },
		{ "one.one.one.one", OK, 53, DNS_TRANSPORT_UDP },
		{ "1dot1dot1dot1.example", OK, 53, DNS_TRANSPORT_UDP },
		{ "9.9.9.9", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "9.9.9", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "9.9.9.9.", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "dns.example.9", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "2620:fe::fe", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "[2620:fe::fe]:53", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "fe80::1%eth0", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "tls://dns.quad9.net", OK, 853, DNS_TRANSPORT_TLS },
		{ "TLS://dns.quad9.net:8853", OK, 8853, DNS_TRANSPORT_TLS },
		{ "tls://9.9.9.9#dns.quad9.net", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "https://dns.quad9.net", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "sdns://AQcAAAAAAAAA", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ ".", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "a..b", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "dns quad9", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "dns.quad9.net:", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "dns.quad9.net:53x", ERR_FORMAT, 0, DNS_TRANSPORT_UDP },
		{ "dns.quad9.net:0", ERR_RANGE, 0, DNS_TRANSPORT_UDP },
		{ "dns.quad9.net:65536", ERR_RANGE, 0, DNS_TRANSPORT_UDP },
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct dns_named n;

		CU_ASSERT_EQUAL(dns_named_parse(&n, specs[i].spec), specs[i].want);
		if (specs[i].want != OK)
			continue;
		CU_ASSERT_EQUAL(n.port, specs[i].port);
		CU_ASSERT_EQUAL(n.transport, specs[i].transport);
	}
}

static void
addresses_of_both_families_are_found(void)
{
	struct play p;

	begin(&p, "up.example A 192.0.2.1\nup.example A 192.0.2.2\nup.example AAAA 2001:db8::1");
	expect(&p, "up.example:5353", "");
	CU_ASSERT_EQUAL(p.state, DNS_BOOTSTRAP_ASKING);
	for (unsigned i = 1; p.count != 3 && i <= 2; i++) {
		fake_upstream_await(p.x, &p.changes, i, seconds(5));
		look(&p, "up.example");
	}
	expect(&p, "UP.example.:5353", "192.0.2.1:5353 192.0.2.2:5353 [2001:db8::1]:5353");
	CU_ASSERT_EQUAL(p.state, DNS_BOOTSTRAP_KNOWN);
	end(&p);
}

static void
an_alias_is_followed_and_what_no_server_can_have_is_left_out(void)
{
	struct play p;

	begin(&p, "up.example CNAME real.example\nreal.example A 0.0.0.0\n"
		  "real.example A 224.0.0.1\nreal.example A 192.0.2.7\nreal.example AAAA fe80::1");
	look(&p, "up.example");
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	fake_upstream_idle(p.x, millis(20));
	expect(&p, "up.example", "192.0.2.7:53");
	end(&p);
}

static void
addresses_are_looked_up_again_when_they_run_out(void)
{
	struct play p;

	begin(&p, "up.example A 192.0.2.1 ; ttl=0\nup.example AAAA NODATA");
	look(&p, "up.example");
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	for (unsigned i = 0; p.x->fake.udp_seen < 4 && i < 100; i++)
		fake_upstream_idle(p.x, millis(50));
	CU_ASSERT_TRUE(p.x->fake.udp_seen >= 4);
	CU_ASSERT_EQUAL(p.changes, 1);	/* the same addresses are no news */
	fake_upstream_rule(p.x, "up.example A 192.0.2.9 ; ttl=0");
	fake_upstream_await(p.x, &p.changes, 2, seconds(5));
	expect(&p, "up.example", "192.0.2.9:53");
	end(&p);
}

static void
old_addresses_stay_while_nobody_has_new_ones(void)
{
	static const char *const rules[] = { "* * SERVFAIL", "* * NXDOMAIN", "* * NODATA",
		"up.example A 0.0.0.0 ; ttl=0" };

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct play p;
		size_t seen;

		begin(&p, "up.example A 192.0.2.1 ; ttl=0\nup.example AAAA NODATA ; ttl=0");
		look(&p, "up.example");
		fake_upstream_await(p.x, &p.changes, 1, seconds(5));
		fake_upstream_rule(p.x, rules[i]);
		seen = p.x->fake.udp_seen;
		for (int k = 0; k < 100 && p.x->fake.udp_seen == seen; k++)
			fake_upstream_idle(p.x, millis(50));
		CU_ASSERT_TRUE(p.x->fake.udp_seen > seen);
		fake_upstream_idle(p.x, millis(50));
		expect(&p, "up.example", "192.0.2.1:53");
		CU_ASSERT_EQUAL(p.state, DNS_BOOTSTRAP_KNOWN);
		end(&p);
	}
}

static void
failure_is_told_and_tried_again(void)
{
	struct play p;

	begin(&p, "* * SERVFAIL");
	look(&p, "up.example");
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	expect(&p, "up.example", "");
	CU_ASSERT_EQUAL(p.state, DNS_BOOTSTRAP_FAILING);
	fake_upstream_rule(p.x, "up.example A 192.0.2.1");
	fake_upstream_await(p.x, &p.changes, 2, seconds(5));
	expect(&p, "up.example", "192.0.2.1:53");
	end(&p);
}

static void
a_name_that_does_not_exist_is_told_from_one_that_cannot_be_looked_up(void)
{
	struct play p;

	begin(&p, "* * NXDOMAIN");
	look(&p, "nowhere.example");
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	look(&p, "nowhere.example");
	CU_ASSERT_EQUAL(p.state, DNS_BOOTSTRAP_NONE);
	end(&p);
}

static void
the_next_server_is_asked_where_one_fails(void)
{
	struct play p;
	struct dns_server *servers[2];
	char text[ADDR_TEXT_MAX];

	begin(&p, "up.example A 192.0.2.1\nup.example AAAA NODATA");
	/* Nobody listens there. */
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(p.x->up, &servers[0], "127.0.0.1:1", NULL), OK);
	CU_ASSERT_EQUAL_FATAL(dns_upstream_add(p.x->up, &servers[1],
	    addr_format(&p.x->fake.addr, text), NULL), OK);
	dns_bootstrap_adopt(p.b, servers, 2);
	look(&p, "up.example");
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	expect(&p, "up.example", "192.0.2.1:53");
	end(&p);
}

static void
names_come_and_go_with_the_settings(void)
{
	struct play p;
	size_t seen;

	begin(&p, "* A 192.0.2.1 ; ttl=0");
	look(&p, "old.example");
	dns_bootstrap_end(p.b, true);
	fake_upstream_await(p.x, &p.changes, 1, seconds(5));
	/* A change of settings that is refused leaves no trace. */
	dns_bootstrap_begin(p.b);
	look(&p, "new.example");
	dns_bootstrap_end(p.b, false);
	expect(&p, "old.example", "192.0.2.1:53");
	dns_bootstrap_begin(p.b);
	dns_bootstrap_end(p.b, true);
	seen = p.x->fake.udp_seen;
	fake_upstream_idle(p.x, millis(150));
	CU_ASSERT_EQUAL(p.x->fake.udp_seen, seen);	/* nothing is looked up any more */
	end(&p);
}

static void
the_number_of_names_is_bounded(void)
{
	struct play p;
	char spec[32];
	struct dns_named named;

	begin(&p, "* * DROP");
	for (int i = 0; i < DNS_BOOTSTRAP_NAMES_MAX; i++) {
		snprintf(spec, sizeof(spec), "n%d.example", i);
		look(&p, spec);
	}
	CU_ASSERT_EQUAL(dns_named_parse(&named, "more.example"), OK);
	CU_ASSERT_EQUAL(dns_bootstrap_find(p.b, &named, p.addrs, &p.count, &p.state), ERR_FULL);
	end(&p);
}

UNIT_MAIN("dns_bootstrap", UNIT(names_are_told_from_addresses),
    UNIT(addresses_of_both_families_are_found),
    UNIT(an_alias_is_followed_and_what_no_server_can_have_is_left_out),
    UNIT(addresses_are_looked_up_again_when_they_run_out),
    UNIT(old_addresses_stay_while_nobody_has_new_ones), UNIT(failure_is_told_and_tried_again),
    UNIT(a_name_that_does_not_exist_is_told_from_one_that_cannot_be_looked_up),
    UNIT(the_next_server_is_asked_where_one_fails), UNIT(names_come_and_go_with_the_settings),
    UNIT(the_number_of_names_is_bounded))
