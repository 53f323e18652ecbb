/* SPDX-License-Identifier: MIT */
/*
 * Cookies towards clients: proof that a client has received from us before, so that what it sends
 * does not come from a forged address. Interoperable server cookies of RFC 9018 §4.
 */
#ifndef SERVICES_DNS_COOKIE_H
#define SERVICES_DNS_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/seal.h"
#include "util/span.h"

#define DNS_COOKIE_CLIENT 8	/* bytes */
#define DNS_COOKIE_SERVER 16
#define DNS_COOKIE_TOTAL  (DNS_COOKIE_CLIENT + DNS_COOKIE_SERVER)

enum dns_cookie_state {
	DNS_COOKIE_NONE,	/* the query had none */
	DNS_COOKIE_NEW,		/* a client cookie alone: first contact */
	DNS_COOKIE_GOOD,	/* ours, and recent */
	DNS_COOKIE_BAD,		/* not ours, or too old; on a LAN no error, just no proof */
};

/*
 * Judge the cookie of a query and write the one to answer with.
 *
 * secret  fresh at each start of the daemon
 * cookie  data of the COOKIE option: 8 or 16 to 40 bytes
 * wall_s  seconds since 1970
 * out	   client cookie and server cookie; not touched for NONE
 */
enum dns_cookie_state dns_cookie_answer(const uint8_t secret[static SEAL_SHORT_KEY_BYTES],
    struct span cookie, const struct addr *client, uint32_t wall_s,
    uint8_t out[static DNS_COOKIE_TOTAL]);

#endif
