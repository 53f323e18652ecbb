/* SPDX-License-Identifier: MIT */
/*
 * What somebody writes to the control socket, from a real connection: whatever it is, each answer
 * is a line of JSON that says whether it went well, and the words of a request come back whole.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/ctl.h"
#include "core/loop.h"

#define ANSWER_MAX (1 << 20)	/* bytes of all answers to one input */

static char folder[] = "/tmp/hearth-fuzz-ctl-XXXXXX";
static char path[sizeof(folder) + 8];
static struct loop *loop;
static struct ctl *ctl;

/* Commands: "fail" quotes its words in an error, everything else gives them back. */
static void
handle(void *ctx, const char *noun, struct ctl_request *rq)
{
	struct report *list = report_list(rq->out, "words");

	(void)ctx;
	FUZZ_CHECK(rq->argc <= CTL_ARGS_MAX);
	for (size_t i = 0; i < rq->argc; i++)
		report_str(list, NULL, rq->argv[i]);
	if (strcmp(noun, "fail") == 0)
		ctl_fail(rq, "no luck with \"%s\"", rq->argc != 0 ? rq->argv[0] : "");
	else
		ctl_done(rq);
}

static void
clear_away(void)
{
	ctl_close(ctl);
	rmdir(folder);
}

static void
set_up(void)
{
	if (ctl != NULL)
		return;
	FUZZ_CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/socket", folder);
	FUZZ_CHECK(loop_new(&loop) == OK && ctl_open(&ctl, loop, path, handle, NULL) == OK);
	atexit(clear_away);
}

static void
check_answer(const char *line, size_t len)
{
	json_error_t e;
	json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	const json_t *ok = json_object_get(answer, "ok");

	FUZZ_CHECK(json_is_boolean(ok));
	FUZZ_CHECK(json_is_true(ok) ? json_is_object(json_object_get(answer, "result"))
				    : json_is_string(json_object_get(answer, "error")));
	json_decref(answer);
}

static void
check_answers(const char *text, size_t len)
{
	while (len != 0) {
		const char *end = memchr(text, '\n', len);

		FUZZ_CHECK(end != NULL);
		check_answer(text, (size_t)(end - text));
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

/* Send all of it and read until the server closes; gives the length of what it said. */
static size_t
talk(const uint8_t *data, size_t size, char *answers)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t sent = 0, len = 0;
	ssize_t n = -1;

	strcpy(sa.sun_path, path);
	FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	while (n != 0) {
		if (sent < size && (n = send(fd, data + sent, size - sent, MSG_NOSIGNAL)) >= 0)
			sent += (size_t)n;
		else if (sent < size && errno != EAGAIN)
			sent = size;		/* the server has heard enough */
		if (sent == size)
			shutdown(fd, SHUT_WR);
		FUZZ_CHECK(loop_turn(loop, loop_clock(loop)) == OK);
		n = recv(fd, answers + len, ANSWER_MAX - len, 0);
		FUZZ_CHECK(n >= 0 || errno == EAGAIN || errno == ECONNRESET);
		len += n > 0 ? (size_t)n : 0;
		FUZZ_CHECK(len < ANSWER_MAX);
		if (n >= 0 || errno != ECONNRESET)
			continue;
		/* Closed before it had read everything: its last answer may be torn. */
		while (len != 0 && answers[len - 1] != '\n')
			len--;
		break;
	}
	close(fd);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answers[ANSWER_MAX];

	if (size > CTL_LINE_MAX * 2)
		return 0;
	set_up();
	check_answers(answers, talk(data, size, answers));
	return 0;
}
