#!/bin/sh
# SPDX-License-Identifier: MIT
# Upstream servers by name: their addresses come from the bootstrap servers alone, questions wait
# for them or go elsewhere, and what was known is used on where nobody has anything newer.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

echo 'up.example A 127.0.0.3 ; delay=700' >"$tmp/rules"
echo 'up.example AAAA NODATA' >>"$tmp/rules"
echo 'corp.up.example A 127.0.0.3' >>"$tmp/rules"
echo 'corp.up.example AAAA 2001:db8::53' >>"$tmp/rules"
echo 'silent.example * DROP' >>"$tmp/rules"
start_fakedns --address 127.0.0.2 --rules "$tmp/rules" --log "$tmp/bootstrap.log"
bootstrap=127.0.0.2:$fakedns_port
bootstrap_pid=$fakedns_pid
start_fakedns --address 127.0.0.3 --rule '* A 192.0.2.3' --log "$tmp/up3.log"
up_port=$fakedns_port
start_fakedns --address 127.0.0.4 --port "$up_port" --rule '* A 192.0.2.4' --log "$tmp/up4.log"
port=$(free_port)
settings() {
	conf_head
	cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "up.example:$up_port" }
	$1
	route "corp.example" { upstream = { "tcp://corp.up.example:$up_port" } }
}
END
}
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }

settings '' >"$tmp/conf"
refuse "a name without a server to look it up is refused" "$hearthd" -f -c "$tmp/conf"
out=$("$hearthd" --check -c "$tmp/conf" 2>&1)
contains "with its line, and what is missing" \
	"conf:6: dns.upstream: \"up.example:$up_port\": a name needs" "$out"
contains "in a route as well" "dns.route \"corp.example\".upstream: \"tcp://corp.up.example:$up_port\": a name needs" \
	"$out"
settings "bootstrap = { \"127.0.0.1:$port\" }" >"$tmp/conf"
contains "nor can the daemon look up its own upstreams" "conf:7: dns.bootstrap: \"127.0.0.1:$port\": this is hearthd" \
	"$("$hearthd" -f -c "$tmp/conf" 2>&1)"
settings 'bootstrap = { "dns.example" }' >"$tmp/conf"
refuse "nor is a bootstrap server a name itself" "$hearthd" --check -c "$tmp/conf"

settings "bootstrap = { \"$bootstrap\" }" >"$tmp/conf"
check "the settings are fine" "$hearthd" --check -c "$tmp/conf"
start_hearthd "$tmp/conf"
same "the first question waits until the address is known" 192.0.2.3 "$(ask first.example)"
same "a zone has servers by name, too" 192.0.2.3 "$(ask www.corp.example)"
contains "over TCP, as it says" tcp "$(grep -i www.corp.example "$tmp/up3.log")"
refuse "the bootstrap server has been asked for nothing else" \
	grep -v 'name=[^ ]*[uU][pP]\.[eE][xX]' "$tmp/bootstrap.log"
contains "for both families" type=AAAA "$(cat "$tmp/bootstrap.log")"
out=$(ctl --json dns upstreams)
echo "$out" >"$tmp/upstreams"
contains "the name is shown" up.example "$out"
contains "with its address" '"127.0.0.3"' "$out"
contains "and where it was looked up" "\"$bootstrap\"" "$out"
contains "a question is explained with the address" "127.0.0.3:$up_port" \
	"$(ctl dns explain www.example)"

refuse "a server of IPv6 is left out where there is no IPv6" grep -q '\[2001:db8::53\]' \
	"$tmp/upstreams"
if ip -6 address add 2001:db8::1/64 dev lo nodad; then
	check "and asked where there is" wait_until \
		"ctl --json dns upstreams | grep -q '\[2001:db8::53\]:$up_port'" 5
fi

# Another network, and the name leads elsewhere there.
echo 'up.example A 127.0.0.4' >"$tmp/rules"
echo 'corp.up.example A 127.0.0.4' >>"$tmp/rules"
kill -HUP "$bootstrap_pid"
ip address add 192.0.2.200/32 dev lo
check "the new address is used" wait_until "[ \"\$(ask n\$(centiseconds).example)\" = 192.0.2.4 ]" 5
check "in the zone as well" wait_until \
	"[ \"\$(ask n\$(centiseconds).corp.example)\" = 192.0.2.4 ]" 5
same "what was cached of the zone is good for that" 192.0.2.3 "$(ask www.corp.example)"

# Nobody to look it up any more.
stop "$bootstrap_pid"
ip address add 192.0.2.201/32 dev lo
check "that is noticed" wait_until "ctl --json dns upstreams | grep -q '\"failures\": *[1-9]'" 5
same "the old address is used on" 192.0.2.4 "$(ask last.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?

# A name that nobody knows yet keeps no question from the other servers.
start_fakedns --address 127.0.0.2 --rules "$tmp/rules" --rule 'silent.example * DROP' \
	--log "$tmp/bootstrap2.log"
{ conf_head; echo "dns { listen = { \"127.0.0.1:$port\" }  bootstrap = { \"127.0.0.2:$fakedns_port\" }
	upstream = { \"silent.example\", \"127.0.0.4:$up_port\" } }"; } >"$tmp/conf"
start_hearthd "$tmp/conf" second
start=$(centiseconds)
same "the other server answers" 192.0.2.4 "$(ask quick.example)"
check "at once" [ $(($(centiseconds) - start)) -lt 90 ]
contains "the name is not known" asking "$(ctl --json dns upstreams)"
check "which is told in the log" wait_until \
	"grep -q 'upstream_name_unknown.*silent' '$hearthd_log'" 10
stop "$hearthd_pid"
same "ends with 0, too" 0 $?
finish
