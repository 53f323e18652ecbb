/* SPDX-License-Identifier: MIT */
#include "util/addr.h"

#include <string.h>

#include "support/unit.h"

static struct addr
addr(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 53), OK);
	return a;
}

static void
text_goes_in_and_comes_out_the_same(void)
{
	static const char *const same[] = { "192.0.2.1:53", "[2001:db8::1]:5353", "[::]:0",
		"0.0.0.0:65535", "[fe80::1%lo]:53", "[fe80::1%9999]:53" };
	char buf[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct addr a = addr(same[i]);

		CU_ASSERT_STRING_EQUAL(addr_format(&a, buf), same[i]);
	}
}

static void
a_port_is_optional(void)
{
	struct addr v4 = addr("192.0.2.1");
	struct addr v6 = addr("2001:db8::1");
	struct addr bracketed = addr("[2001:db8::1]");

	CU_ASSERT_EQUAL(addr_port(&v4), 53);
	CU_ASSERT_EQUAL(addr_port(&v6), 53);
	CU_ASSERT_TRUE(addr_equal(&v6, &bracketed));
}

static void
nonsense_is_refused(void)
{
	static const char *const bad[] = { "", "x", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:-1",
		"[::1", "[::1]x", "[1.2.3.4]:53", "1.2.3.4%lo", "::1%", "1.2.3.4 ", "01.2.3.4.5" };
	struct addr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_NOT_EQUAL(addr_parse(&a, bad[i], 0), OK);
	CU_ASSERT_EQUAL(addr_parse(&a, "1.2.3.4:65536", 0), ERR_RANGE);
	CU_ASSERT_EQUAL(addr_parse(&a, "1.2.3.4:99999999999999999999", 0), ERR_FORMAT);
	CU_ASSERT_EQUAL(addr_parse(&a, "fe80::1%nosuchif0", 0), ERR_NOTFOUND);
}

static void
private_networks_are_known(void)
{
	static const char *const inside[] = { "10.1.2.3", "172.16.0.1", "172.31.255.255",
		"192.168.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "100.127.255.255", "::1",
		"fe80::1", "fc00::1", "fdff::1" };
	static const char *const outside[] = { "9.9.9.9", "172.15.255.255", "172.32.0.0",
		"192.169.0.1", "100.63.255.255", "100.128.0.0", "2001:db8::1", "fe00::1", "::" };

	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		struct addr a = addr(inside[i]);

		CU_ASSERT_TRUE(addr_is_private(&a));
	}
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		struct addr a = addr(outside[i]);

		CU_ASSERT_FALSE(addr_is_private(&a));
	}
}

static void
a_prefix_matches_its_network_only(void)
{
	static const struct {
		const char *prefix, *address;
		bool match;
	} cases[] = {
		{ "192.168.4.77/22", "192.168.7.255", true },
		{ "192.168.4.0/22", "192.168.8.0", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::/0", "ff02::1", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p;
		struct addr a = addr(cases[i].address);

		CU_ASSERT_EQUAL_FATAL(prefix_parse(&p, cases[i].prefix), OK);
		CU_ASSERT_EQUAL(prefix_match(&p, &a), cases[i].match);
	}
}

static void
a_prefix_with_too_many_bits_is_refused(void)
{
	struct prefix p;

	CU_ASSERT_EQUAL(prefix_parse(&p, "1.2.3.4/33"), ERR_RANGE);
	CU_ASSERT_EQUAL(prefix_parse(&p, "::/129"), ERR_RANGE);
	CU_ASSERT_EQUAL(prefix_parse(&p, "1.2.3.4/"), ERR_FORMAT);
	CU_ASSERT_EQUAL(prefix_parse(&p, "1.2.3.4/x"), ERR_FORMAT);
}

static void
host_bits_of_a_prefix_are_cleared(void)
{
	struct prefix p;
	char buf[ADDR_TEXT_MAX];

	CU_ASSERT_EQUAL_FATAL(prefix_parse(&p, "192.168.7.77/22"), OK);
	CU_ASSERT_STRING_EQUAL(prefix_format(&p, buf), "192.168.4.0/22");
}

static void
a_mapped_address_becomes_ipv4(void)
{
	struct addr a = addr("[::ffff:192.0.2.1]:99");
	struct addr b = addr("192.0.2.1:99");

	addr_unmap(&a);
	CU_ASSERT_TRUE(addr_equal(&a, &b));
}

static void
bytes_alone_are_read_without_port_or_interface(void)
{
	uint8_t bytes[16];

	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("192.0.2.1")), 4);
	CU_ASSERT_EQUAL(memcmp(bytes, "\xc0\x00\x02\x01", 4), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("2001:db8::1")), 16);
	CU_ASSERT_EQUAL(bytes[15], 1);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("192.0.2.1:53")), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("[::1]")), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("fe80::1%lo")), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("::1\0")), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes, SPAN("")), 0);
	CU_ASSERT_EQUAL(addr_parse_bytes(bytes,
	    SPAN("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000")), 0);
}

static void
an_end_that_may_be_a_port_is_seen(void)
{
	static const char *const clear[] = { "::1", "[::1]:53", "[::1:53]", "2620:fe::fe:9",
		"::1:052", "2606:4700:4700::1111", "fe80::1%lo", "2001:db8::192.0.2.1",
		"192.0.2.1:53", "::1:70000", "1:2:3:4:5:6:7:53", "localhost:53", "::1:", "" };
	static const char *const unclear[][2] = { { "::1:53", "[::1]:53" },
		{ "::1:53000", "[::1]:53000" }, { "fe80::1%eth0:53", "[fe80::1%eth0]:53" },
		{ "1:2:3:4:5:6:7:8:53", "[1:2:3:4:5:6:7:8]:53" } };
	char meant[ADDR_TEXT_MAX], long_one[200];

	for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		CU_ASSERT_FALSE(addr_is_ambiguous(clear[i], meant));
	for (size_t i = 0; i < sizeof(unclear) / sizeof(unclear[0]); i++) {
		CU_ASSERT_TRUE_FATAL(addr_is_ambiguous(unclear[i][0], meant));
		CU_ASSERT_STRING_EQUAL(meant, unclear[i][1]);
	}
	memset(long_one, '1', sizeof(long_one));
	memcpy(long_one + 190, "::1%lo:53", 10);
	CU_ASSERT_FALSE(addr_is_ambiguous(long_one, meant));
}

UNIT_MAIN("addr", UNIT(an_end_that_may_be_a_port_is_seen),
    UNIT(bytes_alone_are_read_without_port_or_interface),
    UNIT(text_goes_in_and_comes_out_the_same), UNIT(a_port_is_optional),
    UNIT(nonsense_is_refused), UNIT(private_networks_are_known),
    UNIT(a_prefix_matches_its_network_only), UNIT(a_prefix_with_too_many_bits_is_refused),
    UNIT(host_bits_of_a_prefix_are_cleared), UNIT(a_mapped_address_becomes_ipv4))
