/* SPDX-License-Identifier: MIT */
/*
 * Lease files of DHCP servers: which names have which addresses, and until when.
 *
 *   dnsmasq    /var/lib/misc/dnsmasq.leases, both protocols in one file
 *   Kea        kea-leases4.csv and kea-leases6.csv of the memfile backend
 *   ISC dhcpd  dhcpd.leases and dhcpd6.leases, the manual page dhcpd.leases(5)
 *   odhcpd     its lease file, the lines that begin with #
 *   networkd   /var/lib/systemd/network/dhcp-server-lease/INTERFACE, JSON; systemd 256 and newer.
 *		Older ones keep the leases they gave in memory only: there is nothing to read.
 *
 * The format is recognised by content. Text in, leases out; no files and no clock here. What a
 * lease says was said by a guest of the network: the names are not checked here.
 */
#ifndef SERVICES_DNS_LEASE_H
#define SERVICES_DNS_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

#define DNS_LEASES_MAX	  (1u << 20)	/* in all files together; more is dropped and counted */
#define DNS_LEASE_FOREVER INT64_MAX
#define DNS_LEASE_ENDED	  INT64_MIN	/* given back, declined, abandoned */

enum dns_lease_format {
	DNS_LEASE_UNKNOWN,
	DNS_LEASE_EMPTY,	/* nothing but blanks and comments: any server's */
	DNS_LEASE_DNSMASQ,
	DNS_LEASE_KEA,
	DNS_LEASE_ISC,
	DNS_LEASE_ODHCPD,
	DNS_LEASE_NETWORKD,
};

/* One address that was handed out. */
struct dns_lease {
	uint8_t addr[16];
	uint8_t addr_len;	/* 4 or 16 */
	uint8_t name_len;	/* 0: the client has no name */
	uint16_t source;	/* as given to dns_lease_parse() */
	uint32_t name_at;	/* offset in dns_leases.text */
	uint32_t line;
	int64_t expires;	/* seconds since 1970 */
	uint64_t client;	/* hash of what identifies the client */
};

/* All zero is an empty set. */
struct dns_leases {
	struct dns_lease *v;
	size_t count;
	size_t cap;
	uint8_t *text;		/* the names */
	size_t text_len;
	size_t text_cap;
	uint64_t bad;		/* lines or entries that make no sense */
	uint64_t dropped;	/* beyond DNS_LEASES_MAX */
	uint32_t bad_line;	/* the first bad one of the last parsed text; 0: none */
};

void dns_leases_fini(struct dns_leases *ls);

static inline struct span
dns_lease_name(const struct dns_leases *ls, const struct dns_lease *l)
{
	return l->name_len != 0 ? span_of(ls->text + l->name_at, l->name_len) : span_of(NULL, 0);
}

enum dns_lease_format dns_lease_recognise(struct span text);
/* "Kea"; static text. */
const char *dns_lease_format_name(enum dns_lease_format f);

/*
 * Append the leases of a text. What is bad in it is left out and counted.
 *
 * source  a number of the caller's for where the text came from
 * errors  ERR_UNSUPPORTED (DNS_LEASE_UNKNOWN), ERR_NOMEM
 */
enum err dns_lease_parse(struct dns_leases *ls, struct span text, uint16_t source) MUST_CHECK;

/*
 * Reduce what was parsed to what holds now:
 *  - of several entries for one address the last one counts, servers append to their files;
 *  - what has ended, has expired or has no name goes;
 *  - of several clients that claim one name the one with the longest lease keeps it, with one IPv4
 *    address and all its IPv6 addresses.
 *
 * now      seconds since 1970
 * returns  when the next of those left expires, or DNS_LEASE_FOREVER
 */
int64_t dns_lease_settle(struct dns_leases *ls, int64_t now);

#endif
