#!/bin/sh
# SPDX-License-Identifier: MIT
# What may happen to a file while it is sent: it is cut short, replaced, not in memory; and systems
# that lack what the store is built on.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need busybox
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"
load=$top_builddir/tests/support/tftpload
refusing=$top_builddir/tests/support/refusing

head -c 1000000 /dev/urandom >"$root/file"
port=$(free_port)
start_hearthd "$(tftp_conf "$port")" plain

# get_pause NAME: fetch it without one.
get_pause() {
	"$load" pause 127.0.0.1 "$port" "$1" 1000 100000 >"$got/out"
}

# begin NAME: fetch it up to the pause after 200 blocks of 1000 bytes.
mkfifo "$tmp/go"
exec 3<>"$tmp/go"
begin() {
	spawn sh -c 'exec "$@" <"$0"' "$tmp/go" \
		"$load" pause 127.0.0.1 "$port" "$1" 1000 200 >"$got/out" 2>"$tmp/says"
	client=$pid
	check "$1: a fifth has arrived" wait_until '[ "$(stat -c %s "$got/out")" = 200000 ]' 5
}

# go_on: to the end; the exit status of the client is in $status.
go_on() {
	echo >&3
	status=0
	wait "$client" || status=$?
}

for left in 0 200500 999999; do
	cp "$root/file" "$root/short"
	begin short
	truncate -s "$left" "$root/short"
	go_on
	contains "cut to $left bytes: the client gets an ERROR" "error 0: File changed while it was sent" \
		"$(cat "$tmp/says")"
done
contains "the log tells why" 'end="file became shorter"' "$(cat "$hearthd_log")"
same "three such transfers failed" 3 "$(counter tftp.reads_failed)"

cp "$root/file" "$root/old"
begin old
head -c 1000000 /dev/urandom >"$tmp/new"
mv "$tmp/new" "$root/old"
go_on
same "replaced: the transfer goes on to its end" 0 "$status"
check "replaced: what was sent is the old file" cmp "$got/out" "$root/file"
check "replaced: the next one gets the new file" \
	fetched old get_pause old

# Out of the page cache: reads that would wait are made by the pool.
resident() { fincore -bno RES "$1" | tr -d ' '; }
dropped() {
	sync "$1"
	dd if="$1" iflag=nocache count=0 status=none
	[ "$(resident "$1")" = 0 ]
}
if ! command -v fincore >/dev/null; then
	echo "not shown here: a file outside of the page cache (no fincore)"
elif ! wait_until 'dropped "$root/file"' 5; then
	echo "not shown here: a file outside of the page cache (this file system keeps it there)"
else
	before=$(counter tftp.disk_waits)
	check "a file from the disk" fetched file get_pause file
	check "was read by the pool ($before, then $(counter tftp.disk_waits) waits)" \
		[ "$(counter tftp.disk_waits)" -gt "$before" ]
	before=$(counter tftp.disk_waits)
	check "the same file from memory" fetched file get_pause file
	same "nobody waited for it" "$before" "$(counter tftp.disk_waits)"
fi
# A daemon that is told to end finishes what is under way; who asks anew has to ask again.
begin file
kill -TERM "$hearthd_pid"
check "it begins to end" wait_until "grep -q 'ending' '$hearthd_log'" 5
spawn "$load" ask 127.0.0.1 "$port" short >"$tmp/asked"
asker=$pid
check "a request comes too late" wait_until '[ "$(counter tftp.too_late)" = 1 ]' 2
go_on
same "what was under way ends" 0 "$status"
check "with every byte" cmp "$got/out" "$root/file"
wait "$hearthd_pid"
same "the daemon ends with 0" 0 $?
wait "$asker"
same "who came too late got no answer" silence "$(cat "$tmp/asked")"

# Without preadv2() every read is made by the pool; without openat2() no symlink is followed.
mkdir "$root/boot"
echo bcd >"$root/boot/bcd"
echo secret >"$tmp/secret"
ln -s boot/bcd "$root/inside"
ln -s ../secret "$root/out"
ln -s boot "$root/folder"
answer() { "$load" ask 127.0.0.1 "$port" "$1"; }
real=$hearthd

# without CALL ERROR: run the daemon where this system call gives this error.
without() {
	cat >"$tmp/hearthd.$1" <<END
#!/bin/sh
exec "$refusing" $1 $2 "$real" "\$@"
END
	chmod +x "$tmp/hearthd.$1"
	hearthd=$tmp/hearthd.$1
	port=$(free_port)
	start_hearthd "$(tftp_conf "$port" "upload-dir = \"$inbox\"")" "no-$1-$2"
}

if ! "$refusing" openat2 ENOSYS true; then
	echo "not shown here: systems without openat2() and preadv2() (no seccomp filters)"
	finish
fi
for error in ENOSYS EOPNOTSUPP; do
	without preadv2 $error
	check "preadv2() gives $error: a file arrives" fetched file get_pause file
	check "preadv2() gives $error: read by the pool" [ "$(counter tftp.disk_waits)" -gt 0 ]
	stop "$hearthd_pid"
done
for error in ENOSYS EPERM; do
	without openat2 $error
	for name in '\Boot\BCD' boot/bcd "$root/boot/bcd" 'boot/bcd\xff'; do
		same "openat2() gives $error: found: $name" "op 3 bytes 4" "$(answer "$name")"
	done
	for name in '../secret' out inside; do
		same "openat2() gives $error: refused: $name" "error 2" "$(answer "$name")"
	done
	same "openat2() gives $error: not there: folder/bcd" "error 1" "$(answer folder/bcd)"
	check "openat2() gives $error: an upload" \
		stored "$root/boot/bcd" "new.$error" put_busybox "$root/boot/bcd" "new.$error" \
		127.0.0.1 "$port"
	stop "$hearthd_pid"
done
finish
