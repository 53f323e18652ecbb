/* SPDX-License-Identifier: MIT */
/*
 * resolv.conf(5), the nameserver lines of it. c-ares could read the file itself, but it would do
 * so whenever it likes, and its reader has a history (CVE-2024-25629).
 */
#include "services/dns/dns_resolvconf.h"

#include <stdbool.h>
#include <string.h>

#include "util/text.h"

static bool
is_listed(const struct dns_resolvconf *rc, const char *server)
{
	for (size_t i = 0; i < rc->count; i++)
		if (strcmp(rc->servers[i], server) == 0)
			return true;
	return false;
}

static void
add_server(struct dns_resolvconf *out, struct span word)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	if (word.len == 0 || word.len >= sizeof(text) || memchr(word.at, '\0', word.len) != NULL ||
	    memchr(word.at, '[', word.len) != NULL) {
		out->refused++;
		return;
	}
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';

	/* The interface may appear later; whoever opens sockets finds out. */
	enum err e = addr_parse(&a, text, 0);

	if ((e != OK && e != ERR_NOTFOUND) || (e == OK && addr_port(&a) != 0)) {
		out->refused++;
		return;
	}
	if (is_listed(out, text))
		return;
	if (out->count == DNS_RESOLVCONF_MAX) {
		out->refused++;
		return;
	}
	memcpy(out->servers[out->count++], text, word.len + 1);
}

void
dns_resolvconf_parse(struct dns_resolvconf *out, struct span text)
{
	struct span line;

	*out = (struct dns_resolvconf){ 0 };
	while (text_next_line(&text, &line))
		/* The keyword stands at the very start, or it is none to the C library either. */
		if (line.len != 0 && !text_is_blank(line.at[0]) &&
		    text_is(text_next_word(&line), "nameserver"))
			add_server(out, text_next_word(&line));
}
