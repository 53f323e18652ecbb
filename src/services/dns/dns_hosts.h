/* SPDX-License-Identifier: MIT */
/*
 * hosts(5) files: an address and its names, a line each. Text in, names out; no files here.
 */
#ifndef SERVICES_DNS_HOSTS_H
#define SERVICES_DNS_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_name.h"
#include "util/span.h"

enum dns_hosts_found {
	DNS_HOSTS_END,
	DNS_HOSTS_NAME,		/* a name and its address */
	DNS_HOSTS_BAD,		/* something to complain about: see why and text */
};

/* Steps through a text, which must outlive it. */
struct dns_hosts {
	struct span rest;
	struct span names;	/* what is left of the current line */
	bool named;		/* it had a good name already */
	/* What was found last; the address and the line also hold for DNS_HOSTS_BAD. */
	unsigned line;		/* counted from 1 */
	bool canonical;		/* the first name of its line, which the address gets for its PTR */
	uint8_t addr_len;	/* 4 or 16 */
	uint8_t addr[16];
	struct dns_name name;	/* letter case as written */
	struct span text;	/* the word that is wrong */
	const char *why;	/* in words; static */
};

void dns_hosts_begin(struct dns_hosts *h, struct span text);

/*
 * Give the next name or complaint. A bad name costs that name, a bad address its line. Names are
 * of letters, digits, '-', '_' and dots; a closing dot is allowed. Never fails, never allocates.
 */
enum dns_hosts_found dns_hosts_next(struct dns_hosts *h);

/*
 * Read a name that a host may have. Gives NULL, or what is wrong with it in words (static text).
 */
const char *dns_hosts_name(struct dns_name *out, struct span text);

#endif
