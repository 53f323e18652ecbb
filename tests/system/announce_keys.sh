#!/bin/sh
# SPDX-License-Identifier: MIT
# A sender gets a new key while it speaks: subscribers that trust the old one follow without a lost
# event, on the link and behind a router; then the old key is good for nothing any more.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

lan_up
lan_host nas
lan_host sub
lan_host thief
lan_router
make_keys
"$ctl" keygen --dir "$tmp/new" --name nas >"$tmp/new.trust" 2>/dev/null
cp "$tmp/keys/sender.key" "$tmp/old.key"
says() { sed -n "s/^$2=//p" "$1" | tail -1; }
count() { grep -c "$1" "$2"; }

announcer nas 'publish "here" { text = { "yes" } } publish "door" { text = { "state=closed" } }'
daemon=$pid
listener sub "$tmp/sub.json" --state "$tmp/memory"
subscriber=$pid
listener remote "$tmp/remote.json" --lease 10.9.0.1
check "a subscriber joins" joined "$tmp/sub.json"
check "another one, behind a router" joined "$tmp/remote.json"

# --- the change of keys, with events before, meanwhile and after ---------------------
n=0
while [ $n -lt 90 ]; do
	n=$((n + 1))
	tell nas publish --event turn "n=$n" >/dev/null
	if [ $n -eq 30 ]; then
		cp "$tmp/new/sender.key" "$tmp/keys/sender.key"
		sed -i "s,^announce {,announce { old-sender-key = \"$tmp/old.key\"," "$tmp/nas.conf"
		"$ctl" -s "$tmp/nas.sock" reload >/dev/null || fail "reload" "$(cat "$tmp/nas.log")"
	fi
	sleep 0.03
done
for who in sub remote; do
	wait_until "[ \$(count '\"topic\":\"turn\"' '$tmp/$who.json') -ge 90 ]" 20
	same "$who: no event is lost, none comes twice" 90 \
		"$(count '"topic":"turn"' "$tmp/$who.json")"
	same "$who: each of the 90" 90 "$(events "$tmp/$who.json" | sort -n | uniq | wc -l)"
	same "$who: nothing is reported as lost" 0 "$(count '"type":"gap"' "$tmp/$who.json")"
	same "$who: no state seemed to end, or to begin again" "0 2" \
		"$(count '"type":"withdraw"' "$tmp/$who.json") $(count '"type":"state"' \
			"$tmp/$who.json")"
	contains "$who: is told of the new key" "has a new key" "$(cat "$tmp/$who.json")"
done
stop "$subscriber"

# --- a restart of both: the new key holds ---------------------------------------------
stop "$daemon"
spawn ip netns exec nas "$top_builddir/hearthd" -f -c "$tmp/nas.conf" 2>>"$tmp/nas.log"
daemon=$pid
wait_until "[ -S '$tmp/nas.sock' ]" 5
listener sub "$tmp/again.json" --state "$tmp/memory" --stats
subscriber=$pid
check "after restarts the new key is known by memory" joined "$tmp/again.json"
same "and what it says is under the old name" 0 \
	"$(grep '"topic":"here"' "$tmp/again.json" | grep -vc '"sender":"nas"')"

# --- who has stolen the old key ---------------------------------------------------------
mv "$tmp/keys/sender.key" "$tmp/new.key"
cp "$tmp/old.key" "$tmp/keys/sender.key"
announcer thief 'publish "door" { text = { "state=open" } }'
tell thief publish --event stolen n=1 >/dev/null
check "the old key is refused" \
	wait_until "grep -q '\"reason\":\"this key was replaced by a newer one\"' '$tmp/again.json'" 8
sleep 0.5
same "nothing of it counts" 0 "$(count 'stolen\|"open"' "$tmp/again.json")"
tell nas publish --event mine n=1 >/dev/null
check "while the new one is heard" wait_until "grep -q '\"topic\":\"mine\"' '$tmp/again.json'" 5
stop "$subscriber"
check "and counted" [ "$(says "$tmp/listen.log" key_replaced)" -ge 2 ]
finish
