/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_local.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_hosts.h"
#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";
static struct dns_local *set;

static struct dns_name
name_of(const char *text)
{
	struct dns_name n;

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&n, span_str(text)), OK);
	return n;
}

static struct span
bytes_of(const char *text)
{
	static uint8_t room[8][16];
	static unsigned turn;
	uint8_t *at = room[turn++ % 8];

	if (text == NULL)
		return span_of(NULL, 0);
	if (inet_pton(AF_INET, text, at) == 1)
		return span_of(at, 4);
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, at), 1);
	return span_of(at, 16);
}

/* --- building --------------------------------------------------------------------------------- */

static void
begin(const char *domain)
{
	struct dns_local_options opts = { 0 };
	struct dns_name d;

	if (domain != NULL) {
		d = name_of(domain);
		opts.domain = dns_name_span(&d);
	}
	CU_ASSERT_EQUAL_FATAL(dns_local_new(&set, &opts, key), OK);
}

static void
finish(void)
{
	CU_ASSERT_EQUAL_FATAL(dns_local_finish(set), OK);
}

static void
end(void)
{
	dns_local_free(set);
	set = NULL;
}

static void
hosts(const char *text)
{
	struct dns_local_origin from = { .source = dns_local_source(set, "hosts file /etc/hosts") };
	struct dns_hosts h;

	dns_hosts_begin(&h, span_str(text));
	while (dns_hosts_next(&h) == DNS_HOSTS_NAME) {
		from.line = h.line;
		dns_local_add_host(set, dns_name_span(&h.name), span_of(h.addr, h.addr_len),
		    h.canonical, from);
	}
}

static void
lease(const char *name, const char *addr)
{
	struct dns_local_origin from = { .source = dns_local_source(set, "lease file l"),
	    .line = 7 };

	dns_local_add_lease(set, span_str(name), bytes_of(addr), from);
}

static void
record(const char *owner, uint16_t type, struct span rdata)
{
	struct dns_local_origin from = { .source = dns_local_source(set, "record c:3") };
	struct dns_name n = name_of(owner);

	dns_local_add_record(set, dns_name_span(&n), type, DNS_LOCAL_TTL_OF_SET, rdata, from);
}

static void
record_a(const char *owner, const char *addr)
{
	struct span rdata = bytes_of(addr);

	record(owner, rdata.len == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA, rdata);
}

static void
record_name(const char *owner, uint16_t type, const char *target)
{
	struct dns_name n = name_of(target);

	record(owner, type, dns_name_span(&n));
}

static void
address(const char *zone, const char *addr)
{
	struct dns_local_origin from = { .source = dns_local_source(set, "address c:4") };
	struct dns_name n = name_of(zone);

	dns_local_add_address(set, dns_name_span(&n), bytes_of(addr), from);
}

static void
zone(const char *name, enum dns_local_zone kind)
{
	struct dns_local_origin from = { .source = dns_local_source(set, "local c:5") };
	struct dns_name n = name_of(name);

	dns_local_add_zone(set, dns_name_span(&n), kind, from);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void
print_record(char *out, size_t cap, struct span msg, const struct dns_rr *rr)
{
	char owner[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], data[DNS_NAME_TEXT_MAX] = "";
	struct wire_rd rd = wire_rd_of(msg);
	struct dns_name n;

	wire_rd_skip(&rd, rr->owner_at);
	CU_ASSERT_TRUE_FATAL(dns_name_expand(&n, &rd));
	dns_name_format(dns_name_span(&n), owner);
	if (rr->type == DNS_TYPE_A)
		inet_ntop(AF_INET, rr->rdata.at, data, sizeof(data));
	else if (rr->type == DNS_TYPE_AAAA)
		inet_ntop(AF_INET6, rr->rdata.at, data, sizeof(data));
	else if (rr->type == DNS_TYPE_CNAME || rr->type == DNS_TYPE_PTR ||
	    rr->type == DNS_TYPE_NS) {
		rd = wire_rd_of(msg);
		wire_rd_skip(&rd, (size_t)(rr->rdata.at - msg.at));
		CU_ASSERT_TRUE_FATAL(dns_name_expand(&n, &rd));
		dns_name_format(dns_name_span(&n), data);
	} else if (rr->type != DNS_TYPE_SOA) {
		snprintf(data, sizeof(data), "[%zu]", rr->rdata.len);
	}
	snprintf(out, cap, " %s%s %s%s%s", rr->section == DNS_SECTION_AUTHORITY ? "/ " : "", owner,
	    dns_type_format(rr->type, type), data[0] != '\0' ? " " : "", data);
}

/* Ask as a client would, and give "VERDICT records" of the reply that it would get. */
static const char *
ask_from(const char *name, uint16_t type, const struct dns_local_asker *who)
{
	static const char *const verdicts[] = { "NOT-OURS", "ANSWER", "NODATA", "NXDOMAIN", "OUT",
		"LOOP" };
	static char out[65536];
	static uint8_t reply[DNS_MSG_MAX];
	uint8_t packet[600];
	struct dns_name n = name_of(name);
	struct dns_ask ask = { .name = dns_name_span(&n), .type = type, .class = DNS_CLASS_IN };
	size_t len = dns_ask_write(&ask, packet, sizeof(packet));
	struct dns_local_found f;
	struct dns_query q;
	struct dns_wr wr;
	struct dns_walk walk;
	struct dns_rr rr;

	CU_ASSERT_EQUAL_FATAL(dns_query_parse(&q, span_of(packet, len)), DNS_QUERY_OK);
	strcpy(out, verdicts[dns_local_find(set, dns_query_name(&q), type, who, &f)]);
	if (f.verdict == DNS_LOCAL_NOT_OURS)
		return strcat(out, f.names_below ? " but names below" : "");
	dns_wr_begin(&wr, &q, reply, sizeof(reply));
	dns_local_write(&f, &wr);
	len = dns_wr_end(&wr, dns_local_rcode(&f), DNS_FLAG_AA, NULL);
	CU_ASSERT_EQUAL(dns_msg_flags(span_of(reply, len)) & DNS_FLAG_RCODE, dns_local_rcode(&f));
	dns_walk_begin(&walk, span_of(reply, len));
	while (dns_rr_next(&walk, &rr)) {
		size_t at = strlen(out);

		if (rr.type != DNS_TYPE_SOA)
			CU_ASSERT_EQUAL(rr.ttl, DNS_LOCAL_TTL);
		print_record(out + at, sizeof(out) - at, span_of(reply, len), &rr);
	}
	CU_ASSERT_FALSE(walk.bad);
	if (f.verdict == DNS_LOCAL_CNAME_OUT)
		snprintf(out + strlen(out), 300, " -> %s",
		    dns_name_format(f.target, (char[DNS_NAME_TEXT_MAX]){ 0 }));
	return out;
}

static const char *
ask(const char *name, uint16_t type)
{
	return ask_from(name, type, NULL);
}

static const char *
why(const char *name, uint16_t type)
{
	static char out[DNS_LOCAL_WHY_MAX];
	struct dns_name n = name_of(name);
	struct dns_local_found f;

	(void)dns_local_find(set, dns_name_span(&n), type, NULL, &f);
	return dns_local_explain(&f, out, sizeof(out));
}

#define IS(got, want) CU_ASSERT_STRING_EQUAL(got, want)

/* --- records ---------------------------------------------------------------------------------- */

static void
a_name_answers_its_type_and_has_no_data_for_others(void)
{
	begin("home.arpa");
	hosts("192.168.1.5 nas.example.com\n");
	finish();
	IS(ask("nas.example.com", DNS_TYPE_A), "ANSWER nas.example.com A 192.168.1.5");
	IS(ask("nas.example.com", DNS_TYPE_AAAA), "NODATA / nas.example.com SOA");
	IS(ask("nas.example.com", DNS_TYPE_MX), "NODATA / nas.example.com SOA");
	IS(ask("nas.example.com", DNS_TYPE_HTTPS), "NODATA / nas.example.com SOA");
	IS(ask("NaS.eXample.com", DNS_TYPE_A), "ANSWER NaS.eXample.com A 192.168.1.5");
	end();
}

static void
names_of_others_are_not_ours(void)
{
	begin(NULL);
	hosts("192.168.1.5 nas.sub.example.com\n");
	finish();
	IS(ask("www.example.org", DNS_TYPE_A), "NOT-OURS");
	IS(ask("x.nas.sub.example.com", DNS_TYPE_A), "NOT-OURS");
	IS(ask("other.example.com", DNS_TYPE_A), "NOT-OURS");
	/* It may well exist elsewhere; but it cannot be said not to exist. */
	IS(ask("sub.example.com", DNS_TYPE_A), "NOT-OURS but names below");
	IS(ask(".", DNS_TYPE_NS), "NOT-OURS");
	end();
}

static void
an_empty_non_terminal_of_our_zone_has_no_data(void)
{
	begin(NULL);
	zone("lan", DNS_LOCAL_ONLY);
	hosts("192.168.1.5 a.b.c.lan\n192.168.1.6 x.y.home.arpa\n");
	finish();
	IS(ask("b.c.lan", DNS_TYPE_A), "NODATA / lan SOA");
	IS(ask("c.lan", DNS_TYPE_A), "NODATA / lan SOA");
	IS(ask("lan", DNS_TYPE_A), "NODATA / lan SOA");
	IS(ask("d.lan", DNS_TYPE_A), "NXDOMAIN / lan SOA");
	IS(ask("x.a.b.c.lan", DNS_TYPE_A), "NXDOMAIN / lan SOA");
	IS(ask("y.home.arpa", DNS_TYPE_AAAA), "NODATA / home.arpa SOA");
	IS(ask("a.b.c.lan", DNS_TYPE_TXT), "NODATA / lan SOA");
	end();
}

static void
records_of_any_type_are_answered(void)
{
	begin(NULL);
	record("box.example", DNS_TYPE_TXT, SPAN("\5hello"));
	record("box.example", 65400, SPAN("\1\2\3"));
	record_a("box.example", "192.168.1.5");
	record_a("box.example", "192.168.1.6");
	record_a("box.example", "192.168.1.5");
	finish();
	IS(ask("box.example", DNS_TYPE_TXT), "ANSWER box.example TXT [6]");
	IS(ask("box.example", 65400), "ANSWER box.example TYPE65400 [3]");
	IS(ask("box.example", DNS_TYPE_A),
	    "ANSWER box.example A 192.168.1.5 box.example A 192.168.1.6");
	/* RFC 8482: one set of records is enough. */
	IS(ask("box.example", DNS_TYPE_ANY), "ANSWER box.example TXT [6]");
	CU_ASSERT_EQUAL(dns_local_stats(set)->records, 8);
	end();
}

static void
a_set_of_records_has_one_ttl(void)
{
	struct dns_name n = name_of("box.example");
	struct dns_local_origin from = { 0 };

	begin(NULL);
	(void)dns_local_source(set, "x");
	dns_local_add_record(set, dns_name_span(&n), DNS_TYPE_A, 300, bytes_of("192.168.1.1"),
	    from);
	dns_local_add_record(set, dns_name_span(&n), DNS_TYPE_A, 60, bytes_of("192.168.1.2"), from);
	dns_local_add_record(set, dns_name_span(&n), DNS_TYPE_A, 900, bytes_of("192.168.1.3"),
	    from);
	finish();
	/* ask() checks that every TTL is 60. */
	IS(ask("box.example", DNS_TYPE_A), "ANSWER box.example A 192.168.1.1 "
	   "box.example A 192.168.1.2 box.example A 192.168.1.3");
	end();
}

static void
addresses_get_their_names(void)
{
	begin("home.arpa");
	hosts("192.168.1.5 nas.home.arpa files\n192.168.1.5 later\n192.168.100.25 tv\n"
	      "2001:db8::5 nas.home.arpa\n0.0.0.0 ads.example\n");
	record_a("mail.example", "192.0.2.7");
	lease("phone", "192.168.1.77");
	finish();
	IS(ask("5.1.168.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 5.1.168.192.in-addr.arpa PTR nas.home.arpa");
	IS(ask("25.100.168.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 25.100.168.192.in-addr.arpa PTR tv.home.arpa");
	IS(ask("77.1.168.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 77.1.168.192.in-addr.arpa PTR phone.home.arpa");
	IS(ask("7.2.0.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 7.2.0.192.in-addr.arpa PTR mail.example");
	IS(ask("5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	    DNS_TYPE_PTR), "ANSWER 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	   "ip6.arpa PTR nas.home.arpa");
	IS(ask("0.0.0.0.in-addr.arpa", DNS_TYPE_PTR), "NXDOMAIN / 0.in-addr.arpa SOA");
	IS(ask("6.1.168.192.in-addr.arpa", DNS_TYPE_PTR), "NXDOMAIN / 168.192.in-addr.arpa SOA");
	IS(ask("1.168.192.in-addr.arpa", DNS_TYPE_PTR), "NODATA / 168.192.in-addr.arpa SOA");
	IS(ask("9.9.9.9.in-addr.arpa", DNS_TYPE_PTR), "NOT-OURS");
	IS(ask("1.0.0.127.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 1.0.0.127.in-addr.arpa PTR localhost");
	end();
}

static void
a_written_ptr_beats_a_made_one(void)
{
	begin(NULL);
	record_a("one.example", "192.168.1.5");
	record_name("5.1.168.192.in-addr.arpa", DNS_TYPE_PTR, "two.example");
	record_a("three.example", "192.168.1.5");
	finish();
	IS(ask("5.1.168.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 5.1.168.192.in-addr.arpa PTR two.example");
	end();
}

static void
plain_names_get_the_domain_and_stay_plain(void)
{
	begin("Home.Arpa");
	hosts("192.168.1.5 NAS\n192.168.1.6 tv.home.arpa\n");
	finish();
	IS(ask("nas", DNS_TYPE_A), "ANSWER nas A 192.168.1.5");
	IS(ask("nas.home.arpa", DNS_TYPE_A), "ANSWER nas.home.arpa A 192.168.1.5");
	IS(ask("tv", DNS_TYPE_A), "NXDOMAIN / . SOA");
	end();
	begin(NULL);
	hosts("192.168.1.5 nas\n");
	finish();
	IS(ask("nas", DNS_TYPE_A), "ANSWER nas A 192.168.1.5");
	IS(ask("nas.home.arpa", DNS_TYPE_A), "NXDOMAIN / home.arpa SOA");
	end();
}

static void
plain_names_are_not_forwarded(void)
{
	struct dns_local_options opts = { .forward_plain = true };

	begin("lan");
	hosts("192.168.1.5 a.attic\n");
	finish();
	IS(ask("printer", DNS_TYPE_A), "NXDOMAIN / . SOA");
	IS(ask("printer", DNS_TYPE_HTTPS), "NXDOMAIN / . SOA");
	IS(ask("attic", DNS_TYPE_A), "NODATA / attic SOA");
	/* Those who check signatures ask these of top-level domains. */
	IS(ask("com", DNS_TYPE_DS), "NOT-OURS");
	IS(ask("com", DNS_TYPE_DNSKEY), "NOT-OURS");
	IS(ask("com", DNS_TYPE_NS), "NOT-OURS");
	/* A domain of one label is nobody else's. */
	IS(ask("x.lan", DNS_TYPE_A), "NXDOMAIN / lan SOA");
	IS(why("printer", DNS_TYPE_A), "plain name");
	end();
	CU_ASSERT_EQUAL_FATAL(dns_local_new(&set, &opts, key), OK);
	finish();
	IS(ask("printer", DNS_TYPE_A), "NOT-OURS");
	end();
}

/* --- aliases ---------------------------------------------------------------------------------- */

static void
an_alias_is_followed_here(void)
{
	begin(NULL);
	hosts("192.168.1.5 nas.example\n");
	record_name("files.example", DNS_TYPE_CNAME, "NAS.example");
	record_name("old.example", DNS_TYPE_CNAME, "files.example");
	record_name("dead.example", DNS_TYPE_CNAME, "nobody.home.arpa");
	finish();
	IS(ask("files.example", DNS_TYPE_A),
	    "ANSWER files.example CNAME nas.example nas.example A 192.168.1.5");
	IS(ask("old.example", DNS_TYPE_A), "ANSWER old.example CNAME files.example "
	   "files.example CNAME nas.example nas.example A 192.168.1.5");
	IS(ask("old.example", DNS_TYPE_AAAA), "NODATA old.example CNAME files.example "
	   "files.example CNAME nas.example / nas.example SOA");
	IS(ask("old.example", DNS_TYPE_CNAME), "ANSWER old.example CNAME files.example");
	IS(ask("dead.example", DNS_TYPE_A),
	    "NXDOMAIN dead.example CNAME nobody.home.arpa / home.arpa SOA");
	IS(why("old.example", DNS_TYPE_A),
	    "record c:3, then record c:3, then hosts file /etc/hosts:1");
	end();
}

static void
an_alias_may_lead_outside(void)
{
	begin(NULL);
	record_name("cloud.home.arpa", DNS_TYPE_CNAME, "a.example.net");
	record_name("c.home.arpa", DNS_TYPE_CNAME, "cloud.home.arpa");
	finish();
	IS(ask("c.home.arpa", DNS_TYPE_A), "OUT c.home.arpa CNAME cloud.home.arpa "
	   "cloud.home.arpa CNAME a.example.net -> a.example.net");
	end();
}

static void
aliases_in_a_circle_fail(void)
{
	char from[32], to[32];

	begin(NULL);
	record_name("a.example", DNS_TYPE_CNAME, "b.example");
	record_name("b.example", DNS_TYPE_CNAME, "a.example");
	for (int i = 0; i < 13; i++) {
		snprintf(from, sizeof(from), "n%d.example", i);
		snprintf(to, sizeof(to), "n%d.example", i + 1);
		record_name(from, DNS_TYPE_CNAME, to);
	}
	record_a("n13.example", "192.168.1.5");
	finish();
	CU_ASSERT_EQUAL(strncmp(ask("a.example", DNS_TYPE_A), "LOOP", 4), 0);
	CU_ASSERT_EQUAL(strncmp(ask("n1.example", DNS_TYPE_A), "LOOP", 4), 0);
	CU_ASSERT_EQUAL(strncmp(ask("n2.example", DNS_TYPE_A), "ANSWER", 6), 0);
	end();
}

/* --- wildcards -------------------------------------------------------------------------------- */

static void
an_exact_name_beats_a_wildcard_record(void)
{
	begin("home.arpa");
	record_a("*.apps.home.arpa", "192.168.1.7");
	record_a("nas.apps.home.arpa", "192.168.1.5");
	record_a("deep.er.apps.home.arpa", "192.168.1.6");
	finish();
	IS(ask("nas.apps.home.arpa", DNS_TYPE_A), "ANSWER nas.apps.home.arpa A 192.168.1.5");
	IS(ask("nas.apps.home.arpa", DNS_TYPE_AAAA), "NODATA / home.arpa SOA");
	IS(ask("x.apps.home.arpa", DNS_TYPE_A), "ANSWER x.apps.home.arpa A 192.168.1.7");
	IS(ask("x.y.apps.home.arpa", DNS_TYPE_A), "ANSWER x.y.apps.home.arpa A 192.168.1.7");
	IS(ask("x.apps.home.arpa", DNS_TYPE_MX), "NODATA / home.arpa SOA");
	/* RFC 4592 §2.2.1: what exists hides the wildcard from itself and from all below. */
	IS(ask("apps.home.arpa", DNS_TYPE_A), "NODATA / home.arpa SOA");
	IS(ask("er.apps.home.arpa", DNS_TYPE_A), "NODATA / home.arpa SOA");
	IS(ask("x.nas.apps.home.arpa", DNS_TYPE_A), "NXDOMAIN / home.arpa SOA");
	IS(ask("*.apps.home.arpa", DNS_TYPE_A), "ANSWER *.apps.home.arpa A 192.168.1.7");
	IS(ask("7.1.168.192.in-addr.arpa", DNS_TYPE_PTR), "NXDOMAIN / 168.192.in-addr.arpa SOA");
	end();
}

static void
an_address_holds_for_its_name_and_all_below(void)
{
	begin("home.arpa");
	address("apps.home.arpa", "192.168.1.7");
	hosts("192.168.1.5 nas.apps.home.arpa\n192.168.1.6 deep.er.apps.home.arpa\n");
	finish();
	IS(ask("apps.home.arpa", DNS_TYPE_A), "ANSWER apps.home.arpa A 192.168.1.7");
	IS(ask("x.apps.home.arpa", DNS_TYPE_A), "ANSWER x.apps.home.arpa A 192.168.1.7");
	IS(ask("x.y.apps.home.arpa", DNS_TYPE_ANY), "ANSWER x.y.apps.home.arpa A 192.168.1.7");
	IS(ask("x.apps.home.arpa", DNS_TYPE_AAAA), "NODATA / apps.home.arpa SOA");
	IS(ask("x.apps.home.arpa", DNS_TYPE_HTTPS), "NODATA / apps.home.arpa SOA");
	IS(ask("nas.apps.home.arpa", DNS_TYPE_A), "ANSWER nas.apps.home.arpa A 192.168.1.5");
	IS(ask("nas.apps.home.arpa", DNS_TYPE_AAAA), "NODATA / apps.home.arpa SOA");
	IS(ask("er.apps.home.arpa", DNS_TYPE_A), "ANSWER er.apps.home.arpa A 192.168.1.7");
	IS(ask("x.home.arpa", DNS_TYPE_A), "NXDOMAIN / home.arpa SOA");
	IS(why("x.apps.home.arpa", DNS_TYPE_A), "address c:4");
	IS(why("x.apps.home.arpa", DNS_TYPE_MX), "address c:4");
	end();
}

static void
the_nearest_rule_holds(void)
{
	begin(NULL);
	address("example.com", "192.168.1.7");
	address("ads.example.com", NULL);
	zone("www.example.com", DNS_LOCAL_FORWARD);
	address("x.www.example.com", "192.168.1.8");
	address("x.www.example.com", "2001:db8::8");
	hosts("192.168.1.9 here.www.example.com\n192.168.1.10 ok.ads.example.com\n");
	finish();
	IS(ask("a.example.com", DNS_TYPE_A), "ANSWER a.example.com A 192.168.1.7");
	IS(ask("ads.example.com", DNS_TYPE_A), "NXDOMAIN / ads.example.com SOA");
	IS(ask("a.ads.example.com", DNS_TYPE_A), "NXDOMAIN / ads.example.com SOA");
	IS(ask("ok.ads.example.com", DNS_TYPE_A), "ANSWER ok.ads.example.com A 192.168.1.10");
	IS(ask("www.example.com", DNS_TYPE_A), "NOT-OURS but names below");
	IS(ask("a.www.example.com", DNS_TYPE_A), "NOT-OURS");
	IS(ask("here.www.example.com", DNS_TYPE_AAAA), "NODATA / here.www.example.com SOA");
	IS(ask("y.x.www.example.com", DNS_TYPE_AAAA),
	    "ANSWER y.x.www.example.com AAAA 2001:db8::8");
	end();
}

static void
for_one_name_the_stronger_rule_holds(void)
{
	begin(NULL);
	zone("home.arpa", DNS_LOCAL_FORWARD);
	zone("both.example", DNS_LOCAL_FORWARD);
	zone("both.example", DNS_LOCAL_ONLY);
	address("all.example", "192.168.1.7");
	zone("all.example", DNS_LOCAL_ONLY);
	address("all.example", NULL);
	zone("10.in-addr.arpa", DNS_LOCAL_FORWARD);
	finish();
	IS(ask("x.home.arpa", DNS_TYPE_A), "NOT-OURS");
	IS(ask("x.both.example", DNS_TYPE_A), "NXDOMAIN / both.example SOA");
	IS(ask("x.all.example", DNS_TYPE_A), "ANSWER x.all.example A 192.168.1.7");
	IS(ask("1.2.3.10.in-addr.arpa", DNS_TYPE_PTR), "NOT-OURS");
	IS(why("x.both.example", DNS_TYPE_A), "local c:5");
	IS(why("x.home.arpa", DNS_TYPE_A), "local c:5");
	end();
}

static void
the_root_can_have_a_rule(void)
{
	begin(NULL);
	address(".", "192.168.1.1");
	zone("example.org", DNS_LOCAL_FORWARD);
	finish();
	IS(ask("captive.example.com", DNS_TYPE_A), "ANSWER captive.example.com A 192.168.1.1");
	IS(ask("www.example.org", DNS_TYPE_A), "NOT-OURS");
	IS(ask("plain", DNS_TYPE_MX), "NODATA / . SOA");
	end();
}

/* --- what is known without being told --------------------------------------------------------- */

static void
special_names_never_leave_the_house(void)
{
	static const char *const names[] = { "x.test", "x.invalid", "printer.local", "abc.onion",
		"x.home.arpa", "_dns.resolver.arpa", "1.0.0.10.in-addr.arpa",
		"1.1.16.172.in-addr.arpa", "1.1.31.172.in-addr.arpa", "1.1.64.100.in-addr.arpa",
		"1.1.127.100.in-addr.arpa", "5.1.254.169.in-addr.arpa", "3.1.0.0.d.f.ip6.arpa",
		"1.0.8.e.f.ip6.arpa" };
	struct dns_local_options opts = { .forward_special = true };

	begin(NULL);
	finish();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_EQUAL(strncmp(ask(names[i], DNS_TYPE_A), "NXDOMAIN", 8), 0);
	IS(ask("1.1.15.172.in-addr.arpa", DNS_TYPE_PTR), "NOT-OURS");
	IS(ask("1.1.32.172.in-addr.arpa", DNS_TYPE_PTR), "NOT-OURS");
	IS(ask("1.1.63.100.in-addr.arpa", DNS_TYPE_PTR), "NOT-OURS");
	IS(ask("x.example", DNS_TYPE_A), "NOT-OURS");
	IS(why("x.home.arpa", DNS_TYPE_A), "special-use zone (RFC 8375)");
	IS(ask("home.arpa", DNS_TYPE_SOA), "ANSWER home.arpa SOA");
	IS(ask("home.arpa", DNS_TYPE_NS), "ANSWER home.arpa NS home.arpa");
	IS(ask("home.arpa", DNS_TYPE_DS), "NODATA / home.arpa SOA");
	end();
	CU_ASSERT_EQUAL_FATAL(dns_local_new(&set, &opts, key), OK);
	finish();
	IS(ask("x.home.arpa", DNS_TYPE_A), "NOT-OURS");
	IS(ask("localhost", DNS_TYPE_A), "ANSWER localhost A 127.0.0.1");
	end();
}

static void
localhost_is_localhost(void)
{
	struct addr peer;
	struct dns_local_asker who = { .addr = &peer };

	CU_ASSERT_EQUAL(addr_parse(&peer, "192.168.1.50", 0), OK);
	begin("home.arpa");
	hosts("127.0.0.1 localhost\n");
	lease("localhost", "192.168.1.66");
	finish();
	IS(ask_from("localhost", DNS_TYPE_A, &who), "ANSWER localhost A 127.0.0.1");
	IS(ask("a.b.localhost", DNS_TYPE_AAAA), "ANSWER a.b.localhost AAAA ::1");
	IS(ask("localhost", DNS_TYPE_MX), "NODATA / localhost SOA");
	IS(ask("localhost.home.arpa", DNS_TYPE_A), "NXDOMAIN / home.arpa SOA");
	CU_ASSERT_EQUAL(dns_local_stats(set)->refused, 1);
	end();
}

static void
canaries_are_denied_on_request(void)
{
	struct dns_local_options opts = { .firefox_canary = true };

	begin(NULL);
	finish();
	IS(ask("use-application-dns.net", DNS_TYPE_A), "NOT-OURS");
	end();
	CU_ASSERT_EQUAL_FATAL(dns_local_new(&set, &opts, key), OK);
	finish();
	IS(ask("use-application-dns.net", DNS_TYPE_A), "NXDOMAIN / use-application-dns.net SOA");
	IS(ask("mask.icloud.com", DNS_TYPE_A), "NOT-OURS");
	IS(why("use-application-dns.net", DNS_TYPE_A), "canary name (firefox-canary)");
	end();
}

/* --- who asks --------------------------------------------------------------------------------- */

static void
addresses_in_the_askers_network_come_alone(void)
{
	struct addr peer;
	struct prefix nets[3];
	struct dns_local_asker who = { .addr = &peer, .nets = nets, .net_count = 3 };

	CU_ASSERT_EQUAL(prefix_parse(&nets[0], "10.0.0.0/8"), OK);
	CU_ASSERT_EQUAL(prefix_parse(&nets[1], "192.168.0.0/23"), OK);
	CU_ASSERT_EQUAL(prefix_parse(&nets[2], "2001:db8:1::/64"), OK);
	begin(NULL);
	hosts("192.168.1.5 nas.example\n10.0.0.5 nas.example\n172.16.9.5 nas.example\n"
	      "192.168.4.5 nas.example\n10.200.0.5 one.example\n");
	finish();
	CU_ASSERT_EQUAL(addr_parse(&peer, "192.168.0.77", 0), OK);
	IS(ask_from("nas.example", DNS_TYPE_A, &who), "ANSWER nas.example A 192.168.1.5");
	CU_ASSERT_EQUAL(addr_parse(&peer, "10.99.1.1", 0), OK);
	IS(ask_from("nas.example", DNS_TYPE_A, &who), "ANSWER nas.example A 10.0.0.5");
	IS(ask_from("one.example", DNS_TYPE_A, &who), "ANSWER one.example A 10.200.0.5");
	/* Not directly connected: the /24 is taken for the network. */
	CU_ASSERT_EQUAL(addr_parse(&peer, "172.16.9.200", 0), OK);
	IS(ask_from("nas.example", DNS_TYPE_A, &who), "ANSWER nas.example A 172.16.9.5");
	CU_ASSERT_EQUAL(addr_parse(&peer, "172.16.8.200", 0), OK);
	IS(ask_from("nas.example", DNS_TYPE_A, &who), "ANSWER nas.example A 192.168.1.5 "
	   "nas.example A 10.0.0.5 nas.example A 172.16.9.5 nas.example A 192.168.4.5");
	CU_ASSERT_EQUAL(addr_parse(&peer, "2001:db8:1::1", 0), OK);
	IS(ask_from("nas.example", DNS_TYPE_A, &who), "ANSWER nas.example A 192.168.1.5 "
	   "nas.example A 10.0.0.5 nas.example A 172.16.9.5 nas.example A 192.168.4.5");
	end();
}

static void
loopback_of_a_hosts_file_is_for_this_machine(void)
{
	struct addr peer;
	struct dns_local_asker who = { .addr = &peer };

	begin(NULL);
	hosts("127.0.1.1 box.example\n::1 box.example\n127.0.0.1 both.example\n"
	      "192.168.1.5 both.example\n");
	record_a("told.example", "127.0.0.5");
	finish();
	CU_ASSERT_EQUAL(addr_parse(&peer, "192.168.1.50", 0), OK);
	IS(ask_from("box.example", DNS_TYPE_A, &who), "NODATA / box.example SOA");
	IS(ask_from("box.example", DNS_TYPE_AAAA, &who), "NODATA / box.example SOA");
	IS(ask_from("both.example", DNS_TYPE_A, &who), "ANSWER both.example A 192.168.1.5");
	IS(ask_from("told.example", DNS_TYPE_A, &who), "ANSWER told.example A 127.0.0.5");
	CU_ASSERT_EQUAL(addr_parse(&peer, "127.0.0.1", 0), OK);
	IS(ask_from("box.example", DNS_TYPE_A, &who), "ANSWER box.example A 127.0.1.1");
	IS(ask_from("box.example", DNS_TYPE_AAAA, &who), "ANSWER box.example AAAA ::1");
	end();
}

static void
hosts_can_be_taken_over_from_another_set(void)
{
	struct dns_local *old;

	begin("home.arpa");
	(void)dns_local_source(set, "another");
	hosts("192.168.1.5 nas\n192.168.1.5 files\n2001:db8::5 nas\n");
	record_a("told.example", "192.168.1.6");
	lease("phone", "192.168.1.7");
	finish();
	old = set;
	begin("home.arpa");
	dns_local_add_hosts_of(set, old, 1, dns_local_source(set, "kept file"));
	finish();
	dns_local_free(old);
	IS(ask("nas", DNS_TYPE_A), "ANSWER nas A 192.168.1.5");
	IS(ask("nas.home.arpa", DNS_TYPE_AAAA), "ANSWER nas.home.arpa AAAA 2001:db8::5");
	IS(ask("files.home.arpa", DNS_TYPE_A), "ANSWER files.home.arpa A 192.168.1.5");
	IS(ask("5.1.168.192.in-addr.arpa", DNS_TYPE_PTR),
	    "ANSWER 5.1.168.192.in-addr.arpa PTR nas.home.arpa");
	IS(ask("told.example", DNS_TYPE_A), "NOT-OURS");
	IS(ask("phone", DNS_TYPE_A), "NXDOMAIN / . SOA");
	IS(why("files", DNS_TYPE_A), "kept file:2");
	end();
}

/* --- leases ----------------------------------------------------------------------------------- */

static void
a_guest_gets_a_name_in_our_domain_only(void)
{
	begin("home.arpa");
	zone("iot.lan", DNS_LOCAL_ONLY);
	zone("corp.home.arpa", DNS_LOCAL_FORWARD);
	lease("Phone", "192.168.1.20");
	lease("www.bank.example", "192.168.1.21");
	lease("cam.iot.lan", "192.168.1.22");
	lease("tv.home.arpa", "192.168.1.23");
	lease("x.living.home.arpa", "192.168.1.24");
	lease("y.corp.home.arpa", "192.168.1.25");
	finish();
	IS(ask("phone", DNS_TYPE_A), "ANSWER phone A 192.168.1.20");
	IS(ask("phone.home.arpa", DNS_TYPE_A), "ANSWER phone.home.arpa A 192.168.1.20");
	IS(ask("www.bank.example", DNS_TYPE_A), "NOT-OURS");
	IS(ask("www.home.arpa", DNS_TYPE_A), "ANSWER www.home.arpa A 192.168.1.21");
	IS(ask("cam.iot.lan", DNS_TYPE_A), "ANSWER cam.iot.lan A 192.168.1.22");
	IS(ask("cam", DNS_TYPE_A), "NXDOMAIN / . SOA");
	IS(ask("tv", DNS_TYPE_A), "ANSWER tv A 192.168.1.23");
	IS(ask("tv.home.arpa", DNS_TYPE_A), "ANSWER tv.home.arpa A 192.168.1.23");
	IS(ask("x.living.home.arpa", DNS_TYPE_A), "ANSWER x.living.home.arpa A 192.168.1.24");
	IS(ask("y.corp.home.arpa", DNS_TYPE_A), "NOT-OURS");
	IS(why("phone", DNS_TYPE_A), "lease file l:7");
	end();
}

static void
a_guest_cannot_take_a_name_that_others_trust(void)
{
	begin("home.arpa");
	hosts("192.168.1.5 nas\n");
	record_a("printer.home.arpa", "192.168.1.6");
	record_name("files.home.arpa", DNS_TYPE_CNAME, "nas.home.arpa");
	lease("nas", "192.168.1.66");
	lease("nas", "fd00::66");
	lease("printer", "192.168.1.66");
	lease("files", "192.168.1.66");
	lease("wpad", "192.168.1.66");
	lease("WPAD.home.arpa", "192.168.1.66");
	lease("isatap", "192.168.1.66");
	lease("bad name", "192.168.1.66");
	lease("", "192.168.1.66");
	finish();
	IS(ask("nas.home.arpa", DNS_TYPE_A), "ANSWER nas.home.arpa A 192.168.1.5");
	IS(ask("nas.home.arpa", DNS_TYPE_AAAA), "ANSWER nas.home.arpa AAAA fd00::66");
	IS(ask("printer.home.arpa", DNS_TYPE_A), "ANSWER printer.home.arpa A 192.168.1.6");
	IS(ask("files.home.arpa", DNS_TYPE_A),
	    "ANSWER files.home.arpa CNAME nas.home.arpa nas.home.arpa A 192.168.1.5");
	IS(ask("wpad.home.arpa", DNS_TYPE_A), "NXDOMAIN / home.arpa SOA");
	IS(ask("wpad", DNS_TYPE_A), "NXDOMAIN / . SOA");
	CU_ASSERT_EQUAL(dns_local_stats(set)->refused, 5);
	CU_ASSERT_EQUAL(dns_local_stats(set)->shadowed, 4);
	end();
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void
records_of_one_name_are_bounded(void)
{
	char text[32];

	begin(NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250 + 1);
		record_a("many.example", text);
	}
	finish();
	CU_ASSERT_EQUAL(dns_local_stats(set)->dropped, 300 - DNS_LOCAL_PER_TYPE_MAX);
	CU_ASSERT_EQUAL(strncmp(ask("many.example", DNS_TYPE_A), "ANSWER", 6), 0);
	end();
}

static void
a_hundred_thousand_names_take_modest_memory(void)
{
	enum { N = 100000 };
	struct dns_local_origin from = { 0 };
	char text[64];

	begin("home.arpa");
	from.source = dns_local_source(set, "hosts file x");
	for (uint32_t i = 0; i < N; i++) {
		uint8_t addr[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		struct dns_name n;

		snprintf(text, sizeof(text), "host-%u.rack%u.example.net", i, i % 100);
		n = name_of(text);
		from.line = i + 1;
		dns_local_add_host(set, dns_name_span(&n), span_of(addr, 4), true, from);
	}
	finish();
	printf("(%zu bytes a name, its PTR included) ", dns_local_stats(set)->bytes / N);
	CU_ASSERT_TRUE(dns_local_stats(set)->bytes < N * 150);
	IS(ask("host-77777.rack77.example.net", DNS_TYPE_A),
	    "ANSWER host-77777.rack77.example.net A 10.1.47.209");
	IS(why("host-77777.rack77.example.net", DNS_TYPE_A), "hosts file x:77778");
	end();
}

UNIT_MAIN("dns_local", UNIT(a_name_answers_its_type_and_has_no_data_for_others),
    UNIT(names_of_others_are_not_ours), UNIT(an_empty_non_terminal_of_our_zone_has_no_data),
    UNIT(records_of_any_type_are_answered), UNIT(a_set_of_records_has_one_ttl),
    UNIT(addresses_get_their_names), UNIT(a_written_ptr_beats_a_made_one),
    UNIT(plain_names_get_the_domain_and_stay_plain), UNIT(plain_names_are_not_forwarded),
    UNIT(an_alias_is_followed_here), UNIT(an_alias_may_lead_outside),
    UNIT(aliases_in_a_circle_fail), UNIT(an_exact_name_beats_a_wildcard_record),
    UNIT(an_address_holds_for_its_name_and_all_below), UNIT(the_nearest_rule_holds),
    UNIT(for_one_name_the_stronger_rule_holds), UNIT(the_root_can_have_a_rule),
    UNIT(special_names_never_leave_the_house), UNIT(localhost_is_localhost),
    UNIT(canaries_are_denied_on_request), UNIT(addresses_in_the_askers_network_come_alone),
    UNIT(loopback_of_a_hosts_file_is_for_this_machine),
    UNIT(hosts_can_be_taken_over_from_another_set),
    UNIT(a_guest_gets_a_name_in_our_domain_only),
    UNIT(a_guest_cannot_take_a_name_that_others_trust), UNIT(records_of_one_name_are_bounded),
    UNIT(a_hundred_thousand_names_take_modest_memory))
