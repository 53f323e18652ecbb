/* SPDX-License-Identifier: MIT */
#include "core/conf.h"

#include "support/conf_table.h"
#include "support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- helpers ---------------------------------------------------------------------------------- */

static char findings[8192];
static char folder[] = "/tmp/hearth-conf-XXXXXX";

static void
save_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(name, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, len, f), len);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
}

static void
save(const char *name, const char *text)
{
	save_bytes(name, text, strlen(text));
}

/* Read text as the file "f". */
static enum err
try(const char *text, struct conf_file **cf)
{
	save("f", text);
	return conf_read(cf, "f", conf_table, findings, sizeof(findings));
}

static struct conf_file *
good(const char *text)
{
	struct conf_file *cf = NULL;
	enum err e = try(text, &cf);

	if (e != OK)
		printf("unexpected: %s\n", findings);
	CU_ASSERT_EQUAL_FATAL(e, OK);
	CU_ASSERT_STRING_EQUAL(findings, "");
	return cf;
}

static void
expect(const char *text, enum err want, const char *message)
{
	struct conf_file *cf = NULL;
	enum err e = try(text, &cf);

	CU_ASSERT_EQUAL(e, want);
	CU_ASSERT_PTR_NULL(cf);
	CU_ASSERT_STRING_EQUAL(findings, message);
	if (strcmp(findings, message) != 0)
		printf("\n text: %s\n got:  %s\n want: %s\n", text, findings, message);
	conf_file_free(cf);
}

static void
refuses(const char *text, const char *message)
{
	expect(text, ERR_FORMAT, message);
}

/* The dns section of a text that must be fine. */
static const struct conf *
dns_of(struct conf_file *cf)
{
	const struct conf *dns = conf_section(conf_root(cf), "dns", 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dns);
	return dns;
}

static bool
addr_is(struct addr a, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	return strcmp(addr_format(&a, buf), text) == 0;
}

static void
stands(const struct conf *cf, const char *key, size_t i, const char *want)
{
	char where[128];

	CU_ASSERT_STRING_EQUAL(conf_where(cf, key, i, where, sizeof(where)), want);
}

/* --- values ----------------------------------------------------------------------------------- */

static void
an_empty_file_gives_the_defaults(void)
{
	struct conf_file *cf = good("");
	const struct conf *root = conf_root(cf);

	CU_ASSERT_STRING_EQUAL(conf_str(root, "user"), "");
	CU_ASSERT_FALSE(conf_given(root, "user"));
	CU_ASSERT_FALSE(conf_given(root, "dns"));
	CU_ASSERT_PTR_NULL(conf_section(root, "dns", 0));
	CU_ASSERT_EQUAL(conf_count(root, "dns"), 0);

	const struct conf *dns = conf_section_or_default(root, "dns");

	CU_ASSERT_EQUAL(conf_size(dns, "cache-size"), 32 << 20);
	CU_ASSERT_TRUE(conf_bool(dns, "stale"));
	CU_ASSERT_EQUAL(conf_int(dns, "workers"), 4);
	CU_ASSERT_EQUAL(conf_int(dns, "offset"), 0);
	CU_ASSERT_EQUAL(conf_duration(dns, "timeout"), millis(1800));
	CU_ASSERT_EQUAL(conf_count(dns, "record"), 0);
	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "listen"), 2);
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 0), "0.0.0.0:53"));
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 1), "[::]:53"));
	CU_ASSERT_TRUE(addr_is(conf_addr(dns, "bind"), "-"));
	CU_ASSERT_EQUAL(conf_count(dns, "route"), 0);
	CU_ASSERT_EQUAL(conf_enum(conf_section_or_default(root, "log"), "level"), 3);
	CU_ASSERT_STRING_EQUAL(conf_str(conf_section_or_default(dns, "mdns"), "hostname"),
	    "hearth");
	conf_file_free(cf);
}

static void
no_path_is_as_an_empty_file(void)
{
	struct conf_file *cf;

	CU_ASSERT_EQUAL_FATAL(conf_read(&cf, NULL, conf_table, findings, sizeof(findings)), OK);
	CU_ASSERT_PTR_NULL(conf_section(conf_root(cf), "dns", 0));
	conf_file_free(cf);
	conf_file_free(NULL);
}

static void
every_type_is_read(void)
{
	struct conf_file *cf = good("user = hearth\n"
	    "log { level = \"debug\" }\n"
	    "dns {\n"
	    "  listen = { \"127.0.0.1:5300\", '[::1]', 192.0.2.1 }\n"
	    "  cache-size = 1GiB\n"
	    "  stale = off\n"
	    "  workers = \"64\"\n"
	    "  offset = -7\n"
	    "  timeout = 250ms\n"
	    "  bind = 192.0.2.9\n"
	    "  record = \"nas 60 IN A 192.0.2.5\"\n"
	    "  route \"corp.example\" { upstream = { 10.0.0.1, 10.0.0.2:5353 } }\n"
	    "  route 'lab' { timeout = 2 }\n"
	    "  mdns { hostname = box }\n"
	    "}\n");
	const struct conf *root = conf_root(cf), *dns = dns_of(cf), *route;

	CU_ASSERT_STRING_EQUAL(conf_str(root, "user"), "hearth");
	CU_ASSERT_TRUE(conf_given(root, "user"));
	CU_ASSERT_EQUAL(conf_enum(conf_section(root, "log", 0), "level"), 4);
	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "listen"), 3);
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 0), "127.0.0.1:5300"));
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 1), "[::1]:53"));
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 2), "192.0.2.1:53"));
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "listen", 1), "[::1]");
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "listen", 3), "");
	CU_ASSERT_TRUE(addr_is(conf_addr_at(dns, "listen", 3), "-"));
	CU_ASSERT_EQUAL(conf_size(dns, "cache-size"), 1 << 30);
	CU_ASSERT_FALSE(conf_bool(dns, "stale"));
	CU_ASSERT_EQUAL(conf_int(dns, "workers"), 64);
	CU_ASSERT_EQUAL(conf_int(dns, "offset"), -7);
	CU_ASSERT_EQUAL(conf_duration(dns, "timeout"), millis(250));
	CU_ASSERT_TRUE(addr_is(conf_addr(dns, "bind"), "192.0.2.9:5300"));
	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "record"), 1);
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "record", 0), "nas 60 IN A 192.0.2.5");
	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "route"), 2);
	route = conf_section(dns, "route", 0);
	CU_ASSERT_STRING_EQUAL(conf_title(route), "corp.example");
	CU_ASSERT_EQUAL(conf_count(route, "upstream"), 2);
	CU_ASSERT_EQUAL(conf_duration(route, "timeout"), millis(1800));
	route = conf_section(dns, "route", 1);
	CU_ASSERT_STRING_EQUAL(conf_title(route), "lab");
	CU_ASSERT_EQUAL(conf_duration(route, "timeout"), seconds(2));
	CU_ASSERT_PTR_NULL(conf_section(dns, "route", 2));
	CU_ASSERT_STRING_EQUAL(conf_title(dns), "");
	CU_ASSERT_STRING_EQUAL(conf_str(conf_section(dns, "mdns", 0), "hostname"), "box");
	conf_file_free(cf);
}

/* --- complaints about values ------------------------------------------------------------------ */

static void
a_bad_value_names_file_line_key_and_what_is_allowed(void)
{
	refuses("dns {\n  cache-size = \"32 parsecs\"\n}\n",
	    "f:2: dns.cache-size: \"32 parsecs\" is not a size; allowed is 64KiB to 64GiB, for "
	    "example \"32MiB\"");
	refuses("dns { timeout = soon }",
	    "f:1: dns.timeout: \"soon\" is not a duration; allowed is 1ms to 1m, for example "
	    "\"1.8s\", \"5m\", \"2h\" or \"1d\"");
	refuses("\n\ndns { workers = many }",
	    "f:3: dns.workers: \"many\" is not a whole number; allowed is 1 to 64");
	refuses("dns { workers = 4.5 }",
	    "f:1: dns.workers: \"4.5\" is not a whole number; allowed is 1 to 64");
	refuses("dns { offset = x }", "f:1: dns.offset: \"x\" is not a whole number");
	refuses("dns { stale = maybe }",
	    "f:1: dns.stale: \"maybe\" is not true or false; allowed is true, false, yes, no, on "
	    "and off");
	refuses("log { level = loud }",
	    "f:1: log.level: \"loud\" is not known here; allowed is err, warning, notice, info or "
	    "debug");
	refuses("log { level = inof }",
	    "f:1: log.level: \"inof\" is not known here; allowed is err, warning, notice, info or "
	    "debug; did you mean info?");
	refuses("dns { bind = 1.2.3 }",
	    "f:1: dns.bind: \"1.2.3\" is not an address; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"");
	refuses("dns { bind = \"fe80::1%nosuchif0\" }",
	    "f:1: dns.bind: \"fe80::1%nosuchif0\" names an interface that is not there");
	refuses("dns { record = word }",
	    "f:1: dns.record: \"word\": a record has several words");
}

static void
a_value_out_of_range_says_so(void)
{
	expect("dns { cache-size = 1KiB }", ERR_RANGE,
	    "f:1: dns.cache-size: \"1KiB\" is too small; allowed is 64KiB to 64GiB");
	expect("dns { cache-size = 65GiB }", ERR_RANGE,
	    "f:1: dns.cache-size: \"65GiB\" is too large; allowed is 64KiB to 64GiB");
	expect("dns { cache-size = 99999999999999999999 }", ERR_RANGE,
	    "f:1: dns.cache-size: \"99999999999999999999\" is too large; allowed is 64KiB to "
	    "64GiB, for example \"32MiB\"");
	expect("dns { workers = 0 }", ERR_RANGE,
	    "f:1: dns.workers: \"0\" is too small; allowed is 1 to 64");
	expect("dns { workers = 65 }", ERR_RANGE,
	    "f:1: dns.workers: \"65\" is too large; allowed is 1 to 64");
	expect("dns { timeout = 1us }", ERR_RANGE,
	    "f:1: dns.timeout: \"1us\" is too small; allowed is 1ms to 1m");
	expect("dns { mdns { hostname = \"\" } }", ERR_RANGE,
	    "f:1: dns.mdns.hostname: \"\" is too short; allowed is 1 to 63 bytes");
	expect("dns { bind = 1.2.3.4:70000 }", ERR_RANGE,
	    "f:1: dns.bind: \"1.2.3.4:70000\" has a port above 65535; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"");
	conf_file_free(good("dns { cache-size = 64KiB workers = 64 timeout = 1ms }"));
	conf_file_free(good("dns { cache-size = 64GiB workers = 1 timeout = 60 }"));
}

static void
all_findings_are_reported_in_order(void)
{
	refuses("usr = x\n"
	    "dns {\n"
	    "  workers = 0\n"
	    "  cash-size = 1MiB\n"
	    "  listen = { 1.2.3.4,\n"
	    "    nonsense }\n"
	    "  route \"a\" { timeout = 1y\n"
	    "    upstrem = 1.1.1.1 }\n"
	    "}\n"
	    "tftp { root = /srv }\n",
	    "f:1: usr: unknown key; did you mean user?\n"
	    "f:3: dns.workers: \"0\" is too small; allowed is 1 to 64\n"
	    "f:4: dns.cash-size: unknown key; did you mean cache-size?\n"
	    "f:6: dns.listen: \"nonsense\" is not an address; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"\n"
	    "f:7: dns.route \"a\".timeout: \"1y\" is not a duration; allowed is 1ms to 1m, for "
	    "example \"1.8s\", \"5m\", \"2h\" or \"1d\"\n"
	    "f:8: dns.route \"a\".upstrem: unknown key; did you mean upstream?\n"
	    "f:10: tftp: unknown section");
}

static void
more_findings_than_fit_are_counted(void)
{
	char text[4096] = "dns {\n", small[256];
	struct conf_file *cf;

	for (int i = 0; i < 100; i++)
		strcat(text, "record += word\n");
	strcat(text, "}\n");
	save("f", text);
	memset(small, '#', sizeof(small));
	CU_ASSERT_EQUAL(conf_read(&cf, "f", conf_table, small, sizeof(small)), ERR_FORMAT);
	CU_ASSERT_FATAL(strlen(small) < sizeof(small));
	CU_ASSERT_PTR_NOT_NULL(strstr(small,
	    "f:2: dns.record: \"word\": a record has several words\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(small, "f:4: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(small, "\n... and 96 more findings"));

	/* However small the buffer, something sensible stands in it and nothing behind it. */
	for (size_t cap = 0; cap < 60; cap++) {
		memset(small, '#', sizeof(small));
		CU_ASSERT_EQUAL(conf_read(&cf, "f", conf_table, small, cap), ERR_FORMAT);
		CU_ASSERT_EQUAL(small[cap], '#');
		CU_ASSERT(cap == 0 || memchr(small, '\0', cap) != NULL);
	}
}

static void
a_trailing_semicolon_is_explained(void)
{
	refuses("dns { workers = 4; }",
	    "f:1: dns.workers: \"4;\" is not a whole number (settings end without a ;); allowed is "
	    "1 to 64");
}

/* --- names ------------------------------------------------------------------------------------ */

static void
an_unknown_key_is_told_with_the_nearest(void)
{
	refuses("dns { stael = true }", "f:1: dns.stael: unknown key; did you mean stale?");
	refuses("dns { colour = true }", "f:1: dns.colour: unknown key");
	refuses("level = info\n", "f:1: level: unknown key; the section log has one");
	refuses("dns { user = x }",
	    "f:1: dns.user: unknown key; user stands outside of all sections");
	refuses("dsn { workers = 4 }", "f:1: dsn: unknown section; did you mean dns?");
	refuses("dns { ruote \"a\" { x = 1 y = { 2 } } }",
	    "f:1: dns.ruote: unknown section; did you mean route?");
	refuses("dns { x = { } }", "f:1: dns.x: unknown key");
	refuses("dns { x += 1\n x = { 1, 2 } }",
	    "f:1: dns.x: unknown key\nf:2: dns.x: unknown key");
	refuses("a { b { c { d { e = 1 } f \"t\" { } } } }\n\nq = 1\n",
	    "f:1: a: unknown section\nf:3: q: unknown key");
	refuses("\"\" = 1", "f:1: this cannot be understood");
	refuses("\"a\\nb\" = 1", "f:1: a\\nb: unknown key");
}

static void
many_unknown_keys_end_in_words(void)
{
	char text[65536] = "";
	size_t at = 0, deep = 20000;

	for (int i = 0; i < 2000; i++)
		at += (size_t)sprintf(text + at, "key%d = 1\n", i);

	struct conf_file *cf;

	CU_ASSERT_EQUAL(try(text, &cf), ERR_FORMAT);
	CU_ASSERT_PTR_NOT_NULL(strstr(findings,
	    "f:1: key0: unknown key\nf:2: key1: unknown key\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(findings, "f:48: key47: unknown key\n"));

	/* Sections in sections without end. */
	at = 0;
	for (size_t i = 0; i < deep; i++)
		at += (size_t)sprintf(text + at, "a{");
	memset(text + at, '}', deep);
	text[at + deep] = '\0';
	CU_ASSERT_EQUAL(try(text, &cf), ERR_FORMAT);
	CU_ASSERT_PTR_NOT_NULL(strstr(findings, "f:1: a: unknown section"));
}

static void
a_thing_written_twice_names_both_lines(void)
{
	refuses("dns { }\n\ndns { workers = 2 }\n", "f:3: dns: is written twice, first in line 1");
	refuses("dns {\nworkers = 2\nworkers = 2\n}\n",
	    "f:3: dns.workers: is written twice, first in line 2");
	refuses("dns {\nrecord = { 'a b' }\nrecord = { 'c d' }\n}\n",
	    "f:3: dns.record: is written twice, first in line 2");
	refuses("dns {\nrecord = { 'a b' }\nrecord = { }\n}\n",
	    "f:4: dns.record: is written twice, first in line 2");
	refuses("dns {\nroute \"a\" { }\nroute \"b\" { }\nroute \"a\" { }\n}\n",
	    "f:4: dns.route \"a\": is written twice, first in line 2");
	refuses("dns { route \"\" { } }", "f:1: dns.route \"\": the title is empty");
}

/* --- lists ------------------------------------------------------------------------------------ */

static void
plus_equal_adds_to_the_list_or_its_default(void)
{
	struct conf_file *cf = good("dns { listen += 192.0.2.1\n record = { 'a 1', 'b 2' }\n"
	    "record += { 'c 3', 'd 4' }\n record += 'e 5' }");
	const struct conf *dns = dns_of(cf);

	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "listen"), 3);
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "listen", 0), "0.0.0.0:53");
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "listen", 2), "192.0.2.1");
	CU_ASSERT_EQUAL_FATAL(conf_count(dns, "record"), 5);
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "record", 0), "a 1");
	CU_ASSERT_STRING_EQUAL(conf_str_at(dns, "record", 4), "e 5");
	conf_file_free(cf);
	refuses("dns { workers += 4 }",
	    "f:1: this cannot be understood: \"attempt to append to non-list option 'workers'\"");
}

static void
an_empty_list_replaces_the_default(void)
{
	struct conf_file *cf = good("dns { listen = { } }");

	CU_ASSERT_EQUAL(conf_count(dns_of(cf), "listen"), 0);
	CU_ASSERT_TRUE(conf_given(dns_of(cf), "listen"));
	conf_file_free(cf);
	cf = good("dns { listen = { } listen += 192.0.2.1 }");
	CU_ASSERT_EQUAL(conf_count(dns_of(cf), "listen"), 1);
	conf_file_free(cf);
	cf = good("dns { listen = { 192.0.2.1, 192.0.2.2, } }");
	CU_ASSERT_EQUAL(conf_count(dns_of(cf), "listen"), 2);
	conf_file_free(cf);
}

/* --- grammar ---------------------------------------------------------------------------------- */

static void
lines_are_counted_right_behind_comments(void)
{
	refuses("# one\n#two\n\n// three\n/* four\n five */ /* six */\n"
	    "dns { # seven\n"
	    "  record = \"a # no comment // nor this /* nor this\" # eight\n"
	    "  listen = tls://x.example#name\n"
	    "  offset = /srv//x\n"
	    "  workers = zero // eleven\n"
	    "}\r\n###",
	    "f:9: dns.listen: \"tls://x.example\" is not an address; write for example "
	    "\"192.0.2.1\", \"192.0.2.1:53\" or \"[2001:db8::1]:53\"\n"
	    "f:10: dns.offset: \"/srv//x\" is not a whole number\n"
	    "f:11: dns.workers: \"zero\" is not a whole number; allowed is 1 to 64");
	refuses("user = \"two\\\nlines\"\n'user' = 'x\ny'\nq = 1\n",
	    "f:4: user: is written twice, first in line 2\nf:5: q: unknown key");
}

static void
comments_and_quotes_that_never_end_are_found(void)
{
	refuses("user = a\n/* dns { }\n", "f:2: the comment that begins here is never closed");
	refuses("user = \"a\n\n", "f:1: the quote that begins here is never closed");
	refuses("\nuser = 'a\n\n", "f:2: the quote that begins here is never closed");
	refuses("user = \"a\\", "f:1: the quote that begins here is never closed");
	refuses("user = \"${HOME\n}\"\n",
	    "f:1: ${ starts the name of an environment variable and needs a } in the same line; a "
	    "text with these two characters writes \\${");
	refuses("user = *\n", "f:1: a bare * means nothing here; such a text needs quotes");
	refuses("user = a+b\n", "f:1: a bare + means nothing here; such a text needs quotes");
}

static void
broken_grammar_is_told_in_words(void)
{
	refuses("dns {\n\nroute \"a\" {\n",
	    "f:3: the { in this line is never closed");
	refuses("dns {\n\nroute \"a\" { }\n", "f:1: the { in this line is never closed");
	refuses("user =", "f:1: the file ends in the middle of a setting");
	refuses("dns { workers = { 4 } }", "f:1: dns.workers: one value is expected here");
	refuses("dns { workers = }", "f:1: dns.workers: one value is expected here");
	refuses("dns { listen = = }",
	    "f:1: dns.listen: one value, or several as in { \"a\", \"b\" }, are expected here");
	refuses("dns { listen = { a b } }",
	    "f:1: dns.listen: \"a\" is not an address; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"\n"
	    "f:1: this cannot be understood: \"unexpected token 'b'\"; values in braces stand with "
	    "a comma between them");
	refuses("}", "f:1: a } without the { that it closes");
	refuses("log = info", "f:1: log: { is expected behind the name of a section");
	refuses("dns { route { } }",
	    "f:1: dns.route: a title is expected here: route \"title\" { … }");
	refuses("dns { workers 4 }",
	    "f:1: dns.workers: = is expected behind the name of a setting");
	refuses("user = \"\\777\"",
	    "f:1: this cannot be understood: \"invalid octal number '\\\\777'\"");
}

static void
names_with_bars_do_not_reach_into_sections(void)
{
	refuses("dns { }\ndns|workers = 4\n",
	    "f:2: workers: is written inside of its section, not behind a |");
	refuses("dns { }\ndns|mdns { hostname = x }\n",
	    "f:2: mdns: is written inside of its section, not behind a |");
	refuses("dns { }\ndns|record = 'a b'\n",
	    "f:2: record: is written inside of its section, not behind a |");

	struct conf_file *cf;
	static const char *const odd[] = { "dns|workers = 4", "| = 1", "|begins = 1",
		"section|begins = 1", "'section|begins' += 1", "a|b = 1", "dns {} 'dns|' = 1",
		"dns|'' = 1", "'dns=0' = 1", "'dns=' = 1", "dns {} 'dns|mdns|x' = 1",
		"dns { } '|dns' { }", "dns {} 'dns|route=a' = 1" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		CU_ASSERT_NOT_EQUAL(try(odd[i], &cf), OK);
		CU_ASSERT_NOT_EQUAL(findings[0], '\0');
	}
}

static void
the_environment_is_expanded(void)
{
	setenv("HEARTH_TEST_USER", "somebody", 1);
	unsetenv("HEARTH_TEST_NONE");

	struct conf_file *cf =
	    good("user = \"<${HEARTH_TEST_USER}${HEARTH_TEST_NONE:-else}\\${x}>\"");

	CU_ASSERT_STRING_EQUAL(conf_str(conf_root(cf), "user"), "<somebodyelse${x}>");
	conf_file_free(cf);
	cf = good("user = '${HEARTH_TEST_USER}'");
	CU_ASSERT_STRING_EQUAL(conf_str(conf_root(cf), "user"), "${HEARTH_TEST_USER}");
	conf_file_free(cf);
	cf = good("user = ${HEARTH_TEST_USER}");
	CU_ASSERT_STRING_EQUAL(conf_str(conf_root(cf), "user"), "somebody");
	conf_file_free(cf);
}

static void
what_the_environment_does_not_have_is_found(void)
{
	unsetenv("HEARTH_TEST_NONE");
	refuses("# ${HEARTH_TEST_NONE}\nuser = \"a${HEARTH_TEST_NONE}\"\n",
	    "f:2: the environment has no HEARTH_TEST_NONE; ${HEARTH_TEST_NONE:-else} says what holds "
	    "then, and in single quotes it is text");
	refuses("user = ${HEARTH_TEST_NONE}\n",
	    "f:1: the environment has no HEARTH_TEST_NONE; ${HEARTH_TEST_NONE:-else} says what holds "
	    "then, and in single quotes it is text");

	struct conf_file *cf = good("user = '${HEARTH_TEST_NONE}'");

	CU_ASSERT_STRING_EQUAL(conf_str(conf_root(cf), "user"), "${HEARTH_TEST_NONE}");
	conf_file_free(cf);
	cf = good("user = \"\\${HEARTH_TEST_NONE}${HEARTH_TEST_NONE:-}\"");
	CU_ASSERT_STRING_EQUAL(conf_str(conf_root(cf), "user"), "${HEARTH_TEST_NONE}");
	conf_file_free(cf);
}

static void
a_byte_order_mark_is_ignored(void)
{
	conf_file_free(good("\xef\xbb\xbfuser = a\n"));
}

/* --- files ------------------------------------------------------------------------------------ */

static void
files_that_cannot_be_read_are_named(void)
{
	struct conf_file *cf;

	CU_ASSERT_EQUAL(conf_read(&cf, "none", conf_table, findings, sizeof(findings)), ERR_SYS);
	CU_ASSERT_STRING_EQUAL(findings, "none: cannot be read: No such file or directory");
	CU_ASSERT_EQUAL(conf_read(&cf, ".", conf_table, findings, sizeof(findings)), ERR_SYS);
	CU_ASSERT_STRING_EQUAL(findings, ".: cannot be read: Is a directory");
	CU_ASSERT_EQUAL(conf_read(&cf, "/dev/null", conf_table, findings, sizeof(findings)), OK);
	conf_file_free(cf);
}

static void
zero_bytes_and_huge_files_are_refused(void)
{
	struct conf_file *cf;
	size_t len = (4 << 20) + 1;
	char *big = malloc(len);

	save_bytes("f", "user = a\nuser\0= b", 17);
	CU_ASSERT_EQUAL(conf_read(&cf, "f", conf_table, findings, sizeof(findings)), ERR_FORMAT);
	CU_ASSERT_STRING_EQUAL(findings, "f:2: a zero byte; settings are text");
	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	memset(big, '\n', len);
	save_bytes("f", big, len);
	CU_ASSERT_EQUAL(conf_read(&cf, "f", conf_table, findings, sizeof(findings)), ERR_RANGE);
	CU_ASSERT_STRING_EQUAL(findings, "f: more than 4 MiB cannot be a settings file");
	save_bytes("f", big, len - 1);
	CU_ASSERT_EQUAL(conf_read(&cf, "f", conf_table, findings, sizeof(findings)), OK);
	conf_file_free(cf);
	free(big);
}

static void
too_many_sections_are_refused_and_nothing_aborts(void)
{
	size_t len = 5000 * 24, at = 0;
	char *text = malloc(len);
	struct conf_file *cf;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	at += (size_t)sprintf(text, "dns {\n");
	for (int i = 0; i < 4999; i++)
		at += (size_t)sprintf(text + at, "route r%d { }\n", i);
	strcpy(text + at, "}\n");
	CU_ASSERT_EQUAL(try(text, &cf), ERR_FORMAT);
	CU_ASSERT_STRING_EQUAL(findings, "f:4097: more than 4096 sections");
	free(text);
}

static void
included_files_are_merged(void)
{
	mkdir("conf.d", 0755);
	save("conf.d/10.conf", "dns { workers = 7 route \"b\" { } }\n");
	save("conf.d/20.conf",
	    "dns { listen += 192.0.2.7\n route \"c\" { } }\nlog { level = err }\n");
	save("conf.d/30.other", "nonsense = 1");

	struct conf_file *cf = good("include = { 'conf.d/*.conf', 'none/*.conf' }\n"
	    "dns { stale = no listen = 192.0.2.1\n route \"a\" { } }\n");
	const struct conf *dns = dns_of(cf);

	CU_ASSERT_EQUAL(conf_count(conf_root(cf), "dns"), 1);
	CU_ASSERT_FALSE(conf_bool(dns, "stale"));
	CU_ASSERT_EQUAL(conf_int(dns, "workers"), 7);
	CU_ASSERT_EQUAL(conf_count(dns, "listen"), 2);
	CU_ASSERT_EQUAL(conf_count(dns, "route"), 3);
	CU_ASSERT_STRING_EQUAL(conf_title(conf_section(dns, "route", 2)), "c");
	stands(dns, "workers", 0, "conf.d/10.conf:1: dns.workers");
	conf_file_free(cf);

	save("conf.d/20.conf", "\ndns { workers = 8 }\nlog { }\nuser = x\ninclude = x\nq = 1");
	refuses("user = y\ninclude = 'conf.d/*.conf'\nlog { level = info }\nq = 1\n",
	    "f:4: q: unknown key\n"
	    "conf.d/20.conf:2: dns.workers: is written twice, first in conf.d/10.conf:1\n"
	    "conf.d/20.conf:4: user: is written twice, first in f:1\n"
	    "conf.d/20.conf:5: include: works in the main file only\n"
	    "conf.d/20.conf:6: q: unknown key");
	refuses("include = 'none.conf'\n",
	    "none.conf: included by f, cannot be read: No such file or directory");

	/* Relative to the main file, wherever the process stands. */
	save("conf.d/main", "include = 10.conf\ninclude += '30.*'\n");

	struct conf_file *other;

	CU_ASSERT_EQUAL(conf_read(&other, "conf.d/main", conf_table, findings, sizeof(findings)),
	    ERR_FORMAT);
	CU_ASSERT_STRING_EQUAL(findings, "conf.d/30.other:1: nonsense: unknown key");
}

static void
places_are_known(void)
{
	struct conf_file *cf = good("dns {\n record = { 'a b',\n 'c d' }\n\n route \"x\" {\n"
	    "  timeout = 2\n }\n}\n");
	const struct conf *dns = dns_of(cf);

	stands(dns, "record", 0, "f:2: dns.record");
	stands(dns, "record", 1, "f:3: dns.record");
	stands(dns, "route", 0, "f:5: dns.route");
	stands(conf_section(dns, "route", 0), "timeout", 0, "f:6: dns.route \"x\".timeout");
	stands(dns, "workers", 0, "f:1: default of dns.workers");
	stands(conf_section(dns, "route", 0), "upstream", 0,
	    "f:5: default of dns.route \"x\".upstream");
	stands(conf_root(cf), "user", 0, "default of user");
	stands(conf_root(cf), "dns", 0, "f:1: dns");
	conf_file_free(cf);
}

/* A whole file has many more names than one who only looks for a few of them knows. */
static void
peeking_finds_its_key_behind_any_number_of_others(void)
{
	static const struct conf_key few[] = {
		{ .name = "load", .type = CONF_STRING, .flags = CONF_LIST },
		{ 0 }
	};
	char text[32768] = "dns {\n";
	size_t at = strlen(text);
	struct conf_file *cf = NULL;

	for (int i = 0; i < 300; i++)
		at += (size_t)sprintf(text + at, "key%d = { 1, 2 }\nsection%d { a = 1 }\n", i,
		    i % 40);
	strcpy(text + at, "route 'x' { b { c 'y' { d = 1 } } }\n}\nload = { 'a.so', 'b.so' }\n");
	save("f", text);
	CU_ASSERT_EQUAL_FATAL(conf_peek(&cf, "f", few), OK);
	CU_ASSERT_EQUAL_FATAL(conf_count(conf_root(cf), "load"), 2);
	CU_ASSERT_STRING_EQUAL(conf_str_at(conf_root(cf), "load", 1), "b.so");
	conf_file_free(cf);
	save("f", "user = {");
	CU_ASSERT_EQUAL(conf_peek(&cf, "f", few), OK);
	conf_file_free(cf);
	CU_ASSERT_EQUAL(conf_peek(&cf, "none", few), ERR_SYS);
	CU_ASSERT_PTR_NULL(cf);
}

static void
a_default_that_does_not_parse_is_told(void)
{
	static const struct conf_key bad[] = {
		{ .name = "n", .type = CONF_INT, .value = "9", .min = 1, .max = 8 },
		{ 0 }
	};
	struct conf_file *cf;

	CU_ASSERT_EQUAL(conf_read(&cf, NULL, bad, findings, sizeof(findings)), ERR_RANGE);
	CU_ASSERT_STRING_EQUAL(findings,
	    "(built in): default of n: \"9\" is too large; allowed is 1 to 8");
}

/* --- dump and manual -------------------------------------------------------------------------- */

static char *
dumped(const struct conf_file *cf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	conf_dump(cf, out);
	fclose(out);
	return text;
}

static void
a_dump_shows_defaults_commented_out(void)
{
	struct conf_file *cf = good("log { level = debug }");
	char *text = dumped(cf);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# who to run as\n#user = \"\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text,
	    "# what is said\nlog {\n\t# what is written; err, warning, notice, info or debug\n"
	    "\tlevel = \"debug\"\n}\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#\tlisten = { \"0.0.0.0:53\", \"[::]:53\" }\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#\tcache-size = \"32MiB\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#\troute \"title\" {\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#\tstale = true\n"));
	free(text);
	conf_file_free(cf);
}

/* Both sections say the same, down to what was given. */
static void
assert_same(const struct conf *a, const struct conf *b, const struct conf_key *table)
{
	for (const struct conf_key *k = table; k->name != NULL; k++) {
		size_t n = conf_count(a, k->name);

		CU_ASSERT_EQUAL(conf_given(a, k->name), conf_given(b, k->name));
		CU_ASSERT_EQUAL_FATAL(n, conf_count(b, k->name));
		for (size_t i = 0; i < n; i++) {
			if (k->type != CONF_SECTION) {
				CU_ASSERT_STRING_EQUAL(conf_str_at(a, k->name, i),
				    conf_str_at(b, k->name, i));
				continue;
			}

			const struct conf *sa = conf_section(a, k->name, i);
			const struct conf *sb = conf_section(b, k->name, i);

			CU_ASSERT_STRING_EQUAL(conf_title(sa), conf_title(sb));
			assert_same(sa, sb, k->keys);
		}
	}
}

static void
a_dump_reads_back_the_same(void)
{
	static const char *const texts[] = {
		"",
		"user = \"\"",
		"dns { }",
		"dns { listen = { } record = { } }",
		"dns { listen += 1.2.3.4 cache-size = '1.5 GiB' stale = YES offset = -3 }",
		"user = \"q\\\" b\\\\ d${HOME} \\${x} n\\n t\\t e\\e x\\xff\\x01 '#' // \xc3\xbc\"",
		"dns { route \"a\\\"b\\\\c\\${d}\" { upstream = { ::1, 1.2.3.4:53 } } mdns { } }",
		("dns { record = { 'a 1111111111111111111111111111', "
		 "'b 22222222222222222222222', 'c 3333333333333333333333333333' } }"),
		"user = '${HOME} \\d'",
		"log { level = err } user = \"a\nb\r\tc\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct conf_file *a = good(texts[i]);
		char *text = dumped(a);
		struct conf_file *b = good(text);
		char *again = dumped(b);

		assert_same(conf_root(a), conf_root(b), conf_table);
		CU_ASSERT_STRING_EQUAL(text, again);
		free(text);
		free(again);
		conf_file_free(a);
		conf_file_free(b);
	}
}

static void
the_manual_lists_every_key(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	conf_manual(conf_table, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text,
	    ".Bl -tag -width 4n\n.It Ic user Ar text\nWho to run as.\n.El\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ".It Ic listen Ar address ...\nWhere queries come in.\n"
	    "The default is 0.0.0.0:53, [::]:53.\nA change takes effect at the next start.\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Allowed is 64KiB to 64GiB.\nThe default is 32MiB.\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text,
	    ".Ss dns.route \\(dqtitle\\(dq\nWho answers for a domain.\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ".It Ic stale Ar true | false\n"));
	free(text);
}

/* Random bytes and mangled good text: any answer is fine, a crash is not. */
static void
weird_input_never_aborts(void)
{
	static const char base[] = "include = x*\ndns { listen = { 1.2.3.4, \"[::1]:53\" } # c\n"
	    "route \"a\" { timeout += 1s }\n mdns { hostname = '${A}' } q|r = 1 /* z */ }\nlog { }";
	static const char alphabet[] = "{}()=+,\"'\\|#/*$ \n\tadns1\xff";
	uint64_t seed = unit_seed(11);

	for (int round = 0; round < 3000; round++) {
		char text[sizeof(base)];
		struct conf_file *cf;

		memcpy(text, base, sizeof(base));
		for (uint64_t edits = unit_random(&seed) % 8; edits != 0; edits--)
			text[unit_random(&seed) % (sizeof(base) - 1)] =
			    alphabet[unit_random(&seed) % (sizeof(alphabet) - 1)];

		enum err e = try(text, &cf);

		CU_ASSERT_EQUAL(e == OK, findings[0] == '\0');
		conf_file_free(cf);
	}
}

static int
in_a_folder_of_its_own(int (*run)(const char *, const struct unit_case *, size_t),
    const struct unit_case *cases, size_t n)
{
	char command[64];
	int status;

	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		perror(folder);
		return 1;
	}
	status = run("conf", cases, n);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") == 0 && system(command) == 0 ? status : 1;
}

int
main(void)
{
	static const struct unit_case cases[] = {
		UNIT(an_empty_file_gives_the_defaults),
		UNIT(no_path_is_as_an_empty_file),
		UNIT(every_type_is_read),
		UNIT(a_bad_value_names_file_line_key_and_what_is_allowed),
		UNIT(a_value_out_of_range_says_so),
		UNIT(all_findings_are_reported_in_order),
		UNIT(more_findings_than_fit_are_counted),
		UNIT(a_trailing_semicolon_is_explained),
		UNIT(an_unknown_key_is_told_with_the_nearest),
		UNIT(many_unknown_keys_end_in_words),
		UNIT(a_thing_written_twice_names_both_lines),
		UNIT(plus_equal_adds_to_the_list_or_its_default),
		UNIT(an_empty_list_replaces_the_default),
		UNIT(lines_are_counted_right_behind_comments),
		UNIT(comments_and_quotes_that_never_end_are_found),
		UNIT(broken_grammar_is_told_in_words),
		UNIT(names_with_bars_do_not_reach_into_sections),
		UNIT(the_environment_is_expanded),
		UNIT(what_the_environment_does_not_have_is_found),
		UNIT(a_byte_order_mark_is_ignored),
		UNIT(files_that_cannot_be_read_are_named),
		UNIT(zero_bytes_and_huge_files_are_refused),
		UNIT(too_many_sections_are_refused_and_nothing_aborts),
		UNIT(included_files_are_merged),
		UNIT(places_are_known),
		UNIT(peeking_finds_its_key_behind_any_number_of_others),
		UNIT(a_default_that_does_not_parse_is_told),
		UNIT(a_dump_shows_defaults_commented_out),
		UNIT(a_dump_reads_back_the_same),
		UNIT(the_manual_lists_every_key),
		UNIT(weird_input_never_aborts),
	};

	return in_a_folder_of_its_own(unit_run, cases, sizeof(cases) / sizeof(cases[0]));
}
