/* SPDX-License-Identifier: MIT */
/* One line for each transfer, with what one would want to know when it went wrong. */
#include "services/tftp/tftp_session.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/log.h"
#include "core/service.h"

#define LAP 65536	/* blocks until the number on the wire starts over */
#define SPEED_SPAN seconds(1)

void
tftp_speed_note(struct tftp_session *s, mono_us now)
{
	struct tftp_speed *v = &s->speed;

	if (now - v->since < SPEED_SPAN)
		return;
	v->before = tftp_speed(s, now);
	v->since = now;
	v->bytes = s->bytes;
}

double
tftp_speed(const struct tftp_session *s, mono_us now)
{
	usec elapsed = now > s->speed.since ? now - s->speed.since : 1;

	if (elapsed < SPEED_SPAN && s->speed.before > 0)
		return s->speed.before;
	return (double)(s->bytes - s->speed.bytes) * 1e6 / (double)elapsed;
}

/* Known faults of clients that the numbers point to. */
static const char *
hint_of(const struct tftp_session *s)
{
	uint64_t acked = s->upload ? s->receiver.next - 1 : s->sender.una - 1;

	if (s->phase == TFTP_OPENING)
		return NULL;
	if (!s->upload && s->sender.counts.strays != 0)
		return "ACKed a block that was not sent: a Raspberry Pi 4 does so when it saw a "
		       "block twice; raise rto-min";
	if (s->failed && (acked % LAP == LAP - 1 || (acked != 0 && acked % LAP == 0)))
		return "stopped where block numbers start over: it may not know how; a larger "
		       "blksize helps";
	return NULL;
}

static enum log_level
level_of(const struct tftp_session *s)
{
	/* A probe for the size is no transfer. */
	if (!s->upload && s->sender.counts.packets == 0 && s->failed)
		return LOG_LEVEL_DEBUG;
	return LOG_LEVEL_INFO;
}

void
tftp_log_refusal(struct tftp_state *st, const struct addr *peer, struct span file,
    const char *why, mono_us now)
{
	uint64_t held;

	/* Boot loaders try many names, and strangers any. */
	if (log_gate_pass(&st->failures, now, &held))
		log_event(st->sv->log, LOG_LEVEL_INFO, "tftp", "refused", LOG_PEER(peer),
		    LOG_SPAN("file", file), LOG_STR("why", why));
}

/* It was told that there is no such file, or none for it: nothing was ever to flow. */
static bool
is_refusal(const struct tftp_session *s)
{
	return s->upload ? s->job.put != TFTP_PUT_OK : s->job.find != TFTP_FIND_OK;
}

void
tftp_log_transfer(const struct tftp_session *s, const struct tftp_hash *hash)
{
	const struct tftp_counts *c = s->upload ? &s->receiver.counts : &s->sender.counts;
	const struct rto *rto = s->upload ? &s->receiver.rto : &s->sender.rto;
	struct log *lg = s->st->sv->log;
	struct tftp_stats *stats = &s->st->stats;
	usec took = s->ended > s->started ? s->ended - s->started : 1;
	char span[32], rate[32], digest[TFTP_HASH_TEXT] = "-";
	const char *hint = hint_of(s);
	uint64_t held;

	stats->resent += c->resent;
	stats->rollbacks += c->rollbacks;
	stats->probes += c->probes;
	stats->timeouts += c->timeouts;
	if (s->failed && is_refusal(s)) {
		tftp_log_refusal(s->st, &s->who.peer, span_of(s->asked, s->asked_len), s->reason,
		    s->ended);
		return;
	}
	/* Failures are free for whoever wants to fill the log. */
	if (s->failed && !log_gate_pass(&s->st->failures, s->ended, &held))
		return;
	(void)snprintf(span, sizeof(span), "%" PRId64 ".%03d", took / seconds(1),
	    (int)(took % seconds(1) / 1000));
	(void)snprintf(rate, sizeof(rate), "%.2f", (double)s->bytes / (double)took);
	if (hash != NULL)
		tftp_hash_format(hash, digest);
	log_event(lg, level_of(s), "tftp", s->upload ? "received" : "sent",
	    LOG_PEER(&s->who.peer), LOG_HEX("id", s->id),
	    LOG_SPAN("file", span_of(s->asked, s->asked_len)), LOG_STR("end", s->reason),
	    LOG_U64("bytes", s->bytes), LOG_U64("blksize", s->terms.blksize),
	    LOG_U64("windowsize", s->terms.windowsize), LOG_STR("seconds", span),
	    LOG_STR("MBps", rate), LOG_U64("packets", c->packets), LOG_U64("resent", c->resent),
	    LOG_U64("rollbacks", c->rollbacks), LOG_U64("probes", c->probes),
	    LOG_U64("timeouts", c->timeouts), LOG_I64("srtt_us", rto->srtt),
	    LOG_STR("blake2b", digest), LOG_STR("hint", hint != NULL ? hint : "-"));
}
