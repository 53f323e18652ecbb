/* SPDX-License-Identifier: MIT */
/*
 * The edge of the sets of netfilter: settings become the engine of dns_addrset.h, the pool adds its
 * elements to the kernel's sets. A set that is made anew or emptied, as a firewall does that is
 * loaded again, is noticed and filled again.
 */
#ifndef SERVICES_DNS_ADDRSETS_H
#define SERVICES_DNS_ADDRSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/report.h"
#include "services/dns/dns_addrset.h"
#include "util/err.h"
#include "util/seal.h"

#define DNS_ADDRSETS_WHY_MAX 512	/* bytes of dns_addrsets_explain() */

struct dns_addrsets;
struct log;
struct loop;
struct offload;

extern const struct conf_key dns_addrsets_section_keys[];
/* What is wrong with a section's title, or NULL; static text. */
const char *dns_addrsets_check_nftset(const char *title);
const char *dns_addrsets_check_ipset(const char *title);
/* What the sections are called. */
extern const char *const dns_addrsets_keys[ADDRSET_KINDS];

#define DNS_ADDRSETS_KEYS                                                                          \
	{ .name = "nftset", .type = CONF_SECTION, .flags = CONF_TITLED,                            \
	    .keys = dns_addrsets_section_keys, .check = dns_addrsets_check_nftset,                 \
	    .help = "a set of nftables that gets the addresses of names: "                         \
		    "nftset \"inet home vod\" { domains = { \"video.example\" } }" },              \
	    { .name = "ipset", .type = CONF_SECTION, .flags = CONF_TITLED,                         \
		.keys = dns_addrsets_section_keys, .check = dns_addrsets_check_ipset,              \
		.help = "the same for a set of ipset: "                                            \
			"ipset \"vod\" { domains = { \"video.example\" } }" }

struct dns_addrsets_env {
	struct loop *loop;
	struct log *log;
	struct offload *offload;
	const char *service;		/* tag of the log lines */
	uint8_t key[SEAL_SHORT_KEY_BYTES];	/* for hashes of names: fresh from the CSPRNG */
	/* Elements have settled: dns_addrsets_settled() gives more than before. */
	void (*settled)(void *ctx);
	void *ctx;
};

/* Errors: ERR_NOMEM. */
enum err dns_addrsets_new(struct dns_addrsets **out, const struct dns_addrsets_env *env) MUST_CHECK;
/* NULL is fine. */
void dns_addrsets_free(struct dns_addrsets *s);

/* The settings have such a section. */
bool dns_addrsets_wanted(const struct conf *cf);
/* Where in the settings something is wrong. */
struct dns_addrsets_place {
	const char *key;
	size_t i;
};
/* Read the sections of settings, for commit. Errors: ERR_FULL (*bad is one too many), ERR_NOMEM. */
enum err dns_addrsets_read(const struct dns_addrsets *s, const struct conf *cf,
    struct dns_addrset **out, struct dns_addrsets_place *bad) MUST_CHECK;
/* Put them in force; NULL: none. */
void dns_addrsets_commit(struct dns_addrsets *s, struct dns_addrset *as);

/* As dns_addrset_note(); 0 where there are no sets. */
uint64_t dns_addrsets_note(struct dns_addrsets *s, struct span lower, struct span msg, mono_us now);
uint64_t dns_addrsets_settled(const struct dns_addrsets *s);

/*
 * Say which sets of a kind get the addresses of a name: "inet home v4, ip t s (not found)". False:
 * none does.
 */
bool dns_addrsets_explain(const struct dns_addrsets *s, struct span lower, enum addrset_kind kind,
    char buf[static DNS_ADDRSETS_WHY_MAX]);

void dns_addrsets_report(const struct dns_addrsets *s, struct report *out);

#endif
