#!/bin/sh
# SPDX-License-Identifier: MIT
# A box that is advertised by its link-local address answers from it, whoever asks.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

ip -6 address add fe80::53/64 dev lo nodad && ip -6 address add fd00::7/64 dev lo nodad ||
	skip "no IPv6 addresses of our own here"
echo '192.0.2.7 seven.home.arpa' >"$tmp/hosts"
{ conf_head; cat <<END
dns { listen = { "[::]:53" }  hosts = { "$tmp/hosts" }  upstream = { "192.0.2.1" } }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig +tries=1 +time=2 +short "$@" seven.home.arpa; }
same "a link-local client is answered" 192.0.2.7 "$(ask @fe80::53%lo)"
same "so is one that asks with its wide address" 192.0.2.7 "$(ask @fe80::53%lo -b fd00::7)"
same "and one that asks the wide address" 192.0.2.7 "$(ask @fd00::7 -b fd00::7)"
same "and over TCP" 192.0.2.7 "$(ask +tcp @fe80::53%lo -b fd00::7)"
stop "$hearthd_pid"
same "ends with 0" 0 $?
finish
