/* SPDX-License-Identifier: MIT */
/* What is wrong between settings that are each fine by themselves, and what only their user sees. */
#include "core/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static const struct conf_key box_keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN, .port = 69,
	    .value = "0.0.0.0:69" },
	{ .name = "from", .type = CONF_ADDR },
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

int
main(void)
{
	static const struct unit_case cases[] = {
		UNIT(an_address_is_listened_on_once),
		UNIT(every_address_takes_the_port_of_each),
		UNIT(an_address_that_may_have_a_port_is_not_guessed_at),
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
