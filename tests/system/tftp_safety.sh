#!/bin/sh
# SPDX-License-Identifier: MIT
# What must not come out, what must not be lost: names that lead elsewhere, uploads that break off,
# forged requests, sources that no answer may go to.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"
load=$top_builddir/tests/support/tftpload

mkdir -p "$root/boot/sub"
echo secret >"$tmp/secret"
echo bcd >"$root/boot/bcd"
head -c 3000000 /dev/urandom >"$root/big"
ln -s ../secret "$root/out"
ln -s boot/bcd "$root/inside"
ln -s loop "$root/loop"
ln -s /etc/passwd "$root/absolute"
mkfifo "$root/fifo"
if mknod "$root/device" c 1 3 2>/dev/null; then
	device=device
else
	device=
	echo "not shown here: a device (no right to make one)"
fi
long=$(printf '%300s' x | tr ' ' x)

port=$(free_port)
conf=$(tftp_conf "$port" "upload-dir = \"$inbox\"" "overwrite = true" \
	'idle-timeout = "10s"' 'rto-max = "1s"' \
	"map '^old/(.*)\$' { to = 'boot/\\1' }" "map 'private' { deny = true }")
start_hearthd "$conf"

# answer NAME: what a request for it gets.
answer() { "$load" ask 127.0.0.1 "$port" "$1"; }

for name in .. '../secret' '\..\secret' 'boot/../../secret' out absolute loop fifo $device boot "$long" \
	private 'a\x01b'; do
	same "refused: $(echo "$name" | cut -c1-20)" "error 2" "$(answer "$name")"
done
for name in /etc/passwd nothing boot/nothing 'big/x'; do
	same "not there: $name" "error 1" "$(answer "$name")"
done
for name in '\Boot\BCD' /boot/bcd inside 'boot/bcd\xff\xff' BOOT/bcd "$root/boot/bcd" old/bcd; do
	same "found: $name" "op 3 bytes 4" "$(answer "$name")"
done

# Uploads that break off: the old file stays, nothing is left behind.
echo old >"$inbox/file"
left() { find "$inbox" -name '.hearth*' | wc -l; }
check "an upload that ends in silence begins" "$load" leave 127.0.0.1 "$port" file silent
same "it is being written" 1 "$(left)"
check "the silence ends it" wait_until '[ "$(left)" = 0 ]' 30
same "the old file is there after the silence" old "$(cat "$inbox/file")"
contains "the log says so" 'received file="file" end=silent' "$(sed 's/ id=[^ ]*//' "$hearthd_log")"
check "an upload that ends in ERROR begins" "$load" leave 127.0.0.1 "$port" file error
check "its temporary file is gone" wait_until '[ "$(left)" = 0 ]' 5
same "the old file is there" old "$(cat "$inbox/file")"
check "an upload begins that is cut off by the daemon's death" "$load" leave 127.0.0.1 "$port" \
	file silent
same "it is being written" 1 "$(left)"
kill -KILL "$hearthd_pid"
wait "$hearthd_pid" 2>/dev/null
same "after kill -9 the old file is there" old "$(cat "$inbox/file")"
start_hearthd "$conf" again
same "after the restart nothing is left behind" 0 "$(left)"

# Forged requests: four packets each at most while nobody answers, and real transfers go on.
rate() { "$load" get 127.0.0.1 "$port" big 1400 8 1 | sed 's/.*seconds=\([0-9.]*\) .*/\1/'; }
check "a transfer before the flood" fetched big get_curl big 127.0.0.1 "$port" 1400
flood=$("$load" flood 127.0.0.1 "$port" big 200 1)
sent=$(echo "$flood" | sed 's/sent=\([0-9]*\) .*/\1/')
answers=$(echo "$flood" | sed 's/.* got=\([0-9]*\) .*/\1/')
check "no more than four packets for each forged request ($flood)" [ "$answers" -le $((4 * sent)) ]
spawn "$load" flood 127.0.0.1 "$port" big 1000 20
check "transfers go on during 1000 forged requests a second" [ -n "$(rate)" ]
check "in the end they get one packet each" wait_until \
	'[ "$(counter tftp.unproven_brief)" -gt 0 ]' 10
check "which is enough for who answers" fetched big get_curl big 127.0.0.1 "$port" 1400
check "with windows too" [ -n "$(rate)" ]
check "the flood goes on meanwhile" running "$pid"
same "no request was passed over" 0 "$(counter tftp.unproven_held)"
stop "$pid" >/dev/null 2>&1

stop "$hearthd_pid"

port=$(free_port)
start_hearthd "$(tftp_conf "$port" 'allow = { "192.0.2.0/24" }')" strangers
same "a stranger gets no answer" silence "$(answer big)"
stop "$hearthd_pid"

port=$(free_port)
start_hearthd "$(tftp_conf "$port")" readonly
refuse "an upload to a read-only server" "$load" leave 127.0.0.1 "$port" file error
stop "$hearthd_pid"
finish
