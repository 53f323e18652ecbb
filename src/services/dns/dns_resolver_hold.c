/* SPDX-License-Identifier: MIT */
/*
 * Answers whose addresses are on their way into sets of netfilter: they wait for that, a fraction
 * of a millisecond as a rule, so that the first packet to such an address meets the set. Where the
 * kernel is slow, or too many wait, they do not. There are many places for answers of the size of
 * UDP and a few for the long ones of TCP, whose memory is touched when they are needed.
 */
#include "services/dns/dns_resolver.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_addrsets.h"
#include "services/dns/dns_resolver_impl.h"
#include "services/dns/dns_stream.h"

#define SHORT_MAX 256
#define LONG_MAX  8
#define PATIENCE  millis(200)
#define ROOM(len) (2 + (len))	/* for a stream with its length in front */

TAILQ_HEAD(held_list, held);

struct held {
	TAILQ_ENTRY(held) link;	/* oldest first; or the free ones */
	struct held_list *home;	/* of its size, while free */
	struct dns_request *rq;
	uint64_t ticket;
	mono_us until;
	size_t len;
	uint8_t *room;
};

struct dns_holding {
	struct dns_resolver *r;
	struct timer timer;
	struct held_list held, free_short, free_long;
	uint64_t count, impatient, unheld;
	struct held all[SHORT_MAX + LONG_MAX];
	uint8_t short_rooms[SHORT_MAX][ROOM(DNS_UDP_SIZE)];
	uint8_t long_rooms[LONG_MAX][ROOM(DNS_MSG_MAX)];
};

/* Let an answer go, and its place; without sending it where its asker is gone. */
static void
let_go(struct dns_holding *h, struct held *one, bool send)
{
	struct dns_resolver *r = h->r;
	struct dns_request *rq = one->rq;
	struct dgram dg;
	struct dns_asker from = dns_request_asker(rq, &dg, loop_now(r->env.loop));

	TAILQ_REMOVE(&h->held, one, link);
	TAILQ_INSERT_HEAD(one->home, one, link);
	rq->held = NULL;
	if (send && from.dg != NULL)
		udp_reply(dg.socket, span_of(one->room + 2, one->len), &dg);
	else if (send)
		dns_stream_send(from.stream, one->room, one->len);
	if (send)
		dns_request_free(&r->pool, rq);
}

void
dns_resolver_unhold(struct dns_resolver *r, struct dns_request *rq)
{
	let_go(r->holding, rq->held, false);
}

/*
 * Those that need not wait any more. They are not in order where settings have changed meanwhile.
 */
static void
release(struct dns_holding *h, mono_us now)
{
	const struct dns_addrsets *sets = h->r->addrsets;
	uint64_t settled = sets != NULL ? dns_addrsets_settled(sets) : UINT64_MAX;
	struct held *one;

	while ((one = TAILQ_FIRST(&h->held)) != NULL &&
	    (one->ticket <= settled || one->until <= now)) {
		h->impatient += one->ticket > settled;
		let_go(h, one, true);
	}
	if (one != NULL)
		loop_timer(h->r->env.loop, &h->timer, one->until);
	else
		loop_timer_cancel(h->r->env.loop, &h->timer);
}

void
dns_resolver_note_addrsets(struct dns_resolver *r)
{
	if (r->holding != NULL)
		release(r->holding, loop_now(r->env.loop));
}

static void
on_timer(struct timer *t, mono_us now)
{
	release((struct dns_holding *)((char *)t - offsetof(struct dns_holding, timer)), now);
}

bool
dns_resolver_hold(struct dns_resolver *r, const struct dns_asker *from, const struct dns_query *q,
    struct span reply)
{
	struct dns_holding *h = r->holding;
	uint64_t ticket;
	struct held *one = NULL;

	if (r->addrsets == NULL)
		return false;
	ticket = dns_addrsets_note(r->addrsets, dns_query_name(q), reply, from->now);
	if (ticket <= dns_addrsets_settled(r->addrsets))
		return false;
	if (h != NULL)
		one = TAILQ_FIRST(reply.len <= DNS_UDP_SIZE ? &h->free_short : &h->free_long);
	if (one == NULL || (one->rq = dns_request_try(&r->pool, q, from)) == NULL) {
		if (h != NULL)
			h->unheld++;
		return false;
	}
	TAILQ_REMOVE(one->home, one, link);
	TAILQ_INSERT_TAIL(&h->held, one, link);
	one->rq->held = one;
	one->ticket = ticket;
	one->until = from->now + PATIENCE;
	one->len = reply.len;
	memcpy(one->room + 2, reply.at, reply.len);
	h->count++;
	if (!timer_running(&h->timer))
		loop_timer(r->env.loop, &h->timer, one->until);
	return true;
}

/* --- life ------------------------------------------------------------------------------------- */

static void
add_place(struct held *one, struct held_list *home, uint8_t *room)
{
	one->home = home;
	one->room = room;
	TAILQ_INSERT_TAIL(home, one, link);
}

void
dns_resolver_set_addrsets(struct dns_resolver *r, struct dns_addrsets *sets)
{
	struct dns_holding *h = r->holding;

	r->addrsets = sets;
	if (sets == NULL || h != NULL) {
		dns_resolver_note_addrsets(r);
		return;
	}
	/* Without memory for it nothing is held. */
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return;
	h->r = r;
	h->timer.fire = on_timer;
	TAILQ_INIT(&h->held);
	TAILQ_INIT(&h->free_short);
	TAILQ_INIT(&h->free_long);
	for (size_t i = 0; i < SHORT_MAX; i++)
		add_place(&h->all[i], &h->free_short, h->short_rooms[i]);
	for (size_t i = 0; i < LONG_MAX; i++)
		add_place(&h->all[SHORT_MAX + i], &h->free_long, h->long_rooms[i]);
	r->holding = h;
}

void
dns_resolver_hold_none(struct dns_resolver *r)
{
	if (r->holding != NULL)
		loop_timer_cancel(r->env.loop, &r->holding->timer);
	free(r->holding);
}

void
dns_resolver_report_held(const struct dns_resolver *r, struct report *out)
{
	const struct dns_holding *h = r->holding;

	if (h == NULL)
		return;
	report_u64(out, "answers_held", h->count);
	report_u64(out, "held_too_long", h->impatient);
	report_u64(out, "not_held", h->unheld);
}
