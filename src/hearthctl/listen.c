/* SPDX-License-Identifier: MIT */
/* hearthctl listen: print what is announced, as libhearth delivers it. */
#include "hearthctl/listen.h"

#include "core/conf.h"
#include "services/announce/beacon_keys.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
	OPTION_JSON = 256,
	OPTION_EXEC,
	OPTION_COUNT,
	OPTION_FOR,
	OPTION_STATS,
};

static const struct option options[] = { LISTEN_OPTIONS,
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "exec", required_argument, NULL, OPTION_EXEC },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "for", required_argument, NULL, OPTION_FOR },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ 0 } };

struct session {
	struct listen_options o;
	struct hearth_listener *listener;
	struct hooks *hooks;
	const char *program;
	char **globs;
	int glob_count;
	bool json, stats;
	unsigned long left;	/* lines until the end; 0: no end */
	usec span;		/* time until the end; 0: no end */
	bool over;
};

static bool
is_wanted(const struct session *s, const struct hearth_news *n)
{
	if (s->glob_count == 0 || n->topic[0] == '\0')
		return true;
	for (int i = 0; i < s->glob_count; i++)
		if (beacon_glob_match(span_str(s->globs[i]), span_str(n->topic)))
			return true;
	return false;
}

static void
print_json(const struct hearth_news *n)
{
	json_t *o = listen_json(n);

	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

static void
news(void *ctx, const struct hearth_news *n)
{
	struct session *s = ctx;

	if (s->over || !is_wanted(s, n))
		return;
	if (s->json)
		print_json(n);
	else
		listen_print_line(n, stdout);
	if (s->hooks != NULL)
		hooks_add(s->hooks, n);
	if (s->left != 0 && --s->left == 0)
		s->over = true;
	if (ferror(stdout))
		s->over = true;
}

/* --- the loop -------------------------------------------------------------------------------- */

static usec
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return seconds(ts.tv_sec) + ts.tv_nsec / 1000;
}

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void
take_signals(struct session *s, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			s->over = true;
		else if (s->hooks != NULL)
			hooks_reap(s->hooks);
	}
}

static int
loop(struct session *s, int signals)
{
	struct pollfd fds[] = { { .fd = hearth_listen_fd(s->listener), .events = POLLIN },
		{ .fd = signals, .events = POLLIN } };
	usec end = s->span != 0 ? clock_now() + s->span : MONO_NEVER;

	while (!s->over && clock_now() < end) {
		int wait = hearth_listen_timeout(s->listener);
		usec left = end == MONO_NEVER ? MONO_NEVER : (end - clock_now()) / 1000 + 1;

		if (left < wait)
			wait = left > 0 ? (int)left : 0;
		if (poll(fds, 2, wait) < 0 && errno != EINTR)
			return tool_fail("poll: %s", strerror(errno));
		take_signals(s, signals);
		if (hearth_listen_process(s->listener) != 0)
			return tool_fail("%s", strerror(errno));
	}
	return TOOL_FINE;
}

static void
print_stats(const struct session *s)
{
	const char *name;
	uint64_t value;

	for (unsigned i = 0; (name = hearth_listen_count(s->listener, i, &value)) != NULL; i++)
		if (value != 0)
			fprintf(stderr, "%s=%llu\n", name, (unsigned long long)value);
}

/* --- options --------------------------------------------------------------------------------- */

static bool
take_option(struct session *s, int option, const char *value)
{
	char *end;

	switch (option) {
	case OPTION_JSON:
		s->json = true;
		return true;
	case OPTION_EXEC:
		s->program = value;
		return true;
	case OPTION_COUNT:
		s->left = strtoul(value, &end, 10);
		return *end == '\0' && s->left > 0;
	case OPTION_FOR:
		return conf_parse_duration(value, &s->span) == OK && s->span > 0;
	case OPTION_STATS:
		s->stats = true;
		return true;
	default:
		return listen_option(&s->o, option, value);
	}
}

static int
run(struct session *s)
{
	char why[HEARTH_WHY_MAX];
	int signals = open_signals(), status;

	if (s->o.open.trust == NULL)
		fputs("hearthctl: no trust file, all will be refused (--trust FILE)\n", stderr);
	if (hearth_listen_open(&s->listener, &s->o.open, why) != 0) {
		close(signals);
		return tool_fail("%s", why);
	}
	if (why[0] != '\0')
		fprintf(stderr, "hearthctl: %s\n", why);
	status = loop(s, signals);
	if (s->stats)
		print_stats(s);
	hearth_listen_close(s->listener);
	close(signals);
	return status;
}

int
listen_run(const struct tool *t, int argc, char **argv)
{
	struct session s = { .json = t->json };
	int option, status;

	while ((option = getopt_long(argc, argv, LISTEN_OPTION_CHARS, options, NULL)) != -1)
		if (!take_option(&s, option, optarg))
			return listen_misuse("listen", options, option, optarg);
	listen_defaults(&s.o);
	s.o.open.news = news;
	s.o.open.ctx = &s;
	s.globs = argv + optind;
	s.glob_count = argc - optind;
	if (s.program != NULL) {
		if (access(s.program, X_OK) != 0)
			return tool_fail("cannot run %s: %s", s.program, strerror(errno));
		s.hooks = hooks_new(s.program);
		if (s.hooks == NULL)
			return tool_fail("out of memory");
	}
	status = run(&s);
	hooks_free(s.hooks);
	return status;
}
