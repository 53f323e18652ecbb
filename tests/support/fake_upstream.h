/* SPDX-License-Identifier: MIT */
/*
 * A DNS server that lives in the loop of the test, and what a test of the upstream edge needs
 * around it. It answers and misbehaves by the rules of fakedns.h, over UDP and TCP on one
 * free port of 127.0.0.1. Whatever fails here ends the case.
 */
#ifndef TESTS_SUPPORT_FAKE_UPSTREAM_H
#define TESTS_SUPPORT_FAKE_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/rand.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_upstream.h"
#include "support/fake_crypt.h"
#include "support/fakedns.h"
#include "util/addr.h"

#define FAKE_CONNS    8
#define FAKE_DELAYED  8192	/* answers held back at once */
#define FAKE_SEEN_MAX 8192	/* queries by UDP whose port and id are kept */

struct fake_conn {
	struct loop_fd watch;	/* fd -1: free */
	struct fake *fake;
	uint8_t in[4096];
	size_t used;
	uint8_t *out;
	size_t out_len, out_at;
	bool split;
};

struct fake_delayed {
	mono_us due;
	struct ask ask;
	struct how how;
	struct addr peer;
	struct fake_conn *conn;
	const struct fake_crypt *crypt;	/* the query was encrypted for this one */
	struct fake_crypt_peer sealed;
};

struct fake {
	struct loop *loop;
	struct loop_fd udp, listener;
	int stranger;
	struct addr addr;
	struct zone *zone;
	struct fake_conn conns[FAKE_CONNS];
	struct timer timer;
	struct fake_delayed *delayed;
	size_t ndelayed;
	const struct fake_crypt *crypt, *crypt_old;	/* NULL: no DNSCrypt */
	size_t crypt_seen;	/* queries that were encrypted */
	bool shuffle;		/* answers that are due go out in reverse order */
	bool twice;		/* each datagram is sent twice */
	bool cross;		/* two queries by UDP get each other's answers */
	struct fake_delayed first;	/* of these two */
	size_t udp_seen, tcp_seen, accepted;
	uint16_t ports[FAKE_SEEN_MAX], ids[FAKE_SEEN_MAX];
	struct ask last;	/* the query that came last */
	uint8_t out[2 + FAKEDNS_MSG_MAX];
	size_t out_len;		/* of the answer that went last, before encryption */
	uint8_t sealed[2 + FAKEDNS_MSG_MAX + 512];
};

/* What every case has: a loop, the edge, one server of the edge, and that server itself. */
struct fake_upstream {
	struct loop *loop;
	struct rand rand;
	struct log *log;
	struct dns_upstream *up;
	struct dns_server *sv;
	struct fake fake;
};

/*
 * rules  lines as in fakedns.h
 * tcp	  false: connections are refused
 */
struct fake_upstream *fake_upstream_new(const char *rules, bool tcp,
    const struct dns_upstream_opts *opts);
void fake_upstream_free(struct fake_upstream *x);
/* One rule instead of all those before. */
void fake_upstream_rule(struct fake_upstream *x, const char *rule);
/* Hang up on every connection. */
void fake_upstream_hang_up(struct fake_upstream *x);
/* Turn the loop until *calls reaches want, or for so long. */
void fake_upstream_await(struct fake_upstream *x, const unsigned *calls, unsigned want,
    usec patience);

/* --- asking ----------------------------------------------------------------------------------- */

/* A send and what came of it. */
struct fake_send {
	struct dns_send send;
	unsigned calls;
	struct dns_reply reply;
	uint8_t answer[FAKEDNS_MSG_MAX];
};

/* For its `done`. */
void fake_send_done(struct dns_send *s, const struct dns_reply *r);

/* A question for the name, which is kept in *name; class IN, RD set. */
struct dns_send_ask fake_question(struct dns_name *name, const char *text, uint16_t type);
/* Ask x->sv and wait for the end, which must come. What is given lives until the next call. */
struct fake_send *fake_ask_for(struct fake_upstream *x, const struct dns_send_ask *ask,
    usec patience);
struct fake_send *fake_ask(struct fake_upstream *x, const char *text, uint16_t type, usec patience);
/* The answer is what the server sent last, byte by byte, and not forged. */
void fake_expect_honest(struct fake_upstream *x, const struct fake_send *p);
/* Turn the loop for a while, to see that nothing more comes. */
void fake_upstream_idle(struct fake_upstream *x, usec span);

/* One of many sends at once, for n0.example, n1.example and so on. */
struct fake_many {
	struct dns_send send;
	struct fake_crowd *crowd;
	unsigned index;
	unsigned calls;
	bool answered;
};

struct fake_crowd {
	struct fake_upstream *x;
	struct fake_many *all;
	unsigned n;
	unsigned ended;
	bool cancel_others; /* each one that ends cancels the next that waits */
	unsigned cancelled;
};

/* For the `done` of each: checks that the answer is its own. */
void fake_many_done(struct dns_send *s, const struct dns_reply *r);
/* Send n of them to x->sv; c->all is to be freed afterwards. */
void fake_crowd_send(struct fake_crowd *c, struct fake_upstream *x, unsigned n, usec patience);

#endif
