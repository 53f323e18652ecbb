/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers. On the wire they are 16 or 32 bits and wrap; inside, everything counts in
 * 64 bits and never does. The structs exist so that `<` on a wire number does not compile.
 * Source: serial number arithmetic, RFC 1982 §3.
 *
 * Numbers that must never be used twice, not even after a power cut, come from a seq_floor.
 */
#ifndef UTIL_SEQ_H
#define UTIL_SEQ_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct seq16 {
	uint16_t v;
};

struct seq32 {
	uint32_t v;
};

/* a comes before b. Numbers exactly half a circle apart are in no order: false both ways. */
bool seq16_before(struct seq16 a, struct seq16 b);
bool seq32_before(struct seq32 a, struct seq32 b);

/*
 * Give the absolute number nearest to ref whose low 16 bits are wire.
 *
 * ref     last absolute number we are sure of, counted from 0
 * returns a number in [ref - 32768, ref + 32767]; where that is below 0, one lap (65536) later
 *
 * Never fails. Blocks of TFTP: RFC 1350 §5.
 */
uint64_t seq16_expand(uint64_t ref, struct seq16 wire);
/* The same with 32 bits: a number in [ref - 2^31, ref + 2^31 - 1]. */
uint64_t seq32_expand(uint64_t ref, struct seq32 wire);

/*
 * A row of numbers that goes on where it was after a crash. The disk holds a limit: every number
 * below it may have been used. It is moved ahead in steps, so that the disk is written to once
 * for many numbers, and before the first number of a step is used. A crash wastes what is left
 * of the step. Storing is the caller's (core/statefile), and may take its time:
 *
 *	if (seq_floor_wants(&f, &limit) && ...no write under way...)
 *		...store limit; when it is on the disk: seq_floor_stored(&f, limit);
 *	if (!seq_floor_take(&f, &seq))
 *		...come back when it is stored...
 */
struct seq_floor {
	uint64_t next;		/* the next number to give out */
	uint64_t limit;		/* what the disk holds; numbers below may be used */
	uint64_t step;
};

/*
 * stored  the limit on the disk, or where there is none the first number to give out
 * step	   numbers that one write makes available, 1 or more
 */
void seq_floor_init(struct seq_floor *f, uint64_t stored, uint64_t step);

/*
 * Say whether it is time to store a new limit, and which: true once half a step or less is left,
 * so that numbers do not run out while the disk is busy. The same answer until it is stored.
 */
bool seq_floor_wants(const struct seq_floor *f, uint64_t *limit);

/* The limit is on the disk now. One below that of an earlier call changes nothing. */
void seq_floor_stored(struct seq_floor *f, uint64_t limit);

/* Give the next number; false where none may be used before a new limit is stored. */
bool seq_floor_take(struct seq_floor *f, uint64_t *seq);

/*
 * Give the epoch of a new start: wall-clock time, unless the clock was set back. Always greater
 * than the stored one, save after UINT64_MAX. To be stored before it is used.
 */
uint64_t seq_epoch(uint64_t stored, uint64_t wall_ms);

#endif
