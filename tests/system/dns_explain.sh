#!/bin/sh
# SPDX-License-Identifier: MIT
# hearthctl dns explain: a blocked, a local, a cached, a stale, a routed and a foreign question,
# each told stage by stage and as the daemon then really answers it.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'short.example A 192.0.2.2 ; ttl=1' --rule 'bad.example * SERVFAIL' \
	--rule '* A 192.0.2.1'
port=$(free_port)
printf '%s\n' "0.0.0.0 ads.example" "@@||good.ads.example^" >"$tmp/ads.txt"
dns_conf 'record = { "nas.home.arpa. IN A 192.168.1.5", "www.home.arpa. IN CNAME out.example." }' \
	"route \"corp.example\" { upstream = { \"127.0.0.1:$fakedns_port\" } }" \
	"block \"ads\" { file = \"$tmp/ads.txt\" }" >"$tmp/conf"
start_hearthd "$tmp/conf"
explain() { ctl dns explain "$@" | tee -a "$tmp/screens"; }

ask cached.example >/dev/null
ask short.example >/dev/null
contains "a blocked name: the list and its rule" "ads.example" \
	"$(explain x.ads.example | grep -i 'block')"
contains "and so it is" "EDE: 15" "$(ask x.ads.example)"
contains "a local name: file, line and key" "dns.record" "$(explain nas.home.arpa | grep answer)"
contains "an alias: where it leads" "on with out.example" "$(explain www.home.arpa)"
contains "a cached name: what is left and its age" "s left" "$(explain cached.example | grep hit)"
check "an expired one is stale" wait_until \
	"ctl dns explain short.example | grep -q 'stale.*expired'" 5
contains "with the servers that would be asked" "127.0.0.1:$fakedns_port" "$(explain short.example)"
contains "a routed name: its zone" "corp.example: 1 server" \
	"$(explain host.corp.example | grep route)"
contains "an exception: rule and exception" \
	"ads: ads.example (ads.txt); allowed by ads: good.ads.example (ads.txt)" \
	"$(explain good.ads.example | grep lists)"
contains "a client from outside: silence" "silence" "$(explain cached.example A 8.8.8.8)"
ask bad.example >/dev/null
contains "a failure that is held: why" "every upstream server refused or failed, 1 time in a row" \
	"$(explain bad.example | grep cache)"
contains "another type" "miss" "$(explain cached.example AAAA | grep cache)"
refuse "no name" ctl dns explain
refuse "a type that is none" ctl dns explain a.example NOTYPE
refuse "a client that is none" ctl dns explain a.example A nobody
before=$(counter dns.cache.hits)
explain cached.example >/dev/null
same "explaining counts nothing" "$before" "$(counter dns.cache.hits)"
cat "$tmp/screens"
stop "$hearthd_pid"
finish
