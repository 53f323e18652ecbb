#!/bin/sh
# SPDX-License-Identifier: MIT
# Without upstreams in the settings those of /etc/resolv.conf are asked, and the file is followed.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig mount
in_netns "$@"

# Our own mount namespace: nobody else sees this file.
echo "nameserver 127.0.0.2" >"$tmp/resolv.conf"
mount --bind "$tmp/resolv.conf" /etc/resolv.conf 2>/dev/null ||
	skip "cannot mount over /etc/resolv.conf"
start_fakedns --address 127.0.0.2 --port 53 --rule '* A 192.0.2.2'
two=$fakedns_pid
start_fakedns --address 127.0.0.3 --port 53 --rule '* A 192.0.2.3'
port=$(free_port)
{ conf_head; echo "dns { listen = { \"127.0.0.1:$port\" } }"; } >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }
same "the server of resolv.conf is asked" 192.0.2.2 "$(ask one.example)"
printf 'search home\nnameserver 127.0.0.3\n' >"$tmp/resolv.conf"
check "a change is seen" wait_until "[ \"\$(ask n\$(centiseconds).example)\" = 192.0.2.3 ]" 5
same "what was cached stays" 192.0.2.2 "$(ask one.example)"
check "the server from before is not one any more" \
	wait_until '[ "$(ctl dns upstreams | grep -o "127.0.0.[0-9]*:53" | sort -u)" = 127.0.0.3:53 ]' 5
: >"$tmp/resolv.conf"
check "an empty file is seen" wait_until "[ -n \"\$(ask e\$(centiseconds).example)\" ]" 2
same "and changes nothing" 192.0.2.3 "$(ask other.example)"

# The section goes at a reload: the service runs on as it is until the next start.
echo "nameserver 127.0.0.3" >"$tmp/resolv.conf"
cp "$tmp/conf" "$tmp/before"
{ conf_head; echo "tftp { listen = { \"127.0.0.1:$(free_port)\" }  root = \"$tmp\" }"; } \
	>"$tmp/conf"
check "a reload without the section is taken" ctl reload
check "and again" ctl reload
echo "nameserver 127.0.0.2" >"$tmp/resolv.conf"
check "resolv.conf is followed on" wait_until \
	"[ \"\$(ask g\$(centiseconds).example)\" = 192.0.2.2 ]" 5
mv "$tmp/before" "$tmp/conf"
check "a reload with the section is taken" ctl reload
same "the daemon is still the same" "$hearthd_pid" "$(counter hearthd.pid)"
stop "$hearthd_pid"

echo "nameserver 127.0.0.1" >"$tmp/resolv.conf"
{ conf_head; echo 'dns { listen = { "127.0.0.1:53" } }'; } >"$tmp/conf"
start_hearthd "$tmp/conf" self
contains "a file that names only ourselves is said in one line" "no usable upstream server" \
	"$(cat "$hearthd_log")"
same "local names are served all the same" 127.0.0.1 "$(dig @127.0.0.1 +tries=1 +short localhost)"
contains "and others get a reason" "EDE: 22" "$(dig @127.0.0.1 +tries=1 +time=5 www.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?

# The settings of somebody who has written none: every address, port 53, the router's server.
stop "$two"
stop "$fakedns_pid"
ip link add up0 type veth peer name down0 && ip netns add router && ip link set down0 netns router \
	&&
	ip address add 198.51.100.1/24 dev up0 && ip link set up0 up &&
	ip netns exec router ip address add 198.51.100.2/24 dev down0 &&
	ip netns exec router ip link set down0 up || skip "no second network namespace here"
spawn ip netns exec router "$top_builddir/tests/support/fakedns" --address 198.51.100.2 --port 53 \
	--rule '* A 192.0.2.4' >"$tmp/router"
check "the router is ready" wait_until "[ -s '$tmp/router' ]" 5
printf 'nameserver 198.51.100.1\nnameserver 198.51.100.2\n' >"$tmp/resolv.conf"
{ conf_head; echo 'dns { }'; } >"$tmp/conf"
start_hearthd "$tmp/conf" plain
same "with the default settings the router is asked" 192.0.2.4 \
	"$(dig @127.0.0.1 +tries=1 +time=5 +short www.example)"
same "and nobody else" 1 "$(ctl dns upstreams | grep -c '198.51.100.[12]:53')"
stop "$hearthd_pid"
same "ends with 0, too" 0 $?
finish
