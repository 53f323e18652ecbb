# SPDX-License-Identifier: MIT
# What shell tests share. POSIX sh plus `local`. A test begins with
#
#	. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
#	need dig			# missing: the test is skipped (77)
#	in_netns "$@"			# from here on alone on a private network, loopback up
#
# makes its statements (check, refuse, same, contains, pass, fail) and ends with `finish`.
# $tmp is a directory of its own. Whatever `spawn` has started ends with the test.

top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
tests_passed=0
tests_failed=0
spawned=
stop_seconds=5			# how long `stop` asks before it insists
tmp=$(mktemp -d "${TMPDIR:-/tmp}/hearth-test.XXXXXX") || exit 99

# skip REASON...: end the test, telling that it could not be made here.
skip() {
	echo "SKIP: $*"
	exit 77
}

# need TOOL...: skip unless all of them are there.
need() {
	local tool

	for tool; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

pass() {
	tests_passed=$((tests_passed + 1))
	echo "ok: $1"
}

# fail NAME [DETAIL...]
fail() {
	tests_failed=$((tests_failed + 1))
	echo "NOT OK: $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/    /'
}

# check NAME COMMAND...: the command succeeds. Its output is shown where it does not.
check() {
	local name="$1" out

	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "$* gave $?" "$out"; fi
}

# refuse NAME COMMAND...: the command fails, but not by a signal.
refuse() {
	local name="$1" out status=0

	shift
	out=$("$@" 2>&1) || status=$?
	if [ "$status" -ne 0 ] && [ "$status" -lt 126 ]; then
		pass "$name"
	else
		fail "$name" "$* gave $status" "$out"
	fi
}

# same NAME WANT GOT
same() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "want: $2" "got:  $3"; fi
}

# contains NAME TEXT WHERE: TEXT, taken literally, occurs in WHERE.
contains() {
	case $3 in
	*"$2"*) pass "$1" ;;
	*) fail "$1" "not found: $2" "in: $3" ;;
	esac
}

# show FILE: its end, for the log of a failed test.
show() {
	echo "--- $1"
	tail -n 40 "$1" | sed 's/^/    /'
}

# finish: the last line of every test.
finish() {
	echo "$tests_passed passed, $tests_failed failed"
	[ "$tests_failed" -eq 0 ] && [ "$tests_passed" -gt 0 ]
	exit $?
}

# A clock that nobody sets, in hundredths of a second.
centiseconds() {
	local up rest

	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}"
}

# wait_until CONDITION SECONDS: evaluate CONDITION until it holds; 1 where it did not in time.
wait_until() {
	local deadline="$(($(centiseconds) + $2 * 100))"

	until eval "$1"; do
		[ "$(centiseconds)" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# free_port: a number that no UDP or TCP socket here is bound to, below the ephemeral range.
free_port() {
	local port hex

	while :; do
		port=$(($(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000))
		hex=$(printf ':%04X ' "$port")
		cat /proc/net/udp /proc/net/udp6 /proc/net/tcp /proc/net/tcp6 2>/dev/null |
			grep -q "$hex" || break
	done
	echo "$port"
}

# spawn COMMAND...: start it in the background; its number is in $pid.
spawn() {
	"$@" &
	pid=$!
	spawned="$spawned $pid"
}

# running PID: it has not ended (a zombie has).
running() {
	case $(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) in
	'' | Z | X) return 1 ;;
	esac
}

# stop PID [SIGNAL]: ask it to end, insist after $stop_seconds; gives its exit status.
stop() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait_until "! running $1" "$stop_seconds" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

cleanup() {
	local one

	trap - EXIT
	for one in $spawned; do
		! running "$one" || stop "$one"
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# in_netns "$@": run the test again from its start in network and mount namespaces of its own,
# loopback up, where `ip netns add` makes names that nobody else sees; and of processes, where we
# may, so that whatever the test has started ends with it. Needs no root where the kernel lets users
# have namespaces.
in_netns() {
	local user= pids="--pid --fork --kill-child --mount-proc"

	if [ -n "${HEARTH_IN_NETNS:-}" ]; then
		ip link set lo up || exit 99
		mkdir -p /run/netns 2>/dev/null && mount -t tmpfs none /run/netns 2>/dev/null
		return 0
	fi
	need unshare ip
	[ "$(id -u)" -eq 0 ] || user=-Ur
	unshare $user -nm true 2>/dev/null || skip "no network namespace for us here"
	unshare $user -nm $pids true 2>/dev/null || pids=
	rm -rf "$tmp"
	export HEARTH_IN_NETNS=1 top_srcdir top_builddir
	exec unshare $user -nm $pids "${BASH:-/bin/sh}" "$0" "$@"
}

# start_fakedns OPTION...: a scripted DNS server (tests/support/fakedns.h) on a free port of
# 127.0.0.1; sets fakedns_pid and fakedns_port. Several may run; each call sets them anew.
start_fakedns() {
	local ready="$tmp/fakedns.$$.${#spawned}"

	[ -x "$top_builddir/tests/support/fakedns" ] || skip "tests/support/fakedns is not built"
	spawn "$top_builddir/tests/support/fakedns" "$@" >"$ready"
	fakedns_pid=$pid
	if ! wait_until "[ -s '$ready' ]" 5; then
		fail "fakedns starts" "$*"
		finish
	fi
	fakedns_port=$(sed 's/port //' "$ready")
}
