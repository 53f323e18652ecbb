#!/bin/sh
# SPDX-License-Identifier: MIT
# On a machine without IPv6 the default addresses are those of IPv4, and that is no error; an
# address that was asked for is one.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig
in_netns "$@"

without=$top_builddir/tests/support/no_ipv6
"$without" true || skip "no system call filter for us here"
start_fakedns --rule '* A 192.0.2.1'
daemon=$hearthd
hearthd() { exec "$without" "$daemon" "$@"; }
hearthd=hearthd
{ conf_head; cat <<END
dns { upstream = { "127.0.0.1:$fakedns_port" } }
tftp { root = "$tmp" }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
same "names are served over IPv4" 192.0.2.1 "$(dig @127.0.0.1 +tries=1 +short a.example)"
log=$(cat "$hearthd_log")
contains "DNS says what is missing" "dns: not listening on [::]:53: this machine has no IPv6" "$log"
contains "so does TFTP" "tftp: not listening on [::]:69: this machine has no IPv6" "$log"
same "as a notice, not as an error" 0 "$(grep -c '<3>\|err' "$hearthd_log")"
stop "$hearthd_pid"

sed 's/^dns {/& listen = { "[::1]:5300" } /' "$tmp/conf" >"$tmp/asked"
out=$(hearthd -f -c "$tmp/asked" 2>&1)
same "an address that was asked for is an error" 1 $?
contains "which is named" "cannot listen on [::1]:5300" "$out"
finish
