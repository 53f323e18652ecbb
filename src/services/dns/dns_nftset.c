/* SPDX-License-Identifier: MIT */
/*
 * Elements are remembered in sets of four places by the keyed hash of set and address; the one that
 * ends first gives way, and is at worst added once more.
 */
#include "services/dns/dns_nftset.h"

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
	struct nft_element element;
};

struct dns_nftset {
	size_t count;
	struct dns_nftset_set sets[DNS_NFTSET_SETS_MAX];
	uint8_t bytes[DNS_NFTSET_SETS_MAX];
	bool timeouts[DNS_NFTSET_SETS_MAX];
	bool tops;		/* some set has a name of one label */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	struct dns_nftset_stats stats;
	uint64_t settled;
	size_t first, queued;	/* of the ring */
	struct waiting queue[DNS_NFTSET_QUEUE_MAX];
	struct known known[DNS_NFTSET_KNOWN_MAX];
};

enum err
dns_nftset_new(struct dns_nftset **out, const struct dns_nftset_set *sets, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_nftset *ns = calloc(1, sizeof(*ns));

	assert(count <= DNS_NFTSET_SETS_MAX);
	if (ns == NULL) {
		for (size_t i = 0; i < count; i++)
			dns_list_free(sets[i].names);
		return ERR_NOMEM;
	}
	memcpy(ns->key, key, sizeof(ns->key));
	for (; ns->count < count; ns->count++) {
		ns->sets[ns->count] = sets[ns->count];
		ns->tops |= dns_list_has_tops(sets[ns->count].names);
	}
	*out = ns;
	return OK;
}

void
dns_nftset_free(struct dns_nftset *ns)
{
	if (ns == NULL)
		return;
	for (size_t i = 0; i < ns->count; i++)
		dns_list_free(ns->sets[i].names);
	free(ns);
}

size_t
dns_nftset_count(const struct dns_nftset *ns)
{
	return ns->count;
}

const struct nft_id *
dns_nftset_id(const struct dns_nftset *ns, size_t i)
{
	return &ns->sets[i].id;
}

void
dns_nftset_allow(struct dns_nftset *ns, size_t i, uint8_t bytes, bool timeouts)
{
	ns->bytes[i] = bytes;
	ns->timeouts[i] = timeouts;
}

/* --- what is known ---------------------------------------------------------------------------- */

/* The place of an element, or the one that it takes over. */
static struct known *
place_of(struct dns_nftset *ns, size_t set, const uint8_t *bytes, uint8_t len)
{
	uint8_t text[17] = { (uint8_t)set };
	struct known *ways, *soonest;
	uint64_t hash;

	memcpy(text + 1, bytes, len);
	hash = siphash_of(span_of(text, (size_t)len + 1), ns->key);
	ways = soonest = &ns->known[hash % (DNS_NFTSET_KNOWN_MAX / WAYS) * WAYS];
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
push(struct dns_nftset *ns, size_t set, const uint8_t *bytes, uint8_t len, uint32_t timeout_s)
{
	struct waiting *w;

	if (ns->queued == DNS_NFTSET_QUEUE_MAX) {
		ns->stats.dropped++;
		return false;
	}
	w = &ns->queue[(ns->first + ns->queued++) % DNS_NFTSET_QUEUE_MAX];
	*w = (struct waiting){ .set = (uint8_t)set,
		.element = { .len = len, .timeout_s = timeout_s } };
	memcpy(w->element.bytes, bytes, len);
	ns->stats.queued++;
	return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

uint32_t
dns_nftset_match(const struct dns_nftset *ns, struct span lower)
{
	struct dns_list_match m;
	struct dns_trail trail;
	uint32_t sets = 0;

	dns_trail_of(&trail, lower, ns->tops, ns->key);
	for (size_t i = 0; i < ns->count; i++)
		if (ns->bytes[i] != 0 &&
		    dns_list_find(ns->sets[i].names, DNS_LIST_BLOCK, &trail, &m))
			sets |= 1u << i;
	return sets;
}

/*
 * How long an element is taken to be there. What the set itself lets end after a time that is not
 * known here is added again, which gives it the set's whole time, with each fresh record.
 */
static mono_us
end_of(const struct dns_nftset *ns, size_t set, uint32_t life, mono_us now)
{
	return ns->sets[set].ttl || ns->timeouts[set] ? now + seconds(life) : FOR_EVER;
}

/* One address for one set; gives its ticket, 0 where there is nothing to wait for. */
static uint64_t
note(struct dns_nftset *ns, size_t set, const struct dns_rr *rr, mono_us now)
{
	const struct dns_nftset_set *s = &ns->sets[set];
	uint8_t len = (uint8_t)rr->rdata.len;
	struct known *k = place_of(ns, set, rr->rdata.at, len);
	uint32_t life = rr->ttl > s->timeout_min_s ? rr->ttl : s->timeout_min_s;

	if (k->until != 0 && k->until + SLACK >= now + seconds(rr->ttl))
		return k->ticket > ns->settled ? k->ticket : 0;
	if (!push(ns, set, rr->rdata.at, len, s->ttl ? life : 0)) {
		k->until = 0;
		return 0;
	}
	k->until = end_of(ns, set, life, now);
	k->ticket = ns->stats.queued;
	return k->ticket;
}

uint64_t
dns_nftset_note(struct dns_nftset *ns, struct span lower, struct span msg, mono_us now)
{
	uint32_t sets = dns_nftset_match(ns, lower);
	uint64_t last = 0;
	struct dns_walk walk;
	struct dns_rr rr;

	if (sets == 0)
		return 0;
	ns->stats.matched++;
	dns_walk_begin(&walk, msg);
	while (dns_rr_next(&walk, &rr) && rr.section == DNS_SECTION_ANSWER) {
		size_t want = rr.type == DNS_TYPE_A ? 4 : rr.type == DNS_TYPE_AAAA ? 16 : 0;

		if (want == 0 || rr.rdata.len != want)
			continue;
		for (uint32_t some = sets; some != 0; some &= some - 1) {
			unsigned i = (unsigned)__builtin_ctz(some);
			uint64_t ticket = ns->bytes[i] == want ? note(ns, i, &rr, now) : 0;

			last = ticket > last ? ticket : last;
		}
	}
	return last;
}

/* --- towards the kernel ----------------------------------------------------------------------- */

bool
dns_nftset_waiting(const struct dns_nftset *ns)
{
	return ns->queued != 0;
}

size_t
dns_nftset_take(struct dns_nftset *ns, size_t *set, struct nft_element out[static NFT_BATCH_MAX])
{
	size_t count = 0;

	while (ns->queued != 0 && count < NFT_BATCH_MAX) {
		const struct waiting *w = &ns->queue[ns->first];

		if (count != 0 && w->set != *set)
			break;
		*set = w->set;
		out[count++] = w->element;
		ns->first = (ns->first + 1) % DNS_NFTSET_QUEUE_MAX;
		ns->queued--;
	}
	return count;
}

void
dns_nftset_settle(struct dns_nftset *ns, size_t count)
{
	ns->settled += count;
}

uint64_t
dns_nftset_settled(const struct dns_nftset *ns)
{
	return ns->settled;
}

void
dns_nftset_forget(struct dns_nftset *ns, size_t set, const struct nft_element *elements,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		place_of(ns, set, elements[i].bytes, elements[i].len)->until = 0;
}

void
dns_nftset_again(struct dns_nftset *ns, size_t set, mono_us now)
{
	uint32_t life = ns->sets[set].timeout_min_s;

	for (size_t i = 0; i < DNS_NFTSET_KNOWN_MAX; i++) {
		struct known *k = &ns->known[i];
		usec left = k->until - now;

		if (k->until == 0 || k->set != set || k->len != ns->bytes[set])
			continue;
		if (left <= 0 || !push(ns, set, k->bytes, k->len,
		    ns->sets[set].ttl ? (uint32_t)(left / seconds(1)) + 1 : 0))
			k->until = 0;
		else
			ns->stats.again++;
		/* The set from before may have been one without timeouts. */
		if (k->until == FOR_EVER)
			k->until = end_of(ns, set, life, now);
	}
}

const struct dns_nftset_stats *
dns_nftset_stats(const struct dns_nftset *ns)
{
	return &ns->stats;
}
