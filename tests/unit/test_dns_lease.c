/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_lease.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

#define NOW INT64_C(1767900000)

static struct dns_leases set;
static char out[8192];

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Settle and write what holds as "NAME ADDRESS EXPIRES;" in alphabetical order; empties the set. */
static const char *
settled(int64_t now)
{
	static char lines[64][400];
	char *sorted[64];
	size_t n;

	(void)dns_lease_settle(&set, now);
	n = set.count;
	CU_ASSERT_FATAL(n <= 64);
	for (size_t i = 0; i < n; i++) {
		const struct dns_lease *l = &set.v[i];
		struct span name = dns_lease_name(&set, l);
		char address[INET6_ADDRSTRLEN];

		inet_ntop(l->addr_len == 4 ? AF_INET : AF_INET6, l->addr, address, sizeof(address));
		snprintf(lines[i], sizeof(lines[i]), "%.*s %s", (int)name.len,
		    (const char *)name.at, address);
		if (l->expires != DNS_LEASE_FOREVER)
			snprintf(lines[i] + strlen(lines[i]), 32, " +%lld",
			    (long long)(l->expires - NOW));
		sorted[i] = lines[i];
	}
	qsort(sorted, n, sizeof(sorted[0]), by_text);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(out, sorted[i]);
		strcat(out, ";");
	}
	dns_leases_fini(&set);
	return out;
}

static void
parse(const char *text, enum dns_lease_format format)
{
	CU_ASSERT_EQUAL(dns_lease_recognise(span_str(text)), format);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, span_str(text), 0), OK);
}

/* --- dnsmasq ---------------------------------------------------------------------------------- */

static void
dnsmasq_both_protocols(void)
{
	parse("1767903600 aa:bb:cc:dd:ee:01 192.168.1.10 NAS 01:aa:bb:cc:dd:ee:01\n"
	      "0 aa:bb:cc:dd:ee:02 192.168.1.11 printer *\n"
	      "1767903600 aa:bb:cc:dd:ee:03 192.168.1.12 * *\n"
	      "1767899999 aa:bb:cc:dd:ee:04 192.168.1.13 gone *\n"
	      "duid 00:01:00:01:2b:aa\n"
	      "1767903600 123456 fd00::10 nas 00:01:00:01:aa\n"
	      "1767903700 T123457 fd00::11 nas 00:01:00:01:aa\n"
	      "1767903700 123457 fd00::12 nas 00:01:00:01:bb\n",
	    DNS_LEASE_DNSMASQ);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10 +3600;nas fd00::12 +3700;"
					     "printer 192.168.1.11;");
}

static void
dnsmasq_without_a_clock_counts_from_the_start(void)
{
	parse("43200 aa:bb:cc:dd:ee:01 192.168.1.10 nas *\n", DNS_LEASE_DNSMASQ);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10;");
}

static void
dnsmasq_bad_lines_are_left_out_and_counted(void)
{
	parse("1767903600 aa:bb 192.168.1.10 nas *\r\n"
	      "\n"
	      "1767903600 aa:bb 192.168.1.300 x *\n"
	      "1767903600 aa:bb\n"
	      "later aa:bb 192.168.1.11 y *\n"
	      "99999999999999999999 aa:bb 192.168.1.11 y *\n",
	    DNS_LEASE_DNSMASQ);
	CU_ASSERT_EQUAL(set.bad, 4);
	CU_ASSERT_EQUAL(set.bad_line, 3);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10 +3600;");
}

/* --- Kea -------------------------------------------------------------------------------------- */

#define KEA4 "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname," \
	     "state,user_context,pool_id\n"
#define KEA6 "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len," \
	     "fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"

static void
kea_later_lines_replace_earlier_ones(void)
{
	parse(KEA4 "192.168.1.10,aa:01,,3600,1767900100,1,0,0,nas.home.arpa.,0,,0\n"
		   "192.168.1.11,aa:02,,3600,1767900100,1,0,0,tv,0,,0\n"
		   "192.168.1.10,aa:01,,3600,1767903600,1,0,0,nas.home.arpa.,0,,0\n"
		   "192.168.1.11,aa:02,,0,1767903600,1,0,0,tv,0,,0\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas.home.arpa 192.168.1.10 +3600;");
}

static void
kea_states_other_than_default_end_a_lease(void)
{
	parse(KEA4 "192.168.1.10,aa:01,,3600,1767903600,1,0,0,declined,1,,0\n"
		   "192.168.1.11,aa:02,,3600,1767903600,1,0,0,reclaimed,2,,0\n"
		   "192.168.1.12,aa:03,,3600,1767903600,1,0,0,fine,0,,0\n"
		   "192.168.1.13,aa:04,,4294967295,1767900000,1,0,0,infinite,0,,0\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "fine 192.168.1.12 +3600;infinite 192.168.1.13;");
}

static void
kea_commas_inside_a_field_are_escaped(void)
{
	parse(KEA4 "192.168.1.10,aa:01,,3600,1767903600,1,0,0,a&#x2cb,0,{ \"x\": 1&#x2c 2 },0\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "a&#x2cb 192.168.1.10 +3600;");
}

static void
kea_six_skips_delegated_prefixes(void)
{
	parse(KEA6 "fd00::10,00:01:aa,3600,1767903600,1,1800,0,7,128,0,0,nas,,0,,,,0\n"
		   "fd00::11,00:01:aa,3600,1767903600,1,1800,1,7,128,0,0,nas,,0,,,,0\n"
		   "fd00:1::,00:01:aa,3600,1767903600,1,1800,2,7,56,0,0,nas,,0,,,,0\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas fd00::10 +3600;nas fd00::11 +3600;");
}

static void
kea_rows_may_be_short_or_senseless(void)
{
	parse("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname\n"
	      "192.168.1.10,aa:01,,3600,1767903600,1,0,0,nas\n"
	      "192.168.1.11,aa:01\n"
	      ",,,,,,,,\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_EQUAL(set.bad, 2);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10 +3600;");
}

/* --- ISC -------------------------------------------------------------------------------------- */

static void
isc_the_last_block_of_an_address_counts(void)
{
	parse("# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
	      "authoring-byte-order little-endian;\n"
	      "lease 192.168.1.10 {\n"
	      "  starts 4 2026/01/08 18:00:00;\n"
	      "  ends 4 2026/01/08 20:20:00;\n"
	      "  binding state active;\n"
	      "  next binding state free;\n"
	      "  hardware ethernet aa:bb:cc:dd:ee:01;\n"
	      "  uid \"\\001\\252\\\";{}\";\n"
	      "  client-hostname \"old\";\n"
	      "}\n"
	      "lease 192.168.1.11 { ends never; client-hostname \"printer\"; }\n"
	      "lease 192.168.1.10 {\n"
	      "  ends 4 2026/01/08 20:20:00;\n"
	      "  binding state active;\n"
	      "  client-hostname \"nas\";\n"
	      "}\n"
	      "lease 192.168.1.12 { ends never; client-hostname \"was\"; }\n"
	      "lease 192.168.1.12 { ends never; binding state free; client-hostname \"was\"; }\n"
	      "lease 192.168.1.13 { ends epoch 1767900500; # Thu Jan  8\n"
	      "  binding state active; set ddns-fwd-name = \"tv.home.arpa\"; }\n",
	    DNS_LEASE_ISC);
	CU_ASSERT_EQUAL(set.bad, 0);
	/* 2026-01-08 20:20:00 UTC is 1767903600. */
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10 +3600;printer 192.168.1.11;"
					     "tv.home.arpa 192.168.1.13 +500;");
}

static void
isc_six_has_addresses_inside_of_clients(void)
{
	parse("server-duid \"\\000\\001\";\n"
	      "ia-na \"\\007\\000nas\" {\n"
	      "  cltt 4 2026/01/08 18:00:00;\n"
	      "  iaaddr 2001:db8::10 {\n"
	      "    binding state active;\n"
	      "    preferred-life 375;\n"
	      "    ends 4 2026/01/08 20:20:00;\n"
	      "    set ddns-fwd-name = \"nas\";\n"
	      "  }\n"
	      "  iaaddr 2001:db8::11 { binding state expired; ends 4 2026/01/08 20:20:00;\n"
	      "    set ddns-fwd-name = \"nas\"; }\n"
	      "  iaaddr 2001:db8::12 { binding state active; ends 4 2026/01/08 20:21:00;\n"
	      "    set ddns-fwd-name = \"nas\"; }\n"
	      "}\n"
	      "ia-pd \"\\007\" { iaprefix 2001:db8:1::/56 { binding state active; ends never; } }\n",
	    DNS_LEASE_ISC);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 2001:db8::10 +3600;nas 2001:db8::12 +3660;");
}

static void
isc_other_blocks_are_stepped_over(void)
{
	parse("host pc { dynamic; hardware ethernet aa:bb; fixed-address 192.168.1.9;\n"
	      "  lease 192.168.1.8 { ends never; client-hostname \"inner\"; } }\n"
	      "failover peer \"x\" state { my state normal at 4 2026/01/08 18:00:00; }\n"
	      "lease 192.168.1.10 { ends never; weird { ends 1; client-hostname \"no\"; }\n"
	      "  client-hostname \"nas\"; }\n"
	      "} }\n"
	      "lease 192.168.1.11 { ends never; client-hostname \"pc\"; }\n",
	    DNS_LEASE_ISC);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10;pc 192.168.1.11;");
}

static void
isc_bad_dates_and_cut_files_are_survived(void)
{
	parse("lease 192.168.1.10 { ends 4 2026-01-08 x; client-hostname \"nas\"; }\n"
	      "lease nowhere { ends never; client-hostname \"b\"; }\n"
	      "lease { }\n"
	      "lease 192.168.1.11 { ends never; client-hostname \"cut",
	    DNS_LEASE_ISC);
	CU_ASSERT_EQUAL(set.bad, 3);
	CU_ASSERT_EQUAL(set.bad_line, 1);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "nas 192.168.1.10;");
}

/* --- odhcpd ----------------------------------------------------------------------------------- */

static void
odhcpd_says_it_in_its_comments(void)
{
	parse("fd12::5\tnas.lan\tnas\n"
	      "# br-lan 00010001aabb 1 nas 1767903600 5 128 fd12::5/128 2001:db8::5/128\n"
	      "192.168.1.10\tpc.lan\tpc\n"
	      "# br-lan aabbccddeeff ipv4 pc -1 10 32 192.168.1.10/32\n"
	      "# br-lan aabbccddee00 ipv4 - 1767903600 11 32 192.168.1.11/32\n"
	      "# br-lan aabbccddee01 ipv4 broken\\x20bad 1767903600 12 32 192.168.1.12/32\n"
	      "# br-lan 00010001ccdd 2 router 1767903600 100 56 2001:db8:0:100::/56\n"
	      "# br-lan 00010001ccee 3 old 0 6 128\n"
	      "# br-lan 00010001ccef 4 late 1767899999 7 128 fd12::7/128\n",
	    DNS_LEASE_ODHCPD);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW),
	    "nas 2001:db8::5 +3600;nas fd12::5 +3600;pc 192.168.1.10;");
}

/* --- networkd --------------------------------------------------------------------------------- */

static void
networkd_writes_json(void)
{
	parse("{\n\t\"BootID\":\"d7f5\",\"Address\":[192,168,124,1],\"PrefixLength\":24,\n"
	      "\"Leases\":[{\"ClientId\":[1,198],\"Address\":[192,168,124,26],\"Hostname\":\"w1\","
	      "\"HardwareAddressLength\":6,\"ExpirationUSec\":5,"
	      "\"ExpirationRealtimeUSec\":1767903600999999},\n"
	      "{\"Address\":[192,168,124,27],\"ExpirationRealtimeUSec\":1767903600000000},\n"
	      "{\"Address\":[192,168,124,28],\"Hostname\":\"\",\"x\":{\"y\":[1,{\"z\":null}],\"}\":\"]\"}},\n"
	      "{\"Hostname\":\"w\\\"4\",\"Address\":[192,168,124,29]}], \"other\": [], \"t\": true}\n",
	    DNS_LEASE_NETWORKD);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "w1 192.168.124.26 +3600;w\\\"4 192.168.124.29;");
	parse("{}", DNS_LEASE_NETWORKD);
	parse("{ \"Leases\": [ ] }", DNS_LEASE_NETWORKD);
	CU_ASSERT_EQUAL(set.bad, 0);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "");
}

static void
networkd_broken_json_is_counted(void)
{
	static const char *const broken[] = { "{", "{\"a\"", "{\"a\":", "{\"Leases\":[",
		"{\"Leases\":[{", "{\"Leases\":[{\"Address\":[1,2,3,4]", "{\"Leases\":[1]}",
		"{\"Leases\":[{\"Hostname\":\"x", "{\"a\":}", "{\"a\":[1,2}", "{,}", "{\"a\" 1}",
		"{\"Leases\":[{\"Address\":[1,2,3]}]}", "{\"Leases\":[{\"Address\":[1,2,3,4,5]}]}",
		"{\"Leases\":[{\"Address\":[1,2,3,256]}]}",
		"{\"Leases\":[{\"Address\":[1,2,3,\"4\"]}]}",
		"{\"Leases\":[{}]}", "{\"a\":\"\\" };

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		parse(broken[i], DNS_LEASE_NETWORKD);
		CU_ASSERT_EQUAL(set.bad, 1);
		CU_ASSERT_STRING_EQUAL(settled(NOW), "");
	}
}

/* --- what is common --------------------------------------------------------------------------- */

static void
what_is_no_lease_file_is_refused(void)
{
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN("192.168.1.1 nas\n"), 0), ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN("\x7f" "ELF\x02\x01\x01"), 0), ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN("ADDRESS=192.168.1.1\n"), 0), ERR_UNSUPPORTED);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN(""), 0), OK);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN("# none yet\n\n"), 0), OK);
	CU_ASSERT_EQUAL(set.count, 0);
	CU_ASSERT_STRING_EQUAL(dns_lease_format_name(DNS_LEASE_ISC), "ISC dhcpd");
}

static void
one_name_belongs_to_the_client_with_the_longest_lease(void)
{
	parse("1767903600 aa:01 192.168.1.10 phone *\n"
	      "1767903700 aa:02 192.168.1.11 phone *\n"
	      "1767903650 aa:02 192.168.1.12 phone *\n"
	      "1767903600 1 fd00::1 phone duid1\n"
	      "1767903700 2 fd00::2 phone duid2\n"
	      "1767903650 3 fd00::3 phone duid2\n",
	    DNS_LEASE_DNSMASQ);
	CU_ASSERT_STRING_EQUAL(settled(NOW),
	    "phone 192.168.1.11 +3700;phone fd00::2 +3700;phone fd00::3 +3650;");
}

static void
an_address_given_to_another_client_loses_its_old_name(void)
{
	parse(KEA4 "192.168.1.10,aa:01,,3600,1767903600,1,0,0,old,0,,0\n"
		   "192.168.1.10,aa:02,,3600,1767903600,1,0,0,,0,,0\n",
	    DNS_LEASE_KEA);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "");
}

static void
a_later_source_replaces_an_earlier_one(void)
{
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN(KEA4
	    "192.168.1.10,aa:01,,3600,1767903600,1,0,0,new,0,,0\n"), 1), OK);
	CU_ASSERT_EQUAL(dns_lease_parse(&set, SPAN(KEA4 "\n\n"
	    "192.168.1.10,aa:01,,3600,1767903600,1,0,0,old,0,,0\n"), 0), OK);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "new 192.168.1.10 +3600;");
}

static void
the_next_expiry_is_told(void)
{
	parse("1767903600 aa:01 192.168.1.10 a *\n"
	      "1767900100 aa:02 192.168.1.11 b *\n"
	      "1767900000 aa:03 192.168.1.12 c *\n"
	      "0 aa:04 192.168.1.13 d *\n",
	    DNS_LEASE_DNSMASQ);
	CU_ASSERT_EQUAL(dns_lease_settle(&set, NOW), NOW + 100);
	CU_ASSERT_EQUAL(set.count, 3);
	CU_ASSERT_EQUAL(dns_lease_settle(&set, NOW + 100), NOW + 3600);
	CU_ASSERT_EQUAL(dns_lease_settle(&set, NOW + 3600), DNS_LEASE_FOREVER);
	CU_ASSERT_STRING_EQUAL(settled(NOW + 3600), "d 192.168.1.13;");
}

static void
names_too_long_are_no_names(void)
{
	char text[512] = "0 aa:01 192.168.1.10 ";

	memset(text + strlen(text), 'a', 254);
	strcat(text, " *\n");
	parse(text, DNS_LEASE_DNSMASQ);
	CU_ASSERT_EQUAL(set.count, 1);
	CU_ASSERT_STRING_EQUAL(settled(NOW), "");
}

UNIT_MAIN("dns_lease", UNIT(dnsmasq_both_protocols),
    UNIT(dnsmasq_without_a_clock_counts_from_the_start),
    UNIT(dnsmasq_bad_lines_are_left_out_and_counted), UNIT(kea_later_lines_replace_earlier_ones),
    UNIT(kea_states_other_than_default_end_a_lease), UNIT(kea_commas_inside_a_field_are_escaped),
    UNIT(kea_six_skips_delegated_prefixes), UNIT(kea_rows_may_be_short_or_senseless),
    UNIT(isc_the_last_block_of_an_address_counts), UNIT(isc_six_has_addresses_inside_of_clients),
    UNIT(isc_other_blocks_are_stepped_over), UNIT(isc_bad_dates_and_cut_files_are_survived),
    UNIT(odhcpd_says_it_in_its_comments), UNIT(networkd_writes_json),
    UNIT(networkd_broken_json_is_counted), UNIT(what_is_no_lease_file_is_refused),
    UNIT(one_name_belongs_to_the_client_with_the_longest_lease),
    UNIT(an_address_given_to_another_client_loses_its_old_name),
    UNIT(a_later_source_replaces_an_earlier_one), UNIT(the_next_expiry_is_told),
    UNIT(names_too_long_are_no_names))
