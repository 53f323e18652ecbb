/* SPDX-License-Identifier: MIT */
/*
 * The status on a whole terminal, once a second; top_page.c says what of it is seen. The terminal
 * is put into order again on every way out: q, Ctrl-C (which is a mere key here) and the signals that would end us, which are read from a descriptor.
 */
#include "hearthctl/top.h"

#include "hearthctl/client.h"
#include "hearthctl/top_page.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define PERIOD_MS    1000
#define LAST_KEYS    "qQ\003\004"		/* and Ctrl-C, Ctrl-D */
#define KEY_MAX	     8		/* bytes of the sequence of one key */
#define SCREEN_ENTER "\033[?1049h\033[?25l"	/* the other screen, no cursor */
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H\033[2J"

struct screen {
	const struct tool *tool;
	struct termios before;
	int signals;		/* signalfd */
	json_t *last;		/* the status painted before */
	int64_t last_ms;
	struct top_page page;	/* made of it */
	struct top_view view;
	char why[CLIENT_WHY_MAX];	/* why there is no status; "" where there is one */
	int rows, columns;
};

static void
measure(struct screen *s)
{
	struct winsize w;

	s->rows = 24;
	s->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 3 && w.ws_col > 20) {
		s->rows = w.ws_row;
		s->columns = w.ws_col;
	}
}

/* Ask, and make the page of the answer. */
static void
renew(struct screen *s)
{
	static char word[] = "status";
	char *const words[] = { word };
	json_t *status = client_ask(s->tool->socket, 1, words, s->why);
	int64_t at = tool_now_ms();

	top_page_free(&s->page);
	if (status != NULL && !top_page_make(&s->page, status, s->last, at - s->last_ms,
	    s->columns))
		snprintf(s->why, sizeof(s->why), "out of memory");
	json_decref(s->last);
	s->last = status;
	s->last_ms = at;
}

/* One line for us, the last one stays free for the cursor. */
static size_t
page_rows(const struct screen *s)
{
	return (size_t)s->rows - 2;
}

static void
show(struct screen *s)
{
	char head[256];

	snprintf(head, sizeof(head), "q quits, 1-%zu one part, 0 all, arrows scroll; hearth on %s",
	    s->page.count, s->tool->socket);
	fputs(SCREEN_HOME, stdout);
	if (s->why[0] != '\0') {
		printf("%.*s\n%s\n", s->columns, "q quits", s->why);
	} else {
		printf("%.*s\n", s->columns, head);
		top_page_print(&s->page, &s->view, page_rows(s), s->columns, stdout);
	}
	fflush(stdout);
}

/* Cut the next key off the input: one byte, or the escape sequence of a key that has no letter. */
static size_t
take_key(const char *in, size_t len, char out[static KEY_MAX + 1])
{
	size_t n = 1;

	if (in[0] == '\033' && len > 2 && (in[1] == '[' || in[1] == 'O'))
		for (n = 3; n < len && in[n - 1] >= '0' && in[n - 1] <= '9'; n++)
			continue;
	if (n > KEY_MAX)
		n = KEY_MAX;
	memcpy(out, in, n);
	out[n] = '\0';
	return n;
}

/* Do what the keys say; true where one of them ends us. */
static bool
take_keys(struct screen *s)
{
	char in[64], key[KEY_MAX + 1];
	ssize_t n = read(STDIN_FILENO, in, sizeof(in));

	if (n <= 0)
		return n == 0 || errno != EINTR;
	for (size_t at = 0; at < (size_t)n;) {
		at += take_key(in + at, (size_t)n - at, key);
		if (key[1] == '\0' && memchr(LAST_KEYS, key[0], sizeof(LAST_KEYS) - 1) != NULL)
			return true;
		top_view_key(&s->view, key, s->page.count, page_rows(s) - 1);
	}
	show(s);
	return false;
}

/* Until the next painting; true where it is time to go. */
static bool
rest(struct screen *s)
{
	int64_t until = tool_now_ms() + PERIOD_MS;
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN } };

	for (int64_t left = PERIOD_MS; left > 0; left = until - tool_now_ms()) {
		struct signalfd_siginfo si;

		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[0].revents != 0 && take_keys(s))
			return true;
		if (p[1].revents != 0 && read(s->signals, &si, sizeof(si)) == sizeof(si)) {
			if (si.ssi_signo != SIGWINCH)
				return true;
			measure(s);
			return false;
		}
	}
	return false;
}

static bool
take_signals(struct screen *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals >= 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0;
}

static void
run_screen(struct screen *s)
{
	do {
		renew(s);
		show(s);
	} while (!rest(s));
}

int
top_run(const struct tool *t, int argc, char **argv)
{
	struct screen s = { .tool = t };
	struct termios raw;

	(void)argv;
	if (argc > 1)
		return tool_misuse("top takes no words");
	if (tcgetattr(STDIN_FILENO, &s.before) != 0 || !isatty(STDOUT_FILENO))
		return tool_fail("top needs a terminal; \"hearthctl status\" does without");
	if (!take_signals(&s))
		return tool_fail("signals: %s", strerror(errno));
	raw = s.before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	measure(&s);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
		return tool_fail("terminal: %s", strerror(errno));
	fputs(SCREEN_ENTER, stdout);
	run_screen(&s);
	fputs(SCREEN_LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &s.before);
	top_page_free(&s.page);
	json_decref(s.last);
	close(s.signals);
	return TOOL_FINE;
}
