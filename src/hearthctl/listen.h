/* SPDX-License-Identifier: MIT */
/* hearthctl listen, verify, keygen: the commands of subscribers, which need no daemon. */
#ifndef HEARTHCTL_LISTEN_H
#define HEARTHCTL_LISTEN_H

#include "hearth/listen.h"
#include "hearthctl/tool.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define LISTEN_NAMES_MAX 33	/* interfaces or leases, NULL at the end included */
#define LISTEN_PATH_MAX 512

int listen_run(const struct tool *t, int argc, char **argv);
int verify_run(const struct tool *t, int argc, char **argv);
int keygen_run(const struct tool *t, int argc, char **argv);

/* --- options that listen and verify share ---------------------------------------------------- */

struct listen_options {
	struct hearth_listen_opts open;
	const char *interfaces[LISTEN_NAMES_MAX];
	const char *lessors[LISTEN_NAMES_MAX];
	char group_key[LISTEN_PATH_MAX], trust[LISTEN_PATH_MAX];
};

#define LISTEN_OPTIONS                                                                             \
	{ "group-key", required_argument, NULL, 'g' }, { "trust", required_argument, NULL, 't' },  \
	    { "state", required_argument, NULL, 'S' },                                             \
	    { "interface", required_argument, NULL, 'i' },                                         \
	    { "lease", required_argument, NULL, 'l' }, { "port", required_argument, NULL, 'p' },   \
	    { "rejoin", required_argument, NULL, 'r' }
#define LISTEN_OPTION_CHARS "g:t:i:"

/* Take one of them. False where it is none of these, or its value makes no sense. */
bool listen_option(struct listen_options *o, int option, const char *value);
/* Say which option does not take the value, or leave that to getopt; gives TOOL_USAGE. */
int listen_misuse(const char *command, const struct option *options, int option,
    const char *value);
/* Fill in what was not given: the files in the usual directory, where they are there. */
void listen_defaults(struct listen_options *o);
/* /etc/hearth for root, else ~/.config/hearth. Gives buf. */
const char *listen_directory(char buf[static LISTEN_PATH_MAX]);

/* --- output ---------------------------------------------------------------------------------- */

/* One line for people. */
void listen_print_line(const struct hearth_news *n, FILE *out);
/* One object; the caller's to json_decref(). NULL without memory. */
json_t *listen_json(const struct hearth_news *n);

/* --- hooks ----------------------------------------------------------------------------------- */

struct hooks;

/* Run `program` for each confirmed piece of news. NULL without memory. */
struct hooks *hooks_new(const char *program);
/* Wait for those that run and wait, 5 s at most. */
void hooks_free(struct hooks *h);
/* Start or queue one. */
void hooks_add(struct hooks *h, const struct hearth_news *n);
/* A child has ended: see to it and start the next. */
void hooks_reap(struct hooks *h);

#endif
