#!/bin/sh
# SPDX-License-Identifier: MIT
# Three subscribers behind a bridge that loses datagrams. At 10 % every event arrives once; at 30 %
# what does not arrive is reported.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip nft
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

lan_up
lan_host nas
for i in 1 2 3; do lan_host "s$i"; done
lan_loss 0 || skip "no nftables for bridges here"
make_keys

# IPv4 alone: with both families each datagram would have two chances.
announcer nas 'ipv6 = false publish "here" { text = { "yes" } }'
daemon=$pid
for i in 1 2 3; do
	listener "s$i" "$tmp/s$i.json" --stats
	eval "listener$i=$pid"
done
for i in 1 2 3; do check "s$i hears the announcer" joined "$tmp/s$i.json"; done

lan_loss 10
burst nas 1 1000
wait_until "[ \$(events '$tmp/s1.json' | wc -l) -ge 1000 ] && [ \$(events '$tmp/s2.json' | wc -l) -ge 1000 ] &&
	[ \$(events '$tmp/s3.json' | wc -l) -ge 1000 ]" 20
for i in 1 2 3; do
	same "10 %: s$i got all 1000 events" 1000 \
		"$(events "$tmp/s$i.json" | sort -n | uniq | wc -l)"
	same "10 %: s$i got none twice" 1000 "$(events "$tmp/s$i.json" | wc -l)"
done

lan_loss 30
burst nas 1001 1300
# The last try to repair is given up 16 s after a gap was noticed.
wait_until "[ \$(events '$tmp/s1.json' | wc -l) -ge 1300 ] && [ \$(events '$tmp/s2.json' | wc -l) -ge 1300 ] &&
	[ \$(events '$tmp/s3.json' | wc -l) -ge 1300 ]" 22
for i in 1 2 3; do
	events "$tmp/s$i.json" | sort -n | uniq -d >"$tmp/twice"
	same "30 %: s$i got none twice" "" "$(cat "$tmp/twice")"
	events "$tmp/s$i.json" | sort -n >"$tmp/got"
	sed -n 's/.*"type":"gap".*"first":\([0-9]*\),"last":\([0-9]*\).*/\1 \2/p' \
		"$tmp/s$i.json" >"$tmp/gaps"
	# Each number that is missing must lie in a gap that was reported.
	silent=$(awk -v got="$tmp/got" -v gaps="$tmp/gaps" '
		BEGIN {
			while ((getline n <got) > 0) have[n] = 1
			while ((getline line <gaps) > 0) { split(line, g, " "); f[++k] = g[1]; \
				l[k] = g[2] }
		}
		!($1 in have) {
			for (i = 1; i <= k; i++) if ($2 >= f[i] && $2 <= l[i]) next
			print $1
		}' "$tmp/seqs")
	same "30 %: nothing is lost silently to s$i" "" "$silent"
	echo "    s$i: $(wc -l <"$tmp/got") of 1300 events, $(wc -l <"$tmp/gaps") gaps reported"
done
check "the daemon still runs" running "$daemon"
for i in 1 2 3; do eval "stop \$listener$i"; done
missed=$(sed -n 's/^missed=//p' "$tmp/listen.log" | sort -n | head -1)
echo "    datagrams missed at first: $(sed -n 's/^missed=//p' "$tmp/listen.log" | tr '\n' ' ')"
check "datagrams were lost indeed" [ "${missed:-0}" -ge 50 ]
finish
