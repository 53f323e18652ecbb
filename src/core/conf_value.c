/* SPDX-License-Identifier: MIT */
/*
 * One value: from the text that a user typed to its type, and the words for what was wrong with it.
 * Sizes and durations are decimal fractions times a unit, computed in integers.
 */
#include "core/conf_tree.h"

#include "core/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit size_units[] = {
	{ "TiB", INT64_C(1) << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 },
	{ "TB", INT64_C(1) << 40 }, { "GB", 1 << 30 }, { "MB", 1 << 20 }, { "KB", 1 << 10 },
	{ "T", INT64_C(1) << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 },
	{ "B", 1 }, { "", 1 },
};

static const struct unit duration_units[] = {
	{ "w", INT64_C(604800000000) }, { "d", INT64_C(86400000000) }, { "h", INT64_C(3600000000) },
	{ "min", 60000000 }, { "m", 60000000 }, { "s", 1000000 }, { "ms", 1000 }, { "us", 1 },
	{ "", 1000000 },
};

#define FRACTION_DIGITS 6	/* more are cut off; times the largest unit they fit 63 bits */

/* Read the digits at *p into *out and step over them; false where there is none or too many. */
static bool
read_digits(const char **p, int64_t *out)
{
	const char *start = *p;

	*out = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, **p - '0', out))
			return false;
	return *p != start;
}

/* Read ".123" as a numerator over 10^n; nothing there is 0 over 1. */
static bool
read_fraction(const char **p, int64_t *num, int64_t *den)
{
	*num = 0;
	*den = 1;
	if (**p != '.')
		return true;
	(*p)++;
	if (**p < '0' || **p > '9')
		return false;
	for (int i = 0; **p >= '0' && **p <= '9'; i++, (*p)++) {
		if (i < FRACTION_DIGITS) {
			*num = *num * 10 + (**p - '0');
			*den *= 10;
		}
	}
	return true;
}

/* "1.5 MiB" in units of 1. Errors: ERR_FORMAT, ERR_RANGE. */
static enum err
parse_quantity(const char *text, const struct unit *units, size_t n, int64_t *out)
{
	int64_t whole, num, den;
	const char *p = text;

	if (*p < '0' || *p > '9')
		return ERR_FORMAT;
	if (!read_digits(&p, &whole))
		return ERR_RANGE;
	if (!read_fraction(&p, &num, &den))
		return ERR_FORMAT;
	while (*p == ' ')
		p++;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(p, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(whole, units[i].factor, out) ||
		    __builtin_add_overflow(*out, num * units[i].factor / den, out))
			return ERR_RANGE;
		return OK;
	}
	return ERR_FORMAT;
}

enum err
conf_parse_size(const char *text, int64_t *bytes)
{
	return parse_quantity(text, size_units, sizeof(size_units) / sizeof(size_units[0]), bytes);
}

enum err
conf_parse_duration(const char *text, usec *out)
{
	return parse_quantity(text, duration_units,
	    sizeof(duration_units) / sizeof(duration_units[0]), out);
}

static enum err
parse_int(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	const char *p = text + negative;

	if (*p < '0' || *p > '9')
		return ERR_FORMAT;
	if (!read_digits(&p, out))
		return ERR_RANGE;
	if (*p != '\0')
		return ERR_FORMAT;
	if (negative)
		*out = -*out;
	return OK;
}

static enum err
parse_bool(const char *text, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2 == 1;
			return OK;
		}
	}
	return ERR_FORMAT;
}

static enum err
parse_enum(const char *text, const char *const *choices, int64_t *out)
{
	for (int64_t i = 0; choices[i] != NULL; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*out = i;
			return OK;
		}
	}
	return ERR_FORMAT;
}

/* --- words ------------------------------------------------------------------------------------ */

/* Write n as a whole number of the largest unit that divides it. */
static const char *
format_quantity(int64_t n, enum conf_type type, char *buf, size_t cap)
{
	static const char *const durations[] = { "d", "h", "m", "s", "ms", "us" };
	static const char *const sizes[] = { "TiB", "GiB", "MiB", "KiB" };
	const char *const *names = type == CONF_SIZE ? sizes : durations;
	size_t count = type == CONF_SIZE ? 4 : 6;
	int64_t factor = 1;

	for (size_t i = 0; type != CONF_INT && i < count; i++) {
		char one[8];

		snprintf(one, sizeof(one), "1%s", names[i]);
		if ((type == CONF_SIZE ? conf_parse_size(one, &factor)
				       : conf_parse_duration(one, &factor)) != OK ||
		    n == 0 || n % factor != 0)
			continue;
		snprintf(buf, cap, "%" PRId64 "%s", n / factor, names[i]);
		return buf;
	}
	snprintf(buf, cap, "%" PRId64, n);
	return buf;
}

static const char *
allowed_range(const struct conf_key *key, char *buf, size_t cap)
{
	const char *bytes = key->type == CONF_STRING ? " bytes" : "";
	enum conf_type type = key->type == CONF_STRING ? CONF_INT : key->type;
	char low[32], high[32];

	buf[0] = '\0';
	if (key->min == 0 && key->max == 0)
		return buf;
	format_quantity(key->min, type, low, sizeof(low));
	format_quantity(key->max, type, high, sizeof(high));
	if (key->max == INT64_MAX)
		snprintf(buf, cap, "%s%s or more", low, bytes);
	else
		snprintf(buf, cap, "%s to %s%s", low, high, bytes);
	return buf;
}

static const char *
allowed_choices(const struct conf_key *key, char *buf, size_t cap)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; key->choices[i] != NULL && at < cap; i++) {
		const char *between = i == 0 ? "" : key->choices[i + 1] != NULL ? ", " : " or ";
		int n = snprintf(buf + at, cap - at, "%s%s", between, key->choices[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

const char *
conf_allowed(const struct conf_key *key, char *buf, size_t cap)
{
	switch (key->type) {
	case CONF_BOOL:
		snprintf(buf, cap, "true or false");
		return buf;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
	case CONF_STRING:
		return allowed_range(key, buf, cap);
	case CONF_ENUM:
		return allowed_choices(key, buf, cap);
	case CONF_ADDR:
	case CONF_SECTION:
		break;
	}
	buf[0] = '\0';
	return buf;
}

struct words {
	const char *noun;
	const char *example;
};

static struct words
words_of(enum conf_type type)
{
	static const struct words words[] = {
		[CONF_BOOL] = { "true or false", NULL },
		[CONF_INT] = { "a whole number", NULL },
		[CONF_SIZE] = { "a size", "\"32MiB\"" },
		[CONF_DURATION] = { "a duration", "\"1.8s\", \"5m\", \"2h\" or \"1d\"" },
		[CONF_STRING] = { "a text", NULL },
		[CONF_ENUM] = { "known here", NULL },
		[CONF_ADDR] = { "an address",
			"\"192.0.2.1\", \"192.0.2.1:53\" or \"[2001:db8::1]:53\"" },
		[CONF_SECTION] = { "a section", NULL },
	};

	return words[type];
}

static void
append(char *why, const char *before, const char *text, const char *after)
{
	size_t at = strlen(why);

	snprintf(why + at, CONF_WHY_MAX - at, "%s%s%s", before, text, after);
}

/* With an example of the type, unless it is known to be right: an example may be out of range. */
/* "warn" of "warning". */
static bool
is_start(const char *text, const char *whole)
{
	size_t len = strlen(text);

	return len >= 3 && strncasecmp(text, whole, len) == 0;
}

/* What other languages of settings end a value with. */
static void
explain_semicolon(const char *text, char *why)
{
	size_t len = strlen(text);

	if (len > 1 && text[len - 1] == ';')
		append(why, " (settings end without a ;)", "", "");
}

static void
explain_allowed(const struct conf_key *key, const char *text, bool type_is_right, char *why)
{
	struct words w = type_is_right ? (struct words){ 0 } : words_of(key->type);
	char allowed[256];

	if (key->type == CONF_BOOL)
		snprintf(allowed, sizeof(allowed), "true, false, yes, no, on and off");
	else
		conf_allowed(key, allowed, sizeof(allowed));
	if (allowed[0] != '\0')
		append(why, "; allowed is ", allowed, "");
	if (w.example != NULL && allowed[0] != '\0')
		append(why, ", for example ", w.example, "");
	else if (w.example != NULL)
		append(why, "; write for example ", w.example, "");
	if (key->type == CONF_ADDR && text[0] == '*')
		append(why, "; all addresses are \"0.0.0.0\", those of IPv6 \"[::]\"", "", "");
	for (size_t i = 0; key->type == CONF_ENUM && key->choices[i] != NULL; i++)
		if (conf_distance(text, key->choices[i]) <= 2 || is_start(text, key->choices[i]))
			append(why, "; did you mean ", key->choices[i], "?");
}

static enum err
explain_format(const struct conf_key *key, const char *text, enum err e, char *why)
{
	char quoted[256];
	size_t len = strlen(text);

	log_quote(span_of(text, len), quoted, sizeof(quoted));
	if (e == ERR_NOTFOUND) {
		snprintf(why, CONF_WHY_MAX, "%s names an interface that is not there", quoted);
		return ERR_FORMAT;
	}
	if (e == ERR_RANGE && key->type == CONF_ADDR)
		snprintf(why, CONF_WHY_MAX, "%s has a port above 65535", quoted);
	else if (e == ERR_RANGE)
		snprintf(why, CONF_WHY_MAX, "%s is too large", quoted);
	else
		snprintf(why, CONF_WHY_MAX, "%s is not %s", quoted, words_of(key->type).noun);
	explain_semicolon(text, why);
	explain_allowed(key, text, false, why);
	return e;
}

static enum err
check_range(const struct conf_key *key, int64_t n, const char *text, char *why)
{
	char quoted[256];

	if ((key->min == 0 && key->max == 0) || (n >= key->min && n <= key->max))
		return OK;
	log_quote(span_str(text), quoted, sizeof(quoted));
	snprintf(why, CONF_WHY_MAX, "%s is too %s", quoted,
	    key->type == CONF_STRING ? n < key->min ? "short" : "long"
	    : n < key->min	     ? "small" : "large");
	explain_allowed(key, text, true, why);
	return ERR_RANGE;
}

/* An address that may as well be one with a port would be taken for what its user did not mean. */
static enum err
check_brackets(const struct conf_key *key, const char *text, char *why)
{
	char meant[ADDR_TEXT_MAX], quoted[256];
	struct addr a;

	if (key->type != CONF_ADDR || key->port == 0 || !addr_is_ambiguous(text, meant))
		return OK;
	log_quote(span_str(text), quoted, sizeof(quoted));
	snprintf(why, CONF_WHY_MAX, "%s is not clear: an IPv6 address with a port is written "
	    "\"%s\"", quoted, meant);
	if (addr_parse(&a, text, key->port) == OK)
		append(why, ", this one without a port \"[", text, "]\"");
	return ERR_FORMAT;
}

/* Nothing where something is wanted: often a variable of the environment that has no value. */
static enum err
check_empty(const struct conf_key *key, const char *text, char *why)
{
	bool meant = key->type != CONF_STRING || (key->flags & CONF_EMPTY) ||
	    (key->value != NULL && *key->value == '\0') || key->max != 0;

	if (*text != '\0' || meant)
		return OK;
	snprintf(why, CONF_WHY_MAX, "\"\" means nothing here; leave the %s out instead",
	    key->flags & CONF_LIST ? "value" : "setting");
	return ERR_FORMAT;
}

/* The typed part alone. Errors: ERR_FORMAT, ERR_RANGE, ERR_NOTFOUND (interface). */
static enum err
parse_typed(struct conf_value *v, const struct conf_key *key)
{
	switch (key->type) {
	case CONF_BOOL:
		return parse_bool(v->text, &v->flag);
	case CONF_INT:
		return parse_int(v->text, &v->number);
	case CONF_SIZE:
		return conf_parse_size(v->text, &v->number);
	case CONF_DURATION:
		return conf_parse_duration(v->text, &v->number);
	case CONF_ENUM:
		return parse_enum(v->text, key->choices, &v->number);
	case CONF_ADDR:
		return addr_parse(&v->addr, v->text, key->port);
	case CONF_STRING:
	case CONF_SECTION:
		break;
	}
	return OK;
}

enum err
conf_value_parse(struct conf_value *v, const struct conf_key *key, char *why)
{
	enum err e = check_empty(key, v->text, why);

	if (e == OK)
		e = check_brackets(key, v->text, why);
	if (e != OK)
		return e;
	e = parse_typed(v, key);
	if (e != OK)
		return explain_format(key, v->text, e, why);
	if (key->type == CONF_INT || key->type == CONF_SIZE || key->type == CONF_DURATION)
		e = check_range(key, v->number, v->text, why);
	else if (key->type == CONF_STRING && key->max != 0)
		e = check_range(key, (int64_t)strlen(v->text), v->text, why);
	if (e != OK)
		return e;

	const char *wrong = key->check != NULL ? key->check(v->text) : NULL;

	if (wrong == NULL)
		return OK;

	char quoted[256];

	snprintf(why, CONF_WHY_MAX, "%s: %s",
	    log_quote(span_str(v->text), quoted, sizeof(quoted)), wrong);
	explain_semicolon(v->text, why);
	return ERR_FORMAT;
}

enum err
conf_parse_as(const struct conf_key *key, const char *text, usec *out, char *why, size_t whylen)
{
	char *copy = strdup(text), words[CONF_WHY_MAX] = "";
	struct conf_value v = { .text = copy };
	enum err e = copy != NULL ? conf_value_parse(&v, key, words) : ERR_NOMEM;

	if (e == OK)
		*out = v.number;
	else
		snprintf(why, whylen, "%s", e == ERR_NOMEM ? err_text(e) : words);
	free(copy);
	return e;
}

unsigned
conf_distance(const char *a, const char *b)
{
	enum { NAME_MAX_LEN = 48 };
	unsigned rows[3][NAME_MAX_LEN + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN || la > lb + 2 || lb > la + 2)
		return NAME_MAX_LEN;
	for (unsigned j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    top[j - 2] + 1 < best)
				best = top[j - 2] + 1;	/* two letters swapped */
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}
