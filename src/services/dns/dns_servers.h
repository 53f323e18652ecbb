/* SPDX-License-Identifier: MIT */
/*
 * Which upstream servers are asked: those the settings name, for everything and for zones, or those
 * of /etc/resolv.conf, which is followed while the daemon runs. Servers that are given by name are
 * those whose addresses it has now.
 */
#ifndef SERVICES_DNS_SERVERS_H
#define SERVICES_DNS_SERVERS_H

#include "core/conf.h"
#include "core/report.h"
#include "core/service.h"
#include "services/dns/dns_resolver.h"
#include "util/err.h"

#define DNS_SERVERS_PORT 53

struct dns_servers;
struct watcher;

extern const char *const dns_servers_strategies[];	/* names of enum dns_strategy */
extern const struct conf_key dns_servers_route_keys[];	/* of a `route` section */
/* What is wrong with the i-th of them, or NULL; static text. */
const char *dns_servers_check_route(const struct conf *cf, size_t i);
const char *dns_servers_check_interface(const char *name);

/*
 * Reads the resolv.conf(5) at path at once (at the start only). All must outlive it, a read that
 * the pool has under way excepted, which looks at nothing but path. Errors: ERR_NOMEM, ERR_SYS.
 */
enum err dns_servers_new(struct dns_servers **out, struct service *sv,
    struct dns_resolver *resolver, struct watcher *watcher, const char *path) MUST_CHECK;
/* NULL is fine. */
void dns_servers_free(struct dns_servers *s);

/* For settings: what is wrong with a server's address, stamp or name, NULL when nothing is. */
const char *dns_servers_check(const char *spec);
/* For "tls-ca". */
const char *dns_servers_check_ca(const char *file);
/* The same for the i-th upstream of the service's section, beside what else stands there. */
const char *dns_servers_check_upstream(const struct conf *cf, size_t i);
const char *dns_servers_check_bootstrap(const struct conf *cf, size_t i);

/*
 * Put the servers of the settings in force. cf must stay until the next call. What is wrong is said
 * in the log; nothing has changed then. Errors: as dns_routes_set(), ERR_NOTFOUND (a name without
 * servers to look it up), ERR_DENIED (this service is to look up its own servers).
 */
enum err dns_servers_apply(struct dns_servers *s, const struct conf *cf) MUST_CHECK;
/* The machine's networks have changed: names may lead elsewhere, and other addresses be reached. */
void dns_servers_note_networks(struct dns_servers *s);
/*
 * Let go of the settings: the servers in force are asked on, changes of resolv.conf are not seen.
 */
void dns_servers_settle(struct dns_servers *s);

void dns_servers_report(const struct dns_servers *s, struct report *out);

#endif
