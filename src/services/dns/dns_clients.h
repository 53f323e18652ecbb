/* SPDX-License-Identifier: MIT */
/*
 * How many queries of each client wait for an answer, so that no client can take all the places:
 * one that floods, or gathers answers to be let go at once (DNSBomb, CVE-2024-33655).
 *
 * A client is an address. Whole IPv6 networks are not one client here: a home is a single /64.
 */
#ifndef SERVICES_DNS_CLIENTS_H
#define SERVICES_DNS_CLIENTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/seal.h"

struct dns_client {
	LIST_ENTRY(dns_client) link;	/* in its chain, or the free list */
	struct addr host;
	unsigned waiting;
};

LIST_HEAD(dns_client_list, dns_client);

struct dns_clients {
	struct dns_client *all;
	struct dns_client_list *chains;
	struct dns_client_list free;
	size_t count;		/* a power of two */
	size_t touched;		/* of `all`; the rest was never used */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	uint64_t refused;	/* queries of clients that had too many */
};

/* Room for `count` clients (rounded up) at once. key: secret and random. Errors: ERR_NOMEM. */
enum err dns_clients_init(struct dns_clients *t, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
void dns_clients_fini(struct dns_clients *t);

/*
 * One more query of that host waits: dns_clients_leave() ends it. NULL where `most` of it do
 * already, or where the table is full.
 */
struct dns_client *dns_clients_enter(struct dns_clients *t, const struct addr *host, unsigned most);
void dns_clients_leave(struct dns_clients *t, struct dns_client *c);

#endif
