/* SPDX-License-Identifier: MIT */
/* Where names go: servers, local zones, fixed addresses for zones, the domain of the house. */
#include "hearthctl/import_dnsmasq_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/addrset.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_named.h"
#include "services/dns/dns_rebind.h"
#include "util/addr.h"

#define ROUTES_MAX	32	/* zones that one rev-server may become */
#define ZERO_MAX	512	/* names answered with nothing; more are a list, not settings */

/* --- servers ---------------------------------------------------------------------------------- */

/* "SERVER[#PORT]", an address or a name, as hearthd writes it; NULL and *why where it is none. */
static const char *
server_text(struct import *im, char *text, bool *named, const char **why)
{
	struct dns_named name;
	char *rest = text;
	const char *host = import_plain(import_field(&rest, '#'));
	const char *port = rest != NULL ? import_plain(rest) : "53";
	char bare[64], meant[ADDR_TEXT_MAX];
	unsigned long n;

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(host, "%"), host);

	size_t bytes = import_address(bare);

	*named = bytes == 0 && dns_named_parse(&name, host) == OK;
	if ((bytes == 0 && !*named) || !import_number(port, UINT16_MAX, &n)) {
		*why = "The server is neither an address nor a name.";
		return NULL;
	}
	if (n == 0) {
		*why = "No server can be asked at port 0.";
		return NULL;
	}
	if (n == 53)
		return import_keep(im->conf, addr_is_ambiguous(host, meant) ? "[%s]" : "%s", host);
	return import_keep(im->conf, bytes == 16 ? "[%s]:%lu" : "%s:%lu", host, n);
}

/* One server for one zone. addr is "ADDRESS[#PORT][@INTERFACE][@SOURCE[#PORT]]" or "#". */
static const char *
add_server(struct import *im, const char *zone, char *addr)
{
	struct import_server *sv = import_keep_bytes(im->conf, sizeof(*sv));
	const char *why = NULL;
	char *rest = addr, *at;

	if (sv == NULL)
		return NULL;
	sv->zone = zone;
	sv->where = im->where;
	at = import_field(&rest, '@');
	if (strcmp(at, "#") != 0) {
		sv->server = server_text(im, at, &sv->named, &why);
		if (sv->server == NULL)
			return why;
	}
	while ((at = import_field(&rest, '@')) != NULL) {
		char *from = at;
		const char *host = import_plain(import_field(&from, '#'));

		if (import_address(host) == 0) {
			sv->interface = import_keep(im->conf, "%s", host);
			continue;
		}
		sv->source = import_keep(im->conf, "%s", host);
		if (from != NULL)
			import_differs(im, "hearthd does not fix the port that it asks from: each "
			    "question gets a random one.");
	}
	STAILQ_INSERT_TAIL(&im->servers, sv, link);
	return NULL;
}

/* What to do for one domain of "/domain/domain/REST". */
typedef const char *domain_fn(struct import *im, char *domain, const char *rest);

/* Call fn for each domain of a value that begins with a slash; the last reason is given. */
static const char *
each_domain(struct import *im, char *value, domain_fn *fn)
{
	char *last = strrchr(value, '/');
	const char *why = NULL;
	char *domains = value + 1;

	if (last == value)
		return "A closing slash is missing.";
	*last = '\0';
	while (domains != NULL) {
		char *domain = import_field(&domains, '/');
		const char *bad = fn(im, domain, last + 1);

		if (bad != NULL)
			why = bad;
	}
	return why;
}

static const char *
local_zone(struct import *im, char *domain)
{
	const char *why;
	const char *zone = import_zone(im, domain, &why);

	if (zone == NULL)
		return why;
	import_add_once(im->conf, im->dns, "local", zone);
	return NULL;
}

static const char *
server_of_domain(struct import *im, char *domain, const char *addr)
{
	const char *why;

	if (*addr == '\0' && *domain == '\0') {
		import_differs(im, "hearthd does not forward plain names (without a dot) anyway.");
		return NULL;
	}
	if (*addr == '\0')
		return local_zone(im, domain);
	if (*domain == '\0')
		return "hearthd has no servers for plain names (without a dot): it does not "
		       "forward them.";

	const char *zone = import_zone(im, domain, &why);
	char copy[IMPORT_LINE_MAX];

	if (zone == NULL)
		return why;
	snprintf(copy, sizeof(copy), "%s", addr);
	return add_server(im, zone, copy);
}

const char *
import_server_line(struct import *im, char *value)
{
	if (*value == '/')
		return each_domain(im, value, server_of_domain);
	return *value == '\0' ? NULL : add_server(im, NULL, value);
}

/* local= and server= are one option with two names. */
const char *
import_local_line(struct import *im, char *value)
{
	return import_server_line(im, value);
}

static const char *
rebind_zone(struct import *im, char *domain, const char *rest)
{
	const char *why;
	const char *zone = import_zone(im, domain, &why);

	(void)rest;
	if (zone == NULL)
		return why;
	import_add_once(im->conf, im->dns, "rebind-allow", zone);
	return NULL;
}

const char *
import_rebind_domain_ok(struct import *im, char *value)
{
	return *value == '/' ? each_domain(im, value, rebind_zone) : rebind_zone(im, value, NULL);
}

/* The bits of a prefix that lie on the next border between labels. */
static unsigned
label_bits(const struct prefix *p)
{
	unsigned per_label = p->family == AF_INET ? 8 : 4;

	return (p->bits + per_label - 1) / per_label * per_label;
}

/* The i-th of the prefixes of `bits` bits that p consists of. */
static struct prefix
part_of(const struct prefix *p, unsigned bits, unsigned i)
{
	struct prefix part = *p;
	unsigned byte = (bits - 1) / 8, shift = 7 - (bits - 1) % 8;

	part.bits = (uint8_t)bits;
	if (bits != 0)
		part.bytes[byte] = (uint8_t)(part.bytes[byte] | i << shift);
	return part;
}

const char *
import_rev_server(struct import *im, char *value)
{
	char *rest = value;
	const char *net = import_plain(import_field(&rest, ','));
	struct prefix whole;

	if (prefix_parse(&whole, net) != OK || whole.bits == 0)
		return "The network is not one.";

	unsigned bits = label_bits(&whole), count = 1u << (bits - whole.bits);

	if (count > ROUTES_MAX)
		return "The network would need too many zones: write it with its prefix on a "
		       "border of 8 bits (IPv6: 4).";
	if (count > 1)
		import_differs(im, "Networks whose prefix is not on a border of 8 bits (IPv6: 4) "
		    "have become several zones.");
	for (unsigned i = 0; i < count; i++) {
		struct prefix part = part_of(&whole, bits, i);
		char text[ADDR_TEXT_MAX], copy[IMPORT_LINE_MAX];
		const char *zone = import_keep(im->conf, "%s", prefix_format(&part, text));
		const char *why = NULL;

		if (rest == NULL) {
			import_add_once(im->conf, im->dns, "local", zone);
			continue;
		}
		snprintf(copy, sizeof(copy), "%s", rest);
		why = add_server(im, zone, copy);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Write one server to its section; the first one there decides on interface and source. */
static void
put_server(struct import *im, const struct import_server *sv)
{
	struct import_conf *c = im->conf;
	struct import_section *s = sv->zone != NULL ? import_section(c, im->dns, "route", sv->zone)
						    : im->dns;
	const char *interface = import_count(s, "interface") != 0
	    ? import_value(s, "interface", 0) : NULL;
	const char *source = import_count(s, "source") != 0 ? import_value(s, "source", 0) : NULL;

	if (import_count(s, "upstream") == 0) {
		if (sv->interface != NULL)
			import_set(c, s, "interface", sv->interface);
		if (sv->source != NULL)
			import_set(c, s, "source", sv->source);
	} else if (!same_text(interface, sv->interface) || !same_text(source, sv->source)) {
		import_remark(c, IMPORT_LOST, sv->where, "hearthd reaches all servers of one route "
		    "over one interface and from one address, and another one came first.");
		return;
	}
	import_add_once(c, s, "upstream", sv->server);
}

/* A zone that goes to the servers of every name, below one that does not. */
static void
put_standard(struct import *im, const struct import_server *sv)
{
	struct import_section *s = import_section(im->conf, im->dns, "route", sv->zone);

	if (import_count(im->dns, "upstream") == 0) {
		import_section_drop(s);
		import_remark(im->conf, IMPORT_LOST, sv->where, "The usual servers stand in a "
		    "resolv.conf: name them in a route of this zone.");
		return;
	}
	for (size_t i = 0; i < import_count(im->dns, "upstream"); i++)
		import_add_once(im->conf, s, "upstream", import_value(im->dns, "upstream", i));
}

/*
 * Where servers by name are looked up: at those for every name that have an address. dnsmasq asks
 * the machine's resolver, once. False: there are none.
 */
static bool
put_bootstrap(struct import *im)
{
	const struct import_server *sv;

	STAILQ_FOREACH(sv, &im->servers, link)
		if (sv->zone == NULL && sv->server != NULL && !sv->named)
			import_add_once(im->conf, im->dns, "bootstrap", sv->server);
	return import_count(im->dns, "bootstrap") != 0;
}

/* A server by name cannot do without one that has an address. */
static void
put_named_server(struct import *im, const struct import_server *sv)
{
	if (put_bootstrap(im))
		put_server(im, sv);
	else
		import_remark(im->conf, IMPORT_LOST, sv->where, "hearthd looks up the name of a "
		    "server at those in bootstrap, and no server here has an address: name one.");
}

/* The server stands in the house, as its address tells. */
static bool
is_in_the_house(const struct import_server *sv)
{
	const uint8_t *bytes;
	struct addr a;

	if (sv->server == NULL || addr_parse(&a, sv->server, 53) != OK)
		return false;

	size_t len = addr_bytes(&a, &bytes);

	return dns_rebind_is_inside(span_of(bytes, len));
}

/*
 * What a router says of the names of the house leads into the house. dnsmasq minds that only where
 * it is told to.
 */
static void
exempt_house(struct import *im)
{
	const struct import_server *sv;
	struct dns_name zone;
	bool any = false;

	STAILQ_FOREACH(sv, &im->servers, link) {
		if (sv->zone == NULL || strchr(sv->zone, '/') != NULL || !is_in_the_house(sv) ||
		    dns_name_parse(&zone, span_str(sv->zone)) != OK ||
		    dns_rebind_is_house_name(dns_name_span(&zone)))
			continue;
		import_add_once(im->conf, im->dns, "rebind-allow", sv->zone);
		any = true;
	}
	if (any)
		import_explain(im->conf, im->dns, "rebind-allow", "zones of servers in the house, "
		    "whose names may lead into it, as there is no stop-dns-rebind");
}

void
import_servers_finish(struct import *im)
{
	const struct import_server *sv;

	STAILQ_FOREACH(sv, &im->servers, link) {
		if (sv->named)
			put_named_server(im, sv);
		else if (sv->server != NULL)
			put_server(im, sv);
	}
	STAILQ_FOREACH(sv, &im->servers, link)
		if (sv->server == NULL && sv->zone != NULL)
			put_standard(im, sv);
	if (im->rebinding_is_fine)
		exempt_house(im);
	if (import_count(im->dns, "upstream") != 0 && !im->no_resolv)
		import_remark(im->conf, IMPORT_DIFFERS, NULL, "dnsmasq asks the servers of "
		    "/etc/resolv.conf as well, as there is no no-resolv; hearthd asks those in "
		    "upstream alone.");
	if (import_count(im->dns, "upstream") == 0 && im->no_resolv)
		import_remark(im->conf, IMPORT_DIFFERS, NULL, "dnsmasq has no server for names "
		    "without a zone of their own; hearthd takes those of /etc/resolv.conf.");
}

/* --- fixed addresses -------------------------------------------------------------------------- */

/* An address that leads nowhere: none, "#" for both families, or all zero. */
static bool
is_nothing(const char *addr)
{
	return *addr == '\0' || strcmp(addr, "#") == 0 || strcmp(addr, "0.0.0.0") == 0 ||
	    strcmp(addr, "::") == 0;
}

static const char *
address_of_domain(struct import *im, char *domain, const char *addr)
{
	const char *why, *zone;
	char plain[IMPORT_LINE_MAX];

	snprintf(plain, sizeof(plain), "%s", addr);
	import_plain(plain);
	if (*plain != '\0' && strcmp(plain, "#") != 0 && import_address(plain) == 0)
		return "The address is none.";
	if (*domain == '\0')
		return "hearthd has no address for all plain names (without a dot).";
	zone = strcmp(domain, "#") == 0 ? "." : import_zone(im, domain, &why);
	if (zone == NULL)
		return why;
	if (is_nothing(plain) && im->zero_addresses++ >= ZERO_MAX)
		return "Many names that get no real address are a list, not settings: put the "
		       "names into a file, one a line, and write block \"ads\" "
		       "{ file = \"…\" }.";
	import_add(im->conf, im->dns, "address", import_keep(im->conf, "/%s/%s", zone, plain));
	return NULL;
}

const char *
import_address_line(struct import *im, char *value)
{
	if (*value != '/')
		return "A slash is missing.";
	return each_domain(im, value, address_of_domain);
}

/* --- the domain of the house ------------------------------------------------------------------ */

const char *
import_domain(struct import *im, char *value)
{
	char *rest = value;
	char *name = import_field(&rest, ',');
	const char *range = import_field(&rest, ',');
	const char *why;

	if (strcmp(name, "#") == 0)
		return "Write the domain itself: hearthd does not take it from resolv.conf.";

	const char *zone = import_zone(im, name, &why);

	if (zone == NULL)
		return why;
	if (range != NULL && im->domain != NULL)
		return "hearthd has one domain for the whole house, not one for each network.";
	if (range != NULL)
		import_differs(im, "The domain is that of the whole house, not of one network.");
	if (rest != NULL && strcmp(rest, "local") == 0)
		import_add_once(im->conf, im->dns, "local", zone);
	im->domain = zone;
	import_set(im->conf, im->dns, "domain", zone);
	return NULL;
}

/* --- sets of nftables and ipset --------------------------------------------------------------- */

/* "[4#|6#][FAMILY#]TABLE#SET" as hearthd names it; NULL where it is none. */
static const char *
nftset_title(struct import *im, char *text)
{
	char *rest = text, *parts[4];
	size_t count = 0, first = 0;

	while (rest != NULL && count < 4)
		parts[count++] = import_plain(import_field(&rest, '#'));
	/* The size of an address is told by the set itself. */
	if (count > 2 && (strcmp(parts[0], "4") == 0 || strcmp(parts[0], "6") == 0))
		first = 1;
	if (rest != NULL || count - first < 2 || count - first > 3)
		return NULL;
	if (count - first == 2)
		return import_keep(im->conf, "ip %s %s", parts[first], parts[first + 1]);
	return import_keep(im->conf, "%s %s %s", parts[first], parts[first + 1], parts[first + 2]);
}

static const char *
ipset_title(struct import *im, char *text)
{
	return import_keep(im->conf, "%s", import_plain(text));
}

/* How a kind of sets is carried over. */
struct set_kind {
	enum addrset_kind kind;
	const char *key;
	const char *(*title)(struct import *im, char *text);
	const char *misnamed;
};

static const char *
sets_of_domain(struct import *im, char *domain, const char *sets, const struct set_kind *k)
{
	char copy[IMPORT_LINE_MAX], *rest = copy;
	const char *why;
	const char *zone = strcmp(domain, "#") == 0 ? "." : import_zone(im, domain, &why);

	if (zone == NULL)
		return why;
	snprintf(copy, sizeof(copy), "%s", sets);
	while (rest != NULL) {
		const char *title = k->title(im, import_field(&rest, ','));
		struct addrset_id id;

		if (title == NULL || addrset_id_parse(&id, k->kind, title) != OK)
			return k->misnamed;

		struct import_section *s = import_section(im->conf, im->dns, k->key, title);

		import_add_once(im->conf, s, "domains", zone);
		/* dnsmasq leaves it to the set how long an address stays. */
		import_set(im->conf, s, "timeout", "set");
	}
	return NULL;
}

static const char *
nftset_of_domain(struct import *im, char *domain, const char *sets)
{
	static const struct set_kind k = { ADDRSET_NFT, "nftset", nftset_title,
		"A set is named as FAMILY#TABLE#SET." };

	return sets_of_domain(im, domain, sets, &k);
}

static const char *
ipset_of_domain(struct import *im, char *domain, const char *sets)
{
	static const struct set_kind k = { ADDRSET_IPSET, "ipset", ipset_title,
		"A set is named by a word of at most 31 characters." };

	return sets_of_domain(im, domain, sets, &k);
}

const char *
import_nftset(struct import *im, char *value)
{
	if (!addrset_is_built(ADDRSET_NFT))
		return "This hearth was built without sets of nftables.";
	if (*value != '/')
		return "A slash is missing.";
	return each_domain(im, value, nftset_of_domain);
}

const char *
import_ipset(struct import *im, char *value)
{
	if (!addrset_is_built(ADDRSET_IPSET))
		return "This hearth was built without sets of ipset.";
	if (*value != '/')
		return "A slash is missing.";
	return each_domain(im, value, ipset_of_domain);
}
