#!/bin/sh
# SPDX-License-Identifier: MIT
# The query log: one line for each query with what became of it, privacy as asked for, a file that
# can be rotated, and nothing at all without its section.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'a.example A 192.0.2.1' --rule 'old.example A 192.0.2.2 ; ttl=1' \
	--rule 'bad.example * SERVFAIL'
port=$(free_port)
echo ads.example >"$tmp/ads.txt"
conf() {
	dns_conf 'record = { "nas.home.arpa. 60 IN A 192.168.1.5" }' 'hosts = { }' \
		"block \"ads\" { file = \"$tmp/ads.txt\" }" "$@"
}
conf >"$tmp/conf"
start_hearthd "$tmp/conf"
query() { ask "$@" >/dev/null; }
log=$tmp/queries.log
lines() { cat "$log" 2>/dev/null | wc -l; }
last() { tail -n 1 "$log"; }
# told COUNT: so many lines have reached the file.
told() { wait_until "[ \$(lines) -ge $1 ]" 30; }

query a.example
same "off without its section" false "$(ctl status | sed -n 's/^dns.query_log.on=//p')"
conf "query-log { file = \"$log\" }" >"$tmp/conf"
check "switched on by a reload" ctl reload
query a.example
check "a line for a query" told 1
contains "it says who" '"client":"127.0.0.1","proto":"udp"' "$(last)"
contains "what" '"name":"a.example","type":"A"' "$(last)"
contains "and what became of it" '"verdict":"cached","rcode":"NOERROR","ms":0.000' "$(last)"
query +tcp new.example
check "one that was forwarded" told 2
contains "over TCP" '"proto":"tcp"' "$(last)"
contains "is told with its rcode" '"verdict":"forwarded","rcode":"NXDOMAIN"' "$(last)"
contains "and its upstream" "\"upstream\":\"127.0.0.1:$fakedns_port\"" "$(last)"
query nas.home.arpa
told 3
contains "a name of the house" '"verdict":"local","rcode":"NOERROR"' "$(last)"
contains "with where it is from" "\"reason\":\"" "$(last)"
query bad.example
told 4
contains "one that failed" '"verdict":"failed","rcode":"SERVFAIL"' "$(last)"
contains "with the reason" 'every upstream server refused or failed' "$(last)"
query +norec a.example
told 5
contains "one that was refused" '"verdict":"refused","rcode":"REFUSED"' "$(last)"
query +edns=1 +noednsneg a.example
told 6
contains "an rcode that the header has no room for" '"rcode":"BADVERS"' "$(last)"
query old.example
told 7
stop "$fakedns_pid"
start_fakedns --rule '* * DROP' --port "$fakedns_port"
check "it runs out" wait_until "ctl dns lookup old.example | grep -q stale" 5
query old.example
told 8
took=$(last | sed -n 's/.*"verdict":"stale","rcode":"NOERROR","ms":\([0-9]*\).*/\1/p')
check "a stale answer, after the servers had their time" [ "${took:-0}" -ge 1800 ]

before=$(lines)
query www.ads.example
check "a blocked one" told $((before + 1))
contains "is told as such" \
	'"name":"www.ads.example","type":"A","verdict":"blocked","rcode":"NXDOMAIN"' "$(last)"
contains "with block, rule and file" 'ads' "$(last | sed -n 's/.*"reason":"\([^"]*\)".*/\1/p')"
before=$(lines)
query +noedns -c CH -t TXT version.bind
check "one of another class" told $((before + 1))
contains "is told as refused" '"type":"TXT","verdict":"refused","rcode":"REFUSED"' "$(last)"

# A failure is held for a second at first, and longer each time.
held() {
	local before="$(lines)"

	query never.example
	told $((before + 1))
	last | grep -q '"verdict":"failure-held","rcode":"SERVFAIL"'
}
check "and one from a held failure" wait_until held 60

# Rotation, privacy, words.
mv "$log" "$log.1"
before=$(wc -l <"$log.1")
total=$before
query a.example
check "a renamed file is still written to" wait_until "[ \$(wc -l <'$log.1') -gt $before ]" 5
conf "query-log { file = \"$log\"  privacy = \"anonymous\"  format = \"text\" }" >"$tmp/conf"
kill -HUP "$hearthd_pid"
check "SIGHUP is taken" wait_until "[ \$(counter hearthd.reloads) -ge 2 ]" 5
query a.example
check "a new file is made" told 1
contains "words instead of JSON, client and name kept back" ' 127.0.0.0/24 udp - A cached NOERROR' \
	"$(last)"
same "the old file is left alone" $((before + 1)) "$(wc -l <"$log.1")"

# Who rotates logs knows nothing of settings: a file with a mistake is opened anew as well.
mv "$log" "$log.2"
conf "nonsense = 1" >"$tmp/conf"
kill -HUP "$hearthd_pid"
check "bad settings are refused" wait_until "[ \$(counter hearthd.reloads_refused) -ge 1 ]" 5
query a.example
check "a new file is made all the same" told 1
same "and the old one is left alone" 1 "$(wc -l <"$log.2")"

# Into the daemon's own log.
conf "query-log { }" >"$tmp/conf"
ctl reload >/dev/null
query a.example
check "without a file it goes to the daemon's log" \
	wait_until "grep -q 'query client=127.0.0.1 name=a.example type=A verdict=cached' '$hearthd_log'" 5
same "every query is counted" $((total + 4)) "$(counter dns.query_log.lines)"
same "none was dropped" 0 "$(counter dns.query_log.dropped)"

# What is left when the daemon ends.
conf "query-log { file = \"$log\" }" >"$tmp/conf"
ctl reload >/dev/null
before=$(lines)
for i in 1 2 3 4 5; do query a.example; done
stop "$hearthd_pid"
same "ending loses nothing" $((before + 5)) "$(lines)"
if command -v python3 >/dev/null; then
	check "every line is JSON" python3 -c 'import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$log.1"
fi
finish
