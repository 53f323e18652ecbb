/* SPDX-License-Identifier: MIT */
/*
 * Reads lists of names as they are published, whatever the format: each line is taken for itself.
 *
 *   0.0.0.0 ads.example www.ads.example	hosts; 127.0.0.1, :: and ::1 as well
 *   ads.example   .ads.example   *.ads.example	plain names
 *   ||ads.example^				adblock: block; options that change nothing are fine
 *   @@||good.example^				adblock: allow
 *   /^ad[0-9]+\./   @@/…/			patterns
 *   # and !					comments
 *
 * What asks for more than a name can say (paths, parts of pages, options) is counted and left out,
 * and so is what is no name at all. An engine: it gets the text in pieces of any size.
 */
#ifndef SERVICES_DNS_LISTFILE_H
#define SERVICES_DNS_LISTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_list.h"
#include "util/err.h"
#include "util/span.h"

#define DNS_LISTFILE_LINE_MAX 4096	/* bytes; longer lines are invalid */
#define DNS_LISTFILE_FINDINGS 5		/* the first few lines that were left out are told */
#define DNS_LISTFILE_SNIPPET  48	/* bytes of such a line */

struct dns_listfile_finding {
	uint32_t line;		/* counted from 1 */
	const char *why;	/* static text */
	uint8_t len;
	uint8_t text[DNS_LISTFILE_SNIPPET];
};

struct dns_listfile_stats {
	uint64_t bytes;
	uint32_t lines;
	uint32_t names;		/* taken, duplicates included */
	uint32_t patterns;	/* ditto */
	uint32_t ignored;	/* localhost and its like, as every hosts file has them */
	uint32_t invalid;	/* lines that are nothing we know */
	uint32_t unsupported;	/* lines that say more than we can do, or patterns we cannot use */
	unsigned nfindings;
	struct dns_listfile_finding finding[DNS_LISTFILE_FINDINGS];
};

struct dns_listfile {
	struct dns_list_builder *to;
	uint8_t source;
	bool exact;		/* hosts and plain names stand for themselves alone */
	bool too_long;		/* the rest of the line at hand is skipped */
	struct dns_listfile_stats stats;
	size_t held;		/* bytes of a line whose end has not come yet */
	uint8_t hold[DNS_LISTFILE_LINE_MAX];
};

/* Begin a file. The builder is borrowed until the end. */
void dns_listfile_begin(struct dns_listfile *f, struct dns_list_builder *to, uint8_t source,
    bool exact);
/* Errors: ERR_NOMEM. Names beyond the builder's limit are counted by it. */
enum err dns_listfile_feed(struct dns_listfile *f, struct span text) MUST_CHECK;
/* The last line may lack its newline. Errors: ERR_NOMEM. */
enum err dns_listfile_end(struct dns_listfile *f) MUST_CHECK;

/*
 * The file may be a list: it has at least as many lines that can be used as lines that make no
 * sense. An error page in its place has not; nor has a file without a single byte, which is what
 * a download that failed leaves behind.
 */
bool dns_listfile_plausible(const struct dns_listfile_stats *st);

#endif
