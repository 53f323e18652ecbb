# SPDX-License-Identifier: MIT
# The scripted DNS server that other tests rely on does what its rules say. Peer: dig.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need dig

cat >"$tmp/rules" <<'RULES'
# a house and its oddities
www.example	A	192.0.2.1
www.example	A	192.0.2.2	; ttl=60 aa ad
www.example	AAAA	2001:db8::1
www.example	HTTPS	1 . alpn=h2 ipv4hint=192.0.2.1
www.example	TYPE65280 \# 3 0a0b0c
mail.example	MX	10 mx.example
alias.example	CNAME	www.example
deep.example	CNAME	alias.example
big.example	TXT	big 60000
*.wild.example	A	192.0.2.9
broken.example	*	SERVFAIL
cut.example	A	192.0.2.3	; tc
slow.example	A	192.0.2.4	; delay=300
lossy.example	A	192.0.2.5	; drop=1
split.example	A	192.0.2.6	; split
old.example	A	192.0.2.7	; noedns
cookie.example	A	192.0.2.8	; badcookie
forged.example	A	192.0.2.10	; forge=id forge=question forge=empty forge=source
RULES

start_fakedns --rules "$tmp/rules" --log "$tmp/log"

ask() {
	dig @127.0.0.1 -p "$fakedns_port" +tries=1 +time=3 "$@"
}

same "two addresses, one of them with its own words" "192.0.2.1 192.0.2.2" \
    "$(ask +short www.example A | sort | tr '\n' ' ' | sed 's/ $//')"
contains "AAAA" 2001:db8::1 "$(ask +short www.example AAAA)"
contains "HTTPS" '1 . alpn="h2" ipv4hint=192.0.2.1' "$(ask +short www.example HTTPS)"
contains "an unknown type" '\# 3 0A0B0C' "$(ask +short www.example TYPE65280)"
contains "MX" "10 mx.example." "$(ask +short mail.example MX)"
same "a chain of aliases is followed" "alias.example. www.example. 192.0.2.1 192.0.2.2" \
    "$(ask +short deep.example A | tr '\n' ' ' | sed 's/ $//')"
contains "a wildcard" 192.0.2.9 "$(ask +short a.b.wild.example A)"
contains "other types of a name: NODATA with SOA" "status: NOERROR" "$(ask www.example MX)"
contains "no such name: NXDOMAIN with SOA" SOA "$(ask nowhere.example A)"
contains "SERVFAIL on order" "status: SERVFAIL" "$(ask broken.example TXT)"
contains "truncated over UDP, whole over TCP" 192.0.2.3 "$(ask +short cut.example A)"
contains "and +ignore shows the bit" " tc " "$(ask +ignore cut.example A)"
same "60 kB over TCP" 60000 \
    "$(ask +short +tcp +bufsize=1232 big.example TXT | tr -d ' "\n' | wc -c)"
contains "TCP in single bytes" 192.0.2.6 "$(ask +short +tcp split.example A)"
contains "a signature for those who set DO" RRSIG "$(ask +dnssec +noall +answer www.example A)"
refuse "none for others" sh -c "dig @127.0.0.1 -p $fakedns_port www.example A | grep -q RRSIG"
contains "FORMERR where EDNS is unknown" FORMERR "$(ask +noednsneg old.example A)"
contains "an answer without EDNS" 192.0.2.7 "$(ask +short +noedns old.example A)"
contains "BADCOOKIE first, the answer then" 192.0.2.8 "$(ask +short +cookie cookie.example A)"
contains "the first query is lost, the second is not" "192.0.2.5" \
    "$(ask +time=1 +tries=2 +short lossy.example A)"
contains "an answer behind forged ones" 192.0.2.10 "$(ask +short forged.example A)"

begun=$(centiseconds)
ask +short slow.example A >/dev/null
check "a delayed answer comes later" [ $(($(centiseconds) - begun)) -ge 30 ]

contains "queries are logged and counted" "name=lossy.example type=A class=1 rd=1 cd=0" \
    "$(grep 'lossy.*n=2$' "$tmp/log")"

echo "www.example A 192.0.2.77" >"$tmp/rules"
kill -HUP "$fakedns_pid"
check "SIGHUP reads the rules again" \
    wait_until '[ "$(ask +short www.example A)" = 192.0.2.77 ]' 5

stop "$fakedns_pid"
same "SIGTERM ends it well" 0 $?
refuse "a rule that makes no sense is refused" \
    "$top_builddir/tests/support/fakedns" --rule "a.example A not-an-address"
finish
