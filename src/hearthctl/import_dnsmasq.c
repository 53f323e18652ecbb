/* SPDX-License-Identifier: MIT */
/*
 * The table of dnsmasq's options with what becomes of each. All lines are read first; those that
 * others depend on (the domain of the house) are worked on before the rest.
 */
#include "hearthctl/import_dnsmasq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearthctl/import_dnsmasq_impl.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_resolvconf.h"
#include "util/addr.h"

#define DNS_PORT	 53
#define TFTP_PORT	 "69"
#define CACHE_DEFAULT	 (32u << 20)	/* bytes: hearthd's own */
#define BYTES_PER_ANSWER 640u		/* what an answer in the cache takes, roughly */
#define HOUR_S		 3600
#define DAY_S		 86400
#define WEEK_S		 604800
#define DHCP_LEASES	 "/var/lib/misc/dnsmasq.leases"	/* where Debian's dnsmasq keeps them */

/* --- what the parts share --------------------------------------------------------------------- */

void
import_differs(struct import *im, const char *why)
{
	import_remark(im->conf, IMPORT_DIFFERS, im->where, why);
}

const char *
import_name(struct import *im, char *text)
{
	struct dns_name name;
	char plain[DNS_NAME_TEXT_MAX], out[4 * DNS_NAME_TEXT_MAX];
	size_t n = 0;

	if (dns_name_parse(&name, span_str(import_plain(text))) != OK)
		return NULL;
	if (strchr(text, ' ') != NULL)
		import_differs(im, "A name with a blank in it: hearthd writes it with \\032, as "
		    "zone files do. Few programs can look it up.");
	dns_name_format(dns_name_span(&name), plain);
	for (const char *p = plain; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			out[n++] = *p++;
		else if (strchr("\";()@$", *p) != NULL) {	/* zone files give them a meaning */
			n += (size_t)snprintf(out + n, 5, "\\%03u", (unsigned char)*p);
			continue;
		}
		out[n++] = *p;
	}
	out[n] = '\0';
	return import_keep(im->conf, "%s%s", out, strcmp(out, ".") == 0 ? "" : ".");
}

const char *
import_zone(struct import *im, char *domain, const char **why)
{
	const char *name;
	size_t len;

	*why = IMPORT_BAD_NAME;
	import_plain(domain);
	if (domain[0] == '*' && domain[1] != '.') {
		*why = "A pattern that matches parts of labels has no equal.";
		return NULL;
	}
	if (domain[0] == '*') {
		import_differs(im, "\"*.zone\" leaves the zone's own name out; in hearthd it is "
		    "part of the zone.");
		domain++;
	}
	name = import_name(im, domain[0] == '.' ? domain + 1 : domain);
	if (name == NULL)
		return NULL;
	len = strlen(name);
	return import_keep(im->conf, "%.*s", (int)(len > 1 ? len - 1 : len), name);
}

size_t
import_address(const char *text)
{
	uint8_t bytes[16];

	return addr_parse_bytes(bytes, span_str(text));
}

/* --- listening -------------------------------------------------------------------------------- */

static const char *
port_line(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, UINT16_MAX, &n))
		return "The port is no number of 0 to 65535.";
	im->dns_off = n == 0;
	im->port = n;
	return NULL;
}

static const char *
listen_address(struct import *im, char *value)
{
	char *rest = value, *one;

	while ((one = import_field(&rest, ',')) != NULL) {
		char bare[64];

		import_plain(one);
		snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(one, "%"), one);

		size_t bytes = import_address(bare);

		if (bytes == 0)
			return "The address is none.";
		import_add_once(im->conf, im->dns, "listen",
		    import_keep(im->conf, bytes == 4 ? "%s:%lu" : "[%s]:%lu", one, im->port));
		import_add_once(im->conf, im->tftp, "listen",
		    import_keep(im->conf, bytes == 4 ? "%s:%s" : "[%s]:%s", one, TFTP_PORT));
	}
	return NULL;
}

static const char *
interface_line(struct import *im, char *value)
{
	(void)value;
	im->interfaces = true;
	return "hearthd listens on addresses, not on interfaces: put the interface's addresses "
	       "(and 127.0.0.1) into dns.listen and tftp.listen to serve there only. Without that "
	       "it listens on all of them, and answers DNS of local networks only (dns.allow).";
}

static void
finish_listen(struct import *im)
{
	if (import_count(im->dns, "listen") != 0) {
		if (im->interfaces)
			import_remark(im->conf, IMPORT_DIFFERS, NULL, "dnsmasq listens on the "
			    "interfaces named as well as on the addresses in listen.");
		return;
	}
	if (im->port == DNS_PORT)
		return;
	import_add(im->conf, im->dns, "listen", import_keep(im->conf, "0.0.0.0:%lu", im->port));
	import_add(im->conf, im->dns, "listen", import_keep(im->conf, "[::]:%lu", im->port));
}

/* --- hosts and leases ------------------------------------------------------------------------- */

static const char *
no_hosts(struct import *im, char *value)
{
	(void)value;
	im->no_hosts = true;
	import_add_none(im->conf, im->dns, "hosts");
	return NULL;
}

static const char *
addn_hosts(struct import *im, char *value)
{
	if (!im->no_hosts)
		import_add_once(im->conf, im->dns, "hosts", "/etc/hosts");
	import_add_once(im->conf, im->dns, "hosts", import_plain(value));
	return NULL;
}

static const char *
expand_hosts(struct import *im, char *value)
{
	(void)value;
	im->expand_hosts = true;
	return NULL;
}

static const char *
leasefile(struct import *im, char *value)
{
	import_add_once(im->conf, im->dns, "leases", import_plain(value));
	return NULL;
}

static const char *
dhcp_range(struct import *im, char *value)
{
	(void)value;
	im->dhcp = true;
	return IMPORT_NO_DHCP;
}

static void
finish_names(struct import *im)
{
	if (im->domain != NULL && !im->expand_hosts)
		import_remark(im->conf, IMPORT_DIFFERS, NULL, "There is no expand-hosts: dnsmasq "
		    "adds the domain to leases alone, hearthd to those of hosts files too.");
	if (im->dhcp && import_count(im->dns, "leases") == 0) {
		import_add(im->conf, im->dns, "leases", DHCP_LEASES);
		import_explain(im->conf, im->dns, "leases",
		    "where Debian's dnsmasq keeps them, as there is no dhcp-leasefile");
	}
}

/* --- the cache -------------------------------------------------------------------------------- */

static const char *
cache_size(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, 100000000, &n))
		return "The number is none.";
	if (n == 0) {
		import_add_once(im->conf, im->dns, "no-cache", ".");
		return NULL;
	}

	unsigned long bytes = n * BYTES_PER_ANSWER;

	if (bytes < CACHE_DEFAULT)
		bytes = CACHE_DEFAULT;
	bytes = (bytes + (1u << 20) - 1) >> 20;
	import_set(im->conf, im->dns, "cache-size", import_keep(im->conf, "%luMiB", bytes));
	import_explain(im->conf, im->dns, "cache-size", import_keep(im->conf,
	    "%lu names; hearthd counts bytes instead, and in %lu MiB there is room for some %lu "
	    "answers of all types", n, bytes, (bytes << 20) / BYTES_PER_ANSWER / 1000 * 1000));
	return NULL;
}

/* Set a key to seconds, brought into its range. */
static const char *
set_seconds(struct import *im, const char *key, const char *value, unsigned long min,
    unsigned long max)
{
	unsigned long n;

	if (!import_number(value, INT32_MAX, &n))
		return "The number of seconds is none.";
	if (n < min || n > max)
		import_differs(im, import_keep(im->conf, "hearthd takes %lu to %lu seconds for %s.",
		    min, max, key));
	n = n < min ? min : n > max ? max : n;
	import_set(im->conf, im->dns, key, import_keep(im->conf, "%lus", n));
	return NULL;
}

static const char *
min_cache_ttl(struct import *im, char *value)
{
	return set_seconds(im, "min-ttl", value, 0, HOUR_S);
}

/* Two options become this one key: the smaller holds. */
static const char *
max_cache_ttl(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, INT32_MAX, &n))
		return "The number of seconds is none.";
	if (im->max_ttl != 0 && im->max_ttl <= n)
		return NULL;
	im->max_ttl = n;
	return set_seconds(im, "max-ttl", value, 1, WEEK_S);
}

/* max-ttl is what clients see at most; there, the cache keeps the true one. */
static const char *
max_ttl(struct import *im, char *value)
{
	import_differs(im, "In hearthd max-ttl bounds what the cache keeps, hence what is seen.");
	return max_cache_ttl(im, value);
}

static const char *
local_ttl(struct import *im, char *value)
{
	return set_seconds(im, "local-ttl", value, 1, DAY_S);
}

static const char *
no_negcache(struct import *im, char *value)
{
	(void)value;
	import_set(im->conf, im->dns, "max-negative-ttl", "0s");
	return NULL;
}

static const char *
use_stale_cache(struct import *im, char *value)
{
	unsigned long n;

	import_set_word(im->conf, im->dns, "stale", "true");
	import_differs(im, "dnsmasq answers from an expired entry at once; hearthd asks first, and "
	    "does so only where no answer comes within 1.8 s (RFC 8767).");
	if (*value == '\0')
		return NULL;
	if (import_number(value, INT32_MAX, &n) && n == 0) {
		import_set(im->conf, im->dns, "stale-window", "7d");
		import_differs(im, "hearthd keeps expired entries for 7 days at most.");
		return NULL;
	}
	return set_seconds(im, "stale-window", value, 1, WEEK_S);
}

/* --- upstream --------------------------------------------------------------------------------- */

static const char *
no_resolv(struct import *im, char *value)
{
	(void)value;
	im->no_resolv = true;
	return NULL;
}

static const char *
resolv_file(struct import *im, char *value)
{
	size_t len;
	const char *path = import_keep(im->conf, "%s", import_plain(value));
	char *text = strcmp(path, "/etc/resolv.conf") != 0
	    ? im->files->read(im->files->ctx, path, &len) : NULL;
	struct dns_resolvconf rc;

	if (strcmp(path, "/etc/resolv.conf") == 0)
		return NULL;
	if (text == NULL)
		return "The file cannot be read here: put its servers into upstream. hearthd "
		       "follows /etc/resolv.conf alone.";
	import_differs(im, "The servers that stand in the file now have become upstream: hearthd "
	    "follows /etc/resolv.conf alone.");
	dns_resolvconf_parse(&rc, span_of(text, len));
	free(text);
	for (size_t i = 0; i < rc.count && !im->no_resolv; i++)
		import_add_once(im->conf, im->dns, "upstream", rc.servers[i]);
	return NULL;
}

static const char *
strict_order(struct import *im, char *value)
{
	(void)value;
	if (im->all_servers)
		import_remark(im->conf, IMPORT_ALWAYS, im->where, "With all-servers every server "
		    "is asked at once: their order says nothing.");
	else
		import_set(im->conf, im->dns, "strategy", "order");
	return NULL;
}

static const char *
all_servers(struct import *im, char *value)
{
	(void)value;
	im->all_servers = true;
	import_set(im->conf, im->dns, "strategy", "parallel");
	return NULL;
}

static const char *
proxy_dnssec(struct import *im, char *value)
{
	(void)value;
	import_set_word(im->conf, im->dns, "trust-ad", "true");
	return NULL;
}

static const char *
filter_aaaa(struct import *im, char *value)
{
	(void)value;
	import_set_word(im->conf, im->dns, "filter-aaaa", "true");
	return NULL;
}

static const char *
mx_target(struct import *im, char *value)
{
	im->mx_target = import_keep(im->conf, "%s", import_plain(value));
	return NULL;
}

static const char *
max_tcp_connections(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, 4096, &n) || n == 0)
		return "The number is not 1 to 4096.";
	import_set_word(im->conf, im->dns, "tcp-clients", import_keep(im->conf, "%lu", n));
	return NULL;
}

static const char *
user_line(struct import *im, char *value)
{
	import_set(im->conf, NULL, "user", import_plain(value));
	return NULL;
}

static const char *
log_queries(struct import *im, char *value)
{
	(void)value;
	import_section_want(import_section(im->conf, im->dns, "query-log", NULL));
	import_differs(im, "The lines look otherwise, one for each query. query-log { file = "
	    "\"…\" } writes them to a file, as JSON; privacy keeps clients or names back.");
	return NULL;
}

/* --- the table -------------------------------------------------------------------------------- */

struct option {
	const char *name;
	import_handler *run;	/* NULL: kind and why say it all */
	enum import_remark kind;
	const char *why;
	bool early;		/* others depend on it */
};

#define LOST(words)   NULL, IMPORT_LOST, (words), false
#define ALWAYS(words) NULL, IMPORT_ALWAYS, (words), false
#define RUN(fn)	      (fn), IMPORT_LOST, NULL, false
#define EARLY(fn)     (fn), IMPORT_LOST, NULL, true

#define WHY_PRIVATE   "Private reverse zones and the other special-use names are answered here."
#define WHY_AUTH      "hearthd is not authoritative for zones towards the Internet."
#define WHY_IFNAME    "Names for whatever address an interface has are not known: write a record."
#define WHY_TAGS      "hearthd does not tell upstream servers who asks."
#define WHY_DNSSEC    "hearthd does not validate DNSSEC: it hands signatures on to those who do."
#define WHY_LISTEN    "hearthd binds the addresses in listen."
#define WHY_PORTS     "hearthd asks from a random port each time, of those the kernel gives out."
#define WHY_BUS       "hearthd is asked and told over its control socket (hearthctl)."
#define WHY_REBIND    "Answers of the Internet that lead to private addresses are refused."
#define WHY_FILTER    "Answers are not rewritten by type or address."

static const struct option options[] = {
	{ "port", EARLY(port_line) },
	{ "domain", EARLY(import_domain) },
	{ "mx-target", EARLY(mx_target) },
	{ "no-hosts", EARLY(no_hosts) },
	{ "no-resolv", EARLY(no_resolv) },
	{ "resolv-file", RUN(resolv_file) },
	{ "server", RUN(import_server_line) },
	{ "local", RUN(import_local_line) },
	{ "rev-server", RUN(import_rev_server) },
	{ "address", RUN(import_address_line) },
	{ "listen-address", RUN(listen_address) },
	{ "interface", RUN(interface_line) },
	{ "except-interface", RUN(interface_line) },
	{ "addn-hosts", RUN(addn_hosts) },
	{ "hostsdir", RUN(addn_hosts) },
	{ "expand-hosts", RUN(expand_hosts) },
	{ "dhcp-leasefile", RUN(leasefile) },
	{ "dhcp-range", RUN(dhcp_range) },
	{ "dhcp-host", RUN(import_dhcp_host) },
	{ "cache-size", RUN(cache_size) },
	{ "min-cache-ttl", RUN(min_cache_ttl) },
	{ "max-cache-ttl", RUN(max_cache_ttl) },
	{ "max-ttl", RUN(max_ttl) },
	{ "local-ttl", RUN(local_ttl) },
	{ "no-negcache", RUN(no_negcache) },
	{ "use-stale-cache", RUN(use_stale_cache) },
	{ "strict-order", RUN(strict_order) },
	{ "all-servers", EARLY(all_servers) },
	{ "proxy-dnssec", RUN(proxy_dnssec) },
	{ "max-tcp-connections", RUN(max_tcp_connections) },
	{ "user", RUN(user_line) },
	{ "log-queries", RUN(log_queries) },
	{ "host-record", RUN(import_host_record) },
	{ "cname", RUN(import_cname) },
	{ "mx-host", RUN(import_mx_host) },
	{ "txt-record", RUN(import_txt_record) },
	{ "srv-host", RUN(import_srv_host) },
	{ "ptr-record", RUN(import_ptr_record) },
	{ "naptr-record", RUN(import_naptr_record) },
	{ "caa-record", RUN(import_caa_record) },
	{ "dns-rr", RUN(import_dns_rr) },
	{ "enable-tftp", RUN(import_enable_tftp) },
	{ "tftp-root", RUN(import_tftp_root) },
	{ "tftp-unique-root", RUN(import_tftp_unique_root) },
	{ "tftp-max", RUN(import_tftp_max) },
	{ "tftp-mtu", RUN(import_tftp_mtu) },
	{ "tftp-no-blocksize", EARLY(import_tftp_no_blocksize) },
	{ "tftp-single-port", EARLY(import_tftp_single_port) },
	{ "tftp-port-range", RUN(import_tftp_port_range) },

	{ "bogus-priv", ALWAYS(WHY_PRIVATE) },
	{ "domain-needed", ALWAYS("Plain names (without a dot) are not forwarded.") },
	{ "localise-queries", ALWAYS("Addresses of the asker's own network come first.") },
	{ "local-service", ALWAYS("Only local networks are answered (allow).") },
	{ "bind-interfaces", ALWAYS(WHY_LISTEN) },
	{ "bind-dynamic", ALWAYS(WHY_LISTEN) },
	{ "no-poll", LOST("hearthd follows /etc/resolv.conf and hosts files as they change.") },
	{ "clear-on-reload", LOST("Other servers in resolv.conf do not empty the cache; hearthctl "
		"dns flush --all does.") },
	{ "dns-loop-detect", ALWAYS("Loops are noticed without probes.") },
	{ "fast-dns-retry", ALWAYS("hearthd asks again by itself, the next server too.") },
	{ "cache-rr", ALWAYS("Answers of every type are cached.") },
	{ "dns-forward-max", ALWAYS("4096 questions may wait; the oldest yields to the next.") },
	{ "edns-packet-max", ALWAYS("Answers above 1232 bytes come over TCP.") },
	{ "strip-subnet", ALWAYS(WHY_TAGS) },
	{ "strip-mac", ALWAYS(WHY_TAGS) },
	{ "no-ident", ALWAYS("There are no CHAOS names.") },
	{ "keep-in-foreground", ALWAYS("hearthd -f stays in the foreground.") },
	{ "no-daemon", ALWAYS("hearthd -f stays in the foreground.") },
	{ "pid-file", ALWAYS("hearthctl status tells the process number.") },
	{ "log-async", ALWAYS("The log never makes an answer wait.") },
	{ "tftp-lowercase", ALWAYS("TFTP: a name in another letter case is found anyway.") },
	{ "quiet-tftp", LOST("log { level = \"notice\" } leaves out the line per transfer.") },
	{ "query-port", LOST(WHY_PORTS) },
	{ "port-limit", LOST(WHY_PORTS) },
	{ "min-port", LOST(WHY_PORTS) },
	{ "max-port", LOST(WHY_PORTS) },

	{ "neg-ttl", LOST("Negative answers without a SOA record are kept for 5 s.") },
	{ "no-round-robin", LOST("The order of records is the upstream's.") },
	{ "log-facility", LOST("hearthd logs to stderr, the journal or syslog.") },
	{ "log-debug", LOST("log { level = \"debug\" } logs every packet.") },
	{ "group", LOST("hearthd takes the group of its user.") },
	{ "stop-dns-rebind", ALWAYS(WHY_REBIND) },
	{ "rebind-domain-ok", RUN(import_rebind_domain_ok) },
	{ "rebind-localhost-ok", LOST("Answers with 127.0.0.0/8 are refused, too; rebind-allow "
	    "names exceptions.") },
	{ "filterwin2k", LOST("Questions of Windows (SOA, SRV) are forwarded as all others are; "
		"their answers are cached.") },
	{ "filter-A", LOST(WHY_FILTER) },
	{ "filter-AAAA", RUN(filter_aaaa) },
	{ "filter-rr", LOST(WHY_FILTER) },
	{ "bogus-nxdomain", LOST(WHY_FILTER) },
	{ "ignore-address", LOST(WHY_FILTER) },
	{ "alias", LOST(WHY_FILTER) },
	{ "interface-name", LOST(WHY_IFNAME) },
	{ "dynamic-host", LOST(WHY_IFNAME) },
	{ "synth-domain", LOST("Names made of addresses are not known.") },
	{ "selfmx", LOST("MX records for every host are not made up.") },
	{ "localmx", LOST("MX records for every host are not made up.") },
	{ "ipset", RUN(import_ipset) },
	{ "nftset", RUN(import_nftset) },
	{ "conntrack", LOST("Connection marks are not looked at.") },
	{ "connmark-allowlist", LOST("Connection marks are not looked at.") },
	{ "connmark-allowlist-enable", LOST("Connection marks are not looked at.") },
	{ "add-mac", LOST(WHY_TAGS) },
	{ "add-subnet", LOST(WHY_TAGS) },
	{ "add-cpe-id", LOST(WHY_TAGS) },
	{ "umbrella", LOST(WHY_TAGS) },
	{ "dnssec", LOST(WHY_DNSSEC) },
	{ "trust-anchor", LOST(WHY_DNSSEC) },
	{ "auth-server", LOST(WHY_AUTH) },
	{ "auth-zone", LOST(WHY_AUTH) },
	{ "auth-ttl", LOST(WHY_AUTH) },
	{ "auth-soa", LOST(WHY_AUTH) },
	{ "auth-sec-servers", LOST(WHY_AUTH) },
	{ "auth-peer", LOST(WHY_AUTH) },
	{ "enable-dbus", LOST(WHY_BUS) },
	{ "enable-ubus", LOST(WHY_BUS) },
	{ "dumpfile", LOST("Packets are not recorded: tcpdump does that.") },
	{ "dumpmask", LOST("Packets are not recorded: tcpdump does that.") },
	{ "conf-script", LOST("The script was not run: import what it prints.") },
	{ "tftp-secure", LOST("TFTP: all files that hearthd's user may read are served.") },
	{ "tftp-no-fail", LOST("TFTP: hearthd does not start without the root folder.") },
};

/* Options of the DHCP, PXE and router advertisement parts that do not begin with dhcp. */
static bool
is_dhcp(const char *name)
{
	static const char *const others[] = { "bootp-dynamic", "bridge-interface", "enable-ra",
		"leasefile-ro", "log-dhcp", "no-dhcp-interface", "no-dhcpv4-interface",
		"no-dhcpv6-interface", "no-ping", "pxe-prompt", "pxe-service", "quiet-dhcp",
		"quiet-dhcp6", "quiet-ra", "ra-param", "read-ethers", "script-arp",
		"script-on-renewal", "shared-network", "tag-if" };

	if (strncmp(name, "dhcp-", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

static const struct option *
find_option(const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void
take(struct import *im, const struct import_said *said)
{
	const struct option *o = find_option(said->option);
	const char *why = NULL;

	im->where = said->where;
	if (o != NULL && o->run != NULL)
		why = o->run(im, said->value);
	else if (o != NULL)
		import_remark(im->conf, o->kind, said->where, o->why);
	else if (is_dhcp(said->option))
		why = IMPORT_NO_DHCP;
	else if (strncmp(said->option, "dnssec-", 7) == 0)
		why = WHY_DNSSEC;
	else
		why = "The importer does not know this option.";
	if (why != NULL)
		import_remark(im->conf, IMPORT_LOST, said->where, why);
}

static bool
is_early(const struct import_said *said)
{
	const struct option *o = find_option(said->option);

	return o != NULL && o->early;
}

static bool
is_said(const struct import_all *all, const char *option)
{
	const struct import_said *said;

	STAILQ_FOREACH(said, all, link)
		if (strcmp(said->option, option) == 0)
			return true;
	return false;
}

/* What dnsmasq does unless told otherwise, and hearthd does not. */
static void
tell_defaults(struct import *im, const struct import_all *all)
{
	if (!is_said(all, "domain-needed"))
		import_remark(im->conf, IMPORT_DEFAULT, NULL,
		    "Plain names (without a dot) that are not known here are not forwarded; "
		    "forward-plain = true does.");
	if (!is_said(all, "bogus-priv"))
		import_remark(im->conf, IMPORT_DEFAULT, NULL, "Names of private addresses that are "
		    "not known here are not asked for upstream; forward-special = true does, or a "
		    "route for the network.");
	if (!is_said(all, "local-service") && !im->interfaces)
		import_remark(im->conf, IMPORT_DEFAULT, NULL, "Only local networks are answered; "
		    "allow names others.");
	if (!is_said(all, "stop-dns-rebind"))
		import_remark(im->conf, IMPORT_DEFAULT, NULL, WHY_REBIND " rebind-allow names "
		    "exceptions, rebind-protection = false switches it off.");
	if (!is_said(all, "use-stale-cache"))
		import_remark(im->conf, IMPORT_DEFAULT, NULL, "Where no upstream answers within "
		    "1.8 s, an expired answer is given; stale = false forbids that.");
}

static void
finish(struct import *im, const struct import_all *all)
{
	bool tftp = import_section_is_wanted(im->tftp);

	im->rebinding_is_fine = !is_said(all, "stop-dns-rebind");
	import_servers_finish(im);
	finish_listen(im);
	finish_names(im);
	if (tftp)
		import_tftp_finish(im);
	else
		import_section_drop(im->tftp);
	if (!im->dns_off) {
		import_section_want(im->dns);
		tell_defaults(im, all);
		return;
	}
	import_section_drop(im->dns);
	import_remark(im->conf, IMPORT_DIFFERS, NULL, tftp
		? "port=0: dnsmasq answers no names, so there is no section dns."
		: "port=0: dnsmasq answers no names, and serves no TFTP either. There is nothing "
		  "for hearthd to do; with these settings it would answer DNS as by default.");
}

static enum err
translate(struct import *im, struct import_all *all, char **out)
{
	struct import_said *said;

	static const char *const first[] = { "listen", "upstream", "strategy", "interface",
		"source", "cache-size", "domain", "local", "hosts", "leases" };

	im->dns = import_section(im->conf, NULL, "dns", NULL);
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		import_reserve(im->conf, im->dns, first[i]);
	im->tftp = import_section(im->conf, NULL, "tftp", NULL);
	import_reserve(im->conf, im->tftp, "listen");
	import_reserve(im->conf, im->tftp, "root");
	STAILQ_FOREACH(said, all, link)
		if (is_early(said))
			take(im, said);
	STAILQ_FOREACH(said, all, link)
		if (!is_early(said))
			take(im, said);
	finish(im, all);
	return import_conf_print(im->conf, "hearthd.conf, made of a dnsmasq.conf. What could not "
	    "be carried over, and what is different, stands at the end.", out);
}

enum err
import_dnsmasq(const struct import_files *files, char *const *paths, size_t count, char **out,
    struct import_counts *counts, size_t *bad)
{
	struct import im = { .files = files, .port = DNS_PORT,
		.servers = STAILQ_HEAD_INITIALIZER(im.servers) };
	struct import_all all = STAILQ_HEAD_INITIALIZER(all);
	struct import_said *said;
	enum err e = import_conf_new(&im.conf);

	if (e != OK)
		return e;
	*counts = (struct import_counts){ .lines = 0 };
	e = import_read_all(im.conf, files, paths, count, &all, counts, bad);
	if (e == OK)
		e = translate(&im, &all, out);
	counts->lost = import_remarked_lines(im.conf, IMPORT_LOST);
	counts->differing = import_remarked_lines(im.conf, IMPORT_DIFFERS);
	STAILQ_FOREACH(said, &all, link)
		counts->known += find_option(said->option) != NULL || is_dhcp(said->option);
	import_conf_free(im.conf);
	return e;
}
