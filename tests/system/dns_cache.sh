#!/bin/sh
# SPDX-License-Identifier: MIT
# The cache as it is seen from outside: how long answers live, what is fetched anew before it runs
# out, and that no flood of names, real or invented, pushes out what is in use.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
brief.example A 192.0.2.1 ; ttl=2
zero.example A 192.0.2.1 ; ttl=0
long.example A 192.0.2.2 ; ttl=200000
popular.example A 192.0.2.3 ; ttl=15
seldom.example A 192.0.2.3 ; ttl=15
loved.example A 192.0.2.4 ; ttl=3000
real*.example A 192.0.2.5 ; ttl=3000
nodata.example A 192.0.2.6
END
start_fakedns --rules "$tmp/rules" --log "$tmp/up.log"
port=$(free_port)
# ttl NAME [TYPE]: of the first record, SOA included.
ttl() { ask "$@" | awk '!/^;/ && NF >= 5 { print $2; exit }'; }
load() { "$dnsload" --server "127.0.0.1:$port" "$@"; }
asked() { grep -ci "name=$1 " "$tmp/up.log"; }

# --- how long
dns_conf >"$tmp/conf"
start_hearthd "$tmp/conf" plain
same "no answer lives longer than a day" 86400 "$(ttl long.example)"
ask zero.example >/dev/null
ask zero.example >/dev/null
check "one with a TTL of 0 is not kept" [ "$(asked zero.example)" -ge 2 ]
stop "$hearthd_pid"
rm -f "$tmp/state/dns-cache"
dns_conf "min-ttl = 60s  max-ttl = 100s  max-negative-ttl = 7s" >"$tmp/conf"
start_hearthd "$tmp/conf" clamped
same "min-ttl" 60 "$(ttl brief.example)"
same "max-ttl" 100 "$(ttl long.example)"
same "max-negative-ttl: a name that does not exist" 7 "$(ttl none.example)"
same "and a type" 7 "$(ttl nodata.example MX)"
stop "$hearthd_pid"
rm -f "$tmp/state/dns-cache"

# --- fetched anew
dns_conf >"$tmp/conf"
start_hearthd "$tmp/conf" prefetch
load --name popular.example --count 10 >/dev/null
ask seldom.example >/dev/null
again() { ask popular.example >/dev/null; [ "$(asked popular.example)" -ge 2 ]; }
check "a popular answer is fetched anew before its end" wait_until again 25
check "and is as good as new" wait_until '[ "$(ttl popular.example)" -ge 10 ]' 5
same "nobody has waited for it: all but the first were hits" 1 "$(counter dns.cache.misses |
	awk -v seldom=1 '{ print $1 - seldom }')"
same "one that was asked for once is left alone" 1 "$(asked seldom.example)"
same "it is counted" 1 "$(counter dns.prefetches)"
stop "$hearthd_pid"
rm -f "$tmp/state/dns-cache"

# --- how much
dns_conf "cache-size = 256KiB" >"$tmp/conf"
start_hearthd "$tmp/conf" small
load --name loved.example --count 5 >/dev/null
# flood PATTERN: ten times as many names as there is room for, with a look at the one in use
# between.
flood() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		load --name "$1$i-%d.example" --count 1000 --window 50 >/dev/null
		ask loved.example >/dev/null
	done
}
flood real
check "the cache keeps to its size" [ "$(counter dns.cache.bytes)" -le 262144 ]
check "by throwing out" [ "$(counter dns.cache.evictions)" -gt 5000 ]
same "what is in use stays through ten times its size" 1 "$(asked loved.example)"
entries=$(counter dns.cache.entries)
flood invented
check "names that do not exist get a quarter" [ "$(counter dns.cache.negative_bytes)" -le 65536 ]
check "the others keep their place" \
	[ $(($(counter dns.cache.entries) - $(counter dns.cache.negative_entries))) -ge \
		$((entries / 2)) ]
same "and what is in use is there still" 1 "$(asked loved.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
