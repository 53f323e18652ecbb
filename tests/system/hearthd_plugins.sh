#!/bin/sh
# SPDX-License-Identifier: MIT
# Services built outside of the tree against the installed headers: loaded, answering, refused when
# they were built for another ABI.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/support/shell.sh"
. "$top_srcdir/tests/support/hearthd.sh"
need dig nc pkg-config make
in_netns "$@"

make -C "$top_builddir" -s install DESTDIR="$tmp/root" >"$tmp/install.log" 2>&1 ||
	{ fail "make install"; show "$tmp/install.log"; finish; }
pc=$(find "$tmp/root" -name hearth.pc)
check "hearth.pc is installed" [ -n "$pc" ]
cp -R "$top_srcdir/contrib/services" "$tmp/services"
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
check "echo and sntp build with pkg-config alone" \
	make -s -C "$tmp/services" CC="${CC:-cc}" OUT="$tmp" \
		CFLAGS="-O1 -Wall -Wextra -Werror ${PLUGIN_CFLAGS:-}"

echo_port=$(free_port)
sntp_port=$(free_port)
{ conf_head; cat <<END
load = { "$tmp/echo.so", "$tmp/sntp.so" }
echo { listen = { "127.0.0.1:$echo_port" } }
sntp { listen = { "127.0.0.1:$sntp_port" }  stratum = 3 }
END
} >"$tmp/conf"
start_hearthd "$tmp/conf"
same "echo answers nc" "hello there" \
	"$(printf 'hello there' | timeout 5 nc -u -w 1 127.0.0.1 "$echo_port")"

# A client's SNTP packet is 0x23 and 47 zeros but for the transmit time, which comes back as
# originate.
printf '\043\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0ABCDEFGH' |
	timeout 5 nc -u -w 1 127.0.0.1 "$sntp_port" | od -An -v -tx1 | tr -d ' \n' >"$tmp/sntp"
reply=$(cat "$tmp/sntp")
same "an SNTP answer has 48 bytes" 96 "${#reply}"
same "version 4, server, stratum 3" 2403 "$(echo "$reply" | cut -c1-4)"
same "it echoes the client's time" 4142434445464748 "$(echo "$reply" | cut -c49-64)"
told=$((0x$(echo "$reply" | cut -c81-88) - 2208988800))
check "and tells the time of day ($told)" \
	[ $((told - $(date +%s))) -ge -2 -a $((told - $(date +%s))) -le 2 ]
printf loop | timeout 5 nc -u -w 1 -s 127.0.0.2 -p "$echo_port" 127.0.0.1 "$echo_port" >"$tmp/loop"
same "what may be another echo gets no answer" "" "$(cat "$tmp/loop")"
same "counted in status" 1 "$(counter sntp.answered)"
check "a loaded service's settings are checked" sh -c "sed 's/stratum = 3/stratum = 99/' '$tmp/conf' >'$tmp/bad'
	! '$hearthd' --check -c '$tmp/bad' 2>'$tmp/err' && grep -q 'sntp.stratum' '$tmp/err'"
stop "$hearthd_pid"
same "it ends with 0" 0 $?

# A job that is at work when the daemon ends still comes back to the service it belongs to.
cat >"$tmp/late.c" <<'END'
#include <hearth/core/offload.h>
#include <hearth/service.h>
#include <stdio.h>
#include <unistd.h>

static struct offload_job job;

static void
work(struct offload_job *j)
{
	(void)j;
	usleep(500000);
}

static void
done(struct offload_job *j)
{
	(void)j;
	fputs("the job came back\n", stderr);
}

static enum err
start(struct service *sv, const struct conf *cf)
{
	(void)cf;
	job = (struct offload_job){ .work = work, .done = done };
	return offload_submit(sv->offload, &job);
}

static const struct conf_key keys[] = { { 0 } };
const struct service_ops hearth_service = { .abi = HEARTH_SERVICE_ABI, .name = "late", .help = "",
	.keys = keys, .start = start };
END
${CC:-cc} -std=gnu11 -shared -fPIC ${PLUGIN_CFLAGS:-} $(pkg-config --cflags hearth) \
	-o "$tmp/late.so" "$tmp/late.c"
{ conf_head; echo "load = { \"$tmp/late.so\" }"; echo "late { }"; } >"$tmp/conf"
start_hearthd "$tmp/conf" late
stop "$hearthd_pid"
same "a daemon that ends while a job is at work ends with 0" 0 $?
contains "after the job has come back" "the job came back" "$(cat "$hearthd_log")"

sed 's/\.abi = HEARTH_SERVICE_ABI/.abi = HEARTH_SERVICE_ABI + 41/' "$tmp/services/echo/echo.c" \
	>"$tmp/old.c"
${CC:-cc} -std=gnu11 -shared -fPIC ${PLUGIN_CFLAGS:-} $(pkg-config --cflags hearth) \
	-o "$tmp/old.so" "$tmp/old.c"
echo "load = { \"$tmp/old.so\" }" >"$tmp/conf"
"$hearthd" --check -c "$tmp/conf" >/dev/null 2>"$tmp/err"
same "another ABI is refused" 2 $?
contains "with one clear line" "built for service ABI 42, this hearthd has 1" "$(cat "$tmp/err")"
same "and only one" 1 "$(wc -l <"$tmp/err")"
echo "load = { \"$tmp/none.so\" }" >"$tmp/conf"
"$hearthd" --check -c "$tmp/conf" >/dev/null 2>"$tmp/err"
same "a missing object is refused" 2 $?
contains "and named" "$tmp/none.so" "$(cat "$tmp/err")"
finish
