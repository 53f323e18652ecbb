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
    --rule 'broken.example * SERVFAIL'
port=$(free_port)
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 "$@"; }
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
	record = { "out.home.arpa CNAME four.example" }
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
same "over TCP" "64:ff9b::c000:204 64:ff9b::c000:205 " "$(list +tcp four.example AAAA)"
same "who checks signatures gets none" "NOERROR SOA" "$(brief +cd four.example AAAA)"
check "they are counted" [ "$(counter dns.mapped_to_ipv6)" -ge 6 ]
stop "$hearthd_pid"

{ conf_head; echo 'dns { listen = "127.0.0.1:1"  dns64 = "64:ff9b::/95" }'; } >"$tmp/bad"
refuse "another length of prefix is refused" "$hearthd" --check -c "$tmp/bad"
finish
