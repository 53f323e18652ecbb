/* SPDX-License-Identifier: MIT */
/*
 * What both directions of a transfer share: timing, ways to end, counters. The engines themselves
 * are tftp_sender and tftp_receiver. They do no I/O:
 *
 *	input	a packet or the passing of time, with `now`
 *	output	*_want() says what should be sent now; the caller sends it and says so to *_sent()
 *	timer	*_deadline() is the instant at which *_wake() wants to be called
 */
#ifndef SERVICES_TFTP_TFTP_TRANSFER_H
#define SERVICES_TFTP_TFTP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/mono.h"
#include "util/rto.h"

#define TFTP_UNPROVEN_SENDS 4	/* packets to a peer that has not answered: no use as a reflector */

struct tftp_timing {
	usec rto_initial;	/* before a round trip was measured */
	usec rto_min;	/* in lock-step a Raspberry Pi 4 hangs on a doubled block: not too low */
	usec rto_max;		/* where no timeout was negotiated */
	usec rtt_known;		/* a round trip of an earlier transfer of this peer; 0: none */
	usec probe_min;		/* a silent window is probed no earlier */
	usec patience;		/* without progress, and with `tries` spent: give up */
	usec idle_max;		/* without progress: give up in any case */
	usec dally;		/* after an upload: answer repeats of its last block for so long */
	unsigned unproven_sends;	/* packets before the first answer; at most
					 * TFTP_UNPROVEN_SENDS */
	unsigned tries;		/* time-outs at the longest time-out before giving up */
	bool strict;		/* the negotiated timeout is used as it is: no estimate, no probe */
};

enum tftp_end {
	TFTP_RUNNING,
	TFTP_COMPLETE,
	/* all was sent, the last ACK is missing: some clients never send it */
	TFTP_UNCONFIRMED,
	TFTP_SILENT,		/* the peer went silent in the middle */
	TFTP_UNPROVEN,		/* the peer never answered at all */
};

struct tftp_counts {
	uint64_t packets;	/* sent: blocks, ACKs, OACKs */
	uint64_t resent;	/* of them, sent before */
	uint64_t rollbacks;	/* windows sent again from a gap on */
	uint64_t probes;
	uint64_t timeouts;
	uint64_t duplicates;	/* packets that said nothing new */
	uint64_t strays;	/* block numbers outside what can be */
};

/* Set up the estimator for a transfer. timeout: as negotiated, 0 for none. */
void tftp_timing_rto(const struct tftp_timing *timing, usec timeout, struct rto *out);

/*
 * Give the time-out in force. The first one after an answer is exact: at the floor it is long
 * enough. Backed off it is give or take 10 %, so that many transfers do not go on together.
 *
 * seed  of the jitter; changes
 */
usec tftp_timing_wait(const struct rto *rto, uint64_t *seed);

/* Give a word for log lines: "complete", "silent", … */
const char *tftp_end_text(enum tftp_end end);

#endif
