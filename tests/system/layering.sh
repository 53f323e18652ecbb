#!/bin/sh
# SPDX-License-Identifier: MIT
# Arrows point down: programs -> services -> core -> util. One door per outside library. A source
# includes its own header first. The rules are at the top of the awk program below; the second
# half of the test plants a breach of each into a copy and expects to be told.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"

# breaches DIR: one line for each; DIR is a src directory.
breaches() {
	(cd "$1" && find . -name '*.[ch]' | sed 's|^\./||' | LC_ALL=C sort |
		xargs grep -HEn '^[[:space:]]*#[[:space:]]*include') |
		awk -v src="$1" '
	BEGIN {
		# Header of an outside library, or of ours that opens one -> the files that may
		# include it. Everything else in <> must be the C library or the kernel.
		door["ares.h"] = "^services/dns/dns_upstream(_[a-z0-9]+)*[.]c$"
		door["sodium.h"] = "^(util/seal|core/rand)[.]c$"
		door["confuse.h"] = "^core/conf_parse[.]c$"
		json = "core/(report|ctl|http|http_metrics)[.]c|hearthctl(_[a-z0-9]+|/[a-z0-9_]+)*[.]c"
		door["jansson.h"] = "^(core/report_json[.]h|hearthctl/[a-z_]*[.]h|" json ")$"
		door["core/report_json.h"] = "^(core/http_metrics[.]h|" json ")$"
		door["microhttpd.h"] = "^core/http[.]c$"
		door["libmnl/libmnl.h"] = "^core/(netlink[.]h|(netif|addrset(_[a-z]+)?)[.]c)$"
		door["core/netlink.h"] = "^core/(netif|addrset(_[a-z]+)?)[.]c$"
		tls = "^services/dns/dns_upstream_tls[.]c$"
		door["openssl/err.h"] = door["openssl/ssl.h"] = door["openssl/x509v3.h"] = tls
		door["pcre2.h"] = "^services/dns/dns_regex[.]c$"
		libc = "^((sys|net|netinet|arpa|linux|asm)/[a-z0-9_/]+|assert|ctype|dirent|dlfcn|" \
		    "endian|errno|fcntl|float|fnmatch|ftw|getopt|glob|grp|ifaddrs|inttypes|iconv|" \
		    "langinfo|libgen|limits|locale|malloc|math|netdb|poll|pthread|pwd|regex|" \
		    "sched|search|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|" \
		    "stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|time|ucontext|" \
		    "unistd|utime|wchar)[.]h$"
		level["util"] = 1; level["core"] = 2; level["services"] = 3
	}

	# util 1, core 2, services 3, programs and whatever else there is 4
	function layer(path,   part) {
		if (split(path, part, "/") > 1 && part[1] in level)
			return level[part[1]]
		return 4
	}
	# The name of the service that a file belongs to; "" for the list of them and all others.
	function service(path,   part) {
		return split(path, part, "/") > 2 && part[1] == "services" ? part[2] : ""
	}
	function exists(path,   line, there) {
		there = (getline line <(src "/" path)) >= 0
		close(src "/" path)
		return there
	}
	function breach(text) {
		print file ":" line ": " text
	}
	function directory(path) {
		sub("[^/]*$", "", path)
		return path
	}

	function outside(name) {
		if (name in door) {
			if (file !~ door[name])
				breach("<" name "> has its one door elsewhere")
		} else if (name !~ libc)
			breach("<" name "> is an outside library without a door")
	}
	function inside(name) {
		if (!exists(name))
			breach("\"" name "\" is not spelled from src/")
		else if (layer(name) > layer(file))
			breach("\"" name "\" points upward")
		else if (service(file) != "" && service(name) != service(file) && layer(name) == 3)
			breach("\"" name "\" belongs to another service")
		else if (name in door && file !~ door[name])
			breach("\"" name "\" has its one door elsewhere")
	}
	# Its own header, or where a source is one of several behind a header, one beside it.
	function first_include(name,   own) {
		own = file
		sub("[.]c$", ".h", own)
		if (exists(own)) {
			if (name != own)
				breach("does not include its own header first")
		} else if (layer(file) < 4 && directory(name) != directory(file))
			breach("does not begin with a header of its own folder")
	}

	{
		split($0, part, ":")
		file = part[1]; line = part[2]
		quoted = match($0, /"[^"]*"/)
		if (!quoted && !match($0, /<[^>]*>/)) {
			breach("an include that is neither \"\" nor <>")
			next
		}
		name = substr($0, RSTART + 1, RLENGTH - 2)
		if (file ~ /[.]c$/ && !(file in seen))
			first_include(quoted ? name : "")
		seen[file] = 1
		if (quoted)
			inside(name)
		else
			outside(name)
	}'
}

# docs/design.md: what its table of files names is there.
same "the files of docs/design.md's table exist" "" "$(
	sed -n '/^## Where to look/,/^## One/p' "$top_srcdir/docs/design.md" | grep '^|' |
		grep -o '`[a-z_0-9]*`' | tr -d '\`' | sort -u | while read -r file; do
			find "$top_srcdir/src" -name "$file.[ch]" | grep -q . || echo "$file"
		done)"

found=$(breaches "$top_srcdir/src")
same "the tree keeps the rules" "" "$found"
before=$(printf %s "$found" | grep -c '')

# plant FILE LINE EXPECTED: put LINE at the end of FILE in a copy of the sources.
plant() {
	local found

	rm -rf "$tmp/src"
	cp -R "$top_srcdir/src" "$tmp/src"
	chmod -R u+w "$tmp/src"
	mkdir -p "$tmp/src/services/one" "$tmp/src/services/two"
	echo '/* a service */' >"$tmp/src/services/two/two.h"
	echo '/* a service */' >"$tmp/src/services/one/one.h"
	[ -e "$tmp/src/$1" ] || case $1 in
	services/one/*) echo '#include "services/one/one.h"' >"$tmp/src/$1" ;;
	esac
	echo "$2" >>"$tmp/src/$1"
	found=$(breaches "$tmp/src")
	contains "told of $2 in $1" "$3" "$found"
	same "and of nothing else" $((before + 1)) "$(printf '%s\n' "$found" | grep -c '')"
}

plant util/addr.c '#include "core/rand.h"' 'points upward'
plant core/rand.c '#include "services/two/two.h"' 'points upward'
plant services/one/one.c '#include "services/two/two.h"' 'belongs to another service'
plant services/one/one.c '# include <sodium.h>' 'one door'
plant services/one/one.c '#include <ares.h>' 'one door'
plant util/addr.h '	#include <jansson.h>' 'one door'
plant util/addr.c '#include <CUnit/CUnit.h>' 'without a door'
plant util/addr.c '#include "addr.h"' 'not spelled from src/'
plant util/addr.c '#include SOME_MACRO' 'neither'
plant util/planted.c '#include <stdio.h>' 'header of its own folder'
plant core/planted.c '#include "util/err.h"' 'header of its own folder'

# The first include of a source that has a header of its own.
rm -rf "$tmp/src"
mkdir -p "$tmp/src/util"
echo '/* */' >"$tmp/src/util/a.h"
printf '#include <stdio.h>\n#include "util/a.h"\n' >"$tmp/src/util/a.c"
contains "told of a header that comes second" "own header first" "$(breaches "$tmp/src")"
printf '#include "util/a.h"\n#include <stdio.h>\n' >"$tmp/src/util/a.c"
same "content with one that comes first" "" "$(breaches "$tmp/src")"

# What is allowed draws no remark.
mkdir -p "$tmp/src/core" "$tmp/src/services/one"
echo '#include "util/a.h"' >"$tmp/src/services/one/one.h"
printf '#include "services/one/one.h"\n#include "util/a.h"\n' >"$tmp/src/services/one/one.c"
echo '#include "services/one/one.h"' >"$tmp/src/services/services.h"
printf '#include "services/services.h"\n#include <stdio.h>\n' >"$tmp/src/hearthd.c"
same "content with arrows that point down" "" "$(breaches "$tmp/src")"

finish
