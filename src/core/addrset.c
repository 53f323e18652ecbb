/* SPDX-License-Identifier: MIT */
/*
 * The socket to netfilter. The kernel works on messages within the system call that sends them, so
 * that a read which would block means that there is no answer.
 */
#include "core/addrset.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/addrset_impl.h"

#define READS_MAX 16		/* buffers of answers to one question */

enum err
addrset_open(struct addrset_kernel **out)
{
	struct addrset_kernel *k = malloc(sizeof(*k));

	if (k == NULL)
		return ERR_SYS;
	k->seq = 0;
	k->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (k->nl == NULL || mnl_socket_bind(k->nl, 0, MNL_SOCKET_AUTOPID) != 0) {
		addrset_close(k);
		return ERR_SYS;
	}
	*out = k;
	return OK;
}

void
addrset_close(struct addrset_kernel *k)
{
	int saved = errno;

	if (k == NULL)
		return;
	if (k->nl != NULL)
		mnl_socket_close(k->nl);
	free(k);
	errno = saved;
}

static enum err
err_of(int error)
{
	errno = error;
	switch (error) {
	case 0:
		return OK;
	case ENOENT:
		return ERR_NOTFOUND;
	case EPERM:
	case EACCES:
		return ERR_DENIED;
	case ENFILE:	/* what nftables says of a set with a size */
		return ERR_FULL;
	default:
		return ERR_SYS;
	}
}

enum err
addrset_ask(struct addrset_kernel *k, size_t len, const struct addrset_question *q)
{
	int error;

	if (mnl_socket_sendto(k->nl, k->out, len) < 0)
		return err_of(errno);
	for (int reads = 0; reads < READS_MAX; reads++) {
		ssize_t got = mnl_socket_recvfrom(k->nl, k->in, sizeof(k->in));

		if (got <= 0)
			return err_of(got < 0 ? errno : EIO);
		if (addrset_take(q, k->in, (size_t)got, &error))
			return err_of(error);
	}
	return err_of(EIO);
}

/* --- kinds of sets ---------------------------------------------------------------------------- */

static const struct addrset_ops *const kinds[ADDRSET_KINDS] = {
	[ADDRSET_NFT] = &addrset_nft_ops,
	[ADDRSET_IPSET] = &addrset_ipset_ops,
};

enum err
addrset_describe(struct addrset_kernel *k, const struct addrset_id *id, struct addrset_info *out)
{
	const struct addrset_ops *ops = kinds[id->kind];
	enum err e;

	*out = (struct addrset_info){ 0 };
	if (ops->describe == NULL)
		return ERR_UNSUPPORTED;
	e = ops->describe(k, id, out);
	/* That is how the kernel tells that it has no such sets, or not the module for them. */
	return e == ERR_SYS && errno == EINVAL ? ERR_UNSUPPORTED : e;
}

enum err
addrset_add(struct addrset_kernel *k, const struct addrset_id *id, const struct addrset_info *info,
    const struct addrset_element *elements, size_t count)
{
	const struct addrset_ops *ops = kinds[id->kind];

	return ops->add != NULL ? ops->add(k, id, info, elements, count) : ERR_UNSUPPORTED;
}
