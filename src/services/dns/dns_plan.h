/* SPDX-License-Identifier: MIT */
/*
 * What the settings say about local names: which files to read, and records, addresses and zones
 * ready to be put into a set. Made at start and reload, read by a pool thread, never changed.
 */
#ifndef SERVICES_DNS_PLAN_H
#define SERVICES_DNS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "services/dns/dns_local.h"
#include "util/err.h"
#include "util/span.h"

/* What is wrong with one value, or NULL: for the table of keys. Static text. */
const char *dns_plan_check_record(const char *value);	/* "nas.home.arpa. 60 IN A 192.168.1.5" */
/* The same for the i-th `record`, beside the others. */
const char *dns_plan_check_alone(const struct conf *cf, size_t i);
const char *dns_plan_check_address(const char *value);	/* "/apps.home.arpa/192.168.1.7" */
const char *dns_plan_check_zone(const char *value);	/* "home.arpa" */
const char *dns_plan_check_domain(const char *value);	/* the same, or nothing */

/* The keys of this part of the service, to stand in its table. */
#define DNS_PLAN_KEYS                                                                              \
	{ .name = "hosts", .type = CONF_STRING, .flags = CONF_LIST | CONF_FILE,                    \
	    .value = "/etc/hosts",                                                                 \
	    .help = "hosts files, and directories of them; followed while they change" },          \
	{ .name = "leases", .type = CONF_STRING, .flags = CONF_LIST | CONF_FILE,                   \
	    .help = "lease files of DHCP servers (dnsmasq, Kea, ISC dhcpd, odhcpd, networkd), and "\
		    "directories of them; followed while they change" },                           \
	{ .name = "record", .type = CONF_STRING, .flags = CONF_LIST,                               \
	    .check = dns_plan_check_record, .check_with = dns_plan_check_alone,                    \
	    .help = "records as in zone files, but with whole names, the last dot of which may "   \
		    "be left out: \"nas.home.arpa 60 IN A 192.168.1.5\"" },                        \
	{ .name = "address", .type = CONF_STRING, .flags = CONF_LIST,                              \
	    .check = dns_plan_check_address,                                                       \
	    .help = "an address for a name and all below it: \"/apps.home.arpa/192.168.1.7\"; "    \
		    "\"/name/\": no such names; \"/name/#\": 0.0.0.0 and ::" },                    \
	{ .name = "local", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_plan_check_zone,  \
	    .help = "zones whose names are known here alone and never asked for elsewhere" },      \
	{ .name = "domain", .type = CONF_STRING, .flags = CONF_EMPTY, .value = "home.arpa",        \
	    .check = dns_plan_check_domain,                                                        \
	    .help = "what plain names of hosts and lease files get behind them; \"\": nothing" },  \
	{ .name = "local-ttl", .type = CONF_DURATION, .value = "60s", .min = 1000000,              \
	    .max = INT64_C(86400000000), .help = "how long clients may keep local answers" },      \
	{ .name = "local-negative-ttl", .type = CONF_DURATION, .value = "30s", .min = 1000000,     \
	    .max = INT64_C(3600000000),                                                            \
	    .help = "and how long that there is no such local name or record" },                   \
	{ .name = "forward-plain", .type = CONF_BOOL, .value = "false",                            \
	    .help = "ask the upstreams for names without a dot that are not known here" },         \
	{ .name = "forward-special", .type = CONF_BOOL, .value = "false",                          \
	    .help = "ask the upstreams for special-use names and private networks, too" },         \
	{ .name = "localise", .type = CONF_BOOL, .value = "true",                                  \
	    .help = "of several addresses tell only those in the asker's network, if any" },       \
	{ .name = "firefox-canary", .type = CONF_BOOL, .value = "true",                            \
	    .help = "tell Firefox to leave DNS to this server (use-application-dns.net)" },        \
	{ .name = "icloud-canary", .type = CONF_BOOL, .value = "false",                            \
	    .help = "tell Apple's devices to do without iCloud Private Relay (mask.icloud.com)" }

struct dns_plan;

/* Read a section that has DNS_PLAN_KEYS. Errors: ERR_NOMEM; its values were checked before. */
enum err dns_plan_new(struct dns_plan **out, const struct conf *cf) MUST_CHECK;
/*
 * A zone with upstreams of its own: it is forwarded even where it is special-use or private. where
 * is what conf_where() says of it. Before the plan is used. Errors: ERR_NOMEM.
 */
enum err dns_plan_forward(struct dns_plan *p, struct span zone, const char *where) MUST_CHECK;

/* A plan is shared: each keeper takes it and drops it, in the loop's thread. */
struct dns_plan *dns_plan_take(struct dns_plan *p);
void dns_plan_drop(struct dns_plan *p);		/* NULL is fine */

/* Files and directories to read. */
size_t dns_plan_hosts(const struct dns_plan *p, const char *const **paths);
size_t dns_plan_leases(const struct dns_plan *p, const char *const **paths);

/* Make a set with all that the settings themselves say; files come next. Errors: ERR_NOMEM. */
enum err dns_plan_begin(const struct dns_plan *p, struct dns_local **out,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;

#endif
