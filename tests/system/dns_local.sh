#!/bin/sh
# SPDX-License-Identifier: MIT
# The names of the house: hosts files, leases, records, wildcards; correct answers for what is not
# there; files followed while they change.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

cat >"$tmp/rules" <<'END'
cdn.example.net A 192.0.2.80
cdn.example.net AAAA 2001:db8::80
www.corp.example A 10.9.9.9
sub.example.com * NXDOMAIN
gone.example.net * NXDOMAIN
END
start_fakedns --rules "$tmp/rules" --log "$tmp/upstream.log"

cat >"$tmp/hosts" <<'END'
192.168.1.5	NAS.home.arpa nas	# a comment
192.168.1.6	tv
192.168.1.9	deep.empty.home.arpa
192.168.1.10	a.sub.example.com
127.0.1.1	thisbox
no-address here
END
mkdir "$tmp/hosts.d"
lease="address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state"
later=$(($(date +%s) + 3600))
echo "$later aa:bb:cc:dd:ee:01 192.168.1.20 phone *" >"$tmp/dnsmasq.leases"
port=$(free_port)
{ conf_head; cat <<END
dns {
  listen = "127.0.0.1:$port"
  upstream = "127.0.0.1:$fakedns_port"
  hosts = { "$tmp/hosts", "$tmp/hosts.d" }
  leases = { "$tmp/dnsmasq.leases", "$tmp/kea.csv" }
  record = { "mail.home.arpa. 300 IN MX 10 nas.home.arpa.", "*.apps.home.arpa A 192.168.1.7",
             "nas.apps.home.arpa A 192.168.1.55", "cdn.home.arpa CNAME cdn.example.net",
             "lost.home.arpa CNAME gone.example.net", "files.home.arpa CNAME nas.home.arpa" }
  address = { "/wild.example/192.168.1.8", "/ads.example/" }
  route "corp.example" { upstream = "127.0.0.1:$fakedns_port" }
  local = { "example" }
}
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"

brief() { ask "$@" | awk '
	/status:/ { sub(/.*status: /, ""); sub(/,.*/, ""); status = $0 }
	!/^;/ && NF >= 4 { kinds = kinds " " $4 }
	END { print status kinds }'; }

same "a hosts file's name" "192.168.1.5" "$(ask +short nas.home.arpa)"
same "plain" "192.168.1.5" "$(ask +short nas)"
same "and with the domain" "192.168.1.6" "$(ask +short tv.home.arpa)"
same "an address's name" "nas.home.arpa." "$(ask +short -x 192.168.1.5)"
for type in AAAA MX HTTPS; do
	same "$type of a name with an A only: NODATA and its SOA" "NOERROR SOA" \
		"$(brief nas.home.arpa $type)"
	same "$type of an empty non-terminal: the same" "NOERROR SOA" \
		"$(brief empty.home.arpa $type)"
	same "$type below a wildcard: the same" "NOERROR SOA" "$(brief x.apps.home.arpa $type)"
done
same "exact beats wildcard" "192.168.1.55" "$(ask +short nas.apps.home.arpa)"
same "the wildcard has the rest" "192.168.1.7" "$(ask +short x.apps.home.arpa)"
same "an address for a name" "192.168.1.8" "$(ask +short wild.example)"
same "and all below" "192.168.1.8" "$(ask +short a.b.wild.example)"
same "no such names" "NXDOMAIN SOA" "$(brief x.ads.example)"
same "a record of another type" "10 nas.home.arpa." "$(ask +short mail.home.arpa MX)"
same "an alias at home" "nas.home.arpa. 192.168.1.5" "$(ask +short files.home.arpa | xargs)"
same "an alias that leads outside" "cdn.example.net. 192.0.2.80" \
	"$(ask +short cdn.home.arpa | xargs)"
same "from the cache, too" "cdn.example.net. 192.0.2.80" "$(ask +short cdn.home.arpa | xargs)"
same "an alias of nothing" "NXDOMAIN CNAME" "$(brief lost.home.arpa | cut -d ' ' -f 1,2)"
same "what has names below cannot be NXDOMAIN" "NOERROR" \
	"$(brief sub.example.com | cut -d ' ' -f 1)"
same "a lease" "192.168.1.20" "$(ask +short phone.home.arpa)"
same "private networks stay here" "NXDOMAIN SOA" "$(brief -x 10.1.2.3)"
same "so do special names" "NXDOMAIN SOA" "$(brief printer.local)"
same "and plain ones" "NXDOMAIN SOA" "$(brief printer)"
same "localhost" "127.0.0.1" "$(ask +short localhost)"
same "a route goes out of a local zone" "10.9.9.9" "$(ask +short www.corp.example)"
contains "local answers are authoritative" " aa " "$(ask nas | grep flags:)"
contains "and have an OPT record" "EDNS: version: 0" "$(ask nas)"
same "RD=0 gets local names" "192.168.1.5" "$(ask +norec +short nas)"
same "none of it was asked upstream" "" \
	"$(grep -E 'name=(nas|tv|phone|printer|x\.ads|mail|.*\.arpa|localhost)' \
		"$tmp/upstream.log")"
contains "the bad line is named" "$tmp/hosts:6" "$(cat "$hearthd_log")"

# awaited NAME ADDRESS: an answer becomes that.
awaited() {
	wait_until "[ \"\$(ask +short $1 | xargs)\" = '$2' ]" 10
}

echo "$later aa:bb:cc:dd:ee:01 192.168.1.21 phone *" >"$tmp/dnsmasq.leases"
check "a lease file is rewritten: the new address, the old one gone" awaited phone 192.168.1.21
printf '%s\n%s\n' "$lease" "192.168.1.30,aa:02,,3600,$later,1,0,0,tablet,0" >"$tmp/kea.csv"
check "a lease file appears" awaited tablet 192.168.1.30
echo "192.168.1.30,aa:02,,0,$later,1,0,0,tablet,0" >>"$tmp/kea.csv"
check "a lease is deleted" awaited tablet ""
echo "192.168.1.40 attic" >"$tmp/hosts.d/10-attic"
check "a file in a directory" awaited attic 192.168.1.40
echo "192.168.1.41 nas.home.arpa nas" >"$tmp/new"
mv "$tmp/new" "$tmp/hosts"
check "a hosts file is replaced" awaited nas 192.168.1.41
check "and its other names are gone" awaited tv ""
rm "$tmp/hosts.d/10-attic"
check "a file is removed" awaited attic ""
contains "the report knows the files" "$tmp/kea.csv" "$(ctl status)"

sed 's/192.168.1.7/192.168.1.77/' "$tmp/conf" >"$tmp/conf.new"
mv "$tmp/conf.new" "$tmp/conf"
kill -HUP "$hearthd_pid"
check "a reload brings new records" awaited x.apps.home.arpa 192.168.1.77
same "and keeps the names of files" "192.168.1.41" "$(ask +short nas)"

stop "$hearthd_pid"
same "SIGTERM ends it with 0" 0 $?
finish
