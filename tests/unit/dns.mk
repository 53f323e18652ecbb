check_PROGRAMS += tests/unit/test_dns_name
TESTS += tests/unit/test_dns_name

tests_unit_test_dns_name_SOURCES = tests/unit/test_dns_name.c
tests_unit_test_dns_name_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_name_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_forward
TESTS += tests/unit/test_dns_forward
tests_unit_test_dns_forward_SOURCES = tests/unit/test_dns_forward.c
tests_unit_test_dns_forward_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_forward_LDADD = $(UNIT_DNS)

check_PROGRAMS += tests/unit/test_dns_resolvconf
TESTS += tests/unit/test_dns_resolvconf
tests_unit_test_dns_resolvconf_SOURCES = tests/unit/test_dns_resolvconf.c
tests_unit_test_dns_resolvconf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_resolvconf_LDADD = $(UNIT_DNS)
