/* SPDX-License-Identifier: MIT */
/*
 * hearthctl dns dump. The daemon is asked for a slice at a time, so that neither side holds the
 * whole cache, and a reader who is slow keeps nobody waiting but us.
 */
#include "hearthctl/dump.h"

#include "hearthctl/client.h"

#include <stdio.h>
#include <string.h>

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* It has the escapes of zone files already; nothing else may move the cursor either. */
static void
print_text(const json_t *object, const char *key)
{
	for (const char *at = text_of(object, key); *at != '\0'; at++)
		fputc(*at >= ' ' && *at <= '~' ? *at : '?', stdout);
}

/* Names of zone files end in a dot. */
static void
print_name(const json_t *object)
{
	print_text(object, "name");
	if (strcmp(text_of(object, "name"), ".") != 0)
		fputc('.', stdout);
}

static void
print_state(const json_t *entry)
{
	const char *route = text_of(entry, "route");

	printf("%s%s%s", text_of(entry, "state"),
	    json_is_true(json_object_get(entry, "dnssec_ok")) ? ", with DNSSEC" : "",
	    json_is_true(json_object_get(entry, "checking_disabled")) ? ", unchecked" : "");
	if (*route != '\0')
		printf(", route %s", route);
	fputc('\n', stdout);
}

static void
print_record(const json_t *record, const json_t *entry)
{
	print_name(record);
	printf("\t%" JSON_INTEGER_FORMAT "\t%s\t%s\t",
	    json_integer_value(json_object_get(record, "ttl_s")), text_of(record, "class"),
	    text_of(record, "type"));
	print_text(record, "data");
	fputs("\t; ", stdout);
	print_state(entry);
}

/* What does not exist, or failed, has no line of its own in a zone file: a comment. */
static void
print_nothing(const json_t *entry)
{
	const char *rcode = text_of(entry, "rcode");
	json_int_t left = json_integer_value(json_object_get(entry, "ttl_s"));

	fputs("; ", stdout);
	print_name(entry);
	printf("\t%" JSON_INTEGER_FORMAT "\t%s\t%s\t; ",
	    left > 0 ? left : 0, text_of(entry, "type"),
	    strcmp(rcode, "NOERROR") == 0 ? "NODATA" : rcode);
	print_state(entry);
}

static void
print_entry(const json_t *entry, bool as_json)
{
	const json_t *answer = json_object_get(entry, "answer"), *record;
	bool any = false;
	size_t i;

	if (as_json) {
		json_dumpf(entry, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		return;
	}
	json_array_foreach(answer, i, record) {
		if (strcmp(text_of(record, "section"), "answer") != 0)
			continue;
		print_record(record, entry);
		any = true;
	}
	if (!any)
		print_nothing(entry);
}

int
dump_run(const struct tool *t, int argc, char **argv)
{
	static char noun[] = "dns", word[] = "dump";
	char why[CLIENT_WHY_MAX], next[64] = "";
	char *const words[] = { noun, word, next };
	bool more = true;

	(void)argc;
	(void)argv;
	while (more && ferror(stdout) == 0) {
		json_t *slice = client_ask(t->socket, *next != '\0' ? 3 : 2, words, why), *entry;
		size_t i;

		if (slice == NULL)
			return tool_fail("%s", why);
		json_array_foreach(json_object_get(slice, "entries"), i, entry)
			print_entry(entry, t->json);
		snprintf(next, sizeof(next), "%s", text_of(slice, "next"));
		more = *next != '\0';
		json_decref(slice);
	}
	return TOOL_FINE;
}
