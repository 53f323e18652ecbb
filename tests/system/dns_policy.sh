#!/bin/sh
# SPDX-License-Identifier: MIT
# Which upstream is asked: zones go to their own servers, a good answer beats a bad one, a silent
# server costs the first query only and is used again soon after its return.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

port=$(free_port)

# --- routes
start_fakedns --rule '* A 192.0.2.1' --log "$tmp/main.log"
main=$fakedns_port
start_fakedns --rule '* A 192.0.2.2' --rule '* PTR host.corp.example' --log "$tmp/corp.log"
corp=$fakedns_port
start_fakedns --rule '* A 192.0.2.3' --log "$tmp/lab.log"
lab=$fakedns_port
routes() {
	conf_head
	cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "127.0.0.1:$main" }
	route "corp.example" { upstream = { "127.0.0.1:$1" } }
	route "lab.corp.example" { upstream = { "127.0.0.1:$lab" } }
	route "10.0.0.0/8" { upstream = { "127.0.0.1:$corp" } }
}
END
}
routes "$corp" >"$tmp/conf"
start_hearthd "$tmp/conf"
same "other names go to the default servers" 192.0.2.1 "$(ask +short www.example)"
same "a zone goes to its own" 192.0.2.2 "$(ask +short www.corp.example)"
same "so does its apex, in any letter case" 192.0.2.2 "$(ask +short CORP.Example)"
same "the longest zone wins" 192.0.2.3 "$(ask +short www.lab.corp.example)"
same "a name that only ends alike does not" 192.0.2.1 "$(ask +short www.notcorp.example)"
same "a network is its reverse zone" host.corp.example. "$(ask +short -x 10.1.2.3)"
routes "$lab" >"$tmp/conf"
kill -HUP "$hearthd_pid"
check "a reload is taken" wait_until "grep -q 'new settings are in force' '$hearthd_log'" 5
same "the zone's new server is asked, not the cache" 192.0.2.3 "$(ask +short www.corp.example)"
before=$(grep -ci 'name=www.example ' "$tmp/main.log")
ask www.example >/dev/null
same "what the default servers said is still cached" "$before" \
	"$(grep -ci 'name=www.example ' "$tmp/main.log")"
for bad in 'route "corp.example" { upstream = { "1.2.3.4" } }' 'route "empty.example" { }' 'route "10.0.0.0/9" { upstream = { "1.2.3.4" } }' \
	'route "a" { upstream = { "nonsense" } }'; do
	{ routes "$corp" | sed '$d'; echo "$bad"; echo '}'; } >"$tmp/bad"
	refuse "refused: $bad" "$hearthd" -f -c "$tmp/bad"
done
{ routes "$corp" | sed '$d'; echo 'route "empty.example" { }'; echo '}'; } >"$tmp/bad"
contains "a route without servers is told with its place" "bad:$(grep -n empty "$tmp/bad" | cut -d: -f1): dns.route \"empty.example\": a route needs" \
	"$("$hearthd" --check -c "$tmp/bad" 2>&1)"
stop "$hearthd_pid"

# --- a bad answer loses against a later good one
start_fakedns --rule '* * SERVFAIL' --log "$tmp/bad.log"
bad=$fakedns_port
start_fakedns --rule '* A 192.0.2.9 ; delay=150'
slow=$fakedns_port
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:$port" }  upstream = { "127.0.0.1:$bad", "127.0.0.1:$slow" } }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf" two
for i in 1 2 3 4 5; do
	same "SERVFAIL at once, a slow good answer: good ($i)" 192.0.2.9 "$(ask +short n$i.example)"
done
check "the bad one was asked" grep -q 'name=' "$tmp/bad.log"
stop "$hearthd_pid"

# --- a silent server
start_fakedns --rule '* * DROP' --log "$tmp/silent.log"
silent=$fakedns_port
silent_pid=$fakedns_pid
start_fakedns --rule '* A 192.0.2.8'
good=$fakedns_port
{ conf_head; cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "127.0.0.1:$silent", "127.0.0.1:$good" }
	strategy = "order"
}
END
} >"$tmp/conf"
start_hearthd "$tmp/conf" three
ms_of() { ask "$1" | sed -n 's/^;; Query time: \([0-9]*\) msec/\1/p'; }
first=$(ms_of first.example)
check "the first query is answered in under 1 s ($first ms)" [ "$first" -lt 1000 ]
ms_of second.example >/dev/null
third=$(ms_of third.example)
check "from the third on nothing is added ($third ms)" [ "$third" -lt 300 ]
stop "$silent_pid"
start_fakedns --rule '* A 192.0.2.7' --port "$silent"
check "it is in use within 5 s of its return" wait_until \
	"[ \"\$(ask +short back\$(centiseconds).example)\" = 192.0.2.7 ]" 5
stop "$hearthd_pid"
same "ends with 0" 0 $?

# --- zones that are not cached, and zones that are not served past their time
start_fakedns --rule '* A 192.0.2.5 ; ttl=1' --log "$tmp/keep.log"
keep_pid=$fakedns_pid
{ conf_head; cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "127.0.0.1:$fakedns_port" }
	no-cache = { "dynamic.example" }
	no-stale = { "bank.example" }
}
END
} >"$tmp/conf"
start_hearthd "$tmp/conf" four
# By the daemon's own count: where the machine is busy a question is sent twice.
for i in 1 2 3; do ask host.dynamic.example >/dev/null; done
same "a zone of no-cache is asked each time" 3 "$(counter dns.answered_upstream)"
check "of the server" [ "$(grep -ci "name=host.dynamic.example " "$tmp/keep.log")" -ge 3 ]
same "and never kept" "" "$(ctl dns lookup host.dynamic.example | grep dynamic)"
ask www.bank.example >/dev/null
ask www.other.example >/dev/null
check "the others expire" wait_until "ctl dns lookup www.other.example | grep -q stale" 5
stop "$keep_pid"
contains "another zone is served stale" "192.0.2.5" "$(ask www.other.example)"
contains "a zone of no-stale is not" "SERVFAIL" "$(ask www.bank.example)"
sed 's/"dynamic.example"/"not a name.."/' "$tmp/conf" >"$tmp/bad"
refuse "nonsense in no-cache is refused" "$hearthd" -f -c "$tmp/bad"
stop "$hearthd_pid"
finish
