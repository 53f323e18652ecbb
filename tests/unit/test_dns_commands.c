/* SPDX-License-Identifier: MIT */
/* hearthctl dns …, as far as it takes several turns of the loop: flushes. */
#include "services/dns/dns_commands.h"

#include "core/log.h"
#include "core/loop.h"
#include "core/netif.h"
#include "core/rand.h"
#include "core/report_json.h"
#include "support/dns_cache.h"
#include "support/unit.h"

#include <stdarg.h>

/* --- requests that end here rather than in a connection --------------------------------------- */

void __wrap_ctl_done(struct ctl_request *rq);
void __wrap_ctl_fail(struct ctl_request *rq, const char *fmt, ...);

/* rq.user points to it. */
struct asked {
	struct ctl_request rq;
	unsigned done, failed;
};

void
__wrap_ctl_done(struct ctl_request *rq)
{
	((struct asked *)rq->user)->done++;
}

void
__wrap_ctl_fail(struct ctl_request *rq, const char *fmt, ...)
{
	(void)fmt;
	((struct asked *)rq->user)->failed++;
}

/* --- a resolver that nobody asks -------------------------------------------------------------- */

static struct {
	struct loop *loop;
	struct log *log;
	struct netif *netif;
	struct rand rand;
	struct dns_resolver *resolver;
	struct dns_commands *commands;
} d;

static void
wake_at(void *ctx, mono_us at)
{
	(void)ctx;
	(void)at;
}

static void
begin(unsigned entries)
{
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;

	CU_ASSERT_EQUAL_FATAL(loop_new(&d.loop), OK);
	CU_ASSERT_EQUAL_FATAL(log_new(&d.log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT), OK);
	CU_ASSERT_EQUAL_FATAL(netif_new(&d.netif, d.loop, d.log), OK);
	rand_init(&d.rand);

	struct dns_resolver_env env = { .loop = d.loop, .log = d.log, .netif = d.netif,
		.rand = &d.rand, .service = "dns", .wake_at = wake_at };

	CU_ASSERT_EQUAL_FATAL(dns_resolver_new(&d.resolver, &env, &cf), OK);
	CU_ASSERT_EQUAL_FATAL(dns_commands_new(&d.commands, d.loop, d.resolver), OK);
	for (unsigned i = 0; i < entries; i++) {
		struct dns_cache *c = dns_resolver_cache(d.resolver);
		struct dns_test_key k;
		char name[64];

		snprintf(name, sizeof(name), "n%u.example", i);
		dns_test_key(&k, c, name, DNS_TYPE_A);
		dns_cache_put(c, &k.key, dns_test_address(name, 300, 1), 0, loop_now(d.loop));
	}
}

static void
end(void)
{
	dns_commands_free(d.commands);
	dns_resolver_free(d.resolver);
	rand_fini(&d.rand);
	netif_free(d.netif);
	log_free(d.log);
	loop_free(d.loop);
}

static void
ask(struct asked *a, const char *word, const char *argument)
{
	*a = (struct asked){ .rq = { .argc = 2, .argv = { word, argument }, .user = a,
		.out = report_new() } };
	dns_command(d.commands, &a->rq);
}

static size_t
entries(void)
{
	struct dns_cache_stats st;

	dns_cache_stats(dns_resolver_cache(d.resolver), &st);
	return st.entries;
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
a_flush_takes_a_slice_a_turn(void)
{
	struct asked a;
	unsigned turns = 0;

	begin(5000);
	ask(&a, "flush", "--all");
	CU_ASSERT_EQUAL(a.done, 0);
	CU_ASSERT(entries() >= 3900 && entries() < 5000);
	while (a.done == 0 && turns < 100) {
		size_t before = entries();

		CU_ASSERT_EQUAL_FATAL(loop_turn(d.loop, loop_clock(d.loop) + seconds(1)), OK);
		CU_ASSERT(before - entries() <= 1024);
		turns++;
	}
	CU_ASSERT_EQUAL(a.done, 1);
	CU_ASSERT(turns >= 4);
	CU_ASSERT_EQUAL(entries(), 0);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(report_json(a.rq.out), "flushed")), 5000);
	report_free(a.rq.out);
	end();
}

static void
a_small_one_is_done_at_once(void)
{
	struct asked a;

	begin(500);
	ask(&a, "flush", "--stale");
	CU_ASSERT_EQUAL(a.done, 1);
	report_free(a.rq.out);
	ask(&a, "flush", "N7.example.");
	CU_ASSERT_EQUAL(a.done, 1);
	CU_ASSERT_EQUAL(entries(), 499);
	report_free(a.rq.out);
	ask(&a, "flush", "a..b");
	CU_ASSERT_EQUAL(a.failed, 1);
	report_free(a.rq.out);
	end();
}

static void
flushes_under_way_are_few_and_end_with_the_service(void)
{
	static struct asked a[17];

	begin(5000);
	for (size_t i = 0; i < 17; i++)
		ask(&a[i], "flush", "--negative");
	for (size_t i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(a[i].done + a[i].failed, 0);
	CU_ASSERT_EQUAL(a[16].failed, 1);
	end();
	for (size_t i = 0; i < 17; i++) {
		CU_ASSERT_EQUAL(a[i].failed, 1);
		CU_ASSERT_EQUAL(a[i].done, 0);
		report_free(a[i].rq.out);
	}
}

static void
a_dump_goes_on_where_it_ended(void)
{
	struct asked a;
	char next[64] = "";
	size_t seen = 0;

	begin(500);
	for (unsigned i = 0; i < 100; i++) {
		a = (struct asked){ .rq = { .argc = *next != '\0' ? 2 : 1,
			.argv = { "dump", next }, .user = &a, .out = report_new() } };
		dns_command(d.commands, &a.rq);
		CU_ASSERT_EQUAL_FATAL(a.done, 1);

		const json_t *result = report_json(a.rq.out);
		const char *more = json_string_value(json_object_get(result, "next"));

		seen += json_array_size(json_object_get(result, "entries"));
		snprintf(next, sizeof(next), "%s", more != NULL ? more : "");
		report_free(a.rq.out);
		if (more == NULL)
			break;
	}
	CU_ASSERT_EQUAL(seen, 500);
	for (size_t i = 0; i < 4; i++) {
		static const char *const nonsense[] = { "x", "1", "0.1x", "77.5" };

		ask(&a, "dump", nonsense[i]);
		CU_ASSERT_EQUAL(a.failed, 1);
		report_free(a.rq.out);
	}
	end();
}

UNIT_MAIN("dns_commands", UNIT(a_flush_takes_a_slice_a_turn), UNIT(a_small_one_is_done_at_once),
    UNIT(flushes_under_way_are_few_and_end_with_the_service), UNIT(a_dump_goes_on_where_it_ended))
