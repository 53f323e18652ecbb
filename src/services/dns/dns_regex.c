/* SPDX-License-Identifier: MIT */
/* The only file that knows PCRE2. dns_regex_none.c stands in where it is not built in. */
#include "services/dns/dns_regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * Names have 253 characters at most: a pattern that needs more steps than this is one that goes
 * back and forth over them.
 */
#define MATCH_LIMIT 10000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT  64	/* KiB */

/* Bytes are compared as such: names are ASCII or xn--, and \C could look past the end. */
#define OPTIONS                                                                                    \
	(PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |                       \
	PCRE2_NEVER_BACKSLASH_C)

struct dns_regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

enum err
dns_regex_new(struct dns_regex **out, struct span pattern)
{
	struct dns_regex *rx;
	PCRE2_SIZE where;
	int why;

	if (pattern.len > DNS_REGEX_PATTERN_MAX)
		return ERR_RANGE;
	rx = calloc(1, sizeof(*rx));
	if (rx == NULL)
		return ERR_NOMEM;
	rx->code = pcre2_compile(pattern.at, pattern.len, OPTIONS, &why, &where, NULL);
	if (rx->code == NULL) {
		dns_regex_free(rx);
		return ERR_FORMAT;
	}
	rx->data = pcre2_match_data_create(1, NULL);
	rx->context = pcre2_match_context_create(NULL);
	if (rx->data == NULL || rx->context == NULL) {
		dns_regex_free(rx);
		return ERR_NOMEM;
	}
	pcre2_set_match_limit(rx->context, MATCH_LIMIT);
	pcre2_set_depth_limit(rx->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(rx->context, HEAP_LIMIT);
	/* A sandbox that forbids new code makes this fail: matching is slower then, not wrong. */
	(void)pcre2_jit_compile(rx->code, PCRE2_JIT_COMPLETE);
	*out = rx;
	return OK;
}

void
dns_regex_free(struct dns_regex *rx)
{
	if (rx == NULL)
		return;
	pcre2_match_context_free(rx->context);
	pcre2_match_data_free(rx->data);
	pcre2_code_free(rx->code);
	free(rx);
}

enum dns_regex_result
dns_regex_match(const struct dns_regex *rx, struct span text)
{
	int found = pcre2_match(rx->code, text.at, text.len, 0, 0, rx->data, rx->context);

	if (found >= 0)		/* 0: more groups than we asked to be told of */
		return DNS_REGEX_YES;
	return found == PCRE2_ERROR_NOMATCH ? DNS_REGEX_NO : DNS_REGEX_GAVE_UP;
}
