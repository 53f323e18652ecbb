/* SPDX-License-Identifier: MIT */
/* The simulated LAN. */
#include "sim/beacon_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"
#include "util/seal.h"

#define WORLD_MS INT64_C(1800000000000)	/* the wall clock when a simulation begins */

struct beacon_when
net_when(const struct net_node *node)
{
	return (struct beacon_when){ .mono = node->net->now,
		.wall_ms = node->has_clock ? (int64_t)net_wall_ms(node) : 0 };
}

uint64_t
net_wall_ms(const struct net_node *node)
{
	return (uint64_t)(WORLD_MS + node->wall_shift_ms + node->net->now / 1000);
}

/* --- the link -------------------------------------------------------------------------------- */

static unsigned
percent(struct net *n)
{
	return (unsigned)(unit_random(&n->seed) % 100);
}

static void
put_flight(struct net *n, const struct net_node *from, unsigned to, struct span dgram)
{
	usec span = n->delay_max - n->delay_min + 1;

	if (n->flight_count == n->flight_cap) {
		n->flight_cap = n->flight_cap != 0 ? n->flight_cap * 2 : 256;
		n->flights = realloc(n->flights, n->flight_cap * sizeof(*n->flights));
		if (n->flights == NULL)
			abort();
	}

	struct net_flight *f = &n->flights[n->flight_count++];

	f->at = n->now + n->delay_min + (usec)(unit_random(&n->seed) % (uint64_t)span);
	f->to = to;
	f->from = from->addr;
	f->len = dgram.len;
	memcpy(f->bytes, dgram.at, dgram.len);
}

static void
transmit(struct net_node *from, struct span dgram)
{
	struct net *n = from->net;

	if (from->off)
		return;
	n->sent_bytes += dgram.len;
	if (n->tapping && n->tap_count < NET_TAP) {
		struct net_flight *t = &n->tap[n->tap_count++];

		t->len = dgram.len;
		t->from = from->addr;
		memcpy(t->bytes, dgram.at, dgram.len);
	}
	for (unsigned i = 0; i < n->count; i++) {
		bool own = &n->nodes[i] == from;	/* loopback loses nothing */

		if (!own && percent(n) < n->loss)
			continue;
		put_flight(n, from, i, dgram);
		if (!own && percent(n) < n->repeat)
			put_flight(n, from, i, dgram);
	}
}

static void
node_send(void *ctx, struct span dgram)
{
	transmit(ctx, dgram);
}

static void
node_unicast(void *ctx, const struct addr *to, struct span dgram)
{
	struct net_node *node = ctx;

	(void)to;
	(void)dgram;
	node->unicasts++;
}

static void
node_clone(void *ctx, bool same_epoch)
{
	struct net_node *node = ctx;

	node->clone_calls++;
	node->same_epoch_calls += same_epoch;
}

/* --- what subscribers see -------------------------------------------------------------------- */

static unsigned
number_in(struct span text)
{
	char buf[32] = "";

	memcpy(buf, text.at, text.len < sizeof(buf) ? text.len : sizeof(buf) - 1);
	return (unsigned)strtoul(buf, NULL, 10);
}

static void
see_event(struct net_node *node, const struct beacon_delivery *d)
{
	unsigned i = number_in(d->payload) % NET_EVENTS;

	node->events[i]++;
	node->event_count++;
	node->unconfirmed += !d->confirmed;
	node->last_event_at = node->net->now;
	node->last_payload_len = d->payload.len;
}

static void
see_state(struct net_node *node, const struct beacon_delivery *d)
{
	struct span number = span_of(d->topic.at + 1, d->topic.len - 1);
	char *state = node->state[number_in(number) % NET_TOPICS];

	node->last_payload_len = d->payload.len;
	if (d->news == BEACON_NEWS_WITHDRAW) {
		node->withdrawals++;
		state[0] = '\0';
		snprintf(node->last_reason, sizeof(node->last_reason), "%s", d->reason);
		return;
	}
	node->states++;
	node->unconfirmed += !d->confirmed;
	snprintf(state, 32, "%.*s", (int)(d->payload.len < 31 ? d->payload.len : 31),
	    (const char *)d->payload.at);
}

static void
node_deliver(void *ctx, const struct beacon_delivery *d)
{
	struct net_node *node = ctx;

	switch (d->news) {
	case BEACON_NEWS_EVENT:
		see_event(node, d);
		break;
	case BEACON_NEWS_STATE:
	case BEACON_NEWS_WITHDRAW:
		see_state(node, d);
		break;
	case BEACON_NEWS_GAP:
		if (node->gap_count < NET_GAPS) {
			node->gaps[node->gap_count].epoch = d->epoch;
			node->gaps[node->gap_count].first = d->first;
			node->gaps[node->gap_count++].last = d->last;
		}
		break;
	case BEACON_NEWS_REFUSED:
		node->refused++;
		break;
	case BEACON_NEWS_NOTICE:
		node->notices++;
		break;
	}
	if (d->news == BEACON_NEWS_REFUSED || d->news == BEACON_NEWS_NOTICE)
		snprintf(node->last_reason, sizeof(node->last_reason), "%s", d->reason);
}

bool
net_reported(const struct net_node *node, uint64_t epoch, uint64_t seq)
{
	for (size_t i = 0; i < node->gap_count; i++)
		if (node->gaps[i].epoch == epoch && seq >= node->gaps[i].first &&
		    seq <= node->gaps[i].last)
			return true;
	return false;
}

void
net_restart_remembering(struct net_node *r, const struct beacon_keyring *ring,
    const struct beacon_trust *trust, unsigned lines_cut)
{
	static uint8_t memory[BEACON_STATE_MAX];
	struct wire_wr wr = wire_wr_of(memory, sizeof(memory));
	struct span text;

	CU_ASSERT_EQUAL(beacon_receiver_save(r->receiver, &wr), OK);
	text = wire_wr_span(&wr);
	for (size_t i = 0; lines_cut != 0 && i + 5 < text.len; i++)
		if (memcmp(memory + i, "heir ", 5) == 0)
			memory[i] = '#';
	net_restart_receiver(r, ring, trust);
	CU_ASSERT_EQUAL(beacon_receiver_load(r->receiver, text), lines_cut);
}

unsigned
net_news(const struct net_node *node)
{
	return node->event_count + node->states + node->withdrawals;
}

void
net_forget(struct net_node *node)
{
	memset(node->events, 0, sizeof(node->events));
	memset(node->state, 0, sizeof(node->state));
	node->event_count = node->unconfirmed = node->states = node->withdrawals = 0;
	node->refused = node->notices = 0;
	node->gap_count = 0;
}

/* --- nodes ----------------------------------------------------------------------------------- */

static struct net_node *
add_node(struct net *n, bool has_clock)
{
	struct net_node *node = &n->nodes[n->count++];

	memset(node, 0, sizeof(*node));
	node->net = n;
	node->has_clock = has_clock;
	node->addr.in.sin_family = AF_INET;
	node->addr.in.sin_addr.s_addr = htonl(0xc0a80100U + n->count);
	return node;
}

void
net_restart_sender(struct net_node *node, const struct beacon_keyring *ring,
    const struct beacon_identity *me, uint64_t epoch)
{
	static const struct beacon_sender_ops ops = { .multicast = node_send,
		.unicast = node_unicast, .clone = node_clone };
	struct beacon_sender_opts o = { .ops = &ops, .ctx = node, .ring = ring, .me = me,
		.epoch = epoch, .leases = &node->leases, .seed = unit_random(&node->net->seed),
		.now = net_when(node) };

	beacon_leases_init(&node->leases, 4);
	beacon_sender_free(node->sender);
	CU_ASSERT_EQUAL_FATAL(beacon_sender_new(&node->sender, &o), OK);
	node->wake_at = 0;
}

void
net_restart_receiver(struct net_node *node, const struct beacon_keyring *ring,
    const struct beacon_trust *trust)
{
	static const struct beacon_receiver_ops ops = { .deliver = node_deliver,
		.send = node_send };
	struct beacon_receiver_opts o = { .ops = &ops, .ctx = node, .ring = ring, .trust = trust,
		.seed = unit_random(&node->net->seed), .now = net_when(node) };

	beacon_receiver_free(node->receiver);
	CU_ASSERT_EQUAL_FATAL(beacon_receiver_new(&node->receiver, &o), OK);
	net_forget(node);
	node->wake_at = 0;
}

struct net_node *
net_add_sender(struct net *n, const struct beacon_keyring *ring, const struct beacon_identity *me,
    uint64_t epoch)
{
	struct net_node *node = add_node(n, true);

	net_restart_sender(node, ring, me, epoch);
	return node;
}

struct net_node *
net_add_receiver(struct net *n, const struct beacon_keyring *ring, const struct beacon_trust *trust,
    bool has_clock)
{
	struct net_node *node = add_node(n, has_clock);

	net_restart_receiver(node, ring, trust);
	return node;
}

/* --- time ------------------------------------------------------------------------------------ */

enum beacon_count
net_inject(struct net_node *to, struct span dgram)
{
	struct beacon_when now = net_when(to);
	struct addr from = to->addr;
	enum beacon_count fate = BEACON_C_RECEIVED;

	if (to->sender != NULL)
		beacon_sender_input(to->sender, &now, dgram, &from, true);
	if (to->receiver != NULL)
		fate = beacon_receiver_input(to->receiver, &now, dgram, &from);
	to->wake_at = to->net->now;
	return fate;
}

static void
arrive(struct net *n, size_t i)
{
	struct net_flight f = n->flights[i];
	struct net_node *node = &n->nodes[f.to];
	struct beacon_when now = net_when(node);

	n->flights[i] = n->flights[--n->flight_count];
	if (node->off)
		return;
	if (node->sender != NULL)
		beacon_sender_input(node->sender, &now, span_of(f.bytes, f.len), &f.from, true);
	if (node->receiver != NULL)
		beacon_receiver_input(node->receiver, &now, span_of(f.bytes, f.len), &f.from);
	node->wake_at = n->now;
}

static void
wake(struct net_node *node)
{
	struct beacon_when now = net_when(node);

	node->wake_at = MONO_NEVER;
	if (node->sender != NULL)
		node->wake_at = beacon_sender_wake(node->sender, &now);
	if (node->receiver != NULL)
		node->wake_at = mono_earlier(node->wake_at,
		    beacon_receiver_wake(node->receiver, &now));
}

/* Advance to the next thing that happens, at most to `until`. */
static void
advance(struct net *n, mono_us until)
{
	mono_us at = until;

	for (size_t i = 0; i < n->flight_count; i++)
		at = mono_earlier(at, n->flights[i].at);
	for (unsigned i = 0; i < n->count; i++)
		if (!n->nodes[i].asleep)
			at = mono_earlier(at, n->nodes[i].wake_at);
	if (at > n->now)
		n->now = at;
	for (size_t i = 0; i < n->flight_count;) {
		if (n->flights[i].at <= n->now)
			arrive(n, i);
		else
			i++;
	}
	for (unsigned i = 0; i < n->count; i++)
		if (!n->nodes[i].asleep && n->nodes[i].wake_at <= n->now)
			wake(&n->nodes[i]);
}

void
net_run(struct net *n, usec span)
{
	mono_us until = n->now + span;

	while (n->now < until)
		advance(n, until);
}

void
net_step(struct net *n)
{
	advance(n, n->now + millis(10));
}

void
net_suspend(struct net_node *node)
{
	node->off = node->asleep = true;
}

void
net_resume(struct net_node *node)
{
	struct beacon_when now = net_when(node);

	node->off = node->asleep = false;
	if (node->sender != NULL)
		beacon_sender_refresh(node->sender, &now);
	if (node->receiver != NULL)
		beacon_receiver_join(node->receiver, now.mono);
	node->wake_at = node->net->now;
}

static void
net_init(struct net *n, uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	n->now = seconds(1000);
	n->seed = seed;
	n->delay_min = 200;
	n->delay_max = 1000;
	n->tap = calloc(NET_TAP, sizeof(*n->tap));
	CU_ASSERT_PTR_NOT_NULL_FATAL(n->tap);
}

static void
net_fini(struct net *n)
{
	for (unsigned i = 0; i < n->count; i++) {
		beacon_sender_free(n->nodes[i].sender);
		beacon_receiver_free(n->nodes[i].receiver);
	}
	free(n->flights);
	free(n->tap);
}

void
net_event(struct net_node *sender, unsigned i)
{
	struct beacon_when now = net_when(sender);
	char text[16];

	snprintf(text, sizeof(text), "%u", i);
	CU_ASSERT_EQUAL(beacon_sender_event(sender->sender, &now, span_str("e"),
	    BEACON_CTYPE_OPAQUE, span_str(text), 0), OK);
	sender->event_seq[i] = beacon_sender_seq(sender->sender);
	sender->wake_at = sender->net->now;
}

void
net_state(struct net_node *sender, unsigned i, const char *value)
{
	struct beacon_when now = net_when(sender);
	char topic[16];

	snprintf(topic, sizeof(topic), "t%u", i);
	CU_ASSERT_EQUAL(beacon_sender_publish(sender->sender, &now, span_str(topic),
	    BEACON_CTYPE_OPAQUE, span_str(value), 0), OK);
	sender->wake_at = sender->net->now;
}

/* --- keys ------------------------------------------------------------------------------------ */

void
net_ring(struct beacon_keyring *out, const uint8_t *seeds, size_t n)
{
	char text[BEACON_KEYRING_MAX * (BEACON_GROUP_TEXT + 1)] = "", why[BEACON_WHY_MAX];

	for (size_t i = 0; i < n; i++) {
		uint8_t key[SEAL_KEY_BYTES] = { seeds[i] };

		beacon_group_format(text + strlen(text), key);
		strcat(text, "\n");
	}
	CU_ASSERT_EQUAL_FATAL(beacon_keyring_read(out, span_str(text), why), OK);
}

static void
net_keys_init(struct net_keys *k)
{
	static const uint8_t alice[32] = { 'a' }, bob[32] = { 'b' }, carol[32] = { 'c' };
	static const uint8_t dave[32] = { 'd' };

	memset(k, 0, sizeof(*k));
	CU_ASSERT_EQUAL_FATAL(seal_init(), OK);
	net_ring(&k->group, (const uint8_t[]){ 1 }, 1);
	net_ring(&k->other_group, (const uint8_t[]){ 2 }, 1);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&k->alice, alice), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&k->bob, bob), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&k->carol, carol), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_identity_from(&k->dave, dave), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_trust_add(&k->trust, "alice", k->alice.public, NULL,
	    BEACON_FROM_FILE), OK);
	CU_ASSERT_EQUAL_FATAL(beacon_trust_add(&k->trust, "bob", k->bob.public, "bob/*",
	    BEACON_FROM_FILE), OK);
}

static void
net_keys_fini(struct net_keys *k)
{
	beacon_keyring_fini(&k->group);
	beacon_keyring_fini(&k->other_group);
	beacon_identity_fini(&k->alice);
	beacon_identity_fini(&k->bob);
	beacon_identity_fini(&k->carol);
	beacon_identity_fini(&k->dave);
}

void
net_begin(struct net *n, struct net_keys *k, uint64_t fixed_seed)
{
	net_keys_init(k);
	net_init(n, unit_seed(fixed_seed));
}

void
net_end(struct net *n, struct net_keys *k)
{
	net_fini(n);
	net_keys_fini(k);
}
