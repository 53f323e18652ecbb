# SPDX-License-Identifier: MIT
# What the TFTP system tests share; source it after shell.sh and hearthd.sh.

root=$tmp/root
inbox=$tmp/inbox
got=$tmp/got
mkdir "$root" "$inbox" "$got"

# tftp_conf PORT [LINE...]: a settings file with a TFTP service on 127.0.0.1 and ::1; gives its
# name.
tftp_conf() {
	local port=$1 line

	shift
	{
		conf_head
		echo 'tftp {'
		echo "  listen = { \"127.0.0.1:$port\", \"[::1]:$port\" }"
		echo "  root = \"$root\""
		for line; do printf '  %s\n' "$line"; done
		echo '}'
	} >"$tmp/tftp.conf"
	echo "$tmp/tftp.conf"
}

# Fetch NAME from HOST PORT into $got/out with one client each; a block size where it can.
get_curl() {
	timeout 60 curl -s ${4:+--tftp-blksize "$4"} -o "$got/out" "tftp://$2:$3/$1"
}

get_tftp() {
	timeout 60 tftp -m octet "${2#[}" "$3" -c get "$1" "$got/out"
}

get_atftp() {
	timeout 60 atftp ${4:+--option "blksize $4"} ${5:+--option "windowsize $5"} -g -r "$1" \
		-l "$got/out" "$2" "$3" >/dev/null 2>&1
}

get_busybox() {
	timeout 60 busybox tftp ${4:+-b "$4"} -g -r "$1" -l "$got/out" "$2" "$3"
}

# Send the file FROM as NAME.
put_curl() {
	timeout 60 curl -s ${5:+--tftp-blksize "$5"} -T "$1" "tftp://$3:$4/$2"
}

put_tftp() {
	timeout 60 tftp -m octet "$3" "$4" -c put "$1" "$2"
}

put_atftp() {
	timeout 60 atftp ${5:+--option "blksize $5"} -p -l "$1" -r "$2" "$3" "$4" >/dev/null 2>&1
}

put_busybox() {
	timeout 60 busybox tftp ${5:+-b "$5"} -p -l "$1" -r "$2" "$3" "$4"
}

# fetched NAME COMMAND...: the command succeeds and leaves the bytes of $root/NAME in $got/out.
fetched() {
	local name=$1

	shift
	rm -f "$got/out"
	"$@" && cmp -s "$got/out" "$root/$name"
}

# stored FROM NAME COMMAND...: the command succeeds and the inbox has these bytes under that name.
stored() {
	local from=$1 name=$2

	shift 2
	rm -f "$inbox/$name"
	"$@" && cmp -s "$from" "$inbox/$name"
}
