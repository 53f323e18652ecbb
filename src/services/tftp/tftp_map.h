/* SPDX-License-Identifier: MIT */
/*
 * Ordered rules that rewrite the names clients ask for, before they are looked up.
 *
 *	map "^pxelinux\.cfg/01-(.*)$" { to = "hosts/\1"  final = true }
 */
#ifndef SERVICES_TFTP_TFTP_MAP_H
#define SERVICES_TFTP_TFTP_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "services/tftp/tftp_client.h"
#include "services/tftp/tftp_name.h"
#include "util/err.h"

#define TFTP_MAP_RULES_MAX 64
#define TFTP_MAP_CLIENTS_MAX 16	/* in one rule */

struct tftp_map_rule {
	/* POSIX extended regular expression, searched in the cleaned name */
	const char *pattern;
	const char *to;		/* \0 to \9, ${ip} ${mac} ${server}; NULL: refuse the request */
	bool final;		/* no further rule after this one */
	bool nocase;
	const struct tftp_match *clients;	/* whom it is for; none: everybody */
	size_t client_count;
};

struct tftp_map;

/* For settings: what is wrong with a pattern, and with what replaces it; NULL when nothing is. */
const char *tftp_map_check(const char *pattern);
const char *tftp_map_check_to(const char *pattern, const char *to);

/*
 * Compile the rules; everything is copied. bad gets the number of the rule that is wrong.
 * Errors: ERR_FORMAT (no regular expression), ERR_FULL, ERR_NOMEM.
 */
enum err tftp_map_new(struct tftp_map **out, const struct tftp_map_rule *rules, size_t count,
    size_t *bad) MUST_CHECK;
void tftp_map_free(struct tftp_map *map);

/* Called for every rule that applied; after is NULL for a refusal. */
typedef void tftp_map_step(void *ctx, size_t rule, const char *before, const char *after);

/*
 * Rewrite the name. step may be NULL.
 * Errors: ERR_DENIED (a rule refuses), ERR_RANGE, ERR_FORMAT (the result is no name).
 */
enum err tftp_map_apply(const struct tftp_map *map, const struct tftp_client *who,
    struct tftp_name *name, tftp_map_step *step, void *ctx) MUST_CHECK;

#endif
