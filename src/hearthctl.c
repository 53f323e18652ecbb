/* SPDX-License-Identifier: MIT */
/* hearthctl: options, then a command that runs here or is sent to the daemon. */
#include "core/ctl.h"
#include "hearthctl/client.h"
#include "hearthctl/commands.h"
#include "hearthctl/print.h"
#include "hearthctl/tool.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_JSON = 256,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void
print_help(void)
{
	printf("usage: hearthctl [-s SOCKET] [--json] COMMAND [WORD ...]\n"
	       "       hearthctl --help | --version\n\n"
	       "  -s, --socket SOCKET  ask the daemon there; else $HEARTH_CONTROL, else\n"
	       "                       %s\n"
	       "      --json           print results as JSON\n\n"
	       "Commands:\n", CTL_SOCKET);
	for (const struct command *c = commands; c->name != NULL; c++) {
		int width = printf("  %s%s%s", c->name, *c->args != '\0' ? " " : "", c->args);

		if (width > 30)
			width = printf("\n") - 1;
		printf("%*s%s\n", 32 - width, "", c->help);
	}
	printf("\nAny other is sent to the daemon as it is: \"hearthctl SERVICE WORD ...\".\n"
	       "\"hearthctl COMMAND --help\" tells more of one.\n"
	       "Exit status: 0 fine, 1 failed, 2 called wrongly. More in hearthctl(1).\n");
}

static void
print_usage(const struct command *c)
{
	printf("  hearthctl %s%s%s\n      %s\n", c->name, *c->args != '\0' ? " " : "", c->args,
	    c->help);
	if (c->options != NULL)
		fputs(c->options, stdout);
}

/* `hearthctl dns --help`: the part of the list that begins with this word. */
static int
help_on(const char *word)
{
	size_t len = strlen(word);
	unsigned found = 0;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strncmp(c->name, word, len) == 0 &&
		    (c->name[len] == '\0' || c->name[len] == ' ')) {
			print_usage(c);
			found++;
		}
	}
	if (found == 0)
		return tool_misuse("nothing is known here of \"%s\"", word);
	puts("More in hearthctl(1).");
	return TOOL_FINE;
}

static int
ask(const struct tool *t, int argc, char **argv)
{
	char why[CLIENT_WHY_MAX];
	json_t *result = client_ask(t->socket, argc, argv, why);

	if (result == NULL && strncmp(why, "usage: ", 7) == 0)
		return tool_misuse("%s", why);
	if (result == NULL)
		return tool_fail("%s", why);
	print_result(result, t->json, stdout);
	json_decref(result);
	return TOOL_FINE;
}

static int
run(const struct tool *t, int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return help_on(argv[0]);
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, argv[0]) == 0 && c->run != NULL) {
			optind = 0;	/* glibc: begin anew, for the command's own options */
			return c->run(t, argc, argv);
		}
	}
	return ask(t, argc, argv);
}

/* What has been written must have arrived: a full disk is a failure. */
static int
finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return tool_fail("cannot write the output");
	return status;
}

int
main(int argc, char **argv)
{
	const char *named = getenv("HEARTH_CONTROL");
	struct tool t = { .socket = named != NULL && *named != '\0' ? named : CTL_SOCKET };
	int option;

	setlocale(LC_CTYPE, "");
	while ((option = getopt_long(argc, argv, "+s:h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			t.socket = optarg;
			break;
		case OPTION_JSON:
			t.json = true;
			break;
		case 'h':
			print_help();
			return finish(TOOL_FINE);
		case OPTION_VERSION:
			printf("hearthctl %s\n", PACKAGE_VERSION);
			return finish(TOOL_FINE);
		default:
			fputs("Try \"hearthctl --help\".\n", stderr);
			return TOOL_USAGE;
		}
	}
	if (optind == argc)
		return tool_misuse("a command is missing");
	return finish(run(&t, argc - optind, argv + optind));
}
