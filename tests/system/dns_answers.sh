#!/bin/sh
# SPDX-License-Identifier: MIT
# What a client sees: every kind of answer right, the second one from the cache with a lower TTL,
# and one packet towards the upstream for each.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
a.example A 192.0.2.1
a.example A 192.0.2.2
a.example AAAA 2001:db8::1
a.example MX 10 mail.a.example
a.example TXT first second
a.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
a.example TYPE65534 \# 4 DEADBEEF
chain.example CNAME a.example
short.example A 192.0.2.9 ; ttl=2
big.example TXT big 60000
upper.example A 192.0.2.3
nodata.example A 192.0.2.4
gone.example * NXDOMAIN
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"
port=$(free_port)
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:$port", "[::1]:$port" }  upstream = { "127.0.0.1:$fakedns_port" } }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"

upstream_queries() { grep -c "name=$1 " "$tmp/upstream.log"; }

same "A, both addresses" "192.0.2.1 192.0.2.2" "$(ask +short a.example | sort | xargs)"
same "AAAA" "2001:db8::1" "$(ask +short a.example AAAA)"
same "MX" "10 mail.a.example." "$(ask +short a.example MX)"
same "TXT" '"first" "second"' "$(ask +short a.example TXT)"
contains "HTTPS" 'alpn="h2" ipv4hint=192.0.2.1' "$(ask +short a.example HTTPS)"
same "an unknown type, byte for byte" '\# 4 DEADBEEF' "$(ask +short a.example TYPE65534)"
same "a chain" "192.0.2.1 192.0.2.2 a.example." "$(ask +short chain.example | sort | xargs)"
contains "NXDOMAIN has its SOA" "status: NXDOMAIN" "$(ask gone.example)"
contains "and the SOA" "SOA" "$(ask gone.example)"
contains "NODATA is NOERROR" "status: NOERROR" "$(ask nodata.example MX)"
contains "over IPv6" "192.0.2.1" "$(dig @::1 -p "$port" +tries=1 +short a.example)"
contains "over TCP" "192.0.2.3" "$(ask +tcp +short upper.example)"
contains "DO brings signatures" "RRSIG" "$(ask +dnssec a.example)"
contains "and DO comes back" "flags: do" "$(ask +dnssec a.example)"
contains "no RRSIG without DO" "ANSWER: 2" "$(ask a.example)"
contains "an answer too long for UDP comes over TCP" "MSG SIZE  rcvd: 6" \
	"$(ask +bufsize=1232 big.example TXT | grep 'MSG SIZE')"
contains "and is truncated over UDP" " tc" \
	"$(ask +ignore +bufsize=1232 big.example TXT | grep flags:)"
contains "EDNS only for who speaks it" "EDNS: version: 0" "$(ask a.example)"
same "no OPT without OPT" "" "$(ask +noedns a.example | grep EDNS)"
contains "letter case is echoed" "UppER.ExamPLE." "$(ask UppER.ExamPLE | grep -v '^;.*dig')"

ttl_of() { ask "$1" | awk -v n="$1." '$1 == n && $4 == "A" { print $2; exit }'; }
first=$(ttl_of a.example)
check "the TTL counts down" wait_until "[ \$(ttl_of a.example) -lt $first ]" 5
same "A of a.example was asked upstream once" 1 \
	"$(grep -i 'name=a.example ' "$tmp/upstream.log" | grep 'type=A ' | grep -c 'do=0')"
same "so was the name that does not exist" 1 "$(grep -ci 'name=gone.example ' "$tmp/upstream.log")"
ask short.example >/dev/null
asked() { [ "$(grep -ci 'name=short.example ' "$tmp/upstream.log")" -ge 2 ]; }
check "after its TTL it is asked again" wait_until "ask short.example >/dev/null; asked" 8

# RFC 8906: every shape of query is answered.
contains "an unknown opcode: NOTIMP" "status: NOTIMP" "$(ask +opcode=14 a.example)"
contains "EDNS version 1: BADVERS" "status: BADVERS" "$(ask +edns=1 +noednsneg a.example)"
contains "an unknown EDNS option is ignored" "192.0.2.1" "$(ask +ednsopt=100 a.example)"
contains "an unknown EDNS flag is ignored" "192.0.2.1" "$(ask +ednsflags=0x40 a.example)"
contains "the Z bit is ignored" "192.0.2.1" "$(ask +zflag a.example)"
contains "class CH: REFUSED with a reason" "REFUSED" "$(ask version.bind TXT CH)"
contains "RD=0: REFUSED" "status: REFUSED" "$(ask +norec a.example)"
contains "AXFR is refused" "Transfer failed" "$(ask +tcp a.example AXFR 2>&1)"

contains "ANY gets one harmless record" '"RFC8482"' "$(ask +notcp +short a.example ANY)"
contains "a cookie is answered with ours" "COOKIE: " "$(ask +cookie=0123456789abcdef a.example)"
server_cookie=$(ask +cookie=0123456789abcdef a.example | sed -n 's/^; COOKIE: \([0-9a-f]*\).*/\1/p')
contains "which is good the next time" "(good)" "$(ask "+cookie=$server_cookie" a.example)"
contains "TCP keepalive is told to who asks" "KEEPALIVE" "$(ask +tcp +keepalive a.example)"

contains "hearthctl sees the queries" "dns.queries=" "$(ctl status)"
contains "dns lookup shows the entry" "a.example" "$(ctl dns lookup a.example)"
contains "dns flush takes it" "flushed=" "$(ctl dns flush a.example)"
before=$(grep -ci 'name=a.example ' "$tmp/upstream.log")
ask a.example >/dev/null
check "and it is asked again" [ "$(grep -ci 'name=a.example ' "$tmp/upstream.log")" -gt "$before" ]

stop "$hearthd_pid"
same "SIGTERM ends it with 0" 0 $?
finish
