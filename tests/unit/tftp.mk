check_PROGRAMS += tests/unit/test_tftp_msg tests/unit/test_tftp_store tests/sim/test_tftp_transfer
TESTS += tests/unit/test_tftp_msg tests/unit/test_tftp_store tests/sim/test_tftp_transfer

tests_unit_test_tftp_msg_SOURCES = tests/unit/test_tftp_msg.c
tests_unit_test_tftp_msg_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tftp_msg_LDADD = $(UNIT_TFTP)

tests_sim_test_tftp_transfer_SOURCES = tests/sim/test_tftp_transfer.c tests/sim/tftp_link.c \
	tests/sim/tftp_link.h
tests_sim_test_tftp_transfer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_sim_test_tftp_transfer_LDADD = $(UNIT_TFTP)

tests_unit_test_tftp_store_SOURCES = tests/unit/test_tftp_store.c
tests_unit_test_tftp_store_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tftp_store_LDADD = $(UNIT_TFTP)
