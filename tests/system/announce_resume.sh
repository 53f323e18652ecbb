#!/bin/sh
# SPDX-License-Identifier: MIT
# Machines that sleep: the clock that runs meanwhile jumps by an hour while the link is down. Then a
# subscriber catches up at once, and an announcer says everything again.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

make_clock
lan nas sub
echo 0 >"$tmp/nas.slept"
echo 0 >"$tmp/sub.slept"

announcer_env=$(slept_in "$tmp/nas.slept")
announcer nas 'publish "here" { text = { "yes" } } publish "door" { text = { "state=closed" } }'
listener_env=$(slept_in "$tmp/sub.slept")
listener sub "$tmp/sub.json"
check "a subscriber joins" joined "$tmp/sub.json"
sleep 4		# the first, quick rounds are over: from now on only a request brings a state soon

# --- the subscriber sleeps for an hour ---------------------------------------------------------
ip -n sub link set eth0 down
tell nas publish door state=open >/dev/null
tell nas publish --event missed n=1 >/dev/null
sleep 2.5	# the copies go by
echo 3600 >"$tmp/sub.slept"
before=$(grep -c '"topic":"here"' "$tmp/sub.json")
began=$(centiseconds)
ip -n sub link set eth0 up
check "what has changed meanwhile is known" wait_until \
	"grep -q '\"state\":\"open\"' '$tmp/sub.json'" 8
echo "    $(($(centiseconds) - began))0 ms after the link came up"
contains "what was not heard for so long had expired" '"reason":"expired"' "$(cat "$tmp/sub.json")"
check "what still holds is known again" \
	wait_until "[ \$(grep -c '\"type\":\"state\",\"topic\":\"here\"' '$tmp/sub.json') -ge 2 ]" 5
tell nas publish --event after n=2 >/dev/null
check "events are heard" wait_until "grep -q '\"topic\":\"after\"' '$tmp/sub.json'" 5

# --- the announcer does -------------------------------------------------------------------------
resumes() { "$ctl" -s "$tmp/nas.sock" --json status | tr -d ' \n' | grep -o '"resumes":[0-9]*'; }
rounds() { "$ctl" -s "$tmp/nas.sock" --json status | tr -d ' \n' | grep -o '"states":[0-9]*' |
	sed 's/.*://'; }
same "nobody has slept yet" '"resumes":0' "$(resumes)"
sleep 4
sent=$(rounds)
echo 3600 >"$tmp/nas.slept"
ip -n nas link set eth0 down
ip -n nas link set eth0 up
check "the announcer notices that it has slept" wait_until "[ '\"resumes\":1' = \"\$(resumes)\" ]" 5
contains "and says so in its log" "slept=3600s" "$(cat "$tmp/nas.log")"
check "it says everything again" wait_until "[ \$(rounds) -ge $((sent + 2)) ]" 5
tell nas publish --event awake n=3 >/dev/null
check "and is heard" wait_until "grep -q '\"topic\":\"awake\"' '$tmp/sub.json'" 8
same "once" 1 "$(grep -c '"topic":"awake"' "$tmp/sub.json")"
finish
