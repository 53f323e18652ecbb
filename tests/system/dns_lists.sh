#!/bin/sh
# SPDX-License-Identifier: MIT
# Lists of names: what is said instead, for whom and when; aliases; lists rewritten while queries
# run, spoilt and mended. And the guard against answers that lead into the house.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
! "$hearthd" --version | grep -q "pcre2 no" || skip "this build has no patterns"
in_netns "$@"

cat >"$tmp/rules" <<'END'
www.example A 192.0.2.1
www.example AAAA 2001:db8::1
shop.example CNAME x.track.example
kept.example CNAME x.track.example
x.track.example A 192.0.2.66
web.example HTTPS 1 cdn.track.example alpn=h2
evil.example A 192.168.1.1
two.example A 192.0.2.7
two.example A 10.0.0.7
six.example AAAA fd00::1
hint.example HTTPS 1 . alpn=h2 ipv4hint=192.168.1.1
zero.example A 0.0.0.0
home.example A 192.168.1.9
nas.lan A 192.168.1.10
www.corp.example A 10.9.9.9
ads.example A 192.0.2.99
*ads.example A 192.0.2.99
*kids.example A 192.0.2.99
*.now.example A 192.0.2.99
later.example A 192.0.2.99
ad*.example A 192.0.2.99
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"

cat >"$tmp/ads.txt" <<'END'
# a list of hosts
127.0.0.1 localhost
0.0.0.0 ads.example www.ads.example
0.0.0.0 track.example
<a line that is nothing>
END
printf '[Adblock Plus 2.0]\n||kids.example^\n@@||ok.kids.example^\n' >"$tmp/kids.txt"
port=$(free_port)
hour=$(date +%H)
hour=${hour#0}
window() { printf '%02d:30-%02d:30' $(((hour + $1) % 24)) $(((hour + $2) % 24)); }
settings() {
	conf_head
	cat <<END
dns {
	listen = "127.0.0.1:$port"
	upstream = "127.0.0.1:$fakedns_port"
	block "ads" { file = "$tmp/ads.txt" }
	block "kids" { file = "$tmp/kids.txt"  clients = { "127.0.0.2", "127.0.1.0/24" } }
	block "nodata" { names = { "nodata.example" }  action = "nodata" }
	block "zero" { names = { "null.example" }  action = "zero" }
	block "page" { names = { "page.example", '/^ad[0-9]+\./' }  action = "address"
		address = { "192.0.2.53", "2001:db8::53" } }
	block "now" { names = "now.example"  schedule = "$(window 22 2)" }
	block "later" { names = "later.example"  schedule = "$(window 10 14)" }
	allow-names = { "good.ads.example", "kept.example" }
	rebind-allow = { "home.example" }
	route "corp.example" { upstream = "127.0.0.1:$fakedns_port" }
	$1
}
END
}
settings >"$tmp/conf"
start_hearthd "$tmp/conf"

brief() { ask "$@" | awk '
	/status:/ { sub(/.*status: /, ""); sub(/,.*/, ""); status = $0 }
	!/^;/ && NF >= 4 { kinds = kinds " " $4 }
	/EDE: 15/ { why = ", blocked" }
	/EDE: 17/ { why = ", filtered" }
	END { print status kinds why }'; }

# --- what is said instead
same "a blocked name: NXDOMAIN with SOA" "NXDOMAIN SOA, blocked" "$(brief ads.example)"
same "for every type" "NXDOMAIN SOA, blocked" "$(brief ads.example HTTPS)"
same "and ANY" "NXDOMAIN SOA, blocked" "$(brief ads.example ANY)"
same "in any letter case, and below it" "NXDOMAIN SOA, blocked" "$(brief x.y.ADS.example)"
same "over TCP as well" "NXDOMAIN SOA, blocked" "$(brief +tcp ads.example)"
contains "the reason names block, rule and file" 'EDE: 15 (Blocked): (ads: ads.example (ads.txt))' \
    "$(ask ads.example)"
same "a name that only ends alike passes" 192.0.2.99 "$(ask +short myads.example)"
same "a name that is allowed passes, and what is below it" "192.0.2.99 192.0.2.99" \
    "$(ask +short good.ads.example | tr '\n' ' ')$(ask +short www.good.ads.example)"
same "nodata" "NOERROR SOA, blocked" "$(brief nodata.example)"
same "zero" "0.0.0.0 ::" "$(ask +short null.example | tr '\n' ' ')$(ask +short null.example AAAA)"
same "zero has no HTTPS" "NOERROR SOA, blocked" "$(brief null.example HTTPS)"
same "addresses" "192.0.2.53 2001:db8::53" \
    "$(ask +short page.example | tr '\n' ' ')$(ask +short page.example AAAA)"
same "nobody was asked about them" "" \
	"$(grep -i 'name=\(ads\|nodata\|null\|page\)' "$tmp/upstream.log")"
contains "clients keep it for a few seconds" "	10	" \
	"$(ask ads.example | grep SOA | tr ' ' '\t')"
if grep -q '^#define HAVE_PCRE2\|^HAVE_PCRE2_TRUE=$' "$top_builddir/config.status" 2>/dev/null ||
    grep -q "^S\[\"HAVE_PCRE2_TRUE\"\]=\"\"" "$top_builddir/config.status"; then
	same "a pattern" 192.0.2.53 "$(ask +short ad42.example)"
	same "that does not match" 192.0.2.99 "$(ask +short ad.example)"
fi

# --- for whom and when
same "a group's client" "NXDOMAIN SOA, filtered" "$(brief -b 127.0.0.2 www.kids.example)"
contains "is told that it is for some" "EDE: 17 (Filtered): (kids: kids.example (kids.txt))" \
    "$(ask -b 127.0.0.2 www.kids.example)"
same "one of its network" "NXDOMAIN SOA, filtered" "$(brief -b 127.0.1.77 www.kids.example)"
same "an exception of the list" 192.0.2.99 "$(ask -b 127.0.0.2 +short ok.kids.example)"
same "others are not blocked" 192.0.2.99 "$(ask +short www.kids.example)"
same "the group's client is not served from their cache" "NXDOMAIN SOA, filtered" \
    "$(brief -b 127.0.0.2 www.kids.example)"
same "a block at its time" "NXDOMAIN SOA, blocked" "$(brief now.example)"
same "and outside of it" 192.0.2.99 "$(ask +short later.example)"

# --- aliases
same "an alias that is blocked" "NXDOMAIN SOA, blocked" "$(brief shop.example)"
same "also from the cache" "NXDOMAIN SOA, blocked" "$(brief shop.example)"
contains "and the reason says so" "(ads: track.example (an alias; ads.txt))" "$(ask shop.example)"
same "the target of HTTPS" "NXDOMAIN SOA, blocked" "$(brief web.example HTTPS)"
contains "a name that is allowed takes its alias along" 192.0.2.66 "$(ask +short kept.example)"

# --- explained and counted
contains "explain: the very rule" "ads: ads.example (ads.txt)" "$(ctl dns explain www.ads.example)"
contains "explain: for a client" "kids: kids.example (kids.txt)" \
    "$(ctl dns explain www.kids.example A 127.0.0.2)"
check "hits are counted by list" [ "$(ctl --json status | tr ',{[' '\n\n\n' |
	sed -n '/"block": *"ads"/,/"loading"/p' | sed -n 's/"blocked": *//p')" -ge 8 ]
contains "lines that were left out are said" "lines of a list were left out" "$(cat "$hearthd_log")"

# --- the guard against rebinding
same "an answer that leads into the house is refused" "NOERROR SOA, blocked" "$(brief evil.example)"
contains "with its reason" "EDE: 15 (Blocked): (rebinding: 192.168.1.1 is an address inside" \
    "$(ask evil.example)"
same "behind a good address, too" "NOERROR SOA, blocked" "$(brief two.example)"
same "and with IPv6" "NOERROR SOA, blocked" "$(brief six.example AAAA)"
same "hints of HTTPS are addresses" "NOERROR SOA, blocked" "$(brief hint.example HTTPS)"
same "0.0.0.0 is none of the house" 0.0.0.0 "$(ask +short zero.example)"
same "a zone that may" 192.168.1.9 "$(ask +short home.example)"
same "a zone with a route may" 10.9.9.9 "$(ask +short www.corp.example)"
same "a name that no stranger can own may" 192.168.1.10 "$(ask +short nas.lan)"
check "the log names name, address and exemption" \
    grep -q "into the house name=\"evil.example\" address=192.168.1.1 exemption=\"rebind-allow += { 'evil.example' }\"" "$hearthd_log"

# --- lists that change
printf 'new.example\n' >"$tmp/ads.new"
mv "$tmp/ads.new" "$tmp/ads.txt"
check "a list that was replaced counts within two seconds" \
    wait_until '[ "$(brief new.example)" = "NXDOMAIN SOA, blocked" ]' 2
same "and the old one does not" 192.0.2.99 "$(ask +short ads.example)"
printf '<html>\n<p>404</p>\n</html>\n' >"$tmp/ads.txt"
check "an error page is no list, says the log" \
    wait_until "grep -q 'list cannot be used.*more lines that make no sense than names' '$hearthd_log'" 5
same "what was there stays in force" "NXDOMAIN SOA, blocked" "$(brief new.example)"
rm "$tmp/ads.txt"
check "nor is one that has gone" \
    wait_until "grep -q 'list cannot be used.*No such file' '$hearthd_log'" 5
same "what was there stays in force still" "NXDOMAIN SOA, blocked" "$(brief new.example)"
printf 'third.example\n' >"$tmp/ads.txt"
check "a list that comes back counts" wait_until \
	'[ "$(brief third.example)" = "NXDOMAIN SOA, blocked" ]' 2

# --- settings that change
settings 'block "broken" { names = "x.example"  action = "address" }' >"$tmp/conf"
kill -HUP "$hearthd_pid"
check "settings that make no sense are refused" \
    wait_until "grep -q 'the action .address. needs one' '$hearthd_log'" 5
same "and the old ones hold" "NXDOMAIN SOA, blocked" "$(brief third.example)"
settings 'block "more" { names = "more.example" }' >"$tmp/conf"
kill -HUP "$hearthd_pid"
check "a new block counts after reload" wait_until \
	'[ "$(brief more.example)" = "NXDOMAIN SOA, blocked" ]' 5
same "and lists were kept" "NXDOMAIN SOA, blocked" "$(brief third.example)"

# --- a large list, rewritten under load
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "0.0.0.0 host%d.bulk.example\n", i }' >"$tmp/bulk"
ask +short www.example >/dev/null
"$dnsload" --server "127.0.0.1:$port" --name www.example --count 60000 --window 32 --ports 4 \
    >"$tmp/load" &
load=$!
cp "$tmp/bulk" "$tmp/ads.new"
mv "$tmp/ads.new" "$tmp/ads.txt"
check "a large list counts while queries run" \
    wait_until '[ "$(brief host99999.bulk.example)" = "NXDOMAIN SOA, blocked" ]' 5
printf 'small.example\n' >"$tmp/ads.new"
mv "$tmp/ads.new" "$tmp/ads.txt"
check "and a small one in its place" wait_until \
	'[ "$(brief small.example)" = "NXDOMAIN SOA, blocked" ]' 5
wait "$load"
same "no query was lost meanwhile" 0 $?
contains "nor failed" "lost=0 wrong=0 noerror=60000" "$(tr '\n' ' ' <"$tmp/load")"

stop "$hearthd_pid"
same "the daemon ends well" 0 $?
finish
