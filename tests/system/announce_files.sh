#!/bin/sh
# SPDX-License-Identifier: MIT
# A stock client fetches a file by TFTP; hearthctl verify says whether it is genuine. Also the
# screens of listen, hooks, key files that others can read, a reload.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip tftp
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

lan nas pc
mkdir -p "$tmp/root/boot"
{ head -c 5000 /dev/urandom; printf A; head -c 64999 /dev/urandom; } >"$tmp/root/boot/kernel.img"
touch -d '1 hour ago' "$tmp/root/boot/kernel.img"

announcer nas "publish \"door/front\" { text = { \"state=closed\" } }
		publish-files = true  files-root = \"$tmp/root\" }
	tftp { listen = { \"0.0.0.0:69\" }  root = \"$tmp/root\""
daemon=$pid
keys="--trust $tmp/trust --group-key $tmp/keys/group.key"

fetch() { (cd "$tmp" && in_host pc tftp -m octet 10.9.0.1 -c get boot/kernel.img kernel.img); }
check "a stock client fetches the file" fetch
check "all of it" cmp "$tmp/kernel.img" "$tmp/root/boot/kernel.img"
verify() { in_host pc "$ctl" verify $keys --for "$1" "$2"; }
check "it is genuine" verify 5s "$tmp/kernel.img"
contains "and says who says so" "genuine: nas announces boot/kernel.img with 70000 bytes" \
	"$(verify 5s "$tmp/kernel.img")"
printf 'X' | dd of="$tmp/kernel.img" bs=1 seek=5000 conv=notrunc 2>/dev/null
refuse "with one byte changed it is not" verify 2s "$tmp/kernel.img"
contains "and says so" "NOT genuine" "$(verify 2s "$tmp/kernel.img")"
cp "$tmp/kernel.img" "$tmp/stranger.img"
contains "a file that nobody announces is unknown" "unknown: nobody" \
	"$(verify 1s "$tmp/stranger.img")"

{ cat "$tmp/trust"; "$ctl" keygen --dir "$tmp/absent" --name absent | grep '^absent '; } \
	>"$tmp/trust2"
in_host pc "$ctl" verify $keys --trust "$tmp/trust2" --for 1s "$tmp/stranger.img" >"$tmp/early"
same "unless a trusted sender was not heard" 3 "$?"
contains "which it says" "not known yet: did not hear everything of 1 trusted sender in time" \
	"$(cat "$tmp/early")"

# --- screens -----------------------------------------------------------------------------------
spawn ip netns exec pc "$ctl" listen $keys 'door/*' >"$tmp/screen" 2>&1
screen=$pid
printf '#!/bin/sh\n{ echo "$HEARTH_TYPE $HEARTH_TOPIC $HEARTH_SENDER"; cat; } >>%s/hooked\n' \
	"$tmp" >"$tmp/hook"
chmod +x "$tmp/hook"
spawn ip netns exec pc "$ctl" listen $keys --exec "$tmp/hook" bell >/dev/null 2>&1
hook=$pid
member pc 2
tell nas publish --event bell 'by=$(touch pwned); x' >/dev/null
wait_until "grep -q '\"by\"' '$tmp/hooked' && grep -q door/front '$tmp/screen'" 10
stop $screen
stop $hook
contains "a readable line" "state     door/front  state=closed  [nas #" "$(cat "$tmp/screen")"
same "the glob left the others out" 0 "$(grep -c 'file/' "$tmp/screen")"
contains "the hook got fixed variables" "event bell nas" "$(cat "$tmp/hooked")"
contains "and JSON, never a shell word" '"by":"$(touch pwned); x"' "$(cat "$tmp/hooked")"

# Why nothing is heard is said once; refusals start no program.
spawn ip netns exec pc "$ctl" listen --trust "$tmp/trust" --for 3s --exec "$tmp/hook" \
	>"$tmp/sealed" 2>&1
sealed=$pid
spawn ip netns exec pc "$ctl" listen --group-key "$tmp/keys/group.key" --for 3s \
	--exec "$tmp/hook" >"$tmp/untrusted" 2>&1
member pc 2
tell nas publish --event bell n=2 >/dev/null
wait $sealed $pid
same "who has no group key is told so, once" 1 \
	"$(grep -c 'sealed, and there is no group key here' "$tmp/sealed")"
contains "who trusts nobody is told so" "no trust file" "$(cat "$tmp/untrusted")"
contains "and sees what is refused" "unknown sender" "$(cat "$tmp/untrusted")"
same "refusals start no program" 0 "$(grep -c refused "$tmp/hooked")"
nowhere() { in_host pc "$ctl" listen $keys --interface nosuch --for 100ms; }
contains "an interface that is not there is told" "no interface here" "$(nowhere 2>&1)"

# --- a group key that others can read ------------------------------------------------------------
chmod 644 "$tmp/keys/group.key"
refuse "a key that others can read is refused" in_host pc "$ctl" listen $keys --for 1s
refuse "at a reload too" "$ctl" -s "$tmp/nas.sock" reload
chmod 600 "$tmp/keys/group.key"

# --- a reload ------------------------------------------------------------------------------------
sed -i 's/state=closed/state=open/' "$tmp/nas.conf"
check "a reload" "$ctl" -s "$tmp/nas.sock" reload
contains "changes what is published" "state=open" \
	"$(in_host pc "$ctl" listen $keys --count 1 --for 3s 'door/*' 2>&1)"
sed -i 's/publish "door.*//' "$tmp/nas.conf"
check "another reload" "$ctl" -s "$tmp/nas.sock" reload
same "withdraws it" "" "$("$ctl" -s "$tmp/nas.sock" announce list | grep door)"

# --- files that are announced no more ------------------------------------------------------------
files() { "$ctl" -s "$tmp/nas.sock" --json announce list | grep -c 'file/boot/kernel.img'; }
same "the file is announced through reloads" 1 "$(files)"
hashed() { "$ctl" -s "$tmp/nas.sock" --json status | tr -d ' \n' | grep -o '"hashed":[0-9]*'; }
same "and was hashed once" '"hashed":1' "$(hashed)"
sed -i 's/publish-files = true/publish-files = false/' "$tmp/nas.conf"
check "announcing files is switched off" "$ctl" -s "$tmp/nas.sock" reload
same "and so it is withdrawn" 0 "$(files)"
check "the daemon still runs" running "$daemon"
finish
