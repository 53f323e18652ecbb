check_PROGRAMS += tests/unit/test_import_dnsmasq
TESTS += tests/unit/test_import_dnsmasq
tests_unit_test_import_dnsmasq_SOURCES = tests/unit/test_import_dnsmasq.c
tests_unit_test_import_dnsmasq_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_import_dnsmasq_LDADD = tests/libsupport.a src/libimport.a src/libdns.a src/libcore.a \
	src/libutil.a $(SODIUM_LIBS) $(CUNIT_LIBS)
