#!/bin/sh
# SPDX-License-Identifier: MIT
# Forged replies: whatever comes before the real answer, the real one is delivered, nothing forged
# is cached, and the counters tell.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

kinds="id question case none two source query opcode short empty loop class"
: >"$tmp/rules"
for kind in $kinds; do echo "$kind.example A 192.0.2.1 ; forge=$kind delay=30" >>"$tmp/rules"; done
echo "extra.example A 192.0.2.1 ; extra" >>"$tmp/rules"
start_fakedns --rules "$tmp/rules" --log "$tmp/up.log"
port=$(free_port)
dns_conf >"$tmp/conf"
start_hearthd "$tmp/conf"

for kind in $kinds; do
	same "forged $kind: the real answer" 192.0.2.1 "$(ask +short "$kind.example")"
	same "forged $kind: and from the cache" 192.0.2.1 "$(ask +short "$kind.example")"
done
out=$(ask extra.example)
contains "unrelated records: the answer" "192.0.2.1" "$out"
same "and nothing else" 1 "$(echo "$out" | grep -c 'IN[[:space:]]A[[:space:]]')"
same "unrelated names are not cached" "found=0" "$(ctl dns lookup evil.example | grep found)"
ctl --json dns upstreams >"$tmp/upstreams"
moved() { grep -o "\"$1\": *[0-9]*" "$tmp/upstreams" | grep -qv ': *0$'; }
for key in mismatch_id mismatch_question mismatch_case malformed; do
	check "$key has moved" moved $key
done
check "suspicion led to TCP" moved tcp_on_suspicion
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
