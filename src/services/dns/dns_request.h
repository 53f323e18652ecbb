/* SPDX-License-Identifier: MIT */
/*
 * Who asked, and a query that waits for its answer. Waiting queries come from a pool of fixed
 * size: the receive path does not allocate.
 */
#ifndef SERVICES_DNS_REQUEST_H
#define SERVICES_DNS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/udp.h"
#include "services/dns/dns_clients.h"
#include "services/dns/dns_forward.h"
#include "services/dns/dns_query.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"

#define DNS_REQUEST_COOKIE_MAX 40	/* bytes, RFC 7873 §4 */

struct dns_stream;
struct held;

/* The asker of the query at hand: over UDP its datagram, over TCP its stream. */
struct dns_asker {
	const struct dgram *dg;		/* NULL over TCP */
	struct dns_stream *stream;	/* NULL over UDP */
	const struct addr *peer;
	mono_us now;
	bool aliased;		/* the name is an alias of ours: its target is resolved instead */
	bool names_below;	/* names below it are known here: it cannot be NXDOMAIN */
	bool mapped;		/* DNS64: asked for AAAA, answered from A */
	bool held_back;		/* a failure of a moment ago is told again */
	bool parked;		/* it has waited for an answer */
	mono_us asked;		/* since then */
};

/* A query that waits, with copies of all that the reply needs. */
struct dns_request {
	struct dns_waiter waiter;
	struct dns_query q;		/* its spans point into this struct */
	uint32_t id;			/* in the log lines */
	mono_us asked;
	struct udp_socket *udp;		/* NULL over TCP */
	struct dns_stream *stream;	/* NULL over UDP */
	struct addr peer;
	struct dns_client *client;	/* whose places it takes one of */
	struct addr reply_from;
	unsigned ifindex;
	bool aliased;			/* as in struct dns_asker */
	bool names_below;
	bool mapped;
	bool turning;			/* on the list of those to be asked again for A */
	/* its reply waits for something else; NULL: it has none yet */
	struct held *held;
	LIST_ENTRY(dns_request) of_stream;	/* or the free list */
	uint8_t cookie[DNS_REQUEST_COOKIE_MAX];
	/* header and question as received */
	uint8_t head[DNS_HEADER_BYTES + DNS_NAME_MAX + 4];
};

LIST_HEAD(dns_requests, dns_request);

struct dns_request_pool {
	struct dns_request *all;
	struct dns_requests free;
	struct dns_clients clients;
	unsigned per_client;	/* places that one client may take */
	unsigned count;
	unsigned used;
	unsigned used_peak;
	uint64_t exhausted;	/* queries that found no place */
};

/*
 * key: secret and random. One client may take all places until per_client is set. Memory is touched
 * only as far as it is used. Errors: ERR_NOMEM.
 */
enum err dns_request_pool_init(struct dns_request_pool *p, unsigned count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES]) MUST_CHECK;
void dns_request_pool_fini(struct dns_request_pool *p);

/* Copy a query out of its packet; NULL where the pool is empty or the client has too many in it. */
struct dns_request *dns_request_new(struct dns_request_pool *p, const struct dns_query *q,
    const struct dns_asker *from);
/* As dns_request_new(), for who can do without: that there was no place is not counted. */
struct dns_request *dns_request_try(struct dns_request_pool *p, const struct dns_query *q,
    const struct dns_asker *from);
/* The asker of a query that has waited; dg is room for its datagram and must outlive the asker. */
struct dns_asker dns_request_asker(const struct dns_request *rq, struct dgram *dg, mono_us now);
void dns_request_free(struct dns_request_pool *p, struct dns_request *rq);

#endif
