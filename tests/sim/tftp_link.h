/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a TFTP transfer, a virtual clock, and a link that loses, doubles, delays and reorders
 * by script. Everything random comes from one seed.
 */
#ifndef TESTS_SIM_TFTP_LINK_H
#define TESTS_SIM_TFTP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "services/tftp/tftp_receiver.h"
#include "services/tftp/tftp_sender.h"

#define LINK_FLIGHT_MAX 4096	/* packets under way; more is a bug of the sender */

enum link_kind {
	LINK_REQUEST,
	LINK_OACK,
	LINK_DATA,
	LINK_ACK,
};

struct link_packet {
	bool used;
	bool to_server;
	bool in_card;		/* arrived, and waits for the client to work on it */
	mono_us at;
	uint64_t order;	/* of packets with the same instant the first one sent comes first */
	enum link_kind kind;
	struct seq16 block;
	uint64_t truth;		/* the real block number behind the 16 bits on the wire */
	uint64_t len;
};

/* One direction. */
struct link_way {
	unsigned loss;		/* of 1000 */
	unsigned doubled;	/* of 1000: a copy follows at once */
	usec delay;
	usec spread;		/* up to this much more, so that packets overtake */
};

/* How the client behaves where it is not the receiver engine alone. */
struct link_client {
	unsigned slots;		/* receive buffers of its network card; 0: any number */
	usec service;		/* time it needs for one block; holds a slot meanwhile */
	bool chatty;		/* ACKs every block that is out of order (EDK2) */
};

struct link_setup {
	uint64_t seed;
	bool upload;		/* the client sends */
	bool plain;		/* no options, so no OACK */
	unsigned window;
	unsigned blksize;
	uint64_t blocks;	/* of the file; the last is short */
	enum tftp_rollover roll;
	struct link_way up, down;	/* to the server, to the client */
	struct link_client client;
	usec rtt_known;		/* the server has met this client before; 0: it has not */
	usec time_max;		/* virtual; 0: 20 minutes */
	/* May drop a packet by script; NULL: nobody asks. */
	bool (*drop)(void *ctx, const struct link_packet *p);
	void *ctx;
};

struct link {
	struct link_setup setup;
	struct link_packet flight[LINK_FLIGHT_MAX];
	size_t flight_top;	/* slots above were never used */
	uint64_t order;
	uint64_t rng;
	mono_us now;
	struct tftp_sender sender;
	struct tftp_receiver receiver;
	bool server_up;		/* the request has arrived */
	bool client_up;		/* the client has heard from the server */
	unsigned requests;	/* more than one: the client's own timer had to help */
	mono_us request_at;
	mono_us free_at[16];	/* client's slots */
	mono_us client_free;
	uint64_t stored;	/* blocks that arrived in order */
	bool wrong;		/* a block was taken for another: the file is corrupt */
	bool complete;		/* the receiving end has the whole file */
	mono_us complete_at;
	uint64_t data_packets;	/* sent, lost ones included */
	uint64_t client_dropped;	/* for want of a slot */
	usec longest_silence;	/* of the server between two packets while not over */
	mono_us server_spoke;
};

/* Run to the end of both sides. True where the whole file arrived, right. */
bool link_run(struct link *ln, const struct link_setup *setup);

/* The timing of the server's defaults. */
struct tftp_timing link_timing(void);

#endif
