/* SPDX-License-Identifier: MIT */
/* A build without sets of nftables. */
#include "core/addrset_impl.h"

const struct addrset_ops addrset_nft_ops = { 0 };
