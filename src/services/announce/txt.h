/* SPDX-License-Identifier: MIT */
/*
 * Key/value pairs as DNS-SD has them in a TXT record (RFC 6763 §6): strings of up to 255 bytes,
 * each with its length in front, each "key=value", "key=" or "key". Values are binary-safe.
 */
#ifndef SERVICES_ANNOUNCE_TXT_H
#define SERVICES_ANNOUNCE_TXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define TXT_STRING_MAX 255	/* bytes of one pair, RFC 1035 §3.3 */
#define TXT_PAIRS_MAX 64	/* what one reader looks at; more is ERR_RANGE */

struct txt_pair {
	struct span key;
	struct span value;
	bool has_value;		/* "key=" has an empty one, "key" has none */
};

/*
 * Write one pair.
 *
 * key     printable ASCII without "=", 1 byte or more (RFC 6763 §6.4)
 * errors  ERR_FORMAT for the key, ERR_RANGE where the pair is longer than 255 bytes, ERR_FULL
 */
enum err txt_put(struct wire_wr *wr, const struct txt_pair *pair) MUST_CHECK;

/* Split "key=value" or "key" as typed; what it gives points into the text. */
struct txt_pair txt_split(struct span text);

/*
 * Give the next pair. Strings without a key ("=x", an empty one) are stepped over, as RFC 6763
 * §6.4 demands. False at the end, and once rd is bad.
 */
bool txt_next(struct wire_rd *rd, struct txt_pair *pair);

/*
 * Check a whole body before anything of it is shown: OK, ERR_SHORT (a length beyond the end),
 * ERR_RANGE (too many pairs).
 */
enum err txt_check(struct span body) MUST_CHECK;

/*
 * Give the value of a key, letter case ignored; the first one counts (RFC 6763 §6.4). False where
 * the key is absent; a key without value gives an empty one.
 */
bool txt_find(struct span body, const char *key, struct span *value);

#endif
