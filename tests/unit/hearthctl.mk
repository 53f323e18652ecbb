check_PROGRAMS += tests/unit/test_print
TESTS += tests/unit/test_print
tests_unit_test_print_SOURCES = tests/unit/test_print.c \
	src/hearthctl/flat.c src/hearthctl/flat.h src/hearthctl/print.c src/hearthctl/print.h
tests_unit_test_print_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_print_LDADD = $(UNIT_UTIL) $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_top_page
TESTS += tests/unit/test_top_page
tests_unit_test_top_page_SOURCES = tests/unit/test_top_page.c \
	src/hearthctl/flat.c src/hearthctl/flat.h src/hearthctl/print.c src/hearthctl/print.h \
	src/hearthctl/top_page.c src/hearthctl/top_page.h
tests_unit_test_top_page_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_top_page_LDADD = $(UNIT_UTIL) $(JANSSON_LIBS)
