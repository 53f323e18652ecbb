/* SPDX-License-Identifier: MIT */
/* A build without sets of nftables. */
#include "core/nft.h"

enum err
nft_open(struct nft **out)
{
	*out = NULL;
	return ERR_UNSUPPORTED;
}

void
nft_close(struct nft *n)
{
	(void)n;
}

enum err
nft_describe(struct nft *n, const struct nft_id *id, struct nft_info *out)
{
	(void)n;
	(void)id;
	*out = (struct nft_info){ 0 };
	return ERR_UNSUPPORTED;
}

enum err
nft_add(struct nft *n, const struct nft_id *id, const struct nft_info *info,
    const struct nft_element *elements, size_t count)
{
	(void)n;
	(void)id;
	(void)info;
	(void)elements;
	(void)count;
	return ERR_UNSUPPORTED;
}
