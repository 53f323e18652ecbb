/* SPDX-License-Identifier: MIT */
/*
 * The edge of the sets of nftables: settings become the engine of dns_nftset.h, the pool adds its
 * elements to the kernel's sets. A set that is made anew, as a firewall does that is loaded again,
 * is noticed and filled again.
 */
#ifndef SERVICES_DNS_NFTSETS_H
#define SERVICES_DNS_NFTSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/report.h"
#include "services/dns/dns_nftset.h"
#include "util/err.h"
#include "util/seal.h"

#define DNS_NFTSETS_WHY_MAX 512	/* bytes of dns_nftsets_explain() */

struct dns_nftsets;
struct log;
struct loop;
struct offload;

extern const struct conf_key dns_nftsets_section_keys[];
/* What is wrong with a section's title, or NULL; static text. */
const char *dns_nftsets_check_title(const char *title);

#define DNS_NFTSETS_KEYS                                                                           \
	{ .name = "nftset", .type = CONF_SECTION, .flags = CONF_TITLED,                            \
	    .keys = dns_nftsets_section_keys, .check = dns_nftsets_check_title,                    \
	    .help = "a set of nftables that gets the addresses of names: nftset \"inet home vod\" " \
		    "{ domains = { \"video.example\" } }" }

struct dns_nftsets_env {
	struct loop *loop;
	struct log *log;
	struct offload *offload;
	const char *service;		/* tag of the log lines */
	uint8_t key[SEAL_SHORT_KEY_BYTES];	/* for hashes of names: fresh from the CSPRNG */
	/* Elements have settled: dns_nftsets_settled() gives more than before. */
	void (*settled)(void *ctx);
	void *ctx;
};

/* Errors: ERR_NOMEM. */
enum err dns_nftsets_new(struct dns_nftsets **out, const struct dns_nftsets_env *env) MUST_CHECK;
/* NULL is fine. */
void dns_nftsets_free(struct dns_nftsets *s);

/* Read the sections of settings, for commit. Errors: ERR_FULL (said in *bad), ERR_NOMEM. */
enum err dns_nftsets_read(const struct dns_nftsets *s, const struct conf *cf,
    struct dns_nftset **out, size_t *bad) MUST_CHECK;
/* Put them in force; NULL: none. */
void dns_nftsets_commit(struct dns_nftsets *s, struct dns_nftset *ns);

/* As dns_nftset_note(); 0 where there are no sets. */
uint64_t dns_nftsets_note(struct dns_nftsets *s, struct span lower, struct span msg, mono_us now);
uint64_t dns_nftsets_settled(const struct dns_nftsets *s);

/* Say which sets get the addresses of a name: "home v4, home v6". False: none does. */
bool dns_nftsets_explain(const struct dns_nftsets *s, struct span lower,
    char buf[static DNS_NFTSETS_WHY_MAX]);

void dns_nftsets_report(const struct dns_nftsets *s, struct report *out);

#endif
