#!/bin/sh
# SPDX-License-Identifier: MIT
# The page for browsers and the numbers for Prometheus: what is told, to whom, and that it costs the
# services nothing.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need curl dig python3
in_netns "$@"
if "$hearthd" --version | grep -q 'libmicrohttpd no'; then
	echo 'http { }' >"$tmp/conf"
	contains "without the library the section is refused" "built without HTTP" \
		"$("$hearthd" --check -c "$tmp/conf" 2>&1)"
	finish
fi

start_fakedns --rule 'slow.example A 192.0.2.2 ; delay=1500' --rule '*.example A 192.0.2.1'
port=$(free_port)
web=$(free_port)
settings() {
	conf_head
	cat <<END
$1
dns { listen = { "127.0.0.1:$port" }  upstream = { "127.0.0.1:$fakedns_port" }
	block "ads" { names = { "ads.example" } } }
END
}
get() {
	local path=$1

	shift
	curl -sS -m 5 "$@" "http://127.0.0.1:$web$path" 2>&1
}
status_of() { get "$@" -o /dev/null -w '%{http_code}'; }
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=2 +short "$@"; }

settings '' >"$tmp/conf"
start_hearthd "$tmp/conf" without
refuse "nobody listens unless the settings say so" grep -q "$(printf ':%04X ' 8053)" /proc/net/tcp
refuse "nor is the library for it loaded" grep -q microhttpd "/proc/$hearthd_pid/maps"
settings "http { listen = { \"127.0.0.1:$web\" } }" >"$tmp/conf"
contains "a section that comes at a reload waits for the next start" "http (the section has come)" "$(ctl reload)"
stop "$hearthd_pid"

start_hearthd "$tmp/conf"
check "with a section it is loaded" grep -q microhttpd "/proc/$hearthd_pid/maps"
same "a name is answered" 192.0.2.1 "$(ask www.example)"
ask ads.example >/dev/null
contains "the page is there" "<title>hearth</title>" "$(get /)"
for path in $(get / | sed -n 's/.*\(src\|href\)="\([a-z.]*\)".*/\2/p'); do
	same "and what it names: $path" 200 "$(status_of "/$path")"
done
get /status.json >"$tmp/status.json"
same "the status is the one of hearthctl" "$(ctl --json status | python3 -c 'import json,sys; print(sorted(json.load(sys.stdin)["dns"]))')" \
	"$(python3 -c 'import json,sys; print(sorted(json.load(sys.stdin)["dns"]))' <"$tmp/status.json")"
contains "the server is told" "127.0.0.1:$fakedns_port" "$(get /ask/dns/upstreams)"
contains "what is asked for most" '"www.example"' "$(get /ask/dns/top)"
same "of a service that does not run, that" '"ok":false' "$(get /ask/tftp/sessions | grep -o '"ok":[a-z]*')"
same "it serves" ok "$(get /healthz)"

get /metrics >"$tmp/metrics"
contains "numbers for Prometheus" "hearth_dns_queries 2" "$(cat "$tmp/metrics")"
contains "with labels" "hearth_dns_upstream_servers_answers{server=\"127.0.0.1:$fakedns_port\"} 1" "$(cat "$tmp/metrics")"
contains "and of lists" 'hearth_dns_lists_blocked{block="ads"} 1' "$(cat "$tmp/metrics")"
same "every line is one of its format" "" \
	"$(grep -Ev '^[a-z_][a-z0-9_]*(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9][0-9.e+-]*$' "$tmp/metrics")"
same "none stands twice" "" "$(sed 's/ [^ ]*$//' "$tmp/metrics" | sort | uniq -d)"
same "those of one name stand together" "" "$(sed 's/[ {].*//' "$tmp/metrics" | uniq | sort | uniq -d)"
contains "its type is told" "text/plain; version=0.0.4" "$(get /metrics -I)"

same "anything else is not there" 404 "$(status_of /etc/passwd)"
same "nor above it" 404 "$(status_of '/../../etc/passwd' --path-as-is)"
same "nor other commands" 404 "$(status_of /ask/reload)"
same "nothing can be sent" 405 "$(status_of /status.json -X POST -d x=1)"
same "or deleted" 405 "$(status_of / -X DELETE)"

# --- who, and as what ---------------------------------------------------------------------------
same "a stranger's name that leads here is refused" 403 "$(status_of / -H 'Host: evil.example')"
contains "with what to add" "names" "$(get / -H 'Host: evil.example')"
same "the name of the page's own address is not" 200 "$(status_of / -H 'Host: [::1]:8053')"
same "nor one without a dot" 200 "$(status_of / -H 'Host: nas:8053')"
same "nor one of the house" 200 "$(status_of / -H 'Host: nas.home.arpa')"
settings "http { listen = { \"127.0.0.1:$web\" }  names = { \"hearth.example\" } }" >"$tmp/conf"
ctl reload >/dev/null
same "a reload adds one" 200 "$(status_of / -H 'Host: Hearth.Example.:80')"
same "and no others" 403 "$(status_of / -H 'Host: not-hearth.example')"
settings "http { listen = { \"127.0.0.1:$web\" }  allow = { \"192.0.2.0/24\" } }" >"$tmp/conf"
ctl reload >/dev/null
refuse "who is not let in is not answered" get /healthz -f
check "which is counted" [ "$(counter http.not_allowed)" -ge 1 ]
settings "http { listen = { \"127.0.0.1:$web\" } }" >"$tmp/conf"
ctl reload >/dev/null

# --- those who do not play along ----------------------------------------------------------------
cat >"$tmp/crowd.py" <<'END'
import select, socket, sys, time
port, held = int(sys.argv[1]), []
for i in range(100):
    s = socket.socket()
    s.settimeout(2)
    try:
        s.connect(('127.0.0.1', port))
        s.send(b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ' + b'a' * 100)   # and never the end
        held.append(s)
    except OSError:
        pass
print('held', flush=True)
end = time.monotonic() + 30
while held and time.monotonic() < end:
    for s in select.select(held, [], [], 1)[0]:
        try:
            gone = not s.recv(4096)
        except OSError:
            gone = True
        if gone:
            held.remove(s)
print('gone' if not held else 'still there', flush=True)
END
python3 "$tmp/crowd.py" "$web" >"$tmp/crowd" &
crowd=$!
check "a hundred connect and say nothing whole" wait_until "grep -q held '$tmp/crowd'" 20
same "names are answered meanwhile" 192.0.2.1 "$(ask meanwhile.example)"
check "some only are kept" [ "$(counter http.connections)" -le 32 ]
wait "$crowd"
contains "and none for ever" gone "$(cat "$tmp/crowd")"
same "the page is there again" 200 "$(status_of /)"
same "a head without an end is refused" 431 \
	"$(status_of / -H "X: $(head -c 20000 /dev/zero | tr '\0' a)")"

# --- the end ------------------------------------------------------------------------------------
ask +time=5 slow.example >"$tmp/slow" &
slow=$!
check "a question is under way" wait_until "[ \"\$(counter dns.in_flight.now)\" = 1 ]" 5
kill "$hearthd_pid"
check "who is ending says so" wait_until "[ \"\$(status_of /healthz)\" = 503 ]" 5
wait "$slow"
same "and answers first" 192.0.2.2 "$(cat "$tmp/slow")"
stop "$hearthd_pid"
same "the daemon ends with 0" 0 $?
echo "http { listen = { \"127.0.0.1:$web\", \"127.0.0.1:$web\" } }" >"$tmp/conf"
refuse "an address twice is refused" "$hearthd" --check -c "$tmp/conf"
echo 'http { names = { "a b" } }' >"$tmp/conf"
refuse "a name that is none, too" "$hearthd" --check -c "$tmp/conf"
start_fakedns --port "$web" --rule '* A 192.0.2.1'
settings "http { listen = { \"127.0.0.1:$web\" } }" >"$tmp/conf"
contains "a port that is taken is told" "http: cannot listen on 127.0.0.1:$web: Address already in use" \
	"$(timeout 10 "$hearthd" -f -c "$tmp/conf" 2>&1)"
finish
