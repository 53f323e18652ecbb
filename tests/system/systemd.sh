#!/bin/sh
# SPDX-License-Identifier: MIT
# The systemd unit, without a systemd that runs: it has no mistakes and keeps its walls; and the
# daemon does its work with no more rights, descriptors and system calls than the unit leaves it.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need systemd-analyze setpriv dig
in_netns "$@"

# The unit with the programs of this build.
sed "s,^\(Exec[A-Za-z]*=\)[^ ]*/hearthd,\1$hearthd," \
	"$top_builddir/contrib/systemd/hearthd.service" >"$tmp/hearthd.service"
# of KEY: what the unit says, all lines of it.
of() { sed -n "s/^$1=//p" "$tmp/hearthd.service"; }

same "systemd has nothing to say against it" "" \
	"$(systemd-analyze verify --man=no "$tmp/hearthd.service" 2>&1)"
level=$(systemd-analyze security --offline=yes "$tmp/hearthd.service" 2>/dev/null |
	sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.\([0-9]*\) .*/\1\2/p')
[ -n "$level" ] || skip "this systemd-analyze cannot judge a file"
check "its exposure, $level of 100, is 2.0 at most" [ "$level" -le 20 ]

# --- the daemon behind those walls -----------------------------------------------------------------
[ "$(id -u)" -eq 0 ] && chown nobody "$tmp" 2>/dev/null || finish
port=53
capability=$(of AmbientCapabilities | tr A-Z a-z | sed 's/^cap_//')
{ conf_head; cat <<END
dns { listen = { "127.0.0.1:53" }  upstream = { "127.0.0.1:9" }
	record = { "nas.home.arpa. 60 IN A 192.168.1.5" }  query-log { file = "$tmp/log" } }
tftp { listen = { "127.0.0.1:69" }  root = "$tmp"  upload-dir = "$tmp/up" }
announce { publish "here" { text = { "yes" } } }
END
} >"$tmp/conf"
mkdir "$tmp/up"
chmod 755 "$tmp"
chown nobody "$tmp/up"

# walled WORD...: the daemon with the unit's user, capability and limits, run by these words.
walled() {
	local nofile="$(of LimitNOFILE)" memlock="$(($(of LimitMEMLOCK | sed 's/M$//') * 1024))"

	hearthd_log=$tmp/walled.log
	spawn sh -c "ulimit -n $nofile; ulimit -l $memlock; exec \"\$@\"" sh "$@" \
		setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs \
		--inh-caps "-all,+$capability" --ambient-caps "-all,+$capability" \
		--bounding-set "-all,+$capability" "$hearthd" -f -c "$tmp/conf" 2>"$hearthd_log"
	wait_until "grep -q ' started$' '$hearthd_log' || ! running $pid" 20
	grep -q ' started$' "$hearthd_log" || {
		fail "it starts as the unit has it"
		show "$hearthd_log"
		finish
	}
}

# work: what it does in its life, in small.
work() {
	same "$1: names are answered on port 53" 192.168.1.5 "$(ask +short nas.home.arpa)"
	ask +tcp +short nas.home.arpa >/dev/null
	ask +short elsewhere.example >/dev/null
	if command -v curl >/dev/null; then
		same "$1: files are sent" "" "$(cmp "$tmp/conf" - <<-END
		$(timeout 20 curl -s tftp://127.0.0.1/conf)
		END
		)"
		check "$1: and taken" timeout 20 curl -s -T "$tmp/conf" "tftp://127.0.0.1/$1"
	fi
	contains "$1: states are announced" here "$(ctl announce list)"
	check "$1: it reloads" ctl reload
}

walled
work plain
stop "$pid"
same "it ends well" 0 $?

# --- its system calls ------------------------------------------------------------------------------
# (a sanitizer has calls of its own, and does not like to be traced)
"$hearthd" --version | grep -q "sanitizers yes" && finish
command -v strace >/dev/null || finish
# calls SET...: the system calls in these sets of systemd's, those of sets within included.
calls() {
	local one

	systemd-analyze syscall-filter "$@" | sed -n 's/^ *\([a-z0-9_]*\)$/\1/p' >>"$tmp/set"
	for one in $(systemd-analyze syscall-filter "$@" | sed -n 's/^  *\(@[a-z-]*\)$/\1/p'); do
		calls "$one"
	done
}
: >"$tmp/set"
calls $(of SystemCallFilter | grep -v '^~')
sort -u "$tmp/set" >"$tmp/allowed"
: >"$tmp/set"
calls $(of SystemCallFilter | sed -n 's/^~//p')
sort -u "$tmp/set" >"$tmp/denied"
walled strace -f -qq -o "$tmp/trace" -E LD_PRELOAD=
work traced
daemon=$(ps -o pid= --ppid "$pid" 2>/dev/null || cat "/proc/$pid/task/$pid/children")
kill -TERM $daemon
wait_until "! running $pid" 10
# From the first call of the daemon itself on.
sed -n '/execve(".*hearthd"/,$p' "$tmp/trace" | sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' |
	sort -u >"$tmp/made"
check "$(wc -l <"$tmp/made") kinds of system calls were seen" [ "$(wc -l <"$tmp/made")" -ge 40 ]
same "the unit allows them all" "" \
	"$(comm -23 "$tmp/made" "$tmp/allowed"; comm -12 "$tmp/made" "$tmp/denied")"
finish
