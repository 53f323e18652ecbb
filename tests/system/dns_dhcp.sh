#!/bin/sh
# SPDX-License-Identifier: MIT
# Real DHCP servers write their lease files, a real client comes and goes, and its name is known
# while it is here: those of dnsmasq, Kea and ISC dhcpd, as far as they are installed.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig busybox
busybox udhcpc --help >/dev/null 2>&1 || skip "busybox has no udhcpc"
in_netns "$@"

server_link=lan0
ip netns add client
ip link add $server_link type veth peer name eth0 netns client 2>/dev/null || skip "no veth here"
ip addr add 192.168.77.1/24 dev $server_link
ip link set $server_link up
ip -n client link set lo up
ip -n client link set eth0 up

# What udhcpc calls: give the interface its address, or take it away.
cat >"$tmp/lease" <<'END'
#!/bin/sh
ip addr flush dev "$interface"
case $1 in bound | renew) ip addr add "$ip/24" dev "$interface" ;; esac
END
chmod +x "$tmp/lease"

port=$(free_port)
{ conf_head; cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "127.0.0.1:9" }
	leases = { "$tmp/dnsmasq.leases", "$tmp/kea.csv", "$tmp/dhcpd.leases" }
	hosts = { }
}
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }
known() { ask "$1.home.arpa" | grep -q '^192\.168\.77\.'; }

dnsmasq_server() {
	spawn dnsmasq -k --conf-file=/dev/null --port=0 --interface=$server_link --bind-interfaces \
		--dhcp-range=192.168.77.10,192.168.77.50,10m --dhcp-leasefile="$tmp/dnsmasq.leases" \
		--user=root --pid-file= --no-ping --dhcp-authoritative
}

isc_server() {
	cat >"$tmp/dhcpd.conf" <<-END
	authoritative;
	ping-check false;
	subnet 192.168.77.0 netmask 255.255.255.0 { range 192.168.77.60 192.168.77.90; }
	END
	: >"$tmp/dhcpd.leases"
	spawn dhcpd -4 -f -cf "$tmp/dhcpd.conf" -lf "$tmp/dhcpd.leases" -pf "$tmp/dhcpd.pid" \
		$server_link
}

kea_server() {
	cat >"$tmp/kea.json" <<-END
	{ "Dhcp4": {
		"interfaces-config": { "interfaces": [ "$server_link" ] },
		"lease-database": { "type": "memfile", "persist": true, "name": "$tmp/kea.csv" },
		"valid-lifetime": 600,
		"subnet4": [ { "id": 1, "subnet": "192.168.77.0/24",
			"pools": [ { "pool": "192.168.77.100 - 192.168.77.150" } ] } ]
	} }
	END
	KEA_LOCKFILE_DIR=$tmp KEA_PIDFILE_DIR=$tmp KEA_LOGGER_DESTINATION=$tmp/kea.log
	export KEA_LOCKFILE_DIR KEA_PIDFILE_DIR KEA_LOGGER_DESTINATION
	spawn kea-dhcp4 -c "$tmp/kea.json"
}

# visit SERVER NAME: a client gets a lease, is known by its name, and gives the lease back.
visit() {
	local address
	"$1_server" >"$tmp/$1.out" 2>&1
	server=$pid
	spawn ip netns exec client busybox udhcpc -f -R -i eth0 -t 30 -T 1 -A 1 -s "$tmp/lease" \
		-x "hostname:$2" >"$tmp/udhcpc.out" 2>&1
	client=$pid
	if ! wait_until "ip -n client -4 -o addr show dev eth0 | grep -q 192.168.77" 30; then
		fail "$1 gives a lease" "$(tail -n 5 "$tmp/$1.out" "$tmp/udhcpc.out")"
		stop $client
		stop $server
		return
	fi
	address=$(ip -n client -4 -o addr show dev eth0 | sed 's/.* \(192[.0-9]*\).*/\1/')
	check "$1: the client is known by its name" wait_until "known $2" 5
	same "$1: with the address it has" "$address" "$(ask "$2.home.arpa")"
	same "$1: and its address by its name" "$2.home.arpa." "$(ask -x "$address")"
	stop $client
	check "$1: a lease given back is forgotten" wait_until "! known $2" 10
	stop $server
}

tried=
for one in dnsmasq:dnsmasq:laptop dhcpd:isc:tablet kea-dhcp4:kea:printer; do
	command -v "${one%%:*}" >/dev/null || continue
	one=${one#*:}
	tried="$tried ${one%:*}"
	visit "${one%:*}" "${one#*:}"
done
[ -n "$tried" ] || skip "no DHCP server is installed"
stop "$hearthd_pid"
finish
