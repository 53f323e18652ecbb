/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_querylog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/offload.h"
#include "services/dns/dns_msg.h"
#include "support/dns.h"
#include "support/unit.h"

#define PATIENCE seconds(20)
#define WALL	 INT64_C(1763690000123)

static struct addr
addr_of(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 0), OK);
	return a;
}

/* One line without its newline. */
static const char *
line_of(const struct dns_querylog_entry *e, enum dns_querylog_format format,
    enum dns_privacy privacy)
{
	static char out[DNS_QUERYLOG_LINE_MAX + 1];
	size_t len = dns_querylog_compose(e, format, privacy, WALL, out);

	CU_ASSERT_FATAL(len > 0 && len <= DNS_QUERYLOG_LINE_MAX);
	CU_ASSERT_EQUAL(out[len - 1], '\n');
	out[len - 1] = '\0';
	CU_ASSERT_PTR_NULL(strchr(out, '\n'));
	return out;
}

static void
a_line_tells_who_what_and_what_became_of_it(void)
{
	struct addr client = addr_of("192.168.1.4:4711");
	struct dns_name name = dns_test_name("WWW.example.org");
	struct dns_querylog_entry e = { .client = &client, .name = dns_name_span(&name),
		.type = DNS_TYPE_AAAA, .verdict = "forwarded", .server = "9.9.9.9:53",
		.took = 12345, .answered = true, .rcode = DNS_NXDOMAIN };

	CU_ASSERT_STRING_EQUAL(line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_FULL),
	    "{\"time\":1763690000123,\"client\":\"192.168.1.4\",\"proto\":\"udp\","
	    "\"name\":\"WWW.example.org\",\"type\":\"AAAA\",\"verdict\":\"forwarded\","
	    "\"rcode\":\"NXDOMAIN\",\"ms\":12.345,\"upstream\":\"9.9.9.9:53\"}");
	CU_ASSERT_STRING_EQUAL(line_of(&e, DNS_QUERYLOG_TEXT, DNS_PRIVACY_FULL),
	    "2025-11-21T01:53:20.123Z 192.168.1.4 udp WWW.example.org AAAA forwarded NXDOMAIN "
	    "12.345ms 9.9.9.9:53");
	e.server = NULL;
	e.took = 0;
	e.tcp = true;
	e.verdict = "blocked";
	e.reason = span_str("ads:||example.org^");
	CU_ASSERT_STRING_EQUAL(line_of(&e, DNS_QUERYLOG_TEXT, DNS_PRIVACY_FULL),
	    "2025-11-21T01:53:20.123Z 192.168.1.4 tcp WWW.example.org AAAA blocked NXDOMAIN "
	    "0.000ms \"ads:||example.org^\"");
}

static void
a_query_that_was_not_read_has_no_name(void)
{
	struct addr client = addr_of("203.0.113.9");
	struct dns_querylog_entry e = { .client = &client, .verdict = "not-allowed" };

	CU_ASSERT_STRING_EQUAL(line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_FULL),
	    "{\"time\":1763690000123,\"client\":\"203.0.113.9\",\"proto\":\"udp\","
	    "\"verdict\":\"not-allowed\"}");
	CU_ASSERT_STRING_EQUAL(line_of(&e, DNS_QUERYLOG_TEXT, DNS_PRIVACY_FULL),
	    "2025-11-21T01:53:20.123Z 203.0.113.9 udp - - not-allowed");
}

static void
privacy_keeps_clients_and_names_back(void)
{
	struct addr four = addr_of("192.168.1.4"), six = addr_of("2001:db8:1:2::3");
	struct dns_name name = dns_test_name("secret.example");
	struct dns_querylog_entry e = { .client = &four, .name = dns_name_span(&name), .type = 1,
		.verdict = "blocked", .reason = span_str("ads:secret.example"), .answered = true };
	const char *line = line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_NO_CLIENT);

	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"client\":\"192.168.1.0/24\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "secret.example"));
	e.client = &six;
	line = line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_NO_CLIENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"client\":\"2001:db8:1::/48\""));
	line = line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_NO_NAMES);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"client\":\"2001:db8:1:2::3\""));
	CU_ASSERT_PTR_NULL(strstr(line, "secret"));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"type\":\"A\""));
	line = line_of(&e, DNS_QUERYLOG_TEXT, DNS_PRIVACY_ANONYMOUS);
	CU_ASSERT_PTR_NULL(strstr(line, "secret"));
	CU_ASSERT_PTR_NULL(strstr(line, "::3"));
}

static void
bytes_of_strangers_break_no_line(void)
{
	static const uint8_t wire[] = "\6a\n\"\\\1\xff\3b c";
	struct addr client = addr_of("::1");
	struct dns_querylog_entry e = { .client = &client, .name = span_of(wire, sizeof(wire)),
		.type = 65280, .verdict = "cached", .reason = span_str("x\"\n\x1b[2Jé\xc0"),
		.answered = true, .rcode = 4000 };
	const char *line = line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_FULL);

	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"name\":\"a\\\\010"));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\\\\255.b\\\\032c\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"type\":\"TYPE65280\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"reason\":\"x\\\"\\\\n\\\\x1b[2Jé\\\\xc0\"}"));
	for (const char *p = line; *p != '\0'; p++)
		CU_ASSERT((unsigned char)*p >= ' ');
}

static void
the_longest_name_and_reason_fit(void)
{
	struct addr client = addr_of("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:1");
	uint8_t wire[DNS_NAME_MAX];
	char reason[8000];
	size_t at = 0;

	memset(reason, '"', sizeof(reason));
	for (int i = 0; i < 4; i++) {
		size_t len = i < 3 ? 63 : 61;

		wire[at++] = (uint8_t)len;
		memset(wire + at, '\\', len);
		at += len;
	}
	wire[at++] = 0;
	CU_ASSERT_EQUAL(at, DNS_NAME_MAX);

	struct dns_querylog_entry e = { .client = &client, .name = span_of(wire, at), .type = 65535,
		.verdict = "forwarded", .reason = span_of(reason, sizeof(reason)), .answered = true,
		.server = "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff%interface]:65535",
		.took = INT64_C(4500000), .rcode = 4095 };
	const char *line = line_of(&e, DNS_QUERYLOG_JSON, DNS_PRIVACY_FULL);

	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"reason\":\"\\\"\\\""));
	CU_ASSERT_EQUAL(line[strlen(line) - 1], '}');
	line = line_of(&e, DNS_QUERYLOG_TEXT, DNS_PRIVACY_FULL);
	CU_ASSERT_EQUAL(line[strlen(line) - 1], '"');
}

/* --- the file --------------------------------------------------------------------------------- */

struct run {
	struct loop *loop;
	struct offload *pool;
	struct dns_querylog *ql;
	char dir[64];
	char file[128];
	struct addr client;
	struct dns_name name;
};

static struct run *
begin(void)
{
	struct run *r = calloc(1, sizeof(*r));

	snprintf(r->dir, sizeof(r->dir), "/tmp/hearth-querylog.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(r->dir));
	snprintf(r->file, sizeof(r->file), "%s/queries", r->dir);
	CU_ASSERT_EQUAL_FATAL(loop_new(&r->loop), OK);
	CU_ASSERT_EQUAL_FATAL(offload_new(&r->pool, r->loop, 2, 64), OK);

	struct dns_querylog_env env = { .loop = r->loop, .offload = r->pool, .service = "dns" };

	CU_ASSERT_EQUAL_FATAL(dns_querylog_new(&r->ql, &env), OK);
	r->client = addr_of("192.0.2.1");
	r->name = dns_test_name("a.example");
	return r;
}

/* In the order in which the daemon stops; gives the number of lines in the file. */
static unsigned
end(struct run *r)
{
	unsigned lines = 0;
	FILE *f;
	int c;

	dns_querylog_free(r->ql);
	offload_free(r->pool);
	loop_free(r->loop);
	f = fopen(r->file, "r");
	while (f != NULL && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f != NULL)
		fclose(f);
	unlink(r->file);
	CU_ASSERT_EQUAL(rmdir(r->dir), 0);
	free(r);
	return lines;
}

static void
switch_on(struct run *r)
{
	dns_querylog_configure(r->ql, &(struct dns_querylog_opts){ .on = true, .file = r->file });
}

static void
add(struct run *r, unsigned count)
{
	struct dns_querylog_entry e = { .client = &r->client, .name = dns_name_span(&r->name),
		.type = 1, .verdict = "cached", .answered = true };

	while (count-- > 0)
		dns_querylog_add(r->ql, &e);
}

static void
turn_until(struct run *r, uint64_t lines)
{
	mono_us until = loop_now(r->loop) + PATIENCE;

	while (dns_querylog_stats(r->ql)->lines + dns_querylog_stats(r->ql)->dropped < lines &&
	    loop_now(r->loop) < until)
		CU_ASSERT_EQUAL_FATAL(loop_turn(r->loop, loop_now(r->loop) + millis(50)), OK);
}

static void
lines_reach_the_file_by_themselves(void)
{
	struct run *r = begin();
	struct stat st;

	switch_on(r);
	add(r, 3);
	turn_until(r, 3);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->lines, 3);
	CU_ASSERT_EQUAL(stat(r->file, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777 & ~0640u, 0);
	add(r, 2);
	turn_until(r, 5);
	CU_ASSERT_EQUAL(end(r), 5);
}

static void
what_is_left_is_written_at_the_end(void)
{
	struct run *r = begin();

	switch_on(r);
	add(r, 7);
	CU_ASSERT_EQUAL(end(r), 7);

	r = begin();
	switch_on(r);
	add(r, 4);

	mono_us until = loop_now(r->loop) + PATIENCE;

	while (dns_querylog_finish(r->ql) && loop_now(r->loop) < until)
		CU_ASSERT_EQUAL_FATAL(loop_turn(r->loop, loop_now(r->loop) + millis(50)), OK);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->lines, 4);
	add(r, 1);
	CU_ASSERT_FALSE(dns_querylog_finish(r->ql));
	CU_ASSERT_EQUAL(end(r), 5);
}

static void
a_flood_is_dropped_and_counted(void)
{
	struct run *r = begin();
	const unsigned flood = 20000;	/* some 2 MB while the loop does not turn */

	switch_on(r);
	add(r, flood);
	CU_ASSERT(dns_querylog_stats(r->ql)->dropped > 0);
	turn_until(r, flood);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->dropped + dns_querylog_stats(r->ql)->lines,
	    flood);

	uint64_t lines = dns_querylog_stats(r->ql)->lines;

	CU_ASSERT(lines > 1000);
	CU_ASSERT_EQUAL(end(r), lines);
}

static void
a_renamed_file_is_made_anew_at_a_reload(void)
{
	struct run *r = begin();
	char old[160];

	snprintf(old, sizeof(old), "%s.1", r->file);
	switch_on(r);
	add(r, 2);
	turn_until(r, 2);
	CU_ASSERT_EQUAL(rename(r->file, old), 0);
	switch_on(r);
	add(r, 3);
	turn_until(r, 5);
	unlink(old);
	CU_ASSERT_EQUAL(end(r), 3);
}

static void
a_file_that_cannot_be_written_costs_lines_only(void)
{
	struct run *r = begin();

	CU_ASSERT_EQUAL(mkdir(r->file, 0700), 0);
	switch_on(r);
	add(r, 3);
	turn_until(r, 3);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->dropped, 3);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->failures, 1);
	CU_ASSERT_EQUAL(rmdir(r->file), 0);
	add(r, 2);
	turn_until(r, 5);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->lines, 2);
	CU_ASSERT_EQUAL(end(r), 2);
}

static void
switched_off_nothing_is_told(void)
{
	struct run *r = begin();

	add(r, 3);
	switch_on(r);
	add(r, 1);
	dns_querylog_configure(r->ql, &(struct dns_querylog_opts){ .file = "" });
	add(r, 3);
	CU_ASSERT_EQUAL(end(r), 1);

	r = begin();	/* to a log that is off */
	dns_querylog_configure(r->ql, &(struct dns_querylog_opts){ .on = true, .file = "" });
	add(r, 3);
	CU_ASSERT_EQUAL(dns_querylog_stats(r->ql)->lines, 3);
	CU_ASSERT_EQUAL(end(r), 0);
}

static void
ending_while_the_pool_writes_is_safe(void)
{
	struct run *r = begin();

	switch_on(r);
	add(r, 1000);	/* more than a flush's worth: the pool is at it */
	CU_ASSERT_EQUAL(end(r), 1000);
}

UNIT_MAIN("dns_querylog",
	UNIT(a_line_tells_who_what_and_what_became_of_it),
	UNIT(a_query_that_was_not_read_has_no_name),
	UNIT(privacy_keeps_clients_and_names_back),
	UNIT(bytes_of_strangers_break_no_line),
	UNIT(the_longest_name_and_reason_fit),
	UNIT(lines_reach_the_file_by_themselves),
	UNIT(what_is_left_is_written_at_the_end),
	UNIT(a_flood_is_dropped_and_counted),
	UNIT(a_renamed_file_is_made_anew_at_a_reload),
	UNIT(a_file_that_cannot_be_written_costs_lines_only),
	UNIT(switched_off_nothing_is_told),
	UNIT(ending_while_the_pool_writes_is_safe))
