/* SPDX-License-Identifier: MIT */
/*
 * Which addresses of answers go into which sets of netfilter: an engine without kernel or clock.
 * The names of a set are compared with the name asked for; what was added is remembered as long as
 * it lasts there, so that an answer from the cache costs a look-up and nothing is added twice.
 */
#ifndef SERVICES_DNS_ADDRSET_H
#define SERVICES_DNS_ADDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addrset.h"
#include "services/dns/dns_list.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_ADDRSET_SETS_MAX   16
#define DNS_ADDRSET_KNOWN_MAX  4096	/* elements that are remembered */
#define DNS_ADDRSET_QUEUE_MAX  1024	/* elements that wait for the kernel */
#define DNS_ADDRSET_TIMEOUT_MIN 60	/* seconds that an element lives at least */

/* One set of the settings. What it points to is copied, but for `names`, which is taken. */
struct dns_addrset_set {
	struct addrset_id id;
	struct dns_list *names;		/* of kind DNS_LIST_BLOCK */
	bool all;			/* every name, whatever those are */
	uint32_t timeout_min_s;
	bool ttl;			/* an element lives as long as its record */
};

struct dns_addrset_stats {
	uint64_t matched;	/* answers to names of a set */
	uint64_t queued;	/* elements */
	uint64_t dropped;	/* elements that found the queue full */
	uint64_t again;		/* elements that were added again, as their set had lost them */
	uint64_t other_family;	/* addresses of a family that their set has none of */
	uint64_t absent;	/* addresses for sets that are not there */
};

struct dns_addrset;

/*
 * The names of `sets` belong to it from here on, also on error.
 *
 * count   at most DNS_ADDRSET_SETS_MAX
 * key	   of the lists of names
 * errors  ERR_NOMEM
 */
enum err dns_addrset_new(struct dns_addrset **out, const struct dns_addrset_set *sets, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
/* NULL is fine. */
void dns_addrset_free(struct dns_addrset *as);

size_t dns_addrset_count(const struct dns_addrset *as);
const struct addrset_id *dns_addrset_id(const struct dns_addrset *as, size_t i);

/*
 * The addresses of that size are of use for set i; 0: none are, it is not there. Until it is called
 * nothing is queued for the set. timeouts: its elements may end by themselves.
 */
void dns_addrset_allow(struct dns_addrset *as, size_t i, uint8_t bytes, bool timeouts);

/* The sets that a name (in lower case) belongs to, there or not, a bit each. */
uint32_t dns_addrset_match(const struct dns_addrset *as, struct span lower);

/*
 * An answer is about to be delivered: its addresses go into the queue, where they are of a set and
 * not in it for as long as the answer lasts. Gives what dns_addrset_settled() must have come to for
 * them to be in their sets; 0: they are now.
 *
 * lower  the name asked for, in lower case
 * msg	  the whole message
 */
uint64_t dns_addrset_note(struct dns_addrset *as, struct span lower, struct span msg, mono_us now);

/* Take elements of one set out of the queue, the oldest first; gives how many. */
size_t dns_addrset_take(struct dns_addrset *as, size_t *set,
    struct addrset_element out[static ADDRSET_BATCH_MAX]);
bool dns_addrset_waiting(const struct dns_addrset *as);
/* The oldest `count` of those that were taken are in their sets, or cannot be. */
void dns_addrset_settle(struct dns_addrset *as, size_t count);
/* How many elements are, of all that were ever queued. */
uint64_t dns_addrset_settled(const struct dns_addrset *as);

/* These could not be added after all: the next answer is to try again. */
void dns_addrset_forget(struct dns_addrset *as, size_t set, const struct addrset_element *elements,
    size_t count);
/* The set was made anew: what it should hold goes into the queue once more. */
void dns_addrset_again(struct dns_addrset *as, size_t set, mono_us now);
/* The set was found empty: the same, unless that may be as it is meant to be. */
void dns_addrset_emptied(struct dns_addrset *as, size_t set, mono_us now);

const struct dns_addrset_stats *dns_addrset_stats(const struct dns_addrset *as);

#endif
