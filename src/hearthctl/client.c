/* SPDX-License-Identifier: MIT */
/*
 * One question to the control socket: connect, a line out, a line in. The protocol is told in
 * core/ctl.h. Nothing here waits longer than the deadline.
 */
#include "hearthctl/client.h"

#include "core/ctl.h"
#include "hearthctl/tool.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define ANSWER_CAP  (CTL_ANSWER_MAX + CTL_LINE_MAX)	/* bytes, with the envelope */

struct talk {
	int fd;
	int64_t deadline;	/* ms of CLOCK_MONOTONIC */
	const char *socket;
	char *why;
};

/* Put words into why; false for the caller to pass on. */
static bool __attribute__((format(printf, 2, 3)))
give_up(struct talk *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why, CLIENT_WHY_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* Wait until the descriptor can be used. */
static bool
await(struct talk *t, short events)
{
	for (;;) {
		int64_t left = t->deadline - tool_now_ms();
		struct pollfd p = { .fd = t->fd, .events = events };
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n > 0)
			return true;
		if (n == 0)
			return give_up(t, "no answer on %s within %d s", t->socket,
			    PATIENCE_MS / 1000);
		if (errno != EINTR)
			return give_up(t, "poll: %s", strerror(errno));
	}
}

static bool
dial(struct talk *t)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(t->socket) >= sizeof(sa.sun_path))
		return give_up(t, "the name of the socket is too long: %s", t->socket);
	strcpy(sa.sun_path, t->socket);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return give_up(t, "socket: %s", strerror(errno));
	/* EAGAIN: its queue is full. It takes connections out as long as it lives. */
	while (connect(t->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		const struct timespec moment = { .tv_nsec = 10000000 };

		if (errno == EACCES)
			return give_up(t, "%s may not be used by us: %s; root and its group may",
			    t->socket, strerror(errno));
		if (errno != EAGAIN || tool_now_ms() >= t->deadline)
			return give_up(t, "no daemon answers on %s: %s; is hearthd running? "
			    "-s SOCKET names another", t->socket, strerror(errno));
		nanosleep(&moment, NULL);
	}
	return true;
}

static bool
say(struct talk *t, const char *text, size_t len)
{
	while (len != 0) {
		ssize_t n = send(t->fd, text, len, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (!await(t, POLLOUT))
				return false;
		} else if (errno != EINTR) {
			return give_up(t, "%s: %s", t->socket, strerror(errno));
		}
	}
	return true;
}

/* Read up to the end of the line; buf has ANSWER_CAP bytes. */
static bool
hear(struct talk *t, char *buf, size_t *len)
{
	*len = 0;
	while (*len < ANSWER_CAP) {
		if (!await(t, POLLIN))
			return false;

		ssize_t n = recv(t->fd, buf + *len, ANSWER_CAP - *len, 0);

		if (n == 0)
			return give_up(t, "%s was closed before the answer came", t->socket);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return give_up(t, "%s: %s", t->socket, strerror(errno));
		if (n <= 0)
			continue;
		*len += (size_t)n;
		if (buf[*len - 1] == '\n')
			return true;
	}
	return give_up(t, "the answer on %s is too long", t->socket);
}

/* The request, freed by the caller; NULL and why where it cannot be one. */
static char *
make_request(struct talk *t, int argc, char *const *argv)
{
	json_t *words = json_array();
	char *line = NULL;

	if (argc > CTL_ARGS_MAX + 1) {
		give_up(t, "more than %d words", CTL_ARGS_MAX + 1);
		json_decref(words);
		return NULL;
	}
	for (int i = 0; i < argc; i++) {
		if (json_array_append_new(words, json_string(argv[i])) != 0) {
			give_up(t, "word %d is not UTF-8", i + 1);
			json_decref(words);
			return NULL;
		}
	}

	json_t *request = json_pack("{s:o}", "command", words);

	line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (line != NULL && strlen(line) + 1 < CTL_LINE_MAX)
		return line;
	give_up(t, "%s", line == NULL ? "out of memory" : "the command is too long");
	free(line);
	return NULL;
}

/* The result out of the envelope. */
static json_t *
open_answer(struct talk *t, const char *text, size_t len)
{
	json_error_t e;
	json_t *answer = json_loadb(text, len, 0, &e);
	json_t *result = NULL;

	if (answer == NULL) {
		give_up(t, "the answer on %s is not JSON: %s", t->socket, e.text);
		return NULL;
	}
	if (json_is_true(json_object_get(answer, "ok"))) {
		result = json_incref(json_object_get(answer, "result"));
		if (result == NULL)
			result = json_object();
	} else {
		const char *words = json_string_value(json_object_get(answer, "error"));

		give_up(t, "%s", words != NULL ? words : "the daemon says no, and not why");
	}
	json_decref(answer);
	return result;
}

static json_t *
converse(struct talk *t, const char *request)
{
	size_t len, asked = strlen(request);
	json_t *result = NULL;
	char *buf = malloc(ANSWER_CAP);

	if (buf == NULL)
		give_up(t, "out of memory");
	else if (dial(t) && say(t, request, asked) && say(t, "\n", 1) && hear(t, buf, &len))
		result = open_answer(t, buf, len);
	free(buf);
	return result;
}

json_t *
client_ask(const char *socket, int argc, char *const *argv, char why[static CLIENT_WHY_MAX])
{
	struct talk t = { .fd = -1, .deadline = tool_now_ms() + PATIENCE_MS, .socket = socket,
		.why = why };
	json_t *result = NULL;

	why[0] = '\0';

	char *request = make_request(&t, argc, argv);

	if (request != NULL)
		result = converse(&t, request);
	free(request);
	if (t.fd >= 0)
		close(t.fd);
	return result;
}
