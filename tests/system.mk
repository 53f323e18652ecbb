# System tests: shell scripts around the real programs. All source tests/support/shell.sh.
# One line a test, so that changes side by side do not collide.
SYSTEM_TESTS =
SYSTEM_TESTS += tests/system/announce_files.sh
SYSTEM_TESTS += tests/system/announce_forged.sh
SYSTEM_TESTS += tests/system/announce_keys.sh
SYSTEM_TESTS += tests/system/announce_life.sh
SYSTEM_TESTS += tests/system/announce_links.sh
SYSTEM_TESTS += tests/system/announce_loss.sh
SYSTEM_TESTS += tests/system/announce_replay.sh
SYSTEM_TESTS += tests/system/announce_resume.sh
SYSTEM_TESTS += tests/system/announce_secrets.sh
SYSTEM_TESTS += tests/system/announce_tshark.sh
SYSTEM_TESTS += tests/system/dns_access.sh
SYSTEM_TESTS += tests/system/dns_answers.sh
SYSTEM_TESTS += tests/system/dns_bootstrap.sh
SYSTEM_TESTS += tests/system/dns_cache.sh
SYSTEM_TESTS += tests/system/dns_clients.sh
SYSTEM_TESTS += tests/system/dns_dhcp.sh
SYSTEM_TESTS += tests/system/dns_dnscrypt.sh
SYSTEM_TESTS += tests/system/dns_junk.sh
SYSTEM_TESTS += tests/system/dns_dump.sh
SYSTEM_TESTS += tests/system/dns_ending.sh
SYSTEM_TESTS += tests/system/dns_explain.sh
SYSTEM_TESTS += tests/system/dns_forged.sh
SYSTEM_TESTS += tests/system/dns_limits.sh
SYSTEM_TESTS += tests/system/dns_linklocal.sh
SYSTEM_TESTS += tests/system/dns_lists.sh
SYSTEM_TESTS += tests/system/dns_local.sh
SYSTEM_TESTS += tests/system/dns_loop.sh
SYSTEM_TESTS += tests/system/dns_nftset.sh tests/system/dns_ipset.sh
EXTRA_DIST += tests/support/addrsets.sh
SYSTEM_TESTS += tests/system/dns_overload.sh
SYSTEM_TESTS += tests/system/dns_policy.sh
SYSTEM_TESTS += tests/system/dns_querylog.sh
SYSTEM_TESTS += tests/system/dns_servers.sh
SYSTEM_TESTS += tests/system/dns_shapes.sh
SYSTEM_TESTS += tests/system/dns_snapshot.sh
SYSTEM_TESTS += tests/system/dns_resolvconf.sh
SYSTEM_TESTS += tests/system/dns_routes.sh
SYSTEM_TESTS += tests/system/dns_stale.sh
SYSTEM_TESTS += tests/system/dns_tcp.sh
SYSTEM_TESTS += tests/system/dns_tls.sh
SYSTEM_TESTS += tests/system/dns_upstream.sh
SYSTEM_TESTS += tests/system/examples.sh
SYSTEM_TESTS += tests/system/dns_v6.sh
SYSTEM_TESTS += tests/system/fakedns.sh
SYSTEM_TESTS += tests/system/hearthctl.sh
SYSTEM_TESTS += tests/system/hearthd_no_ipv6.sh
SYSTEM_TESTS += tests/system/hearthd_plugins.sh
SYSTEM_TESTS += tests/system/hearthd_privs.sh
SYSTEM_TESTS += tests/system/hearthd_settings.sh
SYSTEM_TESTS += tests/system/import.sh
SYSTEM_TESTS += tests/system/layering.sh
SYSTEM_TESTS += tests/system/libhearth.sh
SYSTEM_TESTS += tests/system/quickstart.sh
SYSTEM_TESTS += tests/system/shell_helpers.sh
SYSTEM_TESTS += tests/system/systemd.sh
SYSTEM_TESTS += tests/system/tftp_addresses.sh
SYSTEM_TESTS += tests/system/tftp_clients.sh
SYSTEM_TESTS += tests/system/tftp_files.sh
SYSTEM_TESTS += tests/system/tftp_ipxe.sh
SYSTEM_TESTS += tests/system/tftp_loss.sh
SYSTEM_TESTS += tests/system/tftp_safety.sh
SYSTEM_TESTS += tests/system/http.sh
TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += $(SYSTEM_TESTS)
EXTRA_DIST += tests/support/shell.sh tests/support/summary.sh
EXTRA_DIST += tests/support/announce_lan.sh tests/support/hearthd.sh tests/support/tftp.sh\
	tests/support/tls_front.py
EXTRA_DIST += tests/data/dnsmasq.conf tests/data/dnsmasq-router.conf tests/data/dnsmasq-pihole.conf \
	tests/data/dnsmasq-pxe.conf tests/data/dnsmasq-openwrt.conf

check_PROGRAMS += tests/support/fakedns
tests_support_fakedns_SOURCES = tests/support/fakedns.c tests/support/fakedns.h \
	tests/support/fakedns_zone.c
tests_support_fakedns_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_support_fakedns_LDADD = src/libutil.a

check_PROGRAMS += tests/support/dnsload
tests_support_dnsload_SOURCES = tests/support/dnsload.c
tests_support_dnsload_LDADD = src/libutil.a

check_PROGRAMS += tests/support/tftpload
tests_support_tftpload_SOURCES = tests/support/tftpload.c
tests_support_tftpload_LDADD = src/libutil.a
check_PROGRAMS += tests/support/beacon_tap
tests_support_beacon_tap_SOURCES = tests/support/beacon_tap.c
tests_support_beacon_tap_LDADD = src/libannounce.a src/libutil.a $(SODIUM_LIBS)

check_PROGRAMS += tests/support/no_ipv6
tests_support_no_ipv6_SOURCES = tests/support/no_ipv6.c

check_PROGRAMS += tests/support/lossy
tests_support_lossy_SOURCES = tests/support/lossy.c
check_PROGRAMS += tests/support/refusing
tests_support_refusing_SOURCES = tests/support/refusing.c
