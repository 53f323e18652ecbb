/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_transfer.h"

static usec
shorter(usec a, usec b)
{
	return a < b ? a : b;
}

/*
 * A negotiated timeout is the ceiling; what comes earlier is an addition to what the client was
 * promised. With `strict` it is floor, start and ceiling at once.
 */
void
tftp_timing_rto(const struct tftp_timing *timing, usec timeout, struct rto *out)
{
	usec ceiling = timeout != 0 ? timeout : timing->rto_max;

	if (timing->strict && timeout != 0)
		rto_init(out, timeout, timeout, timeout);
	else
		rto_init(out, shorter(timing->rto_initial, ceiling),
		    shorter(shorter(timing->rto_min, timing->rto_initial), ceiling), ceiling);
}

usec
tftp_timing_wait(const struct rto *rto, uint64_t *seed)
{
	if (rto->doublings == 0)
		return rto_current(rto);
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return rto_jittered(rto, (uint32_t)(*seed >> 32));
}

const char *
tftp_end_text(enum tftp_end end)
{
	switch (end) {
	case TFTP_RUNNING:
		return "running";
	case TFTP_COMPLETE:
		return "complete";
	case TFTP_UNCONFIRMED:
		return "unconfirmed";
	case TFTP_SILENT:
		return "silent";
	case TFTP_UNPROVEN:
		return "unproven";
	}
	return "unknown";
}
