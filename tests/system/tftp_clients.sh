#!/bin/sh
# SPDX-License-Identifier: MIT
# Real clients fetch and send files of every awkward length, byte for byte: own ports, one port.
# With HEARTH_FULL set, all files on both sides of the wrap of block numbers.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"

clients=
for one in curl tftp atftp busybox; do
	command -v $one >/dev/null && clients="$clients $one"
done
[ -n "$clients" ] || skip "no TFTP client is installed"

small="0 1 511 512 513 5120"
for size in $small; do
	head -c "$size" /dev/urandom >"$root/f$size"
done

# Block numbers have 16 bits: around 65535 and 65536 blocks, and one file that ends in an empty
# block. Busybox wants a block to hold the request, tftp-hpa always asks for 512.
for blksize in 8 64; do
	for blocks in 65534 65535 65536 65537; do
		head -c $((blocks * blksize - 3)) /dev/urandom >"$root/b$blksize.$blocks"
	done
	head -c $((65536 * blksize)) /dev/urandom >"$root/b$blksize.empty"
done

# try CLIENT NAME HOST PORT BLKSIZE: fetch and send one file; what failed is added to $failed.
try() {
	fetched "$2" "get_$1" "$2" "$3" "$4" "$5" >/dev/null 2>&1 || failed="$failed get:$2"
	stored "$root/$2" "u$2" "put_$1" "$root/$2" "u$2" "$3" "$4" "$5" >/dev/null 2>&1 ||
		failed="$failed put:$2"
}

# matrix HOST PORT WORDS BLOCKS...: every client, short files and those of so many blocks.
matrix() {
	local host=$1 port=$2 words=$3 client size blocks blksize failed

	shift 3

	for client in $clients; do
		failed=
		for size in $small; do
			try "$client" "f$size" "$host" "$port" 512
		done
		same "$words: $client gets and puts short files" "" "$failed"
		[ "$client" != tftp ] || continue
		failed=
		blksize=8
		[ "$client" != busybox ] || blksize=64
		for blocks; do
			try "$client" "b$blksize.$blocks" "$host" "$port" "$blksize"
		done
		same "$words: $client gets and puts past the end of block numbers" "" "$failed"
	done
}

port=$(free_port)
start_hearthd "$(tftp_conf "$port" "upload-dir = \"$inbox\"" "overwrite = true")" own
matrix 127.0.0.1 "$port" "own ports" ${HEARTH_FULL:+65534} 65535 65536 ${HEARTH_FULL:+65537 empty}

# atftp gives up where it was too busy to answer the first OACK before the second one went out.
windowed() {
	fetched b64.65537 get_atftp b64.65537 127.0.0.1 "$port" 1024 "$1"
}
if command -v atftp >/dev/null; then
	for window in 2 7 64; do
		check "atftp with windowsize $window" wait_until "windowed $window" 60
	done
fi
command -v curl >/dev/null && {
	check "curl over IPv6" fetched f513 get_curl f513 "[::1]" "$port"
	check "curl without options" fetched f513 timeout 20 curl -s --tftp-no-options \
		-o "$got/out" "tftp://127.0.0.1:$port/f513"
}
command -v curl >/dev/null && timeout 20 curl -s "tftp://127.0.0.1:$port/pxelinux.cfg/default"
command -v tftp >/dev/null && timeout 20 tftp -m ascii 127.0.0.1 "$port" -c get ./f513 "$got/out"

# More than 32 bits of length, in the largest blocks; it takes no room on the disk. What curl has
# been told of the length is in its own words.
command -v curl >/dev/null && {
	truncate -s 4294967297 "$root/huge"
	part=${HEARTH_FULL:+4294967297}
	curl -sv --tftp-blksize 65464 "tftp://127.0.0.1:$port/huge" 2>"$tmp/said" |
		head -c "${part:-1000}" | cmp - "$root/huge" >"$tmp/same" 2>&1
	contains "4 GiB + 1: tsize" "tsize parsed from OACK (4294967297)" "$(cat "$tmp/said")"
	[ -z "${HEARTH_FULL:-}" ] ||
		same "4 GiB + 1: all of it, byte for byte" "" "$(cat "$tmp/same")"
}
log=$(cat "$hearthd_log")
command -v curl >/dev/null &&
	contains "the log tells which name was not there" \
		'refused file="pxelinux.cfg/default" why="not found"' "$log"
command -v tftp >/dev/null && contains "netascii counts the bytes of the file" \
	'file="./f513" end=complete bytes=513 ' "$log"
contains "a transfer is one line with its hash" \
	"$(b2sum -l 256 "$root/f513" | cut -d' ' -f1)" "$log"
stop "$hearthd_pid"
same "the daemon ends well" 0 $?

port=$(free_port)
start_hearthd "$(tftp_conf "$port" "upload-dir = \"$inbox\"" "overwrite = true" \
	'port-mode = "single"')" single
matrix 127.0.0.1 "$port" "one port" ${HEARTH_FULL:+65534 65535} 65536 ${HEARTH_FULL:+65537 empty}
stop "$hearthd_pid"

first=$(free_port)
port=$(free_port)
start_hearthd "$(tftp_conf "$port" "port-mode = \"$first-$((first + 20))\"")" range
if command -v curl >/dev/null; then
	check "curl with a port range" fetched f5120 get_curl f5120 127.0.0.1 "$port"
fi
stop "$hearthd_pid"
finish
