# SPDX-License-Identifier: MIT
# What tests of sets of addresses share; source it after hearthd.sh, on a network of the test's own.

port=$(free_port)
user=
# A name with so many addresses that UDP has no room for them.
for i in $(seq 100); do echo "wide.video.example A 203.0.113.$i"; done >"$tmp/wide"
start_fakedns --rules "$tmp/wide" --rule 'www.video.example A 198.51.100.1 ; ttl=600' --rule 'www.video.example AAAA 2001:db8::1' \
	--rule 'short.video.example A 198.51.100.2 ; ttl=5' --rule 'a.range.example A 198.51.100.3' \
	--rule 'inside.range.example A 198.51.100.77' --rule 'last.range.example A 255.255.255.254' \
	--rule 'alias.video.example CNAME elsewhere.example' --rule 'elsewhere.example A 198.51.100.4' \
	--rule 'many*.video.example A 198.51.100.9' --rule 'www.plain.example A 198.51.100.5'

# settings TEXT: a file for the daemon, with that in the section dns.
settings() {
	conf_head | sed "s/^user = .*/user = \"$user\"/"
	cat <<END
dns {
	listen = { "127.0.0.1:$port" }
	upstream = { "127.0.0.1:$fakedns_port" }
	$1
}
END
}
# use TEXT: put such settings where the daemon reads them, with the rights that the file has.
use() { settings "$1" >"$tmp/conf.new"; cat "$tmp/conf.new" >"$tmp/conf"; }

# unless_built WHAT KEY: with a build that cannot, see that it says so, and end the test.
unless_built() {
	local out

	"$hearthd" --version | grep -q "$1 no" || return 0
	out=$("$hearthd" --check -c "$tmp/conf" 2>&1)
	contains "a build without says so" "conf:7: dns.$2: this hearthd was built without" "$out"
	finish
}

# become_nobody: let the daemon serve as another user, where there is one.
become_nobody() {
	[ "$(id -u)" -ne 0 ] || ! chown nobody "$tmp" 2>/dev/null || user=nobody
	chmod 755 "$tmp"; chmod 644 "$tmp/conf"
}
capabilities() { sed -n 's/^CapEff:\t//p' "/proc/$hearthd_pid/status"; }
# looked_up: the daemon knows of every set whether it is there.
looked_up() {
	wait_until "[ \"\$(ctl status | grep -c '^dns.address_sets.sets.*state=not looked up')\" = 0 ]" 5
}
# answers_have_waited: for their addresses, which came, and not for the end of patience. On a machine
# that is busy with other things some may have.
answers_have_waited() {
	local held

	held=$(counter dns.held.answers_held)
	check "answers have waited" [ "$held" -ge 5 ]
	check "their addresses have come" [ "$(counter dns.held.held_too_long)" -lt $((held / 2)) ]
}
# long_answers_wait COMMAND...: an answer longer than those of UDP, over TCP, waits as well; the
# command tells how many of its addresses are in the set.
long_answers_wait() {
	local held

	held=$(counter dns.held.answers_held)
	same "a long answer comes" 100 "$(ask +tcp wide.video.example | grep -c .)"
	same "and all its addresses are there" 100 "$("$@")"
	same "as it has waited" $((held + 1)) "$(counter dns.held.answers_held)"
	same "like every answer" 0 "$(counter dns.held.not_held)"
}
ask() { dig @127.0.0.1 -p "$port" +tries=1 +time=5 +short "$@"; }
