/* SPDX-License-Identifier: MIT */
/* Leases. The cookie is a keyed hash of address, port and a coarse clock: no state per stranger. */
#include "services/announce/beacon_leases.h"

#include <string.h>

#include "util/wire.h"

void
beacon_leases_init(struct beacon_leases *l, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->max = max < BEACON_LEASES_MAX ? max : BEACON_LEASES_MAX;
	seal_random(l->secret, sizeof(l->secret));
}

static void
cookie_of(const struct beacon_leases *l, const struct addr *who, uint64_t period,
    uint8_t cookie[static BEACON_TOKEN_BYTES])
{
	uint8_t text[32];
	struct wire_wr wr = wire_wr_of(text, sizeof(text));
	const uint8_t *bytes;
	size_t n = addr_bytes(who, &bytes);

	wire_wr_u64(&wr, period);
	wire_wr_u16(&wr, addr_port(who));
	wire_wr_bytes(&wr, span_of(bytes, n));
	seal_hash(cookie, BEACON_TOKEN_BYTES, wire_wr_span(&wr),
	    span_of(l->secret, SEAL_KEY_BYTES));
}

void
beacon_leases_cookie(const struct beacon_leases *l, const struct addr *who, mono_us now,
    uint8_t cookie[static BEACON_TOKEN_BYTES])
{
	cookie_of(l, who, (uint64_t)(now / BEACON_COOKIE_TIME), cookie);
}

static struct beacon_leasehold *
find(struct beacon_leases *l, const struct addr *who)
{
	for (size_t i = 0; i < l->count; i++)
		if (addr_equal(&l->at[i].to, who))
			return &l->at[i];
	return NULL;
}

uint32_t
beacon_leases_confirm(struct beacon_leases *l, const struct addr *who,
    const uint8_t cookie[static BEACON_TOKEN_BYTES], mono_us now)
{
	uint64_t period = (uint64_t)(now / BEACON_COOKIE_TIME);
	uint8_t fresh[BEACON_TOKEN_BYTES], older[BEACON_TOKEN_BYTES];

	cookie_of(l, who, period, fresh);
	cookie_of(l, who, period - 1, older);
	if (!seal_equal(cookie, fresh, sizeof(fresh)) &&
	    !seal_equal(cookie, older, sizeof(older))) {
		l->bad_cookies++;
		return 0;
	}
	beacon_leases_expire(l, now);

	struct beacon_leasehold *h = find(l, who);

	if (h == NULL && l->count >= l->max) {
		l->refused++;
		return 0;
	}
	if (h == NULL)
		h = &l->at[l->count++];
	h->to = *who;
	h->expires = now + BEACON_LEASE_TIME;
	return BEACON_LEASE_TIME / 1000000;
}

void
beacon_leases_end(struct beacon_leases *l, const struct addr *who)
{
	struct beacon_leasehold *h = find(l, who);

	if (h != NULL)
		*h = l->at[--l->count];
}

bool
beacon_leases_holds(const struct beacon_leases *l, const struct addr *who, mono_us now)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].expires > now && addr_equal(&l->at[i].to, who))
			return true;
	return false;
}

void
beacon_leases_expire(struct beacon_leases *l, mono_us now)
{
	for (size_t i = l->count; i-- > 0;)
		if (l->at[i].expires <= now)
			l->at[i] = l->at[--l->count];
}
