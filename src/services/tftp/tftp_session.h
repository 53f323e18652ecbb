/* SPDX-License-Identifier: MIT */
/*
 * Transfers under way, and the table of them. A session ties together an engine, a file and a
 * socket; it lives in the loop's thread and lends its file to a thread of the pool while it waits.
 *
 * OPENING --file found--> ACTIVE --engine over, ERROR--> ENDING --hash known--> released
 */
#ifndef SERVICES_TFTP_TFTP_SESSION_H
#define SERVICES_TFTP_TFTP_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/timer.h"
#include "core/udp.h"
#include "services/tftp/tftp_client.h"
#include "services/tftp/tftp_hash.h"
#include "services/tftp/tftp_hosts.h"
#include "services/tftp/tftp_io.h"
#include "services/tftp/tftp_msg.h"
#include "services/tftp/tftp_name.h"
#include "services/tftp/tftp_netascii.h"
#include "services/tftp/tftp_reader.h"
#include "services/tftp/tftp_receiver.h"
#include "services/tftp/tftp_sender.h"
#include "services/tftp/tftp_settings.h"
#include "services/tftp/tftp_upload.h"
#include "util/bucket.h"

#define TFTP_TABLE_SLOTS 2048
#define TFTP_PACKET_MAX 65536		/* received at once */
#define TFTP_ERROR_TEXT_MAX 100

struct service;
struct tftp_session;

struct tftp_stats {
	uint64_t requests;
	uint64_t reads_done, reads_failed;
	uint64_t uploads_done, uploads_failed;
	uint64_t bytes_sent, bytes_received;
	uint64_t not_found, refused;		/* requests that got an error */
	uint64_t errors_sent, errors_held;	/* error packets; held back by the limit */
	uint64_t strangers;			/* requests from outside the access list */
	uint64_t bad_sources;			/* broadcast, multicast, reflector ports */
	uint64_t malformed;
	uint64_t strays;			/* packets of no transfer */
	uint64_t repeated;			/* requests that joined their transfer */
	uint64_t unproven_brief;	/* requests of unknown addresses answered at little cost */
	uint64_t unproven_held;	/* requests dropped by the limit for unknown addresses */
	uint64_t table_full, client_full;	/* requests refused at a cap */
	uint64_t too_late;			/* requests while the daemon was about to end */
	uint64_t evicted;			/* unproven transfers that made room */
	uint64_t waits;				/* reads that the page cache did not have */
	uint64_t resent, rollbacks, probes, timeouts;
	unsigned reading, uploading, ending;	/* now */
};

/* Everything of one running TFTP service. */
struct tftp_state {
	struct service *sv;
	struct tftp_settings *set;
	struct tftp_hosts *hosts;
	struct tftp_stats stats;
	struct tftp_io_stats io;
	struct tftp_hash_cache hashes;
	struct log_gate failures;
	struct bucket unproven;			/* new transfers of addresses that never answered */
	struct bucket brief;			/* such transfers, when there are too many */
	uint64_t table_seed;
	uint64_t next_id;
	unsigned count;				/* sessions in the table */
	unsigned jobs;				/* in the pool; they keep the state alive */
	unsigned hashing;			/* of them, those that hash a file */
	unsigned unhashed;			/* ending sessions that wait for a hash */
	bool leaving;				/* no new transfers: the daemon is about to end */
	bool stopped;				/* sv is gone; the last job frees the rest */
	atomic_bool no_hash;			/* tells the pool: it is not wanted any more */
	LIST_HEAD(, tftp_session) table[TFTP_TABLE_SLOTS];
	TAILQ_HEAD(tftp_all, tftp_session) all;		/* ending ones included, oldest first */
	TAILQ_HEAD(tftp_runs, tftp_session) runs;	/* have something to send */
	TAILQ_HEAD(tftp_dead, tftp_session) dead;	/* released at the end of this turn */
	struct loop_task run;
	struct loop_task bury;
	struct timer run_again;
	uint8_t *buffer;			/* a window on its way out */
	struct tftp_ahead {			/* blocks that will follow, as packets */
		const struct tftp_session *of;	/* NULL: of none */
		uint8_t *packets;
		uint64_t first;
		unsigned count;
		size_t len;
		mono_us used;
	} ahead;
	uint8_t packet[TFTP_PACKET_MAX];	/* one on its way in */
};

/* What a thread of the pool does for a session. */
struct tftp_job {
	struct offload_job job;
	struct tftp_session *session;
	enum tftp_work {
		TFTP_WORK_FIND,
		TFTP_WORK_READ,
		TFTP_WORK_BEGIN,
		TFTP_WORK_WRITE,
		TFTP_WORK_HASH,
		TFTP_WORK_DROP,
	} work;
	bool busy;
	bool ok;			/* READ, HASH */
	bool last;			/* WRITE: commit afterwards */
	enum tftp_find find;		/* FIND */
	enum tftp_put put;		/* BEGIN, WRITE */
	uint64_t share;			/* BEGIN */
	struct tftp_found found;	/* FIND */
	struct tftp_hash hash;		/* HASH */
};

/* Bytes of an upload that wait for the disk. */
struct tftp_pile {
	uint8_t *at;
	size_t len, cap;
};

/* How fast a transfer has been of late. */
struct tftp_speed {
	mono_us since;
	uint64_t bytes;		/* that had arrived by then */
	double before;		/* bytes a second until then; 0: not known */
};

struct tftp_session {
	struct tftp_state *st;
	struct tftp_settings *set;
	struct tftp_host *host;		/* NULL where the table of hosts is full */
	uint64_t id;
	enum tftp_phase {
		TFTP_OPENING,		/* waits for the pool to find or make the file */
		TFTP_ACTIVE,		/* waits for the peer, as its engine says */
		TFTP_ENDING,		/* waits for the pool: hash, or a job that still runs */
		TFTP_DEAD,		/* waits for the end of this turn */
	} phase;
	bool upload;
	bool netascii;
	bool brief;	/* begun in a flood: on the listening socket, one packet before an answer */
	bool listed;			/* in the table: gets packets */
	bool queued;			/* in the run queue */
	bool blocked;			/* the socket's buffer is full */
	struct tftp_client who;
	unsigned ifindex;
	struct tftp_io io;
	struct loop_fd watch;
	struct timer timer;
	struct tftp_terms terms;
	struct tftp_name name;		/* cleaned and mapped */
	char asked[TFTP_NAME_MAX + 1];	/* as the client wrote it, for logs */
	size_t asked_len;
	mono_us started;
	mono_us ended;
	const char *reason;		/* how it ended, for the log; static text */
	bool failed;
	bool counted;			/* among host->unproven */
	bool logged;			/* an upload, as soon as it is stored */
	bool awaits_hash;		/* ending; is logged when the hash is known */
	uint64_t bytes;			/* of the file, that arrived at the other end */
	struct tftp_speed speed;
	struct tftp_job job;
	struct tftp_sender sender;	/* reads */
	struct tftp_reader reader;
	struct tftp_receiver receiver;	/* uploads */
	struct tftp_upload inbound;
	struct tftp_netascii ascii;
	struct tftp_pile pile, writing;
	bool all_here;			/* the last block has arrived */
	LIST_ENTRY(tftp_session) chain;
	TAILQ_ENTRY(tftp_session) link;
	TAILQ_ENTRY(tftp_session) run;
};

/* --- the table -------------------------------------------------------------------------------- */

struct tftp_session *tftp_session_find(struct tftp_state *st, const struct addr *peer,
    const struct addr *local);

/*
 * Make a session, in the table and without a file yet. `listening` is the socket that the request
 * came by. brief: spend little on it until it answers. NULL where there is no memory; errors are
 * answered by the caller.
 */
struct tftp_session *tftp_session_new(struct tftp_state *st, const struct tftp_client *who,
    const struct dgram *dg, bool upload, bool brief);

/* Of all sessions, or those of one host: end the oldest that never had an answer. */
bool tftp_session_evict(struct tftp_state *st, const struct tftp_host *host);

bool tftp_session_proven(const struct tftp_session *s);

/* --- life ------------------------------------------------------------------------------------- */

/* Look for the file of a read in the pool; the transfer begins when it is found. */
void tftp_session_search(struct tftp_session *s);
/* Begin to send what was found; takes it over. */
void tftp_session_read(struct tftp_session *s, struct tftp_found *found);
/* Make the file of an upload in the pool; the transfer begins when it is there. */
void tftp_session_upload(struct tftp_session *s);

/* A packet of the peer. */
void tftp_session_input(struct tftp_session *s, const struct tftp_msg *msg, mono_us now);
/* The request came again. */
void tftp_session_repeat(struct tftp_session *s, mono_us now);

/*
 * Tell the peer and end. text may be NULL: what belongs to the code. reason: for the log, static.
 */
void tftp_session_abort(struct tftp_session *s, enum tftp_code code, const char *text,
    const char *reason);
/* End without a word to the peer. s stays valid until the end of this turn, as after _abort(). */
void tftp_session_end(struct tftp_session *s, const char *reason, bool failed);

/* The peer has answered: it exists. */
void tftp_session_prove(struct tftp_session *s);

/* Have it send what it wants, at the end of this turn. */
void tftp_session_kick(struct tftp_session *s);

/*
 * Where everything is kept. Errors: ERR_NOMEM. Freeing ends all transfers; what the pool still
 * works on is released when that is done.
 */
enum err tftp_state_new(struct tftp_state **out, struct service *sv) MUST_CHECK;
void tftp_state_free(struct tftp_state *st);

/* --- for its parts ---------------------------------------------------------------------------- */

/* Hand the session's job to the pool. False where the pool is full. */
bool tftp_session_submit(struct tftp_session *s, enum tftp_work work);

/* tftp_serve.c: send up to `budget` blocks; gives how many. */
unsigned tftp_serve_flush(struct tftp_session *s, unsigned budget, mono_us now);
void tftp_serve_ack(struct tftp_session *s, struct seq16 block, mono_us now);
void tftp_serve_over(struct tftp_session *s);

/* tftp_accept.c: uploads. */
void tftp_accept_flush(struct tftp_session *s, mono_us now);
void tftp_accept_data(struct tftp_session *s, const struct tftp_msg *msg, mono_us now);
void tftp_accept_done(struct tftp_session *s, mono_us now);	/* a WORK_BEGIN or WORK_WRITE is */

/* tftp_log.c: the line of a transfer that has ended; hash may be NULL. */
void tftp_log_transfer(const struct tftp_session *s, const struct tftp_hash *hash);

/* tftp_log.c: the line of a request that is not served. why: static text. */
void tftp_log_refusal(struct tftp_state *st, const struct addr *peer, struct span file,
    const char *why, mono_us now);

/* tftp_log.c: take in that s->bytes has grown; give the speed of late, in bytes a second. */
void tftp_speed_note(struct tftp_session *s, mono_us now);
double tftp_speed(const struct tftp_session *s, mono_us now);

/* Write an ERROR packet; gives its length. */
size_t tftp_error_packet(uint8_t *buf, size_t cap, enum tftp_code code, const char *text);

#endif
