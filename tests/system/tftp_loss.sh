#!/bin/sh
# SPDX-License-Identifier: MIT
# 512 KiB over a line of 2 ms round trip that loses 1 % each way, with a fast client that was here
# before. Runs that lose their request wait for the client's second one; of the others the middle
# one counts in lock-step, where each lost packet is a time-out, and every one with windows. The
# times are checked with HEARTH_FULL only, for a machine that has nothing else to do; without it
# every transfer has to complete. Many more seeds: tests/sim/test_tftp_transfer; peers:
# tests/bench/tftp-lossy.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"
load=$top_builddir/tests/support/tftpload
runs=${HEARTH_FULL:+21}
runs=${runs:-3}
head -c 524288 /dev/urandom >"$root/file"

# over_line SEED WINDOW: run the transfers; sorted seconds of those whose request arrived are in
# $times, the middle one and the last in $middle and $worst, how many completed in $complete.
over_line() {
	local line

	line=$(free_port)
	spawn "$top_builddir/tests/support/lossy" "$line" "$port" 1000 10 "$1"
	for _ in $(seq "$runs"); do
		"$load" get 127.0.0.1 "$line" file 1468 "$2" 1
	done >"$tmp/runs"
	stop "$pid" >/dev/null 2>&1
	complete=$(grep -c bytes=524288 "$tmp/runs")
	times=$(sed -n 's/.*seconds=\([0-9.]*\) .*requests=1$/\1/p' "$tmp/runs" | sort -n)
	middle=$(echo "$times" | sed -n "$((($(echo "$times" | wc -l) + 1) / 2))p")
	worst=$(echo "$times" | tail -n 1)
	echo "windowsize $2: $(echo $times)"
}

# below NAME SECONDS LIMIT
below() {
	same "$1: all complete" "$runs" "$complete"
	[ -z "${HEARTH_FULL:-}" ] ||
		check "$1: $2 s, at most $3 s" awk "BEGIN { exit !($2 > 0 && $2 <= $3) }"
}

for floor in 200ms 20ms; do
	port=$(free_port)
	start_hearthd "$(tftp_conf "$port" 'port-mode = "single"' "rto-min = \"$floor\"")" "$floor"
	"$load" get 127.0.0.1 "$port" file 1468 16 1
	over_line 3 1	# loses just as many in the middle run as 1 % of them are: seven
	if [ "$floor" = 200ms ]; then
		below "lock-step" "$middle" 2.3
		over_line 8 16
		below "windowsize 16, every run" "$worst" 0.25
		over_line 9 64
		below "windowsize 64, every run" "$worst" 0.10
	else
		below "lock-step with rto-min 20ms" "$middle" 1.3
	fi
	same "rto-min $floor: no transfer failed" 0 "$(counter tftp.reads_failed)"
	stop "$hearthd_pid"
done
finish
