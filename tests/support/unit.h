/* SPDX-License-Identifier: MIT */
/* A CUnit program in three lines: a table of cases named as sentences, and UNIT_MAIN. */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <CUnit/CUnit.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct unit_case {
	const char *name;
	void (*run)(void);
};

#define UNIT(fn) { #fn, fn }

/* The bytes of a literal, zeros inside included. */
#define SPAN(text) span_of(text, sizeof(text) - 1)

/* Run the cases; gives what main() should return: 0 only where every assertion held. */
int unit_run(const char *suite, const struct unit_case *cases, size_t n);

#define UNIT_MAIN(suite, ...)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct unit_case cases[] = { __VA_ARGS__ };                           \
		return unit_run(suite, cases, sizeof(cases) / sizeof(cases[0]));                   \
	}

/*
 * The seed of everything random in a test: HEARTH_SEED from the environment, or `fixed`. Printed,
 * so that a failure can be repeated.
 */
uint64_t unit_seed(uint64_t fixed);

/* A small generator for tests (splitmix64); state is the seed at first. */
uint64_t unit_random(uint64_t *state);

#endif
