/* SPDX-License-Identifier: MIT */
/* Keys that change: of a group, of a sender; who may take over a name, and who may not any more. */
#include "sim/beacon_net.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/statefile.h"
#include "services/announce/armor.h"
#include "support/unit.h"
#include "util/replay.h"

static struct net net;
static struct net_keys keys;

static struct net_node *
subscriber(void)
{
	return net_add_receiver(&net, &keys.group, &keys.trust, true);
}

static struct net_node *
announcer(const struct beacon_identity *who)
{
	return net_add_sender(&net, &keys.group, who, 1);
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

/* A sender names its next key. */
static void
roll(struct net_node *a, const struct beacon_identity *next)
{
	struct beacon_when now = net_when(a);

	CU_ASSERT_EQUAL(beacon_sender_roll(a->sender, &now, next), OK);
	a->wake_at = net.now;
}

static void
change_key(struct net_node *a, const struct beacon_identity *next)
{
	net_run(&net, seconds(3));
	roll(a, next);
	net_run(&net, seconds(3));
}

static void
a_new_sender_key_takes_over_the_name(void)
{
	net_begin(&net, &keys, 35);

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice);
	struct net_node *c = announcer(&keys.carol);

	net_event(c, 1);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->event_count, 0);
	roll(a, &keys.carol);
	net_run(&net, seconds(5));
	CU_ASSERT_STRING_EQUAL(r->last_reason, "has a new key, put it into the trust file");
	net_event(c, 2);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[2], 1);
	net_end(&net, &keys);
}

/* What the old key said may still be repaired; the new one's first words wait to be believed. */
static void
a_new_sender_key_loses_nothing(void)
{
	net_begin(&net, &keys, 40);
	net.loss = 20;

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice), *c = NULL;

	net_state(a, 1, "x");
	net_run(&net, seconds(6));
	for (unsigned i = 0; i < 80; i++) {
		if (i == 40) {
			roll(a, &keys.carol);
			c = announcer(&keys.carol);
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
	net_end(&net, &keys);
}

/* Two hosts become one with a key of its own; a key is replaced twice before it says a word. */
static void
states_are_inherited_from_any_key_before(void)
{
	static struct beacon_trust both;

	net_begin(&net, &keys, 51);
	both = (struct beacon_trust){ .count = 0 };
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "alice", keys.alice.public, NULL,
	    BEACON_FROM_FILE), OK);
	CU_ASSERT_EQUAL(beacon_trust_add(&both, "bob", keys.bob.public, NULL,
	    BEACON_FROM_FILE), OK);

	struct net_node *r = net_add_receiver(&net, &keys.group, &both, true);
	struct net_node *a = announcer(&keys.alice);
	struct net_node *b = announcer(&keys.bob);

	net_state(a, 1, "x");
	net_state(b, 2, "y");
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->states, 2);
	roll(a, &keys.carol);
	roll(b, &keys.carol);

	struct net_node *c = announcer(&keys.carol);

	net_run(&net, seconds(5));
	roll(c, &keys.dave);

	struct net_node *d = announcer(&keys.dave);

	net_state(d, 1, "x");
	net_state(d, 2, "y");
	net_run(&net, seconds(200));
	CU_ASSERT_EQUAL(r->states, 2);
	CU_ASSERT_EQUAL(r->withdrawals, 0);
	net_state(d, 2, "z");
	net_run(&net, seconds(5));
	CU_ASSERT_STRING_EQUAL(r->state[1], "x");
	CU_ASSERT_STRING_EQUAL(r->state[2], "z");
	net_end(&net, &keys);
}

static void
the_old_key_is_good_for_nothing_afterwards(void)
{
	net_begin(&net, &keys, 41);

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice);

	change_key(a, &keys.carol);
	for (unsigned round = 0; round < 2; round++) {
		net_forget(r);
		net_restart_sender(a, &keys.group, &keys.alice, 100 + round);	/* a thief */
		net_event(a, 5);
		net_state(a, 2, "stolen");
		net_run(&net, seconds(5));
		CU_ASSERT_EQUAL(net_news(r), 0);
		CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_KEY_REPLACED) >= 2);
		CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
		roll(a, &keys.bob);
		net_run(&net, seconds(5));
		CU_ASSERT_STRING_EQUAL(r->last_reason, "has named another key before");
		if (round == 1)
			break;
		/* The same after a restart with its memory. */
		net_restart_remembering(r, &keys.group, &keys.trust, 0);
	}
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
	net_begin(&net, &keys, 44);

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice);

	change_key(a, &keys.carol);
	the_thief_begins(a, r, &keys.alice);
	net.loss = 100;		/* the number comes before that of the KEYROLL, its repair behind */
	net_event(a, 5);
	net_run(&net, millis(1));
	net.loss = 0;
	roll(a, &keys.carol);
	net_run(&net, seconds(10));
	CU_ASSERT_EQUAL(r->events[5], 0);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
	net_end(&net, &keys);
}

static void
a_key_further_back_cannot_bring_a_replaced_one_to_life(void)
{
	net_begin(&net, &keys, 45);

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice);
	struct net_node *c = announcer(&keys.carol);

	change_key(a, &keys.carol);
	roll(c, &keys.dave);
	net_run(&net, seconds(3));
	net_restart_sender(c, &keys.group, &keys.carol, 50);
	net_restart_sender(a, &keys.group, &keys.alice, 60);
	roll(a, &keys.carol);
	net_run(&net, seconds(5));
	net_event(c, 7);
	net_run(&net, seconds(5));
	CU_ASSERT_EQUAL(r->events[7], 0);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "this key was replaced by a newer one");
	net_end(&net, &keys);
}

/* In the trust file: before the change, from the restart on, or so with an older memory. */
static void
a_key_stays_replaced_once_the_next_is_in_the_trust_file(void)
{
	static struct beacon_trust both;

	for (unsigned round = 0; round < 3; round++) {
			net_begin(&net, &keys, 46 + round);
		both = keys.trust;
		CU_ASSERT_EQUAL(beacon_trust_add(&both, "carol", keys.carol.public, NULL,
		    BEACON_FROM_FILE), OK);

		struct net_node *r = net_add_receiver(&net, &keys.group,
		    round == 0 ? &both : &keys.trust, true);
		struct net_node *a = announcer(&keys.alice);

		change_key(a, &keys.carol);
		net_restart_remembering(r, &keys.group, &both,
		    round == 2 ? (unsigned)both.count : 0);
		the_thief_begins(a, r, &keys.alice);
		net_event(a, 8);
		net_run(&net, seconds(5));
		CU_ASSERT_EQUAL(r->events[8], 0);
		CU_ASSERT(beacon_receiver_count(r->receiver, BEACON_C_KEY_REPLACED) != 0);
		net_end(&net, &keys);
	}
}

static void
an_older_key_may_come_back(void)
{
	net_begin(&net, &keys, 42);

	struct net_node *r = subscriber();
	struct net_node *a = announcer(&keys.alice);

	change_key(a, &keys.carol);
	net_restart_sender(a, &keys.group, &keys.carol, 1);
	roll(a, &keys.alice);
	net_run(&net, seconds(3));
	net_restart_sender(a, &keys.group, &keys.alice, 2);
	net_event(a, 1);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[1], 1);
	net_restart_remembering(r, &keys.group, &keys.trust, 0);
	net_run(&net, seconds(3));
	net_event(a, 2);
	net_run(&net, seconds(3));
	CU_ASSERT_EQUAL(r->events[2], 1);
	net_end(&net, &keys);
}

static void
an_unknown_key_is_pinned_where_the_trust_file_says_so(void)
{
	static struct beacon_trust tofu = { .tofu = true };

	net_begin(&net, &keys, 36);

	struct net_node *r = net_add_receiver(&net, &keys.group, &tofu, true);
	struct net_node *a = announcer(&keys.alice);

	net_run(&net, seconds(3));
	net_event(a, 1);
	net_run(&net, seconds(1));
	CU_ASSERT_EQUAL(r->events[1], 1);
	CU_ASSERT_STRING_EQUAL(r->last_reason, "pinned on first use");
	net_end(&net, &keys);
}

/* Every key pinned, with the longest list of topics, and two starts of each. */
static void
the_largest_memory_can_be_kept(void)
{
	static char text[2 * BEACON_STATE_MAX], globs[BEACON_GLOBS_MAX];
	static uint8_t saved[BEACON_STATE_MAX];
	static struct beacon_trust tofu = { .tofu = true };
	struct wire_wr wr = wire_wr_of(saved, sizeof(saved));
	char *p = text;

	net_begin(&net, &keys, 52);
	memset(globs, '?', sizeof(globs) - 1);
	for (unsigned i = 0; i < BEACON_TRUST_MAX; i++) {
		uint8_t key[SEAL_PUBLIC_BYTES] = { (uint8_t)i };
		char armored[ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)];

		armor_base64(armored, span_of(key, sizeof(key)));
		p += sprintf(p, "key 0 the-longest-name-of-them-all-%02u %s %s\n", i, armored, globs);
		for (unsigned start = 0; start < 2; start++)
			p += sprintf(p, "seen %016" PRIx64 " fffffffffffffff%u fffffffffffffff0 "
			    "fffffffffffffff1 %0*d\n", beacon_id_of(span_of(key, sizeof(key))),
			    start, REPLAY_WORDS * 16, 0);
	}

	struct net_node *r = net_add_receiver(&net, &keys.group, &tofu, true);

	CU_ASSERT_EQUAL(beacon_receiver_load(r->receiver, span_str(text)), 0);
	CU_ASSERT_EQUAL(beacon_receiver_save(r->receiver, &wr), OK);
	CU_ASSERT(wire_wr_len(&wr) >= (size_t)(p - text));
	CU_ASSERT(wire_wr_len(&wr) <= STATEFILE_MAX);
	net_end(&net, &keys);
}

UNIT_MAIN("beacon_keyroll", UNIT(a_group_key_is_rotated_without_loss),
    UNIT(a_new_sender_key_takes_over_the_name), UNIT(a_new_sender_key_loses_nothing),
    UNIT(states_are_inherited_from_any_key_before),
    UNIT(the_old_key_is_good_for_nothing_afterwards),
    UNIT(a_replaced_key_cannot_speak_by_naming_its_heir_again),
    UNIT(a_key_further_back_cannot_bring_a_replaced_one_to_life),
    UNIT(a_key_stays_replaced_once_the_next_is_in_the_trust_file), UNIT(an_older_key_may_come_back),
    UNIT(an_unknown_key_is_pinned_where_the_trust_file_says_so),
    UNIT(the_largest_memory_can_be_kept))
