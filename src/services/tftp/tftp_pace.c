/* SPDX-License-Identifier: MIT */
/*
 * Search for the shortest gap that loses nothing: down by a quarter after clean windows, back up by
 * a third after a loss, and after each loss wait twice as long before the next attempt, so that the
 * gap settles just above the receiver's service time instead of swinging around it.
 */
#include "services/tftp/tftp_pace.h"

#define FIRST_GAP 80	/* usec, RFC 7440 §6 */
#define LEAST_GAP 20	/* usec; below, the kernel's own sending takes as long */
/* usec; a round trip can be measured far too long, see RFC 6298 §3 */
#define LONGEST_GAP 10000
#define HOLD_FIRST 64	/* blocks */
#define HOLD_MAX 4096	/* blocks: an attempt that fails may cost a probe, as long as 40 of them */
#define FEW_BLOCKS 8	/* a receiver short of buffers chokes early, noise strikes anywhere */
/* A receiver short of buffers chokes as often; a line of 1 % loss mostly lets more pass. */
#define NOISE_BLOCKS 20
#define CHOKED_ENOUGH 3	/* windows in a row at the longest gap: the bound was too low */

void
tftp_pace_delivered(struct tftp_pace *p, usec elapsed, unsigned blocks)
{
	usec each = elapsed / (usec)blocks;

	if (each < 1)
		each = 1;
	if (blocks == 1 && (p->lockstep == 0 || each < p->lockstep))
		p->lockstep = each;
	if (p->service == 0 || each < p->service)
		p->service = each;
}

static usec
longest(const struct tftp_pace *p)
{
	return p->service != 0 && p->service < LONGEST_GAP ? p->service : LONGEST_GAP;
}

/* Slower than one block per round trip would be slower than no window at all. */
static void
raise_bound(struct tftp_pace *p)
{
	usec top = p->lockstep != 0 ? p->lockstep : LONGEST_GAP;

	if (p->service != 0 && p->service < top)
		p->service = p->service * 2 < top ? p->service * 2 : top;
}

/* Nothing says that the receiver is too slow. Takes note of the loss. */
static bool
is_noise(struct tftp_pace *p, unsigned blocks, enum tftp_loss kind)
{
	bool early = p->since + blocks < NOISE_BLOCKS;

	p->since = 0;
	p->early = early ? p->early + 1 : 0;
	if (kind == TFTP_LOSS_TAIL)
		return false;
	/* Silence costs much more than a gap: once paced, do not risk it. */
	return p->gap == 0 ? p->early < 2 : !early && kind == TFTP_LOSS_GAP;
}

void
tftp_pace_loss(struct tftp_pace *p, unsigned blocks, enum tftp_loss kind)
{
	usec gap = p->gap;

	if (kind == TFTP_LOSS_SILENT && p->silent && blocks <= FEW_BLOCKS)
		kind = TFTP_LOSS_TAIL;
	p->silent = kind == TFTP_LOSS_SILENT;
	if (is_noise(p, blocks, kind))
		return;
	p->lossy++;
	p->clean = 0;
	p->choked = blocks < FEW_BLOCKS ? p->choked + 1 : 0;
	if (gap != 0 && gap >= longest(p) && p->choked >= CHOKED_ENOUGH)
		raise_bound(p);
	if (kind == TFTP_LOSS_TAIL)
		gap = longest(p);
	else if (gap == 0)
		gap = FIRST_GAP;
	else if (p->lossy > 1)
		gap *= 2;
	else
		gap += gap / 3;
	if (p->gap != 0)
		p->hold = p->hold == 0 ? HOLD_FIRST : p->hold < HOLD_MAX ? p->hold * 2 : HOLD_MAX;
	p->gap = gap < longest(p) ? gap : longest(p);
}

void
tftp_pace_clean(struct tftp_pace *p, unsigned blocks)
{
	p->silent = false;
	p->since += blocks;
	p->lossy = 0;
	p->choked = 0;
	p->clean += blocks;
	if (p->gap == 0 || p->clean < p->hold)
		return;
	p->clean = 0;
	p->gap -= p->gap / 4;
	if (p->gap < LEAST_GAP)
		p->gap = 0;
}
