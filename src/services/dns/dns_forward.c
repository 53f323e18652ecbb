/* SPDX-License-Identifier: MIT */
/*
 * The table of questions in flight and the policy of asking: best server first, the next one when
 * it is overdue or says something bad, a good answer beats a bad one beats silence, never more
 * than six sends, never twice to a server that has answered.
 *
 * Timing: each flight has one timer in a heap of this table; the caller is told the earliest.
 * Invariant: a flight is in its hash chain, in `young` order and counted, or it is free.
 */
#include "services/dns/dns_forward.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/timer.h"

#define EXPLORE_ONE_IN 50	/* how often FASTEST asks another server, to learn its round trip */
#define WAKE_BUDGET	64	/* flights looked at in one call: thousands may be due at once */
#define ZONES		4096	/* a power of two */
#define ZONE_SHARE	4	/* part of a full table that one zone may have */
#define NO_SERVER	UINT8_MAX

struct dns_flight {
	struct timer timer;
	struct dns_forward *fw;
	struct dns_flight_key key;
	struct dns_route *route;
	struct dns_waiters waiters;
	mono_us asked;
	mono_us next_at;		/* the server asked last is overdue then */
	bool told_slow;
	bool ending;
	uint16_t bad_rcode;
	uint16_t zone;			/* its number */
	uint8_t bad_server;		/* NO_SERVER: none has said anything bad */
	/* bit per server: has answered, failed, or must not be asked */
	uint32_t done;
	uint8_t sends;
	uint8_t sent_to[DNS_ROUTE_SERVERS_MAX];
	struct dns_try tries[DNS_FORWARD_TRIES];	/* from here on take_off() clears nothing */
	struct dns_name name;		/* what key.name shows */
	LIST_ENTRY(dns_flight) chain;	/* in its hash bucket */
	TAILQ_ENTRY(dns_flight) age;	/* in use: oldest first; free: the free list */
};

TAILQ_HEAD(flight_list, dns_flight);
LIST_HEAD(flight_chain, dns_flight);

struct dns_forward {
	const struct dns_forward_ops *ops;
	void *ctx;
	struct timer_heap timers;
	struct dns_flight *flights;
	unsigned count;			/* of these; */
	/* the others have never been used: their memory is not there yet */
	unsigned touched;
	struct flight_chain *chains;
	size_t chain_mask;
	struct flight_list by_age;
	struct flight_list free;
	uint32_t zone_seed;		/* secret, so that nobody aims at another zone's count */
	/* flights of each zone; zones of one number count together */
	uint32_t zones[ZONES];
	struct dns_forward_stats stats;
};

static void flight_due(struct timer *t, mono_us now);

enum err
dns_forward_new(struct dns_forward **out, unsigned flights_max, const struct dns_forward_ops *ops,
    void *ctx)
{
	struct dns_forward *fw = calloc(1, sizeof(*fw));
	size_t chains = 16;

	if (fw == NULL)
		return ERR_NOMEM;
	while (chains < flights_max)
		chains *= 2;
	fw->ops = ops;
	fw->ctx = ctx;
	fw->chain_mask = chains - 1;
	fw->count = flights_max;
	fw->zone_seed = ops->random(ctx);
	fw->flights = calloc(flights_max, sizeof(*fw->flights));
	fw->chains = calloc(chains, sizeof(*fw->chains));
	timer_heap_init(&fw->timers);
	if (fw->flights == NULL || fw->chains == NULL ||
	    timer_heap_reserve(&fw->timers, flights_max) != OK) {
		dns_forward_free(fw);
		return ERR_NOMEM;
	}
	TAILQ_INIT(&fw->by_age);
	TAILQ_INIT(&fw->free);
	*out = fw;
	return OK;
}

void
dns_forward_free(struct dns_forward *fw)
{
	if (fw == NULL)
		return;
	timer_heap_fini(&fw->timers);
	free(fw->flights);
	free(fw->chains);
	free(fw);
}

static struct flight_chain *
chain_of(struct dns_forward *fw, const struct dns_flight_key *key)
{
	return &fw->chains[(key->hash ^ key->type) & fw->chain_mask];
}

static bool
key_equal(const struct dns_flight_key *a, const struct dns_flight_key *b)
{
	return a->hash == b->hash && a->type == b->type && a->class == b->class &&
	    a->route == b->route && a->dnssec_ok == b->dnssec_ok &&
	    a->checking_disabled == b->checking_disabled && a->tcp == b->tcp &&
	    a->exclude == b->exclude && span_equal(a->name, b->name);
}

static struct dns_flight *
find(struct dns_forward *fw, const struct dns_flight_key *key)
{
	struct dns_flight *f;

	LIST_FOREACH(f, chain_of(fw, key), chain)
		if (key_equal(&f->key, key))
			return f;
	return NULL;
}

/* --- zones: whose names they are, near enough ------------------------------------------------- */

/* The number of a name's zone: of its last two labels. */
static uint16_t
zone_of(const struct dns_forward *fw, struct span zone)
{
	uint32_t h = fw->zone_seed;

	for (unsigned labels = dns_name_labels(zone); labels > 2; labels--)
		zone = dns_name_parent(zone);
	for (size_t i = 0; i < zone.len; i++)
		h = (h ^ zone.at[i]) * UINT32_C(0x01000193);
	return (uint16_t)((h ^ h >> 16) % ZONES);
}

/* The zone has more flights than it should when room is short. */
static bool
is_greedy(const struct dns_forward *fw, uint16_t zone)
{
	return fw->zones[zone] >= fw->count / ZONE_SHARE;
}

/* --- ending ----------------------------------------------------------------------------------- */

static void
finish(struct dns_flight *f, struct dns_outcome *o, mono_us now)
{
	struct dns_forward *fw = f->fw;
	struct dns_waiter *w;

	f->ending = true;
	timer_cancel(&fw->timers, &f->timer);
	LIST_REMOVE(f, chain);
	TAILQ_REMOVE(&fw->by_age, f, age);
	for (unsigned i = 0; i < f->sends; i++) {
		if (f->tries[i].open)
			fw->ops->cancel(fw->ctx, &f->tries[i]);
		f->tries[i].open = false;
	}
	fw->stats.flights--;
	fw->zones[f->zone]--;
	o->took = now - f->asked;
	o->sends = f->sends;
	TAILQ_FOREACH(w, &f->waiters, link)
		w->flight = NULL;
	fw->ops->finished(fw->ctx, f, o);
	f->route->flights--;
	TAILQ_INSERT_HEAD(&fw->free, f, age);
}

/* No server is left to ask and none is being waited for, or time is up. */
static void
finish_without_good(struct dns_flight *f, mono_us now)
{
	struct dns_outcome o = { .kind = DNS_OUTCOME_SILENT };

	if (f->bad_server != NO_SERVER) {
		o.kind = DNS_OUTCOME_BAD;
		o.rcode = f->bad_rcode;
		o.server = f->route->servers[f->bad_server];
		f->fw->stats.bad++;
	} else {
		f->fw->stats.silent++;
	}
	finish(f, &o, now);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool
may_ask(const struct dns_flight *f, size_t i)
{
	return (f->done & 1u << i) == 0 && f->sent_to[i] < DNS_FORWARD_PER_SERVER;
}

/* a is the better one to ask next: fewer sends in this flight, healthier, faster. */
static bool
better(const struct dns_flight *f, size_t a, const struct dns_health *ha, size_t b,
    const struct dns_health *hb)
{
	if (f->sent_to[a] != f->sent_to[b])
		return f->sent_to[a] < f->sent_to[b];
	if (ha->rank != hb->rank)
		return ha->rank < hb->rank;
	if (f->route->strategy == DNS_STRATEGY_ORDER)
		return a < b;
	return ha->srtt < hb->srtt;
}

/* Now and then a healthy server that is not the fastest, so that its estimate does not rot. */
static uint8_t
explore(struct dns_flight *f, uint8_t best)
{
	struct dns_forward *fw = f->fw;

	if (f->route->strategy != DNS_STRATEGY_FASTEST || f->sends != 0 || f->route->count < 2)
		return best;

	uint32_t draw = fw->ops->random(fw->ctx);

	if (draw % EXPLORE_ONE_IN != 0)
		return best;

	size_t other = draw / EXPLORE_ONE_IN % f->route->count;

	if (!may_ask(f, other) ||
	    fw->ops->health(fw->ctx, f->route->servers[other]).rank != DNS_RANK_UP)
		return best;
	return (uint8_t)other;
}

static uint8_t
choose(struct dns_flight *f)
{
	struct dns_forward *fw = f->fw;
	struct dns_health best_health = { 0 };
	uint8_t best = NO_SERVER;

	for (size_t i = 0; i < f->route->count; i++) {
		if (!may_ask(f, i))
			continue;

		struct dns_health h = fw->ops->health(fw->ctx, f->route->servers[i]);

		if (best == NO_SERVER || better(f, i, &h, best, &best_health)) {
			best = (uint8_t)i;
			best_health = h;
		}
	}
	return best == NO_SERVER ? best : explore(f, best);
}

static bool
any_open(const struct dns_flight *f)
{
	for (unsigned i = 0; i < f->sends; i++)
		if (f->tries[i].open)
			return true;
	return false;
}

static void
arm(struct dns_flight *f)
{
	mono_us at = mono_earlier(f->next_at, f->asked + DNS_FORWARD_DEADLINE);

	if (!f->told_slow)
		at = mono_earlier(at, f->asked + DNS_FORWARD_STALE_AFTER);
	timer_set(&f->fw->timers, &f->timer, at);
}

/* Ask the best server that may be asked. False where there is none. */
static bool
ask_next(struct dns_flight *f, mono_us now)
{
	struct dns_forward *fw = f->fw;
	uint8_t i;

	f->next_at = MONO_NEVER;
	while (f->sends < DNS_FORWARD_TRIES && (i = choose(f)) != NO_SERVER) {
		struct dns_try *t = &f->tries[f->sends++];
		struct dns_health h = fw->ops->health(fw->ctx, f->route->servers[i]);

		t->server = i;
		t->open = true;
		f->sent_to[i]++;
		fw->stats.sends++;
		fw->stats.retries += f->sends > 1;
		if (fw->ops->send(fw->ctx, t, f->route->servers[i],
			f->asked + DNS_FORWARD_DEADLINE) == OK) {
			f->next_at = now + h.timeout;
			return true;
		}
		t->open = false;
		f->done |= 1u << i;
	}
	return false;
}

/* Keep the flight going, or end it where nothing more can come. */
static void
go_on(struct dns_flight *f, mono_us now)
{
	if (!ask_next(f, now) && !any_open(f) && !f->route->pending)
		finish_without_good(f, now);
	else
		arm(f);
}

static void
flight_due(struct timer *t, mono_us now)
{
	struct dns_flight *f = (struct dns_flight *)t;

	if (now >= f->asked + DNS_FORWARD_DEADLINE) {
		finish_without_good(f, now);
		return;
	}
	if (!f->told_slow && now >= f->asked + DNS_FORWARD_STALE_AFTER) {
		f->told_slow = true;
		f->fw->ops->slow(f->fw->ctx, f);
	}
	if (now >= f->next_at)
		(void)ask_next(f, now);
	arm(f);
}

/*
 * Make room for a question of a zone: the oldest flight gives way where it is old enough to be half
 * dead, or its zone has more than its share; that a zone does not get more of. So who asks for
 * random names below a zone whose servers are dead takes no place from other names.
 */
static bool
evict_for(struct dns_forward *fw, uint16_t zone, mono_us now)
{
	struct dns_flight *f = TAILQ_FIRST(&fw->by_age);
	struct dns_outcome o = { .kind = DNS_OUTCOME_EVICTED };

	if (f == NULL || (is_greedy(fw, zone) && f->zone != zone))
		return false;
	if (now - f->asked < DNS_FORWARD_YIELD_AFTER &&
	    (f->zone == zone || !is_greedy(fw, f->zone)))
		return false;
	fw->stats.evicted++;
	finish(f, &o, now);
	return true;
}

static struct dns_flight *
take(struct dns_forward *fw)
{
	struct dns_flight *f = TAILQ_FIRST(&fw->free);

	if (f != NULL)
		TAILQ_REMOVE(&fw->free, f, age);
	else if (fw->touched < fw->count)
		f = &fw->flights[fw->touched++];
	return f;
}

static void
take_off(struct dns_forward *fw, struct dns_flight *f, const struct dns_flight_key *key,
    struct dns_route *route, mono_us now)
{
	memset(f, 0, offsetof(struct dns_flight, tries));
	f->timer.fire = flight_due;
	f->fw = fw;
	f->key = *key;
	dns_name_copy(&f->name, key->name);
	f->key.name = dns_name_span(&f->name);
	f->route = route;
	route->flights++;
	f->zone = zone_of(fw, f->key.name);
	fw->zones[f->zone]++;
	f->asked = now;
	f->next_at = MONO_NEVER;
	f->bad_server = NO_SERVER;
	f->done = key->exclude;
	TAILQ_INIT(&f->waiters);
	for (unsigned i = 0; i < DNS_FORWARD_TRIES; i++)
		f->tries[i] = (struct dns_try){ .flight = f,
			.index = (unsigned)(f - fw->flights) * DNS_FORWARD_TRIES + i };
	LIST_INSERT_HEAD(chain_of(fw, key), f, chain);
	TAILQ_INSERT_TAIL(&fw->by_age, f, age);
	if (++fw->stats.flights > fw->stats.flights_peak)
		fw->stats.flights_peak = fw->stats.flights;
}

enum err
dns_forward_ask(struct dns_forward *fw, const struct dns_flight_key *key,
    struct dns_route *route, struct dns_waiter *w, mono_us now)
{
	struct dns_flight *f = find(fw, key);
	bool fresh = f == NULL;

	assert(route->count <= DNS_ROUTE_SERVERS_MAX);
	if (fresh)
		f = take(fw);
	if (f == NULL && evict_for(fw, zone_of(fw, key->name), now))
		f = take(fw);
	if (f == NULL) {
		fw->stats.refused++;
		return ERR_FULL;
	}
	fw->stats.asked++;
	if (fresh)
		take_off(fw, f, key, route, now);
	else
		fw->stats.joined++;
	if (w != NULL) {
		w->flight = f;
		TAILQ_INSERT_TAIL(&f->waiters, w, link);
	}
	if (!fresh) {
		if (f->told_slow)
			fw->ops->slow(fw->ctx, f);
		return OK;
	}
	if (route->strategy == DNS_STRATEGY_PARALLEL)
		for (size_t i = 1; i < route->count; i++)
			(void)ask_next(f, now);
	go_on(f, now);
	return OK;
}

bool
dns_forward_has(struct dns_forward *fw, const struct dns_flight_key *key)
{
	return find(fw, key) != NULL;
}

/* --- results ---------------------------------------------------------------------------------- */

void
dns_forward_result(struct dns_forward *fw, struct dns_try *t, enum dns_grade grade, uint16_t rcode,
    struct span answer, mono_us now)
{
	struct dns_flight *f = t->flight;

	assert(t->open && !f->ending);
	t->open = false;
	if (grade == DNS_GRADE_GOOD) {
		struct dns_outcome o = { .kind = DNS_OUTCOME_GOOD, .rcode = rcode, .answer = answer,
			.server = f->route->servers[t->server] };

		fw->stats.good++;
		finish(f, &o, now);
		return;
	}
	if (grade == DNS_GRADE_BAD) {
		f->bad_rcode = rcode;
		f->bad_server = t->server;
	}
	f->done |= 1u << t->server;	/* it has had its say */
	go_on(f, now);
}

/* --- other routes ----------------------------------------------------------------------------- */

/*
 * Where the servers of a flight's route are in another one; false where one that it knows is not.
 */
static bool
find_places(uint8_t places[static DNS_ROUTE_SERVERS_MAX], const struct dns_flight *f,
    const struct dns_route *to)
{
	for (size_t i = 0; i < f->route->count; i++) {
		places[i] = NO_SERVER;
		for (size_t k = 0; k < to->count; k++)
			if (to->servers[k] == f->route->servers[i])
				places[i] = (uint8_t)k;
		if (places[i] == NO_SERVER && (f->sent_to[i] != 0 || (f->done & 1u << i) != 0))
			return false;
	}
	return true;
}

/* Bits by place, moved to the new places. */
static uint32_t
move_bits(uint32_t bits, const uint8_t *places, size_t count)
{
	uint32_t moved = 0;

	for (size_t i = 0; i < count; i++)
		if ((bits & 1u << i) != 0)
			moved |= 1u << places[i];
	return moved;
}

static bool
move(struct dns_flight *f, struct dns_route *to)
{
	uint8_t places[DNS_ROUTE_SERVERS_MAX], sent_to[DNS_ROUTE_SERVERS_MAX] = { 0 };
	size_t count = f->route->count;

	if (!find_places(places, f, to))
		return false;
	for (size_t i = 0; i < count; i++)
		if (f->sent_to[i] != 0)
			sent_to[places[i]] = f->sent_to[i];
	memcpy(f->sent_to, sent_to, sizeof(sent_to));
	f->done = move_bits(f->done, places, count);
	f->key.exclude = move_bits(f->key.exclude, places, count);
	if (f->bad_server != NO_SERVER)
		f->bad_server = places[f->bad_server];
	for (unsigned i = 0; i < f->sends; i++)
		f->tries[i].server = places[f->tries[i].server];
	f->route->flights--;
	f->route = to;
	to->flights++;
	return true;
}

void
dns_forward_reroute(struct dns_forward *fw, mono_us now)
{
	struct dns_flight *f, *next;

	for (f = TAILQ_FIRST(&fw->by_age); f != NULL; f = next) {
		next = TAILQ_NEXT(f, age);
		if (!f->route->pending)
			continue;

		struct dns_route *to = fw->ops->route(fw->ctx, &f->key);

		if (to == f->route || to->id != f->route->id || !move(f, to))
			continue;
		/* No server was left to ask next; now there may be one. */
		if (f->next_at == MONO_NEVER)
			go_on(f, now);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

mono_us
dns_forward_wake(struct dns_forward *fw, mono_us now)
{
	timer_heap_run(&fw->timers, now, WAKE_BUDGET);
	return timer_heap_next(&fw->timers);
}

void
dns_forward_leave(struct dns_forward *fw, struct dns_waiter *w)
{
	(void)fw;
	if (w->flight == NULL)
		return;
	TAILQ_REMOVE(&w->flight->waiters, w, link);
	w->flight = NULL;
}

const struct dns_flight_key *
dns_flight_key(const struct dns_flight *f)
{
	return &f->key;
}

const struct dns_route *
dns_flight_route(const struct dns_flight *f)
{
	return f->route;
}

struct dns_waiters *
dns_flight_waiters(struct dns_flight *f)
{
	return &f->waiters;
}

const struct dns_forward_stats *
dns_forward_stats(const struct dns_forward *fw)
{
	return &fw->stats;
}
