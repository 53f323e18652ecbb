/* SPDX-License-Identifier: MIT */
/*
 * Questions in flight: who waits for them, which upstream server is asked when, and when to give
 * up. An engine: it sends nothing and reads no clock, it says through dns_forward_ops what is to
 * be done.
 *
 *   asked --send--> WAITING --good answer----------------------------> finished GOOD
 *                     |  ^--bad answer or overdue: next server--'
 *                     |--every server tried, the last word was bad --> finished BAD
 *                     |--every server silent, or deadline -----------> finished SILENT
 *                     '--table full and this one the oldest ---------> finished EVICTED
 *
 * Identical questions share one flight, so that an attacker cannot multiply his chances
 * (CVE-2020-25686) and a home full of devices costs one packet.
 */
#ifndef SERVICES_DNS_FORWARD_H
#define SERVICES_DNS_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "services/dns/dns_name.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#define DNS_ROUTE_SERVERS_MAX	  16
#define DNS_FORWARD_TRIES	  6	/* sends per question at most */
#define DNS_FORWARD_PER_SERVER	  2	/* and of those to one server */
#define DNS_FORWARD_DEADLINE	  millis(4500)	/* the last word; dig gives up after 5 s */
#define DNS_FORWARD_STALE_AFTER	  millis(1800)	/* client timer, RFC 8767 §5 */
/* a flight this old gives way when the table is full */
#define DNS_FORWARD_YIELD_AFTER	  millis(200)

enum dns_strategy {
	DNS_STRATEGY_FASTEST,	/* lowest smoothed round trip first */
	DNS_STRATEGY_ORDER,	/* as listed */
	DNS_STRATEGY_PARALLEL,	/* all at once */
};

/* Where questions of one kind go. The servers are the edge's; the engine only hands them back. */
struct dns_route {
	uint16_t id;		/* part of the key: answers of one route serve no other */
	enum dns_strategy strategy;
	size_t count;
	bool pending;		/* more may come: a flight that finds none to ask waits for them */
	unsigned flights;	/* that use it now; counted by the engine */
	uint64_t origin;	/* the edge's: another one means that the settings name others */
	void *servers[DNS_ROUTE_SERVERS_MAX];
};

/* What makes two questions the same. */
struct dns_flight_key {
	uint64_t hash;		/* of the name, keyed */
	uint16_t type;
	uint16_t class;
	uint16_t route;
	bool dnssec_ok;
	bool checking_disabled;
	bool tcp;		/* asked over TCP: so are the upstreams (RFC 5625 §4.4.2) */
	/* bit i set: do not ask servers[i] of the route (it is the one who asks) */
	uint32_t exclude;
	struct span name;	/* in lower case; the flight has a copy of its own */
};

/* One who waits for an answer; embed it in what the answer is written for. */
struct dns_waiter {
	struct dns_flight *flight;	/* NULL when not waiting */
	TAILQ_ENTRY(dns_waiter) link;
};

TAILQ_HEAD(dns_waiters, dns_waiter);

enum dns_outcome_kind {
	DNS_OUTCOME_GOOD,	/* `answer` is the upstream's, NOERROR or NXDOMAIN */
	DNS_OUTCOME_BAD,	/* the best any server said was `rcode` */
	DNS_OUTCOME_SILENT,	/* no server answered */
	DNS_OUTCOME_EVICTED,	/* gave way, the table was full */
};

struct dns_outcome {
	enum dns_outcome_kind kind;
	uint16_t rcode;
	struct span answer;	/* valid during finished() */
	void *server;		/* who gave it; NULL for SILENT and EVICTED */
	usec took;		/* since the question was asked */
	unsigned sends;
};

struct dns_flight;

/*
 * One send of a flight. `index` is unique among all tries at work: the edge's place for its data.
 */
struct dns_try {
	struct dns_flight *flight;
	unsigned index;
	uint8_t server;		/* place in the route */
	bool open;
};

enum dns_server_rank {	/* lower is better */
	DNS_RANK_UP,
	DNS_RANK_SILENT,
	DNS_RANK_DOWN,
};

struct dns_health {
	enum dns_server_rank rank;
	usec srtt;		/* 0: not measured yet */
	usec timeout;		/* when to ask the next one as well */
};

/* All are called with the ctx given to dns_forward_new(). */
struct dns_forward_ops {
	struct dns_health (*health)(void *ctx, void *server);
	/*
	 * Send; the result comes through dns_forward_result(), later. Errors: it could not be sent.
	 */
	enum err (*send)(void *ctx, struct dns_try *t, void *server, mono_us deadline);
	/* Nobody waits for that send any more. */
	void (*cancel)(void *ctx, struct dns_try *t);
	/*
	 * The question is 1.8 s old and unanswered: who waits may be given a stale answer. The
	 * flight goes on and refreshes the cache. Called again for each who joins it later.
	 */
	void (*slow)(void *ctx, struct dns_flight *f);
	/* It is over. The waiters are the callee's now; f is gone when this returns. */
	void (*finished)(void *ctx, struct dns_flight *f, const struct dns_outcome *o);
	uint32_t (*random)(void *ctx);
	/* The route that a flight of that key would take now. */
	struct dns_route *(*route)(void *ctx, const struct dns_flight_key *key);
};

struct dns_forward_stats {
	uint64_t asked;		/* questions that needed an upstream */
	uint64_t joined;	/* of those, shared a flight that was there */
	uint64_t sends;
	uint64_t retries;	/* sends after the first of a flight */
	uint64_t good, bad, silent, evicted;
	uint64_t refused;	/* table full of young flights */
	unsigned flights;	/* now */
	unsigned flights_peak;
};

struct dns_forward;

/* flights_max: 16-65536. Errors: ERR_NOMEM. */
enum err dns_forward_new(struct dns_forward **out, unsigned flights_max,
    const struct dns_forward_ops *ops, void *ctx) MUST_CHECK;
/* finished() is not called for what is in flight: release the waiters before. */
void dns_forward_free(struct dns_forward *fw);

/*
 * Wait for an answer; joins the flight of the same question or starts one. finished() may be
 * called from inside, where nothing can be sent at all, and slow() where the flight is old.
 *
 * route    must stay as long as it has flights
 * w        NULL: nobody waits, refresh the cache (prefetch)
 * errors   ERR_FULL: too many in flight, all of them young, or too many of the question's zone
 */
enum err dns_forward_ask(struct dns_forward *fw, const struct dns_flight_key *key,
    struct dns_route *route, struct dns_waiter *w, mono_us now) MUST_CHECK;

/* The question is in flight. */
bool dns_forward_has(struct dns_forward *fw, const struct dns_flight_key *key);

enum dns_grade {
	DNS_GRADE_GOOD,		/* NOERROR or NXDOMAIN, well formed */
	DNS_GRADE_BAD,		/* another rcode, or an answer that makes no sense */
	DNS_GRADE_NONE,		/* time-out, unreachable */
};

/* What became of a try. answer and rcode count for GOOD and BAD. */
void dns_forward_result(struct dns_forward *fw, struct dns_try *t, enum dns_grade grade,
    uint16_t rcode, struct span answer, mono_us now);

/*
 * Routes that were pending have been replaced: what is in flight on them goes on with the new ones,
 * as long as those have every server that it has asked.
 */
void dns_forward_reroute(struct dns_forward *fw, mono_us now);

/*
 * Do what is due, a bounded part of it; gives when to call again (at once, where more is due), or
 * MONO_NEVER.
 */
mono_us dns_forward_wake(struct dns_forward *fw, mono_us now);

/* w waits no longer (its connection is gone). The flight goes on. */
void dns_forward_leave(struct dns_forward *fw, struct dns_waiter *w);

const struct dns_flight_key *dns_flight_key(const struct dns_flight *f);
const struct dns_route *dns_flight_route(const struct dns_flight *f);
struct dns_waiters *dns_flight_waiters(struct dns_flight *f);
const struct dns_forward_stats *dns_forward_stats(const struct dns_forward *fw);

#endif
