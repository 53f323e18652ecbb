# System tests: shell scripts around the real programs. All source tests/support/shell.sh.
SYSTEM_TESTS = \
	tests/system/fakedns.sh \
	tests/system/layering.sh
	tests/system/layering.sh \
	tests/system/shell_helpers.sh
TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += $(SYSTEM_TESTS) tests/support/shell.sh

check_PROGRAMS += tests/support/fakedns
tests_support_fakedns_SOURCES = tests/support/fakedns.c tests/support/fakedns.h \
	tests/support/fakedns_zone.c
tests_support_fakedns_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_support_fakedns_LDADD = src/libutil.a
