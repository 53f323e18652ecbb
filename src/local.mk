# The programs, and what is installed for services built elsewhere.
# A loaded service may use every function of the installed headers, so the libraries go in whole
# and hearthd.sym says which names are visible.
sbin_PROGRAMS += hearthd
hearthd_SOURCES = src/hearthd.c src/options.c src/options.h src/settings.c src/settings.h \
	src/services/services.c src/services/services.h
hearthd_CPPFLAGS = $(AM_CPPFLAGS) -DHEARTH_CONF='"$(sysconfdir)/hearth/hearthd.conf"' \
	-DHEARTH_STATE_DIR='"$(localstatedir)/lib/hearth"'
hearthd_LDFLAGS = -Wl,--dynamic-list=$(top_srcdir)/src/hearthd.sym
SERVICE_LIBS = src/libdns.a src/libtftp.a src/libannounce.a
hearthd_LDADD = $(SERVICE_LIBS) $(WHOLE_BEGIN) src/libcore.a src/libutil.a $(WHOLE_END) \
	$(CORE_LIBS) $(DNS_LIBS)
HEARTH_RUNDIR = /run
EXTRA_DIST += src/hearthd.sym

bin_PROGRAMS += hearthctl
hearthctl_SOURCES = src/hearthctl.c \
	src/hearthctl/client.c src/hearthctl/client.h \
	src/hearthctl/commands.c src/hearthctl/commands.h \
	src/hearthctl/dump.c src/hearthctl/dump.h \
	src/hearthctl/flat.c src/hearthctl/flat.h \
	src/hearthctl/import.c src/hearthctl/import.h \
	src/hearthctl/keygen.c \
	src/hearthctl/listen.c src/hearthctl/listen.h \
	src/hearthctl/listen_hooks.c src/hearthctl/listen_options.c src/hearthctl/listen_print.c \
	src/hearthctl/passphrase.c src/hearthctl/passphrase.h \
	src/hearthctl/print.c src/hearthctl/print.h \
	src/hearthctl/tool.c src/hearthctl/tool.h \
	src/hearthctl/top.c src/hearthctl/top.h \
	src/hearthctl/top_page.c src/hearthctl/top_page.h \
	src/hearthctl/verify.c
hearthctl_LDADD = src/libimport.a src/libdns.a src/liblisten.a src/libannounce.a src/libcore.a \
	src/libutil.a $(CORE_LIBS)

# Headers of the service interface, below $(includedir)/hearth as they are below src/.
hearthincludedir = $(includedir)/hearth
hearthutilincludedir = $(includedir)/hearth/util
hearthcoreincludedir = $(includedir)/hearth/core
hearthinclude_HEADERS = src/hearth/service.h
hearthutilinclude_HEADERS = src/util/addr.h src/util/err.h src/util/mono.h src/util/span.h \
	src/util/wire.h
hearthcoreinclude_HEADERS = src/core/conf.h src/core/ctl.h src/core/log.h src/core/loop.h \
	src/core/netif.h src/core/offload.h src/core/rand.h src/core/report.h src/core/service.h \
	src/core/tcp.h src/core/timer.h src/core/udp.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = hearth.pc
