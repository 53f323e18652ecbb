# SPDX-License-Identifier: MIT
# A LAN for tests of the announcer: hosts in namespaces of their own on one bridge, each with an
# interface eth0. Sourced behind shell.sh and in_netns.

ctl=$top_builddir/hearthctl
port=7665

# lan_up: the bridge, without hosts.
lan_up() {
	ip link add br0 type bridge mcast_snooping 0
	ip link set br0 up
	hosts=0
}

# lan_host NAME: a host at 10.9.0.N, N counted from 1.
lan_host() {
	hosts=$((hosts + 1))
	ip netns add "$1"
	ip link add "p-$1" type veth peer name eth0 netns "$1"
	ip link set "p-$1" master br0 up
	ip -n "$1" addr add "10.9.0.$hosts/24" dev eth0
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
}

# lan HOST...: the bridge, these hosts, and keys for everybody.
lan() {
	local host

	lan_up
	for host; do lan_host "$host"; done
	make_keys
}

# lan_router: a host "remote" at 10.8.0.2, behind a router that passes no multicast on.
lan_router() {
	local l

	ip netns add router
	ip netns add remote
	ip link add p-router type veth peer name eth0 netns router
	ip link set p-router master br0 up
	ip -n router link add eth1 type veth peer name eth0 netns remote
	ip -n router addr add 10.9.0.200/24 dev eth0
	ip -n router addr add 10.8.0.1/24 dev eth1
	ip -n remote addr add 10.8.0.2/24 dev eth0
	for l in "router eth0" "router eth1" "remote eth0" "remote lo"; do
		ip -n ${l% *} link set ${l#* } up
	done
	ip netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' 2>/dev/null
	ip -n remote route add default via 10.8.0.1
	ip -n nas route add 10.8.0.0/24 via 10.9.0.200
}

# lan_loss PERCENT: what the bridge drops of the announcer's datagrams, for each port by itself.
lan_loss() {
	nft -f - <<-END
	table bridge loss
	delete table bridge loss
	table bridge loss {
		chain forward {
			type filter hook forward priority 0;
			udp dport $port numgen random mod 100 < $1 drop
		}
	}
	END
}

# in HOST COMMAND...
in_host() {
	local host="$1"

	shift
	ip netns exec "$host" "$@"
}

# make_keys: $tmp/keys and $tmp/trust, shared by all.
make_keys() {
	"$ctl" keygen --dir "$tmp/keys" --name nas >"$tmp/trust" 2>/dev/null
}

# make_clock: a library that shifts the clock of one program; used with wrong_clock or slept_in.
make_clock() {
	cat >"$tmp/shift.c" <<-'END'
	#define _GNU_SOURCE
	#include <fcntl.h>
	#include <stdlib.h>
	#include <sys/syscall.h>
	#include <time.h>
	#include <unistd.h>
	static long read_number(const char *path)
	{
		char text[32] = "";
		int fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			text[0] = 0;
		close(fd);
		return atol(text);
	}
	int clock_gettime(clockid_t id, struct timespec *ts)
	{
		int r = (int)syscall(SYS_clock_gettime, id, ts);
		const char *s = getenv("CLOCK_SHIFT"), *slept = getenv("CLOCK_SLEPT");
		if (id == CLOCK_REALTIME && s != NULL)
			ts->tv_sec += atol(s);
		if (id == CLOCK_BOOTTIME && slept != NULL)
			ts->tv_sec += read_number(slept);
		return r;
	}
	END
	${CC:-cc} -shared -fPIC -o "$tmp/shift.so" "$tmp/shift.c" 2>/dev/null || skip "no compiler"
}

# wrong_clock SECONDS: the environment of a program whose clock is that far off.
wrong_clock() { echo \
	"ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$tmp/shift.so CLOCK_SHIFT=$1"; }

# slept_in FILE: the environment of a program whose machine has slept for the seconds in FILE.
slept_in() { echo "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$tmp/shift.so CLOCK_SLEPT=$1"; }

# announcer HOST [SETTINGS]: start hearthd there; its pid is in $pid, its log in $tmp/HOST.log.
announcer() {
	local host="$1"

	[ ! -S "$tmp/$host.sock" ] || fail "the last announcer of $host has ended"
	mkdir -p "$tmp/$host.state"
	cat >"$tmp/$host.conf" <<-END
	user = ""
	state-dir = "$tmp/$host.state"
	control = "$tmp/$host.sock"
	announce {
		sender-key = "$tmp/keys/sender.key"
		group-key = "$tmp/keys/group.key"
		${2-}
	}
	END
	spawn ip netns exec "$host" env ${announcer_env-} "$top_builddir/hearthd" -f \
		-c "$tmp/$host.conf" 2>>"$tmp/$host.log"
	wait_until "[ -S '$tmp/$host.sock' ]" 5 || fail "hearthd starts on $host" \
		"$(cat "$tmp/$host.log")"
}

# tell HOST WORD...: hearthctl announce there.
tell() {
	local host="$1"

	shift
	"$ctl" -s "$tmp/$host.sock" announce "$@"
}

# listener HOST FILE [OPTION...]: start a subscriber that writes JSON to FILE; pid in $pid.
listener() {
	local host="$1" file="$2"

	shift 2
	spawn ip netns exec "$host" env ${listener_env-} "$ctl" --json listen \
		--trust "$tmp/trust" --group-key "$tmp/keys/group.key" "$@" \
			>"$file" 2>>"$tmp/listen.log"
}

# member HOST [COUNT]: so many sockets there are in the announcer's group for IPv4 (239.255.76.65).
member() {
	wait_until "[ \"\$(ip netns exec $1 awk '\$1 == \"414CFFEF\" { n += \$2 } END { print n + 0 }' \
		/proc/net/igmp)\" -ge ${2-1} ]" 10
}

# joined FILE: the subscriber has heard the state that every announcer here publishes.
joined() {
	wait_until "grep -q '\"topic\":\"here\"' '$1'" "${2-5}"
}

# events FILE: the numbers of the events in it, in order.
events() {
	sed -n 's/.*"type":"event".*"n":"\([0-9]*\)".*/\1/p' "$1"
}

# burst HOST FROM TO: publish events with these numbers, as fast as they are taken; their sequence
# numbers go to $tmp/seqs.
burst() {
	local n="$2"

	while [ "$n" -le "$3" ]; do
		if tell "$1" publish --event e "n=$n" >"$tmp/answer" 2>/dev/null; then
			echo "$n $(sed -n 's/^seq=//p' "$tmp/answer")" >>"$tmp/seqs"
			n=$((n + 1))
		else
			sleep 0.05
		fi
	done
}
