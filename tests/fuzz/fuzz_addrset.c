/* SPDX-License-Identifier: MIT */
/* Whatever comes back from netfilter, a set of ipset that is known holds addresses of one size. */
#include "fuzz.h"

#include <string.h>

#include "core/addrset_impl.h"

#define SEQ 42

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[8192];
	struct addrset_ipset_look l = { 0 };
	struct addrset_question q = { .first = SEQ, .last = SEQ, .take = addrset_ipset_take,
		.ctx = &l };
	int error = 0;

	if (size > sizeof(buf))
		size = sizeof(buf);
	if (size != 0)
		memcpy(buf, data, size);
	if (addrset_take(&q, buf, size, &error))
		FUZZ_CHECK(error >= 0);
	FUZZ_CHECK(l.info.bytes == 0 || l.info.bytes == 4 || l.info.bytes == 16);
	FUZZ_CHECK(l.seen || l.info.bytes == 0);
	return 0;
}
