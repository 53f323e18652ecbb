#!/bin/sh
# SPDX-License-Identifier: MIT
# A restart begins warm: the same answers with what is left of their TTLs and without a question to
# the upstream. A file that is damaged is told of and overwritten, a killed daemon leaves the old
# one.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
long.example A 192.0.2.1 ; ttl=3000
text.example TXT "kept" ; ttl=3000
short.example A 192.0.2.2 ; ttl=1
gone.example * NXDOMAIN
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"
port=$(free_port)
dns_conf >"$tmp/conf"
ttl_of() { ask "$1" | awk -v n="$1." '$1 == n && $4 == "A" { print $2; exit }'; }
asked() { grep -ci "name=$1 " "$tmp/upstream.log"; }
loaded() { [ "$(counter dns.snapshot.load)" = "$1" ]; }

start_hearthd "$tmp/conf" first
for name in long.example short.example gone.example; do ask "$name" >/dev/null; done
ask text.example TXT >/dev/null
entries=$(counter dns.cache.entries)
check "the answer has grown older" wait_until '[ "$(ttl_of long.example)" -lt 3000 ]' 5
first=$(ttl_of long.example)
stop "$hearthd_pid"
same "SIGTERM ends it with 0" 0 $?
check "the cache is in the state directory" test -s "$tmp/state/dns-cache"
same "for its user alone" 600 "$(stat -c %a "$tmp/state/dns-cache")"
same "nothing is left beside it" "" "$(ls "$tmp/state" | grep -v '^dns-cache$')"

start_hearthd "$tmp/conf" second
check "it is read at the start" wait_until "loaded done" 5
same "with every entry" "$entries" "$(counter dns.cache.entries)"
contains "the log says so" "cache_restored" "$(cat "$hearthd_log")"
again=$(ttl_of long.example)
check "the TTL went on falling" test "$again" -le "$first"
check "but not to nothing" test "$again" -gt 2900
same "other types too" '"kept"' "$(ask +short text.example TXT)"
contains "and names that do not exist" "status: NXDOMAIN" "$(ask gone.example)"
same "nobody was asked again" "1 1 1" \
	"$(asked long.example) $(asked text.example) $(asked gone.example)"
check "but for what has run out" wait_until \
	'ask short.example >/dev/null; [ "$(asked short.example)" -ge 2 ]' 5

# Killed, it leaves the file of before.
sum=$(cksum <"$tmp/state/dns-cache")
kill -KILL "$hearthd_pid"
wait "$hearthd_pid" 2>/dev/null
same "killed, it leaves the old file" "$sum" "$(cksum <"$tmp/state/dns-cache")"
start_hearthd "$tmp/conf" third
check "which is read" wait_until "loaded done" 5
same "and right" 192.0.2.1 "$(ask +short long.example)"
stop "$hearthd_pid"

# Damage.
printf 'junk' | dd of="$tmp/state/dns-cache" bs=1 seek=100 conv=notrunc 2>/dev/null
start_hearthd "$tmp/conf" fourth
check "a damaged file is refused" wait_until "loaded refused" 5
same "once in the log" 1 "$(grep -c snapshot_ignored "$hearthd_log")"
same "it serves all the same" 192.0.2.1 "$(ask +short long.example)"
same "by asking" 2 "$(asked long.example)"
stop "$hearthd_pid"
start_hearthd "$tmp/conf" fifth
check "the next file is good again" wait_until "loaded done" 5
stop "$hearthd_pid"

# From time to time, and off.
dns_conf 'snapshot-interval = "1s"' >"$tmp/conf"
start_hearthd "$tmp/conf" sixth
ask new.example >/dev/null
check "it is written while the daemon runs" wait_until '[ "$(counter dns.snapshot.saves)" -ge 1 ]' \
	10
dns_conf 'snapshot = false' >"$tmp/conf"
check "switched off by a reload" ctl reload
check "the file is removed" test ! -e "$tmp/state/dns-cache"
stop "$hearthd_pid"
check "and not written at the end" test ! -e "$tmp/state/dns-cache"
finish
