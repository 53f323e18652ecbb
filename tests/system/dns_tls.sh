#!/bin/sh
# SPDX-License-Identifier: MIT
# Upstream servers over TLS (RFC 7858): who they are is proven before a question goes out, nothing
# ever goes out in plain, and one warm connection carries everything.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig openssl python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "python3 is older than 3.11"
in_netns "$@"
"$hearthd" --version | grep -q 'openssl no' && skip "built without OpenSSL"

# --- certificates -------------------------------------------------------------------------------
mkdir "$tmp/ca" && : >"$tmp/ca/index" && echo 01 >"$tmp/ca/serial"
cat >"$tmp/ca.conf" <<END
[ca]
default_ca = ours
[ours]
dir = $tmp/ca
database = $tmp/ca/index
serial = $tmp/ca/serial
new_certs_dir = $tmp/ca
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = any_name
[any_name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
END
ec_key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
authority() {
	openssl req -x509 $ec_key -days 30 -config "$tmp/ca.conf" -extensions authority -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>"$tmp/openssl.log" ||
			{ show "$tmp/openssl.log"; finish; }
}
# certificate FILE SUBJECT-ALTERNATIVE-NAME [DATES...]; FILE is its subject, too. No other name: "".
certificate() {
	local file=$1 name=$2

	shift 2
	[ $# -ne 0 ] || set -- -days 10
	openssl req -new $ec_key -config "$tmp/ca.conf" -subj "/CN=$file" ${name:+-addext "subjectAltName=$name"} \
		-keyout "$tmp/$file.key" -out "$tmp/$file.csr" 2>"$tmp/openssl.log" &&
	openssl ca -batch -config "$tmp/ca.conf" -cert "$tmp/authority.pem" -keyfile "$tmp/authority.key" \
		-in "$tmp/$file.csr" -out "$tmp/$file.pem" -notext "$@" 2>"$tmp/openssl.log" ||
		{ show "$tmp/openssl.log"; finish; }
}
authority authority
authority stranger
certificate good DNS:dns.example
certificate address IP:127.0.0.1
certificate other DNS:elsewhere.example
certificate dns.example ""
certificate late DNS:dns.example -startdate 20200101000000Z -enddate 20210101000000Z

# --- servers ------------------------------------------------------------------------------------
cat >"$tmp/rules" <<'END'
big.example TXT big 40000
slow.example A 192.0.2.99 ; delay=2500
*.example A 192.0.2.1
END
start_fakedns --rules "$tmp/rules" --log "$tmp/up.log"
behind=$fakedns_port
# front CERTIFICATE OPTION...: TLS in front of the server; sets front_port, front_pid, front_log.
front() {
	local ready="$tmp/front.${#spawned}"

	front_log=$ready.log
	spawn python3 "$top_srcdir/tests/support/tls_front.py" "$tmp/$1.pem" "$tmp/$1.key" "$behind" \
		--log "$front_log" $2 $3 $4 $5 >"$ready"
	front_pid=$pid
	wait_until "[ -s '$ready' ]" 10 || { fail "a server over TLS starts"; finish; }
	front_port=$(sed 's/port //' "$ready")
}
port=$(free_port)
# serve UPSTREAM [SETTINGS]: the daemon in front of it.
serve() {
	{ conf_head; cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { $1 }
	${2-tls-ca = "$tmp/authority.pem"}
}
END
	} >"$tmp/conf"
	start_hearthd "$tmp/conf" "hearthd.${#spawned}"
}
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=6 "$@"; }
upstream() { ctl --json dns upstreams | tr -d '\n' | sed -n "s/.*\"$1\": *\"*\([^\",}]*\).*/\1/p"; }

# --- the right server ---------------------------------------------------------------------------
front good
good_port=$front_port good_log=$front_log
serve "\"tls://127.0.0.1:$good_port#dns.example\""
same "a server is asked over TLS" 192.0.2.1 "$(ask +short www.example)"
same "the name that it has to prove is told to it" "handshake TLSv1.3 resumed=0 name=dns.example" \
	"$(grep handshake "$good_log")"
out=$("$dnsload" --server "127.0.0.1:$port" --name 'n%d.example' --count 500 --window 50)
contains "hundreds of questions are answered" "answered=500 lost=0 wrong=0" "$out"
same "over one connection" 1 "$(grep -c accepted "$good_log")"
ask +short slow.example >"$tmp/slow" &
slow=$!
check "a slow answer is under way" wait_until "grep -qi 'name=slow.example' '$tmp/up.log'" 5
same "and does not hold up the others" 192.0.2.1 "$(ask +short quick.example)"
check "which are there first" [ ! -s "$tmp/slow" ]
wait "$slow"
same "and comes" 192.0.2.99 "$(cat "$tmp/slow")"
same "a long answer is whole" 40000 "$(ask +tcp +short big.example TXT | tr -d '" \n' | wc -c)"
same "the state says what is spoken" TLSv1.3 "$(upstream tls)"
contains "and to whom" "tls://127.0.0.1:$good_port#dns.example" "$(ctl dns upstreams)"
refuse "nothing went out in plain" grep -q '^udp' "$tmp/up.log"
same "questions are padded to multiples of 128 bytes" "0" \
	"$(sed -n 's/.* len=\([0-9]*\).*/\1/p' "$tmp/up.log" |
		awk '$1 % 128 { n++ } END { print n + 0 }')"
stop "$front_pid"
contains "a server that is gone is SERVFAIL" "status: SERVFAIL" "$(ask gone.example)"
front good --port "$good_port" --idle 0.3
check "and in use again within 5 s of its return" wait_until \
	"ask +short +time=1 back\$(centiseconds).example | grep -q 192.0.2.1" 5
check "it hangs up when idle" wait_until "[ \"\$(upstream tls)\" = closed ]" 5
same "the next question opens a connection" 192.0.2.1 "$(ask +short again.example)"
check "which resumes the session" wait_until "grep -q 'resumed=1' '$front_log'" 5
check "as the state tells" [ "$(upstream tls_resumed)" -ge 1 ]
refuse "still nothing in plain" grep -q '^udp' "$tmp/up.log"
stop "$hearthd_pid"
same "the daemon ends with 0" 0 $?
stop "$front_pid"

# --- pieces, and breaks -------------------------------------------------------------------------
front good --split --tls12
serve "\"tls://127.0.0.1:$front_port#dns.example\""
same "TLS 1.2 and one byte a record will do" 192.0.2.1 "$(ask +short tiny.example)"
same "for long answers, too" 40000 "$(ask +tcp +short big.example TXT | tr -d '" \n' | wc -c)"
same "it is told" TLSv1.2 "$(upstream tls)"
stop "$hearthd_pid"
stop "$front_pid"
front good --close-after 2000
serve "\"tls://127.0.0.1:$front_port#dns.example\""
out=$("$dnsload" --server "127.0.0.1:$port" --name 'm%d.example' --count 300 --window 5)
contains "a server that hangs up again and again loses no question" \
	"answered=300 lost=0 wrong=0 noerror=300" "$out"
check "on many connections" [ "$(grep -c accepted "$front_log")" -ge 5 ]
stop "$hearthd_pid"
stop "$front_pid"

# --- the wrong one ------------------------------------------------------------------------------
# untrusted WHAT CERTIFICATE SPEC-SUFFIX REASON [SETTINGS]
untrusted() {
	front "$2"
	lines=$(wc -l <"$tmp/up.log")
	serve "\"tls://127.0.0.1:$front_port$3\"" ${5+"$5"}
	contains "$1 is not asked" "status: SERVFAIL" "$(ask "a$front_port.example")"
	same "not a byte of the question" "$lines" "$(wc -l <"$tmp/up.log")"
	check "the log says why" wait_until "grep -q 'upstream_untrusted.*$4' '$hearthd_log'" 5
	contains "and the state" "$4" "$(upstream tls_error)"
	ask +short "b$front_port.example" >"$tmp/out"
	check "as often as it is tried" [ "$(upstream tls_failures)" -ge 2 ]
	same "but the log says so once" 1 "$(grep -c upstream_untrusted "$hearthd_log")"
	stop "$hearthd_pid"
	stop "$front_pid"
}
untrusted "another name" other '#dns.example' 'hostname mismatch'
untrusted "a name where the address has to be proven" good '' 'IP address mismatch'
untrusted "a certificate with the name in its subject alone" dns.example '#dns.example' 'hostname mismatch'
untrusted "a certificate that is out of date" late '#dns.example' 'certificate has expired'
untrusted "a stranger's certificate" good '#dns.example' 'unable to get local issuer' \
	"tls-ca = \"$tmp/stranger.pem\""
front address
serve "\"tls://127.0.0.1:$front_port\""
same "the address is proof where there is no name" 192.0.2.1 "$(ask +short addr.example)"
same "and none is told" "handshake TLSv1.3 resumed=0 name=None" "$(grep handshake "$front_log")"
stop "$hearthd_pid"
stop "$front_pid"
serve "\"tls://127.0.0.1:$behind#dns.example\""
contains "a server that speaks no TLS is not asked" "status: SERVFAIL" "$(ask plain.example)"
stop "$hearthd_pid"
front good --mute
serve "\"tls://127.0.0.1:$front_port#dns.example\", \"127.0.0.1:$behind\""
same "one that is silent does not hold up the next" 192.0.2.1 "$(ask +short mute.example)"
stop "$hearthd_pid"
stop "$front_pid"

# --- authorities --------------------------------------------------------------------------------
front good
serve "\"tls://127.0.0.1:$front_port#dns.example\"" "tls-ca = \"$tmp/none.pem\""
contains "without authorities nobody is believed" "status: SERVFAIL" "$(ask noca.example)"
contains "the log says what is missing" "tls-ca $tmp/none.pem cannot be read: No such file" \
	"$(cat "$hearthd_log")"
sed "s,none.pem,authority.pem," "$tmp/conf" >"$tmp/conf.new" && mv "$tmp/conf.new" "$tmp/conf"
ctl reload >/dev/null
check "a reload with the right ones mends it" wait_until \
	"ask +short +time=1 mended\$(centiseconds).example | grep -q 192.0.2.1" 5
sed "s,authority.pem,stranger.pem," "$tmp/conf" >"$tmp/conf.new" && mv "$tmp/conf.new" "$tmp/conf"
ctl reload >/dev/null
contains "one with others ends what the first vouched for" "status: SERVFAIL" \
	"$(ask others.example)"
stop "$hearthd_pid"

# --- by name ------------------------------------------------------------------------------------
start_fakedns --address 127.0.0.2 --rule 'dns.example A 127.0.0.1' \
	--rule 'dns.example AAAA NODATA' --log "$tmp/bootstrap.log"
serve "\"tls://dns.example:$front_port\"" "tls-ca = \"$tmp/authority.pem\"
	bootstrap = { \"127.0.0.2:$fakedns_port\" }"
same "a server over TLS may be given by name" 192.0.2.1 "$(ask +short named.example)"
contains "which it has to prove" "tls://127.0.0.1:$front_port#dns.example" "$(ctl dns upstreams)"
stop "$hearthd_pid"
same "ends with 0, too" 0 $?

# --- settings -----------------------------------------------------------------------------------
for bad in 'tls://127.0.0.1#' 'tls://127.0.0.1#a b' 'tls://127.0.0.1#dns.example:853' 'tls://127.0.0.1:0' \
	'tls://#dns.example' 'tls://127.0.0.1#tls://x'; do
	{ conf_head; echo "dns { listen = { \"127.0.0.1:$port\" } upstream = { \"$bad\" } }"; } \
		>"$tmp/conf"
	refuse "\"$bad\" is refused" "$hearthd" --check -c "$tmp/conf"
done
finish
