/* SPDX-License-Identifier: MIT */
/* hearthctl: options, then a command that runs here or is sent to the daemon. */
#include "core/ctl.h"
#include "hearthctl/client.h"
#include "hearthctl/commands.h"
#include "hearthctl/print.h"
#include "hearthctl/tool.h"

#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_JSON = 256,
	OPTION_WIDE,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "wide", no_argument, NULL, OPTION_WIDE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void
print_help(void)
{
	printf("usage: hearthctl [-s SOCKET] [--json] [--wide] COMMAND [WORD ...]\n"
	       "       hearthctl --help | --version\n\n"
	       "  -s, --socket SOCKET  ask the daemon there; else $HEARTH_CONTROL, else\n"
	       "                       %s\n"
	       "      --json           print results as JSON\n"
	       "      --wide           print tables upright, however narrow the terminal is\n"
	       "  They may also stand behind a command.\n\n"
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
	print_result(result, t->json, t->wide ? INT_MAX : print_width(), stdout);
	json_decref(result);
	return TOOL_FINE;
}

/* --- options and words behind a command ------------------------------------------------------- */

/* A word that stands before "--", if there is one, and is `option`. */
static bool
has_option(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], option) == 0)
			return true;
	return false;
}

/*
 * Take our own options out of the words; they mean the same as in front of the command. What stays
 * before "--", which goes too, is *plain words that may be options of the command.
 */
static int
take_options(struct tool *t, int *argc, char **argv, int *plain)
{
	int kept = 1, i = 1;

	for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			t->json = true;
		else if (strcmp(argv[i], "--wide") == 0)
			t->wide = true;
		else if (strncmp(argv[i], "--socket=", 9) == 0)
			t->socket = argv[i] + 9;
		else if (strcmp(argv[i], "-s") != 0 && strcmp(argv[i], "--socket") != 0)
			argv[kept++] = argv[i];
		else if (++i < *argc)
			t->socket = argv[i];
		else
			return tool_misuse("%s needs the name of a socket", argv[i - 1]);
	}
	*plain = kept;
	while (++i < *argc)
		argv[kept++] = argv[i];
	argv[kept] = NULL;
	*argc = kept;
	return TOOL_FINE;
}

/* How many words are the command's name: 2 of "dns flush example.org"; 0 where it is another. */
static int
name_words(const struct command *c, int argc, char **argv)
{
	size_t len = strcspn(c->name, " ");

	if (strlen(argv[0]) != len || strncmp(c->name, argv[0], len) != 0)
		return 0;
	if (c->name[len] == '\0')
		return 1;
	return argc > 1 && strcmp(c->name + len + 1, argv[1]) == 0 ? 2 : 0;
}

/* Whether `args` of the list, "[--event] TOPIC", speaks of this option. */
static bool
tells_of(const char *args, const char *option)
{
	const char *at = strstr(args, option);

	return at != NULL && strchr(" ]", at[strlen(option)]) != NULL;
}

/* The one word may stand behind a command that is in the list; behind others everything may. */
static bool
may_stand(int argc, char **argv, const char *word, bool option)
{
	bool known = false;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (name_words(c, argc, argv) == 0)
			continue;
		if (option ? tells_of(c->args, word) : *c->args != '\0')
			return true;
		known = true;
	}
	return !known;
}

static int
check_words(int argc, char **argv, int plain)
{
	int first = 1;

	for (const struct command *c = commands; c->name != NULL; c++)
		if (name_words(c, argc, argv) > first)
			first = 2;
	for (int i = first; i < argc; i++) {
		bool option = i < plain && argv[i][0] == '-' && argv[i][1] != '\0';
		const char *between = first == 2 ? " " : "", *second = first == 2 ? argv[1] : "";

		if (!may_stand(argc, argv, argv[i], option))
			return tool_misuse(option ? "\"%s%s%s\" has no option \"%s\""
						  : "\"%s%s%s\" takes no words, as \"%s\"",
			    argv[0], between, second, argv[i]);
	}
	return TOOL_FINE;
}

static int
run(struct tool *t, int argc, char **argv)
{
	int plain = 0, status = TOOL_FINE;
	bool own = false;	/* it has options of its own, and reads them itself */

	if (has_option(argc, argv, "--help") || has_option(argc, argv, "-h"))
		return help_on(argv[0]);
	for (const struct command *c = commands; c->name != NULL; c++)
		own |= c->options != NULL && name_words(c, argc, argv) != 0;
	if (!own)
		status = take_options(t, &argc, argv, &plain);
	if (!own && status == TOOL_FINE)
		status = check_words(argc, argv, plain);
	if (status != TOOL_FINE)
		return status;
	for (const struct command *c = commands; c->name != NULL; c++) {
		int words = c->run != NULL ? name_words(c, argc, argv) : 0;

		if (words != 0) {
			optind = 0;	/* glibc: begin anew, for the command's own options */
			return c->run(t, argc - words + 1, argv + words - 1);
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
		case OPTION_WIDE:
			t.wide = true;
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
