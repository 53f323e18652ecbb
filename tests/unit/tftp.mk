check_PROGRAMS += tests/unit/test_tftp_msg
TESTS += tests/unit/test_tftp_msg

tests_unit_test_tftp_msg_SOURCES = tests/unit/test_tftp_msg.c
tests_unit_test_tftp_msg_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tftp_msg_LDADD = $(UNIT_TFTP)

