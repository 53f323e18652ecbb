/* SPDX-License-Identifier: MIT */
/*
 * A LAN of announcers and subscribers on a virtual clock. The link loses, repeats and delays by
 * seed; a tap records what was sent, so that it can be replayed.
 */
#ifndef TESTS_SIM_BEACON_NET_H
#define TESTS_SIM_BEACON_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/announce/beacon_receiver.h"
#include "services/announce/beacon_sender.h"

#define NET_NODES 8
#define NET_EVENTS 2048		/* events are numbered; their payload is the number */
#define NET_TOPICS 256
#define NET_GAPS 1024
#define NET_TAP 20000

struct net;

struct net_node {
	struct net *net;
	struct beacon_sender *sender;
	struct beacon_receiver *receiver;
	struct beacon_leases leases;	/* that the sender gives */
	struct addr addr;
	bool has_clock;
	int64_t wall_shift_ms;	/* this node's clock, against the world's */
	bool off;		/* hears and says nothing */
	bool asleep;		/* and does nothing: the machine is suspended */
	mono_us wake_at;
	/* what the sender was told */
	unsigned clone_calls, same_epoch_calls;
	unsigned unicasts;
	/* what the subscriber saw */
	unsigned events[NET_EVENTS];
	uint64_t event_seq[NET_EVENTS];
	unsigned event_count, unconfirmed, states, withdrawals, refused, notices;
	char state[NET_TOPICS][32];	/* by the number at the topic's end; "" is absent */
	struct {
		uint64_t epoch, first, last;
	} gaps[NET_GAPS];
	size_t gap_count;
	mono_us last_event_at;
	size_t last_payload_len;
	char last_reason[80];
};

struct net_flight {
	mono_us at;
	unsigned to;
	struct addr from;
	size_t len;
	uint8_t bytes[BEACON_DGRAM_MAX];
};

struct net {
	mono_us now;
	uint64_t seed;
	unsigned loss;		/* per cent of what a subscriber should hear */
	unsigned repeat;
	usec delay_min, delay_max;	/* a wide span reorders */
	unsigned count;
	struct net_node nodes[NET_NODES];
	struct net_flight *flights;
	size_t flight_count, flight_cap;
	bool tapping;
	struct net_flight *tap;
	size_t tap_count;
	uint64_t sent_bytes;
};

/* The tests share one group and some identities. */
struct net_keys {
	struct beacon_keyring group, other_group, none;
	struct beacon_identity alice, bob, carol, dave;
	struct beacon_trust trust;	/* alice may say everything, bob "bob/" only */
};

/* Make keys and an empty LAN; the seed is printed and may be overridden. */
void net_begin(struct net *n, struct net_keys *k, uint64_t fixed_seed);
void net_end(struct net *n, struct net_keys *k);
/* A ring of the keys made of these bytes, in this order. */
void net_ring(struct beacon_keyring *out, const uint8_t *seeds, size_t n);

struct net_node *net_add_sender(struct net *n, const struct beacon_keyring *ring,
    const struct beacon_identity *me, uint64_t epoch);
struct net_node *net_add_receiver(struct net *n, const struct beacon_keyring *ring,
    const struct beacon_trust *trust, bool has_clock);
/* Start over: a new process on the same machine. */
void net_restart_sender(struct net_node *node, const struct beacon_keyring *ring,
    const struct beacon_identity *me, uint64_t epoch);
void net_restart_receiver(struct net_node *node, const struct beacon_keyring *ring,
    const struct beacon_trust *trust);
/* The same with its memory, of which so many lines that tell of heirs are spoilt. */
void net_restart_remembering(struct net_node *node, const struct beacon_keyring *ring,
    const struct beacon_trust *trust, unsigned lines_cut);
/* Suspend a machine, and wake it: its engines are told as the sockets' side tells them. */
void net_suspend(struct net_node *node);
void net_resume(struct net_node *node);
/* How much the subscriber was told. */
unsigned net_news(const struct net_node *node);
/* Forget what the subscriber saw, not what it knows. */
void net_forget(struct net_node *node);

struct beacon_when net_when(const struct net_node *node);
uint64_t net_wall_ms(const struct net_node *node);
/* Let time pass. */
void net_run(struct net *n, usec span);
/* One step of at most 10 ms. */
void net_step(struct net *n);

/* Publish event number i (topic "e", payload the number); remembers its sequence number. */
void net_event(struct net_node *sender, unsigned i);
void net_state(struct net_node *sender, unsigned i, const char *value);

/* Hand a datagram to one node as if it came from the link. Gives its fate at a subscriber. */
enum beacon_count net_inject(struct net_node *to, struct span dgram);

/* The subscriber was told that this number is lost. */
bool net_reported(const struct net_node *node, uint64_t epoch, uint64_t seq);

#endif
