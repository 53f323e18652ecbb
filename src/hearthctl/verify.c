/* SPDX-License-Identifier: MIT */
/*
 * hearthctl verify FILE: is this download what a trusted sender announces? The announcement is a
 * state "file/…" with name, size and BLAKE2b-256; the name's last part must be that of FILE.
 */
#include "hearthctl/listen.h"

#include "core/conf.h"
#include "services/announce/announce_files.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VERIFY_UNHEARD 3	/* exit status: time was up before all was heard */
#define WAIT_DEFAULT 5000000	/* usec to wait for an announcement */

enum {
	OPTION_FOR = 256,
	OPTION_AS,
};

static const struct option options[] = { LISTEN_OPTIONS,
	{ "for", required_argument, NULL, OPTION_FOR },
	{ "as", required_argument, NULL, OPTION_AS }, { 0 } };

struct check {
	const char *name;	/* last part of the path that must be announced */
	char size[24];
	char hash[2 * SEAL_HASH_BYTES + 1];
	bool genuine;
	uint64_t unheard;	/* senders that may have more to say */
	unsigned others;	/* announcements of that name that say something else */
	char sender[64];
	char path[256];
};

/* Copy the value of a key; "" where it is absent or too long. */
static void
text_value(const struct hearth_news *n, const char *key, char *out, size_t cap)
{
	struct hearth_text t;
	size_t at = 0;

	out[0] = '\0';
	while (hearth_text_next(n, &at, &t) != 0) {
		if (t.key_len != strlen(key) || memcmp(t.key, key, t.key_len) != 0)
			continue;
		if (t.value_len < cap) {
			memcpy(out, t.value, t.value_len);
			out[t.value_len] = '\0';
		}
		return;
	}
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void
news(void *ctx, const struct hearth_news *n)
{
	struct check *c = ctx;
	char name[256], size[24], hash[2 * SEAL_HASH_BYTES + 1];

	if (n->type != HEARTH_STATE || !n->confirmed ||
	    strncmp(n->topic, ANNOUNCE_FILES_PREFIX, strlen(ANNOUNCE_FILES_PREFIX)) != 0)
		return;
	text_value(n, "name", name, sizeof(name));
	if (strcmp(last_part(name), c->name) != 0 && strcmp(name, c->name) != 0)
		return;
	text_value(n, "size", size, sizeof(size));
	text_value(n, "blake2b", hash, sizeof(hash));
	if (strcmp(size, c->size) == 0 && strcmp(hash, c->hash) == 0)
		c->genuine = true;
	else if (!c->genuine)
		c->others++;
	else
		return;
	snprintf(c->sender, sizeof(c->sender), "%s", n->sender);
	snprintf(c->path, sizeof(c->path), "%s", name);
}

static int
hash_file(const char *path, struct check *c)
{
	uint8_t hash[SEAL_HASH_BYTES];
	uint64_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return tool_fail("%s: %s", path, strerror(errno));
	if (announce_files_hash(fd, &size, hash) != OK) {
		close(fd);
		return tool_fail("%s: %s", path, strerror(errno));
	}
	close(fd);
	snprintf(c->size, sizeof(c->size), "%llu", (unsigned long long)size);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(c->hash + 2 * i, 3, "%02x", hash[i]);
	return TOOL_FINE;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t
count_of(const struct hearth_listener *l, const char *name)
{
	const char *at;
	uint64_t value = 0;

	for (unsigned i = 0; (at = hearth_listen_count(l, i, &value)) != NULL; i++)
		if (strcmp(at, name) == 0)
			return value;
	return 0;
}

/* Listen until the file is found genuine or time is up. */
static int
ask(struct listen_options *o, struct check *c, usec span)
{
	struct hearth_listener *l;
	char why[HEARTH_WHY_MAX];
	int64_t end = now_ms() + span / 1000;

	o->open.news = news;
	o->open.ctx = c;
	if (hearth_listen_open(&l, &o->open, why) != 0)
		return tool_fail("%s", why);
	while (!c->genuine && now_ms() < end) {
		struct pollfd fd = { .fd = hearth_listen_fd(l), .events = POLLIN };
		int wait = hearth_listen_timeout(l);
		int64_t left = end - now_ms() + 1;

		(void)poll(&fd, 1, left < wait ? (int)left : wait);
		if (hearth_listen_process(l) != 0)
			break;
	}
	c->unheard = count_of(l, "senders_unheard");
	hearth_listen_close(l);
	return TOOL_FINE;
}

static int
judge(const char *file, const struct check *c)
{
	if (c->genuine) {
		printf("%s: genuine: %s announces %s with %s bytes, BLAKE2b %s\n", file, c->sender,
		    c->path, c->size, c->hash);
		return TOOL_FINE;
	}
	if (c->others != 0)
		printf("%s: NOT genuine: %s announces %s with other content\n", file, c->sender,
		    c->path);
	else if (c->unheard != 0)
		printf("%s: not known yet: did not hear everything of %llu trusted sender%s in "
		    "time (see --for)\n", file, (unsigned long long)c->unheard,
		    c->unheard == 1 ? "" : "s");
	else
		printf("%s: unknown: nobody we trust announces a file of this name\n", file);
	return c->others == 0 && c->unheard != 0 ? VERIFY_UNHEARD : TOOL_FAILED;
}

int
verify_run(const struct tool *t, int argc, char **argv)
{
	struct listen_options o = { .open = { 0 } };
	struct check c = { .name = NULL };
	usec span = WAIT_DEFAULT;
	int option, status;

	(void)t;
	while ((option = getopt_long(argc, argv, LISTEN_OPTION_CHARS, options, NULL)) != -1) {
		if (option == OPTION_AS)
			c.name = optarg;
		else if (option == OPTION_FOR ? conf_parse_duration(optarg, &span) != OK
					      : !listen_option(&o, option, optarg))
			return listen_misuse("verify", options, option, optarg);
	}
	if (optind + 1 != argc)
		return tool_misuse("verify takes one file");
	listen_defaults(&o);
	if (o.open.trust == NULL)
		return tool_fail("no trust file (--trust FILE)");
	if (c.name == NULL)
		c.name = last_part(argv[optind]);
	status = hash_file(argv[optind], &c);
	if (status == TOOL_FINE)
		status = ask(&o, &c, span);
	return status == TOOL_FINE ? judge(argv[optind], &c) : status;
}
