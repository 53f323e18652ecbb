/* SPDX-License-Identifier: MIT */
/*
 * Block numbers. Inside they count from 1 in 64 bits; on the wire they have 16 bits and start over
 * at 0 (what every current client does) or at 1 (what the option `rollover` may ask for).
 */
#ifndef SERVICES_TFTP_TFTP_BLOCK_H
#define SERVICES_TFTP_TFTP_BLOCK_H

#include <stdint.h>

#include "util/seq.h"

enum tftp_rollover {
	TFTP_ROLL_TO_0,		/* 65535, 0, 1, … */
	TFTP_ROLL_TO_1,		/* 65535, 1, 2, … */
};

struct seq16 tftp_block_wire(uint64_t block, enum tftp_rollover roll);

/*
 * Give the block nearest to ref that has this number on the wire. Where that would be below 0, a
 * lap later: a caller compares with its own bounds anyhow.
 */
uint64_t tftp_block_expand(uint64_t ref, struct seq16 wire, enum tftp_rollover roll);

#endif
