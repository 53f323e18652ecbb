/* SPDX-License-Identifier: MIT */
/* Real files, the real loop and pool. */
#include "services/dns/dns_lists.h"

#include <sys/stat.h>
#include <time.h>

#include "core/report_json.h"
#include "support/dns.h"
#include "support/edge.h"

static const struct conf_key keys[] = { DNS_LISTS_KEYS, { 0 } };

static struct dns_lists *lists;

static void
prepare(void)
{
	struct dns_lists_env env = { .service = "dns", .key = "0123456789abcde" };

	edge_begin(2, 100);
	env.loop = edge.loop;
	env.offload = edge.pool;
	env.watcher = edge.watcher;
	CU_ASSERT_EQUAL_FATAL(dns_lists_new(&lists, &env), OK);
}

static void
clean_up(void)
{
	dns_lists_free(lists);
	edge_end();
}

static enum err
use(const char *settings, bool wait)
{
	struct conf_file *cf = edge_settings(settings, keys);
	struct dns_lists_change *c;
	enum err e = dns_lists_prepare(lists, conf_root(cf), &c);

	if (e == OK)
		dns_lists_commit(lists, c, wait);
	conf_file_free(cf);
	return e;
}

/* How the filter judges a name for a client. */
static enum dns_filter_verdict
judge_for(const char *client, const char *text, char why[static DNS_FILTER_WHY_MAX])
{
	struct dns_filter *f = dns_lists_filter(lists);
	struct dns_name n = dns_test_name(text);
	struct dns_filter_hit hit;
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, client, 0), OK);

	enum dns_filter_verdict v =
	    dns_filter_name(f, dns_filter_mask(f, &(struct dns_filter_client){ .addr = &a }),
	    dns_name_span(&n), &hit);

	why[0] = '\0';
	if (v != DNS_FILTER_PASS)
		dns_filter_explain(f, &hit, why);
	return v;
}

static bool
blocked(const char *text)
{
	char why[DNS_FILTER_WHY_MAX];

	return judge_for("192.168.1.4", text, why) == DNS_FILTER_BLOCKED;
}

/* A number from the report of the first block. */
static uint64_t
number(const char *name)
{
	struct report *r = report_new();
	uint64_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	dns_lists_report(lists, report_list(r, "lists"));

	json_t *block = json_array_get(json_object_get(report_json(r), "lists"), 0);

	n = (uint64_t)json_integer_value(json_object_get(block, name));
	report_free(r);
	return n;
}

static void
files_and_names_are_read_before_the_first_question(void)
{
	char why[DNS_FILTER_WHY_MAX];

	prepare();
	edge_put("ads.txt", "0.0.0.0 ads.example\n");
	edge_put("more.txt", "||track.example^\n@@||fine.track.example^\n");
	CU_ASSERT_EQUAL(use("block ads { file = { '@/ads.txt', '@/more.txt' } "
			    "names = { 'own.example' } }\n"
			    "allow-names = { 'good.ads.example' }", true), OK);
	CU_ASSERT_TRUE(blocked("www.ads.example"));
	CU_ASSERT_TRUE(blocked("track.example"));
	CU_ASSERT_FALSE(blocked("fine.track.example"));
	CU_ASSERT_FALSE(blocked("x.good.ads.example"));
	CU_ASSERT_EQUAL(judge_for("192.168.1.4", "own.example", why), DNS_FILTER_BLOCKED);
	CU_ASSERT_STRING_EQUAL(why, "ads: own.example (settings)");
	CU_ASSERT_EQUAL(judge_for("192.168.1.4", "track.example", why), DNS_FILTER_BLOCKED);
	CU_ASSERT_STRING_EQUAL(why, "ads: track.example (more.txt)");
	clean_up();
}

static void
files_that_have_not_changed_are_not_read_again(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	edge_settle();
	edge_settle();		/* the watch has called, and the gathering is over */
	CU_ASSERT_EQUAL(number("loads"), 1);
	CU_ASSERT_EQUAL(number("names"), 1);
	clean_up();
}

static void
without_waiting_files_are_read_in_the_pool(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", false), OK);
	EDGE_AWAIT(blocked("ads.example"));
	clean_up();
}

static void
a_changed_file_takes_the_place_of_the_old_one(void)
{
	prepare();
	edge_put("ads.txt", "old.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	edge_put("ads.txt", "new.example\nmore.example\n");
	EDGE_AWAIT(blocked("new.example"));
	CU_ASSERT_FALSE(blocked("old.example"));
	edge_put_atomically("ads.txt", "third.example\n");
	EDGE_AWAIT(blocked("third.example"));
	CU_ASSERT_FALSE(blocked("new.example"));
	clean_up();
}

static void
a_file_that_comes_later_is_read_then(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = { '@/ads.txt', '@/late.txt' } }", true), OK);
	CU_ASSERT_TRUE(blocked("ads.example"));
	edge_put("late.txt", "late.example\n");
	EDGE_AWAIT(blocked("late.example"));
	CU_ASSERT_TRUE(blocked("ads.example"));
	clean_up();
}

/* Spoil a list in some way: what it held stays in force; mended, it counts again. */
static void
check_kept(void (*spoil)(void), void (*clear)(void))
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	spoil();
	EDGE_AWAIT(number("loads_kept_old") != 0);
	CU_ASSERT_TRUE(blocked("ads.example"));
	CU_ASSERT_FALSE(blocked("not.found"));
	if (clear != NULL)
		clear();
	edge_put_atomically("ads.txt", "mended.example\n");
	EDGE_AWAIT(blocked("mended.example"));
	CU_ASSERT_FALSE(blocked("ads.example"));
	clean_up();
}

static void
spoil_by_page(void)
{
	edge_put_atomically("ads.txt", "<html>\n<title>404</title>\nnot.found\n<p>\n</html>\n");
}

static void
spoil_by_nothing(void)
{
	edge_put("ads.txt", "");
}

static void
spoil_by_removal(void)
{
	CU_ASSERT_EQUAL(unlink(edge_path("ads.txt")), 0);
}

static void
spoil_by_directory(void)
{
	CU_ASSERT_EQUAL(unlink(edge_path("ads.txt")), 0);
	CU_ASSERT_EQUAL(mkdir(edge_path("ads.txt"), 0700), 0);
}

static void
clear_directory(void)
{
	CU_ASSERT_EQUAL(rmdir(edge_path("ads.txt")), 0);
}

static void
a_list_that_is_none_any_more_leaves_the_old_one_in_force(void)
{
	check_kept(spoil_by_page, NULL);
	check_kept(spoil_by_nothing, NULL);
	check_kept(spoil_by_removal, NULL);
	check_kept(spoil_by_directory, clear_directory);
}

static void
a_list_of_comments_is_empty_on_purpose(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	edge_put("ads.txt", "# nothing today\n");
	EDGE_AWAIT(!blocked("ads.example"));
	clean_up();
}

static void
a_file_that_never_was_a_list_is_left_out_and_others_count(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	edge_put("page.txt", "<html>\n<title>404</title>\nnot.found\n<p>\n</html>\n");
	CU_ASSERT_EQUAL(use("block ads { file = { '@/page.txt', '@/ads.txt', '/dev/zero' } }",
	    true), OK);
	CU_ASSERT_TRUE(blocked("ads.example"));
	CU_ASSERT_FALSE(blocked("not.found"));
	clean_up();
}

static void
settings_that_stay_the_same_keep_their_sets(void)
{
	const struct dns_list *before;

	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	before = dns_filter_list(dns_lists_filter(lists), 0);
	CU_ASSERT_EQUAL(use("block other { names = 'x.example' }\n"
			    "block ads { file = '@/ads.txt'  action = 'zero' }", false), OK);
	CU_ASSERT_PTR_EQUAL(dns_filter_list(dns_lists_filter(lists), 1), before);
	CU_ASSERT_TRUE(blocked("x.example"));
	CU_ASSERT_TRUE(blocked("ads.example"));
	edge_put("ads.txt", "later.example\n");
	EDGE_AWAIT(blocked("later.example"));
	CU_ASSERT_EQUAL(use("", false), OK);
	CU_ASSERT_FALSE(blocked("later.example"));
	edge_settle();
	clean_up();
}

static void
a_block_that_has_changed_keeps_its_old_set_until_the_new_one_is_there(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	edge_put("more.txt", "more.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = { '@/ads.txt', '@/more.txt' } }", false), OK);
	CU_ASSERT_TRUE(blocked("ads.example"));
	CU_ASSERT_FALSE(blocked("more.example"));
	EDGE_AWAIT(blocked("more.example"));
	CU_ASSERT_TRUE(blocked("ads.example"));
	clean_up();
}

static void
bad_values_are_refused_when_settings_are_read(void)
{
	static const char *const bad[] = {
		"block ads { file = 'relative.txt' }", "block ads { names = 'com' }",
		"block ads { names = '||x.example/path' }", "block ads { clients = 'phone' }",
		"block ads { schedule = 'someday' }", "block ads { address = '192.0.2.1:53' }",
		"block ads { }", "block ads { names = 'a.example'  action = 'address' }",
		"block ads { names = 'a.example'  address = '192.0.2.1' }",
		"block ads { names = 'a.example'  action = 'drop' }",
		"allow-names = 'a..b'", "rebind-allow = '.'",
	};
	struct conf_file *cf;
	char findings[1024];

	prepare();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		edge_put("bad.conf", bad[i]);
		CU_ASSERT_NOT_EQUAL(
		    conf_read(&cf, edge_path("bad.conf"), keys, findings, sizeof(findings)), OK);
	}
	clean_up();
}

static void
a_change_that_is_abandoned_changes_nothing(void)
{
	struct conf_file *cf;
	struct dns_lists_change *c;

	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", true), OK);
	cf = edge_settings("block ads { file = '@/ads.txt' }\nblock more { names = 'x.example' }",
	    keys);
	CU_ASSERT_EQUAL_FATAL(dns_lists_prepare(lists, conf_root(cf), &c), OK);
	dns_lists_abandon(c);
	dns_lists_abandon(NULL);
	conf_file_free(cf);
	CU_ASSERT_TRUE(blocked("ads.example"));
	CU_ASSERT_FALSE(blocked("x.example"));
	clean_up();
}

static void
clients_get_the_blocks_of_their_group(void)
{
	char why[DNS_FILTER_WHY_MAX];

	prepare();
	CU_ASSERT_EQUAL(use("block kids { names = 'game.example' clients = '192.168.2.0/24' }",
	    true),
	    OK);
	CU_ASSERT_EQUAL(judge_for("192.168.2.9", "game.example", why), DNS_FILTER_BLOCKED);
	CU_ASSERT_EQUAL(judge_for("192.168.1.9", "game.example", why), DNS_FILTER_PASS);
	clean_up();
}

static void
schedules_follow_the_clock_on_the_wall(void)
{
	char settings[200];
	time_t now = time(NULL);
	struct tm tm;

	/* Two hours around now, and two hours at the other side of the day. */
	CU_ASSERT_PTR_NOT_NULL_FATAL(localtime_r(&now, &tm));
	snprintf(settings, sizeof(settings),
	    "block now { names = 'now.example' schedule = '%02d:30-%02d:30' }\n"
	    "block then { names = 'then.example' schedule = '%02d:30-%02d:30' }\n",
	    (tm.tm_hour + 22) % 24, (tm.tm_hour + 2) % 24, (tm.tm_hour + 10) % 24,
	    (tm.tm_hour + 14) % 24);
	prepare();
	CU_ASSERT_EQUAL(use(settings, true), OK);
	CU_ASSERT_TRUE(blocked("now.example"));
	CU_ASSERT_FALSE(blocked("then.example"));
	clean_up();
}

static bool
guards(const char *text)
{
	struct dns_name n = dns_test_name(text);

	return dns_lists_guards(lists, dns_name_span(&n));
}

static void
names_of_strangers_are_guarded_against_rebinding(void)
{
	prepare();
	CU_ASSERT_EQUAL(use("rebind-allow = { 'Home.Example' }", true), OK);
	CU_ASSERT_TRUE(guards("www.example"));
	CU_ASSERT_FALSE(guards("nas.home.example"));
	CU_ASSERT_FALSE(guards("nas.lan"));
	CU_ASSERT_EQUAL(use("rebind-protection = false", false), OK);
	CU_ASSERT_FALSE(guards("www.example"));
	clean_up();
}

static void
an_end_in_the_midst_of_a_load_is_fine(void)
{
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", false), OK);
	clean_up();
	prepare();
	edge_put("ads.txt", "ads.example\n");
	CU_ASSERT_EQUAL(use("block ads { file = '@/ads.txt' }", false), OK);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting != 0);
	CU_ASSERT_EQUAL(use("", false), OK);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting == 0);
	clean_up();
}

UNIT_MAIN("dns_lists",
    UNIT(files_and_names_are_read_before_the_first_question),
    UNIT(files_that_have_not_changed_are_not_read_again),
    UNIT(without_waiting_files_are_read_in_the_pool),
    UNIT(a_changed_file_takes_the_place_of_the_old_one),
    UNIT(a_file_that_comes_later_is_read_then),
    UNIT(a_list_that_is_none_any_more_leaves_the_old_one_in_force),
    UNIT(a_list_of_comments_is_empty_on_purpose),
    UNIT(a_file_that_never_was_a_list_is_left_out_and_others_count),
    UNIT(settings_that_stay_the_same_keep_their_sets),
    UNIT(a_block_that_has_changed_keeps_its_old_set_until_the_new_one_is_there),
    UNIT(bad_values_are_refused_when_settings_are_read),
    UNIT(a_change_that_is_abandoned_changes_nothing),
    UNIT(clients_get_the_blocks_of_their_group),
    UNIT(schedules_follow_the_clock_on_the_wall),
    UNIT(names_of_strangers_are_guarded_against_rebinding),
    UNIT(an_end_in_the_midst_of_a_load_is_fine))
