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
