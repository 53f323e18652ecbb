#!/bin/sh
# SPDX-License-Identifier: MIT
# hearthctl dns dump: all that is cached, as a zone file that another program reads; while its
# reader sleeps the daemon does not wait. hearthctl dns flush: --negative, --stale, --all.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
brief.example A 192.0.2.1 ; ttl=1
www.example CNAME web.example
web.example A 192.0.2.2
mail.example MX 10 mx.example
text.example TXT quote" back\slash
web.example HTTPS 1 . alpn=h2 port=8443
odd.example TYPE65280 \# 3 abcdef
corp.example A 192.0.2.3
fails.example A SERVFAIL
many*.example A 192.0.2.5 ; ttl=3000
END
start_fakedns --rules "$tmp/rules"
port=$(free_port)
{
	conf_head
	echo "dns { listen = { \"127.0.0.1:$port\" }  upstream = { \"127.0.0.1:$fakedns_port\" }"
	echo "route \"corp.example\" { upstream = { \"127.0.0.1:$fakedns_port\" } } }"
} >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 "$@" >"$tmp/answer"; }
# holds NAME PATTERN: a line of the dump; blanks stand for tabulators.
holds() {
	check "$1" grep -qx "$(printf "%s" "$2" | tr ' ' '\t' | tr '~' ' ')" "$tmp/dump"
}

ctl dns dump >"$tmp/dump"
same "nothing is cached at first" "" "$(cat "$tmp/dump")"
ask www.example
ask mail.example MX
ask text.example TXT
ask web.example HTTPS
ask odd.example TYPE65280
ask corp.example
ask none.example
ask web.example MX
ask fails.example
ask +dnssec +cd web.example
ask brief.example
check "an answer runs out" wait_until "ctl dns lookup brief.example | grep -q stale" 5
check "all of it is printed" ctl dns dump
ctl dns dump >"$tmp/dump"
holds "an alias" 'www.example. [0-9]* IN CNAME web.example. ;~fresh'
holds "and where it leads" 'web.example. [0-9]* IN A 192.0.2.2 ;~fresh'
holds "a name within the data" 'mail.example. [0-9]* IN MX 10~mx.example. ;~fresh'
holds "text" 'text.example. [0-9]* IN TXT "quote\\""~"back\\\\slash" ;~fresh'
holds "service parameters" 'web.example. [0-9]* IN HTTPS 1~.~alpn=h2~port=8443 ;~fresh'
holds "a type without a name" 'odd.example. [0-9]* IN TYPE65280 \\#~3~abcdef ;~fresh'
holds "the route it came by" 'corp.example. [0-9]* IN A 192.0.2.3 ;~fresh,~route~corp.example'
holds "a name that does not exist" ';~none.example. [0-9]* any NXDOMAIN ;~fresh'
holds "a type that does not" ';~web.example. [0-9]* MX NODATA ;~fresh'
holds "a failure" ';~fails.example. [0-9]* A SERVFAIL ;~\(failure\|expired\)'
holds "an answer with signatures" \
	'web.example. [0-9]* IN A 192.0.2.2 ;~fresh,~with~DNSSEC,~unchecked'
holds "one that has run out" 'brief.example. 0 IN A 192.0.2.1 ;~stale'
refuse "the age of nothing" grep -q -- '-[0-9]' "$tmp/dump"
if command -v named-compilezone >/dev/null; then
	{ echo '. 60 IN SOA a. b. 1 2 3 4 5'; echo '. 60 IN NS ns.nowhere.'
	grep -v RRSIG "$tmp/dump"; } >"$tmp/zone"
	check "it is a zone file" named-compilezone -k ignore -n ignore -i none -o "$tmp/compiled" \
		. "$tmp/zone"
fi
ctl --json dns dump >"$tmp/json"
same "as JSON, an entry a line" "$(counter dns.cache.entries)" \
	"$(grep -c '^{"name":.*}$' "$tmp/json")"
check "with its records" grep -q '"name":"mail.example".*"data":"10 mx.example."' "$tmp/json"
refuse "words behind it" ctl dns dump www.example

# --- more than fits a slice, and a reader that does not read
"$dnsload" --server "127.0.0.1:$port" --name "many%d.example" --count 5000 --window 50 >/dev/null
entries=$(counter dns.cache.entries)
mkfifo "$tmp/pipe"
spawn sh -c '"$1" -s "$2" dns dump >"$3"' sh "$hearthctl" "$control" "$tmp/pipe"
exec 8<"$tmp/pipe"
ask many1.example
contains "meanwhile the daemon answers" NOERROR "$(cat "$tmp/answer")"
cat <&8 >"$tmp/dump"
exec 8<&-
same "every name is there" 5000 "$(grep -c '^many' "$tmp/dump")"
same "once" 5000 "$(grep '^many' "$tmp/dump" | sort -u | grep -c '')"

# --- parts of it are forgotten
negative=$(counter dns.cache.negative_entries)
check "some do not exist" [ "$negative" -ge 3 ]
same "flush --stale" "flushed=1" "$(ctl dns flush --stale)"
ctl dns dump >"$tmp/dump"
refuse "what had run out is gone" grep -q brief "$tmp/dump"
check "what failed is not" grep -q SERVFAIL "$tmp/dump"
same "flush --negative" "flushed=$negative" "$(ctl dns flush --negative)"
ctl dns dump >"$tmp/dump"
refuse "neither failures nor names that do not exist" grep '^;' "$tmp/dump"
same "flush --below" "flushed=1" "$(ctl dns flush --below corp.example)"
same "all others are there" $((entries - negative - 2)) "$(counter dns.cache.entries)"
same "flush --all" "flushed=$((entries - negative - 2))" "$(ctl dns flush --all)"
same "nothing is left" "" "$(ctl dns dump)"
refuse "two at once" ctl dns flush --stale --negative
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
