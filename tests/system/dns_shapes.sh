#!/bin/sh
# SPDX-License-Identifier: MIT
# Queries of shapes that no stub resolver sends: each is answered as the RFCs say, but for those
# that are none (RFC 8906). And names that mean something here or nowhere: none of them leaves the
# house.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig python3
in_netns "$@"

start_fakedns --rule '* A 192.0.2.1' --log "$tmp/up.log"
port=$(free_port)
conf() { dns_conf 'hosts = { }' "$@"; }
conf >"$tmp/conf"
start_hearthd "$tmp/conf"

# --- shapes
cat >"$tmp/shapes.py" <<'END'
import socket, struct, sys
port = int(sys.argv[1])
NAME = b'\1a\7example\0'
QUESTION = NAME + b'\0\1\0\1'
RCODES = { 0: 'NOERROR', 1: 'FORMERR', 4: 'NOTIMP', 5: 'REFUSED' }
def header(flags=0x100, qd=1, an=0, ns=0, ar=0):
    return struct.pack('>6H', 0x1234, flags, qd, an, ns, ar)
def opt(size=1232, data=b'', owner=b'\0', ttl=0):
    return owner + struct.pack('>HHIH', 41, size, ttl, len(data)) + data
def option(code, data=b''):
    return struct.pack('>HH', code, len(data)) + data
def send(*parts):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    s.sendto(b''.join(parts), ('127.0.0.1', port))
    try:
        r = s.recv(65535)
    except socket.timeout:
        return None
    assert r[:2] == b'\x12\x34' and r[2] & 0x80
    return r
def told(r):
    return 'silence' if r is None else RCODES.get(r[3] & 15, str(r[3] & 15))
SHAPES = [
    ('a plain query', 'NOERROR', (header(), QUESTION)),
    ('bytes behind it', 'NOERROR', (header(), QUESTION, b'\0' * 40)),
    ('a reply', 'silence', (header(0x8100), QUESTION)),
    ('less than a header', 'silence', (b'\x12\x34\1\0\0\1\0\0\0\0\0',)),
    ('nothing at all', 'silence', (b'',)),
    ('a header alone', 'FORMERR', (header(),)),
    ('no question', 'FORMERR', (header(qd=0),)),
    ('two questions', 'FORMERR', (header(qd=2), QUESTION, QUESTION)),
    ('half a question', 'FORMERR', (header(), NAME)),
    ('a name that is compressed', 'FORMERR', (header(), b'\xc0\x0c\0\1\0\1')),
    ('a label type of old', 'FORMERR', (header(), b'\x41a\0\0\1\0\1')),
    ('a name of more than 255 bytes', 'FORMERR', (header(), (b'\77' + b'a' * 63) * 4, b'\0\0\1\0\1')),
    ('an answer in a query', 'NOERROR', (header(an=1), QUESTION, NAME,
        struct.pack('>HHIH', 1, 1, 60, 4), b'\1\2\3\4')),
    ('IQUERY', 'NOTIMP', (header(0x0900), QUESTION)),
    ('STATUS', 'NOTIMP', (header(0x1100), QUESTION)),
    ('NOTIFY', 'NOTIMP', (header(0x2100), QUESTION)),
    ('UPDATE', 'NOTIMP', (header(0x2900), QUESTION)),
    ('IXFR over UDP', 'NOTIMP', (header(), NAME, b'\0\xfb\0\1')),
    ('class ANY', 'REFUSED', (header(), NAME, b'\0\1\0\xff')),
    ('EDNS', 'NOERROR', (header(ar=1), QUESTION, opt())),
    ('EDNS of size 0', 'NOERROR', (header(ar=1), QUESTION, opt(0))),
    ('two OPT records', 'FORMERR', (header(ar=2), QUESTION, opt(), opt())),
    ('an OPT with a name', 'FORMERR', (header(ar=1), QUESTION, opt(owner=NAME))),
    ('an OPT cut short', 'FORMERR', (header(ar=1), QUESTION, opt()[:-1])),
    ('an option cut short', 'FORMERR', (header(ar=1), QUESTION, opt(data=b'\0\x0a\0\x08abc'))),
    ('32 options', 'NOERROR', (header(ar=1), QUESTION, opt(data=option(65001) * 32))),
    ('33 options', 'FORMERR', (header(ar=1), QUESTION, opt(data=option(65001) * 33))),
    ('two cookies', 'FORMERR', (header(ar=1), QUESTION, opt(data=option(10, b'12345678') * 2))),
    ('a cookie of 7 bytes', 'FORMERR', (header(ar=1), QUESTION, opt(data=option(10, b'1234567')))),
    ('a cookie without a question', 'NOERROR', (header(qd=0, ar=1), opt(data=option(10, b'12345678')))),
    ('3500 bytes of padding', 'NOERROR', (header(ar=1), QUESTION, opt(data=option(12, b'\0' * 3500)))),
]
for name, want, parts in SHAPES:
    got = told(send(*parts))
    print('%s: %s' % (name, got) if got == want else '%s: %s, not %s' % (name, got, want))
r = send(header(ar=1), QUESTION, opt())
print('EDNS is answered with EDNS: %s' % (r[-11:-8] == b'\0\0\x29'))
r = send(header(ar=1), QUESTION, opt(data=option(65001)))
print('an unknown option is not echoed: %s' % (b'\xfd\xe9' not in r))
END
out=$(timeout 60 python3 "$tmp/shapes.py" "$port" 2>&1)
echo "$out" | sed 's/^/    /'
same "every shape has its answer" "" "$(echo "$out" | grep -E ', not |False|Error')"
same "and all were tried" 33 "$(echo "$out" | wc -l)"
check "the daemon lives" running "$hearthd_pid"

# --- names that stay here
: >"$tmp/up.log"
for name in a.test a.invalid a.local a.onion a.alt a.home.arpa _dns.resolver.arpa printer; do
	contains "$name does not exist" "status: NXDOMAIN" "$(ask "$name")"
done
for address in 10.1.2.3 172.16.0.1 172.31.255.1 192.168.0.1 169.254.1.1 100.64.0.1 100.127.0.1 192.0.2.1 \
	fd00::1 fe80::1 2001:db8::1; do
	contains "nor has $address a name" "status: NXDOMAIN" "$(ask -x "$address")"
done
same "localhost is this machine" "127.0.0.1 ::1" \
	"$(ask +short localhost) $(ask +short localhost AAAA)"
same "so is what is below it" 127.0.0.1 "$(ask +short a.localhost)"
same "none of it was asked upstream" 0 "$(wc -l <"$tmp/up.log")"
contains "neighbours of private networks are not private" "status: N" "$(ask -x 172.32.0.1)"
check "they are asked for" grep -qi '1.0.32.172.in-addr.arpa' "$tmp/up.log"
conf "firefox-canary = true  icloud-canary = true" >"$tmp/conf"
check "canaries are switched on" ctl reload
for name in use-application-dns.net mask.icloud.com; do
	contains "$name is denied" "status: N" "$(ask "$name")"
	same "$name has no address" "" "$(ask +short "$name")"
done
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
