/* SPDX-License-Identifier: MIT */
/* How settings name an upstream server: a stamp, or an address with an optional scheme. */
#include "services/dns/dns_upstream_priv.h"

#include <stdio.h>
#include <string.h>

/*
 * The name that the certificate must be for, behind '#'. Writes what is in front of that to addr.
 * Errors: ERR_FORMAT.
 */
static enum err
split_auth_name(struct dns_upstream_spec *out, char addr[static ADDR_TEXT_MAX], const char *text)
{
	struct span whole = span_str(text);
	const char *hash = strchr(text, '#');
	struct dns_named name;
	size_t n = hash != NULL ? (size_t)(hash - text) : whole.len;

	if (n >= ADDR_TEXT_MAX)
		return ERR_FORMAT;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (hash == NULL)
		return OK;

	struct span auth = span_str(hash + 1);

	/* A host name: no scheme, no port. */
	if (auth.len >= sizeof(out->auth_name) || memchr(auth.at, ':', auth.len) != NULL ||
	    dns_named_parse(&name, hash + 1) != OK)
		return ERR_FORMAT;
	memcpy(out->auth_name, auth.at, auth.len);
	if (auth.at[auth.len - 1] == '.')
		out->auth_name[auth.len - 1] = '\0';
	return OK;
}

enum err
dns_upstream_spec_parse(struct dns_upstream_spec *out, const char *text)
{
	char host[ADDR_TEXT_MAX];
	struct addr *addr = &out->stamp.addr;
	uint16_t port = DNS_NAMED_PORT;
	enum err e = OK;

	*out = (struct dns_upstream_spec){ .stamp.kind = DNS_STAMP_PLAIN };
	if (strncmp(text, DNS_STAMP_PREFIX, strlen(DNS_STAMP_PREFIX)) == 0)
		return dns_stamp_parse(&out->stamp, text);
	out->transport = dns_named_scheme(&text);
	if (strstr(text, "://") != NULL) {
		out->transport = DNS_TRANSPORT_UDP;
		return ERR_UNSUPPORTED;
	}
	if (out->transport == DNS_TRANSPORT_TLS) {
		port = DNS_NAMED_TLS_PORT;
		e = split_auth_name(out, host, text);
		text = host;
	}
	if (e == OK)
		e = addr_parse(addr, text, port);
	if (e == OK && (addr_port(addr) == 0 || addr_is_any(addr) || addr_is_multicast(addr)))
		e = ERR_RANGE;
	if (e == OK && out->transport == DNS_TRANSPORT_TLS && !dns_tls_is_built())
		e = ERR_UNSUPPORTED;
	return e;
}

const char *
dns_upstream_check_transport(enum dns_transport transport)
{
	return transport != DNS_TRANSPORT_TLS || dns_tls_is_built() ? NULL
	    : "this hearthd was built without DNS over TLS (configure --with-openssl)";
}

static bool
is_ambiguous(const char *text)
{
	char host[ADDR_TEXT_MAX], meant[ADDR_TEXT_MAX];

	(void)dns_named_scheme(&text);
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(text, "#"), text);
	return addr_is_ambiguous(host, meant);
}

const char *
dns_upstream_check_source(const char *text, const struct addr *source)
{
	struct dns_upstream_spec spec;

	if (dns_upstream_spec_parse(&spec, text) != OK ||
	    spec.stamp.addr.sa.sa_family == source->sa.sa_family)
		return NULL;
	return source->sa.sa_family == AF_INET
	    ? "no IPv6 server can be asked from the IPv4 address source"
	    : "no IPv4 server can be asked from the IPv6 address source";
}

const char *
dns_upstream_check(const char *text)
{
	struct dns_upstream_spec spec;
	enum err e = dns_upstream_spec_parse(&spec, text);

	if (is_ambiguous(text))
		return "an IPv6 address with a port needs brackets: \"[::1]:53\"; where this is one "
		    "without a port, put brackets around all of it";
	if (e == OK || e == ERR_NOTFOUND)	/* its interface may come yet */
		return NULL;
	if (e == ERR_UNSUPPORTED && spec.transport == DNS_TRANSPORT_TLS)
		return dns_upstream_check_transport(spec.transport);
	if (e == ERR_UNSUPPORTED)
		return "plain DNS (udp, tcp), DNS over TLS (tls) and DNSCrypt (sdns) are spoken; "
		    "DNS over HTTPS and QUIC are not";
	if (e == ERR_RANGE)
		return "no server can have this address";
	if (spec.transport == DNS_TRANSPORT_TLS)
		return "a server for TLS is named by its address and the name in its certificate: "
		    "\"tls://9.9.9.9#dns.quad9.net\", or by name: \"tls://dns.quad9.net\"";
	/* As dnsmasq writes them. */
	if (text[0] == '/')
		return "servers for one zone stand in a section of their own: "
		    "route \"corp.example\" { upstream = { \"10.0.0.1\" } }";
	if (strchr(text, '#') != NULL)
		return "a port stands behind a colon: \"9.9.9.9:5353\", \"[2620:fe::fe]:5353\"";
	return "a server is named by its address: \"9.9.9.9\", \"[2620:fe::fe]:53\", "
	    "\"tcp://9.9.9.9\", \"tls://9.9.9.9#dns.quad9.net\", or by a stamp (sdns://)";
}
