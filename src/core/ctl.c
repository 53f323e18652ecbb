/* SPDX-License-Identifier: MIT */
/*
 * The control socket. core/tcp.h carries the bytes; here a line becomes a request, and an answer a
 * line. A connection has one request in work at a time and is neither read nor timed out meanwhile.
 *
 * A request outlives its connection: where that has gone, or the whole socket, the service still
 * ends the request, and the answer goes nowhere.
 */
#include "core/ctl.h"

#include "core/loop.h"
#include "core/report_json.h"
#include "core/tcp.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CTL_CONNS_MAX 16
#define CTL_BACKLOG   16
#define CTL_MODE      0660
#define CTL_WORDS_MAX 8192		/* bytes of an error; findings of a reload are many */
#define CTL_DIGITS    9		/* of a number that is not whole */

struct ctl {
	struct tcp_listener *listener;
	ctl_handler *handler;
	void *ctx;
	char *path;
	dev_t device;		/* of the socket's file: one that somebody else put there stays */
	ino_t inode;
};

/* What a connection carries. */
struct session {
	struct ctl *ctl;
	struct tcp_conn *conn;
	struct job *job;	/* the request in work, or NULL */
};

struct job {
	struct ctl_request rq;	/* first, so that a request is its job */
	struct session *session;	/* NULL: the connection has gone, or there never was one */
	ctl_answer *answer;	/* who asked without one, or NULL */
	void *user;
	json_t *request;	/* owns what rq.argv points to; NULL: the words live for ever */
};

/* --- answers ---------------------------------------------------------------------------------- */

static const char too_long[] = "{\"ok\":false,\"error\":\"the answer is too long\"}";

/* The answer as a line; *text is to be freed. */
static const char *
write_answer(json_t *answer, char **text)
{
	*text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(CTL_DIGITS));
	json_decref(answer);
	return *text == NULL || strlen(*text) >= CTL_ANSWER_MAX ? too_long : *text;
}

static void
send_answer(struct session *s, json_t *answer)
{
	char *text;
	const char *line = write_answer(answer, &text);

	if (tcp_send(s->conn, span_str(line)) == OK)
		(void)tcp_send(s->conn, span_str("\n"));
	free(text);
}

static json_t *
error_answer(const char *words)
{
	/* What services say may quote what others said: an answer must not fail for that. */
	json_t *text = json_string(words);

	if (text == NULL)
		text = json_string("failed, for a reason that is not UTF-8");
	return json_pack("{s:b, s:o}", "ok", 0, "error", text);
}

static void
end_job(struct job *job, json_t *answer)
{
	struct session *s = job->session;

	if (s != NULL) {
		struct tcp_conn *c = s->conn;

		s->job = NULL;
		send_answer(s, answer);
		tcp_unhold(c);
		tcp_pause(c, false);
	} else if (job->answer != NULL) {
		char *text;

		job->answer(job->user, write_answer(answer, &text));
		free(text);
	} else {
		json_decref(answer);
	}
	report_free(job->rq.out);
	json_decref(job->request);
	free(job);
}

void
ctl_done(struct ctl_request *rq)
{
	json_t *result = report_json(rq->out);

	end_job((struct job *)rq, result != NULL
	    ? json_pack("{s:b, s:O}", "ok", 1, "result", result) : error_answer("out of memory"));
}

void
ctl_fail(struct ctl_request *rq, const char *fmt, ...)
{
	char words[CTL_WORDS_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	end_job((struct job *)rq, error_answer(words));
}

/* --- requests --------------------------------------------------------------------------------- */

/* Say what is wrong with a request, or take its words: the first is the noun. */
static const char *
take_words(const json_t *request, const char **noun, struct ctl_request *rq)
{
	const json_t *command = json_object_get(request, "command"), *word;
	size_t i;

	if (!json_is_array(command) || json_array_size(command) == 0)
		return "a request is {\"command\": [\"word\", ...]}";
	if (json_array_size(command) > CTL_ARGS_MAX + 1)
		return "too many words";
	json_array_foreach(command, i, word) {
		if (!json_is_string(word))
			return "a word is a text";
		if (i == 0)
			*noun = json_string_value(word);
		else
			rq->argv[rq->argc++] = json_string_value(word);
	}
	return NULL;
}

static void
begin_job(struct session *s, json_t *request)
{
	struct job *job = calloc(1, sizeof(*job));
	const char *noun = NULL, *wrong = "out of memory";

	if (job != NULL)
		wrong = take_words(request, &noun, &job->rq);
	if (wrong != NULL) {
		send_answer(s, error_answer(wrong));
		json_decref(request);
		free(job);
		return;
	}
	job->request = request;
	job->rq.out = report_new();
	job->session = s;
	s->job = job;
	tcp_hold(s->conn);
	tcp_pause(s->conn, true);
	s->ctl->handler(s->ctl->ctx, noun, &job->rq);
}

enum err
ctl_ask(ctl_handler *handler, void *ctx, const char *const *words, size_t count,
    ctl_answer *answer, void *user)
{
	struct job *job = calloc(1, sizeof(*job));

	assert(count != 0 && count <= CTL_ARGS_MAX);
	if (job == NULL)
		return ERR_NOMEM;
	for (size_t i = 1; i < count; i++)
		job->rq.argv[job->rq.argc++] = words[i];
	job->rq.out = report_new();
	job->answer = answer;
	job->user = user;
	handler(ctx, words[0], &job->rq);
	return OK;
}

static void
take_line(struct session *s, struct span line)
{
	char words[JSON_ERROR_TEXT_LENGTH + 32];
	json_error_t e;
	json_t *request;

	request = json_loadb((const char *)line.at, line.len, JSON_REJECT_DUPLICATES, &e);
	if (request != NULL) {
		begin_job(s, request);
		return;
	}
	snprintf(words, sizeof(words), "not JSON: %s", e.text);
	send_answer(s, error_answer(words));
}

static bool
is_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.at[i] != ' ' && line.at[i] != '\t' && line.at[i] != '\r')
			return false;
	return true;
}

/* --- connections ------------------------------------------------------------------------------ */

static bool
on_accepted(struct tcp_conn *c)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return false;
	s->ctl = tcp_ctx(c);
	s->conn = c;
	tcp_set_user(c, s);
	return true;
}

static size_t
on_input(struct tcp_conn *c, struct span in)
{
	struct session *s = tcp_user(c);
	const uint8_t *end = memchr(in.at, '\n', in.len);

	if (end == NULL && in.len < CTL_LINE_MAX)
		return 0;
	if (end == NULL) {
		send_answer(s, error_answer("the request is too long"));
		tcp_close(c);
		return in.len;
	}

	struct span line = span_of(in.at, (size_t)(end - in.at));

	if (!is_blank(line))
		take_line(s, line);
	return line.len + 1;
}

static void
on_closed(struct tcp_conn *c)
{
	struct session *s = tcp_user(c);

	if (s->job != NULL)
		s->job->session = NULL;
	free(s);
}

/* --- the socket ------------------------------------------------------------------------------- */

/* Somebody answers at the address. A full backlog is an answer too. */
static bool
is_answered(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;

	int status = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	bool answered = status == 0 || errno == EAGAIN;

	close(fd);
	return answered;
}

/* Make room for the socket: a stale one goes, everything else stays. */
static enum err
clear_path(const struct sockaddr_un *sa)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT ? OK : ERR_SYS;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return ERR_SYS;
	}
	if (is_answered(sa))
		return ERR_EXISTS;
	return unlink(sa->sun_path) == 0 || errno == ENOENT ? OK : ERR_SYS;
}

/* Bound and listening, with its mode; the descriptor, or -1 and errno. */
static int
listen_at(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* The file is born with what fchmod() leaves, less the umask: nobody slips in between. */
	if (fchmod(fd, CTL_MODE) == 0 && bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 &&
	    chmod(sa->sun_path, CTL_MODE) == 0 && listen(fd, CTL_BACKLOG) == 0)
		return fd;

	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static enum err
open_socket(struct ctl *c, struct loop *l)
{
	static const struct tcp_ops ops = {
		.accepted = on_accepted, .input = on_input, .closed = on_closed };
	const struct tcp_opts opts = { .ops = &ops, .ctx = c, .conns_max = CTL_CONNS_MAX,
		.in_max = CTL_LINE_MAX, .out_max = CTL_ANSWER_MAX + CTL_LINE_MAX,
		.first_timeout = seconds(10), .idle_timeout = seconds(60) };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(c->path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	strcpy(sa.sun_path, c->path);

	enum err e = clear_path(&sa);

	if (e != OK)
		return e;

	int fd = listen_at(&sa);

	if (fd < 0)
		return ERR_SYS;
	e = tcp_adopt(&c->listener, l, fd, &opts);
	if (e != OK) {
		close(fd);
		unlink(c->path);
		return e;
	}
	if (lstat(c->path, &st) == 0) {
		c->device = st.st_dev;
		c->inode = st.st_ino;
	}
	return OK;
}

enum err
ctl_open(struct ctl **out, struct loop *l, const char *path, ctl_handler *handler, void *ctx)
{
	struct ctl *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NOMEM;
	c->handler = handler;
	c->ctx = ctx;
	c->path = strdup(path);

	enum err e = c->path != NULL ? open_socket(c, l) : ERR_NOMEM;

	if (e == OK) {
		*out = c;
		return OK;
	}

	int saved = errno;

	free(c->path);
	free(c);
	errno = saved;
	return e;
}

void
ctl_close(struct ctl *c)
{
	struct stat st;

	if (c == NULL)
		return;
	tcp_listener_close(c->listener);
	if (lstat(c->path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode)
		unlink(c->path);
	free(c->path);
	free(c);
}
