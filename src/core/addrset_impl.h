/* SPDX-License-Identifier: MIT */
/*
 * The inner parts of addrset.h: addrset.c has the socket, addrset_msg.c what messages of netfilter
 * have in common, and each kind of sets a file of its own.
 */
#ifndef CORE_ADDRSET_IMPL_H
#define CORE_ADDRSET_IMPL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addrset.h"

#define ADDRSET_BUF_BYTES (64 << 10)

/* --- messages: addrset_msg.c ------------------------------------------------------------------ */

/* Begin a message at `at`, which has room for it. */
struct nlmsghdr *addrset_begin(char *at, uint32_t seq, uint16_t type, uint16_t flags,
    uint8_t family, uint16_t res_id);

/* What to do with an answer that is no error; NULL: nothing. */
typedef void addrset_take_fn(const struct nlmsghdr *h, void *ctx);

/* What answers are awaited: those to the messages first to last. */
struct addrset_question {
	uint32_t first, last;
	addrset_take_fn *take;
	void *ctx;
};

/*
 * Work through answers. True: it is over, by the answer to the last message or an error of one
 * before it; *error is 0 or that error.
 */
bool addrset_take(const struct addrset_question *q, const void *buf, size_t len, int *error);

/* Walk the attributes of a message, or of a nested one; NULL: none is left. */
const struct nlattr *addrset_attr_first(const struct nlmsghdr *h);
const struct nlattr *addrset_attr_next(const struct nlmsghdr *h, const struct nlattr *a);
const struct nlattr *addrset_nested_first(const struct nlattr *nest);
const struct nlattr *addrset_nested_next(const struct nlattr *nest, const struct nlattr *a);

/* --- the kernel: addrset.c -------------------------------------------------------------------- */

struct addrset_kernel {
	struct mnl_socket *nl;
	uint32_t seq;
	_Alignas(struct nlmsghdr) char out[ADDRSET_BUF_BYTES];
	_Alignas(struct nlmsghdr) char in[ADDRSET_BUF_BYTES];
};

/* Send len bytes of k->out and read the answers. errno is set with every error. */
enum err addrset_ask(struct addrset_kernel *k, size_t len, const struct addrset_question *q);

/* --- kinds of sets ---------------------------------------------------------------------------- */

/* As the calls of addrset.h; NULL: not built in. */
struct addrset_ops {
	enum err (*describe)(struct addrset_kernel *k, const struct addrset_id *id,
	    struct addrset_info *out);
	enum err (*add)(struct addrset_kernel *k, const struct addrset_id *id,
	    const struct addrset_info *info, const struct addrset_element *elements, size_t count);
};

extern const struct addrset_ops addrset_nft_ops, addrset_ipset_ops;

/* --- messages about sets of ipset: addrset_ipset.c -------------------------------------------- */

/* What is known of a set; ctx of addrset_ipset_take(). Zeroed before. */
struct addrset_ipset_look {
	struct addrset_info info;	/* .bytes 0: not a set of addresses */
	bool seen;
};

/* Write a message at `at`, which has room for it; give its length. */
size_t addrset_ipset_put_look(char *at, uint32_t seq, const char *name);
size_t addrset_ipset_put_add(char *at, uint32_t seq, const char *name, bool timeouts,
    const struct addrset_element *elements, size_t count);
addrset_take_fn addrset_ipset_take;

#endif
