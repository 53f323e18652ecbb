#!/bin/sh
# SPDX-License-Identifier: MIT
# Who asks is never asked itself, and what that costs is not remembered against others; an answer
# that was under way when its zone got other servers is not kept.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

# The router: a server of ours and a client of ours.
router=192.0.2.53
ip address add $router/32 dev lo || skip "no address of our own here"
start_fakedns --address $router --rule '* A 192.0.2.1' --log "$tmp/router.log"
router_port=$fakedns_port
port=$(free_port)
settings() {
	conf_head
	cat <<END
dns {
	listen = { "0.0.0.0:$port" }
	allow = { "any" }
	upstream = { "$router:$router_port" }
	route "corp.example" { upstream = { "127.0.0.1:$1" } }
}
END
}
start_fakedns --rule '* A 192.0.2.2 ; delay=400' --log "$tmp/old.log"
old_port=$fakedns_port
start_fakedns --rule '* A 192.0.2.3'
new_port=$fakedns_port
settings "$old_port" >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }

same "the router is asked" 192.0.2.1 "$(ask first.example)"
out=$(dig @$router -p "$port" -b $router +tries=1 +time=5 twice.example)
contains "a question of the router does not go back to it" "status: SERVFAIL" "$out"
same "the router has not seen it" 0 "$(grep -ci twice "$tmp/router.log")"
same "others get an answer all the same" 192.0.2.1 "$(ask twice.example)"

spawn dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short www.corp.example >"$tmp/asked"
dig_pid=$pid
check "a zone's own server is asked" wait_until "grep -qi corp '$tmp/old.log'" 5
settings "$new_port" >"$tmp/conf"
check "it gets another one in between" ctl reload
wait "$dig_pid"
same "who had asked hears the old one" 192.0.2.2 "$(cat "$tmp/asked")"
same "who asks now hears the new one" 192.0.2.3 "$(ask www.corp.example)"
# Nobody asks anything meanwhile.
upstreams() { ctl dns upstreams | grep -o '[0-9.]*:[0-9]*' | sort; }
check "when the question has ended its servers go" \
	wait_until "[ \"\$(upstreams | grep -c ':$old_port\$')\" = 0 ]" 5

# The servers that a question waits for stay, however often there are others meanwhile.
start_fakedns --rule '* * DROP' --log "$tmp/mute.log"
settings "$fakedns_port" >"$tmp/conf"
check "the zone gets a server that is silent" ctl reload
spawn dig @127.0.0.1 -p "$port" +tries=1 +time=6 mute.corp.example >"$tmp/asked"
dig_pid=$pid
check "a question waits for it" wait_until "grep -qi mute '$tmp/mute.log'" 5
refused=0
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	settings "$new_port" >"$tmp/conf"
	ctl reload >/dev/null || refused=$((refused + 1))
	settings "$old_port" >"$tmp/conf"
	ctl reload >/dev/null || refused=$((refused + 1))
done
same "no reload is refused" 0 "$refused"
# Longer than a question may take, all at once: its end and the release of its servers fall
# together.
kill -STOP "$hearthd_pid"
wait "$dig_pid"
kill -CONT "$hearthd_pid"
same "names are answered on" 192.0.2.1 "$(ask late.example)"
check "nothing waits in the end" wait_until "[ \"\$(counter dns.in_flight.waiting)\" = 0 ]" 5
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
