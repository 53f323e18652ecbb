/* SPDX-License-Identifier: MIT */
/*
 * A set of names to block and to allow: built once, away from the loop, then only read.
 *
 * A name in the set stands for itself and all below it, unless it is marked exact. What is covered
 * by a name further up, and what comes twice, is left out. An allowed name beats every blocked one
 * of the same set, whatever lies further down.
 *
 * One arena holds the names, one open-addressing index of five bytes a place leads to them; a
 * million names take about 32 MiB. A small filter over the last two labels tells of most names with
 * one look that they are in no set; for the others every place of the index has one byte of its
 * name's hash, so that names are read only to find them.
 */
#ifndef SERVICES_DNS_LIST_H
#define SERVICES_DNS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_trail.h"
#include "util/err.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_LIST_NAMES_MAX   16000000	/* in one set; more are counted and left out */
#define DNS_LIST_SOURCES_MAX 127	/* files that one set is made of */
#define DNS_LIST_PATTERNS_MAX 256	/* each is tried on every name that no other rule knows */

enum dns_list_kind {
	DNS_LIST_BLOCK,
	DNS_LIST_ALLOW,
};
#define DNS_LIST_KINDS 2

/* What a line of a list says about a name. */
struct dns_list_rule {
	enum dns_list_kind kind;
	bool exact;		/* the name alone, nothing below it */
	uint8_t source;		/* the file it is from, below DNS_LIST_SOURCES_MAX */
};

/* --- building --------------------------------------------------------------------------------- */

struct dns_list;
struct dns_list_builder;

/* names_max  1 to DNS_LIST_NAMES_MAX. Errors: ERR_NOMEM. */
enum err dns_list_builder_new(struct dns_list_builder **out, uint32_t names_max) MUST_CHECK;
/* NULL is fine. */
void dns_list_builder_free(struct dns_list_builder *b);

/*
 * Add a name.
 *
 * name	   in lower case, not the root
 * errors  ERR_FULL (names_max reached: counted), ERR_NOMEM
 */
enum err dns_list_add(struct dns_list_builder *b, struct dns_list_rule rule,
    struct span name) MUST_CHECK;

/*
 * Add a pattern, dns_regex.h; rule.exact says nothing.
 *
 * errors  as dns_regex_new(); ERR_FULL (DNS_LIST_PATTERNS_MAX, both kinds together: counted)
 */
enum err dns_list_add_pattern(struct dns_list_builder *b, struct dns_list_rule rule,
    struct span pattern) MUST_CHECK;

/*
 * What was added since the mark is taken back, to leave out a file that turned out to be none. What
 * was refused stays counted. One mark at a time.
 */
void dns_list_builder_mark(struct dns_list_builder *b);
void dns_list_builder_rewind(struct dns_list_builder *b);

/*
 * Make the set of what was added. Of the same name given twice the first counts; where one of the
 * two is exact, the other.
 *
 * b	   is left empty, to be freed
 * key	   of the trails that the set will be asked with
 * errors  ERR_NOMEM
 */
enum err dns_list_finish(struct dns_list **out, struct dns_list_builder *b,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;

/* NULL is fine. Gives pages back: a millisecond or two for a large set. */
void dns_list_free(struct dns_list *l);

/* --- asking ----------------------------------------------------------------------------------- */

/* Why a name is in the set. Views of the set. */
struct dns_list_match {
	unsigned source;
	struct span name;	/* the name in the set: the one asked for, or one further up */
	struct span pattern;	/* what matched instead; name is empty then */
};

/*
 * Look a name and those above it up among the names of one kind; the one furthest up is given. A
 * caller that blocks asks for DNS_LIST_BLOCK and, only where that is true, for DNS_LIST_ALLOW.
 *
 * t  of the set's key
 */
bool dns_list_find(const struct dns_list *l, enum dns_list_kind kind, struct dns_trail *t,
    struct dns_list_match *out);

/*
 * Try the patterns of one kind, in the order of the lists; gives the number of the first that
 * matches, or -1. Up to some hundred microseconds for many patterns, so keep what comes of it.
 *
 * text    the name in lower case with dots between its labels
 * gave_up grows by the patterns that needed too much work; they count as not matching
 */
int dns_list_find_pattern(const struct dns_list *l, enum dns_list_kind kind, struct span text,
    uint64_t *gave_up);

/* The match of the pattern of that number. */
struct dns_list_match dns_list_pattern(const struct dns_list *l, enum dns_list_kind kind,
    unsigned i);

/* How many there are of that kind. */
unsigned dns_list_patterns(const struct dns_list *l, enum dns_list_kind kind);

/* It has names of one label: trails must be begun with `tops`. */
bool dns_list_has_tops(const struct dns_list *l);

struct dns_list_stats {
	uint32_t names[DNS_LIST_KINDS];
	uint32_t patterns;
	uint32_t patterns_refused;	/* left out: DNS_LIST_PATTERNS_MAX reached */
	uint32_t duplicates;	/* left out: there already */
	uint32_t covered;	/* left out: a name further up is there */
	uint32_t refused;	/* left out: names_max reached */
	size_t bytes;		/* of memory */
};

const struct dns_list_stats *dns_list_stats(const struct dns_list *l);

#endif
