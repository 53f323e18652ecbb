/* SPDX-License-Identifier: MIT */
/*
 * A table of sets of four places; one that nobody is known for gives way first, so that a flood of
 * made up addresses pushes no device out, then the one that was used longest ago. A device that the
 * kernel has forgotten, because it has been silent for a while, asks before the kernel asks for it:
 * so a MAC address that is not to be had any more stays what it was.
 */
#include "core/neigh.h"

#include <stdlib.h>
#include <string.h>

#include "core/netif.h"
#include "util/bucket.h"
#include "util/siphash.h"

#define WAYS 4

struct place {
	struct addr addr;	/* AF_UNSPEC: empty */
	mono_us used;
	mono_us ask_at;		/* until then nothing new is to be learnt */
	usec retry;		/* how long that is where the kernel knows nothing */
	mono_us seen;		/* when the kernel knew it last; known only */
	bool known;
	uint8_t mac[MAC_BYTES];
};

struct neigh {
	struct netif *netif;
	struct bucket asking;
	uint64_t asked, unknown, refused;
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	struct place places[NEIGH_PLACES];
};

enum err
neigh_new(struct neigh **out, struct netif *n, const uint8_t key[static SEAL_SHORT_KEY_BYTES],
    mono_us now)
{
	struct neigh *nb = calloc(1, sizeof(*nb));

	if (nb == NULL)
		return ERR_NOMEM;
	nb->netif = n;
	memcpy(nb->key, key, sizeof(nb->key));
	bucket_init(&nb->asking, NEIGH_RATE, 2 * NEIGH_RATE, now);
	*out = nb;
	return OK;
}

void
neigh_free(struct neigh *nb)
{
	free(nb);
}

static bool
gives_way(const struct place *p, const struct place *to)
{
	return p->known != to->known ? to->known : p->used < to->used;
}

/* The place of an address, or the one that it takes over. */
static struct place *
place_of(struct neigh *nb, const struct addr *a)
{
	const uint8_t *bytes;
	size_t len = addr_bytes(a, &bytes);
	uint64_t hash = siphash_of(span_of(bytes, len), nb->key);
	struct place *set = &nb->places[hash % (NEIGH_PLACES / WAYS) * WAYS];
	struct place *victim = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (addr_equal_host(&set[i].addr, a))
			return &set[i];
		if (gives_way(&set[i], victim))
			victim = &set[i];
	}
	*victim = (struct place){ .addr = *a, .retry = NEIGH_RETRY };
	return victim;
}

static void
ask(struct neigh *nb, struct place *p, mono_us now)
{
	if (!bucket_take(&nb->asking, 1, now)) {
		nb->refused++;
		return;
	}
	nb->asked++;
	if (netif_neighbour(nb->netif, &p->addr, p->mac) == OK) {
		p->known = true;
		p->seen = now;
		p->ask_at = now + NEIGH_HOLD;
		p->retry = NEIGH_RETRY;
		return;
	}
	nb->unknown++;
	p->ask_at = now + p->retry;
	p->retry = p->retry * 2 < NEIGH_RETRY_MAX ? p->retry * 2 : NEIGH_RETRY_MAX;
	p->known = p->known && now - p->seen < NEIGH_KEEP;
}

bool
neigh_find(struct neigh *nb, const struct addr *a, mono_us now, uint8_t mac[static MAC_BYTES])
{
	struct place *p;

	if (netif_is_own(nb->netif, a) || !netif_is_connected(nb->netif, a))
		return false;
	p = place_of(nb, a);
	p->used = now;
	if (now >= p->ask_at)
		ask(nb, p, now);
	if (p->known)
		memcpy(mac, p->mac, MAC_BYTES);
	return p->known;
}

void
neigh_report(const struct neigh *nb, struct report *out)
{
	uint64_t known = 0;

	for (size_t i = 0; i < NEIGH_PLACES; i++)
		known += nb->places[i].known;
	report_u64(out, "known", known);
	report_u64(out, "places", NEIGH_PLACES);
	report_u64(out, "asked", nb->asked);
	report_u64(out, "unknown", nb->unknown);
	report_u64(out, "asked_too_often", nb->refused);
}
