#!/bin/sh
# SPDX-License-Identifier: MIT
# The files of the page as C, on standard output: embed.sh FOLDER
set -eu
cd "$1"
printf '/* Made by src/page/embed.sh. */\n#include "core/http_files.h"\n'
for file in index.html page.css page.js; do
	printf '\nstatic const uint8_t file_%s[] = {\n' "$(echo "$file" | tr . _)"
	od -An -v -tx1 "$file" | sed 's/ \(..\)/0x\1,/g'
	printf '};\n'
done
cat <<'END'

const struct http_file http_files[] = {
	{ "/", "text/html; charset=utf-8", file_index_html, sizeof(file_index_html) },
	{ "/page.css", "text/css; charset=utf-8", file_page_css, sizeof(file_page_css) },
	{ "/page.js", "text/javascript; charset=utf-8", file_page_js, sizeof(file_page_js) },
	{ 0 },
};
END
