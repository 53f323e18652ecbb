#!/bin/sh
# SPDX-License-Identifier: MIT
# What one client may ask, when the settings limit it; and who asks what most.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule '* A 192.0.2.1 ; ttl=300'
port=$(free_port)
echo ads.example >"$tmp/ads.txt"
conf() {
	dns_conf 'record = { "nas.home.arpa. 60 IN A 192.168.1.5" }' \
		"block \"ads\" { file = \"$tmp/ads.txt\" }" "$@"
}
conf >"$tmp/conf"
start_hearthd "$tmp/conf"
load() { "$dnsload" --server "127.0.0.1:$port" --window 1 "$@"; }

# --- the busiest
load --name busy.example --count 60 >/dev/null
load --name nas.home.arpa --count 30 --sources 1 >/dev/null
load --name www.ads.example --count 20 --sources 1 >/dev/null
load --name 'once%d.example' --count 40 >/dev/null
out=$(ctl dns top)
same "the name asked for most comes first, then the others" \
	"60 busy.example/30 nas.home.arpa/20 www.ads.example" \
	"$(echo "$out" | sed -n '/^asked/,/^blocked/p' | awk '$1 + 0 > 1 { print $1, $2 }' |
		paste -sd /)"
same "what is blocked has a list of its own" "20 www.ads.example" \
	"$(echo "$out" | sed -n '/^blocked/,/^clients/p' | awk '$1 + 0 > 0 { print $1, $2 }')"
same "so have those who ask" "100 127.0.0.1/50 127.0.0.2" \
	"$(echo "$out" | sed -n '/^clients/,$p' | awk '$1 + 0 > 0 { print $1, $2 }' | paste -sd /)"
echo "$out"

# --- a limit
conf 'client-rate = 1  client-rate-exempt = { "127.0.0.2" }  top = false' >"$tmp/conf"
check "a limit is set by a reload" ctl reload
refuse "nothing is counted any more" ctl dns top
out=$(load --name busy.example --count 400)
contains "a client that asks too much is answered" "answered=400 lost=0" "$out"
check "in part with REFUSED" [ "$(counter dns.rate_limited)" -ge 100 ]
told_why() {
	load --name busy.example --count 100 >/dev/null
	ask nas.home.arpa | grep -q 'EDE: 18 (Prohibited): (this client asks too much'
}
check "with a reason" wait_until told_why 10
contains "which the log tells" "asks too much" "$(grep 127.0.0.1 "$hearthd_log")"
contains "an exempt one is not limited" "noerror=400" \
	"$(load --name busy.example --count 400 --sources 1)"
same "nor is anybody else" 192.0.2.1 "$(ask -b 127.0.0.9 +short busy.example)"
conf "" >"$tmp/conf"
ctl reload >/dev/null
contains "without the limit it has all again" "noerror=400" \
	"$(load --name busy.example --count 400)"
stop "$hearthd_pid"
finish
