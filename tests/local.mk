# Tests. Every area describes its own programs, so that a new test touches one file:
# unit/AREA.mk for CUnit programs, sim.mk, system.mk, fuzz.mk and bench.mk for the rest.
AM_TESTS_ENVIRONMENT = top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' CC='$(CC)' \
	FUZZ_TARGETS='$(FUZZ_TARGETS)' FUZZERS='$(enable_fuzzers)'; \
	export top_srcdir top_builddir CC FUZZ_TARGETS FUZZERS;
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)

check_LIBRARIES = tests/libsupport.a
tests_libsupport_a_SOURCES = tests/support/unit.c tests/support/unit.h
tests_libsupport_a_CPPFLAGS = $(UNIT_CPPFLAGS)

# What a test of each layer links: its own library and those below it. A wrong arrow in the
# include graph shows up as a link error here.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CUNIT_CFLAGS)
UNIT_UTIL = tests/libsupport.a src/libutil.a $(SODIUM_LIBS) $(CUNIT_LIBS)
UNIT_CORE = tests/libsupport.a src/libcore.a src/libutil.a $(CORE_LIBS) $(CUNIT_LIBS)
UNIT_TFTP = tests/libsupport.a src/libtftp.a src/libcore.a src/libutil.a $(CORE_LIBS) $(CUNIT_LIBS)
UNIT_DNS = tests/libsupport.a src/libdns.a src/libcore.a src/libutil.a $(DNS_LIBS) $(CORE_LIBS) \
	$(CUNIT_LIBS)
CORE_LIBS = $(CONFUSE_LIBS) $(JANSSON_LIBS) $(MNL_LIBS) $(SODIUM_LIBS)

if HAVE_CUNIT
include tests/unit/util.mk
include tests/unit/core.mk
include tests/unit/dns.mk
include tests/unit/hearthctl.mk
include tests/unit/hearthctl_import.mk
include tests/unit/announce.mk
include tests/unit/tftp.mk
else
check-local:
	@echo "make check needs CUnit (Debian: libcunit1-dev)" >&2; exit 1
endif

include tests/fuzz.mk
include tests/system.mk
include tests/bench.mk
