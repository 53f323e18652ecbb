/* SPDX-License-Identifier: MIT */
/*
 * What the files of the upstream edge share; nobody else includes it.
 *
 *   dns_upstream.c	    transactions: from dns_upstream_send() to one call of done()
 *   dns_upstream_engine.c  the door to c-ares
 *   dns_upstream_query.c   the bytes of queries, the check of answers; no sockets, no clock
 *   dns_upstream_udp.c	    datagram sockets: fresh ones, pooled ones
 *   dns_upstream_tcp.c	    one pipelined connection per server
 *   dns_upstream_tls.c	    that connection encrypted, and whose certificates count
 *   dns_upstream_dnscrypt.c  certificates and encryption for servers that speak DNSCrypt
 *   dns_upstream_server.c  servers: health, abilities, counters, reports
 *   dns_upstream_spec.c    how settings name them
 *
 * The way of a send:
 *
 *   send --> engine_start --> [c-ares] --> hook --> udp_send ---datagram---> check
 *							  |
 *     answer: engine_end --> done()  <-------------------'
 *     truncated, or junk came: engine_to_tcp --> [c-ares] --> hook --> tcp_send --frame--> check
 */
#ifndef SERVICES_DNS_DNS_UPSTREAM_PRIV_H
#define SERVICES_DNS_DNS_UPSTREAM_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/timer.h"
#include "services/dns/dns_crypt.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_named.h"
#include "services/dns/dns_stamp.h"
#include "services/dns/dns_upstream.h"
#include "util/bucket.h"
#include "util/fifo.h"
#include "util/rto.h"
#include "util/seal.h"

#define DNS_PADDING	    128		/* queries over TLS fill multiples of it, RFC 8467 §4.1 */
#define DNS_QUERY_BYTES	    (340 + DNS_PADDING)	/* room for every query dns_ask_write() makes */
#define DNS_ID_BUCKETS	    256
#define DNS_POOL_SOCKETS    64		/* shared sockets per server under load */
#define DNS_POOL_SENDS	    256		/* a shared socket retires after so many */
#define DNS_POOL_AGE	    seconds(30)	/* or at this age */
#define DNS_IDLE_SOCKETS    64		/* kept per server for further sends of their own */
#define DNS_BURST	    32		/* queries that leave a shared socket in one system call */
#define DNS_READS_PER_TURN  64		/* datagrams and frames of all servers together */
#define DNS_READ_SLOTS	    16		/* datagrams read from a shared socket at once, */
#define DNS_READ_BYTES	    4096	/* and what of each; more is asked for over TCP */
#define DNS_ABILITY_FORGET  seconds(300) /* until it is tried again what a server could not do */
#define DNS_COOKIE_BYTES    8		/* client cookie, RFC 7873 §4 */
#define DNS_COOKIE_MAX	    40		/* with the server's */
#define DNS_TIDY_EVERY	    millis(250)

struct dns_dnscrypt;
struct dns_engine;
struct dns_tls;
struct ssl_session_st;
struct ssl_st;

/* What a text says about a server. */
struct dns_upstream_spec {
	enum dns_transport transport;
	struct dns_stamp stamp;		/* made up of the address where there was none */
	char auth_name[DNS_NAME_TEXT_MAX];	/* TLS: whose certificate; empty: the address's */
};

/* A datagram socket, connected to its server. */
struct dns_udp {
	struct loop_fd watch;
	struct dns_server *server;
	LIST_HEAD(, dns_transaction) waiting;
	LIST_ENTRY(dns_udp) link;
	mono_us opened;
	uint16_t *ids;		/* shared: the ids it has sent, room for DNS_POOL_SENDS */
	unsigned sends;
	bool retired;		/* takes no more sends */
	bool idle;		/* has no port, waits for the next send */
	bool reading;		/* its reader is on the stack and releases it */
	bool dead;
};

/* A stream connection to a server. */
struct dns_stream {
	struct loop_fd watch;
	struct dns_server *server;
	LIST_ENTRY(dns_stream) link;
	LIST_HEAD(, dns_transaction) waiting;
	mono_us quiet_since;	/* no byte has come since, and one should have; 0: not so */
	mono_us idle_since;
	bool connected;
	bool answered;		/* at least one frame came */
	mono_us answered_first;	/* when that was */
	struct ssl_st *tls;	/* NULL: none, or not begun yet */
	bool tls_wants_write;	/* before anything else can happen */
	bool tls_proven;	/* its handshake has ended well */
	bool tls_broken;
	size_t tls_left;	/* bytes that may still be read in this go */
	bool single;		/* for one query, as DNSCrypt wants */
	bool retired;		/* takes no more queries */
	bool reading;
	bool dead;
	size_t in_used;
	struct fifo out;
	uint8_t in[2 + DNS_MSG_MAX];
};

enum dns_transaction_over {	/* how it ends, where that is known before done() can be called */
	DNS_OVER_NOT,
	DNS_OVER_UNREACHABLE,
	DNS_OVER_LOCAL,
};

/*
 * One send. It waits on a datagram socket, on the stream, or on both after junk came; until one of
 * them brings the answer, all fail, or the deadline comes.
 */
struct dns_transaction {
	struct dns_server *server;
	struct dns_send *send;		/* NULL: over, only c-ares still holds it */
	struct timer deadline;
	LIST_ENTRY(dns_transaction) by_id;
	TAILQ_ENTRY(dns_transaction) over_link;	/* also links the free ones */
	struct dns_udp *udp;		/* waits here, or NULL */
	LIST_ENTRY(dns_transaction) on_udp;
	bool in_burst;			/* and its query has yet to leave */
	TAILQ_ENTRY(dns_transaction) burst_link;
	struct dns_stream *stream;	/* waits here, or NULL */
	LIST_ENTRY(dns_transaction) on_stream;
	bool awaits_cert;		/* and then goes out */
	bool awaits_cert_tcp;
	LIST_ENTRY(dns_transaction) on_cert;
	mono_us begun;
	mono_us sent_udp;		/* 0: was not sent */
	mono_us sent_tcp;
	enum dns_transaction_over over;	/* in upstream.over where it is set */
	int sys_errno;			/* what the kernel said last */

	bool in_engine;		/* c-ares has it */
	bool mixed;		/* as sent: letter case, EDNS, cookie */
	bool edns;
	bool cookie;
	bool padded;
	bool edns_doubted;	/* left out because the server has not been answering */
	bool cookie_doubted;
	bool tcp_asked;
	bool tcp_again;		/* once more on a fresh connection */
	bool plainer;		/* once more without EDNS, without cookie or with a new one */
	bool suspicious;
	bool case_differed;
	bool refused;		/* ICMP said that nobody listens */

	unsigned session;	/* DNSCrypt: which one its query went out under, and */
	uint8_t nonce[DNS_CRYPT_NONCE_BYTES];

	struct dns_send_ask ask;	/* its name is `name` */
	uint16_t id;
	uint16_t engine_id;	/* what c-ares knows it by */
	uint16_t question_len;	/* name, type and class behind the header */
	uint16_t query_len;
	struct dns_name name;		/* in lower case; from here on nothing is cleared */
	uint8_t query[DNS_QUERY_BYTES];
};

TAILQ_HEAD(dns_transactions, dns_transaction);

struct dns_server {
	struct dns_upstream *up;
	LIST_ENTRY(dns_server) link;
	unsigned holds;
	unsigned fetchers;		/* of those, for the certificates of DNSCrypt servers */
	struct addr addr;
	struct addr source;		/* AF_UNSPEC: any */
	char interface[16];		/* empty: any */
	enum dns_transport transport;
	char auth_name[DNS_NAME_TEXT_MAX];
	char text[ADDR_TEXT_MAX + 16 + DNS_NAME_TEXT_MAX];
	struct dns_engine *engine;
	struct dns_dnscrypt *crypt;	/* NULL: not encrypted */

	LIST_HEAD(, dns_transaction) by_id[DNS_ID_BUCKETS];
	LIST_HEAD(dns_sockets, dns_udp) sockets;
	struct dns_sockets idle;
	unsigned idle_count;
	struct dns_udp *pool[DNS_POOL_SOCKETS];
	TAILQ_HEAD(, dns_transaction) burst;	/* leave at the turn's end, all by one socket */
	unsigned burst_len;
	struct loop_task send_burst;
	struct ssl_session_st *tls_session;	/* to resume, or NULL */
	mono_us tls_verified;		/* when its certificate was looked at last */
	uint64_t tls_resumed;		/* connections that did */
	uint64_t tls_failures;		/* that came to nothing, */
	char tls_error[80];		/* why the last one did; empty: it did not */
	mono_us tls_told;		/* when the log was told of it */
	struct dns_stream *stream;	/* the one that many queries share */
	LIST_HEAD(, dns_stream) streams;	/* that one and the single ones */
	unsigned singles;
	unsigned outstanding;

	struct dns_server_stats stats;
	struct rto rto;
	mono_us last_answer;
	unsigned silent;		/* sends in a row that got no answer */
	mono_us silent_since;
	bool down;

	mono_us edns_off;		/* until then: send without */
	mono_us case_off;
	mono_us cookie_off;
	bool edns_proven;		/* an answer came to a query that had it */
	bool cookie_proven;
	bool cookie_expected;		/* its last answers had our cookie */
	unsigned case_strikes;
	uint8_t cookie[DNS_COOKIE_MAX];	/* ours, and its own behind it once it is known */
	size_t cookie_len;

	struct dns_send probe;		/* while it is silent */
	struct timer probe_timer;
	usec probe_every;
	bool probe_root;		/* the last probe asked for the root's servers */
	uint16_t probe_type, probe_class;
	struct dns_name probe_name;	/* what went unanswered last */
};

LIST_HEAD(dns_servers, dns_server);

struct dns_upstream {
	struct loop *loop;
	struct rand *rand;
	struct log *log;
	const char *service;
	bool no_case;
	bool no_cookies;
	struct offload *offload;	/* reads certificates */
	struct dns_tls *tls;		/* NULL before the first connection that needs it */
	struct dns_servers servers;	/* with a hold at least */
	struct dns_servers dropped;	/* without; go when nothing waits for them */
	struct dns_transactions over;	/* to be reported by `task` */
	struct dns_transactions spare;
	struct loop_task task;
	struct timer tidy;
	unsigned inflight, inflight_max;
	uint64_t refused;		/* sends that found inflight_max reached */
	unsigned allocated;		/* transactions, the spare ones too */
	unsigned fresh_open, fresh_max;
	struct bucket fresh;		/* one token a fresh socket */
	uint64_t reads_turn;		/* the turn that `reads` belongs to */
	unsigned reads;
	struct log_gate gate;
	uint8_t secret[SEAL_SHORT_KEY_BYTES];	/* for client cookies */
	uint8_t in[DNS_READ_SLOTS * DNS_READ_BYTES];
	uint8_t plain[DNS_MSG_MAX];	/* an answer that was decrypted */
};

/* --- dns_upstream.c --------------------------------------------------------------------------- */

/* The hooks ask for t's query to be written. */
void dns_transaction_write(struct dns_transaction *t, bool tcp);
/* c-ares has let go of t. */
void dns_transaction_let_go(struct dns_transaction *t);
/* It can go no further; done() is called at the end of the turn. */
void dns_transaction_give_up(struct dns_transaction *t, enum dns_transaction_over how);
/* The connection that t waited on broke before its answer came. */
void dns_transaction_tcp_failed(struct dns_transaction *t, bool was_answering);
/* Something came that is no answer, for this transaction as far as one can tell. */
void dns_transaction_suspect(struct dns_transaction *t);
/*
 * A message has come, from one of the two; the other is NULL. May call done(). False: no query that
 * waits there has this id.
 */
bool dns_upstream_input(struct dns_server *sv, struct dns_udp *udp, struct dns_stream *stream,
    struct span bytes);
/* How many of `want` datagrams or frames may be read in this turn? Takes them off the budget. */
unsigned dns_upstream_may_read(struct dns_upstream *up, unsigned want);
/* So many of them were not there. */
void dns_upstream_read_less(struct dns_upstream *up, unsigned unread);

/* --- dns_upstream_engine.c -------------------------------------------------------------------- */

enum err dns_engine_new(struct dns_engine **out, struct dns_server *sv) MUST_CHECK;
void dns_engine_free(struct dns_engine *e);	/* not inside a callback of c-ares */
/* Begin: c-ares asks for t->query to be written over UDP. False: it did not. */
bool dns_engine_start(struct dns_engine *e, struct dns_transaction *t);
/* Move on to TCP, where c-ares asks for it to be written again. False: it did not. */
bool dns_engine_to_tcp(struct dns_engine *e, struct dns_transaction *t);
/* t is over, however it ended. Clears t->in_engine, unless c-ares will not let go yet. */
void dns_engine_end(struct dns_engine *e, struct dns_transaction *t);
/* Let c-ares look at its own clock. */
void dns_engine_tick(struct dns_engine *e);

/* --- dns_upstream_query.c --------------------------------------------------------------------- */

enum dns_check {
	DNS_CHECK_OK,
	DNS_CHECK_MALFORMED,	/* shorter than a header, no response, another opcode */
	DNS_CHECK_QUESTION,	/* not exactly one question, or not ours */
	DNS_CHECK_CASE,		/* ours, but for the letter case */
};

/* What the OPT record of an answer says. */
struct dns_reply_opt {
	bool present;
	uint16_t rcode;		/* with the upper eight bits, which are 0 without OPT */
	struct span cookie;
};

/* Write t->query from t->ask as t->mixed, ->edns and ->cookie say, under t->id. */
void dns_query_write(struct dns_transaction *t, uint64_t random, struct span cookie);
/* Compare an answer with the id of t with what t asked. */
enum dns_check dns_reply_check(const struct dns_transaction *t, struct span bytes);
/* Look for the OPT record. A message that is broken before it has none. */
void dns_reply_opt(struct dns_reply_opt *out, struct span bytes);

/* --- dns_upstream_udp.c ----------------------------------------------------------------------- */

/* Choose a socket and send t->query, now or at the end of the turn; else t is given up. */
void dns_udp_send(struct dns_transaction *t);
/* The task that does so. */
void dns_udp_send_burst(struct loop_task *task);
/* t waits on its socket no longer. */
void dns_udp_leave(struct dns_transaction *t);
/* Give up shared and idle sockets, the old ones or all. True: some are left. */
bool dns_udp_tidy(struct dns_server *sv, mono_us now, bool all);
void dns_udp_close_all(struct dns_server *sv);
/* A socket of the server's family, bound as its options say, or -1. */
int dns_server_socket(const struct dns_server *sv, int type);

/* --- dns_upstream_tcp.c ----------------------------------------------------------------------- */

void dns_tcp_send(struct dns_transaction *t);
void dns_tcp_leave(struct dns_transaction *t);
/* t's time is over: where nothing has been heard since it was sent, give the connection up. */
void dns_tcp_overdue(struct dns_transaction *t);
/*
 * Close a connection that nobody waits on, after its time or (all) now; one that somebody waits on
 * takes no more queries in the latter case. True: it is there.
 */
bool dns_tcp_tidy(struct dns_server *sv, mono_us now, bool all);
void dns_tcp_close_all(struct dns_server *sv);
/* Certificates can be checked from here on, or cannot be: begin what has waited for that. */
void dns_tcp_go_on(struct dns_upstream *up);
/* Close connections over TLS; the queries on them go out again on new ones. */
void dns_tcp_reconnect_tls(struct dns_upstream *up);
/* Connections over TLS take no more queries. */
void dns_tcp_retire_tls(struct dns_upstream *up);

/* --- dns_upstream_tls.c ----------------------------------------------------------------------- */

bool dns_tls_is_built(void);
void dns_tls_free(struct dns_tls *tls);		/* NULL is fine */
/*
 * Encrypt a connection that is open. False: the authorities are still being read, and
 * dns_tcp_go_on() will be called, or they cannot be and *error says why.
 */
bool dns_tls_begin(struct dns_stream *st, int *error);
void dns_tls_end(struct dns_stream *st);	/* where it was not begun nothing happens */
/*
 * As recv() and send(), but never 0. The handshake is their affair. EPROTO: what has come is not to
 * be trusted.
 */
ssize_t dns_tls_recv(struct dns_stream *st, void *out, size_t cap);
ssize_t dns_tls_send(struct dns_stream *st, struct span bytes);
/* Bytes that have come and that no event will tell of. */
bool dns_tls_pending(const struct dns_stream *st);
/* The network has changed, or the server goes: the next connection resumes none before it. */
void dns_tls_forget(struct dns_server *sv);
void dns_tls_report(const struct dns_server *sv, struct report *out);

/* --- dns_upstream_dnscrypt.c ------------------------------------------------------------------ */

#define DNS_CRYPT_PACKET_MAX 1500	/* bytes of an encrypted query */

enum err dns_dnscrypt_new(struct dns_dnscrypt **out, struct dns_server *sv,
    const struct dns_stamp *stamp) MUST_CHECK;
void dns_dnscrypt_free(struct dns_dnscrypt *dc);
bool dns_dnscrypt_same(const struct dns_dnscrypt *dc, const struct dns_stamp *stamp);
/*
 * Encrypt t->query. Empty: there is no certificate yet; t waits for it and goes out when it is
 * there, the same way.
 */
struct span dns_dnscrypt_seal(struct dns_transaction *t, bool tcp,
    uint8_t out[static DNS_CRYPT_PACKET_MAX]);
void dns_dnscrypt_leave(struct dns_transaction *t);
/* The answer did not fit: the next queries are longer, so that theirs may be. */
void dns_dnscrypt_truncated(struct dns_dnscrypt *dc);
enum dns_decrypted {
	DNS_DECRYPTED,		/* *bytes is the message now */
	DNS_DECRYPT_LATE,	/* a response, but to nothing that waits */
	DNS_DECRYPT_JUNK,
};
/* Decrypt what has come for one of those that wait on a socket or stream; the other is NULL. */
enum dns_decrypted dns_dnscrypt_open(struct dns_server *sv, const struct dns_udp *udp,
    const struct dns_stream *stream, struct span *bytes);
/* The network has changed: fetch the certificate anew, take another key. */
void dns_dnscrypt_forget(struct dns_dnscrypt *dc);
void dns_dnscrypt_report(const struct dns_dnscrypt *dc, struct report *out);

/* --- dns_upstream_spec.c ---------------------------------------------------------------------- */

/* Errors: as dns_upstream_add(). What was recognised is in *out all the same. */
enum err dns_upstream_spec_parse(struct dns_upstream_spec *out, const char *text) MUST_CHECK;

/* --- dns_upstream_server.c -------------------------------------------------------------------- */

/* Seconds since 1970, or 0 where the clock cannot be right (a device without one, just booted). */
int64_t dns_upstream_wall_clock(void);

void dns_server_free(struct dns_server *sv);
/* Decide what the next query to it looks like. */
void dns_server_choose(struct dns_server *sv, struct dns_transaction *t, mono_us now);
void dns_server_answered(struct dns_server *sv, const struct dns_transaction *t, mono_us now);
/* No answer in time. t is what was sent. */
void dns_server_silent(struct dns_server *sv, const struct dns_transaction *t, mono_us now);
void dns_server_cannot(struct dns_server *sv, mono_us *ability_off, const char *what, mono_us now);
/* Compare and learn. False: the answer has no cookie where it must, or a wrong one. */
bool dns_server_cookie(struct dns_server *sv, const struct dns_transaction *t, struct span cookie,
    bool tcp, mono_us now);
/* The source address may have changed, so must the cookie. */
void dns_server_new_cookie(struct dns_server *sv);
void dns_server_forget(struct dns_server *sv);

#endif
