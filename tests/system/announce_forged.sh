#!/bin/sh
# SPDX-License-Identifier: MIT
# An attacker on the bridge. Each byte of a datagram that the subscriber has not seen yet is changed
# in turn: nothing is accepted, then the genuine one is. A lease that is asked for in somebody
# else's name draws one small packet at most.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip nft
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

tap=$top_builddir/tests/support/beacon_tap
lan nas sub evil victim
says() { sed -n "s/^$2=//p" "$1" | tail -1; }
news() { grep -c '"type":"\(event\|state\|withdraw\)"' "$1"; }

# unseen: publish an event that evil hears and sub does not, with the announcer silent from then on.
unseen() {
	nft -f - <<-END || skip "no nftables for bridges here"
	table bridge hide {
		chain forward {
			type filter hook forward priority 0;
			iifname "p-nas" oifname "p-sub" udp dport $port drop
		}
	}
	END
	spawn ip netns exec evil "$tap" record eth0 "$tmp/capture" 1
	recorder=$pid
	member evil
	tell nas publish --event unseen n=7 >/dev/null
	wait_until "[ -s '$tmp/capture' ]" 5
	kill -STOP "$daemon"
	wait "$recorder"
	nft delete table bridge hide
}

# changed NAME: what the subscriber makes of it.
changed() {
	before=$(news "$tmp/sub.json")
	sent=$(in_host evil "$tap" flip eth0 "$tmp/capture" | sed 's/ sent//')
	check "$1: each of its $sent bytes is changed in turn" [ "$sent" -ge 150 ]
	sleep 1.5
	same "$1: nothing of that is accepted" "$before" "$(news "$tmp/sub.json")"
	check "$1: the genuine bytes are sent by a stranger" in_host evil "$tap" replay eth0 \
		"$tmp/capture"
	check "$1: and those are accepted" wait_until \
		"grep -q '\"topic\":\"unseen\"' '$tmp/sub.json'" 5
	in_host evil "$tap" replay eth0 "$tmp/capture" >/dev/null
	sleep 0.3
	same "$1: once" 1 "$(grep -c '"topic":"unseen"' "$tmp/sub.json")"
	kill -CONT "$daemon"
	stop "$subscriber"
}

announcer nas 'ipv6 = false publish "here" { text = { "yes" } }'
daemon=$pid
listener sub "$tmp/sub.json" --stats
subscriber=$pid
check "a subscriber joins" joined "$tmp/sub.json"
unseen
changed sealed
# Magic, min_version, type, flags, lengths, key id and fragment: 17 bytes that no seal is opened
# for.
check "sealed: all but the plain fields counts as forged" \
	[ "$(says "$tmp/listen.log" forged)" -ge $((sent - 20)) ]

# --- leases in somebody else's name ------------------------------------------------------------
nft -f - <<END
table bridge count {
	counter drawn { }
	chain forward {
		type filter hook forward priority 0;
		ip saddr 10.9.0.1 ip daddr 10.9.0.4 udp sport $port counter name drawn
	}
}
END
# drawn packets|bytes: what nas has sent to the victim.
drawn() { nft list counter bridge count drawn | grep -o "$1 [0-9]*" | sed 's/.* //'; }
lease_counter() { "$ctl" -s "$tmp/nas.sock" --json status | tr -d ' \n' | grep -o "\"$1\":[0-9]*" |
	sed 's/.*://'; }

"$ctl" keygen --dir "$tmp/strangers" >/dev/null 2>&1
in_host evil "$tap" ask "$tmp/strangers/group.key" 10.9.0.4 10.9.0.1 20 >/dev/null
wait_until '[ "$(lease_counter requests_forged)" -ge 40 ]' 5
same "without the group key a forged request draws nothing" 0 "$(drawn packets)"

asked=$(in_host evil "$tap" ask "$tmp/keys/group.key" 10.9.0.4 10.9.0.1 1 | sed 's/ bytes//' |
	sort -n | head -1)
check "its false confirmation is counted" wait_until \
	'[ "$(lease_counter lease_bad_cookies)" -ge 1 ]' 5
tell nas publish --event after n=1 >/dev/null
sleep 2.5		# the event, its copies and a digest have gone out
same "with it, one packet" 1 "$(drawn packets)"
# The bridge counts IP packets; the answer may not be longer than the question.
check "and no longer than the request ($(drawn bytes) of $asked bytes)" \
	[ "$(drawn bytes)" -le "$asked" ]
same "nobody has got a lease" 0 "$(lease_counter leases)"

in_host evil "$tap" ask "$tmp/keys/group.key" 10.9.0.4 10.9.0.1 200 >/dev/null
check "the rest is counted" wait_until '[ "$(lease_counter requests_limited)" -ge 100 ]' 5
echo "    200 forged requests at once drew $(($(drawn packets) - 1)) packets"
check "many at once draw as many as the budget has, no more" [ "$(drawn packets)" -le 31 ]
stop "$daemon"

# --- the same in a public group ----------------------------------------------------------------
# (with a signature and no seal: each changed byte costs a verification, within a budget)
sed -i '/group-key/d' "$tmp/nas.conf"
spawn ip netns exec nas "$top_builddir/hearthd" -f -c "$tmp/nas.conf" 2>>"$tmp/nas.log"
daemon=$pid
wait_until "[ -S '$tmp/nas.sock' ]" 5
: >"$tmp/sub.json"
: >"$tmp/listen.log"
spawn ip netns exec sub env HOME="$tmp/nobody" XDG_CONFIG_HOME="$tmp/nobody" "$ctl" --json listen \
	--trust "$tmp/trust" --stats >"$tmp/sub.json" 2>>"$tmp/listen.log"
subscriber=$pid
check "a subscriber of the public group joins" joined "$tmp/sub.json"
unseen
changed public
check "public: bad signatures are counted" [ "$(says "$tmp/listen.log" bad_signature)" -ge 100 ]
before=$(drawn packets)
in_host evil "$tap" ask "$tmp/keys/group.key" 10.9.0.4 10.9.0.1 5 >/dev/null
sleep 0.3
same "public: a request for a lease draws nothing" "$before" "$(drawn packets)"
check "the daemon still runs" running "$daemon"
stop "$daemon"
finish
