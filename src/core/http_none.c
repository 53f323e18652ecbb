/* SPDX-License-Identifier: MIT */
/* Built without libmicrohttpd: nothing is told over HTTP, and settings that want it are refused. */
#include "core/http.h"

#include <stddef.h>

#include "core/log.h"

#define NOT_BUILT "this hearthd was built without HTTP (configure --with-http)"

const char *
http_check(const struct conf *cf, size_t i)
{
	(void)cf;
	(void)i;
	return NOT_BUILT;
}

enum err
http_open(struct http **out, const struct http_env *env, const struct conf *cf)
{
	(void)cf;
	*out = NULL;
	log_note(env->log, LOG_LEVEL_ERR, "http", "%s", NOT_BUILT);
	return ERR_UNSUPPORTED;
}

enum err
http_apply(struct http *h, const struct conf *cf)
{
	(void)h;
	(void)cf;
	return ERR_UNSUPPORTED;
}

void
http_report(const struct http *h, struct report *out)
{
	(void)h;
	(void)out;
}

void
http_close(struct http *h)
{
	(void)h;
}
