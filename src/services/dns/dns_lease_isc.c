/* SPDX-License-Identifier: MIT */
/*
 * dhcpd.leases(5): statements that end in a semicolon, and blocks of them.
 *
 *   lease 192.0.2.7 { ends 4 2026/01/08 22:00:00; binding state active; client-hostname "nas"; … }
 *   ia-na "…" { iaaddr 2001:db8::7 { ends never; binding state active; … } }
 *
 * The server appends a block whenever a lease changes, so the last one of an address counts. Blocks
 * of other kinds (hosts, failover state) are stepped over.
 */
#include "services/dns/dns_lease_parse.h"

#include <string.h>
#include <time.h>

#include "util/text.h"

#define WORDS_MAX 16	/* of one statement; what comes behind them does not matter to us */
#define YEAR_MAX  9999

enum block {
	BLOCK_NONE,
	BLOCK_IA,	/* addresses of one IPv6 client */
	BLOCK_ADDRESS,	/* lease or iaaddr */
};

struct isc {
	struct dns_leases *ls;
	struct span rest;
	uint32_t line;		/* of the next character */
	struct span word[WORDS_MAX];
	unsigned words;
	uint32_t begun;		/* line of the first word */

	unsigned depth;		/* blocks that are open */
	unsigned address_depth;	/* depth inside the block of an address; 0: not in one */
	bool in_ia;
	struct dns_lease_entry e;
	struct span ia;		/* the client of the IA block */
	bool active;
	struct span ddns_name;
};

/* --- words ------------------------------------------------------------------------------------ */

static uint8_t
take(struct isc *p)
{
	uint8_t c = p->rest.at[0];

	p->rest = text_after(p->rest, 1);
	if (c == '\n')
		p->line++;
	return c;
}

static void
skip_comment(struct isc *p)
{
	while (p->rest.len != 0 && p->rest.at[0] != '\n')
		(void)take(p);
}

/* A quoted text, escapes left as they are: a name that has some is unfit anyway. */
static struct span
quoted(struct isc *p)
{
	struct span text = span_of(p->rest.at, 0);

	while (p->rest.len != 0) {
		uint8_t c = take(p);

		if (c == '"')
			break;
		text.len++;
		if (c == '\\' && p->rest.len != 0) {
			(void)take(p);
			text.len++;
		}
	}
	return text;
}

static struct span
bare(struct isc *p)
{
	struct span text = span_of(p->rest.at, 0);

	while (p->rest.len != 0 && !text_is_blank(p->rest.at[0]) &&
	    memchr("\n;{}\"#", p->rest.at[0], 6) == NULL) {
		(void)take(p);
		text.len++;
	}
	return text;
}

/* Read words up to the end of a statement: gives ';', '{' or '}', and 0 at the end of the text. */
static uint8_t
statement(struct isc *p)
{
	p->words = 0;
	while (p->rest.len != 0) {
		uint8_t c = p->rest.at[0];
		uint32_t line = p->line;
		struct span word;

		if (c == '#') {
			skip_comment(p);
			continue;
		}
		if (c == ';' || c == '{' || c == '}' || c == '\n' || text_is_blank(c)) {
			(void)take(p);
			if (c == ';' || c == '{' || c == '}')
				return c;
			continue;
		}
		if (c == '"') {
			(void)take(p);
			word = quoted(p);
		} else {
			word = bare(p);
		}
		if (p->words == 0)
			p->begun = line;
		if (p->words < WORDS_MAX)
			p->word[p->words++] = word;
	}
	return 0;
}

static bool
word_is(const struct isc *p, unsigned i, const char *text)
{
	return i < p->words && text_is(p->word[i], text);
}

/* --- dates ------------------------------------------------------------------------------------ */

/* Read three numbers with a mark between them. */
static bool
three(struct span text, uint8_t mark, int out[static 3])
{
	for (unsigned i = 0; i < 3; i++) {
		uint64_t v;

		if (!text_u64(text_next_field(&text, mark), &v) || v > YEAR_MAX)
			return false;
		out[i] = (int)v;
	}
	return text.len == 0;
}

/* "ends never", "ends epoch 1767909600", "ends 4 2026/01/08 22:00:00" (day of week, UTC). */
static bool
read_date(const struct isc *p, int64_t *out)
{
	int date[3], hour[3];

	if (word_is(p, 1, "never")) {
		*out = DNS_LEASE_FOREVER;
		return true;
	}
	if (word_is(p, 1, "epoch") && p->words > 2)
		return dns_lease_time(p->word[2], out);
	if (p->words < 4 || !three(p->word[2], '/', date) || !three(p->word[3], ':', hour))
		return false;

	struct tm tm = { .tm_year = date[0] - 1900, .tm_mon = date[1] - 1, .tm_mday = date[2],
		.tm_hour = hour[0], .tm_min = hour[1], .tm_sec = hour[2] };

	*out = timegm(&tm);
	return true;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void
open_block(struct isc *p)
{
	bool lease = p->depth == 0 && word_is(p, 0, "lease");
	bool iaaddr = p->depth == 1 && p->in_ia && word_is(p, 0, "iaaddr");

	if (p->depth == 0 && (word_is(p, 0, "ia-na") || word_is(p, 0, "ia-ta"))) {
		p->in_ia = true;
		p->ia = p->words > 1 ? p->word[1] : span_of(NULL, 0);
	}
	p->depth++;
	if (!lease && !iaaddr)
		return;
	p->address_depth = p->depth;
	p->active = true;	/* unless it says otherwise: very old files do not say */
	p->ddns_name = span_of(NULL, 0);
	p->e.addr = p->words > 1 ? p->word[1] : span_of(NULL, 0);
	p->e.name = span_of(NULL, 0);
	p->e.client = iaaddr ? p->ia : span_of(NULL, 0);
	p->e.expires = DNS_LEASE_FOREVER;
	p->e.line = p->begun;
}

static enum err
close_block(struct isc *p)
{
	bool address = p->address_depth != 0 && p->depth == p->address_depth;

	if (p->depth > 0)
		p->depth--;
	if (p->depth == 0)
		p->in_ia = false;
	if (!address)
		return OK;
	p->address_depth = 0;
	if (!p->active)
		p->e.expires = DNS_LEASE_ENDED;
	if (p->e.name.len == 0)
		p->e.name = p->ddns_name;
	return dns_lease_add(p->ls, &p->e);
}

/* A statement inside the block of an address. */
static void
note(struct isc *p)
{
	if (word_is(p, 0, "ends")) {
		if (!read_date(p, &p->e.expires))
			dns_lease_bad(p->ls, p->begun);
	} else if (word_is(p, 0, "binding") && word_is(p, 1, "state")) {
		p->active = word_is(p, 2, "active");
	} else if (word_is(p, 0, "abandoned")) {
		p->active = false;
	} else if (word_is(p, 0, "hardware") && p->words > 2) {
		p->e.client = p->word[2];
	} else if (word_is(p, 0, "client-hostname") && p->words > 1) {
		p->e.name = p->word[1];
	} else if (word_is(p, 0, "set") && word_is(p, 1, "ddns-fwd-name") && p->words > 3) {
		p->ddns_name = p->word[3];	/* set ddns-fwd-name = "nas.example" */
	}
}

enum err
dns_lease_parse_isc(struct dns_leases *ls, struct span text, uint16_t source)
{
	struct isc p = { .ls = ls, .rest = text, .line = 1, .e.source = source };
	enum err err = OK;
	uint8_t end;

	while (err == OK && (end = statement(&p)) != 0) {
		if (end == '{')
			open_block(&p);
		else if (end == '}')
			err = close_block(&p);
		else if (p.address_depth != 0 && p.depth == p.address_depth)
			note(&p);
	}
	return err;
}
