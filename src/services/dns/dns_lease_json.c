/* SPDX-License-Identifier: MIT */
/*
 * The lease file of systemd-networkd's DHCP server:
 *
 *   { "Leases": [ { "Address": [192,0,2,7], "Hostname": "nas", "ClientId": [1,2,…],
 *     "ExpirationRealtimeUSec": 1767909600000000, … }, … ], … }
 *
 * Read with a scanner that knows just enough JSON to step over what it does not want. It does not
 * recurse, so that no nesting can exhaust the stack.
 */
#include "services/dns/dns_lease_parse.h"

#include <stdio.h>

#include "util/text.h"

#define ADDRESS_TEXT_MAX 16	/* "255.255.255.255" and its zero */

struct json {
	struct span rest;
	uint32_t line;
	bool bad;	/* sticky: not JSON, or not what was expected */
};

static void
skip_blanks(struct json *j)
{
	while (j->rest.len != 0 && (text_is_blank(j->rest.at[0]) || j->rest.at[0] == '\n')) {
		if (j->rest.at[0] == '\n')
			j->line++;
		j->rest = text_after(j->rest, 1);
	}
}

/* The next character that is no blank, left where it is; 0 at the end. */
static uint8_t
peek(struct json *j)
{
	skip_blanks(j);
	return !j->bad && j->rest.len != 0 ? j->rest.at[0] : 0;
}

/* Step over c where it comes next. */
static bool
accept(struct json *j, uint8_t c)
{
	if (peek(j) != c)
		return false;
	j->rest = text_after(j->rest, 1);
	return true;
}

static void
expect(struct json *j, uint8_t c)
{
	if (!accept(j, c))
		j->bad = true;
}

/* The text between quotes, escapes left as they are: a name that has some is unfit anyway. */
static struct span
string(struct json *j)
{
	struct span text;
	size_t n = 0;

	expect(j, '"');
	text = span_of(j->rest.at, 0);
	while (!j->bad && n < j->rest.len && j->rest.at[n] != '"')
		n += j->rest.at[n] == '\\' ? 2 : 1;
	if (j->bad || n >= j->rest.len) {
		j->bad = true;
		return text;
	}
	text.len = n;
	j->rest = text_after(j->rest, n + 1);
	return text;
}

/* A number, true, false or null. */
static struct span
plain(struct json *j)
{
	struct span text;

	skip_blanks(j);
	text = span_of(j->rest.at, 0);
	while (text.len < j->rest.len && !text_is_blank(j->rest.at[text.len]) &&
	    memchr("\n,:[]{}\"", j->rest.at[text.len], 8) == NULL)
		text.len++;
	if (text.len == 0)
		j->bad = true;
	j->rest = text_after(j->rest, text.len);
	return text;
}

/* Step over a value, whatever it is; brackets are counted, not matched. */
static void
skip_value(struct json *j)
{
	size_t open = 0;

	do {
		uint8_t c = peek(j);

		if (c == '"')
			(void)string(j);
		else if (c == '[' || c == '{')
			open += accept(j, c);
		else if (open != 0 && (c == ']' || c == '}'))
			open -= accept(j, c);
		else if (open != 0 && (c == ',' || c == ':'))
			(void)accept(j, c);
		else
			(void)plain(j);
	} while (open != 0 && !j->bad);
}

/* Inside an object: give the next key, ready to read its value. False at the end. */
static bool
next_key(struct json *j, struct span *key, bool *first)
{
	if (accept(j, '}'))
		return false;
	if (!*first)
		expect(j, ',');
	*first = false;
	*key = string(j);
	expect(j, ':');
	return !j->bad;
}

/* Inside an array: true where another element comes. */
static bool
next_element(struct json *j, bool *first)
{
	if (accept(j, ']'))
		return false;
	if (!*first)
		expect(j, ',');
	*first = false;
	return !j->bad;
}

/* [192,0,2,7] as "192.0.2.7"; empty where it is anything else. */
static struct span
read_address(struct json *j, char text[static ADDRESS_TEXT_MAX])
{
	uint64_t v[4] = { 0 };
	unsigned n = 0;
	bool first = true;
	bool fine = true;

	expect(j, '[');
	while (next_element(j, &first)) {
		uint64_t byte;

		fine = text_u64(plain(j), &byte) && byte <= 255 && n < 4 && fine;
		if (fine)
			v[n++] = byte;
	}
	if (!fine || n != 4)
		return span_of(NULL, 0);
	return span_of(text, (size_t)snprintf(text, ADDRESS_TEXT_MAX, "%u.%u.%u.%u",
	    (unsigned)v[0], (unsigned)v[1], (unsigned)v[2], (unsigned)v[3]));
}

static enum err
read_lease(struct json *j, struct dns_leases *ls, uint16_t source)
{
	struct dns_lease_entry e = { .source = source, .expires = DNS_LEASE_FOREVER };
	char address[ADDRESS_TEXT_MAX];
	struct span key;
	bool first = true;

	expect(j, '{');
	e.line = j->line;
	while (next_key(j, &key, &first)) {
		if (text_is(key, "Address") && peek(j) == '[') {
			e.addr = read_address(j, address);
		} else if (text_is(key, "Hostname") && peek(j) == '"') {
			e.name = string(j);
		} else if (text_is(key, "ExpirationRealtimeUSec")) {
			if (dns_lease_time(plain(j), &e.expires))
				e.expires /= 1000000;
		} else if (text_is(key, "ClientId")) {
			const uint8_t *from = j->rest.at;

			skip_value(j);
			e.client = span_of(from, (size_t)(j->rest.at - from));
		} else {
			skip_value(j);
		}
	}
	return j->bad ? OK : dns_lease_add(ls, &e);
}

enum err
dns_lease_parse_networkd(struct dns_leases *ls, struct span text, uint16_t source)
{
	struct json j = { .rest = text, .line = 1 };
	struct span key;
	enum err err = OK;
	bool first_key = true;
	bool first = true;

	expect(&j, '{');
	while (err == OK && next_key(&j, &key, &first_key)) {
		if (!text_is(key, "Leases") || !accept(&j, '[')) {
			skip_value(&j);
			continue;
		}
		first = true;
		while (err == OK && next_element(&j, &first))
			err = read_lease(&j, ls, source);
	}
	if (j.bad)
		dns_lease_bad(ls, j.line);
	return err;
}
