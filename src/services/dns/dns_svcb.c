/* SPDX-License-Identifier: MIT */
/*
 * Service parameters, from text to wire form. A value is decoded twice: first the escapes of zone
 * files, then, where it is a list, the commas. RFC 9460 §2.1, §7, appendix A.
 */
#include "services/dns/dns_svcb.h"

#include "services/dns/dns_token.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *word;
	uint16_t key;
} keys[] = {
	{ "mandatory", DNS_SVCB_MANDATORY },
	{ "alpn", DNS_SVCB_ALPN },
	{ "no-default-alpn", DNS_SVCB_NO_DEFAULT_ALPN },
	{ "port", DNS_SVCB_PORT },
	{ "ipv4hint", DNS_SVCB_IPV4HINT },
	{ "ipv6hint", DNS_SVCB_IPV6HINT },
	{ "dohpath", DNS_SVCB_DOHPATH },
	{ "ohttp", DNS_SVCB_OHTTP },
};

/* One parameter as it was written: its key, and its value with quotes and escapes. */
struct param {
	uint16_t key;
	bool generic;		/* written as keyNNNNN: the value is bytes */
	bool has_value;
	struct span value;
};

static enum err
fail(const char **why, enum err e, const char *words)
{
	*why = words;
	return e;
}

static bool
key_parse(struct span word, uint16_t *key, bool *generic)
{
	uint32_t number = 0;

	*generic = false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (span_equal(word, span_str(keys[i].word))) {
			*key = keys[i].key;
			return true;
		}
	}
	*generic = word.len > 3 && memcmp(word.at, "key", 3) == 0 &&
	    dns_token_number(span_of(word.at + 3, word.len - 3), UINT16_MAX, &number);
	*key = (uint16_t)number;
	return *generic;
}

static bool
param_parse(struct span word, struct param *out)
{
	const uint8_t *equals = memchr(word.at, '=', word.len);
	size_t len = equals != NULL ? (size_t)(equals - word.at) : word.len;

	out->has_value = equals != NULL;
	out->value = span_of(NULL, 0);
	if (out->has_value)
		out->value = span_of(equals + 1, word.len - len - 1);
	return key_parse(span_of(word.at, len), &out->key, &out->generic);
}

/* --- values: from decoded text ---------------------------------------------------------------- */

/*
 * Take the next item of a comma separated list off *rest, \, and \\ resolved in place. False at the
 * end.
 */
static bool
item_next(uint8_t **rest, uint8_t *end, struct span *item)
{
	uint8_t *from = *rest;
	uint8_t *to = *rest;
	uint8_t *start = *rest;

	if (from > end)
		return false;
	while (from < end && *from != ',') {
		if (*from == '\\' && from + 1 < end)
			from++;
		*to++ = *from++;
	}
	*item = span_of(start, (size_t)(to - start));
	*rest = from + 1;	/* beyond the end after the last item */
	return true;
}

static bool
put_address(struct span item, int family, struct wire_wr *out)
{
	uint8_t bytes[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];

	if (item.len >= sizeof(text))
		return false;
	memcpy(text, item.at, item.len);
	text[item.len] = '\0';
	if (inet_pton(family, text, bytes) != 1)
		return false;
	wire_wr_bytes(out, span_of(bytes, family == AF_INET ? 4 : 16));
	return true;
}

static bool
put_item(uint16_t key, struct span item, struct wire_wr *out)
{
	uint16_t other;
	bool generic;

	switch (key) {
	case DNS_SVCB_ALPN:
		if (item.len == 0 || item.len > UINT8_MAX)
			return false;
		wire_wr_u8(out, (uint8_t)item.len);
		wire_wr_bytes(out, item);
		return true;
	case DNS_SVCB_IPV4HINT:
		return put_address(item, AF_INET, out);
	case DNS_SVCB_IPV6HINT:
		return put_address(item, AF_INET6, out);
	default:	/* mandatory: keys */
		if (!key_parse(item, &other, &generic) || other == DNS_SVCB_MANDATORY)
			return false;
		wire_wr_u16(out, other);
		return true;
	}
}

static bool
put_list(uint16_t key, uint8_t *text, size_t len, struct wire_wr *out)
{
	struct span item;

	for (uint8_t *rest = text; item_next(&rest, text + len, &item);)
		if (!put_item(key, item, out))
			return false;
	return true;
}

static int
by_number(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

static bool
put_port(struct span text, struct wire_wr *out)
{
	uint32_t port = 0;

	if (!dns_token_number(text, UINT16_MAX, &port))
		return false;
	wire_wr_u16(out, (uint16_t)port);
	return true;
}

/* Write the value; false where it is not one for this key. */
static bool
put_value(const struct param *p, struct wire_wr *out)
{
	uint8_t buf[DNS_SVCB_VALUE_MAX];
	struct wire_wr text = wire_wr_of(buf, sizeof(buf));
	uint8_t *start = out->at;
	bool good;

	if (!dns_token_write(p->value, &text) || text.bad)
		return false;
	if (p->generic || p->key == DNS_SVCB_DOHPATH) {
		wire_wr_bytes(out, wire_wr_span(&text));
		return true;
	}
	switch (p->key) {
	case DNS_SVCB_NO_DEFAULT_ALPN:
	case DNS_SVCB_OHTTP:
		return !p->has_value;
	case DNS_SVCB_PORT:
		return put_port(wire_wr_span(&text), out);
	default:
		good = p->has_value && put_list(p->key, buf, wire_wr_len(&text), out);
		if (good && p->key == DNS_SVCB_MANDATORY && !out->bad)
			qsort(start, (size_t)(out->at - start) / 2, 2, by_number);
		return good;
	}
}

/* --- and back --------------------------------------------------------------------------------- */

static void
write_key(uint16_t key, bool generic, struct wire_wr *out)
{
	char text[16];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !generic; i++) {
		if (keys[i].key == key) {
			dns_token_put(out, keys[i].word);
			return;
		}
	}
	snprintf(text, sizeof(text), "key%u", key);
	dns_token_put(out, text);
}

/* Protocols have plain names; what has not is told as bytes. */
static bool
write_protocol(struct wire_rd *rd, struct wire_wr *out)
{
	struct span name = wire_rd_bytes(rd, wire_rd_u8(rd));

	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~' ||
		    strchr(",\\\"();", name.at[i]) != NULL)
			return false;
	wire_wr_bytes(out, name);
	return name.len != 0;
}

static bool
write_item(uint16_t key, struct wire_rd *rd, struct wire_wr *out)
{
	char text[INET6_ADDRSTRLEN];
	struct span bytes;

	switch (key) {
	case DNS_SVCB_ALPN:
		return write_protocol(rd, out);
	case DNS_SVCB_PORT:
		snprintf(text, sizeof(text), "%u", wire_rd_u16(rd));
		break;
	case DNS_SVCB_IPV4HINT:
	case DNS_SVCB_IPV6HINT:
		bytes = wire_rd_bytes(rd, key == DNS_SVCB_IPV4HINT ? 4 : 16);
		if (rd->bad)
			return false;
		(void)inet_ntop(key == DNS_SVCB_IPV4HINT ? AF_INET : AF_INET6, bytes.at, text,
		    sizeof(text));
		break;
	case DNS_SVCB_MANDATORY:
		write_key(wire_rd_u16(rd), false, out);
		return !rd->bad;
	default:
		return false;
	}
	dns_token_put(out, text);
	return !rd->bad;
}

/* In the words of its own key; false, and nothing more to be used of out, where it has none. */
static bool
write_value(uint16_t key, struct span value, struct wire_wr *out)
{
	struct wire_rd rd = wire_rd_of(value);
	bool flag = key == DNS_SVCB_NO_DEFAULT_ALPN || key == DNS_SVCB_OHTTP;

	write_key(key, false, out);
	if (flag || value.len == 0)
		return flag && value.len == 0;
	/* More keys than there can be: a word each could be longer than anybody expects. */
	if (key == DNS_SVCB_MANDATORY && value.len > 2 * DNS_SVCB_PARAMS_MAX)
		return false;
	wire_wr_u8(out, '=');
	while (wire_rd_left(&rd) != 0) {
		if (rd.at != rd.start)
			wire_wr_u8(out, ',');
		if (!write_item(key, &rd, out))
			return false;
	}
	return key != DNS_SVCB_PORT || value.len == 2;
}

bool
dns_svcb_write(struct wire_rd *in, struct wire_wr *out)
{
	while (wire_rd_left(in) != 0) {
		uint16_t key = wire_rd_u16(in);
		struct span value = wire_rd_bytes(in, wire_rd_u16(in));
		uint8_t *before;

		if (in->bad)
			return false;
		wire_wr_u8(out, ' ');
		before = out->at;
		if (write_value(key, value, out))
			continue;
		out->at = before;
		write_key(key, true, out);
		if (value.len != 0) {
			wire_wr_u8(out, '=');
			dns_token_quote(out, value);
		}
	}
	return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int
by_key(const void *a, const void *b)
{
	return (int)((const struct param *)a)->key - (int)((const struct param *)b)->key;
}

static enum err
put_param(const struct param *p, struct wire_wr *out, const char **why)
{
	wire_wr_u16(out, p->key);

	uint8_t *length_at = wire_wr_take(out, 2);

	if (!put_value(p, out))
		return fail(why, ERR_FORMAT, "not a value for this service parameter");
	if (length_at != NULL)
		wire_put_u16(length_at, (uint16_t)(out->at - length_at - 2));
	return OK;
}

enum err
dns_svcb_params(struct span *rest, struct wire_wr *out, const char **why)
{
	struct param params[DNS_SVCB_PARAMS_MAX];
	struct dns_token t;
	size_t n = 0;

	while (dns_token_next(rest, &t)) {
		if (n == DNS_SVCB_PARAMS_MAX)
			return fail(why, ERR_FULL, "too many service parameters");
		if (!param_parse(t.raw, &params[n++]))
			return fail(why, ERR_FORMAT, "unknown service parameter");
	}
	qsort(params, n, sizeof(params[0]), by_key);
	for (size_t i = 0; i < n; i++) {
		enum err e = OK;

		if (i > 0 && params[i].key == params[i - 1].key)
			return fail(why, ERR_EXISTS, "a service parameter is there twice");
		e = put_param(&params[i], out, why);
		if (e != OK)
			return e;
	}
	return OK;
}
