# What surrounds the program.
EXTRA_DIST += contrib/wireshark/hearth.lua
EXTRA_DIST += contrib/quickstart contrib/hearthd-quickstart.conf contrib/systemd/hearthd.service.in \
	contrib/services/Makefile contrib/services/echo/echo.c contrib/services/sntp/sntp.c

exampledir = $(docdir)/examples
dist_example_DATA = contrib/examples/home.conf contrib/examples/netboot.conf \
	contrib/examples/announce.conf

# Where systemd looks for the units of a prefix, /usr and /usr/local alike.
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = contrib/systemd/hearthd.service
CLEANFILES += contrib/systemd/hearthd.service

contrib/systemd/hearthd.service: contrib/systemd/hearthd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	    sed 's,[@]sbindir@,$(sbindir),g' $(top_srcdir)/contrib/systemd/hearthd.service.in >$@
