/* SPDX-License-Identifier: MIT */
/*
 * Which names are not answered, for whom, when, and what is said instead. An engine: the sets of
 * names come from elsewhere and are swapped in one pointer, the time of day is told.
 *
 * A block is a set of names with an action, for some clients or all, at some times or always. What
 * beats what, for one query:
 *   1. names to allow: those of the settings, and blocks with the action "allow"
 *   2. of the blocks in force, in the order of the settings, the first whose set blocks the name
 *	and does not allow it itself
 * Each alias that an answer leads through is judged like the name asked for (an advertiser hides
 * behind a name of the site that way), but a name that is allowed takes its aliases along.
 */
#ifndef SERVICES_DNS_FILTER_H
#define SERVICES_DNS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_list.h"
#include "services/dns/dns_reply.h"
#include "services/dns/dns_schedule.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mac.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_FILTER_BLOCKS_MAX 32	/* one bit each in a mask */
/* seconds: how long a client may remember that it is blocked */
#define DNS_FILTER_TTL	      10
#define DNS_FILTER_ADDRS_MAX  8
#define DNS_FILTER_WHY_MAX    512	/* bytes of dns_filter_explain() */

struct dns_filter;

enum dns_filter_action {
	DNS_FILTER_NXDOMAIN,
	DNS_FILTER_NODATA,
	DNS_FILTER_ZERO,	/* 0.0.0.0 and :: */
	DNS_FILTER_ADDRESS,	/* those of the block */
	DNS_FILTER_ALLOW,	/* not blocked, whatever other blocks say */
};

struct dns_filter_mac {
	uint8_t bytes[MAC_BYTES];
};

/* One block of the settings. What it points to is copied. */
struct dns_filter_block {
	const char *title;
	enum dns_filter_action action;
	const struct addr *addrs;	/* DNS_FILTER_ADDRESS; at most DNS_FILTER_ADDRS_MAX */
	size_t addr_count;
	const struct prefix *clients;	/* neither of both: everybody */
	size_t client_count;
	const struct dns_filter_mac *macs;
	size_t mac_count;
	const struct dns_schedule *times;	/* none: always */
	size_t time_count;
	/* names of what its set is made of, by dns_list_rule.source */
	const char *const *sources;
	size_t source_count;		/* at most DNS_LIST_SOURCES_MAX */
};

/*
 * blocks  at most DNS_FILTER_BLOCKS_MAX
 * key	   of the sets; fresh from the CSPRNG when the first filter is made, then kept
 * errors  ERR_NOMEM
 */
enum err dns_filter_new(struct dns_filter **out, const struct dns_filter_block *blocks,
    size_t count, const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
/* Frees the sets that it holds. NULL is fine. */
void dns_filter_free(struct dns_filter *f);

/*
 * Give block i its set, which belongs to the filter from now on; NULL: it blocks nothing. Gives the
 * one that it had, to be freed elsewhere, as that takes a moment.
 */
struct dns_list *dns_filter_swap(struct dns_filter *f, size_t i, struct dns_list *l);

/*
 * Hand the set of block j of another filter to block i, with its counters: the block has stayed the
 * same over a change of settings. That one is left without.
 */
void dns_filter_move(struct dns_filter *f, size_t i, struct dns_filter *from, size_t j);

/* dns_filter_swap() for the names that the settings allow (DNS_LIST_ALLOW); none at first. */
struct dns_list *dns_filter_swap_allowed(struct dns_filter *f, struct dns_list *l);

/* Say what time it is; to be called again before the minute is over where a block has times. */
void dns_filter_set_time(struct dns_filter *f, struct dns_moment at);
bool dns_filter_has_times(const struct dns_filter *f);

/* --- asking ----------------------------------------------------------------------------------- */

/* Who asks. */
struct dns_filter_client {
	const struct addr *addr;
	const uint8_t *mac;	/* NULL: not known */
};

/* No block is in force for anybody now. */
bool dns_filter_is_idle(const struct dns_filter *f);
/* The blocks in force for a client now: bit i for block i. 0: nothing needs to be asked. */
uint32_t dns_filter_mask(const struct dns_filter *f, const struct dns_filter_client *who);
/*
 * Would its MAC address bring a client, for whom these blocks are in force without, into another
 * one? False where no block names any, so that nobody needs to find it out.
 */
bool dns_filter_wants_mac(const struct dns_filter *f, uint32_t mask);
/* What makes a client one of block i: "everyone", a network, a MAC address; NULL: nothing. */
const char *dns_filter_member(const struct dns_filter *f, size_t i,
    const struct dns_filter_client *who, char buf[static ADDR_TEXT_MAX]);

/* Why something is blocked. Valid until the next swap. */
#define DNS_FILTER_BY_SETTINGS (-1)	/* allow-names */

struct dns_filter_hit {
	unsigned block;
	bool alias;		/* not the name asked for, but one that it leads to */
	struct dns_list_match match;
	/* 0: nobody; n: block n - 1 allows it all the same; or BY_SETTINGS */
	int allower;
	struct dns_list_match allowed;	/* and its rule */
};

enum dns_filter_verdict {
	DNS_FILTER_PASS,
	DNS_FILTER_ALLOWED,	/* a set has it, another one or the settings allow it */
	DNS_FILTER_BLOCKED,	/* *hit says why */
};

/*
 * Judge a name. Never allocates; about 0.1 us for a name that is in no set.
 *
 * mask	 dns_filter_mask()
 * lower the name in lower case
 * hit	 is set for ALLOWED, too: what would have been
 */
enum dns_filter_verdict dns_filter_name(struct dns_filter *f, uint32_t mask, struct span lower,
    struct dns_filter_hit *hit);

/*
 * Judge the names that a reply leads to: CNAME and DNAME, and the targets of HTTPS and SVCB.
 *
 * msg	 a whole message that was written here
 * asked the name in lower case
 */
enum dns_filter_verdict dns_filter_answer(struct dns_filter *f, uint32_t mask, struct span asked,
    struct span msg, struct dns_filter_hit *hit);

/*
 * A reply may lead to other names, and is worth to be judged. Quick to tell from its first record.
 *
 * question_len  as in struct dns_query
 */
bool dns_filter_leads_on(struct span msg, size_t question_len);

/* Count a query that was blocked, or passed because it was allowed. */
void dns_filter_count(struct dns_filter *f, const struct dns_filter_hit *hit, bool blocked);

/* --- answering -------------------------------------------------------------------------------- */

/* Write what is said instead: the records; the caller ends the reply with the rcode and *opt. */
uint16_t dns_filter_write(const struct dns_filter *f, const struct dns_filter_hit *hit,
    struct dns_wr *w);

/*
 * Fill in the extended error (RFC 8914): 15 for what is blocked for everybody, 17 for some clients;
 * the text names the block, the rule and the file. buf holds the text.
 */
void dns_filter_ede(const struct dns_filter *f, const struct dns_filter_hit *hit,
    struct dns_opt *opt, char buf[static DNS_FILTER_WHY_MAX]);

/*
 * Say which rule decided: `ads: ads.example (ads.txt)`; of a name that is allowed, also by what:
 * `…; allowed by ads: good.ads.example (ads.txt)`. Gives buf.
 */
const char *dns_filter_explain(const struct dns_filter *f, const struct dns_filter_hit *hit,
    char buf[static DNS_FILTER_WHY_MAX]);

/* --- looking ---------------------------------------------------------------------------------- */

struct dns_filter_stats {
	uint64_t blocked;	/* queries, aliases included */
	uint64_t aliases;	/* of those, for a name that the answer led to */
	uint64_t allowed;	/* queries that it would have blocked */
	uint64_t gave_up;	/* patterns that took too long */
};

size_t dns_filter_count_blocks(const struct dns_filter *f);
const char *dns_filter_title(const struct dns_filter *f, size_t i);
const struct dns_filter_stats *dns_filter_stats(const struct dns_filter *f, size_t i);
/* Queries that were blocked by a rule of that source of block i. */
uint64_t dns_filter_hits(const struct dns_filter *f, size_t i, size_t source);
/* The set of block i, or NULL. */
const struct dns_list *dns_filter_list(const struct dns_filter *f, size_t i);

#endif
