/* SPDX-License-Identifier: MIT */
/*
 * What the daemon tells a browser and a monitoring system; read only, everything as of now:
 *
 *   /                 a page with what is going on, renewed every two seconds
 *   /status.json      what `hearthctl --json status` prints
 *   /ask/NOUN/WORD    what some other commands print, as {"ok": true, "result": …}
 *   /metrics          every number of the status, for Prometheus (text format 0.0.4)
 *   /healthz          200 while the daemon serves, 503 once it is ending
 *
 * Only hosts that are let in are listened to, and only under names that no stranger can own: a page
 * on the Internet whose name was made to lead here (DNS rebinding) gets 403.
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>

#include "core/conf.h"
#include "core/ctl.h"
#include "util/err.h"

struct http;
struct log;
struct loop;
struct netif;
struct report;

#define HTTP_PORT 8053

/* The keys of the section `http`, and what is wrong with having one at all. */
extern const struct conf_key http_keys[];
const char *http_check(const struct conf *cf, size_t i);

struct http_env {
	struct loop *loop;
	struct log *log;
	const struct netif *netif;
	ctl_handler *command;	/* carries commands out, `status` among them */
	bool (*is_ending)(void *ctx);
	void *ctx;		/* for both */
};

/*
 * Listen where the section says. What is wrong is in the log. Errors: ERR_SYS, ERR_NOMEM,
 * ERR_NOTFOUND (libmicrohttpd is not there), ERR_UNSUPPORTED (built without it).
 */
enum err http_open(struct http **out, const struct http_env *env, const struct conf *cf) MUST_CHECK;
/* Who may ask, as the section says from here on. On errors it stays as it is: ERR_NOMEM, ERR_FULL. */
enum err http_apply(struct http *h, const struct conf *cf) MUST_CHECK;
void http_report(const struct http *h, struct report *out);
void http_close(struct http *h);	/* NULL is fine */

#endif
