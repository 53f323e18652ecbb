/* SPDX-License-Identifier: MIT */
/*
 * DNS over TCP towards clients: messages behind a two-byte length, pipelined, answered in any
 * order (RFC 7766 §6.2.1.1, §7), bounded per connection.
 */
#ifndef SERVICES_DNS_STREAM_H
#define SERVICES_DNS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/tcp.h"
#include "services/dns/dns_request.h"
#include "util/span.h"

/* queries of one connection in work; more wait in the socket */
#define DNS_STREAM_WAITING_MAX 100

struct dns_stream {
	struct tcp_conn *conn;
	struct dns_requests waiting;
	unsigned count;
};

/* What the resolver does for a stream; ctx is tcp_opts.ctx. */
struct dns_stream_ops {
	/* A whole message; valid during the call. */
	void (*query)(void *ctx, struct dns_stream *st, struct span message);
	/* The connection is gone; rq is off its stream and must be released. */
	void (*gone)(void *ctx, struct dns_request *rq);
};

/* ctx of the listener must begin with a pointer to the stream's operations. */
struct dns_stream_ctx {
	const struct dns_stream_ops *ops;
};

extern const struct tcp_ops dns_stream_tcp_ops;

/*
 * Send a message. room[0..1] is free for the length: the message begins at room + 2.
 */
void dns_stream_send(struct dns_stream *st, uint8_t *room, size_t message_len);

/* A query of this stream waits; it has an answer. For dns_request.c. */
void dns_stream_wait(struct dns_stream *st, struct dns_request *rq);
void dns_stream_done(struct dns_stream *st, struct dns_request *rq);

#endif
