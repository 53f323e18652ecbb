/* SPDX-License-Identifier: MIT */
/*
 * hosts(5). Comments from # to the end of the line, words between blanks, CR ignored. Lines may be
 * of any length, as nothing is copied but one name.
 */
#include "services/dns/dns_hosts.h"

#include <string.h>

#include "util/addr.h"
#include "util/text.h"

#define NAME_TEXT_MAX 254	/* 253 characters and a closing dot */

void
dns_hosts_begin(struct dns_hosts *h, struct span text)
{
	*h = (struct dns_hosts){ .rest = text_after_mark(text) };
}

static bool
is_host_char(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	    c == '.';
}

const char *
dns_hosts_name(struct dns_name *out, struct span text)
{
	uint8_t addr[16];

	if (text.len > NAME_TEXT_MAX)
		return "name is too long";
	for (size_t i = 0; i < text.len; i++)
		if (!is_host_char(text.at[i]))
			return "name has a character that names of hosts cannot have";
	/* Lists for blocking begin with such lines; as a name it would never be asked for. */
	if (addr_parse_bytes(addr, text) != 0)
		return "address in the place of a name";

	enum err e = dns_name_parse(out, text);

	if (e == ERR_RANGE)
		return "name is too long";
	return e == OK && !dns_name_is_root(dns_name_span(out)) ? NULL : "name has an empty label";
}

/* Without its interface (fe80::1%eth0) a link-local address leads nowhere; drop both. */
static const char *
read_address(struct dns_hosts *h, struct span word)
{
	struct span interface = word;
	struct span text = text_next_field(&interface, '%');

	h->addr_len = (uint8_t)addr_parse_bytes(h->addr, text);
	if (h->addr_len == 0)
		return "not an address";
	if (text.len != word.len)
		return "address with an interface, which DNS cannot tell";
	return NULL;
}

static enum dns_hosts_found
bad(struct dns_hosts *h, struct span text, const char *why)
{
	h->text = text;
	h->why = why;
	return DNS_HOSTS_BAD;
}

/* Step to the next line that has an address. END, BAD, or NAME where there is one. */
static enum dns_hosts_found
next_line(struct dns_hosts *h)
{
	struct span line;

	while (text_next_line(&h->rest, &line)) {
		struct span words = text_next_field(&line, '#');
		struct span word = text_next_word(&words);

		h->line++;
		if (word.len == 0)
			continue;

		const char *why = read_address(h, word);

		h->names = why == NULL ? words : span_of(NULL, 0);
		h->named = false;
		return why == NULL ? DNS_HOSTS_NAME : bad(h, word, why);
	}
	return DNS_HOSTS_END;
}

enum dns_hosts_found
dns_hosts_next(struct dns_hosts *h)
{
	struct span word;

	while ((word = text_next_word(&h->names)).len == 0) {
		enum dns_hosts_found found = next_line(h);

		if (found != DNS_HOSTS_NAME)
			return found;
	}

	const char *why = dns_hosts_name(&h->name, word);

	if (why != NULL)
		return bad(h, word, why);
	h->canonical = !h->named;
	h->named = true;
	return DNS_HOSTS_NAME;
}
