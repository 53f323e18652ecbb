/* SPDX-License-Identifier: MIT */
/*
 * Patterns of lists, through PCRE2 where it is built in. What a pattern may cost is bounded, as
 * strangers write them and strangers choose the names.
 */
#ifndef SERVICES_DNS_REGEX_H
#define SERVICES_DNS_REGEX_H

#include <stdbool.h>

#include "util/err.h"
#include "util/span.h"

#define DNS_REGEX_PATTERN_MAX 1024	/* bytes */

struct dns_regex;

/*
 * Compile a pattern; letter case counts nowhere. Takes up to a millisecond: not in the loop.
 *
 * errors  ERR_UNSUPPORTED (built without PCRE2), ERR_FORMAT, ERR_RANGE (too long), ERR_NOMEM
 */
enum err dns_regex_new(struct dns_regex **out, struct span pattern) MUST_CHECK;
/* NULL is fine. */
void dns_regex_free(struct dns_regex *rx);

enum dns_regex_result {
	DNS_REGEX_NO,
	DNS_REGEX_YES,
	DNS_REGEX_GAVE_UP,	/* the work was cut off */
};

/* Look for the pattern anywhere in a text. One thread at a time. */
enum dns_regex_result dns_regex_match(const struct dns_regex *rx, struct span text);

#endif
