#!/bin/sh
# SPDX-License-Identifier: MIT
# hearthctl: exit statuses and words when called wrongly, without a daemon, with a daemon that does
# not answer; results as lines and as JSON; top on a terminal; the control socket's own life.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
in_netns "$@"
unset HEARTH_CONTROL

# gives STATUS NAME COMMAND...: what it prints is then in $out, what it complains in $err.
gives() {
	local want="$1" name="$2" status=0

	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
	same "$name gives $want" "$want" "$status"
}

gives 0 "--help" "$hearthctl" --help
contains "it names the commands" "reload" "$out"
gives 0 "--version" "$hearthctl" --version
contains "it names the program" "hearthctl " "$out"
gives 0 "--help behind a command" "$hearthctl" dns --help
contains "it names what the service does" "dns flush NAME" "$out"
refuse "and nothing else" grep -q reload "$tmp/out"
gives 0 "--help behind a command that runs here" "$hearthctl" keygen --help

# Manual page and help name the same commands and options.
manual=$top_srcdir/docs/hearthctl.1
"$hearthctl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\?\).*/\1/p' |
	sed 's/ $//' | grep . | sort -u >"$tmp/commands"
check "the help lists the commands" [ "$(grep -c . "$tmp/commands")" -ge 15 ]
sed -n 's/^\.It \(Xo \)\?Cm //p' "$manual" | sed 's/ [A-Z].*//' | sort -u >"$tmp/manual"
same "the manual page describes them, and no others" "" "$(diff "$tmp/commands" "$tmp/manual")"
{ "$hearthctl" --help; for command in listen verify keygen; do "$hearthctl" "$command" --help; done; } |
	grep -o -e '--[a-z-]*' | sort -u >"$tmp/options"
missing=
while read -r option; do
	grep -q -- "Fl Fl ${option#--}\( \|$\)" "$manual" || missing="$missing $option"
done <"$tmp/options"
same "and every option" "" "$missing"
if command -v mandoc >/dev/null; then
	same "mandoc finds nothing in it" "" \
		"$(mandoc -T lint "$manual" | grep -v 'referenced manual not found')"
fi

gives 2 "no command" "$hearthctl"
contains "it says so" "hearthctl: a command is missing" "$err"
gives 2 "an unknown option" "$hearthctl" --no-such-option status
gives 2 "an option without its value" "$hearthctl" -s
gives 2 "top with words" "$hearthctl" top now
gives 1 "top without a terminal" "$hearthctl" top
contains "it says what does without" "hearthctl status" "$err"
gives 1 "a full disk" sh -c "'$hearthctl' --help >/dev/full"
contains "it is told" "cannot write" "$err"

gives 1 "status without a daemon" ctl status
contains "it names the socket" "no daemon answers on $control: No such file" "$err"
contains "and the way out" "is hearthd running? -s SOCKET names another" "$err"
gives 1 "the environment names the socket" env HEARTH_CONTROL="$tmp/other" "$hearthctl" status
contains "as the message shows" "$tmp/other" "$err"
gives 1 "a name too long for a socket" "$hearthctl" -s "/$(printf %0200d 0)" status
contains "it is told" "too long" "$err"
gives 1 "words without end" ctl 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
contains "it is told" "more than 17 words" "$err"
gives 1 "bytes that are no text" ctl "$(printf '\377')"
contains "it is told" "not UTF-8" "$err"

conf_head >"$tmp/conf"
echo "dns { listen = { \"127.0.0.1:$(free_port)\" } upstream = { \"127.0.0.1:9\" } }" >>"$tmp/conf"
cat >>"$tmp/conf" <<-EOF
	tftp { listen = { "127.0.0.1:$(free_port)" } root = "$tmp" }
	announce {
		interfaces = { "lo" }
		publish "door/front" { text = { "state=closed", "battery=87", "rooms=hall and stairs" } }
		publish "heating" { text = { "temperature=21.5", "target=22", "mode=auto", "valve=37" } }
	}
EOF
start_hearthd "$tmp/conf"
gives 0 "status" ctl status
contains "results are key=value lines" "hearthd.pid=$hearthd_pid" "$out"
contains "lists are tables" "$(printf '\ndns.sockets:\n  local')" "$out"
gives 0 "status as JSON" ctl --json status
contains "it is an object" "\"pid\":$hearthd_pid," "$out"
same "in one line" 1 "$(printf '%s\n' "$out" | grep -c '')"
gives 0 "reload" ctl reload
gives 0 "--json behind a command" ctl status --json
contains "is --json" "\"pid\":$hearthd_pid," "$out"
gives 0 "--socket behind a command" "$hearthctl" status --socket "$control"
gives 2 "--socket without a value" ctl status --socket
for words in "dns flush" "dns lookup" "tftp map" "announce list" "dns flush example.org"; do
	# shellcheck disable=SC2086
	gives 0 "$words --help" ctl $words --help
	contains "is help" "hearthctl ${words%% *} " "$out"
done
for words in "reload garbage" "status dns" "dns stats extra" "announce list extra" \
	"dns flush --bogus x" "dns flush --bel x" "reload --bogus" "import --bogus" \
	"tftp sessions extra"; do
	# shellcheck disable=SC2086
	gives 2 "$words" ctl $words
done
gives 0 "an option of the command" ctl dns flush --below example.org
gives 2 "an unknown option" ctl dns flush --bogus x
contains "is named" '"dns flush" has no option "--bogus"' "$err"
gives 2 "a word too many" ctl reload garbage
contains "is named" '"reload" takes no words, as "garbage"' "$err"
gives 0 "a name behind --" ctl dns lookup -- --bogus.example
gives 2 "an unknown command" ctl nonsense
contains "the daemon says so" 'no service and no command is called "nonsense"' "$err"
gives 2 "an unknown word of a service" ctl dns nonsense
contains "the service says what it knows" "usage: dns " "$err"

# What is announced fits 100 columns, and 80 on a terminal; --wide is one table.
longest() { wc -L <"$tmp/out"; }
gives 0 "announce list" ctl announce list
contains "text is below its topic" \
	"$(printf '95\n      state=closed battery=87 rooms="hall and stairs"\n')" "$out"
check "no line is longer than 100" [ "$(longest)" -le 100 ]
gives 0 "announce list --wide" ctl announce list --wide
contains "names every column" "text.temperature" "$out"
check "in one line" [ "$(longest)" -gt 100 ]
gives 2 "an event with a lifetime" ctl announce publish --event --lifetime 2m bell
contains "is told that it has none" "an event is over when it is said" "$err"
gives 2 "a lifetime that is too short" ctl announce publish --lifetime 1s bell
contains "is told the range" '"1s" is too small; allowed is 95s to 1d
Try' "$err"
gives 2 "a lifetime that is none" ctl announce publish --lifetime soon bell
gives 0 "a lifetime" ctl announce publish --lifetime 2m bell
sed 's/publish "heating" {/& lifetime = "1s"/' "$tmp/conf" >"$tmp/short"
gives 2 "the same in the settings" "$hearthd" -c "$tmp/short" --check
contains "has the same range" '"1s" is too small; allowed is 95s to 1d' "$err"

cp "$tmp/conf" "$tmp/good"
for i in 1 2 3 4 5 6 7 8 9; do echo "no-such-key-$i = 1"; done >>"$tmp/conf"
gives 1 "reload of a bad file" ctl reload
contains "all findings come along" "$tmp/conf:19: no-such-key-9: unknown key" "$err"
contains "and what became of it" "the previous settings stay in force" "$err"
mv "$tmp/good" "$tmp/conf"
same "the socket is for its owner and group" "srw-rw----" "$(ls -l "$control" | cut -c1-10)"

# on_screen ROWS COLUMNS: top runs on a terminal of that size; what it paints goes to $tmp/screen,
# what is written to descriptor 9 are its keys.
on_screen() {
	local top="stty rows $1 cols $2; '$hearthctl' -s '$control' top && stty -a"

	rm -f "$tmp/keys" "$tmp/screen"
	mkfifo "$tmp/keys"
	exec 9<>"$tmp/keys"
	# What is started with & has no standard input, unless it opens one itself.
	spawn sh -c 'exec script -qefc "$1" "$2" <"$3"' sh "$top" "$tmp/screen" "$tmp/keys" \
		>/dev/null 2>&1
}

# painted: the last whole picture that top has painted, without its colours.
painted() {
	tr -d '\r' <"$tmp/screen" | awk -v RS='\033\\[H\033\\[2J' '
		NR > 1 { whole = last; last = $0 } END { printf "%s", whole != "" ? whole : last }' |
		sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g'
}

sees() { painted | grep -q "$1"; }

leave_screen() {
	printf q >&9
	check "top ends on q" wait_until "! running $pid" 5
	exec 9>&-
	wait "$pid"
	same "with 0" 0 $?
}

# On 24 lines there is something of every part, and any part alone; the terminal is left as it was.
if command -v script >/dev/null && command -v awk >/dev/null; then
	on_screen 24 80
	check "top shows rates" wait_until "sees 'loop_turns=.*/s'" 10
	painted >"$tmp/out"
	for part in "1 hearthd" "2 dns" "3 tftp" "4 announce"; do
		check "$part has lines on 24" grep -A1 "^$part" "$tmp/out"
	done
	check "they fit 24 lines" [ "$(grep -c '' "$tmp/out")" -lt 24 ]
	check "and 80 columns" [ "$(longest)" -le 80 ]
	check "the announcer's counters are there" grep -q "published=" "$tmp/out"
	printf 2 >&9
	check "a number shows one part" wait_until "sees '^2 dns' && ! sees '^3 tftp'" 5
	printf '\t' >&9
	check "a tabulator shows the next" wait_until "sees '^3 tftp'" 5
	printf 0 >&9
	check "0 all again" wait_until "sees '^4 announce'" 5
	leave_screen
	contains "the screen is given back" "$(printf '\033[?1049l')" "$(cat "$tmp/screen")"
	check "and echoes again" grep -q "[^-]icanon.* echo" "$tmp/screen"

	on_screen 8 80
	check "on 8 lines" wait_until "sees '^4 announce'" 10
	printf 2 >&9
	check "one part alone may be too long" wait_until "sees '^2 dns: lines 1 to '" 5
	printf '\033[B' >&9
	check "an arrow scrolls" wait_until "sees '^2 dns: lines 2 to '" 5
	leave_screen

	on_screen 50 120
	check "on 50 lines" wait_until "sees '^4 announce'" 10
	painted >"$tmp/out"
	refuse "nothing is cut" grep -q ": lines 1 to " "$tmp/out"
	check "and nothing too wide" [ "$(longest)" -le 120 ]
	leave_screen
fi

# Nobody waits for ever for a daemon that hangs.
kill -STOP "$hearthd_pid"
gives 1 "a daemon that hangs" ctl status
contains "it is told" "no answer on $control within 5 s" "$err"
kill -CONT "$hearthd_pid"
gives 0 "it goes on" ctl status

# What a killed daemon leaves behind is in nobody's way; a clean end leaves nothing.
kill -KILL "$hearthd_pid"
check "it is gone" wait_until "! running $hearthd_pid" 5
check "the socket has stayed" test -S "$control"
gives 1 "a dead socket" ctl status
contains "it is told" "no daemon answers on $control: Connection refused" "$err"
start_hearthd "$tmp/conf" second
gives 0 "a new daemon takes its place" ctl status
stop "$hearthd_pid"
refuse "the socket goes with its daemon" test -e "$control"

# Started by root, the daemon shares its socket with its group.
if [ "$(id -u)" -eq 0 ] && grep -q '4294967295$' /proc/self/uid_map && id daemon >/dev/null; then
	sed -e 's/^user = .*/user = "daemon"/' -e '/tftp {/,$d' "$tmp/conf" >"$tmp/user.conf"
	start_hearthd "$tmp/user.conf" user
	same "the socket is root's and the group's" "root daemon" "$(stat -c '%U %G' "$control")"
	gives 0 "it is answered on" ctl status
fi
finish
