/* SPDX-License-Identifier: MIT */
/*
 * WRQ --> DATA --short block--> COMMIT --stored--> DALLY --over_at--> OVER (complete)
 * DATA --patience spent--> OVER (silent); no packet after four answers --> OVER (unproven)
 *
 * Invariant: what is acknowledged was taken in order. An ACK goes out at the end of a window, at
 * the first sign of a gap, at a repeat of the last block, and when it has been silent for too long.
 */
#include "services/tftp/tftp_receiver.h"

void
tftp_receiver_init(struct tftp_receiver *r, const struct tftp_terms *terms,
    const struct tftp_timing *timing, uint64_t seed, mono_us now)
{
	*r = (struct tftp_receiver){
		.state = TFTP_RECEIVER_DATA, .next = 1, .window = terms->windowsize,
		.blksize = terms->blksize, .roll = terms->rollover,
		.oack = tftp_terms_has_oack(terms), .answer_due = true, .clean = true,
		.timing = *timing, .last_heard = now, .last_progress = now, .rto_at = MONO_NEVER,
		.probe_at = MONO_NEVER, .over_at = MONO_NEVER, .seed = seed,
	};
	tftp_timing_rto(timing, terms->timeout, &r->rto);
}

void
tftp_receiver_begin_client(struct tftp_receiver *r, bool got_oack)
{
	r->oack = false;
	r->proven = true;
	r->answer_due = got_oack;
}

static bool
exhausted(const struct tftp_receiver *r)
{
	return !r->proven && r->unproven_sends >= r->timing.unproven_sends;
}

bool
tftp_receiver_want(const struct tftp_receiver *r, bool *oack, struct seq16 *block)
{
	if (!r->answer_due || r->held || r->state == TFTP_RECEIVER_COMMIT ||
	    r->state == TFTP_RECEIVER_OVER || exhausted(r))
		return false;
	*oack = r->oack && r->next == 1;
	*block = tftp_block_wire(r->next - 1, r->roll);
	return true;
}

/* A silent window is answered early, as a sender that lost its tail waits for just that. */
static void
arm(struct tftp_receiver *r, mono_us now)
{
	usec rto = tftp_timing_wait(&r->rto, &r->seed);
	usec probe = 2 * r->rto.srtt > r->timing.probe_min ? 2 * r->rto.srtt : r->timing.probe_min;

	r->rto_at = now + rto;
	r->probe_at = MONO_NEVER;
	if (r->window > 1 && r->unacked != 0 && r->rto.sampled && !r->probed &&
	    !r->timing.strict && probe < rto)
		r->probe_at = now + probe;
}

void
tftp_receiver_sent(struct tftp_receiver *r, mono_us now)
{
	r->counts.packets++;
	if (!r->proven)
		r->unproven_sends++;
	r->answer_due = false;
	r->unacked = 0;
	r->answer_sent = now;
	if (r->state == TFTP_RECEIVER_DATA)
		arm(r, now);
}

/* The first new block after an answer that was sent once gives a round trip. */
static void
measure(struct tftp_receiver *r, mono_us now)
{
	if (r->clean && r->unacked == 0 && r->counts.packets != 0) {
		rto_sample(&r->rto, now - r->answer_sent);
		r->keep_backoff = false;
	} else if (r->rto.doublings != 0 && r->unacked == 0) {
		/* The middle way between Karn and haste, as in the sender. */
		if (r->keep_backoff)
			rto_reset_backoff(&r->rto);
		r->keep_backoff = !r->keep_backoff;
	}
}

static enum tftp_verdict
take(struct tftp_receiver *r, size_t len, mono_us now)
{
	measure(r, now);
	r->proven = true;
	r->next++;
	r->unacked++;
	r->gap_told = 0;
	r->probed = false;
	r->clean = true;
	r->tries = 0;
	r->full_tries = 0;
	r->last_progress = now;
	if (len < r->blksize) {
		r->state = TFTP_RECEIVER_COMMIT;
		r->answer_due = false;
		r->rto_at = MONO_NEVER;
		r->probe_at = MONO_NEVER;
		return TFTP_TAKE_LAST;
	}
	if (r->unacked >= r->window)
		r->answer_due = true;
	arm(r, now);
	return TFTP_TAKE;
}

static void
answer_again(struct tftp_receiver *r)
{
	r->answer_due = true;
	r->clean = false;
	r->counts.resent++;
}

/*
 * The gap is news: it was not told, or it was told so long ago that the sender would have gone back
 * by now had it heard (its probe comes in such a silence, and must not meet a deaf ear).
 */
static bool
gap_is_news(const struct tftp_receiver *r, mono_us now)
{
	usec heard = 2 * r->rto.srtt > r->timing.probe_min ? 2 * r->rto.srtt : r->timing.probe_min;

	return r->gap_told != r->next || now - r->answer_sent >= heard;
}

/* Ahead of what is waited for: tell once where the gap is. Behind: only the last one matters. */
static enum tftp_verdict
pass(struct tftp_receiver *r, uint64_t block, mono_us now)
{
	r->proven = true;
	if (block > r->next) {
		if (block - r->next >= r->window) {
			r->counts.strays++;
		} else if (gap_is_news(r, now)) {
			r->gap_told = r->next;
			r->counts.rollbacks++;
			r->clean = false;
			r->answer_due = true;
		}
		return TFTP_PASS;
	}
	r->counts.duplicates++;
	/* In the middle of a window it is the network that doubles, or a sender that probes. */
	if (block == r->next - 1 &&
	    (r->unacked == 0 || now - r->last_progress >= r->timing.probe_min))
		answer_again(r);
	return TFTP_PASS;
}

/*
 * curl does not see that its last block was acknowledged where that has the number 65535 or 0: it
 * goes on with empty blocks until the ACK of another one.
 */
static bool
misses_its_end(const struct tftp_receiver *r)
{
	uint16_t last = tftp_block_wire(r->next - 1, r->roll).v;

	return last == UINT16_MAX || last == 0;
}

enum tftp_verdict
tftp_receiver_data(struct tftp_receiver *r, struct seq16 block, size_t len, mono_us now)
{
	uint64_t at = tftp_block_expand(r->next, block, r->roll);

	r->last_heard = now;
	switch (r->state) {
	case TFTP_RECEIVER_DATA:
		if (at != r->next)
			return pass(r, at, now);
		return len > r->blksize ? TFTP_TOO_LONG : take(r, len, now);
	case TFTP_RECEIVER_DALLY:
		if (at == r->next && len == 0 && misses_its_end(r))
			r->next++;
		if (at == r->next - 1)
			answer_again(r);
		return TFTP_PASS;
	case TFTP_RECEIVER_COMMIT:
	case TFTP_RECEIVER_OVER:
		r->counts.duplicates++;
		return TFTP_PASS;
	}
	return TFTP_PASS;
}

void
tftp_receiver_repeat(struct tftp_receiver *r, mono_us now)
{
	r->last_heard = now;
	r->counts.duplicates++;
	if (r->state == TFTP_RECEIVER_DATA && r->next == 1 && r->counts.packets != 0 &&
	    now - r->answer_sent >= r->timing.probe_min)
		answer_again(r);
}

void
tftp_receiver_hold(struct tftp_receiver *r, bool held)
{
	r->held = held;
}

void
tftp_receiver_stored(struct tftp_receiver *r, mono_us now)
{
	usec linger = 4 * rto_current(&r->rto);

	r->state = TFTP_RECEIVER_DALLY;
	r->end = TFTP_COMPLETE;
	r->held = false;
	r->answer_due = true;
	r->over_at = now + (linger > r->timing.dally ? linger : r->timing.dally);
}

static void
give_up(struct tftp_receiver *r)
{
	r->state = TFTP_RECEIVER_OVER;
	r->end = r->proven ? TFTP_SILENT : TFTP_UNPROVEN;
}

static void
time_out(struct tftp_receiver *r, mono_us now)
{
	usec idle = now - r->last_progress;

	if (exhausted(r) || idle >= r->timing.idle_max ||
	    (r->full_tries >= r->timing.tries && idle >= r->timing.patience)) {
		give_up(r);
		return;
	}
	r->counts.timeouts++;
	r->tries++;
	rto_backoff(&r->rto);
	if (rto_current(&r->rto) >= r->rto.ceiling)
		r->full_tries++;
	r->keep_backoff = false;
	r->gap_told = 0;
	r->rto_at = MONO_NEVER;
	r->probe_at = MONO_NEVER;
	if (r->held)
		arm(r, now);	/* it is us who are slow */
	else
		answer_again(r);
}

void
tftp_receiver_wake(struct tftp_receiver *r, mono_us now)
{
	if (r->state == TFTP_RECEIVER_DALLY && now >= r->over_at)
		r->state = TFTP_RECEIVER_OVER;
	if (r->state != TFTP_RECEIVER_DATA)
		return;
	if (now >= r->rto_at) {
		time_out(r, now);
		return;
	}
	if (now >= r->probe_at) {
		r->probe_at = MONO_NEVER;
		r->probed = true;
		r->clean = false;
		r->gap_told = 0;
		r->answer_due = true;
		r->counts.probes++;
	}
}

mono_us
tftp_receiver_deadline(const struct tftp_receiver *r)
{
	switch (r->state) {
	case TFTP_RECEIVER_DATA:
		return mono_earlier(r->rto_at, r->probe_at);
	case TFTP_RECEIVER_DALLY:
		return r->over_at;
	case TFTP_RECEIVER_COMMIT:
	case TFTP_RECEIVER_OVER:
		break;
	}
	return MONO_NEVER;
}
