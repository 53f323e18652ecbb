# SPDX-License-Identifier: MIT
# What the DNS benchmarks share: starting hearthd, the bare references and the peers that are
# installed, each on core 0, and measuring their CPU. Sourced after shell.sh and hearthd.sh;
# $upstream is the port that misses go to, $names how many names hits are asked from. $hearthd_more
# are more settings of its section dns.

export LC_ALL=C
bench=$top_builddir/tests/bench
peer_files=1024			# dnsmasq walks a table of RLIMIT_NOFILE entries: its best case

hearthd_conf() {
	cat <<END
user = ""
state-dir = ""
control = "$control.$1"
log { level = "warning" }
dns { listen = { "127.0.0.1:$1" }  upstream = { "127.0.0.1:$upstream" }  ${hearthd_more:-} }
END
}

# start_server NAME PORT: sets $server_pid
start_server() {
	case $1 in
	echo) spawn taskset -c 0 "$bench/echo_mmsg" "$2" ;;
	fwd-pool) spawn taskset -c 0 "$bench/fwd_pool" "$2" "$upstream" ;;
	hearthd*)
		hearthd_conf "$2" >"$tmp/$1.conf"
		spawn taskset -c 0 "$hearthd" -f -c "$tmp/$1.conf" 2>"$tmp/$1.log" ;;
	dnsmasq)
		spawn bash -c "ulimit -n $peer_files; exec taskset -c 0 dnsmasq -k --conf-file=/dev/null \
			--no-resolv --no-hosts --port=$2 --listen-address=127.0.0.1 --bind-interfaces -u root \
			--server=127.0.0.1#$upstream --cache-size=$names --dns-forward-max=1000 --pid-file=$tmp/dnsmasq.pid" 2>"$tmp/dnsmasq.log" ;;
	unbound)
		cat >"$tmp/unbound.conf" <<END
server:
  interface: 127.0.0.1@$2
  num-threads: 1
  use-syslog: no
  username: ""
  chroot: ""
  directory: "$tmp"
  pidfile: ""
  do-not-query-localhost: no
  module-config: "iterator"
  so-rcvbuf: 4m
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@$upstream
END
		spawn taskset -c 0 unbound -d -c "$tmp/unbound.conf" 2>"$tmp/unbound.log" ;;
	dnsdist)
		cat >"$tmp/dnsdist.conf" <<END
setLocal("127.0.0.1:$2")
newServer({address="127.0.0.1:$upstream"})
getPool(""):setCache(newPacketCache(100000, {maxTTL=86400}))
setUDPMultipleMessagesVectorSize(64)
setSecurityPollSuffix("")
END
		spawn taskset -c 0 dnsdist --supervised --disable-syslog -C "$tmp/dnsdist.conf" \
			>"$tmp/dnsdist.log" 2>&1 ;;
	esac
	server_pid=$pid
	wait_until "'$bench/dnsblast' $2 1 0.05 1 | grep -qv 'answered=0 '" 10 ||
		{ echo "$1 does not answer"; show "$tmp/$1.log"; return 1; }
}

cpu_ns() { cat /proc/"$1"/task/*/schedstat | awk '{ s += $1 } END { printf "%.0f\n", s }'; }
blast() { taskset -c 1 "$bench/dnsblast" "$@"; }

# measure NAME PORT SECONDS: prints "microseconds-per-answer answers-per-second lost"
measure() {
	local before after out
	before=$(cpu_ns "$server_pid")
	out=$(blast "$2" $names "$3")
	after=$(cpu_ns "$server_pid")
	echo "$out" | tr '=' ' ' | awk -v ns=$((after - before)) \
		'{ printf "%.4f %.0f %d\n", ns / 1000 / $2, $2 / $6, $4 }'
}

# The peers that are installed, behind the words given.
contenders() {
	local peer
	for peer in dnsmasq unbound dnsdist; do
		command -v $peer >/dev/null && set -- "$@" $peer
	done
	echo "$@"
}

# median FILE CONTENDER COLUMN
median() {
	awk -v c="$2" -v k="$3" '$1 == c { print $k }' "$1" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# with_ratios BASE: "name us qps lost" lines of one round in, "name us ratio qps ratio lost" out.
with_ratios() {
	awk -v base="$1" '$1 == base { us = $2; qps = $3 }
		{ printf "%s %s %.3f %s %.3f %s\n", $1, $2, $2 / us, $3, $3 / qps, $4 }'
}
