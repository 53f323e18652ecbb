/* SPDX-License-Identifier: MIT */
/*
 * resolv.conf(5), the nameserver lines of it. c-ares could read the file itself, but it would do
 * so whenever it likes, and its reader has a history (CVE-2024-25629).
 */
#include "services/dns/dns_resolvconf.h"

#include <stdbool.h>
#include <string.h>

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Cut the next word off the front of the line; empty at its end. */
static struct span
next_word(struct span *line)
{
	size_t at = 0, end;

	while (at < line->len && is_blank(line->at[at]))
		at++;
	end = at;
	while (end < line->len && !is_blank(line->at[end]))
		end++;

	struct span word = span_of(line->at + at, end - at);

	*line = span_of(line->at + end, line->len - end);
	return word;
}

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
	*out = (struct dns_resolvconf){ 0 };
	while (text.len != 0) {
		const uint8_t *newline = memchr(text.at, '\n', text.len);
		size_t len = newline != NULL ? (size_t)(newline - text.at) : text.len;
		struct span line = span_of(text.at, len);
		size_t used = newline != NULL ? len + 1 : len;

		/* The keyword stands at the very start, or it is none to the C library either. */
		if (line.len != 0 && !is_blank(line.at[0]) &&
		    span_equal(next_word(&line), span_str("nameserver")))
			add_server(out, next_word(&line));
		text = span_of(text.at + used, text.len - used);
	}
}
