/* SPDX-License-Identifier: MIT */
/* getopt, the help text and what --version tells about this build. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>


static const struct option table[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "check", no_argument, NULL, 'k' },
	{ "dump-config", no_argument, NULL, 'd' },
	{ "manual", no_argument, NULL, 'm' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

void
options_help(void)
{
	puts("Usage: hearthd [-c FILE] [-f] [--check] [--dump-config] [--version]\n"
	     "\n"
	     "  -c, --config FILE  settings to use (default " HEARTH_CONF ")\n"
	     "  -f, --foreground   stay in the foreground, log to stderr\n"
	     "      --check        read the settings, say what is wrong, start nothing\n"
	     "      --dump-config  print every setting with its value and meaning\n"
	     "      --manual       print the tables of settings for the manual page\n"
	     "  -V, --version      print the version and what is built in\n"
	     "  -h, --help         print this\n"
	     "\n"
	     "An empty settings file is valid: it runs the DNS cache for the local networks.\n"
	     "See hearthd(8) and hearthd.conf(5).");
}

void
options_version(void)
{
	puts("hearthd " PACKAGE_VERSION "\n" HEARTH_BUILD);
}

void
options_parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .mode = OPTIONS_RUN };
	while ((c = getopt_long(argc, argv, "c:fVh", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'k':
			o->mode = OPTIONS_CHECK;
			break;
		case 'd':
			o->mode = OPTIONS_DUMP;
			break;
		case 'm':
			o->mode = OPTIONS_MANUAL;
			break;
		case 'V':
			o->mode = OPTIONS_VERSION;
			return;
		case 'h':
			o->mode = OPTIONS_HELP;
			return;
		default:
			o->mode = OPTIONS_WRONG;
			break;
		}
		if (o->mode == OPTIONS_WRONG)
			break;
	}
	if (o->mode != OPTIONS_WRONG && optind < argc) {
		fprintf(stderr, "hearthd: unexpected argument \"%s\"\n", argv[optind]);
		o->mode = OPTIONS_WRONG;
	}
	if (o->mode == OPTIONS_WRONG)
		fputs("Try hearthd --help.\n", stderr);
}
