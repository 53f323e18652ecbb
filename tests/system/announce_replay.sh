#!/bin/sh
# SPDX-License-Identifier: MIT
# A capture is replayed, and changed, to a running subscriber, to a restarted one with its memory
# and to a fresh one without a clock: nothing of it counts. Somebody with the group key but another
# sender key is refused and counted.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

tap=$top_builddir/tests/support/beacon_tap
lan nas sub fresh evil
news() { grep -c '"type":"\(event\|state\|withdraw\)"' "$1"; }
says() { sed -n "s/^$2=//p" "$1" | tail -1; }

announcer nas 'ipv6 = false publish "here" { text = { "yes" } }'
daemon=$pid
spawn ip netns exec evil "$tap" record eth0 "$tmp/capture" 5
recorder=$pid
listener sub "$tmp/sub.json" --state "$tmp/memory" --stats
subscriber=$pid
check "a subscriber joins" joined "$tmp/sub.json"
for n in 1 2 3 4 5 6 7 8 9 10; do tell nas publish --event e "n=$n" >/dev/null; done
wait_until "[ \$(events '$tmp/sub.json' | wc -l) -eq 10 ]" 5
wait "$recorder"
kill -KILL "$daemon"		# no farewell: the states hold, and nobody answers any more
wait "$daemon" 2>/dev/null

before=$(news "$tmp/sub.json")
check "the capture is replayed" ip netns exec evil "$tap" replay eth0 "$tmp/capture"
check "and changed byte by byte" ip netns exec evil "$tap" flip eth0 "$tmp/capture"
sleep 0.5
same "a running subscriber accepts nothing" "$before" "$(news "$tmp/sub.json")"
stop "$subscriber"
check "it saw duplicates" [ "$(says "$tmp/listen.log" duplicates)" -ge 10 ]
check "and forgeries (most changed ones bear a number that was seen)" \
	[ "$(says "$tmp/listen.log" forged)" -ge 16 ]

listener sub "$tmp/again.json" --state "$tmp/memory"
again=$pid
make_clock
listener_env=$(wrong_clock -2000000000)
listener fresh "$tmp/fresh.json" --stats
fresh=$pid
listener_env=
member sub
member fresh
for n in 1 2 3; do
	ip netns exec evil "$tap" replay eth0 "$tmp/capture" >/dev/null
	ip netns exec evil "$tap" flip eth0 "$tmp/capture" >/dev/null
done
sleep 2.5			# what was held is decided about
same "a restarted one with its memory accepts nothing" 0 "$(news "$tmp/again.json")"
same "a fresh one without a clock accepts nothing" 0 "$(news "$tmp/fresh.json")"
stop "$fresh"
check "it held what it heard and dropped it" [ "$(says "$tmp/listen.log" unproven)" -ge 5 ]
stop "$again"

# --- the right group, the wrong sender -----------------------------------------------------------
mkdir "$tmp/own"
cp -r "$tmp/keys" "$tmp/own/keys"
rm "$tmp/own/keys/sender.key"
"$ctl" keygen --dir "$tmp/own/keys" >/dev/null 2>&1
listener sub "$tmp/wrong.json" --stats
subscriber=$pid
member sub
mv "$tmp/keys" "$tmp/right"
mv "$tmp/own/keys" "$tmp/keys"
announcer evil 'publish "here" { text = { "no" } }'
check "a stranger with the group key is refused" \
	wait_until "grep -q '\"type\":\"refused\",\"reason\":\"unknown sender\"' '$tmp/wrong.json'" 5
tell evil publish --event e n=99 >/dev/null
sleep 0.5
same "and nothing of it counts" 0 "$(news "$tmp/wrong.json")"
stop "$subscriber"
check "it is counted" [ "$(says "$tmp/listen.log" unknown_sender)" -ge 1 ]
finish
