#!/bin/sh
# SPDX-License-Identifier: MIT
# Forwarding loops: an upstream that sends our own question back gets a failure at once, instead of
# both waiting for each other; and a question never goes to the server that asks it.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig python3 ip
in_netns "$@"

ip address add 10.9.0.1/24 dev lo
ip address add 10.9.0.2/24 dev lo
{ conf_head; cat <<END
dns { listen = { "10.9.0.1:5353" }  upstream = { "10.9.0.2:5353" }  source = "10.9.0.1" }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
cat >"$tmp/router.py" <<'END'
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('10.9.0.2', 5353))
back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
back.bind(('10.9.0.2', 0))
back.settimeout(2)
print('ready', flush=True)
q, peer = s.recvfrom(4096)
end = q.index(b'\0', 12) + 5
plain = struct.pack('>6H', 4711, 0x100, 1, 0, 0, 0) + q[12:end]
back.sendto(plain, ('10.9.0.1', 5353))
try:
    print('looped rcode', back.recv(4096)[3] & 15, flush=True)
except socket.timeout:
    print('looped: no answer in 2 s', flush=True)
s.sendto(q[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + q[12:end] + b'\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1', peer)
END
spawn python3 "$tmp/router.py" >"$tmp/router.out"
check "the router is up" wait_until "grep -q ready '$tmp/router.out'" 5
same "the first asker gets the answer" 192.0.2.1 \
	"$(dig @10.9.0.1 -p 5353 -b 10.9.0.1 +tries=1 +time=6 +short loop.example)"
contains "the question that came back was failed at once" "looped rcode 2" \
	"$(cat "$tmp/router.out")"
same "and counted" 1 "$(counter dns.loops)"
contains "a question of the upstream itself is not sent to it" "EDE: 22" \
	"$(dig @10.9.0.1 -p 5353 -b 10.9.0.2 +tries=1 +time=6 other.example)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
