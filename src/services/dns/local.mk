# services/dns: names for the house.
noinst_LIBRARIES += src/libdns.a
src_libdns_a_SOURCES = \
	src/services/dns/dns_bootstrap.c src/services/dns/dns_bootstrap.h \
	src/services/dns/dns_named.c src/services/dns/dns_named.h \
	src/services/dns/dns_zones.c src/services/dns/dns_zones.h \
	src/services/dns/dns_resolver_explain.c \
	src/services/dns/dns_servers.c src/services/dns/dns_servers.h \
	src/services/dns/dns_cookie.c src/services/dns/dns_cookie.h \
	src/services/dns/dns_answer.c src/services/dns/dns_answer.h \
	src/services/dns/dns_sources.c src/services/dns/dns_sources.h \
	src/services/dns/dns_querylog.c src/services/dns/dns_querylog.h \
	src/services/dns/dns_querylog_line.c src/services/dns/dns_querylog_line.h \
	src/services/dns/dns_snapshots.c src/services/dns/dns_snapshots.h \
	src/services/dns/dns_stream.c src/services/dns/dns_stream.h \
	src/services/dns/dns_service.c src/services/dns/dns_service.h \
	src/services/dns/dns_resolver.c src/services/dns/dns_resolver.h \
	src/services/dns/dns_resolver_flight.c src/services/dns/dns_resolver_impl.h \
	src/services/dns/dns_resolver_limits.c \
	src/services/dns/dns_resolver_local.c \
	src/services/dns/dns_resolver_reply.c src/services/dns/dns_resolver_report.c \
	src/services/dns/dns_routes.c src/services/dns/dns_routes.h \
	src/services/dns/dns_request.c src/services/dns/dns_request.h \
	src/services/dns/dns_commands.c src/services/dns/dns_commands.h \
	src/services/dns/dns_answer.h \
	src/services/dns/dns_cache.h \
	src/services/dns/dns_cache.c src/services/dns/dns_cache.h \
	src/services/dns/dns_cache_impl.h \
	src/services/dns/dns_cache_look.c \
	src/services/dns/dns_cache_save.c \
	src/services/dns/dns_cache_table.c \
	src/services/dns/dns_clients.c src/services/dns/dns_clients.h \
	src/services/dns/dns_compress.c src/services/dns/dns_compress.h \
	src/services/dns/dns_crypt.c src/services/dns/dns_crypt.h \
	src/services/dns/dns_forward.c src/services/dns/dns_forward.h \
	src/services/dns/dns_hosts.c src/services/dns/dns_hosts.h \
	src/services/dns/dns_lease.c src/services/dns/dns_lease.h \
	src/services/dns/dns_lease_isc.c \
	src/services/dns/dns_lease_json.c \
	src/services/dns/dns_lease_lines.c \
	src/services/dns/dns_lease_parse.h \
	src/services/dns/dns_local.c src/services/dns/dns_local.h \
	src/services/dns/dns_local_build.c \
	src/services/dns/dns_local_impl.h \
	src/services/dns/dns_local_special.c \
	src/services/dns/dns_local_table.c \
	src/services/dns/dns_msg.c src/services/dns/dns_msg.h \
	src/services/dns/dns_name.c src/services/dns/dns_name.h \
	src/services/dns/dns_plan.c src/services/dns/dns_plan.h \
	src/services/dns/dns_query.c src/services/dns/dns_query.h \
	src/services/dns/dns_record.c src/services/dns/dns_record.h \
	src/services/dns/dns_record_write.c \
	src/services/dns/dns_dump.c src/services/dns/dns_dump.h \
	src/services/dns/dns_reading.c src/services/dns/dns_reading.h \
	src/services/dns/dns_reply.c src/services/dns/dns_reply.h \
	src/services/dns/dns_resolvconf.c src/services/dns/dns_resolvconf.h \
	src/services/dns/dns_stamp.c src/services/dns/dns_stamp.h \
	src/services/dns/dns_top.c src/services/dns/dns_top.h \
	src/services/dns/dns_upstream.c src/services/dns/dns_upstream.h \
	src/services/dns/dns_upstream_dnscrypt.c \
	src/services/dns/dns_upstream_engine.c \
	src/services/dns/dns_upstream_priv.h \
	src/services/dns/dns_upstream_query.c \
	src/services/dns/dns_upstream_server.c \
	src/services/dns/dns_upstream_spec.c \
	src/services/dns/dns_upstream_tcp.c \
	src/services/dns/dns_upstream_udp.c

# Lists of names, and the filters.
src_libdns_a_SOURCES += \
	src/services/dns/dns_filter.c src/services/dns/dns_filter.h \
	src/services/dns/dns_rebind.c src/services/dns/dns_rebind.h \
	src/services/dns/dns_schedule.c src/services/dns/dns_schedule.h \
	src/services/dns/dns_list.c src/services/dns/dns_list.h \
	src/services/dns/dns_listfile.c src/services/dns/dns_listfile.h \
	src/services/dns/dns_lists.c src/services/dns/dns_lists.h \
	src/services/dns/dns_lists_conf.c \
	src/services/dns/dns_lists_impl.h \
	src/services/dns/dns_lists_load.c \
	src/services/dns/dns_lists_report.c \
	src/services/dns/dns_addrset.c src/services/dns/dns_addrset.h \
	src/services/dns/dns_addrsets.c src/services/dns/dns_addrsets.h \
	src/services/dns/dns_regex.h \
	src/services/dns/dns_resolver_hold.c \
	src/services/dns/dns_resolver_filter.c \
	src/services/dns/dns_resolver_v6.c \
	src/services/dns/dns_svcb.c src/services/dns/dns_svcb.h \
	src/services/dns/dns_token.c src/services/dns/dns_token.h \
	src/services/dns/dns_v6.c src/services/dns/dns_v6.h \
	src/services/dns/dns_trail.c src/services/dns/dns_trail.h
if HAVE_OPENSSL
src_libdns_a_SOURCES += src/services/dns/dns_upstream_tls.c
else
src_libdns_a_SOURCES += src/services/dns/dns_upstream_tls_none.c
endif
if HAVE_PCRE2
src_libdns_a_SOURCES += src/services/dns/dns_regex.c
else
src_libdns_a_SOURCES += src/services/dns/dns_regex_none.c
endif

# What the library needs from outside.
DNS_LIBS = $(CARES_LIBS) $(PCRE2_LIBS) $(OPENSSL_LIBS)
