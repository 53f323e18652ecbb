/* SPDX-License-Identifier: MIT */
/* Built without OpenSSL: no server is reached over TLS, settings that name one are refused. */
#include "services/dns/dns_upstream_priv.h"

#include <errno.h>

bool
dns_tls_is_built(void)
{
	return false;
}

void
dns_tls_free(struct dns_tls *tls)
{
	(void)tls;
}

bool
dns_tls_begin(struct dns_stream *st, int *error)
{
	(void)st;
	*error = ENOTSUP;
	return false;
}

void
dns_tls_end(struct dns_stream *st)
{
	(void)st;
}

ssize_t
dns_tls_recv(struct dns_stream *st, void *out, size_t cap)
{
	(void)st;
	(void)out;
	(void)cap;
	errno = ENOTSUP;
	return -1;
}

ssize_t
dns_tls_send(struct dns_stream *st, struct span bytes)
{
	(void)st;
	(void)bytes;
	errno = ENOTSUP;
	return -1;
}

bool
dns_tls_pending(const struct dns_stream *st)
{
	(void)st;
	return false;
}

void
dns_tls_forget(struct dns_server *sv)
{
	(void)sv;
}

void
dns_tls_report(const struct dns_server *sv, struct report *out)
{
	(void)sv;
	(void)out;
}

enum err
dns_upstream_authorities(struct dns_upstream *up, const char *file)
{
	(void)up;
	return file[0] == '\0' ? OK : ERR_UNSUPPORTED;
}
