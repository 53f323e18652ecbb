#!/bin/sh
# SPDX-License-Identifier: MIT
# DNS over TCP as RFC 7766 asks: pipelined, answered out of order, slow and idle clients bounded,
# long answers whole.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig python3
in_netns "$@"

cat >"$tmp/rules" <<'END'
slow.example A 192.0.2.99 ; delay=300
big.example TXT big 60000
*.example A 192.0.2.1
END
start_fakedns --rules "$tmp/rules" --log "$tmp/up.log"
port=$(free_port)
dns_conf 'tcp-clients = 600' 'tcp-idle = 40s' >"$tmp/conf"
start_hearthd "$tmp/conf"

cat >"$tmp/client.py" <<'END'
import socket, struct, sys, time
port = int(sys.argv[2])
def query(i, name):
    q = struct.pack('>6H', i, 0x100, 1, 0, 0, 0)
    q += b''.join(bytes([len(l)]) + l.encode() for l in name.split('.')) + b'\0\0\1\0\1'
    return struct.pack('>H', len(q)) + q
def connect(source='127.0.0.1'):
    s = socket.create_connection(('127.0.0.1', port), 5, (source, 0))
    s.settimeout(10)
    return s
def exactly(s, n):
    b = b''
    while len(b) < n:
        c = s.recv(n - len(b))
        if not c: raise EOFError
        b += c
    return b
def answer(s):
    m = exactly(s, struct.unpack('>H', exactly(s, 2))[0])
    return struct.unpack('>H', m[:2])[0], m
def pipelined():
    s = connect()
    s.sendall(query(0, 'slow.example') + b''.join(query(i, 'p%d.example' % i) for i in range(1, 100)))
    order = [answer(s)[0] for _ in range(100)]
    print(sorted(order) == list(range(100)), order[0] != 0)
def half_closed():
    s = connect()
    s.sendall(query(7, 'slow.example') + query(8, 'half.example'))
    s.shutdown(socket.SHUT_WR)
    print(sorted(answer(s)[0] for _ in range(2)) == [7, 8])
def dribble():      # one byte a second: it must be cut off, and nobody else may notice
    s = connect()
    q = query(1, 'dribble.example')
    begin = time.time()
    try:
        for i in range(len(q)):
            s.sendall(q[i:i + 1])
            s.settimeout(1)
            try:
                if s.recv(1) == b'': break
            except socket.timeout: pass
    except OSError: pass
    print('cut off after %.0f s' % (time.time() - begin), time.time() - begin < 15)
def idle():
    conns = [connect('127.0.0.%d' % (2 + i % 5)) for i in range(500)]
    for s in conns: s.sendall(query(1, 'idle.example'))     # else they have two seconds
    print('500 open', flush=True)
    sys.stdin.readline()
globals()[sys.argv[1]]()
END
client() { timeout 60 python3 "$tmp/client.py" "$1" "$port"; }

same "100 pipelined queries are all answered, and not in order" "True True" "$(client pipelined)"
same "a client that closes its side still gets its answers" True "$(client half_closed)"
keepalive() { ask +tcp +keepalive k.example | sed -n 's/.*KEEPALIVE: *//p'; }
same "a client is told how long its connection may be idle" "40.0 secs" "$(keepalive)"
client dribble >"$tmp/dribble" &
dribble=$!
mkfifo "$tmp/hold"
client idle <"$tmp/hold" >"$tmp/idle" &
idle=$!
exec 3>"$tmp/hold"
check "500 connections are open" wait_until "grep -q open '$tmp/idle'" 30
same "the more there are, the shorter" "5.0 secs" "$(keepalive)"
for i in 1 2 3 4 5; do
	same "others over TCP are served meanwhile ($i)" 192.0.2.1 \
		"$(ask +tcp +short idle$i.example)"
done
same "and over UDP" 192.0.2.1 "$(ask +short udp.example)"
exec 3>&-
wait $idle
wait $dribble
contains "a byte a second is cut off" True "$(cat "$tmp/dribble")"
closed() { ctl --json status | grep -q '"open": *0'; }
check "connections that their clients end are closed" wait_until closed 15
want=$(dig @127.0.0.1 -p "$fakedns_port" +tcp +short big.example TXT | cksum)
same "60 kB over TCP, byte for byte" "$want" "$(ask +tcp +short big.example TXT | cksum)"
same "and from the cache" "$want" "$(ask +tcp +short big.example TXT | cksum)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
