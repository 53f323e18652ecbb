/* SPDX-License-Identifier: MIT */
#include "support/fake_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/unit.h"

/* --- who it is -------------------------------------------------------------------------------- */

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *who = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");

	CU_ASSERT_PTR_NOT_NULL_FATAL(who);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"fake", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_add_ext(x, who, -1);
	X509_EXTENSION_free(who);
	CU_ASSERT_TRUE_FATAL(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void
prove_yourself(SSL_CTX *ctx, const char *ca_file)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = make_certificate(key);
	FILE *out = fopen(ca_file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL_FATAL(PEM_write_X509(out, x), 1);
	CU_ASSERT_EQUAL(fclose(out), 0);
	CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_certificate(ctx, x), 1);
	CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* --- connections ------------------------------------------------------------------------------ */

void
fake_tls_answer(struct fake_tls_conn *c)
{
	size_t at = 0;

	while (c->used - at >= 2) {
		size_t len = (size_t)c->in[at] << 8 | c->in[at + 1];

		if (c->used - at < 2 + len)
			break;
		c->server->last_len = len;
		c->in[at + 4] |= 0x80;	/* QR */
		(void)SSL_write(c->ssl, c->in + at, (int)len + 2);	/* or it has gone */
		at += 2 + len;
	}
	memmove(c->in, c->in + at, c->used - at);
	c->used -= at;
}

static void
ready(struct loop_fd *w, uint32_t events)
{
	struct fake_tls_conn *c = (struct fake_tls_conn *)w;
	struct fake_tls *f = c->server;

	(void)events;
	ERR_clear_error();

	int n = SSL_read(c->ssl, c->in + c->used, (int)(sizeof(c->in) - c->used));
	int error = SSL_get_error(c->ssl, n);

	if (!c->ended && SSL_is_init_finished(c->ssl)) {
		c->ended = true;
		f->ended++;
		f->resumed += SSL_session_reused(c->ssl) == 1;
	}
	if (n > 0) {
		c->used += (size_t)n;
		if (!f->mute)
			fake_tls_answer(c);
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		fake_tls_hang_up(c);
	}
}

static void
take_connection(struct loop_fd *w, uint32_t events)
{
	struct fake_tls *f = (struct fake_tls *)((char *)w - offsetof(struct fake_tls, listener));
	struct fake_tls_conn *c = &f->conns[f->accepted];

	(void)events;
	CU_ASSERT_TRUE_FATAL(f->accepted < FAKE_TLS_CONNS);
	c->server = f;
	c->watch = (struct loop_fd){ .ready = ready,
		.fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) };
	CU_ASSERT_TRUE_FATAL(c->watch.fd >= 0);
	f->accepted++;
	if (f->deaf)
		return;
	c->ssl = SSL_new(f->ctx);
	CU_ASSERT_EQUAL_FATAL(SSL_set_fd(c->ssl, c->watch.fd), 1);
	SSL_set_accept_state(c->ssl);
	CU_ASSERT_EQUAL(loop_add(f->loop, &c->watch, EPOLLIN), OK);
}

bool
fake_tls_ticket(struct fake_tls_conn *c)
{
	CU_ASSERT_EQUAL(SSL_new_session_ticket(c->ssl), 1);
	return SSL_do_handshake(c->ssl) == 1;
}

void
fake_tls_raw(struct fake_tls_conn *c, const void *bytes, size_t len)
{
	CU_ASSERT_EQUAL(send(c->watch.fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
fake_tls_hang_up(struct fake_tls_conn *c)
{
	if (c->watch.fd < 0)
		return;
	if (c->ssl != NULL)
		loop_remove(c->server->loop, &c->watch);
	SSL_free(c->ssl);
	close(c->watch.fd);
	c->ssl = NULL;
	c->watch.fd = -1;
}

/* --- life ------------------------------------------------------------------------------------- */

void
fake_tls_begin(struct fake_tls *f, struct loop *loop, const char *ca_file, int max_version)
{
	socklen_t len = sizeof(f->addr);

	*f = (struct fake_tls){ .loop = loop, .ctx = SSL_CTX_new(TLS_server_method()) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->ctx);
	SSL_CTX_set_max_proto_version(f->ctx, max_version);
	SSL_CTX_set_session_id_context(f->ctx, (const uint8_t *)"fake", 4);
	prove_yourself(f->ctx, ca_file);
	for (size_t i = 0; i < FAKE_TLS_CONNS; i++)
		f->conns[i].watch.fd = -1;
	CU_ASSERT_EQUAL_FATAL(addr_parse(&f->addr, "127.0.0.1", 0), OK);
	f->listener = (struct loop_fd){ .ready = take_connection,
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	CU_ASSERT_EQUAL_FATAL(bind(f->listener.fd, &f->addr.sa, addr_len(&f->addr)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(f->listener.fd, 64), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(f->listener.fd, &f->addr.sa, &len), 0);
	CU_ASSERT_EQUAL_FATAL(loop_add(loop, &f->listener, EPOLLIN), OK);
}

void
fake_tls_end(struct fake_tls *f)
{
	for (size_t i = 0; i < FAKE_TLS_CONNS; i++)
		fake_tls_hang_up(&f->conns[i]);
	loop_remove(f->loop, &f->listener);
	close(f->listener.fd);
	SSL_CTX_free(f->ctx);
}
