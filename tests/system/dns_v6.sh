#!/bin/sh
# SPDX-License-Identifier: MIT
# Addresses of IPv6 left out of answers (filter-aaaa), or made of those of IPv4 (dns64).
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --log "$tmp/upstream.log" \
    --rule 'both.example A 192.0.2.1' --rule 'both.example AAAA 2001:db8::1' \
    --rule 'four.example A 192.0.2.4' --rule 'four.example A 192.0.2.5' \
    --rule 'web.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1' \
    --rule 'text.example TXT words' --rule 'alias.example CNAME four.example' \
    --rule 'gone.example * NXDOMAIN' --rule 'short.example A 192.0.2.6 ; ttl=0' \
    --rule 'broken.example * SERVFAIL' \
    --rule 'half.example AAAA SERVFAIL' --rule 'half.example A 192.0.2.7' \
    --rule 'mute.example AAAA DROP' --rule 'mute.example A 192.0.2.8' \
    --rule 'wrapped.example AAAA ::ffff:192.0.2.9' --rule 'wrapped.example A 192.0.2.9' \
    --rule '4.9.9.9.in-addr.arpa PTR four.example'
port=$(free_port)
brief() { ask "$@" | awk '
	/status:/ { sub(/.*status: /, ""); sub(/,.*/, ""); status = $0 }
	!/^;/ && NF >= 4 { kinds = kinds " " $4 }
	END { print status kinds }'; }
list() { ask +short "$@" | sort | tr '\n' ' '; }
start_with() {
	{ conf_head; cat <<END
dns {
	listen = "127.0.0.1:$port"
	upstream = "127.0.0.1:$fakedns_port"
	record = { "out.home.arpa CNAME four.example", "nas.home.arpa A 192.168.1.5",
	    "own.home.arpa AAAA 64:ff9b::c000:205" }
	$1
}
END
	} >"$tmp/conf"
	start_hearthd "$tmp/conf"
}

# --- left out
start_with 'filter-aaaa = true'
same "no AAAA" "NOERROR SOA" "$(brief both.example AAAA)"
same "neither from the cache" "NOERROR SOA" "$(brief both.example AAAA)"
same "A as ever" "192.0.2.1 " "$(list both.example)"
same "the hint of HTTPS is gone, the others are there" '1 . alpn="h2" ipv4hint=192.0.2.1' \
    "$(ask +short web.example HTTPS)"
same "a name that does not exist does not" "NXDOMAIN SOA" "$(brief gone.example AAAA)"
same "who checks signatures gets what is there" "NOERROR AAAA" "$(brief +cd both.example AAAA)"
stop "$hearthd_pid"

# --- made
start_with 'dns64 = "64:ff9b::/96"'
for time in first second; do
	same "a name with IPv4 alone ($time time)" "64:ff9b::c000:204 64:ff9b::c000:205 " \
	    "$(list four.example AAAA)"
done
same "A was asked for once" 1 "$(grep -ci 'name=four.example type=A ' "$tmp/upstream.log")"
same "a name that has AAAA keeps it" "2001:db8::1 " "$(list both.example AAAA)"
same "behind an alias" "NOERROR CNAME AAAA AAAA" "$(brief alias.example AAAA)"
same "behind an alias of the house" "NOERROR CNAME AAAA AAAA" "$(brief out.home.arpa AAAA)"
same "an answer that is not kept" "64:ff9b::c000:206 " "$(list short.example AAAA)"
same "a name with neither" "NOERROR SOA" "$(brief text.example AAAA)"
same "a name that does not exist" "NXDOMAIN SOA" "$(brief gone.example AAAA)"
same "a failure stays one" "SERVFAIL" "$(brief broken.example AAAA)"
for time in first second; do
	same "but what fails for AAAA alone is asked for A ($time time)" "64:ff9b::c000:207 " \
	    "$(list half.example AAAA)"
	same "addresses that only wrap IPv4 are none ($time time)" "64:ff9b::c000:209 " \
	    "$(list wrapped.example AAAA)"
done
ask +time=9 mute.example AAAA >"$tmp/mute" 2>&1
contains "silence about AAAA is a failure as well" "64:ff9b::c000:208" "$(cat "$tmp/mute")"
same "the name of such an address is that of IPv4" "4.9.9.9.in-addr.arpa. four.example. " \
    "$(list -x 64:ff9b::909:904)"
same "also from the cache" "NOERROR CNAME PTR" "$(brief -x 64:ff9b::909:904)"
same "the house may name it itself" "own.home.arpa. " "$(list -x 64:ff9b::c000:205)"
same "an address that nobody has a name for" "NXDOMAIN CNAME SOA" "$(brief -x 64:ff9b::909:9fe)"
same "other addresses are no business of it" "NXDOMAIN SOA" "$(brief -x 2001:db8:1::1)"
contains "and that is explained" "on with 4.9.9.9.in-addr.arpa" \
    "$(ctl dns explain 4.0.9.0.9.0.9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa \
    	PTR)"
same "over TCP" "64:ff9b::c000:204 64:ff9b::c000:205 " "$(list +tcp four.example AAAA)"
same "who checks signatures gets none" "NOERROR SOA" "$(brief +cd four.example AAAA)"
check "they are counted" [ "$(counter dns.mapped_to_ipv6)" -ge 6 ]
stop "$hearthd_pid"

# A prefix of one's own, among addresses that have no names outside of the house.
start_with 'dns64 = "fd00:64::/96"'
same "names of the house behind a prefix of one's own" "5.1.168.192.in-addr.arpa. nas.home.arpa. " \
    "$(list -x fd00:64::c0a8:105)"
same "its other addresses have none" "NXDOMAIN CNAME SOA" "$(brief -x fd00:64::c0a8:106)"
stop "$hearthd_pid"

{ conf_head; echo 'dns { listen = "127.0.0.1:1"  dns64 = "64:ff9b::/95" }'; } >"$tmp/bad"
refuse "another length of prefix is refused" "$hearthd" --check -c "$tmp/bad"
finish
