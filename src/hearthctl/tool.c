/* SPDX-License-Identifier: MIT */
/* Words for what went wrong, and the time. */
#include "hearthctl/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static void __attribute__((format(printf, 1, 0)))
complain(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("hearthctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
tool_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return TOOL_FAILED;
}

int
tool_misuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	fputs("Try \"hearthctl --help\".\n", stderr);
	return TOOL_USAGE;
}

int
tool_try(const char *command)
{
	fprintf(stderr, "Try \"hearthctl %s --help\".\n", command);
	return TOOL_USAGE;
}

int64_t
tool_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
