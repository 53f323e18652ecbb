/* SPDX-License-Identifier: MIT */
/*
 * RFC 9018 §4: version, reserved, timestamp, SipHash-2-4 over those, the client cookie and address.
 */
#include "services/dns/dns_cookie.h"

#include <string.h>

#include "util/wire.h"

#define COOKIE_VERSION 1
#define LIFETIME_S     3600	/* RFC 9018 §4.3 */
#define FUTURE_S       300		/* clocks of several servers behind one address differ */
#define HASH_BYTES     8
#define INPUT_MAX      (DNS_COOKIE_CLIENT + 8 + 16)

/* Write version, reserved and timestamp behind the client cookie, and the hash behind those. */
static void
make(const uint8_t secret[static SEAL_SHORT_KEY_BYTES], const uint8_t *client_cookie,
    const struct addr *client, uint32_t time_s, uint8_t out[static DNS_COOKIE_TOTAL])
{
	uint8_t input[INPUT_MAX];
	const uint8_t *host;
	size_t host_len = addr_bytes(client, &host);
	struct wire_wr wr = wire_wr_of(input, sizeof(input));

	wire_wr_bytes(&wr, span_of(client_cookie, DNS_COOKIE_CLIENT));
	wire_wr_u32(&wr, (uint32_t)COOKIE_VERSION << 24);
	wire_wr_u32(&wr, time_s);
	memcpy(out, input, wire_wr_len(&wr));
	wire_wr_bytes(&wr, span_of(host, host_len));

	uint64_t hash = seal_short_hash(wire_wr_span(&wr), secret);

	/* SipHash gives its bytes little endian; that is their order on the wire. */
	for (unsigned i = 0; i < HASH_BYTES; i++)
		out[DNS_COOKIE_CLIENT + 8 + i] = (uint8_t)(hash >> 8 * i);
}

enum dns_cookie_state
dns_cookie_answer(const uint8_t secret[static SEAL_SHORT_KEY_BYTES], struct span cookie,
    const struct addr *client, uint32_t wall_s, uint8_t out[static DNS_COOKIE_TOTAL])
{
	uint8_t want[DNS_COOKIE_TOTAL];
	enum dns_cookie_state state = DNS_COOKIE_NEW;

	if (cookie.len < DNS_COOKIE_CLIENT)
		return DNS_COOKIE_NONE;
	if (cookie.len > DNS_COOKIE_CLIENT)
		state = DNS_COOKIE_BAD;
	if (cookie.len == DNS_COOKIE_TOTAL) {
		struct wire_rd rd = wire_rd_of(cookie);

		wire_rd_skip(&rd, DNS_COOKIE_CLIENT + 4);

		uint32_t time_s = wire_rd_u32(&rd);

		make(secret, cookie.at, client, time_s, want);
		if (seal_equal(want, cookie.at, sizeof(want)) &&
		    time_s + LIFETIME_S >= wall_s && time_s <= wall_s + FUTURE_S)
			state = DNS_COOKIE_GOOD;
	}
	make(secret, cookie.at, client, wall_s, out);
	return state;
}
