/* SPDX-License-Identifier: MIT */
/* Real files, the real loop and pool; the clock on the wall is ours. */
#include "services/dns/dns_sources.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/offload.h"
#include "core/report_json.h"
#include "core/watch.h"
#include "support/edge.h"

#define NOW	 INT64_C(1767900000)

static const struct conf_key keys[] = { DNS_PLAN_KEYS, { 0 } };

static struct dns_sources *sources;
static int64_t wall;
static unsigned changes;

/* --- files ------------------------------------------------------------------------------------ */

/* Make a file that cannot be read, even by root: it is too large. */
static void
spoil(const char *name)
{
	CU_ASSERT_EQUAL(truncate(edge_path(name), (off_t)65 << 20), 0);
}

/* --- the sources ------------------------------------------------------------------------------ */

static int64_t
read_wall(void *ctx)
{
	(void)ctx;
	return wall;
}

static void
on_changed(void *ctx)
{
	(void)ctx;
	changes++;
}

static void
prepare_with(unsigned threads, unsigned queue)
{
	struct dns_sources_env env = { .service = "dns", .wall = read_wall, .changed = on_changed,
		.key = "0123456789abcde" };

	edge_begin(threads, queue);
	env.loop = edge.loop;
	env.offload = edge.pool;
	env.watcher = edge.watcher;
	CU_ASSERT_EQUAL_FATAL(dns_sources_new(&sources, &env), OK);
	wall = NOW;
	changes = 0;
}

static void
prepare(void)
{
	prepare_with(2, 100);
}

static void
clean_up(void)
{
	dns_sources_free(sources);
	edge_end();
}

/* Put settings in force; @ in them is the test's directory. */
static struct dns_plan *
plan_of(const char *settings)
{
	struct conf_file *cf = edge_settings(settings, keys);
	struct dns_plan *plan;

	CU_ASSERT_EQUAL_FATAL(dns_plan_new(&plan, conf_root(cf)), OK);
	conf_file_free(cf);
	return plan;
}

static void
use(const char *settings, bool wait)
{
	struct dns_plan *plan = plan_of(settings);

	CU_ASSERT_EQUAL_FATAL(dns_sources_use(sources, plan, wait), OK);
	dns_plan_drop(plan);
}

/* --- questions -------------------------------------------------------------------------------- */

/* What a name is: "none", "other", or its addresses in order, each followed by a blank. */
static const char *
look(const char *name)
{
	static char out[4096];
	static uint8_t reply[DNS_MSG_MAX];
	uint8_t packet[600];
	struct dns_name n;
	struct dns_query q;
	struct dns_local_found f;
	struct dns_walk walk;
	struct dns_wr wr;
	struct dns_rr rr;

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&n, span_str(name)), OK);

	struct dns_ask ask = { .name = dns_name_span(&n), .type = DNS_TYPE_A,
	    .class = DNS_CLASS_IN };

	CU_ASSERT_EQUAL_FATAL(dns_query_parse(&q,
	    span_of(packet, dns_ask_write(&ask, packet, sizeof(packet)))), DNS_QUERY_OK);
	dns_local_find(dns_sources_set(sources), dns_query_name(&q), DNS_TYPE_A, NULL, &f);
	if (f.verdict != DNS_LOCAL_ANSWER)
		return f.verdict == DNS_LOCAL_NOT_OURS ? "other" : "none";
	dns_wr_begin(&wr, &q, reply, sizeof(reply));
	dns_local_write(&f, &wr);
	dns_walk_begin(&walk, span_of(reply, dns_wr_end(&wr, 0, 0, NULL)));
	out[0] = '\0';
	while (dns_rr_next(&walk, &rr)) {
		char text[INET_ADDRSTRLEN];

		if (rr.type == DNS_TYPE_A)
			strcat(strcat(out, inet_ntop(AF_INET, rr.rdata.at, text, sizeof(text))),
			    " ");
	}
	return out;
}

#define IS(name, want) CU_ASSERT_STRING_EQUAL(look(name), want)

/* Turn the loop until a name is what it should be or patience is spent. */
static void
await(const char *name, const char *want)
{
	EDGE_AWAIT(strcmp(look(name), want) == 0);
	IS(name, want);
}

/* Turn the loop until there were so many sets. */
static void
await_changes(unsigned n)
{
	EDGE_AWAIT(changes >= n);
	CU_ASSERT_EQUAL(changes, n);
}

/* --- hosts files ------------------------------------------------------------------------------ */

#define HOSTS "hosts = { \"@/hosts\" }\n"

static void
names_are_there_at_once_at_the_start(void)
{
	prepare();
	CU_ASSERT_PTR_NULL(dns_sources_set(sources));
	edge_put("hosts", "192.168.1.5 nas\n");
	use(HOSTS, true);
	CU_ASSERT_EQUAL(changes, 1);
	IS("nas", "192.168.1.5 ");
	IS("nas.home.arpa", "192.168.1.5 ");
	clean_up();
}

static void
a_hosts_file_is_followed(void)
{
	prepare();
	edge_put("hosts", "192.168.1.5 nas\n192.168.1.6 tv\n");
	use(HOSTS, true);
	edge_settle();
	edge_put("hosts", "192.168.1.7 nas\n");
	await("nas", "192.168.1.7 ");
	IS("tv", "none");
	edge_put_atomically("hosts", "192.168.1.8 nas\n");
	await("nas", "192.168.1.8 ");
	CU_ASSERT_EQUAL(unlink(edge_path("hosts")), 0);
	await("nas", "none");
	edge_put("hosts", "192.168.1.9 nas\n");
	await("nas", "192.168.1.9 ");
	clean_up();
}

static void
files_that_have_not_changed_make_no_new_set(void)
{
	struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

	prepare();
	wall = (int64_t)1 << 40;	/* no file is so young that its times prove nothing */
	edge_put("hosts", "192.168.1.5 nas\n");
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, edge_path("hosts"), old, 0), 0);
	use("hosts = { \"@/hosts\", \"@/missing\" }\n", true);
	edge_settle();
	edge_settle();
	CU_ASSERT_EQUAL(changes, 1);
	/* The same size and times, but another file. */
	edge_put(".new", "192.168.1.6 nas\n");
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, edge_path(".new"), old, 0), 0);
	CU_ASSERT_EQUAL(rename(edge_path(".new"), edge_path("hosts")), 0);
	await("nas", "192.168.1.6 ");
	CU_ASSERT_EQUAL(changes, 2);
	clean_up();
}

static void
a_directory_of_hosts_files_is_followed(void)
{
	prepare();
	CU_ASSERT_EQUAL(mkdir(edge_path("d"), 0700), 0);
	edge_put("d/20-b", "192.168.1.6 b\n192.168.1.6 first\n");
	edge_put("d/10-a", "192.168.1.5 a\n");
	edge_put("d/a~", "192.168.1.66 backup\n");
	edge_put("d/.hidden", "192.168.1.66 hidden\n");
	edge_put("d/x.dpkg-old", "192.168.1.66 package\n");
	use("hosts = { \"@/d\" }\n", true);
	IS("a", "192.168.1.5 ");
	IS("b", "192.168.1.6 ");
	IS("backup", "none");
	IS("hidden", "none");
	IS("package", "none");
	edge_settle();
	edge_put("d/30-c", "192.168.1.7 c\n");
	await("c", "192.168.1.7 ");
	edge_put("d/10-a", "192.168.1.8 a\n");
	await("a", "192.168.1.8 ");
	CU_ASSERT_EQUAL(unlink(edge_path("d/20-b")), 0);
	await("b", "none");
	IS("c", "192.168.1.7 ");
	clean_up();
}

static void
what_cannot_be_read_keeps_its_names(void)
{
	prepare();
	edge_put("hosts", "192.168.1.5 nas\n192.168.1.5 files\n");
	edge_put("other", "192.168.1.6 tv\n");
	edge_put("leases", "0 aa:01 192.168.1.20 phone *\n");
	use("hosts = { \"@/hosts\", \"@/other\" }\nleases = { \"@/leases\" }\n", true);
	edge_settle();
	spoil("hosts");
	edge_put("other", "192.168.1.7 tv\n");
	await("tv", "192.168.1.7 ");
	edge_settle();
	IS("nas", "192.168.1.5 ");
	IS("files.home.arpa", "192.168.1.5 ");
	spoil("leases");
	edge_put("other", "192.168.1.8 tv\n");
	await("tv", "192.168.1.8 ");
	edge_settle();
	IS("phone", "192.168.1.20 ");
	IS("nas", "192.168.1.5 ");
	edge_put("leases", "this is no lease file\n");
	edge_put("other", "192.168.1.9 tv\n");
	await("tv", "192.168.1.9 ");
	edge_settle();
	IS("phone", "192.168.1.20 ");
	edge_put("hosts", "192.168.1.10 nas\n");
	await("nas", "192.168.1.10 ");
	IS("files", "none");
	edge_put("leases", "0 aa:01 192.168.1.21 phone *\n");
	await("phone", "192.168.1.21 ");
	clean_up();
}

/* --- leases ----------------------------------------------------------------------------------- */

#define LEASES "hosts = { \"@/hosts\" }\nleases = { \"@/leases\" }\n"

static void
a_lease_file_is_followed(void)
{
	prepare();
	use(LEASES, true);
	IS("phone", "none");
	edge_settle();
	edge_put("leases", "1767990000 aa:01 192.168.1.20 phone *\n");
	await("phone", "192.168.1.20 ");
	IS("phone.home.arpa", "192.168.1.20 ");
	edge_put_atomically("leases", "1767990000 aa:01 192.168.1.21 phone *\n");
	await("phone", "192.168.1.21 ");
	clean_up();
}

static void
leases_expire(void)
{
	prepare();
	edge_put("leases", "1767900001 aa:01 192.168.1.20 phone *\n1767990000 aa:02 192.168.1.21 tv *\n");
	use(LEASES, true);
	edge_settle();
	IS("phone", "192.168.1.20 ");
	wall = NOW + 2;
	await("phone", "none");
	IS("tv", "192.168.1.21 ");
	clean_up();
}

static void
what_kea_moved_aside_counts_too(void)
{
#define KEA "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
	prepare();
	edge_put("leases.2", KEA "192.168.1.20,aa:01,,3600,1767990000,1,0,0,a,0\n"
			    "192.168.1.21,aa:02,,3600,1767990000,1,0,0,b,0\n"
			    "192.168.1.22,aa:03,,3600,1767990000,1,0,0,c,0\n");
	edge_put("leases.1", KEA "192.168.1.21,aa:02,,0,1767990000,1,0,0,b,0\n"
			    "192.168.1.22,aa:03,,3600,1767990000,1,0,0,cc,0\n");
	edge_put("leases.completed", "192.168.1.66 not-kea\n");
	edge_put("leases", KEA "192.168.1.23,aa:04,,3600,1767990000,1,0,0,d,0\n");
	use(LEASES, true);
	IS("a", "192.168.1.20 ");
	IS("b", "none");
	IS("c", "none");
	IS("cc", "192.168.1.22 ");
	IS("d", "192.168.1.23 ");
	IS("not-kea", "none");
	clean_up();
}

static void
hosts_beat_leases(void)
{
	prepare();
	edge_put("hosts", "192.168.1.5 nas\n");
	edge_put("leases", "0 aa:01 192.168.1.66 nas *\n");
	use(LEASES, true);
	IS("nas", "192.168.1.5 ");
	clean_up();
}

/* --- settings --------------------------------------------------------------------------------- */

static void
another_plan_takes_over_without_a_gap(void)
{
	prepare();
	edge_put("hosts", "192.168.1.5 nas\n");
	edge_put("other", "192.168.1.6 tv\n");
	use(HOSTS, true);
	edge_settle();
	use("hosts = { \"@/other\" }\ndomain = \"lan\"\naddress = { \"/apps.lan/192.168.1.7\" }\n",
	    false);
	IS("nas", "192.168.1.5 ");
	await("tv", "192.168.1.6 ");
	IS("tv.lan", "192.168.1.6 ");
	IS("x.apps.lan", "192.168.1.7 ");
	IS("nas", "none");
	edge_settle();
	edge_put("hosts", "192.168.1.8 nas\n");
	edge_settle();
	IS("nas", "none");
	edge_put("other", "192.168.1.9 tv\n");
	await("tv", "192.168.1.9 ");
	clean_up();
}

static void
settings_make_rules(void)
{
	struct dns_plan *plan;
	struct dns_name n;

	prepare();
	plan = plan_of("hosts = {}\n"
		       "address = { \"/a.example/b.example/192.168.1.7\", \"/ads.example/\", "
		       "\"/zero.example/#\" }\n"
		       "record = { \"box.example 300 IN A 192.168.1.8\", \"*.box.example A 192.168.1.9\", "
		       "\"alias.example CNAME box.example\" }\n"
		       "local = { \"own.example\" }\ndomain = \"\"\n");
	CU_ASSERT_EQUAL(dns_name_parse(&n, SPAN("corp.own.example")), OK);
	CU_ASSERT_EQUAL(dns_plan_forward(plan, dns_name_span(&n), "x"), OK);
	CU_ASSERT_EQUAL_FATAL(dns_sources_use(sources, plan, true), OK);
	dns_plan_drop(plan);
	IS("x.a.example", "192.168.1.7 ");
	IS("b.example", "192.168.1.7 ");
	IS("x.ads.example", "none");
	IS("zero.example", "0.0.0.0 ");
	IS("x.own.example", "none");
	IS("box.example", "192.168.1.8 ");
	IS("y.box.example", "192.168.1.9 ");
	IS("alias.example", "192.168.1.8 ");
	IS("x.corp.own.example", "other");
	clean_up();
}

static void
wrong_settings_are_named(void)
{
	CU_ASSERT_PTR_NULL(dns_plan_check_address("/apps.home.arpa/192.168.1.7"));
	CU_ASSERT_PTR_NULL(dns_plan_check_address("/a/b/2001:db8::1"));
	CU_ASSERT_PTR_NULL(dns_plan_check_address("/a/"));
	CU_ASSERT_PTR_NULL(dns_plan_check_address("/a/#"));
	CU_ASSERT_PTR_NULL(dns_plan_check_address("/#/192.168.1.1"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address(""));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("/"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("//192.168.1.1"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("/a//192.168.1.1"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("apps/192.168.1.1"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("/apps"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("/apps/192.168.1"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_address("/*.apps/192.168.1.1"));
	CU_ASSERT_PTR_NULL(dns_plan_check_record("nas.home.arpa. 60 IN A 192.168.1.5"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_record("nas.home.arpa. 60 IN A 192.168.1"));
	CU_ASSERT_PTR_NULL(dns_plan_check_zone("home.arpa."));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_zone(""));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_zone("a..b"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_zone("my home"));
	CU_ASSERT_PTR_NULL(dns_plan_check_record("nas.home.arpa A 192.168.1.5"));
	CU_ASSERT_PTR_NULL(dns_plan_check_record("nas. MX 5 mail."));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_record("nas A 192.168.1.5"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_record("nas.home.arpa MX 5 mail"));
	CU_ASSERT_PTR_NOT_NULL(dns_plan_check_record("@ A 192.168.1.5"));
	CU_ASSERT_PTR_NULL(dns_plan_check_domain(""));
}

static void
a_cname_stands_alone(void)
{
	static const struct {
		const char *text;
		const char *want;	/* in the finding; NULL: fine */
	} cases[] = {
		{ "record = { 'a.x CNAME b.x', 'a.y A 192.0.2.1', 'b.x A 192.0.2.1' }", NULL },
		{ "record = { 'a.x CNAME b.x', 'A.X. 60 IN CNAME b.x.' }", NULL },
		{ "record = { 'a.x TXT t',\n 'A.x. CNAME b.x' }",
		  ":2: record: \"A.x. CNAME b.x\": a CNAME stands alone" },
		{ "record = { 'a.x CNAME b.x',\n 'a.x CNAME c.x' }",
		  ":2: record: \"a.x CNAME c.x\": a name has one CNAME" },
	};
	struct conf_file *cf;
	char findings[1024];

	prepare();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		edge_put("a.conf", cases[i].text);

		enum err e = conf_read(&cf, edge_path("a.conf"), keys, findings, sizeof(findings));

		CU_ASSERT_EQUAL_FATAL(e == OK, cases[i].want == NULL);
		if (e != OK)
			CU_ASSERT_PTR_NOT_NULL(strstr(findings, cases[i].want));
		conf_file_free(cf);
	}
	clean_up();
}

/* --- life ------------------------------------------------------------------------------------- */

static void
it_may_end_while_files_are_read(void)
{
	prepare();
	edge_put("hosts", "192.168.1.5 nas\n");
	use(HOSTS, true);
	use(HOSTS, false);
	clean_up();
	prepare();
	use(HOSTS, false);
	CU_ASSERT_PTR_NULL(dns_sources_set(sources));
	clean_up();
	dns_sources_free(NULL);
}

static sem_t gate;

static void
wait_at_gate(struct offload_job *j)
{
	(void)j;
	sem_wait(&gate);
}

static void
pass(struct offload_job *j)
{
	(void)j;
}

static void
a_full_pool_is_asked_again(void)
{
	struct offload_job busy = { .work = wait_at_gate, .done = pass };
	struct offload_job queued = busy;
	mono_us until;

	prepare_with(1, 1);
	sem_init(&gate, 0, 0);
	edge_put("hosts", "192.168.1.5 nas\n");
	CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &busy), OK);
	until = loop_clock(edge.loop) + EDGE_PATIENCE;
	/* The queue has room as soon as the thread has taken the first job. */
	while (offload_submit(edge.pool, &queued) != OK && loop_clock(edge.loop) < until)
		CU_ASSERT_EQUAL_FATAL(loop_turn(edge.loop, loop_now(edge.loop) + millis(1)), OK);
	use(HOSTS, false);
	CU_ASSERT_PTR_NULL(dns_sources_set(sources));
	CU_ASSERT_TRUE(offload_stats(edge.pool)->refused > 0);
	sem_post(&gate);
	sem_post(&gate);
	await_changes(1);
	IS("nas", "192.168.1.5 ");
	clean_up();
	sem_destroy(&gate);
}

static void
a_report_tells_of_every_file(void)
{
	struct report *r = report_new();
	const json_t *files;

	prepare();
	edge_put("hosts", "192.168.1.5 nas tv\n192.168.1.6 b!d\nx\n");
	edge_put("leases", "0 aa:01 192.168.1.20 phone *\n");
	use("hosts = { \"@/hosts\", \"@/missing\" }\nleases = { \"@/leases\" }\n", true);
	dns_sources_report(sources, r);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(report_json(r), "readings")), 1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(report_json(r), "leases")), 1);
	files = json_object_get(report_json(r), "files");
	CU_ASSERT_EQUAL_FATAL(json_array_size(files), 3);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(files, 0), "names")), 2);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(files, 0), "bad_lines")),
	    2);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(files, 1),
	    "state")),
	    "No such file or directory");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(files, 2), "kind")),
	    "dnsmasq");
	report_free(r);
	clean_up();
}

UNIT_MAIN("dns_sources", UNIT(names_are_there_at_once_at_the_start),
    UNIT(a_hosts_file_is_followed), UNIT(files_that_have_not_changed_make_no_new_set),
    UNIT(a_directory_of_hosts_files_is_followed), UNIT(what_cannot_be_read_keeps_its_names),
    UNIT(a_lease_file_is_followed), UNIT(leases_expire), UNIT(what_kea_moved_aside_counts_too),
    UNIT(hosts_beat_leases), UNIT(another_plan_takes_over_without_a_gap),
    UNIT(settings_make_rules), UNIT(wrong_settings_are_named), UNIT(a_cname_stands_alone),
    UNIT(it_may_end_while_files_are_read), UNIT(a_full_pool_is_asked_again),
    UNIT(a_report_tells_of_every_file))
