/* SPDX-License-Identifier: MIT */
/* ASK -> CHALLENGE -> CONFIRM -> GRANT; renewed at half time, asked again after 1, 2, 4 … 30 s. */
#include "services/announce/beacon_tenant.h"

#include <string.h>

#include "services/announce/beacon_crypt.h"

#define ASK_AGAIN_MAX_S 30

void
beacon_tenant_init(struct beacon_tenant *t, const struct addr *lessor, mono_us now)
{
	*t = (struct beacon_tenant){ .lessor = *lessor, .next = now };
	seal_random(&t->run_id, sizeof(t->run_id));
}

static size_t
build(struct beacon_tenant *t, const struct beacon_lease *l, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX])
{
	struct beacon_hdr h = { .type = BEACON_LEASE, .sender = t->run_id, .seq = ++t->run_seq,
		.frag_count = 1 };
	uint8_t body[64];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	beacon_lease_put(&wr, l);
	return beacon_seal(out, &h, wire_wr_span(&wr), ring, NULL);
}

bool
beacon_tenant_wake(struct beacon_tenant *t, mono_us now, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX], size_t *len)
{
	int64_t wait_s = t->tries < 5 ? INT64_C(1) << t->tries : ASK_AGAIN_MAX_S;

	if (t->next > now)
		return false;
	t->tries++;
	t->next = now + seconds(wait_s);
	*len = build(t, &(struct beacon_lease){ .kind = BEACON_LEASE_ASK }, ring, out);
	return true;
}

bool
beacon_tenant_input(struct beacon_tenant *t, mono_us now, struct span dgram,
    const struct addr *from, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX], size_t *len)
{
	struct beacon_opened o;
	struct beacon_lease l;

	if (!addr_equal(from, &t->lessor) || beacon_hdr_parse(&o.hdr, dgram) != OK ||
	    o.hdr.type != BEACON_LEASE || beacon_open(&o, dgram, ring) != OK ||
	    beacon_lease_parse(&l, beacon_opened_body(&o)) != OK)
		return false;
	if (l.kind == BEACON_LEASE_CHALLENGE) {
		l.kind = BEACON_LEASE_CONFIRM;
		*len = build(t, &l, ring, out);
		return true;
	}
	if (l.kind == BEACON_LEASE_GRANT && l.seconds != 0) {
		t->expires = now + seconds(l.seconds);
		t->next = now + seconds(l.seconds) / 2;
		t->tries = 0;
	}
	return false;
}

size_t
beacon_tenant_end(struct beacon_tenant *t, const struct beacon_keyring *ring,
    uint8_t out[static BEACON_DGRAM_MAX])
{
	return build(t, &(struct beacon_lease){ .kind = BEACON_LEASE_END }, ring, out);
}

bool
beacon_tenant_holds(const struct beacon_tenant *t, mono_us now)
{
	return t->expires > now;
}
