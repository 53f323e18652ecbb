/* SPDX-License-Identifier: MIT */
/* The pool of waiting queries. A stream keeps a list of its own, so that it can take them along. */
#include "services/dns/dns_request.h"

#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_stream.h"

enum err
dns_request_pool_init(struct dns_request_pool *p, unsigned count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	*p = (struct dns_request_pool){ .count = count, .per_client = count };
	p->all = calloc(count, sizeof(*p->all));
	if (p->all == NULL)
		return ERR_NOMEM;
	LIST_INIT(&p->free);
	return dns_clients_init(&p->clients, count, key);
}

void
dns_request_pool_fini(struct dns_request_pool *p)
{
	free(p->all);
	dns_clients_fini(&p->clients);
	*p = (struct dns_request_pool){ 0 };
}

/* A place that was used before, or the next fresh one: untouched memory stays untouched. */
static struct dns_request *
take(struct dns_request_pool *p)
{
	struct dns_request *rq = LIST_FIRST(&p->free);

	if (rq != NULL)
		LIST_REMOVE(rq, of_stream);
	else if (p->used < p->count)
		rq = &p->all[p->used_peak];
	else
		return NULL;
	if (++p->used > p->used_peak)
		p->used_peak = p->used;
	return rq;
}

/* Let the views in q look at the request's own copies. */
static void
keep_query(struct dns_request *rq, const struct dns_query *q)
{
	size_t head = DNS_HEADER_BYTES + (size_t)q->question_len;

	rq->q = *q;
	memcpy(rq->head, q->packet.at, head);
	rq->q.packet = span_of(rq->head, head);
	rq->q.ecs = span_of(NULL, 0);
	if (q->cookie.len != 0) {
		memcpy(rq->cookie, q->cookie.at, q->cookie.len);
		rq->q.cookie.at = rq->cookie;
	}
}

struct dns_request *
dns_request_new(struct dns_request_pool *p, const struct dns_query *q, const struct dns_asker *from)
{
	struct dns_client *client = dns_clients_enter(&p->clients, from->peer, p->per_client);
	struct dns_request *rq = client != NULL ? take(p) : NULL;

	if (client == NULL)
		return NULL;
	if (rq == NULL) {
		p->exhausted++;
		dns_clients_leave(&p->clients, client);
		return NULL;
	}
	rq->client = client;
	rq->waiter = (struct dns_waiter){ 0 };
	keep_query(rq, q);
	rq->id = 0;
	rq->asked = from->now;
	rq->peer = *from->peer;
	rq->stream = from->stream;
	rq->aliased = from->aliased;
	rq->names_below = from->names_below;
	rq->mapped = from->mapped;
	rq->turning = false;
	rq->held = NULL;
	rq->udp = NULL;
	if (from->dg != NULL) {
		rq->udp = from->dg->socket;
		rq->reply_from = *from->dg->reply_from;
		rq->ifindex = from->dg->ifindex;
	} else {
		dns_stream_wait(from->stream, rq);
	}
	return rq;
}

struct dns_request *
dns_request_try(struct dns_request_pool *p, const struct dns_query *q, const struct dns_asker *from)
{
	uint64_t exhausted = p->exhausted, refused = p->clients.refused;
	struct dns_request *rq = dns_request_new(p, q, from);

	p->exhausted = exhausted;
	p->clients.refused = refused;
	return rq;
}

struct dns_asker
dns_request_asker(const struct dns_request *rq, struct dgram *dg, mono_us now)
{
	*dg = (struct dgram){ .peer = &rq->peer, .reply_from = &rq->reply_from,
		.ifindex = rq->ifindex, .socket = rq->udp, .now = now };
	return (struct dns_asker){ .dg = rq->udp != NULL ? dg : NULL, .stream = rq->stream,
		.peer = &rq->peer, .now = now, .aliased = rq->aliased,
		.names_below = rq->names_below, .mapped = rq->mapped, .parked = true,
		.asked = rq->asked };
}

void
dns_request_free(struct dns_request_pool *p, struct dns_request *rq)
{
	if (rq->stream != NULL)
		dns_stream_done(rq->stream, rq);
	rq->stream = NULL;
	dns_clients_leave(&p->clients, rq->client);
	p->used--;
	LIST_INSERT_HEAD(&p->free, rq, of_stream);
}
