/* SPDX-License-Identifier: MIT */
/* Answers to put into the cache, and queries that ask for them. */
#ifndef TESTS_SUPPORT_DNS_CACHE_H
#define TESTS_SUPPORT_DNS_CACHE_H

#include "services/dns/dns_answer.h"
#include "services/dns/dns_cache.h"
#include "support/dns.h"

/* A question with all that looking it up takes; refers to itself, so do not copy. */
struct dns_test_key {
	struct dns_name name;
	uint8_t packet[512];
	struct dns_query q;
	struct dns_key key;
};

static inline void
dns_test_key(struct dns_test_key *k, const struct dns_cache *c, const char *name, uint16_t type)
{
	k->name = dns_test_name(name);
	dns_test_query(&k->q, k->packet, &(struct dns_test_query){ .name = name, .type = type,
	    .flags = DNS_FLAG_RD | DNS_FLAG_AD, .edns = true });
	dns_query_hash(&k->q, dns_cache_hash_key(c));
	k->key = dns_key_of(&k->q, 0);
}

/* What an upstream says to a question. */
struct dns_test_says {
	uint16_t rcode;
	uint32_t ttl;
	uint8_t last;		/* byte of an address; the first byte of other data */
	size_t len;		/* of the data, where the type is not A */
	bool negative;		/* no records but a SOA */
	uint16_t flags;
	struct span ede;	/* an EDE option's data */
};

/* The packed answer; one at a time. */
static inline const struct dns_packed *
dns_test_says(const char *name, uint16_t type, const struct dns_test_says *says)
{
	static struct dns_packed packed;
	static uint8_t buf[DNS_MSG_MAX];
	static uint8_t data[DNS_MSG_MAX];
	const struct dns_ttl_limits limits = DNS_TTL_LIMITS_DEFAULT;
	struct dns_name n = dns_test_name(name);
	struct dns_question asked = { dns_name_span(&n), type, DNS_CLASS_IN };
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));
	struct dns_answer a;

	dns_test_header(&wr, (uint16_t)(DNS_FLAG_QR | says->flags | says->rcode), 1,
	    says->negative ? 0 : 1, says->negative ? 1 : 0, says->ede.len != 0 ? 1 : 0);
	dns_test_question(&wr, name, type);
	data[0] = says->last;
	if (says->negative)
		dns_test_soa(&wr, ".", says->ttl, says->ttl);
	else if (type == DNS_TYPE_A)
		dns_test_a(&wr, name, says->ttl, says->last);
	else
		dns_test_record(&wr, name, type, says->ttl, span_of(data, says->len));
	if (says->ede.len != 0) {
		uint8_t option[200];
		struct wire_wr opt = wire_wr_of(option, sizeof(option));

		dns_opt_option(&opt, DNS_OPTION_EDE, says->ede);
		dns_test_opt(&wr, 1232, 0, wire_wr_span(&opt));
	}
	CU_ASSERT_EQUAL_FATAL(dns_answer_parse(&a, wire_wr_span(&wr), &asked), OK);
	CU_ASSERT_EQUAL_FATAL(dns_answer_pack(&packed, &a, wire_wr_span(&wr), &asked, &limits), OK);
	return &packed;
}

static inline struct dns_cache_stats
dns_test_stats(const struct dns_cache *c)
{
	struct dns_cache_stats s;

	dns_cache_stats(c, &s);
	return s;
}

/* An address that is to live for ttl seconds. */
static inline const struct dns_packed *
dns_test_address(const char *name, uint32_t ttl, uint8_t last)
{
	return dns_test_says(name, DNS_TYPE_A, &(struct dns_test_says){ .ttl = ttl, .last = last });
}

static inline const struct dns_packed *
dns_test_nxdomain(const char *name, uint32_t ttl)
{
	return dns_test_says(name, DNS_TYPE_A,
	    &(struct dns_test_says){ .rcode = DNS_NXDOMAIN, .ttl = ttl, .negative = true });
}

#endif
