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

static unsigned
news(const struct net_node *node)
{
	return node->event_count + node->states + node->withdrawals;
}

static void
a_replay_to_a_running_subscriber_is_refused(void)
{
	net_begin(&net, &keys, 21);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	record_some();
	net_run(&net, seconds(3));

	unsigned before = news(r);

	CU_ASSERT(before >= 21);
	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(news(r), before);
	net_end(&net, &keys);
}

static void
a_replay_to_a_restarted_subscriber_with_state_is_refused(void)
{
	static uint8_t memory[BEACON_STATE_MAX];
	struct wire_wr wr = wire_wr_of(memory, sizeof(memory));

	net_begin(&net, &keys, 22);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = record_some();

	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(beacon_receiver_save(r->receiver, &wr), OK);
	/* Nobody but the attacker is there afterwards, and it is quick: clocks would vouch. */
	a->off = true;
	net_restart_receiver(r, &keys.group, &keys.trust);
	CU_ASSERT_EQUAL(beacon_receiver_load(r->receiver, wire_wr_span(&wr)), 0);
	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(news(r), 0);
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
	CU_ASSERT_EQUAL(news(r), 0);
	CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_UNPROVEN) > 0);
	net_end(&net, &keys);
}

/* The live sender proves itself; what was said before our time still does not count. */
static void
a_replay_beside_the_live_sender_is_refused(void)
{
	net_begin(&net, &keys, 24);

	struct net_node *a = record_some();
	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);

	CU_ASSERT_EQUAL(replay_to(r), 0);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->unconfirmed, r->event_count + r->states);
	CU_ASSERT(r->event_count > 0);

	unsigned before = news(r);

	replay_to(r);			/* and only once */
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(news(r), before);
	/* A day later the clock does not vouch either. */
	net_restart_receiver(r, &keys.group, &keys.trust);
	r->wall_shift_ms = 86400000;
	replay_to(r);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(news(r), 0);
	net_end(&net, &keys);
}

static void
every_byte_flipped_is_refused(void)
{
	net_begin(&net, &keys, 26);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
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
a_group_key_is_rotated_without_loss(void)
{
	struct beacon_keyring old_new, new_old, new_only;

	net_begin(&net, &keys, 34);
	net_ring(&old_new, (const uint8_t[]){ 1, 9 }, 2);
	net_ring(&new_old, (const uint8_t[]){ 9, 1 }, 2);
	net_ring(&new_only, (const uint8_t[]){ 9 }, 1);

	struct beacon_keyring at_sender = keys.group, at_receiver = keys.group;
	struct net_node *a = net_add_sender(&net, &at_sender, &keys.alice, 1);
	struct net_node *r = net_add_receiver(&net, &at_receiver, &keys.trust, true);

	net_run(&net, seconds(3));
	for (unsigned i = 0; i < 80; i++) {
		if (i == 20)
			at_receiver = old_new;	/* everybody learns the new key */
		if (i == 30)
			at_sender = new_old;	/* the sender moves to it */
		if (i == 50)
			at_receiver = new_only;	/* the old one is struck out */
		if (i == 60)
			at_sender = new_only;
		net_event(a, i);
		net_run(&net, millis(200));
	}
	net_run(&net, seconds(5));
	for (unsigned i = 0; i < 80; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	beacon_keyring_fini(&old_new);
	beacon_keyring_fini(&new_old);
	beacon_keyring_fini(&new_only);
	net_end(&net, &keys);
}

/* Alice names carol's key as her next one. */
static void
roll(struct net_node *a, const struct beacon_identity *next)
{
	struct beacon_when now = net_when(a);

	CU_ASSERT_EQUAL(beacon_sender_roll(a->sender, &now, next), OK);
	a->wake_at = net.now;
}

static void
make_carol(struct beacon_identity *carol)
{
	static const uint8_t seed[32] = { 'c' };

	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(carol, seed), OK);
}

static void
a_new_sender_key_takes_over_the_name(void)
{
	struct beacon_identity carol;

	net_begin(&net, &keys, 35);
	make_carol(&carol);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *c = net_add_sender(&net, &keys.group, &carol, 1);

	net_event(c, 1);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->event_count, 0);
	roll(a, &carol);
	net_run(&net, seconds(5));
	CU_ASSERT_STRING_EQUAL(r->last_reason, "has a new key, put it into the trust file");
	net_event(c, 2);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[2], 1);
	beacon_identity_fini(&carol);
	net_end(&net, &keys);
}

/* What the old key said may still be repaired; the new one's first words wait to be believed. */
static void
a_new_sender_key_loses_nothing(void)
{
	struct beacon_identity carol;

	net_begin(&net, &keys, 40);
	make_carol(&carol);
	net.loss = 20;

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1), *c = NULL;

	net_state(a, 1, "x");
	net_run(&net, seconds(6));
	for (unsigned i = 0; i < 80; i++) {
		if (i == 40) {
			roll(a, &carol);
			c = net_add_sender(&net, &keys.group, &carol, 1);
			net_state(c, 1, "x");
		}
		net_event(c != NULL ? c : a, i);
		net_run(&net, millis(50));
	}
	net_run(&net, seconds(200));
	for (unsigned i = 0; i < 80; i++)
		CU_ASSERT_EQUAL(r->events[i], 1);
	CU_ASSERT_EQUAL(r->gap_count, 0);
	CU_ASSERT_EQUAL(r->states, 1);
	CU_ASSERT_EQUAL(r->withdrawals, 0);
	CU_ASSERT_STRING_EQUAL(r->state[1], "x");
	beacon_identity_fini(&carol);
	net_end(&net, &keys);
}

/* Two hosts become one with a key of its own; a key is replaced twice before it says a word. */
static void
states_are_inherited_from_any_key_before(void)
{
	static const uint8_t seed[32] = { 'd' };
	static struct beacon_trust both;
	struct beacon_identity carol, dave;

	net_begin(&net, &keys, 51);
	make_carol(&carol);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&dave, seed), OK);
	both = (struct beacon_trust){ .count = 0 };
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "alice", keys.alice.public, NULL,
	    BEACON_FROM_FILE), OK);
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "bob", keys.bob.public, NULL,
	    BEACON_FROM_FILE), OK);

	struct net_node *r = net_add_receiver(&net, &keys.group, &both, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *b = net_add_sender(&net, &keys.group, &keys.bob, 1);

	net_state(a, 1, "x");
	net_state(b, 2, "y");
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->states, 2);
	roll(a, &carol);
	roll(b, &carol);

	struct net_node *c = net_add_sender(&net, &keys.group, &carol, 1);

	net_run(&net, seconds(5));
	roll(c, &dave);

	struct net_node *d = net_add_sender(&net, &keys.group, &dave, 1);

	net_state(d, 1, "x");
	net_state(d, 2, "y");
	net_run(&net, seconds(200));
	CU_ASSERT_EQUAL(r->states, 2);
	CU_ASSERT_EQUAL(r->withdrawals, 0);
	net_state(d, 2, "z");
	net_run(&net, seconds(5));
	CU_ASSERT_STRING_EQUAL(r->state[1], "x");
	CU_ASSERT_STRING_EQUAL(r->state[2], "z");
	beacon_identity_fini(&carol);
	beacon_identity_fini(&dave);
	net_end(&net, &keys);
}

static void
the_old_key_is_good_for_nothing_afterwards(void)
{
	static uint8_t memory[BEACON_STATE_MAX];
	struct wire_wr wr = wire_wr_of(memory, sizeof(memory));
	struct beacon_identity carol;

	net_begin(&net, &keys, 41);
	make_carol(&carol);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

	net_run(&net, seconds(3));
	roll(a, &carol);
	net_run(&net, seconds(3));
	for (unsigned round = 0; round < 2; round++) {
		net_forget(r);
		net_restart_sender(a, &keys.group, &keys.alice, 100 + round);	/* a thief */
		net_event(a, 5);
		net_state(a, 2, "stolen");
		net_run(&net, seconds(5));
		CU_ASSERT_EQUAL(news(r), 0);
		CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_KEY_REPLACED) >= 2);
		CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
		roll(a, &keys.bob);
		net_run(&net, seconds(5));
		CU_ASSERT_STRING_EQUAL(r->last_reason, "has named another key before");
		if (round == 1)
			break;
		/* The same after a restart with its memory. */
		CU_ASSERT_EQUAL(beacon_receiver_save(r->receiver, &wr), OK);
		net_restart_receiver(r, &keys.group, &keys.trust);
		CU_ASSERT_EQUAL(beacon_receiver_load(r->receiver, wire_wr_span(&wr)), 0);
	}
	beacon_identity_fini(&carol);
	net_end(&net, &keys);
}

/* Alice's key of before speaks in another start; the subscriber is free to hear of it again. */
static void
the_thief_begins(struct net_node *a, struct net_node *r, const struct beacon_identity *stolen)
{
	net_forget(r);
	net_restart_sender(a, &keys.group, stolen, 100);
	net_run(&net, seconds(10));
}

static void
a_replaced_key_cannot_speak_by_naming_its_heir_again(void)
{
	struct beacon_identity carol;

	net_begin(&net, &keys, 44);
	make_carol(&carol);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

	net_run(&net, seconds(3));
	roll(a, &carol);
	net_run(&net, seconds(3));
	the_thief_begins(a, r, &keys.alice);
	net.loss = 100;		/* the number comes before that of the KEYROLL, its repair behind */
	net_event(a, 5);
	net_run(&net, millis(1));
	net.loss = 0;
	roll(a, &carol);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(r->events[5], 0);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
	beacon_identity_fini(&carol);
	net_end(&net, &keys);
}

static void
a_key_further_back_cannot_bring_a_replaced_one_to_life(void)
{
	static const uint8_t seed[32] = { 'd' };
	struct beacon_identity carol, dave;

	net_begin(&net, &keys, 45);
	make_carol(&carol);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&dave, seed), OK);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);
	struct net_node *c = net_add_sender(&net, &keys.group, &carol, 1);

	net_run(&net, seconds(3));
	roll(a, &carol);
	net_run(&net, seconds(3));
	roll(c, &dave);
	net_run(&net, seconds(3));
	net_restart_sender(c, &keys.group, &carol, 50);
	net_restart_sender(a, &keys.group, &keys.alice, 60);
	roll(a, &carol);
	net_run(&net, seconds(5));
	net_event(c, 7);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->events[7], 0);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
	beacon_identity_fini(&carol);
	beacon_identity_fini(&dave);
	net_end(&net, &keys);
}

/* A subscriber with its memory and another trust file. */
static void
restart_remembering(struct net_node *r, const struct beacon_trust *trust, unsigned lines_cut)
{
	static uint8_t memory[BEACON_STATE_MAX];
	struct wire_wr wr = wire_wr_of(memory, sizeof(memory));
	struct span text;

	CU_ASSERT_EQUAL(beacon_receiver_save(r->receiver, &wr), OK);
	text = wire_wr_span(&wr);
	for (size_t i = 0; lines_cut != 0 && i + 5 < text.len; i++)
		if (memcmp(memory + i, "heir ", 5) == 0)
			memory[i] = '#';
	net_restart_receiver(r, &keys.group, trust);
	CU_ASSERT_EQUAL(beacon_receiver_load(r->receiver, text), lines_cut);
}

/* In the trust file: before the change, from the restart on, or so with an older memory. */
static void
a_key_stays_replaced_once_the_next_is_in_the_trust_file(void)
{
	static struct beacon_trust both;

	for (unsigned round = 0; round < 3; round++) {
		struct beacon_identity carol;

		net_begin(&net, &keys, 46 + round);
		make_carol(&carol);
		both = keys.trust;
		CU_ASSERT_EQUAL(beacon_trust_add(&both, "carol", carol.public, NULL,
		    BEACON_FROM_FILE), OK);

		struct net_node *r = net_add_receiver(&net, &keys.group,
		    round == 0 ? &both : &keys.trust, true);
		struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

		net_run(&net, seconds(3));
		roll(a, &carol);
		net_run(&net, seconds(3));
		restart_remembering(r, &both, round == 2 ? (unsigned)both.count : 0);
		the_thief_begins(a, r, &keys.alice);
		net_event(a, 8);
		net_run(&net, seconds(5));
		CU_ASSERT_EQUAL(r->events[8], 0);
		CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_KEY_REPLACED) != 0);
		beacon_identity_fini(&carol);
		net_end(&net, &keys);
	}
}

static void
an_older_key_may_come_back(void)
{
	struct beacon_identity carol;

	net_begin(&net, &keys, 42);
	make_carol(&carol);

	struct net_node *r = net_add_receiver(&net, &keys.group, &keys.trust, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

	net_run(&net, seconds(3));
	roll(a, &carol);
	net_run(&net, seconds(3));
	net_restart_sender(a, &keys.group, &carol, 1);
	roll(a, &keys.alice);
	net_run(&net, seconds(3));
	net_restart_sender(a, &keys.group, &keys.alice, 2);
	net_event(a, 1);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[1], 1);
	restart_remembering(r, &keys.trust, 0);
	net_run(&net, seconds(3));
	net_event(a, 2);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[2], 1);
	beacon_identity_fini(&carol);
	net_end(&net, &keys);
}

static void
an_unknown_key_is_pinned_where_the_trust_file_says_so(void)
{
	static struct beacon_trust tofu = { .tofu = true };

	net_begin(&net, &keys, 36);

	struct net_node *r = net_add_receiver(&net, &keys.group, &tofu, true);
	struct net_node *a = net_add_sender(&net, &keys.group, &keys.alice, 1);

	net_run(&net, seconds(3));
	net_event(a, 1);
	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(r->events[1], 1);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "pinned on first use");
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
    UNIT(a_late_proof_of_a_restart_loses_nothing),
    UNIT(old_starts_cannot_displace_the_living_one), UNIT(two_clones_both_run_and_both_say_so),
    UNIT(clones_with_the_same_epoch_notice_too), UNIT(a_replay_to_the_sender_itself_is_no_clone),
    UNIT(a_group_key_is_rotated_without_loss), UNIT(a_new_sender_key_takes_over_the_name),
    UNIT(a_new_sender_key_loses_nothing), UNIT(states_are_inherited_from_any_key_before),
    UNIT(the_old_key_is_good_for_nothing_afterwards),
    UNIT(a_replaced_key_cannot_speak_by_naming_its_heir_again),
    UNIT(a_key_further_back_cannot_bring_a_replaced_one_to_life),
    UNIT(a_key_stays_replaced_once_the_next_is_in_the_trust_file),
    UNIT(an_older_key_may_come_back),
    UNIT(an_unknown_key_is_pinned_where_the_trust_file_says_so),
    UNIT(a_forged_lease_request_draws_one_small_packet_at_most),
    UNIT(a_flood_of_requests_is_answered_within_its_budget),
    UNIT(a_flood_of_bad_signatures_silences_nobody_in_a_public_group),
    UNIT(many_fresh_subscribers_hear_all_states_of_a_public_group),
    UNIT(what_a_sender_may_not_say_is_not_waited_for),
    UNIT(a_sender_with_more_states_than_there_is_room_for_is_not_heard_out),
    UNIT(a_public_group_is_signed_and_readable))
