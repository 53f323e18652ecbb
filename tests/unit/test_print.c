/* SPDX-License-Identifier: MIT */
/* How hearthctl shows results: rows, tables, JSON. */
#include "hearthctl/print.h"

#include "hearthctl/flat.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
tree(const char *text)
{
	json_error_t e;
	json_t *j = json_loads(text, 0, &e);

	if (j == NULL)
		printf("not JSON: %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static void
compare(char *got, const char *want)
{
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		printf("got:\n%s\n", got);
	free(got);
}

static void
prints(const char *text, bool as_json, const char *want)
{
	json_t *j = tree(text);
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	print_result(j, as_json, 80, out);
	fclose(out);
	json_decref(j);
	compare(got, want);
}

static void
tabulates(const char *text, int width, const char *want)
{
	json_t *j = tree(text);
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	print_table(j, width, out);
	fclose(out);
	json_decref(j);
	compare(got, want);
}

static void
values_are_lines_with_dotted_names(void)
{
	prints("{\"dns\": {\"cache\": {\"hits\": 12, \"ratio\": 0.25}, \"stale\": true}, \"n\": -3}",
	    false, "dns.cache.hits=12\ndns.cache.ratio=0.25\ndns.stale=true\nn=-3\n");
	prints("{}", false, "ok\n");
	prints("{\"a\": {}, \"b\": null, \"c\": []}", false, "a={}\nb=\nc=\n");
}

static void
texts_are_quoted_where_they_need_it(void)
{
	prints("{\"a\": \"plain/1.2:53\", \"b\": \"two words\", \"c\": \"\", \"d\": \"q\\\"\\\\\", "
	    "\"e\": \"K\xc3\xbc\", \"f\": \"$HOME\", \"g\": \"a,b\"}", false,
	    "a=plain/1.2:53\nb=\"two words\"\nc=\"\"\nd=\"q\\\"\\\\\"\ne=K\xc3\xbc\nf=\"$HOME\"\n"
	    "g=\"a,b\"\n");
	prints("{\"l\": [\"x\", \"y z\", 3]}", false, "l=x,\"y z\",3\n");
}

static void
nothing_moves_the_cursor(void)
{
	prints("{\"a\": \"x\\u001b[2Jy\\u202e\\n\"}", false,
	    "a=\"x\\x1b[2Jy\\xe2\\x80\\xae\\n\"\n");
	prints("{\"l\": [{\"a\": \"x\\u001b[2J\"}]}", false, "l:\n  a\n  x\\x1b[2J\n");
}

static void
lists_of_objects_are_tables_behind_the_values(void)
{
	prints("{\"list\": [{\"server\": \"9.9.9.9\", \"ms\": 7}, {\"server\": \"192.0.2.100\", "
	    "\"ms\": 123, \"note\": \"K\xc3\xbc\"}], \"after\": 1, \"more\": [{\"n\": {\"m\": 2}}]}",
	    false, "after=1\n\n"
	    "list:\n  server        ms  note\n  9.9.9.9        7  \n  192.0.2.100  123  K\xc3\xbc\n\n"
	    "more:\n  n.m\n    2\n");
}

static void
letters_of_several_bytes_take_one_column(void)
{
	tabulates("[{\"a\": \"K\xc3\xbc" "che\", \"b\": \"x\"}, {\"a\": \"Bad\", \"b\": \"y\"}]",
	    80,
	    "  a      b\n  K\xc3\xbc" "che  x\n  Bad    y\n");
}

static void
a_table_that_is_too_wide_lies_on_its_side(void)
{
	static const char text[] =
	    "[{\"server\": \"9.9.9.9\", \"a_long_name\": 1, \"another\": true, \"x\": 5},"
	    " {\"server\": \"8.8.8.8\", \"a_long_name\": 22, \"another\": false, \"x\": 6}]";
	static const char upright[] = "  server   a_long_name  another  x\n"
	    "  9.9.9.9            1  true     5\n  8.8.8.8           22  false    6\n";

	tabulates(text, 34, upright);
	tabulates(text, 33, "  server       9.9.9.9  8.8.8.8\n  a_long_name  1        22\n"
	    "  another      true     false\n  x            5        6\n");
	/* Too wide both ways: as many as there is room for, one at least. */
	tabulates(text, 20, "  server       9.9.9.9\n  a_long_name  1\n  another      true\n"
	    "  x            5\n\n"
	    "  server       8.8.8.8\n  a_long_name  22\n  another      false\n"
	    "  x            6\n");
}

static void
sentences_in_the_last_column_run_on(void)
{
	static const char text[] =
	    "[{\"stage\": \"lists\", \"detail\": \"no name of it is in any list "
	    "that is in force\"}, {\"stage\": \"cache\", \"detail\": \"nothing\"}]";

	tabulates(text, 40, "  stage  detail\n  lists  no name of it is in any list that is in force\n"
	    "  cache  nothing\n");
}

static void
objects_in_rows_go_below_them_where_they_are_too_wide(void)
{
	static const char text[] = "[{\"topic\": \"door/front\", \"rev\": 1, \"text\": {\"state\": "
	    "\"closed\", \"battery\": \"87\"}}, {\"topic\": \"heating\", \"rev\": 12, \"text\": "
	    "{\"mode\": \"auto and on\", \"target\": \"22\", \"name\": \"K\xc3\xbc" "che\"}}, "
	    "{\"topic\": \"empty\", \"rev\": 3}]";

	tabulates(text, 36, "  topic       rev\n  door/front    1\n      state=closed battery=87\n"
	    "  heating      12\n      mode=\"auto and on\" target=22\n      name=K\xc3\xbc" "che\n"
	    "  empty         3\n");
	tabulates(text, 1000,
	    "  topic       rev  text.state  text.battery  text.mode    text.target  text.name\n"
	    "  door/front    1  closed      87                                      \n"
	    "  heating      12                            auto and on  22           K\xc3\xbc"
	    "che\n"
	    "  empty         3                                                      \n");
	/* Of several kinds: whole names. */
	tabulates("[{\"a\": 1, \"b\": {\"c\": \"0123456789\"}, \"d\": {\"e\": \"0123456789\"}}, "
	    "{\"a\": 2}, {\"a\": 3}]",
	    15, "  a\n  1\n      b.c=0123456789\n      d.e=0123456789\n  2\n  3\n");
}

static void
json_is_one_line(void)
{
	prints("{\"a\": [1, {\"b\": \"c d\"}]}", true, "{\"a\":[1,{\"b\":\"c d\"}]}\n");
	prints("{}", true, "{}\n");
}

static void
rows_are_found_by_name(void)
{
	json_t *j = tree("{\"a\": {\"b\": 1}, \"c\": [{}]}");
	struct flat f;

	CU_ASSERT_TRUE_FATAL(flat_make(&f, j));
	CU_ASSERT_EQUAL(f.count, 2);
	CU_ASSERT_EQUAL(json_integer_value(flat_find(&f, "a.b")), 1);
	CU_ASSERT_TRUE(flat_is_table(flat_find(&f, "c")));
	CU_ASSERT_FALSE(flat_is_table(flat_find(&f, "a.b")));
	CU_ASSERT_PTR_NULL(flat_find(&f, "a"));
	flat_free(&f);
	json_decref(j);
}

static void
tables_within_a_table_come_after_it(void)
{
	prints("{\"lists\":[{\"block\":\"ads\",\"names\":3,\"files\":[{\"file\":\"a\"},{\"file\":\"b\"}]},"
	       "{\"block\":\"none\",\"names\":0}]}", false,
	    "lists:\n  block  names\n  ads        3\n  none       0\n"
	    "\nlists.ads.files:\n  file\n  a\n  b\n");
}

UNIT_MAIN("print", UNIT(values_are_lines_with_dotted_names),
    UNIT(texts_are_quoted_where_they_need_it), UNIT(nothing_moves_the_cursor),
    UNIT(lists_of_objects_are_tables_behind_the_values),
    UNIT(letters_of_several_bytes_take_one_column),
    UNIT(a_table_that_is_too_wide_lies_on_its_side),
    UNIT(sentences_in_the_last_column_run_on),
    UNIT(objects_in_rows_go_below_them_where_they_are_too_wide), UNIT(json_is_one_line),
    UNIT(tables_within_a_table_come_after_it),
    UNIT(rows_are_found_by_name))
