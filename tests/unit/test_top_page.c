/* SPDX-License-Identifier: MIT */
/* What hearthctl top shows of a status, on terminals of several sizes. */
#include "hearthctl/top_page.h"

#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A status of four parts: 3, 40, 1 and 12 counters, all above 0. */
static json_t *
status(json_int_t add)
{
	static const struct {
		const char *name;
		int counters;
	} parts[] = { { "hearthd", 3 }, { "dns", 40 }, { "tftp", 1 }, { "announce", 12 } };
	json_t *root = json_object();

	for (size_t i = 0; i < 4; i++) {
		json_t *part = json_object();

		for (int k = 0; k < parts[i].counters; k++) {
			char key[32];

			snprintf(key, sizeof(key), "%c_counter_%02d", parts[i].name[0], k);
			json_object_set_new(part, key, json_integer(k + 1 + add));
		}
		json_object_set_new(root, parts[i].name, part);
	}
	return root;
}

/* The page under test, and what of it is looked at. */
static json_t *shown;
static struct top_page p;
static struct top_view v;

/* Two seconds after `before`, where that is given. */
static void
begin(json_t *now, const json_t *before, int columns)
{
	shown = now;
	v = (struct top_view){ .part = 0 };
	CU_ASSERT_TRUE_FATAL(top_page_make(&p, now, before, 2000, columns));
}

static void
end(void)
{
	top_page_free(&p);
	json_decref(shown);
}

/* Everything that is written is at most this large, and ends its lines; freed by the caller. */
static char *
print(size_t rows, int columns)
{
	char *text = NULL;
	size_t len, lines = 0;
	FILE *out = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	top_page_print(&p, &v, rows, columns, out);
	fclose(out);
	for (const char *at = text; *at != '\0';) {
		const char *end = strchr(at, '\n');

		CU_ASSERT_PTR_NOT_NULL_FATAL(end);
		CU_ASSERT(end - at <= columns + 8);	/* bold, and back */
		lines++;
		at = end + 1;
	}
	CU_ASSERT(lines <= rows);
	return text;
}

static void
has(const char *text, const char *what)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(text, what));
	if (strstr(text, what) == NULL)
		printf("no \"%s\" in:\n%s\n", what, text);
}

static void
hasnt(const char *text, const char *what)
{
	CU_ASSERT_PTR_NULL(strstr(text, what));
}

static void
every_part_gets_lines_on_a_small_terminal(void)
{
	char *text;

	begin(status(0), NULL, 80);
	CU_ASSERT_EQUAL(p.count, 4);
	CU_ASSERT_EQUAL(p.parts[1].lines, 20);
	text = print(22, 80);
	/* 22: hearthd takes 3 and tftp 2, announce its 7; 10 are left for dns. */
	has(text, "1 hearthd\033[0m\n");
	has(text, "h_counter_02=3");
	has(text, "2 dns: lines 1 to 9 of 20\033[0m\n");
	has(text, "d_counter_17=18");
	hasnt(text, "d_counter_18");
	has(text, "3 tftp\033[0m\n");
	has(text, "t_counter_00=1");
	has(text, "4 announce\033[0m\n");
	has(text, "a_counter_11=12");
	free(text);
	/* As little room as there can be: no part starves for another. */
	text = print(8, 80);
	has(text, "h_counter_00");
	has(text, "d_counter_00");
	has(text, "t_counter_00");
	has(text, "a_counter_00");
	free(text);
	text = print(2, 80);
	free(text);
	end();
}

static void
everything_is_there_on_a_large_one(void)
{
	char *text;

	begin(status(0), NULL, 120);
	CU_ASSERT_EQUAL(p.parts[1].lines, 14);
	text = print(48, 120);
	has(text, "2 dns\033[0m\n");
	has(text, "d_counter_39=40");
	has(text, "a_counter_11=12");
	free(text);
	end();
}

static void
one_part_is_shown_and_scrolled(void)
{
	char *text;

	begin(status(0), NULL, 80);
	top_view_key(&v, "2", p.count, 11);
	text = print(12, 80);
	has(text, "2 dns: lines 1 to 11 of 20\033[0m\n");
	hasnt(text, "h_counter");
	hasnt(text, "d_counter_22");
	free(text);
	top_view_key(&v, "\033[B", p.count, 11);
	text = print(12, 80);
	has(text, "lines 2 to 12 of 20");
	hasnt(text, "d_counter_01");
	has(text, "d_counter_22");
	free(text);
	top_view_key(&v, "\033[6~", p.count, 11);
	text = print(12, 80);
	has(text, "lines 10 to 20 of 20");
	free(text);
	CU_ASSERT_EQUAL(v.from, 9);
	top_view_key(&v, "G", p.count, 11);
	text = print(12, 80);
	has(text, "lines 10 to 20 of 20");
	free(text);
	top_view_key(&v, "\033[A", p.count, 11);
	CU_ASSERT_EQUAL(v.from, 8);
	top_view_key(&v, "b", p.count, 11);
	CU_ASSERT_EQUAL(v.from, 0);
	top_view_key(&v, "x", p.count, 11);
	CU_ASSERT_EQUAL(v.part, 2);
	top_view_key(&v, "\t", p.count, 11);
	CU_ASSERT_EQUAL(v.part, 3);
	top_view_key(&v, "\033[D", p.count, 11);
	top_view_key(&v, "\033[D", p.count, 11);
	top_view_key(&v, "\033[D", p.count, 11);
	CU_ASSERT_EQUAL(v.part, 0);
	top_view_key(&v, "\033[D", p.count, 11);
	CU_ASSERT_EQUAL(v.part, 4);
	top_view_key(&v, "5", p.count, 11);	/* there is none */
	CU_ASSERT_EQUAL(v.part, 4);
	top_view_key(&v, "0", p.count, 11);
	CU_ASSERT_EQUAL(v.part, 0);
	end();
}

static void
what_grows_has_a_rate(void)
{
	json_t *before = status(0);
	char *text;

	begin(status(30), before, 80);
	v.part = 3;
	text = print(22, 80);
	has(text, "t_counter_00=31  +15/s");
	free(text);
	end();
	json_decref(before);
}

static void
zeros_are_left_out_of_values_and_tables(void)
{
	json_t *now = json_loads("{\"dns\": {\"none\": 0, \"some\": 1, \"empty\": [], \"held\": {}, "
	    "\"text\": \"\", \"servers\": [{\"server\": \"a\", \"sent\": 0, \"lost\": 0}, "
	    "{\"server\": \"b\", \"sent\": 2, \"lost\": 0}]}}", 0, NULL);
	char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(now);
	begin(now, NULL, 80);
	v.part = 1;
	text = print(22, 80);
	hasnt(text, "none");
	hasnt(text, "empty");
	hasnt(text, "held");
	has(text, "some=1");
	has(text, "servers:\n  server  sent\n  a          0\n  b          2\n");
	hasnt(text, "lost");
	free(text);
	end();
}

static void
a_long_value_takes_the_place_of_two(void)
{
	json_t *now = json_loads("{\"a\": {\"x\": 1, \"key\": "
	    "\"ed25519:39SdisnmwHzM3mZ8oJKiPgKgSoJqdfesHMN6Zl7AN04=\", \"y\": 2, \"z\": 3}}", 0, NULL);
	char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(now);
	begin(now, NULL, 80);
	v.part = 1;
	text = print(22, 80);
	has(text, "\nkey=ed25519:39SdisnmwHzM3mZ8oJKiPgKgSoJqdfesHMN6Zl7AN04=\n"
	    "y=2                                     z=3\n");
	free(text);
	end();
}

UNIT_MAIN("top_page", UNIT(every_part_gets_lines_on_a_small_terminal),
    UNIT(everything_is_there_on_a_large_one), UNIT(one_part_is_shown_and_scrolled),
    UNIT(what_grows_has_a_rate), UNIT(zeros_are_left_out_of_values_and_tables),
    UNIT(a_long_value_takes_the_place_of_two))
