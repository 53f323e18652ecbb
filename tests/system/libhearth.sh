#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as others get it: installed, found by pkg-config, shared and static; its names are its
# own; the example of contrib builds outside of the tree and hears an announcer.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
need ip pkg-config make nm readelf
in_netns "$@"
. "$top_srcdir/tests/support/announce_lan.sh"

make -C "$top_builddir" -s install DESTDIR="$tmp/root" >"$tmp/install.log" 2>&1 ||
	{ fail "make install"; show "$tmp/install.log"; finish; }
pc=$(find "$tmp/root" -name libhearth.pc)
check "libhearth.pc is installed" [ -n "$pc" ]
lib=${pc%/pkgconfig/libhearth.pc}
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
check "so is the manual" [ -n "$(find "$tmp/root" -name libhearth.3)" ]

# --- names -------------------------------------------------------------------------
same "the shared object has a soname" "libhearth.so.0" \
	"$(readelf -d "$lib/libhearth.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"
check "which is a link to it" [ -e "$lib/libhearth.so.0" ]
wanted=$(sed -n 's/^[a-z].*\(hearth_[a-z_]*\)(.*/\1/p' "$top_srcdir/src/hearth/listen.h" | sort)
same "it exports what the header declares, and nothing else" "$wanted" \
	"$(nm -D --defined-only "$lib/libhearth.so" |
		awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort)"
same "and so does the archive" "$wanted" \
	"$(nm -g --defined-only "$lib/libhearth.a" | awk 'NF == 3 { print $3 }' | sort)"

# --- the example, outside of the tree ------------------------------------------------
mkdir "$tmp/out"
cp "$top_srcdir/contrib/listen/announcements.c" "$tmp/out/"
cd "$tmp/out" || exit 1
flags="-O1 -Wall -Wextra -Werror"
# A sanitized library needs its sanitizer in the program.
! "$top_builddir/hearthd" --version | grep -q "sanitizers yes" ||
	flags="$flags -fsanitize=address,undefined"
check "it builds with pkg-config alone" sh -c \
	"${CC:-cc} $flags -o shared announcements.c \$(pkg-config --cflags --libs libhearth)"
needs() { readelf -d "$1" | grep NEEDED; }
contains "and needs the shared object" "libhearth.so.0" "$(needs shared)"
same "but none of its libraries" 0 "$(needs shared | grep -c 'sodium\|mnl')"

# A program may have names like those inside: they do not meet.
cat >clash.c <<'END'
#include <hearth/listen.h>
int loop_run(void);
int loop_run(void) { return 7; }
int timer_set(void);
int timer_set(void) { return 0; }
static void news(void *ctx, const struct hearth_news *n) { (void)ctx; (void)n; }
int main(void)
{
	struct hearth_listen_opts o = { .size = sizeof(o), .news = news, .trust = "none" };
	struct hearth_listener *l;
	char why[HEARTH_WHY_MAX];
	return hearth_listen_open(&l, &o, why) != 0 && loop_run() == 7 && timer_set() == 0 ? 0 : 1;
}
END
static_libs=$(pkg-config --static --libs libhearth | sed 's/-lhearth/-l:libhearth.a/')
check "it builds with the archive" sh -c \
	"${CC:-cc} $flags -o static announcements.c \$(pkg-config --static --cflags libhearth) $static_libs"
same "which then is inside" 0 "$(needs static | grep -c libhearth)"
check "names of the program's own do no harm" sh -c \
	"${CC:-cc} $flags -o clash clash.c \$(pkg-config --cflags libhearth) $static_libs && ./clash"
if command -v c++ >/dev/null; then
	echo '#include <hearth/listen.h>' >plus.cc
	check "the header is fit for C++" sh -c \
		"c++ $flags -c \$(pkg-config --cflags libhearth) plus.cc"
fi

# --- it listens ------------------------------------------------------------------------
lan nas sub
announcer nas 'publish "here" { text = { "yes" } }'
for how in shared static; do
	spawn ip netns exec sub env LD_LIBRARY_PATH="$lib" "./$how" "$tmp/trust" \
		"$tmp/keys/group.key" >"$how.out"
	check "the $how one hears an announcer" wait_until "grep -q '^2 nas here yes' $how.out" 5
	stop "$pid"
done

make -C "$top_builddir" -s uninstall DESTDIR="$tmp/root" >"$tmp/uninstall.log" 2>&1
same "nothing is left after uninstalling" "" "$(find "$tmp/root" ! -type d)"
finish
