#!/bin/sh
# SPDX-License-Identifier: MIT
# Ten thousand different names asked at once while no upstream answers: memory stays bounded, nothing is
# REFUSED, everything gets an answer, and what is cached is answered as if nothing were going on.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'cached.example A 192.0.2.1 ; ttl=3600' --rule '* * DROP'
port=$(free_port)
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:$port" }  upstream = { "127.0.0.1:$fakedns_port" } }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
load() { "$dnsload" --server "127.0.0.1:$port" "$@"; }
same "cached before" 192.0.2.1 "$(dig @127.0.0.1 -p "$port" +tries=1 +short cached.example)"
before=$(awk '/^VmRSS/ { print $2 }' "/proc/$hearthd_pid/status")

load --name 'flood%d.example' --count 10000 --window 10000 --ports 16 --seconds 20 >"$tmp/flood" &
flood=$!
check "the flood has come" wait_until "[ \"\$(counter dns.in_flight.asked)\" -gt 4000 ]" 10
out=$(load --name cached.example --count 500 --window 1)
contains "cached names are answered meanwhile" "answered=500 lost=0 wrong=0 noerror=500" "$out"
echo "    $out"
wait $flood
out=$(cat "$tmp/flood")
echo "    $out"
contains "every query of the flood is answered" "answered=10000 lost=0" "$out"
contains "with SERVFAIL, none with REFUSED" "servfail=10000 refused=0" "$out"
after=$(awk '/^VmHWM/ { print $2 }' "/proc/$hearthd_pid/status")
# 4096 flights and 8192 waiting queries of less than 1 KiB each, c-ares's share, 10000 held failures.
check "memory is bounded ($before, at most $after KiB)" [ $((after - before)) -lt 40960 ]
check "what gave way is counted" \
	[ $(($(counter dns.in_flight.evicted) + $(counter dns.overloaded))) -gt 0 ]
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
