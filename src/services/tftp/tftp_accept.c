/* SPDX-License-Identifier: MIT */
/*
 * Uploads. Blocks are piled up and written by the pool in large pieces, while the next ones arrive;
 * when the pool falls behind, ACKs are held back and the client waits. The last ACK goes out when
 * the file is on the disk and has its name, not before.
 */
#include "services/tftp/tftp_session.h"

#include <stdlib.h>
#include <string.h>

#include "core/service.h"

#define WRITE_BYTES (64 * 1024)	/* as much is piled up before the pool is asked */

static const struct put_answer {
	enum tftp_code code;
	const char *text;	/* for the client; NULL: what belongs to the code */
	const char *reason;	/* for the log */
} answers[] = {
	[TFTP_PUT_OK] = { TFTP_CODE_OTHER, NULL, "" },
	[TFTP_PUT_EXISTS] = { TFTP_CODE_EXISTS, NULL, "exists" },
	[TFTP_PUT_DENIED] = { TFTP_CODE_DENIED, NULL, "denied" },
	[TFTP_PUT_UNWRITABLE] = { TFTP_CODE_DENIED, NULL, "folder not writable" },
	[TFTP_PUT_FULL] = { TFTP_CODE_DISK_FULL, NULL, "no room" },
	[TFTP_PUT_FAILED] = { TFTP_CODE_OTHER, "File cannot be written", "write failed" },
};

void
tftp_session_upload(struct tftp_session *s)
{
	mono_us now = loop_now(s->st->sv->loop);

	if (s->netascii)
		tftp_terms_set_size(&s->terms, false, 0);
	s->job.share = s->host != NULL ? tftp_host_share(s->host, s->set->client_quota, now)
				       : UINT64_MAX;
	if (!tftp_session_submit(s, TFTP_WORK_BEGIN))
		tftp_session_end(s, "pool full", true);	/* the client asks again */
}

/* Give the pile to the pool; wait where it is busy or full. */
static void
write_pile(struct tftp_session *s)
{
	struct tftp_pile swap = s->writing;

	if (s->job.busy)
		return;
	s->writing = s->pile;
	s->pile = swap;
	s->pile.len = 0;
	s->job.last = s->all_here;
	s->blocked = !tftp_session_submit(s, TFTP_WORK_WRITE);
	if (s->blocked) {
		swap = s->writing;
		s->writing = s->pile;
		s->pile = swap;
	}
}

/* Write when there is enough, and hold the client back when there is more than enough. */
static void
balance(struct tftp_session *s)
{
	bool enough = s->pile.len >= WRITE_BYTES || s->all_here;

	if (enough && (!s->all_here || s->receiver.state == TFTP_RECEIVER_COMMIT))
		write_pile(s);
	tftp_receiver_hold(&s->receiver, s->pile.len >= WRITE_BYTES);
}

static bool
pile_up(struct tftp_session *s, struct span data, bool last)
{
	struct tftp_pile *p = &s->pile;
	size_t need = p->len + data.len + 2;	/* netascii may add a CR at either end */

	if (need > p->cap) {
		size_t cap = p->cap != 0 ? p->cap : 4096;

		while (cap < need)
			cap *= 2;

		uint8_t *at = realloc(p->at, cap);

		if (at == NULL)
			return false;
		p->at = at;
		p->cap = cap;
	}
	if (s->netascii) {
		p->len += tftp_netascii_decode(&s->ascii, data, p->at + p->len);
		if (last)
			p->len += tftp_netascii_decode_end(&s->ascii, p->at + p->len);
	} else if (data.len != 0) {
		memcpy(p->at + p->len, data.at, data.len);
		p->len += data.len;
	}
	return true;
}

static void
take(struct tftp_session *s, struct span data, bool last)
{
	if (!pile_up(s, data, last)) {
		tftp_session_abort(s, TFTP_CODE_OTHER, "Out of memory", "out of memory");
		return;
	}
	s->all_here = last;
	s->bytes += data.len;
	s->st->stats.bytes_received += data.len;
	tftp_speed_note(s, loop_now(s->st->sv->loop));
	balance(s);
}

void
tftp_accept_data(struct tftp_session *s, const struct tftp_msg *msg, mono_us now)
{
	tftp_session_prove(s);
	switch (tftp_receiver_data(&s->receiver, msg->block, msg->data.len, now)) {
	case TFTP_TAKE:
		take(s, msg->data, false);
		break;
	case TFTP_TAKE_LAST:
		take(s, msg->data, true);
		break;
	case TFTP_PASS:
		break;
	case TFTP_TOO_LONG:
		tftp_session_abort(s, TFTP_CODE_ILLEGAL, "Block is too long", "block too long");
		return;
	}
	if (s->phase == TFTP_ACTIVE)
		tftp_session_kick(s);
}

void
tftp_accept_flush(struct tftp_session *s, mono_us now)
{
	uint8_t buf[TFTP_OACK_MAX];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct tftp_msg ack = { .op = TFTP_ACK };
	enum err e;
	bool oack;

	if (s->receiver.state == TFTP_RECEIVER_DATA || s->receiver.state == TFTP_RECEIVER_COMMIT)
		balance(s);
	if (!tftp_receiver_want(&s->receiver, &oack, &ack.block))
		return;
	e = oack ? tftp_terms_oack(&s->terms, &wr) : tftp_msg_put(&wr, &ack);
	if (e != OK ||
	    tftp_io_send(&s->io, wire_wr_span(&wr), wire_wr_len(&wr), &s->st->io) != 0)
		tftp_receiver_sent(&s->receiver, now);
	else
		s->blocked = true;
}

static void
begun(struct tftp_session *s, mono_us now)
{
	tftp_receiver_init(&s->receiver, &s->terms, &s->set->timing,
	    (uint64_t)s->id * UINT64_C(0x9e3779b97f4a7c15), now);
	s->phase = TFTP_ACTIVE;
}

/* It has its name: that is the end for the log, though the session lingers for repeats. */
static void
stored(struct tftp_session *s, mono_us now)
{
	struct tftp_hash hash;

	tftp_upload_hash(&s->inbound, hash.bytes);
	s->ended = now;
	s->reason = tftp_end_text(TFTP_COMPLETE);
	s->logged = true;
	tftp_log_transfer(s, &hash);
	if (s->host != NULL)
		s->host->uploaded += s->inbound.size;
	tftp_upload_drop(&s->inbound);
	tftp_receiver_stored(&s->receiver, now);
}

void
tftp_accept_done(struct tftp_session *s, mono_us now)
{
	const struct put_answer *a = &answers[s->job.put];

	if (s->job.put != TFTP_PUT_OK) {
		s->st->stats.refused++;
		tftp_session_abort(s, a->code, a->text, a->reason);
		return;
	}
	if (s->job.work == TFTP_WORK_BEGIN)
		begun(s, now);
	else if (s->job.last)
		stored(s, now);
	s->writing.len = 0;
	tftp_session_kick(s);
}
