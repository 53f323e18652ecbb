#!/bin/sh
# SPDX-License-Identifier: MIT
# tshark reads a capture of the announcer through contrib/wireshark/hearth.lua, and every test
# vector without calling one malformed.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need tshark tcpdump ip text2pcap od
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

lua=$top_srcdir/contrib/wireshark/hearth.lua
export HOME="$tmp" XDG_CONFIG_HOME="$tmp"	# nobody's own settings
view() { tshark -X "lua_script:$lua" "$@" 2>"$tmp/tshark.err"; }

# The vectors: hexadecimal text to packets.
sed -n 's/^datagram = //p' "$top_srcdir/tests/vectors/beacon.txt" |
	while read -r hex; do
		printf '000000 %s\n\n' "$(echo "$hex" | sed 's/../& /g')"
	done >"$tmp/vectors.hex"
text2pcap -q -u 7665,7665 "$tmp/vectors.hex" "$tmp/vectors.pcap" >/dev/null 2>&1 ||
	skip "text2pcap does not make packets here"
count=$(grep -c '^datagram' "$top_srcdir/tests/vectors/beacon.txt")
view -r "$tmp/vectors.pcap" -T fields -e hearth.type -e hearth.topic >"$tmp/types"
same "every vector is a beacon" "$count" "$(grep -c '^[1-8]' "$tmp/types")"
contains "a public event shows its topic" "1	door/front" "$(cat "$tmp/types")"
same "none is malformed" "" "$(view -r "$tmp/vectors.pcap" -Y hearth.malformed)"
contains "and the public one its text" "state=closed" \
	"$(view -r "$tmp/vectors.pcap" -T fields -e hearth.text)"

# A capture of the real thing, in public.
lan nas sub
mkdir -p "$tmp/state"
cat >"$tmp/nas.conf" <<END
user = ""
state-dir = "$tmp/state"
control = "$tmp/nas.sock"
announce { ipv6 = false sender-key = "$tmp/keys/sender.key" publish "door/front" { text = { "state=closed" } } }
END
spawn ip netns exec sub tcpdump -q -U -i eth0 -w "$tmp/live.pcap" udp port 7665 2>"$tmp/tcpdump.log"
dump=$pid
wait_until "grep -q listening '$tmp/tcpdump.log'" 5 || skip "tcpdump does not listen"
spawn ip netns exec nas "$top_builddir/hearthd" -f -c "$tmp/nas.conf" 2>"$tmp/nas.log"
spawn ip netns exec sub "$ctl" --json listen --trust "$tmp/trust" --for 2s >"$tmp/out" 2>/dev/null
wait "$pid"
stop "$dump" INT
view -r "$tmp/live.pcap" -T fields -e hearth.type -e hearth.topic -e hearth.text >"$tmp/live"
contains "a state of the capture is readable" "2	door/front	state=closed" \
	"$(cat "$tmp/live")"
check "and a digest is there" grep -q '^4' "$tmp/live"
check "and a request of the subscriber" grep -q '^6' "$tmp/live"
same "nothing of it is malformed" "" "$(view -r "$tmp/live.pcap" -Y hearth.malformed)"
view -r "$tmp/live.pcap" | head -4 | sed 's/^/    /'
finish
