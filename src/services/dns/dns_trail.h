/* SPDX-License-Identifier: MIT */
/*
 * The ends of a name and their hashes: com, example.com, www.example.com. Computed in one pass over
 * the labels from the right, once per question, for all sets of names that share the key.
 *
 * The hash is SipHash-1-3 of the labels from the right, each as its length byte and its bytes,
 * filled up with zeros to a multiple of eight. Who does not know the key can aim at no place of a
 * table, neither with questions nor with the lines of a list he wrote.
 */
#ifndef SERVICES_DNS_TRAIL_H
#define SERVICES_DNS_TRAIL_H

#include <stdint.h>

#include "services/dns/dns_name.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_LABELS_MAX 127	/* in one name, the root not counted: 255 bytes of two each */

struct dns_trail {
	struct span name;	/* a view of the caller's */
	unsigned labels;	/* of the name, the root not counted */
	unsigned count;		/* how many ends are hashed: the shortest ones */
	uint8_t at[DNS_LABELS_MAX];	/* where in the name the end of i + 1 labels begins */
	uint64_t hash[DNS_LABELS_MAX];
};

/*
 * Fill t for a name.
 *
 * lower  the name in lower case; must stay as long as t is used
 * most	  hash no more than so many ends: no set holds a name of more labels
 */
void dns_trail_of(struct dns_trail *t, struct span lower, unsigned most,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]);

/* The end of i + 1 labels, i below t->count. */
static inline struct span
dns_trail_end(const struct dns_trail *t, unsigned i)
{
	return span_of(t->name.at + t->at[i], t->name.len - t->at[i]);
}

#endif
