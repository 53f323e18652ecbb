/* SPDX-License-Identifier: MIT */
/* Replays, forgeries, restarts with wrong clocks, clones: what counts and what does not. */
#include "sim/beacon_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/announce/beacon_crypt.h"
#include "support/unit.h"

static struct net net;
static struct net_keys keys;

static struct net_node *
subscriber(void)
{
	return net_add_receiver(&net, &keys.group, &keys.trust, true);
}

/* An announcer that says a few things while the tap runs. */
static struct net_node *
record_some(void)
{
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice,
	    net_wall_ms(&(struct net_node){ .net = &net }));

	net.tapping = true;
	net_state(a, 1, "x");
	for (unsigned i = 0; i < 20; i++) {
		net_event(a, i);
		net_run(&net, millis(100));
	}
	net_run(&net, seconds(4));
	net.tapping = false;
	return a;
}

/* Play the tap to one node; gives how many datagrams were accepted. */
static unsigned
replay_to(struct net_node *node)
{
	unsigned accepted = 0;

	for (size_t i = 0; i < net.tap_count; i++)
		accepted += net_inject(node, span_of(net.tap[i].bytes, net.tap[i].len)) ==
			    BEACON_C_ACCEPTED;
	return accepted;
}

static void
a_replay_to_a_running_subscriber_is_refused(void)
{
	net_begin(&net, &keys, 21);

	struct net_node *r = subscriber();

	record_some();
	net_run(&net, seconds(3));

	unsigned before = net_news(r);

	CU_ASSERT(before >= 21);
	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(net_news(r), before);
	net_end(&net, &keys);
}

static void
a_replay_to_a_restarted_subscriber_with_state_is_refused(void)
{
	net_begin(&net, &keys, 22);

	struct net_node *r = subscriber();
	struct net_node *a = record_some();

	net_run(&net, seconds(1));
	/* Nobody but the attacker is there afterwards, and it is quick: clocks would vouch. */
	a->off = true;
	net_restart_remembering(r, &keys.group, &keys.trust, 0);
	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(net_news(r), 0);
	/* With the sender back it goes on where it was. */
	a->off = false;
	net_event(a, 500);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[500], 1);
	CU_ASSERT_EQUAL(r->event_count, 1);
	net_end(&net, &keys);
}

static void
a_replay_to_a_fresh_subscriber_without_a_clock_is_refused(void)
{
	net_begin(&net, &keys, 23);

	struct net_node *a = record_some();

	a->off = true;

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, false);

	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(net_news(r), 0);
	CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_UNPROVEN) > 0);
	net_end(&net, &keys);
}

/* The live sender proves itself; what was said before our time still does not count. */
static void
a_replay_beside_the_live_sender_is_refused(void)
{
	net_begin(&net, &keys, 24);

	struct net_node *a = record_some();
	struct net_node *r = subscriber();

	replay_to(r);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->event_count, 0);
	CU_ASSERT_EQUAL(r->states, 1);	/* pulled from the sender */
	CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_TOO_OLD) > 0);
	net_event(a, 600);
	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(r->events[600], 1);
	net_end(&net, &keys);
}

static void
old_words_without_their_sender_are_shown_as_unconfirmed_at_most(void)
{
	net_begin(&net, &keys, 25);

	struct net_node *a = record_some();

	a->off = true;

	struct net_node *r = subscriber();

	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->unconfirmed, r->event_count + r->states);
	CU_ASSERT(r->event_count > 0);

	unsigned before = net_news(r);

	replay_to(r);			/* and only once */
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(net_news(r), before);
	/* A day later the clock does not vouch either. */
	net_restart_receiver(r, &keys.group, &keys.trust);
	r->wall_shift_ms = 86400000;
	replay_to(r);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(net_news(r), 0);
	net_end(&net, &keys);
}

static void
every_byte_flipped_is_refused(void)
{
	net_begin(&net, &keys, 26);

	struct net_node *r = subscriber();
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 5);

	net_run(&net, seconds(5));
	net.tapping = true;
	r->off = true;
	net_event(a, 1);
	net_step(&net);
	r->off = false;
	CU_ASSERT_EQUAL_FATAL(net.tap_count, 1);

	struct net_flight *t = &net.tap[0];

	for (size_t i = 0; i < t->len; i++) {
		t->bytes[i] ^= 0x40;
		CU_ASSERT_NOT_EQUAL(net_inject(r, span_of(t->bytes, t->len)), BEACON_C_ACCEPTED);
		t->bytes[i] ^= 0x40;
		CU_ASSERT_NOT_EQUAL(net_inject(r, span_of(t->bytes, i)), BEACON_C_ACCEPTED);
	}
	CU_ASSERT_EQUAL(r->event_count, 0);
	CU_ASSERT_EQUAL(net_inject(r, span_of(t->bytes, t->len)), BEACON_C_ACCEPTED);
	CU_ASSERT_EQUAL(r->event_count, 1);
	net_end(&net, &keys);
}

/* Bob holds the group key and writes alice's name on his words. */
static void
the_group_key_alone_makes_nobody_a_sender(void)
{
	net_begin(&net, &keys, 27);

	struct net_node *r = subscriber();
	struct beacon_item item = { .topic = span_str("e"), .payload = span_str("1") };
	struct beacon_hdr h = { .type = BEACON_EVENT, .sender = keys.alice.id, .epoch = 1, .seq = 1,
		.lifetime_s = 60, .frag_count = 1 };
	uint8_t body[64], out[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	beacon_item_put(&wr, &item);

	size_t len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.group, &keys.bob);

	CU_ASSERT_EQUAL(net_inject(r, span_of(out, len)), BEACON_C_BAD_SIGNATURE);
	CU_ASSERT_EQUAL(beacon_receiver_count(r->receiver, BEACON_C_BAD_SIGNATURE), 1);
	CU_ASSERT_EQUAL(r->refused, 1);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "bad signature");
	h.sender = 4711;
	len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.group, &keys.bob);
	CU_ASSERT_EQUAL(net_inject(r, span_of(out, len)), BEACON_C_UNKNOWN_SENDER);
	h.sender = keys.alice.id;
	len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.other_group, &keys.alice);
	CU_ASSERT_EQUAL(net_inject(r, span_of(out, len)), BEACON_C_UNKNOWN_KEY);
	len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.none, &keys.alice);
	CU_ASSERT_EQUAL(net_inject(r, span_of(out, len)), BEACON_C_UNSEALED);
	net_end(&net, &keys);
}

static void
a_sender_is_kept_to_its_topics(void)
{
	net_begin(&net, &keys, 28);

	struct net_node *r = subscriber();
	struct net_node *b = net_add_sender(&net, &keys.group, &keys.bob, 1);

	net_run(&net, seconds(3));
	net_event(b, 1);		/* topic "e" */
	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(r->event_count, 0);
	CU_ASSERT_EQUAL(beacon_receiver_count(r->receiver, BEACON_C_TOPIC_DENIED), 1);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "topic not allowed for this sender");
	net_end(&net, &keys);
}

/* Restart with a given epoch and see how long events are missing. */
static void
restart_and_expect_events(struct net_node *a, struct net_node *r, uint64_t epoch)
{
	mono_us began = net.now;
	unsigned i = 100;

	net_forget(r);
	net_restart_sender(a, &keys.group, &keys.alice, epoch);
	net_event(a, i);
	while (r->event_count == 0 && net.now - began < seconds(10))
		net_step(&net);
	printf("first event after %lld ms\n", (long long)((net.now - began) / 1000));
	CU_ASSERT(net.now - began < seconds(5));
	for (i++; i < 110; i++) {
		net_event(a, i);
		net_run(&net, millis(200));
	}
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->event_count, 10);
	CU_ASSERT_EQUAL(r->unconfirmed, 0);
	CU_ASSERT_EQUAL(r->gap_count, 0);
}

static void
a_restart_with_the_clock_a_day_back_is_heard_again(void)
{
	net_begin(&net, &keys, 29);

	struct net_node *r = subscriber();
	struct net_node *a = record_some();
	uint64_t epoch = beacon_sender_epoch(a->sender);

	net_run(&net, seconds(5));
	a->wall_shift_ms = -86400000;
	restart_and_expect_events(a, r, epoch + 1);		/* it has kept its state */
	restart_and_expect_events(a, r, net_wall_ms(a));	/* it has lost it */
	a->has_clock = false;
	restart_and_expect_events(a, r, 7);
	CU_ASSERT_EQUAL(a->clone_calls, 0);
	CU_ASSERT_EQUAL(r->notices, 0);
	net_end(&net, &keys);
}

/* What was dropped for want of a proof is still repaired when the proof comes. */
static void
a_late_proof_of_a_restart_loses_nothing(void)
{
	net_begin(&net, &keys, 44);

	struct net_node *r = subscriber();
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 5);

	net_run(&net, seconds(5));
	net_restart_sender(a, &keys.group, &keys.alice, 6);
	net.tapping = true;
	r->off = true;
	for (unsigned i = 0; i < 5; i++)
		net_event(a, i);
	net_run(&net, millis(50));
	net.tapping = false;
	for (size_t i = 0; i < net.tap_count; i++)
		if (net.tap[i].bytes[6] == BEACON_EVENT)
			net_inject(r, span_of(net.tap[i].bytes, net.tap[i].len));
	net_run(&net, seconds(4));
	CU_ASSERT_EQUAL(beacon_receiver_count(r->receiver, BEACON_C_UNPROVEN), 5);
	r->off = false;
	net_event(a, 5);
	net_run(&net, seconds(20));
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	net_end(&net, &keys);
}

/* The capture of an older start must not push the living one aside. */
static void
old_starts_cannot_displace_the_living_one(void)
{
	net_begin(&net, &keys, 30);

	struct net_node *r = subscriber();
	struct net_node *a = record_some();
	uint64_t epoch = beacon_sender_epoch(a->sender);

	net_run(&net, seconds(2));
	net_restart_sender(a, &keys.group, &keys.alice, epoch - 1000);	/* state and clock lost */
	net_run(&net, seconds(5));
	net_forget(r);
	for (unsigned i = 0; i < 30; i++) {
		replay_to(r);		/* words of the start with the higher epoch */
		net_event(a, i);
		net_run(&net, millis(300));
	}
	net_run(&net, seconds(5));
	for (unsigned i = 0; i < 30; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	CU_ASSERT_EQUAL(r->event_count, 30);
	CU_ASSERT_EQUAL(a->clone_calls, 0);
	CU_ASSERT_EQUAL(beacon_receiver_count(r->receiver, BEACON_C_CLONES), 0);
	net_end(&net, &keys);
}

static void
two_clones_both_run_and_both_say_so(void)
{
	net_begin(&net, &keys, 31);

	struct net_node *r = subscriber();
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1000);
	struct net_node *b = net_add_sender(&net, &keys.group, &keys.alice, 2000);

	net_run(&net, seconds(40));
	CU_ASSERT(a->clone_calls > 0);
	CU_ASSERT(b->clone_calls > 0);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "identity used by two hosts");
	CU_ASSERT_EQUAL(r->notices, 1);
	for (unsigned i = 0; i < 50; i++) {
		net_event(a, i);
		net_event(b, 50 + i);
		net_run(&net, millis(100));
	}
	net_run(&net, seconds(10));
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	net_end(&net, &keys);
}

static void
clones_with_the_same_epoch_notice_too(void)
{
	net_begin(&net, &keys, 32);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1000);
	struct net_node *b = net_add_sender(&net, &keys.group, &keys.alice, 1000);

	net_run(&net, seconds(40));
	CU_ASSERT(a->same_epoch_calls + b->same_epoch_calls > 0);
	net_end(&net, &keys);
}

static void
a_replay_to_the_sender_itself_is_no_clone(void)
{
	net_begin(&net, &keys, 33);

	struct net_node *a = record_some();

	net_restart_sender(a, &keys.group, &keys.alice, beacon_sender_epoch(a->sender) + 1);
	for (unsigned i = 0; i < 10; i++) {
		replay_to(a);
		net_run(&net, seconds(10));
	}
	CU_ASSERT_EQUAL(a->clone_calls, 0);
	net_end(&net, &keys);
}

static void
a_forged_lease_request_draws_one_small_packet_at_most(void)
{
	net_begin(&net, &keys, 37);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct beacon_lease ask = { .kind = BEACON_LEASE_ASK };
	struct beacon_lease confirm = { .kind = BEACON_LEASE_CONFIRM };
	struct beacon_hdr h = { .type = BEACON_LEASE, .sender = 1, .seq = 1, .frag_count = 1 };
	struct beacon_when now = net_when(a);
	uint8_t body[64], out[BEACON_DGRAM_MAX];
	struct addr far = a->addr;
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	beacon_lease_put(&wr, &ask);

	size_t len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.group, NULL);

	beacon_sender_input(a->sender, &now, span_of(out, len), &far, false);
	CU_ASSERT_EQUAL(a->unicasts, 1);
	wr = wire_wr_of(body, sizeof(body));
	beacon_lease_put(&wr, &confirm);
	len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.group, NULL);
	beacon_sender_input(a->sender, &now, span_of(out, len), &far, false);
	/* A stranger without the group key draws nothing at all. */
	len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.other_group, NULL);
	beacon_sender_input(a->sender, &now, span_of(out, len), &far, false);
	net_event(a, 1);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(a->unicasts, 1);
	CU_ASSERT_EQUAL(a->leases.bad_cookies, 1);
	net_end(&net, &keys);
}

static void
a_flood_of_requests_is_answered_within_its_budget(void)
{
	net_begin(&net, &keys, 38);

	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

	for (unsigned i = 0; i < 50; i++)
		net_event(a, i);
	net_run(&net, seconds(5));

	uint64_t sent = beacon_sender_stats(a->sender)->sent;

	for (unsigned i = 0; i < 1000; i++) {
		struct beacon_nack nack = { .target = keys.alice.id, .epoch = 1, .range_count = 1,
			.ranges = { { .first = 1, .count = 200 } } };
		struct beacon_hdr h = { .type = BEACON_NACK, .sender = 9, .seq = 1 + i,
			.frag_count = 1 };
		uint8_t body[64], out[BEACON_DGRAM_MAX];
		struct wire_wr wr = wire_wr_of(body, sizeof(body));

		beacon_nack_put(&wr, &nack);
		net_inject(a, span_of(out, beacon_seal(out, &h, wire_wr_span(&wr), &keys.group,
		    NULL)));
		net_run(&net, millis(1));
	}
	sent = beacon_sender_stats(a->sender)->sent - sent;
	printf("1000 requests for 200 datagrams each drew %llu\n", (unsigned long long)sent);
	CU_ASSERT(sent <= 155);		/* a burst of 100 and 50 a second */
	net_end(&net, &keys);
}

/* Say something under alice's name that costs a verification. */
static void
forge(struct net_node *to, uint64_t seq, uint32_t from)
{
	struct beacon_item item = { .topic = span_str("e"), .payload = span_str("1") };
	struct beacon_hdr h = { .type = BEACON_EVENT, .sender = keys.alice.id, .epoch = 1,
		.seq = seq, .lifetime_s = 60, .frag_count = 1 };
	struct addr source = { .in = { .sin_family = AF_INET,
		.sin_addr = { .s_addr = htonl(from) } } };
	struct beacon_when now = net_when(to);
	uint8_t body[64], out[BEACON_DGRAM_MAX];
	struct wire_wr wr = wire_wr_of(body, sizeof(body));

	beacon_item_put(&wr, &item);

	size_t len = beacon_seal(out, &h, wire_wr_span(&wr), &keys.none, &keys.bob);

	CU_ASSERT_NOT_EQUAL(beacon_receiver_input(to->receiver, &now, span_of(out, len), &source),
	    BEACON_C_ACCEPTED);
}

static void
a_flood_of_bad_signatures_silences_nobody_in_a_public_group(void)
{
	net_begin(&net, &keys, 43);

	struct net_node *r = net_add_receiver(&net, &keys.none, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.none, &keys.alice, 1);

	net_run(&net, seconds(5));
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 200; k++)	/* from ten addresses, 4000 a second */
			forge(r, 1000 + 200 * i + k, 0x0a000001U + k % 10);
		net_event(a, i);
		net_run(&net, millis(50));
		CU_ASSERT_EQUAL(r->events[i], 1);
	}
	CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_OVER_BUDGET) > 1000);
	/* What was verified: the burst of the sources, and their rate. */
	CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_BAD_SIGNATURE) <= 2000 + 1000);

	/* Under the sender's own address it is late, and not lost. */
	net_run(&net, seconds(5));
	for (unsigned k = 0; k < 400; k++)
		forge(r, 9000 + k, ntohl(a->addr.in.sin_addr.s_addr));
	net_event(a, 100);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->events[100], 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	net_end(&net, &keys);
}

static size_t
unheard(const struct net_node *r)
{
	struct beacon_caps caps;

	beacon_receiver_caps(r->receiver, &caps);
	return caps.unheard;
}

/* One after the other they ask for the same states, as a tool in a script does. */
static void
many_fresh_subscribers_hear_all_states_of_a_public_group(void)
{
	static struct beacon_trust alone;

	net_begin(&net, &keys, 49);
	alone = (struct beacon_trust){ .count = 0 };
	CU_ASSERT_EQUAL(beacon_trust_add(&alone, "alice", keys.alice.public, NULL,
	    BEACON_FROM_FILE), OK);

	struct net_node *a = net_add_sender(&net, &keys.none, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &keys.none, &alone, true);

	for (unsigned i = 0; i < 8; i++)
		net_state(a, i, "x");
	net_run(&net, seconds(10));
	for (unsigned round = 0; round < 8; round++) {
		net_forget(r);
		net_restart_receiver(r, &keys.none, &alone);
		CU_ASSERT_EQUAL(unheard(r), 1);
		net_run(&net, millis(1500));
		CU_ASSERT_EQUAL(r->states, 8);
		CU_ASSERT_EQUAL(unheard(r), 0);
	}
	CU_ASSERT_EQUAL(beacon_sender_stats(a->sender)->requests_limited, 0);
	net_end(&net, &keys);
}

static void
what_a_sender_may_not_say_is_not_waited_for(void)
{
	static struct beacon_trust narrow;

	net_begin(&net, &keys, 50);
	narrow = (struct beacon_trust){ .count = 0 };
	CU_ASSERT_EQUAL(beacon_trust_add(&narrow, "alice", keys.alice.public, "nothing",
	    BEACON_FROM_FILE), OK);

	struct net_node *a = net_add_sender(&net, &keys.none, &keys.alice, 1);

	net_state(a, 1, "x");
	net_run(&net, seconds(10));

	struct net_node *r = net_add_receiver(&net, &keys.none, &narrow, true);

	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->states, 0);
	CU_ASSERT_EQUAL(unheard(r), 0);
	net_end(&net, &keys);
}

/* The table holds 1024 topics. Who has more to say is not heard out, and that is told. */
static void
a_sender_with_more_states_than_there_is_room_for_is_not_heard_out(void)
{
	static struct beacon_trust both;
	struct beacon_caps caps;
	struct beacon_when now;

	net_begin(&net, &keys, 52);
	both = (struct beacon_trust){ .count = 0 };
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "alice", keys.alice.public, NULL,
	    BEACON_FROM_FILE), OK);
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "bob", keys.bob.public, NULL,
	    BEACON_FROM_FILE), OK);

	struct net_node *r = net_add_receiver(&net, &keys.none, &both, true);
	struct net_node *a = net_add_sender(&net, &keys.none, &keys.alice, 1);
	struct net_node *b;

	for (unsigned i = 0; i < 1023; i++)
		net_state(a, i, "");
	net_run(&net, seconds(60));
	b = net_add_sender(&net, &keys.none, &keys.bob, 1);
	net_state(b, 1, "");
	net_run(&net, seconds(60));
	beacon_receiver_caps(r->receiver, &caps);
	CU_ASSERT_EQUAL(caps.topics, 1024);
	CU_ASSERT_EQUAL(caps.topics_refused, 0);
	CU_ASSERT_EQUAL(unheard(r), 0);

	net_state(b, 2, "");
	net_run(&net, seconds(60));
	beacon_receiver_caps(r->receiver, &caps);
	CU_ASSERT(caps.topics_refused != 0);
	CU_ASSERT_EQUAL(unheard(r), 1);

	/* A place becomes free: all is known again. */
	now = net_when(a);
	CU_ASSERT_EQUAL(beacon_sender_withdraw(a->sender, &now, span_str("t7")), OK);
	a->wake_at = net.now;
	net_run(&net, seconds(120));
	CU_ASSERT_EQUAL(unheard(r), 0);
	net_end(&net, &keys);
}

static void
a_public_group_is_signed_and_readable(void)
{
	net_begin(&net, &keys, 39);
	net.loss = 10;

	struct net_node *r = net_add_receiver(&net, &keys.none, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.none, &keys.alice, 1);

	net_run(&net, seconds(10));
	for (unsigned i = 0; i < 50; i++) {
		net_event(a, i);
		net_run(&net, millis(200));
	}
	net_run(&net, seconds(20));
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	net_end(&net, &keys);
}

UNIT_MAIN("beacon_attack", UNIT(a_replay_to_a_running_subscriber_is_refused),
    UNIT(a_replay_to_a_restarted_subscriber_with_state_is_refused),
    UNIT(a_replay_to_a_fresh_subscriber_without_a_clock_is_refused),
    UNIT(a_replay_beside_the_live_sender_is_refused),
    UNIT(old_words_without_their_sender_are_shown_as_unconfirmed_at_most),
    UNIT(every_byte_flipped_is_refused), UNIT(the_group_key_alone_makes_nobody_a_sender),
    UNIT(a_sender_is_kept_to_its_topics), UNIT(a_restart_with_the_clock_a_day_back_is_heard_again),
    UNIT(a_late_proof_of_a_restart_loses_nothing), UNIT(old_starts_cannot_displace_the_living_one),
    UNIT(two_clones_both_run_and_both_say_so), UNIT(clones_with_the_same_epoch_notice_too),
    UNIT(a_replay_to_the_sender_itself_is_no_clone),
    UNIT(a_forged_lease_request_draws_one_small_packet_at_most),
    UNIT(a_flood_of_requests_is_answered_within_its_budget),
    UNIT(a_flood_of_bad_signatures_silences_nobody_in_a_public_group),
    UNIT(many_fresh_subscribers_hear_all_states_of_a_public_group),
    UNIT(what_a_sender_may_not_say_is_not_waited_for),
    UNIT(a_sender_with_more_states_than_there_is_room_for_is_not_heard_out),
    UNIT(a_public_group_is_signed_and_readable))
