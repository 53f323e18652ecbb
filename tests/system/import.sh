#!/bin/sh
# SPDX-License-Identifier: MIT
# A dnsmasq.conf of a house becomes settings that hearthd accepts and that answer alike.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

sample=$top_srcdir/tests/data/dnsmasq.conf
check "the sample has 60 lines that say something" [ "$(grep -c '^[a-z]' "$sample")" -ge 60 ]
"$hearthctl" import "$sample" >"$tmp/all.conf" 2>"$tmp/err"
same "import gives 0" 0 $?
contains "and counts on the standard error output" "not carried over" "$(cat "$tmp/err")"
check "hearthd accepts what it prints" "$hearthd" --check -c "$tmp/all.conf"
for line in $(grep -n '^[a-z]' "$sample" | cut -d: -f1); do
	option=$(sed -n "${line}s/=.*//p;${line}s/^[^=]*\$/&/p" "$sample" | head -n 1)
	case $option in
	# Carried over whole, or into what is looked at below.
	port | listen-address | user | no-resolv | server | strict-order | domain | local | \
	expand-hosts | no-hosts | addn-hosts | hostsdir | local-ttl | host-record | address | cname | \
	mx-host | txt-record | srv-host | ptr-record | naptr-record | caa-record | dns-rr | \
	cache-size | min-cache-ttl | max-cache-ttl | dhcp-leasefile | enable-tftp | tftp-root | \
	tftp-unique-root | tftp-max | tftp-port-range | rev-server | rebind-domain-ok | \
	filter-AAAA) continue ;;
	nftset) ! "$hearthd" --version | grep -q 'nftables yes' || continue ;;
	ipset) ! "$hearthd" --version | grep -q 'ipset yes' || continue ;;
	esac
	grep -q "^#     $sample:$line: $option" "$tmp/all.conf" || missing="$missing $line:$option"
done
same "every other line is spoken of" "" "${missing:-}"
# Other houses: what is printed is accepted, every line is counted, and none is lost without a word.
for house in router pihole pxe openwrt; do
	house_conf=$top_srcdir/tests/data/dnsmasq-$house.conf
	check "$house: import" "$hearthctl" import "$house_conf"
	"$hearthctl" import "$house_conf" >"$tmp/$house.conf" 2>"$tmp/err"
	check "$house: hearthd accepts it" "$hearthd" --check -c "$tmp/$house.conf"
	contains "$house: every line is counted" "$(grep -c '^[a-z]' "$house_conf") lines, " "$(cat "$tmp/err")"
	lost=$(sed -n '/=== Not carried over/,/=== Carried/p' "$tmp/$house.conf" | grep -c '^#     ')
	contains "$house: and those that are lost" " $lost of them not carried over" "$(cat "$tmp/err")"
done
check "a router's two strategies are one" grep -q 'strategy = "parallel"' "$tmp/router.conf"
check "its zone may lead into the house" grep -q 'rebind-allow = { "fritz.box" }' "$tmp/pihole.conf"
check "blocks have 512 bytes, whatever the MTU" grep -q 'blksize-max = 512' "$tmp/pxe.conf"
check "and one port serves" grep -q 'port-mode = "single"' "$tmp/pxe.conf"

refuse "a file that is not there is an error" "$hearthctl" import "$tmp/none"
"$hearthctl" import >/dev/null 2>&1
same "none at all is a misuse" 2 $?
printf 'what is this\nno=idea\n' | "$hearthctl" import - >/dev/null 2>"$tmp/err"
same "a file of something else gives 1" 1 $?
contains "and says so" "no line of this is one of a dnsmasq.conf" "$(cat "$tmp/err")"
same "from the standard input" 'server = 1' "$(echo 'server=9.9.9.9' | "$hearthctl" import - 2>/dev/null |
	sed -n 's/upstream = { "9.9.9.9" }/server = 1/p' | xargs)"

# The names of the house, as dnsmasq would tell them.
port=$(free_port)
mkdir "$tmp/d"
cat >"$tmp/dnsmasq.conf" <<END
port=$port
listen-address=127.0.0.1
no-resolv
no-hosts
local=/home.example/
domain=home.example
conf-dir=$tmp/d,*.conf
END
grep -E '^(host-record|address|cname|mx-host|txt-record|srv-host|ptr-record|naptr-record|caa-record|dns-rr|local-ttl)=' \
	"$sample" >"$tmp/d/names.conf"
"$hearthctl" import "$tmp/dnsmasq.conf" >"$tmp/names.conf" 2>/dev/null
{ conf_head; cat "$tmp/names.conf"; } >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=3 "$@"; }
cat >"$tmp/questions" <<'END'
nas.home.example A
nas.home.example AAAA
nas A
printer.home.example A
apps.home.example A
x.y.apps.home.example A
doubleclick.example A
www.doubleclick.example AAAA
telemetry.example A
files.home.example A
music.home.example CNAME
home.example MX
home.example TXT
_note.home.example TXT
_ldap._tcp.home.example SRV
_http._tcp.dns-sd-services.home.example PTR
sip.home.example NAPTR
home.example CAA
home.example TYPE65534
5.1.168.192.in-addr.arpa PTR
END
answers() {
	while read -r name type; do
		echo "$name $type: $(ask +short "$name" "$type" | LC_ALL=C sort | xargs -d '\n')"
	done <"$tmp/questions"
}
answers >"$tmp/ours"
contains "a name that shall not exist does not" "status: NXDOMAIN" "$(ask www.tracker.example)"
same "every question has an answer" "" "$(grep ': $' "$tmp/ours")"
stop "$hearthd_pid"

# No cache for dnsmasq is none for us.
start_fakedns --rule '* A 192.0.2.1 ; ttl=300' --log "$tmp/up.log"
{ conf_head; printf 'port=%s\nlisten-address=127.0.0.1\nno-resolv\ncache-size=0\nserver=127.0.0.1#%s\n' \
	"$port" "$fakedns_port" | "$hearthctl" import - 2>/dev/null; } >"$tmp/conf"
start_hearthd "$tmp/conf"
same "without a cache there are answers" 192.0.2.1 "$(ask +short one.example)"
ask two.example >/dev/null
ask two.example >/dev/null
same "but none is kept" 0 "$(counter dns.cache.entries)"
check "each question goes to the server" [ "$(grep -ci 'name=two.example ' "$tmp/up.log")" -ge 2 ]
same "no answer is from the cache" 0 "$(counter dns.cache.hits)"
stop "$hearthd_pid"

# The same of dnsmasq itself, where it is there.
if command -v dnsmasq >/dev/null; then
	spawn dnsmasq -k -C "$tmp/dnsmasq.conf" --user="$(id -un)" --pid-file=
	check "dnsmasq answers" wait_until "ask +short nas.home.example | grep -q 192.168" 5
	answers >"$tmp/theirs"
	same "dnsmasq gives the same answers" "" "$(diff -i "$tmp/theirs" "$tmp/ours")"
	contains "and the same denial" "status: NXDOMAIN" "$(ask www.tracker.example)"
fi
finish
