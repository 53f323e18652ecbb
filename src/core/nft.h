/* SPDX-License-Identifier: MIT */
/*
 * Sets of nftables, filled with addresses: what netfilter then does with packets to them is the
 * owner's rules. By the kernel's own messages over libmnl, without a library of nftables.
 *
 * The calls with a struct nft wait for the kernel, which may be busy with a large set of rules: for
 * threads of core/offload, one at a time. They need CAP_NET_ADMIN (service_keep_capability()).
 */
#ifndef CORE_NFT_H
#define CORE_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define NFT_NAME_MAX   64	/* bytes of a table's or set's name, with its zero */
#define NFT_BATCH_MAX  64	/* elements that are added at once */

/* "inet home streaming": a set by family, table and name. */
struct nft_id {
	uint8_t family;		/* NFPROTO_… */
	char table[NFT_NAME_MAX];
	char set[NFT_NAME_MAX];
};

/* What the kernel says about a set. */
struct nft_info {
	uint64_t table;		/* the kernel's numbers: the same pair is the same set, */
	uint64_t set;		/* another one was made anew */
	uint8_t bytes;		/* of an address in it: 4 or 16 */
	bool interval;		/* it holds ranges */
	bool timeouts;		/* its elements may end by themselves */
};

struct nft_element {
	uint8_t len;		/* of the address: 4 or 16; that of the set it goes to */
	uint8_t bytes[16];
	uint32_t timeout_s;	/* 0, or a set without timeouts: as the set says */
};

/* For settings: this build can fill sets. */
bool nft_is_built(void);
/* Families: ip, ip6, inet, bridge, arp, netdev. Errors: ERR_FORMAT, ERR_RANGE (a name too long). */
enum err nft_id_parse(struct nft_id *out, const char *text) MUST_CHECK;

struct nft;

/* Errors: ERR_SYS, ERR_UNSUPPORTED (not built in). */
enum err nft_open(struct nft **out) MUST_CHECK;
/* NULL is fine. */
void nft_close(struct nft *n);

/*
 * Look a set up.
 *
 * errors  ERR_NOTFOUND, ERR_DENIED (no right to), ERR_RANGE (not a set of addresses of IPv4 or of
 *	   IPv6), ERR_SYS
 */
enum err nft_describe(struct nft *n, const struct nft_id *id, struct nft_info *out) MUST_CHECK;

/*
 * Add elements, all or none; one that is there already gets the new timeout. count: 1 to
 * NFT_BATCH_MAX. Errors: ERR_NOTFOUND, ERR_DENIED, ERR_SYS (EEXIST where a range has the address).
 */
enum err nft_add(struct nft *n, const struct nft_id *id, const struct nft_info *info,
    const struct nft_element *elements, size_t count) MUST_CHECK;

#endif
