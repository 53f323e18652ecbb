/* SPDX-License-Identifier: MIT */
/*
 * Sessions: table, run queue, timers, jobs, end. What is special to a direction is in tftp_serve.c
 * (reads) and tftp_accept.c (uploads).
 *
 * Fairness: packets only put a session on the run queue. At the end of a turn the queue sends a
 * bounded number of blocks, the rest goes on in the next turn, so that two hundred transfers leave
 * the other services of the loop their turn.
 */
#include "services/tftp/tftp_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rand.h"
#include "core/service.h"

#define TURN_BLOCKS 256		/* sent in one turn of the loop, by all sessions together */
#define SESSION_BLOCKS 64	/* by one session before the others have theirs */
#define RECEIVE_MAX 32		/* packets taken from one socket in one turn */
#define RETRY_FULL millis(1)	/* after the socket's buffer was full */
#define STRAY_SIZE 64		/* bytes of an ERROR packet to a stranger */
#define HASH_JOBS_MAX 1		/* a long file on a slow disk leaves threads for the others */
#define UNHASHED_MAX 512	/* that many may wait for a hash; more are logged without one */

static struct tftp_session *
of_watch(struct loop_fd *w)
{
	return (struct tftp_session *)(void *)((uint8_t *)w - offsetof(struct tftp_session, watch));
}

static struct tftp_session *
of_timer(struct timer *t)
{
	return (struct tftp_session *)(void *)((uint8_t *)t - offsetof(struct tftp_session, timer));
}

static unsigned
slot_of(const struct tftp_state *st, const struct addr *peer)
{
	const uint8_t *bytes;
	size_t len = addr_bytes(peer, &bytes);
	uint64_t h = st->table_seed ^ addr_port(peer);

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (unsigned)(h >> 40) % TFTP_TABLE_SLOTS;
}

struct tftp_session *
tftp_session_find(struct tftp_state *st, const struct addr *peer, const struct addr *local)
{
	struct tftp_session *s;

	LIST_FOREACH(s, &st->table[slot_of(st, peer)], chain)
		if (addr_equal(&s->who.peer, peer) && addr_equal(&s->who.server, local))
			return s;
	return NULL;
}

size_t
tftp_error_packet(uint8_t *buf, size_t cap, enum tftp_code code, const char *text)
{
	struct wire_wr wr = wire_wr_of(buf, cap);
	struct tftp_msg msg = { .op = TFTP_ERROR, .code = (uint16_t)code,
		.text = span_str(text != NULL ? text : tftp_code_text(code)) };

	return tftp_msg_put(&wr, &msg) == OK ? wire_wr_len(&wr) : 0;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* RFC 1350 §4: a packet from elsewhere gets an error, and the transfer goes on undisturbed. */
static void
answer_stray(struct tftp_session *s, const struct addr *from, struct span packet)
{
	struct tftp_state *st = s->st;
	struct tftp_host *host = tftp_hosts_get(st->hosts, from, loop_now(st->sv->loop));
	struct tftp_msg msg;
	uint8_t buf[STRAY_SIZE];

	st->stats.strays++;
	if (tftp_msg_parse(&msg, packet) != OK || msg.op == TFTP_ERROR || msg.op == TFTP_RRQ ||
	    msg.op == TFTP_WRQ || !acl_allows(&s->set->acl, st->sv->netif, from))
		return;
	if (host == NULL || !bucket_take(&host->errors, 1, loop_now(st->sv->loop))) {
		st->stats.errors_held++;
		return;
	}
	st->stats.errors_sent++;
	tftp_io_answer(&s->io,
	    span_of(buf, tftp_error_packet(buf, sizeof(buf), TFTP_CODE_UNKNOWN_TID, NULL)), from);
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct tftp_session *s = of_watch(w);
	struct tftp_state *st = s->st;
	unsigned most = s->upload ? RECEIVE_MAX : 1;	/* a reader has one ACK in flight */
	struct tftp_msg msg;
	struct addr from;
	size_t len;

	(void)events;
	for (unsigned i = 0; i < most && s->listed; i++) {
		if (!tftp_io_receive(&s->io, st->packet, sizeof(st->packet), &from, &len))
			return;
		if (len > sizeof(st->packet))
			len = sizeof(st->packet);
		if (!addr_equal(&from, &s->who.peer))
			answer_stray(s, &from, span_of(st->packet, len));
		else if (tftp_msg_parse(&msg, span_of(st->packet, len)) == OK)
			tftp_session_input(s, &msg, loop_now(st->sv->loop));
		else
			st->stats.malformed++;
	}
}

/* Codes 0 and 8 right after the OACK are how some ROMs ask for a size and go. */
static void
peer_error(struct tftp_session *s, const struct tftp_msg *msg)
{
	bool probe = !s->upload && s->sender.una == 1;

	if (!s->upload && s->phase == TFTP_ACTIVE && s->sender.high > s->sender.last)
		tftp_session_end(s, "closed", false);	/* GRUB closes with ERROR 0 */
	else
		tftp_session_end(s, probe ? "probed" : "error from client", !probe);
	(void)msg;
}

void
tftp_session_input(struct tftp_session *s, const struct tftp_msg *msg, mono_us now)
{
	switch (msg->op) {
	case TFTP_ERROR:
		peer_error(s, msg);
		return;
	case TFTP_ACK:
		if (!s->upload && s->phase == TFTP_ACTIVE)
			tftp_serve_ack(s, msg->block, now);
		return;
	case TFTP_DATA:
		if (s->upload && s->phase == TFTP_ACTIVE)
			tftp_accept_data(s, msg, now);
		return;
	case TFTP_RRQ:
	case TFTP_WRQ:
	case TFTP_OACK:
		s->st->stats.malformed++;
		return;
	}
}

void
tftp_session_repeat(struct tftp_session *s, mono_us now)
{
	s->st->stats.repeated++;
	if (s->phase != TFTP_ACTIVE)
		return;
	if (s->upload)
		tftp_receiver_repeat(&s->receiver, now);
	else
		tftp_sender_repeat(&s->sender, now);
	tftp_session_kick(s);
}

/* --- the run queue ---------------------------------------------------------------------------- */

/* Ask for the next instant that the engine or the socket wants. */
static void
set_timer(struct tftp_session *s, mono_us now)
{
	mono_us at = MONO_NEVER;

	/* Without its file a reader can do nothing, whatever its engine wants. */
	if (s->phase == TFTP_ACTIVE && (s->upload || !s->job.busy))
		at = s->upload ? tftp_receiver_deadline(&s->receiver)
			       : tftp_sender_deadline(&s->sender);
	if (s->blocked)
		at = mono_earlier(at, now + RETRY_FULL);
	loop_timer(s->st->sv->loop, &s->timer, at);
}

void
tftp_session_kick(struct tftp_session *s)
{
	struct tftp_state *st = s->st;

	if (s->queued)
		return;
	s->queued = true;
	TAILQ_INSERT_TAIL(&st->runs, s, run);
	loop_defer(st->sv->loop, &st->run);
}

static void
unqueue(struct tftp_session *s)
{
	if (!s->queued)
		return;
	s->queued = false;
	TAILQ_REMOVE(&s->st->runs, s, run);
}

/* Let one session send; gives the number of blocks. It may have ended afterwards. */
static unsigned
run_one(struct tftp_session *s, mono_us now)
{
	unsigned sent = 0;

	unqueue(s);
	s->blocked = false;
	if (s->phase != TFTP_ACTIVE)
		return 0;
	if (s->upload) {
		tftp_accept_flush(s, now);
		sent = 1;
	} else {
		sent = tftp_serve_flush(s, SESSION_BLOCKS, now);
	}
	if (s->phase == TFTP_ACTIVE)
		set_timer(s, now);
	return sent;
}

static void
run_task(struct loop_task *t)
{
	struct tftp_state *st =
	    (struct tftp_state *)(void *)((uint8_t *)t - offsetof(struct tftp_state, run));
	mono_us now = loop_clock(st->sv->loop);
	struct tftp_session *s;
	unsigned sent = 0;

	while (sent < TURN_BLOCKS && (s = TAILQ_FIRST(&st->runs)) != NULL)
		sent += run_one(s, now) + 1;
	if (!TAILQ_EMPTY(&st->runs))
		loop_timer(st->sv->loop, &st->run_again, now);
}

static void
run_again(struct timer *t, mono_us now)
{
	struct tftp_state *st =
	    (struct tftp_state *)(void *)((uint8_t *)t - offsetof(struct tftp_state, run_again));

	(void)now;
	loop_defer(st->sv->loop, &st->run);
}

static void
fire(struct timer *t, mono_us now)
{
	struct tftp_session *s = of_timer(t);

	if (s->phase != TFTP_ACTIVE)
		return;
	if (s->upload) {
		tftp_receiver_wake(&s->receiver, now);
		if (s->receiver.state == TFTP_RECEIVER_OVER) {
			tftp_session_end(s, tftp_end_text(s->receiver.end),
			    s->receiver.end != TFTP_COMPLETE);
			return;
		}
	} else {
		tftp_sender_wake(&s->sender, now);
		if (s->sender.state == TFTP_SENDER_OVER) {
			tftp_serve_over(s);
			return;
		}
	}
	tftp_session_kick(s);
}

/* --- the pool --------------------------------------------------------------------------------- */

/* In a thread of the pool: nothing but the job and the file it was lent. */
static void
work(struct offload_job *j)
{
	struct tftp_job *job =
	    (struct tftp_job *)(void *)((uint8_t *)j - offsetof(struct tftp_job, job));
	struct tftp_session *s = job->session;

	switch (job->work) {
	case TFTP_WORK_FIND:
		job->find = tftp_store_find(s->set->store, &s->name, &s->who, false, &job->found,
					    NULL, NULL);
		break;
	case TFTP_WORK_READ:
		job->ok = tftp_reader_fetch(&s->reader);
		break;
	case TFTP_WORK_BEGIN:
		job->put = tftp_upload_begin(&s->inbound, s->set->inbox, &s->name,
		    s->terms.tsize_known ? s->terms.tsize : 0, job->share);
		break;
	case TFTP_WORK_WRITE:
		job->put = tftp_upload_write(&s->inbound, span_of(s->writing.at, s->writing.len));
		if (job->put == TFTP_PUT_OK && job->last)
			job->put = tftp_upload_commit(&s->inbound);
		break;
	case TFTP_WORK_HASH:
		job->ok = tftp_hash_file(s->reader.found.fd, &s->reader.found.ident,
		    &s->st->no_hash, &job->hash);
		break;
	case TFTP_WORK_DROP:
		tftp_upload_drop(&s->inbound);
		break;
	}
}

static void wind_up(struct tftp_session *s);
static void session_free(struct tftp_session *s);
static void drop_state(struct tftp_state *st);
static void hashed(struct tftp_session *s);

static void
found(struct tftp_session *s)
{
	switch (s->job.find) {
	case TFTP_FIND_OK:
		tftp_session_read(s, &s->job.found);
		return;
	case TFTP_FIND_NONE:
		s->st->stats.not_found++;
		tftp_session_abort(s, TFTP_CODE_NOT_FOUND, NULL, "not found");
		return;
	case TFTP_FIND_DENIED:
		s->st->stats.refused++;
		tftp_session_abort(s, TFTP_CODE_DENIED, NULL, "denied");
		return;
	case TFTP_FIND_WAIT:
	case TFTP_FIND_FAILED:
		tftp_session_abort(s, TFTP_CODE_OTHER, "Server is short of resources", "failed");
		return;
	}
}

static void
done(struct offload_job *j)
{
	struct tftp_job *job =
	    (struct tftp_job *)(void *)((uint8_t *)j - offsetof(struct tftp_job, job));
	struct tftp_session *s = job->session;
	struct tftp_state *st = s->st;

	job->busy = false;
	st->jobs--;
	st->hashing -= job->work == TFTP_WORK_HASH;
	if (st->stopped) {
		session_free(s);
		if (st->jobs == 0)
			drop_state(st);
		return;
	}

	mono_us now = loop_clock(st->sv->loop);

	if (s->phase == TFTP_ENDING) {
		if (job->work == TFTP_WORK_HASH)
			hashed(s);
		else
			wind_up(s);
		return;
	}
	if (j->cancelled) {
		tftp_session_end(s, "stopped", true);
		return;
	}
	switch (job->work) {
	case TFTP_WORK_FIND:
		found(s);
		break;
	case TFTP_WORK_READ:
		if (!job->ok)
			tftp_session_abort(s, TFTP_CODE_OTHER, "File cannot be read",
					   "read failed");
		else
			tftp_session_kick(s);
		break;
	case TFTP_WORK_BEGIN:
	case TFTP_WORK_WRITE:
		tftp_accept_done(s, now);
		break;
	case TFTP_WORK_HASH:
	case TFTP_WORK_DROP:
		break;
	}
}

bool
tftp_session_submit(struct tftp_session *s, enum tftp_work kind)
{
	struct tftp_job *job = &s->job;

	job->work = kind;
	job->session = s;
	job->found = (struct tftp_found){ .fd = -1 };
	job->job = (struct offload_job){ .work = work, .done = done };
	if (s->st->stopped || offload_submit(s->st->sv->offload, &job->job) != OK)
		return false;
	job->busy = true;
	s->st->jobs++;
	s->st->hashing += kind == TFTP_WORK_HASH;
	return true;
}

void
tftp_session_search(struct tftp_session *s)
{
	if (!tftp_session_submit(s, TFTP_WORK_FIND))
		tftp_session_end(s, "pool full", true);	/* the client asks again */
}

/* --- beginning -------------------------------------------------------------------------------- */

static enum err
open_socket(struct tftp_session *s, const struct dgram *dg)
{
	struct tftp_settings *set = s->set;

	if (set->ports == TFTP_PORTS_SINGLE || s->brief) {
		tftp_io_share(&s->io, udp_fd(dg->socket), &s->who.server, &s->who.peer);
		return OK;
	}

	enum err e = tftp_io_open(&s->io, &s->who.server, &s->who.peer, set->port_first,
	    set->port_last, rand_u32(s->st->sv->rand));

	if (e != OK)
		return e;
	s->watch = (struct loop_fd){ .fd = s->io.fd, .ready = ready };
	return loop_add(s->st->sv->loop, &s->watch, EPOLLIN);
}

struct tftp_session *
tftp_session_new(struct tftp_state *st, const struct tftp_client *who, const struct dgram *dg,
    bool upload, bool brief)
{
	struct tftp_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->st = st;
	s->set = tftp_settings_ref(st->set);
	s->id = ++st->next_id;
	s->upload = upload;
	s->brief = brief;
	s->who = *who;
	s->ifindex = dg->ifindex;
	s->started = s->speed.since = dg->now;
	s->timer.fire = fire;
	s->io.fd = -1;
	s->watch.fd = -1;
	s->reader.found.fd = s->job.found.fd = -1;
	s->inbound.fd = s->inbound.folder = -1;
	if (open_socket(s, dg) != OK) {
		tftp_io_close(&s->io);
		tftp_settings_unref(s->set);
		free(s);
		return NULL;
	}
	s->io.gso = s->set->gso;
	s->host = tftp_hosts_get(st->hosts, &who->peer, dg->now);
	if (s->host != NULL) {
		tftp_hosts_use(st->hosts, s->host);
		s->host->unproven++;
		s->counted = true;
	}
	TAILQ_INSERT_TAIL(&st->all, s, link);
	LIST_INSERT_HEAD(&st->table[slot_of(st, &who->peer)], s, chain);
	s->listed = true;
	st->count++;
	if (upload)
		st->stats.uploading++;
	else
		st->stats.reading++;
	return s;
}

bool
tftp_session_proven(const struct tftp_session *s)
{
	return s->phase == TFTP_ACTIVE && (s->upload ? s->receiver.proven : s->sender.proven);
}

bool
tftp_session_evict(struct tftp_state *st, const struct tftp_host *host)
{
	struct tftp_session *s;

	TAILQ_FOREACH(s, &st->all, link) {
		if (!s->listed || tftp_session_proven(s) || (host != NULL && s->host != host))
			continue;
		st->stats.evicted++;
		tftp_session_end(s, "made room", true);
		return true;
	}
	return false;
}

/* --- the end ---------------------------------------------------------------------------------- */

void
tftp_session_abort(struct tftp_session *s, enum tftp_code code, const char *text,
    const char *reason)
{
	uint8_t buf[TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1];
	size_t len = tftp_error_packet(buf, sizeof(buf), code, text);

	s->st->stats.errors_sent++;
	(void)tftp_io_send(&s->io, span_of(buf, len), len, &s->st->io);
	tftp_session_end(s, reason, true);
}

static void
uncount(struct tftp_session *s)
{
	if (s->counted)
		s->host->unproven--;
	s->counted = false;
}

void
tftp_session_prove(struct tftp_session *s)
{
	uncount(s);
	if (s->host != NULL)
		s->host->proven = true;
}

/* Take the session out of everything that could reach it, but for the pool. */
static void
unlist(struct tftp_session *s)
{
	struct tftp_state *st = s->st;

	if (!s->listed)
		return;
	s->listed = false;
	LIST_REMOVE(s, chain);
	st->count--;
	if (s->upload)
		st->stats.uploading--;
	else
		st->stats.reading--;
	st->stats.ending++;
	if (st->ahead.of == s)
		st->ahead.of = NULL;
	unqueue(s);
	loop_timer_cancel(st->sv->loop, &s->timer);
	if (s->watch.fd >= 0)
		loop_remove(st->sv->loop, &s->watch);
	s->watch.fd = -1;
	tftp_io_close(&s->io);
	uncount(s);
	if (s->host != NULL)
		tftp_hosts_leave(st->hosts, s->host);
}

/* Nothing more to do for it: it dies, but callers up the stack may still look at it. */
static void
release(struct tftp_session *s)
{
	struct tftp_state *st = s->st;

	st->stats.ending--;
	s->phase = TFTP_DEAD;
	TAILQ_REMOVE(&st->all, s, link);
	TAILQ_INSERT_TAIL(&st->dead, s, link);
	loop_defer(st->sv->loop, &st->bury);
}

static void
bury(struct loop_task *t)
{
	struct tftp_state *st =
	    (struct tftp_state *)(void *)((uint8_t *)t - offsetof(struct tftp_state, bury));
	struct tftp_session *s;

	while ((s = TAILQ_FIRST(&st->dead)) != NULL)
		session_free(s);
}

/* Remove what is left of an upload, in the pool where that is possible: it may be long. */
static void
wind_up(struct tftp_session *s)
{
	if (s->inbound.fd < 0 || !tftp_session_submit(s, TFTP_WORK_DROP))
		release(s);
}

static void
session_free(struct tftp_session *s)
{
	struct tftp_state *st = s->st;

	unlist(s);
	if (s->phase == TFTP_DEAD)
		TAILQ_REMOVE(&st->dead, s, link);
	else
		TAILQ_REMOVE(&st->all, s, link);
	tftp_reader_fini(&s->reader);
	tftp_found_drop(&s->job.found);
	tftp_upload_drop(&s->inbound);
	free(s->pile.at);
	free(s->writing.at);
	tftp_settings_unref(s->set);
	free(s);
}

/* Log a transfer that may have waited for its hash; NULL where nobody will know it. */
static void
finish(struct tftp_session *s, const struct tftp_hash *hash)
{
	if (s->awaits_hash)
		s->st->unhashed--;
	s->awaits_hash = false;
	tftp_log_transfer(s, hash);
	release(s);
}

/* One hash is made at a time: begin with the one whose turn it is, if there is any. */
static void
hash_next(struct tftp_state *st)
{
	struct tftp_session *s, *next;

	for (s = TAILQ_FIRST(&st->all); s != NULL && st->hashing < HASH_JOBS_MAX; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->awaits_hash && !tftp_session_submit(s, TFTP_WORK_HASH))
			finish(s, NULL);
	}
}

/* The hash of a file is known, or nobody will know it: everyone who waited for it is done. */
static void
hashed(struct tftp_session *s)
{
	struct tftp_state *st = s->st;
	struct tftp_ident ident = s->reader.found.ident;
	struct tftp_hash hash = s->job.hash;
	bool ok = s->job.ok && !s->job.job.cancelled;
	struct tftp_session *o, *next;

	if (ok)
		tftp_hash_keep(&st->hashes, &ident, &hash);
	for (o = TAILQ_FIRST(&st->all); o != NULL; o = next) {
		next = TAILQ_NEXT(o, link);
		if (o->awaits_hash && tftp_ident_same(&o->reader.found.ident, &ident))
			finish(o, ok ? &hash : NULL);
	}
	hash_next(st);
}

/* Log the transfer with its hash, at once where that is known. */
static void
end_with_hash(struct tftp_session *s)
{
	struct tftp_state *st = s->st;
	struct tftp_found *file = &s->reader.found;
	const struct tftp_hash *known = tftp_hash_find(&st->hashes, &file->ident);
	struct tftp_hash hash;

	if (file->text != NULL) {
		tftp_hash_text(span_of(file->text, (size_t)file->size), &hash);
		finish(s, &hash);
	} else if (known != NULL || st->unhashed == UNHASHED_MAX || st->stopped) {
		finish(s, known);
	} else {
		s->awaits_hash = true;
		st->unhashed++;
		hash_next(st);
	}
}

void
tftp_session_end(struct tftp_session *s, const char *reason, bool failed)
{
	struct tftp_state *st = s->st;
	bool has_file = s->reader.found.fd >= 0 || s->reader.found.text != NULL;

	if (s->phase == TFTP_ENDING || s->phase == TFTP_DEAD)
		return;
	if (!s->logged)
		s->reason = reason;
	s->failed = failed;
	if (s->ended == 0)
		s->ended = loop_now(st->sv->loop);
	unlist(s);
	s->phase = TFTP_ENDING;
	if (s->upload)
		*(failed ? &st->stats.uploads_failed : &st->stats.uploads_done) += 1;
	else
		*(failed ? &st->stats.reads_failed : &st->stats.reads_done) += 1;
	if (!failed && has_file && s->set->hash && !s->job.busy) {
		end_with_hash(s);
		return;
	}
	if (!s->logged)
		tftp_log_transfer(s, NULL);
	if (!s->job.busy)
		wind_up(s);
}

/* --- all of them ------------------------------------------------------------------------------ */

#define WINDOW_ROOM (1024 * 1024 + TFTP_WINDOW_MAX * TFTP_HEADER_BYTES + TFTP_BLKSIZE_MAX)

enum err
tftp_state_new(struct tftp_state **out, struct service *sv)
{
	struct tftp_state *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return ERR_NOMEM;
	st->sv = sv;
	TAILQ_INIT(&st->all);
	TAILQ_INIT(&st->runs);
	TAILQ_INIT(&st->dead);
	st->run.run = run_task;
	st->bury.run = bury;
	st->run_again.fire = run_again;
	st->table_seed = rand_u64(sv->rand);
	st->buffer = malloc(WINDOW_ROOM);
	st->ahead.packets = malloc(WINDOW_ROOM);
	if (st->buffer == NULL || st->ahead.packets == NULL ||
	    tftp_hosts_new(&st->hosts, rand_u64(sv->rand)) != OK) {
		drop_state(st);
		return ERR_NOMEM;
	}
	*out = st;
	return OK;
}

static void
drop_state(struct tftp_state *st)
{
	tftp_hosts_free(st->hosts);
	tftp_settings_unref(st->set);
	free(st->buffer);
	free(st->ahead.packets);
	free(st);
}

/* The daemon ends before the hash is made; a thread may still be at it. */
static void
log_without_hash(struct tftp_session *s)
{
	s->awaits_hash = false;
	tftp_log_transfer(s, NULL);
	if (!s->job.busy)
		release(s);
}

void
tftp_state_free(struct tftp_state *st)
{
	struct tftp_session *s, *next;

	if (st == NULL)
		return;
	st->stopped = true;
	atomic_store_explicit(&st->no_hash, true, memory_order_relaxed);
	for (s = TAILQ_FIRST(&st->all); s != NULL; s = next) {
		bool whole = s->upload && s->phase == TFTP_ACTIVE &&
		    s->receiver.state == TFTP_RECEIVER_DALLY;

		next = TAILQ_NEXT(s, link);
		tftp_session_end(s, whole ? "complete" : "stopped", !whole);
		if (s->awaits_hash)
			log_without_hash(s);
	}
	bury(&st->bury);
	loop_undefer(st->sv->loop, &st->bury);
	loop_undefer(st->sv->loop, &st->run);
	loop_timer_cancel(st->sv->loop, &st->run_again);
	if (st->jobs == 0)
		drop_state(st);
}
