/* SPDX-License-Identifier: MIT */
/*
 * The ends of a name and their hashes: com, example.com, www.example.com. Computed from the right,
 * as far as somebody asks, and once for all sets of names that share the key: most names of the
 * Internet are told to be in no set by their last two labels.
 *
 * The hash is SipHash-1-3 (util/siphash.h) of the labels from the right, each as its length byte
 * and its bytes, filled up with zeros to a multiple of eight. Who does not know the key can aim at
 * no place of a table, neither with questions nor with the lines of a list he wrote.
 */
#ifndef SERVICES_DNS_TRAIL_H
#define SERVICES_DNS_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_name.h"
#include "util/seal.h"
#include "util/siphash.h"
#include "util/span.h"

#define DNS_LABELS_MAX 127	/* in one name, the root not counted: 255 bytes of two each */

struct dns_trail {
	struct span name;	/* a view of the caller's */
	unsigned labels;	/* of the name, the root not counted */
	bool tops;		/* ends of one label are of interest */

	/* Kept by dns_trail.c. */
	unsigned count;		/* how many ends are hashed: the shortest ones */
	struct siphash state;	/* of what they are made of, */
	size_t words;		/* and how many words that is */
	uint8_t start[DNS_LABELS_MAX];	/* of the labels, as they stand in the name */
	uint64_t hash[DNS_LABELS_MAX];
	/* the name again: words may end beyond it */
	uint8_t bytes[DNS_NAME_MAX + SIPHASH_WORD];
};

/*
 * Begin with a name.
 *
 * lower  in lower case; must stay as long as t is used
 * tops	  false saves hashing top-level domains, which hardly any set has; nobody may ask for end 0
 */
void dns_trail_of(struct dns_trail *t, struct span lower, bool tops,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]);

/* For dns_trail_hash(). */
void dns_trail_extend(struct dns_trail *t, unsigned i);

/* The hash of the end of i + 1 labels, i below t->labels. */
static inline uint64_t
dns_trail_hash(struct dns_trail *t, unsigned i)
{
	if (i >= t->count)
		dns_trail_extend(t, i);
	return t->hash[i];
}

/* That end itself. */
static inline struct span
dns_trail_end(const struct dns_trail *t, unsigned i)
{
	size_t at = t->start[t->labels - 1 - i];

	return span_of(t->name.at + at, t->name.len - at);
}

#endif
