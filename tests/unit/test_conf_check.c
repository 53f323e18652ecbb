/* SPDX-License-Identifier: MIT */
/* What is wrong between settings, what they name that is not there, slips of other languages. */
#include "core/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/conf_table.h"
#include "support/unit.h"

static char findings[2048];
static char folder[] = "/tmp/hearth-conf-XXXXXX";

static void
save(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_NOT_EQUAL(fputs(text, f), EOF);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
}

/* --- addresses -------------------------------------------------------------------------------- */

static const struct conf_key part_keys[] = { { .name = "n", .type = CONF_INT }, { 0 } };

static const struct conf_key box_keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN, .port = 69,
	    .value = "0.0.0.0:69" },
	{ .name = "from", .type = CONF_ADDR },
	{ .name = "least", .type = CONF_DURATION, .value = "10s", .not_above = "most" },
	{ .name = "most", .type = CONF_DURATION, .value = "1m" },
	{ .name = "name", .type = CONF_STRING, .value = "x" },
	{ .name = "names", .type = CONF_STRING, .flags = CONF_LIST, .count_max = 2 },
	{ .name = "part", .type = CONF_SECTION, .flags = CONF_TITLED, .keys = part_keys,
	    .count_max = 1 },
	{ .name = "none", .type = CONF_STRING, .value = "" },
	{ .name = "away", .type = CONF_STRING, .flags = CONF_EMPTY, .value = "x" },
	{ 0 }
};

/* Two services. */
static const struct conf_key boxes[] = {
	{ .name = "a", .type = CONF_SECTION, .keys = box_keys },
	{ .name = "b", .type = CONF_SECTION, .keys = box_keys },
	{ 0 }
};

/* What reading a text for that table gives, "" where it is fine. */
static const char *
between(const char *text)
{
	struct conf_file *cf;
	enum err e;

	save("f", text);
	e = conf_read(&cf, "f", boxes, findings, sizeof(findings));
	CU_ASSERT_EQUAL(e == OK, *findings == 0);
	conf_file_free(cf);
	return findings;
}

static void
an_address_is_listened_on_once(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { listen = { 1.2.3.4, 1.2.3.4:70, ::1 } }\n"
	    "b { listen = { 1.2.3.5, ::2 } }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { listen = { 1.2.3.4, 1.2.3.5,\n 1.2.3.4:69 } }"),
	    "f:2: a.listen: \"1.2.3.4:69\" is listened on already: a.listen in line 1");
	CU_ASSERT_STRING_EQUAL(between("a { listen = 1.2.3.4 }\nb { listen = 1.2.3.4 }"),
	    "f:2: b.listen: \"1.2.3.4\" is listened on already: a.listen in line 1");
	CU_ASSERT_STRING_EQUAL(between("a { listen = 1.2.3.4:0 } b { listen = 1.2.3.4:0 }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { listen = 0.0.0.0:5 } b { listen = [::]:5 }"), "");
}

static void
every_address_takes_the_port_of_each(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { listen = { 1.2.3.4,\n 0.0.0.0 } }"),
	    "f:2: a.listen: \"0.0.0.0\": the port is taken there by \"1.2.3.4:69\", "
	    "a.listen in line 1");
	CU_ASSERT_STRING_EQUAL(between("a { }\nb { }\n"),
	    "f:2: b.listen: \"0.0.0.0:69\" is listened on already: the default of a.listen");
	/* Told where something was written. */
	CU_ASSERT_STRING_EQUAL(between("a {\n listen = 127.0.0.1 }\nb { }\n"),
	    "f:2: a.listen: \"127.0.0.1\": the port is taken there by \"0.0.0.0:69\", "
	    "the default of b.listen");
	save("g", "b {\n listen = 127.0.0.1 }");
	CU_ASSERT_STRING_EQUAL(between("include = g\na {\n listen = 127.0.0.1 }"),
	    "g:2: b.listen: \"127.0.0.1\" is listened on already: a.listen in f:3");
}

static void
an_address_that_may_have_a_port_is_not_guessed_at(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { listen = { ::1, '[::1]:53', '[::1:53]', ::1:5, "
	    "fe80::1%lo, fd00::abcd } from = ::1:53 }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { listen = ::1:53 }"),
	    "f:1: a.listen: \"::1:53\" is not clear: an IPv6 address with a port is written "
	    "\"[::1]:53\", this one without a port \"[::1:53]\"");
	CU_ASSERT_STRING_EQUAL(between("a { listen = ::1:53000 }"),
	    "f:1: a.listen: \"::1:53000\" is not clear: an IPv6 address with a port is written "
	    "\"[::1]:53000\"");
	CU_ASSERT_STRING_EQUAL(between("a { listen = 1.2.3.4:70000 }"),
	    "f:1: a.listen: \"1.2.3.4:70000\" has a port above 65535; write for example "
	    "\"192.0.2.1\", \"192.0.2.1:53\" or \"[2001:db8::1]:53\"");
}

/* --- order ------------------------------------------------------------------------------------ */

static void
what_must_not_exceed_another_is_told_with_both(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { least = 5s most = 5s }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { least = 2h\n\nmost = 1h }"),
	    "f:1: a.least: \"2h\" must not exceed \"1h\", a.most in line 3");
	CU_ASSERT_STRING_EQUAL(between("b { most = 60m least = 61m }"),
	    "f:1: b.least: \"61m\" must not exceed \"60m\", b.most in line 1");
}

static void
a_default_gives_way_and_zero_is_no_bound(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { least = 2h }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { most = 1s }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { least = 2h most = 0 }"), "");
}

static void
too_many_are_told_where_the_first_of_them_stands(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { names = { x, y } part p { } }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { names = { x, y,\n z,\n zz } }"),
	    "f:2: a.names: 4 values, at most 2 are taken");
	CU_ASSERT_STRING_EQUAL(between("a { part p { }\n part q { } }"),
	    "f:2: a.part: 2 sections, at most 1 are taken");
}

/* --- nothing ---------------------------------------------------------------------------------- */

static void
an_empty_text_needs_a_meaning(void)
{
	CU_ASSERT_STRING_EQUAL(between("a { none = '' away = '' names = { } }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { name = '' }"),
	    "f:1: a.name: \"\" means nothing here; leave the setting out instead");
	CU_ASSERT_STRING_EQUAL(between("a { names = { 'x', '' } }"),
	    "f:1: a.names: \"\" means nothing here; leave the value out instead");
}

static void
an_empty_variable_is_as_one_that_is_not_there(void)
{
	setenv("HEARTH_EMPTY", "", 1);
	CU_ASSERT_STRING_EQUAL(between("a { none = \"${HEARTH_EMPTY}\" }"),
	    "f:1: HEARTH_EMPTY is empty in the environment; ${HEARTH_EMPTY:-else} says what holds "
	    "then, ${HEARTH_EMPTY:-} that nothing does");
	CU_ASSERT_STRING_EQUAL(between("a { none = \"${HEARTH_EMPTY:-}\" }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { listen = \"1.2.3.4:${HEARTH_EMPTY:-x}\" }"),
	    "f:1: a.listen: \"1.2.3.4:x\" is not an address; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"");
	setenv("HEARTH_EMPTY", "y", 1);
	CU_ASSERT_STRING_EQUAL(between("a { name = \"${HEARTH_EMPTY}\" }"), "");
	CU_ASSERT_STRING_EQUAL(between("a { listen = \"1.2.3.4:${HEARTH_EMPTY:-7}\" }"),
	    "f:1: a.listen: \"1.2.3.4:y\" is not an address; write for example \"192.0.2.1\", "
	    "\"192.0.2.1:53\" or \"[2001:db8::1]:53\"");
}

/* --- what is not there ------------------------------------------------------------------------ */

static const struct conf_key place_keys[] = {
	{ .name = "link", .type = CONF_STRING, .flags = CONF_LIST | CONF_LINK },
	{ .name = "addr", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LOCAL,
	    .value = "203.0.113.1" },
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LISTEN, .port = 5 },
	{ .name = "file", .type = CONF_STRING, .flags = CONF_FILE, .value = "/nix/default" },
	{ .name = "log", .type = CONF_STRING, .flags = CONF_FILE | CONF_WRITTEN },
	{ .name = "root", .type = CONF_STRING, .flags = CONF_FOLDER, .value = "/nix/root" },
	{ .name = "in", .type = CONF_STRING, .flags = CONF_FOLDER | CONF_WRITTEN, .value = "" },
	{ 0 }
};

static const struct conf_key places[] = {
	{ .name = "p", .type = CONF_SECTION, .keys = place_keys }, { 0 }
};

static void
note_miss(void *ctx, const char *words)
{
	char *all = ctx;

	snprintf(all + strlen(all), sizeof(findings) - strlen(all), "%s\n", words);
}

/* What a text names and is not there; root is written in all of them, as its default is not. */
static const char *
missing(const char *text, unsigned flags)
{
	static char all[sizeof(findings)];
	struct conf_file *cf;

	save("f", text);
	all[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(conf_read(&cf, "f", places, findings, sizeof(findings)), OK);
	conf_missing(conf_root(cf), flags, note_miss, all);
	conf_file_free(cf);
	return all;
}

#define EVERYTHING (CONF_LINK | CONF_LOCAL | CONF_LISTEN | CONF_FILE | CONF_FOLDER)

static void
interfaces_and_addresses_that_are_not_there_are_told(void)
{
	CU_ASSERT_STRING_EQUAL(missing("p { link = { lo, 'nix*', 'ni?0' } addr = 127.0.0.7:9 "
	    "listen = 0.0.0.0 root = / }", EVERYTHING), "");
	CU_ASSERT_STRING_EQUAL(missing("p { link = { lo,\n nixif0 } root = / }", CONF_LINK),
	    "f:2: p.link: \"nixif0\": no such interface is there now\n");
	CU_ASSERT_STRING_EQUAL(missing("p { addr = 203.0.113.77\n listen = 203.0.113.78 }",
	    CONF_LOCAL), "f:1: p.addr: \"203.0.113.77\": this machine has no such address now\n");
	CU_ASSERT_STRING_EQUAL(missing("p { addr = 203.0.113.77\n listen = 203.0.113.78 }",
	    CONF_LISTEN),
	    "f:2: p.listen: \"203.0.113.78\": this machine has no such address now\n");
}

static void
files_and_folders_that_are_not_there_are_told(void)
{
	char text[512];

	snprintf(text, sizeof(text), "p { file = '%s/f' log = '%s/new' root = '%s' in = '%s' }",
	    folder, folder, folder, folder);
	CU_ASSERT_STRING_EQUAL(missing(text, EVERYTHING), "");
	CU_ASSERT_STRING_EQUAL(missing("p { file = /nix/a log = /nix/b root = /nix/c in = /nix/d }",
	    EVERYTHING), "f:1: p.file: \"/nix/a\": no such file is there now\n"
	    "f:1: p.log: \"/nix/b\": no such folder is there now\n"
	    "f:1: p.root: \"/nix/c\": no such folder is there now\n"
	    "f:1: p.in: \"/nix/d\": no such folder is there now\n");
	CU_ASSERT_STRING_EQUAL(missing("p { root = /dev/null }", EVERYTHING),
	    "f:1: p.root: \"/dev/null\": this is no folder\n");
	CU_ASSERT_STRING_EQUAL(missing("p { file = a root = / }", EVERYTHING),
	    "f:1: p.file: \"a\": a path that does not begin with / depends on where hearthd is started\n");
	CU_ASSERT_STRING_EQUAL(missing("p { file = /nix/a root = / }", CONF_LINK), "");
}

/* A folder is one that nothing works without; a section that was not written is nobody's. */
static void
of_defaults_only_folders_are_told(void)
{
	CU_ASSERT_STRING_EQUAL(missing("\np { }", EVERYTHING),
	    "f:2: default of p.root: \"/nix/root\": no such folder is there now\n");
	CU_ASSERT_STRING_EQUAL(missing("", EVERYTHING), "");
}

/* --- grammar ---------------------------------------------------------------------------------- */

static void
told(const char *text, const char *want)
{
	struct conf_file *cf;

	save("f", text);

	enum err e = conf_read(&cf, "f", conf_table, findings, sizeof(findings));

	CU_ASSERT_EQUAL(e == OK, *want == '\0');
	CU_ASSERT_STRING_EQUAL(findings, want);
	if (strcmp(findings, want) != 0)
		printf("\n got:  %s\n want: %s\n", findings, want);
	conf_file_free(cf);
}

static void
other_languages_of_settings_are_known(void)
{
	told("dns { cache-size = 32 MB }", "f:1: dns.cache-size: \"32\" is too small; allowed is "
	    "64KiB to 64GiB\nf:1: \"MB\" is not understood here; values with blanks or several "
	    "words stand in quotes, and one setting is written name = value");
	told("dns { workers: 4 }", "f:1: \"workers:\": settings are written with = and without :");
	told("[dns]\n", "f:2: the file ends in the middle of a setting");
	told("[dns]\nworkers = 4\n", "f:2: \"[dns]\": sections are written as in dns { … }");
	told("DNS { Workers = 4 }", "f:1: DNS: unknown section; did you mean dns?");
	told("dns { Workers = 4 }", "f:1: dns.Workers: unknown key; did you mean workers?");
	told("log { level = warn }", "f:1: log.level: \"warn\" is not known here; allowed is err, "
	    "warning, notice, info or debug; did you mean warning?");
	told("dns { record = nas; }",
	    "f:1: dns.record: \"nas;\": a record has several words (settings end without a ;)");
	told("dns { bind = '*:53' }",
	    "f:1: dns.bind: \"*:53\" is not an address; write for example \"192.0.2.1\", \"192.0.2.1:53\" or \"[2001:db8::1]:53\"; all addresses are "
	    "\"0.0.0.0\", those of IPv6 \"[::]\"");
}

static void
a_backslash_that_would_vanish_is_told(void)
{
	told("user = \"a\\.b\"",
	    "f:1: \\. in double quotes is . alone; in single quotes the \\ stays");
	told("\ndns { route \"^x\\d\" { } }",
	    "f:2: \\d in double quotes is d alone; in single quotes the \\ stays");
	told("user = \"a\\\\.\\n\\t\\x41\\101\\e\\\"\\$\\\nb\"", "");
	told("user = 'a\\.b\\d'", "");
}

static void
what_looks_like_a_quote_or_a_blank_is_told(void)
{
	told("user = \xe2\x80\x9cx\n", "f:1: a curled quote stands here; plain \" and blanks are "
	    "understood");
	told("\nuser\xc2\xa0= x\n", "f:2: a no-break space stands here; plain \" and blanks are "
	    "understood");
	told("\xff\xfeu", "f:1: this is UTF-16; the file must be saved as UTF-8");
	told("# x\rdns { }\r", "f:1: lines end in a lone CR; they must end in LF or CR LF");
	told("# \xe2\x80\x9c\xc2\xa0\r\nuser = \"\xe2\x80\x9cx\xc2\xa0\"\r\n", "");
}

int
main(void)
{
	static const struct unit_case cases[] = {
		UNIT(an_address_is_listened_on_once),
		UNIT(every_address_takes_the_port_of_each),
		UNIT(an_address_that_may_have_a_port_is_not_guessed_at),
		UNIT(what_must_not_exceed_another_is_told_with_both),
		UNIT(a_default_gives_way_and_zero_is_no_bound),
		UNIT(too_many_are_told_where_the_first_of_them_stands),
		UNIT(an_empty_text_needs_a_meaning),
		UNIT(an_empty_variable_is_as_one_that_is_not_there),
		UNIT(interfaces_and_addresses_that_are_not_there_are_told),
		UNIT(files_and_folders_that_are_not_there_are_told),
		UNIT(of_defaults_only_folders_are_told),
		UNIT(other_languages_of_settings_are_known),
		UNIT(a_backslash_that_would_vanish_is_told),
		UNIT(what_looks_like_a_quote_or_a_blank_is_told),
	};
	char command[64];
	int status;

	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		perror(folder);
		return 1;
	}
	status = unit_run("conf_check", cases, sizeof(cases) / sizeof(cases[0]));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") == 0 && system(command) == 0 ? status : 1;
}
