/* SPDX-License-Identifier: MIT */
/*
 * Sets of netfilter, of nftables or of ipset, filled with addresses: what netfilter then does with
 * packets to them is the owner's rules. By the kernel's own messages over libmnl, without the
 * libraries of nft(8) and ipset(8).
 *
 * The calls with a struct addrset_kernel wait for the kernel, which may be busy with a large set of
 * rules: for threads of core/offload, one at a time. They need CAP_NET_ADMIN
 * (service_keep_capability()).
 */
#ifndef CORE_ADDRSET_H
#define CORE_ADDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define ADDRSET_NAME_MAX   64	/* bytes of a table's or set's name, with its zero; ipset: 32 */
#define ADDRSET_TEXT_MAX  160	/* bytes of addrset_id_text() */
#define ADDRSET_BATCH_MAX  64	/* elements that are added at once */

enum addrset_kind {
	ADDRSET_NFT,
	ADDRSET_IPSET,
	ADDRSET_KINDS
};

struct addrset_id {
	enum addrset_kind kind;
	uint8_t family;			/* NFPROTO_… of the table, which ipset has none of */
	char table[ADDRSET_NAME_MAX];
	char name[ADDRSET_NAME_MAX];
};

/* What the kernel says about a set. */
struct addrset_info {
	uint64_t made[2];	/* the kernel's numbers: another pair is a set that was made anew */
	uint8_t bytes;		/* of an address in it: 4 or 16 */
	bool interval;		/* it holds ranges, with an end each */
	bool timeouts;		/* its elements may end by themselves */
	bool empty;		/* for certain; of nftables it is never known */
};

struct addrset_element {
	uint8_t len;		/* of the address: 4 or 16; that of the set it goes to */
	uint8_t bytes[16];
	uint32_t timeout_s;	/* 0, or a set without timeouts: as the set says */
};

/* For settings: this build can fill sets of that kind. */
bool addrset_is_built(enum addrset_kind kind);
/*
 * Read what a set is called: of nftables by family (ip, ip6, inet, bridge, arp, netdev), table and
 * name, "inet home vod"; of ipset by its name. Errors: ERR_FORMAT, ERR_RANGE (a name too long).
 */
enum err addrset_id_parse(struct addrset_id *out, enum addrset_kind kind,
    const char *text) MUST_CHECK;
/* The other way round; returns buf. */
const char *addrset_id_text(const struct addrset_id *id, char buf[static ADDRSET_TEXT_MAX]);

struct addrset_kernel;

/* Errors: ERR_SYS. */
enum err addrset_open(struct addrset_kernel **out) MUST_CHECK;
/* NULL is fine. */
void addrset_close(struct addrset_kernel *k);

/*
 * Look a set up.
 *
 * errors  ERR_NOTFOUND, ERR_DENIED (no right to), ERR_RANGE (not a set of addresses of IPv4 or of
 *	   IPv6), ERR_UNSUPPORTED (this build or the kernel has none of that kind), ERR_SYS
 */
enum err addrset_describe(struct addrset_kernel *k, const struct addrset_id *id,
    struct addrset_info *out) MUST_CHECK;

/*
 * Add elements; one that is there already gets the new timeout. Where that fails some may have been
 * added. count: 1 to ADDRSET_BATCH_MAX. Errors: as above, ERR_FULL (the set has no room for one),
 * ERR_SYS also for what the set itself refuses (EEXIST where a range has the address).
 */
enum err addrset_add(struct addrset_kernel *k, const struct addrset_id *id,
    const struct addrset_info *info, const struct addrset_element *elements,
    size_t count) MUST_CHECK;

#endif
