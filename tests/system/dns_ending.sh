#!/bin/sh
# SPDX-License-Identifier: MIT
# A daemon that is told to end takes no new work: however many ask, it answers those who wait, tells
# what it knows, and is gone.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'slow.example A 192.0.2.9 ; delay=900' \
	--rule '*.busy.example A 192.0.2.1 ; delay=50' \
	--log "$tmp/up.log"
port=$(free_port)
dns_conf 'record = { "nas.home.arpa. 60 IN A 192.168.1.5" }' >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }

# Each client asks again when it has its answer, and soon again where it gets none.
for i in 1 2 3 4 5; do
	"$dnsload" --server "127.0.0.1:$port" --name "%d.$i.busy.example" --count 100000 --window 200 \
		--sources 10 --seconds 20 >/dev/null &
	loads="${loads:-} $!"
done
check "it is busy" wait_until "[ \"\$(counter dns.answered_upstream)\" -gt 1000 ]" 10
ask slow.example >"$tmp/slow" &
slow=$!
check "somebody waits" wait_until "grep -qi slow.example '$tmp/up.log'" 5
kill -TERM "$hearthd_pid"
check "it begins to end" wait_until "grep -q 'ending' '$hearthd_log'" 5
same "names of the house are told until the end" 192.168.1.5 "$(ask nas.home.arpa)"
check "it does not use up its three seconds" wait_until "! running $hearthd_pid" 2
wait "$hearthd_pid"
same "ends with 0" 0 $?
wait $slow
same "and who waited has the answer" 192.0.2.9 "$(cat "$tmp/slow")"
kill $loads 2>/dev/null
finish
