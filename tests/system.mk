# System tests: shell scripts around the real programs. All source tests/support/shell.sh.
SYSTEM_TESTS = \
	tests/system/layering.sh
TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += $(SYSTEM_TESTS) tests/support/shell.sh
