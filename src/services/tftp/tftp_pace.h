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
	unsigned lossy;		/* windows with a loss in a row; noise does not count */
	unsigned choked;	/* of them, in a row, with only a few blocks before the loss */
	bool silent;		/* the last window was a TFTP_LOSS_SILENT */
	unsigned since;		/* blocks since the last loss of any kind */
	unsigned early;		/* losses in a row that came soon after the one before */
	unsigned clean;		/* blocks without a loss in a row */
	unsigned hold;		/* clean blocks to wait for before the gap is tried shorter */
};

/* blocks (1 or more) were delivered in `elapsed` from the first one's sending. */
void tftp_pace_delivered(struct tftp_pace *p, usec elapsed, unsigned blocks);

/* How a loss showed itself. */
enum tftp_loss {
	TFTP_LOSS_GAP,		/* the receiver told of a gap */
	TFTP_LOSS_SILENT,	/* it kept silent until the end of the window came again */
	TFTP_LOSS_TAIL,		/* so it did, and more than one block was missing */
};

/*
 * A window lost blocks, behind `blocks` good ones. A single gap may as well be noise on the line,
 * which a longer time between blocks does nothing about: it counts only where it comes soon after
 * the last one, and not for the first time. A lost tail is what a receiver that is too slow for a
 * burst looks like; two silent windows in a row are taken for it where they are short.
 */
void tftp_pace_loss(struct tftp_pace *p, unsigned blocks, enum tftp_loss kind);

/* A window of so many blocks arrived whole. */
void tftp_pace_clean(struct tftp_pace *p, unsigned blocks);

#endif
