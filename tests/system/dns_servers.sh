#!/bin/sh
# SPDX-License-Identifier: MIT
# What passes between us and the upstream servers: how many are asked and how often, what is made of
# bad ones, what is remembered of each, and which bits of a query go on and come back.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

port=$(free_port)
# server NAME RULE...: start one; its port is in $NAME, what it was asked in $tmp/NAME.log.
server() {
	local name="$1" rules=

	shift
	printf '%s\n' "$@" >"$tmp/$name.rules"
	start_fakedns --rules "$tmp/$name.rules" --log "$tmp/$name.log"
	eval "$name=$fakedns_port"
}
# daemon SETTING...
daemon() {
	{ conf_head; echo "dns { listen = { \"127.0.0.1:$port\" } $* }"; } >"$tmp/conf"
	rm -f "$tmp/state/dns-cache"
	start_hearthd "$tmp/conf"
}
# asked SERVER NAME: how often.
asked() { grep -ci "name=$2 " "$tmp/$1.log"; }
at() { printf '"127.0.0.1:%s"' "$1"; }

# --- a good answer beats every other
server refusing '* * REFUSED'
server notimp '* * NOTIMP'
server failing '* * SERVFAIL'
server junk '* A 192.0.2.66 ; forge=short forge=empty forge=loop noudp close'
server good 'dnssec.example A 192.0.2.3 ; ad' 'why.example A 192.0.2.4 ; ede=4' \
	'* A 192.0.2.1 ; delay=100'
daemon "upstream = { $(at $refusing), $(at $notimp), $(at $failing), $(at $good) } strategy = order"
same "REFUSED, NOTIMP and SERVFAIL lose against a good answer" 192.0.2.1 "$(ask +short a.example)"
for one in refusing notimp failing good; do
	check "$one has been asked" [ "$(asked $one a.example)" -ge 1 ]
done
stop "$hearthd_pid"
daemon "upstream = { $(at $junk), $(at $good) } strategy = order"
same "so does junk" 192.0.2.1 "$(ask +short b.example)"
stop "$hearthd_pid"
daemon "upstream = { $(at $refusing), $(at $failing) }"
out=$(ask bad.example)
contains "where nobody has a good one the client hears so" "SERVFAIL" \
	"$(echo "$out" | sed 's/REFUSED/SERVFAIL/')"
contains "with a reason" "every upstream server refused or failed" "$out"
check "and nobody was asked on and on" \
	[ $(($(asked refusing bad.example) + $(asked failing bad.example))) -le 4 ]
stop "$hearthd_pid"

# --- silence: twice each, six times in all
for i in 1 2 3 4; do server mute$i '* * DROP'; done
daemon "upstream = { $(at $mute1) }"
ask quiet.example >/dev/null
check "a server that is silent is asked twice at most" [ "$(asked mute1 quiet.example)" -le 2 ]
stop "$hearthd_pid"
daemon "upstream = { $(at $mute1), $(at $mute2), $(at $mute3), $(at $mute4) }"
ask many.example >/dev/null
sends=0
for i in 1 2 3 4; do
	n=$(asked mute$i many.example)
	check "of four, number $i too ($n)" [ "$n" -le 2 ]
	sends=$((sends + n))
done
check "and all together six times ($sends)" [ "$sends" -le 6 -a "$sends" -ge 4 ]
stop "$hearthd_pid"

# --- all at once
server late '* A 192.0.2.9 ; delay=600'
daemon "upstream = { $(at $late), $(at $good) } strategy = parallel"
same "parallel: the first answer counts" 192.0.2.1 "$(ask +short both.example)"
check "though both were asked" [ "$(asked late both.example)" -ge 1 ]
stop "$hearthd_pid"

# --- what is remembered of a server
server plain '* A 192.0.2.5 ; noedns'
server small '* A 192.0.2.6 ; lower'
server baker '* A 192.0.2.7 ; cookie'
daemon "upstream = { $(at $plain) } route \"case.example\" { upstream = { $(at $small) } }
	route \"cookie.example\" { upstream = { $(at $baker) } }"
same "a server without EDNS is asked without" 192.0.2.5 "$(ask +short one.example)"
ask two.example >/dev/null
same "also the next time, at once" "edns=0" \
	"$(grep -i 'name=two.example ' "$tmp/plain.log" | grep -o 'edns=[0-9]*' | sort -u)"
same "one that spoils letter case is believed over TCP" 192.0.2.6 "$(ask +short one.case.example)"
ask one.cookie.example >/dev/null
ask two.cookie.example >/dev/null
same "a server's cookie is given back" "cookie=16" \
	"$(grep -i 'name=two.cookie.example ' "$tmp/baker.log" | grep -o 'cookie=[0-9]*' |
		sort -u)"
knows() { ctl dns upstreams | awk -v what="$1" '$1 == what { print $0 ~ "false" }'; }
same "what a server cannot do is told" 1 "$(knows edns)"
ip address add 10.77.0.1/24 dev lo
check "on another network it is forgotten" wait_until '[ "$(knows edns)" = 0 ]' 5
same "and found out again" 192.0.2.5 "$(ask +short three.example)"
stop "$hearthd_pid"

# --- what goes on and what comes back
daemon "upstream = { $(at $good) }"
logged() { grep -i "name=$1 " "$tmp/good.log" | tail -n 1; }
out=$(ask +subnet=198.51.100.0/24 subnet.example)
contains "a client's network is not told" "subnet=0" "$(logged subnet.example)"
same "and not echoed as if it had been" "" "$(echo "$out" | grep -i 'CLIENT-SUBNET')"
ask +cd +dnssec cd.example >/dev/null
contains "CD goes on" "cd=1" "$(logged cd.example)"
contains "so does DO" "do=1" "$(logged cd.example)"
ask +tcp stream.example >/dev/null
contains "what comes over TCP goes over TCP" "tcp" "$(logged stream.example)"
contains "what comes over UDP over UDP" "udp" "$(logged subnet.example)"
same "AD is not believed" "" "$(ask +adflag dnssec.example | grep 'flags:.* ad')"
contains "an upstream's reason is passed on" "EDE: 4 (Forged Answer)" "$(ask why.example)"
contains "from the cache as well" "EDE: 4 (Forged Answer)" "$(ask why.example)"
stop "$hearthd_pid"
daemon "upstream = { $(at $good) } trust-ad = true"
contains "unless the settings trust it" " ad" "$(ask +adflag dnssec.example | grep 'flags:')"
same "and the client asks for it" "" "$(ask +noadflag dnssec.example | grep 'flags:.* ad[ ;]')"
stop "$hearthd_pid"

# --- which way
ip link add up0 type veth peer name down0 && ip netns add router && ip link set down0 netns router \
	&&
	ip address add 198.51.100.1/24 dev up0 && ip address add 198.51.100.3/24 dev up0 &&
	ip link set up0 up && ip netns exec router ip address add 198.51.100.2/24 dev down0 &&
	ip netns exec router ip link set down0 up || skip "no second network namespace here"
spawn ip netns exec router "$top_builddir/tests/support/fakedns" --address 198.51.100.2 --port 53 \
	--rule '* A 192.0.2.8' >"$tmp/router"
check "the router is ready" wait_until "[ -s '$tmp/router' ]" 5
daemon 'upstream = { "198.51.100.2" } interface = "up0"'
same "over the interface that is named" 192.0.2.8 "$(ask +short a.example)"
stop "$hearthd_pid"
daemon 'upstream = { "198.51.100.2" } interface = "lo"'
contains "and over no other" "SERVFAIL" "$(ask a.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
