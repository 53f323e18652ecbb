/* SPDX-License-Identifier: MIT */
/* resolv.conf(5) is followed: real files, the real loop and pool, no server is asked anything. */
#include "services/dns/dns_servers.h"

#include <semaphore.h>

#include "core/netif.h"
#include "core/rand.h"
#include "services/dns/dns_service.h"
#include "support/dns.h"
#include "support/edge.h"

#define BLOCKERS 4	/* jobs: one keeps the only thread, the others fill the queue */

static const struct conf_key keys[] = {
	{ .name = "dns", .type = CONF_SECTION, .keys = NULL }, { 0 }
};

static struct {
	struct conf_key keys[2];
	struct conf_file *file;
	struct rand rand;
	struct service sv;
	struct dns_resolver *resolver;
	struct dns_servers *servers;
	char path[128];
} play;

static void
wake_at(void *ctx, mono_us at)
{
	(void)ctx;
	(void)at;
}

static void
begin(const char *resolvconf, const char *settings)
{
	struct dns_cache_config cache = DNS_CACHE_CONFIG_DEFAULT;

	edge_begin(1, BLOCKERS - 1);
	edge_put("resolv.conf", resolvconf);
	snprintf(play.path, sizeof(play.path), "%s", edge_path("resolv.conf"));
	memcpy(play.keys, keys, sizeof(keys));
	play.keys[0].keys = dns_service_ops.keys;
	play.file = edge_settings(settings, play.keys);
	rand_init(&play.rand);
	play.sv = (struct service){ .ops = &dns_service_ops, .loop = edge.loop,
		.offload = edge.pool, .rand = &play.rand };
	CU_ASSERT_EQUAL_FATAL(log_new(&play.sv.log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT), OK);
	CU_ASSERT_EQUAL_FATAL(netif_new(&play.sv.netif, edge.loop, play.sv.log), OK);

	struct dns_resolver_env env = { .loop = edge.loop, .log = play.sv.log,
		.netif = play.sv.netif, .rand = &play.rand, .service = "dns", .wake_at = wake_at };

	CU_ASSERT_EQUAL_FATAL(dns_resolver_new(&play.resolver, &env, &cache), OK);
	CU_ASSERT_EQUAL_FATAL(dns_servers_new(&play.servers, &play.sv, play.resolver, edge.watcher,
	    play.path), OK);
	CU_ASSERT_EQUAL_FATAL(dns_servers_apply(play.servers,
	    conf_section(conf_root(play.file), "dns", 0)), OK);
}

static void
end(void)
{
	dns_servers_free(play.servers);
	dns_resolver_free(play.resolver);
	netif_free(play.sv.netif);
	edge_end();
	log_free(play.sv.log);
	rand_fini(&play.rand);
	conf_file_free(play.file);
}

/* The servers of the default route, a blank before each. */
static const char *
servers(void)
{
	static char all[256];
	struct dns_name root = dns_test_name(".");
	const struct dns_route *route =
	    dns_routes_find(dns_resolver_routes(play.resolver), dns_name_span(&root));
	char text[ADDR_TEXT_MAX];
	size_t at = 0;

	all[0] = '\0';
	for (size_t i = 0; i < route->count; i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, " %s",
		    addr_format_host(dns_server_addr(route->servers[i]), text));
	return all;
}

static void
changes_of_the_file_are_followed(void)
{
	begin("nameserver 203.0.113.1\n", "dns { }");
	CU_ASSERT_STRING_EQUAL(servers(), " 203.0.113.1");
	edge_settle();
	edge_put_atomically("resolv.conf", "nameserver 203.0.113.2\nnameserver 203.0.113.3\n");
	EDGE_AWAIT(strcmp(servers(), " 203.0.113.2 203.0.113.3") == 0);
	edge_put("resolv.conf", "# nobody\n");
	edge_settle();
	CU_ASSERT_STRING_EQUAL(servers(), " 203.0.113.2 203.0.113.3");
	end();
}

static void
servers_of_the_settings_stay(void)
{
	begin("nameserver 203.0.113.1\n", "dns { upstream = 203.0.113.9 }");
	edge_settle();
	edge_put("resolv.conf", "nameserver 203.0.113.2\n");
	edge_settle();
	CU_ASSERT_STRING_EQUAL(servers(), " 203.0.113.9");
	end();
}

/* --- a full pool ------------------------------------------------------------------------------ */

static sem_t gate, begun;

static void
wait_at_gate(struct offload_job *j)
{
	(void)j;
	sem_post(&begun);
	sem_wait(&gate);
}

static void
pass(struct offload_job *j)
{
	(void)j;
}

/*
 * The watcher's own walk goes through the same pool. So it is let through, and when it has been
 * done, but the loop has not heard of it yet, the pool is filled.
 */
static void
a_full_pool_is_asked_again(void)
{
	struct offload_job busy[BLOCKERS + 1];
	uint64_t refused, submitted;

	sem_init(&gate, 0, 0);
	sem_init(&begun, 0, 0);
	for (size_t i = 0; i <= BLOCKERS; i++)
		busy[i] = (struct offload_job){ .work = wait_at_gate, .done = pass };
	begin("nameserver 203.0.113.1\n", "dns { }");
	edge_settle();
	CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &busy[0]), OK);
	sem_wait(&begun);
	submitted = offload_stats(edge.pool)->submitted;
	edge_put("resolv.conf", "nameserver 203.0.113.2\n");
	EDGE_AWAIT(offload_stats(edge.pool)->submitted > submitted);
	CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &busy[1]), OK);
	sem_post(&gate);		/* the first ends, the walk is done, the second begins */
	sem_wait(&begun);
	for (size_t i = 2; i <= BLOCKERS; i++)
		CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &busy[i]), OK);
	refused = offload_stats(edge.pool)->refused;
	EDGE_AWAIT(offload_stats(edge.pool)->refused > refused);
	CU_ASSERT_STRING_EQUAL(servers(), " 203.0.113.1");
	for (size_t i = 1; i <= BLOCKERS; i++)
		sem_post(&gate);
	EDGE_AWAIT(strcmp(servers(), " 203.0.113.2") == 0);
	end();
	sem_destroy(&gate);
	sem_destroy(&begun);
}

UNIT_MAIN("dns_servers", UNIT(changes_of_the_file_are_followed),
    UNIT(servers_of_the_settings_stay), UNIT(a_full_pool_is_asked_again))
