/* SPDX-License-Identifier: MIT */
/*
 * Elements are remembered in sets of four places by the keyed hash of set and address; the one that
 * ends first gives way, and is at worst added once more.
 */
#include "services/dns/dns_addrset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_trail.h"
#include "util/siphash.h"

#define WAYS  4
/* an element may end so much before its answer: TTLs are whole seconds */
#define SLACK seconds(2)
#define FOR_EVER (MONO_NEVER - SLACK)

struct known {
	mono_us until;		/* 0: empty */
	uint64_t ticket;	/* when it was queued, counted in elements */
	uint8_t set;
	uint8_t len;
	uint8_t bytes[16];
};

struct waiting {
	uint8_t set;
	struct addrset_element element;
};

struct dns_addrset {
	size_t count;
	struct dns_addrset_set sets[DNS_ADDRSET_SETS_MAX];
	uint8_t bytes[DNS_ADDRSET_SETS_MAX];
	bool timeouts[DNS_ADDRSET_SETS_MAX];
	bool tops;		/* some set has a name of one label */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	struct dns_addrset_stats stats;
	uint64_t settled;
	size_t first, queued;	/* of the ring */
	struct waiting queue[DNS_ADDRSET_QUEUE_MAX];
	struct known known[DNS_ADDRSET_KNOWN_MAX];
};

enum err
dns_addrset_new(struct dns_addrset **out, const struct dns_addrset_set *sets, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_addrset *as = calloc(1, sizeof(*as));

	assert(count <= DNS_ADDRSET_SETS_MAX);
	if (as == NULL) {
		for (size_t i = 0; i < count; i++)
			dns_list_free(sets[i].names);
		return ERR_NOMEM;
	}
	memcpy(as->key, key, sizeof(as->key));
	for (; as->count < count; as->count++) {
		as->sets[as->count] = sets[as->count];
		as->tops |= dns_list_has_tops(sets[as->count].names);
	}
	*out = as;
	return OK;
}

void
dns_addrset_free(struct dns_addrset *as)
{
	if (as == NULL)
		return;
	for (size_t i = 0; i < as->count; i++)
		dns_list_free(as->sets[i].names);
	free(as);
}

size_t
dns_addrset_count(const struct dns_addrset *as)
{
	return as->count;
}

const struct addrset_id *
dns_addrset_id(const struct dns_addrset *as, size_t i)
{
	return &as->sets[i].id;
}

void
dns_addrset_allow(struct dns_addrset *as, size_t i, uint8_t bytes, bool timeouts)
{
	as->bytes[i] = bytes;
	as->timeouts[i] = timeouts;
}

/* --- what is known ---------------------------------------------------------------------------- */

/* The place of an element, or the one that it takes over. */
static struct known *
place_of(struct dns_addrset *as, size_t set, const uint8_t *bytes, uint8_t len)
{
	uint8_t text[17] = { (uint8_t)set };
	struct known *ways, *soonest;
	uint64_t hash;

	memcpy(text + 1, bytes, len);
	hash = siphash_of(span_of(text, (size_t)len + 1), as->key);
	ways = soonest = &as->known[hash % (DNS_ADDRSET_KNOWN_MAX / WAYS) * WAYS];
	for (size_t i = 0; i < WAYS; i++) {
		struct known *k = &ways[i];

		if (k->until != 0 && k->set == set && k->len == len &&
		    memcmp(k->bytes, bytes, len) == 0)
			return k;
		if (k->until < soonest->until)
			soonest = k;
	}
	*soonest = (struct known){ .set = (uint8_t)set, .len = len };
	memcpy(soonest->bytes, bytes, len);
	return soonest;
}

static bool
push(struct dns_addrset *as, size_t set, const uint8_t *bytes, uint8_t len, uint32_t timeout_s)
{
	struct waiting *w;

	if (as->queued == DNS_ADDRSET_QUEUE_MAX) {
		as->stats.dropped++;
		return false;
	}
	w = &as->queue[(as->first + as->queued++) % DNS_ADDRSET_QUEUE_MAX];
	*w = (struct waiting){ .set = (uint8_t)set,
		.element = { .len = len, .timeout_s = timeout_s } };
	memcpy(w->element.bytes, bytes, len);
	as->stats.queued++;
	return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

uint32_t
dns_addrset_match(const struct dns_addrset *as, struct span lower)
{
	struct dns_list_match m;
	struct dns_trail trail;
	uint32_t sets = 0;

	dns_trail_of(&trail, lower, as->tops, as->key);
	for (size_t i = 0; i < as->count; i++)
		if (as->sets[i].all ||
		    dns_list_find(as->sets[i].names, DNS_LIST_BLOCK, &trail, &m))
			sets |= 1u << i;
	return sets;
}

/*
 * How long an element is taken to be there. What the set itself lets end after a time that is not
 * known here is added again, which gives it the set's whole time, with each fresh record.
 */
static mono_us
end_of(const struct dns_addrset *as, size_t set, uint32_t life, mono_us now)
{
	return as->sets[set].ttl || as->timeouts[set] ? now + seconds(life) : FOR_EVER;
}

/* One address for one set; gives its ticket, 0 where there is nothing to wait for. */
static uint64_t
note(struct dns_addrset *as, size_t set, const struct dns_rr *rr, mono_us now)
{
	const struct dns_addrset_set *s = &as->sets[set];
	uint8_t len = (uint8_t)rr->rdata.len;
	struct known *k = place_of(as, set, rr->rdata.at, len);
	uint32_t life = rr->ttl > s->timeout_min_s ? rr->ttl : s->timeout_min_s;

	if (k->until != 0 && k->until + SLACK >= now + seconds(rr->ttl))
		return k->ticket > as->settled ? k->ticket : 0;
	if (!push(as, set, rr->rdata.at, len, s->ttl ? life : 0)) {
		k->until = 0;
		return 0;
	}
	k->until = end_of(as, set, life, now);
	k->ticket = as->stats.queued;
	return k->ticket;
}

/* One address for all sets of its name; gives the last ticket. */
static uint64_t
note_all(struct dns_addrset *as, uint32_t sets, const struct dns_rr *rr, mono_us now)
{
	uint64_t last = 0;

	for (; sets != 0; sets &= sets - 1) {
		unsigned i = (unsigned)__builtin_ctz(sets);

		if (as->bytes[i] == rr->rdata.len) {
			uint64_t ticket = note(as, i, rr, now);

			last = ticket > last ? ticket : last;
		} else if (as->bytes[i] != 0) {
			as->stats.other_family++;
		} else {
			as->stats.absent++;
		}
	}
	return last;
}

uint64_t
dns_addrset_note(struct dns_addrset *as, struct span lower, struct span msg, mono_us now)
{
	uint32_t sets = dns_addrset_match(as, lower);
	uint64_t last = 0;
	struct dns_walk walk;
	struct dns_rr rr;

	if (sets == 0)
		return 0;
	as->stats.matched++;
	dns_walk_begin(&walk, msg);
	while (dns_rr_next(&walk, &rr) && rr.section == DNS_SECTION_ANSWER) {
		size_t want = rr.type == DNS_TYPE_A ? 4 : rr.type == DNS_TYPE_AAAA ? 16 : 0;
		uint64_t ticket;

		if (want == 0 || rr.rdata.len != want)
			continue;
		ticket = note_all(as, sets, &rr, now);
		last = ticket > last ? ticket : last;
	}
	return last;
}

/* --- towards the kernel ----------------------------------------------------------------------- */

bool
dns_addrset_waiting(const struct dns_addrset *as)
{
	return as->queued != 0;
}

size_t
dns_addrset_take(struct dns_addrset *as, size_t *set,
    struct addrset_element out[static ADDRSET_BATCH_MAX])
{
	size_t count = 0;

	while (as->queued != 0 && count < ADDRSET_BATCH_MAX) {
		const struct waiting *w = &as->queue[as->first];

		if (count != 0 && w->set != *set)
			break;
		*set = w->set;
		out[count++] = w->element;
		as->first = (as->first + 1) % DNS_ADDRSET_QUEUE_MAX;
		as->queued--;
	}
	return count;
}

void
dns_addrset_settle(struct dns_addrset *as, size_t count)
{
	as->settled += count;
}

uint64_t
dns_addrset_settled(const struct dns_addrset *as)
{
	return as->settled;
}

void
dns_addrset_forget(struct dns_addrset *as, size_t set, const struct addrset_element *elements,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		place_of(as, set, elements[i].bytes, elements[i].len)->until = 0;
}

void
dns_addrset_again(struct dns_addrset *as, size_t set, mono_us now)
{
	uint32_t life = as->sets[set].timeout_min_s;

	for (size_t i = 0; i < DNS_ADDRSET_KNOWN_MAX; i++) {
		struct known *k = &as->known[i];
		usec left = k->until - now;

		if (k->until == 0 || k->set != set || k->len != as->bytes[set])
			continue;
		if (k->ticket > as->settled)
			continue;	/* on its way there anyway */
		if (left <= 0 || !push(as, set, k->bytes, k->len,
		    as->sets[set].ttl ? (uint32_t)(left / seconds(1)) + 1 : 0))
			k->until = 0;
		else
			as->stats.again++;
		/* The set from before may have been one without timeouts. */
		if (k->until == FOR_EVER)
			k->until = end_of(as, set, life, now);
	}
}

void
dns_addrset_emptied(struct dns_addrset *as, size_t set, mono_us now)
{
	/* What the set itself lets end is not to last as long as its record. */
	if (as->sets[set].ttl || !as->timeouts[set])
		dns_addrset_again(as, set, now);
}

const struct dns_addrset_stats *
dns_addrset_stats(const struct dns_addrset *as)
{
	return &as->stats;
}
