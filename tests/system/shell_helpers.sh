#!/bin/sh
# SPDX-License-Identifier: MIT
# The helpers of the shell tests: a test that cannot fail is worth nothing, so it is tried here.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"

# outcome SCRIPT: run it as a test; its last line and exit status.
outcome() {
	local status=0

	printf '. "%s/tests/support/shell.sh"\n%s\n' "$top_srcdir" "$1" >"$tmp/inner.sh"
	"${BASH:-/bin/sh}" "$tmp/inner.sh" >"$tmp/inner.log" 2>&1 || status=$?
	echo "$(tail -n 1 "$tmp/inner.log") ($status)"
}

same "what holds passes" "3 passed, 0 failed (0)" \
	"$(outcome 'check a true; refuse b false; same c "x y" "x y"; finish')"
same "what does not hold fails" "0 passed, 5 failed (1)" \
	"$(outcome 'check a false; refuse b true; same c x y; contains d "a*" abc; fail e; finish')"
same "a crash is not a refusal" "0 passed, 1 failed (1)" \
	"$(outcome 'refuse a sh -c "kill -SEGV \$\$"; finish')"
same "a missing program is not a refusal" "0 passed, 1 failed (1)" \
	"$(outcome 'refuse a no-such-program-here; finish')"
same "no statement at all is a failure" "0 passed, 0 failed (1)" "$(outcome finish)"
same "a missing tool is a skip" "SKIP: no-such-tool is not installed (77)" \
	"$(outcome 'need sh no-such-tool; finish')"
same "text is taken literally" "1 passed, 0 failed (0)" \
	"$(outcome 'contains a "[*" "x[*y"; finish')"

# Waiting ends as soon as it can, and ends.
spawn sh -c "sleep 0.2; touch '$tmp/there'"
check "a condition is waited for" wait_until '[ -e "$tmp/there" ]' 10
refuse "waiting is bounded" wait_until false 1

# What was started is stopped, by request and at the end.
spawn sleep 600
first=$pid
check "it runs" running "$first"
stop "$first"
refuse "it was stopped" running "$first"
stubborn="stop_seconds=1; spawn sh -c \"trap '' TERM; : >'$tmp/ready'; while :; do sleep 0.1; done\"
	echo \$pid >'$tmp/pid'; wait_until '[ -e $tmp/ready ]' 10; pass started; finish"
same "a test may leave things running" "1 passed, 0 failed (0)" "$(outcome "$stubborn")"
refuse "they end with it, willing or not" running "$(cat "$tmp/pid")"
outcome 'echo "$tmp" >'"$tmp/where"'; finish' >/dev/null
refuse "and its directory goes" test -e "$(cat "$tmp/where")"

port=$(free_port)
check "a free port is below the ephemeral ones" test "$port" -ge 20000 -a "$port" -lt 32000

# A private network, where the kernel lets us.
case $(outcome 'in_netns "$@"; pass "$(cat /proc/sys/net/ipv4/ip_default_ttl)"
	check up sh -c "ip -o link show up | grep -q lo"
	same "alone" 1 "$(ip -o link | grep -c "")"; finish') in
*"(77)") echo "no network namespaces here: not tried" ;;
"3 passed, 0 failed (0)") pass "a private network has a loopback that is up, and nothing else" ;;
*)
	fail "a private network"
	show "$tmp/inner.log"
	;;
esac

finish
