# Benchmarks: built by `make bench-programs`, run by hand, never by `make check`.
BENCHES =
BENCHES += tests/bench/dnsblast tests/bench/echo_mmsg tests/bench/fwd_pool
EXTRA_PROGRAMS += $(BENCHES)
CLEANFILES += $(BENCHES)
bench-programs: all $(BENCHES) tests/support/fakedns tests/support/dnsload
.PHONY: bench-programs

EXTRA_DIST += tests/bench/dns-hit tests/bench/dns-miss tests/bench/dns-overload
EXTRA_DIST += tests/bench/dns_servers.sh
tests_bench_dnsblast_SOURCES = tests/bench/dnsblast.c
tests_bench_echo_mmsg_SOURCES = tests/bench/echo_mmsg.c
tests_bench_fwd_pool_SOURCES = tests/bench/fwd_pool.c

BENCHES += tests/bench/dns_list
EXTRA_DIST += tests/bench/dns-lists
tests_bench_dns_list_SOURCES = tests/bench/dns_list.c
tests_bench_dns_list_LDADD = src/libdns.a src/libutil.a $(SODIUM_LIBS) $(PCRE2_LIBS)

BENCHES += tests/bench/beacon tests/bench/beacon_flood
EXTRA_DIST += tests/bench/announce-memory tests/bench/beacon-flood
tests_bench_beacon_SOURCES = tests/bench/beacon.c
tests_bench_beacon_LDADD = src/libannounce.a src/libutil.a $(SODIUM_LIBS)
tests_bench_beacon_flood_SOURCES = tests/bench/beacon_flood.c
tests_bench_beacon_flood_LDADD = src/liblisten.a src/libannounce.a src/libcore.a src/libutil.a \
	$(CORE_LIBS)
BENCHES += tests/bench/tftp_bare tests/bench/tftp_forge
tests_bench_tftp_forge_SOURCES = tests/bench/tftp_forge.c
tests_bench_tftp_bare_SOURCES = tests/bench/tftp_bare.c
EXTRA_DIST += tests/bench/tftp tests/bench/tftp-forged tests/bench/tftp-lossy
EXTRA_DIST += tests/bench/tftp_servers.sh
bench-programs: tests/support/tftpload tests/support/lossy
