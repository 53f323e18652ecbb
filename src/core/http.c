/* SPDX-License-Identifier: MIT */
/*
 * The door to libmicrohttpd, which has an epoll descriptor of its own: that one is watched by our loop,
 * and the library runs when it is ready, on our thread. One daemon of the library's for each address.
 *
 * Everything is made when it is asked for, from the same reports that hearthctl gets. Connections,
 * their memory and their time are bounded by the library.
 */
#include "core/http.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/acl.h"
#include "core/http_files.h"
#include "core/http_metrics.h"
#include "core/log.h"
#include "core/loop.h"

#define LISTEN_MAX	8
#define CONNS_MAX	32		/* for each address, */
#define CONNS_PER_HOST	16		/* of one host, */
#define CONN_MEMORY	(16 << 10)	/* bytes each for its headers, */
#define CONN_SECONDS	10		/* of silence each */
#define WORDS_MAX	3
#define BACKLOG		16

/*
 * What is used of the library. It is loaded when the settings have a section http, and not linked: with
 * those that it brings along it takes three megabytes of a house that wants no page.
 */
#define LIBRARY "libmicrohttpd.so.12"

struct library {
	__typeof__(&MHD_start_daemon) start_daemon;
	__typeof__(&MHD_stop_daemon) stop_daemon;
	__typeof__(&MHD_get_daemon_info) get_daemon_info;
	__typeof__(&MHD_run) run;
	__typeof__(&MHD_get_timeout) get_timeout;
	__typeof__(&MHD_lookup_connection_value) lookup_connection_value;
	__typeof__(&MHD_create_response_from_buffer) create_response_from_buffer;
	__typeof__(&MHD_add_response_header) add_response_header;
	__typeof__(&MHD_queue_response) queue_response;
	__typeof__(&MHD_destroy_response) destroy_response;
};

/* One address, and the library's daemon for it. */
struct listener {
	struct loop_fd watch;		/* the library's epoll descriptor */
	struct timer timer;
	struct http *http;
	struct MHD_Daemon *daemon;	/* NULL: none */
};

struct http {
	struct http_env env;
	struct library mhd;
	struct acl acl;
	char **names;			/* under which we may be asked, and their number */
	size_t name_count;
	struct listener listeners[LISTEN_MAX];
	size_t count;
	uint64_t requests;
	uint64_t not_allowed;		/* connections of hosts that are not let in */
	uint64_t wrong_names;		/* requests under a name that is not ours */
	uint64_t failures;
};

const char *
http_check(const struct conf *cf, size_t i)
{
	(void)cf;
	(void)i;
	return NULL;
}

/* --- under which name ------------------------------------------------------------------------- */

static bool
ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && strncasecmp(name + len - n, end, n) == 0;
}

/*
 * May we be asked as that? A stranger's page can have its own name lead here, and would then read
 * what we say; it cannot have an address, a name without a dot, or one that nobody can register.
 */
static bool
is_ours(const struct http *h, const char *host)
{
	struct addr addr;
	size_t len;

	if (host == NULL || addr_parse(&addr, host, HTTP_PORT) != ERR_FORMAT)
		return true;
	len = strcspn(host, ":");
	if (len != 0 && host[len - 1] == '.')
		len--;
	if (memchr(host, '.', len) == NULL || ends_with(host, len, ".local") ||
	    ends_with(host, len, ".home.arpa") || ends_with(host, len, ".internal"))
		return true;
	for (size_t i = 0; i < h->name_count; i++)
		if (strlen(h->names[i]) == len && strncasecmp(h->names[i], host, len) == 0)
			return true;
	return false;
}

/* --- answers ---------------------------------------------------------------------------------- */

static enum MHD_Result
respond(struct http *h, struct MHD_Connection *c, unsigned status, const char *type,
    struct MHD_Response *r)
{
	enum MHD_Result done = MHD_NO;

	if (r == NULL) {
		h->failures++;
		return MHD_NO;
	}
	if (h->mhd.add_response_header(r, "Content-Type", type) == MHD_YES &&
	    h->mhd.add_response_header(r, "Cache-Control", "no-store") == MHD_YES &&
	    h->mhd.add_response_header(r, "X-Content-Type-Options", "nosniff") == MHD_YES &&
	    h->mhd.add_response_header(r, "Referrer-Policy", "no-referrer") == MHD_YES &&
	    h->mhd.add_response_header(r, "Content-Security-Policy", "default-src 'none'; "
	    "script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
	    "frame-ancestors 'none'") ==
	    MHD_YES && (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	    h->mhd.add_response_header(r, "Allow", "GET, HEAD") == MHD_YES))
		done = h->mhd.queue_response(c, status, r);
	h->mhd.destroy_response(r);
	h->failures += done != MHD_YES;
	return done;
}

static enum MHD_Result
respond_words(struct http *h, struct MHD_Connection *c, unsigned status, const char *words)
{
	return respond(h, c, status, "text/plain; charset=utf-8",
	    h->mhd.create_response_from_buffer(strlen(words), (void *)(uintptr_t)words,
		MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result
respond_file(struct http *h, struct MHD_Connection *c, const struct http_file *f)
{
	return respond(h, c, MHD_HTTP_OK, f->type, h->mhd.create_response_from_buffer(f->len,
	    (void *)(uintptr_t)f->bytes, MHD_RESPMEM_PERSISTENT));
}

/* A command that was given; whoever comes last, its answer or its asker, releases it. */
struct question {
	bool answered;
	bool left;		/* nobody waits any more */
	char *line;
};

static void
take_answer(void *user, const char *line)
{
	struct question *q = user;

	if (q->left) {
		free(q);
		return;
	}
	q->answered = true;
	q->line = strdup(line);
}

/* Have a command carried out that ends at once. Gives its answer, to be freed; or NULL. */
static char *
ask(struct http *h, const char *const *words, size_t count)
{
	struct question *q = calloc(1, sizeof(*q));
	char *line;

	if (q == NULL || ctl_ask(h->env.command, h->env.ctx, words, count, take_answer, q) != OK) {
		free(q);
		return NULL;
	}
	if (!q->answered) {
		q->left = true;
		return NULL;
	}
	line = q->line;
	free(q);
	return line;
}

static enum MHD_Result
respond_line(struct http *h, struct MHD_Connection *c, char *line)
{
	if (line == NULL) {
		h->failures++;
		return respond_words(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, "not now\n");
	}
	return respond(h, c, MHD_HTTP_OK, "application/json",
	    h->mhd.create_response_from_buffer(strlen(line), line, MHD_RESPMEM_MUST_FREE));
}

/* The status alone, without the envelope of a command. NULL: no memory. */
static json_t *
read_status(struct http *h)
{
	static const char *const words[] = { "status" };
	char *line = ask(h, words, 1);
	json_t *answer = line != NULL ? json_loads(line, 0, NULL) : NULL;
	json_t *status = json_incref(json_object_get(answer, "result"));

	json_decref(answer);
	free(line);
	return status;
}

static enum MHD_Result
respond_status(struct http *h, struct MHD_Connection *c)
{
	json_t *status = read_status(h);
	char *text = json_dumps(status, JSON_COMPACT);

	json_decref(status);
	return respond_line(h, c, text);
}

static enum MHD_Result
respond_metrics(struct http *h, struct MHD_Connection *c)
{
	json_t *status = read_status(h);
	size_t len = 0;
	char *text = status != NULL ? http_metrics(status, &len) : NULL;

	json_decref(status);
	if (text == NULL)
		return respond_line(h, c, NULL);
	return respond(h, c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
	    h->mhd.create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE));
}

/* What may be asked for beside the status: what changes nothing and ends at once. */
static const struct {
	const char *path;
	const char *words[WORDS_MAX];
	size_t count;
} questions[] = {
	{ "/ask/dns/upstreams", { "dns", "upstreams" }, 2 },
	{ "/ask/dns/top", { "dns", "top" }, 2 },
	{ "/ask/tftp/sessions", { "tftp", "sessions" }, 2 },
	{ "/ask/announce/list", { "announce", "list" }, 2 },
};

static enum MHD_Result
respond_path(struct http *h, struct MHD_Connection *c, const char *path)
{
	if (strcmp(path, "/status.json") == 0)
		return respond_status(h, c);
	if (strcmp(path, "/metrics") == 0)
		return respond_metrics(h, c);
	if (strcmp(path, "/healthz") == 0)
		return h->env.is_ending(h->env.ctx)
		    ? respond_words(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, "ending\n")
		    : respond_words(h, c, MHD_HTTP_OK, "ok\n");
	for (size_t i = 0; http_files[i].path != NULL; i++)
		if (strcmp(path, http_files[i].path) == 0)
			return respond_file(h, c, &http_files[i]);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(path, questions[i].path) == 0)
			return respond_line(h, c, ask(h, questions[i].words, questions[i].count));
	return respond_words(h, c, MHD_HTTP_NOT_FOUND,
	    "here are /, /status.json, /metrics and /healthz\n");
}

static enum MHD_Result
handle(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
    const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct http *h = ctx;
	const char *host = h->mhd.lookup_connection_value(c, MHD_HEADER_KIND, "Host");

	(void)version;
	(void)upload;
	if (*state == NULL && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)) {
		/* Who is answered before the end of his request has his connection closed. */
		*state = h;
		return MHD_YES;
	}
	h->requests++;
	if (*state == NULL)
		return respond_words(h, c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n");
	if (*upload_len != 0) {
		*upload_len = 0;	/* whatever a GET brings along */
		return MHD_YES;
	}
	if (!is_ours(h, host)) {
		h->wrong_names++;
		return respond_words(h, c, MHD_HTTP_FORBIDDEN,
		    "hearthd is not known under this name: http { names = { \"…\" } } in its "
		    "settings adds it\n");
	}
	return respond_path(h, c, path);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void
run(struct listener *l)
{
	struct http *h = l->http;
	struct loop *loop = h->env.loop;
	MHD_UNSIGNED_LONG_LONG ms;

	(void)h->mhd.run(l->daemon);
	if (h->mhd.get_timeout(l->daemon, &ms) == MHD_YES)
		loop_timer(loop, &l->timer, loop_now(loop) +
		    (ms < CONN_SECONDS * 1000 ? millis((int64_t)ms) : seconds(CONN_SECONDS)));
	else
		loop_timer_cancel(loop, &l->timer);
}

static void
on_ready(struct loop_fd *w, uint32_t events)
{
	(void)events;
	run((struct listener *)w);
}

static void
on_time(struct timer *t, mono_us now)
{
	(void)now;
	run((struct listener *)((char *)t - offsetof(struct listener, timer)));
}

static enum MHD_Result
may_connect(void *ctx, const struct sockaddr *from, socklen_t len)
{
	struct http *h = ctx;
	struct addr peer = { 0 };

	if (len > sizeof(peer))
		return MHD_NO;
	memcpy(&peer, from, len);
	if (acl_allows(&h->acl, h->env.netif, &peer))
		return MHD_YES;
	h->not_allowed++;
	return MHD_NO;
}

/* --- the library ------------------------------------------------------------------------------ */

/* Errors: ERR_NOTFOUND, the log says why. */
static enum err
load_library(struct http *h)
{
	const struct {
		const char *name;
		void *place;
	} wanted[] = {
		{ "MHD_start_daemon", &h->mhd.start_daemon },
		{ "MHD_stop_daemon", &h->mhd.stop_daemon },
		{ "MHD_get_daemon_info", &h->mhd.get_daemon_info },
		{ "MHD_run", &h->mhd.run },
		{ "MHD_get_timeout", &h->mhd.get_timeout },
		{ "MHD_lookup_connection_value", &h->mhd.lookup_connection_value },
		{ "MHD_create_response_from_buffer", &h->mhd.create_response_from_buffer },
		{ "MHD_add_response_header", &h->mhd.add_response_header },
		{ "MHD_queue_response", &h->mhd.queue_response },
		{ "MHD_destroy_response", &h->mhd.destroy_response },
	};
	/* It stays until the process ends: what it brought along is not made to be unloaded. */
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	const char *why = handle == NULL ? dlerror() : NULL;

	for (size_t i = 0; why == NULL && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *found = dlsym(handle, wanted[i].name);

		/* A pointer to data holds one to a function, says POSIX; ISO C does not know. */
		memcpy(wanted[i].place, &found, sizeof(found));
		if (found == NULL)
			why = dlerror();
	}
	if (why == NULL)
		return OK;
	log_note(h->env.log, LOG_LEVEL_ERR, "http", "no page and no metrics: %s", why);
	return ERR_NOTFOUND;
}

/* --- life ------------------------------------------------------------------------------------- */

/* A listening socket, or -1 and errno. */
static int
listen_at(const struct addr *at)
{
	int one = 1, saved;
	int fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (at->sa.sa_family != AF_INET6 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
	    bind(fd, &at->sa, addr_len(at)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static enum err
start_listener(struct http *h, const struct addr *at)
{
	struct listener *l = &h->listeners[h->count];
	int fd = listen_at(at);

	if (fd < 0)
		return ERR_SYS;
	*l = (struct listener){ .http = h, .watch.ready = on_ready, .timer.fire = on_time };
	l->daemon = h->mhd.start_daemon(MHD_USE_EPOLL, 0, may_connect, h,
	    handle, h, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNS_MAX,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNS_PER_HOST,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONN_SECONDS, MHD_OPTION_END);
	if (l->daemon == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	h->count++;

	const union MHD_DaemonInfo *info =
	    h->mhd.get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	l->watch.fd = info != NULL ? info->epoll_fd : -1;
	if (l->watch.fd < 0 || loop_add(h->env.loop, &l->watch, EPOLLIN) != OK) {
		l->watch.fd = -1;
		return ERR_SYS;
	}
	return OK;
}

static void
complain(const struct http *h, const struct addr *at, enum err e)
{
	char text[ADDR_TEXT_MAX];

	log_note(h->env.log, LOG_LEVEL_ERR, "http", "cannot listen on %s: %s",
	    addr_format(at, text), e == ERR_SYS ? strerror(errno) : err_text(e));
}

static enum err
start_listeners(struct http *h, const struct conf *cf)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < conf_count(cf, "listen"); i++) {
		struct addr at = conf_addr_at(cf, "listen", i);
		char text[ADDR_TEXT_MAX];

		e = i < LISTEN_MAX ? start_listener(h, &at) : ERR_FULL;
		if (e == OK)
			log_note(h->env.log, LOG_LEVEL_NOTICE, "http", "listening on http://%s/",
			    addr_format(&at, text));
		else
			complain(h, &at, e);
	}
	return e;
}

static void
free_names(char **names, size_t count)
{
	while (count-- != 0)
		free(names[count]);
	free(names);
}

enum err
http_apply(struct http *h, const struct conf *cf)
{
	size_t count = conf_count(cf, "names"), made = 0;
	char **names = calloc(count + 1, sizeof(*names));
	struct acl acl;
	enum err e = names != NULL ? acl_init(&acl, cf, "allow") : ERR_NOMEM;

	if (e != OK) {
		free(names);
		return e;
	}
	while (made < count && (names[made] = strdup(conf_str_at(cf, "names", made))) != NULL)
		made++;
	if (made != count) {
		free_names(names, made);
		acl_fini(&acl);
		return ERR_NOMEM;
	}
	free_names(h->names, h->name_count);
	acl_fini(&h->acl);
	h->names = names;
	h->name_count = count;
	h->acl = acl;
	return OK;
}

enum err
http_open(struct http **out, const struct http_env *env, const struct conf *cf)
{
	struct http *h = calloc(1, sizeof(*h));
	enum err e;

	if (h == NULL)
		return ERR_NOMEM;
	h->env = *env;
	e = load_library(h);
	if (e == OK)
		e = http_apply(h, cf);
	if (e == OK)
		e = start_listeners(h, cf);
	if (e != OK) {
		http_close(h);
		return e;
	}
	*out = h;
	return OK;
}

void
http_report(const struct http *h, struct report *out)
{
	unsigned open = 0;

	for (size_t i = 0; i < h->count; i++) {
		const union MHD_DaemonInfo *info = h->mhd.get_daemon_info(h->listeners[i].daemon,
		    MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

		open += info != NULL ? info->num_connections : 0;
	}
	report_u64(out, "connections", open);
	report_u64(out, "requests", h->requests);
	report_u64(out, "not_allowed", h->not_allowed);
	report_u64(out, "wrong_names", h->wrong_names);
	report_u64(out, "failures", h->failures);
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->count; i++) {
		struct listener *l = &h->listeners[i];

		if (l->watch.fd >= 0)
			loop_remove(h->env.loop, &l->watch);
		loop_timer_cancel(h->env.loop, &l->timer);
		h->mhd.stop_daemon(l->daemon);
	}
	free_names(h->names, h->name_count);
	acl_fini(&h->acl);
	free(h);
}
