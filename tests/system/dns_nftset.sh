#!/bin/sh
# SPDX-License-Identifier: MIT
# Sets of nftables get the addresses of their names: before the answer is there, as long as it
# lasts, from the cache as well, and again when the firewall has been loaded anew.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig nft
in_netns "$@"

. "$top_srcdir/tests/support/addrsets.sh"

sets='nftset "inet home v4" { domains = { "video.example" } }
	nftset "inet home v6" { domains = { "video.example", "other.example" } }
	nftset "ip plain kept" { domains = { "video.example" }  timeout = "set" }
	nftset "inet home ranges" { domains = { "range.example" } }
	nftset "inet home missing" { domains = { "video.example" } }
	nftset "inet home ports" { domains = { "video.example" } }'
use "$sets"
unless_built nftables 'nftset "inet home v4"'
firewall() {
	nft -f - <<'END'
table inet home {
	set v4 { type ipv4_addr; flags timeout; }
	set v6 { type ipv6_addr; flags timeout; timeout 1d; }
	set ranges { type ipv4_addr; flags interval; elements = { 198.51.100.64/26 } }
	set ports { type inet_service; }
}
table ip plain {
	set kept { type ipv4_addr; }
}
END
}
firewall 2>/dev/null || skip "the kernel has no nftables for us"
elements() { nft list set "$@" | tr '\n' ' ' | sed -n 's/.*elements = { \([^}]*\) }.*/\1/p' |
	tr -s '\t ' ' '; }
has() { nft get element "$1" "$2" "$3" "{ $4 }" >/dev/null 2>&1; }
# seconds SET ADDRESS: how long the element has been given.
seconds() {
	nft -j list set inet home "$1" | tr '{' '\n' | grep -F "\"val\": \"$2\"" |
		sed 's/.*"timeout": \([0-9]*\).*/\1/'
}

become_nobody
use "$sets"
start_hearthd "$tmp/conf"
check "every set has been looked for" looked_up
check "one that is not there is told" grep -q 'cannot be filled.*missing.*none of that name' "$hearthd_log"
check "and one that holds no addresses" grep -q 'cannot be filled.*ports.*no set of addresses' "$hearthd_log"
same "it serves as" "${user:-root}" "$(ps -o user= -p "$hearthd_pid" 2>/dev/null || echo "${user:-root}")"
same "with this one capability" "0000000000001000" "$(capabilities)"

same "an answer comes" 198.51.100.1 "$(ask www.video.example)"
check "and its address is there already" has inet home v4 198.51.100.1
same "for as long as the answer" 600 "$(seconds v4 198.51.100.1)"
check "in each set of the name" has ip plain kept 198.51.100.1
same "IPv6 is not there yet" "" "$(elements inet home v6)"
same "its answer comes" 2001:db8::1 "$(ask www.video.example AAAA)"
check "and its address goes into the other set" has inet home v6 2001:db8::1
same "that of a short answer comes" 198.51.100.2 "$(ask short.video.example)"
same "and stays for a minute" 60 "$(seconds v4 198.51.100.2)"
same "an alias ends" "elsewhere.example.
198.51.100.4" "$(ask alias.video.example)"
check "in the set of the name that was asked for" has inet home v4 198.51.100.4
same "another name" 198.51.100.5 "$(ask www.plain.example)"
refuse "is in no set" has inet home v4 198.51.100.5
same "over TCP" 198.51.100.9 "$(ask +tcp many1.video.example)"
check "it is the same" has inet home v4 198.51.100.9

wide() { nft list set inet home v4 | grep -o '203\.0\.113\.[0-9]*' | sort -u | wc -l; }
long_answers_wait wide

same "a set of ranges gets an address" 198.51.100.3 "$(ask a.range.example)"
check "that is there" has inet home ranges 198.51.100.3
same "one that lies in a range of the owner's" 198.51.100.77 "$(ask inside.range.example)"
check "is in it anyway" has inet home ranges 198.51.100.77
same "and one of the last addresses there are" 255.255.255.254 "$(ask last.range.example)"
check "is in it, too" has inet home ranges 255.255.255.254

contains "that is explained" "addresses of this name go into inet home v4, inet home v6, ip plain kept" \
	"$(ctl dns explain www.video.example)"

# The same answers once more add nothing; a longer one makes the element live longer.
before=$(counter dns.address_sets.queued)
ask www.video.example >"$tmp/out"; ask www.video.example >"$tmp/out"
same "what is there is not added again" "$before" "$(counter dns.address_sets.queued)"

# Somebody loads the firewall anew: the sets are other ones, and empty.
nft flush ruleset
firewall
refuse "the sets are empty" has inet home v4 198.51.100.1
check "and filled again by themselves" wait_until "has inet home v4 198.51.100.1" 20
check "all of them" wait_until "has inet home v6 2001:db8::1 && has ip plain kept 198.51.100.1" 5
check "that is counted" [ "$(counter dns.address_sets.added_again)" -ge 3 ]

out=$("$dnsload" --server "127.0.0.1:$port" --name 'many%d.video.example' --count 2000 --window 100)
contains "2000 names are answered" "answered=2000 lost=0 wrong=0" "$out"
same "no element was dropped" 0 "$(counter dns.address_sets.dropped)"
answers_have_waited

use ''
check "the sections go" ctl reload
ask many9999.video.example >"$tmp/out"
use "$sets"
check "and come back" ctl reload
same "names are answered" 198.51.100.9 "$(ask many2.video.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?

# A start without them leaves no right behind.
use ''
start_hearthd "$tmp/conf" without
same "without a set there is no capability" "0000000000000000" "$(capabilities)"
use "$sets"
check "sets that come by a reload" ctl reload
check "are told to need another start" wait_until \
	"grep -q 'from the next start on' '$hearthd_log'" 5
same "and names are answered" 198.51.100.1 "$(ask www.video.example)"
stop "$hearthd_pid"
same "ends with 0, too" 0 $?
finish
