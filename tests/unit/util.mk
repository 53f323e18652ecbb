check_PROGRAMS += tests/unit/test_wire tests/unit/test_addr tests/unit/test_seal \
	tests/unit/test_keyfile
TESTS += tests/unit/test_wire tests/unit/test_addr tests/unit/test_seal \
	tests/unit/test_keyfile

tests_unit_test_wire_SOURCES = tests/unit/test_wire.c
tests_unit_test_wire_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_LDADD = $(UNIT_UTIL)

tests_unit_test_addr_SOURCES = tests/unit/test_addr.c
tests_unit_test_addr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_addr_LDADD = $(UNIT_UTIL)

check_PROGRAMS += tests/unit/test_utf8
TESTS += tests/unit/test_utf8

tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_utf8_LDADD = $(UNIT_UTIL)
tests_unit_test_seal_SOURCES = tests/unit/test_seal.c
tests_unit_test_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_seal_LDADD = $(UNIT_UTIL)

tests_unit_test_keyfile_SOURCES = tests/unit/test_keyfile.c
tests_unit_test_keyfile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keyfile_LDADD = $(UNIT_UTIL)

check_PROGRAMS += tests/unit/test_fifo
TESTS += tests/unit/test_fifo

tests_unit_test_fifo_SOURCES = tests/unit/test_fifo.c
tests_unit_test_fifo_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_fifo_LDADD = $(UNIT_UTIL)
