# libhearth: what other programs subscribe with. One archive with all that it needs from below; the
# objects are those of the libraries, so nothing is compiled twice.
lib_LIBRARIES = libhearth.a
libhearth_a_SOURCES = src/libhearth/listen.c src/hearth/listen.h \
	$(ANNOUNCE_SUBSCRIBER) \
	src/core/log.c src/core/loop.c src/core/netif.c src/core/netif_table.c src/core/rand.c \
	src/core/statefile.c src/core/suspend.c src/core/timer.c src/core/udp.c \
	$(src_libutil_a_SOURCES)
check_PROGRAMS += contrib/listen/announcements
contrib_listen_announcements_SOURCES = contrib/listen/announcements.c
contrib_listen_announcements_LDADD = libhearth.a $(MNL_LIBS) $(SODIUM_LIBS)
hearthinclude_HEADERS += src/hearth/listen.h
pkgconfig_DATA += libhearth.pc
