/* SPDX-License-Identifier: MIT */
/* A build without sets of ipset. */
#include "core/addrset_impl.h"

const struct addrset_ops addrset_ipset_ops = { 0 };
