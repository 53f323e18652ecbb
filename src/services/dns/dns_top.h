/* SPDX-License-Identifier: MIT */
/*
 * What is asked for most, and by whom, of late: counters for the busiest keys in a table of fixed
 * size. Two generations of an hour each: what is shown covers the last hour or two.
 *
 * A key belongs to a group of places; where the group is full, the key with the fewest takes over
 * the place and count of the one it displaces (space-saving), so that what is really frequent comes
 * up whatever is asked beside it, and counts are never too low.
 */
#ifndef SERVICES_DNS_TOP_H
#define SERVICES_DNS_TOP_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define DNS_TOP_LINES	   256		/* keys counted at once */
#define DNS_TOP_GENERATION seconds(3600)

struct dns_top;

struct dns_top_line {
	struct span key;	/* valid until the next dns_top_count() */
	uint64_t hash;
	uint64_t count;
};

/* Keys of up to key_max bytes. Errors: ERR_NOMEM. */
enum err dns_top_new(struct dns_top **out, size_t key_max, mono_us now) MUST_CHECK;
void dns_top_free(struct dns_top *t);
/* Forget everything. */
void dns_top_clear(struct dns_top *t, mono_us now);

/* Count a key n times. hash: keyed, of the key; equal hashes count as equal keys. */
void dns_top_count(struct dns_top *t, uint64_t hash, struct span key, uint32_t n, mono_us now);

/* Give up to cap of the most frequent keys, the most frequent first; returns how many. */
size_t dns_top_list(struct dns_top *t, mono_us now, struct dns_top_line *lines, size_t cap);
/* Since when is counted what dns_top_list() gives. */
mono_us dns_top_since(const struct dns_top *t);

#endif
