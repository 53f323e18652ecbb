/* SPDX-License-Identifier: MIT */
/* Service parameters of SVCB and HTTPS records, from text to wire form. Source: RFC 9460. */
#ifndef SERVICES_DNS_SVCB_H
#define SERVICES_DNS_SVCB_H

#include <stdbool.h>

#include "util/err.h"
#include "util/span.h"
#include "util/wire.h"

#define DNS_SVCB_PARAMS_MAX 32	/* in one record */
#define DNS_SVCB_VALUE_MAX  1024	/* bytes of one parameter */

enum dns_svcb_key {	/* an open set */
	DNS_SVCB_MANDATORY = 0,
	DNS_SVCB_ALPN = 1,
	DNS_SVCB_NO_DEFAULT_ALPN = 2,
	DNS_SVCB_PORT = 3,
	DNS_SVCB_IPV4HINT = 4,
	DNS_SVCB_ECH = 5,
	DNS_SVCB_IPV6HINT = 6,
	DNS_SVCB_DOHPATH = 7,
	DNS_SVCB_OHTTP = 8,
};

/*
 * Read all words that are left as parameters, in any order, and write them in the order of their
 * keys: alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 no-default-alpn key65400="\001\002". The value of
 * ech, which nobody types, is written as key5.
 *
 * why	   gets what is wrong
 * errors  ERR_FORMAT, ERR_RANGE, ERR_EXISTS (a key twice), ERR_FULL (more than
 *	   DNS_SVCB_PARAMS_MAX)
 */
enum err dns_svcb_params(struct span *rest, struct wire_wr *out, const char **why) MUST_CHECK;

/* Write parameters as text that dns_svcb_params() reads; false where they are malformed. */
bool dns_svcb_write(struct wire_rd *in, struct wire_wr *out);

#endif
