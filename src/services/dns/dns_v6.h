/* SPDX-License-Identifier: MIT */
/*
 * Addresses of IPv6 in answers: taken out, for houses whose IPv6 leads nowhere, or made of those of
 * IPv4, for networks that have nothing else (DNS64, RFC 6147).
 */
#ifndef SERVICES_DNS_V6_H
#define SERVICES_DNS_V6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_reply.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/span.h"

#define DNS_V6_MAPPED_TTL 600	/* seconds at most, RFC 6147 §5.1.7 */

/*
 * Copy an answer without AAAA records and without the ipv6hint of HTTPS and SVCB; gives how many
 * records were left out.
 *
 * msg  a whole message that was written here; it is spoilt
 */
unsigned dns_v6_write_stripped(struct dns_wr *w, uint8_t *msg, size_t len);

/*
 * "64:ff9b::/96": the prefix of a NAT64, its length one of RFC 6052 §2.2. Errors: ERR_FORMAT,
 * ERR_RANGE.
 */
enum err dns_v6_prefix_parse(struct prefix *out, const char *text) MUST_CHECK;
/* For the table of settings: what is wrong with a text, or NULL. An empty one is fine: no DNS64. */
const char *dns_v6_prefix_check(const char *text);

/*
 * Put an address of IPv4 into the prefix. False where that must not be: addresses of houses behind
 * the well-known prefix (RFC 6052 §3.1).
 */
bool dns_v6_map(const struct prefix *p, struct span v4, uint8_t out[static 16]);

/*
 * Every AAAA record of an answer, and there is one, has an address that only stands for one of IPv4
 * (::ffff:0:0/96): of no use to who has nothing but IPv6 (RFC 6147 §5.1.4).
 */
bool dns_v6_is_excluded(const struct dns_stored *answer);

/*
 * The name of the IPv4 address behind a reverse name (in lower case) of an address that
 * dns_v6_map() makes. False: it is none.
 */
bool dns_v6_reverse(const struct prefix *p, struct span lower, struct dns_name *target);

/*
 * Copy an answer for A as one for AAAA: addresses mapped, signatures left out, all else as it is.
 */
void dns_v6_write_mapped(const struct prefix *p, struct dns_wr *w, struct span msg);

#endif
