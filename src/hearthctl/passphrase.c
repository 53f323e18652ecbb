/* SPDX-License-Identifier: MIT */
/* Reads byte by byte: what stdio had buffered could not be wiped. */
#include "hearthctl/passphrase.h"

#include "hearthctl/tool.h"
#include "util/seal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* False where there is no line, where it is too long, or after a signal. */
static bool
read_line(char out[static PASSPHRASE_MAX])
{
	size_t n = 0;
	ssize_t got = 0;
	char c = '\0';

	while (n < PASSPHRASE_MAX - 1 && (got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		out[n++] = c;
	if (got < 0)
		n = 0;
	if (n != 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	return n != 0 && n < PASSPHRASE_MAX - 1;
}

static bool
ask(const char *prompt, char out[static PASSPHRASE_MAX])
{
	bool fine;

	fprintf(stderr, "%s: ", prompt);
	fine = read_line(out);
	fputc('\n', stderr);
	return fine;
}

static bool
ask_twice(char out[static PASSPHRASE_MAX])
{
	char again[PASSPHRASE_MAX];
	bool fine = ask("Passphrase of the group", out) && ask("Once more", again);

	if (fine && strcmp(out, again) != 0) {
		tool_fail("these were two different ones");
		fine = false;
	}
	seal_wipe(again, sizeof(again));
	return fine;
}

/* Ctrl-C ends the reading, so that the terminal gets its echo back. */
static void
interrupt(int signal)
{
	(void)signal;
}

static bool
ask_terminal(const struct termios *shown, char out[static PASSPHRASE_MAX])
{
	struct sigaction stop = { .sa_handler = interrupt };
	struct termios hidden = *shown;
	bool fine;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fine = ask_twice(out);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, shown);
	return fine;
}

bool
passphrase_read(char out[static PASSPHRASE_MAX])
{
	struct termios shown;
	bool fine = tcgetattr(STDIN_FILENO, &shown) == 0 ? ask_terminal(&shown, out)
							 : read_line(out);

	if (!fine)
		tool_fail("no passphrase of up to %d bytes was given", PASSPHRASE_MAX - 2);
	return fine;
}
