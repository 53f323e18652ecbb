/* SPDX-License-Identifier: MIT */
#include "core/ctl.h"

#include "core/loop.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE seconds(20)

/* A socket whose commands are: words, later, fail, big, and anything else unknown. */
struct server {
	struct loop *loop;
	struct ctl *ctl;
	struct ctl_request *waiting[32];
	unsigned waiting_count;
	char folder[32];
	char path[64];
};

static void
words(struct ctl_request *rq)
{
	struct report *list = report_list(rq->out, "words");

	for (size_t i = 0; i < rq->argc; i++)
		report_str(list, NULL, rq->argv[i]);
	ctl_done(rq);
}

static void
big(struct ctl_request *rq)
{
	size_t len = strtoul(rq->argv[0], NULL, 10);
	char *text = malloc(len + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'x', len);
	text[len] = '\0';
	report_str(rq->out, "text", text);
	free(text);
	ctl_done(rq);
}

static void
handle(void *ctx, const char *noun, struct ctl_request *rq)
{
	struct server *s = ctx;

	if (strcmp(noun, "words") == 0)
		words(rq);
	else if (strcmp(noun, "later") == 0)
		s->waiting[s->waiting_count++] = rq;
	else if (strcmp(noun, "fail") == 0)
		ctl_fail(rq, "no luck with \"%s\": %d", rq->argv[0], 7);
	else if (strcmp(noun, "big") == 0)
		big(rq);
	else
		ctl_fail(rq, "unknown command");
}

static void
start(struct server *s)
{
	*s = (struct server){ .folder = "/tmp/hearth-ctl-XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	CU_ASSERT_EQUAL_FATAL(loop_new(&s->loop), OK);
	CU_ASSERT_EQUAL_FATAL(ctl_open(&s->ctl, s->loop, s->path, handle, s), OK);
}

static void
stop(struct server *s)
{
	ctl_close(s->ctl);
	CU_ASSERT_EQUAL(loop_turn(s->loop, loop_clock(s->loop)), OK);
	loop_free(s->loop);
	unlink(s->path);
	CU_ASSERT_EQUAL(rmdir(s->folder), 0);
}

static void
turn(struct server *s)
{
	CU_ASSERT_EQUAL_FATAL(loop_turn(s->loop, loop_clock(s->loop) + millis(2)), OK);
}

#define AWAIT(s, cond)                                                                             \
	do {                                                                                       \
		mono_us end_ = loop_clock((s)->loop) + PATIENCE;                                   \
		while (!(cond) && loop_clock((s)->loop) < end_)                                    \
			turn(s);                                                                   \
		CU_ASSERT_TRUE_FATAL(cond);                                                        \
	} while (0)

static int
connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(fd >= 0);
	strcpy(sa.sun_path, path);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Read until `lines` lines have come or the other side has closed; freed by the caller. */
static char *
hear(struct server *s, int fd, unsigned lines)
{
	mono_us end = loop_clock(s->loop) + PATIENCE;
	size_t len = 0, cap = 8 << 20;
	char *text = malloc(cap);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	while (lines != 0 && loop_clock(s->loop) < end) {
		ssize_t n = recv(fd, text + len, cap - 1 - len, 0);

		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			lines -= text[len + (size_t)i] == '\n';
		len += n > 0 ? (size_t)n : 0;
		if (n < 0)
			turn(s);
	}
	text[len] = '\0';
	return text;
}

static void
hears(struct server *s, int fd, unsigned lines, const char *want)
{
	char *text = hear(s, fd, lines);

	CU_ASSERT_STRING_EQUAL(text, want);
	if (strcmp(text, want) != 0)
		printf("got: %.400s\n", text);
	free(text);
}

static void
a_command_is_answered(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\": [\"words\", \"a b\", \"\", \"\\u00fc\"]}\n");
	hears(&s, fd, 1, "{\"ok\":true,\"result\":{\"words\":[\"a b\",\"\",\"\xc3\xbc\"]}}\n");
	say(fd, "{\"command\": [\"fail\", \"x\"]}\n");
	hears(&s, fd, 1, "{\"ok\":false,\"error\":\"no luck with \\\"x\\\": 7\"}\n");
	say(fd, "{\"command\": [\"nonsense\"]}\r\n");
	hears(&s, fd, 1, "{\"ok\":false,\"error\":\"unknown command\"}\n");
	close(fd);
	stop(&s);
}

static void
what_is_no_request_is_told_and_the_next_is_answered(void)
{
	static const struct {
		const char *line, *want;
	} bad[] = {
		{ "{}", "a request is {\"command\": [\"word\", ...]}" },
		{ "[]", "a request is {\"command\": [\"word\", ...]}" },
		{ "{\"command\": []}", "a request is {\"command\": [\"word\", ...]}" },
		{ "{\"command\": \"words\"}", "a request is {\"command\": [\"word\", ...]}" },
		{ "{\"command\": [1]}", "a word is a text" },
		{ "{\"command\": [\"words\", null]}", "a word is a text" },
		{ "{\"command\": [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8]}", "too many words" },
		{ "{\"command\": [\"a\\u0000b\"]}", "not JSON" },
		{ "{\"command\": [\"a\"], \"command\": [\"b\"]}", "not JSON" },
		{ "hello", "not JSON" },
		{ "{\"command\": [\"\xff\"]}", "not JSON" },
		{ "\x01\x02", "not JSON" },
	};
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		say(fd, bad[i].line);
		say(fd, "\n");

		char *text = hear(&s, fd, 1);

		CU_ASSERT_EQUAL(strncmp(text, "{\"ok\":false,\"error\":\"", 21), 0);
		/* The quotes inside of the message are escaped: compare its beginning. */
		CU_ASSERT_EQUAL(strncmp(text + 21, bad[i].want, strcspn(bad[i].want, "\"")), 0);
		free(text);
	}
	say(fd, "\n \r\n{\"command\": [\"words\"]}\n");
	hears(&s, fd, 1, "{\"ok\":true,\"result\":{\"words\":[]}}\n");
	close(fd);
	stop(&s);
}

static void
sixteen_words_behind_the_noun_are_fine(void)
{
	struct server s;
	char line[256] = "{\"command\":[\"words\"";

	start(&s);

	int fd = connect_to(s.path);

	for (int i = 0; i < CTL_ARGS_MAX; i++)
		strcat(line, ",\"x\"");
	strcat(line, "]}\n");
	say(fd, line);

	char *text = hear(&s, fd, 1);

	CU_ASSERT_EQUAL(strncmp(text, "{\"ok\":true", 10), 0);
	free(text);
	close(fd);
	stop(&s);
}

static void
requests_of_one_connection_are_answered_in_order(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"later\"]}\n{\"command\":[\"words\",\"2\"]}\n"
	    "{\"command\":[\"words\",\"3\"]}\n{\"comm");
	AWAIT(&s, s.waiting_count == 1);
	for (int i = 0; i < 5; i++)
		turn(&s);
	report_u64(s.waiting[0]->out, "n", 1);
	ctl_done(s.waiting[0]);
	say(fd, "and\":[\"words\",\"4\"]}\n");
	hears(&s, fd, 4, "{\"ok\":true,\"result\":{\"n\":1}}\n"
	    "{\"ok\":true,\"result\":{\"words\":[\"2\"]}}\n"
	    "{\"ok\":true,\"result\":{\"words\":[\"3\"]}}\n"
	    "{\"ok\":true,\"result\":{\"words\":[\"4\"]}}\n");
	close(fd);
	stop(&s);
}

static void
a_peer_that_only_listens_any_more_gets_its_answer(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"later\"]}\n");
	CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
	AWAIT(&s, s.waiting_count == 1);
	for (int i = 0; i < 5; i++)
		turn(&s);
	ctl_done(s.waiting[0]);
	hears(&s, fd, 2, "{\"ok\":true,\"result\":{}}\n");
	close(fd);
	stop(&s);
}

static void
a_connection_may_vanish_before_its_answer(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"later\",\"x\"]}\n");
	AWAIT(&s, s.waiting_count == 1);
	close(fd);
	for (int i = 0; i < 10; i++)
		turn(&s);
	CU_ASSERT_STRING_EQUAL(s.waiting[0]->argv[0], "x");
	report_str(s.waiting[0]->out, "late", "but fine");
	ctl_done(s.waiting[0]);
	fd = connect_to(s.path);
	say(fd, "{\"command\":[\"words\"]}\n");
	hears(&s, fd, 1, "{\"ok\":true,\"result\":{\"words\":[]}}\n");
	close(fd);
	stop(&s);
}

static void
the_socket_may_close_before_an_answer(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"later\",\"x\"]}\n");
	AWAIT(&s, s.waiting_count == 1);
	ctl_close(s.ctl);
	s.ctl = NULL;
	turn(&s);
	hears(&s, fd, 1, "");
	ctl_fail(s.waiting[0], "too late for %s", s.waiting[0]->argv[0]);
	close(fd);
	stop(&s);
}

static void
a_request_that_is_too_long_ends_the_connection(void)
{
	struct server s;
	char line[CTL_LINE_MAX + 1];

	start(&s);

	int fd = connect_to(s.path);

	memset(line, 'x', sizeof(line));
	CU_ASSERT_EQUAL(send(fd, line, CTL_LINE_MAX, MSG_NOSIGNAL), CTL_LINE_MAX);
	hears(&s, fd, 2, "{\"ok\":false,\"error\":\"the request is too long\"}\n");
	close(fd);
	fd = connect_to(s.path);
	memset(line, ' ', sizeof(line));
	line[CTL_LINE_MAX - 1] = '\n';
	line[CTL_LINE_MAX] = '\0';
	memcpy(line, "{\"command\":[\"words\"]}", 21);
	say(fd, line);
	hears(&s, fd, 1, "{\"ok\":true,\"result\":{\"words\":[]}}\n");
	close(fd);
	stop(&s);
}

static void
an_answer_has_a_bound(void)
{
	struct server s;

	start(&s);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"big\",\"4000000\"]}\n");

	char *text = hear(&s, fd, 1);

	CU_ASSERT_EQUAL(strlen(text), 4000000 + strlen("{'ok':true,'result':{'text':''}}\n"));
	free(text);
	say(fd, "{\"command\":[\"big\",\"4194304\"]}\n");
	hears(&s, fd, 1, "{\"ok\":false,\"error\":\"the answer is too long\"}\n");
	close(fd);
	stop(&s);
}

static void
more_connections_than_allowed_push_out_idle_ones(void)
{
	struct server s;
	int fds[40];

	start(&s);
	for (size_t i = 0; i < 40; i++) {
		fds[i] = connect_to(s.path);
		turn(&s);
	}
	say(fds[39], "{\"command\":[\"words\"]}\n");
	hears(&s, fds[39], 1, "{\"ok\":true,\"result\":{\"words\":[]}}\n");
	hears(&s, fds[0], 1, "");
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	stop(&s);
}

static void
the_socket_is_private_and_goes_away(void)
{
	struct server s;
	struct stat st;
	mode_t before = umask(0077);

	start(&s);
	umask(before);
	CU_ASSERT_EQUAL(lstat(s.path, &st), 0);
	CU_ASSERT_TRUE(S_ISSOCK(st.st_mode));
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
	ctl_close(s.ctl);
	s.ctl = NULL;
	CU_ASSERT_EQUAL(lstat(s.path, &st), -1);
	stop(&s);
}

static void
a_live_socket_is_left_alone_and_a_stale_one_replaced(void)
{
	struct server s;
	struct ctl *second = NULL;
	char moved[80];

	start(&s);
	CU_ASSERT_EQUAL(ctl_open(&second, s.loop, s.path, handle, &s), ERR_EXISTS);
	CU_ASSERT_PTR_NULL(second);

	/* A stale one: what remains of a daemon that was killed. */
	snprintf(moved, sizeof(moved), "%s/moved", s.folder);
	CU_ASSERT_EQUAL(rename(s.path, moved), 0);
	ctl_close(s.ctl);
	s.ctl = NULL;
	CU_ASSERT_EQUAL(rename(moved, s.path), 0);
	CU_ASSERT_EQUAL(ctl_open(&second, s.loop, s.path, handle, &s), OK);

	int fd = connect_to(s.path);

	say(fd, "{\"command\":[\"words\"]}\n");
	hears(&s, fd, 1, "{\"ok\":true,\"result\":{\"words\":[]}}\n");
	close(fd);
	ctl_close(second);
	stop(&s);
}

static void
what_is_no_socket_is_never_removed(void)
{
	struct server s;
	struct ctl *c = NULL;
	struct stat st;
	char long_path[200];
	FILE *f;

	start(&s);
	ctl_close(s.ctl);
	s.ctl = NULL;
	f = fopen(s.path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	CU_ASSERT_EQUAL(ctl_open(&c, s.loop, s.path, handle, &s), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENOTSOCK);
	CU_ASSERT_EQUAL(lstat(s.path, &st), 0);
	CU_ASSERT_EQUAL(ctl_open(&c, s.loop, "/nonexistent/socket", handle, &s), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENOENT);
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	CU_ASSERT_EQUAL(ctl_open(&c, s.loop, long_path, handle, &s), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENAMETOOLONG);
	CU_ASSERT_PTR_NULL(c);
	ctl_close(NULL);
	stop(&s);
}

UNIT_MAIN("ctl", UNIT(a_command_is_answered),
    UNIT(what_is_no_request_is_told_and_the_next_is_answered),
    UNIT(sixteen_words_behind_the_noun_are_fine),
    UNIT(requests_of_one_connection_are_answered_in_order),
    UNIT(a_peer_that_only_listens_any_more_gets_its_answer),
    UNIT(a_connection_may_vanish_before_its_answer), UNIT(the_socket_may_close_before_an_answer),
    UNIT(a_request_that_is_too_long_ends_the_connection), UNIT(an_answer_has_a_bound),
    UNIT(more_connections_than_allowed_push_out_idle_ones),
    UNIT(the_socket_is_private_and_goes_away),
    UNIT(a_live_socket_is_left_alone_and_a_stale_one_replaced),
    UNIT(what_is_no_socket_is_never_removed))
