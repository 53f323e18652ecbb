/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_listfile.h"

#include "services/dns/dns_regex.h"

#include "support/dns.h"
#include "support/unit.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "0123456789abcde";

/* A file that was read, and the set that came of it. */
struct reading {
	struct dns_listfile file;
	struct dns_list *list;
};

/* Read a text in pieces of `step` bytes. */
static void
read_in_steps(struct reading *r, struct span text, bool exact, size_t step)
{
	struct dns_list_builder *b;

	CU_ASSERT_EQUAL_FATAL(dns_list_builder_new(&b, 1000), OK);
	dns_listfile_begin(&r->file, b, 5, exact);
	while (text.len != 0) {
		size_t n = text.len < step ? text.len : step;

		CU_ASSERT_EQUAL(dns_listfile_feed(&r->file, span_of(text.at, n)), OK);
		text = span_of(text.at + n, text.len - n);
	}
	CU_ASSERT_EQUAL(dns_listfile_end(&r->file), OK);
	CU_ASSERT_EQUAL_FATAL(dns_list_finish(&r->list, b, key), OK);
	dns_list_builder_free(b);
}

static struct reading *
read_text(const char *text)
{
	static struct reading r;

	read_in_steps(&r, span_str(text), false, SIZE_MAX);
	return &r;
}

/* How the set judges a name: 'b' blocked, 'a' blocked but allowed, '-' not known. */
static char
verdict(const struct dns_list *l, const char *text)
{
	struct dns_name n = dns_test_name(text);
	struct dns_list_match m;
	struct dns_trail t;
	uint64_t gave_up = 0;

	dns_trail_of(&t, dns_name_span(&n), dns_list_has_tops(l), key);
	if (!dns_list_find(l, DNS_LIST_BLOCK, &t, &m)) {
		int i = dns_list_find_pattern(l, DNS_LIST_BLOCK, span_str(text), &gave_up);

		if (i < 0)
			return '-';
		m = dns_list_pattern(l, DNS_LIST_BLOCK, (unsigned)i);
	}
	CU_ASSERT_EQUAL(m.source, 5);
	return dns_list_find(l, DNS_LIST_ALLOW, &t, &m) ||
		       dns_list_find_pattern(l, DNS_LIST_ALLOW, span_str(text), &gave_up) >= 0
	    ? 'a'
	    : 'b';
}

#define CHECK(r, name, want) CU_ASSERT_EQUAL(verdict((r)->list, name), want)

static void
hosts_lines_block_all_names_behind_the_address(void)
{
	struct reading *r = read_text("0.0.0.0 ads.example\twww.Ads.example # why\r\n"
				      "127.0.0.1  track.example#x\n"
				      ":: six.example\n::1 seven.example\n0 zero.example\n");

	CHECK(r, "ads.example", 'b');
	CHECK(r, "sub.ads.example", 'b');
	CHECK(r, "track.example", 'b');
	CHECK(r, "six.example", 'b');
	CHECK(r, "seven.example", 'b');
	CHECK(r, "zero.example", 'b');
	CHECK(r, "why", '-');
	CU_ASSERT_EQUAL(r->file.stats.names, 6);
	CU_ASSERT_EQUAL(r->file.stats.lines, 5);
	CU_ASSERT_EQUAL(r->file.stats.invalid, 0);
	dns_list_free(r->list);
}

static void
what_every_hosts_file_has_is_ignored(void)
{
	struct reading *r = read_text("127.0.0.1 localhost localhost.localdomain local\n"
				      "::1 ip6-localhost\n0.0.0.0 0.0.0.0\n"
				      "0.0.0.0 printer\n");

	CHECK(r, "localhost", '-');
	CHECK(r, "localhost.localdomain", '-');
	CHECK(r, "printer", 'b');
	CHECK(r, "big.printer", '-');
	CU_ASSERT_EQUAL(r->file.stats.ignored, 5);
	CU_ASSERT_EQUAL(r->file.stats.names, 1);
	CU_ASSERT_EQUAL(r->file.stats.invalid + r->file.stats.unsupported, 0);
	dns_list_free(r->list);
}

static void
hosts_lines_that_lead_somewhere_are_left_out(void)
{
	struct reading *r = read_text("192.168.1.5 nas.example\n2001:db8::1 web.example\n");

	CHECK(r, "nas.example", '-');
	CHECK(r, "web.example", '-');
	CU_ASSERT_EQUAL(r->file.stats.unsupported, 2);
	dns_list_free(r->list);
}

static void
plain_names_may_have_stars_dots_and_comments(void)
{
	struct reading *r = read_text("ads.example\n  *.stars.example  \n.dot.example\n"
				      "closed.example.\nUPPER.Example # x\nnear.example#x\n"
				      "_dmarc.under-score.example");

	CHECK(r, "a.ads.example", 'b');
	CHECK(r, "stars.example", 'b');
	CHECK(r, "x.stars.example", 'b');
	CHECK(r, "dot.example", 'b');
	CHECK(r, "closed.example", 'b');
	CHECK(r, "upper.example", 'b');
	CHECK(r, "near.example", 'b');
	CHECK(r, "_dmarc.under-score.example", 'b');
	CHECK(r, "under-score.example", '-');
	CU_ASSERT_EQUAL(r->file.stats.names, 7);
	dns_list_free(r->list);
}

static void
exact_files_block_hosts_and_plain_names_alone(void)
{
	static struct reading r;

	read_in_steps(&r, SPAN("0.0.0.0 h.example\np.example\n*.s.example\n||r.example^\n"), true,
	    7);
	CHECK(&r, "h.example", 'b');
	CHECK(&r, "www.h.example", '-');
	CHECK(&r, "www.p.example", '-');
	CHECK(&r, "www.s.example", 'b');
	CHECK(&r, "www.r.example", 'b');
	dns_list_free(r.list);
}

static void
adblock_rules_block_and_allow(void)
{
	struct reading *r = read_text("[Adblock Plus 2.0]\n! Title: x\n||ads.example^\n"
				      "||bare.example\n||end.example^|\n||*.star.example^\n"
				      "||zip^\n||strong.example^$important\n||all.example^$all,document\n"
				      "@@||good.ads.example^\n@@||fine.ads.example^$important\n");

	CHECK(r, "x.ads.example", 'b');
	CHECK(r, "bare.example", 'b');
	CHECK(r, "end.example", 'b');
	CHECK(r, "x.star.example", 'b');
	CHECK(r, "some.zip", 'b');
	CHECK(r, "strong.example", 'b');
	CHECK(r, "all.example", 'b');
	CHECK(r, "good.ads.example", 'a');
	CHECK(r, "www.good.ads.example", 'a');
	CHECK(r, "fine.ads.example", 'a');
	CU_ASSERT_EQUAL(r->file.stats.names, 9);
	CU_ASSERT_EQUAL(r->file.stats.unsupported + r->file.stats.invalid, 0);
	dns_list_free(r->list);
}

static void
rules_that_mean_something_else_are_counted_and_left_out(void)
{
	static const char *const lines[] = {
		"||ads.example^$third-party", "||ads.example^$important,script",
		"||ads.example^$client=10.0.0.1", "||ads.example^$dnsrewrite=1.2.3.4",
		"||ads.example^$dnstype=AAAA", "||ads.example^$badfilter", "||ads.example/banner",
		"||ads*.example^", "||ads.example:8080^", "||192.0.2.1^", "192.0.2.1",
		"@@||ads.example^$document", "@@ads.example", "@@|https://ads.example",
		"|https://x",
		"ads.example##.banner", "ads.example#@#.banner", "ads.example#?#.x", "ads.example^",
		"ads.example/banner", "https://ads.example/", "address=/ads.example/0.0.0.0",
		"ads.example,more.example", "/banner/ads.js", "/ad[0-9]/$popup", "*",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct reading *r = read_text(lines[i]);

		CHECK(r, "ads.example", '-');
		CU_ASSERT_EQUAL(r->file.stats.unsupported, 1);
		CU_ASSERT_EQUAL(r->file.stats.names + r->file.stats.invalid, 0);
		CU_ASSERT_EQUAL(r->file.stats.nfindings, 1);
		dns_list_free(r->list);
	}
}

static void
lines_that_are_nothing_are_invalid(void)
{
	static const char *const lines[] = {
		"<html>", "m\xc3\xbcller.example", "a..example", "com", "..", ".", "\"x.example\"",
		"body { color: red }", "ads.example more.example", "0.0.0.0 a..b", "||", "||^",
		"@@||^",
		"{\"a\": 1}", "0.0.0.0 m\xc3\xbcller.example",
		"a23456789012345678901234567890123456789012345678901234567890123x.example",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct reading *r = read_text(lines[i]);

		CU_ASSERT_EQUAL(r->file.stats.invalid + r->file.stats.unsupported, 1);
		CU_ASSERT_EQUAL(r->file.stats.names, 0);
		CU_ASSERT_EQUAL(r->file.stats.nfindings, 1);
		CU_ASSERT_EQUAL(r->file.stats.finding[0].line, 1);
		CU_ASSERT_PTR_NOT_NULL(r->file.stats.finding[0].why);
		dns_list_free(r->list);
	}
}

static void
the_first_few_lines_left_out_are_told(void)
{
	struct reading *r = read_text("good.example\n<1>\n<2>\n\n<3>\n<4>\n<5>\n<6>\n<7>\n");
	const struct dns_listfile_stats *st = &r->file.stats;

	CU_ASSERT_EQUAL(st->invalid, 7);
	CU_ASSERT_EQUAL(st->nfindings, DNS_LISTFILE_FINDINGS);
	CU_ASSERT_EQUAL(st->finding[0].line, 2);
	CU_ASSERT_EQUAL(st->finding[4].line, 7);
	CU_ASSERT_TRUE(span_equal(span_of(st->finding[2].text, st->finding[2].len), SPAN("<3>")));
	CU_ASSERT_FALSE(dns_listfile_plausible(st));
	dns_list_free(r->list);
}

static void
a_mark_of_utf8_and_a_missing_newline_do_no_harm(void)
{
	struct reading *r = read_text("\xef\xbb\xbf" "first.example\r\nlast.example");

	CHECK(r, "first.example", 'b');
	CHECK(r, "last.example", 'b');
	CU_ASSERT_EQUAL(r->file.stats.lines, 2);
	dns_list_free(r->list);
}

static void
the_size_of_the_pieces_does_not_matter(void)
{
	static const char text[] = "\xef\xbb\xbf# head\n0.0.0.0 a.example b.example\r\n\n"
				   "||c.example^$important\n<junk>\n@@||d.c.example^\ne.example";
	static struct reading whole, parts;

	read_in_steps(&whole, SPAN(text), false, SIZE_MAX);
	for (size_t step = 1; step < sizeof(text); step++) {
		read_in_steps(&parts, SPAN(text), false, step);
		CU_ASSERT_EQUAL(memcmp(&parts.file.stats, &whole.file.stats,
		    sizeof(whole.file.stats)),
		    0);
		CHECK(&parts, "x.b.example", 'b');
		CHECK(&parts, "d.c.example", 'a');
		CHECK(&parts, "e.example", 'b');
		dns_list_free(parts.list);
	}
	dns_list_free(whole.list);
}

static void
a_line_without_end_is_skipped_and_costs_no_memory(void)
{
	static uint8_t text[3 * DNS_LISTFILE_LINE_MAX];
	static struct reading r;
	static const char tail[] = "\nnext.example\n";

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - sizeof(tail) + 1, tail, sizeof(tail) - 1);
	for (size_t step = 1000; step < 2 * sizeof(text); step *= 2) {
		read_in_steps(&r, span_of(text, sizeof(text)), false, step);
		CHECK(&r, "next.example", 'b');
		CU_ASSERT_EQUAL(r.file.stats.invalid, 1);
		CU_ASSERT_EQUAL(r.file.stats.lines, 2);
		CU_ASSERT_EQUAL(r.file.stats.names, 1);
		dns_list_free(r.list);
	}
}

static void
the_longest_name_is_taken_and_a_longer_one_is_not(void)
{
	char text[300];
	struct reading *r;

	for (unsigned i = 0; i < 4; i++) {
		memset(text + i * 64, 'a' + (int)i, 63);
		text[i * 64 + 63] = '.';
	}
	text[253] = '\0';	/* 3 labels of 63, one of 61: 253 characters, 255 bytes on the wire */
	r = read_text(text);
	CHECK(r, text, 'b');
	dns_list_free(r->list);
	strcpy(text + 253, "x");
	r = read_text(text);
	CU_ASSERT_EQUAL(r->file.stats.invalid, 1);
	dns_list_free(r->list);
}

static void
patterns_match_anywhere_in_a_name(void)
{
	struct dns_regex *rx = NULL;
	struct reading *r;

	if (dns_regex_new(&rx, SPAN("x")) == ERR_UNSUPPORTED) {
		r = read_text("/^ad[0-9]+\\./\n");
		CU_ASSERT_EQUAL(r->file.stats.unsupported, 1);
		dns_list_free(r->list);
		return;
	}
	dns_regex_free(rx);
	r = read_text("/^ad[0-9]+\\./\n@@/\\.good\\.example$/\n/(unclosed/\n");
	CHECK(r, "ad42.example", 'b');
	CHECK(r, "bad42.example", '-');
	CHECK(r, "ad1.good.example", 'a');
	CU_ASSERT_EQUAL(r->file.stats.patterns, 2);
	CU_ASSERT_EQUAL(r->file.stats.invalid, 1);
	CU_ASSERT_EQUAL(dns_list_patterns(r->list, DNS_LIST_BLOCK), 1);
	CU_ASSERT_EQUAL(dns_list_stats(r->list)->patterns, 2);
	dns_list_free(r->list);
}

static void
a_pattern_that_never_ends_is_cut_off(void)
{
	struct reading *r = read_text("/^(a+)+$/\n");
	uint64_t gave_up = 0;
	char text[200];

	memset(text, 'a', sizeof(text));
	text[199] = 'b';
	CU_ASSERT_EQUAL(
	    dns_list_find_pattern(r->list, DNS_LIST_BLOCK, span_of(text, sizeof(text)), &gave_up),
	    -1);
	CU_ASSERT_EQUAL(gave_up, dns_list_patterns(r->list, DNS_LIST_BLOCK));
	dns_list_free(r->list);
}

static void
the_number_of_patterns_is_bounded(void)
{
	char text[DNS_LIST_PATTERNS_MAX * 8 + 100];
	size_t at = 0;
	struct reading *r;

	for (unsigned i = 0; i < DNS_LIST_PATTERNS_MAX + 3; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "/x%u/\n", i);
	r = read_text(text);
	CU_ASSERT_EQUAL(r->file.stats.patterns + r->file.stats.unsupported,
	    DNS_LIST_PATTERNS_MAX + 3);
	CU_ASSERT_EQUAL(r->file.stats.patterns, dns_list_patterns(r->list, DNS_LIST_BLOCK));
	CU_ASSERT_TRUE(dns_list_patterns(r->list, DNS_LIST_BLOCK) <= DNS_LIST_PATTERNS_MAX);
	dns_list_free(r->list);
}

static void
nothing_at_all_is_no_list_but_a_comment_is(void)
{
	struct reading *r = read_text("");

	CU_ASSERT_FALSE(dns_listfile_plausible(&r->file.stats));
	dns_list_free(r->list);
	r = read_text("# empty on purpose\n");
	CU_ASSERT_TRUE(dns_listfile_plausible(&r->file.stats));
	dns_list_free(r->list);
	r = read_text("<!DOCTYPE html>\n<html><body>Not Found</body>\n</html>\n");
	CU_ASSERT_FALSE(dns_listfile_plausible(&r->file.stats));
	dns_list_free(r->list);
}

UNIT_MAIN("dns_listfile",
    UNIT(hosts_lines_block_all_names_behind_the_address),
    UNIT(what_every_hosts_file_has_is_ignored),
    UNIT(hosts_lines_that_lead_somewhere_are_left_out),
    UNIT(plain_names_may_have_stars_dots_and_comments),
    UNIT(exact_files_block_hosts_and_plain_names_alone),
    UNIT(adblock_rules_block_and_allow),
    UNIT(rules_that_mean_something_else_are_counted_and_left_out),
    UNIT(lines_that_are_nothing_are_invalid),
    UNIT(the_first_few_lines_left_out_are_told),
    UNIT(a_mark_of_utf8_and_a_missing_newline_do_no_harm),
    UNIT(the_size_of_the_pieces_does_not_matter),
    UNIT(a_line_without_end_is_skipped_and_costs_no_memory),
    UNIT(the_longest_name_is_taken_and_a_longer_one_is_not),
    UNIT(patterns_match_anywhere_in_a_name),
    UNIT(a_pattern_that_never_ends_is_cut_off),
    UNIT(the_number_of_patterns_is_bounded),
    UNIT(nothing_at_all_is_no_list_but_a_comment_is))
