# core: what every service needs. No protocol.
# Each source is listed beside its header.
noinst_LIBRARIES += src/libcore.a
src_libcore_a_SOURCES = \
	src/core/acl.c src/core/acl.h \
	src/core/addrset.c src/core/addrset.h src/core/addrset_impl.h \
	src/core/addrset_id.c src/core/addrset_msg.c \
	src/core/conf.c src/core/conf.h src/core/conf_tree.h \
	src/core/conf_check.c src/core/conf_dump.c src/core/conf_missing.c src/core/conf_parse.c \
	src/core/conf_text.c src/core/conf_value.c \
	src/core/ctl.c src/core/ctl.h \
	src/core/http.h src/core/http_conf.c \
	src/core/log.c src/core/log.h \
	src/core/loop.c src/core/loop.h \
	src/core/neigh.c src/core/neigh.h \
	src/core/netif.c src/core/netif.h \
	src/core/netif_table.c src/core/netif_table.h \
	src/core/netlink.h \
	src/core/offload.c src/core/offload.h \
	src/core/privs.c src/core/privs.h \
	src/core/rand.c src/core/rand.h \
	src/core/report.c src/core/report.h src/core/report_json.h \
	src/core/service.c src/core/service.h \
	src/core/statefile.c src/core/statefile.h \
	src/core/suspend.c src/core/suspend.h \
	src/core/tcp.c src/core/tcp.h src/core/tcp_impl.h \
	src/core/tcp_listener.c \
	src/core/timer.c src/core/timer.h \
	src/core/udp.c src/core/udp.h \
	src/core/watch.c src/core/watch.h \
	src/core/watch_walk.c src/core/watch_walk.h
if HAVE_HTTP
src_libcore_a_SOURCES += src/core/http.c src/core/http_files.h \
	src/core/http_metrics.c src/core/http_metrics.h
nodist_src_libcore_a_SOURCES = src/core/http_files.c
CLEANFILES += src/core/http_files.c
else
src_libcore_a_SOURCES += src/core/http_none.c
endif
EXTRA_DIST += src/page/embed.sh $(PAGE)
PAGE = src/page/index.html src/page/page.css src/page/page.js
src/core/http_files.c: src/page/embed.sh $(PAGE)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SHELL) $(srcdir)/src/page/embed.sh $(srcdir)/src/page >$@.tmp && \
		mv $@.tmp $@
if HAVE_NFTABLES
src_libcore_a_SOURCES += src/core/addrset_nft.c
else
src_libcore_a_SOURCES += src/core/addrset_nft_none.c
endif
if HAVE_IPSET
src_libcore_a_SOURCES += src/core/addrset_ipset.c
else
src_libcore_a_SOURCES += src/core/addrset_ipset_none.c
endif
