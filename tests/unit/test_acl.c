/* SPDX-License-Identifier: MIT */
/* A list of texts stands in for the settings, and one network for the machine's. */
#include "core/acl.h"

#include "core/conf.h"
#include "core/netif.h"
#include "support/unit.h"


struct conf {
	const char *const *values;
	size_t count;
};

struct netif {
	struct prefix net;
};

size_t
conf_count(const struct conf *cf, const char *key)
{
	(void)key;
	return cf->count;
}

const char *
conf_str_at(const struct conf *cf, const char *key, size_t i)
{
	(void)key;
	return cf->values[i];
}

bool
netif_is_connected(const struct netif *n, const struct addr *a)
{
	return prefix_match(&n->net, a);
}

static bool
allows(const struct acl *a, const char *peer)
{
	struct netif n;
	struct addr p;

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&n.net, "203.0.113.0/24"), OK);
	CU_ASSERT_EQUAL_FATAL(addr_parse(&p, peer, 4711), OK);
	return acl_allows(a, &n, &p);
}

#define ACL(a, ...)                                                                                \
	do {                                                                                       \
		static const char *const values_[] = { __VA_ARGS__ };                              \
		struct conf cf_ = { values_, sizeof(values_) / sizeof(values_[0]) };               \
		CU_ASSERT_EQUAL_FATAL(acl_init((a), &cf_, "allow"), OK);                           \
	} while (0)

static void
an_empty_list_means_local(void)
{
	struct conf cf = { NULL, 0 };
	struct acl a;

	CU_ASSERT_EQUAL_FATAL(acl_init(&a, &cf, "allow"), OK);
	CU_ASSERT_TRUE(allows(&a, "192.168.1.4"));
	CU_ASSERT_TRUE(allows(&a, "127.0.0.1"));
	CU_ASSERT_TRUE(allows(&a, "::1"));
	CU_ASSERT_TRUE(allows(&a, "fd12::1"));
	CU_ASSERT_TRUE(allows(&a, "fe80::1"));
	CU_ASSERT_TRUE(allows(&a, "203.0.113.9"));
	CU_ASSERT_FALSE(allows(&a, "198.51.100.1"));
	CU_ASSERT_FALSE(allows(&a, "2001:db8::1"));
	acl_fini(&a);
}

static void
none_is_nobody_and_any_is_everybody(void)
{
	struct acl a;

	ACL(&a, "none");
	CU_ASSERT_FALSE(allows(&a, "127.0.0.1"));
	CU_ASSERT_FALSE(allows(&a, "192.168.1.4"));
	acl_fini(&a);
	ACL(&a, "any");
	CU_ASSERT_TRUE(allows(&a, "198.51.100.1"));
	CU_ASSERT_TRUE(allows(&a, "2001:db8::1"));
	acl_fini(&a);
}

static void
nobody_is_anybody_where_no_answer_could_go(void)
{
	struct acl a;
	struct addr none = { 0 };

	ACL(&a, "any", "local", "0.0.0.0/0", "::/0");
	CU_ASSERT_FALSE(allows(&a, "0.0.0.0"));
	CU_ASSERT_FALSE(allows(&a, "::"));
	CU_ASSERT_FALSE(allows(&a, "224.0.0.251"));
	CU_ASSERT_FALSE(allows(&a, "ff02::fb"));
	CU_ASSERT_FALSE(allows(&a, "::ffff:224.0.0.1"));
	CU_ASSERT_FALSE(acl_allows(&a, NULL, &none));
	acl_fini(&a);
}

static void
prefixes_allow_what_lies_in_them(void)
{
	struct acl a;

	ACL(&a, "192.168.1.77/24", "2001:db8:1::/48", "198.51.100.7");
	CU_ASSERT_TRUE(allows(&a, "192.168.1.255"));
	CU_ASSERT_FALSE(allows(&a, "192.168.2.1"));
	CU_ASSERT_FALSE(allows(&a, "127.0.0.1"));
	CU_ASSERT_TRUE(allows(&a, "2001:db8:1:ffff::1"));
	CU_ASSERT_FALSE(allows(&a, "2001:db8:2::1"));
	CU_ASSERT_TRUE(allows(&a, "198.51.100.7"));
	CU_ASSERT_FALSE(allows(&a, "198.51.100.8"));
	acl_fini(&a);
	ACL(&a, "local", "198.51.100.0/24");
	CU_ASSERT_TRUE(allows(&a, "198.51.100.8"));
	CU_ASSERT_TRUE(allows(&a, "10.1.2.3"));
	acl_fini(&a);
}

static void
ipv4_in_ipv6_clothes_is_ipv4(void)
{
	struct acl a;

	ACL(&a, "10.0.0.0/8");
	CU_ASSERT_TRUE(allows(&a, "::ffff:10.1.1.1"));
	CU_ASSERT_FALSE(allows(&a, "::ffff:11.1.1.1"));
	acl_fini(&a);
	ACL(&a, "::ffff:10.0.0.0/104");
	CU_ASSERT_TRUE(allows(&a, "10.1.1.1"));
	CU_ASSERT_TRUE(allows(&a, "::ffff:10.1.1.1"));
	CU_ASSERT_FALSE(allows(&a, "11.1.1.1"));
	acl_fini(&a);
	ACL(&a, "::/0");
	CU_ASSERT_FALSE(allows(&a, "::ffff:198.51.100.1"));
	acl_fini(&a);
}

static void
without_a_network_table_local_means_private(void)
{
	struct acl a;
	struct addr p;

	ACL(&a, "local");
	CU_ASSERT_EQUAL(addr_parse(&p, "192.168.7.7", 0), OK);
	CU_ASSERT_TRUE(acl_allows(&a, NULL, &p));
	CU_ASSERT_EQUAL(addr_parse(&p, "203.0.113.9", 0), OK);
	CU_ASSERT_FALSE(acl_allows(&a, NULL, &p));
	acl_fini(&a);
}

static void
a_list_that_is_too_long_is_refused_whole(void)
{
	static const char *values[ACL_PREFIXES_MAX + 2];
	struct conf cf = { values, ACL_PREFIXES_MAX + 1 };
	struct acl a;

	for (size_t i = 0; i < cf.count; i++)
		values[i] = "10.0.0.0/8";
	CU_ASSERT_EQUAL(acl_init(&a, &cf, "allow"), ERR_FULL);
	CU_ASSERT_PTR_NULL(a.prefixes);
	CU_ASSERT_FALSE(allows(&a, "10.0.0.1"));
	/* Words need no place. */
	values[7] = "none";
	CU_ASSERT_EQUAL(acl_init(&a, &cf, "allow"), OK);
	CU_ASSERT_EQUAL(a.count, ACL_PREFIXES_MAX);
	acl_fini(&a);
	acl_fini(&a);
}

static void
wrong_values_are_named(void)
{
	static const char *const good[] = { "local", "any", "none", "10.0.0.0/8", "::1",
	    "1.2.3.4" };
	static const char *const bad[] = { "", "lokal", "10.0.0.0/", "10.0.0/8", "10.0.0.0/33",
		"::/129", "example.org", "10.0.0.1:53", "Local " };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_PTR_NULL(acl_check(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(acl_check(bad[i]));
}

UNIT_MAIN("acl", UNIT(an_empty_list_means_local), UNIT(none_is_nobody_and_any_is_everybody),
    UNIT(nobody_is_anybody_where_no_answer_could_go), UNIT(prefixes_allow_what_lies_in_them),
    UNIT(ipv4_in_ipv6_clothes_is_ipv4), UNIT(without_a_network_table_local_means_private),
    UNIT(a_list_that_is_too_long_is_refused_whole), UNIT(wrong_values_are_named))
