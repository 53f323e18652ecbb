#!/bin/sh
# SPDX-License-Identifier: MIT
# Ten thousand different names asked at once while no upstream answers: memory stays bounded,
# nothing is REFUSED, everything gets an answer, and what is cached or local is answered as if
# nothing were going on. What finds no place, or gives way, gets an expired answer where there is
# one.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'cached.example A 192.0.2.1 ; ttl=3600' \
	--rule 'old.example A 192.0.2.2 ; ttl=1' \
	--rule '* * DROP'
up_pid=$fakedns_pid
port=$(free_port)
dns_conf 'record = { "nas.home.arpa. 60 IN A 192.168.1.5" }' 'stale-recheck = 1s' >"$tmp/conf"
start_hearthd "$tmp/conf"
load() { "$dnsload" --server "127.0.0.1:$port" "$@"; }
# p50 LINE: the median that dnsload has told.
p50() { echo "$1" | sed -n 's/.* p50_us=\([0-9]*\) .*/\1/p'; }
same "cached before" 192.0.2.1 "$(ask +short cached.example)"
same "so is a name that runs out" 192.0.2.2 "$(ask +short old.example)"
before=$(awk '/^VmRSS/ { print $2 }' "/proc/$hearthd_pid/status")
idle=$(load --name cached.example --count 500 --window 1)

# --- ten thousand at once, from twenty clients
load --name 'flood%d.example' --count 10000 --window 10000 --sources 20 --seconds 20 >"$tmp/flood" &
flood=$!
check "the flood has come" wait_until "[ \"\$(counter dns.in_flight.asked)\" -gt 4000 ]" 10
for name in cached.example nas.home.arpa; do
	out=$(load --name $name --count 500 --window 1)
	contains "$name is answered meanwhile" "answered=500 lost=0 wrong=0 noerror=500" "$out"
	check "as fast as ever ($(p50 "$out") us in the middle, $(p50 "$idle") us before)" \
		[ "$(p50 "$out")" -le $((20 * $(p50 "$idle"))) ]
done
wait $flood
out=$(cat "$tmp/flood")
echo "    $out"
contains "every query of the flood is answered" "answered=10000 lost=0" "$out"
contains "with SERVFAIL, none with REFUSED" "servfail=10000 refused=0" "$out"
after=$(awk '/^VmHWM/ { print $2 }' "/proc/$hearthd_pid/status")
check "memory is bounded ($before KiB before, $after at most)" [ $((after - before)) -lt 32768 ]
check "what gave way is counted" \
	[ $(($(counter dns.in_flight.evicted) + $(counter dns.overloaded))) -gt 0 ]

# --- one client cannot take all places
waiting() { [ "$(counter dns.in_flight.waiting)" = "$1" ]; }
check "nothing waits in the end" wait_until "waiting 0" 10
load --name 'alone%d.example' --count 1000 --window 1000 --ports 4 >"$tmp/flood" &
flood=$!
check "one client gets 500 places" wait_until "waiting 500" 5
load --name other.example --sources 1 >/dev/null &
other=$!
check "others get theirs" wait_until "waiting 501" 4
wait $flood $other
contains "all of its queries are answered" \
	"answered=1000 lost=0 wrong=0 noerror=0 nxdomain=0 servfail=1000" \
	"$(cat "$tmp/flood")"
check "what was too many is counted" [ "$(counter dns.in_flight.client_exhausted)" -ge 500 ]

# --- an expired answer beats an error: in a flood that never ends some questions find no place,
# others give way soon
stop "$up_pid"
start_fakedns --rule '* * DROP' --port "$fakedns_port"
check "the short answer has expired" wait_until "ctl dns lookup old.example | grep -q stale" 5
evicted=$(counter dns.in_flight.evicted)
load --name 'more%d.example' --count 1000000 --window 9000 --sources 20 --seconds 5 >"$tmp/flood" &
flood=$!
check "places are taken away" wait_until \
	"[ \"\$(counter dns.in_flight.evicted)\" -gt \$((evicted + 100)) ]" 8
out=$(load --name old.example --count 12 --window 1)
echo "    $out"
contains "the expired answer is given all the time" "answered=12 lost=0 wrong=0 noerror=12" "$out"
contains "and says so" "EDE: 3 (Stale Answer)" "$(ask old.example)"
same "a name of the house is answered" 192.168.1.5 "$(ask +short nas.home.arpa)"
wait $flood
contains "and nothing was REFUSED" "refused=0" "$(cat "$tmp/flood")"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
