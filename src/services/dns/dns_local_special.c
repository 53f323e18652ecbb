/* SPDX-License-Identifier: MIT */
/*
 * What every server of a house knows without being told: names that mean something on this network
 * or nowhere, and that the upstreams have no business with.
 */
#include "services/dns/dns_local_impl.h"

#include <assert.h>
#include <stdio.h>

/* Zones of names that do not exist unless they are known here. */
static const struct {
	const char *name;
	const char *why;
} zones[] = {
	{ "test", "RFC 6761" },
	{ "invalid", "RFC 6761" },
	{ "local", "RFC 6762" },
	{ "onion", "RFC 7686" },
	{ "alt", "RFC 9476" },
	{ "home.arpa", "RFC 8375" },
	{ "resolver.arpa", "RFC 9462" },
	/* Private networks. 16 to 31 of 172.in-addr.arpa and 64 to 127 of 100 are counted below. */
	{ "10.in-addr.arpa", "RFC 6303" },
	{ "168.192.in-addr.arpa", "RFC 6303" },
	{ "0.in-addr.arpa", "RFC 6303" },
	{ "127.in-addr.arpa", "RFC 6303" },
	{ "254.169.in-addr.arpa", "RFC 6303" },
	{ "2.0.192.in-addr.arpa", "RFC 6303" },
	{ "100.51.198.in-addr.arpa", "RFC 6303" },
	{ "113.0.203.in-addr.arpa", "RFC 6303" },
	{ "255.255.255.255.in-addr.arpa", "RFC 6303" },
	{ "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "RFC 6303" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "RFC 6303" },
	{ "d.f.ip6.arpa", "RFC 6303" },
	{ "8.e.f.ip6.arpa", "RFC 6303" },
	{ "9.e.f.ip6.arpa", "RFC 6303" },
	{ "a.e.f.ip6.arpa", "RFC 6303" },
	{ "b.e.f.ip6.arpa", "RFC 6303" },
	{ "8.b.d.0.1.0.0.2.ip6.arpa", "RFC 6303" },
};

static struct dns_name
name_of(const char *text)
{
	struct dns_name name;
	enum err e = dns_name_parse(&name, span_str(text));

	assert(e == OK);
	(void)e;
	return name;
}

/* Record that a rule is ours and why: "special-use zone (RFC 6761)". */
static struct dns_local_origin
origin(struct dns_local *s, const char *what, const char *why)
{
	char text[96];

	snprintf(text, sizeof(text), "%s (%s)", what, why);
	return (struct dns_local_origin){ .source = dns_local_source(s, text) };
}

static void
add_zone(struct dns_local *s, const char *text, struct dns_local_origin from)
{
	struct dns_name name = name_of(text);
	uint32_t node = local_intern(s, dns_name_span(&name));

	if (node != LOCAL_NONE)
		local_set_rule(s, node, RULE_SPECIAL, from);
}

static void
add_counted_zones(struct dns_local *s, unsigned from, unsigned to, unsigned net, const char *why)
{
	struct dns_local_origin o = origin(s, "special-use zone", why);
	char text[64];

	for (unsigned i = from; i <= to; i++) {
		snprintf(text, sizeof(text), "%u.%u.in-addr.arpa", i, net);
		add_zone(s, text, o);
	}
}

/* RFC 6761 §6.3: localhost and all below it are this machine, whoever asks. */
static void
add_localhost(struct dns_local *s)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };
	struct dns_local_origin from = origin(s, "special-use name", "RFC 6761");
	struct dns_name name = name_of("localhost");
	uint32_t node = local_intern(s, dns_name_span(&name));

	dns_local_add_address(s, dns_name_span(&name), span_of(v4, sizeof(v4)), from);
	dns_local_add_address(s, dns_name_span(&name), span_of(v6, sizeof(v6)), from);
	if (node == LOCAL_NONE)
		return;
	local_add_ptr(s, span_of(v4, sizeof(v4)), node, from);
	local_add_ptr(s, span_of(v6, sizeof(v6)), node, from);
}

/* A "no" to such a name tells the software that the network wants its own DNS to be used. */
static void
add_canary(struct dns_local *s, const char *text, const char *who)
{
	struct dns_name name = name_of(text);

	dns_local_add_address(s, dns_name_span(&name), span_of(NULL, 0),
	    origin(s, "canary name", who));
}

void
local_add_special(struct dns_local *s)
{
	add_localhost(s);
	if (s->opts.firefox_canary)
		add_canary(s, "use-application-dns.net", "firefox-canary");
	if (s->opts.icloud_canary) {
		add_canary(s, "mask.icloud.com", "icloud-canary");
		add_canary(s, "mask-h2.icloud.com", "icloud-canary");
	}
	/* A domain of one label (lan, internal) is no domain of the Internet. */
	if (s->domain.len != 0 && dns_name_labels(dns_name_span(&s->domain)) == 1) {
		uint32_t node = local_intern(s, dns_name_span(&s->domain));

		if (node != LOCAL_NONE)
			local_set_rule(s, node, RULE_SPECIAL, origin(s, "domain", "own"));
	}
	if (s->opts.forward_special)
		return;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		add_zone(s, zones[i].name, origin(s, "special-use zone", zones[i].why));
	add_counted_zones(s, 16, 31, 172, "RFC 6303");
	add_counted_zones(s, 64, 127, 100, "RFC 7793");
}
