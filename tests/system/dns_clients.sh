#!/bin/sh
# SPDX-License-Identifier: MIT
# Blocks for devices by their MAC addresses: a device next to a plain one, both families, one that
# takes over an address, and no look at the kernel's table where no block names any.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

# A cable with the house at one end and a device with several addresses at the other.
kid=02:00:00:00:00:0a
ip link add house0 type veth peer name kid0 && ip netns add kid && ip link set kid0 netns kid &&
	ip address add 198.51.100.1/24 dev house0 && ip -6 address add fd00:1::1/64 dev house0 \
		nodad &&
	ip link set house0 up && ip -n kid link set kid0 address $kid &&
	ip -n kid address add 198.51.100.10/24 dev kid0 && ip -n kid address add 198.51.100.11/24 \
		dev kid0 &&
	ip -n kid -6 address add fd00:1::10/64 dev kid0 nodad && ip -n kid link set kid0 up ||
	skip "no second network namespace here"
start_fakedns --rule '* A 192.0.2.1'
settings() {
	conf_head
	cat <<END
dns {
	listen = { "0.0.0.0:53", "[::]:53" }
	upstream = { "127.0.0.1:$fakedns_port" }
	block "ads" { names = { "ads.example" } }
	block "kids" { names = { "game.example" } $1 }
}
END
}
ask() { ip netns exec kid dig +tries=1 +time=5 "$@"; }
status_of() { ask "$@" | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }

settings 'clients = { "02:00:00:00:00:0b", "198.51.100.77" }' >"$tmp/conf"
start_hearthd "$tmp/conf"
same "another device is not blocked" NOERROR "$(status_of @198.51.100.1 game.example)"
out=$(ctl dns explain game.example A 198.51.100.10)
contains "which is explained with its MAC address" \
	"198.51.100.10 is $kid; blocks in force: ads (everyone)" "$out"

settings "clients = { \"02-00-00-00-00-0A\", \"198.51.100.77\" }" >"$tmp/conf"
check "the block gets this device" ctl reload
same "which is blocked" NXDOMAIN "$(status_of @198.51.100.1 game.example)"
contains "with a reason" "kids: game.example" "$(ask @198.51.100.1 game.example)"
# An address that the kernel has never heard of is known when it has got the first answer.
check "with another address, too" wait_until \
	"[ \"\$(status_of @198.51.100.1 -b 198.51.100.11 game.example)\" = NXDOMAIN ]" 5
same "and over IPv6" NXDOMAIN "$(status_of @fd00:1::1 -b fd00:1::10 game.example)"
same "and over TCP" NXDOMAIN "$(status_of +tcp @198.51.100.1 game.example)"
same "for this name alone" NOERROR "$(status_of @198.51.100.1 www.example)"
same "the house itself is not" NOERROR "$(dig @127.0.0.1 +tries=1 +time=5 game.example |
	sed -n 's/.*status: \([A-Z]*\).*/\1/p')"
out=$(ctl dns explain game.example A 198.51.100.10)
contains "that is explained" "blocks in force: ads (everyone) kids ($kid)" "$out"
contains "with the verdict" blocked "$out"
contains "a client by its address as well" "kids (198.51.100.77/32)" \
	"$(ctl dns explain game.example A 198.51.100.77)"
contains "somebody who is not there is nobody" "nobody whose MAC address is known" \
	"$(ctl dns explain game.example A 198.51.100.99)"

# Many questions, hardly any looks at the kernel's table.
before=$(counter dns.neighbours.asked)
out=$(ip netns exec kid "$dnsload" --server 198.51.100.1:53 --name game.example --count 2000 \
	--window 20)
contains "2000 questions are blocked" "nxdomain=2000" "$out"
check "with at most ten looks at the kernel's table" \
	[ $(($(counter dns.neighbours.asked) - before)) -le 10 ]

settings 'clients = { "198.51.100.77" }' >"$tmp/conf"
check "no block names a MAC address any more" ctl reload
before=$(counter dns.neighbours.asked)
same "the device is not blocked any more" NOERROR "$(status_of @198.51.100.1 game.example)"
same "nobody looks it up" "$before" "$(counter dns.neighbours.asked)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
