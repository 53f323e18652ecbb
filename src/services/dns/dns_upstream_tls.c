/* SPDX-License-Identifier: MIT */
/*
 * DNS over TLS (RFC 7858): the bytes of an upstream's connection, encrypted; the door to OpenSSL.
 *
 * Always the strict profile (RFC 8310 §6.2): the certificate must be signed by an authority that
 * this machine believes, be valid now, and be for the name in the settings or, where they have
 * none, for the address. Otherwise the server is as good as not there, and nothing goes out in
 * plain. A clock that cannot be right yet counts as no clock, as else the name of the time server
 * could not be looked up.
 *
 * The authorities are a file of a hundred certificates that takes some ten milliseconds to read:
 * the pool does so when the first connection is open, which waits for that, and again after a
 * reload.
 *
 * A connection resumes the last one's session where the server lets it (RFC 7858 §3.4). A session
 * tells the server who it is talking to, so not after the network has changed; and nobody looks at
 * the certificate again, so not by other authorities, nor after a day.
 */
#include "services/dns/dns_upstream_priv.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/offload.h"
#include "core/report.h"

#define RETRY_AFTER   seconds(10)	/* until authorities that cannot be read are looked for again */
#define READ_MAX      (32 << 10)	/* bytes in one go: a record has up to 16 KiB */
#define VERIFY_EVERY  seconds(86400)	/* certificates expire: sessions rest on one for so long */
#define LOG_EVERY     seconds(60)	/* failures that are in the log, each so long; */
#define LOG_BURST     5			/* so many at once; */
#define LOG_AGAIN     seconds(3600)	/* a server that fails as it did before, each so long */

/* Where systems keep the authorities: Debian and Arch, Fedora, Alpine and the BSDs. */
static const char *const system_files[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

/* A read under way; outlives its owner where that ends first. */
struct reading {
	struct offload_job job;
	struct dns_tls *owner;	/* NULL: gone, or it wants another file by now */
	SSL_CTX *made;		/* NULL: could not be read */
	char error[128];
	char file[PATH_MAX];
};

struct dns_tls {
	struct dns_upstream *up;
	SSL_CTX *ctx;		/* NULL: not read yet */
	struct reading *reading;
	bool outdated;		/* may be another file by now: read it anew at the next chance */
	mono_us failed;		/* when it could not be read; 0: it could, or was not tried */
	bool told;		/* that is in the log */
	BIO_METHOD *method;
	struct log_gate gate;
	char file[PATH_MAX];	/* empty: the system's */
};

bool
dns_tls_is_built(void)
{
	return true;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/*
 * OpenSSL goes on reading as long as tickets, requests and the like come, which may be for ever: it
 * is told that there is no more after a while.
 */
static int
read_bytes(BIO *bio, char *out, int cap)
{
	struct dns_stream *st = BIO_get_data(bio);
	size_t n = (size_t)cap < st->tls_left ? (size_t)cap : st->tls_left;

	BIO_clear_retry_flags(bio);
	if (n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}

	ssize_t got = recv(st->watch.fd, out, n, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	if (got > 0)
		st->tls_left -= (size_t)got;
	return (int)got;
}

static int
write_bytes(BIO *bio, const char *bytes, int len)
{
	struct dns_stream *st = BIO_get_data(bio);
	ssize_t n = send(st->watch.fd, bytes, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static long
control(BIO *bio, int what, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "upstream");

	if (m != NULL && BIO_meth_set_read(m, read_bytes) == 1 &&
	    BIO_meth_set_write(m, write_bytes) == 1 && BIO_meth_set_ctrl(m, control) == 1)
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* --- authorities ------------------------------------------------------------------------------ */

/*
 * May the next connection rest on what this one has proven? Not where it was opened over another
 * network or by other authorities, nor where nobody could tell whether its certificate was valid.
 */
static bool
is_worth_resuming(const struct dns_stream *st)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(st->tls);

	return !st->retired &&
	    (X509_VERIFY_PARAM_get_flags(param) & X509_V_FLAG_NO_CHECK_TIME) == 0;
}

/* A connection has ended its handshake, or the server sends a ticket later on. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	const struct dns_stream *st = SSL_get_app_data(ssl);
	struct dns_server *sv = st->server;

	if (!is_worth_resuming(st))
		return 0;
	SSL_SESSION_free(sv->tls_session);
	sv->tls_session = session;
	return 1;	/* it is ours now */
}

/* What OpenSSL says first, which is the cause of the rest. */
static void
write_reason(char *out, size_t cap, const char *otherwise)
{
	unsigned long error = ERR_peek_error();
	char text[128];
	const char *why = ERR_SYSTEM_ERROR(error)
	    ? strerror_r(ERR_GET_REASON(error), text, sizeof(text))
	    : ERR_reason_error_string(error);

	snprintf(out, cap, "%s", why != NULL ? why : otherwise);
	ERR_clear_error();
}

static bool
read_system_files(SSL_CTX *ctx)
{
	const char *file = getenv(X509_get_default_cert_file_env());

	if (file != NULL)
		return SSL_CTX_load_verify_file(ctx, file) == 1;
	for (size_t i = 0; i < sizeof(system_files) / sizeof(system_files[0]); i++)
		if (SSL_CTX_load_verify_file(ctx, system_files[i]) == 1)
			return true;
	return SSL_CTX_load_verify_file(ctx, X509_get_default_cert_file()) == 1;
}

static SSL_CTX *
make_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	return ctx;
}

static void
read_work(struct offload_job *job)
{
	struct reading *r = (struct reading *)job;
	SSL_CTX *ctx = make_context();
	bool read;

	if (ctx == NULL) {
		snprintf(r->error, sizeof(r->error), "no memory");
		return;
	}
	ERR_clear_error();
	read = r->file[0] != '\0' ? SSL_CTX_load_verify_file(ctx, r->file) == 1
				  : read_system_files(ctx);
	if (read) {
		r->made = ctx;
		return;
	}
	write_reason(r->error, sizeof(r->error), "there are none");
	SSL_CTX_free(ctx);
}

static void
forget_sessions(struct dns_upstream *up)
{
	struct dns_server *sv;

	LIST_FOREACH(sv, &up->servers, link)
		dns_tls_forget(sv);
}

static void
complain(struct dns_tls *tls, const char *why)
{
	if (tls->told)
		return;
	tls->told = true;
	if (tls->file[0] != '\0')
		log_note(tls->up->log, LOG_LEVEL_ERR, tls->up->service,
		    "tls-ca %s cannot be read: %s%s", tls->file, why,
		    tls->ctx != NULL ? "; the certificates from before stay in force" : "");
	else
		log_note(tls->up->log, LOG_LEVEL_ERR, tls->up->service,
		    "the system's certificates of authorities cannot be read: %s (Debian: package "
		    "ca-certificates; or name a file: tls-ca = \"…\")", why);
}

static void
read_done(struct offload_job *job)
{
	struct reading *r = (struct reading *)job;
	struct dns_tls *tls = r->owner;

	if (tls == NULL || job->cancelled) {
		if (tls != NULL)
			tls->reading = NULL;
		SSL_CTX_free(r->made);
		free(r);
		return;
	}
	tls->reading = NULL;
	tls->failed = r->made == NULL ? loop_now(tls->up->loop) : 0;
	if (r->made != NULL) {
		/* What was found good by other authorities is looked at again. */
		forget_sessions(tls->up);
		dns_tcp_retire_tls(tls->up);
		SSL_CTX_free(tls->ctx);
		tls->ctx = r->made;
		tls->told = false;
	} else {
		complain(tls, r->error);
	}
	free(r);
	dns_tcp_go_on(tls->up);
}

/* Gives 0, or why it cannot be done. */
static int
start_reading(struct dns_tls *tls)
{
	struct reading *r;

	if (tls->reading != NULL)
		return 0;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ENOMEM;
	r->job.work = read_work;
	r->job.done = read_done;
	r->owner = tls;
	memcpy(r->file, tls->file, sizeof(r->file));
	if (offload_submit(tls->up->offload, &r->job) != OK) {
		free(r);
		return EBUSY;	/* the next connection tries again */
	}
	tls->reading = r;
	tls->outdated = false;
	return 0;
}

static struct dns_tls *
tls_of(struct dns_upstream *up)
{
	if (up->tls != NULL)
		return up->tls;

	struct dns_tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return NULL;
	tls->up = up;
	tls->gate = (struct log_gate){ .every = LOG_EVERY, .burst = LOG_BURST };
	tls->method = make_method();
	if (tls->method == NULL) {
		free(tls);
		return NULL;
	}
	up->tls = tls;
	return tls;
}

static void
abandon_reading(struct dns_tls *tls)
{
	if (tls->reading != NULL)
		tls->reading->owner = NULL;
	tls->reading = NULL;
}

enum err
dns_upstream_authorities(struct dns_upstream *up, const char *file)
{
	struct dns_tls *tls = tls_of(up);

	if (tls == NULL)
		return ERR_NOMEM;
	if (strlen(file) >= sizeof(tls->file))
		return ERR_RANGE;
	tls->outdated = true;
	tls->told = false;
	tls->failed = 0;
	if (strcmp(file, tls->file) == 0) {
		/* Where one connection serves all the time there may be no next one. */
		if (tls->ctx != NULL)
			(void)start_reading(tls);
		return OK;
	}
	/* Whoever the old ones vouched for is nobody until the new ones have been read. */
	snprintf(tls->file, sizeof(tls->file), "%s", file);
	abandon_reading(tls);
	SSL_CTX_free(tls->ctx);
	tls->ctx = NULL;
	forget_sessions(up);
	dns_tcp_reconnect_tls(up);
	dns_tcp_go_on(up);	/* who waits for the old ones waits for the new ones */
	return OK;
}

void
dns_tls_free(struct dns_tls *tls)
{
	if (tls == NULL)
		return;
	abandon_reading(tls);
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->method);
	free(tls);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Say who the server has to be. */
static bool
set_identity(SSL *ssl, const struct dns_server *sv)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const uint8_t *bytes;
	size_t n = addr_bytes(&sv->addr, &bytes);

	if (dns_upstream_wall_clock() == 0)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
	if (sv->auth_name[0] == '\0')
		return X509_VERIFY_PARAM_set1_ip(param, bytes, n) == 1;
	/* The subject does not count, whatever it says: RFC 8310 §8.1. */
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(param, sv->auth_name, 0) == 1 &&
	    SSL_set_tlsext_host_name(ssl, sv->auth_name) == 1;
}

static bool
set_bytes(struct dns_stream *st, const BIO_METHOD *method)
{
	BIO *bio = BIO_new(method);

	if (bio == NULL)
		return false;
	BIO_set_data(bio, st);
	BIO_set_init(bio, 1);
	SSL_set_bio(st->tls, bio, bio);
	return true;
}

bool
dns_tls_begin(struct dns_stream *st, int *error)
{
	struct dns_server *sv = st->server;
	struct dns_tls *tls = tls_of(sv->up);

	*error = 0;
	if (tls == NULL) {
		*error = ENOMEM;
		return false;
	}
	if (tls->failed != 0 && loop_now(sv->up->loop) - tls->failed < RETRY_AFTER &&
	    tls->ctx == NULL) {
		snprintf(sv->tls_error, sizeof(sv->tls_error), "no authorities to prove it by");
		*error = ENOENT;
		return false;
	}
	if (tls->ctx == NULL || tls->outdated)
		*error = start_reading(tls);
	if (tls->ctx == NULL)
		return false;
	st->tls = SSL_new(tls->ctx);
	*error = st->tls != NULL ? 0 : ENOMEM;
	if (st->tls == NULL)
		return false;
	if (!set_identity(st->tls, sv) || !set_bytes(st, tls->method)) {
		dns_tls_end(st);
		*error = ENOMEM;
		return false;
	}
	SSL_set_app_data(st->tls, st);
	SSL_set_connect_state(st->tls);
	/* Once alone: who listens would see that it is the same one (RFC 8446 §C.4). */
	if (sv->tls_session != NULL && loop_now(sv->up->loop) - sv->tls_verified < VERIFY_EVERY)
		(void)SSL_set_session(st->tls, sv->tls_session);
	dns_tls_forget(sv);
	return true;
}

void
dns_tls_end(struct dns_stream *st)
{
	if (st->tls == NULL)
		return;
	/* Tell the server, as far as there is room; and do not wait for its word. */
	if (SSL_is_init_finished(st->tls) && !st->tls_broken)
		(void)SSL_shutdown(st->tls);
	/* Its session is as good as before, though the server may have left without a word. */
	if (st->tls_proven)
		SSL_set_shutdown(st->tls, SSL_SENT_SHUTDOWN);
	ERR_clear_error();
	SSL_free(st->tls);
	st->tls = NULL;
}

static void
note_failure(struct dns_stream *st)
{
	struct dns_server *sv = st->server;
	struct dns_tls *tls = sv->up->tls;
	long verdict = SSL_get_verify_result(st->tls);
	mono_us now = loop_now(sv->up->loop);
	char before[sizeof(sv->tls_error)];
	uint64_t suppressed;

	memcpy(before, sv->tls_error, sizeof(before));
	if (verdict != X509_V_OK)
		snprintf(sv->tls_error, sizeof(sv->tls_error), "%s",
		    X509_verify_cert_error_string(verdict));
	else
		write_reason(sv->tls_error, sizeof(sv->tls_error), "it hung up");
	sv->tls_failures++;
	/* It is asked again and again, for probes alone four times a minute. */
	if (strcmp(before, sv->tls_error) == 0 && now - sv->tls_told < LOG_AGAIN)
		return;
	sv->tls_told = now;
	if (log_gate_pass(&tls->gate, now, &suppressed))
		log_event(sv->up->log, LOG_LEVEL_WARNING, sv->up->service, "upstream_untrusted",
		    LOG_STR("server", sv->text), LOG_STR("reason", sv->tls_error),
		    LOG_U64("suppressed", suppressed));
}

/* What an operation came to: n where it is above 0, else -1 with errno. */
static ssize_t
outcome(struct dns_stream *st, int n)
{
	int error = errno;

	if (n > 0) {
		st->tls_wants_write = false;
		return n;
	}
	switch (SSL_get_error(st->tls, n)) {
	case SSL_ERROR_WANT_READ:
		st->tls_wants_write = false;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		st->tls_wants_write = true;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		errno = ECONNRESET;
		return -1;
	case SSL_ERROR_SYSCALL:
		error = error != 0 ? error : ECONNRESET;
		break;
	default:
		error = EPROTO;
		break;
	}
	st->tls_broken = true;
	/* A server that hangs up later without a word does so to close an idle connection. */
	if (!SSL_is_init_finished(st->tls))
		note_failure(st);
	errno = error;
	return -1;
}

static void
note_success(struct dns_stream *st)
{
	struct dns_server *sv = st->server;

	if (st->tls_proven || !SSL_is_init_finished(st->tls))
		return;
	st->tls_proven = true;
	sv->tls_error[0] = '\0';
	if (SSL_session_reused(st->tls) == 1)
		sv->tls_resumed++;
	else
		sv->tls_verified = loop_now(sv->up->loop);
	/* Before TLS 1.3 a session goes in plain anyway, and the server need not give another. */
	if (sv->tls_session == NULL && SSL_version(st->tls) < TLS1_3_VERSION &&
	    is_worth_resuming(st))
		sv->tls_session = SSL_get1_session(st->tls);
}

ssize_t
dns_tls_recv(struct dns_stream *st, void *out, size_t cap)
{
	errno = 0;
	ERR_clear_error();
	st->tls_left = READ_MAX;

	ssize_t n = outcome(st, SSL_read(st->tls, out, cap < INT_MAX ? (int)cap : INT_MAX));

	note_success(st);
	return n;
}

ssize_t
dns_tls_send(struct dns_stream *st, struct span bytes)
{
	errno = 0;
	ERR_clear_error();
	st->tls_left = READ_MAX;
	return outcome(st, SSL_write(st->tls, bytes.at,
	    bytes.len < INT_MAX ? (int)bytes.len : INT_MAX));
}

bool
dns_tls_pending(const struct dns_stream *st)
{
	return SSL_pending(st->tls) > 0;
}

void
dns_tls_forget(struct dns_server *sv)
{
	SSL_SESSION_free(sv->tls_session);
	sv->tls_session = NULL;
}

void
dns_tls_report(const struct dns_server *sv, struct report *out)
{
	bool open = sv->stream != NULL && sv->stream->tls_proven;

	report_str(out, "tls", open ? SSL_get_version(sv->stream->tls) : "closed");
	report_u64(out, "tls_resumed", sv->tls_resumed);
	report_u64(out, "tls_failures", sv->tls_failures);
	if (sv->tls_error[0] != '\0')
		report_str(out, "tls_error", sv->tls_error);
}
