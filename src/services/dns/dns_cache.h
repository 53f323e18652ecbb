/* SPDX-License-Identifier: MIT */
/*
 * The cache: whole answers, ready to be copied, bounded in bytes.
 *
 * Two queues with SIEVE eviction, one for positive and one for negative answers and failures; the
 * second gets a quarter of the bytes at most, so that a flood of names that do not exist cannot
 * push out those that do. Every byte is counted: entries with what malloc adds, and the tables.
 *
 * Entries are handed out const and stay valid until the next call that takes the cache non-const,
 * dns_cache_find() excepted.
 */
#ifndef SERVICES_DNS_CACHE_H
#define SERVICES_DNS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_answer.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_query.h"
#include "services/dns/dns_reply.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/wire.h"

#define DNS_CACHE_BYTES_DEFAULT (32u << 20)
#define DNS_CACHE_BYTES_MIN	(64u << 10)	/* less is taken as this */
#define DNS_CACHE_ENTRIES_MAX	(1u << 24)	/* slots are numbered in 24 bits */
#define DNS_CACHE_PREFETCH_HITS 3	/* asked for that often: worth refreshing early */
#define DNS_CACHE_FAILURE_MAX	30	/* seconds; failures are held 1, 2, 4 … up to it */

struct dns_cache;
struct dns_entry;

/* What answers are kept under. */
struct dns_key {
	struct span name;	/* lower case */
	uint64_t name_hash;	/* dns_name_hash() with the cache's key */
	uint16_t type;
	uint16_t class;
	uint16_t route;		/* which set of upstreams it came from; 0: the default one */
	bool dnssec_ok;
	bool checking_disabled;
};

/* The key of a query; dns_query_hash() was called. A view of q. */
static inline struct dns_key
dns_key_of(const struct dns_query *q, uint16_t route)
{
	return (struct dns_key){ .name = dns_query_name(q), .name_hash = q->name_hash,
	    .type = q->type, .class = q->class, .route = route, .dnssec_ok = q->dnssec_ok,
	    .checking_disabled = (q->flags & DNS_FLAG_CD) != 0 };
}

enum dns_cache_state {
	DNS_CACHE_MISS,		/* nothing to say */
	DNS_CACHE_FRESH,
	DNS_CACHE_STALE,	/* past its TTL: refresh, and use it if that takes long */
	DNS_CACHE_STALE_HELD,	/* stale, and a refresh failed a moment ago: use it at once */
	DNS_CACHE_FAILED,	/* no answer, and upstreams failed a moment ago: SERVFAIL at once */
};

struct dns_cache_config {
	size_t bytes;		/* everything together */
	uint32_t stale_window_s;	/* how long past its TTL an answer may be used; 0: never */
	uint32_t stale_ttl_s;		/* TTL shown then, RFC 8767 §4: 30 */
	uint32_t stale_recheck_s;	/* after a failed refresh leave upstreams alone: 30 */
};
#define DNS_CACHE_CONFIG_DEFAULT { .bytes = DNS_CACHE_BYTES_DEFAULT, .stale_window_s = 86400, \
	.stale_ttl_s = 30, .stale_recheck_s = 30 }

struct dns_cache_stats {
	uint64_t hits;		/* fresh */
	uint64_t misses;
	uint64_t stale_hits;	/* found past their TTL */
	uint64_t failure_hits;	/* answered by a held failure */
	uint64_t inserts;
	uint64_t replaced;	/* inserts that took the place of an older answer */
	uint64_t evictions;	/* thrown out for want of room while still of use */
	uint64_t expired;	/* thrown out after their stale window */
	uint64_t flushed;
	uint64_t prefetches;	/* dns_cache_prefetch_due() said yes */
	uint64_t too_big;	/* refused: larger than an eighth of the cache */
	uint64_t no_memory;	/* refused: malloc failed */
	size_t entries;
	size_t negative_entries;	/* failures included */
	size_t bytes;			/* in use, tables included */
	size_t negative_bytes;
	size_t max_bytes;
};

/* key is copied and should be fresh from the CSPRNG. Errors: ERR_NOMEM. */
enum err dns_cache_new(struct dns_cache **out, const struct dns_cache_config *cf,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
void dns_cache_free(struct dns_cache *c);

/* New settings at a reload: the content stays, but for what no longer fits. */
void dns_cache_configure(struct dns_cache *c, const struct dns_cache_config *cf);

/* The key for dns_query_hash() and dns_name_hash(): SEAL_SHORT_KEY_BYTES. */
const uint8_t *dns_cache_hash_key(const struct dns_cache *c);

/* --- the hot path ----------------------------------------------------------------------------- */

/* Look up, count, and mark as used. *out is the entry, or NULL for MISS. Never allocates. */
enum dns_cache_state dns_cache_find(struct dns_cache *c, const struct dns_key *key, mono_us now,
    const struct dns_entry **out);

/* The same for a query that was counted before: nothing is counted or marked. */
enum dns_cache_state dns_cache_peek(const struct dns_cache *c, const struct dns_key *key,
    mono_us now, const struct dns_entry **out);

/*
 * Write the reply for a query with the entry's key: id, flags, letter case and TTLs patched. A
 * stale answer shows TTL stale_ttl_s at most and EDE 3 (19 for NXDOMAIN); a failure is SERVFAIL
 * with EDE 13 or, where the upstream gave a reason, that one; else the upstream's EDE is passed on.
 *
 * opt    may be NULL; its EDE comes before the entry's own
 * limit  as in dns_reply.h
 */
size_t dns_cache_write(const struct dns_cache *c, const struct dns_entry *e,
    const struct dns_query *q, mono_us now, const struct dns_opt *opt, uint8_t *out, size_t limit);

/*
 * True once per entry: it is in the last tenth of its life and was asked for at least
 * DNS_CACHE_PREFETCH_HITS times. The caller then refreshes it.
 */
bool dns_cache_prefetch_due(struct dns_cache *c, const struct dns_entry *e, mono_us now);

/* --- storing ---------------------------------------------------------------------------------- */

enum dns_put_flags {
	DNS_PUT_NO_STALE = 1,	/* never to be used past its TTL */
};

/*
 * Keep an answer; takes the place of what it contradicts and ends a held failure. "No such name"
 * holds for all types of the name (RFC 2308 §5) until one of them has an answer. An answer whose
 * ttl_s is 0, or that is a failure, is not kept. Gives the entry, or NULL where none is.
 */
const struct dns_entry *dns_cache_put(struct dns_cache *c, const struct dns_key *key,
    const struct dns_packed *answer, unsigned flags, mono_us now);

/* Why upstreams failed. Zeroed: no reason known. */
struct dns_failure {
	uint16_t rcode;		/* what the client gets: DNS_SERVFAIL as a rule; 0 counts as that */
	bool has_ede;
	uint16_t ede;
	struct span ede_text;
};

/*
 * Note that a question could not be answered. Held 1 s, and twice as long each further time within
 * a minute of the last, up to DNS_CACHE_FAILURE_MAX. An answer that is there, fresh or stale,
 * stays; once past its TTL it is STALE_HELD for stale_recheck_s from now. Gives the entry, or NULL
 * where none was kept.
 */
const struct dns_entry *dns_cache_put_failure(struct dns_cache *c, const struct dns_key *key,
    const struct dns_failure *f, mono_us now);

/* --- flushing --------------------------------------------------------------------------------- */

enum dns_flush_what {
	DNS_FLUSH_ALL,
	DNS_FLUSH_NAME,
	DNS_FLUSH_TYPE,		/* of a name; that there is no such name goes as well */
	DNS_FLUSH_BELOW,	/* a name, and all below it */
	DNS_FLUSH_ROUTE,
	DNS_FLUSH_NEGATIVE,	/* what does not exist, and failures */
	DNS_FLUSH_STALE,	/* what is past its TTL */
};

/* What is to go. Start with a zeroed one; the last four are the cache's while it is at work. */
struct dns_flush {
	enum dns_flush_what what;
	struct dns_name name;	/* any letter case */
	uint16_t type;
	uint16_t route;
	mono_us now;		/* DNS_FLUSH_STALE: past its TTL at this instant */
	size_t gone;		/* entries, so far */
	uint32_t cursor;
	uint32_t numbering;
	uint32_t hash;
};

/*
 * Look at the next `places` of the cache; true while there are more. What comes in between two
 * calls may stay.
 */
bool dns_cache_flush_some(struct dns_cache *c, struct dns_flush *f, unsigned places);
/* The whole cache at once; gives how many entries went. */
size_t dns_cache_flush(struct dns_cache *c, struct dns_flush *f);

/* --- looking ---------------------------------------------------------------------------------- */

/* What one entry is. The spans are views of it. */
struct dns_entry_info {
	struct dns_key key;		/* name_hash is not set */
	bool any_type;			/* "no such name": holds for all types, key.type is 0 */
	enum dns_cache_state state;
	enum dns_answer_kind kind;
	struct dns_stored answer;	/* body_len 0 and no records for a failure */
	int64_t ttl_s;			/* what is left; negative once past its TTL */
	uint32_t life_s;		/* how long it was to be kept when it came */
	uint32_t age_s;
	uint32_t hits;			/* since it was stored */
	uint32_t failures;		/* in a row */
	uint32_t held_s;		/* how long upstreams are still left alone */
	bool no_stale;
	bool has_ede;
	uint16_t ede;
	struct span ede_text;
	size_t bytes;
};
void dns_entry_info(const struct dns_cache *c, const struct dns_entry *e, mono_us now,
    struct dns_entry_info *out);

/*
 * Step through the entries: *cursor is 0 at first, NULL ends it. Storing and flushing between two
 * calls is fine: what stays all the time is seen exactly once.
 */
const struct dns_entry *dns_cache_next(const struct dns_cache *c, uint32_t *cursor);
/*
 * The same, but look at no more than *places, which are taken off it: NULL and none left means that
 * there may be more.
 */
const struct dns_entry *dns_cache_next_within(const struct dns_cache *c, uint32_t *cursor,
    unsigned *places);
/* A number that is another one when cursors from before lead to other places. */
uint32_t dns_cache_numbering(const struct dns_cache *c);
/* Only those of one name, any letter case. */
const struct dns_entry *dns_cache_next_of(const struct dns_cache *c, struct span name,
    uint32_t *cursor);

/*
 * Write an entry's answer as a message to somebody who understands everything; gives its length, 0
 * for what is too long. TTLs are as `answer` has them, info.answer as a rule.
 */
size_t dns_entry_message(const struct dns_entry_info *info, const struct dns_stored *answer,
    uint8_t *out, size_t cap);

void dns_cache_stats(const struct dns_cache *c, struct dns_cache_stats *out);

/* --- snapshot: bytes here, files elsewhere ---------------------------------------------------- */

/* What ties a snapshot to the clock and to the settings. */
struct dns_snapshot {
	int64_t wall_s;		/* seconds since 1970, at `now` */
	mono_us now;
	/* Fingerprint of what the route ids mean; where it differs, only route 0 is taken over. */
	uint64_t routes;
};

#define DNS_SNAPSHOT_RECORD_MAX (DNS_MSG_MAX + 1024)	/* bytes of one entry */

/* Write the head of a snapshot. */
void dns_cache_save_begin(const struct dns_snapshot *s, struct wire_wr *out);

/*
 * Write as many entries as fit, from *cursor on (0 at first); true while there are more. A slice a
 * turn of the loop keeps others from waiting; out needs room for DNS_SNAPSHOT_RECORD_MAX bytes at
 * least. Failures are left out.
 */
bool dns_cache_save_some(const struct dns_cache *c, const struct dns_snapshot *s, uint32_t *cursor,
    struct wire_wr *out);

/* What the head of a snapshot says. */
struct dns_load {
	mono_us now;		/* when it is read */
	int64_t since_s;	/* how long before that it was written */
	bool same_routes;
};

/*
 * Read the head. Errors: ERR_FORMAT (not a snapshot), ERR_UNSUPPORTED (another version), ERR_SHORT,
 * ERR_RANGE (written in the future: the clock was set back).
 */
enum err dns_cache_load_begin(struct dns_load *l, const struct dns_snapshot *s,
    struct wire_rd *in) MUST_CHECK;

/*
 * Read up to max entries; *taken grows by those kept. Time that has passed since is taken off; what
 * is past its stale window is skipped, and so is what the cache has an answer to already. OK with
 * `in` at its end means done; else call again. After an error what was read before stays. Errors:
 * ERR_SHORT, ERR_FORMAT (damaged), ERR_NOMEM.
 */
enum err dns_cache_load_some(struct dns_cache *c, const struct dns_load *l, struct wire_rd *in,
    unsigned max, size_t *taken) MUST_CHECK;

#endif
