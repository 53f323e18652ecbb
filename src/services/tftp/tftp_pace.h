/* SPDX-License-Identifier: MIT */
/*
 * How fast a window may leave. Many boot ROMs and U-Boot drivers offer their network card one
 * receive buffer at a time, so that a burst loses its tail; the gap between blocks then has to
 * follow the time that the receiver needs for one. Clients on good cards never see a gap.
 *
 * A receiver works through blocks one after the other. So the time from the first send of a window
 * to the ACK that covers n blocks of it, divided by n, is never below its service time: the least
 * such quotient bounds the gap from above, and pacing stays at least as fast as lock-step.
 */
#ifndef SERVICES_TFTP_TFTP_PACE_H
#define SERVICES_TFTP_TFTP_PACE_H

#include <stdbool.h>

#include "util/mono.h"

/* All zero to begin with: unpaced. */
struct tftp_pace {
	usec gap;		/* between two blocks; 0: send as fast as the line takes them */
	usec service;	/* least known bound of the receiver's time for a block; 0: none yet */
	usec lockstep;		/* one exchange of one packet took so long; 0: not measured */
	unsigned lossy;		/* windows with a loss in a row */
	unsigned choked;	/* of them, in a row, with only a few blocks before the loss */
	unsigned clean;		/* blocks without a loss in a row */
	unsigned hold;		/* clean blocks to wait for before the gap is tried shorter */
};

/* blocks (1 or more) were delivered in `elapsed` from the first one's sending. */
void tftp_pace_delivered(struct tftp_pace *p, usec elapsed, unsigned blocks);

/*
 * A window lost blocks, behind `blocks` good ones. tail: everything behind some point was lost,
 * which is what a receiver that is too slow for a burst looks like; a single gap may as well be
 * noise on the line.
 */
void tftp_pace_loss(struct tftp_pace *p, unsigned blocks, bool tail);

/* A window of so many blocks arrived whole. */
void tftp_pace_clean(struct tftp_pace *p, unsigned blocks);

#endif
