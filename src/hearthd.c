/* SPDX-License-Identifier: MIT */
/*
 * The daemon: start-up order and nothing else.
 *
 *   options -> settings -> loop and helpers -> services bind -> control socket -> privileges
 *           -> threads -> loop until a signal -> drain -> stop in reverse
 *
 * Start-up may end the process with one clear line. After it, nothing that comes from the network
 * or from a reload does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/ctl.h"
#include "core/http.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/netif.h"
#include "core/offload.h"
#include "core/privs.h"
#include "core/rand.h"
#include "core/report.h"
#include "core/service.h"
#include "options.h"
#include "settings.h"
#include "util/seal.h"

#define EXIT_USAGE	2		/* bad usage or settings */
#define DRAIN_MAX	seconds(3)	/* how long work in flight may take after SIGTERM */
#define DRAIN_POLL	millis(20)
#define OFFLOAD_THREADS 2
#define OFFLOAD_QUEUE	1024
#define FILES_WANTED	8192		/* descriptors: 1024 TFTP sessions, upstream sockets, TCP */

struct daemon {
	struct options options;
	struct settings settings;
	struct loop *loop;
	struct log *log;
	struct netif *netif;
	struct offload *offload;
	struct rand rand;
	struct ctl *ctl;
	struct http *http;	/* NULL: not wanted */
	struct loop_fd signals;
	struct timer drain;
	mono_us drain_until;
	mono_us started;
	int ready_pipe;		/* the waiting parent's, in the background mode; -1 otherwise */
};

/* --- signals ---------------------------------------------------------------------------------- */

static void
log_waiting(void *ctx, const char *path)
{
	log_note(ctx, LOG_LEVEL_WARNING, "hearthd", "%s takes effect at the next start", path);
}

/* A list for the answer, made when there is something to put into it. */
struct waiting {
	struct report *out;
	struct report *list;
};

static void
report_waiting(void *ctx, const char *path)
{
	struct waiting *w = ctx;

	if (w->list == NULL)
		w->list = report_list(w->out, "at_the_next_start");
	report_str(w->list, NULL, path);
}

/* Who may look; where it listens stays as it was at the start. */
static void
apply_http(struct daemon *d)
{
	const struct conf *cf = conf_section(settings_root(&d->settings), "http", 0);
	enum err e;

	if (d->http == NULL || cf == NULL)
		return;
	e = http_apply(d->http, cf);
	if (e != OK)
		log_note(d->log, LOG_LEVEL_ERR, "http", "its settings stay as they were: %s",
		    err_text(e));
}

static enum err
reload(struct daemon *d, char err[static SETTINGS_ERR_MAX])
{
	enum err e = settings_reload(&d->settings, d->log, err);

	/* Whatever the settings are like: who rotates logs knows nothing of them. */
	services_reopen(d->settings.services);
	if (e == OK) {
		apply_http(d);
		log_note(d->log, LOG_LEVEL_NOTICE, "hearthd", "the new settings are in force");
		settings_log_missing(&d->settings, d->log);
		settings_waiting(&d->settings, log_waiting, d->log);
	} else {
		settings_log_lines(d->log, err);
		log_note(d->log, LOG_LEVEL_ERR, "hearthd", "the previous settings stay in force");
	}
	return e;
}

static void
drain_step(struct timer *t, mono_us now)
{
	struct daemon *d = (struct daemon *)((uint8_t *)t - offsetof(struct daemon, drain));

	if (services_busy(d->settings.services) && now < d->drain_until)
		loop_timer(d->loop, t, now + DRAIN_POLL);
	else
		loop_stop(d->loop);
}

static void
signal_ready(struct loop_fd *w, uint32_t events)
{
	struct daemon *d = (struct daemon *)((uint8_t *)w - offsetof(struct daemon, signals));
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			char err[SETTINGS_ERR_MAX];

			if (d->drain_until == 0)	/* who is about to end starts nothing new */
				(void)reload(d, err);
			continue;
		}
		if (d->drain_until != 0) {	/* asked twice: at once */
			loop_stop(d->loop);
			continue;
		}
		log_note(d->log, LOG_LEVEL_NOTICE, "hearthd", "ending (%s)",
		    strsignal((int)info.ssi_signo));
		d->drain_until = loop_now(d->loop) + DRAIN_MAX;
		drain_step(&d->drain, loop_now(d->loop));
	}
}

static enum err
watch_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return ERR_SYS;
	d->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (d->signals.fd < 0)
		return ERR_SYS;
	d->signals.ready = signal_ready;
	return loop_add(d->loop, &d->signals, EPOLLIN);
}

/* --- the control socket ----------------------------------------------------------------------- */

static void
report_status(const struct daemon *d, struct report *out)
{
	const struct loop_stats *ls = loop_stats(d->loop);
	const struct offload_stats *os = offload_stats(d->offload);
	struct report *o = report_object(out, "hearthd");

	report_str(o, "version", PACKAGE_VERSION);
	report_i64(o, "pid", getpid());
	report_i64(o, "uptime_s", (loop_now(d->loop) - d->started) / seconds(1));
	report_str(o, "settings", d->settings.path != NULL ? d->settings.path : "(defaults)");
	report_u64(o, "reloads", d->settings.reloads);
	report_u64(o, "reloads_refused", d->settings.reloads_refused);
	report_u64(o, "loop_turns", ls->turns);
	report_u64(o, "loop_longest_us", ls->longest_us);
	report_u64(o, "offload_submitted", os->submitted);
	report_u64(o, "offload_waiting", os->waiting);
	report_u64(o, "offload_refused", os->refused);
	if (d->http != NULL)
		http_report(d->http, report_object(out, "http"));
	services_report(d->settings.services, out);
}

static void
command(void *ctx, const char *noun, struct ctl_request *rq)
{
	struct daemon *d = ctx;

	if (strcmp(noun, "status") == 0) {
		report_status(d, rq->out);
		ctl_done(rq);
	} else if (strcmp(noun, "reload") == 0) {
		char err[SETTINGS_ERR_MAX];

		if (d->drain_until != 0) {
			ctl_fail(rq, "hearthd is ending");
			return;
		}
		if (reload(d, err) != OK) {
			ctl_fail(rq, "%s\n(the previous settings stay in force)", err);
			return;
		}
		report_str(rq->out, "reload", "the new settings are in force");
		settings_waiting(&d->settings, report_waiting, &(struct waiting){ .out = rq->out });
		ctl_done(rq);
	} else if (!services_command(d->settings.services, noun, rq)) {
		ctl_fail(rq, "usage: no service and no command is called \"%s\"", noun);
	}
}

/* --- start-up --------------------------------------------------------------------------------- */

static int
fail(struct daemon *d, const char *what, enum err e)
{
	log_note(d->log, LOG_LEVEL_ERR, "hearthd", "%s: %s", what,
	    e == ERR_SYS ? strerror(errno) : err_text(e));
	return EXIT_FAILURE;
}

/* Thousands of transfers need thousands of descriptors; the soft limit is often 1024. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * Go on in a child; the parent waits for its word, so that `hearthd && dig …` works and a failed
 * start shows in the exit status.
 */
static int
go_background(struct daemon *d)
{
	int ends[2];
	unsigned char status = EXIT_FAILURE;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(d, "cannot go into the background", ERR_SYS);

	pid_t child = fork();

	if (child < 0)
		return fail(d, "cannot go into the background", ERR_SYS);
	if (child == 0) {
		close(ends[0]);
		d->ready_pipe = ends[1];
		(void)setsid();
		return EXIT_SUCCESS;
	}
	close(ends[1]);
	while (read(ends[0], &status, 1) < 0 && errno == EINTR)
		;
	_exit(status);
}

/* Tell the waiting parent that all is well and let go of its terminal. */
static void
detach(struct daemon *d)
{
	unsigned char status = EXIT_SUCCESS;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	if (log_to_syslog(d->log, LOG_SYSLOG_PATH, "hearthd") != OK)
		/* nobody listens to /dev/null */
		log_set(d->log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT);
	if (write(d->ready_pipe, &status, 1) < 0)
		log_note(d->log, LOG_LEVEL_WARNING, "hearthd", "the starting process is gone");
	close(d->ready_pipe);
	d->ready_pipe = -1;
}

static int
start_helpers(struct daemon *d)
{
	enum err e;

	raise_file_limit();
	rand_init(&d->rand);
	if ((e = loop_new(&d->loop)) != OK)
		return fail(d, "cannot make the event loop", e);
	d->started = loop_now(d->loop);
	d->drain.fire = drain_step;
	if ((e = watch_signals(d)) != OK)
		return fail(d, "cannot watch for signals", e);
	if ((e = netif_new(&d->netif, d->loop, d->log)) != OK)
		return fail(d, "cannot read the network interfaces", e);
	if ((e = offload_new(&d->offload, d->loop, OFFLOAD_THREADS, OFFLOAD_QUEUE)) != OK)
		return fail(d, "cannot prepare background work", e);
	offload_hold(d->offload);
	return EXIT_SUCCESS;
}

static bool
is_ending(void *ctx)
{
	const struct daemon *d = ctx;

	return d->drain_until != 0;
}

/* What goes wrong is in the log. */
static enum err
start_http(struct daemon *d)
{
	const struct conf *cf = conf_section(settings_root(&d->settings), "http", 0);
	struct http_env env = { .loop = d->loop, .log = d->log, .netif = d->netif,
		.command = command, .is_ending = is_ending, .ctx = d };

	return cf != NULL ? http_open(&d->http, &env, cf) : OK;
}

static int
start_services(struct daemon *d)
{
	struct services_env env = {
		.loop = d->loop,
		.log = d->log,
		.netif = d->netif,
		.offload = d->offload,
		.rand = &d->rand,
		.state_dir = settings_state_dir(&d->settings, d->log),
	};
	enum err e;

	settings_log_missing(&d->settings, d->log);
	e = services_start(d->settings.services, &env, settings_root(&d->settings));
	if (e == OK)
		e = settings_open_control(&d->settings, d->log, d->loop, command, d, &d->ctl);
	if (e == OK)
		e = start_http(d);
	if (e != OK)
		return EXIT_FAILURE;	/* said already */
	e = privs_drop(settings_user(&d->settings, d->log),
	    services_capabilities(d->settings.services));
	if (e == ERR_NOTFOUND)
		settings_complain_user(&d->settings, d->log);
	if (e != OK)
		return e == ERR_NOTFOUND ? EXIT_FAILURE : fail(d, "cannot give up root", e);
	e = offload_go(d->offload);
	if (e != OK)
		return fail(d, "cannot start background work", e);
	return EXIT_SUCCESS;
}

static int
serve(struct daemon *d)
{
	int status = start_helpers(d);

	if (status == EXIT_SUCCESS)
		status = start_services(d);
	if (status != EXIT_SUCCESS)
		return status;
	log_note(d->log, LOG_LEVEL_NOTICE, "hearthd", "version %s started", PACKAGE_VERSION);
	if (d->ready_pipe >= 0)
		detach(d);

	enum err e = loop_run(d->loop);

	if (e != OK)
		return fail(d, "the event loop broke", e);
	log_note(d->log, LOG_LEVEL_NOTICE, "hearthd", "ended");
	return EXIT_SUCCESS;
}

static void
stop(struct daemon *d)
{
	ctl_close(d->ctl);
	http_close(d->http);
	services_stop(d->settings.services);
	offload_free(d->offload);
	settings_fini(&d->settings);
	netif_free(d->netif);
	if (d->loop != NULL)
		loop_remove(d->loop, &d->signals);
	loop_free(d->loop);
	rand_fini(&d->rand);
	log_free(d->log);
}

/* Read the settings; gives an exit status, EXIT_SUCCESS to go on. */
static int
read_settings(struct daemon *d)
{
	char err[SETTINGS_ERR_MAX];

	if (settings_init(&d->settings, d->options.file, err) == OK)
		return EXIT_SUCCESS;
	fputs(err, stderr);
	if (*err != '\0' && err[strlen(err) - 1] != '\n')
		fputc('\n', stderr);
	return EXIT_USAGE;
}

static int
run(struct daemon *d)
{
	int status = read_settings(d);

	if (status != EXIT_SUCCESS)
		return status;
	if (d->options.mode == OPTIONS_DUMP) {
		conf_dump(d->settings.file, stdout);
		return EXIT_SUCCESS;
	}
	if (d->options.mode == OPTIONS_MANUAL) {
		conf_manual(d->settings.table, stdout);
		return EXIT_SUCCESS;
	}
	if (d->options.mode == OPTIONS_CHECK) {
		unsigned warnings = settings_print_missing(&d->settings, stdout);

		printf("%s: no errors%s\n",
		    d->settings.path != NULL ? d->settings.path : "(default settings)",
		    warnings != 0 ? ", but see above" : "");
		return EXIT_SUCCESS;
	}
	settings_apply_log(&d->settings, d->log);
	if (!d->options.foreground)
		status = go_background(d);
	return status == EXIT_SUCCESS ? serve(d) : status;
}

int
main(int argc, char **argv)
{
	static struct daemon d = { .ready_pipe = -1 };

	options_parse(&d.options, argc, argv);
	switch (d.options.mode) {
	case OPTIONS_HELP:
		options_help();
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		options_version();
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return EXIT_USAGE;
	case OPTIONS_RUN:
	case OPTIONS_CHECK:
	case OPTIONS_DUMP:
	case OPTIONS_MANUAL:
		break;
	}
	if (log_new(&d.log, LOG_LEVEL_INFO, LOG_FORMAT_TEXT) != OK || seal_init() != OK) {
		fputs("hearthd: cannot start: out of memory or no source of randomness\n", stderr);
		return EXIT_FAILURE;
	}

	int status = run(&d);

	stop(&d);
	return status;
}
