/* SPDX-License-Identifier: MIT */
/*
 * The edge towards upstream servers: send one question to one server once and give back one raw
 * answer, or say that none came. Which server, how often and how long is the caller's policy.
 *
 * What this layer sees to: a fresh random source port and a random id for every send, letter case
 * of the question (0x20), EDNS, cookies, the exact match of id, question and socket, TCP after a
 * truncated answer or after a forged-looking one, the fallback for servers without EDNS, one
 * pipelined TCP connection per server, and per-server round trips, counters and health.
 */
#ifndef SERVICES_DNS_DNS_UPSTREAM_H
#define SERVICES_DNS_DNS_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "services/dns/dns_named.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/rto.h"
#include "util/span.h"

struct dns_server;
struct dns_transaction;
struct dns_upstream;
struct log;
struct loop;
struct offload;
struct rand;
struct report;

struct dns_upstream_opts {
	const char *service;	/* tag of the log lines; NULL: "dns" */
	unsigned inflight_max;	/* sends waiting at once, all servers; 0: 4096 */
	unsigned fresh_max;	/* sockets with a port of their own at once; 0: 512 */
	uint32_t fresh_rate;	/* as dns_upstream_fresh_ports(); 0: 400 */
	struct offload *offload;	/* for servers over TLS; must outlive it */
	bool no_case;		/* do not mix the letter case of questions */
	bool no_cookies;
};

/* How to reach one server; all zero is the default. The texts are copied. */
struct dns_server_opts {
	const char *interface;	/* bind to this interface, or NULL */
	const struct addr *source;	/* send from this address (its port is ignored), or NULL */
};

/* One question to one server. Everything is copied before dns_upstream_send() returns. */
struct dns_send_ask {
	struct span name;	/* wire form, uncompressed, with the root's zero; any letter case */
	uint16_t type;
	uint16_t class;
	bool rd;		/* recursion desired: a forwarder nearly always wants it */
	bool cd;		/* checking disabled, as the client had it */
	bool ad;		/* tell us whether the data is authenticated (RFC 6840 §5.7) */
	bool dnssec_ok;		/* DO: signatures wanted */
	bool tcp;		/* ask over TCP at once: the client did (RFC 5625 §4.4.2) */
};

enum dns_send_result {
	DNS_SEND_ANSWER,	/* the server answered; its rcode may be anything */
	DNS_SEND_TIMEOUT,	/* the deadline came first */
	DNS_SEND_UNREACHABLE,	/* nobody listens there, no route, the connection broke */
	DNS_SEND_LOCAL,		/* could not be sent: no descriptor, no memory */
};

struct dns_reply {
	enum dns_send_result result;
	/*
	 * With DNS_SEND_ANSWER the raw message, valid during the callback: a header with QR set and
	 * opcode 0, and exactly one question which is the one asked. The id and the letter case of
	 * the question are this layer's own, so write the client's over them. What follows the
	 * question was not looked at, except in search of an OPT record.
	 */
	struct span answer;
	usec rtt;		/* from the last packet sent to the answer */
	bool tcp;		/* the answer came over TCP */
	bool suspicious;	/* junk or forgeries came for this send as well */
};

/* One send under way. Embed it in what waits for the answer; only `done` is the caller's. */
struct dns_send {
	/*
	 * Called exactly once from the loop, never from inside dns_upstream_send(), unless
	 * dns_upstream_cancel() comes first. s may be released or used again in it, and it may call
	 * everything here except dns_upstream_free().
	 */
	void (*done)(struct dns_send *s, const struct dns_reply *r);
	struct dns_transaction *t;
};

/* What happened with one server since it was added; never reset. */
struct dns_server_stats {
	uint64_t sent;			/* queries that left, TCP included */
	uint64_t sent_tcp;
	uint64_t answers;		/* valid ones, TCP included */
	uint64_t answers_tcp;
	uint64_t timeouts;
	uint64_t unreachable;
	uint64_t failures_local;	/* no descriptor, no memory, kernel said no */
	uint64_t mismatch_id;		/* datagrams dropped: unknown id */
	uint64_t mismatch_question;	/* another question, none or several */
	uint64_t mismatch_case;		/* the right question in the wrong letter case */
	uint64_t malformed;		/* too short, not a response, wrong opcode */
	uint64_t bad_cookie;		/* cookie missing or not ours */
	uint64_t late;			/* answers after their deadline, or second ones */
	uint64_t truncated;		/* TC: asked again over TCP */
	uint64_t tcp_on_suspicion;	/* mismatch: asked over TCP as well */
	uint64_t no_edns;		/* FORMERR without OPT: asked again without EDNS */
	uint64_t ports_fresh;		/* sends from a socket of their own */
	uint64_t ports_pooled;		/* sends from one of the shared sockets */
	uint64_t tcp_connects;
	uint64_t probes;		/* sent while it was down */
};

enum dns_server_state {
	DNS_SERVER_NEW,		/* has not been asked, or everything was forgotten */
	DNS_SERVER_UP,		/* the last word from it was an answer */
	DNS_SERVER_SILENT,	/* the last sends went unanswered; it is probed from here on */
	DNS_SERVER_DOWN,	/* too many did; it is probed until it answers again */
};

/* loop, rand and log must outlive it. NULL opts: the defaults. Errors: ERR_NOMEM. */
enum err dns_upstream_new(struct dns_upstream **out, struct loop *loop, struct rand *rand,
    struct log *log, const struct dns_upstream_opts *opts) MUST_CHECK;
/* Sends that still wait are dropped without a call. Not from a callback. NULL is fine. */
void dns_upstream_free(struct dns_upstream *up);

/*
 * From here on so many sends a second have a port of their own, and five times as many at once
 * after a quiet time; those beyond share some random ports. 0: all share.
 */
void dns_upstream_fresh_ports(struct dns_upstream *up, uint32_t rate);

/*
 * From here on servers over TLS are believed whose certificates these authorities have signed. They
 * are read with the first connection, and each time this is called after that; connections that are
 * open are replaced then.
 *
 * file	   PEM; empty: the system's
 * errors  ERR_NOMEM; ERR_RANGE: longer than PATH_MAX; ERR_UNSUPPORTED: a file, and no TLS built in
 */
enum err dns_upstream_authorities(struct dns_upstream *up, const char *file) MUST_CHECK;

/* For settings: what is wrong with a spec, NULL when nothing is. */
const char *dns_upstream_check(const char *spec);
/* What is wrong with one that is asked from that address. */
const char *dns_upstream_check_source(const char *spec, const struct addr *source);
/* Is it built in? NULL: yes. */
const char *dns_upstream_check_transport(enum dns_transport transport);

/*
 * Add a server, or take another hold on one that is there already with the same address,
 * transport and options: at a reload, add the new list first and drop the old one after, and
 * what stays keeps its sockets, estimates and counters.
 *
 * spec	   "9.9.9.9", "9.9.9.9:5353", "2620:fe::fe", "[fe80::1%eth0]:53"; "tcp://…" for TCP only;
 *	   "tls://9.9.9.9#dns.quad9.net" for DNS over TLS (RFC 7858, strict: RFC 8310 §6.2), the
 *	   name that the certificate must be for behind '#', without one for the address itself;
 *	   "sdns://…", a stamp of a DNSCrypt or plain server
 * opts	   NULL for none
 * errors  ERR_FORMAT, ERR_RANGE, ERR_NOTFOUND (unknown interface), ERR_UNSUPPORTED (unknown
 *	   scheme, or built without it), ERR_NOMEM
 */
enum err dns_upstream_add(struct dns_upstream *up, struct dns_server **out, const char *spec,
    const struct dns_server_opts *opts) MUST_CHECK;
/*
 * Give one hold back. sv must not be used after the last one; sends under way still end with
 * their answer. Safe in a callback.
 */
void dns_upstream_drop(struct dns_upstream *up, struct dns_server *sv);

/*
 * Send the question to the server. s->done is called later, also where the kernel refuses at once.
 *
 * deadline  when to give up and report DNS_SEND_TIMEOUT
 * errors    ERR_FORMAT (name is not a wire name), ERR_FULL (inflight_max), ERR_NOMEM: nothing was
 *	     sent and s->done will not be called
 */
enum err dns_upstream_send(struct dns_upstream *up, struct dns_server *sv, struct dns_send *s,
    const struct dns_send_ask *ask, mono_us deadline) MUST_CHECK;
/* Forget a send; s->done will not be called. Safe at any time, also when it is over already. */
void dns_upstream_cancel(struct dns_upstream *up, struct dns_send *s);

/*
 * The network has changed: close sockets and connections that are idle, forget estimates, abilities
 * and health of all servers. Sends under way go on.
 */
void dns_upstream_forget(struct dns_upstream *up);

unsigned dns_upstream_inflight(const struct dns_upstream *up);
/* Everything about all servers, for the control socket and the metrics page. */
void dns_upstream_report(const struct dns_upstream *up, struct report *out);

/* How it is reached: "9.9.9.9:53", "tls://9.9.9.9:853#dns.quad9.net", "dnscrypt://9.9.9.9:8443". */
const char *dns_server_text(const struct dns_server *sv);
/* Nobody on the way can change its answers: what it says about DNSSEC (AD) may be believed. */
bool dns_server_authenticated(const struct dns_server *sv);
const struct addr *dns_server_addr(const struct dns_server *sv);
enum dns_server_state dns_server_state(const struct dns_server *sv);
/* Smoothed round trip and time-out of UDP sends; starts at 376 ms, within [50 ms, 1.5 s]. */
const struct rto *dns_server_rto(const struct dns_server *sv);
mono_us dns_server_last_answer(const struct dns_server *sv);	/* 0: never */
unsigned dns_server_outstanding(const struct dns_server *sv);
const struct dns_server_stats *dns_server_stats(const struct dns_server *sv);

#endif
