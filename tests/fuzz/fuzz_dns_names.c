/* SPDX-License-Identifier: MIT */
/* Hosts files and the lease files of all servers: the format is recognised by content. */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_hosts.h"
#include "services/dns/dns_lease.h"

static void
hosts(struct span text)
{
	struct dns_hosts h;
	enum dns_hosts_found found;
	unsigned line = 1;

	dns_hosts_begin(&h, text);
	while ((found = dns_hosts_next(&h)) != DNS_HOSTS_END) {
		FUZZ_CHECK(h.line >= line);
		line = h.line;
		if (found == DNS_HOSTS_BAD) {
			FUZZ_CHECK(h.why != NULL && h.text.len != 0);
			continue;
		}
		FUZZ_CHECK(h.addr_len == 4 || h.addr_len == 16);

		struct span name = dns_name_span(&h.name);

		FUZZ_CHECK(dns_name_at(name).len == name.len && !dns_name_is_root(name));
	}
}

static bool
same_claim(const struct dns_leases *ls, const struct dns_lease *a, const struct dns_lease *b)
{
	return a->addr_len == b->addr_len &&
	    span_equal(dns_lease_name(ls, a), dns_lease_name(ls, b));
}

static void
leases(struct span text)
{
	const int64_t now = 1767900000;
	struct dns_leases ls = { 0 };

	if (dns_lease_parse(&ls, text, 0) != OK) {
		FUZZ_CHECK(ls.count == 0);
		dns_leases_fini(&ls);
		return;
	}

	size_t before = ls.count;
	int64_t next = dns_lease_settle(&ls, now);

	FUZZ_CHECK(ls.count <= before);
	FUZZ_CHECK(next > now);
	for (size_t i = 0; i < ls.count; i++) {
		const struct dns_lease *l = &ls.v[i];

		FUZZ_CHECK(l->addr_len == 4 || l->addr_len == 16);
		FUZZ_CHECK(l->name_len != 0 && l->name_at + l->name_len <= ls.text_len);
		FUZZ_CHECK(l->expires >= next);
		for (size_t k = 0; k < i && k < 100; k++) {
			const struct dns_lease *other = &ls.v[k];

			FUZZ_CHECK(l->addr_len != other->addr_len ||
			    memcmp(l->addr, other->addr, l->addr_len) != 0);
			FUZZ_CHECK(!same_claim(&ls, l, other) ||
			    (l->addr_len == 16 && l->client == other->client));
		}
	}
	/* Settled is settled. */
	before = ls.count;
	FUZZ_CHECK(dns_lease_settle(&ls, now) == next);
	FUZZ_CHECK(ls.count == before);
	dns_leases_fini(&ls);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own, so that a read past the end is seen. */
	uint8_t *text = malloc(size != 0 ? size : 1);

	FUZZ_CHECK(text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	hosts(span_of(text, size));
	leases(span_of(text, size));
	free(text);
	return 0;
}
