/* SPDX-License-Identifier: MIT */
/*
 * Upstream servers that speak DNSCrypt: the same datagrams and streams, with other bytes in them.
 *
 * The certificate is a TXT record that the server itself gives, in plain and signed by the provider
 * whose key is in the stamp. It is fetched through a plain server at the same address, so with all
 * that one has: fresh ports, TCP, checks. Fetched anew every hour; with it comes a new key of
 * ours, so that a server cannot tell for longer who asks. Queries that come before the first
 * certificate wait for it.
 *
 * A query is padded to at least 512 bytes, as a response over UDP may not be longer than its query;
 * after a truncated one the next are longer. TCP takes one query a connection.
 */
#include "services/dns/dns_upstream_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rand.h"
#include "core/report.h"

#define CERT_REFRESH	  seconds(3600)
#define CERT_RETRY	  seconds(1)	/* doubling up to */
#define CERT_RETRY_MAX	  seconds(60)
#define CERT_PATIENCE	  seconds(2)
#define QUERY_MIN	  512		/* bytes with padding, */
#define QUERY_MIN_MAX	  1024		/* and after many truncated answers */
#define TCP_PAD_BLOCKS	  4		/* up to 256 bytes of padding */

struct dns_dnscrypt {
	struct dns_server *server;
	struct dns_server *plain;	/* the same address, for certificates; a hold on it */
	uint8_t provider_key[SEAL_PUBLIC_BYTES];
	struct dns_name provider;
	struct dns_send fetch;
	bool fetch_tcp;
	struct timer refresh;
	usec retry;
	unsigned sessions;		/* made so far; the last one is sessions % 2, if any */
	struct dns_crypt_session session[2];	/* this one and the one before */
	struct dns_crypt_cert cert;
	LIST_HEAD(, dns_transaction) waiting;
	size_t query_min;
};

static bool
is_ready(const struct dns_dnscrypt *dc)
{
	return dc->sessions != 0 && dns_upstream_wall_clock() <= dc->cert.end_s;
}

/* --- certificates ----------------------------------------------------------------------------- */

static void
send_waiting(struct dns_dnscrypt *dc)
{
	struct dns_transaction *t;

	while (is_ready(dc) && (t = LIST_FIRST(&dc->waiting)) != NULL) {
		dns_dnscrypt_leave(t);
		if (t->awaits_cert_tcp)
			dns_tcp_send(t);
		else
			dns_udp_send(t);
	}
}

static bool
take_certificate(struct dns_dnscrypt *dc, struct span answer)
{
	struct dns_crypt_cert cert;
	struct dns_crypt_session next;
	struct dns_upstream *up = dc->server->up;

	if (dns_crypt_cert_choose(&cert, answer, dc->provider_key, dns_upstream_wall_clock()) != OK ||
	    dns_crypt_session_init(&next, &cert) != OK) {
		log_event(up->log, LOG_LEVEL_WARNING, up->service, "dnscrypt_no_certificate",
		    LOG_STR("server", dc->server->text));
		return false;
	}
	if (dc->sessions == 0 || cert.serial != dc->cert.serial)
		log_event(up->log, LOG_LEVEL_INFO, up->service, "dnscrypt_certificate",
		    LOG_STR("server", dc->server->text), LOG_U64("serial", cert.serial),
		    LOG_U64("expires", cert.end_s));
	dc->cert = cert;
	dc->sessions++;
	dc->session[dc->sessions % 2] = next;
	seal_wipe(&next, sizeof(next));
	return true;
}

static void
fetched(struct dns_send *s, const struct dns_reply *r)
{
	struct dns_dnscrypt *dc =
	    (struct dns_dnscrypt *)((char *)s - offsetof(struct dns_dnscrypt, fetch));
	struct loop *loop = dc->server->up->loop;

	if (r->result == DNS_SEND_ANSWER && take_certificate(dc, r->answer)) {
		dc->retry = CERT_RETRY;
		loop_timer(loop, &dc->refresh, loop_now(loop) + CERT_REFRESH);
		send_waiting(dc);
		return;
	}
	/* Some networks let only one of the two through. */
	dc->fetch_tcp = !dc->fetch_tcp;
	loop_timer(loop, &dc->refresh, loop_now(loop) + dc->retry);
	dc->retry = dc->retry * 2 < CERT_RETRY_MAX ? dc->retry * 2 : CERT_RETRY_MAX;
}

static void
refresh_due(struct timer *timer, mono_us now)
{
	struct dns_dnscrypt *dc =
	    (struct dns_dnscrypt *)((char *)timer - offsetof(struct dns_dnscrypt, refresh));
	struct dns_send_ask ask = { .name = dns_name_span(&dc->provider), .type = DNS_TYPE_TXT,
		.class = DNS_CLASS_IN, .rd = true, .tcp = dc->fetch_tcp };

	struct dns_upstream *up = dc->server->up;

	if (dns_upstream_send(up, dc->plain, &dc->fetch, &ask, now + CERT_PATIENCE) != OK)
		loop_timer(up->loop, timer, now + CERT_RETRY);
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_dnscrypt_new(struct dns_dnscrypt **out, struct dns_server *sv, const struct dns_stamp *stamp)
{
	struct dns_dnscrypt *dc = calloc(1, sizeof(*dc));
	struct dns_server_opts opts = { 0 };
	char text[ADDR_TEXT_MAX];
	enum err e;

	if (dc == NULL)
		return ERR_NOMEM;
	if (sv->interface[0] != '\0')
		opts.interface = sv->interface;
	if (sv->source.sa.sa_family != AF_UNSPEC)
		opts.source = &sv->source;
	e = dns_upstream_add(sv->up, &dc->plain, addr_format(&sv->addr, text), &opts);
	if (e != OK) {
		free(dc);
		return e;
	}
	dc->plain->fetchers++;
	dc->server = sv;
	memcpy(dc->provider_key, stamp->key, sizeof(dc->provider_key));
	dc->provider = stamp->provider;
	dc->fetch.done = fetched;
	dc->refresh.fire = refresh_due;
	dc->retry = CERT_RETRY;
	dc->query_min = QUERY_MIN;
	LIST_INIT(&dc->waiting);
	loop_timer(sv->up->loop, &dc->refresh, loop_now(sv->up->loop));
	*out = dc;
	return OK;
}

void
dns_dnscrypt_free(struct dns_dnscrypt *dc)
{
	if (dc == NULL)
		return;

	struct dns_upstream *up = dc->server->up;

	loop_timer_cancel(up->loop, &dc->refresh);
	dns_upstream_cancel(up, &dc->fetch);
	dc->plain->fetchers--;
	dns_upstream_drop(up, dc->plain);
	seal_wipe(dc->session, sizeof(dc->session));
	free(dc);
}

bool
dns_dnscrypt_same(const struct dns_dnscrypt *dc, const struct dns_stamp *stamp)
{
	return memcmp(dc->provider_key, stamp->key, sizeof(dc->provider_key)) == 0 &&
	    dns_name_equal(dns_name_span(&dc->provider), dns_name_span(&stamp->provider));
}

void
dns_dnscrypt_forget(struct dns_dnscrypt *dc)
{
	struct loop *loop = dc->server->up->loop;

	dns_upstream_cancel(dc->server->up, &dc->fetch);
	dc->fetch_tcp = false;
	dc->retry = CERT_RETRY;
	dc->query_min = QUERY_MIN;
	loop_timer(loop, &dc->refresh, loop_now(loop));
}

void
dns_dnscrypt_report(const struct dns_dnscrypt *dc, struct report *out)
{
	char name[DNS_NAME_TEXT_MAX];

	report_str(out, "provider", dns_name_format(dns_name_span(&dc->provider), name));
	report_bool(out, "certificate", is_ready(dc));
	if (dc->sessions != 0) {
		report_u64(out, "certificate_serial", dc->cert.serial);
		report_u64(out, "certificate_end", dc->cert.end_s);
	}
}

/* --- queries and answers ---------------------------------------------------------------------- */

void
dns_dnscrypt_leave(struct dns_transaction *t)
{
	if (!t->awaits_cert)
		return;
	LIST_REMOVE(t, on_cert);
	t->awaits_cert = false;
}

void
dns_dnscrypt_truncated(struct dns_dnscrypt *dc)
{
	if (dc->query_min < QUERY_MIN_MAX)
		dc->query_min += DNS_CRYPT_BLOCK;
}

struct span
dns_dnscrypt_seal(struct dns_transaction *t, bool tcp, uint8_t out[static DNS_CRYPT_PACKET_MAX])
{
	struct dns_dnscrypt *dc = t->server->crypt;
	struct rand *rand = t->server->up->rand;

	if (!is_ready(dc)) {
		dns_dnscrypt_leave(t);
		t->awaits_cert = true;
		t->awaits_cert_tcp = tcp;
		LIST_INSERT_HEAD(&dc->waiting, t, on_cert);
		return span_of(NULL, 0);
	}

	size_t padded = seal_padded_len(t->query_len, DNS_CRYPT_BLOCK);

	if (tcp)
		padded += DNS_CRYPT_BLOCK * rand_below(rand, TCP_PAD_BLOCKS);
	else if (padded < dc->query_min)
		padded = dc->query_min;
	t->session = dc->sessions;
	rand_bytes(rand, t->nonce, sizeof(t->nonce));

	size_t len = dns_crypt_query(out, DNS_CRYPT_PACKET_MAX, &dc->session[dc->sessions % 2],
	    t->nonce, span_of(t->query, t->query_len), padded);

	assert(len != 0);	/* a query has 340 bytes at most, so it fits */
	return span_of(out, len);
}

/* The query that a response is for, told by the nonce. */
static const struct dns_transaction *
find_nonce(const struct dns_udp *udp, const struct dns_stream *stream, const uint8_t *nonce)
{
	const struct dns_transaction *t;

	if (udp != NULL) {
		LIST_FOREACH(t, &udp->waiting, on_udp)
			if (memcmp(t->nonce, nonce, sizeof(t->nonce)) == 0)
				return t;
		return NULL;
	}
	LIST_FOREACH(t, &stream->waiting, on_stream)
		if (memcmp(t->nonce, nonce, sizeof(t->nonce)) == 0)
			return t;
	return NULL;
}

enum dns_decrypted
dns_dnscrypt_open(struct dns_server *sv, const struct dns_udp *udp,
    const struct dns_stream *stream, struct span *bytes)
{
	const struct dns_dnscrypt *dc = sv->crypt;
	const uint8_t *nonce = dns_crypt_reply_nonce(*bytes);
	const struct dns_transaction *t;

	if (nonce == NULL)
		return DNS_DECRYPT_JUNK;
	t = find_nonce(udp, stream, nonce);
	if (t == NULL || dc->sessions - t->session > 1)
		return DNS_DECRYPT_LATE;

	const struct dns_crypt_session *session = &dc->session[t->session % 2];

	if (dns_crypt_reply(bytes, sv->up->plain, session, t->nonce, *bytes) != OK)
		return DNS_DECRYPT_JUNK;
	return DNS_DECRYPTED;
}
