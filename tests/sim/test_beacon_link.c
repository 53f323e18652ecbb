/* SPDX-License-Identifier: MIT */
/* Announcers and subscribers over a link that loses, repeats and reorders. */
#include "sim/beacon_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/unit.h"

static struct net net;
static struct net_keys keys;

/* 1000 events at about 50 a second; gives the time for the last repairs as well. */
static void
a_thousand_events(struct net_node *sender)
{
	for (unsigned i = 0; i < 1000; i++) {
		net_event(sender, i);
		net_run(&net, millis(20));
	}
	net_run(&net, seconds(45));
}

static void
at_ten_percent_loss_every_event_arrives_once(void)
{
	net_begin(&net, &keys, 1);
	net.loss = 10;
	net.repeat = 5;
	net.delay_max = 30000;	/* reorders */

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r[3];

	for (size_t k = 0; k < 3; k++)
		r[k] = net_add_receiver(&net, &keys.group, &keys.trust, true);
	net_run(&net, seconds(7));
	a_thousand_events(a);
	for (size_t k = 0; k < 3; k++) {
		unsigned wrong = 0;

		for (unsigned i = 0; i < 1000; i++)
			wrong += r[k]->events[i] != 1;
		CU_ASSERT_EQUAL(wrong, 0);
		CU_ASSERT_EQUAL(r[k]->event_count, 1000);
		CU_ASSERT_EQUAL(r[k]->unconfirmed, 0);
	}
	net_end(&net, &keys);
}

static void
at_thirty_percent_loss_nothing_is_lost_silently(void)
{
	net_begin(&net, &keys, 2);
	net.loss = 30;
	net.delay_max = 30000;

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r[3];
	unsigned missing = 0;

	for (size_t k = 0; k < 3; k++)
		r[k] = net_add_receiver(&net, &keys.group, &keys.trust, true);
	net_run(&net, seconds(10));
	a_thousand_events(a);
	net_run(&net, seconds(60));
	for (size_t k = 0; k < 3; k++) {
		for (unsigned i = 0; i < 1000; i++) {
			CU_ASSERT(r[k]->events[i] <= 1);
			if (r[k]->events[i] == 1)
				continue;
			missing++;
			CU_ASSERT_TRUE(net_reported(r[k], 1, a->event_seq[i]));
		}
	}
	printf("missing at 30 %%: %u of 3000\n", missing);
	net_end(&net, &keys);
}

/* No copies reach the subscriber while it is cut off, and the ring has moved on afterwards. */
static void
what_cannot_be_repaired_is_reported(void)
{
	net_begin(&net, &keys, 3);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	net_run(&net, seconds(3));
	net_event(a, 0);
	net_run(&net, seconds(3));
	r->off = true;
	net_event(a, 1);
	net_run(&net, seconds(80));
	r->off = false;
	net_event(a, 2);
	net_run(&net, seconds(40));
	CU_ASSERT_EQUAL(r->events[0], 1);
	CU_ASSERT_EQUAL(r->events[1], 0);
	CU_ASSERT_EQUAL(r->events[2], 1);
	CU_ASSERT_TRUE(net_reported(r, 1, a->event_seq[1]));
	net_end(&net, &keys);
}

/* Nothing follows the lost event but the digest that closes the row. */
static void
the_loss_of_the_last_event_is_noticed(void)
{
	net_begin(&net, &keys, 4);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	net_run(&net, seconds(3));
	r->off = true;
	net_event(a, 7);
	net_run(&net, millis(2500));	/* all copies are over */
	r->off = false;
	net_run(&net, seconds(2));
	CU_ASSERT_EQUAL(r->events[7], 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	net_end(&net, &keys);
}

static void
a_late_joiner_has_all_state_within_a_second(void)
{
	net_begin(&net, &keys, 5);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	char value[16];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(value, sizeof(value), "v%u", i);
		net_state(a, i, value);
	}
	net_run(&net, seconds(12));

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, false);
	mono_us joined = net.now;

	while (r->states < 40 && net.now - joined < seconds(5))
		net_step(&net);
	printf("40 states after %lld ms\n", (long long)((net.now - joined) / 1000));
	CU_ASSERT(net.now - joined < seconds(1));
	for (unsigned i = 0; i < 40; i++) {
		snprintf(value, sizeof(value), "v%u", i);
		CU_ASSERT_STRING_EQUAL(r->state[i], value);
	}
	CU_ASSERT_EQUAL(r->unconfirmed, 0);
	net_end(&net, &keys);
}

static void
two_hundred_states_on_six_pages_all_arrive(void)
{
	net_begin(&net, &keys, 6);
	net.loss = 10;

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	for (unsigned i = 0; i < 200; i++)
		net_state(a, i, "x");
	net_run(&net, seconds(60));
	CU_ASSERT_EQUAL(r->states, 200);
	CU_ASSERT_EQUAL(r->withdrawals, 0);
	net_end(&net, &keys);
}

static void
the_states_of_a_sender_are_capped_and_that_is_counted(void)
{
	char topic[16];
	enum err e = OK;

	net_begin(&net, &keys, 16);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct beacon_when now = net_when(a);

	for (unsigned i = 0; e == OK; i++) {
		snprintf(topic, sizeof(topic), "t%u", i);
		e = beacon_sender_publish(a->sender, &now, span_str(topic), BEACON_CTYPE_OPAQUE,
		    span_str("x"), 0);
	}
	CU_ASSERT_EQUAL(e, ERR_FULL);
	CU_ASSERT_EQUAL(beacon_sender_count(a->sender), BEACON_ITEMS_MAX);
	CU_ASSERT_EQUAL(beacon_sender_stats(a->sender)->states_refused, 1);
	net_end(&net, &keys);
}

static void
states_change_once_and_go_when_withdrawn(void)
{
	net_begin(&net, &keys, 7);
	net.loss = 20;
	net.delay_max = 40000;

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct beacon_when now;

	net_run(&net, seconds(6));
	net_state(a, 1, "open");
	net_run(&net, seconds(70));
	CU_ASSERT_STRING_EQUAL(r->state[1], "open");
	CU_ASSERT_EQUAL(r->states, 1);
	net_state(a, 1, "closed");
	net_run(&net, seconds(70));
	CU_ASSERT_STRING_EQUAL(r->state[1], "closed");
	CU_ASSERT_EQUAL(r->states, 2);
	now = net_when(a);
	CU_ASSERT_EQUAL(beacon_sender_withdraw(a->sender, &now, span_str("t1")), OK);
	a->wake_at = net.now;
	net_run(&net, seconds(10));
	CU_ASSERT_STRING_EQUAL(r->state[1], "");
	CU_ASSERT_EQUAL(r->withdrawals, 1);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "withdrawn");
	net_end(&net, &keys);
}

static void
a_missed_withdrawal_shows_in_the_next_listing(void)
{
	net_begin(&net, &keys, 8);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct beacon_when now;

	net_state(a, 1, "x");
	net_state(a, 2, "y");
	net_run(&net, seconds(6));
	r->off = true;
	now = net_when(a);
	CU_ASSERT_EQUAL(beacon_sender_withdraw(a->sender, &now, span_str("t1")), OK);
	a->wake_at = net.now;
	net_run(&net, seconds(70));	/* and it is out of the ring */
	r->off = false;
	net_run(&net, seconds(40));
	CU_ASSERT_STRING_EQUAL(r->state[1], "");
	CU_ASSERT_STRING_EQUAL(r->state[2], "y");
	CU_ASSERT_STRING_EQUAL(r->last_reason, "unlisted");
	net_end(&net, &keys);
}

static void
states_of_a_silent_sender_expire(void)
{
	net_begin(&net, &keys, 9);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	net_state(a, 1, "x");
	net_run(&net, seconds(6));
	a->off = true;
	net_run(&net, seconds(80));
	CU_ASSERT_STRING_EQUAL(r->state[1], "x");
	net_run(&net, seconds(40));
	CU_ASSERT_STRING_EQUAL(r->state[1], "");
	CU_ASSERT_STRING_EQUAL(r->last_reason, "expired");
	net_end(&net, &keys);
}

/* A lid is closed for eight hours; meanwhile things happen, and somebody records. */
static void
a_subscriber_that_has_slept_catches_up_at_once(void)
{
	net_begin(&net, &keys, 14);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct beacon_when now;
	mono_us woke;

	net_state(a, 1, "closed");
	net_state(a, 2, "x");
	net_run(&net, seconds(5));
	net_suspend(r);
	net_run(&net, seconds(3600));
	net.tapping = true;
	net_event(a, 1);
	net_run(&net, seconds(5));
	net.tapping = false;
	net_state(a, 1, "open");
	now = net_when(a);
	CU_ASSERT_EQUAL(beacon_sender_withdraw(a->sender, &now, span_str("t2")), OK);
	net_run(&net, seconds(7 * 3600));
	net_resume(r);
	/* First of all it hears what was recorded. */
	for (size_t i = 0; i < net.tap_count; i++)
		CU_ASSERT_NOT_EQUAL(net_inject(r, span_of(net.tap[i].bytes, net.tap[i].len)),
		    BEACON_C_ACCEPTED);
	woke = net.now;
	while ((strcmp(r->state[1], "open") != 0 || r->state[2][0] != '\0') &&
	       net.now - woke < seconds(10))
		net_step(&net);
	printf("caught up after %lld ms\n", (long long)((net.now - woke) / 1000));
	CU_ASSERT(net.now - woke < seconds(1));
	net_run(&net, seconds(20));
	CU_ASSERT_EQUAL(r->event_count, 0);	/* an hour old: not news any more, but not hidden */
	CU_ASSERT_TRUE(net_reported(r, 1, a->event_seq[1]));
	net_event(a, 2);
	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(r->events[2], 1);
	net_end(&net, &keys);
}

static void
a_sender_that_has_slept_is_heard_again_at_once(void)
{
	net_begin(&net, &keys, 15);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	mono_us woke;

	net_state(a, 1, "x");
	net_run(&net, seconds(5));
	net_suspend(a);
	net_run(&net, seconds(3600));
	CU_ASSERT_STRING_EQUAL(r->state[1], "");
	CU_ASSERT_STRING_EQUAL(r->last_reason, "expired");
	net_resume(a);
	woke = net.now;
	net_event(a, 1);
	while (r->event_count == 0 && net.now - woke < seconds(10))
		net_step(&net);
	printf("heard after %lld ms\n", (long long)((net.now - woke) / 1000));
	CU_ASSERT(net.now - woke < seconds(1));
	net_run(&net, seconds(20));
	CU_ASSERT_STRING_EQUAL(r->state[1], "x");
	CU_ASSERT_EQUAL(r->event_count, 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	net_end(&net, &keys);
}

static void
sixteen_kilobytes_arrive_in_fragments(void)
{
	static uint8_t big[BEACON_MESSAGE_MAX] = "3";

	net_begin(&net, &keys, 10);
	net.loss = 20;
	net.delay_max = 20000;

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct beacon_when now;

	net_run(&net, seconds(6));
	now = net_when(a);
	CU_ASSERT_EQUAL(beacon_sender_event(a->sender, &now, span_str("e"), 1,
	    span_of(big, sizeof(big)), 0), OK);
	CU_ASSERT_EQUAL(beacon_sender_publish(a->sender, &now, span_str("t3"), 1,
	    span_of(big, 4001), 0), OK);
	CU_ASSERT_EQUAL(beacon_sender_publish(a->sender, &now, span_str("t4"), 1,
	    span_of(big, sizeof(big) + 1), 0), ERR_RANGE);
	a->wake_at = net.now;
	net_run(&net, seconds(25));
	CU_ASSERT_EQUAL(r->event_count, 1);
	CU_ASSERT_EQUAL(r->states, 1);
	net_end(&net, &keys);
}

static void
twenty_lost_datagrams_make_few_requests(void)
{
	net_begin(&net, &keys, 11);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *r[5];
	uint64_t nacks = 0;

	for (size_t k = 0; k < 5; k++)
		r[k] = net_add_receiver(&net, &keys.group, &keys.trust, true);
	net_run(&net, seconds(3));
	for (size_t k = 0; k < 5; k++)
		r[k]->off = true;
	for (unsigned i = 0; i < 20; i++)
		net_event(a, i);
	net_run(&net, millis(2500));
	for (size_t k = 0; k < 5; k++)
		r[k]->off = false;
	net_run(&net, seconds(10));
	for (size_t k = 0; k < 5; k++) {
		CU_ASSERT_EQUAL(r[k]->event_count, 20);
		nacks += beacon_receiver_count(r[k]->receiver, BEACON_C_NACKS);
	}
	printf("requests of five subscribers: %llu\n", (unsigned long long)nacks);
	CU_ASSERT(nacks <= 5);		/* one asks, most hear it */
	net_end(&net, &keys);
}

static void
the_carousel_keeps_within_its_bandwidth(void)
{
	static uint8_t kilobyte[1000] = "1";

	net_begin(&net, &keys, 12);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct beacon_when now = net_when(a);
	char topic[16];
	uint64_t before;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(topic, sizeof(topic), "t%u", i);
		CU_ASSERT_EQUAL(beacon_sender_publish(a->sender, &now, span_str(topic), 1,
		    span_of(kilobyte, sizeof(kilobyte)), 0), OK);
	}
	a->wake_at = net.now;
	net_run(&net, seconds(60));
	before = net.sent_bytes;
	net_run(&net, seconds(600));
	printf("carousel: %llu bit/s\n", (unsigned long long)((net.sent_bytes - before) * 8 / 600));
	CU_ASSERT((net.sent_bytes - before) * 8 / 600 < 20000);
	net_end(&net, &keys);
}

UNIT_MAIN("beacon_link", UNIT(at_ten_percent_loss_every_event_arrives_once),
    UNIT(at_thirty_percent_loss_nothing_is_lost_silently),
    UNIT(what_cannot_be_repaired_is_reported), UNIT(the_loss_of_the_last_event_is_noticed),
    UNIT(a_late_joiner_has_all_state_within_a_second),
    UNIT(two_hundred_states_on_six_pages_all_arrive),
    UNIT(the_states_of_a_sender_are_capped_and_that_is_counted),
    UNIT(states_change_once_and_go_when_withdrawn),
    UNIT(a_missed_withdrawal_shows_in_the_next_listing), UNIT(states_of_a_silent_sender_expire),
    UNIT(a_subscriber_that_has_slept_catches_up_at_once),
    UNIT(a_sender_that_has_slept_is_heard_again_at_once),
    UNIT(sixteen_kilobytes_arrive_in_fragments), UNIT(twenty_lost_datagrams_make_few_requests),
    UNIT(the_carousel_keeps_within_its_bandwidth))
