/* SPDX-License-Identifier: MIT */
/*
 * Lines of lists to names. The grammar of adblock is that of the hosts lists derived from it: a
 * rule is taken only where it means the same for a name as for an address in a browser; a rule that
 * is left out blocks too little, one that is misread blocks too much.
 */
#include "services/dns/dns_listfile.h"

#include <arpa/inet.h>
#include <string.h>

#include "services/dns/dns_regex.h"
#include "util/text.h"

/* What became of a line or of a name in it. */
enum verdict {
	TAKEN,
	INVALID,
	UNSUPPORTED,
	NO_MEMORY,
};

/* A line at work. */
struct line {
	struct dns_listfile *f;
	const char *why;	/* of INVALID and UNSUPPORTED */
};

static enum verdict
refuse(struct line *l, enum verdict v, const char *why)
{
	l->why = why;
	return v;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Give the byte in lower case where names of lists may hold it, else 0. */
static inline uint8_t
name_byte(uint8_t c)
{
	c = ascii_lower(c);
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return c;
	return 0;
}

/*
 * Write the labels that text begins with to *out, as far as they go; *used is where they end. False
 * where a label or the name is too long, or a label empty.
 */
static bool
take_labels(struct dns_name *out, struct span text, size_t *used)
{
	size_t label = 0;	/* where the length byte of the current label is */
	size_t at = 1;
	size_t i;

	for (i = 0; i < text.len; i++) {
		uint8_t c = name_byte(text.at[i]);

		if (c == 0 && text.at[i] != '.')
			break;
		/* The name's end needs a byte of its own. */
		if (at >= DNS_NAME_MAX - 1)
			return false;
		if (c != 0) {
			out->wire[at++] = c;
			continue;
		}
		if (at == label + 1 || at - label - 1 > DNS_LABEL_MAX)
			return false;
		out->wire[label] = (uint8_t)(at - label - 1);
		label = at++;
	}
	*used = i;
	if (at - label - 1 > DNS_LABEL_MAX)
		return false;
	out->wire[label] = (uint8_t)(at - label - 1);
	if (at == label + 1)	/* nothing, or a dot at the end: this byte is the root */
		at = label;
	out->wire[at++] = 0;
	out->len = (uint8_t)at;
	return true;
}

/*
 * The last label is a number: an address of IPv4, or a part of one. No name ends so (RFC 3696 §2).
 */
static bool
ends_in_number(const struct dns_name *n)
{
	struct span name = dns_name_span(n);

	while (!dns_name_is_root(dns_name_parent(name)))
		name = dns_name_parent(name);
	for (size_t i = 0; i < name.at[0]; i++)
		if (name.at[1 + i] < '0' || name.at[1 + i] > '9')
			return false;
	return true;
}

/* Say why a name stopped where it did. */
static enum verdict
refuse_byte(struct line *l, uint8_t c)
{
	if (c >= 0x80)
		return refuse(l, INVALID, "not ASCII: names in other scripts are written as xn--");
	if (c != 0 && strchr("^$*/|:=,~@?&;#%+()", c) != NULL)
		return refuse(l, UNSUPPORTED, "says more than a name can");
	return refuse(l, INVALID, "not a name");
}

/* Read the name that text begins with; *used is where it ends. Not more than a name's form. */
static enum verdict
read_name(struct line *l, struct span text, struct dns_name *out, size_t *used)
{
	if (!take_labels(out, text, used))
		return refuse(l, INVALID, "a label is empty, or the name too long");
	if (out->len == 1)
		return *used < text.len ? refuse_byte(l, text.at[*used])
					: refuse(l, INVALID, "not a name");
	if (ends_in_number(out))
		return refuse(l, UNSUPPORTED, "an address, not a name");
	return TAKEN;
}

static enum verdict
add(struct line *l, enum dns_list_kind kind, bool exact, const struct dns_name *name)
{
	struct dns_list_rule rule = { .kind = kind, .exact = exact, .source = l->f->source };
	enum err e = dns_list_add(l->f->to, rule, dns_name_span(name));

	if (e == ERR_NOMEM)
		return NO_MEMORY;
	l->f->stats.names++;	/* also where the set is full: the builder counts those */
	return TAKEN;
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* The line sends its names nowhere, as lists do. */
static bool
is_nowhere(struct span address)
{
	return text_is(address, "0.0.0.0") || text_is(address, "127.0.0.1") ||
	    text_is(address, "::") || text_is(address, "::1") || text_is(address, "0");
}

static bool
is_address(struct span word)
{
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t bytes[16];

	if (word.len == 0 || word.len >= sizeof(text))
		return false;
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Names that hosts files hold for the machine itself. */
static bool
is_house_keeping(struct span word)
{
	static const char *const names[] = {
		"localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost",
		"ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters",
		"ip6-allhosts", "0.0.0.0", "127.0.0.1", "::1",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(word, names[i]))
			return true;
	return false;
}

/* One name of a hosts line. */
static enum verdict
read_hosts_name(struct line *l, struct span word)
{
	struct dns_name name;
	size_t used;
	enum verdict v;

	if (is_house_keeping(word)) {
		l->f->stats.ignored++;
		return TAKEN;
	}
	v = read_name(l, word, &name, &used);
	if (v == TAKEN && used < word.len)
		v = refuse_byte(l, word.at[used]);
	if (v != TAKEN)
		return v;
	/* One label is a host of some house; below it lies, perhaps, a whole top-level domain. */
	return add(l, DNS_LIST_BLOCK,
	    l->f->exact || dns_name_labels(dns_name_span(&name)) == 1, &name);
}

/* A line of an address and names behind it. */
static enum verdict
read_hosts(struct line *l, struct span address, struct span names)
{
	const uint8_t *comment = memchr(names.at, '#', names.len);
	enum verdict worst = TAKEN;
	struct span word;

	if (!is_nowhere(address)) {
		if (!is_address(address))
			return refuse(l, INVALID, "neither a name nor a line of a hosts file");
		return refuse(l, UNSUPPORTED, "sends names to an address");
	}
	if (comment != NULL)
		names.len = (size_t)(comment - names.at);
	while ((word = text_next_word(&names)).len != 0) {
		enum verdict v = read_hosts_name(l, word);

		if (v != TAKEN)
			worst = v;
	}
	return worst;
}

/* --- plain names ------------------------------------------------------------------------------ */

/* What may stand right behind a name: nothing, or a comment; ## and its like are other rules. */
static bool
is_comment(struct span rest)
{
	return rest.len == 0 ||
	    (rest.at[0] == '#' && (rest.len == 1 || strchr("#@?$%", rest.at[1]) == NULL));
}

static enum verdict
read_plain(struct line *l, struct span word)
{
	bool wide = text_begins(word, "*.");
	struct dns_name name;
	size_t used;
	enum verdict v;

	if (wide || text_begins(word, ".")) {
		word = text_after(word, wide ? 2 : 1);
		wide = true;
	}
	v = read_name(l, word, &name, &used);
	if (v != TAKEN)
		return v;
	if (!is_comment(text_after(word, used)))
		return refuse_byte(l, word.at[used]);
	/* A stray word would block a whole top-level domain: who means that says ||zip^. */
	if (dns_name_labels(dns_name_span(&name)) == 1)
		return refuse(l, INVALID, "one label only; a top-level domain is written ||zip^");
	return add(l, DNS_LIST_BLOCK, l->f->exact && !wide, &name);
}

/* --- adblock ---------------------------------------------------------------------------------- */

/*
 * The options behind $ leave the rule as it is: they say that it is important, or that all kinds of
 * requests are meant, which a name blocks anyhow. For a rule that allows, all but the first would
 * mean the pages of that site instead of its name.
 */
static bool
options_change_nothing(struct span options, enum dns_list_kind kind)
{
	static const char *const fine[] = { "important", "all", "document", "doc" };
	size_t count = kind == DNS_LIST_ALLOW ? 1 : sizeof(fine) / sizeof(fine[0]);

	while (options.len != 0) {
		struct span one = text_next_field(&options, ',');
		size_t i = 0;

		while (i < count && !text_is(one, fine[i]))
			i++;
		if (i == count)
			return false;
	}
	return true;
}

/* A rule behind its two bars. */
static enum verdict
read_rule(struct line *l, struct span text, enum dns_list_kind kind)
{
	struct dns_name name;
	size_t used;
	enum verdict v;

	if (text_begins(text, "*."))
		text = text_after(text, 2);
	v = read_name(l, text, &name, &used);
	if (v != TAKEN)
		return v;
	text = text_after(text, used);
	/* ^ ends a name in an address; a bar is the address's end. */
	if (text_begins(text, "^"))
		text = text_after(text, 1);
	if (text_begins(text, "|"))
		text = text_after(text, 1);
	if (text_begins(text, "$")) {
		if (!options_change_nothing(text_after(text, 1), kind))
			return refuse(l, UNSUPPORTED, "has options that change its meaning");
	} else if (text.len != 0) {
		return refuse(l, UNSUPPORTED, "says more than a name can");
	}
	return add(l, kind, false, &name);
}

static enum verdict
read_pattern(struct line *l, struct span text, enum dns_list_kind kind)
{
	struct dns_list_rule rule = { .kind = kind, .source = l->f->source };

	if (text.len < 3 || text.at[text.len - 1] != '/')
		return refuse(l, UNSUPPORTED, "a pattern with options, or the path of an address");
	switch (dns_list_add_pattern(l->f->to, rule, span_of(text.at + 1, text.len - 2))) {
	case OK:
		l->f->stats.patterns++;
		return TAKEN;
	case ERR_NOMEM:
		return NO_MEMORY;
	case ERR_FULL:
		return refuse(l, UNSUPPORTED, "one pattern too many");
	case ERR_UNSUPPORTED:
		return refuse(l, UNSUPPORTED, "a pattern: built without PCRE2");
	default:
		return refuse(l, INVALID, "a pattern with errors, or too long");
	}
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Read a line without blanks at its ends that is no comment. */
static enum verdict
read_line(struct line *l, struct span text)
{
	enum dns_list_kind kind = DNS_LIST_BLOCK;
	struct span rest = text;
	struct span word;

	if (text_begins(text, "@@")) {
		kind = DNS_LIST_ALLOW;
		text = text_after(text, 2);
	}
	if (text_begins(text, "/"))
		return read_pattern(l, text, kind);
	if (text_begins(text, "||"))
		return read_rule(l, text_after(text, 2), kind);
	if (kind == DNS_LIST_ALLOW)
		return refuse(l, UNSUPPORTED, "allows something else than a name");
	word = text_next_word(&rest);
	rest = text_trim(rest);
	if (!is_comment(rest))
		return read_hosts(l, word, rest);
	return read_plain(l, word);
}

static void
note(struct dns_listfile *f, const char *why, struct span text)
{
	struct dns_listfile_finding *to = &f->stats.finding[f->stats.nfindings];

	if (f->stats.nfindings == DNS_LISTFILE_FINDINGS)
		return;
	f->stats.nfindings++;
	to->line = f->stats.lines;
	to->why = why;
	to->len = (uint8_t)(text.len < DNS_LISTFILE_SNIPPET ? text.len : DNS_LISTFILE_SNIPPET);
	memcpy(to->text, text.at, to->len);
}

static enum err
whole_line(struct dns_listfile *f, struct span text)
{
	struct line l = { .f = f };

	if (f->stats.lines++ == 0)
		text = text_after_mark(text);
	text = text_trim(text);
	/* [Adblock Plus 2.0] heads such a list. */
	if (text.len == 0 || text.at[0] == '#' || text.at[0] == '!' || text.at[0] == '[')
		return OK;
	switch (read_line(&l, text)) {
	case TAKEN:
		break;
	case INVALID:
		f->stats.invalid++;
		note(f, l.why, text);
		break;
	case UNSUPPORTED:
		f->stats.unsupported++;
		note(f, l.why, text);
		break;
	case NO_MEMORY:
		return ERR_NOMEM;
	}
	return OK;
}

/* Keep the beginning of a line until the rest comes; give up on one that is too long. */
static void
hold(struct dns_listfile *f, struct span part)
{
	if (f->too_long)
		return;
	if (part.len > sizeof(f->hold) - f->held) {
		f->too_long = true;
		f->stats.lines++;
		f->stats.invalid++;
		note(f, "the line is too long", f->held != 0 ? span_of(f->hold, f->held) : part);
		f->held = 0;
		return;
	}
	memcpy(f->hold + f->held, part.at, part.len);
	f->held += part.len;
}

/* A line has ended of which the beginning is held, or which was too long. */
static enum err
end_held(struct dns_listfile *f, struct span part)
{
	size_t len;

	hold(f, part);
	len = f->held;
	f->held = 0;
	if (f->too_long) {
		f->too_long = false;
		return OK;
	}
	return whole_line(f, span_of(f->hold, len));
}

void
dns_listfile_begin(struct dns_listfile *f, struct dns_list_builder *to, uint8_t source, bool exact)
{
	f->to = to;
	f->source = source;
	f->exact = exact;
	f->too_long = false;
	f->held = 0;
	f->stats = (struct dns_listfile_stats){ 0 };
}

enum err
dns_listfile_feed(struct dns_listfile *f, struct span text)
{
	const uint8_t *newline;

	f->stats.bytes += text.len;
	while (text.len != 0 && (newline = memchr(text.at, '\n', text.len)) != NULL) {
		struct span part = span_of(text.at, (size_t)(newline - text.at));
		enum err e = f->held != 0 || f->too_long || part.len > DNS_LISTFILE_LINE_MAX
		    ? end_held(f, part)
		    : whole_line(f, part);

		if (e != OK)
			return e;
		text = text_after(text, part.len + 1);
	}
	if (text.len != 0)
		hold(f, text);
	return OK;
}

enum err
dns_listfile_end(struct dns_listfile *f)
{
	return f->held != 0 || f->too_long ? end_held(f, span_of("", 0)) : OK;
}

bool
dns_listfile_plausible(const struct dns_listfile_stats *st)
{
	return st->bytes != 0 &&
	    (uint64_t)st->names + st->patterns + st->unsupported + st->ignored >= st->invalid;
}
