/* SPDX-License-Identifier: MIT */
/*
 * The receiving side of a transfer: WRQ in the server, get in a client. Accepts blocks in order
 * only, acknowledges each window (RFC 7440), tells of a gap once, answers repeats of the last
 * block, and lingers after the end for a peer that has missed the last ACK (RFC 1350 §6).
 */
#ifndef SERVICES_TFTP_TFTP_RECEIVER_H
#define SERVICES_TFTP_TFTP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/tftp/tftp_block.h"
#include "services/tftp/tftp_terms.h"
#include "services/tftp/tftp_transfer.h"
#include "util/mono.h"
#include "util/rto.h"
#include "util/seq.h"

struct tftp_receiver {
	enum tftp_receiver_state {
		TFTP_RECEIVER_DATA,	/* waits for the next block until the RTO */
		TFTP_RECEIVER_COMMIT,	/* has all; waits for the caller to say that it is stored */
		TFTP_RECEIVER_DALLY,	/* stored and acknowledged; answers repeats until over_at */
		TFTP_RECEIVER_OVER,
	} state;
	enum tftp_end end;

	uint64_t next;			/* block that is waited for, from 1 */
	unsigned window;
	unsigned blksize;
	enum tftp_rollover roll;
	unsigned unacked;		/* blocks taken since the last ACK */
	uint64_t gap_told;		/* next for which a gap ACK has gone out; 0: none */
	bool oack;			/* the answer to the request is an OACK, not ACK 0 */
	bool answer_due;
	bool held;			/* the caller has no room: no ACK, so that the peer waits */
	bool proven;
	bool clean;	/* the last answer was sent once: its round trip may be measured */
	bool probed;			/* this silence had its early ACK */
	bool keep_backoff;
	unsigned unproven_sends;

	struct tftp_timing timing;
	struct rto rto;
	mono_us answer_sent;
	mono_us last_heard;
	mono_us last_progress;
	mono_us rto_at;
	mono_us probe_at;
	mono_us over_at;		/* DALLY */
	uint64_t seed;
	unsigned tries;
	unsigned full_tries;
	struct tftp_counts counts;
};

enum tftp_verdict {
	TFTP_TAKE,		/* the next block: keep its data */
	TFTP_TAKE_LAST,	/* the same, and it is the last: store, then tftp_receiver_stored() */
	TFTP_PASS,		/* not wanted */
	TFTP_TOO_LONG,		/* more than blksize: the transfer cannot go on, ERROR 4 */
};

void tftp_receiver_init(struct tftp_receiver *r, const struct tftp_terms *terms,
    const struct tftp_timing *timing, uint64_t seed, mono_us now);

/*
 * For client use: the request has been sent and stands for the OACK; there is nothing to answer
 * before the first packet. got_oack: the first packet was an OACK, which ACK 0 answers.
 */
void tftp_receiver_begin_client(struct tftp_receiver *r, bool got_oack);

enum tftp_verdict tftp_receiver_data(struct tftp_receiver *r, struct seq16 block, size_t len,
    mono_us now);

/* The peer repeats its request: the answer was lost. */
void tftp_receiver_repeat(struct tftp_receiver *r, mono_us now);

/* While held, no ACK goes out; the peer waits and the caller catches up. */
void tftp_receiver_hold(struct tftp_receiver *r, bool held);

/* What the last block completed is stored: acknowledge it. */
void tftp_receiver_stored(struct tftp_receiver *r, mono_us now);

/* An answer is due: the OACK where *oack, else an ACK of *block. */
bool tftp_receiver_want(const struct tftp_receiver *r, bool *oack, struct seq16 *block);
void tftp_receiver_sent(struct tftp_receiver *r, mono_us now);

void tftp_receiver_wake(struct tftp_receiver *r, mono_us now);
mono_us tftp_receiver_deadline(const struct tftp_receiver *r);

#endif
