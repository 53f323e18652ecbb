/* SPDX-License-Identifier: MIT */
/*
 * Domain names in wire form: length byte and label, again and again, closed by the root's zero.
 *
 * "A name" below is a struct span that holds exactly one valid uncompressed name, root included, so
 * 1 to 255 bytes. Length bytes are at most 63 and therefore never letters: a name can be compared
 * and lower-cased as one string of bytes. Source: RFC 1035 §3.1, §4.1.4; letter case: RFC 4343.
 */
#ifndef SERVICES_DNS_NAME_H
#define SERVICES_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/seal.h"
#include "util/siphash.h"
#include "util/span.h"
#include "util/wire.h"

#define DNS_NAME_MAX	  255	/* bytes with the root, RFC 1035 §2.3.4 */
#define DNS_LABEL_MAX	  63	/* bytes without the length byte */
#define DNS_NAME_TEXT_MAX 1012	/* every byte as \DDD, the dots, the closing zero */

/* Room for one name. */
struct dns_name {
	uint8_t len;
	uint8_t wire[DNS_NAME_MAX];
};

static inline struct span
dns_name_span(const struct dns_name *n)
{
	return span_of(n->wire, n->len);
}

/*
 * Read presentation form: labels and dots, with \. and \DDD. A closing dot changes nothing; "."
 * is the root.
 *
 * errors  ERR_FORMAT (empty text or label, bad escape), ERR_RANGE (label or name too long)
 */
enum err dns_name_parse(struct dns_name *out, struct span text) MUST_CHECK;
/*
 * The same for settings, where a blank in a name is a slip: it and control characters are taken
 * as an escape only, "new\032printer".
 */
enum err dns_name_parse_typed(struct dns_name *out, struct span text) MUST_CHECK;
/* What its user is told of ERR_FORMAT. */
#define DNS_NAME_WRONG \
	"not a name; those have no blanks and nothing between two dots that is empty"

/*
 * Read one character of presentation form at *i, which lies in the text, and step over it: \X and
 * \DDD give what they stand for. -1 for a bad escape.
 */
int dns_name_char(struct span text, size_t *i);

/*
 * Write presentation form without a closing dot ("." for the root); what is not a printable
 * character comes out as \DDD, and so does a space. Gives buf.
 */
const char *dns_name_format(struct span name, char buf[static DNS_NAME_TEXT_MAX]);

/* Give the name that the bytes begin with; empty where none is whole, uncompressed and legal. */
struct span dns_name_at(struct span bytes);

/* Copy with ASCII letters in lower case. out has room for name.len bytes and may be name.at. */
void dns_name_lower(uint8_t *out, struct span name);
void dns_name_copy(struct dns_name *out, struct span name);

/* The same name, whatever the letter case. */
static inline bool
dns_name_equal(struct span a, struct span b)
{
	return span_equal_nocase(a, b);
}

/* name is zone or lies below it, whatever the letter case. */
bool dns_name_below(struct span name, struct span zone);

/* How many labels, the root not counted: 0 to 127. */
unsigned dns_name_labels(struct span name);

/* The first label's bytes; empty for the root. */
static inline struct span
dns_name_label(struct span name)
{
	return span_of(name.at + 1, name.at[0]);
}

/* The name without its first label. Not for the root: ask dns_name_is_root() first. */
static inline struct span
dns_name_parent(struct span name)
{
	return span_of(name.at + 1 + name.at[0], name.len - 1 - name.at[0]);
}

static inline bool
dns_name_is_root(struct span name)
{
	return name.len == 1;
}

/*
 * Keyed hash of a name that is in lower case already. One computation serves the cache, the
 * table of queries in flight and the local names, when they share the key.
 */
static inline uint64_t
dns_name_hash(struct span lower, const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	return siphash_of(lower, key);
}

/*
 * Turn letters to upper case where the bits of `random` say so, one bit a letter, repeating after
 * 64 (0x20, draft-vixie-dnsext-dns0x20). name is in lower case before.
 */
void dns_name_mix_case(uint8_t *name, size_t len, uint64_t random);

/* --- names inside a message: rd->start is the first byte of the message ----------------------- */

/*
 * Step over a name that may end in a compression pointer, which is not followed. On a label type
 * other than those two, or a name past the end or above 255 bytes, rd is bad and false is given.
 */
bool dns_name_skip(struct wire_rd *rd);

/*
 * The same, and copy the whole name, letter case as found. Each pointer must lead to before the
 * place where the part that holds it began, which bounds the work (RFC 9267 §2).
 */
bool dns_name_expand(struct dns_name *out, struct wire_rd *rd);

/* The possibly compressed name at an offset of the message is `name`, whatever the letter case. */
bool dns_name_is_at(struct span msg, size_t offset, struct span name);

#endif
