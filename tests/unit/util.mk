# One program per source of src/util, each linked with that layer alone.
UTIL_TESTS = \
	tests/unit/test_addr \
	tests/unit/test_bucket \
	tests/unit/test_bucket_table \
	tests/unit/test_err \
	tests/unit/test_keyfile \
	tests/unit/test_replay \
	tests/unit/test_rto \
	tests/unit/test_seal \
	tests/unit/test_seq tests/unit/test_siphash \
	tests/unit/test_text \
	tests/unit/test_utf8 \
	tests/unit/test_wire
check_PROGRAMS += $(UTIL_TESTS)
TESTS += $(UTIL_TESTS)

tests_unit_test_addr_SOURCES = tests/unit/test_addr.c
tests_unit_test_addr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_addr_LDADD = $(UNIT_UTIL)

tests_unit_test_bucket_SOURCES = tests/unit/test_bucket.c
tests_unit_test_bucket_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_bucket_LDADD = $(UNIT_UTIL)

tests_unit_test_bucket_table_SOURCES = tests/unit/test_bucket_table.c
tests_unit_test_bucket_table_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_bucket_table_LDADD = $(UNIT_UTIL)

tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_err_LDADD = $(UNIT_UTIL)

tests_unit_test_keyfile_SOURCES = tests/unit/test_keyfile.c
tests_unit_test_keyfile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keyfile_LDADD = $(UNIT_UTIL)

check_PROGRAMS += tests/unit/test_fifo
TESTS += tests/unit/test_fifo

tests_unit_test_fifo_SOURCES = tests/unit/test_fifo.c
tests_unit_test_fifo_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_fifo_LDADD = $(UNIT_UTIL)
tests_unit_test_replay_SOURCES = tests/unit/test_replay.c
tests_unit_test_replay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_replay_LDADD = $(UNIT_UTIL)

tests_unit_test_rto_SOURCES = tests/unit/test_rto.c
tests_unit_test_rto_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_rto_LDADD = $(UNIT_UTIL)

tests_unit_test_seal_SOURCES = tests/unit/test_seal.c
tests_unit_test_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_seal_LDADD = $(UNIT_UTIL)

tests_unit_test_seq_SOURCES = tests/unit/test_seq.c
tests_unit_test_seq_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_seq_LDADD = $(UNIT_UTIL)

tests_unit_test_siphash_SOURCES = tests/unit/test_siphash.c
tests_unit_test_siphash_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_siphash_LDADD = $(UNIT_UTIL)

check_PROGRAMS += tests/unit/test_mac
TESTS += tests/unit/test_mac
tests_unit_test_mac_SOURCES = tests/unit/test_mac.c
tests_unit_test_mac_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_mac_LDADD = $(UNIT_UTIL)

tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_text_LDADD = $(UNIT_UTIL)

tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_utf8_LDADD = $(UNIT_UTIL)

tests_unit_test_wire_SOURCES = tests/unit/test_wire.c
tests_unit_test_wire_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_LDADD = $(UNIT_UTIL)
