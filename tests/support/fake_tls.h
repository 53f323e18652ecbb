/* SPDX-License-Identifier: MIT */
/*
 * A server of DNS over TLS in the loop of the test. It answers each question with the question, and
 * does at the word of a case what a server should not. Its certificate is for 127.0.0.1, made anew
 * each time, and its own authority. Whatever fails here ends the case.
 */
#ifndef TESTS_SUPPORT_FAKE_TLS_H
#define TESTS_SUPPORT_FAKE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loop.h"
#include "util/addr.h"

#define FAKE_TLS_CONNS 16	/* over the life of a server; no place is used twice */

struct fake_tls_conn {
	struct loop_fd watch;	/* fd -1: not open */
	struct fake_tls *server;
	SSL *ssl;
	bool ended;		/* its handshake has */
	uint8_t in[8192];	/* questions that wait */
	size_t used;
};

struct fake_tls {
	struct loop *loop;
	struct loop_fd listener;
	struct addr addr;
	SSL_CTX *ctx;
	bool deaf;		/* connections that come are left alone: the case has their bytes */
	bool mute;		/* questions wait for fake_tls_answer() */
	unsigned accepted, ended, resumed;
	size_t last_len;	/* of the question that came last, in bytes */
	struct fake_tls_conn conns[FAKE_TLS_CONNS];
};

/* max_version as TLS1_2_VERSION. Its certificate is written to ca_file. */
void fake_tls_begin(struct fake_tls *f, struct loop *loop, const char *ca_file, int max_version);
void fake_tls_end(struct fake_tls *f);
/* Answer the questions that wait. */
void fake_tls_answer(struct fake_tls_conn *c);
/* Give a ticket beside those of the handshake. False: there is no room. */
bool fake_tls_ticket(struct fake_tls_conn *c);
/* Write bytes to a connection as they are. */
void fake_tls_raw(struct fake_tls_conn *c, const void *bytes, size_t len);
void fake_tls_hang_up(struct fake_tls_conn *c);

#endif
