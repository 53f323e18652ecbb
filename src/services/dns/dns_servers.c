/* SPDX-License-Identifier: MIT */
/*
 * From settings and resolv.conf(5) to routes. The file is read in the pool whenever it changes; a
 * read that fails or finds nothing changes nothing, as resolv.conf is often empty for a moment.
 */
#include "services/dns/dns_servers.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/netif.h"
#include "core/offload.h"
#include "core/watch.h"
#include "services/dns/dns_resolvconf.h"
#include "util/addr.h"
#include "util/file.h"

#define RESOLVCONF     "/etc/resolv.conf"
#define RESOLVCONF_MAX (64 << 10)	/* bytes that are looked at */

/* A read under way; outlives its owner where that ends first. */
struct reading {
	struct offload_job job;
	struct dns_servers *owner;	/* NULL: gone */
	struct dns_resolvconf found;
	char text[RESOLVCONF_MAX];
};

struct dns_servers {
	struct service *sv;
	struct dns_routes *routes;
	struct watch watch;
	struct reading *reading;
	bool again;			/* the file has changed while it was being read */
	const struct conf *cf;		/* in force; NULL before the first */
	struct dns_resolvconf found;	/* servers that the file names */
	uint64_t changes;
};

const char *const dns_servers_strategies[] = { "fastest", "order", "parallel", NULL };

const struct conf_key dns_servers_route_keys[] = {
	{ .name = "upstream", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_upstream_check,
	    .help = "servers for the names of this zone" },
	{ .name = "strategy", .type = CONF_ENUM, .value = "fastest", .choices = dns_servers_strategies,
	    .help = "which of them is asked first" },
	{ .name = "interface", .type = CONF_STRING, .help = "reach them over this interface only" },
	{ .name = "source", .type = CONF_ADDR, .help = "ask from this address" },
	{ 0 },
};

/* --- from settings to routes ------------------------------------------------------------------ */

/* What is sent there comes back to this very service. */
static bool
is_ourselves(const struct dns_servers *s, const struct conf *cf, const struct addr *a)
{
	bool here = netif_is_own(s->sv->netif, a) || addr_is_loopback(a);

	for (size_t i = 0; i < conf_count(cf, "listen"); i++) {
		struct addr l = conf_addr_at(cf, "listen", i);

		if (addr_port(&l) == addr_port(a) &&
		    (addr_equal_host(&l, a) || (here && addr_is_any(&l))))
			return true;
	}
	return false;
}

/* The servers of resolv.conf that are not this very service. */
static size_t
servers_of_system(struct dns_servers *s, const struct conf *cf, const char **servers)
{
	size_t usable = 0;

	for (size_t i = 0; i < s->found.count && usable < DNS_ROUTE_SERVERS_MAX; i++) {
		struct addr a;

		if (addr_parse(&a, s->found.servers[i], DNS_SERVERS_PORT) != OK ||
		    is_ourselves(s, cf, &a))
			continue;
		/* Our own address asks ourselves, but a stub on loopback may well be another program. */
		if (!netif_is_own(s->sv->netif, &a) || addr_is_loopback(&a))
			servers[usable++] = s->found.servers[i];
	}
	if (usable == 0)
		log_note(s->sv->log, LOG_LEVEL_WARNING, "dns",
		    "no usable upstream server in %s: only local names are answered "
		    "(upstream = { \"9.9.9.9\" } in the settings names one)", RESOLVCONF);
	return usable;
}

/* The lists of servers that the specs of one apply() point to. */
struct route_texts {
	const char *servers[DNS_ROUTES_MAX + 1][DNS_ROUTE_SERVERS_MAX];
	struct addr sources[DNS_ROUTES_MAX + 1];
	struct dns_route_spec specs[DNS_ROUTES_MAX + 1];
};

/* Fill in one spec from its section: the service's own for the default route, or a `route`. */
static void
read_route(struct route_texts *rt, size_t i, const struct conf *cf)
{
	struct dns_route_spec *spec = &rt->specs[i];

	spec->zone = i != 0 ? conf_title(cf) : NULL;
	spec->strategy = (enum dns_strategy)conf_enum(cf, "strategy");
	spec->servers = rt->servers[i];
	for (size_t k = 0; k < conf_count(cf, "upstream") && k < DNS_ROUTE_SERVERS_MAX; k++)
		rt->servers[i][spec->count++] = conf_str_at(cf, "upstream", k);
	if (*conf_str(cf, "interface") != '\0')
		spec->opts.interface = conf_str(cf, "interface");
	if (conf_count(cf, "source") != 0) {
		rt->sources[i] = conf_addr(cf, "source");
		spec->opts.source = &rt->sources[i];
	}
}

static void
complain_route(struct dns_servers *s, const struct conf *cf, const struct route_texts *rt,
    const struct dns_routes_bad *bad, enum err e)
{
	const struct conf *section = bad->spec != 0 ? conf_section(cf, "route", bad->spec - 1) : cf;
	const struct dns_route_spec *spec = &rt->specs[bad->spec];

	if (bad->zone)
		service_complain(s->sv, cf, "route", bad->spec - 1, "\"%s\": %s", spec->zone,
		    e == ERR_EXISTS ? "this zone has a route already" : err_text(e));
	else if (spec->count != 0 && conf_count(section, "upstream") != 0)
		service_complain(s->sv, section, "upstream", bad->server, "\"%s\": %s",
		    spec->servers[bad->server], err_text(e));
	else
		log_note(s->sv->log, LOG_LEVEL_ERR, "dns", "upstream servers: %s", err_text(e));
}

enum err
dns_servers_apply(struct dns_servers *s, const struct conf *cf)
{
	struct route_texts *rt = calloc(1, sizeof(*rt));
	struct dns_routes_bad bad;
	size_t count = 1;

	if (rt == NULL)
		return ERR_NOMEM;
	if (conf_count(cf, "route") > DNS_ROUTES_MAX) {
		service_complain(s->sv, cf, "route", DNS_ROUTES_MAX, "more than %d routes",
		    DNS_ROUTES_MAX);
		free(rt);
		return ERR_FULL;
	}
	read_route(rt, 0, cf);
	if (rt->specs[0].count == 0)
		rt->specs[0].count = servers_of_system(s, cf, rt->servers[0]);
	for (size_t i = 0; i < conf_count(cf, "route"); i++)
		read_route(rt, count++, conf_section(cf, "route", i));

	enum err e = dns_routes_set(s->routes, rt->specs, count, &bad);

	if (e == OK)
		s->cf = cf;
	else
		complain_route(s, cf, rt, &bad, e);
	free(rt);
	return e;
}

void
dns_servers_settle(struct dns_servers *s)
{
	s->cf = NULL;
}

/* --- following resolv.conf -------------------------------------------------------------------- */

static void
read_file(struct reading *r)
{
	size_t len = 0;
	int fd = open(RESOLVCONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	/* What is beyond RESOLVCONF_MAX is left out: no machine has so many servers. */
	if (fd >= 0) {
		if (file_read_all(fd, r->text, sizeof(r->text), &len) != OK && len < sizeof(r->text))
			len = 0;
		close(fd);
	}
	dns_resolvconf_parse(&r->found, span_of(r->text, len));
}

static void
read_work(struct offload_job *job)
{
	read_file((struct reading *)job);
}

static bool
same_servers(const struct dns_resolvconf *a, const struct dns_resolvconf *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->servers[i], b->servers[i]) != 0)
			return false;
	return true;
}

static void read_again(struct dns_servers *s);

static void
read_done(struct offload_job *job)
{
	struct reading *r = (struct reading *)job;
	struct dns_servers *s = r->owner;
	bool news = s != NULL && !job->cancelled && r->found.count != 0 &&
	    !same_servers(&s->found, &r->found);

	if (news) {
		s->found = r->found;
		s->changes++;
	}
	free(r);
	if (s == NULL)
		return;
	s->reading = NULL;
	if (news && s->cf != NULL && conf_count(s->cf, "upstream") == 0) {
		log_note(s->sv->log, LOG_LEVEL_NOTICE, s->sv->ops->name,
		    "%s has changed: %zu servers", RESOLVCONF, s->found.count);
		/* A refusal is in the log: the servers from before are asked on, any change is news. */
		if (dns_servers_apply(s, s->cf) != OK)
			s->found.count = 0;
	}
	if (s->again)
		read_again(s);
}

static void
read_again(struct dns_servers *s)
{
	struct reading *r;

	s->again = s->reading != NULL;
	if (s->again || (r = calloc(1, sizeof(*r))) == NULL)
		return;
	r->job.work = read_work;
	r->job.done = read_done;
	r->owner = s;
	if (offload_submit(s->sv->offload, &r->job) == OK)
		s->reading = r;
	else
		free(r);
}

static void
file_changed(struct watch *w)
{
	read_again((struct dns_servers *)((char *)w - offsetof(struct dns_servers, watch)));
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_servers_new(struct dns_servers **out, struct service *sv, struct dns_routes *routes,
    struct watcher *watcher)
{
	struct dns_servers *s = calloc(1, sizeof(*s));
	struct reading *first = calloc(1, sizeof(*first));
	enum err e = ERR_NOMEM;

	if (s != NULL && first != NULL) {
		read_file(first);
		s->sv = sv;
		s->routes = routes;
		s->found = first->found;
		s->watch.changed = file_changed;
		e = watch_start(watcher, &s->watch, RESOLVCONF);
	}
	free(first);
	if (e != OK) {
		free(s);
		return e;
	}
	*out = s;
	return OK;
}

void
dns_servers_free(struct dns_servers *s)
{
	if (s == NULL)
		return;
	watch_stop(&s->watch);
	if (s->reading != NULL)
		s->reading->owner = NULL;
	free(s);
}

void
dns_servers_report(const struct dns_servers *s, struct report *out)
{
	report_u64(out, "servers", s->found.count);
	report_u64(out, "refused", s->found.refused);
	report_u64(out, "changes", s->changes);
}
