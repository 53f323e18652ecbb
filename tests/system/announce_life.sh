#!/bin/sh
# SPDX-License-Identifier: MIT
# Late joiners, restarts with the clock set back, clones, a rotated group key, leases over a router.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

make_clock
lan nas sub late twin

here='publish "here" { text = { "yes" } }'
states=
for i in $(seq 30); do states="$states publish \"room/$i\" { text = { \"temperature=$i\" } }"; done
long=$(head -c 200 /dev/zero | tr '\0' x)
pairs=$(for i in $(seq 60); do printf '"k%s=%s", ' "$i" "$long$i"; done)
announcer nas "$here $states publish \"long\" { text = { ${pairs%, } } }"
daemon=$pid
listener sub "$tmp/sub.json" --state "$tmp/sub.memory"
check "a subscriber joins" joined "$tmp/sub.json"
sleep 4		# the first, quick rounds are over: from now on only a request brings a state soon

# --- a late joiner ---------------------------------------------------------------------------
began=$(centiseconds)
listener_env=$(wrong_clock -2000000000) listener late "$tmp/late.json"
late=$pid
check "a late joiner without a clock has all 32 states" \
	wait_until "[ \$(grep -c '\"type\":\"state\"' '$tmp/late.json') -ge 32 ]" 5
took=$(($(centiseconds) - began))
echo "    after ${took}0 ms, start of the program included"
check "and soon" [ "$took" -lt 500 ]
same "nothing unconfirmed" 0 "$(grep -c '"confirmed":false' "$tmp/late.json")"
stop "$late"

# --- longer than a datagram ------------------------------------------------------------------
check "12 kB of text from the settings arrive in fragments, whole" \
	wait_until "grep '\"topic\":\"long\"' '$tmp/sub.json' |
		grep '\"k1\":\"${long}1\"' | grep -q '\"k60\":\"${long}60\"'" 5
set --
for i in $(seq 13); do set -- "$@" "k$i=$long"; done
check "2.6 kB by hand" tell nas publish --event longer "$@"
check "as well" wait_until \
	"grep '\"topic\":\"longer\"' '$tmp/sub.json' | grep -q '\"k13\":\"$long\"'" 5
set --

# --- restarts with the clock set back --------------------------------------------------------
# back NAME: events come through within 5 s of the restart.
back() {
	tell nas publish --event back "n=$2" >/dev/null
	check "$1" wait_until "grep -q '\"topic\":\"back\".*\"n\":\"$2\"' '$tmp/sub.json'" 5
}
stop "$daemon"
announcer_env=$(wrong_clock -86400) announcer nas "$here"
daemon=$pid
back "a day back, with its state: heard again" 1
stop "$daemon"
rm -rf "$tmp/nas.state"
announcer_env=$(wrong_clock -86400) announcer nas "$here"
daemon=$pid
back "a day back, without its state: heard again" 2
stop "$daemon"
rm -rf "$tmp/nas.state"
announcer_env=$(wrong_clock -2000000000) announcer nas "$here"
daemon=$pid
back "without a clock and state: heard again" 3
same "no gap was reported" 0 "$(grep -c '"type":"gap"' "$tmp/sub.json")"
stop "$daemon"

# --- clones ----------------------------------------------------------------------------------
announcer nas "$here"
daemon=$pid
cp -r "$tmp/nas.state" "$tmp/twin.state"
announcer twin "$here"
twin=$pid
clone='identity used by two hosts'
check "the first says that there are two" wait_until "grep -q '$clone' '$tmp/nas.log'" 10
check "the second says so too" wait_until "grep -q '$clone' '$tmp/twin.log'" 10
check "and the subscriber" wait_until "grep -q '$clone' '$tmp/sub.json'" 10
tell nas publish --event from-nas n=1 >/dev/null
tell twin publish --event from-twin n=1 >/dev/null
check "events of the first arrive" wait_until "grep -q from-nas '$tmp/sub.json'" 5
check "events of the second arrive" wait_until "grep -q from-twin '$tmp/sub.json'" 5
stop "$twin"
stop "$daemon"

# --- the group key is rotated while events go on -----------------------------------------------
"$ctl" keygen --dir "$tmp/newkeys" >/dev/null 2>&1
cp "$tmp/keys/group.key" "$tmp/old.key"
announcer nas "$here"
daemon=$pid
cat "$tmp/old.key" "$tmp/newkeys/group.key" >"$tmp/keys/group.key"	# subscribers learn it first
listener late "$tmp/rotate.json"
check "a subscriber with both keys joins" joined "$tmp/rotate.json"
rotate() {
	local n=0

	while [ $n -lt 60 ]; do
		n=$((n + 1))
		tell nas publish --event turn "n=$n" >/dev/null
		if [ $n -eq 20 ]; then
			cat "$tmp/newkeys/group.key" "$tmp/old.key" >"$tmp/keys/group.key"
			"$ctl" -s "$tmp/nas.sock" reload >/dev/null ||
				fail "reload" "$(cat "$tmp/nas.log")"
		fi
		sleep 0.02
	done
}
rotate
wait_until "[ \$(grep -c '\"topic\":\"turn\"' '$tmp/rotate.json') -ge 60 ]" 20
same "a rotated key loses nothing" 60 "$(grep -c '"topic":"turn"' "$tmp/rotate.json")"

# --- a lease over a router -------------------------------------------------------------------
lan_router
listener remote "$tmp/beyond.json"
member remote
sleep 1
refuse "multicast does not pass a router" joined "$tmp/beyond.json" 0
stop "$pid"
listener remote "$tmp/remote.json" --lease 10.9.0.1
check "a subscriber behind a router gets a lease and all state" joined "$tmp/remote.json"
tell nas publish --event far n=1 >/dev/null
check "and events" wait_until "grep -q '\"topic\":\"far\"' '$tmp/remote.json'" 5
contains "status counts the lease" "leases=1" \
	"$("$ctl" -s "$tmp/nas.sock" status | tr -d ' ' | grep leases=)"
finish
