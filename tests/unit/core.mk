check_PROGRAMS += tests/unit/test_timer
TESTS += tests/unit/test_timer

tests_unit_test_timer_SOURCES = tests/unit/test_timer.c
tests_unit_test_timer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_timer_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_udp
TESTS += tests/unit/test_udp
tests_unit_test_udp_SOURCES = tests/unit/test_udp.c
tests_unit_test_udp_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_udp_LDADD = $(UNIT_CORE)
check_PROGRAMS += tests/unit/test_log tests/unit/test_report
TESTS += tests/unit/test_log tests/unit/test_report

tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_log_LDADD = $(UNIT_CORE)

tests_unit_test_report_SOURCES = tests/unit/test_report.c
tests_unit_test_report_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_report_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_offload tests/unit/test_privs
TESTS += tests/unit/test_offload tests/unit/test_privs

tests_unit_test_offload_SOURCES = tests/unit/test_offload.c
tests_unit_test_offload_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_offload_LDADD = $(UNIT_CORE)

tests_unit_test_privs_SOURCES = tests/unit/test_privs.c
tests_unit_test_privs_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_privs_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_tcp tests/unit/test_tcp_limits
TESTS += tests/unit/test_tcp tests/unit/test_tcp_limits

LINE_SERVER = tests/support/line_server.c tests/support/line_server.h

tests_unit_test_tcp_SOURCES = tests/unit/test_tcp.c $(LINE_SERVER)
tests_unit_test_tcp_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tcp_LDADD = $(UNIT_CORE)

tests_unit_test_tcp_limits_SOURCES = tests/unit/test_tcp_limits.c $(LINE_SERVER)
tests_unit_test_tcp_limits_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tcp_limits_LDADD = $(UNIT_CORE)
check_PROGRAMS += tests/unit/test_watch
TESTS += tests/unit/test_watch
tests_unit_test_watch_SOURCES = tests/unit/test_watch.c
tests_unit_test_watch_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_watch_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_rand tests/unit/test_statefile
TESTS += tests/unit/test_rand tests/unit/test_statefile

tests_unit_test_rand_SOURCES = tests/unit/test_rand.c
tests_unit_test_rand_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_rand_LDADD = $(UNIT_CORE)

tests_unit_test_statefile_SOURCES = tests/unit/test_statefile.c
tests_unit_test_statefile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_statefile_LDADD = $(UNIT_CORE)
check_PROGRAMS += tests/unit/test_conf
TESTS += tests/unit/test_conf

tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/support/conf_table.h
tests_unit_test_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_netif tests/unit/test_acl
TESTS += tests/unit/test_netif tests/unit/test_acl

tests_unit_test_netif_SOURCES = tests/unit/test_netif.c
tests_unit_test_netif_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_netif_LDADD = $(UNIT_CORE)
tests_unit_test_netif_LDFLAGS = -Wl,--wrap=mnl_socket_open2 -Wl,--wrap=mnl_socket_bind \
	-Wl,--wrap=mnl_socket_sendto -Wl,--wrap=log_note

check_PROGRAMS += tests/unit/test_neigh
TESTS += tests/unit/test_neigh
tests_unit_test_neigh_SOURCES = tests/unit/test_neigh.c
tests_unit_test_neigh_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_neigh_LDADD = $(UNIT_CORE)
tests_unit_test_neigh_LDFLAGS = -Wl,--wrap=netif_neighbour -Wl,--wrap=netif_is_own \
	-Wl,--wrap=netif_is_connected

tests_unit_test_acl_SOURCES = tests/unit/test_acl.c
tests_unit_test_acl_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_acl_LDADD = $(UNIT_CORE)
check_PROGRAMS += tests/unit/test_conf_check
TESTS += tests/unit/test_conf_check

tests_unit_test_conf_check_SOURCES = tests/unit/test_conf_check.c tests/support/conf_table.h
tests_unit_test_conf_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_check_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_conf_value
TESTS += tests/unit/test_conf_value

tests_unit_test_conf_value_SOURCES = tests/unit/test_conf_value.c
tests_unit_test_conf_value_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_conf_value_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ctl
TESTS += tests/unit/test_ctl

tests_unit_test_ctl_SOURCES = tests/unit/test_ctl.c
tests_unit_test_ctl_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_ctl_LDADD = $(UNIT_CORE)

if HAVE_HTTP
check_PROGRAMS += tests/unit/test_http_metrics
TESTS += tests/unit/test_http_metrics
endif
tests_unit_test_http_metrics_SOURCES = tests/unit/test_http_metrics.c
tests_unit_test_http_metrics_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_metrics_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_addrset
TESTS += tests/unit/test_addrset
tests_unit_test_addrset_SOURCES = tests/unit/test_addrset.c tests/support/netlink.h
tests_unit_test_addrset_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_addrset_LDADD = $(UNIT_CORE)
if HAVE_IPSET
check_PROGRAMS += tests/unit/test_addrset_ipset
TESTS += tests/unit/test_addrset_ipset
tests_unit_test_addrset_ipset_SOURCES = tests/unit/test_addrset_ipset.c tests/support/netlink.h
tests_unit_test_addrset_ipset_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_addrset_ipset_LDADD = $(UNIT_CORE)
endif
