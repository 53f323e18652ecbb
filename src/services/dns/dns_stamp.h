/* SPDX-License-Identifier: MIT */
/*
 * Server stamps, sdns://…: everything one needs to know about a server in one word, as public lists
 * and vendors hand them out. Source: dnscrypt.info/stamps-specifications.
 */
#ifndef SERVICES_DNS_DNS_STAMP_H
#define SERVICES_DNS_DNS_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_name.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/seal.h"

#define DNS_STAMP_PREFIX "sdns://"

enum dns_stamp_kind {	/* an open set; the others are DoH, DoT, DoQ and relays */
	DNS_STAMP_PLAIN = 0,
	DNS_STAMP_DNSCRYPT = 1,
};

enum dns_stamp_property {	/* bits, what the operator says about the server */
	DNS_STAMP_DNSSEC = 1,
	DNS_STAMP_NO_LOGS = 2,
	DNS_STAMP_NO_FILTER = 4,
};

struct dns_stamp {
	enum dns_stamp_kind kind;
	uint64_t properties;
	struct addr addr;
	uint8_t key[SEAL_PUBLIC_BYTES];	/* DNSCrypt: the provider's, Ed25519 */
	struct dns_name provider;	/* DNSCrypt: 2.dnscrypt-cert.… */
};

/*
 * Read a stamp. Without a port in it the server listens on 53 (plain) or 443 (DNSCrypt).
 *
 * errors  ERR_FORMAT; ERR_UNSUPPORTED for other kinds and for a server behind a relay;
 *	   ERR_RANGE for a port above 65535
 */
enum err dns_stamp_parse(struct dns_stamp *out, const char *text) MUST_CHECK;

#endif
