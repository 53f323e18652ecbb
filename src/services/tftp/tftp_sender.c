/* SPDX-License-Identifier: MIT */
/*
 * RRQ with options --> OACK --ack 0--> DATA --last ack--> OVER (complete)
 * RRQ plain ------------------------> DATA
 * OACK and DATA run the RTO; a silent window is probed before it. Four packets without any
 * answer --> OVER (unproven); patience spent --> OVER (silent, or unconfirmed at the last block).
 *
 * Invariants: una <= nxt <= high <= una + window, or two windows where the silence goes on; only
 * an ACK moves una; a duplicate ACK alone never makes a block go out (RFC 1123 §4.2.3.1).
 */
#include "services/tftp/tftp_sender.h"

#include <assert.h>

/* silences in a row that are met early; then the RTO's floor counts again */
#define PROBES_MAX 2
/* atftp gives up at a second OACK: a client that has the first and is busy gets some time */
#define OACK_PROBE_MIN millis(50)
#define BURST_LATE 4	/* paced blocks that may go at once when the timer came late */

static usec
longer(usec a, usec b)
{
	return a > b ? a : b;
}

void
tftp_sender_init(struct tftp_sender *s, const struct tftp_terms *terms,
    const struct tftp_timing *timing, uint64_t last, uint64_t seed, mono_us now)
{
	bool oack = tftp_terms_has_oack(terms);

	*s = (struct tftp_sender){
		.state = oack ? TFTP_SENDER_OACK : TFTP_SENDER_DATA,
		.una = 1, .nxt = 1, .high = 1, .last = last, .rolled_back = TFTP_BLOCK_NONE,
		.window = terms->windowsize, .roll = terms->rollover, .timing = *timing,
		.last_progress = now, .rto_at = MONO_NEVER, .probe_at = MONO_NEVER,
		.packet_due = oack, .seed = seed, .rtt_bound = timing->rtt_known,
	};
	tftp_timing_rto(timing, terms->timeout, &s->rto);
}

void
tftp_sender_prove(struct tftp_sender *s)
{
	s->proven = true;
}

void
tftp_sender_ends_at(struct tftp_sender *s, uint64_t last)
{
	s->last = last;
}

/* Last block that may be sent before the next ACK. */
static uint64_t
window_end(const struct tftp_sender *s)
{
	uint64_t end = s->una + s->window * (s->ahead ? 2 : 1) - 1;

	return end < s->last ? end : s->last;
}

bool
tftp_sender_exhausted(const struct tftp_sender *s)
{
	return !s->proven && s->unproven_sends >= s->timing.unproven_sends;
}

/* How many of the left blocks may go now under the gap between them. */
static unsigned
paced_count(const struct tftp_sender *s, uint64_t left, mono_us now)
{
	if (s->pace.gap == 0 || s->window == 1)
		return (unsigned)left;
	if (s->nxt == s->una)
		return 1;	/* what was not sent while waiting for the ACK is not made up for */
	if (now < s->pace_at)
		return 0;

	uint64_t due = 1 + (uint64_t)((now - s->pace_at) / s->pace.gap);

	if (due > BURST_LATE)
		due = BURST_LATE;
	return (unsigned)(due < left ? due : left);
}

struct tftp_want
tftp_sender_want(const struct tftp_sender *s, mono_us now)
{
	struct tftp_want none = { .count = 0 };

	if (s->state == TFTP_SENDER_OVER || tftp_sender_exhausted(s))
		return none;
	if (s->state == TFTP_SENDER_OACK)
		return s->packet_due ? (struct tftp_want){ .oack = true, .count = 1 } : none;
	if (s->packet_due)
		return (struct tftp_want){ .first = s->nxt - 1, .count = 1 };

	uint64_t end = window_end(s);
	uint64_t left = end + 1 - s->nxt;

	if (s->nxt > end)
		return none;
	if (left > s->window)
		left = s->window;
	return (struct tftp_want){.first = s->nxt, .count = paced_count(s, left, now)};
}

/*
 * How long a probe is waited for. It was answered within a round trip, or the client is deaf to it;
 * a round trip that was guessed from an earlier transfer gets more.
 */
static usec
probe_patience(const struct tftp_sender *s, usec probe)
{
	usec t = longer(s->rto.srtt + 4 * s->rto.rttvar, s->timing.probe_min / 4);

	if (s->state == TFTP_SENDER_OACK || !s->rto.sampled)
		return 2 * probe;
	return t < probe ? t : probe;
}

/*
 * A silent window has its last block repeated after two round trips, which most clients answer with
 * what they miss. Many tell each gap once; where that ACK was lost, or the block that it asked for
 * was lost again, they stay deaf to the probe. So the window goes again soon after, without the
 * floor that lock-step needs. An OACK that opens a window is treated alike.
 */
static void
arm(struct tftp_sender *s, mono_us now)
{
	usec rto = tftp_timing_wait(&s->rto, &s->seed);
	usec rtt = s->rto.sampled ? s->rto.srtt : s->rtt_bound;
	usec least = s->state == TFTP_SENDER_OACK ? OACK_PROBE_MIN : s->timing.probe_min;
	usec probe = longer(2 * rtt, least);
	bool may_probe = s->window > 1 && rtt != 0 && !s->timing.strict &&
	    s->tries < (s->state == TFTP_SENDER_OACK ? 1 : PROBES_MAX);

	s->rto_at = now + rto;
	s->probe_at = MONO_NEVER;
	if (tftp_sender_exhausted(s))
		/* nothing more goes out; an answer may come */
		s->rto_at = now + s->rto.ceiling;
	else if (may_probe && s->probed)
		s->rto_at = mono_earlier(s->rto_at, now + probe_patience(s, probe));
	else if (may_probe && probe < rto)
		s->probe_at = now + probe;
}

/* The next block waits for its gap, counted from when this one should have left. */
static void
move_pace(struct tftp_sender *s, unsigned count, mono_us now)
{
	usec gap = s->pace.gap;
	mono_us at = s->pace_at + gap * (usec)count;

	/* A timer that came late by more than a burst makes up may not be made up for at all. */
	s->pace_at = at > now - gap * BURST_LATE ? at : now + gap;
}

static void
sent_blocks(struct tftp_sender *s, uint64_t first, unsigned count, mono_us now)
{
	uint64_t behind = first + count;

	if (first == s->una && first == s->high)
		s->oldest_sent = now;
	if (first < s->high) {
		s->dirty = true;
		s->counts.resent += (behind < s->high ? behind : s->high) - first;
	}
	if (behind > s->high)
		s->high = behind;
	if (first == s->una) {
		s->first_sent = now;
		if (s->pace_at < now)
			s->pace_at = now;
	}
	if (s->packet_due) {
		s->packet_due = false;
		return;
	}
	s->nxt = behind;
	move_pace(s, count, now);
}

void
tftp_sender_sent(struct tftp_sender *s, const struct tftp_want *want, unsigned count, mono_us now)
{
	assert(count > 0 && count <= want->count);
	s->counts.packets += count;
	if (!s->proven)
		s->unproven_sends += count;
	if (want->oack) {
		if (s->unproven_sends <= 1) {
			s->first_sent = now;
		} else {
			s->dirty = true;
			s->counts.resent++;
		}
		s->packet_due = false;
	} else {
		sent_blocks(s, want->first, count, now);
	}
	s->last_sent = now;
	arm(s, now);
}

static void
finish(struct tftp_sender *s, enum tftp_end end)
{
	s->state = TFTP_SENDER_OVER;
	s->end = end;
	s->rto_at = MONO_NEVER;
	s->probe_at = MONO_NEVER;
	s->packet_due = false;
}

/*
 * Karn's rule keeps the backed-off time-out until an exchange without resends gives a sample. At
 * 25 % loss there hardly is one, and the transfer would crawl; dropping the back-off at once sends
 * needless blocks when the round trip has really grown. So: keep it for one exchange more.
 */
static void
relax_backoff(struct tftp_sender *s)
{
	if (s->rto.doublings == 0)
		return;
	if (s->keep_backoff)
		rto_reset_backoff(&s->rto);
	s->keep_backoff = !s->keep_backoff;
}

static void
sample(struct tftp_sender *s, mono_us now)
{
	usec rtt = now - s->last_sent;

	if (!s->rto.sampled || rtt < s->rtt_least)
		s->rtt_least = longer(rtt, 1);
	rto_sample(&s->rto, rtt);
	s->keep_backoff = false;
}

/* Blocks up to ack are done with; begin a new window behind it. */
static void
progress(struct tftp_sender *s, uint64_t ack, mono_us now)
{
	usec bound = now - s->oldest_sent;

	s->proven = true;
	if (ack + 1 == s->nxt && !s->dirty)
		sample(s, now);
	else if (bound < (s->rto.sampled ? s->rto.srtt : s->timing.rto_initial / 2))
		/* whatever it answers, the round trip is no longer */
		rto_sample(&s->rto, bound);
	else
		relax_backoff(s);
	s->una = ack + 1;
	s->echoes = s->copies;
	s->copies = 0;
	if (s->nxt < s->una)
		s->nxt = s->una;
	s->last_progress = now;
	s->tries = 0;
	s->full_tries = 0;
	s->packet_due = false;
	s->probed = false;
	s->dirty = s->una < s->high;
	s->guess = false;
	s->ahead = false;
	s->rolled_back = TFTP_BLOCK_NONE;
	s->rto_at = MONO_NEVER;
	s->probe_at = MONO_NEVER;
}

/* A gap behind ack: a full new window from there on (RFC 7440 §4). */
static void
roll_back(struct tftp_sender *s, uint64_t ack)
{
	s->counts.rollbacks++;
	s->rolled_back = ack;
	s->nxt = ack + 1;
	s->dirty = true;
	s->guess = false;	/* una was missing: what covers it answers the new window */
	s->packet_due = false;
}

/*
 * ACK of una - 1 with a window under way: the receiver misses una, or the network has doubled the
 * ACK that ended the last window, or a copy of the last window's end has come. An ACK that comes
 * back sooner than any round trip was a double; as many as there were copies are taken for their
 * echoes, or else a stall that had one window go twice would have all of them go twice.
 */
static bool
is_gap_at_start(struct tftp_sender *s, mono_us now)
{
	if (s->window == 1 || s->nxt == s->una || s->rolled_back == s->una - 1)
		return false;
	if (s->echoes != 0) {
		s->echoes--;
		return false;
	}
	return s->rtt_least == 0 || now - s->first_sent >= s->rtt_least * 3 / 4;
}

static void
ack_old(struct tftp_sender *s, uint64_t ack, mono_us now)
{
	if (ack + 1 != s->una || !is_gap_at_start(s, now)) {
		s->counts.duplicates++;
		return;
	}
	if (s->window > 1)
		tftp_pace_loss(&s->pace, 0, s->probed ? TFTP_LOSS_TAIL : TFTP_LOSS_GAP);
	s->copies++;
	roll_back(s, ack);
	s->probed = false;
}

static void
ack_new(struct tftp_sender *s, uint64_t ack, mono_us now)
{
	unsigned covered = (unsigned)(ack + 1 - s->una);
	bool whole = ack + 1 >= s->nxt;
	bool probed = s->probed;
	uint64_t lost = whole ? 0 : s->nxt - 1 - ack;

	if (!s->guess)
		tftp_pace_delivered(&s->pace, now - s->first_sent, covered);
	progress(s, ack, now);
	if (ack >= s->last) {
		finish(s, TFTP_COMPLETE);
		return;
	}
	if (s->window == 1)
		return;
	if (!whole || probed)
		tftp_pace_loss(&s->pace, covered, !probed ? TFTP_LOSS_GAP
		    : lost > 1 ? TFTP_LOSS_TAIL : TFTP_LOSS_SILENT);
	else
		tftp_pace_clean(&s->pace, covered);
	if (!whole)
		roll_back(s, ack);
}

static void
ack_oack(struct tftp_sender *s, uint64_t ack, mono_us now)
{
	if (ack != 0) {
		s->counts.strays++;
		return;
	}
	if (s->counts.packets == 0) {
		s->counts.strays++;	/* nothing was sent that it could answer */
		return;
	}
	s->rtt_bound = longer(now - s->first_sent, 1);
	if (s->dirty && s->timing.rtt_known != 0 && s->timing.rtt_known < s->rtt_bound)
		/* as one of them was lost, it was no longer */
		s->rtt_bound = s->timing.rtt_known;
	/* An exchange as long as a client's own timer tells of loss at its side. */
	if (s->dirty || s->rtt_bound > s->timing.rto_initial / 2) {
		/* Whichever OACK it answers, no round trip is shorter than from the last one. */
		s->rtt_least = longer(now - s->last_sent, 1);
		relax_backoff(s);
	} else {
		sample(s, now);
		tftp_pace_delivered(&s->pace, s->rtt_bound, 1);
	}
	s->proven = true;
	s->state = TFTP_SENDER_DATA;
	s->packet_due = false;
	s->dirty = false;
	s->guess = false;
	s->probed = false;
	s->echoes = s->copies;
	s->copies = 0;
	s->tries = 0;
	s->full_tries = 0;
	s->last_progress = now;
	s->rto_at = MONO_NEVER;
	s->probe_at = MONO_NEVER;
}

void
tftp_sender_ack(struct tftp_sender *s, struct seq16 block, mono_us now)
{
	uint64_t ack = tftp_block_expand(s->una - 1, block, s->roll);

	switch (s->state) {
	case TFTP_SENDER_OACK:
		ack_oack(s, ack, now);
		return;
	case TFTP_SENDER_DATA:
		if (ack >= s->high)
			s->counts.strays++;
		else if (ack < s->una)
			ack_old(s, ack, now);
		else
			ack_new(s, ack, now);
		return;
	case TFTP_SENDER_OVER:
		s->counts.duplicates++;
		return;
	}
}

void
tftp_sender_repeat(struct tftp_sender *s, mono_us now)
{
	s->counts.duplicates++;
	if (s->proven || s->counts.packets == 0 || s->state == TFTP_SENDER_OVER ||
	    now - s->last_sent < s->timing.probe_min)
		return;
	s->copies++;
	if (s->state == TFTP_SENDER_OACK)
		s->packet_due = true;
	else
		s->nxt = s->una;	/* the only block sent so far goes once more */
}

/* All was sent. Then a few tries are enough: many clients leave without the last ACK. */
static bool
at_last_window(const struct tftp_sender *s)
{
	return s->state == TFTP_SENDER_DATA && s->high > s->last;
}

static bool
gives_up(const struct tftp_sender *s, mono_us now)
{
	usec idle = now - s->last_progress;

	if (tftp_sender_exhausted(s) || idle >= s->timing.idle_max)
		return true;
	if (at_last_window(s))
		return s->tries >= s->timing.tries;
	return s->full_tries >= s->timing.tries && idle >= s->timing.patience;
}

static enum tftp_end
verdict(const struct tftp_sender *s)
{
	if (!s->proven)
		return TFTP_UNPROVEN;
	return at_last_window(s) ? TFTP_UNCONFIRMED : TFTP_SILENT;
}

static void
time_out(struct tftp_sender *s, mono_us now)
{
	if (gives_up(s, now)) {
		finish(s, verdict(s));
		return;
	}
	s->counts.timeouts++;
	s->tries++;
	if (!s->probed)
		rto_backoff(&s->rto);
	if (rto_current(&s->rto) >= s->rto.ceiling)
		s->full_tries++;
	s->keep_backoff = false;
	s->rto_at = MONO_NEVER;
	s->probe_at = MONO_NEVER;
	s->dirty = true;
	s->guess = true;
	s->copies++;
	if (s->state == TFTP_SENDER_OACK) {
		s->packet_due = true;
		return;
	}
	/*
	 * A client whose gap ACK was lost counts a new window from the gap: it may have all blocks
	 * of ours and keep silent, waiting for some of the next window to fill its own.
	 */
	s->ahead = s->window > 1 && s->rto.sampled && s->tries == PROBES_MAX;
	s->nxt = s->una;
	s->rolled_back = TFTP_BLOCK_NONE;
	s->probed = false;
	s->packet_due = false;
}

/* All that may go has gone. */
static bool
may_probe_now(const struct tftp_sender *s)
{
	return s->state == TFTP_SENDER_OACK || s->nxt > window_end(s);
}

void
tftp_sender_wake(struct tftp_sender *s, mono_us now)
{
	if (s->state == TFTP_SENDER_OVER)
		return;
	if (now >= s->rto_at) {
		time_out(s, now);
		return;
	}
	if (now >= s->probe_at && may_probe_now(s)) {
		s->probe_at = MONO_NEVER;
		s->probed = true;
		s->guess = true;
		s->packet_due = true;
		s->copies++;
		s->rolled_back = TFTP_BLOCK_NONE;
		s->counts.probes++;
	}
}

mono_us
tftp_sender_deadline(const struct tftp_sender *s)
{
	mono_us at = s->rto_at;

	if (s->state == TFTP_SENDER_OVER)
		return MONO_NEVER;
	if (may_probe_now(s))
		at = mono_earlier(at, s->probe_at);
	else if (s->state == TFTP_SENDER_DATA && s->pace.gap != 0 && s->window > 1)
		at = mono_earlier(at, s->pace_at);
	return at;
}
