check_PROGRAMS += tests/unit/test_timer
TESTS += tests/unit/test_timer

tests_unit_test_timer_SOURCES = tests/unit/test_timer.c
tests_unit_test_timer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_timer_LDADD = $(UNIT_CORE)
