#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzz target of this build accepts the whole of its corpus. The makefile names the targets.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"

# libFuzzer stops after the corpus with -runs=0, which the plain main() would take for a file.
only_corpus=
[ "${FUZZERS:-no}" = no ] || only_corpus=-runs=0

for target in ${FUZZ_TARGETS:?run by make check}; do
	name=${target##*/}
	corpus=$top_srcdir/tests/fuzz/corpus/$name
	check "there are inputs for $name" test -n "$(ls -A "$corpus")"
	check "$name takes $(find "$corpus" -type f | wc -l) inputs" \
		"$top_builddir/$target" $only_corpus "$corpus"
done

finish
