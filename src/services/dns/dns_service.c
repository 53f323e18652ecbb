/* SPDX-License-Identifier: MIT */
/*
 * The edge of the DNS service: settings, listening sockets, TCP connections, commands. What becomes
 * of a query is decided in dns_resolver.c.
 */
#include "services/dns/dns_service.h"

#include <assert.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop.h"
#include "core/netif.h"
#include "core/rand.h"
#include "core/tcp.h"
#include "core/watch.h"
#include "services/dns/dns_bootstrap.h"
#include "services/dns/dns_commands.h"
#include "services/dns/dns_lists.h"
#include "services/dns/dns_addrsets.h"
#include "services/dns/dns_plan.h"
#include "services/dns/dns_querylog.h"
#include "services/dns/dns_resolver.h"
#include "services/dns/dns_snapshots.h"
#include "services/dns/dns_servers.h"
#include "services/dns/dns_sources.h"
#include "services/dns/dns_stream.h"
#include "services/dns/dns_v6.h"

#define RESOLVCONF	"/etc/resolv.conf"
#define LISTEN_MAX	32
#define RCVBUF		(4 << 20)	/* bytes: a few thousand queries at once */

struct dns_service {
	struct dns_stream_ctx stream_ctx;	/* first: what dns_stream.c gets as its context */
	struct service *sv;
	struct dns_resolver *resolver;
	struct watcher *watcher;
	struct dns_sources *sources;	/* the names of the house */
	struct dns_lists *lists;	/* names that are not answered */
	struct netif_watch networks;	/* an asker's network decides which addresses it is told */
	struct dns_snapshots *snapshots;
	struct dns_commands *commands;	/* those under way */
	struct dns_querylog *querylog;
	struct dns_addrsets *addrsets;	/* sets of netfilter that get addresses */
	bool may_fill;			/* the capability for that has been asked for */
	struct tcp_listener *listeners[LISTEN_MAX];
	size_t listener_count;
	struct dns_servers *servers;	/* which upstreams are asked */
	const struct conf *cf;		/* in force; NULL before the first */
};

static const char *const querylog_formats[] = { "json", "text", NULL };
static const char *const privacies[] = { "full", "no-client", "no-names", "anonymous", NULL };

static const struct conf_key querylog_keys[] = {
	{ .name = "file", .type = CONF_STRING, .flags = CONF_FILE | CONF_WRITTEN,
	    .help = "where the lines go; none: into the daemon's log; "
	    "opened anew at SIGHUP and every reload, so that it can be rotated" },
	{ .name = "format", .type = CONF_ENUM, .value = "json", .choices = querylog_formats,
	    .help = "of the file: one JSON object a line, or words" },
	{ .name = "privacy", .type = CONF_ENUM, .value = "full", .choices = privacies,
	    .help = "what is told: everything; of clients their network alone (/24, /48); no "
	    "names; neither" },
	{ 0 },
};

static const struct conf_key keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN | CONF_RESTART,
	    .value = "0.0.0.0:53, [::]:53", .port = DNS_SERVERS_PORT, .count_max = LISTEN_MAX,
	    .help = "addresses to answer on, UDP and TCP" },
	{ .name = "allow", .type = CONF_STRING, .flags = CONF_LIST, .value = "local",
	    .check = acl_check,
	    .help = "who may ask: networks, \"local\" (directly connected and private) or "
	    "\"any\"" },
	{ .name = "upstream", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_servers_check,
	    .check_with = dns_servers_check_upstream, .count_max = DNS_ROUTE_SERVERS_MAX,
	    .help = "servers to forward to: \"9.9.9.9\", \"9.9.9.9:53\", \"tcp://9.9.9.9\", "
		    "\"tls://9.9.9.9#dns.quad9.net\" for DNS over TLS, a name \"dns.quad9.net\" or "
		    "\"tls://dns.quad9.net\" (see bootstrap), a stamp \"sdns://…\" for DNSCrypt; "
		    "none: those of /etc/resolv.conf" },
	{ .name = "bootstrap", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_upstream_check,
	    .check_with = dns_servers_check_bootstrap, .count_max = DNS_BOOTSTRAP_SERVERS_MAX,
	    .help = "servers that are asked for the addresses of upstreams given by name, and for "
		    "nothing else" },
	{ .name = "tls-ca", .type = CONF_STRING, .flags = CONF_FILE | CONF_EARLY, .value = "",
	    .check = dns_servers_check_ca,
	    .help = "file of the authorities (PEM) that certificates of servers over TLS must be "
		    "signed by; none: those of the system" },
	{ .name = "strategy", .type = CONF_ENUM, .value = "fastest",
	    .choices = dns_servers_strategies,
	    .help = "which upstream is asked first: the fastest, in the order given, or all at "
	    "once" },
	{ .name = "interface", .type = CONF_STRING, .flags = CONF_LINK,
	    .check = dns_servers_check_interface,
	    .help = "reach the upstreams over this interface only" },
	{ .name = "source", .type = CONF_ADDR, .flags = CONF_LOCAL,
	    .help = "ask the upstreams from this address" },
	{ .name = "fresh-ports", .type = CONF_INT, .value = "400", .min = 0, .max = 1000000,
	    .help = "so many queries a second to upstreams have a source port of their own; those "
		    "beyond share 64 random ones, which costs less" },
	{ .name = "route", .type = CONF_SECTION, .flags = CONF_TITLED,
	    .keys = dns_servers_route_keys, .check = dns_zone_check,
	    .check_with = dns_servers_check_route, .count_max = DNS_ROUTES_MAX,
	    .help = "other servers for a zone: route \"corp.example\" { … }, or for the names of a "
		    "network: route \"10.0.0.0/8\" { … }" },
	{ .name = "trust-ad", .type = CONF_BOOL, .value = "false",
	    .help = "hand on the upstreams' word that an answer is authenticated (AD)" },
	{ .name = "cache-size", .type = CONF_SIZE, .value = "32MiB", .min = 64 << 10,
	    .max = INT64_C(64) << 30, .help = "memory for cached answers, everything included" },
	{ .name = "min-ttl", .type = CONF_DURATION, .value = "0s", .min = 0,
	    .max = INT64_C(3600000000), .not_above = "max-ttl",
	    .help = "cached answers live at least this long (a TTL of 0 is never cached)" },
	{ .name = "max-ttl", .type = CONF_DURATION, .value = "1d", .min = 1000000,
	    .max = INT64_C(604800000000), .help = "and at most this long" },
	{ .name = "max-negative-ttl", .type = CONF_DURATION, .value = "1h", .min = 0,
	    .max = INT64_C(86400000000),
	    .help = "and at most this long where the name or type does not exist" },
	{ .name = "stale", .type = CONF_BOOL, .value = "true",
	    .help = "answer from expired entries while no upstream answers (RFC 8767)" },
	{ .name = "stale-window", .type = CONF_DURATION, .value = "1d", .min = 1000000,
	    .max = INT64_C(604800000000),
	    .help = "how long past its time an answer may be used so" },
	{ .name = "stale-recheck", .type = CONF_DURATION, .value = "30s", .min = 1000000,
	    .max = INT64_C(3600000000),
	    .help = "how long upstreams are left alone when they failed to refresh an expired "
	    "answer" },
	{ .name = "no-stale", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_zone_check,
	    .count_max = DNS_ZONES_MAX,
	    .help = "zones whose answers are never used past their time" },
	{ .name = "no-cache", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_zone_check,
	    .count_max = DNS_ZONES_MAX,
	    .help = "zones whose answers are never kept" },
	{ .name = "prefetch", .type = CONF_BOOL, .value = "true",
	    .help = "refresh popular answers shortly before they expire" },
	{ .name = "snapshot", .type = CONF_BOOL, .value = "true",
	    .help = "keep the cache in state-dir, so that a restart begins warm; false removes the "
	    "file" },
	{ .name = "snapshot-interval", .type = CONF_DURATION, .value = "15m", .min = 1000000,
	    .max = INT64_C(86400000000), .help = "how often it is written, beside at the end" },
	{ .name = "query-log", .type = CONF_SECTION, .keys = querylog_keys,
	    .help = "tell of every query: who asked what, what became of it and why; off without "
	    "this section" },
	{ .name = "client-queries", .type = CONF_INT, .value = "500", .min = 10, .max = 8192,
	    .help = "queries of one client that may wait for upstreams at once; what is more gets "
	    "an expired answer or SERVFAIL" },
	{ .name = "client-rate", .type = CONF_INT, .value = "0", .min = 0, .max = 1000000,
	    .help = "queries a second that a client may ask, in bursts of twice as many; what is "
	    "more is REFUSED; 0: no limit" },
	{ .name = "client-rate-exempt", .type = CONF_STRING, .flags = CONF_LIST, .value = "none",
	    .check = acl_check, .help = "networks that may ask as much as they like" },
	{ .name = "top", .type = CONF_BOOL, .value = "true",
	    .help = "count, in memory and for two hours, which names are asked for most and who "
	    "asks: \"hearthctl dns top\"" },
	{ .name = "tcp-clients", .type = CONF_INT, .value = "128", .min = 1, .max = 4096,
	    .flags = CONF_RESTART, .help = "TCP connections at once, per address listened on" },
	{ .name = "tcp-idle", .type = CONF_DURATION, .value = "10s", .min = 100000,
	    .max = INT64_C(600000000), .flags = CONF_RESTART,
	    .help = "how long a TCP connection may be idle; less when many are open" },
	{ .name = "filter-aaaa", .type = CONF_BOOL, .value = "false",
	    .help = "leave addresses of IPv6 out of answers, and out of HTTPS records" },
	{ .name = "dns64", .type = CONF_STRING, .value = "", .check = dns_v6_prefix_check,
	    .help = "prefix of a NAT64 (\"64:ff9b::/96\"): names without IPv6 get addresses in "
	    "it" },
	DNS_PLAN_KEYS,
	DNS_LISTS_KEYS,
	DNS_ADDRSETS_KEYS,
	{ 0 },
};

/* --- the names of the house ------------------------------------------------------------------- */

static void
names_changed(void *ctx)
{
	struct dns_service *ds = ctx;

	dns_resolver_set_local(ds->resolver, dns_sources_set(ds->sources));
}

static void
networks_changed(struct netif_watch *w)
{
	struct dns_service *ds =
	    (struct dns_service *)((char *)w - offsetof(struct dns_service, networks));

	dns_resolver_note_networks(ds->resolver);
	/* Estimates, abilities and health of the upstreams were learnt over another network. */
	dns_resolver_forget_network(ds->resolver);
	if (ds->servers != NULL)
		dns_servers_note_networks(ds->servers);
}

static enum err
start_names(struct dns_service *ds)
{
	struct dns_sources_env env = {
		.loop = ds->sv->loop,
		.log = ds->sv->log,
		.offload = ds->sv->offload,
		.service = "dns",
		.changed = names_changed,
		.ctx = ds,
	};
	enum err e = watcher_new(&ds->watcher, ds->sv->loop, ds->sv->offload);

	if (e != OK)
		return e;
	env.watcher = ds->watcher;
	rand_bytes(ds->sv->rand, env.key, sizeof(env.key));
	e = dns_sources_new(&ds->sources, &env);
	if (e != OK)
		return e;
	ds->networks.changed = networks_changed;
	netif_watch(ds->sv->netif, &ds->networks);
	dns_resolver_note_networks(ds->resolver);
	return OK;
}

/* After the names of the house: they share the watcher. */
static enum err
start_lists(struct dns_service *ds)
{
	struct dns_lists_env env = {
		.loop = ds->sv->loop,
		.log = ds->sv->log,
		.offload = ds->sv->offload,
		.watcher = ds->watcher,
		.service = "dns",
	};
	enum err e;

	rand_bytes(ds->sv->rand, env.key, sizeof(env.key));
	e = dns_lists_new(&ds->lists, &env);
	if (e == OK)
		dns_resolver_set_lists(ds->resolver, ds->lists);
	return e;
}

/* --- sets of netfilter ------------------------------------------------------------------------ */

static void
addrsets_settled(void *ctx)
{
	dns_resolver_note_addrsets(((struct dns_service *)ctx)->resolver);
}

static enum err
start_addrsets(struct dns_service *ds, const struct conf *cf)
{
	struct dns_addrsets_env env = {
		.loop = ds->sv->loop,
		.log = ds->sv->log,
		.offload = ds->sv->offload,
		.service = "dns",
		.settled = addrsets_settled,
		.ctx = ds,
	};

	ds->may_fill = dns_addrsets_wanted(cf);
	if (ds->may_fill)
		service_keep_capability(ds->sv, CAP_NET_ADMIN);
	rand_bytes(ds->sv->rand, env.key, sizeof(env.key));
	return dns_addrsets_new(&ds->addrsets, &env);
}

static enum err
read_addrsets(struct dns_service *ds, const struct conf *cf, struct dns_addrset **out)
{
	struct dns_addrsets_place bad;
	enum err e = dns_addrsets_read(ds->addrsets, cf, out, &bad);

	if (e == ERR_FULL)
		service_complain(ds->sv, cf, bad.key, bad.i, "more than %d sets",
		    DNS_ADDRSET_SETS_MAX);
	return e;
}

static void
commit_addrsets(struct dns_service *ds, struct dns_addrset *sets)
{
	if (sets != NULL && !ds->may_fill)
		log_note(ds->sv->log, LOG_LEVEL_WARNING, "dns",
		    "sets of nftables and ipset are filled from the next start on: the right to "
		    "has been given up");
	dns_addrsets_commit(ds->addrsets, sets);
	dns_resolver_set_addrsets(ds->resolver, sets != NULL ? ds->addrsets : NULL);
}

static void
stop_names(struct dns_service *ds)
{
	if (ds->networks.changed != NULL)
		netif_unwatch(ds->sv->netif, &ds->networks);
	if (ds->resolver != NULL) {
		dns_resolver_set_local(ds->resolver, NULL);
		dns_resolver_set_lists(ds->resolver, NULL);
		dns_resolver_set_addrsets(ds->resolver, NULL);
	}
	dns_sources_free(ds->sources);
	dns_lists_free(ds->lists);
	dns_addrsets_free(ds->addrsets);
	watcher_free(ds->watcher);
}

/* What the settings say about local names. A zone with a route is not ours, whatever its name. */
static enum err
plan_names(struct dns_plan **out, const struct conf *cf)
{
	enum err e = dns_plan_new(out, cf);

	for (size_t i = 0; e == OK && i < conf_count(cf, "route"); i++) {
		char where[512];
		struct dns_name zone;

		if (dns_zone_parse(&zone, conf_title(conf_section(cf, "route", i))) == OK)
			e = dns_plan_forward(*out, dns_name_span(&zone),
			    conf_where(cf, "route", i, where, sizeof(where)));
		if (e != OK)
			dns_plan_drop(*out);
	}
	return e;
}

/* --- queries ---------------------------------------------------------------------------------- */

static void
receive(struct service *sv, const struct dgram *dg)
{
	struct dns_service *ds = sv->state;
	struct dns_asker from = { .dg = dg, .peer = dg->peer, .now = dg->now };

	dns_resolver_query(ds->resolver, &from, dg->data);
}

static void
stream_query(void *ctx, struct dns_stream *st, struct span message)
{
	struct dns_service *ds = ctx;
	struct dns_asker from = { .stream = st, .peer = tcp_peer(st->conn),
		.now = loop_now(ds->sv->loop) };

	dns_resolver_query(ds->resolver, &from, message);
}

static void
stream_gone(void *ctx, struct dns_request *rq)
{
	dns_resolver_abandon(((struct dns_service *)ctx)->resolver, rq);
}

static const struct dns_stream_ops stream_ops = {
	.query = stream_query,
	.gone = stream_gone,
};

static void
wake_at(void *ctx, mono_us at)
{
	service_wake_at(((struct dns_service *)ctx)->sv, at);
}

static mono_us
wake(struct service *sv, mono_us now)
{
	return dns_resolver_wake(((struct dns_service *)sv->state)->resolver, now);
}

/* --- settings --------------------------------------------------------------------------------- */

static void
reopen(struct service *sv)
{
	dns_querylog_reopen(((struct dns_service *)sv->state)->querylog);
}

static uint32_t
whole_seconds(const struct conf *cf, const char *key)
{
	return (uint32_t)(conf_duration(cf, key) / seconds(1));
}

static struct dns_cache_config
cache_config(const struct conf *cf)
{
	struct dns_cache_config cache = DNS_CACHE_CONFIG_DEFAULT;

	cache.bytes = conf_size(cf, "cache-size");
	cache.stale_recheck_s = whole_seconds(cf, "stale-recheck");
	cache.stale_window_s = conf_bool(cf, "stale") ? whole_seconds(cf, "stale-window") : 0;
	return cache;
}

/* cf is NULL where the section is missing. */
static void
apply_querylog(struct dns_service *ds, const struct conf *cf)
{
	struct dns_querylog_opts opts = { .on = cf != NULL, .file = "" };

	if (cf != NULL) {
		opts.file = conf_str(cf, "file");
		opts.format = (enum dns_querylog_format)conf_enum(cf, "format");
		opts.privacy = (enum dns_privacy)conf_enum(cf, "privacy");
	}
	dns_querylog_configure(ds->querylog, &opts);
	dns_resolver_set_querylog(ds->resolver, opts.on ? ds->querylog : NULL);
}

static enum err
read_zones(struct dns_service *ds, const struct conf *cf, const char *key, struct dns_zones *out)
{
	size_t bad;
	enum err e = dns_zones_init(out, cf, key, &bad);

	if (e != OK)
		service_complain(ds->sv, cf, key, bad, "\"%s\": %s",
		    bad < conf_count(cf, key) ? conf_str_at(cf, key, bad) : "", err_text(e));
	return e;
}

static void
drop_config(struct dns_resolver_config *rc)
{
	acl_fini(&rc->acl);
	acl_fini(&rc->rate_exempt);
	dns_zones_fini(&rc->no_cache);
	dns_zones_fini(&rc->no_stale);
}

static enum err
read_config(struct dns_service *ds, const struct conf *cf, struct dns_resolver_config *rc)
{
	*rc = (struct dns_resolver_config){
		.cache = cache_config(cf),
		.ttl = { .min = whole_seconds(cf, "min-ttl"), .max = whole_seconds(cf, "max-ttl"),
		    .max_negative = whole_seconds(cf, "max-negative-ttl"), .no_soa = 5 },
		.prefetch = conf_bool(cf, "prefetch"),
		.trust_ad = conf_bool(cf, "trust-ad"),
		.client_queries = (unsigned)conf_int(cf, "client-queries"),
		.client_rate = (uint32_t)conf_int(cf, "client-rate"),
		.top = conf_bool(cf, "top"),
		.filter_aaaa = conf_bool(cf, "filter-aaaa"),
		.fresh_ports = (uint32_t)conf_int(cf, "fresh-ports"),
	};

	enum err e = acl_init(&rc->acl, cf, "allow");

	if (e == OK && *conf_str(cf, "dns64") != '\0')
		e = dns_v6_prefix_parse(&rc->dns64, conf_str(cf, "dns64"));

	if (e == OK)
		e = acl_init(&rc->rate_exempt, cf, "client-rate-exempt");
	if (e == OK)
		e = read_zones(ds, cf, "no-cache", &rc->no_cache);
	if (e == OK)
		e = read_zones(ds, cf, "no-stale", &rc->no_stale);
	if (e != OK)
		drop_config(rc);
	return e;
}

/* What can be refused comes first; where something is, the previous settings are put back. */
static enum err
apply(struct service *sv, const struct conf *cf)
{
	struct dns_service *ds = sv->state;
	struct dns_resolver_config rc = { 0 };
	struct dns_plan *plan = NULL;
	struct dns_lists_change *lists = NULL;
	struct dns_addrset *addrsets = NULL;
	enum err e = plan_names(&plan, cf);

	if (e == OK)
		e = read_config(ds, cf, &rc);
	if (e == OK)
		e = dns_lists_prepare(ds->lists, cf, &lists);
	if (e == OK)
		e = read_addrsets(ds, cf, &addrsets);
	if (e == OK)
		e = dns_servers_apply(ds->servers, cf);
	if (e == OK) {
		/*
		 * At the start the first answer has to be right; later the old names hold until
		 * then.
		 */
		e = dns_sources_use(ds->sources, plan, dns_sources_set(ds->sources) == NULL);
		if (e != OK && (ds->cf == NULL || dns_servers_apply(ds->servers, ds->cf) != OK)) {
			log_note(sv->log, LOG_LEVEL_ERR, "dns",
			    "cannot go back to the previous servers");
			dns_servers_settle(ds->servers);
		}
	}
	if (e == OK) {
		dns_lists_commit(ds->lists, lists, ds->cf == NULL);
		commit_addrsets(ds, addrsets);
		dns_resolver_configure(ds->resolver, &rc);
		apply_querylog(ds, conf_section(cf, "query-log", 0));
		dns_snapshots_configure(ds->snapshots, conf_bool(cf, "snapshot"),
		    conf_duration(cf, "snapshot-interval"));
		ds->cf = cf;
	} else {
		dns_lists_abandon(lists);
		dns_addrset_free(addrsets);
	}
	drop_config(&rc);
	dns_plan_drop(plan);
	return e;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err
listen_tcp(struct dns_service *ds, const struct addr *local, const struct conf *cf)
{
	struct tcp_opts opts = {
		.ops = &dns_stream_tcp_ops,
		.ctx = ds,
		.conns_max = (unsigned)conf_int(cf, "tcp-clients"),
		.idle_timeout = conf_duration(cf, "tcp-idle"),
	};

	/*
	 * Half of all connections for one client: enough for any browser, too few to shut others
	 * out.
	 */
	opts.per_peer_max = opts.conns_max / 2 + 1;

	enum err e = tcp_listen(&ds->listeners[ds->listener_count], ds->sv->loop, local, &opts);

	if (e != OK) {
		service_complain_listen(ds->sv, local, "TCP", e);
		return e;
	}
	ds->listener_count++;
	return OK;
}

/* One address, both transports. */
static enum err
listen_on(struct dns_service *ds, const struct conf *cf, size_t i)
{
	struct addr local = conf_addr_at(cf, "listen", i);
	struct udp_socket *udp;
	struct udp_opts opts = { .rcvbuf = RCVBUF };
	enum err e;

	if (!service_can_listen(ds->sv, cf, "listen", &local))
		return OK;
	e = service_listen(ds->sv, &local, &opts, &udp);
	if (e != OK)
		return e;
	/* With port 0 the kernel has picked one; TCP takes the same. */
	addr_set_port(&local, addr_port(udp_local(udp)));
	return listen_tcp(ds, &local, cf);
}

static uint64_t
routes_fingerprint(void *ctx)
{
	return dns_resolver_fingerprint(((const struct dns_service *)ctx)->resolver);
}

static enum err
start_snapshots(struct dns_service *ds)
{
	struct dns_snapshots_env env = {
		.loop = ds->sv->loop,
		.log = ds->sv->log,
		.offload = ds->sv->offload,
		.cache = dns_resolver_cache(ds->resolver),
		.service = "dns",
		.dir = ds->sv->state_dir,
		.routes = routes_fingerprint,
		.ctx = ds,
	};

	return dns_snapshots_new(&ds->snapshots, &env);
}

static enum err
start_querylog(struct dns_service *ds)
{
	struct dns_querylog_env env = {
		.loop = ds->sv->loop,
		.log = ds->sv->log,
		.offload = ds->sv->offload,
		.service = "dns",
	};

	return dns_querylog_new(&ds->querylog, &env);
}

static enum err
start(struct service *sv, const struct conf *cf)
{
	struct dns_service *ds = calloc(1, sizeof(*ds));
	struct dns_resolver_env env = {
		.loop = sv->loop,
		.log = sv->log,
		.netif = sv->netif,
		.offload = sv->offload,
		.rand = sv->rand,
		.service = "dns",
		.wake_at = wake_at,
		.ctx = ds,
	};
	struct dns_cache_config cache = cache_config(cf);

	if (ds == NULL)
		return ERR_NOMEM;
	sv->state = ds;
	ds->sv = sv;
	ds->stream_ctx.ops = &stream_ops;

	enum err e = dns_resolver_new(&ds->resolver, &env, &cache);

	if (e == OK)
		e = dns_commands_new(&ds->commands, sv->loop, ds->resolver);
	if (e == OK)
		e = start_names(ds);
	if (e == OK)
		e = start_lists(ds);
	if (e == OK)
		e = start_addrsets(ds, cf);
	if (e == OK)
		e = start_snapshots(ds);
	if (e == OK)
		e = start_querylog(ds);
	if (e == OK)
		e = dns_servers_new(&ds->servers, sv, ds->resolver, ds->watcher, RESOLVCONF);
	assert(conf_count(cf, "listen") <= LISTEN_MAX);	/* count_max of the key */
	for (size_t i = 0; e == OK && i < conf_count(cf, "listen"); i++)
		e = listen_on(ds, cf, i);
	return e;
}

static void
stop(struct service *sv)
{
	struct dns_service *ds = sv->state;

	if (ds == NULL)
		return;
	for (size_t i = 0; i < ds->listener_count; i++)
		tcp_listener_close(ds->listeners[i]);
	dns_servers_free(ds->servers);
	stop_names(ds);
	dns_commands_free(ds->commands);
	dns_snapshots_free(ds->snapshots);
	dns_querylog_free(ds->querylog);
	dns_resolver_free(ds->resolver);
	free(ds);
	sv->state = NULL;
}

static bool
busy(const struct service *sv)
{
	const struct dns_service *ds = sv->state;
	bool saving = dns_snapshots_finish(ds->snapshots);
	bool telling = dns_querylog_finish(ds->querylog);

	return dns_resolver_finish(ds->resolver) || saving || telling;
}

static void
report(const struct service *sv, struct report *out)
{
	const struct dns_service *ds = sv->state;
	struct report *list;

	dns_resolver_report(ds->resolver, out);
	dns_sources_report(ds->sources, report_object(out, "local"));
	dns_lists_report(ds->lists, report_list(out, "lists"));
	dns_addrsets_report(ds->addrsets, report_object(out, "address_sets"));
	dns_snapshots_report(ds->snapshots, report_object(out, "snapshot"));
	dns_querylog_report(ds->querylog, report_object(out, "query_log"));
	dns_servers_report(ds->servers, report_object(out, "resolvconf"));
	list = report_list(out, "tcp_listeners");
	for (size_t i = 0; i < ds->listener_count; i++) {
		const struct tcp_stats *st = tcp_stats(ds->listeners[i]);
		struct report *o = report_object(list, NULL);

		report_addr(o, "local", tcp_listener_local(ds->listeners[i]));
		report_u64(o, "open", st->open);
		report_u64(o, "accepted", st->accepted);
		report_u64(o, "refused", st->refused);
		report_u64(o, "evicted", st->evicted);
		report_u64(o, "timed_out", st->timed_out);
		report_u64(o, "overflowed", st->overflowed);
	}
}

static void
command(struct service *sv, struct ctl_request *rq)
{
	dns_command(((struct dns_service *)sv->state)->commands, rq);
}

const struct service_ops dns_service_ops = {
	.abi = HEARTH_SERVICE_ABI,
	.name = "dns",
	.help = "caching DNS forwarder",
	.keys = keys,
	.start = start,
	.apply = apply,
	.reopen = reopen,
	.receive = receive,
	.wake = wake,
	.report = report,
	.command = command,
	.busy = busy,
	.stop = stop,
};
