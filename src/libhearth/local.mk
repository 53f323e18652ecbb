# libhearth: what other programs subscribe with, shared and static, with all that it needs from
# below. Its objects are compiled for it alone: position-independent, and of their names only
# hearth_* is left, so that nothing of ours meets a name of the program's. Two rules do what libtool
# would: that would link the other hundred programs through its script as well, and reorder
# hearthd's archives.
LIBHEARTH_SONAME = libhearth.so.0
LIBHEARTH_SO = $(LIBHEARTH_SONAME).1.0

noinst_LIBRARIES += src/libhearth_pic.a
src_libhearth_pic_a_SOURCES = src/libhearth/listen.c src/hearth/listen.h \
	$(ANNOUNCE_SUBSCRIBER) \
	src/core/log.c src/core/loop.c src/core/netif.c src/core/netif_table.c src/core/rand.c \
	src/core/statefile.c src/core/suspend.c src/core/timer.c src/core/udp.c \
	$(src_libutil_a_SOURCES)
src_libhearth_pic_a_CFLAGS = $(AM_CFLAGS) -fPIC

$(LIBHEARTH_SO): src/libhearth_pic.a src/libhearth.sym
	$(AM_V_CCLD)$(CC) $(AM_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(LIBHEARTH_SONAME) \
	    -Wl,--version-script=$(top_srcdir)/src/libhearth.sym $(SHARED_LDFLAGS) -o $@ \
	    $(WHOLE_BEGIN) src/libhearth_pic.a $(WHOLE_END) $(MNL_LIBS) $(SODIUM_LIBS)

libhearth.a: src/libhearth_pic.a
	$(AM_V_AR)$(LD) -r -o libhearth.o --whole-archive src/libhearth_pic.a && \
	    $(OBJCOPY) -w --keep-global-symbol='hearth_*' libhearth.o && \
	    rm -f $@ && $(AR) $(ARFLAGS) $@ libhearth.o && $(RANLIB) $@

hearthlibdir = $(libdir)
hearthlib_DATA = libhearth.a $(LIBHEARTH_SO)
CLEANFILES += $(hearthlib_DATA) libhearth.o
EXTRA_DIST += src/libhearth.sym

install-data-hook:
	cd $(DESTDIR)$(libdir) && ln -sf $(LIBHEARTH_SO) $(LIBHEARTH_SONAME) && \
	    ln -sf $(LIBHEARTH_SONAME) libhearth.so
uninstall-hook:
	rm -f $(DESTDIR)$(libdir)/$(LIBHEARTH_SONAME) $(DESTDIR)$(libdir)/libhearth.so

# For our own programs, which have the rest already.
noinst_LIBRARIES += src/liblisten.a
src_liblisten_a_SOURCES = src/libhearth/listen.c src/hearth/listen.h

check_PROGRAMS += contrib/listen/announcements
contrib_listen_announcements_SOURCES = contrib/listen/announcements.c
contrib_listen_announcements_LDADD = libhearth.a $(MNL_LIBS) $(SODIUM_LIBS)
hearthinclude_HEADERS += src/hearth/listen.h
pkgconfig_DATA += libhearth.pc
