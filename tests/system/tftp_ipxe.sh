#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine boots over the network: iPXE in qemu fetches its script and then 3 MB, byte for byte.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need qemu-system-x86_64 b2sum
[ -f /usr/lib/ipxe/qemu/pxe-e1000.rom ] || skip "no iPXE ROMs (Debian: ipxe-qemu)"
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"

port=$(free_port)
head -c 3000000 /dev/urandom >"$root/kernel"
echo fetched >"$root/last"
cat >"$root/boot.ipxe" <<END
#!ipxe
imgfetch tftp://10.0.2.2:$port/missing ||
imgfetch tftp://10.0.2.2:$port/kernel && imgfetch tftp://10.0.2.2:$port/last
END
start_hearthd "$(tftp_conf "$port")"
spawn qemu-system-x86_64 -accel tcg -m 128 -display none -serial none -monitor none -no-reboot \
	-netdev "user,id=n,bootfile=tftp://10.0.2.2:$port/boot.ipxe" \
	-device e1000,netdev=n,romfile=/usr/lib/ipxe/qemu/pxe-e1000.rom -boot n
check "iPXE boots a script and goes on to its last line" \
	wait_until "grep -q 'file=\"last\" end=complete' '$hearthd_log'" 90
stop "$pid" >/dev/null 2>&1
log=$(cat "$hearthd_log")
contains "it has the script" 'file="boot.ipxe" end=complete' "$log"
contains "it has 3 MB" 'file="kernel" end=complete bytes=3000000' "$log"
contains "what it has is the file" "$(b2sum -l 256 "$root/kernel" | cut -d' ' -f1)" "$log"
grep kernel "$hearthd_log"
stop "$hearthd_pid"
finish
