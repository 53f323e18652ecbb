#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever the project shows as a settings file is one: the examples, README's, the first look's.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"

for file in "$top_srcdir"/contrib/examples/*.conf; do
	check "${file##*/} has no errors" "$hearthd" --check -c "$file"
done

# README.md: the only fenced block with a section in it.
awk '/^```/ { if (inside && hit) printf "%s", text; inside = !inside; text = ""; hit = 0; next }
	inside { text = text $0 "\n"; if (/^dns \{/) hit = 1 }' "$top_srcdir/README.md" >"$tmp/readme.conf"
contains "README.md shows settings" "upstream" "$(cat "$tmp/readme.conf")"
check "README.md's settings have no errors" "$hearthd" --check -c "$tmp/readme.conf"

# What is not built in is refused, as it should be.
absent='^$'
"$hearthd" --version | grep -q 'libmicrohttpd no' && absent='^http '
sed -e "s,@dir@,$tmp,g" -e 's,@user@,,g' "$top_srcdir/contrib/hearthd-quickstart.conf" |
	grep -v "$absent" >"$tmp/quick.conf"
check "the first look's settings have no errors" "$hearthd" --check -c "$tmp/quick.conf"

# Settings that are commented out are meant to be put in force.
for file in "$tmp/quick.conf" "$top_srcdir"/contrib/examples/*.conf; do
	sed 's/^\(\t*\)# \([a-z-]* *= \|[a-z]* *"[^"]*" *{\)/\1\2/' "$file" >"$tmp/all.conf"
	check "${file##*/} with all of them put in force, too" "$hearthd" --check -c "$tmp/all.conf"
done

# The manual page of the settings: the block in its words.
sed -n '/^\.Bd -literal/,/^\.Ed/p' "$top_srcdir/docs/hearthd.conf.5.in" | grep -v '^\.' >"$tmp/man.conf"
contains "hearthd.conf.5 shows settings" "upstream" "$(cat "$tmp/man.conf")"
check "hearthd.conf.5's settings have no errors" "$hearthd" --check -c "$tmp/man.conf"

# What --dump-config prints is a file again; a help line is a phrase, not a sentence with a stop.
"$hearthd" --dump-config -c "$top_srcdir/contrib/examples/netboot.conf" >"$tmp/dump.conf"
check "what --dump-config prints has no errors" "$hearthd" --check -c "$tmp/dump.conf"
same "help lines end without a stop" "" "$(grep -n '^[#	]*# .*\.\(;.*\)\?$' "$tmp/dump.conf" |
	grep -v 'not written\.$')"

if command -v mandoc >/dev/null; then
	for page in "$top_srcdir"/docs/hearthd.8 "$top_srcdir"/docs/hearthctl.1 "$top_srcdir"/docs/libhearth.3 \
	    "$top_builddir"/docs/hearthd.conf.5; do
		same "${page##*/} is clean mdoc" "" "$(mandoc -T lint "$page" |
			grep -v 'longer than 80 bytes\|referenced manual not found\|outdated mandoc.db')"
	done
fi
finish
