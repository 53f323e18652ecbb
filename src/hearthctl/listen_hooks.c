/* SPDX-License-Identifier: MIT */
/*
 * --exec: a program for each piece of news. What strangers chose reaches it in variables of the
 * environment with fixed names and as JSON on its standard input, never as words of a
 * command line and never through a shell. Few run at once, the others wait in order; unconfirmed
 * news start nothing.
 */
#include "hearthctl/listen.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNNING_MAX 8
#define WAITING_MAX 1024
#define VARIABLES_MAX 12
#define VARIABLE_BYTES 160
#define END_WAIT_MS 5000

extern char **environ;

struct hook {
	STAILQ_ENTRY(hook) link;
	unsigned variable_count;
	char variables[VARIABLES_MAX][VARIABLE_BYTES];
	char *json;
};

struct hooks {
	const char *program;
	unsigned waiting;
	unsigned running;
	pid_t pids[RUNNING_MAX];
	uint64_t dropped;
	STAILQ_HEAD(, hook) queue;
};

struct hooks *
hooks_new(const char *program)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->program = program;
	STAILQ_INIT(&h->queue);
	return h;
}

static void
set_text(struct hook *k, const char *name, const char *value)
{
	snprintf(k->variables[k->variable_count++], VARIABLE_BYTES, "HEARTH_%s=%s", name, value);
}

static void
set_number(struct hook *k, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	set_text(k, name, text);
}

static void
set_variables(struct hook *k, const struct hearth_news *n)
{
	static const char *const types[] = { "", "event", "state", "withdraw", "gap", "refused",
		"notice" };

	set_text(k, "TYPE", types[n->type]);
	set_text(k, "TOPIC", n->topic);
	set_text(k, "SENDER", n->sender);
	set_text(k, "REASON", n->reason);
	set_number(k, "EPOCH", n->epoch);
	set_number(k, "SEQ", n->seq);
	set_number(k, "TIME", n->time_ms);
	if (n->type == HEARTH_GAP) {
		set_number(k, "FIRST", n->first);
		set_number(k, "LAST", n->last);
	}
}

/* The variables of ours in front of those that the tool was given; the caller frees the list. */
static char **
environment(struct hook *k)
{
	size_t own = 0, n = 0;
	char **list;

	while (environ[own] != NULL)
		own++;
	list = calloc(own + k->variable_count + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (; n < k->variable_count; n++)
		list[n] = k->variables[n];
	for (size_t i = 0; i < own; i++)
		if (strncmp(environ[i], "HEARTH_", 7) != 0)
			list[n++] = environ[i];
	return list;
}

/* The JSON in a file without a name: a pipe could fill up and make us wait. */
static int
input_file(const struct hook *k)
{
	int fd = memfd_create("news", MFD_CLOEXEC);
	size_t len = strlen(k->json);

	if (fd >= 0 && (write(fd, k->json, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
start(struct hooks *h, struct hook *k)
{
	char *argv[2] = { NULL, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	char **env = environment(k);
	int in = input_file(k), e = ENOMEM;

	memcpy(&argv[0], &h->program, sizeof(argv[0]));
	sigemptyset(&none);
	if (env != NULL && in >= 0 && posix_spawn_file_actions_init(&files) == 0) {
		posix_spawnattr_init(&attributes);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
		posix_spawnattr_setsigmask(&attributes, &none);
		e = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
		if (e == 0)
			e = posix_spawn(&h->pids[h->running], h->program, &files, &attributes, argv,
			    env);
		posix_spawnattr_destroy(&attributes);
		posix_spawn_file_actions_destroy(&files);
	}
	if (e == 0)
		h->running++;
	else
		tool_fail("cannot run %s: %s", h->program, strerror(e));
	if (in >= 0)
		close(in);
	free(env);
}

static void
start_waiting(struct hooks *h)
{
	struct hook *k;

	while (h->running < RUNNING_MAX && (k = STAILQ_FIRST(&h->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&h->queue, link);
		h->waiting--;
		start(h, k);
		free(k->json);
		free(k);
	}
}

void
hooks_add(struct hooks *h, const struct hearth_news *n)
{
	struct hook *k;
	json_t *json;

	/* Strangers can make refusals: they shall not start programs. */
	if (!n->confirmed || n->type == HEARTH_REFUSED)
		return;
	if (h->waiting == WAITING_MAX) {
		if (h->dropped++ % 100 == 0)
			tool_fail("%s is too slow: news was dropped", h->program);
		return;
	}
	k = calloc(1, sizeof(*k));
	json = listen_json(n);
	if (k != NULL && json != NULL)
		k->json = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (k == NULL || k->json == NULL) {
		free(k);
		tool_fail("out of memory: %s was not run", h->program);
		return;
	}
	set_variables(k, n);
	STAILQ_INSERT_TAIL(&h->queue, k, link);
	h->waiting++;
	start_waiting(h);
}

void
hooks_reap(struct hooks *h)
{
	for (unsigned i = h->running; i-- > 0;)
		if (waitpid(h->pids[i], NULL, WNOHANG) != 0)
			h->pids[i] = h->pids[--h->running];
	start_waiting(h);
}

void
hooks_free(struct hooks *h)
{
	if (h == NULL)
		return;
	for (int waited = 0; (h->running != 0 || h->waiting != 0) && waited < END_WAIT_MS;
	    waited += 20) {
		poll(NULL, 0, 20);
		hooks_reap(h);
	}
	while (!STAILQ_EMPTY(&h->queue)) {
		struct hook *k = STAILQ_FIRST(&h->queue);

		STAILQ_REMOVE_HEAD(&h->queue, link);
		free(k->json);
		free(k);
	}
	free(h);
}
