/* SPDX-License-Identifier: MIT */
/* With rollover to 1 a lap is 65535 blocks and the number 0 stands for block 0 alone. */
#include "services/tftp/tftp_block.h"

#define LAP_TO_1 65535

struct seq16
tftp_block_wire(uint64_t block, enum tftp_rollover roll)
{
	if (roll == TFTP_ROLL_TO_0 || block == 0)
		return (struct seq16){ .v = (uint16_t)block };
	return (struct seq16){ .v = (uint16_t)((block - 1) % LAP_TO_1 + 1) };
}

uint64_t
tftp_block_expand(uint64_t ref, struct seq16 wire, enum tftp_rollover roll)
{
	if (roll == TFTP_ROLL_TO_0)
		return seq16_expand(ref, wire);
	if (wire.v == 0)
		return 0;

	/* Count from 0 within laps of 65535: block 1 is place 0. */
	uint64_t lap = ref > 0 ? (ref - 1) / LAP_TO_1 : 0;
	uint64_t block = lap * LAP_TO_1 + wire.v;

	if (block + LAP_TO_1 / 2 < ref)
		return block + LAP_TO_1;
	if (block > ref + LAP_TO_1 / 2 && lap > 0)
		return block - LAP_TO_1;
	return block;
}
