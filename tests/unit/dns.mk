check_PROGRAMS += tests/unit/test_dns_name
TESTS += tests/unit/test_dns_name
tests_unit_test_dns_name_SOURCES = tests/unit/test_dns_name.c
tests_unit_test_dns_name_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_name_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_msg
TESTS += tests/unit/test_dns_msg
tests_unit_test_dns_msg_SOURCES = tests/unit/test_dns_msg.c tests/support/dns.h
tests_unit_test_dns_msg_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_msg_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_compress
TESTS += tests/unit/test_dns_compress
tests_unit_test_dns_compress_SOURCES = tests/unit/test_dns_compress.c tests/support/dns.h
tests_unit_test_dns_compress_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_compress_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_query
TESTS += tests/unit/test_dns_query
tests_unit_test_dns_query_SOURCES = tests/unit/test_dns_query.c tests/support/dns.h
tests_unit_test_dns_query_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_query_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_record
TESTS += tests/unit/test_dns_record
tests_unit_test_dns_record_SOURCES = tests/unit/test_dns_record.c
tests_unit_test_dns_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_record_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_reply
TESTS += tests/unit/test_dns_reply
tests_unit_test_dns_reply_SOURCES = tests/unit/test_dns_reply.c tests/support/dns.h
tests_unit_test_dns_reply_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_reply_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_answer
TESTS += tests/unit/test_dns_answer
tests_unit_test_dns_answer_SOURCES = tests/unit/test_dns_answer.c tests/support/dns.h
tests_unit_test_dns_answer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_answer_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_cache
TESTS += tests/unit/test_dns_cache
tests_unit_test_dns_cache_SOURCES = tests/unit/test_dns_cache.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_cache_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_cache_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_cache_model
TESTS += tests/unit/test_dns_cache_model
tests_unit_test_dns_cache_model_SOURCES = tests/unit/test_dns_cache_model.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_cache_model_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_cache_model_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_cache_save
TESTS += tests/unit/test_dns_cache_save
tests_unit_test_dns_cache_save_SOURCES = tests/unit/test_dns_cache_save.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_cache_save_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_cache_save_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_forward
TESTS += tests/unit/test_dns_forward
tests_unit_test_dns_forward_SOURCES = tests/unit/test_dns_forward.c
tests_unit_test_dns_forward_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_forward_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_resolvconf
TESTS += tests/unit/test_dns_resolvconf
tests_unit_test_dns_resolvconf_SOURCES = tests/unit/test_dns_resolvconf.c
tests_unit_test_dns_resolvconf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_resolvconf_LDADD = $(UNIT_DNS)

# The scripted server in the loop of the test, DNSCrypt included.
FAKE_UPSTREAM = tests/support/fake_upstream.c tests/support/fake_upstream.h \
	tests/support/fake_crypt.c tests/support/fake_crypt.h \
	tests/support/fakedns.h tests/support/fakedns_zone.c

check_PROGRAMS += tests/unit/test_dns_upstream
TESTS += tests/unit/test_dns_upstream
tests_unit_test_dns_upstream_SOURCES = tests/unit/test_dns_upstream.c \
	$(FAKE_UPSTREAM)
tests_unit_test_dns_upstream_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_upstream_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_addrset
TESTS += tests/unit/test_dns_addrset
tests_unit_test_dns_addrset_SOURCES = tests/unit/test_dns_addrset.c tests/support/dns.h
tests_unit_test_dns_addrset_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_addrset_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_addrsets
TESTS += tests/unit/test_dns_addrsets
tests_unit_test_dns_addrsets_SOURCES = tests/unit/test_dns_addrsets.c tests/support/dns.h \
	tests/support/edge.h
tests_unit_test_dns_addrsets_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_addrsets_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_bootstrap
TESTS += tests/unit/test_dns_bootstrap
tests_unit_test_dns_bootstrap_SOURCES = tests/unit/test_dns_bootstrap.c \
	$(FAKE_UPSTREAM)
tests_unit_test_dns_bootstrap_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_bootstrap_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_hosts tests/unit/test_dns_lease
TESTS += tests/unit/test_dns_hosts tests/unit/test_dns_lease
tests_unit_test_dns_hosts_SOURCES = tests/unit/test_dns_hosts.c
tests_unit_test_dns_hosts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_hosts_LDADD = $(UNIT_DNS)
tests_unit_test_dns_lease_SOURCES = tests/unit/test_dns_lease.c
tests_unit_test_dns_lease_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_lease_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_trail
TESTS += tests/unit/test_dns_trail
tests_unit_test_dns_trail_SOURCES = tests/unit/test_dns_trail.c tests/support/dns.h
tests_unit_test_dns_trail_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_trail_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_list
TESTS += tests/unit/test_dns_list
tests_unit_test_dns_list_SOURCES = tests/unit/test_dns_list.c tests/support/dns.h
tests_unit_test_dns_list_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_list_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_upstream_burst
TESTS += tests/unit/test_dns_upstream_burst
tests_unit_test_dns_upstream_burst_SOURCES = tests/unit/test_dns_upstream_burst.c \
	$(FAKE_UPSTREAM)
tests_unit_test_dns_upstream_burst_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_upstream_burst_LDADD = $(UNIT_DNS)

if HAVE_OPENSSL
check_PROGRAMS += tests/unit/test_dns_upstream_tls
TESTS += tests/unit/test_dns_upstream_tls
tests_unit_test_dns_upstream_tls_SOURCES = tests/unit/test_dns_upstream_tls.c \
	tests/support/fake_tls.c tests/support/fake_tls.h tests/support/edge.h
tests_unit_test_dns_upstream_tls_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_upstream_tls_LDADD = $(UNIT_DNS)
endif

check_PROGRAMS += tests/unit/test_dns_upstream_server
TESTS += tests/unit/test_dns_upstream_server
tests_unit_test_dns_upstream_server_SOURCES = tests/unit/test_dns_upstream_server.c \
	$(FAKE_UPSTREAM)
tests_unit_test_dns_upstream_server_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_upstream_server_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_cookie
TESTS += tests/unit/test_dns_cookie
tests_unit_test_dns_cookie_SOURCES = tests/unit/test_dns_cookie.c
tests_unit_test_dns_cookie_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_cookie_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_local
TESTS += tests/unit/test_dns_local
tests_unit_test_dns_local_SOURCES = tests/unit/test_dns_local.c
tests_unit_test_dns_local_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_local_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_local_model
TESTS += tests/unit/test_dns_local_model
tests_unit_test_dns_local_model_SOURCES = tests/unit/test_dns_local_model.c
tests_unit_test_dns_local_model_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_local_model_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_listfile
TESTS += tests/unit/test_dns_listfile
tests_unit_test_dns_listfile_SOURCES = tests/unit/test_dns_listfile.c tests/support/dns.h
tests_unit_test_dns_listfile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_listfile_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_stamp
TESTS += tests/unit/test_dns_stamp
tests_unit_test_dns_stamp_SOURCES = tests/unit/test_dns_stamp.c \
	tests/support/fake_crypt.c tests/support/fake_crypt.h
tests_unit_test_dns_stamp_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_stamp_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_crypt
TESTS += tests/unit/test_dns_crypt
tests_unit_test_dns_crypt_SOURCES = tests/unit/test_dns_crypt.c \
	tests/support/fake_crypt.c tests/support/fake_crypt.h \
	tests/support/fakedns.h tests/support/fakedns_zone.c
tests_unit_test_dns_crypt_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_crypt_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_upstream_dnscrypt
TESTS += tests/unit/test_dns_upstream_dnscrypt
tests_unit_test_dns_upstream_dnscrypt_SOURCES = tests/unit/test_dns_upstream_dnscrypt.c \
	$(FAKE_UPSTREAM)
tests_unit_test_dns_upstream_dnscrypt_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_upstream_dnscrypt_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_schedule
TESTS += tests/unit/test_dns_schedule
tests_unit_test_dns_schedule_SOURCES = tests/unit/test_dns_schedule.c
tests_unit_test_dns_schedule_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_schedule_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_filter
TESTS += tests/unit/test_dns_filter
tests_unit_test_dns_filter_SOURCES = tests/unit/test_dns_filter.c tests/support/dns.h
tests_unit_test_dns_filter_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_filter_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_sources
TESTS += tests/unit/test_dns_sources
tests_unit_test_dns_sources_SOURCES = tests/unit/test_dns_sources.c tests/support/edge.h
tests_unit_test_dns_sources_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_sources_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_rebind
TESTS += tests/unit/test_dns_rebind
tests_unit_test_dns_rebind_SOURCES = tests/unit/test_dns_rebind.c tests/support/dns.h
tests_unit_test_dns_rebind_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_rebind_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_snapshots
TESTS += tests/unit/test_dns_snapshots
tests_unit_test_dns_snapshots_SOURCES = tests/unit/test_dns_snapshots.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_snapshots_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_snapshots_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_lists
TESTS += tests/unit/test_dns_lists
tests_unit_test_dns_lists_SOURCES = tests/unit/test_dns_lists.c tests/support/dns.h \
	tests/support/edge.h
tests_unit_test_dns_lists_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_lists_LDADD = $(UNIT_DNS)
check_PROGRAMS += tests/unit/test_dns_querylog
TESTS += tests/unit/test_dns_querylog
tests_unit_test_dns_querylog_SOURCES = tests/unit/test_dns_querylog.c tests/support/dns.h
tests_unit_test_dns_querylog_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_querylog_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_v6
TESTS += tests/unit/test_dns_v6
tests_unit_test_dns_v6_SOURCES = tests/unit/test_dns_v6.c tests/support/dns.h
tests_unit_test_dns_v6_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_v6_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_clients
TESTS += tests/unit/test_dns_clients
tests_unit_test_dns_clients_SOURCES = tests/unit/test_dns_clients.c
tests_unit_test_dns_clients_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_clients_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_top
TESTS += tests/unit/test_dns_top
tests_unit_test_dns_top_SOURCES = tests/unit/test_dns_top.c
tests_unit_test_dns_top_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_top_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_routes tests/unit/test_dns_servers
TESTS += tests/unit/test_dns_routes tests/unit/test_dns_servers
tests_unit_test_dns_routes_SOURCES = tests/unit/test_dns_routes.c tests/support/dns.h \
	tests/support/dns_cache.h $(FAKE_UPSTREAM)
tests_unit_test_dns_routes_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_routes_LDADD = $(UNIT_DNS)
tests_unit_test_dns_servers_SOURCES = tests/unit/test_dns_servers.c tests/support/dns.h \
	tests/support/edge.h
tests_unit_test_dns_servers_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_servers_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_dump
TESTS += tests/unit/test_dns_dump
tests_unit_test_dns_dump_SOURCES = tests/unit/test_dns_dump.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_dump_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_dump_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_commands
TESTS += tests/unit/test_dns_commands
tests_unit_test_dns_commands_SOURCES = tests/unit/test_dns_commands.c tests/support/dns.h \
	tests/support/dns_cache.h
tests_unit_test_dns_commands_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_commands_LDADD = $(UNIT_DNS)
tests_unit_test_dns_commands_LDFLAGS = -Wl,--wrap=ctl_done -Wl,--wrap=ctl_fail
