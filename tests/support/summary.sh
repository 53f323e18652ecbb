#!/bin/sh
# Adds up what the programs of `make check` in a build directory have said: CUnit's run summaries,
# the "N passed, N failed" lines of the shell tests, and what was skipped and why.
# Exit status: 0 only where something passed and nothing failed.
set -eu
build=$1
passed=0 failed=0 skipped=0

for trs in "$build"/tests/*/*.trs; do
  [ -e "$trs" ] || continue
  log=${trs%.trs}.log
  name=${trs#"$build"/}
  name=${name%.trs}
  result=$(sed -n 's/^:test-result: //p' "$trs" | head -n 1)
  if [ "$result" = SKIP ]; then
    skipped=$((skipped + 1))
    printf 'SKIP %s: %s\n' "$name" "$(grep -v '^SKIP' "$log" | tail -n 1)"
    continue
  fi
  # CUnit: "tests  7  7  7  0  0" (total, ran, passed, failed, inactive); shell: "N passed, N
  # failed"
  counts=$(awk '/^ +tests +[0-9]/ { p += $4; f += $5 }
    /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 } END { print p + 0, f + 0 }' "$log")
  p=${counts% *} f=${counts#* }
  # A program that died has printed no summary; it counts as one failure.
  if [ "$result" != PASS ] && [ "$f" -eq 0 ]; then f=1; fi
  if [ "$result" = PASS ] && [ "$p" -eq 0 ]; then p=1; fi
  passed=$((passed + p)) failed=$((failed + f))
  if [ "$f" -ne 0 ]; then
    printf 'FAIL %s\n' "$name"
    tail -n 30 "$log"
  elif grep -q '^Run Summary:' "$log"; then
    printf '%s\n' "$name"
    sed -n '/^Run Summary:/,/asserts/p' "$log"
  else
    printf '%s: %d passed\n' "$name" "$p"
  fi
done
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
printf '\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
