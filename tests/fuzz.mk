# Fuzz targets; tests/fuzz/README.md tells how to add one. FUZZ_MAIN and FUZZ_LIBS are the main()
# that replays files, or with --enable-fuzzers libFuzzer's.
if FUZZERS
FUZZ_MAIN = tests/fuzz/fuzz.h
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/replay_main.c
endif
FUZZ_UTIL = src/libutil.a $(SODIUM_LIBS) $(FUZZ_LIBS)
FUZZ_TARGETS =

FUZZ_TARGETS += tests/fuzz/fuzz_addr
tests_fuzz_fuzz_addr_SOURCES = tests/fuzz/fuzz_addr.c $(FUZZ_MAIN)
tests_fuzz_fuzz_addr_LDADD = $(FUZZ_UTIL)

if HAVE_IPSET
FUZZ_TARGETS += tests/fuzz/fuzz_addrset
endif
tests_fuzz_fuzz_addrset_SOURCES = tests/fuzz/fuzz_addrset.c $(FUZZ_MAIN)
tests_fuzz_fuzz_addrset_LDADD = src/libcore.a $(FUZZ_UTIL) $(CORE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_tftp_msg
tests_fuzz_fuzz_tftp_msg_SOURCES = tests/fuzz/fuzz_tftp_msg.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tftp_msg_LDADD = src/libtftp.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_tftp_name
tests_fuzz_fuzz_tftp_name_SOURCES = tests/fuzz/fuzz_tftp_name.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tftp_name_LDADD = src/libtftp.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_tftp_transfer
tests_fuzz_fuzz_tftp_transfer_SOURCES = tests/fuzz/fuzz_tftp_transfer.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tftp_transfer_LDADD = src/libtftp.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/support/conf_table.h $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_conf_LDADD = src/libcore.a $(FUZZ_UTIL) $(CORE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_ctl
tests_fuzz_fuzz_ctl_SOURCES = tests/fuzz/fuzz_ctl.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ctl_LDADD = src/libcore.a $(FUZZ_UTIL) $(CORE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_netif
tests_fuzz_fuzz_netif_SOURCES = tests/fuzz/fuzz_netif.c $(FUZZ_MAIN)
tests_fuzz_fuzz_netif_LDADD = src/libcore.a $(FUZZ_UTIL) $(CORE_LIBS)
tests_fuzz_fuzz_netif_LDFLAGS = \
	-Wl,--wrap=mnl_socket_open2 -Wl,--wrap=mnl_socket_bind -Wl,--wrap=mnl_socket_get_fd \
	-Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom -Wl,--wrap=mnl_socket_close

FUZZ_TARGETS += tests/fuzz/fuzz_beacon_msg
tests_fuzz_fuzz_beacon_msg_SOURCES = tests/fuzz/fuzz_beacon_msg.c $(FUZZ_MAIN)
tests_fuzz_fuzz_beacon_msg_LDADD = src/libannounce.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_beacon_receiver
tests_fuzz_fuzz_beacon_receiver_SOURCES = tests/fuzz/fuzz_beacon_receiver.c $(FUZZ_MAIN)
tests_fuzz_fuzz_beacon_receiver_LDADD = src/libannounce.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_beacon_sender
tests_fuzz_fuzz_beacon_sender_SOURCES = tests/fuzz/fuzz_beacon_sender.c $(FUZZ_MAIN)
tests_fuzz_fuzz_beacon_sender_LDADD = src/libannounce.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_beacon_keys
tests_fuzz_fuzz_beacon_keys_SOURCES = tests/fuzz/fuzz_beacon_keys.c $(FUZZ_MAIN)
tests_fuzz_fuzz_beacon_keys_LDADD = src/libannounce.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_query
tests_fuzz_fuzz_dns_query_SOURCES = tests/fuzz/fuzz_dns_query.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_query_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_record
tests_fuzz_fuzz_dns_record_SOURCES = tests/fuzz/fuzz_dns_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_record_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_response
tests_fuzz_fuzz_dns_response_SOURCES = tests/fuzz/fuzz_dns_response.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_response_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_snapshot
tests_fuzz_fuzz_dns_snapshot_SOURCES = tests/fuzz/fuzz_dns_snapshot.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_snapshot_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_names
tests_fuzz_fuzz_dns_names_SOURCES = tests/fuzz/fuzz_dns_names.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_names_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_upstream
tests_fuzz_fuzz_dns_upstream_SOURCES = tests/fuzz/fuzz_dns_upstream.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_upstream_LDADD = src/libdns.a src/libcore.a $(FUZZ_UTIL) $(DNS_LIBS) \
	$(CORE_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_resolvconf
tests_fuzz_fuzz_dns_resolvconf_SOURCES = tests/fuzz/fuzz_dns_resolvconf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_resolvconf_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_listfile
tests_fuzz_fuzz_dns_listfile_SOURCES = tests/fuzz/fuzz_dns_listfile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_listfile_LDADD = src/libdns.a $(FUZZ_UTIL) $(PCRE2_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_stamp
tests_fuzz_fuzz_dns_stamp_SOURCES = tests/fuzz/fuzz_dns_stamp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_stamp_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_dns_crypt
tests_fuzz_fuzz_dns_crypt_SOURCES = tests/fuzz/fuzz_dns_crypt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_crypt_LDADD = src/libdns.a $(FUZZ_UTIL)

FUZZ_TARGETS += tests/fuzz/fuzz_import_dnsmasq
tests_fuzz_fuzz_import_dnsmasq_SOURCES = tests/fuzz/fuzz_import_dnsmasq.c $(FUZZ_MAIN)
tests_fuzz_fuzz_import_dnsmasq_LDADD = src/libimport.a src/libdns.a src/libcore.a $(FUZZ_UTIL)

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/replay.sh tests/fuzz/replay_main.c tests/fuzz/corpus
