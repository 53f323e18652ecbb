# SPDX-License-Identifier: MIT
# What system tests around the daemon share; source it after shell.sh.

hearthd=$top_builddir/hearthd
hearthctl=$top_builddir/hearthctl
dnsload=$top_builddir/tests/support/dnsload
control=$tmp/control.sock

# start_hearthd FILE [NAME]: run the daemon on a settings file and wait until it serves; its number
# is in $hearthd_pid, its log in $hearthd_log. NAME tells several apart.
start_hearthd() {
	hearthd_log=$tmp/${2:-hearthd}.log
	spawn "$hearthd" -f -c "$1" 2>"$hearthd_log"
	hearthd_pid=$pid
	if ! wait_until "grep -q ' started$' '$hearthd_log' || ! running $hearthd_pid" 10 ||
	    ! running "$hearthd_pid"; then
		fail "hearthd starts on $1"
		show "$hearthd_log"
		finish
	fi
}

# What every settings file of a test begins with: no other user, nothing outside of $tmp.
conf_head() {
	cat <<END
user = ""
state-dir = "$tmp/state"
control = "$control"
END
}

# dns_conf [LINE...]: a settings file with a DNS service on $port of 127.0.0.1 that asks the fakedns
# started last.
dns_conf() {
	conf_head
	printf 'dns {\n\tlisten = { "127.0.0.1:%s" }\n\tupstream = { "127.0.0.1:%s" }\n' \
		"$port" "$fakedns_port"
	[ $# -eq 0 ] || printf '\t%s\n' "$@"
	echo '}'
}

# ask WORD...: dig at that service, once, for longer than it thinks about any question.
ask() {
	dig @127.0.0.1 -p "$port" +tries=1 +time=6 "$@"
}

# ctl WORD...: ask the daemon of this test.
ctl() {
	"$hearthctl" -s "$control" "$@"
}

# counter KEY: one number of `hearthctl status`.
counter() {
	ctl status | sed -n "s/^$1=//p"
}
