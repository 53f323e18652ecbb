#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may ask: the house and nobody else, unless the settings say so. And where an asker is decides
# which of a name's addresses it gets.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

# A client in the house that also has an address of the Internet.
ip link add lan0 type veth peer name eth0 && ip netns add client && ip link set eth0 netns client &&
	ip address add 192.168.7.1/24 dev lan0 && ip link set lan0 up &&
	ip netns exec client ip address add 192.168.7.2/24 dev eth0 &&
	ip netns exec client ip link set eth0 up && ip netns exec client ip link set lo up &&
	ip netns exec client ip address add 203.0.113.9/32 dev lo &&
	ip route add 203.0.113.9/32 via 192.168.7.2 || skip "no second network namespace here"

start_fakedns --rule '* A 192.0.2.1'
cat >"$tmp/hosts" <<END
192.168.7.50 nas.home.arpa
10.5.5.50 nas.home.arpa
192.0.2.50 nas.home.arpa
10.5.5.51 far.home.arpa
192.0.2.51 far.home.arpa
END
conf() {
	conf_head
	echo "dns { listen = { \"192.168.7.1:53\", \"127.0.0.1:53\" }
		upstream = { \"127.0.0.1:$fakedns_port\" } hosts = { \"$tmp/hosts\" } $1 }"
}
ask() { ip netns exec client dig @192.168.7.1 +tries=1 +time=1 "$@"; }
conf "" >"$tmp/conf"
start_hearthd "$tmp/conf"
same "who is in the house is answered" 192.0.2.1 "$(ask +short a.example)"
contains "a stranger meets silence" "timed out" "$(ask -b 203.0.113.9 a.example 2>&1)"
same "also for names of the house" "" "$(ask -b 203.0.113.9 +short nas.home.arpa | grep -v '^;')"
same "over TCP as well" "" "$(ask -b 203.0.113.9 +tcp +short a.example 2>/dev/null | grep -v '^;')"
check "it is counted" [ "$(counter dns.not_allowed)" -ge 3 ]
contains "explain says so" "kept out" "$(ctl dns explain a.example A 203.0.113.9)"

conf 'allow = { "203.0.113.0/24" }' >"$tmp/conf"
check "other settings" ctl reload
same "let a stranger in" 192.0.2.1 "$(ask -b 203.0.113.9 +short a.example)"
contains "and keep the house out" "timed out" "$(ask a.example 2>&1)"
conf 'allow = { "any" }' >"$tmp/conf"
check "or let everybody in" ctl reload
same "wherever they are" "192.0.2.1 192.0.2.1" \
	"$(ask +short a.example) $(ask -b 203.0.113.9 +short a.example)"

same "an asker gets the address in its own network" 192.168.7.50 "$(ask +short nas.home.arpa)"
same "one from elsewhere all of them" "10.5.5.50 192.0.2.50 192.168.7.50" \
	"$(ask -b 203.0.113.9 +short nas.home.arpa | LC_ALL=C sort | xargs)"
same "and where none is in its network it gets all, too" "10.5.5.51 192.0.2.51" \
	"$(ask +short far.home.arpa | LC_ALL=C sort | xargs)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
