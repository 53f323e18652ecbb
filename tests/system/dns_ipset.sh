#!/bin/sh
# SPDX-License-Identifier: MIT
# Sets of ipset get the addresses of their names: before the answer is there, as long as it lasts,
# from the cache as well, and again when the set was swapped, emptied or made anew.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig ipset python3
in_netns "$@"
. "$top_srcdir/tests/support/addrsets.sh"

sets='ipset "v4" { domains = { "video.example" } }
	ipset "v6" { domains = { "video.example", "other.example" } }
	ipset "kept" { domains = { "video.example" }  timeout = "set" }
	ipset "own" { domains = { "short.video.example" }  timeout = "set" }
	ipset "all" { domains = { "." } }
	ipset "nets" { domains = { "range.example" } }
	ipset "map" { domains = { "range.example" } }
	ipset "small" { domains = { "range.example" } }
	ipset "missing" { domains = { "video.example" } }
	ipset "ports" { domains = { "video.example" } }'
use "$sets"
unless_built ipset 'ipset "v4"'
ipset create v4 hash:ip timeout 0 2>/dev/null || skip "the kernel has no ipset for us"
ipset create v6 hash:ip family inet6 timeout 86400
ipset create kept hash:ip
ipset create own hash:ip timeout 900
ipset create all hash:ip
ipset create nets hash:net
ipset create map bitmap:ip range 198.51.100.0/26
ipset create small hash:ip maxelem 1
ipset create ports bitmap:port range 0-1023
ipset add nets 198.51.100.64/26
has() { ipset test "$1" "$2" 2>/dev/null; }
# told SET KEY: what the daemon tells about a set.
told() { ctl --json status | python3 -c 'import json, sys
for s in json.load(sys.stdin)["dns"]["address_sets"]["sets"]:
	if s["ipset"] == sys.argv[1]: print(s[sys.argv[2]])' "$@"; }
# seconds SET ADDRESS: how long the element has still got.
seconds() { ipset list "$1" | sed -n "s/^$2 timeout //p"; }
# about NAME WANT GOT: as many seconds, or a few less.
about() { check "$1 ($3)" [ "${3:-0}" -le "$2" -a "${3:-0}" -ge $(($2 - 10)) ]; }

become_nobody
use "$sets"
start_hearthd "$tmp/conf"
check "every set has been looked for" looked_up
check "one that is not there is told" grep -q 'cannot be filled.*ipset=missing.*none of that name' "$hearthd_log"
check "and one that holds no addresses" grep -q 'cannot be filled.*ipset=ports.*no set of addresses' "$hearthd_log"
same "it serves as" "${user:-root}" "$(ps -o user= -p "$hearthd_pid" 2>/dev/null || echo "${user:-root}")"
same "with this one capability" "0000000000001000" "$(capabilities)"

same "an answer comes" 198.51.100.1 "$(ask www.video.example)"
check "and its address is there already" has v4 198.51.100.1
about "for as long as the answer" 600 "$(seconds v4 198.51.100.1)"
check "in each set of the name" has kept 198.51.100.1
refuse "IPv6 is not there yet" has v6 2001:db8::1
same "a set of the other family is passed over" 1 "$(counter dns.address_sets.other_family)"
same "and two that are not there" 2 "$(counter dns.address_sets.absent)"
same "its answer comes" 2001:db8::1 "$(ask www.video.example AAAA)"
check "and its address goes into the other set" has v6 2001:db8::1
same "that of a short answer comes" 198.51.100.2 "$(ask short.video.example)"
about "and stays for a minute" 60 "$(seconds v4 198.51.100.2)"
about "or as long as the set says" 900 "$(seconds own 198.51.100.2)"
same "an alias ends" "elsewhere.example.
198.51.100.4" "$(ask alias.video.example)"
check "in the set of the name that was asked for" has v4 198.51.100.4
same "another name" 198.51.100.5 "$(ask www.plain.example)"
refuse "is not in it" has v4 198.51.100.5
check "but in the set of every name" has all 198.51.100.5
same "over TCP" 198.51.100.9 "$(ask +tcp many1.video.example)"
check "it is the same" has v4 198.51.100.9

wide() { ipset list v4 | grep -c '^203\.0\.113\.'; }
long_answers_wait wide

same "a set of networks gets an address" 198.51.100.3 "$(ask a.range.example)"
check "that is there" has nets 198.51.100.3
check "a bitmap as well" has map 198.51.100.3
check "and one that holds a single element" has small 198.51.100.3
same "one that lies in a network of the owner's" 198.51.100.77 "$(ask inside.range.example)"
check "is in it" has nets 198.51.100.77
refuse "what lies outside of a bitmap is not" has map 198.51.100.77
refuse "nor what has no room" has small 198.51.100.77
same "the last addresses there are" 255.255.255.254 "$(ask last.range.example)"
check "are in it, too" has nets 255.255.255.254
same "a set without room is told once" 1 "$(grep -c 'a set has no room for an address ipset=small' "$hearthd_log")"
same "and counted" "1 2" "$(told small added) $(told small refused)"

contains "that is explained" "addresses of this name go into v4, v6, kept, all, missing (not found), ports (out of range)" \
	"$(ctl dns explain www.video.example)"

# The same answers once more add nothing.
before=$(counter dns.address_sets.queued)
ask www.video.example >"$tmp/out"; ask www.video.example >"$tmp/out"
same "what is there is not added again" "$before" "$(counter dns.address_sets.queued)"

# Ways in which a firewall is loaded anew.
ipset create new hash:ip timeout 0
ipset add new 203.0.113.1
ipset swap new v4
ipset destroy new
refuse "a set that was swapped is another one" has v4 198.51.100.1
ipset flush kept
ipset destroy map
ipset create map bitmap:ip range 198.51.100.0/26
ipset flush own
check "it is filled again by itself" wait_until "has v4 198.51.100.1" 20
check "for what is left of its time" [ "$(seconds v4 198.51.100.1)" -le 600 ]
check "so is one that was emptied" wait_until "has kept 198.51.100.1" 5
check "and one that was made anew" wait_until "has map 198.51.100.3" 5
refuse "not one whose own time is over, it may be" has own 198.51.100.2
check "that is counted" [ "$(counter dns.address_sets.added_again)" -ge 3 ]
ipset create missing hash:ip timeout 0
check "a set that comes late is filled from then on" \
	wait_until '[ "$(told missing state)" = ok ]' 20
check "the name is forgotten" ctl dns flush www.video.example
same "its answer comes again" 198.51.100.1 "$(ask www.video.example)"
check "and is in that set" has missing 198.51.100.1

out=$("$dnsload" --server "127.0.0.1:$port" --name 'many%d.video.example' --count 2000 --window 100)
contains "2000 names are answered" "answered=2000 lost=0 wrong=0" "$out"
same "no element was dropped" 0 "$(counter dns.address_sets.dropped)"
answers_have_waited
stop "$hearthd_pid"
same "ends with 0" 0 $?

# A start without them leaves no right behind, and a start without the right says so.
use ''
start_hearthd "$tmp/conf" without
same "without a set there is no capability" "0000000000000000" "$(capabilities)"
use "$sets"
check "sets that come by a reload" ctl reload
check "are told to need another start" wait_until "grep -q 'from the next start on' '$hearthd_log'" 5
check "and not to be permitted" wait_until "grep -q 'cannot be filled.*ipset=v4.*CAP_NET_ADMIN' '$hearthd_log'" 5
same "names are answered" 198.51.100.1 "$(ask www.video.example)"
stop "$hearthd_pid"
same "ends with 0, too" 0 $?

many=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
	many="$many ipset \"s$i\" { domains = { \"x.example\" } }"
done
use "$many"
"$hearthd" -f -c "$tmp/conf" >"$tmp/out" 2>&1
same "more than sixteen sets are refused" 1 $?
contains "and that is said" 'conf:7: dns.ipset: more than 16 sets' "$(cat "$tmp/out")"
finish
