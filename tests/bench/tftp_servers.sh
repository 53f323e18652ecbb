# SPDX-License-Identifier: MIT
# What the TFTP benchmarks share: starting hearthd, the bare references and the peers that are
# there, each on core 0, and measuring transfers and CPU. Sourced after shell.sh, hearthd.sh and
# in_netns.
#
# Debian's atftpd and tftpd-hpa exclude each other. Unpack the one that is not installed and name
# it:
#
#	apt-get download tftpd-hpa && dpkg -x tftpd-hpa_*.deb DIR
#	export TFTPD_HPA=DIR/usr/sbin/in.tftpd		(or ATFTPD=DIR/usr/sbin/atftpd)
export LC_ALL=C
served=$tmp/served
load=$top_builddir/tests/support/tftpload
bare=$top_builddir/tests/bench/tftp_bare
atftpd=${ATFTPD:-$(command -v atftpd)}
hpa=${TFTPD_HPA:-$(command -v in.tftpd)}
on_server= on_client=
if [ "$(nproc)" -gt 1 ]; then
	on_server="taskset -c 0" on_client="taskset -c 1"
fi
mkdir "$served"
chmod a+rx "$tmp" "$served"
ip addr add 10.1.1.1/32 dev lo		# in.tftpd wants some address besides 127.0.0.1

is_hpa() { [ -n "$hpa" ] && "$hpa" -V 2>/dev/null | grep -q tftp-hpa; }

# peers [MAX_WINDOW]: those that are there; with windows only those that can.
peers() {
	[ -z "$atftpd" ] || echo atftpd
	[ "${1:-1}" = 1 ] || return 0
	! is_hpa || echo tftpd-hpa
	! command -v dnsmasq >/dev/null || echo dnsmasq
}

hearthd_conf() {
	cat <<END
user = ""
control = "$control.$1"
state-dir = "$tmp"
tftp { listen = { "0.0.0.0:$1" } root = "$served" $2 }
${3:-}
END
}

port_of() { cat "$tmp/$1.port"; }
is_ready() { "$load" ask 127.0.0.1 "$(port_of "$1")" file | grep -q '^op'; }

# start_server NAME [SETTING [SECTION]]: NAME begins with what it is; the rest is for hearthd alone.
start_server() {
	local port

	port=$(free_port)
	case $1 in
	bare-*) spawn $on_server "$bare" "$port" "$(stat -c %s "$served/file")" "${1#bare-}" ;;
	hearthd*)
		hearthd_conf "$port" "${2:-}" "${3:-}" >"$tmp/$1.conf"
		spawn $on_server "$hearthd" -f -c "$tmp/$1.conf" 2>"$tmp/$1.log" ;;
	atftpd)
		spawn $on_server "$atftpd" --daemon --no-fork --user "$(id -un)" --group "$(id -gn)" \
			--maxthread 300 --port "$port" --bind-address 127.0.0.1 "$served" \
				>"$tmp/$1.log" 2>&1 ;;
	tftpd-hpa)
		spawn $on_server "$hpa" --foreground -4 -a "127.0.0.1:$port" -u "$(id -un)" \
			-s "$served" >"$tmp/$1.log" 2>&1 ;;
	dnsmasq)
		port=69		# it has no other
		spawn $on_server dnsmasq -k --conf-file=/dev/null --port=0 --enable-tftp --tftp-max=300 \
			--tftp-root="$served" --listen-address=127.0.0.1 --user="$(id -un)" \
			--log-facility=- --pid-file="$tmp/dnsmasq.pid" >"$tmp/$1.log" 2>&1 ;;
	esac
	echo "$port" >"$tmp/$1.port"
	echo "$pid" >"$tmp/$1.pid"
	wait_until "is_ready $1" 10 || { echo "$1 does not answer"; show "$tmp/$1.log"; exit 1; }
}

# CPU time of a server so far in microseconds: of the threads that run, exactly; where threads end
# or children work, in clock ticks, children that linger included.
cpu() {
	case $1 in
	hearthd* | bare* | dnsmasq)
		cat "/proc/$(cat "$tmp/$1.pid")"/task/*/schedstat |
			awk '{ n += $1 } END { printf "%.0f\n", n / 1000 }' ;;
	*)
		cat /proc/[0-9]*/stat 2>/dev/null |
			awk -v pid="$(cat "$tmp/$1.pid")" -v hz="$(getconf CLK_TCK)" '{
				me = $1
				sub(/.*\) /, "")
				if (me == pid || $2 == pid)
					ticks += $12 + $13 + $14 + $15
			} END { printf "%.0f\n", ticks * 1e6 / hz }' ;;
	esac
}

# get SERVER FILE BLKSIZE WINDOW CLIENTS [PORT]: tftpload's line, or why it gave none.
get() {
	local out

	out=$($on_client "$load" get 127.0.0.1 "${6:-$(port_of "$1")}" "$2" "$3" "$4" "$5" 2>&1) ||
		out="failed: $1: ${out:-nothing arrived for 15 s}"
	echo "$out"
}

# field NAME LINE
field() { echo "$2" | sed -n "s/.*\b$1=\([0-9.]*\).*/\1/p"; }

median() { sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }
