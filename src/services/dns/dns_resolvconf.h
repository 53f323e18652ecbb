/* SPDX-License-Identifier: MIT */
/* The servers named in a resolv.conf(5): text to list. Reading the file is the caller's affair. */
#ifndef SERVICES_DNS_DNS_RESOLVCONF_H
#define SERVICES_DNS_DNS_RESOLVCONF_H

#include <stddef.h>

#include "util/addr.h"
#include "util/span.h"

#define DNS_RESOLVCONF_MAX 16	/* servers kept; the C library stops at 3, DHCP can bring more */

struct dns_resolvconf {
	char servers[DNS_RESOLVCONF_MAX][ADDR_TEXT_MAX];	/* "9.9.9.9", "fe80::1%eth0" */
	size_t count;
	size_t refused;		/* nameserver lines without a usable address, or beyond the table */
};

/*
 * Collect the addresses of the nameserver lines in their order, each once. Comments (# and ; at
 * the start of a line) and all other keywords are skipped. The addresses are well formed, but an
 * interface behind % need not exist. Never fails: a text without servers gives an empty list.
 */
void dns_resolvconf_parse(struct dns_resolvconf *out, struct span text);

#endif
