/* SPDX-License-Identifier: MIT */
/*
 * From settings, the addresses of names, and resolv.conf(5) to routes. The file is read in the pool
 * whenever it changes; a read that fails or finds nothing changes nothing, as resolv.conf is often
 * empty for a moment.
 */
#include "services/dns/dns_servers.h"

#include <assert.h>
#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/netif.h"
#include "core/offload.h"
#include "core/watch.h"
#include "services/dns/dns_bootstrap.h"
#include "services/dns/dns_named.h"
#include "services/dns/dns_resolvconf.h"
#include "util/addr.h"
#include "util/file.h"

#define RESOLVCONF_MAX (64 << 10)	/* bytes that are looked at */

/* A read under way; outlives its owner where that ends first. */
struct reading {
	struct offload_job job;
	struct dns_servers *owner;	/* NULL: gone */
	const char *path;
	struct dns_resolvconf found;
	char text[RESOLVCONF_MAX];
};

struct dns_servers {
	struct service *sv;
	const char *path;		/* of the file */
	struct dns_resolver *resolver;
	struct dns_bootstrap *bootstrap;
	struct timer again_later;	/* names have changed, and that could not be put in force */
	struct timer read_later;	/* the file has changed, and the pool was full */
	struct watch watch;
	struct reading *reading;
	bool again;			/* the file has changed while it was being read */
	const struct conf *cf;		/* in force; NULL before the first */
	struct dns_resolvconf found;	/* servers that the file names */
	uint64_t changes;
	struct log_gate retired;	/* of what is said each time that again_later fires */
};

/* What the specs of one set of routes point to. */
struct route_texts {
	const struct conf *cf;		/* the service's section */
	const char *named[DNS_ROUTES_MAX + 1][DNS_ROUTE_SERVERS_MAX];
	const char *servers[DNS_ROUTES_MAX + 1][DNS_ROUTE_SERVERS_MAX];
	size_t from[DNS_ROUTES_MAX + 1][DNS_ROUTE_SERVERS_MAX];	/* which of named that is */
	char texts[DNS_ROUTES_MAX + 1][DNS_ROUTE_SERVERS_MAX][ADDR_TEXT_MAX + 8 + DNS_NAME_TEXT_MAX];
	struct addr sources[DNS_ROUTES_MAX + 1];
	bool asking[DNS_ROUTES_MAX + 1];	/* a name has not been answered for yet, */
	bool failing[DNS_ROUTES_MAX + 1];	/* or cannot be looked up */
	struct dns_route_spec specs[DNS_ROUTES_MAX + 1];
};

const char *const dns_servers_strategies[] = { "fastest", "order", "parallel", NULL };

/* What is sent from an address of one family reaches no server of the other. */
static const char *
check_source(const struct conf *cf, const char *spec)
{
	struct addr source = conf_addr(cf, "source");

	return conf_count(cf, "source") != 0 ? dns_upstream_check_source(spec, &source) : NULL;
}

/* A name must be looked up somewhere. `service` is the section that may have the servers for it. */
static const char *
check_upstream(const struct conf *cf, size_t i, const struct conf *service)
{
	const char *spec = conf_str_at(cf, "upstream", i);
	struct dns_named named;

	if (dns_named_parse(&named, spec) != OK)
		return check_source(cf, spec);
	return conf_count(service, "bootstrap") != 0 ? NULL
	    : "a name needs servers to look it up: bootstrap = { \"9.9.9.9\" }";
}

const char *
dns_servers_check_upstream(const struct conf *cf, size_t i)
{
	return check_upstream(cf, i, cf);
}

const char *
dns_servers_check_bootstrap(const struct conf *cf, size_t i)
{
	return check_source(cf, conf_str_at(cf, "bootstrap", i));
}

static const char *
check_route_upstream(const struct conf *cf, size_t i)
{
	return check_upstream(cf, i, conf_parent(cf));
}

const char *
dns_servers_check_ca(const char *file)
{
	return *file != '\0' ? dns_upstream_check_transport(DNS_TRANSPORT_TLS) : NULL;
}

const char *
dns_servers_check_interface(const char *name)
{
	return strlen(name) < IF_NAMESIZE && strcspn(name, "/ \t") == strlen(name) ? NULL
	    : "no interface can be called so: \"ip link\" lists them";
}

/* The routes are few: each zone is compared with those before it. */
const char *
dns_servers_check_route(const struct conf *cf, size_t i)
{
	struct dns_name zone, other;

	if (conf_count(conf_section(cf, "route", i), "upstream") == 0)
		return "a route needs servers: upstream = { \"10.0.0.1\" }";
	if (dns_zone_parse(&zone, conf_title(conf_section(cf, "route", i))) != OK)
		return NULL;
	if (dns_name_is_root(dns_name_span(&zone)))
		return "the route of all names is the upstream of the section itself";
	for (size_t k = 0; k < i; k++)
		if (dns_zone_parse(&other, conf_title(conf_section(cf, "route", k))) == OK &&
		    dns_name_equal(dns_name_span(&zone), dns_name_span(&other)))
			return "this zone has a route already";
	return NULL;
}

const struct conf_key dns_servers_route_keys[] = {
	{ .name = "upstream", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_servers_check,
	    .check_with = check_route_upstream, .count_max = DNS_ROUTE_SERVERS_MAX,
	    .help = "servers for the names of this zone" },
	{ .name = "strategy", .type = CONF_ENUM, .value = "fastest",
	    .choices = dns_servers_strategies,
	    .help = "which of them is asked first" },
	{ .name = "interface", .type = CONF_STRING, .flags = CONF_LINK,
	    .check = dns_servers_check_interface,
	    .help = "reach them over this interface only" },
	{ .name = "source", .type = CONF_ADDR, .flags = CONF_LOCAL,
	    .help = "ask from this address" },
	{ 0 },
};

/* --- servers by address ----------------------------------------------------------------------- */

/* How a section says that its servers are reached. */
static struct dns_server_opts
read_opts(const struct conf *cf, struct addr *source)
{
	struct dns_server_opts opts = { 0 };

	if (*conf_str(cf, "interface") != '\0')
		opts.interface = conf_str(cf, "interface");
	if (conf_count(cf, "source") != 0) {
		*source = conf_addr(cf, "source");
		opts.source = source;
	}
	return opts;
}

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
		/*
		 * Our own address asks ourselves, but a stub on loopback may well be another
		 * program.
		 */
		if (!netif_is_own(s->sv->netif, &a) || addr_is_loopback(&a))
			servers[usable++] = s->found.servers[i];
	}
	if (usable == 0)
		log_note(s->sv->log, LOG_LEVEL_WARNING, "dns",
		    "no usable upstream server in %s: only local names are answered "
		    "(upstream = { \"9.9.9.9\" } in the settings names one)", s->path);
	return usable;
}

/* --- servers by name -------------------------------------------------------------------------- */

const char *
dns_servers_check(const char *spec)
{
	struct dns_named named;

	switch (dns_named_parse(&named, spec)) {
	case OK:
		return dns_upstream_check_transport(named.transport);
	case ERR_RANGE:
		return "no server can have this port or name";
	default:
		return dns_upstream_check(spec);
	}
}

/* Can this machine reach that address at all? Without IPv6, servers of IPv6 are only in the way. */
static bool
is_reachable(const struct dns_servers *s, const struct addr *a)
{
	const struct netif_addr *addrs;
	size_t count = netif_addrs(s->sv->netif, &addrs);

	if (a->sa.sa_family == AF_INET || addr_is_loopback(a) || count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (addrs[i].addr.sa.sa_family == AF_INET6 && !addr_is_loopback(&addrs[i].addr) &&
		    !addr_is_linklocal(&addrs[i].addr))
			return true;
	return false;
}

/* Put one server of a route into its spec. from is its place in the settings. */
static void
add_text(struct route_texts *rt, size_t i, size_t from, const char *text)
{
	struct dns_route_spec *spec = &rt->specs[i];

	if (spec->count == DNS_ROUTE_SERVERS_MAX)
		return;
	rt->from[i][spec->count] = from;
	rt->servers[i][spec->count++] = text;
}

/* A server of that name, by address: as dns_upstream_add() takes it. */
static void
write_text(char *out, size_t cap, const struct dns_named *named, const struct addr *a)
{
	char addr[ADDR_TEXT_MAX], name[DNS_NAME_TEXT_MAX];

	addr_format(a, addr);
	switch (named->transport) {
	case DNS_TRANSPORT_UDP:
		snprintf(out, cap, "%s", addr);
		break;
	case DNS_TRANSPORT_TCP:
		snprintf(out, cap, "tcp://%s", addr);
		break;
	case DNS_TRANSPORT_TLS:
		snprintf(out, cap, "tls://%s#%s", addr,
		    dns_name_format(dns_name_span(&named->name), name));
		break;
	}
}

/* Put the servers that a name stands for now into a spec. */
static enum err
add_named(struct dns_servers *s, struct route_texts *rt, size_t i, size_t from,
    const struct dns_named *named)
{
	struct dns_route_spec *spec = &rt->specs[i];
	struct addr addrs[2 * DNS_BOOTSTRAP_ADDRS_MAX];
	enum dns_bootstrap_state state;
	size_t count;
	enum err e = dns_bootstrap_find(s->bootstrap, named, addrs, &count, &state);

	if (e != OK)
		return e;
	for (size_t k = 0; k < count && spec->count < DNS_ROUTE_SERVERS_MAX; k++) {
		char *text = rt->texts[i][spec->count];

		if (!is_reachable(s, &addrs[k]) || is_ourselves(s, rt->cf, &addrs[k]) ||
		    (spec->opts.source != NULL &&
			spec->opts.source->sa.sa_family != addrs[k].sa.sa_family))
			continue;
		write_text(text, sizeof(rt->texts[i][0]), named, &addrs[k]);
		add_text(rt, i, from, text);
	}
	rt->asking[i] |= state == DNS_BOOTSTRAP_ASKING;
	rt->failing[i] |= state == DNS_BOOTSTRAP_FAILING;
	return OK;
}

/*
 * The servers that look up names. Errors: as dns_upstream_add(), ERR_FULL, ERR_DENIED (ourselves).
 */
static enum err
set_bootstrap(struct dns_servers *s, const struct conf *cf, size_t *bad)
{
	struct dns_server *servers[DNS_BOOTSTRAP_SERVERS_MAX];
	struct dns_upstream *up = dns_resolver_upstream(s->resolver);
	struct addr source = { 0 };
	struct dns_server_opts opts = read_opts(cf, &source);
	size_t count = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < conf_count(cf, "bootstrap"); i++) {
		*bad = i;
		if (count == DNS_BOOTSTRAP_SERVERS_MAX)
			e = ERR_FULL;
		else
			e = dns_upstream_add(up, &servers[count], conf_str_at(cf, "bootstrap", i),
			    &opts);
		if (e == OK && is_ourselves(s, cf, dns_server_addr(servers[count++])))
			e = ERR_DENIED;
	}
	if (e == OK) {
		dns_bootstrap_adopt(s->bootstrap, servers, count);
		return OK;
	}
	while (count-- != 0)
		dns_upstream_drop(up, servers[count]);
	return e;
}

static enum err
apply_bootstrap(struct dns_servers *s, const struct conf *cf)
{
	size_t bad = 0;
	enum err e = set_bootstrap(s, cf, &bad);

	if (e != OK)
		service_complain(s->sv, cf, "bootstrap", bad, "\"%s\": %s",
		    conf_str_at(cf, "bootstrap", bad),
		    e == ERR_DENIED ? "this is hearthd itself, which cannot look up its own "
		    "upstreams"
				    : err_text(e));
	return e;
}

/* --- from settings to routes ------------------------------------------------------------------ */

/* Fill in one spec from its section: the service's own for the default route, or a `route`. */
static enum err
read_route(struct dns_servers *s, struct route_texts *rt, size_t i, const struct conf *cf)
{
	struct dns_route_spec *spec = &rt->specs[i];
	enum err e = OK;

	spec->zone = i != 0 ? conf_title(cf) : NULL;
	spec->strategy = (enum dns_strategy)conf_enum(cf, "strategy");
	spec->servers = rt->servers[i];
	spec->named = rt->named[i];
	spec->opts = read_opts(cf, &rt->sources[i]);
	for (size_t k = 0; e == OK && k < conf_count(cf, "upstream") &&
	    k < DNS_ROUTE_SERVERS_MAX; k++) {
		const char *text = conf_str_at(cf, "upstream", k);
		struct dns_named named;

		rt->named[i][spec->named_count++] = text;
		if (dns_named_parse(&named, text) != OK) {
			add_text(rt, i, k, text);
			continue;
		}
		e = add_named(s, rt, i, k, &named);
		if (e != OK)
			service_complain(s->sv, cf, "upstream", k, "\"%s\": %s", text, err_text(e));
	}
	spec->pending = rt->asking[i] || (spec->count == 0 && rt->failing[i]);
	return e;
}

static void
complain_route(struct dns_servers *s, const struct conf *cf, const struct route_texts *rt,
    const struct dns_routes_bad *bad, enum err e)
{
	const struct conf *section = bad->spec != 0 ? conf_section(cf, "route", bad->spec - 1) : cf;
	const struct dns_route_spec *spec = &rt->specs[bad->spec];
	size_t from = rt->from[bad->spec][bad->server];

	if (bad->zone)
		service_complain(s->sv, cf, "route", bad->spec - 1, "\"%s\": %s", spec->zone,
		    e == ERR_EXISTS ? "this zone has a route already" : err_text(e));
	else if (spec->count != 0 && conf_count(section, "upstream") != 0)
		service_complain(s->sv, section, "upstream", from, "\"%s\": %s",
		    conf_str_at(section, "upstream", from), err_text(e));
	else
		log_note(s->sv->log, LOG_LEVEL_ERR, "dns", "upstream servers: %s", err_text(e));
}

/* No fault of the settings, and it ends within seconds; new settings are refused for it, though. */
static void
complain_retired(struct dns_servers *s, const struct conf *cf)
{
	uint64_t suppressed;

	if (cf == s->cf && !log_gate_pass(&s->retired, loop_now(s->sv->loop), &suppressed))
		return;
	log_note(s->sv->log, LOG_LEVEL_WARNING, "dns", "upstream servers stay as they are for now: "
	    "questions under way still use too many earlier sets of them");
}

/* What the settings say about routes, as things are now. */
static enum err
read_routes(struct dns_servers *s, struct route_texts *rt, size_t *count)
{
	const struct conf *cf = rt->cf;
	enum err e = read_route(s, rt, 0, cf);

	assert(conf_count(cf, "route") <= DNS_ROUTES_MAX);	/* count_max of the key */
	if (e == OK && conf_count(cf, "upstream") == 0)
		rt->specs[0].count = servers_of_system(s, cf, rt->servers[0]);
	for (*count = 1; e == OK && *count <= conf_count(cf, "route"); ++*count)
		e = read_route(s, rt, *count, conf_section(cf, "route", *count - 1));
	return e;
}

/* Put the routes of settings in force, with the addresses that names have now. */
static enum err
set_routes(struct dns_servers *s, const struct conf *cf)
{
	struct route_texts *rt = calloc(1, sizeof(*rt));
	struct dns_routes_bad bad;
	size_t count;
	enum err e;

	if (rt == NULL)
		return ERR_NOMEM;
	rt->cf = cf;
	dns_bootstrap_begin(s->bootstrap);
	e = read_routes(s, rt, &count);
	if (e == OK) {
		e = dns_routes_set(dns_resolver_routes(s->resolver), rt->specs, count, &bad);
		if (e != OK && bad.retired)
			complain_retired(s, cf);
		else if (e != OK)
			complain_route(s, cf, rt, &bad, e);
	}
	dns_bootstrap_end(s->bootstrap, e == OK);
	if (e == OK)
		dns_resolver_note_routes(s->resolver);
	free(rt);
	return e;
}

static enum err
apply_authorities(struct dns_servers *s, const struct conf *cf)
{
	enum err e = dns_upstream_authorities(dns_resolver_upstream(s->resolver),
	    conf_str(cf, "tls-ca"));

	if (e != OK)
		service_complain(s->sv, cf, "tls-ca", 0, "%s", err_text(e));
	return e;
}

/* What servers are reached with. Errors: as dns_servers_apply(). */
static enum err
apply_means(struct dns_servers *s, const struct conf *cf)
{
	enum err e = apply_authorities(s, cf);

	return e == OK ? apply_bootstrap(s, cf) : e;
}

enum err
dns_servers_apply(struct dns_servers *s, const struct conf *cf)
{
	enum err e = apply_means(s, cf);

	if (e == OK)
		e = set_routes(s, cf);
	if (e == OK) {
		s->cf = cf;
		loop_timer_cancel(s->sv->loop, &s->again_later);
	} else if (s->cf != NULL) {
		(void)apply_means(s, s->cf);	/* they were good before */
	}
	return e;
}

/* Names have other addresses, or the machine other networks. */
static void
refresh(struct dns_servers *s)
{
	struct loop *loop = s->sv->loop;

	/* Refused: too many questions use older tables. They end within seconds. */
	if (s->cf != NULL && set_routes(s, s->cf) != OK)
		loop_timer(loop, &s->again_later, loop_now(loop) + seconds(1));
}

static void
names_changed(void *ctx)
{
	refresh(ctx);
}

static void
refresh_again(struct timer *t, mono_us now)
{
	(void)now;
	refresh((struct dns_servers *)((char *)t - offsetof(struct dns_servers, again_later)));
}

void
dns_servers_note_networks(struct dns_servers *s)
{
	dns_bootstrap_again(s->bootstrap);
	refresh(s);
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
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	/* What is beyond RESOLVCONF_MAX is left out: no machine has so many servers. */
	if (fd >= 0) {
		if (file_read_all(fd, r->text, sizeof(r->text), &len) != OK &&
		    len < sizeof(r->text))
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
		    "%s has changed: %zu servers", s->path, s->found.count);
		/*
		 * A refusal is in the log: the servers from before are asked on, any change is
		 * news.
		 */
		if (dns_servers_apply(s, s->cf) != OK)
			s->found.count = 0;
	}
	if (s->again)
		read_again(s);
}

static void
read_again(struct dns_servers *s)
{
	struct loop *loop = s->sv->loop;
	struct reading *r;

	s->again = s->reading != NULL;
	if (s->again)
		return;
	r = calloc(1, sizeof(*r));
	if (r != NULL) {
		r->job.work = read_work;
		r->job.done = read_done;
		r->owner = s;
		r->path = s->path;
		if (offload_submit(s->sv->offload, &r->job) == OK) {
			s->reading = r;
			return;
		}
	}
	free(r);
	loop_timer(loop, &s->read_later, loop_now(loop) + seconds(1));
}

static void
read_now(struct timer *t, mono_us now)
{
	(void)now;
	read_again((struct dns_servers *)((char *)t - offsetof(struct dns_servers, read_later)));
}

static void
file_changed(struct watch *w)
{
	read_again((struct dns_servers *)((char *)w - offsetof(struct dns_servers, watch)));
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_servers_new(struct dns_servers **out, struct service *sv, struct dns_resolver *resolver,
    struct watcher *watcher, const char *path)
{
	struct dns_servers *s = calloc(1, sizeof(*s));
	struct reading *first = calloc(1, sizeof(*first));
	struct dns_bootstrap_env env = { .up = dns_resolver_upstream(resolver), .loop = sv->loop,
		.log = sv->log, .service = sv->ops->name, .changed = names_changed, .ctx = s };
	enum err e = ERR_NOMEM;

	if (s != NULL && first != NULL)
		e = dns_bootstrap_new(&s->bootstrap, &env);
	if (e == OK) {
		first->path = path;
		read_file(first);
		s->sv = sv;
		s->path = path;
		s->resolver = resolver;
		s->found = first->found;
		s->again_later.fire = refresh_again;
		s->read_later.fire = read_now;
		s->retired = (struct log_gate){ .every = seconds(60), .burst = 1 };
		s->watch.changed = file_changed;
		e = watch_start(watcher, &s->watch, path);
	}
	free(first);
	if (e != OK) {
		if (s != NULL)
			dns_bootstrap_free(s->bootstrap);
		free(s);
		return e;
	}
	dns_resolver_set_bootstrap(resolver, s->bootstrap);
	*out = s;
	return OK;
}

void
dns_servers_free(struct dns_servers *s)
{
	if (s == NULL)
		return;
	watch_stop(&s->watch);
	loop_timer_cancel(s->sv->loop, &s->again_later);
	loop_timer_cancel(s->sv->loop, &s->read_later);
	dns_resolver_set_bootstrap(s->resolver, NULL);
	dns_bootstrap_free(s->bootstrap);
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
