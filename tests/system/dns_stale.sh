#!/bin/sh
# SPDX-License-Identifier: MIT
# RFC 8767: fresh first; while no upstream answers, an expired answer after 1.8 s, with TTL 30 at
# most and a reason; a fresh NXDOMAIN then takes its place. Failures are held back (RFC 9520).
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'old.example A 192.0.2.1 ; ttl=1' --rule 'none.example * NXDOMAIN ; ttl=1' \
	--log "$tmp/up.log"
up=$fakedns_port
up_pid=$fakedns_pid
port=$(free_port)
conf() {
	conf_head
	echo "dns { listen = { \"127.0.0.1:$port\" }  upstream = { \"127.0.0.1:$up\" }  stale-recheck = 3s  $1 }"
}
conf "" >"$tmp/conf"
start_hearthd "$tmp/conf"

same "fresh at first" 192.0.2.1 "$(ask +short old.example)"
contains "a name that does not exist" "NXDOMAIN" "$(ask none.example)"
mean=$(counter dns.upstream_mean_us)
stop "$up_pid"
# Silence, not a refusal: a closed port would fail at once and be answered stale at once.
start_fakedns --rule '* * DROP' --port "$up"
silent_pid=$fakedns_pid
expired() { ctl dns lookup old.example | grep -q stale; }
check "it expires" wait_until expired 5
out=$(ask old.example)
contains "the expired answer is given" "192.0.2.1" "$out"
contains "with EDE 3" "EDE: 3 (Stale Answer)" "$out"
ttl=$(echo "$out" | awk '$1 == "old.example." && $4 == "A" { print $2 }')
check "and a TTL of 30 at most ($ttl)" [ "$ttl" -le 30 ]
ms=$(echo "$out" | sed -n 's/^;; Query time: \([0-9]*\) msec/\1/p')
check "after 1.8 s, not before ($ms ms)" [ "$ms" -ge 1700 ]
check "and not much later" [ "$ms" -lt 4300 ]
out=$(ask none.example)
contains "that a name did not exist is told as well" "status: NXDOMAIN" "$out"
contains "with EDE 19" "EDE: 19 (Stale NXDOMAIN Answer)" "$out"
held() { ctl dns lookup old.example | grep -q 'left alone'; }
check "when the refresh has failed the upstreams are left alone" wait_until held 6
out=$(ask old.example)
ms=$(echo "$out" | sed -n 's/^;; Query time: \([0-9]*\) msec/\1/p')
check "and the stale answer comes at once ($ms ms)" [ "$ms" -lt 1700 ]
check "it is counted" [ "$(counter dns.answered_stale)" -ge 2 ]
out=$(ask never.example)
contains "a name never heard of fails" "SERVFAIL" "$out"
contains "as nobody is there" "EDE: 22 (No Reachable Authority)" "$out"
contains "a second time from the held failure, with its reason" \
	"EDE: 13 (Cached Error): (no upstream server answers)" "$(ask never.example)"
same "what no upstream answered is not in its mean time" "$mean" "$(counter dns.upstream_mean_us)"
check "without asking again" [ "$(counter dns.answered_failure)" -ge 1 ]

stop "$silent_pid"
start_fakedns --rule 'old.example * NXDOMAIN' --rule '* A 192.0.2.2' --port "$up"
ctl dns flush never.example >/dev/null
gone() { ask old.example | grep -q 'status: NXDOMAIN'; }
same "other names are served again" 192.0.2.2 "$(ask +short other.example)"
check "a fresh NXDOMAIN replaces the stale answer" wait_until gone 8
stop "$hearthd_pid"

# --- switched off
stop "$fakedns_pid"
start_fakedns --rule 'old.example A 192.0.2.1 ; ttl=1' --port "$up"
conf "stale = false" >"$tmp/conf"
rm -f "$tmp/state/dns-cache"	# what the first daemon knew
start_hearthd "$tmp/conf" off
same "without stale: fresh at first" 192.0.2.1 "$(ask +short old.example)"
stop "$fakedns_pid"
failed() { ask old.example | grep -q SERVFAIL; }
check "then SERVFAIL" wait_until failed 8
stop "$hearthd_pid"
finish
