/* SPDX-License-Identifier: MIT */
#include "core/log.h"

#include "support/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* stderr led into a pipe for the length of a case. */
struct capture {
	int saved;
	int from, to;
	char text[65536];
};

static void
capture_start(struct capture *c)
{
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC), 0);
	c->from = fds[0];
	c->to = fds[1];
	c->saved = dup(STDERR_FILENO);
	CU_ASSERT_FATAL(c->saved >= 0);
	CU_ASSERT_FATAL(dup2(c->to, STDERR_FILENO) >= 0);
	CU_ASSERT_EQUAL_FATAL(fcntl(c->from, F_SETFL, O_NONBLOCK), 0);
}

/* What was written since the last call. */
static const char *
captured(struct capture *c)
{
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(c->text) - 1 &&
	    (n = read(c->from, c->text + len, sizeof(c->text) - 1 - len)) > 0)
		len += (size_t)n;
	c->text[len] = '\0';
	return c->text;
}

static void
capture_end(struct capture *c)
{
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	close(c->from);
	close(c->to);
}

static struct log *
new_log(enum log_level level, enum log_format format)
{
	struct log *lg;

	CU_ASSERT_EQUAL_FATAL(log_new(&lg, level, format), OK);
	return lg;
}

static json_t *
parse(const char *line)
{
	json_error_t e;
	json_t *j = json_loads(line, 0, &e);

	if (j == NULL)
		fprintf(stdout, "not JSON: %s: %s\n", e.text, line);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static const char *
text_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text != NULL ? text : "(missing)";
}

static void
a_text_line_reads_service_peer_event_fields(void)
{
	struct capture c;
	struct addr peer;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&peer, "192.168.1.4:4711", 0), OK);
	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	log_event(lg, LOG_LEVEL_INFO, "dns", "answered", LOG_PEER(&peer), LOG_HEX("id", 0x5f21a0),
	    LOG_SPAN("name", SPAN("example.org")), LOG_STR("rcode", "NOERROR"), LOG_I64("ms", 12),
	    LOG_U64("big", UINT64_MAX), LOG_BOOL("stale", true));
	CU_ASSERT_STRING_EQUAL(captured(&c), "dns: 192.168.1.4:4711: answered id=5f21a0 "
	    "name=\"example.org\" rcode=NOERROR ms=12 big=18446744073709551615 stale=true\n");
	log_free(lg);
	capture_end(&c);
}

static void
a_json_line_has_the_same_as_members(void)
{
	struct capture c;
	struct addr peer;
	int64_t before = (int64_t)time(NULL) * 1000;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&peer, "[fe80::1]:53", 0), OK);
	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);

	log_event(lg, LOG_LEVEL_WARNING, "dns", "answered", LOG_PEER(&peer), LOG_HEX("id", 0x5f),
	    LOG_SPAN("name", SPAN("a\"b\\c\n\xff")), LOG_STR("path", "C:\\x \"y\"\n"),
	    LOG_I64("ms", -12), LOG_BOOL("stale", false));

	json_t *j = parse(captured(&c));

	CU_ASSERT_STRING_EQUAL(text_of(j, "level"), "warning");
	CU_ASSERT_STRING_EQUAL(text_of(j, "service"), "dns");
	CU_ASSERT_STRING_EQUAL(text_of(j, "event"), "answered");
	CU_ASSERT_STRING_EQUAL(text_of(j, "peer"), "[fe80::1]:53");
	CU_ASSERT_STRING_EQUAL(text_of(j, "id"), "5f");
	CU_ASSERT_STRING_EQUAL(text_of(j, "name"), "a\\\"b\\\\c\\n\\xff");
	CU_ASSERT_STRING_EQUAL(text_of(j, "path"), "C:\\x \"y\"\\n");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "ms")), -12);
	CU_ASSERT_TRUE(json_is_false(json_object_get(j, "stale")));
	CU_ASSERT(json_integer_value(json_object_get(j, "time")) >= before);
	CU_ASSERT(json_integer_value(json_object_get(j, "time")) <= before + 600000);
	json_decref(j);
	log_free(lg);
	capture_end(&c);
}

static void
words_are_quoted_where_they_need_it(void)
{
	struct capture c;

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	log_event(lg, LOG_LEVEL_ERR, "x", "e", LOG_STR("a", ""), LOG_STR("b", "two words"),
	    LOG_STR("c", NULL), LOG_STR("d", "k=v"), LOG_STR("e", "/a/b-c.d:9%1"),
	    LOG_STR("f", "x\ny"));
	CU_ASSERT_STRING_EQUAL(captured(&c),
	    "x: e a=\"\" b=\"two words\" c=\"\" d=\"k=v\" e=/a/b-c.d:9%1 f=\"x\\ny\"\n");
	log_free(lg);
	capture_end(&c);
}

static void
nothing_is_written_above_the_level(void)
{
	struct capture c;
	int evaluated = 0;

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_NOTICE, LOG_FORMAT_TEXT);

	log_event(lg, LOG_LEVEL_INFO, "x", "e", LOG_I64("n", ++evaluated));
	log_note(lg, LOG_LEVEL_INFO, "x", "note");
	CU_ASSERT_STRING_EQUAL(captured(&c), "");
	CU_ASSERT_EQUAL(evaluated, 0);
	log_set(lg, LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_event(lg, LOG_LEVEL_DEBUG, "x", "e", LOG_I64("n", ++evaluated));
	CU_ASSERT_STRING_EQUAL(captured(&c), "x: e n=1\n");
	log_event(NULL, LOG_LEVEL_ERR, "x", "e", LOG_I64("n", ++evaluated));
	log_note(NULL, LOG_LEVEL_ERR, "x", "note");
	CU_ASSERT_STRING_EQUAL(captured(&c), "");
	CU_ASSERT_EQUAL(evaluated, 1);
	log_free(lg);
	capture_end(&c);
}

static void
a_note_stays_one_line(void)
{
	struct capture c;

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	log_note(lg, LOG_LEVEL_INFO, "hearthd", "two\nlines \x1b[31m \\ %d K\xc3\xbc", 7);
	CU_ASSERT_STRING_EQUAL(captured(&c),
	    "hearthd: two\\nlines \\x1b[31m \\ 7 K\xc3\xbc\n");
	log_set(lg, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_note(lg, LOG_LEVEL_INFO, "hearthd", "a \"b\" \\ \n");

	json_t *j = parse(captured(&c));

	CU_ASSERT_STRING_EQUAL(text_of(j, "message"), "a \"b\" \\ \\n");
	json_decref(j);
	log_free(lg);
	capture_end(&c);
}

/* A value of n bytes that each grow when escaped. */
static struct span
noise(size_t n)
{
	static uint8_t bytes[8192];

	memset(bytes, '"', sizeof(bytes));
	return span_of(bytes, n);
}

static void
a_line_that_is_too_long_is_cut_and_says_so(void)
{
	struct capture c;

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	log_event(lg, LOG_LEVEL_INFO, "x", "e", LOG_SPAN("a", noise(8000)),
	    LOG_SPAN("b", noise(8000)), LOG_SPAN("c", noise(8000)), LOG_SPAN("d", noise(8000)),
	    LOG_I64("n", 5));

	const char *text = captured(&c);
	size_t len = strlen(text);

	CU_ASSERT_FATAL(len > 3000 && len <= 4096);
	CU_ASSERT_STRING_EQUAL(text + len - 9, " n=5 ...\n");
	CU_ASSERT_PTR_EQUAL(strchr(text, '\n'), text + len - 1);
	log_free(lg);
	capture_end(&c);
}

static void
a_cut_line_is_still_json(void)
{
	struct capture c;
	char words[5000];

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);

	/* Every length around the cap, so that the cut falls on each byte of an escape once. */
	for (size_t len = 1900; len < 2100; len++) {
		memset(words, '\n', sizeof(words));
		words[len] = '\0';
		log_note(lg, LOG_LEVEL_INFO, "x", "%s", words);

		json_t *j = parse(captured(&c));

		CU_ASSERT_EQUAL(json_is_true(json_object_get(j, "truncated")),
		    strlen(text_of(j, "message")) < 2 * len);
		json_decref(j);
	}
	for (size_t len = 0; len < 400; len++) {
		log_event(lg, LOG_LEVEL_INFO, "x", "e", LOG_SPAN("a", noise(len)),
		    LOG_SPAN("b", noise(500)), LOG_SPAN("c", noise(300)), LOG_I64("n", 5));

		json_t *j = parse(captured(&c));

		CU_ASSERT(json_integer_value(json_object_get(j, "n")) == 5 ||
		    json_is_true(json_object_get(j, "truncated")));
		json_decref(j);
	}
	log_free(lg);
	capture_end(&c);
}

static void
a_full_pipe_drops_lines_and_never_blocks(void)
{
	struct capture c;
	char block[4096];

	memset(block, '.', sizeof(block));
	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	CU_ASSERT_EQUAL_FATAL(fcntl(c.to, F_SETFL, O_NONBLOCK), 0);
	while (write(c.to, block, sizeof(block)) > 0)
		;
	/* Blocking again, as a terminal or a shell hands it over. */
	CU_ASSERT_EQUAL_FATAL(fcntl(c.to, F_SETFL, 0), 0);
	log_event(lg, LOG_LEVEL_INFO, "x", "lost", LOG_I64("n", 1));
	log_event(lg, LOG_LEVEL_INFO, "x", "lost", LOG_I64("n", 2));
	CU_ASSERT_EQUAL(log_dropped(lg), 2);
	while (strlen(captured(&c)) == sizeof(c.text) - 1)
		;
	log_event(lg, LOG_LEVEL_INFO, "x", "back", LOG_I64("n", 3));
	CU_ASSERT_STRING_EQUAL(captured(&c), "log: dropped lines=2\nx: back n=3\n");
	log_event(lg, LOG_LEVEL_INFO, "x", "back", LOG_I64("n", 4));
	CU_ASSERT_STRING_EQUAL(captured(&c), "x: back n=4\n");
	CU_ASSERT_EQUAL(log_dropped(lg), 2);
	log_free(lg);
	capture_end(&c);
}

static void
a_reader_that_is_gone_kills_nobody(void)
{
	struct capture c;

	capture_start(&c);

	struct log *lg = new_log(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

	CU_ASSERT_EQUAL_FATAL(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	close(c.from);
	log_note(lg, LOG_LEVEL_INFO, "x", "nobody reads this");
	CU_ASSERT_EQUAL(log_dropped(lg), 1);
	log_free(lg);
	c.from = dup(c.saved);
	capture_end(&c);
}

static void
the_journal_gets_priorities(void)
{
	struct capture c;
	struct stat st;
	char stream[64];

	capture_start(&c);
	CU_ASSERT_EQUAL_FATAL(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);

	struct log *lg = new_log(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);

	unsetenv("JOURNAL_STREAM");
	log_note(lg, LOG_LEVEL_ERR, "x", "a");
	log_note(lg, LOG_LEVEL_WARNING, "x", "b");
	log_note(lg, LOG_LEVEL_NOTICE, "x", "c");
	log_note(lg, LOG_LEVEL_INFO, "x", "d");
	log_note(lg, LOG_LEVEL_DEBUG, "x", "e");
	CU_ASSERT_STRING_EQUAL(captured(&c), "<3>x: a\n<4>x: b\n<5>x: c\n<6>x: d\n<7>x: e\n");
	log_free(lg);

	setenv("JOURNAL_STREAM", "1:1", 1);
	lg = new_log(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	unsetenv("JOURNAL_STREAM");
	log_note(lg, LOG_LEVEL_ERR, "x", "a");
	CU_ASSERT_STRING_EQUAL(captured(&c), "x: a\n");
	log_free(lg);
	capture_end(&c);
}

static void
levels_are_known_by_name(void)
{
	enum log_level level = LOG_LEVEL_ERR;

	CU_ASSERT_TRUE(log_level_parse("debug", &level));
	CU_ASSERT_EQUAL(level, LOG_LEVEL_DEBUG);
	CU_ASSERT_FALSE(log_level_parse("loud", &level));
	CU_ASSERT_FALSE(log_level_parse("", &level));
}

static void
a_gate_lets_a_burst_pass_and_then_one_each_period(void)
{
	struct log_gate g = { .every = seconds(2), .burst = 3 };
	uint64_t missed;
	mono_us now = seconds(1000);

	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(log_gate_pass(&g, now, &missed));
	for (int i = 0; i < 5; i++)
		CU_ASSERT_FALSE(log_gate_pass(&g, now + seconds(1), &missed));
	CU_ASSERT_TRUE(log_gate_pass(&g, now + seconds(2), &missed));
	CU_ASSERT_EQUAL(missed, 5);
	CU_ASSERT_FALSE(log_gate_pass(&g, now + seconds(3), &missed));
	CU_ASSERT_TRUE(log_gate_pass(&g, now + seconds(4), &missed));
	CU_ASSERT_EQUAL(missed, 1);

	/* After a long silence the whole burst is there again, and no more. */
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(log_gate_pass(&g, now + seconds(4000), &missed));
		CU_ASSERT_EQUAL(missed, 0);
	}
	CU_ASSERT_FALSE(log_gate_pass(&g, now + seconds(4000), &missed));
}

static void
a_zero_gate_has_sensible_defaults(void)
{
	struct log_gate g = { 0 };
	uint64_t missed;
	int passed = 0;

	for (int i = 0; i < 100; i++)
		passed += log_gate_pass(&g, seconds(5), &missed);
	CU_ASSERT_EQUAL(passed, 10);
	CU_ASSERT_TRUE(log_gate_pass(&g, seconds(6), &missed));
	CU_ASSERT_EQUAL(missed, 90);
}

static void
quoting_leaves_nothing_that_could_hurt(void)
{
	const struct {
		struct span in;
		const char *out;
	} cases[] = {
		{ SPAN(""), "\"\"" },
		{ SPAN("abc"), "\"abc\"" },
		{ SPAN("say \"hi\""), "\"say \\\"hi\\\"\"" },
		{ SPAN("a\\b"), "\"a\\\\b\"" },
		{ SPAN("a\nb\0c"), "\"a\\nb\\x00c\"" },
		{ SPAN("\x1b[2J\xff"), "\"\\x1b[2J\\xff\"" },
		{ SPAN("K\xc3\xbc" "che"), "\"K\xc3\xbc" "che\"" },
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(log_quote(cases[i].in, buf, sizeof(buf)), cases[i].out);
}

static void
a_short_buffer_cuts_with_an_ellipsis_and_closes_the_quote(void)
{
	char buf[70];

	CU_ASSERT_STRING_EQUAL(log_quote(SPAN("abcdef"), buf, 9), "\"abcdef\"");
	CU_ASSERT_STRING_EQUAL(log_quote(SPAN("abcdefg"), buf, 9), "\"abc\xe2\x80\xa6\"");
	CU_ASSERT_STRING_EQUAL(log_quote(SPAN("\xff\xff"), buf, 8), "\"\xe2\x80\xa6\"");
	for (size_t cap = 8; cap <= 64; cap++) {
		for (size_t len = 0; len < 64; len++) {
			memset(buf, '#', sizeof(buf));
			log_quote(noise(len), buf, cap);

			size_t got = strlen(buf);

			CU_ASSERT(got >= 2 && got < cap);
			CU_ASSERT_EQUAL(buf[0], '"');
			CU_ASSERT_EQUAL(buf[got - 1], '"');
			CU_ASSERT_EQUAL(buf[cap], '#');
		}
	}
}

/* A system logger at path: one datagram a line. */
static int
logger_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static const char *
logged(int fd)
{
	static char text[512];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
a_system_logger_that_is_started_anew_is_found_again(void)
{
	char dir[] = "/tmp/hearth-log.XXXXXX", path[64];
	struct log *lg;
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	CU_ASSERT_EQUAL_FATAL(log_new(&lg, LOG_LEVEL_INFO, LOG_FORMAT_TEXT), OK);
	CU_ASSERT_EQUAL(log_to_syslog(lg, path, "unit"), ERR_SYS);
	fd = logger_at(path);
	CU_ASSERT_EQUAL_FATAL(log_to_syslog(lg, path, "unit"), OK);
	log_note(lg, LOG_LEVEL_ERR, "t", "first");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(fd), "t: first"));
	close(fd);
	unlink(path);
	log_note(lg, LOG_LEVEL_ERR, "t", "nobody hears");
	CU_ASSERT_EQUAL(log_dropped(lg), 1);
	fd = logger_at(path);
	log_note(lg, LOG_LEVEL_ERR, "t", "second");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(fd), "dropped lines=1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(fd), "t: second"));
	CU_ASSERT_EQUAL(log_dropped(lg), 1);
	close(fd);
	unlink(path);
	rmdir(dir);
	log_free(lg);
}

UNIT_MAIN("log", UNIT(a_system_logger_that_is_started_anew_is_found_again),
    UNIT(a_text_line_reads_service_peer_event_fields),
    UNIT(a_json_line_has_the_same_as_members), UNIT(words_are_quoted_where_they_need_it),
    UNIT(nothing_is_written_above_the_level), UNIT(a_note_stays_one_line),
    UNIT(a_line_that_is_too_long_is_cut_and_says_so), UNIT(a_cut_line_is_still_json),
    UNIT(a_full_pipe_drops_lines_and_never_blocks), UNIT(a_reader_that_is_gone_kills_nobody),
    UNIT(the_journal_gets_priorities), UNIT(levels_are_known_by_name),
    UNIT(a_gate_lets_a_burst_pass_and_then_one_each_period),
    UNIT(a_zero_gate_has_sensible_defaults), UNIT(quoting_leaves_nothing_that_could_hurt),
    UNIT(a_short_buffer_cuts_with_an_ellipsis_and_closes_the_quote))
