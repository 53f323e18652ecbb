/* SPDX-License-Identifier: MIT */
/* The policy of asking upstreams, on a virtual clock with servers played by the test. */
#include "services/dns/dns_forward.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"

#define FLIGHTS 16

struct server {
	struct dns_health health;
	unsigned sends;
	struct dns_try *last;
};

struct play {
	struct dns_forward *fw;
	struct dns_route route;
	struct dns_route known;		/* what move() has put in the route's place */
	struct dns_route *now_route;	/* what a flight would take now */
	struct server servers[4];
	mono_us now;
	unsigned cancels, slows, finished, served;
	bool send_fails;
	struct dns_outcome outcome;
	uint32_t random;
};

static struct dns_health
health(void *ctx, void *server)
{
	(void)ctx;
	return ((struct server *)server)->health;
}

static enum err
send_try(void *ctx, struct dns_try *t, void *server, mono_us deadline)
{
	struct play *p = ctx;
	struct server *sv = server;

	CU_ASSERT_TRUE(deadline > p->now);
	sv->sends++;
	sv->last = t;
	return p->send_fails ? ERR_NOMEM : OK;
}

static void
cancel(void *ctx, struct dns_try *t)
{
	(void)t;
	((struct play *)ctx)->cancels++;
}

static void
slow(void *ctx, struct dns_flight *f)
{
	(void)f;
	((struct play *)ctx)->slows++;
}

static void
finished(void *ctx, struct dns_flight *f, const struct dns_outcome *o)
{
	struct play *p = ctx;
	struct dns_waiter *w;

	p->finished++;
	p->outcome = *o;
	TAILQ_FOREACH(w, dns_flight_waiters(f), link)
		p->served++;
}

static uint32_t
next_random(void *ctx)
{
	return ((struct play *)ctx)->random;
}

static struct dns_route *
route_now(void *ctx, const struct dns_flight_key *key)
{
	(void)key;
	return ((struct play *)ctx)->now_route;
}

static const struct dns_forward_ops ops = {
	.health = health,
	.send = send_try,
	.cancel = cancel,
	.slow = slow,
	.finished = finished,
	.random = next_random,
	.route = route_now,
};

static void
begin_with(struct play *p, size_t servers, unsigned flights)
{
	*p = (struct play){ .now = seconds(100), .random = 1 };
	CU_ASSERT_EQUAL_FATAL(dns_forward_new(&p->fw, flights, &ops, p), OK);
	p->route.count = servers;
	for (size_t i = 0; i < servers; i++) {
		p->servers[i].health = (struct dns_health){ .timeout = millis(376),
			.srtt = millis(10 * (int64_t)(i + 1)) };
		p->route.servers[i] = &p->servers[i];
	}
}

static void
begin(struct play *p, size_t servers)
{
	begin_with(p, servers, FLIGHTS);
}

static struct dns_flight_key
key(const char *name, struct dns_name *room)
{
	struct dns_flight_key k = { .type = 1, .class = 1 };

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(room, span_str(name)), OK);
	k.name = dns_name_span(room);
	for (const char *c = name; *c != '\0'; c++)
		k.hash = k.hash * 31 + (uint8_t)*c;
	return k;
}

static enum err
ask(struct play *p, const char *name, struct dns_waiter *w)
{
	struct dns_name room;
	struct dns_flight_key k = key(name, &room);

	return dns_forward_ask(p->fw, &k, &p->route, w, p->now);
}

/* Let time pass; what becomes due on the way is done at its instant. */
static void
pass(struct play *p, usec t)
{
	mono_us end = p->now + t;

	for (;;) {
		mono_us next = dns_forward_wake(p->fw, p->now);

		if (next > end)
			break;
		CU_ASSERT_TRUE_FATAL(next > p->now);
		p->now = next;
	}
	p->now = end;
}

static void
answer(struct play *p, size_t server, enum dns_grade grade, uint16_t rcode)
{
	dns_forward_result(p->fw, p->servers[server].last, grade, rcode, span_str("answer"),
	    p->now);
}

static void
identical_questions_share_one_send(void)
{
	struct play p;
	struct dns_waiter w[50] = { 0 };

	begin(&p, 1);
	for (int i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(ask(&p, "example.org", &w[i]), OK);
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_EQUAL(p.served, 50);
	CU_ASSERT_EQUAL(p.finished, 1);
	CU_ASSERT_EQUAL(dns_forward_stats(p.fw)->joined, 49);
	CU_ASSERT_EQUAL(dns_forward_stats(p.fw)->flights, 0);
	dns_forward_free(p.fw);
}

static void
questions_that_differ_in_a_flag_are_apart(void)
{
	struct play p;
	struct dns_waiter w[4] = { 0 };
	struct dns_name room;
	struct dns_flight_key k = key("example.org", &room);

	begin(&p, 1);
	CU_ASSERT_EQUAL(dns_forward_ask(p.fw, &k, &p.route, &w[0], p.now), OK);
	k.dnssec_ok = true;
	CU_ASSERT_EQUAL(dns_forward_ask(p.fw, &k, &p.route, &w[1], p.now), OK);
	k.checking_disabled = true;
	CU_ASSERT_EQUAL(dns_forward_ask(p.fw, &k, &p.route, &w[2], p.now), OK);
	k.type = 28;
	CU_ASSERT_EQUAL(dns_forward_ask(p.fw, &k, &p.route, &w[3], p.now), OK);
	CU_ASSERT_EQUAL(p.servers[0].sends, 4);
	dns_forward_free(p.fw);
}

static void
the_fastest_server_is_asked_first_and_the_next_when_it_is_overdue(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 3);
	p.servers[2].health.srtt = millis(5);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	CU_ASSERT_EQUAL(p.servers[2].sends, 1);
	pass(&p, millis(375));
	CU_ASSERT_EQUAL(p.servers[0].sends, 0);
	pass(&p, millis(2));
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_GOOD);
	CU_ASSERT_PTR_EQUAL(p.outcome.server, &p.servers[0]);
	CU_ASSERT_EQUAL(p.cancels, 1);	/* the slow one */
	dns_forward_free(p.fw);
}

static void
a_silent_server_comes_after_a_healthy_one_however_fast_it_was(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 2);
	p.servers[0].health.rank = DNS_RANK_SILENT;
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	CU_ASSERT_EQUAL(p.servers[0].sends, 0);
	CU_ASSERT_EQUAL(p.servers[1].sends, 1);
	dns_forward_free(p.fw);
}

static void
a_bad_answer_moves_on_at_once_and_a_good_one_beats_it(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 2);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	answer(&p, 0, DNS_GRADE_BAD, 2);
	CU_ASSERT_EQUAL(p.finished, 0);
	CU_ASSERT_EQUAL(p.servers[1].sends, 1);
	answer(&p, 1, DNS_GRADE_GOOD, 0);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_GOOD);
	dns_forward_free(p.fw);
}

static void
a_bad_answer_is_given_only_after_all_were_asked(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 2);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	answer(&p, 0, DNS_GRADE_BAD, 5);
	pass(&p, millis(1000));		/* the second is silent, and asked a second time */
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);	/* who has answered is not asked again */
	CU_ASSERT_EQUAL(p.servers[1].sends, 2);
	CU_ASSERT_EQUAL(p.finished, 0);
	pass(&p, DNS_FORWARD_DEADLINE);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_BAD);
	CU_ASSERT_EQUAL(p.outcome.rcode, 5);
	dns_forward_free(p.fw);
}

static void
silence_ends_at_the_deadline_after_a_bounded_number_of_sends(void)
{
	struct play p;
	struct dns_waiter w = { 0 };
	unsigned sends = 0;

	begin(&p, 4);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	pass(&p, DNS_FORWARD_DEADLINE - 1);
	CU_ASSERT_EQUAL(p.finished, 0);
	CU_ASSERT_EQUAL(p.slows, 1);
	pass(&p, 1);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_SILENT);
	CU_ASSERT_EQUAL(p.served, 1);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_TRUE(p.servers[i].sends <= DNS_FORWARD_PER_SERVER);
		sends += p.servers[i].sends;
	}
	CU_ASSERT_EQUAL(sends, DNS_FORWARD_TRIES);
	CU_ASSERT_EQUAL(p.cancels, DNS_FORWARD_TRIES);
	dns_forward_free(p.fw);
}

static void
unreachable_servers_end_it_without_waiting(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 2);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	answer(&p, 0, DNS_GRADE_NONE, 0);
	answer(&p, 1, DNS_GRADE_NONE, 0);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_SILENT);
	CU_ASSERT_EQUAL(p.outcome.took, 0);
	dns_forward_free(p.fw);
}

static void
no_server_at_all_ends_it_inside_the_call(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 0);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	CU_ASSERT_EQUAL(p.finished, 1);
	CU_ASSERT_PTR_NULL(w.flight);
	dns_forward_free(p.fw);
	begin(&p, 2);
	p.send_fails = true;
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	CU_ASSERT_EQUAL(p.finished, 1);
	CU_ASSERT_EQUAL(p.route.flights, 0);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_SILENT);
	dns_forward_free(p.fw);
}

static void
who_asks_is_not_asked(void)
{
	struct play p;
	struct dns_waiter w = { 0 };
	struct dns_name room;
	struct dns_flight_key k = key("loop.example", &room);

	begin(&p, 2);
	k.exclude = 1u << 0;
	CU_ASSERT_EQUAL(dns_forward_ask(p.fw, &k, &p.route, &w, p.now), OK);
	CU_ASSERT_EQUAL(p.route.flights, 1);
	pass(&p, seconds(2));
	CU_ASSERT_EQUAL(p.servers[0].sends, 0);
	CU_ASSERT_EQUAL(p.servers[1].sends, 2);
	dns_forward_free(p.fw);
}

static void
a_full_table_gives_up_its_oldest_flight_but_not_young_ones(void)
{
	static struct dns_waiter w[FLIGHTS + 2];
	struct play p;
	char name[16];

	begin(&p, 1);
	for (int i = 0; i < FLIGHTS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CU_ASSERT_EQUAL(ask(&p, name, &w[i]), OK);
	}
	CU_ASSERT_EQUAL(ask(&p, "young", &w[FLIGHTS]), ERR_FULL);
	CU_ASSERT_EQUAL(dns_forward_stats(p.fw)->refused, 1);
	pass(&p, DNS_FORWARD_YIELD_AFTER);
	CU_ASSERT_EQUAL(ask(&p, "late", &w[FLIGHTS + 1]), OK);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_EVICTED);
	CU_ASSERT_PTR_NULL(w[0].flight);
	CU_ASSERT_EQUAL(dns_forward_stats(p.fw)->flights, FLIGHTS);
	dns_forward_free(p.fw);
}

static void
who_leaves_is_not_served_and_the_flight_goes_on(void)
{
	struct play p;
	struct dns_waiter w[2] = { 0 };

	begin(&p, 1);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[0]), OK);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[1]), OK);
	dns_forward_leave(p.fw, &w[0]);
	dns_forward_leave(p.fw, &w[0]);	/* twice is harmless */
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_EQUAL(p.served, 1);
	dns_forward_free(p.fw);
}

static void
parallel_asks_all_at_once(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 3);
	p.route.strategy = DNS_STRATEGY_PARALLEL;
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(p.servers[i].sends, 1);
	answer(&p, 1, DNS_GRADE_GOOD, 0);
	CU_ASSERT_EQUAL(p.cancels, 2);
	dns_forward_free(p.fw);
}

static void
order_keeps_to_the_list(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin(&p, 2);
	p.route.strategy = DNS_STRATEGY_ORDER;
	p.servers[1].health.srtt = 1;
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	dns_forward_free(p.fw);
}

static void
who_joins_an_old_question_is_told_at_once_that_it_is_slow(void)
{
	struct play p;
	struct dns_waiter w[3] = { 0 };

	begin(&p, 1);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[0]), OK);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[1]), OK);
	CU_ASSERT_EQUAL(p.slows, 0);
	pass(&p, DNS_FORWARD_STALE_AFTER);
	CU_ASSERT_EQUAL(p.slows, 1);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[2]), OK);
	CU_ASSERT_EQUAL(p.slows, 2);
	dns_forward_free(p.fw);
}

static void
what_is_due_at_once_is_done_in_parts(void)
{
	enum { MANY = 1000, PART = 100 };
	static struct dns_waiter w[MANY];
	struct play p;
	char name[16];
	unsigned calls = 0, before;

	begin_with(&p, 1, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CU_ASSERT_EQUAL(ask(&p, name, &w[i]), OK);
	}
	p.now += DNS_FORWARD_DEADLINE;
	do {
		before = p.finished;
		calls++;
	} while (dns_forward_wake(p.fw, p.now) <= p.now && p.finished - before <= PART);
	CU_ASSERT_TRUE(calls >= MANY / PART);
	CU_ASSERT_EQUAL(p.finished, MANY);
	dns_forward_free(p.fw);
}

/* So many of the servers are known, others are to come. */
static void
begin_pending(struct play *p, size_t servers, size_t known)
{
	begin(p, servers);
	p->route.count = known;
	p->route.pending = true;
}

/* The route is replaced by one with these servers, in this order; its flights move. */
static void
move(struct play *p, size_t count, const size_t *order)
{
	p->known = (struct dns_route){ .count = count };
	for (size_t i = 0; i < count; i++)
		p->known.servers[i] = &p->servers[order[i]];
	p->now_route = &p->known;
	dns_forward_reroute(p->fw, p->now);
}

static void
a_question_waits_for_servers_that_are_not_known_yet(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin_pending(&p, 2, 0);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	pass(&p, seconds(2));
	CU_ASSERT_EQUAL(p.finished, 0);
	CU_ASSERT_EQUAL(p.slows, 1);	/* an old answer may be given meanwhile */
	move(&p, 2, (const size_t[]){ 1, 0 });
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	CU_ASSERT_EQUAL(p.route.flights, 0);
	CU_ASSERT_EQUAL(p.known.flights, 1);
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_PTR_EQUAL(p.outcome.server, &p.servers[0]);
	CU_ASSERT_EQUAL(p.known.flights, 0);
	dns_forward_free(p.fw);
}

static void
waiting_for_servers_ends_at_the_deadline_or_when_none_will_come(void)
{
	struct play p;
	struct dns_waiter w[2] = { 0 };

	begin_pending(&p, 0, 0);
	CU_ASSERT_EQUAL(ask(&p, "a", &w[0]), OK);
	pass(&p, DNS_FORWARD_DEADLINE);
	CU_ASSERT_EQUAL(p.finished, 1);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_SILENT);
	CU_ASSERT_EQUAL(ask(&p, "b", &w[1]), OK);
	CU_ASSERT_EQUAL(p.finished, 1);
	move(&p, 0, NULL);
	CU_ASSERT_EQUAL(p.finished, 2);
	CU_ASSERT_EQUAL(p.known.flights, 0);
	dns_forward_free(p.fw);
}

static void
a_question_that_moves_remembers_whom_it_has_asked(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin_pending(&p, 3, 2);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	answer(&p, 0, DNS_GRADE_BAD, 5);
	answer(&p, 1, DNS_GRADE_BAD, 2);
	CU_ASSERT_EQUAL(p.finished, 0);
	move(&p, 3, (const size_t[]){ 2, 1, 0 });
	CU_ASSERT_EQUAL(p.servers[2].sends, 1);
	answer(&p, 2, DNS_GRADE_NONE, 0);
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	CU_ASSERT_EQUAL(p.servers[1].sends, 1);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_BAD);
	CU_ASSERT_EQUAL(p.outcome.rcode, 2);
	CU_ASSERT_PTR_EQUAL(p.outcome.server, &p.servers[1]);
	dns_forward_free(p.fw);
}

static void
a_question_stays_where_a_server_that_it_has_asked_is_gone(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin_pending(&p, 2, 1);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	move(&p, 1, (const size_t[]){ 1 });
	CU_ASSERT_EQUAL(p.route.flights, 1);
	CU_ASSERT_EQUAL(p.known.flights, 0);
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_PTR_EQUAL(p.outcome.server, &p.servers[0]);
	dns_forward_free(p.fw);
}

static void
the_server_that_is_awaited_is_not_asked_again_by_a_move(void)
{
	struct play p;
	struct dns_waiter w = { 0 };

	begin_pending(&p, 2, 1);
	p.servers[1].health.srtt = millis(1);
	CU_ASSERT_EQUAL(ask(&p, "a", &w), OK);
	move(&p, 2, (const size_t[]){ 1, 0 });
	CU_ASSERT_EQUAL(p.servers[0].sends, 1);
	CU_ASSERT_EQUAL(p.servers[1].sends, 0);
	pass(&p, millis(400));
	CU_ASSERT_EQUAL(p.servers[1].sends, 1);
	answer(&p, 0, DNS_GRADE_GOOD, 0);
	CU_ASSERT_PTR_EQUAL(p.outcome.server, &p.servers[0]);
	CU_ASSERT_EQUAL(p.cancels, 1);
	dns_forward_free(p.fw);
}

static void
a_flood_below_one_zone_takes_no_place_from_others(void)
{
	static struct dns_waiter w[FLIGHTS + 4];
	struct play p;
	char name[32];

	begin(&p, 1);
	for (int i = 0; i < FLIGHTS; i++) {
		snprintf(name, sizeof(name), "r%d.flooded.example", i);
		CU_ASSERT_EQUAL(ask(&p, name, &w[i]), OK);
	}
	CU_ASSERT_EQUAL(ask(&p, "more.flooded.example", &w[FLIGHTS]), ERR_FULL);
	CU_ASSERT_EQUAL(ask(&p, "www.other.example", &w[FLIGHTS]), OK);
	CU_ASSERT_EQUAL(p.outcome.kind, DNS_OUTCOME_EVICTED);
	CU_ASSERT_PTR_NULL(w[0].flight);
	CU_ASSERT_EQUAL(ask(&p, "flooded.example", &w[FLIGHTS + 1]), ERR_FULL);
	/* Its own old ones still make room for it. */
	pass(&p, DNS_FORWARD_YIELD_AFTER);
	CU_ASSERT_EQUAL(ask(&p, "late.flooded.example", &w[FLIGHTS + 1]), OK);
	CU_ASSERT_PTR_NULL(w[1].flight);
	CU_ASSERT_PTR_NOT_NULL(w[FLIGHTS].flight);
	dns_forward_free(p.fw);
}

static void
a_zone_that_has_its_share_does_not_push_out_others(void)
{
	static struct dns_waiter w[FLIGHTS + 1];
	struct play p;
	char name[32];

	begin(&p, 1);
	for (int i = 0; i < FLIGHTS; i++) {
		snprintf(name, sizeof(name),
		    i < FLIGHTS / 2 ? "n.old%d.example" : "n%d.flooded.example", i);
		CU_ASSERT_EQUAL(ask(&p, name, &w[i]), OK);
	}
	pass(&p, DNS_FORWARD_YIELD_AFTER);
	CU_ASSERT_EQUAL(ask(&p, "more.flooded.example", &w[FLIGHTS]), ERR_FULL);
	CU_ASSERT_PTR_NOT_NULL(w[0].flight);
	CU_ASSERT_EQUAL(ask(&p, "www.other.example", &w[FLIGHTS]), OK);
	CU_ASSERT_PTR_NULL(w[0].flight);
	dns_forward_free(p.fw);
}

static void
one_zone_may_fill_the_largest_table_and_is_still_counted(void)
{
	static struct dns_waiter w[65536 + 1];
	struct play p;
	char name[32];

	begin_with(&p, 1, 65536);
	for (int i = 0; i < 65536; i++) {
		snprintf(name, sizeof(name), "r%d.flooded.example", i);
		CU_ASSERT_EQUAL(ask(&p, name, &w[i]), OK);
	}
	CU_ASSERT_EQUAL(ask(&p, "www.other.example", &w[65536]), OK);
	dns_forward_free(p.fw);
}

UNIT_MAIN("dns_forward", UNIT(identical_questions_share_one_send),
    UNIT(questions_that_differ_in_a_flag_are_apart),
    UNIT(the_fastest_server_is_asked_first_and_the_next_when_it_is_overdue),
    UNIT(a_silent_server_comes_after_a_healthy_one_however_fast_it_was),
    UNIT(a_bad_answer_moves_on_at_once_and_a_good_one_beats_it),
    UNIT(a_bad_answer_is_given_only_after_all_were_asked),
    UNIT(silence_ends_at_the_deadline_after_a_bounded_number_of_sends),
    UNIT(unreachable_servers_end_it_without_waiting),
    UNIT(no_server_at_all_ends_it_inside_the_call), UNIT(who_asks_is_not_asked),
    UNIT(a_full_table_gives_up_its_oldest_flight_but_not_young_ones),
    UNIT(who_leaves_is_not_served_and_the_flight_goes_on), UNIT(parallel_asks_all_at_once),
    UNIT(order_keeps_to_the_list), UNIT(what_is_due_at_once_is_done_in_parts),
    UNIT(a_flood_below_one_zone_takes_no_place_from_others),
    UNIT(one_zone_may_fill_the_largest_table_and_is_still_counted),
    UNIT(a_zone_that_has_its_share_does_not_push_out_others),
    UNIT(who_joins_an_old_question_is_told_at_once_that_it_is_slow),
    UNIT(a_question_waits_for_servers_that_are_not_known_yet),
    UNIT(waiting_for_servers_ends_at_the_deadline_or_when_none_will_come),
    UNIT(a_question_that_moves_remembers_whom_it_has_asked),
    UNIT(a_question_stays_where_a_server_that_it_has_asked_is_gone),
    UNIT(the_server_that_is_awaited_is_not_asked_again_by_a_move))
