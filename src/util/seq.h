/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers. On the wire they are 16 or 32 bits and wrap; inside, everything counts in
 * 64 bits and never does. The structs exist so that `<` on a wire number does not compile.
 * Source: serial number arithmetic, RFC 1982 §3.
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

#endif
