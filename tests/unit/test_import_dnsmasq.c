/* SPDX-License-Identifier: MIT */
#include "hearthctl/import_dnsmasq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/addrset.h"
#include "support/unit.h"

/* A file system of a few texts. */
struct file {
	const char *path;
	const char *text;
};

struct files {
	const struct file *at;
	size_t count;
	const char *names;	/* of any folder, a zero after each */
	size_t names_len;
};

static char *
fake_read(void *ctx, const char *path, size_t *len)
{
	const struct files *fs = ctx;

	for (size_t i = 0; i < fs->count; i++) {
		if (strcmp(fs->at[i].path, path) != 0)
			continue;
		*len = strlen(fs->at[i].text);
		return strdup(fs->at[i].text);
	}
	errno = ENOENT;
	return NULL;
}

static char *
fake_list(void *ctx, const char *path)
{
	const struct files *fs = ctx;
	char *names = fs->names != NULL ? calloc(1, fs->names_len + 1) : NULL;

	(void)path;
	if (names == NULL) {
		errno = ENOENT;
		return NULL;
	}
	return memcpy(names, fs->names, fs->names_len);
}

static struct import_counts counts;

static char *
import_files_of(struct files *fs)
{
	struct import_files files = { .ctx = fs, .read = fake_read, .list = fake_list };
	char *paths[] = { (char *)(uintptr_t)fs->at[0].path };
	char *out = NULL;
	size_t bad;

	CU_ASSERT_EQUAL_FATAL(import_dnsmasq(&files, paths, 1, &out, &counts, &bad), OK);
	return out;
}

static char *
import(const char *text)
{
	struct file one = { "c", text };
	struct files fs = { .at = &one, .count = 1 };

	return import_files_of(&fs);
}

/* The file that `text` becomes holds all of `parts`, NULL at the end. */
static void
expect(const char *text, const char *const *parts)
{
	char *out = import(text);

	for (; *parts != NULL; parts++) {
		if (strstr(out, *parts) == NULL)
			printf("\nmissing: %s\nin:\n%s", *parts, out);
		CU_ASSERT_PTR_NOT_NULL(strstr(out, *parts));
	}
	free(out);
}
#define EXPECT(text, ...) expect((text), (const char *const[]){ __VA_ARGS__, NULL })

/* One line is not carried over, for a reason that holds `why`. */
static void
expect_lost(const char *line, const char *why)
{
	char *out = import(line);
	char *lost = strstr(out, "=== Not carried over ===");

	CU_ASSERT_EQUAL(counts.lost, 1);
	if (lost == NULL || strstr(lost, why) == NULL)
		printf("\n%s\nmissing: %s\nin:\n%s", line, why, out);
	CU_ASSERT(lost != NULL && strstr(lost, why) != NULL);
	free(out);
}

static bool
holds(const char *text, const char *part)
{
	char *out = import(text);
	bool found = strstr(out, part) != NULL;

	free(out);
	return found;
}

/* --- servers ---------------------------------------------------------------------------------- */

static void
servers_keep_their_order_and_ports(void)
{
	EXPECT("no-resolv\nserver=9.9.9.9\nserver=1.1.1.1#5353\nserver=2620:fe::fe#54\n",
	    "\tupstream = {\n"
	    "\t\t\"9.9.9.9\",\n\t\t\"1.1.1.1:5353\",\n\t\t\"[2620:fe::fe]:54\"\n\t}\n");
	EXPECT("server=fd00::1:53\n", "upstream = { \"[fd00::1:53]\" }");
	EXPECT("server=fe80::1%eth0\n", "upstream = { \"fe80::1%eth0\" }",
	    "as there is no no-resolv");
	CU_ASSERT(!holds("no-resolv\nserver=9.9.9.9\n", "as there is no no-resolv"));
	expect_lost("server=1.1.1.1#0", "port 0");
}

static void
servers_of_zones_become_routes(void)
{
	EXPECT("server=/a.example/b.example/10.0.0.1\nserver=/a.example/10.0.0.2\n",
	    "route \"a.example\" {\n\t\tupstream = {\n\t\t\t\"10.0.0.1\",\n\t\t\t\"10.0.0.2\"",
	    "route \"b.example\" {\n\t\tupstream = { \"10.0.0.1\" }");
	EXPECT("server=/*.wild.example/10.0.0.1\nserver=/.dot.example/10.0.0.2\n",
	    "route \"wild.example\"", "the zone's own name", "route \"dot.example\"");
	expect_lost("server=/*part.example/10.0.0.1", "parts of labels");
	expect_lost("server=//10.0.0.1", "plain names");
}

static void
interfaces_and_sources_are_those_of_a_route(void)
{
	EXPECT("server=/vpn.example/10.8.0.1@wg0@10.8.0.2#53\n", "interface = \"wg0\"",
	    "source = \"10.8.0.2\"", "does not fix the port");
	EXPECT("server=9.9.9.9@eth0\n", "\tinterface = \"eth0\"\n");
	expect_lost("server=9.9.9.9@eth0\nserver=1.1.1.1@wg0\n", "over one interface");
	expect_lost("server=9.9.9.9@eth0\nserver=1.1.1.1\n", "over one interface");
}

static void
a_zone_can_go_back_to_the_usual_servers(void)
{
	EXPECT("server=/example/10.0.0.1\nserver=/www.example/#\nserver=9.9.9.9\n",
	    "route \"www.example\" {\n\t\tupstream = { \"9.9.9.9\" }");
	expect_lost("server=/example/10.0.0.1\nserver=/www.example/#\n", "resolv.conf");
	CU_ASSERT(!holds("server=/www.example/#\n", "route \"www"));
}

static void
a_server_by_name_is_looked_up_at_those_with_an_address(void)
{
	EXPECT("server=dns.example#5353\nserver=9.9.9.9\nserver=/corp/10.0.0.1\n",
	    "\t\t\"dns.example:5353\",\n\t\t\"9.9.9.9\"\n", "bootstrap = { \"9.9.9.9\" }");
	EXPECT("server=/a.example/ns.example\nserver=2620:fe::fe\n",
	    "upstream = { \"ns.example\" }");
	expect_lost("server=dns.example\nserver=/corp/10.0.0.1", "no server here has an address");
	CU_ASSERT(!holds("server=9.9.9.9\n", "bootstrap"));
}

static void
a_server_that_is_neither_address_nor_name_is_lost(void)
{
	expect_lost("server=9.9.9", "neither an address nor a name");
	expect_lost("server=/a.example/9.9.9.9#port", "neither an address nor a name");
	expect_lost("server=9.9.9.9#70000", "neither an address nor a name");
}

static void
local_zones_and_servers_without_address_are_one(void)
{
	EXPECT("local=/lan/\nserver=/corp/office/\nlocal=/lan/\n",
	    "local = {\n\t\t\"lan\",\n\t\t\"corp\",\n\t\t\"office\"\n\t}");
	expect_lost("local=/lan", "slash");
	expect_lost("local=/a..b/", "name");
}

static void
reverse_servers_lie_on_borders_of_labels(void)
{
	EXPECT("rev-server=10.0.0.0/8,10.0.0.1\n", "route \"10.0.0.0/8\" {");
	EXPECT("rev-server=192.168.1.77,10.0.0.1\n", "route \"192.168.1.77/32\" {");
	EXPECT("rev-server=172.16.4.0/23,10.0.0.1@wg0\n", "route \"172.16.4.0/24\"",
	    "route \"172.16.5.0/24\"", "several zones");
	EXPECT("rev-server=fd00:1::/34,10.0.0.1\n", "route \"fd00:1::/36\"",
	    "route \"fd00:1:1000::/36\"", "route \"fd00:1:2000::/36\"",
	    "route \"fd00:1:3000::/36\"");
	EXPECT("rev-server=10.9.0.0/16\n", "local = { \"10.9.0.0/16\" }");
	expect_lost("rev-server=10.0.0.0/9,10.0.0.1", "too many zones");
	expect_lost("rev-server=10.0.0.0/0,10.0.0.1", "not one");
	expect_lost("rev-server=net,10.0.0.1", "not one");
}

static void
addresses_of_zones_keep_their_meaning(void)
{
	EXPECT("address=/apps.example/192.168.1.7\naddress=/a/b/fd00::1\n",
	    "\"/apps.example/192.168.1.7\"", "\"/a/fd00::1\"", "\"/b/fd00::1\"");
	EXPECT("address=/ads.example/#\n", "address = { \"/ads.example/#\" }");
	EXPECT("address=/gone.example/\n", "address = { \"/gone.example/\" }");
	EXPECT("address=/#/10.0.0.1\n", "address = { \"/./10.0.0.1\" }");
	expect_lost("address=//10.0.0.1", "plain names");
	expect_lost("address=/a/10.0.0", "none");
	expect_lost("address=10.0.0.1", "slash");
}

static void
a_list_in_disguise_is_pointed_out(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (int i = 0; i < 600; i++)
		fprintf(f, "address=/ads%d.example/0.0.0.0\n", i);
	fclose(f);
	EXPECT(text, "are a list, not settings", "\"/ads0.example/0.0.0.0\"");
	CU_ASSERT_EQUAL(counts.lost, 88);
	free(text);
}

static void
servers_of_another_resolv_conf_are_read_now(void)
{
	struct file two[] = { { "c", "resolv-file=/run/r\n" },
		{ "/run/r", "nameserver 192.0.2.1\nnameserver fd00::1\n" } };
	struct files fs = { .at = two, .count = 2 };
	char *out = import_files_of(&fs);

	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"192.0.2.1\",\n\t\t\"fd00::1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "stand in the file now"));
	free(out);
	expect_lost("resolv-file=/none", "cannot be read here");
	CU_ASSERT(!holds("resolv-file=/etc/resolv.conf\n", "not carried"));
}

/* --- names ------------------------------------------------------------------------------------ */

static void
hosts_records_become_one_record_an_address(void)
{
	EXPECT("host-record=nas.example,nas,192.168.1.5,fd00::5,300\n",
	    "\"nas.example. 300 IN A 192.168.1.5\"", "\"nas.example. 300 IN AAAA fd00::5\"",
	    "\"nas. 300 IN A 192.168.1.5\"");
	expect_lost("host-record=nas", "missing");
	expect_lost("host-record=192.168.1.5", "missing");
}

static void
aliases_may_be_many_and_wild(void)
{
	EXPECT("cname=a.example,b.example,nas.example\ncname=*.c.example,nas.example,60\n",
	    "\"a.example. IN CNAME nas.example.\"", "\"b.example. IN CNAME nas.example.\"",
	    "\"*.c.example. 60 IN CNAME nas.example.\"");
	expect_lost("cname=a.example", "target");
}

static void
mail_and_services_have_their_numbers_in_order(void)
{
	EXPECT("mx-host=a.example,mx.example,5\n", "\"a.example. IN MX 5 mx.example.\"");
	EXPECT("mx-host=a.example,7\nmx-target=m.example\n", "\"a.example. IN MX 7 m.example.\"");
	EXPECT("mx-target=m.example\nmx-host=a.example\n", "\"a.example. IN MX 1 m.example.\"");
	expect_lost("mx-host=a.example", "this machine");
	EXPECT("srv-host=_ldap._tcp.a.example,l.example,389,5,7\n",
	    "\"_ldap._tcp.a.example. IN SRV 5 7 389 l.example.\"");
	EXPECT("srv-host=_ldap._tcp,l.example,389\ndomain=h.example\n",
	    "\"_ldap._tcp.h.example. IN SRV 0 0 389 l.example.\"");
	EXPECT("srv-host=_sip._udp.a.example\n", "\"_sip._udp.a.example. IN SRV 0 0 1 .\"");
}

static void
texts_are_quoted_for_the_zone_and_for_the_settings(void)
{
	EXPECT("txt-record=a.example,\"v=spf1 a -all\"\n",
	    "\"a.example. IN TXT \\\"v=spf1 a -all\\\"\"");
	EXPECT("txt-record=a.example,\"with, a # comma\",plain # comment\n",
	    "IN TXT \\\"with, a # comma\\\" \\\"plain\\\"\"");
	EXPECT("txt-record=a.example,\"say \\\"x\\\" \\\\\"\n",
	    "IN TXT \\\"say \\\\\\\"x\\\\\\\" \\\\\\\\\\\"\"");
	EXPECT("txt-record=a.example,${HOME}\n", "TXT \\\"\\${HOME}\\\"\"");
	EXPECT("txt-record=a.example,h\xc3\xa9\n", "TXT \\\"h\\\\195\\\\169\\\"\"");
	EXPECT("txt-record=a.example\n", "IN TXT \\\"\\\"\"");
}

static void
a_long_text_is_split(void)
{
	char line[400] = "txt-record=a.example,";
	char *out;

	memset(line + strlen(line), 'x', 300);
	out = import(line);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "x\\\" \\\"xxxxx"));
	free(out);
}

static void
other_records_are_carried_over(void)
{
	EXPECT("ptr-record=_http._tcp.a.example,\"New Printer.b.example\"\n",
	    "\"_http._tcp.a.example. IN PTR New\\\\032Printer.b.example.\"");
	EXPECT("naptr-record=a.example,100,10,S,SIP+D2U,,_sip._udp.a.example\n",
	    "IN NAPTR 100 10 \\\"S\\\" \\\"SIP+D2U\\\" \\\"\\\" _sip._udp.a.example.\"");
	EXPECT("caa-record=a.example,128,issue,ca.example\n",
	    "\"a.example. IN CAA 128 issue \\\"ca.example\\\"\"");
	EXPECT("dns-rr=a.example,65,01:23 45ab\n", "\"a.example. IN TYPE65 \\\\# 4 012345ab\"");
	EXPECT("dns-rr=a.example,65\n", "\"a.example. IN TYPE65 \\\\# 0\"");
	expect_lost("dns-rr=a.example,65,012", "whole bytes");
	expect_lost("dns-rr=a.example,65,xy", "hexadecimal");
	expect_lost("caa-record=a.example,300,issue,ca.example", "flags");
	expect_lost("naptr-record=a.example,100,10", "missing");
	expect_lost("host-record=a..b,10.0.0.1", "name");
}

static void
hosts_of_the_dhcp_server_become_records(void)
{
	EXPECT("dhcp-host=11:22:33:44:55:66,set:red,pc,192.168.1.20,45m\ndomain=h.example\n",
	    "\"pc.h.example. IN A 192.168.1.20\"", "\"pc. IN A 192.168.1.20\"",
	    "have become a record");
	EXPECT("dhcp-host=id:00:01,pc,[fd00::20],infinite\n", "\"pc. IN AAAA fd00::20\"");
	expect_lost("dhcp-host=11:22:33:44:55:66,192.168.1.20", "gives out no addresses");
	expect_lost("dhcp-host=11:22:33:44:55:66,pc,[::20]", "gives out no addresses");
	expect_lost("dhcp-host=pc,ignore,192.168.1.20", "gives out no addresses");
}

static void
leases_are_read_where_dhcp_stays(void)
{
	EXPECT("dhcp-leasefile=/l\n", "leases = { \"/l\" }");
	EXPECT("dhcp-range=10.0.0.10,10.0.0.20\n",
	    "leases = { \"/var/lib/misc/dnsmasq.leases\" }", "port=0");
	CU_ASSERT(!holds("server=9.9.9.9\n", "leases"));
}

static void
hosts_files_follow_no_hosts(void)
{
	EXPECT("addn-hosts=/a\nhostsdir=/d\n",
	    "hosts = {\n\t\t\"/etc/hosts\",\n\t\t\"/a\",\n\t\t\"/d\"\n\t}");
	EXPECT("addn-hosts=/a\nno-hosts\n", "hosts = { \"/a\" }");
	EXPECT("no-hosts\n", "hosts = {}");
	CU_ASSERT(!holds("port=53\n", "hosts ="));
}

static void
the_domain_may_be_that_of_a_network(void)
{
	EXPECT("domain=h.example,192.168.1.0/24,local\n", "domain = \"h.example\"",
	    "local = { \"h.example\" }", "not of one network", "no expand-hosts");
	expect_lost("domain=h.example\ndomain=g.example,10.0.0.0/24\n", "one domain");
	expect_lost("domain=#", "resolv.conf");
	CU_ASSERT(!holds("domain=h.example\nexpand-hosts\n", "no expand-hosts"));
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
listening_is_by_address_and_port(void)
{
	EXPECT("listen-address=127.0.0.1,fd00::1\nport=5353\n",
	    "listen = {\n\t\t\"127.0.0.1:5353\",\n\t\t\"[fd00::1]:5353\"\n\t}");
	EXPECT("port=5353\n", "\"0.0.0.0:5353\"", "\"[::]:5353\"");
	CU_ASSERT(!holds("port=53\n", "listen"));
	expect_lost("interface=eth0", "on addresses, not on interfaces");
	expect_lost("listen-address=eth0", "none");
	expect_lost("port=65536", "port");
}

static void
port_0_leaves_dns_out(void)
{
	CU_ASSERT(!holds("port=0\ncache-size=10\nenable-tftp\ntftp-root=/t\n", "dns {"));
	EXPECT("port=0\nenable-tftp\n", "tftp {", "answers no names, so there is no section dns");
	EXPECT("port=0\n", "nothing for hearthd to do");
}

static void
the_cache_is_counted_in_bytes(void)
{
	EXPECT("cache-size=150\n", "cache-size = \"32MiB\"", "# 150 names;");
	EXPECT("cache-size=1000000\n", "cache-size = \"611MiB\"");
	EXPECT("cache-size=0\n", "no-cache = { \".\" }");
	expect_lost("cache-size=many", "none");
	EXPECT("min-cache-ttl=30\nmax-cache-ttl=172800\nno-negcache\n", "min-ttl = \"30s\"",
	    "max-ttl = \"172800s\"", "max-negative-ttl = \"0s\"");
	EXPECT("max-ttl=3600\nmax-cache-ttl=86400\n", "max-ttl = \"3600s\"");
	EXPECT("max-cache-ttl=86400\nmax-ttl=3600\n", "max-ttl = \"3600s\"");
	EXPECT("min-cache-ttl=7200\n", "min-ttl = \"3600s\"", "0 to 3600 seconds for min-ttl");
	EXPECT("use-stale-cache=3600\n", "stale = true", "stale-window = \"3600s\"");
	EXPECT("use-stale-cache=0\n", "stale-window = \"7d\"");
}

static void
tftp_is_a_section_of_its_own(void)
{
	EXPECT("enable-tftp\ntftp-root=/srv/tftp,eth0\ntftp-unique-root\ntftp-max=9\n"
	       "tftp-no-blocksize\ntftp-single-port\n",
	    "root = \"/srv/tftp\"", "unique-root = \"address\"", "sessions-max = 9",
	    "blksize-max = 512", "port-mode = \"single\"", "of all interfaces",
	    "hearthd agrees to 512");
	EXPECT("enable-tftp\ntftp-no-blocksize\ntftp-mtu=1400\ntftp-single-port\n"
	       "tftp-port-range=1,9\n", "blksize-max = 512", "port-mode = \"single\"",
	    "whatever the MTU", "no port of their own");
	EXPECT("enable-tftp\ntftp-root=/b,eth1\ntftp-root=/a\ntftp-root=/c,eth2\n", "root = \"/a\"");
	CU_ASSERT_EQUAL(counts.lost, 2);
	CU_ASSERT_EQUAL(counts.differing, 0);
	EXPECT("enable-tftp=eth0\ntftp-mtu=1400\ntftp-port-range=1,9\ntftp-unique-root=mac\n",
	    "blksize-max = 1368", "port-mode = \"1-9\"", "unique-root = \"mac\"",
	    "/srv/tftp unless");
	EXPECT("enable-tftp\nlisten-address=10.0.0.1\n", "listen = { \"10.0.0.1:69\" }");
	CU_ASSERT(!holds("tftp-root=/srv/tftp\nlisten-address=10.0.0.1\n", "tftp {"));
	expect_lost("enable-tftp\ntftp-root=/a\ntftp-root=/b,eth1\n", "one root");
	expect_lost("tftp-port-range=9,1", "none");
}

static void
a_log_of_queries_is_a_section(void)
{
	EXPECT("log-queries=extra\n", "\tquery-log {\n\t}\n", "The lines look otherwise");
	CU_ASSERT_EQUAL(counts.lost, 0);
}

static void
comments_and_blanks_mean_nothing(void)
{
	EXPECT("# all of it\n\n  server = 9.9.9.9   # quad\nserver=\"1.1.1.1\"\r\n",
	    "\"9.9.9.9\",\n\t\t\"1.1.1.1\"");
	CU_ASSERT_EQUAL(counts.lines, 2);
	EXPECT("server=9.9.9.9#5353\n", "\"9.9.9.9:5353\"");
}

/* Whatever becomes of a line, it is one line. */
static void
lines_are_counted_once(void)
{
	struct file files[] = { { "c", "conf-file=d\nconf-file=none\nserver=9.9.9.9\n"
		"address=/a..b/c..d/good.example/10.0.0.1\nlog-queries\nmax-ttl=9999999\n" },
		{ "d", "dhcp-range=10.0.0.1,10.0.0.9\n\"open\n# nothing\n" } };
	struct files fs = { .at = files, .count = 2 };

	free(import_files_of(&fs));
	CU_ASSERT_EQUAL(counts.lines, 8);
	CU_ASSERT_EQUAL(counts.known, 7);
	CU_ASSERT_EQUAL(counts.lost, 4);	/* none, a..b and c..d, dhcp-range, open */
	/* log-queries; max-ttl, for two reasons. No line says that resolv.conf is read as well. */
	CU_ASSERT_EQUAL(counts.differing, 2);
}

static void
of_two_strategies_the_stronger_one_holds(void)
{
	EXPECT("strict-order\nserver=9.9.9.9\n", "strategy = \"order\"");
	EXPECT("all-servers\nstrict-order\nserver=9.9.9.9\n", "strategy = \"parallel\"",
	    "#     c:2: strict-order", "their order says nothing");
	EXPECT("strict-order\nall-servers\nserver=9.9.9.9\n", "strategy = \"parallel\"");
	CU_ASSERT_EQUAL(counts.lost + counts.differing, 0);
}

static void
names_with_blanks_are_kept_and_told(void)
{
	EXPECT("host-record=my camera.lan,10.0.0.1\nlocal=/my lan/\n",
	    "my\\\\032camera.lan. IN A 10.0.0.1", "local = { \"my\\\\032lan\" }",
	    "A name with a blank", "#     c:1: host-record", "#     c:2: local");
	CU_ASSERT_EQUAL(counts.differing, 2);
}

/* Imported settings shall not refuse what dnsmasq let pass. */
static void
zones_of_servers_in_the_house_may_lead_into_it(void)
{
	EXPECT("no-resolv\nserver=/fritz.box/192.168.178.1\nserver=/pub.example/9.9.9.9\n"
	       "server=/lan/10.0.0.1\nrev-server=192.168.178.0/24,192.168.178.1\nserver=9.9.9.9\n",
	    "rebind-allow = { \"fritz.box\" }", "zones of servers in the house");
	CU_ASSERT(!holds("stop-dns-rebind\nserver=/fritz.box/192.168.178.1\n", "\trebind-allow = "));
}

static void
lines_that_make_no_sense_are_named(void)
{
	static char line[6000];

	expect_lost("txt-record=a,\"open", "not closed");
	expect_lost("server=\x01", "control characters");
	expect_lost("no-such-thing=1", "does not know");
	memset(line, 'a', sizeof(line) - 1);
	expect_lost(line, "too long");
	expect_lost("c:1", "c:1");
}

static void
included_files_are_followed(void)
{
	struct file four[] = {
		{ "c", "conf-dir=/d,*.conf,.bad.conf\nconf-file=/x\nserver=3.3.3.3\n" },
		{ "/d/a.conf", "server=1.1.1.1\nconf-file=c\n" },
		{ "/d/b.conf", "server=2.2.2.2\n" },
		{ "/d/z.bad.conf", "server=4.4.4.4\n" } };
	static const char names[] = "#x#\0.h.conf\0a.conf\0b.conf\0c.conf~\0d.txt\0z.bad.conf\0";
	struct files fs = { .at = four, .count = 4, .names = names, .names_len = sizeof(names) };
	char *out = import_files_of(&fs);

	CU_ASSERT_PTR_NOT_NULL(
	    strstr(out, "\"1.1.1.1\",\n\t\t\"2.2.2.2\",\n\t\t\"3.3.3.3\"\n"));
	CU_ASSERT_PTR_NULL(strstr(out, "4.4.4.4"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "Followed:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "c:2: conf-file=/x"));
	CU_ASSERT_EQUAL(counts.lost, 1);
	free(out);
	expect_lost("conf-dir=/d", "folder cannot be read");
}

static void
files_of_dhcp_hosts_are_followed(void)
{
	struct file two[] = { { "c", "dhcp-hostsfile=/h\n" },
		{ "/h", "# hosts\n11:22:33:44:55:66,pc,192.168.1.20\n" } };
	struct files fs = { .at = two, .count = 2 };
	char *out = import_files_of(&fs);

	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"pc. IN A 192.168.1.20\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "/h:2: 11:22"));
	free(out);
}

static void
a_missing_file_is_an_error(void)
{
	struct files fs = { .count = 0 };
	struct import_files files = { .ctx = &fs, .read = fake_read, .list = fake_list };
	char *paths[] = { (char *)(uintptr_t) "c" }, *out;
	size_t bad = 9;

	CU_ASSERT_EQUAL(import_dnsmasq(&files, paths, 1, &out, &counts, &bad), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(bad, 0);
}

/* What dnsmasq 2.90 lists under --help, apart from what makes no sense in a file. */
static void
exemptions_from_the_rebinding_filter_are_kept(void)
{
	EXPECT("stop-dns-rebind\nrebind-domain-ok=/plex.direct/corp.example/\nrebind-domain-ok=x.example\n",
	    "rebind-allow = {\n\t\t\"plex.direct\",\n\t\t\"corp.example\",\n\t\t\"x.example\"\n\t}",
	    "=== Needs no setting ===");
	EXPECT("server=9.9.9.9\n", "rebind-protection = false");
	CU_ASSERT(!holds("stop-dns-rebind\n", "rebind-protection"));
	expect_lost("rebind-localhost-ok", "rebind-allow");
	expect_lost("rebind-domain-ok=/a..b/", "");
	EXPECT("filter-AAAA\n", "filter-aaaa = true");
}

static void
sets_of_nftables_get_their_names(void)
{
	if (!addrset_is_built(ADDRSET_NFT)) {
		expect_lost("nftset=/a.example/4#inet#fw4#vpn4", "built without");
		return;
	}
	EXPECT("nftset=/a.example/b.example/4#inet#fw4#vpn4,6#inet#fw4#vpn6\nnftset=/c.example/ip#t#s\n"
	       "nftset=/d.example/t#s\n",
	    "nftset \"inet fw4 vpn4\" {\n\t\tdomains = {\n\t\t\t\"a.example\",\n\t\t\t\"b.example\"\n\t\t}\n"
	    "\t\ttimeout = \"set\"\n",
	    "nftset \"inet fw4 vpn6\" {",
	    "nftset \"ip t s\" {\n\t\tdomains = {\n\t\t\t\"c.example\",\n\t\t\t\"d.example\"");
	expect_lost("nftset=/a.example/4#set", "FAMILY#TABLE#SET");
	expect_lost("nftset=/a.example/4#bad#t#s", "FAMILY#TABLE#SET");
	expect_lost("nftset=/a.example/4#inet#a#b#c", "FAMILY#TABLE#SET");
	expect_lost("nftset=inet#t#s", "slash");
}

static void
sets_of_ipset_get_their_names(void)
{
	if (!addrset_is_built(ADDRSET_IPSET)) {
		expect_lost("ipset=/a.example/vpn", "built without");
		return;
	}
	EXPECT("ipset=/a.example/b.example/vpn,vpn6\nipset=/c.example/vpn\n",
	    "ipset \"vpn\" {\n\t\tdomains = {\n\t\t\t\"a.example\",\n\t\t\t\"b.example\",\n\t\t\t\"c.example\"\n\t\t}\n"
	    "\t\ttimeout = \"set\"\n",
	    "ipset \"vpn6\" {\n\t\tdomains = {\n\t\t\t\"a.example\",\n\t\t\t\"b.example\"\n\t\t}\n");
	EXPECT("ipset=/#/seen\n", "domains = { \".\" }");
	expect_lost("ipset=/a.example/", "31 characters");
	expect_lost("ipset=/a.example/vpn,", "31 characters");
	expect_lost("ipset=/a.example/two words", "31 characters");
	expect_lost("ipset=/a.example/a1234567890123456789012345678901", "31 characters");
	expect_lost("ipset=vpn", "slash");
}

static void
every_option_of_dnsmasq_is_known(void)
{
	static const char options[] =
	    "listen-address address bogus-priv bogus-nxdomain cache-size no-daemon domain "
	    "domain-needed selfmx expand-hosts filterwin2k filter-A filter-AAAA filter-rr "
	    "dhcp-range group dhcp-host dhcp-hostsfile dhcp-optsfile dhcp-hostsdir dhcp-optsdir "
	    "tag-if no-hosts addn-hosts hostsdir interface except-interface dhcp-userclass "
	    "dhcp-circuitid dhcp-remoteid dhcp-subscrid dhcp-pxe-vendor dhcp-ignore dhcp-broadcast "
	    "keep-in-foreground dhcp-authoritative dhcp-leasefile localmx mx-host dhcp-boot "
	    "no-poll no-negcache use-stale-cache strict-order dhcp-option dhcp-option-force port "
	    "edns-packet-max log-queries query-port port-limit no-resolv resolv-file servers-file "
	    "server rev-server local mx-target local-ttl neg-ttl max-ttl max-cache-ttl "
	    "min-cache-ttl fast-dns-retry user dhcp-vendorclass alias srv-host pid-file "
	    "dhcp-lease-max localise-queries txt-record ptr-record interface-name bind-interfaces "
	    "read-ethers enable-dbus enable-ubus no-dhcp-interface no-dhcpv6-interface "
	    "no-dhcpv4-interface bootp-dynamic dhcp-mac bridge-interface shared-network no-ping "
	    "dhcp-script dhcp-luascript dhcp-scriptuser script-arp conf-file conf-dir conf-script "
	    "log-facility leasefile-ro dns-forward-max clear-on-reload dhcp-ignore-names "
	    "dhcp-no-override enable-tftp tftp-root tftp-unique-root tftp-secure tftp-no-fail "
	    "tftp-max tftp-mtu tftp-no-blocksize tftp-lowercase tftp-port-range tftp-single-port "
	    "log-dhcp log-async stop-dns-rebind rebind-localhost-ok rebind-domain-ok all-servers "
	    "dhcp-match dhcp-name-match dhcp-alternate-port naptr-record min-port max-port "
	    "dhcp-fqdn dhcp-generate-names dhcp-proxy dhcp-relay cname pxe-prompt pxe-service "
	    "add-mac strip-mac add-subnet strip-subnet add-cpe-id proxy-dnssec dhcp-sequential-ip "
	    "dhcp-ignore-clid conntrack dhcp-client-update enable-ra dhcp-duid host-record "
	    "dynamic-host caa-record dns-rr bind-dynamic auth-server auth-zone auth-ttl auth-soa "
	    "auth-sec-servers auth-peer ipset nftset connmark-allowlist-enable connmark-allowlist "
	    "synth-domain dnssec trust-anchor dnssec-debug dnssec-check-unsigned "
	    "dnssec-no-timecheck dnssec-timestamp dnssec-limits ra-param quiet-dhcp quiet-dhcp6 "
	    "quiet-ra log-debug local-service dns-loop-detect ignore-address dhcp-ttl "
	    "dhcp-reply-delay dhcp-rapid-commit dumpfile dumpmask script-on-renewal umbrella "
	    "quiet-tftp no-round-robin no-ident cache-rr max-tcp-connections";
	char *text = strdup(options), *out;

	for (char *p = text; *p != '\0'; p++)
		if (*p == ' ')
			*p = '\n';
	out = import(text);
	CU_ASSERT_PTR_NULL(strstr(out, "does not know this option"));
	CU_ASSERT(counts.lines > 170);
	free(out);
	free(text);
}

UNIT_MAIN("import_dnsmasq",
	UNIT(servers_keep_their_order_and_ports),
	UNIT(servers_of_zones_become_routes),
	UNIT(interfaces_and_sources_are_those_of_a_route),
	UNIT(a_zone_can_go_back_to_the_usual_servers),
	UNIT(a_server_by_name_is_looked_up_at_those_with_an_address),
    UNIT(a_server_that_is_neither_address_nor_name_is_lost),
	UNIT(local_zones_and_servers_without_address_are_one),
	UNIT(reverse_servers_lie_on_borders_of_labels),
	UNIT(addresses_of_zones_keep_their_meaning),
	UNIT(a_list_in_disguise_is_pointed_out),
	UNIT(servers_of_another_resolv_conf_are_read_now),
	UNIT(hosts_records_become_one_record_an_address),
	UNIT(aliases_may_be_many_and_wild),
	UNIT(mail_and_services_have_their_numbers_in_order),
	UNIT(texts_are_quoted_for_the_zone_and_for_the_settings),
	UNIT(a_long_text_is_split),
	UNIT(other_records_are_carried_over),
	UNIT(hosts_of_the_dhcp_server_become_records),
	UNIT(leases_are_read_where_dhcp_stays),
	UNIT(hosts_files_follow_no_hosts),
	UNIT(the_domain_may_be_that_of_a_network),
	UNIT(listening_is_by_address_and_port),
	UNIT(port_0_leaves_dns_out),
	UNIT(sets_of_nftables_get_their_names),
	UNIT(sets_of_ipset_get_their_names),
	UNIT(the_cache_is_counted_in_bytes),
	UNIT(tftp_is_a_section_of_its_own),
	UNIT(a_log_of_queries_is_a_section),
	UNIT(comments_and_blanks_mean_nothing),
	UNIT(lines_are_counted_once), UNIT(of_two_strategies_the_stronger_one_holds),
	UNIT(names_with_blanks_are_kept_and_told),
	UNIT(zones_of_servers_in_the_house_may_lead_into_it),
	UNIT(lines_that_make_no_sense_are_named),
	UNIT(included_files_are_followed),
	UNIT(files_of_dhcp_hosts_are_followed),
	UNIT(a_missing_file_is_an_error),
	UNIT(exemptions_from_the_rebinding_filter_are_kept),
	UNIT(every_option_of_dnsmasq_is_known))
