#!/bin/sh
# SPDX-License-Identifier: MIT
# More links than the kernel lets one socket join, links that come and go, a bridge that prunes
# memberships, broadcast where multicast is dropped, links of containers left alone.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip nft
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

make_keys
here='publish "here" { text = { "yes" } }'

# --- thirty links, and one more --------------------------------------------------------------
ip netns add many
ip -n many link set lo up
# plug NAME NUMBER: a link with an address; its other end has a name that is left alone.
plug() {
	ip -n many link add "$1" type veth peer name "veth$2"
	ip -n many addr add "10.7.$2.1/24" dev "$1"
	ip -n many link set "veth$2" up
	ip -n many link set "$1" up
}
for i in $(seq 30); do plug "lan$i" "$i"; done
plug docker0 100
announcer many "$here"
# links GLOB: how many links of that name are joined in both families.
links() {
	"$ctl" -s "$tmp/many.sock" --json status | tr -d ' \n' |
		grep -o "\"name\":\"$1\",\"ipv4\":true,\"ipv6\":true" | wc -l
}
check "thirty links are joined, IPv4 and IPv6" wait_until "[ \$(links 'lan[0-9]*') -eq 30 ]" 5
same "none failed" '"joins_failed":0' \
	"$("$ctl" -s "$tmp/many.sock" --json status | tr -d ' \n' |
		grep -o '"joins_failed":[0-9]*')"
same "that of containers is left alone" 0 "$(links docker0)"
plug new1 200
check "a link that is plugged in is joined" wait_until "[ \$(links new1) -eq 1 ]" 5
ip -n many link del new1
ip -n many link del lan7
check "links that go are left" wait_until \
	"[ \$(links 'lan[0-9]*') -eq 29 ] && [ \$(links new1) -eq 0 ]" 5
# counted NAME: a number of the announcer's.
counted() { "$ctl" -s "$tmp/many.sock" --json status | tr -d ' \n' | grep -o "\"$1\":[0-9]*" |
	sed 's/.*://'; }
sleep 4		# what the links before have caused is over
digests=$(counted digests)
changes=$(counted link_changes)
n=0
while [ $n -lt 30 ]; do
	n=$((n + 1))
	ip -n many addr del 10.7.9.1/24 dev lan9
	ip -n many addr add 10.7.9.1/24 dev lan9
	sleep 0.1
done
changes=$(($(counted link_changes) - changes))
digests=$(($(counted digests) - digests))
echo "    30 times an address went and came: seen as $changes changes, $digests digests in 3 s"
check "an address that comes and goes does not make us talk each time" [ "$digests" -le 2 ]
stop "$pid"

# --- a subscriber hears a link that appears while it runs --------------------------------------
lan_up
# From now on the bridge prunes what nobody has joined within 5 s. It does not ask for members but
# once in 1000 s; it takes some seconds until it believes in itself as the querier.
ip link set br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_query_interval 100000 \
	mcast_startup_query_count 1 mcast_startup_query_interval 100 mcast_membership_interval 500 \
	2>/dev/null || skip "this bridge cannot snoop"
lan_host nas
lan_host sub
lan_host other
ip -n sub link set eth0 down
announcer nas "rejoin = \"1s\" broadcast = { \"eth0\" } $here"
daemon=$pid
listener sub "$tmp/sub.json" --rejoin 1s
subscriber=$pid
wait_until "ip netns exec sub grep -q ':1DF1 ' /proc/net/udp" 10
ip -n sub link set eth0 up
check "a link that comes up is listened to" joined "$tmp/sub.json" 8

# --- multicast is dropped, broadcasts go through ------------------------------------------------
nft -f - <<END
table bridge filter {
	chain forward {
		type filter hook forward priority 0;
		ip daddr 239.0.0.0/8 drop
		ip6 daddr ff00::/8 udp dport $port drop
	}
}
END
tell nas publish --event broadcast n=1 >/dev/null
check "an event comes by broadcast" wait_until "grep -q '\"topic\":\"broadcast\"' '$tmp/sub.json'" 5
nft delete table bridge filter
stop "$subscriber"
stop "$daemon"

# --- IPv6 alone ---------------------------------------------------------------------------------
announcer nas "ipv4 = false rejoin = \"1s\" $here"
daemon=$pid
listener sub "$tmp/six.json" --rejoin 1s
check "by IPv6 alone a subscriber joins" joined "$tmp/six.json" 8
tell nas publish --event six n=6 >/dev/null
check "and hears events" wait_until "grep -q '\"topic\":\"six\"' '$tmp/six.json'" 5
stop "$pid"
stop "$daemon"

# --- a bridge that forgets members after 5 s and never asks --------------------------------------
announcer nas "rejoin = \"3s\" ipv6 = false $here"
listener sub "$tmp/kept.json" --rejoin 3s
listener other "$tmp/pruned.json" --rejoin 1h
member sub
member other
seconds=${HEARTH_SNOOPING_SECONDS:-30}
n=0
while [ $n -lt "$seconds" ]; do
	n=$((n + 1))
	tell nas publish --event tick "n=$n" >/dev/null
	sleep 1
done
check "with renewed memberships every tick arrives" \
	wait_until "[ \$(grep -c '\"topic\":\"tick\"' '$tmp/kept.json') -eq $seconds ]" 3
same "and nothing is reported as lost" 0 "$(grep -c '"type":"gap"' "$tmp/kept.json")"
pruned=$(grep -c '"topic":"tick"' "$tmp/pruned.json")
echo "    without renewal: $pruned of $seconds"
check "the bridge did prune" [ "$pruned" -lt "$seconds" ]
finish
