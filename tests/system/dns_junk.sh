#!/bin/sh
# SPDX-License-Identifier: MIT
# Random bytes over loopback: no crash, no report of a sanitizer, no memory that grows, and a good
# query still answered. HEARTH_JUNK sets how many datagrams (default 100000).
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

junk=${HEARTH_JUNK:-100000}
start_fakedns --rule '* A 192.0.2.1'
port=$(free_port)
dns_conf >"$tmp/conf"
start_hearthd "$tmp/conf"
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$hearthd_pid/status"; }
good() { dig @127.0.0.1 -p "$port" +tries=2 +short "$1"; }

same "a good query before" 192.0.2.1 "$(good before.example)"
"$dnsload" --server "127.0.0.1:$port" --junk --count $((junk / 10)) --seed 1 >/dev/null
warm=$(rss)
out=$("$dnsload" --server "127.0.0.1:$port" --junk --count "$junk" --seed 2 --seconds 240)
contains "all were sent" "sent=$junk" "$out"
same "a good query after" 192.0.2.1 "$(good after.example)"
now=$(rss)
check "memory is flat ($warm then $now KiB)" [ "$now" -le $((warm + 4096)) ]
check "they were counted" [ "$(counter dns.junk)" -gt 0 ]
check "the daemon lives" running "$hearthd_pid"
stop "$hearthd_pid"
same "and ends with 0" 0 $?
same "no sanitizer had a word to say" "" \
	"$(grep -E 'ERROR: AddressSanitizer|runtime error' "$hearthd_log")"
finish
