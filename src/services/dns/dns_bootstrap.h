/* SPDX-License-Identifier: MIT */
/*
 * The addresses of upstream servers that are given by name: looked up at the bootstrap servers, by
 * the same edge that asks all others, and again whenever they run out. So a name is never asked of
 * this very service, and nothing waits for it.
 *
 *   ASKING --an address--> KNOWN --TTL, then no answer: asked again, the old ones stay--> KNOWN
 *   ASKING --every server failed--> FAILING --an address--> KNOWN
 *   ASKING, FAILING --neither A nor AAAA exists--> NONE --an address--> KNOWN
 */
#ifndef SERVICES_DNS_BOOTSTRAP_H
#define SERVICES_DNS_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/dns/dns_named.h"
#include "services/dns/dns_upstream.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"

#define DNS_BOOTSTRAP_NAMES_MAX	  64
#define DNS_BOOTSTRAP_SERVERS_MAX 8
#define DNS_BOOTSTRAP_ADDRS_MAX	  4		/* of one name and family */
#define DNS_BOOTSTRAP_TTL_MIN	  seconds(30)	/* an address holds at least so long */
#define DNS_BOOTSTRAP_TTL_MAX	  seconds(3600)	/* and at most */

enum dns_bootstrap_state {
	DNS_BOOTSTRAP_ASKING,	/* no address yet, the first questions are under way */
	DNS_BOOTSTRAP_FAILING,	/* no server has said anything of use; it is tried again */
	DNS_BOOTSTRAP_NONE,	/* the servers say that it has no address */
	DNS_BOOTSTRAP_KNOWN,
};

struct dns_bootstrap;

struct dns_bootstrap_env {
	struct dns_upstream *up;
	struct loop *loop;
	struct log *log;
	const char *service;	/* tag of the log lines */
	usec ttl_min;		/* 0: DNS_BOOTSTRAP_TTL_MIN */
	/* A name has other addresses or another state. At the end of a turn of the loop. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* What env points to must outlive it. Errors: ERR_NOMEM. */
enum err dns_bootstrap_new(struct dns_bootstrap **out,
    const struct dns_bootstrap_env *env) MUST_CHECK;
/* Before dns_upstream_free(). NULL is fine. */
void dns_bootstrap_free(struct dns_bootstrap *b);

/* Ask these from here on, at most DNS_BOOTSTRAP_SERVERS_MAX; the holds on them are b's. */
void dns_bootstrap_adopt(struct dns_bootstrap *b, struct dns_server *const *servers, size_t count);

/*
 * The settings are read again: begin, find() for every name that they have, end. Names that were
 * not asked for in between are forgotten (taken) or those that are new (not taken).
 */
void dns_bootstrap_begin(struct dns_bootstrap *b);
void dns_bootstrap_end(struct dns_bootstrap *b, bool taken);

/*
 * The addresses that a name has now, those of IPv4 first; the look-up of one that is not known yet
 * begins.
 *
 * count   how many of out, which has room for all, are set
 * errors  ERR_FULL (DNS_BOOTSTRAP_NAMES_MAX), ERR_NOMEM
 */
enum err dns_bootstrap_find(struct dns_bootstrap *b, const struct dns_named *named,
    struct addr out[static 2 * DNS_BOOTSTRAP_ADDRS_MAX], size_t *count,
    enum dns_bootstrap_state *state) MUST_CHECK;

/* The network has changed: look all names up now. What is known holds meanwhile. */
void dns_bootstrap_again(struct dns_bootstrap *b);

void dns_bootstrap_report(const struct dns_bootstrap *b, struct report *out);

#endif
