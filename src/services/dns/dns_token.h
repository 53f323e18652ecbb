/* SPDX-License-Identifier: MIT */
/*
 * The words of a zone file's line: separated by blanks, with "quotes", \X and \DDD, parentheses
 * that mean nothing within one record, and a comment behind a semicolon. Source: RFC 1035 §5.1.
 */
#ifndef SERVICES_DNS_TOKEN_H
#define SERVICES_DNS_TOKEN_H

#include <stdbool.h>

#include "util/span.h"
#include "util/wire.h"

struct dns_token {
	struct span raw;	/* as it stands there, quotes and escapes included */
	bool quoted;		/* has quotes, anywhere */
};

/*
 * Take the next word off *rest. False at the end of the line, where rest is empty then; and where a
 * quote is not closed, where it is not.
 */
bool dns_token_next(struct span *rest, struct dns_token *out);

/* Write what the word stands for, quotes and escapes resolved. False for a bad escape. */
bool dns_token_write(struct span raw, struct wire_wr *out);

/* Read a whole word as a number of up to max. */
bool dns_token_number(struct span raw, uint32_t max, uint32_t *out);

/* Write plain words, as they are. */
void dns_token_put(struct wire_wr *out, const char *words);
/* Write bytes in quotes, so that dns_token_write() gives them back. */
void dns_token_quote(struct wire_wr *out, struct span bytes);

#endif
