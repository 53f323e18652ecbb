/* SPDX-License-Identifier: MIT */
/*
 * The sending side of a transfer: RRQ in the server, put in a client. Lock-step and windows
 * (RFC 7440), adaptive time-outs (RFC 6298, RFC 1123 §4.2.3.2), a tail-loss probe (the idea of
 * RFC 8985 §7), pacing after loss. Block numbers are counted from 1 in 64 bits.
 */
#ifndef SERVICES_TFTP_TFTP_SENDER_H
#define SERVICES_TFTP_TFTP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "services/tftp/tftp_block.h"
#include "services/tftp/tftp_pace.h"
#include "services/tftp/tftp_terms.h"
#include "services/tftp/tftp_transfer.h"
#include "util/mono.h"
#include "util/rto.h"
#include "util/seq.h"

#define TFTP_BLOCK_NONE UINT64_MAX

struct tftp_sender {
	enum tftp_sender_state {
		TFTP_SENDER_OACK,	/* OACK is due or sent; waits for ACK 0 until the RTO */
		/* una … are due or sent; waits for ACKs until probe or RTO */
		TFTP_SENDER_DATA,
		TFTP_SENDER_OVER,	/* waits for nothing */
	} state;
	enum tftp_end end;

	/*
	 * una <= nxt <= high; everything below una is acknowledged, everything below high was sent.
	 * high is at most two windows above una.
	 */
	uint64_t una;			/* first block without ACK */
	uint64_t nxt;			/* next block to send */
	uint64_t high;			/* first block that was never sent */
	uint64_t last;			/* last block of the file; TFTP_BLOCK_NONE while unknown */
	uint64_t rolled_back;	/* ACK that last caused a roll-back; TFTP_BLOCK_NONE: none */
	unsigned window;
	enum tftp_rollover roll;

	struct tftp_timing timing;
	struct rto rto;
	struct tftp_pace pace;
	usec rtt_bound;	/* no sample yet, but a round trip took no longer; 0: unknown */
	usec rtt_least;			/* 0 before the first sample */
	bool keep_backoff;		/* one exchange more with the backed-off time-out */

	mono_us first_sent;		/* block una, last time; or the OACK, first time */
	mono_us oldest_sent;		/* no block of this window left before */
	mono_us last_sent;
	mono_us last_progress;
	mono_us rto_at;			/* MONO_NEVER: not running */
	mono_us probe_at;
	mono_us pace_at;		/* next block not before */
	uint64_t seed;			/* state of the jitter */

	bool packet_due;		/* OACK state: the OACK; DATA state: the probe */
	bool proven;			/* the peer has answered */
	bool dirty;			/* something of this window was sent more than once */
	bool guess;			/* an ACK may answer what was sent before first_sent */
	bool probed;			/* this window, or the OACK, had its probe */
	unsigned copies;		/* how often this window, its end or the OACK went again */
	unsigned echoes;		/* ACKs of una - 1 that copies of a window may cause */
	bool ahead;			/* two windows may be under way */
	unsigned unproven_sends;
	unsigned tries;			/* time-outs since progress */
	unsigned full_tries;		/* of them at the longest time-out */
	struct tftp_counts counts;
};

/* What should go out now. count 0: nothing. */
struct tftp_want {
	bool oack;		/* the OACK packet; first and count mean nothing */
	uint64_t first;		/* first block */
	unsigned count;		/* blocks in a row, a window at most; 1 for the OACK */
};

/*
 * last	  number of the last block, or TFTP_BLOCK_NONE to be told by tftp_sender_ends_at()
 * seed	  any number; spreads the timers
 * The caller has looked at nothing but the terms; a window needs an OACK, as the option does.
 */
void tftp_sender_init(struct tftp_sender *s, const struct tftp_terms *terms,
    const struct tftp_timing *timing, uint64_t last, uint64_t seed, mono_us now);

/* For client use: the peer has spoken first, so it exists. */
void tftp_sender_prove(struct tftp_sender *s);

void tftp_sender_ends_at(struct tftp_sender *s, uint64_t last);

/* All has been sent that may go to a peer that has not answered. */
bool tftp_sender_exhausted(const struct tftp_sender *s);

/* Give what is due at now. Ask again after tftp_sender_sent() until nothing is wanted. */
struct tftp_want tftp_sender_want(const struct tftp_sender *s, mono_us now);

/* The first count packets of what was wanted have left. Where none could, call it not at all. */
void tftp_sender_sent(struct tftp_sender *s, const struct tftp_want *want, unsigned count,
    mono_us now);

void tftp_sender_ack(struct tftp_sender *s, struct seq16 block, mono_us now);

/*
 * The client repeats its request: the answer was lost, or it is impatient. Sooner than probe_min
 * after the answer it can only be a double made by the network.
 */
void tftp_sender_repeat(struct tftp_sender *s, mono_us now);

/* Time has passed; calling it early does no harm. */
void tftp_sender_wake(struct tftp_sender *s, mono_us now);

/* The instant of the next tftp_sender_wake(); MONO_NEVER once it is over. */
mono_us tftp_sender_deadline(const struct tftp_sender *s);

#endif
