/* SPDX-License-Identifier: MIT */
/* Framing of RFC 1035 §4.2.2 on top of core/tcp; no more state than the list of waiting queries. */
#include "services/dns/dns_stream.h"

#include <stdlib.h>

#include "services/dns/dns_msg.h"
#include "util/wire.h"

static struct dns_stream_ctx *
ctx_of(const struct tcp_conn *c)
{
	return tcp_ctx(c);
}

static bool
accepted(struct tcp_conn *c)
{
	struct dns_stream *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return false;
	st->conn = c;
	LIST_INIT(&st->waiting);
	tcp_set_user(c, st);
	return true;
}

static size_t
input(struct tcp_conn *c, struct span in)
{
	struct dns_stream *st = tcp_user(c);
	struct wire_rd rd = wire_rd_of(in);
	size_t consumed = 0;

	while (st->count < DNS_STREAM_WAITING_MAX) {
		uint16_t len = wire_rd_u16(&rd);
		struct span message = wire_rd_bytes(&rd, len);

		if (rd.bad)
			break;
		consumed = wire_rd_offset(&rd);
		ctx_of(c)->ops->query(ctx_of(c), st, message);
	}
	if (st->count >= DNS_STREAM_WAITING_MAX)
		tcp_pause(c, true);
	return consumed;
}

static void
closed(struct tcp_conn *c)
{
	struct dns_stream *st = tcp_user(c);
	struct dns_request *rq;

	while ((rq = LIST_FIRST(&st->waiting)) != NULL) {
		LIST_REMOVE(rq, of_stream);
		rq->stream = NULL;
		ctx_of(c)->ops->gone(ctx_of(c), rq);
	}
	free(st);
}

const struct tcp_ops dns_stream_tcp_ops = {
	.accepted = accepted,
	.input = input,
	.closed = closed,
};

void
dns_stream_send(struct dns_stream *st, uint8_t *room, size_t message_len)
{
	wire_put_u16(room, (uint16_t)message_len);
	/*
	 * A peer that does not read is closed by the connection itself; nothing is left to do here.
	 */
	(void)tcp_send(st->conn, span_of(room, message_len + 2));
}

void
dns_stream_wait(struct dns_stream *st, struct dns_request *rq)
{
	LIST_INSERT_HEAD(&st->waiting, rq, of_stream);
	if (st->count++ == 0)
		tcp_hold(st->conn);
}

void
dns_stream_done(struct dns_stream *st, struct dns_request *rq)
{
	LIST_REMOVE(rq, of_stream);
	if (st->count-- == DNS_STREAM_WAITING_MAX)
		tcp_pause(st->conn, false);
	if (st->count == 0)
		tcp_unhold(st->conn);
}
