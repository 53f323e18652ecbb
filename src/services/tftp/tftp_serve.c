/* SPDX-License-Identifier: MIT */
/* Reads: a file goes out, block by block or window by window. */
#include "services/tftp/tftp_session.h"

#include <string.h>

#include "core/service.h"

#define AHEAD_BLOCKS 16		/* read at once in lock-step, */
#define AHEAD_BYTES 65536	/* where they are no more than this */
#define AHEAD_KEPT millis(20)	/* unused for so long, the place is free for another transfer */

/* A first time-out that fits what this client needed last time. */
static struct tftp_timing
timing_for(const struct tftp_session *s)
{
	struct tftp_timing t = s->set->timing;
	usec known = s->host != NULL ? 4 * s->host->srtt : 0;

	if (known != 0 && known < t.rto_initial)
		t.rto_initial = known > t.rto_min ? known : t.rto_min;
	if (s->brief)
		t.unproven_sends = 1;
	if (known != 0)
		t.rtt_known = s->host->srtt;
	return t;
}

void
tftp_session_read(struct tftp_session *s, struct tftp_found *found)
{
	struct tftp_timing timing = timing_for(s);
	mono_us now = loop_now(s->st->sv->loop);

	tftp_terms_set_size(&s->terms, !s->netascii, found->size);
	if (tftp_reader_init(&s->reader, found, &s->terms, s->netascii) != OK) {
		tftp_found_drop(found);
		tftp_session_abort(s, TFTP_CODE_OTHER, "Out of memory", "out of memory");
		return;
	}
	tftp_sender_init(&s->sender, &s->terms, &timing, s->reader.last,
	    (uint64_t)s->id * UINT64_C(0x9e3779b97f4a7c15), now);
	s->phase = TFTP_ACTIVE;
	tftp_session_kick(s);
}

static bool
send_oack(struct tftp_session *s)
{
	uint8_t buf[TFTP_OACK_MAX];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	if (tftp_terms_oack(&s->terms, &wr) != OK)
		return true;
	return tftp_io_send(&s->io, wire_wr_span(&wr), wire_wr_len(&wr), &s->st->io) != 0;
}

/*
 * While the client works on what it got, read what follows: several blocks at once in lock-step,
 * the next window otherwise. There is one place for it; with many transfers the processor has no
 * pause that it could fill.
 */
static void
read_ahead(struct tftp_session *s, mono_us now)
{
	struct tftp_ahead *a = &s->st->ahead;
	const struct tftp_sender *snd = &s->sender;
	unsigned count = snd->window;

	if (snd->state != TFTP_SENDER_DATA || s->netascii || s->job.busy || snd->nxt > snd->last)
		return;
	if (a->of != NULL && (a->of == s ? snd->nxt >= a->first && snd->nxt < a->first + a->count
					 : now - a->used < AHEAD_KEPT))
		return;
	if (count < AHEAD_BLOCKS && AHEAD_BLOCKS * s->terms.blksize <= AHEAD_BYTES)
		count = AHEAD_BLOCKS;
	if (snd->last - snd->nxt < count)
		count = (unsigned)(snd->last - snd->nxt + 1);
	a->of = NULL;
	if (tftp_reader_fill(&s->reader, snd->nxt, &count, a->packets, &a->len) != TFTP_READ_OK)
		return;
	a->of = count != 0 ? s : NULL;
	a->first = snd->nxt;
	a->count = count;
	a->used = now;
}

/* What of the wanted blocks was read ahead, from the first one on. Empty: nothing. */
static struct span
from_ahead(struct tftp_session *s, uint64_t first, unsigned *count, mono_us now)
{
	struct tftp_ahead *a = &s->st->ahead;
	size_t slot = s->terms.blksize + TFTP_HEADER_BYTES;

	if (a->of != s || first < a->first || first >= a->first + a->count)
		return span_of(NULL, 0);

	unsigned skip = (unsigned)(first - a->first), left = a->count - skip;
	size_t at = skip * slot, len = a->len - at;

	if (*count < left)
		len = *count * slot;
	else
		*count = left;
	a->used = now;
	return span_of(a->packets + at, len);
}

/* Read blocks into the shared buffer. False where there is nothing to send now, or never again. */
static bool
read_blocks(struct tftp_session *s, uint64_t first, unsigned *count, size_t *len)
{
	switch (tftp_reader_fill(&s->reader, first, count, s->st->buffer, len)) {
	case TFTP_READ_OK:
		break;
	case TFTP_READ_WAIT:
		s->st->stats.waits++;
		s->blocked = !tftp_session_submit(s, TFTP_WORK_READ);
		return false;
	case TFTP_READ_SHORT:
		tftp_session_abort(s, TFTP_CODE_OTHER, "File changed while it was sent",
		    "file became shorter");
		return false;
	case TFTP_READ_FAILED:
		tftp_session_abort(s, TFTP_CODE_OTHER, "File cannot be read", "read failed");
		return false;
	}
	if (s->netascii && s->reader.last != TFTP_BLOCK_NONE)
		tftp_sender_ends_at(&s->sender, s->reader.last);
	return *count != 0;
}

/* Send one burst of what is wanted; gives the number of packets, 0 for a stop. */
static unsigned
send_wanted(struct tftp_session *s, const struct tftp_want *want, unsigned most, mono_us now)
{
	unsigned count = want->count < most ? want->count : most;
	size_t len;

	if (want->oack) {
		s->blocked = !send_oack(s);
		if (s->blocked)
			return 0;
		tftp_sender_sent(&s->sender, want, 1, now);
		return 1;
	}

	struct span packets = from_ahead(s, want->first, &count, now);

	if (packets.len == 0) {
		if (!read_blocks(s, want->first, &count, &len))
			return 0;
		packets = span_of(s->st->buffer, len);
	}

	unsigned sent = tftp_io_send(&s->io, packets, s->terms.blksize + TFTP_HEADER_BYTES,
	    &s->st->io);

	if (sent != 0)
		tftp_sender_sent(&s->sender, want, sent, now);
	s->blocked = sent < count;
	return sent;
}

unsigned
tftp_serve_flush(struct tftp_session *s, unsigned budget, mono_us now)
{
	unsigned sent = 0;

	while (sent < budget && !s->job.busy && !s->blocked) {
		struct tftp_want want = tftp_sender_want(&s->sender, now);

		if (want.count == 0) {
			read_ahead(s, now);
			return sent;
		}

		unsigned n = send_wanted(s, &want, budget - sent, now);

		if (n == 0)
			return sent;
		sent += n;
	}
	if (!s->blocked && !s->job.busy && tftp_sender_want(&s->sender, now).count != 0)
		tftp_session_kick(s);
	return sent;
}

void
tftp_serve_over(struct tftp_session *s)
{
	enum tftp_end end = s->sender.end;

	if (s->host != NULL && s->sender.rto.sampled)
		s->host->srtt = s->sender.rto.srtt;
	else if (s->host != NULL && end == TFTP_UNPROVEN)
		s->host->srtt = 0;	/* it is not what it was */
	if (end == TFTP_UNCONFIRMED)
		s->ended = s->sender.last_progress;	/* the rest was waiting for one ACK */
	tftp_session_end(s, tftp_end_text(end), end != TFTP_COMPLETE && end != TFTP_UNCONFIRMED);
}

void
tftp_serve_ack(struct tftp_session *s, struct seq16 block, mono_us now)
{
	uint64_t bytes;

	tftp_sender_ack(&s->sender, block, now);
	bytes = (s->sender.una - 1) * s->terms.blksize;
	/* the last block; netascii, which grows on the way */
	if (bytes > s->reader.found.size)
		bytes = s->reader.found.size;
	s->st->stats.bytes_sent += bytes - s->bytes;
	s->bytes = bytes;
	tftp_speed_note(s, now);
	if (s->sender.proven)
		tftp_session_prove(s);
	if (s->sender.state == TFTP_SENDER_OVER)
		tftp_serve_over(s);
	else
		tftp_session_kick(s);
}
