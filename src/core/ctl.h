/* SPDX-License-Identifier: MIT */
/*
 * The control socket: a Unix stream socket, mode 0660, over which hearthctl asks. One request a
 * line, {"command": ["dns", "flush", "example.org"]}; one answer a line, {"ok": true, "result": …}
 * or {"ok": false, "error": "…"}. Requests on one connection are answered in order.
 */
#ifndef CORE_CTL_H
#define CORE_CTL_H

#include <stddef.h>

#include "core/report.h"
#include "util/err.h"

#define CTL_SOCKET   "/run/hearth/control.sock"	/* where the settings say nothing else */
#define CTL_ARGS_MAX 16		/* words in a command */
#define CTL_LINE_MAX 8192	/* bytes in a request */
#define CTL_ANSWER_MAX (4 << 20)	/* bytes in an answer */

struct ctl;
struct loop;
struct log;

/*
 * A request in work. Exactly one of ctl_done() and ctl_fail() ends it, at once or later, also when
 * nobody is there any more to hear the answer: it stays valid until then, even after ctl_close().
 */
struct ctl_request {
	size_t argc;				/* words after the service's name */
	const char *argv[CTL_ARGS_MAX];		/* UTF-8, owned by the request */
	struct report *out;			/* the result, filled until ctl_done() */
	void *user;				/* the service's own while it works */
};

void ctl_done(struct ctl_request *rq);
/* Words that begin with "usage: " say that it was called wrongly: hearthctl ends with 2. */
void ctl_fail(struct ctl_request *rq, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Who takes the commands: called with the first word in `noun` and the rest in rq->argv. */
typedef void ctl_handler(void *ctx, const char *noun, struct ctl_request *rq);

/*
 * path  the socket; a stale one is replaced, one that is answered on is ERR_EXISTS
 * Errors: ERR_SYS, ERR_EXISTS, ERR_NOMEM.
 */
enum err ctl_open(struct ctl **out, struct loop *l, const char *path, ctl_handler *handler,
    void *ctx) MUST_CHECK;
/*
 * Have a command carried out for somebody who does not sit at the socket. answer() is called once, now
 * or later, with the line that the socket would have got. `user` must live until then.
 *
 * words   the noun first; count <= CTL_ARGS_MAX; must live as long as `user`
 * errors  ERR_NOMEM: answer() will not be called
 */
typedef void ctl_answer(void *user, const char *line);
enum err ctl_ask(ctl_handler *handler, void *ctx, const char *const *words, size_t count,
    ctl_answer *answer, void *user) MUST_CHECK;

/* Closes the connections, and closes and removes the socket. NULL is fine. */
void ctl_close(struct ctl *c);

#endif
