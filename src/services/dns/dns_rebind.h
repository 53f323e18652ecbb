/* SPDX-License-Identifier: MIT */
/*
 * Addresses of the house in answers from outside. A page on the Internet whose name leads to the
 * router's address is, to the browser, allowed to talk to the router (DNS rebinding); so such an
 * answer is refused, unless its name is exempt. Not dangerous, and left alone: 0.0.0.0 and ::,
 * which lists of others use to say "nowhere".
 */
#ifndef SERVICES_DNS_REBIND_H
#define SERVICES_DNS_REBIND_H

#include <stdbool.h>

#include "services/dns/dns_answer.h"
#include "util/addr.h"
#include "util/span.h"

#define DNS_REBIND_TTL 10	/* seconds: an exemption shall take effect soon */

/*
 * The address, of 4 or 16 bytes, leads to this machine or to the networks of a house: private,
 * loopback, link-local, shared (RFC 6598), also where it is wrapped into IPv6 (mapped,
 * 64:ff9b::/96).
 */
bool dns_rebind_is_inside(struct span addr);

/*
 * Find such an address among the records of an answer: A, AAAA and the hints of HTTPS and SVCB,
 * each of which a browser would follow.
 */
bool dns_rebind_find(const struct dns_packed *p, struct addr *out);

/*
 * Names that no stranger can own: home.arpa, internal and local, and those top-level domains that
 * houses use and ICANN does not give away. A router's answers for them are fine.
 */
bool dns_rebind_is_house_name(struct span name);

/* Put NODATA with SOA and the reason in the answer's place. */
void dns_rebind_refuse(struct dns_packed *p, const struct dns_question *asked,
    const struct addr *a);

#endif
