#!/bin/sh
# SPDX-License-Identifier: MIT
# Answers come from the address that was asked, on every kind of address and in every port mode;
# what hearthctl says of the service.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
in_netns "$@"
. "$top_srcdir/tests/support/tftp.sh"
need curl
load=$top_builddir/tests/support/tftpload

head -c 300000 /dev/urandom >"$root/file"
mkdir "$root/sub"
echo x >"$root/sub/A.b"
ip addr add 10.1.1.1/24 dev lo
ip addr add 10.1.1.2/24 dev lo
hosts="127.0.0.1 10.1.1.1 10.1.1.2 [::1]"
if ip link add v0 type veth peer name v1 2>/dev/null; then
	ip link set v0 up
	ip link set v1 up
	ip addr add fe80::1234/64 dev v0 nodad
	hosts="$hosts [fe80::1234%25v0]"
fi

for mode in ephemeral single; do
	port=$(free_port)
	{
		conf_head
		echo "tftp { listen = { \"0.0.0.0:$port\", \"[::]:$port\" } root = \"$root\""
		echo "port-mode = \"$mode\" }"
	} >"$tmp/conf"
	start_hearthd "$tmp/conf" "$mode"
	for host in $hosts; do
		check "$mode: asked at $host" fetched file get_curl file "$host" "$port" 1024
	done
	if [ "$mode" = ephemeral ]; then
		contains "map tells where a name leads" "file=sub/A.b" "$(ctl tftp map '\SUB\a.B')"
		contains "map tells of a refusal" "result=refused" "$(ctl tftp map ../x)"
		# More than a client can have fetched when we ask.
		truncate -s 2G "$root/huge"
		spawn "$load" get 127.0.0.1 "$port" huge 512 1 1
		# Its speed is known after a while, and with it how long it will take.
		sessions() {
			seen=$(ctl --json tftp sessions)
			case $seen in *huge*sending*eta_s*) ;; *) false ;; esac
		}
		wait_until sessions 10
		contains "a transfer is listed while it runs" huge "$seen"
		for key in percent MBps eta_s size windowsize srtt_us; do
			contains "with its $key" "\"$key\":" "$seen"
		done
		check "and gets on" wait_until '[ "$(ctl --json tftp sessions)" != "$seen" ]' 5
		stop "$pid" >/dev/null 2>&1
		same "counters: nothing refused" 0 "$(counter tftp.refused)"
	fi
	stop "$hearthd_pid"
done
finish
