#!/bin/sh
# SPDX-License-Identifier: MIT
# DNSCrypt towards an upstream, with a server of other makers as the peer: dnsdist.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig dnsdist base64 tcpdump
in_netns "$@"

cat >"$tmp/rules" <<'END'
big.example TXT big 8000
mid.example TXT big 900
*.example A 192.0.2.70
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"
crypt_port=$(free_port)
now=$(date +%s)
cat >"$tmp/dnsdist.lua" <<END
setSecurityPollSuffix("")
setLocal("127.0.0.1:$(free_port)")
setACL({"127.0.0.0/8"})
newServer("127.0.0.1:$fakedns_port")
generateDNSCryptProviderKeys("$tmp/provider.pub", "$tmp/provider.key")
generateDNSCryptCertificate("$tmp/provider.key", "$tmp/cert", "$tmp/resolver.key", 7, $((now - 60)),
    $((now + 86400)), DNSCryptExchangeVersion.VERSION2)
addDNSCryptBind("127.0.0.1:$crypt_port", "2.dnscrypt-cert.example", "$tmp/cert", "$tmp/resolver.key")
END
spawn dnsdist -C "$tmp/dnsdist.lua" --supervised >"$tmp/dnsdist.log" 2>&1
dnsdist_pid=$pid
wait_until "[ -s '$tmp/cert' ] && dig @127.0.0.1 -p $crypt_port +tries=1 +time=1 +short \
	2.dnscrypt-cert.example TXT | grep -q DNSC" 10 ||
	{ show "$tmp/dnsdist.log"; skip "dnsdist does not serve DNSCrypt here"; }

# The stamp: kind 1, properties, address, key, name; each with its length (one byte) in front.
counted() {
	printf "\\$(printf %o ${#1})%s" "$1"
}
stamp=sdns://$({
	printf '\001\007\000\000\000\000\000\000\000'
	counted "127.0.0.1:$crypt_port"
	printf '\040'
	cat "$tmp/provider.pub"
	counted 2.dnscrypt-cert.example
} | base64 -w0 | tr '+/' '-_' | tr -d =)

port=$(free_port)
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:$port" }  upstream = { "$stamp" } }
END
} >"$tmp/conf"
tcpdump -i lo -w "$tmp/wire" -U "port $crypt_port" 2>"$tmp/tcpdump.log" &
dump_pid=$!
spawned="$spawned $dump_pid"
wait_until "grep -q listening '$tmp/tcpdump.log'" 5 || skip "tcpdump cannot listen here"
start_hearthd "$tmp/conf"

ask() {
	dig @127.0.0.1 -p "$port" +tries=1 +time=5 "$@"
}
same "an answer through DNSCrypt" 192.0.2.70 "$(ask +short secret-name.example)"
same "a long one, over TCP" 900 "$(ask +short +tcp mid.example TXT | tr -d ' "\n' | wc -c)"
same "a very long one" 8000 "$(ask +short +tcp big.example TXT | tr -d ' "\n' | wc -c)"
out=$("$dnsload" --server "127.0.0.1:$port" --name 'n%d.example' --count 500 --window 50)
contains "500 names are answered" "answered=500 lost=0 wrong=0 noerror=500" "$out"
asked="$(grep -ci ' name=n[0-9]*\.example ' "$tmp/upstream.log")"
# On a busy machine some are sent twice.
check "the one behind it was asked for each ($asked)" [ "$asked" -ge 500 ]
check "dnsdist has decrypted them" running "$dnsdist_pid"
stop "$dump_pid"
check "the certificate was fetched in plain" grep -qai dnscrypt-cert "$tmp/wire"
refuse "but no name of ours was seen on the wire" grep -qai secret-name "$tmp/wire"
stop "$hearthd_pid"
same "the daemon ends with 0" 0 $?
finish
