/* SPDX-License-Identifier: MIT */
/*
 * The status on a whole terminal, once a second. Whole numbers that grow are shown with their rate.
 * The terminal is put into order again on every way out: q, Ctrl-C (which is a mere key here) and
 * the signals that would end us, which are read from a descriptor.
 */
#include "hearthctl/top.h"

#include "hearthctl/client.h"
#include "hearthctl/flat.h"
#include "hearthctl/print.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define PERIOD_MS    1000
#define LAST_KEYS    "qQ\003\004"		/* and Ctrl-C, Ctrl-D */
#define SCREEN_ENTER "\033[?1049h\033[?25l"	/* the other screen, no cursor */
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H\033[2J"

struct screen {
	const struct tool *tool;
	struct termios before;
	int signals;		/* signalfd */
	json_t *last;		/* the status painted before */
	int64_t last_ms;
	int rows, columns;
};

static void
measure(struct screen *s)
{
	struct winsize w;

	s->rows = 24;
	s->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 2 && w.ws_col > 20) {
		s->rows = w.ws_row;
		s->columns = w.ws_col;
	}
}

/* How much a whole number has grown per second since the last painting; negative: no saying. */
static double
rate_of(const struct flat_row *row, const struct flat *before, int64_t elapsed_ms)
{
	const json_t *old = flat_find(before, row->key);

	if (!json_is_integer(row->value) || !json_is_integer(old) || elapsed_ms <= 0)
		return -1;

	json_int_t grown = json_integer_value(row->value) - json_integer_value(old);

	return grown > 0 ? (double)grown * 1000 / (double)elapsed_ms : -1;
}

/* Counters that never counted would push what moves off the screen. */
static bool
is_worth_a_line(const struct flat_row *row)
{
	return !flat_is_table(row->value) &&
	    (!json_is_integer(row->value) || json_integer_value(row->value) != 0);
}

static void
paint_rows(const struct flat *now, const struct flat *before, int64_t elapsed_ms, int columns,
    FILE *out)
{
	int width = 0;

	for (size_t i = 0; i < now->count; i++) {
		int n = (int)strlen(now->rows[i].key);

		if (is_worth_a_line(&now->rows[i]) && n > width)
			width = n;
	}
	for (size_t i = 0; i < now->count; i++) {
		const struct flat_row *row = &now->rows[i];
		double rate = rate_of(row, before, elapsed_ms);

		if (!is_worth_a_line(row))
			continue;
		fprintf(out, "%-*s  ", width, row->key);
		flat_print(row->value, false, out);
		if (rate >= 0)
			fprintf(out, "  +%.*f/s", rate < 10 ? 1 : 0, rate);
		fputc('\n', out);
	}
	for (size_t i = 0; i < now->count; i++) {
		if (!flat_is_table(now->rows[i].value))
			continue;
		fprintf(out, "\n%s:\n", now->rows[i].key);
		print_table(now->rows[i].value, columns, out);
	}
}

/* The whole page as text, however long; freed by the caller. */
static char *
compose(struct screen *s)
{
	static char word[] = "status";
	char *const words[] = { word };
	struct flat now = { 0 }, before = { 0 };
	char why[CLIENT_WHY_MAX], *page = NULL;
	size_t len;
	FILE *out = open_memstream(&page, &len);
	json_t *status;
	int64_t at;

	if (out == NULL)
		return NULL;
	status = client_ask(s->tool->socket, 1, words, why);
	at = tool_now_ms();
	fprintf(out, "hearth on %s, q quits\n\n", s->tool->socket);
	if (status == NULL)
		fprintf(out, "%s\n", why);
	else if (flat_make(&now, status) && (s->last == NULL || flat_make(&before, s->last)))
		paint_rows(&now, &before, at - s->last_ms, s->columns, out);
	flat_free(&now);
	flat_free(&before);
	json_decref(s->last);
	s->last = status;
	s->last_ms = at;
	return fclose(out) == 0 ? page : NULL;
}

/* Print as many lines, and as much of each, as the terminal has room for. */
static void
show(const struct screen *s, const char *page)
{
	int row = 1;

	fputs(SCREEN_HOME, stdout);
	while (*page != '\0' && row < s->rows) {
		int column = 0;

		for (; *page != '\0' && *page != '\n'; page++) {
			column += (*page & 0xc0) != 0x80;
			if (column <= s->columns)
				fputc(*page, stdout);
		}
		fputc('\n', stdout);
		page += *page == '\n';
		row++;
	}
	if (*page != '\0')
		fputs("...", stdout);
	fflush(stdout);
}

static bool
is_last_key(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n <= 0)
		return n == 0 || errno != EINTR;
	for (ssize_t i = 0; i < n; i++)
		if (memchr(LAST_KEYS, keys[i], sizeof(LAST_KEYS) - 1) != NULL)
			return true;
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
		if (p[0].revents != 0 && is_last_key())
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
		char *page = compose(s);

		if (page == NULL)
			break;
		show(s, page);
		free(page);
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
	json_decref(s.last);
	close(s.signals);
	return TOOL_FINE;
}
