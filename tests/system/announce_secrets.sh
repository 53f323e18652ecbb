#!/bin/sh
# SPDX-License-Identifier: MIT
# Secrets: files that others can read or write are refused everywhere, by name; keys that cannot be
# kept out of swap are told; a passphrase is shown nowhere.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

lan nas pc
cp "$tmp/keys/sender.key" "$tmp/keys/old.key"
"$ctl" keygen --dir "$tmp/next" --name nas >/dev/null 2>&1
mv "$tmp/next/sender.key" "$tmp/keys/sender.key"
state=$tmp/nas.state

# refused WHAT FILE WORD COMMAND...: with FILE open to others the command fails, names it and says
# WORD.
refused() {
	local what="$1" file="$2" word="$3" mode=644 was

	shift 3
	[ "$word" = "chmod 600" ] || mode=666
	was=$(stat -c %a "$file")
	chmod "$mode" "$file"
	refuse "$what: refused" "$@" >"$tmp/said" 2>&1
	"$@" >"$tmp/said" 2>&1
	chmod "$was" "$file"
	contains "$what: by name" "$file" "$(cat "$tmp/said")"
	contains "$what: with what to do" "$word" "$(cat "$tmp/said")"
}
settings() {
	cat >"$tmp/nas.conf" <<-END
	user = ""
	state-dir = "$state"
	control = "$tmp/nas.sock"
	announce {
		sender-key = "$tmp/keys/sender.key"
		old-sender-key = "$tmp/keys/old.key"
		group-key = "$tmp/keys/group.key"
		publish "here" { text = { "yes" } }
	}
	END
}
mkdir "$state"
settings
start_once() { in_host nas timeout 5 "$top_builddir/hearthd" -f -c "$tmp/nas.conf"; }
refused "sender-key at the start" "$tmp/keys/sender.key" "chmod 600" start_once
refused "old-sender-key at the start" "$tmp/keys/old.key" "chmod 600" start_once
refused "group-key at the start" "$tmp/keys/group.key" "chmod 600" start_once

spawn ip netns exec nas "$top_builddir/hearthd" -f -c "$tmp/nas.conf" 2>"$tmp/nas.log"
daemon=$pid
wait_until "[ -S '$tmp/nas.sock' ]" 5
reload() { "$ctl" -s "$tmp/nas.sock" reload; }
refused "sender-key at a reload" "$tmp/keys/sender.key" "chmod 600" reload
refused "old-sender-key at a reload" "$tmp/keys/old.key" "chmod 600" reload
refused "group-key at a reload" "$tmp/keys/group.key" "chmod 600" reload
check "with the files as they were a reload is fine" reload
check "the daemon still runs" running "$daemon"

keys="--trust $tmp/trust --group-key $tmp/keys/group.key"
listen() { in_host pc "$ctl" listen $keys --for 100ms; }
verify() { in_host pc "$ctl" verify $keys --for 100ms "$tmp/trust"; }
refused "the group's key of listen" "$tmp/keys/group.key" "chmod 600" listen
refused "the group's key of verify" "$tmp/keys/group.key" "chmod 600" verify
refused "a trust file that others can write, listen" "$tmp/trust" "chmod go-w" listen
refused "a trust file that others can write, verify" "$tmp/trust" "chmod go-w" verify

# What a subscriber remembers names keys that it trusts.
remember() { in_host pc "$ctl" listen $keys --state "$tmp/memory" --for 700ms; }
remember >/dev/null 2>&1
same "what is remembered is for us alone" 600 "$(stat -c %a "$tmp/memory")"
refused "a memory that others can write" "$tmp/memory" "chmod go-w" remember

# --- keys are locked into memory, or it is told ---------------------------------------------------
status() { "$ctl" -s "$tmp/nas.sock" --json status | tr -d ' \n'; }
contains "keys are kept out of swap, and status says so" '"keys_locked":true' "$(status)"
stop "$daemon"
# (AddressSanitizer says yes to mlock() and does nothing.)
if command -v setpriv >/dev/null && ! "$top_builddir/hearthd" --version |
	grep -q "sanitizers yes"; then
	chmod 711 "$tmp"
	chown -R 65534 "$tmp/keys" "$state"
	settings
	sed -i "s,$tmp/nas.sock,$state/nas.sock," "$tmp/nas.conf"
	nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all"
	spawn sh -c "ulimit -l 0; exec ip netns exec nas $nobody '$top_builddir/hearthd' -f -c '$tmp/nas.conf' 2>'$tmp/low.log'"
	check "without the right to lock memory the daemon starts" wait_until \
		"[ -S '$state/nas.sock' ]" 5
	contains "but says that keys may reach swap" "the keys may reach swap" \
		"$(cat "$tmp/low.log")"
	contains "status says so as well" '"keys_locked":false' \
		"$("$ctl" -s "$state/nas.sock" --json status | tr -d ' \n')"
	sh -c "ulimit -l 0; exec ip netns exec pc $nobody '$ctl' listen $keys --for 3s" \
		>"$tmp/out" 2>"$tmp/said"
	contains "and so does a subscriber" "may reach swap" "$(cat "$tmp/said")"
	contains "which hears the announcer all the same, and neither is root" "here  yes" \
		"$(cat "$tmp/out")"
	stop "$pid"
fi

# --- a passphrase ---------------------------------------------------------------------------------
words='correct horse battery staple'
echo "$words" | "$ctl" keygen --dir "$tmp/words" --passphrase >/dev/null 2>"$tmp/said"
same "a passphrase makes the group's key" "LAN1-IU53XMRK-MTNNOMAC-CI45Q2P6-4RCODJYF-PYBYWWGR-WWNAEFRS-GXN7KQAK" \
	"$(cat "$tmp/words/group.key")"
same "in a file of our own" 600 "$(stat -c %a "$tmp/words/group.key")"
too_short() { echo "too short" | "$ctl" keygen --dir "$tmp/short" --passphrase; }
refuse "a short one is refused" too_short
refuse "and leaves no keys behind" test -e "$tmp/short/group.key" -o -e "$tmp/short/sender.key"
again() { echo "$words" | "$ctl" keygen --dir "$tmp/words" --passphrase; }
refuse "a key that is there is not overwritten" again
if command -v python3 >/dev/null; then
	cat >"$tmp/terminal.py" <<-'END'
	import os, pty, sys
	# Answer both questions on a terminal; print all that it showed.
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], sys.argv[1:])
	shown = b""
	for question in (b"group: ", b"more: "):
	    while not shown.endswith(question):
	        shown += os.read(fd, 1)
	    os.write(fd, os.environ["WORDS"].encode() + b"\n")
	try:
	    while True:
	        more = os.read(fd, 4096)
	        if not more:
	            break
	        shown += more
	except OSError:
	    pass
	os.waitpid(pid, 0)
	sys.stdout.buffer.write(shown)
	END
	WORDS=$words timeout 60 python3 "$tmp/terminal.py" "$ctl" keygen --dir "$tmp/typed" \
		--passphrase --group cabin >"$tmp/shown"
	contains "on a terminal it is asked for twice" "Once more: " "$(cat "$tmp/shown")"
	same "and not shown" 0 "$(grep -c horse "$tmp/shown")"
	check "another group has another key" test -s "$tmp/typed/group.key"
	refuse "indeed" cmp -s "$tmp/typed/group.key" "$tmp/words/group.key"
fi
finish
