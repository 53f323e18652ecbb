/* SPDX-License-Identifier: MIT */
/* The list of commands. */
#ifndef HEARTHCTL_COMMANDS_H
#define HEARTHCTL_COMMANDS_H

#include "hearthctl/tool.h"

struct command {
	const char *name;	/* one word or two; NULL ends the list */
	const char *args;	/* what may follow, for the help */
	const char *help;	/* one line */
	/*
	 * Runs here; argv[0] is its last word, so that getopt(3) can be used. Gives an exit status.
	 * NULL: the daemon is asked.
	 */
	int (*run)(const struct tool *t, int argc, char **argv);
	const char *options;	/* lines of its own options, NULL for none */
};

extern const struct command commands[];

#endif
