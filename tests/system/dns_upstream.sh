#!/bin/sh
# SPDX-License-Identifier: MIT
# Towards the upstreams: identical questions share one packet, ports and ids are random, failures
# are answered in time, and good answers come back as soon as an upstream does.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
slow.example A 192.0.2.50 ; delay=200
bad.example * SERVFAIL
*.ports.example A 192.0.2.60
*.example A 192.0.2.70
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"
up_port=$fakedns_port
up_pid=$fakedns_pid
port=$(free_port)
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:$port" }  upstream = { "127.0.0.1:$up_port" } }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
load() { "$dnsload" --server "127.0.0.1:$port" "$@"; }

out=$(load --name slow.example --count 50 --window 50 --mix-case --seed 7)
contains "50 at once: 50 right answers, each its own id and letter case" \
	"answered=50 lost=0 wrong=0 noerror=50" "$out"
same "and one packet upstream" 1 "$(grep -ci 'name=slow.example ' "$tmp/upstream.log")"

out=$(load --name '%d.ports.example' --count 1000 --window 40)
contains "1000 names are answered" "answered=1000 lost=0 wrong=0 noerror=1000" "$out"
grep -i 'ports.example' "$tmp/upstream.log" | grep '^udp' | sed 's/.*port=\([0-9]*\) .*/\1/' |
	sort -u >"$tmp/ports"
distinct=$(wc -l <"$tmp/ports")
check "from at least 950 distinct ports ($distinct)" [ "$distinct" -ge 950 ]
# Ids: 16 buckets by their top four bits, chi-square with 15 degrees of freedom. 44.3 is passed by
# chance once in ten thousand.
chi=$(grep -i 'ports.example' "$tmp/upstream.log" | sed -n 's/.*id=0x\([0-9a-f]\).*/\1/p' |
	awk '{ n[$1]++; t++ } END { for (i = 0; i < 16; i++) { e = t / 16; d = n[sprintf("%x", i)] - e
	x += d * d / e } printf "%d %.1f\n", x < 44.3, x }')
same "ids are uniform (chi-square ${chi#* })" 1 "${chi% *}"
ids=$(grep -i 'ports.example' "$tmp/upstream.log" | sed -n 's/.*id=\(0x[0-9a-f]*\).*/\1/p' |
	sort -u | wc -l)
check "and seldom repeat ($ids)" [ "$ids" -ge 980 ]

contains "an upstream's SERVFAIL is delivered" "SERVFAIL" \
	"$(dig @127.0.0.1 -p "$port" +tries=1 bad.example | grep status)"

out=$(load --name 'burst%d.example' --count 512 --window 512 --ports 8)
contains "a burst of 512 names loses none" "answered=512 lost=0" "$out"
out=$(load --name 'burst%d.example' --count 512 --window 512 --ports 8)
contains "nor when they are cached" "answered=512 lost=0" "$out"

# The upstream goes away while queries run.
load --name 'away%d.example' --count 4000 --window 16 --seconds 60 >"$tmp/away.out" &
away=$!
check "queries run" wait_until "grep -qi away5 '$tmp/upstream.log'" 5
stop "$up_pid"
wait "$away"
contains "every query is answered while the upstream is gone" "lost=0 wrong=0" \
	"$(cat "$tmp/away.out")"
start=$(centiseconds)
contains "a new one is SERVFAIL" "status: SERVFAIL" \
	"$(dig @127.0.0.1 -p "$port" +tries=1 +time=6 fresh.example)"
check "within its deadline" [ $(($(centiseconds) - start)) -lt 590 ]
contains "with a reason" "EDE: 2" "$(dig @127.0.0.1 -p "$port" +tries=1 +time=6 fresh2.example)"
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream2.log" --port "$up_port"
check "good answers within 5 s of its return" wait_until \
	"dig @127.0.0.1 -p $port +tries=1 +time=1 +short again\$(centiseconds).example | grep -q 192.0.2.70" 5
check "the daemon has lived through it" running "$hearthd_pid"
stop "$hearthd_pid"
same "and ends with 0" 0 $?
finish
