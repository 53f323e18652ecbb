#!/bin/sh
# SPDX-License-Identifier: MIT
# Settings: what is wrong is named with file, line and key, at start, at --check and at reload, and
# a bad file at reload changes nothing.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

start_fakedns --rule 'one.example A 192.0.2.1' --rule 'two.example A 192.0.2.2' --rule 'mute.example * DROP'
port=$(free_port)
dns_conf >"$tmp/conf"
check "--check likes a good file" "$hearthd" --check -c "$tmp/conf"
start_hearthd "$tmp/conf"
same "it serves" 192.0.2.1 "$(ask +short one.example)"

# wrong NAME WORDS LINE: --check refuses the line and says so.
wrong() {
	{ conf_head; echo "$3"; } >"$tmp/wrong"
	contains "--check finds $1" "$2" "$("$hearthd" --check -c "$tmp/wrong" 2>&1)"
}
wrong "a server that is half an address" 'named by its address' 'dns { upstream = { "192.0.2" } }'
wrong "a port that is none" 'named by its address' 'dns { upstream = { "192.0.2.1:x" } }'
wrong "DNS over HTTPS" 'over HTTPS' 'dns { route "a.example" { upstream = { "https://192.0.2.1/dns-query" } } }'
wrong "a pattern that is none" 'regular expression' 'tftp { map "(" { to = "x" } }'
wrong "a rule that does nothing" 'map "x": the rule does nothing' 'tftp { map "x" { final = true } }'
wrong "a rule that does both" 'its to is never used' "tftp { map 'x' { to = 'y' deny = true } }"
wrong "a rule that leads up" 'no name leads up with ".."' "tftp { map '^x' { to = '../y' } }"
wrong "a part that no pattern has" 'not so many parts' "tftp { map '^x' { to = 'y/\\1' } }"
wrong "a part in double quotes" 'write it in single quotes' 'tftp { map "^(x)" { to = "y/\1" } }'
wrong "a variable that is none" 'are known, no others' "tftp { map '^x' { to = '\${hostname}' } }"
wrong "a block that is too small" 'at least 8 bytes' 'tftp { blksize-max = 7 }'
wrong "a client that is none" 'a MAC address' 'tftp { client "kitchen" { options = false } }'
wrong "a topic that is none" 'a topic has' 'announce { publish "front door" { } }'
wrong "a zone with a blank" 'local: "my home": not a name' 'dns { local = "my home" }'
wrong "a zone of a network that has no name" 'end with a whole number' \
	'dns { route "10.0.0.0/9" { upstream = "192.0.2.1" } }'
wrong "two routes of one zone" 'has a route already' \
	'dns { route "a.example" { upstream = "192.0.2.1" } route "A.example." { upstream = "192.0.2.2" } }'
wrong "a zone that is never kept and no zone" 'no-cache: "a..b": not a name' 'dns { no-cache = "a..b" }'
wrong "a name that is not whole" 'names are whole here' 'dns { record = "nas A 192.0.2.1" }'
wrong "a CNAME beside an address" 'a CNAME stands alone' \
	'dns { record = { "a.home.arpa A 192.0.2.1", "a.home.arpa CNAME b.home.arpa" } }'
wrong "a block without names" 'neither files nor names' 'dns { block "ads" { } }'
wrong "an address that is of no use" 'action = "address" only' \
	'dns { block "ads" { names = "a.example" address = "192.0.2.1" } }'
wrong "a server of another family" 'from the IPv4 address source' \
	'dns { source = "192.0.2.7" upstream = "2001:db8::1" }'
wrong "a name that no interface has" 'no interface can be called' 'dns { interface = "eth0 eth1" }'
wrong "too many of a kind" 'dns.bootstrap: 9 values, at most 8' \
	"dns { bootstrap = { $(seq -f '"192.0.2.%g"' -s, 9) } }"
wrong "a list without braces" 'stand in braces' 'dns { upstream = "192.0.2.1", "192.0.2.2" }'

wrong "the same address in two services" 'listened on already: dns.listen in line 4' \
	'dns { listen = "127.0.0.1:6900" } tftp { listen = "127.0.0.1:6900" }'
wrong "an IPv6 address that may have a port" 'is written "[::1]:53"' 'dns { listen = "::1:53" }'
wrong "a least TTL above the most" 'must not exceed "1m", dns.max-ttl' \
	'dns { min-ttl = "1h" max-ttl = "1m" }'
wrong "a service without a name" 'load: "" means nothing' 'load = ""'
wrong "an interface without a name" 'interface: "" means nothing' 'dns { interface = "" }'
wrong "a variable that is not there" "wrong:4: the environment has no HEARTH_TEST_NONE" \
	'dns { domain = "${HEARTH_TEST_NONE}" }'

# What is not there now may come: a warning each, in the log of the start those that nobody else tells.
dns_conf 'hosts = "/nix/hosts"' 'interface = "nixif0"' 'source = "203.0.113.77"' >"$tmp/absent"
"$hearthd" --check -c "$tmp/absent" >"$tmp/check.out" 2>&1
same "what is not there is no error" 0 $?
out=$(cat "$tmp/check.out")
contains "a file that is not there is told" \
	"warning: $tmp/absent:7: dns.hosts: \"/nix/hosts\": no such file is there now" "$out"
contains "an interface too" "absent:8: dns.interface: \"nixif0\": no such interface" "$out"
contains "and an address" "absent:9: dns.source: \"203.0.113.77\": this machine has no such" "$out"
same "three lines and the verdict" 4 "$(echo "$out" | wc -l)"
sed "s/$port/$(free_port)/; s/control.sock/absent.sock/" "$tmp/absent" >"$tmp/absent2"
first=$hearthd_pid first_log=$hearthd_log
start_hearthd "$tmp/absent2" absent
same "a start tells of the interface once" 1 "$(grep -c 'no such interface is there' "$hearthd_log")"
same "and of the address" 1 "$(grep -c 'no such address now' "$hearthd_log")"
stop "$hearthd_pid"
hearthd_pid=$first hearthd_log=$first_log

# Who checks as root is told what the daemon's user cannot read.
if [ "$(id -u)" = 0 ] && [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -gt 65534 ]; then
	chmod 755 "$tmp"
	echo '192.0.2.5 nas' >"$tmp/private"
	chmod 600 "$tmp/private"
	dns_conf "hosts = \"$tmp/private\"" | sed 's/^user = .*/user = "nobody"/' >"$tmp/absent"
	chmod 644 "$tmp/absent"
	contains "a file that is not for the daemon" 'the file cannot be read' \
		"$("$hearthd" --check -c "$tmp/absent" 2>&1)"
	chmod 644 "$tmp/private"
	same "one that is" "$tmp/absent: no errors" "$("$hearthd" --check -c "$tmp/absent" 2>&1)"
	sed -i 's/^user = .*/user = "nixuser"/' "$tmp/absent"
	contains "a user who does not exist" 'absent:1: user: "nixuser": there is no such user' \
		"$("$hearthd" --check -c "$tmp/absent" 2>&1)"
else
	echo "not shown here: checks as root of what another user can read"
fi

{ dns_conf; echo 'dns_cache { }'; echo 'log { level = "loud" }'; } >"$tmp/conf"
sed -i 's/upstream/cache-size = "32 parsecs"\n\tupstream/' "$tmp/conf"
"$hearthd" --check -c "$tmp/conf" >"$tmp/check.out" 2>&1
same "--check gives 2 for a bad file" 2 $?
out=$(cat "$tmp/check.out")
contains "it names file, line and key" "$tmp/conf:6: dns.cache-size" "$out"
contains "and the allowed range" "64KiB" "$out"
contains "every finding, not only the first" "log.level" "$out"
contains "an unknown section too" "dns_cache" "$out"
"$hearthd" -f -c "$tmp/conf" >/dev/null 2>&1
same "a start gives 2" 2 $?

kill -HUP "$hearthd_pid"
check "a reload says the same" wait_until "grep -q 'previous settings stay in force' '$hearthd_log'" 5
contains "with file, line and key" "$tmp/conf:6: dns.cache-size" "$(cat "$hearthd_log")"
same "and the old settings serve on" 192.0.2.2 "$(ask +short two.example)"
out=$(ctl reload 2>&1)
same "hearthctl reload fails too" 1 $?
same "and says in a line of its own what holds now" "(the previous settings stay in force)" \
	"$(echo "$out" | tail -n 1)"
same "both are counted" 2 "$(counter hearthd.reloads_refused)"

dns_conf >"$tmp/conf"
check "a good file is taken" ctl reload
before=$(counter dns.answered_fresh)
ask one.example >/dev/null
refuse "nothing waits for the next start" sh -c "'$hearthctl' -s '$control' reload | grep next_start"
dns_conf | sed "s/^user = .*/user = \"nobody\"/; s/127.0.0.1:$port/127.0.0.2:$port/" >"$tmp/conf"
echo 'announce { interfaces = { "lo" } }' >>"$tmp/conf"
contains "a reload names what waits for the next start" \
	'"at_the_next_start":["user","dns.listen","announce (the section has come)"]' \
	"$(ctl --json reload)"
contains "as long as it does" dns.listen "$(ctl reload)"
contains "in the log too" "dns.listen takes effect at the next start" "$(cat "$hearthd_log")"
dns_conf >"$tmp/conf"
refuse "what is as at the start does not wait" \
	sh -c "'$hearthctl' -s '$control' reload | grep next_start"
same "the cache has survived the reload" $((before + 1)) "$(counter dns.answered_fresh)"

"$hearthd" --dump-config -c "$tmp/conf" >"$tmp/dump"
check "--dump-config is itself a good file" "$hearthd" --check -c "$tmp/dump"
"$hearthd" --no-such-option >/dev/null 2>&1
same "bad usage gives 2" 2 $?
"$hearthd" --check -c "$tmp/missing" >/dev/null 2>"$tmp/err"
same "a missing file gives 2" 2 $?
contains "and is named" "$tmp/missing" "$(cat "$tmp/err")"
: >"$tmp/empty"
check "an empty file is fine" "$hearthd" --check -c "$tmp/empty"

{ conf_head; printf 'tftp {\n listen = "127.0.0.1:%s"\n root = "%s"\n client "192.0.2.7" { root = "/nix" }\n}\n' \
	"$(free_port)" "$tmp"; } | sed 's/control.sock/root.sock/' >"$tmp/second"
"$hearthd" -f -c "$tmp/second" >/dev/null 2>"$tmp/err"
same "a client's folder that is not there gives 1" 1 $?
contains "and is named where it stands" \
	"second:7: tftp.client \"192.0.2.7\".root: cannot open the folder /nix: No such" "$(cat "$tmp/err")"

# A second daemon on the same socket or address is refused with one clear line.
dns_conf | sed "s/$port/$(free_port)/" >"$tmp/second"
"$hearthd" -f -c "$tmp/second" >/dev/null 2>"$tmp/err"
same "a second daemon on the same control socket gives 1" 1 $?
contains "and says why" "another hearthd answers there" "$(cat "$tmp/err")"
dns_conf | sed 's/control.sock/other.sock/' >"$tmp/second"
"$hearthd" -f -c "$tmp/second" >/dev/null 2>"$tmp/err"
same "a second one on the same port gives 1" 1 $?
contains "and names it" "127.0.0.1:$port" "$(cat "$tmp/err")"

# With a query in work the end waits a moment, and whoever is about to end reads no settings.
spawn dig @127.0.0.1 -p "$port" +tries=1 +time=5 mute.example >"$tmp/mute"
check "a query waits" wait_until "[ \"\$(counter dns.in_flight.waiting)\" = 1 ]" 5
reloads=$(grep -c 'new settings' "$hearthd_log")
kill -TERM "$hearthd_pid"
check "it begins to end" wait_until "grep -q 'ending' '$hearthd_log'" 5
kill -HUP "$hearthd_pid"
refuse "no reload is taken then" ctl reload
wait "$hearthd_pid"
same "it ends with 0" 0 $?
same "nothing was read anew" "$reloads" "$(grep -c 'new settings' "$hearthd_log")"

# The background mode returns when it serves.
"$hearthd" -c "$tmp/conf"
same "without -f it returns 0" 0 $?
same "and serves at once" 192.0.2.1 "$(ask +short one.example)"
pid=$(counter hearthd.pid)
spawned="$spawned $pid"
kill -TERM "$pid"
check "and ends on SIGTERM" wait_until "! running $pid" 5
finish
