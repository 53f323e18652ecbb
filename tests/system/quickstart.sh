#!/bin/sh
# SPDX-License-Identifier: MIT
# contrib/quickstart on a small clone, with stand-ins for the package manager and for what builds:
# what it copies, when it builds anew, the settings, keys and folders it makes, what it says, and
# the daemon that runs then, uploads included.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig curl cksum tar
in_netns "$@"

chmod 755 "$tmp"		# the daemon is somebody else by the time it looks for files
clone=$tmp/clone
mkdir -p "$clone/contrib" "$clone/tests/support" "$clone/src" "$tmp/bin"
cp "$top_srcdir/contrib/quickstart" "$top_srcdir/contrib/hearthd-quickstart.conf" "$clone/contrib/"
cp "$top_srcdir/tests/support/summary.sh" "$clone/tests/support/"
chmod -R u+w "$clone"
touch "$clone/configure.ac" "$clone/Makefile.am"
echo one >"$clone/src/a name with blanks.c"
echo two >"$clone/src/gone.c"
export HEARTH_QUICKSTART_DIR="$tmp/quick"
work=$HEARTH_QUICKSTART_DIR/$(printf '%s' "$clone" | cksum | cut -d' ' -f1)

# A stand-in says in $tmp/calls that it was called.
stand_in() {
	{ echo '#!/bin/sh'; echo "echo $1 \"\$@\" >>'$tmp/calls'"; cat; } >"$tmp/bin/$1"
	chmod 755 "$tmp/bin/$1"
}
stand_in dpkg-query <<-'END'
	case $3 in $MISSING) echo not-installed ;; *) echo installed ;; esac
END
stand_in apt-get <<-'END'
	exit ${APT_STATUS:-0}
END
stand_in sudo <<-'END'
	exec "$@"
END
stand_in autoreconf <<-'END'
	printf '#!/bin/sh\necho configure "$@" >>"$CALLS"\ntouch Makefile\n' >configure
	chmod 755 configure
END
stand_in make <<-END
	[ -z "\${MAKE_FAILS:-}" ] || { echo "no rule for luck"; exit 2; }
	dir=\$2
	for last; do :; done
	[ "\$last" = check ] || { ln -sf "$hearthd" "$hearthctl" "\$dir"; exit 0; }
	mkdir -p "\$dir/tests/unit"
	echo ":test-result: \${TEST_RESULT:-PASS}" >"\$dir/tests/unit/one.trs"
	echo "\${TEST_SAYS:-3 passed, 0 failed}" >"\$dir/tests/unit/one.log"
	[ "\${TEST_RESULT:-PASS}" = PASS ]
END
export PATH="$tmp/bin:$PATH" CALLS="$tmp/calls" MISSING=none
called() { grep -c "^$1" "$tmp/calls"; }
quickstart() { "$clone/contrib/quickstart" "$@" 2>&1; }

refuse "it wants a word" quickstart
refuse "and a known one" quickstart build
contains "and says which there are" "run | test" "$(quickstart)"

# --- packages
MISSING='libsodium-dev' quickstart test >"$tmp/out"
same "what is missing is installed, and only that" 1 \
	"$(grep -c '^apt-get .*install libsodium-dev$' "$tmp/calls")"
contains "and told" "Installing: libsodium-dev" "$(cat "$tmp/out")"
: >"$tmp/calls"
quickstart test >/dev/null
same "nothing is asked of apt-get where nothing is missing" 0 "$(called apt-get)"
out=$(MISSING=curl APT_STATUS=100 quickstart test)
contains "a package manager that fails is told" "apt-get update failed" "$out"

# --- test
out=$(quickstart test)
same "the tests that passed are counted in the last line" "3 passed, 0 failed" \
	"$(echo "$out" | tail -n 1)"
refuse "a test that failed is a failure" \
	env TEST_RESULT=FAIL TEST_SAYS='2 passed, 1 failed' "$clone/contrib/quickstart" test
touch "$work/test-build/tests/unit/of-before.trs"
quickstart test >/dev/null
refuse "results of before are no results" [ -e "$work/test-build/tests/unit/of-before.trs" ]
out=$(MAKE_FAILS=1 quickstart test)
contains "a build that fails shows its end" "no rule for luck" "$out"
contains "and where the rest is" "test-build.build.log" "$out"

# --- the folder
mkdir "$tmp/others"
if chown 65534 "$tmp/others" 2>/dev/null; then
	out=$(HEARTH_QUICKSTART_DIR="$tmp/others" quickstart test)
	contains "a folder of somebody else is refused" "belongs to somebody else" "$out"
fi
ln -s "$tmp/others" "$tmp/link"
out=$(HEARTH_QUICKSTART_DIR="$tmp/link" quickstart test)
contains "so is a link" "belongs to somebody else" "$out"

# --- run
# As root the daemon becomes nobody, who is not there where a user has only itself.
touch "$tmp/probe"
chown nobody "$tmp/probe" 2>/dev/null || finish
# run_it: start it; $out has what it says, up to the daemon's start.
run_it() {
	spawn "$clone/contrib/quickstart" run >"$tmp/out" 2>&1
	wait_until "grep -q ' started$' '$tmp/out' || ! running $pid" 20
	out=$(cat "$tmp/out")
}
builds=$(called make)
run_it
if ! running "$pid"; then
	fail "it runs" "$out"
	finish
fi
same "the clone is copied, names with blanks too" one "$(cat "$work/src/src/a name with blanks.c")"
same "and built once" $((builds + 1)) "$(called make)"
hearth=$work/hearthctl
contains "it says how to talk to it" "$hearth status" "$out"
check "which works" "$hearth" status
same "so do the questions it proposes" 192.168.1.5 \
	"$(dig @127.0.0.1 -p 5300 +tries=1 +short nas.home.arpa)"
same "and its file" "Hello from hearth." "$(curl -s tftp://127.0.0.1:6900/hello.txt)"
contains "and its announcement" hello/quickstart "$("$hearth" announce list)"
listens=$(echo "$out" | sed -n 's/^  \(.* listen .*\)/\1/p')
timeout 20 $listens >"$tmp/heard" 2>&1 &
spawned="$spawned $!"
check "which its subscriber hears" wait_until "grep -q state=running '$tmp/heard'" 15
same "keys are nobody else's" 600 "$(stat -c %a "$work/keys/sender.key")"
refuse "nothing can be uploaded at first" \
	timeout 20 curl -s -T "$clone/configure.ac" tftp://127.0.0.1:6900/up
out=$(quickstart run)
contains "a second one is refused" "runs already" "$out"

# What the comments in its settings promise.
sed -i 's/# upload-dir/upload-dir/' "$work/hearthd.conf"
check "its settings may be changed" "$hearth" reload
echo saved >"$tmp/saved"
check "then a file can be uploaded" timeout 20 curl -s -T "$tmp/saved" tftp://127.0.0.1:6900/up
same "and is there, whole" saved "$(cat "$work/tftp/upload/up")"
stop "$pid"

# --- again
cp "$work/keys/sender.key" "$tmp/key"
echo mine >"$work/tftp/hello.txt"
rm "$clone/src/gone.c"
builds=$(called make)
run_it
same "it is built anew where a file has gone" $((builds + 1)) "$(called make)"
refuse "which is gone from the copy too" [ -e "$work/src/src/gone.c" ]
contains "changed settings are kept" "	upload-dir" "$(cat "$work/hearthd.conf")"
check "so are the keys" cmp -s "$tmp/key" "$work/keys/sender.key"
same "and files" mine "$(curl -s tftp://127.0.0.1:6900/hello.txt)"
stop "$pid"
run_it
same "it is not built where nothing has changed" $((builds + 1)) "$(called make)"
refuse "and no word is said of settings" grep -q settings\ have "$tmp/out"
stop "$pid"
echo "# more" >>"$clone/contrib/hearthd-quickstart.conf"
run_it
contains "new settings beside changed ones are told" "yours are kept" "$out"
stop "$pid"
cp "$work/hearthd.conf.made" "$work/hearthd.conf"
echo "# still more" >>"$clone/contrib/hearthd-quickstart.conf"
run_it
contains "settings that nobody has changed are replaced" "# still more" \
	"$(cat "$work/hearthd.conf")"
stop "$pid"
rm "$work/hearthd.conf.made"
run_it
check "those of an earlier version are put aside" [ -s "$work/hearthd.conf.old" ]
contains "which is told" "hearthd.conf.old" "$out"
stop "$pid"
same "and it ends well" 0 $?
finish
