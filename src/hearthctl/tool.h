/* SPDX-License-Identifier: MIT */
/* What every command of hearthctl is given and gives. */
#ifndef HEARTHCTL_TOOL_H
#define HEARTHCTL_TOOL_H

#include <stdbool.h>
#include <stdint.h>

/* The options in front of the command. */
struct tool {
	const char *socket;	/* where the daemon is asked */
	bool json;		/* results as JSON */
	bool wide;		/* tables upright, however wide the terminal is */
};

/* Exit statuses. */
enum {
	TOOL_FINE = 0,
	TOOL_FAILED = 1,	/* at run time */
	TOOL_USAGE = 2,		/* called wrongly */
};

/* Print "hearthctl: WORDS" to stderr; gives TOOL_FAILED. */
int tool_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with a pointer to --help; gives TOOL_USAGE. */
int tool_misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print where help on a command is; gives TOOL_USAGE. For what getopt has complained about. */
int tool_try(const char *command);

/* Milliseconds of a clock that nobody sets. */
int64_t tool_now_ms(void);

#endif
