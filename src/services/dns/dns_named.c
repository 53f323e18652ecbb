/* SPDX-License-Identifier: MIT */
/* Names of upstream servers: their text form, and what answers say about them. */
#include "services/dns/dns_named.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Letters, digits, hyphens and dots, and the underscore that some use; the last label no number. */
static bool
is_host_name(struct span text)
{
	bool number = true;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		if (!isalnum(c) && c != '-' && c != '.' && c != '_')
			return false;
		if (c == '.' && i + 1 < text.len)
			number = true;
		else if (c != '.' && !isdigit(c))
			number = false;
	}
	return text.len != 0 && !number;
}

static enum err
parse_port(uint16_t *out, const char *text)
{
	unsigned long n = 0;

	if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
		return ERR_FORMAT;
	n = strtoul(text, NULL, 10);
	if (n == 0 || n > UINT16_MAX)
		return ERR_RANGE;
	*out = (uint16_t)n;
	return OK;
}

enum dns_transport
dns_named_scheme(const char **text)
{
	static const char *const schemes[] = { [DNS_TRANSPORT_UDP] = "udp://",
		[DNS_TRANSPORT_TCP] = "tcp://", [DNS_TRANSPORT_TLS] = "tls://" };

	for (unsigned i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(*text, schemes[i], strlen(schemes[i])) == 0) {
			*text += strlen(schemes[i]);
			return (enum dns_transport)i;
		}
	return DNS_TRANSPORT_UDP;
}

enum err
dns_named_parse(struct dns_named *out, const char *spec)
{
	*out = (struct dns_named){ .transport = dns_named_scheme(&spec) };
	out->port = out->transport == DNS_TRANSPORT_TLS ? DNS_NAMED_TLS_PORT : DNS_NAMED_PORT;

	struct span host = span_of(spec, strcspn(spec, ":"));
	enum err e = ERR_FORMAT;

	if (is_host_name(host))
		e = dns_name_parse(&out->name, host);
	if (e == OK && dns_name_is_root(dns_name_span(&out->name)))
		e = ERR_FORMAT;
	if (e == OK && spec[host.len] == ':')
		e = parse_port(&out->port, spec + host.len + 1);
	if (e == OK)
		dns_name_lower(out->name.wire, dns_name_span(&out->name));
	return e;
}

/* The address in a record, or none: AF_UNSPEC. */
static struct addr
address_of(struct span rdata, uint16_t port)
{
	struct addr a = { 0 };

	if (rdata.len == 4) {
		a.in.sin_family = AF_INET;
		memcpy(&a.in.sin_addr, rdata.at, 4);
	} else {
		a.in6.sin6_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, rdata.at, 16);
	}
	addr_set_port(&a, port);
	/* A link-local address is of no use without its interface, which no record tells. */
	if (addr_is_any(&a) || addr_is_multicast(&a) ||
	    (rdata.len == 16 && addr_is_linklocal(&a)))
		a = (struct addr){ 0 };
	return a;
}

bool
dns_named_among(const struct addr *addrs, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal_host(&addrs[i], a))
			return true;
	return false;
}

size_t
dns_named_addrs(const struct dns_answer *answer, struct span msg, uint16_t type, uint16_t port,
    struct addr *out, size_t cap)
{
	size_t want = type == DNS_TYPE_A ? 4 : 16, found = 0;
	struct dns_walk walk;
	struct dns_rr rr;

	dns_walk_begin(&walk, msg);
	for (size_t i = 0; dns_rr_next(&walk, &rr); i++) {
		if ((answer->keep[i / 64] >> i % 64 & 1) == 0 || rr.section != DNS_SECTION_ANSWER ||
		    rr.type != type || rr.rdata.len != want)
			continue;

		struct addr a = address_of(rr.rdata, port);

		if (a.sa.sa_family == AF_UNSPEC ||
		    dns_named_among(out, found < cap ? found : cap, &a))
			continue;
		if (found < cap)
			out[found] = a;
		found++;
	}
	return found;
}
