/* SPDX-License-Identifier: MIT */
/* The command line of hearthd. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

enum options_mode {
	OPTIONS_RUN,
	OPTIONS_CHECK,		/* --check: read the settings, say what is wrong, end */
	OPTIONS_DUMP,		/* --dump-config */
	OPTIONS_MANUAL,		/* --manual: the settings tables as mdoc */
	OPTIONS_VERSION,
	OPTIONS_HELP,
	OPTIONS_WRONG,		/* bad usage; said on stderr already */
};

struct options {
	enum options_mode mode;
	const char *file;	/* NULL: the default where it exists, else no file at all */
	bool foreground;
};

void options_parse(struct options *o, int argc, char **argv);
void options_help(void);
void options_version(void);

#endif
