#!/bin/sh
# SPDX-License-Identifier: MIT
# What is left of root once the daemon serves: nothing, in none of its threads.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

echo '192.0.2.7 seven.home.arpa' >"$tmp/hosts"
port=$(free_port)
settings() {
	conf_head | sed "s/^user = .*/user = \"$1\"/"
	echo "dns { listen = { \"127.0.0.1:$port\" } hosts = { \"$tmp/hosts\" } upstream = { \"127.0.0.1:9\" } }"
}
# The lines that say what a thread may do, of all threads, once each.
powers() {
	sed -n 's/^\(Cap[IPE].*\|NoNewPrivs.*\)/\1/p' /proc/"$1"/task/*/status | sort -u |
		tr -s '\t\n' '  '
}
threads() { set -- /proc/"$1"/task/*; echo $#; }

settings "" >"$tmp/conf"
start_hearthd "$tmp/conf"
check "a thread for files has started" wait_until "[ \"\$(threads $hearthd_pid)\" -ge 2 ]" 5
same "no thread has a capability or can get one" \
	"CapEff: 0000000000000000 CapInh: 0000000000000000 CapPrm: 0000000000000000 NoNewPrivs: 1 " \
	"$(powers "$hearthd_pid")"
same "it serves" 192.0.2.7 "$(dig @127.0.0.1 -p "$port" +tries=1 +short seven.home.arpa)"
stop "$hearthd_pid"
same "and ends with 0" 0 $?

# Directories that are root's and empty, as a service manager makes them, are given away.
user=nobody
if mkdir "$tmp/probe" && chown $user "$tmp/probe" 2>/dev/null; then
	rm -rf "$tmp/state"
	mkdir "$tmp/state" "$tmp/run" "$tmp/full"
	: >"$tmp/full/file"
	chmod 755 "$tmp"
	chown 0 "$tmp" "$tmp/state" "$tmp/run" "$tmp/full"
	chmod 755 "$tmp/hosts"
	settings $user | sed "s,$control,$tmp/run/control.sock," >"$tmp/conf"
	control=$tmp/run/control.sock
	start_hearthd "$tmp/conf" given
	same "an empty state directory of root's is the user's" $user "$(stat -c %U "$tmp/state")"
	stop "$hearthd_pid"
	same "it ends with 0" 0 $?
	refuse "the control socket is gone" [ -e "$control" ]
	sed "s,$tmp/state,$tmp/full," "$tmp/conf" >"$tmp/other"
	start_hearthd "$tmp/other" full
	same "a directory with something in it stays root's" root "$(stat -c %U "$tmp/full")"
	stop "$hearthd_pid"
	settings no-such-user >"$tmp/other"
	"$hearthd" -f -c "$tmp/other" 2>"$tmp/err"
	same "a user who does not exist gives 1" 1 $?
	contains "and is told where it stands" \
		"$tmp/other:1: user: there is no user \"no-such-user\"" "$(cat "$tmp/err")"
fi
finish
